"""Spirals of an excitable medium: where the tip runs, how fast it turns, and that the box does not matter.

Barkley's model of the Belousov–Zhabotinsky reaction. At b = 0.01 the tip runs round a circle at a period of
its own, which a larger box does not change; with b = 0.06 it meanders and draws the petals of a flower.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds

A, EPS = 0.75, 0.02


def spiral(n, b, end, dx=0.25):
    """Grid, records and the way of the tip, from u raised on the left and v raised below."""
    grid = ds.Grid(shape=(n, n), size=(dx * n, dx * n))
    x, y = grid.coordinates()
    u0 = np.broadcast_to(1.0 * (x < dx * n / 2), grid.shape)
    v0 = np.broadcast_to(A / 2 * (y < dx * n / 2), grid.shape)
    law = ds.models.Barkley(a=A, b=b, eps=EPS).on(grid, ds.Neumann())
    save = ds.SaveAt(ts=np.arange(end - 20.0, end + 0.01, 0.1))
    y0 = tf.constant(u0, tf.float32), tf.constant(v0, tf.float32)
    sol = ds.solve(law, y0, t=(0, end), dt=0.005, stepper=ds.Euler(), save=save)
    path = ds.analysis.follow(grid, *sol.y, u_level=0.5, v_level=A / 2 - b)
    return grid, sol, path


def main(fast=False, figure=None):
    """Periods and radii in two boxes, the wobble of circle and flower, and the kind of pattern."""
    n, end = (64, 40.0) if fast else (128, 60.0)
    kinds = {"small": (n, 0.01), "large": (n + n // 2, 0.01), "flower": (n, 0.06)}
    runs = {name: spiral(*kind, end) for name, kind in kinds.items()}
    out = {}
    for name, (_, sol, path) in runs.items():
        turn = ds.analysis.rotation(sol.t, path)
        out[f"{name} wobble"] = turn.wobble
        if name != "flower":
            out |= {f"{name} period": turn.period, f"{name} error": turn.error, f"{name} radius": turn.radius}
    grid, sol, path = runs["small"]
    beside = sol.y[0][:, n // 4, n // 4]  # away from the tip a wave passes once in each turn
    out["passing period"] = ds.analysis.period(sol.t, beside, level=0.5).value
    verdict = ds.analysis.recognise(grid, sol.y[0], periodic=False)
    out["waves"] = float(verdict.pattern is ds.analysis.Pattern.WAVES)
    if figure:
        draw(runs, figure)
    return out


def draw(runs, figure):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    for ax, (name, (grid, sol, path)) in zip(axes, runs.items(), strict=True):
        box = (0, grid.size[0], 0, grid.size[1])
        image = ax.imshow(sol.y[0][-1].numpy().T, origin="lower", extent=box, cmap="cividis", vmin=0, vmax=1)
        ax.plot(*path.T, color="tab:red", lw=1.5)
        b = "0.06" if name == "flower" else "0.01"
        ax.set(title=f"{name}: b = {b}", xlabel="x [1]", ylabel="y [1]")
    fig.colorbar(image, ax=axes, label="u [1]", shrink=0.8)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="32_bz_spirals.png").items():
        print(f"{name:24} {value:.8g}")
