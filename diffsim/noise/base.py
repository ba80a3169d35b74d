"""Noise is an increment over an interval, N(t + h) − N(t), a function of key, step, time and element only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random


class Noise(ABC):
    """What drives dN.

    Fresh noise is a function of the step's number n and takes |h| as a scale; refinable noise is a path, a function
    of the times t and t + h.
    """

    white: bool = False  # independent entries, each a Brownian motion of variance |h|
    gaussian: bool = True
    refinable: bool = False  # increments over parts of an interval add up to the increment over the whole

    @abstractmethod
    def increment(self, key, n, t, h, like):
        """N(t + h) − N(t) in step n, one value for each entry of the state `like`; t and h are float64 scalars."""

    @property
    def variance(self):
        """Variance per time in each cell, a number or an array over the grid; None where cells depend on each other."""
        return 1.0 if self.white else None

    def area(self, key, n, t, h, like):
        """(W, H): the increment and its space-time Lévy area, H = (1/h)∫(W(s) − (s/h)W(h)) ds of variance |h|/12."""
        _checks.refuse(
            "noise",
            self,
            "noise with a Lévy area",
            "the stepper integrates the path over each step",
            "Use Brownian() or BrownianTree(t0, t1).",
            TypeError,
        )

    def fits(self, y):
        """Refuse states that this noise cannot drive."""
        return

    def multiplied(self):
        """Refuse amplitudes that depend on the state, where they would not mean what they say."""
        return

    def covers(self, t0: float, t1: float, h: float | None):
        """Refuse times at which this noise is not defined; h is the shortest step, None if it will be adapted."""
        return


@dataclass(frozen=True)
class Interval:
    """The noise over one step, as a stepper sees it: `noise()` is the increment, `noise.area()` is (W, H)."""

    noise: Noise
    key: Any
    n: Any
    t: Any
    h: Any
    like: Any

    def __call__(self):
        """N(t + h) − N(t)."""
        return self.noise.increment(self.key, self.n, self.t, self.h, self.like)

    def area(self):
        """(W, H)."""
        return self.noise.area(self.key, self.n, self.t, self.h, self.like)


def per_leaf(key, like, draw):
    """draw(stream of the leaf, leaf) for each leaf of a state, packed like it; each draw may return several states."""
    drawn = [draw(random.stream(key, i), leaf) for i, leaf in enumerate(_nest.flatten(like))]
    if not isinstance(drawn[0], tuple):
        return _nest.pack(like, drawn)
    return tuple(_nest.pack(like, list(part)) for part in zip(*drawn, strict=True))


def standard(key, leaf, n, first):
    """Standard normal numbers like a leaf; of complex ones both parts carry half the variance."""
    real, first = leaf.dtype.real_dtype, tf.convert_to_tensor(first)
    if not leaf.dtype.is_complex:
        return random.normal(key, leaf.shape, real, step=n, first=first)
    parts = [random.normal(random.fold_in(key, p), leaf.shape, real, step=n, first=first) for p in (0, 1)]
    return tf.complex(*(p * _nest.to(0.5**0.5, real) for p in parts))


def row(first):
    """The number of a state's first row within the whole ensemble, as data: to change it compiles nothing."""
    why = "it counts the rows of the ensemble that come before this batch"
    if not isinstance(first, (np.ndarray, tf.Tensor)):
        first = np.asarray(_checks.integer("first", first, least=0, why=why), np.int64)
    return first


def root(h, dtype):
    """√|h|."""
    return tf.sqrt(tf.abs(_nest.to(h, dtype)))
