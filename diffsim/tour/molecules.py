"""Stops about chance: molecules that are counted, beads that escape over a barrier, work done in haste."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.reference import escape
from diffsim.tour.row import Row


def counted(figure, out):
    """Molecules event by event: 2A → ∅, ∅ → A."""
    runs, law = 4_000, ds.Jump.of("2 A -> 0 @ 0.005", "0 -> A @ 1")
    sol = ds.solve(law, 10 * tf.ones([runs, 1]), (0, 150), stepper=ds.SSA(), key=ds.key(2),
                   save=ds.SaveAt(ts=[150.0], to=str(out / "counted.h5")))
    n = sol.final.numpy()[:, 0]
    mean, variance = 10.1274044, 7.5630854
    bins = np.arange(0, 24)
    ax = ds.plot.style.tidy(figure.subplots(), "molecules of A", "share of runs")
    ax.hist(n, bins - 0.5, density=True, color=ds.plot.style.COLOURS[0], alpha=0.5, label=f"{runs:,} runs")
    p = np.exp(bins * math.log(10) - 10 - np.array([math.lgamma(i + 1) for i in bins]))
    ax.plot(bins, p, "k:", label="Poisson, mean 10")
    ds.plot.style.legend(ax)
    return [Row("⟨n⟩, where rate equations say 10", n.mean(), mean, 5 * (variance / runs) ** 0.5 / mean),
            Row("variance of n", n.var(ddof=1), variance, 5 * (2 / runs) ** 0.5)]


def wells(t, x):
    """V = x⁴/4 − x²/2."""
    return x**4 / 4 - x**2 / 2


def barrier(figure, out):
    """Escape over a barrier: beads, and a grid."""
    kT, cells, beads = 0.2, 160, 1_000
    w, n = 2 / (cells - 0.5), cells * 8 // 5  # a cell has its centre at x = −1
    grid, walls = ds.Grid(n, n * w, 1 - n * w), ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()))
    model = ds.models.Overdamped(wells, kT)
    T = ds.models.first_passage_time(model, grid, walls).numpy()
    stepper = ds.Absorbed(ds.SRA1(), ds.HalfSpace(1.0, (1.0,)))
    sol = ds.solve(model.law, np.full((beads, 1), -1.0, "f4"), (0, 400), dt=0.02, stepper=stepper,
                   stop=ds.Extinct(every=100), key=ds.key(11))
    seen, left = ds.analysis.mean_time(sol), ds.analysis.survival(sol, until=sol.t_final)
    ax = ds.plot.style.tidy(figure.subplots(), "t [s]", "share not yet across")
    ax.semilogy(left.t[:-1], left.value[:-1], color=ds.plot.style.COLOURS[0], label=f"{beads:,} beads")
    save = ds.SaveAt(ts=np.linspace(0, 80, 81))
    u = ds.solve(ds.models.backward(model, grid, walls), np.ones(grid.shape), (0, 80), save=save)
    ax.semilogy(u.t, np.asarray(u.y)[:, n - cells], "k--", label="backward equation")
    ax.set(xlim=(0, 80), ylim=(5e-3, 1.1))
    ds.plot.style.legend(ax)
    exact = escape.mean_time(lambda x: wells(0, x), -1.0, 1.0, -3.0, kT)
    return [Row("mean time on a grid", T[n - cells], exact, 1e-3),
            Row("mean time of beads", seen.value, exact, 5 * seen.error / exact)]


def _stiffened(t, x):
    return 0.5 * (1.0 + 4.0 * t) * tf.reduce_sum(x * x, -1)


def haste(figure, out):
    """A trap stiffened in haste, 1 → 3: free energy from work."""
    kT, paths = 1.0, 20_000
    first, path = ds.split(ds.key(45))
    x0 = ds.random.normal(first, [paths, 1], tf.float64)
    model, stepper = ds.models.Overdamped(_stiffened, kT, mobility=0.5), ds.Observed(
        ds.SRA1(), ds.analysis.Work(_stiffened)
    )
    W = ds.solve(model.law, x0, (0, 0.5), dt=0.01, stepper=stepper, key=path).seen.work
    found, exact = ds.analysis.jarzynski(W, kT), 0.5 * math.log(3.0)
    ax = ds.plot.style.tidy(figure.subplots(), "work [kT]", "density [1/kT]")
    ax.hist(np.asarray(W), 80, range=(0, 4), density=True, color=ds.plot.style.COLOURS[0], alpha=0.5, label="work")
    ax.axvline(float(np.mean(W)), color=ds.plot.style.COLOURS[1], label="⟨W⟩")
    ax.axvline(exact, color="k", ls=":", label="ΔF = ½kT ln 3")
    ds.plot.style.legend(ax)
    return [Row("ΔF by Jarzynski's equality", found[0], exact, 5 * found[1] / exact)]
