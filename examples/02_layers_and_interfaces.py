"""Layers with jumps between them: partition and contact resistance, against exact solutions.

Where two media meet, c₂ = K c₁ at equilibrium, and a skin of resistance R passes the flux (K c₁ − c₂)/R.
Faces of the grid lie on the interfaces, so that steady states are exact.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.reference import layered


def main(fast=False, figure=None):
    """Errors of a steady state, of the slowest decay rate, and of a transient through two unlike media."""
    n = 40 if fast else 160

    # Three layers, c(0) = 0, inflow 1 at x = 1: with flux 1 everywhere, c has the slopes 1, 10, 1.
    grid = ds.Grid(shape=n, size=1.0)
    three = ds.Layers(D=(1.0, 0.1, 1.0), at=(0.25, 0.75))
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(x=(ds.Dirichlet(0.0), ds.Flux(1.0))), three))
    steady = ds.solve(law, tf.zeros(n, tf.float64), t=(0, 1e4)).final.numpy()
    x = grid.coordinates()[0]
    exact = np.select([x < 0.25, x < 0.75], [x, 10 * x - 2.25], x + 4.5)

    # Two layers that lose matter at both ends; the second dissolves twice as much.
    partition = ds.Layers(D=(1.0, 0.1), at=(0.5,), interfaces=(ds.Interface(partition=2.0),))
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Dirichlet(0.0), partition))
    save = ds.SaveAt(ts=[1.5, 2.0], fn=lambda t, c: grid.integrate(c))
    late = ds.solve(law, tf.ones(n, tf.float64), t=(0, 2.0), save=save).y.numpy()
    rate = np.log(late[0] / late[1]) / 0.5
    theory = layered.decay_rates(layered.Layers((0.5, 0.5), (1.0, 0.1), solubility=(1.0, 2.0)), 1)[0]

    # The same media with a skin between them, filled from the left.
    curves = {}
    sides = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0)))
    for name, K, R in [("perfect contact", 1.0, 0.0), ("K = 2", 2.0, 0.0), ("K = 2, R = 1", 2.0, 1.0)]:
        pair = ds.Layers(D=(1.0, 0.1), at=(0.5,), interfaces=(ds.Interface(K, R),))
        law = ds.Equation(linear=ds.Diffusion(grid, sides, pair))
        c = ds.solve(law, tf.zeros(n, tf.float64), t=(0, 0.5)).final.numpy()
        slab = layered.Layers((0.5, 0.5), (1.0, 0.1), solubility=(1.0, K), resistance=(R / K,))
        curves[name] = c, layered.transient(slab, x, 0.5, (0.0, 0.0), outside=(1.0, 0.0))
    if figure:
        draw(x, curves, figure)
    return {"steady": np.abs(steady - exact).max(), "rate": rate / theory - 1,
            **{name: np.abs(c - exact).max() for name, (c, exact) in curves.items()}}


def draw(x, curves, figure):
    """Profiles at t = 0.5."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, (c, exact) in curves.items():
        with_gap = np.insert([x, exact], len(x) // 2, np.nan, axis=1)
        (line,) = ax.plot(*with_gap, label=f"{name}, exact")
        ax.plot(x[::4], c[::4], "o", ms=4, color=line.get_color(), label="solved")
    ax.axvline(0.5, color="grey", lw=0.8)
    ax.set(xlabel="x (length)", ylabel="c (concentration at x = 0)", title="D = 1 | 0.1, t = 0.5")
    ax.legend()
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="02_layers_and_interfaces.png").items():
        print(f"{name:24} {value:.8g}")
