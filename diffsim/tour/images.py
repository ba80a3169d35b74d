"""Stops about networks that were trained beforehand: images are drawn by the same `solve`, with the same steppers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.tour.row import Row


def _network(name):
    gen = ds.generative  # imported on use: it needs Keras
    return gen, gen.training.load(Path(gen.__file__).parent / "weights" / f"{name}.safetensors", gen.Cosine())


def _show(figure, x, columns, names=None):
    """Images side by side, rows with names if there are any."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=x.max())
    ax, (n, height, width) = figure.subplots(), x.shape
    rows = x.reshape(n // columns, columns, height, width).swapaxes(1, 2)
    ax.imshow(rows.reshape(n // columns * height, -1), cmap="gray")
    if names is None:
        ax.set_axis_off()
    else:
        ax.set(xticks=[], yticks=height * (np.arange(len(names)) + 0.5) - 0.5, yticklabels=names)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    return ax


def undone(figure, out):
    """A mixture undone by its score: x₀ from noise."""
    gen, count = ds.generative, 20_000
    data = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
    mesh = gen.uniform_lambda(200, -5.0, 4.0)
    z = gen.prior(mesh, (count, 1), ds.key(8))
    save = ds.SaveAt(ts=[mesh.lam[-1]], to=str(out / "undone.h5"))
    x = ds.solve(gen.reverse_sde(data), z, mesh, stepper=ds.ETD1(), key=ds.key(9), save=save).final.numpy()[:, 0]
    ax, at = ds.plot.style.tidy(figure.subplots(), "x", "density"), np.linspace(-3, 4, 200)
    ax.hist(
        x, 100, range=(-3, 4), density=True, color=ds.plot.style.COLOURS[0], alpha=0.5, label=f"{count:,} samples"
    )
    ax.plot(at, np.exp(data.log_density(tf.constant(at[:, None]), mesh.lam[-1])), "k--", label="density of the data")
    ds.plot.style.legend(ax)
    mean, variance = (float(a.item()) for a in data.moments())
    return [Row("mean", x.mean(), mean, 5 * (variance / count) ** 0.5 / mean + 5e-3),
            Row("variance", x.var(), variance, 5 * (2 / count) ** 0.5 + 5e-3)]


def digits(figure, out):
    """Digits by class, drawn with guidance."""
    gen, network = _network("digits")
    mesh, labels = gen.karras(25, 0.02, 80.0), np.arange(40) % 10
    z = gen.prior(mesh, (40, 8, 8, 1), ds.key(1))

    def draw(z, labels, **options):
        denoiser = gen.guide(gen.from_v(network, gen.Cosine()), condition=labels, scale=1.5)
        return np.asarray(gen.sample(gen.samplers.dpm_solver_pp(denoiser, mesh), z, **options).final)

    x = draw(z, labels, save=ds.SaveAt(ts=[mesh.lam[-1]], to=str(out / "digits.h5")))
    _show(figure, x[..., 0].clip(-1, 1), 10)
    alone = draw(z[3:4], labels[3:4])
    return [Row("the fourth alone beside itself in the batch", float(np.abs(alone - x[3:4]).max()), 0.0, 1e-4)]


def learned(figure, out):
    """Turing patterns: by solve, and learned from it."""
    gen, network = _network("turing")
    n, each, grid = 24, 8, ds.Grid((32, 32), 64 * 2.5 / 256)
    mesh = gen.karras(30, 0.01, 80.0)
    z = gen.prior(mesh, (n, 16, 16, 4), ds.key(5))  # 2 × 2 cells are the channels of one
    save = ds.SaveAt(ts=[mesh.lam[-1]], to=str(out / "learned.h5"))
    denoiser = gen.from_v(network, gen.Cosine())
    x = gen.sample(gen.samplers.dpm_solver_pp(denoiser, mesh), z, save=save).final
    v = 0.17 + 0.11 * tf.nn.depth_to_space(x, 2)[..., 0].numpy()

    kinds = (0.037, 0.03, 0.039), (0.06, 0.062, 0.058)  # labyrinths, spots and holes
    F, k = (np.repeat(np.array(a, np.float32), each)[:, None, None] for a in kinds)
    model, fine = ds.models.GrayScott(F=F, k=k), ds.Grid((64, 64), grid.size[0])
    seeds = tf.cast(ds.random.uniform(ds.key(2), (n, 8, 8)) < 0.3, tf.float32)
    u = 0.25 * tf.repeat(tf.repeat(seeds, 8, 1), 8, 2)
    u = ds.solve(model.on(fine, ds.Periodic()), (1 - 2 * u, u), (0, 8000), dt=1.0, stepper=ds.Euler()).final[1]
    u = u.numpy().reshape(n, 32, 2, 32, 2).mean((2, 4))

    _show(figure, np.concatenate([u[::3], v[::3]]), 8, ("solver", "learned"))
    length, own = (float(np.mean(ds.analysis.dominant_wavelength(grid, w))) for w in (v, u))
    return [Row("wavelength, beside that of the solver", length, own, 0.05)]
