"""What networks refuse when they are made and called, each with what came, what was expected, why, and the way out."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim.generative import nets

SMALL = {"widths": (4,), "attention": (0,), "groups": 2}
MADE = {
    "a U-Net of nothing": (lambda: nets.UNet(None), "shape=None"),
    "a U-Net of a number": (lambda: nets.UNet(8), "shape=8"),
    "a vector by its length": (lambda: nets.MLP(2), "shape=2"),
    "a transformer of a number": (lambda: nets.DiT(8), "shape=8"),
    "a coder of a number": (lambda: nets.Autoencoder(8), "shape=8"),
    "a shape of words": (lambda: nets.UNet(("a", 1), **SMALL), r"shape\[0\]='a'"),
    "half a cell": (lambda: nets.DiT((8.5, 1)), r"shape\[0\]=8.5"),
    "no extent for a coder": (lambda: nets.Autoencoder((None, 1), (8,)), "shape="),
    "a width for all levels": (lambda: nets.UNet((8, 1), 8), r"widths=8: .*widths=\(8,\)"),
    "heads for all levels": (lambda: nets.UNet((8, 1), (8,), 4), "attention=4"),
    "a negative head": (lambda: nets.UNet((8, 1), (8,), (-1,)), "attention=-1"),
    "coder's widths": (lambda: nets.Autoencoder((8, 1), 8), "widths=8"),
    "waves the wrong way round": (lambda: nets.MLP((2,), waves=(5.0, 0.05)), "shorter one first"),
    "one wave": (lambda: nets.MLP((2,), waves=5.0), "waves=5.0"),
    "no seed": (lambda: nets.MLP((2,), seed=None), "seed=None"),
}


@pytest.mark.parametrize("case", MADE)
def test_what_cannot_be_made(case):
    build, word = MADE[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        build()
    error.match(word)


@pytest.fixture(scope="module")
def net():
    return nets.UNet((None, 2), (4, 4), (0, 2), groups=2, labels=3, context=5)


X, T = np.zeros((4, 6, 2), np.float32), np.zeros(4, np.float32)
CALLED = {
    "no samples": ((None, T), "x=None"),
    "whole numbers": ((X.astype(int), T), "real numbers"),
    "complex samples": ((X + 0j, T), "real numbers"),
    "an odd grid": ((X[:, :5], T), "multiples of 2"),
    "no time": ((X,), "t=None"),
    "no time either": ((X, None), "t=None"),
    "times of others": ((X, T[:3]), "t=array of shape"),
    "a word for a time": ((X, "late"), "t="),
    "labels of others": ((X, T, [0, 1]), "label="),
    "a label beyond": ((X, T, [0, 4, 1, 1]), r"label=\[4\]: expected integers from 0 to 3"),
    "a negative label": ((X, T, np.array([0, -1, 1, 1])), r"label=\[-1\]"),
    "half a label": ((X, T, {"label": 0.5}), "label="),
    "a label and a context as a pair": ((X, T, (1, np.zeros(5))), 'condition=.*"label": …, "context": …'),
    "a word": ((X, T, "cat"), "condition="),
    "another name": ((X, T, {"class": 1}), "condition="),
    "a context without its axis": ((X, T, np.zeros((4, 5))), r"context=.*context\[:, None\]"),
    "a context of one number each": ((X, T, np.zeros(5)), "context="),
    "a context of another width": ((X, T, np.zeros((4, 1, 6))), "context="),
    "a context of others": ((X, T, np.zeros((3, 1, 5))), "context="),
}


@pytest.mark.parametrize("case", CALLED)
def test_what_cannot_be_called(net, case):
    given, word = CALLED[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        net(*given)
    error.match(word)
    assert "Arguments received" not in str(error.value)  # the message alone


def test_what_is_refused_in_a_trace_before_it_runs(net):
    with pytest.raises(ValueError, match="t=.*: expected one for each of 4 samples"):
        tf.function(lambda x, t: net(x, t)).get_concrete_function(tf.TensorSpec(X.shape), tf.TensorSpec((3,)))


def test_what_cannot_be_coded():
    coder, x = nets.Autoencoder((8, 1), (4, 4), latent=2, groups=2), np.zeros((2, 8, 1), np.float32)
    assert coder(x).shape == x.shape
    for wrong in (None, x[:, :7], x[0], x[..., :0], x + 0j):
        for read in (coder, coder.encode):
            with pytest.raises((ValueError, TypeError), match="^x=.*expected .*because"):
                read(wrong)
    with pytest.raises(ValueError, match="^code=.*expected .*because"):
        coder.decode(x)


def test_numbers_and_lists_will_do(net):
    rng = np.random.default_rng(1)
    net.set_weights([rng.standard_normal(w.shape).astype(w.dtype) for w in net.get_weights()])
    x = rng.standard_normal((2, 4, 2)).astype(np.float32)
    whole = net(x, np.full(2, 0.5, np.float32), {"label": np.array([3, 3]), "context": None})
    assert np.abs(whole).max() > 1e-3
    for given in ((0.5,), ([0.5, 0.5], 3), (0.5, [3, 3])):  # 3 stands for none
        np.testing.assert_allclose(net(x, *given), whole, rtol=1e-6)


def test_an_image_without_channels_is_noticed():
    with pytest.warns(UserWarning, match=r"shape=\(8, 8\) .*expected \(8, 8, 1\) if images .*because"):
        nets.UNet((8, 8), **SMALL)
