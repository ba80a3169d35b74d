"""Uptake by a sheet, a cylinder and a sphere whose surface is held at one: Crank's curves.

The three differ in the line with the grid. At first the uptake grows as 2(d/a)√(Dt/π), d = 1, 2, 3.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """M/M∞ at Dt/a² = 0.01, 0.1 and 0.5 for each body."""
    n = 100 if fast else 400
    ts = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5])
    held = (ds.Neumann(), ds.Dirichlet(1.0))
    numbers, curves = {}, {}
    for d, name, grid, walls in [
        (1, "sheet", ds.Grid(shape=n, size=1.0), ds.Boundary(x=held)),
        (2, "cylinder", ds.RadialGrid(shape=n, size=1.0, dimension=2), ds.Boundary(r=held)),
        (3, "sphere", ds.RadialGrid(shape=n, size=1.0, dimension=3), ds.Boundary(r=held)),
    ]:
        law = ds.Equation(linear=ds.Diffusion(grid, walls, 1.0))
        save = ds.SaveAt(ts=ts, fn=lambda t, c, grid=grid: grid.mean(c))
        sol = ds.solve(law, tf.zeros(n, tf.float64), t=(0, 0.5), save=save)
        curves[name] = d, sol.y.numpy()
        M = dict(zip(ts, sol.y.numpy(), strict=True))
        numbers |= {f"{name} {t:g}": M[t] for t in (0.01, 0.1, 0.5)}
    if figure:
        draw(ts, curves, figure)
    return numbers


def draw(ts, curves, figure):
    """Uptake against the root of time."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    fine = np.linspace(0, 0.5, 400)
    for name, (d, M) in curves.items():
        (line,) = ax.plot(np.sqrt(fine), ds.reference.bounded.uptake(fine, d), label=f"{name}, exact")
        ax.plot(np.sqrt(ts), M, "o", ms=5, color=line.get_color(), label=f"{name}, solved")
    ax.set(xlabel="√(Dt)/a (1)", ylabel="uptake M/M∞ (1)", title="Uptake with the surface held at c = 1")
    ax.legend()
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="04_radial_uptake.png").items():
        print(f"{name:24} {value:.8g}")
