"""Turing patterns drawn by a network: it learned from fields that `solve` made, and `solve` samples it.

train_turing.py made the fields and trained it, in minutes. Samples are judged as measured fields would be: by
their structure factor and its wavelength, and by how often each kind of pattern is seen, in standard errors.
"""

import runpy
from pathlib import Path

import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

SCHEDULE = gen.Cosine()
WEIGHTS = Path(gen.__file__).parent / "weights" / "turing.safetensors"
TURING = runpy.run_path(str(Path(__file__).with_name("turing_fields.py")))


def draw(network, n, steps=30, label=None):
    """Samples of v, of all kinds or of that of a label; the network sees 2 × 2 cells as channels of one."""
    mesh = gen.karras(steps, 0.01, 80.0)
    z = gen.prior(mesh, (n, *network.sample_shape), ds.key(5))
    x = gen.sample(gen.samplers.dpm_solver_pp(gen.from_v(network, SCHEDULE, label), mesh), z).final
    return TURING["MIDDLE"] + TURING["UNIT"] * tf.nn.depth_to_space(x, 2)[..., 0].numpy()


def main(fast=False, figure=None):
    """Samples beside fields that the solver makes from other seeds."""
    v = draw(gen.training.load(WEIGHTS, SCHEDULE), 96 if fast else 480)
    own, kind = TURING["fields"](8 if fast else 80, ds.key(2))
    if figure:
        TURING["page"]({"solver": (own, kind), "network": (v, None)}).savefig(figure)
    return TURING["judged"](v, own, kind)


if __name__ == "__main__":
    for name, value in main(figure="62_turing_generated.png").items():
        print(f"{name:28} {value:.4f}")
