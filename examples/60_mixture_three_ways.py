"""Two Gaussians in a trap, three ways: as particles, as a density, and undone with the exact score.

The trap forgets where beads began; the score of what is left at every moment leads them back.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

TIMES = np.array([0.05, 0.2, 1.0])


def main(fast=False, figure=None):
    """√n times the largest distance of each ensemble from the density: below 2.47 but once in 10⁵."""
    count, steps = (10_000, 400) if fast else (100_000, 1000)
    data = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
    rate = 2.0  # stiffness over friction, at kT = stiffness
    trap, schedule = ds.Equation(linear=-rate, diffusion=(2 * rate) ** 0.5), gen.VP(2 * rate, 2 * rate)
    k_data, k_trap, k_back = ds.split(ds.key(60), 3)

    x0, save = data.sample(count, k_data, tf.float64), ds.SaveAt(ts=TIMES)
    beads = ds.solve(trap, x0, t=(0, 1), stepper=ds.ETD1(), save=save, key=k_trap).y
    grid = ds.Grid(1600, 64.0, -32.0)  # in the scale of data, which the trap shrinks, noise reaches far
    p0 = np.exp(data.log_density(grid.coordinates()[0][:, None], 40.0))
    densities = ds.solve(ds.models.fokker_planck(trap, grid, ds.Neumann()), p0, t=(0, 1), save=save).y

    mesh = gen.uniform_time(schedule, steps)
    stops = mesh.lam[np.searchsorted(-mesh.t, -np.array([0.2, 0.05, 0.0]) - 1e-9)]
    table = gen.from_density(grid, p0, *np.exp(-schedule.lam(np.array([1e-3, 1.0]))))
    back = {}
    for name, denoiser in (("exact score", data), ("score of the density", table)):
        law, z, save = gen.reverse_sde(denoiser), beads[-1] / schedule.alpha(1.0), ds.SaveAt(ts=stops)
        z = ds.solve(law, z, t=mesh, stepper=ds.ETD1(), save=save, key=k_back).y
        back[name] = z * schedule.scales(stops)[0][:, None, None]  # x = αz

    times, beads, densities = (0.0, *TIMES), [x0, *beads], [p0, *densities]
    ways = {"trap": beads, **{name: [*z[::-1], beads[-1]] for name, z in back.items()}}
    if figure:
        draw(grid, times, densities, ways, figure)
    return {
        f"{way}, t = {t:g}": distance(x, grid, p)
        for way, ensembles in ways.items()
        for t, x, p in zip(times, ensembles, densities, strict=True)
    }


def distance(x, grid, density):
    """√n sup |F_n − F| (Kolmogorov–Smirnov), F from the density."""
    share = np.append(0.0, np.cumsum(density) * grid.dx[0])
    F, n = np.interp(np.sort(x[:, 0]), grid.axes[0].faces, share), len(x)
    return np.sqrt(n) * max(np.max(np.arange(1, n + 1) / n - F), np.max(F - np.arange(n) / n))


def draw(grid, times, densities, ways, figure):
    """Histograms over densities, on the way there and back."""
    import matplotlib.pyplot as plt

    titles = {"trap": "Forgotten in the trap ↓", "exact score": "Undone by the score ↑"}
    fig, axes = plt.subplots(1, 2, figsize=(9, 5), sharey=True, layout="constrained")
    for ax, (way, title) in zip(axes, titles.items(), strict=True):
        for i, (t, x, p) in enumerate(zip(times, ways[way], densities, strict=True)):
            ax.hist(x[:, 0], 120, range=(-4, 4), density=True, bottom=-0.6 * i, color=f"C{i}", alpha=0.35)
            ax.plot(grid.axes[0].centers, p - 0.6 * i, color=f"C{i}", label=f"t = {t:g}")
        ax.set(xlim=(-4, 4), xlabel="x (width of the trap)", yticks=[], title=title)
    axes[0].set(ylabel="density (1/width), each 0.6 lower")
    fig.suptitle("Lines: density by the Fokker–Planck equation. Bars: particles.", fontsize=10)
    axes[1].legend(loc="upper left")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="60_mixture_three_ways.png").items():
        print(f"{name:32} {value:.8g}")
