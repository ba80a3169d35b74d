"""Train the network of 62_turing_generated.py on two cores in minutes; its checkpoint goes to ./turing.h5."""

import runpy
from pathlib import Path

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

TURING = runpy.run_path(str(Path(__file__).with_name("62_turing_generated.py")))


def batches(v, kind, size):
    """Fields at random places, half of them transposed, as functions of (key, step): patterns have no place."""
    n, N = len(v), v.shape[1]
    x, kind = tf.constant(5 * v - 1, tf.float32), tf.constant(kind, tf.int32)

    def batch(key, step):
        u = ds.random.uniform(key, (4, size), tf.float64, step=step)
        row, i, j = (tf.cast(u[a] * m, tf.int32) for a, m in enumerate((n, N, N)))
        i, j = ((tf.range(N)[None] + s[:, None]) % N for s in (i, j))
        y = tf.gather(tf.gather(tf.gather(x, row), i, axis=1, batch_dims=1), j, axis=2, batch_dims=1)
        y = tf.where((u[3] < 0.5)[:, None, None], tf.transpose(y, (0, 2, 1)), y)
        return {"x0": tf.nn.space_to_depth(y[..., None], 2), "label": tf.gather(kind, row)}

    return batch


def main(steps=2000, each=64, size=16):
    """Train, and write weights in half precision."""
    data = batches(*TURING["fields"](each, ds.key(1)), size)
    N = TURING["N"]
    network = gen.nets.UNet((N // 2, N // 2, 4), (16, 32), (0, 4), periodic=True, labels=3)
    trained = gen.fit(network, data, TURING["SCHEDULE"], steps=steps, key=ds.key(0), every=500, drop=0.5,
                      checkpoint="turing.h5", progress=True)
    gen.training.save(TURING["WEIGHTS"], trained.average, TURING["SCHEDULE"], np.float16, predicts="v")
    return {"loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
