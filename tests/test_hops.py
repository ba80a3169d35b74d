"""Molecules that hop between cells and react in them: exact laws on lattices, the limit of many, refusals (5σ)."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.linalg import expm

import diffsim as ds
from counting import ALARM, chi_square, pmf_of

LINE = ds.Grid(shape=(6,), size=(3.0,))


def hops(boundary, D=0.4, grid=LINE, k=0.0):
    """Molecules that diffuse and die at the rate k."""
    return ds.Jump([[-1]], ds.Elementary((k,), ((1,),)), hops=(ds.Diffusion(grid, boundary, D),))


def chain(n, rate, walls=0.0, periodic=False):
    """L of hops at `rate` to each neighbour; molecules leave through both walls at the rate `walls`."""
    L = rate * (np.eye(n, k=1) + np.eye(n, k=-1))
    if periodic:
        L[0, -1] = L[-1, 0] = rate
    L -= np.diag(L.sum(0))
    L[0, 0] -= walls
    L[-1, -1] -= walls
    return L


def run(law, n0, t, **kw):
    return [np.asarray(n) for n in ds.solve(law, n0, (0.0, t), key=ds.key(kw.pop("seed", 1)), **kw).final]


def start(runs, numbers, dtype=tf.float32):
    return (tf.tile(tf.constant([numbers], dtype), [runs, 1]),)


WALLS = {
    "no flux": (ds.Neumann(0.0), chain(6, 1.6)),
    "periodic": (ds.Periodic(), chain(6, 1.6, periodic=True)),
    "absorbing": (ds.Dirichlet(0.0), chain(6, 1.6, walls=3.2)),
    "partly": (ds.Robin(0.5), chain(6, 1.6, walls=1 / (0.25 / 0.4 + 1 / 0.5) / 0.5)),
}


@pytest.mark.parametrize("stepper", [ds.SplitHops(), pytest.param(ds.SSA(), marks=pytest.mark.slow)])
@pytest.mark.parametrize("walls", ["absorbing", *(pytest.param(w, marks=pytest.mark.slow) for w in WALLS if w[0] != "a")])
def test_hops_spread_as_the_lattice_law(stepper, walls):
    """E7. From one cell the numbers are multinomial with the odds e^{tL}: the mean, each cell's law, covariances."""
    boundary, L = WALLS[walls]
    N, runs, t = 30, 3000, 0.7
    (n,) = run(hops(boundary), start(runs, [0, 0, N, 0, 0, 0]), t, stepper=stepper, jit=stepper != ds.SSA(),
               dt=None if stepper == ds.SSA() else t / 2)
    p = expm(t * L)[:, 2]
    assert np.all(np.abs(n.mean(0) - N * p) < 5 * (N * p * (1 - p) / runs) ** 0.5)
    assert min(chi_square(n[:, i], stats.binom(N, p[i]).pmf) for i in range(6)) > ALARM
    assert chi_square(n.sum(1), stats.binom(N, min(p.sum(), 1)).pmf) > ALARM
    if walls in ("no flux", "periodic"):
        np.testing.assert_array_equal(n.sum(1), N)
    C = N * (np.diag(p) - np.outer(p, p))
    error = np.sqrt((np.outer(np.diag(C), np.diag(C)) + C**2 + np.diag(np.diag(C))) / runs)  # with rare ones' kurtosis
    assert np.all(np.abs(np.cov(n.T) - C) < 5 * error)


@pytest.mark.slow
def test_wide_hops_in_two_dimensions_reach_the_uniform_multinomial():
    """E7. Long steps on cells of unequal width, and many molecules: what is left of the start is below 1e-9."""
    grid = ds.Grid(shape=(4, 3), size=(2.0, 3.0))
    n0 = np.zeros((500, 4, 3), np.float32)
    n0[:, 0, 2] = 6000
    (n,) = run(hops(ds.Neumann(0.0), D=1.0, grid=grid), (n0,), 30.0, dt=10.0)
    np.testing.assert_array_equal(n.sum((1, 2)), 6000)
    mean, var = 500.0, 500.0 * 11 / 12
    assert np.all(np.abs(n.mean(0) - mean) < 5 * (var / 500) ** 0.5)
    assert np.all(np.abs(n.var(0) / var - 1) < 5 * (2 / 500) ** 0.5)


def pairs_in_two_cells(k, hop, N):
    """States (n₁, n₂) with n₁ + n₂ ≤ N, and the generator of hops and of 2A → ∅ in each cell."""
    states = [(i, j) for i in range(N + 1) for j in range(N + 1 - i)]
    at = {s: i for i, s in enumerate(states)}
    Q = np.zeros((len(states), len(states)))
    for (i, j), s in at.items():
        moves = (((i - 1, j + 1), hop * i), ((i + 1, j - 1), hop * j))
        moves += (((i - 2, j), k * i * (i - 1)), ((i, j - 2), k * j * (j - 1)))
        for to, rate in moves:
            if rate:
                Q[at[to], s] += rate
                Q[s, s] -= rate
    return states, Q


@pytest.mark.parametrize("stepper, dt", [(ds.SSA(), None), (ds.SplitHops(), 0.05)], ids=["SSA", "SplitHops"])
def test_pairs_meet_in_their_cell_as_the_master_equation_says(stepper, dt):
    """All 28 states of six molecules in two cells; splitting is off by less than what this many runs can see.

    Some of the runs by themselves, uncompiled, are the same runs.
    """
    k, D, t, runs = 0.3, 0.5, 0.6, 10_000
    grid = ds.Grid(shape=(2,), size=(2.0,))
    law = ds.Jump([[-2]], ds.Elementary((k,), ((2,),)), hops=(ds.Diffusion(grid, ds.Neumann(0.0), D),))
    (n,) = run(law, start(runs, [6, 0]), t, stepper=stepper, dt=dt)
    (some,) = run(replace(law, first=20), start(40, [6, 0]), t, stepper=stepper, dt=dt, jit=False)
    np.testing.assert_array_equal(some, n[20:60])
    states, Q = pairs_in_two_cells(k, D, 6)
    p = expm(t * Q)[:, states.index((6, 0))]
    number = {s: i for i, s in enumerate(states)}
    seen = np.array([number[tuple(int(x) for x in row)] for row in n])
    assert chi_square(seen, pmf_of(p)) > ALARM
    wrong = expm(t * pairs_in_two_cells(2 * k, D, 6)[1])[:, states.index((6, 0))]  # pairs counted twice
    assert chi_square(seen, pmf_of(wrong)) < 1e-20


def test_splitting_is_symmetric_and_of_second_order():
    """Death in half of the cells: the mean is that of e^{Rh/2} e^{Lh} e^{Rh/2}, to the noise, and not another one."""
    k, L, runs, T = np.array([0.0, 0, 0, 4, 4, 4]), chain(6, 1.6), 6000, 1.0
    u0, exact = np.array([20.0, 0, 0, 0, 0, 60]), None
    law = ds.Jump([[-1]], ds.Elementary((tf.constant(k),), ((1,),)), hops=(ds.Diffusion(LINE, ds.Neumann(0.0), 0.4),))
    exact, gaps = expm(T * (L - np.diag(k))) @ u0, {}
    for steps in (1, 2, 16, 32):
        h = T / steps
        half = np.diag(np.exp(-k * h / 2))
        gaps[steps] = np.linalg.matrix_power(half @ expm(h * L) @ half, steps) @ u0 - exact
    assert 3.9 < np.linalg.norm(gaps[16]) / np.linalg.norm(gaps[32]) < 4.1
    (n,) = run(law, start(runs, u0), T, dt=0.5)
    sem = n.std(0) / runs**0.5
    assert np.all(np.abs(n.mean(0) - exact - gaps[2]) < 5 * sem)
    assert np.max(np.abs(gaps[2]) / sem) > 10


@pytest.mark.slow
def test_many_molecules_follow_the_equation_and_the_rest_falls_as_one_over_the_root():
    """Schnakenberg's reaction from a bump: n/Ω against `model.on`; one program for both sizes."""
    model = ds.models.Schnakenberg(a=0.2, b=1.3, Du=0.1, Dv=1.0)
    grid = ds.Grid(shape=(16,), size=(8.0,))
    bump = 1 + 0.5 * np.cos(np.pi * grid.coordinates()[0] / 8)
    u0 = tuple(s * b for s, b in zip(model.steady_states()[0], (bump, 2 - bump), strict=True))
    pde = ds.solve(model.on(grid, ds.Neumann(0.0)), u0, (0, 2.0)).final
    off = {}
    for size in (1e3, 1e5):
        law = ds.models.master_equation(model, grid, ds.Neumann(0.0), size=size)
        n0 = tuple(np.tile(np.round(size * 0.5 * u), (20, 1)) for u in u0)  # cells are half a unit wide
        n = run(law, n0, 2.0, dt=0.05, stepper=ds.SplitHops(ds.TauLeap(0.05)))
        gap = np.stack([x / (0.5 * size) - np.asarray(u) for x, u in zip(n, pde, strict=True)])
        off[size] = gap.std(axis=1).mean()
        bias, noise = gap.mean(axis=1), gap.std(axis=1) / 20**0.5
        assert np.sum((bias / noise) ** 2) / bias.size < (4.0 if size < 1e4 else 40.0)
        assert np.abs(bias).max() < 5 * noise.max() + 2e-3
    assert off[1e3] / off[1e5] == pytest.approx(10.0, rel=0.15)


MODELS = (
    ds.models.GrayScott(F=0.04, k=0.06),
    ds.models.Schnakenberg(),
    ds.models.Brusselator(),
    ds.models.LotkaVolterra(alpha=1.2, beta=0.7, delta=0.4, gamma=0.9),
    ds.models.SIR(),
    ds.models.Oregonator(),
)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_every_model_of_elementary_reactions_has_a_master_equation(model):
    """Ω times the model's rates; with small numbers those of distinct molecules that meet."""
    size, y = 50.0, np.linspace(0.3, 0.9, len(model.species))
    law = ds.models.master_equation(model, size=size)
    n = size * y * np.array(model.units, float)
    f = np.asarray(law.rate_equation().drift(0.0, tf.constant(n))) / (size * np.array(model.units, float))
    np.testing.assert_allclose(f, np.stack(model.rates(0.0, tuple(tf.constant(y)))), rtol=1e-12, atol=1e-12)
    assert law.species == model.species
    grid = ds.Grid(shape=(4, 4), size=(2.0, 2.0))
    local = ds.models.master_equation(model, grid, ds.Periodic(), size=size / 0.25)
    np.testing.assert_allclose(local.propensities.k, law.propensities.k, rtol=1e-12)
    assert len(local.hops) == len(model.species)


@pytest.mark.slow
def test_same_numbers_in_batches_and_uncompiled():
    """Two species and three reactions; of one species `test_pairs_meet…` shows it."""
    law = ds.models.master_equation(ds.models.Schnakenberg(Dv=8.0), LINE, ds.Neumann(0.0), size=40.0)
    n0 = tuple(np.full((6, 6), float(s)) for s in (20, 18))
    whole = run(law, n0, 0.4, dt=0.1)
    plain = run(law, n0, 0.4, dt=0.1, jit=False)
    late = ds.models.master_equation(ds.models.Schnakenberg(Dv=8.0), LINE, ds.Neumann(0.0), size=40.0, first=2)
    part = run(late, tuple(n[2:5] for n in n0), 0.4, dt=0.1, jit=False)
    for a, b, c in zip(whole, plain, part, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[2:5], c)
        assert len({tuple(r) for r in a}) == 6


def test_what_is_refused_on_grids():
    law, n0 = hops(ds.Neumann(0.0)), (np.zeros((2, 6)),)
    model, plain = ds.models.Schnakenberg(), ds.models.LengyelEpstein()
    uneven = ds.Diffusion(ds.Grid(shape=(3, 3), size=(1.0, 1.0)), ds.Neumann(0.0), np.arange(1.0, 10).reshape(3, 3))
    timed = ds.Jump([[1]], lambda t, n: n, bound=lambda n: n, hops=law.hops)
    cases = [
        (lambda: ds.models.master_equation(plain, LINE, ds.Periodic(), size=9.0), "only elementary reactions"),
        (lambda: ds.models.master_equation(model, LINE, ds.Dirichlet(1.0), size=9.0), "but none in"),
        (lambda: ds.models.master_equation(model, LINE, ds.Periodic(), size=0.0), "it counts molecules"),
        (lambda: run(law, (*n0, *n0), 1.0, dt=0.1), "its numbers in each cell"),
        (lambda: run(law, (np.zeros((2, 5)),), 1.0, dt=0.1), "y0"),
        (lambda: run(law, (n0[0] + 0.5,), 1.0, dt=0.1), "molecules come one by one"),
        (lambda: run(law, n0, 1.0, dt=0.1, stepper=ds.TauLeap()), "SplitHops"),
        (lambda: run(law, n0, 1.0, stepper=ds.SplitHops()), "no error by which"),
        (lambda: run(timed, n0, 1.0, stepper=ds.SSA()), "in each cell. Let it add"),
        (lambda: run(ds.Jump([[-1]], [1.0], hops=(uneven,)), (np.zeros((3, 3)),), 1.0, dt=0.1), "axis by axis"),
        (lambda: ds.SplitHops(ds.Tsit5()), "cells react by it"),
        (lambda: law.langevin(), "operators act on concentrations"),
    ]
    for case, text in cases:
        with pytest.raises((ValueError, TypeError), match=text) as caught:
            case()
        assert ": expected " in str(caught.value) and ", because " in str(caught.value)
