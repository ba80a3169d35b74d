"""First-passage times, survival and splitting, against exact answers."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.analysis import mean_time, splitting, survival

N = 4_000
KEY = ds.key(31)


@functools.cache
def interval():
    """D = 2 on (0, 1.5), both ends absorb, from 0.5."""
    law, x0 = ds.Equation(diffusion=2.0), np.full((N, 1), 0.5)
    stepper = ds.Absorbed(ds.EulerMaruyama(), ds.Box(0.0, 1.5))
    return ds.solve(law, x0, (0, 20), dt=0.005, stepper=stepper, stop=ds.Extinct(), key=KEY, jit=False)


def test_interval():
    """A15: mean time x(L − x)/2D; the ends are reached with 1 − x/L and x/L, in times (x(2L − x), L² − x²)/6D."""
    sol, x, L, D = interval(), 0.5, 1.5, 2.0
    assert sol.status is ds.Status.STOPPED
    mean = mean_time(sol)
    assert abs(mean.value - ds.reference.passage.interval(x, L, D)) < 5 * mean.error < 0.02
    split = splitting(sol)
    assert split.wall.tolist() == [0, 1] and split.alive == 0
    assert (np.abs(split.value - [1 - x / L, x / L]) < 5 * split.error).all() and split.error.max() < 0.01
    for wall, exact in ((0, x * (2 * L - x) / (6 * D)), (1, (L * L - x * x) / (6 * D))):
        some = mean_time(sol, wall=wall)
        assert abs(some.value - exact) < 5 * some.error
    assert abs(mean_time(sol, since=-1.0).value - mean.value - 1) < 1e-12


def test_survival():
    """The series of eigenfunctions, at five standard errors; those of one end with the other out of sight differ."""
    sol, k = interval(), np.arange(1, 200)
    S = survival(sol, until=sol.t_final)
    t = np.array([0.02, 0.1, 0.3])
    decay = np.exp(-2.0 * (k * np.pi / 1.5) ** 2 * t[:, None])
    exact = np.sum(2 / (k * np.pi) * (1 - (-1.0) ** k) * np.sin(k * np.pi / 3) * decay, axis=1)
    value, error = S.at(t)
    assert (np.abs(value - exact) < 5 * error).all()
    np.testing.assert_allclose(error, np.sqrt(value * (1 - value) / N), rtol=1e-9)  # nothing is out of sight: binomial
    assert S.at(0.0)[0] == 1.0 and S.value[-1] == pytest.approx(0.0, abs=1e-12)
    assert (survival(sol, until=sol.t_final, wall=0).at(t)[0] > value).all()


def test_kaplan_meier_by_hand():
    """Losses at 1 and 3 of five; one leaves at another wall at 2, two outlive the run."""
    alive, time = tf.constant([False] * 3 + [True] * 2), tf.constant([1.0, 3.0, 2.0, np.inf, np.inf])
    fate = ds.Fate(alive, time, tf.constant([0, 0, 1, -1, -1]))
    S = survival(fate, until=4.0, wall=0)
    np.testing.assert_allclose(S.t, [0, 1, 3])
    np.testing.assert_allclose(S.value, [1, 0.8, 0.8 * 2 / 3])
    np.testing.assert_allclose(S.error[1:], S.value[1:] * np.sqrt([1 / 20, 1 / 20 + 1 / 6]))
    assert splitting(fate).value.tolist() == [0.4, 0.2] and splitting(fate).alive == 0.4


def test_errors_are_honest():
    """Of 500 ensembles of 80 lifetimes, estimates are spread as their errors say: 68.3 % of them within one, 5σ."""
    many, n, rng = 500, 80, np.random.default_rng(4)
    time, wall = rng.exponential(0.7, (many, n)), (rng.random((many, n)) < 0.3).astype(np.int32)
    off = {"mean": [], "split": [], "survival": []}
    for T, w in zip(time, wall, strict=True):
        all_lost = ds.Fate(tf.zeros([n], tf.bool), tf.constant(T), tf.constant(w))
        mean, split = mean_time(all_lost), splitting(all_lost)
        alive = T > 1.0
        S, error = survival(ds.Fate(tf.constant(alive), tf.constant(T), tf.constant(w)), until=1.0).at(0.5)
        off["mean"].append((mean.value - 0.7) / mean.error)
        off["split"].append((split.value[1] - 0.3) / split.error[1])
        off["survival"].append((S - np.exp(-0.5 / 0.7)) / error)
    for name, z in off.items():
        assert abs(np.std(z) - 1) < 5 * np.sqrt(0.5 / many), name
        assert abs(np.mean(np.abs(z) < 1) - 0.683) < 5 * np.sqrt(0.683 * 0.317 / many), name


@pytest.mark.parametrize("d", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_balls(d):
    """A15: R²/2dD from the centre, to first order in the step."""
    R, D = 1.2, 0.7
    law = ds.Equation(diffusion=(2 * D) ** 0.5)
    stepper = ds.Absorbed(ds.EulerMaruyama(), ds.Ball(0.0, R))
    sol = ds.solve(law, np.zeros((N, d)), (0, 20), dt=0.005, stepper=stepper, stop=ds.Extinct(), key=KEY, jit=False)
    mean = mean_time(sol)
    assert abs(mean.value - ds.reference.passage.ball(0.0, R, D, d)) < 5 * mean.error + 0.005 < 0.05
    places = sol.final.numpy() / R
    assert np.abs(np.linalg.norm(places, axis=1) - 1).max() < 1e-12
    assert np.abs(places.mean(0)).max() < 5 / np.sqrt(d * N)  # everywhere alike
    assert np.abs(np.mean(places[:, 0] ** 2) - 1 / d) < 5 * 0.5 / np.sqrt(N)


def test_refusals_say_why():
    sol = interval()
    alive = sol.fate._replace(alive=tf.ones_like(sol.fate.alive))
    for make, says in (
        (lambda: mean_time(alive), "the slowest contribute most"),
        (lambda: mean_time(ds.Fate()), "no one is lost elsewhere"),
        (lambda: mean_time(sol, wall=7), "a mean needs particles"),
        (lambda: survival(sol, until=0.01), "a run lasts that long"),
        (lambda: survival(sol, until=20.0).at(-1.0), "before the start"),
    ):
        with pytest.raises(ValueError, match=says) as error:
            make()
        assert ": expected " in str(error.value) and ", because " in str(error.value)
