"""Latent diffusion: Turing patterns from codes of a quarter of their size, drawn by `solve` and decoded.

train_latent.py trained an autoencoder on Gray–Scott fields and a U-Net on its codes. Samples, and fields that
were only coded and decoded, are compared with the solver's own by wavelength and amplitude.
"""

import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

SCHEDULE = gen.Cosine()
FOLDER = Path(gen.__file__).parent / "weights"
CODER, CODES = FOLDER / "coder.safetensors", FOLDER / "codes.safetensors"


def draw(coder, network, n, steps=30):
    """Codes by two-step exponential integration, decoded to v."""
    mesh = gen.karras(steps, 0.02, 80.0)
    z = gen.prior(mesh, (n, *network.sample_shape), ds.key(5))
    codes = gen.sample(gen.samplers.dpm_solver_pp(gen.from_v(network, SCHEDULE), mesh), z).final
    return (np.asarray(coder.decode(codes))[..., 0] + 1) / 5


def main(fast=False, figure=None):
    """Wavelengths and amplitudes of samples, of decoded fields and of the solver's own."""
    turing = runpy.run_path(str(Path(__file__).with_name("62_turing_generated.py")))
    coder, network = gen.training.load(CODER), gen.training.load(CODES, SCHEDULE)
    v = draw(coder, network, 24 if fast else 240)
    own, _ = turing["fields"](8 if fast else 80, ds.key(2))
    decoded = (np.asarray(coder(np.float32(5 * own - 1)[..., None]))[..., 0] + 1) / 5
    if figure:
        from matplotlib.image import imsave

        rows = [u[:: len(u) // 16][:16, ..., None] for u in (own, decoded, v)]
        imsave(figure, np.concatenate([gen.training.sheet.tile(5 * u - 1) for u in rows], 1))
    out = {"error of decoded fields": float(np.sqrt(np.mean((decoded - own) ** 2) / own.var()))}
    for name, u in (("solver", own), ("decoded", decoded), ("samples", v)):
        out |= {f"wavelength of {name}": float(np.mean(ds.analysis.dominant_wavelength(turing["GRID"], u))),
                f"amplitude of {name}": float(u.std((1, 2)).mean())}
    return out


if __name__ == "__main__":
    for name, value in main(figure="63_latent.png").items():
        print(f"{name:28} {value:.4f}")
