"""Exact trajectories of counted molecules have the moments of the chemical master equation (5σ, fixed seeds)."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

RUNS = 4_000


def final(law, start, end, seed=3, runs=RUNS, **given):
    """Counts of the first species at the end of each trajectory."""
    y0 = tf.tile(tf.constant([start], tf.float64), [runs, 1])
    return ds.solve(law, y0, (0.0, end), stepper=ds.SSA(), key=ds.key(seed), **given).final.numpy()


def within(values, mean, variance, sigmas=5.0):
    """Whether mean and variance of a sample are those given; the fourth moment is taken from the sample."""
    n, centred = len(values), values - values.mean()
    error = np.sqrt((np.mean(centred**4) - np.mean(centred**2) ** 2) / n)
    near = abs(values.mean() - mean) < sigmas * np.sqrt(variance / n)
    return near and abs(values.var() - variance) < sigmas * error


def test_e1_birth_and_death_settle_in_a_poisson_law():
    n = final(ds.Jump.of("0 -> A @ 6", "A -> 0 @ 0.6"), [10.0], 12.0)[:, 0]
    assert within(n, 10.0, 10.0)
    p = np.mean(n == 10)
    assert abs(p - 0.1251100) < 5 * np.sqrt(0.1251100 * 0.87489 / RUNS)


def test_e2_pairs_annihilate_and_the_rate_equation_is_wrong_about_it():
    n = final(ds.Jump.of("2 A -> 0 @ 0.005", "0 -> A @ 1"), [10.0], 100.0, runs=20_000)[:, 0]
    assert within(n, 10.1274044, 7.5630854)
    assert abs(n.mean() - 10.0) > 5 * n.std() / len(n) ** 0.5  # what the rate equation says


def test_e3_association_and_dissociation_balance():
    n = final(ds.Jump.of("A + B <-> C @ 0.1, 1"), [500.0, 500.0, 0.0], 0.5)
    assert np.array_equal(n[:, 0] + n[:, 2], np.full(RUNS, 500.0))
    assert abs(n[:, 0].mean() - 65.67081) < 5 * n[:, 0].std() / RUNS**0.5


def test_numbers_do_not_depend_on_batches_or_compilation():
    law = ds.Jump.of("2 A -> 0 @ 0.005", "0 -> A @ 1")
    y0 = tf.fill([64, 1], tf.constant(10.0, tf.float64))
    whole = ds.solve(law, y0, (0.0, 5.0), stepper=ds.SSA(), key=ds.key(1)).final
    plain = ds.solve(law, y0, (0.0, 5.0), stepper=ds.SSA(), key=ds.key(1), jit=False).final
    part = ds.solve(ds.Jump.of("2 A -> 0 @ 0.005", "0 -> A @ 1", first=40), y0[40:], (0.0, 5.0), stepper=ds.SSA(),
                    key=ds.key(1)).final
    assert np.array_equal(whole, plain) and np.array_equal(whole[40:], part)


@pytest.mark.parametrize("text", ["A + -> B @ 1", "A -> B", "A -> B @ -1", "A -> B @ x"])
def test_reactions_that_make_no_sense_are_refused(text):
    with pytest.raises((ValueError, TypeError), match="expected"):
        ds.Jump.of(text)
