"""Noise: its exact laws, and that it is a function of key, step, time and element and of nothing else.

Statistical tests hold at five standard deviations, false alarms below 1e-6 each.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.noise import Interval

F64 = tf.float64
KEY = ds.key(11)


def drawn(noise, shape, n=3, t=0.0, h=0.5, dtype=F64, key=KEY):
    """One increment, eagerly."""
    return noise.increment(key, n, t, h, tf.zeros(shape, dtype)).numpy()


def variance_is(x, expected, sigmas=5.0):
    """The mean of x² is as expected, for normal x."""
    assert abs(np.mean(x * x) - expected) < sigmas * expected * np.sqrt(2 / x.size), (np.mean(x * x), expected)


def uncorrelated(a, b, sigmas=5.0):
    """The correlation of a and b is zero."""
    assert abs(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]) < sigmas / np.sqrt(np.size(a))


# fresh


def test_brownian_area():
    W, H = ds.Brownian().area(KEY, 2, 0.0, 0.3, tf.zeros([40_000], F64))
    variance_is(W.numpy(), 0.3)
    variance_is(H.numpy(), 0.3 / 12)
    uncorrelated(W, H)
    assert np.array_equal(W, drawn(ds.Brownian(), [40_000], 2, h=0.3))


@pytest.mark.parametrize("noise", [ds.Brownian, lambda first=0: ds.AlphaStable(1.3, first=first),
                                   lambda first=0: ds.BrownianTree(0.0, 1.0, first=first)])  # fmt: skip
def test_batches_are_parts_of_one_ensemble(noise):
    whole = drawn(noise(), [1000, 3])
    assert np.array_equal(drawn(noise(first=400), [100, 3]), whole[400:500])
    assert not np.any(drawn(noise(), [100, 3]) == whole[400:500])


def test_a_run_in_batches_is_the_run_and_compiles_once():
    def run(first, rows, jit=True):
        law = ds.Equation(linear=-1.0, diffusion=0.7, noise=ds.Brownian(first=first))
        return ds.solve(law, np.zeros([rows, 2]), (0, 1), dt=0.25, key=KEY, jit=jit).final.numpy()

    whole = run(0, 100)
    parts = np.concatenate([run(first, 20) for first in range(0, 100, 20)])
    assert np.max(np.abs(parts - whole)) < 1e-14
    assert np.max(np.abs(run(0, 100, jit=False) - whole)) < 1e-14


# refinable


@functools.lru_cache
def tree(depth=10, dtype=F64):
    """(noise, compiled area) of the path that the tests share."""
    noise, like = ds.BrownianTree(-1.0, 2.0, depth=depth), tf.zeros([10_000], dtype)
    return noise, tf.function(lambda t, h: noise.area(KEY, 0, t, h, like), jit_compile=True)


def area(t0, t1, **options):
    """(W, H) from t0 to t1."""
    a, b = tf.constant(t0, F64), tf.constant(t1, F64)
    return tuple(x.numpy() for x in tree(**options)[1](a, b - a))


def joined(first, p, second, q):
    """(W, H) of two intervals, one after the other."""
    (W1, H1), (W2, H2) = first, second
    return W1 + W2, (p * H1 + q * H2 + (q * W1 - p * W2) / 2) / (p + q)


@pytest.mark.parametrize("times", [(-1.0, 0.5, 2.0), (-0.25, 0.125, 1.0625), (-1.0, -1 + 3 / 1024, -1 + 513 / 1024)])
def test_increments_add_up(times):
    a, b, c = times
    whole, parts = area(a, c), joined(area(a, b), b - a, area(b, c), c - b)
    assert np.max(np.abs(whole[0] - parts[0])) < 1e-14
    assert np.max(np.abs(whole[1] - parts[1])) < 1e-14
    back = area(c, a)
    assert np.array_equal(back[0], -whole[0]) and np.array_equal(back[1], whole[1])


def test_increments_add_up_in_single_precision():
    steps = np.linspace(-1.0, 2.0, 17)
    whole = area(-1.0, 2.0, dtype=tf.float32)
    total = functools.reduce(np.add, [area(a, b, dtype=tf.float32)[0] for a, b in zip(steps, steps[1:], strict=False)])
    assert np.max(np.abs(total - whole[0])) < 1e-6 * 5
    assert np.max(np.abs(whole[0] - area(-1.0, 2.0)[0])) < 1e-6 * 5  # the path itself is that of double precision


def test_law_of_the_tree():
    """W ∼ N(0, h), H ∼ N(0, h/12), K ∼ N(0, h/720), independent, over intervals inside and across nodes."""
    edges = np.linspace(-1.0, 2.0, 17)
    parts = [area(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    h = edges[1] - edges[0]
    for W, H in parts[:3]:
        variance_is(W, h)
        variance_is(H, h / 12)
        uncorrelated(W, H)
    uncorrelated(parts[3][0], parts[4][0])
    uncorrelated(parts[3][1], parts[4][1])
    W, H = area(-0.7, 1.3)
    length = 2.0 + (np.round(2.3 / 3 * 1024) - np.round(0.3 / 3 * 1024)) * 3 / 1024 - 2.0  # as the tree rounds them
    variance_is(W, length)
    variance_is(H, length / 12)
    uncorrelated(W, H)
    # K = (1/h²)∫ B(s)(h/2 − s) ds, B the bridge, from sixteen parts: what they leave out is 16⁻⁴ of it
    T = 3.0
    start, K = np.zeros_like(W), 0.0
    total = sum(p[0] for p in parts)
    for j, (w, H) in enumerate(parts):
        s = (j + 0.5) * h
        b0, b1 = start - total * j / 16, start + w - total * (j + 1) / 16
        mean = (b0 + b1) / 2 + H
        K = K + (mean * (T / 2 - s) * h - (b1 - b0) * h**2 / 12) / T**2
        start = start + w
    variance_is(K, T / 720)
    uncorrelated(K, area(-1.0, 2.0)[0])
    uncorrelated(K, area(-1.0, 2.0)[1])


def test_every_step_size_sees_the_same_path():
    law = ds.Equation(diffusion=1.0, noise=ds.BrownianTree(0.0, 1.0, depth=8))

    def end(law, dt, times=(0, 1)):
        return ds.solve(law, np.zeros(50), times, dt=dt, key=KEY, jit=False).final.numpy()

    runs = [end(law, dt) for dt in (0.5, 1 / 64, 0.1)]
    assert np.max(np.abs(runs[0] - runs[1])) < 1e-14 and np.max(np.abs(runs[0] - runs[2])) < 1e-14
    fresh = ds.Equation(diffusion=1.0)
    runs = [end(fresh, dt) for dt in (0.5, 1 / 64)]
    assert np.max(np.abs(runs[0] - runs[1])) > 0.1
    back = end(law, 0.25, (1, 0))
    assert np.max(np.abs(back + drawn(law.noise, [50], t=0.0, h=1.0))) < 1e-14


def test_complex_noise_has_two_parts_of_half_the_variance():
    W, H = ds.BrownianTree(0.0, 1.0).area(KEY, 0, 0.0, 1.0, tf.zeros([20_000], tf.complex128))
    for part, expected in ((W, 0.5), (H, 0.5 / 12)):
        variance_is(part.numpy().real, expected)
        variance_is(part.numpy().imag, expected)
    uncorrelated(W.numpy().real, W.numpy().imag)


# heavy tails


def characteristic(x, k):
    """The empirical ⟨cos kx⟩ and five standard deviations of it."""
    c = np.cos(k * x)
    return c.mean(), 5 * c.std() / np.sqrt(c.size)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.7, 2.0])
def test_stable_characteristic_function(alpha):
    h = 0.6
    x = drawn(ds.AlphaStable(alpha), [100_000], h=h)
    assert np.all(np.isfinite(x))
    for k in (0.2, 1.0, 3.0):
        mean, error = characteristic(x, k)
        assert abs(mean - np.exp(-h * k**alpha)) < error
    uncorrelated(np.sign(x[1:]), np.sign(x[:-1]))


def test_stable_tails_are_power_laws_to_the_end():
    """P(|X| > x) → c h x^{−α}, c = (2/π)Γ(α) sin(πα/2); also where 24 random bits would have ended."""
    from math import gamma, pi, sin

    alpha, n = 0.5, 1_000_000
    x = np.abs(drawn(ds.AlphaStable(alpha), [n], h=1.0, dtype=tf.float32)).astype(float)
    c = 2 / pi * gamma(alpha) * sin(pi * alpha / 2)
    for level in (1e4, 1e6, 1e9):
        expected = n * c * level**-alpha
        assert abs(np.sum(x > level) - expected) < 5 * np.sqrt(expected) + 0.02 * expected


def test_isotropic_stable_vectors():
    h, alpha = 0.6, 1.4
    x = drawn(ds.AlphaStable(alpha, isotropic=True), [100_000, 3], h=h)
    along = np.array([0.6, 0.0, -0.8])
    for k in (0.3, 1.0, 2.0):
        mean, error = characteristic(x @ along, k)
        assert abs(mean - np.exp(-h * k**alpha)) < error
        mean, error = characteristic(drawn(ds.AlphaStable(alpha), [100_000, 3], h=h) @ along, k)
        entries = np.exp(-h * k**alpha * np.sum(np.abs(along) ** alpha))
        assert abs(mean - entries) < error
    at_two = drawn(ds.AlphaStable(2.0, isotropic=True), [20_000, 3], h=h)
    variance_is(at_two, 2 * h)


# maps of noise


C = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]])


@pytest.mark.parametrize("base", [ds.Brownian(), ds.BrownianTree(0.0, 1.0, depth=3)])
def test_correlated_increments(base):
    noise = ds.Correlated(C, base)
    W, H = noise.area(KEY, 0, 0.0, 0.5, tf.zeros([20_000, 3], F64))
    for x, h in ((W, 0.5), (H, 0.5 / 12)):
        errors = 5 * h * np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / 20_000)
        assert np.all(np.abs(np.cov(x.numpy().T) - C * h) < errors)
    assert np.array_equal(W, noise.increment(KEY, 0, 0.0, 0.5, tf.zeros([20_000, 3], F64)))


def test_antithetic_and_shared():
    pairs = drawn(ds.Antithetic(), [10, 4])
    assert np.array_equal(pairs[:5], -pairs[5:]) and np.array_equal(pairs[:5], drawn(ds.Brownian(), [5, 4]))
    shared = drawn(ds.Shared(ds.BrownianTree(0.0, 1.0)), [6, 4])
    assert np.ptp(shared, axis=0).max() == 0.0
    flights = drawn(ds.Antithetic(ds.AlphaStable(1.2)), [4])
    assert np.array_equal(flights[:2], -flights[2:])
    paired = ds.Equation(linear=-0.35, diffusion=1.5**0.5, noise=ds.Antithetic())
    mean = np.mean(ds.solve(paired, np.full(10, 0.8), (0, 1), dt=0.5, key=KEY, jit=False).final)
    assert mean == pytest.approx(0.8 * np.exp(-0.35), rel=1e-14)


def test_parts_of_a_state_have_their_own_numbers():
    like = (tf.zeros([100], F64), {"a": tf.zeros([100], F64)})
    step = Interval(ds.BrownianTree(0.0, 1.0), KEY, 0, 0.0, 1.0, like)
    W, H = step.area()
    uncorrelated(W[0], W[1]["a"])
    assert np.array_equal(step()[0], W[0]) and not np.any(W[0].numpy() == W[1]["a"].numpy())
    assert set(H[1]) == {"a"}


# refusals

WALK = ds.Equation(diffusion=1.0, noise=ds.BrownianTree(0.0, 1.0, depth=4))
REFUSED = {
    "a matrix that is not square": (lambda: ds.Correlated(np.ones([2, 3])), ValueError, "square"),
    "a matrix that is not symmetric": (lambda: ds.Correlated([[1.0, 0.2], [0.3, 1.0]]), ValueError, "symmetric"),
    "a matrix that is not positive": (lambda: ds.Correlated([[1.0, 2.0], [2.0, 1.0]]), ValueError, "eigenvalue -1"),
    "a matrix of words": (lambda: ds.Correlated([["a"]]), (ValueError, TypeError), None),
    "correlated flights": (lambda: ds.Correlated(C, ds.AlphaStable(1.0)), TypeError, "white"),
    "a matrix of another size": (
        lambda: ds.solve(ds.Equation(diffusion=1.0, noise=ds.Correlated(C)), np.zeros([5, 2]), (0, 1), dt=1, key=KEY),
        ValueError,
        "3 × 3",
    ),
    "an index above two": (lambda: ds.AlphaStable(2.5), ValueError, "0 < α ≤ 2"),
    "an index of zero": (lambda: ds.AlphaStable(0.0), ValueError, "0.0"),
    "a tree that ends before it begins": (lambda: ds.BrownianTree(1.0, 0.0), ValueError, "t0 = 1"),
    "a tree too deep": (lambda: ds.BrownianTree(0.0, 1.0, depth=31), ValueError, "30"),
    "times beyond the tree": (lambda: ds.solve(WALK, np.zeros(4), (0, 2), dt=0.5, key=KEY), ValueError, "[0, 1]"),
    "steps below the tree": (lambda: ds.solve(WALK, np.zeros(4), (0, 1), dt=0.01, key=KEY), ValueError, "depth"),
    "an odd number of twins": (
        lambda: ds.solve(ds.Equation(diffusion=1.0, noise=ds.Antithetic()), np.zeros(3), (0, 1), dt=1, key=KEY),
        ValueError,
        "multiple of 2",
    ),
    "a simulation beyond the tree": (
        lambda: ds.Simulation(WALK, dt=0.5, like=np.zeros(4)).advance(np.zeros(4), 3, key=KEY), ValueError, "[0, 1]"),
    "noise inside that is none": (lambda: ds.Shared(1.0), TypeError, "Brownian()"),
    "a first row before the first": (lambda: ds.Brownian(first=-1), ValueError, "-1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    act, kind, words = REFUSED[case]
    with pytest.raises(kind) as error:
        act()
    if words:
        assert words in str(error.value) and ": expected " in str(error.value)
