"""Networks: what holds exactly, whatever the weights."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from diffsim.generative import nets
from diffsim.generative.nets.dit import positions
from diffsim.generative.nets.layers import Conv, GroupNorm, Waves

SMALL = {"widths": (8, 16), "attention": (0, 2), "groups": 4}


def stirred(network, seed=0):
    """The network with all weights random, alike on all backends: what starts at 0 hides what comes before."""
    rng = np.random.default_rng(seed)
    network.set_weights([(0.3 * rng.standard_normal(w.shape) + w * (w.ndim == 1)).astype(w.dtype) for w in network.get_weights()])
    return network


def some(*shape, seed=1, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.fixture(scope="module")
def unet():
    return nets.UNet((8, 4, 3), labels=5, context=6, dtype="float64", **SMALL)


@pytest.fixture(scope="module")
def wave():
    """Periodic, in one dimension, of any length."""
    return stirred(nets.UNet((None, 2), (4, 8), (0, 2), groups=2, periodic=True, dtype="float64"))


@pytest.fixture(scope="module")
def dit():
    return nets.DiT((4, 8, 2), patch=2, width=16, depth=2, heads=2, labels=5, context=6, dtype="float64")


def condition(n=3):
    return {"label": np.arange(n) % 5, "context": some(n, 4, 6, dtype=np.float64)}


def test_output_starts_at_zero(unet, dit, wave):
    fresh = nets.MLP((3,), width=8, depth=1, labels=5)
    for net, given in ((unet, condition()), (dit, condition()), (fresh, np.array([1, 2, 5]))):
        x = some(3, *net.sample_shape)
        assert np.all(np.asarray(net(x, some(3), given)) == 0.0)
    assert np.abs(np.asarray(wave(some(3, 8, 2), some(3)))).max() > 0.01  # and only at the start


def test_parameters(unet):
    def conv(a, b, cells=9):
        return (cells * a + 1) * b

    def dense(a, b):
        return (a + 1) * b

    e = 32  # the embedding

    def residual(a, b):
        return 2 * a + conv(a, b) + 2 * b + conv(b, b) + dense(e, 2 * b) + (conv(a, b, 1) if a != b else 0)

    look = 2 * 16 + 4 * dense(16, 16) + 2 * 16 + 2 * dense(16, 16) + 2 * dense(6, 16)
    down = conv(3, 8) + residual(8, 8) + conv(8, 8) + residual(8, 16) + look
    middle = 2 * residual(16, 16) + look
    up = residual(32, 16) + residual(24, 16) + 2 * look + conv(16, 16) + residual(24, 8) + residual(16, 8)
    whole = dense(e, e) + dense(e, e) + 6 * e + down + middle + up + 2 * 8 + conv(8, 3)
    assert unet.count_params() == whole


def test_members_of_a_batch_do_not_see_each_other(unet, dit):
    order = np.array([2, 0, 1])
    for net in (stirred(unet), stirred(dit)):
        x, t, c = some(3, *net.sample_shape), some(3), condition()
        y = np.asarray(net(x, t, c))
        assert np.abs(y).max() > 0.01
        shuffled = net(x[order], t[order], {k: v[order] for k, v in c.items()})
        np.testing.assert_allclose(shuffled, y[order], rtol=0, atol=1e-11 * np.abs(y).max())
        alone = net(x[:1], t[:1], {k: v[:1] for k, v in c.items()})
        np.testing.assert_allclose(alone, y[:1], rtol=0, atol=1e-11 * np.abs(y).max())
        nested = net(x[None], t[None], {"label": c["label"][None], "context": c["context"][None]})  # leading axes stay
        np.testing.assert_array_equal(np.asarray(nested)[0], y)


def test_no_condition_is_the_last_label_and_embeddings_of_zero(unet, dit):
    for net in (unet, dit):
        x, t = some(3, *net.sample_shape), some(3)
        scale = np.abs(np.asarray(net(x, t))).max()
        none = net(x, t, {"label": np.full(3, 5), "context": np.zeros((3, 7, 6))})
        np.testing.assert_allclose(none, net(x, t), rtol=0, atol=1e-11 * scale)
        for given in (np.array([0, 1, 2]), condition()["context"]):  # labels, or a context: told by their dtype
            assert np.abs(np.asarray(net(x, t, given)) - np.asarray(net(x, t))).max() > 1e-3 * scale


def test_periodic_networks_commute_with_translations(wave):
    x, t = some(2, 16, 2, dtype=np.float64), some(2)
    y = np.asarray(wave(x, t))
    for shift, same in ((2, True), (6, True), (1, False)):  # by whole coarse cells
        error = np.abs(np.asarray(wave(np.roll(x, shift, 1), t)) - np.roll(y, shift, 1)).max() / np.abs(y).max()
        assert (error < 1e-12) == same, error
    longer = np.asarray(wave(np.concatenate([x, x], 1), t))  # and see a repeated grid as the grid
    np.testing.assert_allclose(longer, np.concatenate([y, y], 1), rtol=0, atol=1e-11 * np.abs(y).max())
    fenced = stirred(nets.UNet((None, 2), (4,), (0,), groups=2, dtype="float64"))
    z = np.asarray(fenced(x, t))
    assert np.abs(np.asarray(fenced(np.roll(x, 2, 1), t)) - np.roll(z, 2, 1)).max() > 1e-3


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolution_is_a_circulant_matrix(rank):
    layer = Conv(2, rank, periodic=True, dtype="float64")
    x = some(1, *(4, 5, 6)[:rank], 3, dtype=np.float64)
    y = np.asarray(layer(x))
    kernel = np.asarray(layer.kernel)
    expected = np.zeros(y.shape)
    for shift in np.ndindex(*(3,) * rank):
        rolled = np.roll(x, [1 - i for i in shift], tuple(range(1, rank + 1)))
        expected += rolled @ kernel[shift]
    np.testing.assert_allclose(y, expected, atol=1e-13)
    halved = Conv(2, rank, stride=2, periodic=True, dtype="float64")
    halved.build(x.shape)
    halved.set_weights(layer.get_weights())
    np.testing.assert_allclose(halved(x), expected[(slice(None), *(slice(None, None, 2),) * rank)], atol=1e-13)


def test_patches_are_put_together_as_they_were_cut(dit):
    grid = np.arange(4 * 8 * 2.0).reshape(1, 4, 8, 2)
    tokens = np.asarray(dit._cut(grid))
    assert tokens.shape == (1, 8, 8)
    np.testing.assert_array_equal(tokens[0, 1], grid[0, :2, 2:4].ravel())
    np.testing.assert_array_equal(dit._join(tokens), grid)
    p = positions((4, 8), 16)
    assert np.linalg.matrix_rank(p) > 8 and len(np.unique(p.round(9), axis=0)) == 32  # every place has its own


def test_groups_are_normalised_as_defined():
    layer, x = GroupNorm(2, epsilon=0.1, dtype="float64"), some(3, 4, 2, 6, dtype=np.float64)
    layer.build(x.shape)
    gamma, beta = (some(6, seed=s, dtype=np.float64) for s in (2, 3))
    layer.set_weights([gamma, beta])
    parts = x.reshape(3, 8, 2, 3)
    y = (parts - parts.mean((1, 3), keepdims=True)) / np.sqrt(parts.var((1, 3), keepdims=True) + 0.1)
    np.testing.assert_allclose(layer(x), y.reshape(x.shape) * gamma + beta, rtol=0, atol=1e-13)


def test_half_precision_does_not_spoil_the_statistics_of_groups():
    x = np.float16(500 + 2 * some(2, 64, 8))  # squares beyond the range of float16, spread far below the mean
    half, full = GroupNorm(2, dtype="mixed_float16"), GroupNorm(2, dtype="float64")
    y = np.asarray(half(x)).astype(np.float64)
    np.testing.assert_allclose(y, full(x.astype(np.float64)), atol=4e-3)
    assert y.std() == pytest.approx(1.0, abs=1e-2)


def test_mixed_precision_keeps_time_and_result_in_full():
    kwargs = {"width": 16, "depth": 1, "waves": (6.0, 6e4)}
    half, full = nets.MLP((3,), dtype="mixed_bfloat16", **kwargs), stirred(nets.MLP((3,), dtype="float32", **kwargs))
    half.set_weights(full.get_weights())
    x, t = some(2, 3), np.float32([997.0, 998.0])  # the same number in bfloat16
    a, b = np.asarray(half(x, t)), np.asarray(full(x, t))
    assert a.dtype == np.float32 and half.compute_dtype == "bfloat16"
    assert 0 < np.abs(a - b).max() < 0.05 * np.abs(b).max()
    rows = np.asarray(half.features(t))
    np.testing.assert_allclose(rows, Waves(16, 6.0, 6e4, dtype="float64")(t.astype(np.float64)), atol=2e-4)
    assert np.abs(rows[0] - rows[1]).max() > 0.5


def test_gradients_reach_all_weights(unet, dit):
    import tensorflow as tf

    for net in (stirred(unet), stirred(dit), stirred(nets.MLP((3,), width=8, depth=2, labels=5, dtype="float64"))):
        given = condition() if net.context else condition()["label"]
        with tf.GradientTape() as tape:
            y = net(some(3, *net.sample_shape), some(3), given)
            loss = tf.reduce_sum(tf.constant(some(*y.shape, dtype=np.float64)) * y)
        gradients = tape.gradient(loss, [w.value for w in net.trainable_weights])
        idle = [
            w.path for w, g in zip(net.trainable_weights, gradients, strict=True)
            if g is None or not np.any(np.asarray(tf.convert_to_tensor(g)))
        ]
        # a bias added to all keys alike changes no softmax: its gradient vanishes, or is round-off
        assert [path for path in idle if not path.endswith("key/bias")] == []


@pytest.mark.slow
def test_networks_are_made_again_from_their_configuration(unet, dit):
    for net in (unet, dit, nets.MLP((3,), width=8, depth=1)):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(net))
        assert [tuple(w.shape) for w in again.weights] == [tuple(w.shape) for w in net.weights]
        again.set_weights(net.get_weights())
        x, t = some(2, *net.sample_shape), some(2)
        np.testing.assert_array_equal(again(x, t), net(x, t))


def test_weights_follow_from_the_seed():
    def first(seed):
        return np.concatenate([w.ravel() for w in nets.MLP((3,), width=8, depth=2, seed=seed).get_weights()])

    assert np.array_equal(first(3), first(3)) and not np.array_equal(first(3), first(4))
    hidden = [w for w in nets.MLP((3,), width=8, depth=2, seed=3).get_weights() if w.shape == (8, 8)]
    assert len({h.tobytes() for h in hidden}) == len(hidden) > 2  # no two layers start alike


def test_autoencoder_commutes_with_translations_by_coarse_cells():
    coder = stirred(nets.Autoencoder((8, 12, 1), (4, 8), latent=3, groups=2, periodic=True, dtype="float64"))
    x = some(2, 8, 12, 1, dtype=np.float64)
    code, back = np.asarray(coder.encode(x)), np.asarray(coder(x))
    assert code.shape == (2, 4, 6, 3) and back.shape == x.shape and 0.1 < np.abs(code).max() < 3.0 and back.std() > 0.01
    moved = np.roll(x, (2, 4), (1, 2))
    np.testing.assert_allclose(coder.encode(moved), np.roll(code, (1, 2), (1, 2)), atol=1e-12)
    np.testing.assert_allclose(coder(moved), np.roll(back, (2, 4), (1, 2)), atol=1e-12 * np.abs(back).max())
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(coder))
    again.set_weights(coder.get_weights())
    np.testing.assert_array_equal(again(x), back)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(8, 2), (8, 4, 2), (4, 8, 4, 2)])
def test_all_dimensions(shape):
    unet = stirred(nets.UNet(shape, blocks=2, outputs=5, **SMALL))
    dit = stirred(nets.DiT(shape, patch=2, width=24, depth=1, heads=2, outputs=5))
    for net in (unet, dit):
        y = np.asarray(net(some(2, *shape), some(2)))
        assert y.shape == (2, *shape[:-1], 5) and np.isfinite(y).all() and y.std() > 0.01


@pytest.mark.slow
def test_file_of_keras(tmp_path, unet):
    unet.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    x, t = some(2, 8, 4, 3), some(2)
    np.testing.assert_array_equal(again(x, t, condition(2)), unet(x, t, condition(2)))


BACKEND = """
import sys, numpy as np, keras
from diffsim.generative import nets
sys.path.insert(0, "tests")
from test_nets import SMALL, some, stirred
for net in (nets.UNet((8, 4, 3), labels=5, context=6, **SMALL), nets.DiT((4, 8, 2), width=16, depth=2, heads=2, labels=5)):
    net = stirred(net)
    y = net(some(3, *net.sample_shape), some(3), np.array([0, 1, 5]))
    np.save(sys.argv[1] + net.name, keras.ops.convert_to_numpy(y))
print(keras.backend.backend())
"""


@pytest.mark.parametrize("other", [pytest.param("jax", marks=pytest.mark.slow),
                                   pytest.param("torch", marks=pytest.mark.parity)])
def test_the_same_weights_give_the_same_output_with(other, tmp_path):
    pytest.importorskip(other)
    out = {}
    for backend in ("tensorflow", other):
        run = subprocess.run([sys.executable, "-c", BACKEND, str(tmp_path / backend)], capture_output=True, text=True,
                             env=os.environ | {"KERAS_BACKEND": backend}, check=True)
        assert backend in run.stdout
        out[backend] = {p.name.removeprefix(backend): np.load(p) for p in tmp_path.glob(f"{backend}*.npy")}
    assert len(out[other]) == 2
    for name, y in out["tensorflow"].items():
        np.testing.assert_allclose(out[other][name], y, atol=2e-5 * np.abs(y).max())


REFUSED = {
    "extents": lambda: nets.UNet((7, 1), **SMALL),
    "vector": lambda: nets.UNet((4,), **SMALL),
    "groups": lambda: nets.UNet((8, 1), (8, 10), (0, 0), groups=4),
    "heads": lambda: nets.UNet((8, 1), (8, 8), (0, 3), groups=4),
    "attention": lambda: nets.UNet((8, 1), (8, 8), (2,), groups=4),
    "context": lambda: nets.UNet((8, 1), (8,), (0,), groups=4, context=3),
    "periodic": lambda: nets.UNet((8, 1), (8,), (0,), groups=4, periodic="yes"),
    "patch": lambda: nets.DiT((6, 6, 1), patch=4),
    "width": lambda: nets.DiT((4, 4, 1), width=10, heads=4),
    "unknown grid": lambda: nets.DiT((None, 4, 1)),
    "image": lambda: nets.MLP((4, 4, 1)),
    "channels": lambda: nets.MLP((None,)),
    "labels": lambda: nets.MLP((4,), labels=-1),
    "waves": lambda: nets.MLP((4,), waves=(0.0, 1.0)),
    "coded vector": lambda: nets.Autoencoder((4,)),
    "coded extents": lambda: nets.Autoencoder((6, 1), (8, 8, 8)),
    "coded groups": lambda: nets.Autoencoder((8, 1), (8, 10)),
    "codes": lambda: nets.Autoencoder((8, 1), (8,), latent=0),
    "bound": lambda: nets.Autoencoder((8, 1), (8,), bound=0.0),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case):
    with pytest.raises((TypeError, ValueError), match=": expected .*because "):
        REFUSED[case]()


def test_what_a_network_was_not_made_for_is_refused():
    net = nets.MLP((3,), width=4, depth=1)
    for x, given in ((some(2, 4), None), (some(3), None), (some(2, 3), np.array([0, 1])),
                     (some(2, 3), some(2, 1, 5)), (some(2, 3), {"class": np.array([0, 1])})):
        with pytest.raises((TypeError, ValueError), match=": expected .*because "):
            net(x, some(2), given)
