"""Stops about reaction and diffusion: onsets, kinds of patterns, spirals, fronts, coarsening, noise, growth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.tour.row import Row

F64 = tf.float64
PEARSON = {"LABYRINTH": (0.037, 0.06), "SPOTS": (0.03, 0.062), "HOLES": (0.039, 0.058), "CHAOS": (0.026, 0.051)}


def mosaic(figure, out):
    """Pearson's map: one program, 24 reactions."""
    n, end, F, k = 64, 8_000, np.linspace(0.018, 0.058, 5), np.linspace(0.05, 0.065, 4)
    pairs = np.array([*((a, b) for a in F for b in k), *PEARSON.values()], np.float32)[:, :, None, None]
    grid = ds.Grid((n, n), 2.5 * n / 256)
    law = ds.models.GrayScott(F=pairs[:, 0], k=pairs[:, 1]).on(grid, ds.Periodic())
    start = ds.initial.patches(grid, patch=(0.5, 0.4), count=5, key=ds.key(3))
    y0 = tuple(tf.repeat(a[None], len(pairs), 0) for a in start)
    save = ds.SaveAt(ts=np.arange(end - 3000.0, end + 1, 100.0), fn=lambda t, y: y[1], to=str(out / "mosaic.h5"))
    v = np.asarray(ds.solve(law, y0, (0, end), dt=1.0, stepper=ds.Euler(), save=save).y)
    step = k[1] - k[0], F[1] - F[0]
    tiles = v[-1, : F.size * k.size].reshape(F.size, k.size, n, n).transpose(0, 3, 1, 2).reshape(F.size * n, -1)
    ax = ds.plot.style.tidy(figure.subplots(), "k [1]", "F [1]")
    image = ax.imshow(tiles, origin="lower", aspect="auto", vmin=0, vmax=0.4, extent=(
        k[0] - step[0] / 2, k[-1] + step[0] / 2, F[0] - step[1] / 2, F[-1] + step[1] / 2))
    ds.plot.style.bar(figure, image, "v [1]", ax)
    seen = [ds.analysis.recognise(grid, v[:, -4 + i]).pattern.name for i in range(4)]
    return [Row("kinds that are as Pearson named them", sum(a == b for a, b in zip(seen, PEARSON, strict=True)), 4, 0)]


def turing(figure, out):
    """Turing's instability: each wave grows at its own rate."""
    model = ds.models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=20.0)
    state, grid = model.steady_states()[-1], ds.Grid(96, 60.0)
    onset = ds.analysis.onset(model, "Dv", (2.0, 40.0))
    modes = ds.analysis.modes(grid, ds.Neumann())
    theory = ds.analysis.dispersion(model, state, modes.lattice)
    noise = ds.random.normal(ds.key(1), (2, *grid.shape), F64)
    y0 = tuple(s + 1e-8 * n for s, n in zip(state, noise, strict=True))
    save = ds.SaveAt(ts=[40.0, 50.0, 150.0], to=str(out / "turing.h5"))
    sol = ds.solve(model.on(grid, ds.Neumann()), y0, (0, 150), dt=0.05, stepper=ds.ETDRK4(), save=save)
    growing = np.flatnonzero(theory.growth > 0.1)
    size = np.array([[abs(modes.pattern(i) @ (u - state[0])) for i in growing] for u in np.asarray(sol.y[0])[:2]])
    measured, exact = np.log(size[1] / size[0]) / 10, theory.growth[growing]
    ds.plot.compare(modes.lattice[growing], measured, exact, x_name="k on the lattice", name="growth",
                    figure=figure)
    best = np.argmax(exact)
    return [Row("critical Dv", onset.value, (5.6 + 28.8**0.5) / 1.28, 1e-9),
            Row("largest growth rate", measured[best], exact[best], 1e-5)]


def spiral(figure, out):
    """A spiral of the Belousov–Zhabotinsky kind (Barkley)."""
    a, b, grid, end = 0.75, 0.01, ds.Grid((64, 64), 16.0), 35.0
    x, y = grid.coordinates()
    y0 = tuple(tf.constant(np.broadcast_to(s, grid.shape), tf.float32) for s in (1.0 * (x < 8), a / 2 * (y < 8)))
    save = ds.SaveAt(ts=np.arange(end - 15.0, end + 0.01, 0.1), to=str(out / "spiral.h5"))
    law = ds.models.Barkley(a=a, b=b, eps=0.02).on(grid, ds.Neumann())
    sol = ds.solve(law, y0, (0, end), dt=0.005, stepper=ds.Euler(), save=save)
    path = ds.analysis.follow(grid, *sol.y, u_level=0.5, v_level=a / 2 - b)
    ds.plot.field(grid, sol.y[0][-1], name="u", figure=figure)
    figure.axes[0].plot(*path.T, color=ds.plot.style.COLOURS[1], lw=1.5)
    turn = ds.analysis.rotation(sol.t, path)
    far = ds.analysis.period(sol.t, sol.y[0][:, 16, 16], level=0.5).value
    return [Row("period of passing waves, beside that of the tip", far, turn.period, 1e-3),
            Row("how far the tip leaves its circle", turn.wobble, 0.0, 0.02)]


def pulled(figure, out):
    """A pulled front: the lattice's speed, approached as 1/t."""
    dx, end = 0.5, 120.0
    edge = ds.analysis.pulled(lambda k: 1 + (2 * np.sinh(k * dx / 2) / dx) ** 2, near=1.0)
    grid = ds.Grid(round(2.2 * end / dx), 2.2 * end)
    u0 = ds.initial.step(grid, 0, 10.0, dtype=F64)
    save = ds.SaveAt(ts=np.arange(0.5, end + 0.1, 0.5), to=str(out / "pulled.h5"))
    law = ds.models.FisherKPP().on(grid, ds.Neumann())
    sol = ds.solve(law, u0, (0, end), dt=0.05, stepper=ds.RK4(), save=save)
    when = ds.analysis.arrivals(grid, sol.t, sol.y, level=0.5)
    seen = np.flatnonzero(np.isfinite(when))[40:-2]
    t, x = when[seen], grid.axes[0].centers[seen]
    middle, speed = (t[8:] + t[:-8]) / 2, 8 * dx / (t[8:] - t[:-8])
    k, D = edge.steepness, edge.spread
    ax = ds.plot.style.tidy(figure.subplots(), "t [1]", "speed [1]")
    ax.plot(middle, speed, color=ds.plot.style.COLOURS[0], label="of the front")
    ax.plot(middle, edge.speed - 1.5 / (k * middle), "k:", lw=1, label="v* − 3/2kt")
    ax.axhline(edge.speed, color=ds.plot.style.COLOURS[1], lw=1, label=f"v* = {edge.speed:.6f}, of the lattice")
    ds.plot.style.legend(ax, loc="lower right")
    return [Row("speed at late times", ds.analysis.pulled_speed(t, x, k, D).slope, edge.speed, 5e-4)]


def coarsening(figure, out):
    """An alloy parts into phases: its energy only falls (Cahn–Hilliard)."""
    n, end, walls = 96, 200.0, ds.Periodic()
    grid, model = ds.Grid((n, n), float(n)), ds.models.CahnHilliard()
    c0 = 1e-2 * ds.random.normal(ds.key(11), (n, n), F64)
    times = np.array([2.0, 4.0, *np.geomspace(8.0, end, 12)])
    save = ds.SaveAt(ts=times, to=str(out / "coarsening.h5"))
    sol = ds.solve(model.on(grid, walls), c0 - tf.reduce_mean(c0), (0, end), dt=0.1, stepper=ds.ETDRK2(), save=save)
    energy = model.energy(grid, walls, tf.constant(np.asarray(sol.y))).numpy()
    ax = figure.subplots()
    ax.loglog(times, energy / n**2, label="energy")
    late = slice(7, None)
    ax.loglog(times[late], energy[-1] / n**2 * (times[late] / end) ** (-1 / 3), "k--", lw=1, label="t$^{−1/3}$")
    ds.plot.style.tidy(ax, "t [1]", "energy per area [1]")
    ax.yaxis.set_major_formatter("{x:.2g}")
    ax.yaxis.set_minor_formatter("{x:.2g}")
    ds.plot.style.legend(ax, loc="upper right")
    inset = ax.inset_axes((0.03, 0.04, 0.5, 0.56))
    inset.imshow(sol.final.numpy().T, origin="lower", cmap=ds.plot.style.DIVERGING, vmin=-1, vmax=1)
    inset.set_axis_off()
    early = [ds.analysis.power(grid, c)[1].numpy() for c in sol.y[:2]]
    wave = (2 * np.sin(np.pi * np.fft.fftfreq(n))) ** 2
    rate = model.symbol(wave[:, None] + wave, 0.0).numpy().ravel()
    fast = rate > 0.2
    return [Row("growth of the fastest waves", np.log(early[1] / early[0]).ravel()[fast].mean() / 4,
                rate[fast].mean(), 1e-2),
            Row("largest rise of energy", max(np.diff(energy).max(), 0.0), 0.0, 0.0),
            Row("mean of c", float(grid.mean(sol.final)), 0.0, 1e-12)]


def noise(figure, out):
    """Noise sustains waves below Turing's onset."""
    sigma, runs, cells = 1e-3, 256, 64
    model, grid = ds.models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=7.5), ds.Grid(cells, float(cells))
    state, law = model.steady_states()[-1], model.on(grid, ds.Periodic())
    law = replace(law, diffusion=sigma, noise=ds.SpaceTimeWhite(grid))
    y0 = tuple(tf.fill([runs, cells], tf.constant(s, tf.float32)) for s in state)
    save = ds.SaveAt(ts=np.linspace(40, 160, 13), to=str(out / "noise.h5"),
                     fn=lambda t, y: tf.reduce_mean(ds.analysis.power(grid, y[0] - state[0])[1], 0))
    sol = ds.solve(law, y0, (0, 160), dt=0.02, stepper=ds.ETD1(), save=save, key=ds.key(35))
    k = 2 * np.sin(np.pi * np.arange(cells // 2 + 1) / cells)
    J, one = model.symbol(k**2, state).numpy(), np.eye(2)
    both = np.einsum("nij,kl->nikjl", J, one) + np.einsum("ij,nkl->nikjl", one, J)
    exact = np.linalg.solve(both.reshape(-1, 4, 4), -one.reshape(4, 1))[1:, 0, 0]
    measured = np.asarray(sol.y).mean(0)[1 : cells // 2 + 1] / sigma**2
    ds.plot.compare(k[1:], measured, exact, x_name="k on the lattice", name="S/σ²", figure=figure)
    return [Row("structure factor, mean over all waves", (measured / exact).mean(), 1.0, 2e-2),
            Row("wavelength of the peak", 2 * np.pi / k[1 + measured.argmax()], 2 * np.pi / k[1 + exact.argmax()], 0.1)]


def growth(figure, out):
    """Stripes on a tissue that grows: each peak splits."""
    rate, start, doublings = 0.01, 12.0, 3
    grid, model = ds.Grid(96, start), ds.models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=30.0)
    law = ds.growing(model.on(grid, ds.Neumann()), rate)
    x, end = grid.coordinates()[0], doublings * np.log(2) / rate
    y0 = tuple(tf.constant(s * (1 + 0.1 * np.cos(np.pi * x / start))) for s in model.steady_states()[-1])
    save = ds.SaveAt(ts=np.linspace(0, end, 121), fn=law.drift.concentration, to=str(out / "growth.h5"))
    sol = ds.solve(law, y0, (0, end), stepper=ds.RKL2(), dt=0.1, save=save)
    u = np.asarray(sol.y[0])
    ax = ds.plot.style.tidy(figure.subplots(), "x [1]", "t [1]")
    faces, rows = grid.axes[0].faces, np.linspace(-end / 240, end + end / 240, 122)
    image = ax.pcolormesh(np.exp(rate * rows)[:, None] * faces, rows[:, None] * np.ones_like(faces), u, rasterized=True)
    ds.plot.style.bar(figure, image, "u [1]", ax)
    wide = np.pad(u[-1], 1, mode="edge")
    high = (u[-1] > wide[:-2]) & (u[-1] >= wide[2:]) & (u[-1] > u[-1].mean())
    peaks = high.sum() - 0.5 * high[0] - 0.5 * high[-1]  # half of a peak lies beyond a closed end
    return [Row("peaks after three doublings", peaks, 8, 0)]


def tubes(figure, out):
    """Gray–Scott in space: tubes that fill the box."""
    grid = ds.Grid((48, 48, 48), 48 * 2.5 / 256)
    law = ds.models.GrayScott(F=0.037, k=0.06).on(grid, ds.Periodic())
    y0 = ds.initial.patches(grid, count=6, key=ds.key(4))
    save = ds.SaveAt(ts=[1500.0, 3000.0], to=str(out / "tubes.h5"))
    sol = ds.solve(law, y0, (0, 3000), dt=0.75, stepper=ds.Euler(), save=save)
    ds.plot.isosurface(grid, sol.final[1], 0.25, name="v", figure=figure)
    return []
