"""A long run that is interrupted: it streams to a file, stops, and goes on as if nothing had happened.

Rods are shaken by noise in every cell and smoothed by diffusion, dY = D∇²Y dt + g dW. Random numbers are a
function of key, step and cell: the run that was resumed equals the one that was not, bit for bit.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """When the run stopped, its records, its difference from an unbroken one, and ⟨Y²⟩ − theory in σ."""
    D, g, rods, n, end = 1.0, 0.5, 64 if fast else 256, 100, 50.0
    grid = ds.Grid(shape=n, size=float(n))
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Periodic(), D), diffusion=g)
    y0, task = tf.zeros([rods, n], tf.float64), {"t": (0, end), "dt": 0.05, "key": ds.key(3)}

    whole = ds.solve(law, y0, **task)
    save, limits = ds.SaveAt(every=20, to="rods.h5"), {"stop": ds.WallClock(600.0), "max_steps": 400}
    part = ds.solve(law, y0, **task, **limits, save=save, throw=False)  # ten minutes or 400 steps
    sol = ds.resume("rods.h5")  # in another process, on another day

    rate = 4 * D * np.sin(np.pi * np.arange(1, n) / n) ** 2  # how fast the waves on the grid decay
    waves = g**2 * np.append(end, (1 - np.exp(-2 * rate * end)) / (2 * rate))  # their variances
    sigma = np.sqrt(2 * np.sum(waves**2) / rods) / n  # standard error of the mean of Y²
    if figure:
        draw(grid, sol, part.t_final, figure)
    sigmas = (np.mean(sol.final**2) - waves.mean()) / sigma
    difference = np.abs(sol.final - whole.final).max()
    return {"stopped": part.t_final, "records": len(sol.t), "difference": difference, "sigmas": sigmas}


def draw(grid, sol, stopped, figure):
    """One rod in time, read from the file."""
    units = {"unit": "length", "length_unit": "cells", "time_unit": "time"}
    fig = ds.plot.kymograph(grid, sol.t, sol.y[:, 0], name="Y", **units)
    fig.axes[0].axhline(stopped, color="k", lw=1)
    fig.axes[0].set_title(f"stopped at t = {stopped:g}, and resumed")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="11_resume.png").items():
        print(f"{name:24} {value:.8g}")
