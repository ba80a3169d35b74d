"""One law, three ways: particles in two wells, as they are, as molecules that hop, and as a density.

dx = −V′ dt + √(2kT) dW between a wall that reflects and one that reacts, J = κp. The generator on a grid is
the Fokker–Planck operator, and holds the rates at which molecules hop from cell to cell.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds

GRID = ds.Grid(48, 3.0, -2.0)
WALLS = ds.Boundary(x=(ds.Neumann(), ds.Robin(1.0)))
MODEL = ds.models.Overdamped(lambda t, x: x**4 / 4 - x**2 / 2, kT=0.4)


def starts(n):
    """About n particles in the left well, evenly within each cell; and how many there are."""
    x, w = GRID.coordinates()[0], GRID.dx[0]
    counts = np.floor(n * np.exp(-((x + 1) ** 2) / 0.1) * w / (0.1 * np.pi) ** 0.5).astype(int)
    places = [c + w * ((np.arange(k) + 0.5) / k - 0.5) for c, k in zip(x, counts, strict=True)]
    return np.concatenate(places), counts


def main(fast=False, figure=None):
    """What is left at t = 6, and χ² of the gaps to the grid in its 48 cells."""
    x0, counts = starts(10_000 if fast else 20_000)
    n, ts, inside = counts.sum(), np.linspace(0.5, 6.0, 12), tf.constant(GRID.axes[0].faces[1:-1])

    def census(t, x):
        return tf.math.unsorted_segment_sum(tf.ones_like(x[:, 0]), tf.searchsorted(inside, x[:, 0]), 48)

    law, save = ds.models.fokker_planck(MODEL, GRID, WALLS), ds.SaveAt(ts=ts)
    p = ds.solve(law, counts / n, (0, 6), save=save).y.numpy()  # per cell
    how = {"stepper": ds.Walls(ds.SRA1(), GRID, WALLS), "save": ds.SaveAt(ts=ts, fn=census), "key": ds.key(1)}
    sol = ds.solve(MODEL.law, x0[:, None], (0, 6), dt=0.02 if fast else 0.005, **how)
    particles = sol.y.numpy()
    particles[:, -1] -= np.searchsorted(np.sort(sol.fate.time), ts)  # those that rest at the wall
    hops = ds.Jump(((-1,),), (0.0,), hops=(law.linear,))
    rdme = ds.solve(hops, (counts.astype("f4"),), (0, 6), dt=0.5, key=ds.key(2), save=save)
    numbers, error = {"grid left": p[-1].sum()}, np.sqrt(p * (1 - p) / n)
    seen = {"particles": particles / n, "molecules": rdme.y[0].numpy() / n}
    for name, share in seen.items():
        numbers |= {f"{name} left": share[-1].sum(), f"{name} χ²": np.sum(((share - p) / error)[-1] ** 2)}
    if figure:
        draw(ts, p, error, seen, figure)
    return numbers


def draw(ts, p, error, others, figure):
    """Densities at three times, gaps at the last, and the shares beyond the barrier and in all."""
    import matplotlib.pyplot as plt

    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    x, w = GRID.coordinates()[0], GRID.dx[0]
    left.plot(x, p[[0, 3, 11]].T / w, label=[f"t = {ts[k]:g}" for k in (0, 3, 11)])
    middle.axhspan(-2, 2, color="0.9")
    for (name, seen), mark in zip(others.items(), "ox", strict=True):
        for i, k in enumerate((0, 3, 11)):
            left.plot(x, seen[k] / w, f"{mark}C{i}", ms=4, mfc="none")
        middle.plot(x, ((seen - p) / error)[-1], mark, label=name)
        right.plot(ts, seen.sum(1), mark, mfc="none", label=name)
        right.plot(ts, seen[:, x > 0].sum(1), f"{mark}k", mfc="none")
    right.plot(ts, p.sum(1), "k", ts, p[:, x > 0].sum(1), "k--")
    left.set(xlabel="x (length)", ylabel="density (1/length)", title="— grid, ○ particles, × molecules")
    middle.set(xlabel="x (length)", ylabel="gap to the grid (standard errors)", title="At t = 6")
    right.set(xlabel="t (time)", ylabel="share", title="— all, - - beyond the barrier", ylim=(0, 1.05))
    for ax in (left, middle, right):
        ax.legend()
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="47_one_law_three_ways.png").items():
        print(f"{name:18} {value:.6g}")
