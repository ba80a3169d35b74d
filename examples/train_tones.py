"""Train the network of 64_tones.py on two cores in minutes; its checkpoint goes to ./tones.h5."""

import runpy
from pathlib import Path

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

TONES = runpy.run_path(str(Path(__file__).with_name("64_tones.py")))
N, FOLD, LINES, SPREAD = (TONES[name] for name in ("N", "FOLD", "LINES", "SPREAD"))


def sounds(label, key, step=0):
    """Σ a cos(2πft + φ) over the lines of each label, every phase uniform and by itself; |x| < 1."""
    phase = 2 * np.pi * ds.random.uniform(key, (len(label), N // 2 + 1), step=step)
    a = tf.gather(tf.constant(np.sqrt(2 * LINES) * N / 2, tf.float32), label)
    return tf.signal.irfft(tf.complex(a * tf.cos(phase), a * tf.sin(phase)))


def batches(size):
    """Sounds made on the spot, as functions of (key, step): none is heard twice."""
    label = np.arange(size) % len(LINES)

    def batch(key, step):
        x0 = tf.reshape(sounds(label, key, step), (size, N // FOLD, FOLD))
        return {"x0": x0, "label": tf.constant(label, tf.int32)}

    return batch


def main(steps=4000, size=32):
    """Train, and write the mean of the weights in half precision."""
    network = gen.nets.UNet((N // FOLD, FOLD), (32, 48, 48, 64), (0, 0, 4, 4), periodic=True, labels=len(LINES),
                            embedding=64, waves=(0.5, 8.0))
    loss, levels = gen.training.Preconditioned(SPREAD), gen.training.LogNormal(-0.7, 1.3)
    trained = gen.fit(network, batches(size), gen.EDM(), loss=loss, levels=levels, steps=steps, key=ds.key(0),
                      every=500, checkpoint="tones.h5", progress=True)
    gen.training.save(TONES["WEIGHTS"], trained.average, gen.EDM(), np.float16, predicts="preconditioned")
    return {"loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
