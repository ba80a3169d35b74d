"""Train the two networks of 63_latent.py on one core in minutes: an autoencoder, and a U-Net for its codes.

Broken off, it goes on from ./coder.h5 and ./latent.h5.
"""

import runpy
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

HERE = Path(__file__)
TURING, TRAIN = (runpy.run_path(str(HERE.with_name(f"{n}.py"))) for n in ("turing_fields", "train_turing"))
LATENT = runpy.run_path(str(HERE.with_name("63_latent.py")))


def autoencoder(x, epochs, batch=32):
    """Learns x; kept in a file."""
    file = Path("coder.h5")
    if file.exists():
        return gen.training.load(file)
    coder = gen.nets.Autoencoder(x.shape[1:], widths=(16, 32, 64), latent=4, periodic=True)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * len(x) // batch)
    coder.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), "mse")
    coder.fit(x, x, batch_size=batch, epochs=epochs, shuffle=False, verbose=2)
    gen.training.save(file, coder, None)
    return coder


def batches(codes, kind, size):
    """Codes as functions of (key, step), shifted by whole cells at random: coding commutes with that."""
    m = codes.shape[1]

    def batch(key, step):
        u = ds.random.uniform(key, (3, size), tf.float64, step=step)
        row, _ = TRAIN["chosen"](kind, u[2])
        i, j = ((tf.cast(u[a] * m, tf.int32)[:, None] + tf.range(m)) % m for a in (0, 1))
        return {"x0": tf.gather(tf.gather(tf.gather(codes, row), i, axis=1, batch_dims=1), j, axis=2, batch_dims=1)}

    return batch


def main(steps=6000, each=192, copies=24, epochs=4, size=48):
    """Train both, and write weights in half precision."""
    v, kind = TURING["fields"](each, ds.key(1))
    x, kind = np.repeat((v - TURING["MIDDLE"]) / TURING["UNIT"], copies, 0).astype(np.float32), np.repeat(kind, copies)
    x = TRAIN["moved"](tf.constant(x), ds.random.uniform(ds.key(7), (5, len(x)), tf.float64))[..., None].numpy()
    mixed = np.argsort(np.asarray(ds.random.uniform(ds.key(8), (len(x),))))
    coder = autoencoder(x[mixed], epochs)
    gen.training.save(LATENT["CODER"], coder, None, np.float16)
    codes = tf.concat([coder.encode(part) for part in np.array_split(x, 64)], 0)
    network = gen.nets.UNet(codes.shape[1:], (16, 32), (0, 4), groups=2, periodic=True)
    levels = gen.training.LogNormal(0.8, 1.7)  # as in train_turing.py
    trained = gen.fit(network, batches(codes, kind, size), LATENT["SCHEDULE"], steps=steps, key=ds.key(0), every=500,
                      levels=levels, checkpoint="latent.h5", progress=True)
    gen.training.save(LATENT["CODES"], trained.average, LATENT["SCHEDULE"], np.float16, predicts="v")
    return {"spread": float(np.std(codes)), "loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
