"""The heat equation in one, two and three dimensions; only the line with the grid differs.

u_t = D ∇²u from a Gaussian: far from the walls it stays one, and its variance grows by 2Dt along each axis.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """The largest error of u, and the growth of the variance along x beside 2Dt = 0.1, for each grid."""
    D, t, sigma = 0.1, 0.5, 0.3
    n = 32 if fast else 64
    numbers, lines = {}, []
    for name, grid in [
        ("1-D", ds.Grid(shape=n, size=6.0, origin=-3.0)),
        ("2-D", ds.Grid(shape=(n, n), size=6.0, origin=-3.0)),
        ("3-D", ds.Grid(shape=(n, n, n), size=6.0, origin=-3.0)),
    ]:
        law = ds.models.Fick(D).on(grid, ds.Neumann())
        u0 = ds.initial.gaussian(grid, center=0.0, width=sigma, dtype=tf.float64)
        sol = ds.solve(law, u0, t=(0, t))

        x = grid.coordinates()
        r = np.sqrt(sum(xi**2 for xi in x))
        exact = ds.reference.free.gaussian(r, t + sigma**2 / (2 * D), D, d=grid.ndim)
        u = sol.final.numpy()
        growth = grid.integrate(x[0] ** 2 * (sol.final - u0))
        numbers |= {f"{name} error": np.abs(u - exact).max() / exact.max(), f"{name} growth": float(growth)}
        middle = (slice(None),) + (n // 2,) * (grid.ndim - 1)
        lines.append((name, x[0].ravel(), u[middle], exact[middle]))
    if figure:
        draw(lines, figure)
    return numbers


def draw(lines, figure):
    """Profiles along x through the middle."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, x, u, exact in lines:
        (line,) = ax.plot(x, u, "o", ms=4, label=f"{name}, solved")
        ax.plot(x, exact, color=line.get_color(), label=f"{name}, exact")
    ax.set(xlabel="x (length)", ylabel="u (amount / lengthᵈ)", title="A Gaussian after t = 0.5, D = 0.1")
    ax.legend()
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="00_quickstart.png").items():
        print(f"{name:24} {value:.8g}")
