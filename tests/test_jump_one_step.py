"""One step of jump processes: which reaction fires, how long a leap is, scarce species beside plentiful ones. 5σ."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import diffsim as ds
from counting import ALARM, chi_square, sigmas

RATES = {  # propensities and their derivatives, of networks whose leaps are looked at
    ("2 A -> 0 @ 0.01", "0 -> A @ 30"): lambda a: ([0.01 * a * (a - 1), 30.0], [[0.01 * (2 * a - 1)], [0.0]]),
    ("A + B -> C @ 0.02", "C -> A + B @ 3"): lambda a, b, c: (
        [0.02 * a * b, 3 * c], [[0.02 * b, 0.02 * a, 0.0], [0.0, 0.0, 3.0]]),
    ("3 A -> B @ 1e-4", "B -> 3 A @ 2", "2 B -> 0 @ 0.1"): lambda a, b: (
        [1e-4 * a * (a - 1) * (a - 2), 2 * b, 0.1 * b * (b - 1)],
        [[1e-4 * (3 * a * a - 6 * a + 2), 0.0], [0.0, 2.0], [0.0, 0.1 * (2 * b - 1)]]),
}  # fmt: skip


def final(law, n0, t, stepper=None, seed=4, **kw):
    kw = {"jit": False, **kw}
    return np.asarray(ds.solve(law, n0, (0.0, t), stepper=stepper or ds.SSA(), key=ds.key(seed), **kw).final)


@pytest.mark.parametrize("stepper", [ds.SSA(), pytest.param(ds.TauLeap(0.03), marks=pytest.mark.slow)])
def test_each_of_several_reactions_fires_in_its_share(stepper):
    """A becomes B, C or D at 1, 2 and 4: multinomial, e^{−7t} left."""
    n = final(ds.Jump.of("A -> B @ 1", "A -> C @ 2", "A -> D @ 4"), tf.tile([[6.0, 0, 0, 0]], [5000, 1]), 0.2, stepper)
    left = np.exp(-1.4)
    for s, p in enumerate((left, *((1 - left) * np.array([1, 2, 4]) / 7))):
        assert chi_square(n[:, s], stats.binom(6, p).pmf) > ALARM, s


def test_scarce_species_beside_plentiful_ones():
    """Six B that decay among A that come and go by thousands, several in one leap of those: binomial."""
    law = ds.Jump.of("0 -> A @ 20000", "A -> 0 @ 2", "B -> C @ 3")
    n = final(law, tf.tile([[10_000.0, 6.0, 0.0]], [5000, 1]), 0.4, ds.TauLeap(0.3))
    assert chi_square(n[:, 1], stats.binom(6, np.exp(-1.2)).pmf) > ALARM
    np.testing.assert_array_equal(n[:, 1] + n[:, 2], 6)


def test_leaps_that_would_overdraw_are_halved():
    """However coarse: no number below zero, atoms kept, and an end where a leap of full length could never be taken."""
    rough = ds.TauLeap(epsilon=1e6, critical=0)
    n = final(ds.Jump.of("A -> B @ 1"), tf.tile([[400.0, 0.0]], [50, 1]), 60.0, rough)
    np.testing.assert_array_equal(n, np.tile([0.0, 400.0], (50, 1)))
    n = final(ds.Jump.of("2 A -> B @ 0.5"), tf.tile([[400.0, 0.0]], [50, 1]), 0.02, rough)
    assert n.min() >= 0 and (n[:, 0] + 2 * n[:, 1] == 400).all() and len(set(n[:, 0])) > 10


@pytest.mark.slow
def test_rates_within_a_step_are_those_of_each_leap():
    """Births at 500 + 4000 t², deaths at 4: many leaps in one step, each with the rates of its own time."""
    def rates(t, n):
        return tf.stack([500.0 + 4000.0 * t * t, 4.0 * n[..., 0]], -1)

    law = ds.Jump([[1], [-1]], rates, bound=lambda n: 16_500.0 + 4.0 * n[..., 0])
    n = final(law, tf.zeros([400, 1], tf.float64), 2.0, ds.TauLeap(0.02), dt=2.0)
    mean = 4000 * (0.75 + (1 - np.exp(-8.0)) / 32) + 125 * (1 - np.exp(-8.0))  # ∫(500 + 4000 s²) e^{4(s − 2)} ds
    assert abs(n.mean() - mean) < 5 * n.std() / 20 + 0.02 * mean


@pytest.mark.parametrize("text", RATES, ids=lambda t: t[0])
def test_the_length_of_a_leap(text):
    """In τ neither mean nor spread of any propensity changes by more than ε, nor by much less in one of the two."""
    law, eps = ds.Jump.of(*text), 0.05
    n = np.random.default_rng(5).integers(100, 3000, (40, len(law.species))).astype(float)
    species = [tf.constant(c) for c in n.T]
    a = law.rates(tf.zeros(40, tf.float64), species)
    tau = ds.TauLeap(eps)._longest(law, a, [tf.zeros(40, tf.bool)] * len(a), species).numpy()
    nu, closest = np.array(law.stoichiometry), []
    for row, t in zip(n, tau, strict=True):
        rates, slopes = (np.array(v) for v in RATES[text](*row))
        assert t * rates @ np.maximum(-nu, 0) == pytest.approx(np.minimum(t * rates @ np.maximum(-nu, 0), 2 * eps * row))
        mean, spread = slopes @ nu.T @ rates * t, np.sqrt((slopes @ nu.T) ** 2 @ rates * t)
        on = rates > 0
        assert (np.abs(mean[on]) <= eps * rates[on] * 1.001).all() and (spread[on] <= eps * rates[on] * 1.001).all()
        used = (t * rates @ np.maximum(-nu, 0) / (2 * eps * row)).max()
        closest.append(max(used, (np.abs(mean[on]) / rates[on] / eps).max(), ((spread[on] / rates[on] / eps) ** 2).max()))
    assert np.median(closest) > 0.2


@pytest.mark.slow
def test_spreads_of_leaps_are_right_to_epsilon():
    """In balance Euler's leaps of τ make a variance 1/(1 − Kτ/2) too large, K the rate of relaxation: ε at most, not 2ε.

    A ⇌ B, where both directions relax; 0 → A → 0; and A + B ⇌ C by its birth–death chain.
    """
    eps, a = 0.1, np.arange(1, 8001.0)
    log = np.concatenate([[0], np.cumsum(np.log(8 * (8000 - a[:-1])) - np.log(0.002 * a[1:] ** 2))])
    p = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    for law, n0, mean, var in (
        (ds.Jump.of("A <-> B @ 3, 3"), [4000.0, 4000.0], 4000.0, 2000.0),
        (ds.Jump.of("0 -> A @ 12000", "A -> 0 @ 3"), [4000.0], 4000.0, 4000.0),
        (ds.Jump.of("A + B <-> C @ 0.002, 8"), [4000.0] * 3, p @ a, p @ a**2 - (p @ a) ** 2),
    ):
        n = final(law, tf.tile([n0], [3000, 1]), 1.2, ds.TauLeap(eps)).astype(float)[:, 0]
        assert abs(n.mean() - mean) < 5 * n.std() / 3000**0.5 + 1e-3 * mean
        assert abs(n.var() / var - 1) < eps * 1.2 + 5 * (2 / 3000) ** 0.5 < 0.27  # .27 to .40 if 2ε may be consumed


def test_limits_of_many_molecules_see_other_rates():
    """2A: k n² in the rate equation, k n(n − 1) in the Langevin equation; below zero supply goes on, and nothing else."""
    law = ds.Jump.of("2 A -> B @ 0.3", "0 -> A @ 7", "A + B -> 0 @ 2")
    n = tf.constant([[4.0, 5.0], [-3.0, 5.0], [4.0, -1.0]], tf.float64)
    np.testing.assert_allclose(law.rate_equation().drift(0.0, n[0]), [-2 * 4.8 + 7 - 40, 4.8 - 40])
    np.testing.assert_allclose(law.langevin().drift(0.0, n), [[-2 * 3.6 + 7 - 40, 3.6 - 40], [7, 0], [-0.2, 3.6]])
    for row, a in zip(n, ([3.6, 7, 40], [0, 7, 0], [3.6, 7, 0]), strict=True):
        C = np.stack([law.langevin().diffusion.fn(0.0, row, tf.constant(e)) for e in np.eye(2)], 1)
        nu = np.array(law.stoichiometry)
        np.testing.assert_allclose(C @ C.T, nu.T @ (np.array(a)[:, None] * nu), atol=1e-12)
    falling = ds.Jump([[-1]], lambda t, n: 2.0 - n).langevin()  # a rate that would turn negative
    np.testing.assert_allclose(falling.drift(0.0, tf.constant([[1.5], [3.0]], tf.float64)), [[-0.5], [0.0]])


@pytest.mark.slow
def test_records_do_not_disturb_a_path_on_a_grid():
    grid = ds.Grid(shape=(3,), size=(3.0,))
    law = ds.Jump([[-1]], [0.4], hops=(ds.Diffusion(grid, ds.Neumann(), 0.5),))
    n0 = (tf.tile(tf.constant([[3.0, 0.0, 2.0]], tf.float64), [40, 1]),)
    whole = final(law, n0, 1.5)
    often = ds.solve(law, n0, (0, 1.5), stepper=ds.SSA(), key=ds.key(4), jit=False,
                     save=ds.SaveAt(ts=np.arange(0.25, 1.6, 0.25)))  # fmt: skip
    np.testing.assert_array_equal(often.final[0], whole[0])
    assert sigmas(whole[0].sum(-1), 5 * np.exp(-0.6)) < 5
