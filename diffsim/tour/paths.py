"""Stops about particles: a bead in a trap, and a random run that is broken off and goes on."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.tour.row import Row


def trap(figure, out):
    """A bead in an optical trap: mean squared displacement."""
    kT, gamma, stiffness, beads = 1.0, 2.0, 0.5, 50_000
    law = ds.Equation(linear=-stiffness / gamma, diffusion=(2 * kT / gamma) ** 0.5)
    x0, lags = tf.zeros([beads, 3]), 0.05 * 2.0 ** np.arange(10)
    square = lambda t, x: tf.reduce_mean(tf.reduce_sum(x**2, -1))  # noqa: E731 - an observable
    save = ds.SaveAt(ts=lags, fn=square, to=str(out / "trap.h5"))
    sol = ds.solve(law, x0, (0, lags[-1]), dt=0.05, stepper=ds.ETD1(), save=save, key=ds.key(7))
    msd, exact = np.asarray(sol.y), 3 * kT / stiffness * (1 - np.exp(-2 * stiffness * lags / gamma))
    ds.plot.compare(lags, msd, exact, x_name="t", x_unit="s", name="⟨r²⟩", unit="µm²", figure=figure)
    ds.plot.style.logarithmic(figure.axes[0].xaxis, figure.axes[0].yaxis)
    five_sigma = 5 * (2 / (3 * beads)) ** 0.5
    return [Row("⟨r²⟩ after one step", msd[0], exact[0], five_sigma),
            Row("⟨r²⟩ in equilibrium, 3kT/κ", msd[-1], exact[-1], five_sigma)]


def interrupted(figure, out):
    """A run broken off and resumed: the same paths, to the bit."""
    law, x0, path = ds.Equation(linear=-1.0, diffusion=1.0), tf.zeros([200, 2]), str(out / "interrupted.h5")
    options = {"dt": 0.01, "stepper": ds.ETD1(), "key": ds.key(3)}
    unbroken = ds.solve(law, x0, (0, 4), **options)
    ds.solve(law, x0, (0, 4), save=ds.SaveAt(every=1, to=path), max_steps=150, throw=False, **options)
    whole = ds.resume(path)
    ax, x = figure.subplots(), np.asarray(whole.y)
    for i, colour in enumerate(ds.plot.style.COLOURS[:5]):
        ax.plot(whole.t, x[:, i, 0], color=colour, lw=0.8)
    ax.axvline(1.5, color="k", ls="--", lw=1, label="broken off and resumed")
    ds.plot.style.tidy(ax, "t [s]", "x [µm]")
    ds.plot.style.legend(ax)
    apart = np.abs(whole.final - unbroken.final).max()
    return [Row("largest difference to the unbroken run", float(apart), 0.0, 0.0)]
