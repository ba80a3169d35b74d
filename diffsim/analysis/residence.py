"""How long particles stay in a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import refuse
from diffsim._tree import static
from diffsim.analysis.lags import standard_error
from diffsim.analysis.passage import Estimate
from diffsim.equation import abstract
from diffsim.steppers.observed import Observer


class Stays(NamedTuple):
    """How long particles stay in a region.

    Attributes:
        mean: mean time of a stay, all time inside by the number of exits [time].
        share: share of time inside.
        edges: (bins + 1,) [time].
        counts: (bins,) stays of these lengths, those under way at the start or the end left out.
        entries: how many entered, exits: how many left.
    """

    mean: Estimate
    share: Estimate
    edges: np.ndarray
    counts: np.ndarray
    entries: int
    exits: int


@dataclass(frozen=True)
class Residence(Observer):
    """Stays of particles in a region, as seen at each step: their mean, their lengths, and the share of time inside.

    Excursions shorter than a step are not seen, and Brownian paths have them on all scales: stays of such paths depend
    on dt. The mean counts stays under way at the start and the end, which a mean of complete ones would not.

    Args:
        inside: inside(t, y) → bool, one for each particle.
        longest: last edge of the histogram of stays [time].
        bins: how many.
    """

    inside: Callable
    longest: float = 1.0
    bins: int = static(default=50)

    def __post_init__(self):
        if not callable(self.inside):
            refuse("inside", self.inside, "a function inside(t, y)", "it says who is", "Pass one.", TypeError)
        longest = _checks.number("longest", self.longest, above=0.0, why="it is the last edge")
        object.__setattr__(self, "longest", longest)
        _checks.integer("bins", self.bins, least=1, why="it counts them")

    def check(self, y):
        """Refuse what is no bool for each particle."""
        value = abstract("inside", self.inside, y)
        if getattr(value, "dtype", None) != tf.bool:
            refuse("inside", value, "a tensor of bools", "it says who is inside", "Compare: x[..., 0] > 0.", TypeError)

    def _inside(self, t, y):
        return tf.reshape(self.inside(_nest.to(t, _nest.real_dtype(y)), y), [-1])

    def start(self, t, y):
        """Who is inside, since when (unknown: −∞), and nothing counted."""
        now = self._inside(t, y)
        since = tf.fill(now.shape, tf.constant(-np.inf, tf.float64))
        none = tf.zeros(now.shape, tf.int64)
        return t, t, now, since, tf.zeros(now.shape, tf.float64), none, none, tf.zeros([self.bins], tf.int64)

    def see(self, seen, t, y):
        """Time inside is that of steps that began there."""
        begin, before, was, since, spent, entries, exits, counts = seen
        now = self._inside(t, y)
        enters, leaves = now & ~was, was & ~now
        spent += tf.where(was, t - before, tf.zeros_like(spent))
        stay = (t - since) * (self.bins / _nest.to(self.longest, tf.float64)) * (1 + 1e-6)
        known = leaves & (stay < self.bins)
        place = tf.cast(tf.where(known, stay, tf.zeros_like(stay)), tf.int32)
        counts += tf.math.unsorted_segment_sum(tf.cast(known, tf.int64), place, self.bins)
        since = tf.where(enters, t, since)
        entries, exits = entries + tf.cast(enters, tf.int64), exits + tf.cast(leaves, tf.int64)
        return begin, t, now, since, spent, entries, exits, counts

    def result(self, seen) -> Stays:
        """Means by ratios of sums; errors between particles."""
        begin, end, _, _, spent, entries, exits, counts = seen
        total, n = float(end - begin), len(spent)
        edges = np.linspace(0.0, float(self.longest), self.bins + 1)
        share = Estimate(spent.mean() / total, standard_error(spent / total)) if total else Estimate(np.nan, np.nan)
        ratio = float(spent.sum() / exits.sum()) if exits.sum() else np.inf
        spread = standard_error((spent - ratio * exits) * (n / exits.sum())) if exits.sum() else np.nan
        return Stays(Estimate(ratio, spread), share, edges, counts, int(entries.sum()), int(exits.sum()))
