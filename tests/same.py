"""Equality without tolerance."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf


def alike(a, b):
    """Equal in type and to the last bit."""
    assert type(a) is type(b) or isinstance(a, tf.Tensor) and isinstance(b, tf.Tensor)
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        for f in dataclasses.fields(a):
            alike(getattr(a, f.name), getattr(b, f.name))
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            alike(x, y)
    elif isinstance(a, dict):
        alike(list(a.items()), list(b.items()))
    elif isinstance(a, (np.ndarray, np.generic, tf.Tensor)):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    elif isinstance(a, functools.partial):
        alike([a.func, a.args, a.keywords], [b.func, b.args, b.keywords])
    elif isinstance(a, float):
        assert a.hex() == b.hex()
    elif isinstance(a, complex):
        alike((a.real, a.imag), (b.real, b.imag))
    else:
        assert a == b
