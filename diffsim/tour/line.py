"""Stops in one dimension: slabs, spheres and fronts."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.reference import bounded, free, layered, membrane, nonlinear, periodic
from diffsim.tour.row import Row

F64 = tf.float64


def release(figure, out):
    """A drop of dye spreads: variance grows by 2Dt."""
    D, grid, times = 0.5, ds.Grid(512, 40.0, -20.0), [0.0, 1.0, 4.0]
    x = grid.coordinates()[0]
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Neumann(), D))
    c0, save = ds.initial.gaussian(grid, 0.0, 1.0, dtype=F64), ds.SaveAt(ts=times, to=str(out / "release.h5"))
    sol = ds.solve(law, c0, (0, 4), save=save)
    u = np.asarray(sol.y)
    exact = np.stack([free.gaussian(x, t + 1.0, D) for t in times])  # σ = 1 is the age 1/2D = 1
    ds.plot.profiles(grid, times, u, exact=exact, name="c", unit="mol/m", length_unit="m", time_unit="s",
                     figure=figure)
    variance = [float(grid.integrate(x**2 * c)) for c in u]
    return [Row("variance gained by t = 4 s", variance[2] - variance[0], 2 * D * 4, 1e-10),
            Row("peak at t = 4 s", u[2].max(), exact[2].max(), 1e-3)]


def layers(figure, out):
    """Two layers with partition: the slowest mode."""
    grid, wall = ds.Grid(200, 1.0), (1.0, 2.0)
    medium = ds.Layers(D=(1.0, 0.1), at=(0.5,), interfaces=(ds.Interface(partition=2.0),))
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Dirichlet(0.0), medium))
    u0, times = ds.initial.step(grid, 0, 0.5, *wall, dtype=F64), [0.01, 0.05, 0.2, 1.0, 1.5]
    sol = ds.solve(law, u0, (0, 1.5), save=ds.SaveAt(ts=times, to=str(out / "layers.h5")))
    slab, x = layered.Layers((0.5, 0.5), (1.0, 0.1), solubility=(1.0, 2.0)), grid.coordinates()[0]
    exact = np.stack([layered.transient(slab, x, t, wall) for t in times])
    u = np.asarray(sol.y)
    ds.plot.profiles(grid, times[:4], u[:4], exact=exact[:4], name="c", unit="mol/m³", length_unit="mm",
                     time_unit="s", figure=figure)
    mass = u.mean(1)
    return [Row("decay rate [1/s]", np.log(mass[3] / mass[4]) / 0.5, layered.decay_rates(slab, 1)[0], 1e-4),
            Row("amount left at t = 0.2 s", mass[2], exact[2].mean(), 1e-4)]


def cooling(figure, out):
    """A slab cools through a film, Bi = 1."""
    grid = ds.Grid(100, 1.0)
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(x=(ds.Neumann(), ds.Robin(1.0, 0.0))), 1.0))
    save = ds.SaveAt(ts=[1.0], to=str(out / "cooling.h5"))
    sol = ds.solve(law, ds.initial.uniform(grid, 1.0, F64), (0, 1), save=save)
    x, T = grid.coordinates()[0], sol.final.numpy()
    ds.plot.compare(x, T, bounded.cooling(x, 1.0, Bi=1.0), x_name="x/L", name="T/T₀", figure=figure)
    return [Row("mean temperature at Fo = 1", T.mean(), bounded.cooling_mean(1.0, Bi=1.0), 1e-4)]


def wave(figure, out):
    """Seasons in the ground: a wave that lags as it fades."""
    D, omega, L, grid = 25.0, 2 * np.pi, 20.0, ds.Grid(200, 20.0)  # soil, 8e-7 m²/s, in metres and years
    season = ds.Dirichlet(lambda t, x: tf.cos(omega * t))
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(x=(season, ds.Neumann())), D))
    times = np.linspace(9.0, 10.0, 41)
    x = grid.coordinates()[0]
    sol = ds.solve(law, periodic.wave(x, 0.0, D, omega, L), (0, 10), dt=0.005, stepper=ds.CrankNicolson(),
                   save=ds.SaveAt(ts=times, to=str(out / "wave.h5")))
    u = np.asarray(sol.y)
    ds.plot.kymograph(grid, times, u, name="ΔT", unit="K", length_unit="m", time_unit="yr", figure=figure)
    exact = periodic.wave(x, times[:, None], D, omega, L=L)
    cell, phase = 20, np.exp(-1j * omega * times[:-1])  # at x = 2.05
    measured, theory = (2 * np.mean(v[:-1, cell] * phase) for v in (u, exact))
    return [Row("amplitude 2.05 m below", abs(measured), abs(theory), 1e-3),
            Row("lag 2.05 m below [rad]", -np.angle(measured), -np.angle(theory), 1e-3)]


def uptake(figure, out):
    """A sphere takes up solvent (Crank)."""
    grid, times = ds.RadialGrid(200, 1.0), np.geomspace(0.003, 0.5, 25)
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Dirichlet(1.0), 1.0))
    save = ds.SaveAt(ts=times, to=str(out / "uptake.h5"))
    sol = ds.solve(law, ds.initial.uniform(grid, 0.0, F64), (0, 0.5), save=save)
    measured, exact = grid.mean(np.asarray(sol.y)).numpy(), bounded.uptake(times, d=3)
    ds.plot.compare(times, measured, exact, x_name="Dt/a²", name="M/M∞", figure=figure)
    ds.plot.style.logarithmic(figure.axes[0].xaxis)
    return [Row("uptake at Dt/a² = 0.5", measured[-1], exact[-1], 1e-5),
            Row("uptake at Dt/a² = 0.003", measured[0], exact[0], 1e-3)]


def permeation(figure, out):
    """Permeation through a film: the time lag."""
    grid, times = ds.Grid(200, 1.0), np.linspace(0.02, 1.5, 38)
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0))), 1.0))
    save = ds.SaveAt(ts=times, fn=lambda t, y: -y[1][0]["x+"], to=str(out / "permeation.h5"))
    sol = ds.solve(*ds.track(law, ds.initial.uniform(grid, 0.0, F64)), (0, 1.5), save=save)
    passed, exact = np.asarray(sol.y), membrane.permeated(times)
    ds.plot.compare(times, passed, exact, x_name="Dt/L²", name="Q/LC₀", figure=figure)
    lag = times[-1] - passed[-1]  # the flux is 1 by then
    figure.axes[0].plot([lag, 1.5], [0, 1.5 - lag], "k--", lw=0.8)
    return [Row("time lag [L²/D]", lag, membrane.time_lag(1.0, 1.0), 1e-4),
            Row("permeated by Dt/L² = 0.1", np.interp(0.1, times, passed), membrane.permeated(0.1), 1e-2)]


def barenblatt(figure, out):
    """Gas in rock: Barenblatt's front has an end."""
    grid, times = ds.Grid(400, 6.0, -3.0), [0.1, 0.3, 1.0]
    x = grid.coordinates()[0]
    exact = np.stack([nonlinear.barenblatt(x, t, m=2) for t in times])
    law = ds.models.PorousMedium(2).on(grid, ds.Neumann())
    save = ds.SaveAt(ts=times, to=str(out / "barenblatt.h5"))
    sol = ds.solve(law, exact[0], (0.1, 1.0), stepper=ds.RKL2(stages=30), dt=0.01, save=save)
    u = np.asarray(sol.y)
    ds.plot.profiles(grid, times, u, exact=exact, name="u", figure=figure)
    front = x[u[-1] > 1e-3 * u[-1].max()].max() + grid.dx[0] / 2
    return [Row("peak at t = 1", u[-1].max(), 0.3605623926, 1e-3),
            Row("mass at t = 1", u[-1].sum() * grid.dx[0], u[0].sum() * grid.dx[0], 1e-12),
            Row("front at t = 1", front, nonlinear.barenblatt_front(1.0, m=2), 2e-2)]


def front(figure, out):
    """Fisher–KPP: growth spreads at 5/√6."""
    grid, times = ds.Grid(600, 60.0), np.linspace(0.0, 20.0, 41)
    x = grid.coordinates()[0]
    law, save = ds.models.FisherKPP().on(grid, ds.Neumann()), ds.SaveAt(ts=times, to=str(out / "front.h5"))
    sol = ds.solve(law, nonlinear.fisher_wave(x - 8.0, 0.0), (0, 20), dt=0.02, save=save)
    u = np.asarray(sol.y)
    ds.plot.kymograph(grid, times, u, name="u", figure=figure)
    place = ds.analysis.front(grid, u, 0.5).numpy()
    c, half = 5 / np.sqrt(6), np.sqrt(6) * np.log(np.sqrt(2) - 1)  # where u = ½
    figure.axes[0].plot(8.0 + half + c * times, times, "w--", lw=1.2, label="exact u = ½")
    ds.plot.style.legend(figure.axes[0], labelcolor="white", loc="lower right")
    return [Row("speed of the front", np.polyfit(times, place, 1)[0], c, 1e-3)]
