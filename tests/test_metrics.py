"""Distances of sets of samples, against closed forms, brute force, and their own error bars."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import sqrtm
from scipy.stats import energy_distance as scipy_energy
from scipy.stats import wasserstein_distance

import diffsim as ds
from diffsim.generative import metrics


def normal(seed, *shape):
    return ds.random.normal(ds.key(seed), shape, tf.float64).numpy()


def test_mmd_of_two_gaussians_is_the_integral_within_its_error():
    """Kernel means of N(0, 1) and N(μ, s²) in closed form; 5σ, false alarm 6e-7 each; equal laws give zero within 5σ."""
    ell, mu, s = 0.8, 0.5, 1.3

    def k(variance, gap):  # E exp(−d²/2ℓ²), d ∼ N(gap, variance)
        return math.sqrt(ell**2 / (ell**2 + variance)) * math.exp(-(gap**2) / (2 * (ell**2 + variance)))

    exact = k(2.0, 0.0) + k(2 * s * s, 0.0) - 2 * k(1 + s * s, mu)
    found = metrics.mmd(normal(1, 1500, 1), mu + s * normal(2, 1200, 1), scale=ell)
    assert abs(found.value - exact) < 5 * found.error < exact
    same = metrics.mmd(normal(3, 900, 3), normal(4, 800, 3))
    assert abs(same.value) < 5 * same.error


def test_energy_distance_is_without_bias_and_error_bars_are_true():
    """SciPy's has the diagonal in; taken out by hand both agree to rounding. The spread over 40 pairs is the error."""
    x, y = normal(5, 60, 1), 0.4 + normal(6, 50, 1)
    biased = scipy_energy(x[:, 0], y[:, 0]) ** 2
    within = [np.abs(a - a.T).sum() / len(a) ** 2 / (len(a) - 1) for a in (x, y)]
    assert metrics.energy_distance(x, y).value == pytest.approx(biased - sum(within), rel=1e-10)
    runs = [metrics.energy_distance(normal(100 + i, 80, 2), 0.5 + normal(200 + i, 80, 2)) for i in range(24)]
    values, errors = np.array(runs).T
    ratio = values.std(ddof=1) / errors.mean()
    assert 1 - 5 / math.sqrt(80) < ratio < 1 + 5 / math.sqrt(80)


def test_sliced_wasserstein_along_one_line_and_for_a_shift():
    """In one dimension it is W₂, also of sets of unequal size; a shift by a in d dimensions gives |a|/√d."""
    x, y = normal(7, 40, 1), normal(8, 25, 1) ** 2
    fine_x, fine_y = np.sort(np.repeat(x[:, 0], 25)), np.sort(np.repeat(y[:, 0], 40))
    exact = math.sqrt(np.mean((fine_x - fine_y) ** 2))
    found = metrics.sliced_wasserstein(x, y, ds.key(9), slices=4)
    assert found.value == pytest.approx(exact, rel=1e-12)
    assert found.value >= wasserstein_distance(x[:, 0], y[:, 0])  # W₂ ≥ W₁
    cloud, shift = normal(10, 30, 4), np.array([1.0, -2.0, 0.5, 0.3])
    moved = metrics.sliced_wasserstein(cloud, cloud + shift, ds.key(11), slices=4000)
    assert abs(moved.value - np.linalg.norm(shift) / 2) < 5 * moved.error


def test_frechet_distance_of_gaussians():
    """Against the matrix root of SciPy on the same samples, and near the formula of the laws."""
    A = np.array([[1.0, 0.4], [0.4, 0.5]])
    L = np.linalg.cholesky(A)
    x, y = normal(12, 4000, 2) @ L.T, np.array([0.7, 0.0]) + 1.2 * normal(13, 4000, 2)
    C, D = np.cov(x.T), np.cov(y.T)
    direct = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(C + D - 2 * sqrtm(C @ D).real)
    found = metrics.frechet_distance(x, y)
    assert found.value == pytest.approx(direct, rel=1e-9)
    law = 0.49 + np.trace(A + 1.44 * np.eye(2) - 2 * sqrtm(1.44 * A).real)
    assert abs(found.value - law) < 5 * found.error < 0.4 * law
    of_features = metrics.frechet_distance(x, y, features=lambda a: a[:, :1])
    assert of_features.value == pytest.approx(
        (x[:, 0].mean() - y[:, 0].mean()) ** 2 + (math.sqrt(C[0, 0]) - math.sqrt(D[0, 0])) ** 2, rel=1e-9
    )


def test_precision_sees_stray_samples_and_recall_sees_missing_modes():
    """A model that shows one of two modes is precise with recall one half; strays cost precision, not recall."""
    left, right = normal(14, 300, 2), 30 + normal(15, 300, 2)
    data = np.concatenate([left, right])
    one = metrics.precision_recall(normal(16, 400, 2), data)
    assert one.precision.value > 0.9 and one.recall.value < 0.52
    strays = metrics.precision_recall(np.concatenate([data + 1e-9, 1e3 + 100 * normal(17, 200, 2)]), data)
    assert strays.recall.value == 1.0
    assert abs(strays.precision.value - 0.75) < 1e-12


@pytest.mark.parametrize("metric", [metrics.mmd, metrics.energy_distance, metrics.frechet_distance])
def test_sets_that_do_not_compare_are_refused(metric):
    good = normal(1, 30, 2)
    with pytest.raises(ValueError, match="y=.*3 numbers.*because"):
        metric(good, normal(2, 30, 3))
    with pytest.raises(ValueError, match="x=.*first axis.*because"):
        metric(good[:, 0], good)
    with pytest.raises(ValueError, match="y.*because"):
        metric(good, np.where(good > 1, np.nan, good))
    with pytest.raises(ValueError, match="samples.*because"):
        metrics.frechet_distance(normal(1, 10, 20), normal(2, 10, 20))


GOOD = normal(1, 30, 2)
NO_SAMPLES = {
    "complex": (lambda: metrics.mmd(GOOD, GOOD + 1j), "y=array .*complex128: expected real numbers"),
    "text": (lambda: metrics.energy_distance(GOOD, "x"), "y='x': expected real numbers"),
    "nothing": (lambda: metrics.sliced_wasserstein(None, GOOD, ds.key(0)), "x=None: expected real numbers"),
    "ragged": (lambda: metrics.mmd([[1.0], [1.0, 2.0]], GOOD), "x=.*expected real numbers"),
    "no function": (lambda: metrics.frechet_distance(GOOD, GOOD, 3), "features=3: expected a function"),
    "features of nothing": (lambda: metrics.precision_recall(GOOD, GOOD, lambda a: None), r"features\(x\)=None"),
    "lost rows": (lambda: metrics.frechet_distance(GOOD, GOOD, lambda a: a[:9]), r"features\(x\)=.*expected 30 rows"),
}


@pytest.mark.parametrize("case", NO_SAMPLES)
@pytest.mark.filterwarnings("error")
def test_what_is_no_set_of_samples_is_refused(case):
    call, words = NO_SAMPLES[case]
    with pytest.raises((TypeError, ValueError), match=f"{words}.*because"):
        call()


def test_the_order_of_rows_changes_no_error_bar():
    """Rows sorted by class would make parts of one class each, and the jackknife's error many times too large."""

    def classes(seed, shift=0.0):
        return shift + np.sign(normal(seed, 600, 1)) * 3.0 + normal(seed + 1, 600, 2)

    x, y = classes(21), classes(23, 1.5)
    found, mixed = metrics.frechet_distance(x, y), np.random.default_rng(0).permutation(600)
    for a, b in ((x[mixed], y), (x[::-1], y[mixed]), (x[np.argsort(x[:, 0])], y[np.argsort(y[:, 1])])):
        again = metrics.frechet_distance(a, b)
        assert again.value == pytest.approx(found.value, rel=1e-9)
        assert again.error == pytest.approx(found.error, rel=1e-6)
    spread = [metrics.frechet_distance(classes(100 + 4 * i), classes(102 + 4 * i, 1.5)).value for i in range(24)]
    assert 0.4 < found.error / np.std(spread) < 2.5  # what repetitions show, within 5σ of what ten parts can tell
