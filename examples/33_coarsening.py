"""Coarsening: an alloy that parts into its phases, whose domains grow as t^⅓ while its energy falls.

Cahn and Hilliard's equation from noise, in several boxes at once. The length is the first zero of the
correlation function; its exponent's standard error is the scatter between boxes. Lifshitz and Slyozov: ⅓.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import random


def main(fast=False, figure=None):
    """Exponents of length and energy, what the mean has drifted, and the largest rise of energy."""
    n, members, end = (128, 4, 400.0) if fast else (256, 4, 4_000.0)
    grid = ds.Grid(shape=(n, n), size=(float(n), float(n)))
    model, walls = ds.models.CahnHilliard(eps=1.0, M=1.0), ds.Periodic()
    c0 = 0.1 * random.normal(ds.key(11), (members, n, n))
    c0 = c0 - tf.reduce_mean(c0, (1, 2), keepdims=True)
    save = ds.SaveAt(ts=np.geomspace(50.0, end, 16))
    sol = ds.solve(model.on(grid, walls), c0, t=(0, end), dt=0.5, stepper=ds.ETDRK2(), save=save)
    t, L = sol.t, ds.analysis.domain_size(grid, sol.y)
    energy = np.asarray(model.energy(grid, walls, tf.cast(sol.y, tf.float64))) / n**2
    out = {}
    for name, y in (("length", L), ("energy", energy)):
        slopes = [ds.analysis.power_law(t, member).slope for member in y.T]
        out |= {f"{name} exponent": np.mean(slopes), f"{name} error": np.std(slopes, ddof=1) / members**0.5}
    out["from"], out["to"] = L.mean(1)[[0, -1]]
    out["drift"] = float(np.abs(sol.y.numpy().astype(float).mean((2, 3))).max())
    out["rise"] = float(np.diff(energy, axis=0).max())
    if figure:
        draw(grid, t, L, energy, sol.y, figure)
    return out


def draw(grid, t, L, energy, c, figure):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 4, figsize=(14, 3.4), layout="constrained")
    for ax, i in zip(axes, (0, len(t) // 2, -1), strict=False):
        ax.imshow(c[i, 0].numpy().T, origin="lower", extent=(0, grid.size[0], 0, grid.size[1]), cmap="RdBu",
                  vmin=-1, vmax=1)
        ax.set(title=f"t = {t[i]:.0f}", xlabel="x [1]", ylabel="y [1]")
    ax = axes[-1]
    ax.loglog(t, L, ".", color="tab:blue", ms=4)
    ax.loglog(t, 1 / energy, ".", color="tab:orange", ms=4)
    for y, name in ((L, "length"), (1 / energy, "1 / energy density")):
        ax.loglog(t, y.mean(1), lw=1, label=name)
    ax.loglog(t, 0.8 * L.mean() * (t / np.exp(np.log(t).mean())) ** (1 / 3), "k--", lw=1, label="t$^{1/3}$")
    ax.set(xlabel="t [1]", ylabel="length, 1 / energy density [1]")
    ax.set_yticks([5, 10, 20], ["5", "10", "20"])
    ax.minorticks_off()
    ax.legend(frameon=False)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="33_coarsening.png").items():
        print(f"{name:24} {value:.8g}")
