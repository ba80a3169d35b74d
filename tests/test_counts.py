"""Poisson and binomial numbers: their laws, their rare events, and of what they are functions."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from counting import ALARM, chi_square, sigmas, uniform_residues
from diffsim import counts, random

N = 100_000


@tf.function(jit_compile=True, autograph=False)
def poisson(mean, step):
    return counts.poisson(random.key(3), mean, step=step)


@tf.function(jit_compile=True, autograph=False)
def binomial(n, p, step):
    return counts.binomial(random.key(4), n, p, step=step)


@pytest.mark.parametrize("dtype", [tf.float32, pytest.param(tf.float64, marks=pytest.mark.slow)], ids=lambda d: d.name)
def test_poisson_numbers_follow_their_law(dtype):
    for i, mean in enumerate((0.02, 3.0, 9.99, 10.0, 40.0, 1e3, 1e5, 3e6)):
        x = poisson(tf.fill([N], tf.constant(mean, dtype)), tf.constant(i))
        law = stats.poisson(mean)
        assert sigmas(x, mean) < 4.5
        assert (chi_square(x, law.pmf) if mean < 1e3 else uniform_residues(x, law)) > ALARM, mean


@pytest.mark.parametrize("dtype", [tf.float32, pytest.param(tf.float64, marks=pytest.mark.slow)], ids=lambda d: d.name)
def test_binomial_numbers_follow_their_law(dtype):
    cases = ((5, 0.1), (5, 0.9), (40, 0.5), (1000, 0.0005), (1000, 0.02), (1000, 0.7), (1_000_000, 0.3))
    for i, (n, p) in enumerate(cases):
        x = binomial(tf.fill([N], tf.constant(n, dtype)), tf.fill([N], tf.constant(p, dtype)), tf.constant(i))
        law = stats.binom(n, np.float64(np.asarray(p, dtype.as_numpy_dtype)))
        assert sigmas(x, law.mean()) < 4.5
        assert (chi_square(x, law.pmf) if n < 1000 else uniform_residues(x, law)) > ALARM, (n, p)


def test_rare_events_happen_as_often_as_they_should_in_single_precision():
    x = sum(int(tf.reduce_sum(poisson(tf.fill([N], 1e-4), tf.constant(s)))) for s in range(20))
    assert abs(x - 200) < 5 * 200**0.5
    assert abs(int(tf.reduce_sum(poisson(tf.fill([1 << 22], 1e-5), tf.constant(99)))) - 41.9) < 5 * 41.9**0.5


def test_edges():
    nan = poisson(tf.constant([-1.0, np.nan, np.inf]), tf.constant(0))
    assert np.all(np.isnan(nan)) and float(poisson(tf.constant([0.0]), tf.constant(0))[0]) == 0.0
    n, p = tf.constant([7.0, 7.0, 0.0, 7.0, -1.0, 200.0]), tf.constant([0.0, 1.0, 0.5, 1.5, 0.5, 1.0])
    np.testing.assert_array_equal(binomial(n, p, tf.constant(0)), [0, 7, 0, np.nan, np.nan, 200])


def test_a_draw_does_not_depend_on_its_neighbours():
    mean = tf.constant(np.geomspace(0.1, 1e4, 40))
    whole = counts.poisson(random.key(5), mean, step=7)
    parts = [counts.poisson(random.key(5), mean[i : i + 10], step=7, first=i) for i in range(0, 40, 10)]
    np.testing.assert_array_equal(whole, tf.concat(parts, 0))
    compiled = tf.function(lambda m: counts.poisson(random.key(5), m, step=7), jit_compile=True)
    np.testing.assert_array_equal(whole, compiled(mean))
    assert not np.array_equal(whole, counts.poisson(random.key(5), mean, step=8))


def test_other_precisions_are_refused():
    with pytest.raises(TypeError, match="float32 or float64, because"):
        counts.poisson(random.key(0), tf.constant([3]))
