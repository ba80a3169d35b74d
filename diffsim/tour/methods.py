"""Stops about the method: accounts that close, gradients through the solver, orders of convergence."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.tour.row import Row

F64 = tf.float64


def inverse(figure, out):
    """Gradients through time: two diffusivities from a profile."""
    from scipy.optimize import minimize  # on use

    grid, truth = ds.Grid(60, 1.0), np.array([1.0, 0.2])
    walls, left = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Neumann())), grid.coordinates()[0] < 0.5

    def law(D):
        return ds.Equation(linear=ds.Diffusion(grid, walls, tf.where(left, D[0], D[1])))

    start = tf.zeros(60, F64)
    sim = ds.Simulation(law(tf.constant(truth)), ds.CrankNicolson(), dt=0.002, like=start)
    data = sim.advance(start, 100)

    def misfit(log_D):
        log_D = tf.constant(log_D)
        with tf.GradientTape() as tape:
            tape.watch(log_D)
            wrong = 1e4 * tf.reduce_sum((sim.advance(start, 100, law=law(tf.exp(log_D))) - data) ** 2)
        return wrong.numpy(), tape.gradient(wrong, log_D).numpy()

    guess = np.log([0.5, 0.5])
    D = np.exp(minimize(misfit, guess, jac=True, method="BFGS", options={"gtol": 1e-7}).x)
    before, after = (sim.advance(start, 100, law=law(tf.constant(d))).numpy() for d in (np.exp(guess), D))
    ds.plot.compare(grid.coordinates()[0], after, data, x_unit="m", name="c", unit="mol/m", figure=figure)
    figure.axes[0].plot(grid.coordinates()[0], before, "k:", lw=1, label="first guess")
    ds.plot.style.legend(figure.axes[0])
    h = 1e-4
    slope = (misfit(guess + [h, 0])[0] - misfit(guess - [h, 0])[0]) / (2 * h)
    return [Row("D on the left", D[0], truth[0], 1e-5), Row("D on the right", D[1], truth[1], 1e-5),
            Row("gradient, beside a difference quotient", misfit(guess)[1][0], slope, 1e-5)]


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

    truth, counts = final(ds.ETDRK4(), 1000), np.array([80, 160, 320])
    steppers = {ds.ETD1(): 1, ds.ImplicitEuler(): 1, ds.CrankNicolson(): 2, ds.ETDRK2(): 2, ds.RKL2(): 2,
                ds.ETDRK4(): 4}
    errors = {type(s).__name__: [np.abs(final(s, n) - truth).max() for n in counts] for s in steppers}
    ds.plot.convergence(end / counts, errors, x_unit="s", name="max |u − exact|", figure=figure)
    return [Row(f"order of {name}", ds.analysis.order(end / counts, e).slope, order, 0.1)
            for (name, e), order in zip(errors.items(), steppers.values(), strict=True)]
