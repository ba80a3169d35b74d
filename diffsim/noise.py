"""Noise is an increment over an interval, N(t₁) − N(t₀), a function of key, step and element only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _nest, random


class Noise(ABC):
    """What drives dN."""

    @abstractmethod
    def increment(self, key, n, h, like):
        """N(t + h) − N(t) in step n, one value for each entry of the state `like`."""


@dataclass(frozen=True)
class Brownian(Noise):
    """Fresh white noise: independent normal increments of variance |h|."""

    def increment(self, key, n, h, like):
        """√|h|·ξ."""
        leaves = _nest.flatten(like)
        out = []
        for i, leaf in enumerate(leaves):
            real = leaf.dtype.real_dtype
            stream = key if len(leaves) == 1 else random.fold_in(key, i)
            root = tf.sqrt(tf.abs(tf.cast(h, real)))
            if leaf.dtype.is_complex:  # both parts carry half the variance
                parts = [random.normal(random.fold_in(stream, p), leaf.shape, real, step=n) for p in (0, 1)]
                out.append(tf.complex(*(p * root * _nest.to(0.5**0.5, real) for p in parts)))
            else:
                out.append(random.normal(stream, leaf.shape, real, step=n) * root)
        return _nest.pack(like, out)
