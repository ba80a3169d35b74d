"""Estimators on a handful of numbers, beside the sums written out: each factor in a value and in an error bar."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

import diffsim as ds
from diffsim import analysis as an

RNG = np.random.default_rng(5)
T = np.array([0.0, 0.5, 1.0, 1.5, 2.5])
CURVES = an.Lags(T, RNG.normal(size=(5, 4)) + [[3.0], [2.0], [1.5], [1.0], [0.8]], np.array([9, 8, 7, 6, 4]), 2)


def jackknife(fn, x):
    """The standard error of fn(x) by leaving out each entry of the last axis in turn: exact for means."""
    n = x.shape[-1]
    left = np.array([fn(np.delete(x, i, -1)) for i in range(n)])
    return np.sqrt((n - 1) * left.var(0))


def test_errors_of_curves_are_those_of_means_over_few_particles():
    np.testing.assert_allclose(CURVES.error, jackknife(lambda a: a.mean(-1), CURVES.each), rtol=1e-12)


def test_green_kubo_stops_where_it_is_told_and_divides_by_the_dimension():
    def integral(each):
        return np.trapezoid(each[:4].mean(1), T[:4]) / 2

    found = an.green_kubo(CURVES, 1.5)
    np.testing.assert_allclose(found, [integral(CURVES.each), jackknife(integral, CURVES.each)], rtol=1e-12)
    assert an.green_kubo(CURVES, 2.4).value == found.value  # no lag in between


def test_diffusivity_is_a_slope_whatever_the_intercept():
    def slope(each):
        return np.polyfit(T[1:4], each[1:4].mean(1), 1)[0] / 4

    found = CURVES.diffusivity(0.5, 1.5)
    np.testing.assert_allclose(found, [slope(CURVES.each), jackknife(slope, CURVES.each)], rtol=1e-10)


def test_ergodicity_breaking_of_few_and_of_many():
    """Var/mean² without bias of the variance; its error is the jackknife's for many particles."""
    value, _ = CURVES.ergodicity_breaking()
    np.testing.assert_allclose(value, CURVES.each.var(1, ddof=1) / CURVES.each.mean(1) ** 2, rtol=1e-12)
    many = an.Lags(T[:2], 1 + RNG.exponential(size=(2, 3000)), T[:2], 1)
    expected = jackknife(lambda a: a.var(-1, ddof=1) / a.mean(-1) ** 2, many.each)
    np.testing.assert_allclose(many.ergodicity_breaking()[1], expected, rtol=0.01)


def test_displacements_far_from_the_origin_keep_their_digits():
    x = RNG.normal(size=(40, 1, 2)).cumsum(0)
    near, far = (an.mean_square_displacement(np.arange(40.0), x + shift).value for shift in (0.0, 1e6))
    np.testing.assert_allclose(far, near, rtol=1e-7)


def test_errors_of_free_energies_are_those_of_the_jackknife():
    """Work that is not Gaussian, 50 paths against 150."""
    F, R, kT = RNG.gamma(2.0, 0.6, 150), RNG.gamma(3.0, 0.5, 50) - 2.0, 0.7
    for fn in (an.jarzynski, an.second_cumulant):
        assert fn(F, kT).error == pytest.approx(jackknife(lambda w, fn=fn: fn(w, kT).value, F), rel=0.06)
    found = an.bennett(F, R, kT)
    c = found.value / kT + np.log(50 / 150)
    f, r = (1 / (1 + np.exp(u)) for u in (F / kT - c, R / kT + c))
    assert f.sum() == pytest.approx(r.sum(), rel=1e-9)
    parts = (jackknife(lambda w: an.bennett(w, R, kT).value, F), jackknife(lambda w: an.bennett(F, w, kT).value, R))
    assert found.error == pytest.approx(np.hypot(*parts), rel=0.06)


def test_blocks_grow_until_they_are_long_enough():
    """The rule written out: the shortest B = 2ˡ with B³ > 2n c², c = B Var(block means)/Var(samples)."""
    for q in (0.0, 0.6, 0.95):
        n = 150
        a = RNG.normal(size=n)
        for i in range(1, n):
            a[i] += q * a[i - 1]
        B = 1
        while True:
            blocks = a[: n // B * B].reshape(-1, B).mean(1)
            c = B * blocks.var(ddof=1) / a.var(ddof=1)
            if 2 * n * c**2 < B**3 or n // (2 * B) < 2:
                break
            B *= 2
        found = an.blocking(a)
        np.testing.assert_allclose([found.error, found.correlated], [np.sqrt(blocks.var(ddof=1) / len(blocks)), c])


def test_residence_is_a_ratio_of_sums_with_the_error_of_a_ratio():
    """Four particles at times 0 … 9, some inside at the start or at the end."""
    seen = np.array([[1, 1, 0, 0, 1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0, 1, 0, 1, 0],
                     [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]])
    spent, exits = seen[:, :-1].sum(1), ((seen[:, :-1] == 1) & (seen[:, 1:] == 0)).sum(1)
    stays = an.Residence(lambda t, y: y > 0.5, longest=5.0, bins=5).over(np.arange(10.0), seen.T.astype(float))
    ratio = spent.sum() / exits.sum()
    error = np.sqrt(((spent - ratio * exits) ** 2).sum() / (4 * 3)) / exits.mean()
    np.testing.assert_allclose([*stays.mean, *stays.share],
                               [ratio, error, spent.mean() / 9, spent.std(ddof=1) / 2 / 9], rtol=1e-12)
    assert (stays.entries, stays.exits) == (((seen[:, :-1] == 0) & (seen[:, 1:] == 1)).sum(), exits.sum())


def test_van_hove_of_three_particles():
    """In a cell of 4 × 3 at two looks: shares of displacements, and of distances to where the others were."""
    x = np.array([[[0.2, 0.2], [1.0, 0.3], [3.0, 2.0]], [[3.9, 0.4], [1.4, 0.2], [3.1, 2.2]]])

    def apart(a, b):
        d = a - b
        return np.hypot(*(d - np.array([4.0, 3.0]) * np.rint(d / [4.0, 3.0])).T)

    edges = np.linspace(0.0, 1.5, 6)
    own = np.concatenate([apart(x[1][i : i + 1], x[0][i : i + 1]) for i in range(3)])
    others = np.concatenate([apart(x[1][i], x[0][j])[None] for i in range(3) for j in range(3) if i != j])
    for distinct, r in ((False, own), (True, others)):
        found = an.VanHove(reach=1.5, bins=5, box=(4.0, 3.0), distinct=distinct).over([0.0, 1.0], x)
        np.testing.assert_allclose(found.value, np.histogram(r, edges)[0] / 3 / (np.pi * np.diff(edges**2)))
        assert found.value.any()


def test_likelihood_finds_the_maximum_of_the_normal_density():
    """Of 14 displacements with their tridiagonal covariance, as a matrix."""
    D, noise, h, R, n = 0.7, 0.2, 0.4, 0.1, 14

    def covariance(d, noise):
        a, b = 2 * d * (1 - 2 * R) + 2 * noise, 2 * R * d - noise
        return a * np.eye(n) + b * (np.eye(n, k=1) + np.eye(n, k=-1))

    dx = np.linalg.cholesky(covariance(D * h, noise)) @ RNG.normal(size=(n, 2))
    x = np.concatenate([np.zeros((1, 2)), dx.cumsum(0)])[:, None]

    def minus_log(p):
        C = covariance(*p)
        if np.linalg.eigvalsh(C)[0] <= 0:
            return np.inf
        return np.linalg.slogdet(C)[1] + np.trace(np.linalg.solve(C, dx @ dx.T)) / 2

    best = minimize(minus_log, [D * h, noise], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    found = an.diffusivity_by_likelihood(x, h, R)
    np.testing.assert_allclose([found.value * h, found.noise], best.x, rtol=1e-5)
    known = an.diffusivity_by_likelihood(x, h, R, noise=0.15)
    best = minimize(lambda p: minus_log([p[0], 0.15]), [D * h], method="Nelder-Mead", options={"xatol": 1e-10})
    assert known.value * h == pytest.approx(best.x[0], rel=1e-5)


def test_covariance_estimator_with_known_noise():
    """(⟨Δx²⟩ − 2σ²)/(2Δt(1 − 2R)), of three coordinates."""
    h, R = 0.4, 0.1
    x = RNG.normal(size=(9, 2, 3)).cumsum(0)
    square = (np.diff(x, axis=0) ** 2).mean()
    found = an.diffusivity_by_covariance(x, h, R, noise=0.05)
    assert found.value == pytest.approx((square - 2 * 0.05) / (2 * h * (1 - 2 * R)), rel=1e-12)


def test_a_torque_on_a_polygon():
    """∫f ∘ dx by trapezia along given points, and as work: f taken at both ends."""
    x = RNG.normal(size=(5, 2, 2))

    def f(t, x):
        return (1.0 + t) * tf.stack([-x[..., 1], x[..., 0]], -1)

    t = np.arange(5.0)
    values = [f(s, tf.constant(a)).numpy() for s, a in zip(t, x, strict=True)]
    by_hand = sum((0.5 * (values[i] + values[i + 1]) * (x[i + 1] - x[i])).sum(-1) for i in range(4))
    work = an.Work(lambda t, x: 0.0 * x[..., 0], f).over(t, x)
    np.testing.assert_allclose(work.work, by_hand, rtol=1e-12)
    np.testing.assert_allclose(an.Current(f).over(t, x).total, by_hand, rtol=1e-12)
    last = sum((values[i + 1] * (x[i + 1] - x[i])).sum(-1) for i in range(4))
    np.testing.assert_allclose(an.Current(f, ds.Isothermal()).over(t, x).total, last, rtol=1e-12)
