"""Turing patterns drawn by a network: it learned from fields that `solve` made, and `solve` samples it.

train_turing.py made the fields and trained it, in minutes. Samples are judged as measured fields would be: by
the wavelength of their structure factor, and by the kinds of patterns that they show.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

SCHEDULE, N = gen.Cosine(), 32
GRID = ds.Grid((N, N), 64 * 2.5 / 256)
WEIGHTS = Path(gen.__file__).parent / "weights" / "turing.safetensors"
KINDS = {"LABYRINTH": (0.037, 0.06), "SPOTS": (0.03, 0.062), "HOLES": (0.039, 0.058)}


def fields(each, key, end=8000):
    """v of `each` labyrinths, spots and holes (Pearson), solved on 64 × 64 cells and averaged over 2 × 2."""
    n = each * len(KINDS)
    F, k = np.repeat(np.array(list(KINDS.values()), np.float32), each, 0).T[:, :, None, None]
    grid = ds.Grid((64, 64), GRID.size[0])
    law = ds.models.GrayScott(F=F, k=k).on(grid, ds.Periodic())
    seeds = tf.cast(ds.random.uniform(key, (n, 8, 8)) < 0.3, tf.float32)
    v = 0.25 * tf.repeat(tf.repeat(seeds, 8, 1), 8, 2)
    v = ds.solve(law, (1.0 - 2.0 * v, v), (0, end), dt=1.0, stepper=ds.Euler()).final[1].numpy()
    v, kind = v.reshape(n, N, 2, N, 2).mean((2, 4)), np.repeat(np.arange(len(KINDS)), each)
    alive = v.std((1, 2)) > 1e-2  # the reaction goes out where it was started too weakly
    return v[alive], kind[alive]


def draw(network, n, steps=30):
    """Samples of v; the network sees 2 × 2 cells as the channels of one."""
    mesh = gen.karras(steps, 0.01, 80.0)
    z = gen.prior(mesh, (n, N // 2, N // 2, 4), ds.key(5))
    x = gen.sample(gen.samplers.dpm_solver_pp(gen.from_v(network, SCHEDULE), mesh), z).final
    return (tf.nn.depth_to_space(x, 2)[..., 0].numpy() + 1) / 5


def judged(v):
    """Mean wavelength, and how often each kind of pattern is seen."""
    seen = [ds.analysis.recognise(GRID, u, least=1e-2).pattern.name for u in v]
    length = float(np.mean(ds.analysis.dominant_wavelength(GRID, v)))
    return length, {k: seen.count(k) / len(seen) for k in KINDS}


def main(fast=False, figure=None):
    """Wavelength and kinds of samples beside those of fields that the solver makes from other seeds."""
    v = draw(gen.training.load(WEIGHTS, SCHEDULE), 24 if fast else 240)
    own, _ = fields(8 if fast else 80, ds.key(2))
    if figure:
        from matplotlib.image import imsave

        both = np.stack([v[:16], own[:: len(own) // 16][:16]])[..., None]
        imsave(figure, np.concatenate([gen.training.sheet.tile(5 * u - 1) for u in both], 1))
    (length, kinds), (length_own, kinds_own) = judged(v), judged(own)
    pairs = {k.lower(): kinds[k] for k in KINDS} | {f"{k.lower()} of the solver": kinds_own[k] for k in KINDS}
    return {"wavelength": length, "wavelength of the solver": length_own} | pairs


if __name__ == "__main__":
    for name, value in main(figure="62_turing_generated.png").items():
        print(f"{name:28} {value:.4f}")
