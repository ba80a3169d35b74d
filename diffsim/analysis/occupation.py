"""Where particles spend their time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.analysis.averages import TimeAverage


class Histogram(NamedTuple):
    """Density of time over a coordinate.

    Attributes:
        x: (bins,) middles.
        value: share of time per unit of the coordinate; what lies beyond the edges counts as time, too.
        error: standard error, between particles, or of a single one by blocking in time.
        edges: (bins + 1,).
    """

    x: np.ndarray
    value: np.ndarray
    error: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True)
class Occupation(TimeAverage):
    """p(q): the share of time that a coordinate q spends in each of equal bins, per width.

    Args:
        of: of(t, y) → q, one number for each particle, e.g. ``lambda t, x: x[..., 0]``.
        low: first edge.
        high: last edge.
        bins: how many.
    """

    levels: int = static(default=40)
    low: float = 0.0
    high: float = 1.0
    bins: int = static(default=50)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "low", _checks.number("low", self.low, why="bins begin there"))
        object.__setattr__(self, "high", _checks.number("high", self.high, above=self.low, why="bins end there"))
        _checks.integer("bins", self.bins, least=1, why="it counts them")

    def sample(self, t, y):
        """One in the bin of each particle."""
        q = tf.reshape(super().sample(t, y), [-1, 1])
        low, high = (_nest.to(edge, q.dtype) for edge in (self.low, self.high))
        place = tf.floor((q - low) * (self.bins / (high - low)))
        return tf.cast(place == tf.range(self.bins, dtype=q.dtype), q.dtype)

    def result(self, seen) -> Histogram:
        """p(q)."""
        edges = np.linspace(float(self.low), float(self.high), self.bins + 1)
        average, width = super().result(seen), np.diff(edges)
        return Histogram(0.5 * (edges[1:] + edges[:-1]), average.value / width, average.error / width, edges)
