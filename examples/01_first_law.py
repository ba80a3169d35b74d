"""Fick's first law, J = −D∇c: what passes through a membrane, when it comes out, and which way it takes.

A polymer film of 100 µm separates a gas from vacuum; the breakthrough curve has the time lag L²/6D. Then the
film is filled with discs of glass: the flux goes around them, and less gets through.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """J/J∞ at Dt/L² = 0.1, the time lag (s), and the flux through the filled film over that of a pure one."""
    D, L, c0 = 1e-10, 1e-4, 2.0  # m²/s, m, mol/m³
    grid = ds.Grid(shape=100 if fast else 200, size=L)
    sides = ds.Dirichlet(c0), ds.Dirichlet(0.0)
    film = ds.Diffusion(grid, ds.Boundary(x=sides), D)
    ts = np.linspace(0, 200.0, 1001)  # s
    save = ds.SaveAt(ts=ts, fn=lambda t, c: -film.inflow(t, c)["x+"])
    sol = ds.solve(ds.Equation(linear=film), tf.zeros(grid.shape, tf.float64), t=(0, 200.0), save=save)
    J = sol.y.numpy()
    amount = np.concatenate([[0.0], np.cumsum((J[1:] + J[:-1]) / 2 * np.diff(ts))])  # mol/m²
    slope, offset = np.polyfit(ts[ts > 150], amount[ts > 150], 1)

    n = 32 if fast else 96
    cell = ds.Grid(shape=(n, n), size=(L, L), origin=(-L / 2, -L / 2))
    glass = ds.Ball((0.0, 0.0), L * np.sqrt(0.3 / np.pi))  # 30 % of the area
    inside = ds.initial.region(cell, glass, dtype=tf.float64)
    filled = ds.Diffusion(cell, ds.Boundary(x=sides, y=ds.Neumann()), D * (1 - inside))
    start = tf.constant(c0 / 2 * np.ones(cell.shape))
    c = ds.solve(ds.Equation(linear=filled), start, t=(0, 200.0), dt=1.0).final
    through = -float(filled.inflow(0.0, c)["x+"]) / (D * c0)
    if figure:
        shown, flux = np.where(inside > 0.5, np.nan, c), filled.flux(0.0, c)
        draw(ts, J, amount, slope, offset, cell, shown, flux, figure)
    early = np.interp(0.1 * L**2 / D, ts, J) / (D * c0 / L)
    return {"J at 0.1": early, "lag": -offset / slope, "filled": through}


def draw(ts, J, amount, slope, offset, cell, c, flux, figure):
    """Breakthrough curve, and flux vectors: the faces' components averaged to the centres of the cells."""
    import matplotlib.pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    left.plot(ts, 1e6 * J, color="tab:blue")
    left.set(xlabel="time (s)", title=f"Breakthrough: the lag is {-offset / slope:.2f} s")
    left.set_ylabel("flux J (µmol/m²/s)", color="tab:blue")
    total, late = left.twinx(), ts[ts > -offset / slope]
    total.plot(ts, 1e6 * amount, color="tab:red", label="permeated amount")
    total.plot(late, 1e6 * (slope * late + offset), ":k", label="its asymptote")
    total.set_ylabel("permeated amount (µmol/m²)", color="tab:red")
    total.legend(loc="lower right")
    x, y = (1e6 * a.ravel() for a in cell.coordinates())
    Jx, Jy = (1e6 * a.numpy() for a in flux)
    Jx, Jy = (Jx[1:] + Jx[:-1]) / 2, (Jy[:, 1:] + Jy[:, :-1]) / 2
    image = right.pcolormesh(x, y, c.T, cmap="viridis")
    k = slice(None, None, max(1, len(x) // 24))
    right.quiver(x[k], y[k], Jx[k, k].T, Jy[k, k].T, color="black")
    right.set(xlabel="x (µm)", ylabel="y (µm)", aspect="equal", title="Flux around a disc of glass")
    fig.colorbar(image, label="c (mol/m³)")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="01_first_law.png").items():
        print(f"{name:24} {value:.8g}")
