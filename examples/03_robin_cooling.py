"""Newton's cooling of a steel plate and a steel ball: D ∂T/∂n = h (T_oil − T) at the surface.

With the Biot number ha/D = 1 neither the oil nor the steel may be neglected. Both start at 100 °C in oil of
20 °C.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds

HOT, OIL = 100.0, 20.0  # °C


def main(fast=False, figure=None):
    """Mean temperatures of plate and ball (°C) at Dt/a² = 1, and the largest error of a profile (K)."""
    D, a = 1.2e-5, 0.01  # thermal diffusivity of steel, m²/s; half thickness and radius, m
    film = ds.Robin(transfer=D / a, ambient=OIL)
    n = 50 if fast else 200
    bodies = {
        "plate": (1, ds.Grid(shape=n, size=a), ds.Boundary(x=(ds.Neumann(), film))),
        "ball": (3, ds.RadialGrid(shape=n, size=a, dimension=3), ds.Boundary(r=(ds.Neumann(), film))),
    }
    ts = np.array([0.1, 0.3, 1.0]) * a**2 / D  # s
    numbers, curves = {}, {}
    for name, (d, grid, walls) in bodies.items():
        law = ds.Equation(linear=ds.Diffusion(grid, walls, D))
        sol = ds.solve(law, ds.initial.uniform(grid, HOT, tf.float64), t=(0, ts[-1]), save=ds.SaveAt(ts=ts))
        rho = grid.coordinates()[0] / a
        theta = ds.reference.bounded.cooling(rho, D * ts[:, None] / a**2, Bi=1.0, d=d)
        exact = OIL + (HOT - OIL) * theta
        numbers |= {f"{name} mean": float(grid.mean(sol.final)), f"{name} error": np.abs(sol.y - exact).max()}
        curves[name] = grid, sol.y.numpy(), exact
    if figure:
        draw(ts, curves, figure)
    return numbers


def draw(ts, curves, figure):
    """Profiles of temperature."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(9, 4), layout="constrained")
    for panel, (name, (grid, T, exact)) in zip(fig.subfigures(1, 2), curves.items(), strict=True):
        units = {"unit": "°C", "length_unit": "m", "time_unit": "s"}
        ds.plot.profiles(grid, ts, T, exact=exact, name="T", **units, figure=panel)
        panel.axes[0].set_ylim(OIL, HOT)
        panel.suptitle(f"steel {name}, Bi = 1")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="03_robin_cooling.png").items():
        print(f"{name:24} {value:.8g}")
