"""Train the network of 62_turing_generated.py on one core in minutes; its checkpoint goes to ./turing.h5."""

import runpy
from pathlib import Path

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

FILES = (Path(__file__).with_name(f"{name}.py") for name in ("62_turing_generated", "turing_fields"))
DRAWN, TURING = (runpy.run_path(str(file)) for file in FILES)


def moved(x, u):
    """Fields (n, N, N) shifted around the torus, mirrored and transposed by u (5, n), uniform in [0, 1)."""
    N = x.shape[1]
    i, j = (tf.cast(u[a] * N, tf.int32)[:, None] for a in (0, 1))
    i, j = ((s + tf.where(u[a][:, None] < 0.5, 1, -1) * tf.range(N)) % N for s, a in ((i, 2), (j, 3)))
    y = tf.gather(tf.gather(x, i, axis=1, batch_dims=1), j, axis=2, batch_dims=1)
    return tf.where((u[4] < 0.5)[:, None, None], tf.transpose(y, (0, 2, 1)), y)


def chosen(kind, u):
    """Numbers and kinds of fields, kinds in turn, fields by u: neighbours, alike in noise, are of all kinds."""
    count = np.bincount(kind)
    label = tf.range(u.shape[0]) % len(count)
    many, first = (tf.gather(tf.constant(a), label) for a in (count, np.cumsum(count) - count))
    return tf.cast(first, tf.int32) + tf.cast(u * tf.cast(many, u.dtype), tf.int32), label


def batches(v, kind, size):
    """Fields as functions of (key, step), moved at random: patterns have neither place nor direction."""
    x = tf.constant((v - TURING["MIDDLE"]) / TURING["UNIT"], tf.float32)

    def batch(key, step):
        u = ds.random.uniform(key, (6, size), tf.float64, step=step)
        row, label = chosen(kind, u[5])
        return {"x0": tf.nn.space_to_depth(moved(tf.gather(x, row), u)[..., None], 2), "label": label}

    return batch


def main(steps=6000, each=192, size=48):
    """Train, and write weights in half precision."""
    data = batches(*TURING["fields"](each, ds.key(1)), size)
    N = TURING["N"]
    network = gen.nets.UNet((N // 2, N // 2, 4), (16, 32), (0, 4), groups=2, periodic=True, labels=3)
    levels = gen.training.LogNormal(0.8, 1.7)  # at much noise kinds part: by the mean of all cells
    trained = gen.fit(network, data, DRAWN["SCHEDULE"], steps=steps, key=ds.key(0), every=500, drop=0.5, levels=levels,
                      checkpoint="turing.h5", progress=True)
    gen.training.save(DRAWN["WEIGHTS"], trained.average, DRAWN["SCHEDULE"], np.float16, predicts="v")
    return {"loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
