"""Stops in two and three dimensions: media, landscapes, volumes and patterns."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.reference import lattice, mixtures, poisson
from diffsim.tour.row import Row

F64 = tf.float64


def image(figure, out):
    """A medium from an image: flow through a checkerboard."""
    grid, pixels = ds.Grid((96, 96), 1.0), np.array([[1.0, 4.0], [4.0, 1.0]])
    D = ds.initial.from_array(grid, pixels, F64)
    op = ds.Diffusion(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0)), y=ds.Neumann()), D)
    u0 = 1.0 - grid.coordinates(F64)[0] * np.ones(grid.shape)
    sol = ds.solve(ds.Equation(linear=op), u0, (0, 10), stepper=ds.ImplicitEuler(), dt=2.0, jit=False,
                   save=ds.SaveAt(ts=[10.0], to=str(out / "image.h5")))
    ds.plot.field(grid, sol.final, name="c", unit="mol/m²", length_unit="m", figure=figure)
    flow = -float(op.inflow(10.0, sol.final)["x+"])
    return [Row("effective D", flow, mixtures.checkerboard(1.0, 4.0), 5e-3)]


def tensor(figure, out):
    """A drop in an anisotropic medium: covariance 2Dt."""
    D, t, grid = np.array([[2.0, 0.6], [0.6, 1.0]]), 0.5, ds.Grid((128, 128), 16.0, -8.0)
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Neumann(), ds.Anisotropic(D)))
    u0 = ds.initial.gaussian(grid, 0.0, 0.4, dtype=F64)
    save = ds.SaveAt(ts=[t], to=str(out / "tensor.h5"))
    sol = ds.solve(law, u0, (0, t), stepper=ds.RKL2(), dt=0.02, save=save)
    ds.plot.field(grid, sol.final, name="c", unit="mol/m²", length_unit="m", figure=figure)
    gained = (ds.analysis.covariance(grid, sol.final) - ds.analysis.covariance(grid, u0)).numpy()
    exact = 2 * D * t
    return [Row(f"covariance gained, {'xy'[i]}{'xy'[j]}", gained[i, j], exact[i, j], 1e-6)
            for i, j in ((0, 0), (0, 1), (1, 1))]


def hillslope(figure, out):
    """A ridge between two streams: rough land to steady relief."""
    D, U, L, grid = 0.01, 1e-4, 50.0, ds.Grid((100, 50), (100.0, 50.0), (-50.0, 0.0))
    law = ds.models.Hillslope(D, U).on(grid, ds.Boundary(x=ds.Dirichlet(0.0), y=ds.Neumann()))
    z0 = ds.initial.noise(grid, 6.0, 3.0, ds.key(2), dtype=F64)
    sol = ds.solve(law, z0, (0, 2e6), save=ds.SaveAt(ts=[2e3, 2e6], to=str(out / "hillslope.h5")))
    ds.plot.field(grid, sol.y[0], name="z after 2 kyr", unit="m", length_unit="m", figure=figure)
    z, x = sol.final.numpy(), grid.coordinates()[0].ravel()
    exact = U * (L**2 - x**2) / (2 * D)
    carried = law.linear.inflow(2e6, sol.final)
    return [Row("height of the divide [m]", z.max(), exact.max(), 1e-3),
            Row("sediment into the streams [m³/yr]", -float(carried["x-"] + carried["x+"]), U * 5000.0, 1e-8)]


def disc(figure, out):
    """A shrinking domain: Allen–Cahn moves by curvature."""
    grid, times, R, eps = ds.Grid((160, 160), 2.0, -1.0), np.linspace(0.0, 0.12, 13), 0.7, 0.03
    x, y = grid.coordinates()
    law = ds.models.AllenCahn(eps=eps).on(grid, ds.Neumann())
    u0 = np.tanh((R - np.sqrt(x**2 + y**2)) / (np.sqrt(2) * eps))
    sol = ds.solve(law, u0, (0, 0.12), dt=1e-4, save=ds.SaveAt(ts=times, to=str(out / "disc.h5")))
    u = np.asarray(sol.y)
    ds.plot.field(grid, u[-1], name="u", length_unit="µm", figure=figure)
    for record in u[::4]:
        figure.axes[0].contour(x.ravel(), y.ravel(), record.T, levels=[0.0], colors="k", linewidths=0.8)
    squared = (grid.integrate(u).numpy() + 4.0) / (2 * np.pi)  # u = 1 inside, −1 outside
    return [Row("dR²/dt", ds.analysis.straight(times, squared).slope, -2.0, 2e-2)]


def poisson_square(figure, out):
    """Poisson's equation on a square, −∇²u = 1."""
    grid = ds.Grid((128, 128), 1.0)
    law = ds.Equation(linear=ds.Laplacian(grid, ds.Dirichlet(0.0)), drift=lambda t, u: tf.ones_like(u))
    sol = ds.steady(law, ds.initial.uniform(grid, 0.0, F64))
    ds.plot.field(grid, sol.final, name="u", figure=figure)
    u, centre = sol.final.numpy(), float(poisson.rectangle(0.5, 0.5))
    middle = u[63:65, 63:65].mean()
    return [Row("u at the centre", middle, centre, 1e-3),
            Row("∫u", float(grid.integrate(sol.final)), poisson.rectangle_integral(), 1e-3)]


def volume(figure, out):
    """Heat in a closed box, exact to rounding."""
    grid, times = ds.Grid((40, 40, 40), 1.0), [0.002, 0.01]
    ball = ds.Ball((0.35, 0.4, 0.45), 0.2)
    law = ds.Equation(linear=ds.Laplacian(grid, ds.Neumann()))
    u0 = ds.initial.region(grid, ball, dtype=F64)
    sol = ds.solve(law, u0, (0, 0.01), save=ds.SaveAt(ts=times, to=str(out / "volume.h5")))
    ds.plot.slices(grid, sol.final, at=(0.35, 0.4, 0.45), name="T", unit="K", length_unit="m", figure=figure)
    modes = [lattice.no_flux(n, dx) for n, dx in zip(grid.shape, grid.dx, strict=True)]
    exact = lattice.heat(u0.numpy(), modes, 0.01)
    return [Row("hottest cell, of the same lattice", sol.final.numpy().max(), exact.max(), 1e-11),
            Row("heat kept", float(grid.integrate(sol.final)), float(grid.integrate(u0)), 1e-12)]


def pattern(figure, out):
    """Gray–Scott: spots divide and fill the plane."""
    grid = ds.Grid((160, 160), 160 * 2.5 / 256)
    law = ds.models.GrayScott(F=0.0367, k=0.0649).on(grid, ds.Periodic())
    y0 = ds.initial.patches(grid, (1.0, 0.0), (0.5, 0.25), ds.key(0))
    sol = ds.solve(law, y0, (0, 8000), dt=1.0, save=ds.SaveAt(every=1000, to=str(out / "pattern.h5")))
    ds.plot.field(grid, sol.final[1], name="v", figure=figure)
    return []
