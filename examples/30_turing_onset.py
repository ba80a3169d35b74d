"""Turing's instability, from theory to a pattern: Schnakenberg's reaction in a closed box, as Dv rises.

Theory tells the critical Dv and wavelength, the waves that the box admits and how fast each of them grows
on the lattice; a run that begins with noise grows at just that rate, and settles near that wavelength.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Critical Dv and wavelength, growth in theory and in the run, and half waves in the final pattern."""
    model = ds.models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=20.0)
    state = model.steady_states()[-1]
    onset = ds.analysis.onset(model, "Dv", (2.0, 40.0))
    grid = ds.Grid(shape=64 if fast else 128, size=60.0)
    modes = ds.analysis.modes(grid, ds.Neumann())
    box = ds.analysis.dispersion(model, state, modes.lattice)
    best = int(np.argmax(box.growth))

    noise = ds.random.normal(ds.key(1), (2, *grid.shape), tf.float64)
    y0 = tuple(s + 1e-6 * n for s, n in zip(state, noise, strict=True))
    save = ds.SaveAt(ts=np.linspace(0, 200 if fast else 400, 201))
    law, end = model.on(grid, ds.Neumann()), save.ts[-1]
    sol = ds.solve(law, y0, t=(0, end), dt=0.05, stepper=ds.ETDRK4(), save=save)
    u = sol.y[0].numpy()
    wave = modes.pattern(best)
    size = np.abs((u - state[0]) @ wave) / (wave @ wave)
    early = (sol.t > 10) & (size < 1e-3)
    growth = np.polyfit(sol.t[early], np.log(size[early]), 1)[0]
    spectrum = np.abs([modes.pattern(i) @ (u[-1] - u[-1].mean()) for i in range(grid.cells // 2)])
    if figure:
        draw(model, onset, grid, box, sol.t, size, growth, u[-1]).savefig(figure)
    return {
        "critical Dv": onset.value,
        "critical wavelength": onset.wavelength,
        "growth in theory": box.growth[best],
        "growth in the run": growth,
        "half waves in theory": best,
        "half waves seen": int(np.argmax(spectrum)),
    }


def draw(model, onset, grid, box, t, size, growth, u):
    """Dispersion with the waves of the box, the map over Dv and b, the growth of one wave, the pattern."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 7.5), dpi=150, layout="constrained")
    (above, below) = page.subfigures(2, 1)
    left, right = above.subfigures(1, 2, width_ratios=(1, 1.15))
    many = ds.models.Schnakenberg(Dv=np.array([5.0, onset.value, model.Dv]))
    relation = ds.analysis.dispersion(many, (1.0, 0.9), np.linspace(0, 1.4, 300))
    names = ("Dv = 5", f"Dv = {onset.value:.4f}", f"Dv = {model.Dv:g}")
    ds.plot.dispersion(relation, admitted=box, labels=names, figure=left)
    axes = {"x": ("Dv", np.linspace(2, 40, 200)), "y": ("b", np.linspace(0.4, 2.0, 200))}
    known = ds.analysis.stability_map(model, np.linspace(0, 3, 256), **axes,
                                      state=lambda m: (m.a + m.b, m.b / (m.a + m.b) ** 2))
    ds.plot.stability_map(known, figure=right)
    one, two = below.subplots(1, 2)
    one.semilogy(t, size, label=f"run: {growth:.5f}")
    rate = box.growth.max()
    one.semilogy(t, size[20] * np.exp(rate * (t - t[20])), "k--", label=f"theory: {rate:.5f}")
    one.set(xlabel="t [1]", ylabel="amplitude of the fastest wave [1]", ylim=(size[0] / 2, 5), xlim=(0, 100))
    one.legend(title="growth")
    two.plot(grid.axes[0].centers, u)
    two.set(xlabel="x [1]", ylabel="u [1]")
    return page


if __name__ == "__main__":
    for name, value in main(figure="30_turing_onset.png").items():
        print(f"{name:24} {value:.8g}")
