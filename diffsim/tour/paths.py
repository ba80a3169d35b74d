"""Stops about paths and accounts: a trapped particle, an open system's ledger, orders of convergence."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.tour.row import Row

F64 = tf.float64


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


def ledger(figure, out):
    """The ledger of an open reactor: stored = entered − reacted."""
    grid, times = ds.Grid(100, 1.0), np.linspace(0.0, 1.0, 41)
    op = ds.Diffusion(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Robin(2.0, 0.2))), 0.3)
    law = ds.Equation(linear=op, drift=lambda t, u: -2.0 * u**2)
    books = ds.SaveAt(ts=times, to=str(out / "ledger.h5"),
                      fn=lambda t, y: {"stored": grid.integrate(y[0]), **y[1][0]})
    sol = ds.solve(*ds.track(law, ds.initial.uniform(grid, 0.1, F64)), (0, 1), dt=0.01, save=books)
    amounts = {name: np.asarray(v) for name, v in sol.y.items()}
    ax = ds.plot.style.tidy(figure.subplots(), "t [s]", "amount [mol/m²]")
    names = {"x-": "through the left wall", "x+": "through the right wall", "reacted": "reacted"}
    for colour, (key, name) in zip(ds.plot.style.COLOURS, names.items(), strict=False):
        ax.plot(times, amounts[key], color=colour, label=name)
    ax.plot(times, amounts["stored"] - amounts["stored"][0], "k--", label="stored")
    ds.plot.style.legend(ax)
    entered = sum(amounts[k] for k in names)
    missing = np.abs(amounts["stored"] - amounts["stored"][0] - entered).max()
    return [Row("stored − (entered + reacted)", float(missing), 0.0, 1e-12)]


def orders(figure, out):
    """Orders of convergence: a stiff law, solved by six steppers."""
    grid, end = ds.Grid(64, 1.0), 0.5
    law = ds.models.AllenCahn(eps=0.3).on(grid, ds.Neumann())
    u0 = ds.initial.cosine(grid, 2, amplitude=0.6, mean=0.2, dtype=F64)

    def final(stepper, n):
        return ds.solve(law, u0, (0, end), dt=end / n, stepper=stepper).final.numpy()

    truth, counts = final(ds.ETDRK4(), 1000), np.array([40, 80, 160])
    steppers = {ds.ETD1(): 1, ds.ImplicitEuler(): 1, ds.CrankNicolson(): 2, ds.ETDRK2(): 2, ds.RKL2(): 2,
                ds.ETDRK4(): 4}
    errors = {type(s).__name__: [np.abs(final(s, n) - truth).max() for n in counts] for s in steppers}
    ds.plot.convergence(end / counts, errors, x_unit="s", name="max |u − exact|", figure=figure)
    return [Row(f"order of {name}", np.log2(e[-2] / e[-1]), order, 0.1)
            for (name, e), order in zip(errors.items(), steppers.values(), strict=True)]
