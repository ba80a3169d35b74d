"""Runs of training: resumed bit for bit, stopped, averaged, saved, and the same on other devices."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import nets, training
from diffsim.generative.training.draws import Draws
from diffsim.generative.training.together import Together, together
from tests.trained import begun, normal, small, train


@pytest.fixture(scope="module")
def whole():
    """Ten steps in one go, with the weights after each step."""
    path, net = [], small()
    noted = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: path.append(net.get_weights()[0]))
    sheets = []
    trained = train(10, network=net, every=10, callbacks=[noted], sheet=lambda n, step: sheets.append((step, n.get_weights()[0])))
    return trained, path, sheets


def test_ten_steps_are_five_and_five(whole, tmp_path):
    file = tmp_path / "fit.h5"
    half = train(5, checkpoint=file)
    rest = train(10, checkpoint=file, network=small(seed=9))  # its own weights do not matter any more
    for a, b in ((whole[0].network, rest.network), (whole[0].average, rest.average)):
        for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
            np.testing.assert_array_equal(v, w)
    assert list(rest.steps) == [5, 10] and rest.losses[0] == half.losses[0]
    assert rest.losses.mean() == pytest.approx(whole[0].losses[0], rel=1e-5)
    assert np.abs(half.network.get_weights()[0] - rest.network.get_weights()[0]).max() > 1e-3
    with pytest.raises(ValueError, match="checkpoint=.*: expected one with key"):
        train(20, checkpoint=file, key=ds.key(4))
    with pytest.raises(ValueError, match="checkpoint=.*: expected one with optimizer = 2 numbers in 2 variables"):
        train(20, checkpoint=file, optimizer=keras.optimizers.SGD(0.1))
    again = train(10, checkpoint=file)  # nothing is left to do
    np.testing.assert_array_equal(again.average.get_weights()[0], rest.average.get_weights()[0])


def test_times_drawn_by_past_losses_resume_bit_for_bit(tmp_path):
    """Broken off at step 8, between two renewals of the memory, which has come to matter by then."""
    options = {"loss": training.Hybrid(0.1, bins=None), "levels": training.Importance(history=2), "labels": None,
               "batch": 16, "schedule": gen.Discrete.linear(4, 0.05, 0.6)}

    def run(steps, **more):
        return train(steps, network=nets.MLP((2,), width=8, depth=1, outputs=4, seed=1), **options, **more)

    once = run(10)
    for k in (8, 10):
        last = run(k, checkpoint=tmp_path / "a.h5")
    for v, w in zip(once.average.get_weights(), last.average.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)
    import h5py

    with h5py.File(tmp_path / "a.h5") as file:
        by = [v[()] for v in file["trainer"].values() if v.shape == (4,)]
    seen = [v for v in by if np.array_equal(v, np.round(v)) and v.sum() > 0]
    assert sorted(v.sum() for v in seen) == [80, 160] and min(v.min() for v in seen) >= 2


def test_gradients_are_clipped_as_the_optimizer_says():
    """One step of gradient descent moves all weights together by rate times norm, and no further; fit's own clips at 1."""
    net = begun(small())
    before = net.get_weights()
    train(1, network=net, optimizer=keras.optimizers.SGD(0.5, global_clipnorm=0.01))
    moved = sum(np.sum((v - w) ** 2.0) for v, w in zip(net.get_weights(), before, strict=True)) ** 0.5
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)
    own = training.fit.__globals__["_adam"](400)
    assert own.global_clipnorm == 1.0
    rates = [float(own._learning_rate(k)) for k in (0, 20, 210, 400)]
    assert rates == pytest.approx([1e-5, 2e-3, 1e-3, 0.0], abs=1e-6)


def test_weights_move_together_as_one_by_one():
    """A vector of all weights moves as they do; what treats weights apart is left to do so."""
    weights = [keras.Variable(np.asarray(normal(i, *shape)), dtype="float64") for i, shape in enumerate([(2, 3), (), (4,)])]
    same = [keras.Variable(w.value, dtype="float64") for w in weights]
    make = [lambda: keras.optimizers.Adam(0.1, global_clipnorm=0.7), lambda: keras.optimizers.Lion(0.01),
            lambda: keras.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2), lambda: keras.optimizers.Nadam(0.1)]
    for k, new in enumerate(make):
        alone, all_ = new(), together(new(), same)
        assert isinstance(all_, Together)
        alone.build(weights)
        all_.build(same)
        for step in range(4):
            grads = [normal(50 + 9 * k + 3 * step + i, *w.shape) for i, w in enumerate(weights)]
            for optimizer, where in ((alone, weights), (all_, same)):
                optimizer.apply([*grads[:2], None if step == 0 else grads[2]], where)
        for a, b in zip(weights, same, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
        assert int(all_.iterations) == int(alone.iterations)
    all_.learning_rate = 0.5
    assert float(all_.inner.learning_rate) == float(all_.learning_rate) == 0.5
    other = Together(**{"inner": keras.saving.deserialize_keras_object(all_.get_config()["inner"])})
    assert other.inner.get_config()["learning_rate"] == pytest.approx(0.5)
    for apart in (keras.optimizers.Adam(clipnorm=1.0), keras.optimizers.AdamW(), keras.optimizers.SGD(use_ema=True),
                  keras.optimizers.Lamb()):
        assert together(apart, same) is apart
    mixed = [*same, keras.Variable(np.ones(2), dtype="float32")]
    assert not isinstance(together(keras.optimizers.Adam(), mixed), Together)
    with pytest.raises(TypeError, match="inner='adam': expected"):
        Together("adam")


def test_a_callback_may_stop_training():
    """It is obeyed after its epoch, on whole epochs and on those cut short by a checkpoint's step."""
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    begun_at = []
    begin = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: begun_at.append(0))
    stopped = train(17, every=3, callbacks=[Enough(), begin], optimizer=keras.optimizers.SGD(0.01))
    assert list(stopped.steps) == [3, 6, 9] and len(begun_at) == 1


@pytest.mark.slow
def test_half_precision_keeps_full_weights(whole):
    """The same ten steps computed in bfloat16: weights stay float32, and losses agree to its 3 digits."""
    half = train(10, network=small(dtype="mixed_bfloat16"), every=10)
    assert {w.dtype for w in half.network.get_weights()} == {np.dtype(np.float32)}
    gap = abs(half.losses[0] / whole[0].losses[0] - 1)
    assert 0 < gap < 0.02


def test_average_of_the_weights(whole):
    trained, path, sheets = whole
    assert len(path) == 10 and not np.array_equal(path[8], path[9])
    mean = np.zeros_like(path[0], np.float64)
    for n, weights in enumerate(path, 1):
        mean += (1 - min(0.999, (n - 1) / (n + 9))) * (weights - mean)
    np.testing.assert_allclose(trained.average.get_weights()[0], mean, atol=1e-6)
    np.testing.assert_array_equal(trained.network.get_weights()[0], path[-1])
    assert sheets[0][0] == 10
    np.testing.assert_array_equal(sheets[0][1], trained.average.get_weights()[0])


def test_weights_of_files(tmp_path):
    net, schedule = small(), gen.Cosine(0.01)
    net.set_weights([np.float32(0.1) * np.arange(w.size, dtype=np.float32).reshape(w.shape) for w in net.get_weights()])
    x, t = np.ones((2, 2), np.float32), np.ones(2, np.float32)
    for kind in ("h5", "safetensors"):
        file = tmp_path / f"net.{kind}"
        training.save(file, net, schedule, loss="v")
        np.testing.assert_array_equal(training.load(file, gen.Cosine(0.01))(x, t), net(x, t))
        with pytest.raises(ValueError, match=r"schedule=Cosine\(s=0.008\): expected Cosine\(s=0.01\)"):
            training.load(file, gen.Cosine())
        size = file.stat().st_size
        training.save(file, net, schedule, np.float16)
        half = training.load(file)
        assert half.get_weights()[0].dtype == np.float32 and (kind == "h5" or file.stat().st_size < 0.8 * size)
        np.testing.assert_allclose(half.get_weights()[0], net.get_weights()[0], rtol=1e-3)
    with pytest.raises(ValueError, match="path=.*: expected a name that ends"):
        training.save(tmp_path / "net.pt", net, schedule)
    import h5py

    with h5py.File(tmp_path / "net.h5", "a") as file:
        del file["enter/kernel"]
    with pytest.raises(ValueError, match="path=.*: expected all weights.*enter/kernel"):
        training.load(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5", "a") as file:
        del file.attrs["network"]
    with pytest.raises(ValueError, match="path=.*: expected a file written by save"):
        training.load(tmp_path / "net.h5")


def test_sheets(tmp_path):
    images = np.full((5, 2, 3, 1), -1.0)
    images[4] = 3.0
    sheet = training.sheet.tile(images, 3)
    assert sheet.shape == (5, 11, 3)
    assert np.all(sheet[:2, :3] == 0) and np.all(sheet[3:, 4:7] == 1) and np.all(sheet[2] == 1) and np.all(sheet[3:, 8:] == 1)
    training.Sheet(lambda net: images, str(tmp_path / "s"))(None, 20)
    assert (tmp_path / "s" / "000020.png").stat().st_size > 50
    with pytest.raises(ValueError, match="images=.*: expected shape"):
        training.sheet.tile(images[..., 0])


def test_a_loss_that_is_not_finite_stops():
    with pytest.raises(FloatingPointError, match="loss=.*: expected a finite loss"):
        train(5, optimizer=keras.optimizers.SGD(1e30))


@pytest.mark.slow
def test_samples_made_on_the_fly_and_hybrid_loss():
    """A learned variance bounds the surprise of a two-point law better than either fixed one."""
    chain = gen.Discrete.cosine(12)

    def data(key, step):
        side = tf.cast(ds.random.uniform(key, (256, 2), step=step) < 0.5, tf.float32)
        return {"x0": 0.6 * (2 * side - 1) + 0.05 * ds.random.normal(ds.fold_in(key, 1), (256, 2), step=step)}

    loss = training.Hybrid(0.01, bins=None)
    net = nets.MLP((2,), width=64, depth=3, outputs=4, waves=(2.0, 30.0))
    trained = gen.fit(net, data, chain, steps=1500, key=ds.key(1), loss=loss, levels=training.Importance(), every=50)
    best = trained.average
    draws = Draws(data, chain, training.Steps(), loss.time, 0, 0.0, 256, ds.key(77))
    bounds = {"learned": 0.0, "small": 0.0, "large": 0.0}
    for step in range(40):
        b = draws.batch(step)
        noise, nu = tf.split(training.loss.see(best, b), 2, -1)
        for name, value in (("learned", nu), ("small", -tf.ones_like(nu)), ("large", tf.ones_like(nu))):
            bounds[name] += float(tf.reduce_mean(loss.bound(noise, value, b))) * 12 / 40
    assert bounds["learned"] < min(bounds["small"], bounds["large"]) - 0.05, bounds


ELSEWHERE = """
import sys, numpy as np
import tensorflow as tf, keras
if sys.argv[1] == "mirrored":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.trained import begun, small, train
import contextlib
scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope() if sys.argv[1] == "mirrored" else contextlib.nullcontext()
with scope:
    net = begun(small(dtype=sys.argv[2]))
    trained = train(10, compiled=sys.argv[1] == "alone", network=net, optimizer=keras.optimizers.SGD(0.05))
print("losses", *trained.losses, float(np.abs(trained.average.get_weights()[0]).sum()))
"""


SLOW, PARITY = pytest.mark.slow, pytest.mark.parity


@pytest.mark.parametrize(("backend", "where", "dtype"), [
    pytest.param("tensorflow", "mirrored", "float32", marks=SLOW), pytest.param("jax", "alone", "float32", marks=SLOW),
    pytest.param("torch", "eager", "float32", marks=PARITY), pytest.param("tensorflow", "alone", "mixed_float16", marks=SLOW),
    pytest.param("tensorflow", "alone", "mixed_bfloat16", marks=SLOW)])
def test_the_same_losses_elsewhere(backend, where, dtype):
    """On two replicas, by JAX and PyTorch, in half precision."""
    pytest.importorskip(backend)
    run = subprocess.run([sys.executable, "-c", ELSEWHERE, where, dtype], capture_output=True, text=True,
                         env=os.environ | {"KERAS_BACKEND": backend}, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    found = np.array(run.stdout.split("losses")[1].split(), float)
    here = train(10, network=begun(small()), optimizer=keras.optimizers.SGD(0.05))
    expected = np.array([*here.losses, np.abs(here.average.get_weights()[0]).sum()])
    np.testing.assert_allclose(found, expected, rtol=2e-5 if dtype == "float32" else 0.02)
