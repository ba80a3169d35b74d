"""Latent diffusion: Turing patterns from codes of a quarter of their size, drawn by `solve` and decoded.

train_latent.py trained an autoencoder on Gray–Scott fields and a U-Net on its codes. Samples are judged as in
62_turing_generated.py; fields that were only coded and decoded show what codes can do at best.
"""

import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

SCHEDULE = gen.Cosine()
FOLDER = Path(gen.__file__).parent / "weights"
CODER, CODES = FOLDER / "coder.safetensors", FOLDER / "codes.safetensors"
TURING = runpy.run_path(str(Path(__file__).with_name("turing_fields.py")))
MIDDLE, UNIT = TURING["MIDDLE"], TURING["UNIT"]


def draw(coder, network, n, steps=30):
    """Codes by two-step exponential integration, decoded to v; so much noise hides the mean of codes."""
    mesh = gen.karras(steps, 0.01, 200.0)
    z = gen.prior(mesh, (n, *network.sample_shape), ds.key(5))
    codes = gen.sample(gen.samplers.dpm_solver_pp(gen.from_v(network, SCHEDULE), mesh), z).final
    return MIDDLE + UNIT * np.asarray(coder.decode(codes))[..., 0]


def main(fast=False, figure=None):
    """Samples, and decoded fields, beside the solver's own."""
    coder, network = gen.training.load(CODER), gen.training.load(CODES, SCHEDULE)
    v = draw(coder, network, 96 if fast else 480)
    own, kind = TURING["fields"](8 if fast else 80, ds.key(2))
    decoded = MIDDLE + UNIT * np.asarray(coder(np.float32((own - MIDDLE) / UNIT)[..., None]))[..., 0]
    if figure:
        sets = {"solver": (own, kind), "decoded": (decoded, kind), "samples": (v, None)}
        TURING["page"](sets).savefig(figure)
    same = TURING["recognised"](decoded) == TURING["recognised"](own)
    return {
        "error of decoded fields": float(np.sqrt(np.mean((decoded - own) ** 2) / own.var((1, 2)).mean())),
        "decoded fields of the same kind": np.mean(same),
        **TURING["judged"](v, own, kind),
    }


if __name__ == "__main__":
    for name, value in main(figure="63_latent.png").items():
        print(f"{name:32} {value:.4f}")
