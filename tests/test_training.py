"""Training: targets, weights, levels and bounds as exact identities."""

import math

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import nets, training
from diffsim.generative.training.draws import Draws, batches
from diffsim.generative.training.trainer import Trainer
from tests.trained import normal, small

F64, MATCHING = tf.float64, training.Matching()
PREDICTIONS = {
    "epsilon": (training.Epsilon(), gen.from_epsilon), "x0": (training.X0(), gen.from_x0), "v": (training.V(), gen.from_v),
    "score": (training.Score(), gen.from_score), "velocity": (training.Velocity(), gen.from_velocity),
}


def drawn(schedule, levels, loss=MATCHING, n=6, data=None, step=3, memory=(), **kwargs):
    """A batch in float64."""
    arrays = {"x0": normal(1, 50, 2) if data is None else data, **kwargs}
    return Draws(arrays, schedule, levels, loss.time, 4, 0.0, n, ds.key(2)).batch(step, memory)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_targets_are_what_the_adapters_read(name):
    predict, adapter = PREDICTIONS[name]
    schedule = gen.CondOT() if name == "velocity" else gen.SubVP()  # neither has α² + σ² = 1
    x0, noise, lam = normal(1, 4, 3), normal(2, 4, 3), tf.constant([-2.0, -0.3, 0.5, 2.0], F64)
    alpha, sigma = (s[:, None] for s in schedule.scales(lam))
    target = predict.target(x0, noise, alpha, sigma)
    z = x0 + sigma / alpha * noise
    np.testing.assert_allclose(adapter(lambda x, t: target, schedule)(z, lam), x0, atol=1e-9)
    wrong = adapter(lambda x, t: target + 0.1, schedule)(z, lam)  # an error of F makes `gain` of it in x₀
    np.testing.assert_allclose(wrong - x0, np.broadcast_to(0.1 * predict.gain(alpha, sigma), x0.shape), atol=1e-9)
    lo, hi = (w.of(predict, alpha, sigma) / predict.gain(alpha, sigma) ** 2 for w in (training.MinSNR(1.5), training.MinSNR(1e9)))
    snr = np.exp(2 * lam)[:, None]
    np.testing.assert_allclose(lo, np.minimum(snr, 1.5), rtol=1e-9)
    np.testing.assert_allclose(hi, snr, rtol=1e-9)


def test_preconditioning_is_that_of_the_denoiser():
    s, loss = 0.7, training.Preconditioned(0.7)
    batch = drawn(gen.VP(), training.LogNormal(), loss)
    x0, sigma = batch["x0"], (batch["sigma"] / batch["alpha"])[:, None]
    z, lam = x0 + sigma * batch["noise"], -np.log(sigma)[:, 0]
    network = lambda x, t, c=None: tf.sin(3 * x) + t[:, None]  # noqa: E731
    D = gen.preconditioned(network, s)(z, lam)
    cost = (1 / s**2 + 1 / sigma**2) * (D - x0) ** 2
    np.testing.assert_allclose(loss.of(network, batch), np.mean(cost, 1), rtol=1e-9)


@pytest.mark.parametrize("levels", [training.Uniform(), training.LogNormal(-0.5, 0.8), training.Steps(30)], ids=lambda x: type(x).__name__)
def test_the_exact_denoiser_has_the_loss_of_theory(levels):
    """Data N(0, s²): E[(x₀ − D)²] = s²σ²/(α²s² + σ²); 5σ, false alarms 6e-7."""
    s, schedule, n = 0.6, gen.Cosine(), 20_000
    net = gen.to_v
    batch = drawn(schedule, levels, n=n, data=s * normal(5, 40_000, 1))
    alpha, sigma = batch["alpha"], batch["sigma"]

    def exact(x, t, condition):
        z, lam = x / alpha[:, None], np.log(alpha / sigma)
        return net(z / (1 + np.exp(-2 * lam)[:, None] / s**2), z, lam, schedule)

    losses = np.asarray(training.Matching(training.V()).of(exact, batch))
    a, b = np.asarray(alpha), np.asarray(sigma)
    theory = s**2 * b**2 / (a**2 * s**2 + b**2) / b**2  # of v: gain = −σ
    assert abs(losses.mean() - theory.mean()) < 5 * (losses - theory).std() / n**0.5
    assert losses.std() / n**0.5 < 0.03 * theory.mean()


def test_levels_follow_their_laws():
    n = 64
    t = np.sort(np.asarray(drawn(gen.Cosine(), training.Uniform(0.0), n=n)["t"]))
    assert np.array_equal(np.floor(t * n), np.arange(n))  # one in each n-th of time
    b = drawn(gen.EDM(), training.LogNormal(-1.2, 0.7), n=4096)
    u = np.sort(np.log(np.asarray(b["sigma"] / b["alpha"])))
    np.testing.assert_allclose(u.mean(), -1.2, atol=2e-3)  # stratified: far below 0.7/√n = 0.011
    np.testing.assert_allclose(u.std(), 0.7, atol=5e-3)
    chain = gen.Discrete.linear(20)
    seen = drawn(chain, training.Steps(), n=100)["t"]
    assert np.array_equal(np.bincount(np.asarray(seen, int), minlength=20), np.full(20, 5))
    uniform = drawn(chain, training.Uniform(), n=40)["t"]
    assert np.array_equal(np.bincount(np.asarray(uniform, int), minlength=20), np.full(20, 2))


def test_importance_changes_the_noise_and_not_the_mean():
    T, levels = 10, training.Importance(10, history=4)
    squares, seen = np.linspace(1.0, 30.0, T) ** 2, np.full(T, 4.0)
    chain = gen.Cosine()
    early = drawn(chain, levels, n=200, memory=(squares, np.arange(T)))  # not all have been seen four times
    np.testing.assert_allclose(early["importance"], 1.0)
    b = drawn(chain, levels, n=10_000, memory=(squares, seen))
    index, weight = np.asarray(b["index"]), np.asarray(b["importance"])
    share = np.sqrt(squares) / np.sqrt(squares).sum()
    np.testing.assert_allclose(np.bincount(index) / len(index), share, atol=2e-4)
    np.testing.assert_allclose(weight, 1 / (T * share[index]))
    f = np.sqrt(squares)
    assert (weight * f[index]).mean() == pytest.approx(f.mean(), rel=1e-3)
    assert (weight * f[index]).std() < 1e-9  # p ∝ √E[L²] takes all noise out if L is a function of the step
    other = 1 + np.asarray(normal(8, T)) ** 2  # of any other loss the mean is right too: in each batch but for what even draws leave
    assert (weight * other[index]).mean() == pytest.approx(other.mean(), rel=2e-3)
    assert other[index].mean() != pytest.approx(other.mean(), rel=0.02)
    one = [drawn(chain, levels, n=1, step=k, memory=(squares, seen)) for k in range(50)]  # and over single draws
    each = np.array([float(b["importance"][0]) * other[int(b["index"][0])] for b in one])
    assert abs(each.mean() - other.mean()) < 5 * each.std() / 50**0.5  # 5σ


def test_remembered_losses():
    net = nets.MLP((2,), width=4, depth=1)
    trainer = Trainer(net, training.Matching(), training.EMA(), 4, 3)
    squares, seen = np.zeros(4), np.zeros(4)
    for step in range(6):
        loss, index = np.abs(normal(step, 5)), np.array([0, 1, 1, 2, (0, 3)[step > 3]])
        trainer._remember(tf.constant(loss, tf.float32), tf.constant(index))
        for i in range(4):
            L, c = loss[index == i] ** 2, (index == i).sum()
            if c:
                rate = max(c / (seen[i] + c), 1 - (2 / 3) ** c)  # the plain mean, then over about three
                squares[i] += rate * (L.mean() - squares[i])
            seen[i] += c
    np.testing.assert_allclose(trainer.squares.numpy(), squares, rtol=1e-5)
    np.testing.assert_allclose(trainer.seen.numpy(), seen)


def test_bound_on_the_chain_is_that_of_theory():
    """At the smallest variance L_t = ½(SNR_s − SNR_t)(x₀ − x̂₀)²; at the largest add the divergence of variances."""
    T, chain, loss = 20, gen.Discrete.linear(20, 1e-3, 0.2), training.Hybrid(bins=None)
    b = drawn(chain, training.Steps(), n=T)
    error = 0.1 * normal(9, T, 2)
    lam = np.asarray(chain.lam(np.arange(T)))
    index = np.asarray(b["t"], int)
    alpha, sigma = (np.asarray(b[k])[:, None] for k in ("alpha", "sigma"))
    missed = sigma / alpha * error  # x₀ − x̂₀
    small = np.asarray(loss.bound(b["noise"] + error, -1.0 + 0 * error, b)) * math.log(2)
    snr = np.exp(2 * lam)
    late = index > 0
    theory = 0.5 * (snr[index - 1] - snr[index]) * np.mean(missed**2, 1)
    np.testing.assert_allclose(small[late], theory[late], rtol=1e-9)
    large = np.asarray(loss.bound(b["noise"], 1.0 + 0 * error, b))[late] * math.log(2)
    ratio = np.exp(np.asarray(b["log_small"] - b["log_beta"]))[late]
    np.testing.assert_allclose(large, 0.5 * (ratio - 1 - np.log(ratio)), rtol=1e-9)
    previous = np.asarray(chain.scales(lam)[1])[index[late] - 1]
    np.testing.assert_allclose(ratio, previous**2 / sigma[late, 0] ** 2, rtol=1e-9)  # β̃/β = σ_s²/σ_t²
    first = ~late
    v = np.exp(np.asarray(b["log_small"])[first])[:, None]
    density = 0.5 * np.log(2 * np.pi * v) + missed[first] ** 2 / (2 * v)
    np.testing.assert_allclose(small[first], np.mean(density, 1), rtol=1e-9)


def test_probabilities_of_all_pixel_values_add_up_to_one():
    values = tf.constant(np.linspace(-1, 1, 16))[:, None]
    for mean, log_var in ((0.3, -3.0), (-1.4, -1.0), (1.0, 0.5)):
        p = np.exp(-np.asarray(training.Hybrid(bins=16)._surprise(values, mean, tf.constant(log_var, F64))))
        assert p.sum() == pytest.approx(1.0, abs=1e-9)


def test_the_bound_moves_the_variance_alone():
    b = drawn(gen.Cosine(), training.Steps(50))
    out = tf.Variable(normal(4, 6, 4))
    moved = {}
    for name, share in (("none", 0.0), ("hybrid", 0.5), ("bound", math.inf)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(training.Hybrid(share, bins=None).of(lambda x, t, c: out, b))
        moved[name] = np.asarray(tape.gradient(loss, out))
    assert np.all(moved["none"][:, 2:] == 0) and np.all(moved["hybrid"][:, 2:] != 0)
    np.testing.assert_array_equal(moved["hybrid"][:, :2], moved["none"][:, :2])
    assert np.abs(moved["bound"][:, :2] - moved["none"][:, :2]).max() > 1e-3


def test_conditions_are_left_out_together_and_as_often_as_asked():
    n, p = 4000, 0.3
    arrays = {"x0": normal(1, 7, 2), "label": tf.range(7, dtype=tf.int32) % 4, "context": 1 + normal(2, 7, 3, 2) ** 2}
    b = Draws(arrays, gen.Cosine(), training.Uniform(), training.Matching().time, 4, p, n, ds.key(2)).batch(11)
    gone = np.asarray(b["label"]) == 4
    assert np.array_equal(gone, np.all(np.asarray(b["context"]) == 0, (1, 2)))
    assert abs(gone.mean() - p) < 5 * (p * (1 - p) / n) ** 0.5  # 5σ
    kept = np.asarray(b["label"])[~gone]
    assert abs(np.mean(kept == 3) - 1 / 7) < 5 * (6 / 49 / len(kept)) ** 0.5  # of seven rows one has label 3


def test_a_batch_is_a_function_of_key_and_step():
    draws = Draws({"x0": normal(1, 9, 2)}, gen.VP(), training.Uniform(), training.Matching().time, 0, 0.0, 4, ds.key(2))
    piped = list(batches(tf.function(draws.batch), 5, 8))
    for step, batch in zip(range(5, 8), piped, strict=True):
        for name, value in draws.batch(step).items():
            np.testing.assert_array_equal(value, batch[name])
    assert len({b["noise"].numpy().tobytes() for b in piped}) == 3


def test_averages_have_the_profiles_that_they_claim():
    power = training.PowerEMA(0.15)
    g, n = power.gamma, 400
    assert (g + 1) / ((g + 2) ** 2 * (g + 3)) == pytest.approx(0.15**2)
    share = np.zeros(n)
    for k in range(1, n + 1):
        beta = float(power.momentum(tf.constant(float(k), F64)))
        share[:k] *= beta
        share[k - 1] += 1 - beta
    np.testing.assert_allclose(np.cumsum(share), (np.arange(1, n + 1) / n) ** (g + 1), atol=1e-12)
    at = np.arange(1, n + 1) / n
    assert np.sqrt(share @ at**2 - (share @ at) ** 2) == pytest.approx(0.15, abs=2e-3)
    late = [float(training.EMA(0.99).momentum(tf.constant(float(k), F64))) for k in (1, 2, 11, 10**5)]
    np.testing.assert_allclose(late, [0.0, 1 / 11, 0.5, 0.99])


GOOD = np.zeros((4, 2))
REFUSED = {
    "NaN": {"data": np.array([[0.0, np.nan]])},
    "shape": {"data": np.zeros((4, 3))},
    "no samples": {"data": np.zeros((0, 2))},
    "unknown label": {"labels": np.array([0, 1, 2, 3])},
    "negative label": {"labels": np.array([0, 1, -1, 0])},
    "real labels": {"labels": np.zeros(4)},
    "labels for none": {"network": lambda: nets.MLP((2,), width=4, depth=1), "labels": np.zeros(4, int)},
    "context for none": {"context": np.zeros((4, 1, 3))},
    "schedule": {"schedule": "cosine"},
    "outputs": {"loss": training.Hybrid()},
    "waves": {"schedule": gen.Discrete.linear(1000)},
    "steps of a continuous schedule": {"levels": training.Steps()},
    "steps of a chain": {"levels": training.Steps(7), "schedule": gen.Discrete.linear(9)},
    "drop": {"drop": 1.5},
    "steps": {"steps": 0},
    "first": {"levels": lambda: training.Uniform(1.0)},
    "predict": {"loss": lambda: training.Matching("epsilon")},
    "weight": {"loss": lambda: training.Matching(weight=5.0)},
    "gamma": {"loss": lambda: training.MinSNR(-1.0)},
    "decay": {"average": lambda: training.EMA(1.0)},
    "width": {"average": lambda: training.PowerEMA(0.4)},
    "bins": {"loss": lambda: training.Hybrid(bins=1)},
    "deviation": {"loss": lambda: training.Preconditioned(0.0)},
    "checkpoint": {"checkpoint": 3},
    "labels of a function": {"data": lambda: lambda key, step: {}, "labels": np.zeros(4, int)},
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_is_refused(case):
    given = {"network": small, "data": GOOD, "schedule": gen.Cosine(), "steps": 1, "key": ds.key(1)} | REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=": expected .*because "):
        gen.fit(**{k: v() if callable(v) and not isinstance(v, gen.Schedule) else v for k, v in given.items()})


def test_images_in_another_range_are_noticed():
    net = nets.UNet((4, 4, 1), (4,), (0,), groups=2)
    from diffsim.generative.training import intake

    for data, seen in ((np.linspace(0, 255, 32), "0 to 255"), (np.linspace(0, 1, 32), "0 to 1"), (np.full(32, 0.1), "0.1 to 0.1")):
        with pytest.warns(UserWarning, match=f"data run from {seen}: expected about -1 to 1, because"):
            intake.arrays(net, data.reshape(2, 4, 4, 1), None, None, (-1.0, 1.0), "float32")
    intake.arrays(net, np.linspace(-1, 1, 32).reshape(2, 4, 4, 1), None, None, (-1.0, 1.0), "float32")
    intake.arrays(net, np.linspace(0, 255, 32).reshape(2, 4, 4, 1), None, None, None, "float32")
