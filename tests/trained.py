"""A small network, and short training of it."""

import keras
import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import nets


def normal(seed, *shape):
    return ds.random.normal(ds.key(seed), shape, tf.float64)


def small(**kwargs):
    return nets.MLP((2,), width=8, depth=1, labels=3, **kwargs)


def begun(net):
    """A network with the same weights on all backends."""
    rng = np.random.default_rng(5)
    net.set_weights([(0.3 * rng.standard_normal(w.shape)).astype(w.dtype) for w in net.get_weights()])
    return net


def train(steps, compiled=False, **kwargs):
    net = kwargs.pop("network", None) or small()
    data = np.asarray(normal(1, 60, 2))
    options = {"labels": np.arange(60) % 3, "key": ds.key(3), "batch": 8, "every": 5, "jit": None if compiled else False,
               "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 10), global_clipnorm=1.0)}
    return gen.fit(net, data, kwargs.pop("schedule", gen.Cosine()), steps=steps, **(options | kwargs))
