"""Narrow escape: how long a particle takes to find a small exit in the wall of a disk.

The wall reflects, but for an arc |θ| < ε that absorbs. T(x) by particles and from D∇²T = −1 on a grid.
"""

import math

import numpy as np
import tensorflow as tf

import diffsim as ds

LAW = ds.Equation(diffusion=2.0**0.5)  # D = 1
DISK = ds.Ball((0.0, 0.0), 1.0)


def walls(eps):
    """A disk with an exit: the part of its wall beyond a chord."""
    return ds.Absorbed(ds.EulerMaruyama(), DISK, port=ds.HalfSpace((math.cos(eps), 0.0), (-1.0, 0.0)))


def field(eps, n):
    """T on a grid: D = 1 in the disk, none around it, and a channel from the exit that conducts well."""
    grid = ds.Grid((n, n), 2.0, -1.0)
    x, y = grid.coordinates()
    inside, channel = x**2 + y**2 < 1, (x > 0) & (abs(y) < math.sin(eps))
    out = ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()), y=ds.Neumann())
    A = ds.Diffusion(grid, out, np.where(inside, 1.0, np.where(channel, 1e6, 0.0)))
    return grid, np.where(inside, A.solvable().green(inside.astype(float)), np.nan)


def main(fast=False, figure=None):
    """Mean times with their standard errors, on a grid and exact; the share that is left at the mean time."""
    numbers, runs, (u, v) = {}, {}, (ds.random.uniform(k, [2_000]) for k in ds.split(ds.key(3)))
    x0 = tf.sqrt(u)[:, None] * tf.stack([tf.cos(2 * np.pi * v), tf.sin(2 * np.pi * v)], axis=1)
    for eps in (0.8, 0.4) if fast else (0.8, 0.4, 0.2, 0.1):
        dt = eps**2 / 32  # the noise of a step, √(2D dt), is a quarter of ε
        sol = ds.solve(LAW, x0, (0, 60), dt=dt, stepper=walls(eps), stop=ds.Extinct(every=100), key=ds.key(5))
        T = np.nanmean(field(eps, 100 if fast else 400)[1])
        mean, S, T = runs[eps] = ds.analysis.mean_time(sol), ds.analysis.survival(sol, until=sol.t_final), T
        numbers |= {f"mean at {eps}": mean.value, f"error at {eps}": mean.error}
        exact, left = float(ds.reference.passage.disk_arc_mean(eps)), float(S.at(mean.value)[0])
        numbers |= {f"grid at {eps}": T, f"exact at {eps}": exact, f"left at {eps}": left}
    if figure:
        draw(runs, figure)
    return numbers


def draw(runs, figure):
    """One path over the field T(x); means against the size of the exit; survival in units of the mean."""
    import matplotlib.pyplot as plt
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    (grid, T), every = field(0.2, 400), ds.SaveAt(every=4)
    image = left.pcolormesh(*(a.ravel() for a in grid.coordinates()), T.T)
    way = ds.solve(LAW, np.zeros(2), (0, 1.5), dt=5e-4, stepper=walls(0.2), save=every, key=ds.key(2))
    left.plot(*way.y.numpy().T, color="w", lw=0.6)
    left.plot(np.cos(arc := np.linspace(-0.2, 0.2, 20)), np.sin(arc), color="r", lw=4)
    left.set(aspect="equal", xlabel="x (R)", ylabel="y (R)", title="D∇²T = −1 on a grid, and one path")
    fig.colorbar(image, ax=left, label="T (R²/D)")
    eps, exact = np.geomspace(0.05, 1.5), ds.reference.passage.disk_arc_mean
    middle.semilogx(eps, [exact(e) for e in eps], "k", label="⅛ − ln sin ½ε")
    for e, (mean, S, T) in runs.items():
        middle.plot(e, T, "sk", mfc="none", ms=10)
        middle.errorbar(e, mean.value, 2 * mean.error, fmt="o", capsize=3)
        right.semilogy(S.t[:-1] / mean.value, S.value[:-1], label=f"ε = {e}")
    middle.set(xlabel="half-angle ε of the exit (rad)", ylabel="⟨T⟩ (R²/D)", title="● particles, □ grid")
    right.semilogy([0, 6], [1, np.exp(-6)], "k:", label="e^(−t/⟨T⟩)")
    right.set(xlabel="t/⟨T⟩", ylabel="share still inside", xlim=(0, 6), ylim=(2e-3, 1.1), title="Survival")
    fig.legend(loc="outside right upper")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="41_narrow_escape.png").items():
        print(f"{name:14} {value:.6g}")
