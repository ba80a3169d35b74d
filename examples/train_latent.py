"""Train the two networks of 63_latent.py on two cores in minutes: an autoencoder, and a U-Net for its codes."""

import runpy
from pathlib import Path

import keras
import numpy as np

import diffsim as ds
from diffsim import generative as gen

HERE = Path(__file__)
TURING = runpy.run_path(str(HERE.with_name("62_turing_generated.py")))
LATENT = runpy.run_path(str(HERE.with_name("63_latent.py")))


def moved(v, n):
    """n fields at random places, half of them transposed: patterns have no place."""
    N = v.shape[1]
    u = np.asarray(ds.random.uniform(ds.key(7), (4, n)))
    row, i, j, turn = (u * np.array([[len(v)], [N], [N], [2]])).astype(int)
    out = [np.roll(v[r], (a, b), (0, 1)) for r, a, b in zip(row, i, j, strict=True)]
    return np.stack([u.T if t else u for u, t in zip(out, turn, strict=True)])[..., None]


def main(steps=2000, each=48, n=2048):
    """Train both, and write weights in half precision."""
    v, _ = TURING["fields"](each, ds.key(1))
    x = (5 * moved(v, n) - 1).astype(np.float32)
    coder = gen.nets.Autoencoder(x.shape[1:], widths=(8, 16, 32), latent=4, periodic=True)
    coder.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(4e-3, 6 * n // 16)), "mse")
    error = coder.fit(x, x, batch_size=16, epochs=6, shuffle=False, verbose=2).history["loss"][-1]
    gen.training.save(LATENT["CODER"], coder, None, np.float16)
    codes = np.concatenate([np.asarray(coder.encode(part)) for part in np.split(x, 16)])
    network = gen.nets.UNet(codes.shape[1:], (16, 32), (0, 4), periodic=True)
    trained = gen.fit(network, codes, LATENT["SCHEDULE"], steps=steps, batch=48, key=ds.key(0), every=500, span=None,
                      checkpoint="latent.h5", progress=True)
    gen.training.save(LATENT["CODES"], trained.average, LATENT["SCHEDULE"], np.float16, predicts="v")
    return {"error": error, "spread": codes.std(), "loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
