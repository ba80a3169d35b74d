"""Where particles spend their time, how long they stay, and what flows between places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import refuse
from diffsim._tree import static
from diffsim.analysis.averages import TimeAverage
from diffsim.analysis.correlators import lengths, nearest
from diffsim.analysis.passage import Estimate
from diffsim.calculus import Isothermal, Ito, Stratonovich
from diffsim.equation import abstract
from diffsim.steppers.observed import Observer, part, vectors


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
        share = Estimate(float(spent.mean() / total), _error(spent / total)) if total else Estimate(np.nan, np.nan)
        ratio = float(spent.sum() / exits.sum()) if exits.sum() else np.inf
        spread = _error((spent - ratio * exits) * (n / exits.sum())) if exits.sum() else np.nan
        return Stays(Estimate(ratio, spread), share, edges, counts, int(entries.sum()), int(exits.sum()))


class Rate(NamedTuple):
    """A quantity that adds up along paths, per time.

    Attributes:
        value: mean over particles.
        error: its standard error; NaN for one particle.
        total: (N,) the sums themselves.
        time: for how long they were added.
    """

    value: float
    error: float
    total: np.ndarray
    time: float


@dataclass(frozen=True)
class Current(Observer):
    """J = (1/T) ∫ w(t, x) ∘ dx: what flows along w, for each particle.

    w = 1/L along an axis of a ring of length L gives its current of turns, w = F the power that a force F spends,
    w = F/kT the entropy production. Where w varies over a step, the point of evaluation matters as much as for noise:
    thermodynamics wants Stratonovich.

    Args:
        weight: w(t, x) → like x.
        calculus: Stratonovich(), or Ito() or Isothermal().
        of: of(t, y) → positions (..., d); None for the first part of the state.
        box: None, or the lengths of a periodic cell, a number or (d,): moves are those of the nearest images.

    References:
        Sekimoto (1998), doi:10.1143/PTPS.130.17; Seifert (2012), doi:10.1088/0034-4885/75/12/126001.
    """

    weight: Callable
    calculus: Ito | Stratonovich | Isothermal = field(default_factory=Stratonovich)
    of: Callable | None = None
    box: Any = None

    def __post_init__(self):
        if not callable(self.weight):
            refuse("weight", self.weight, "a function w(t, x)", "it is summed along paths", "Pass one.", TypeError)
        kinds, way_out = (Ito, Stratonovich, Isothermal), "Use Stratonovich()."
        _checks.instance("calculus", self.calculus, kinds, why="it says where w is taken", way_out=way_out)
        if self.box is not None:
            object.__setattr__(self, "box", lengths(self.box))

    def check(self, y):
        """Refuse weights unlike positions."""
        shape = vectors(self.of, y, axes=1)
        value = abstract("weight", lambda t, y: self.weight(t, part(self.of, t, y)), y)
        if tuple(value.shape) != shape:
            refuse("weight", value, f"the shape of positions, {shape}", "w·dx is a sum over coordinates",
                   "Add zeros: w + 0 * x.")

    def start(self, t, y):
        """Nothing has flown."""
        x = part(self.of, t, y)
        return t, t, x, tf.zeros(x.shape[:-1], tf.float64)

    def see(self, seen, t, y):
        """w at the begin and the end of the step, as the calculus weighs them, times the move."""
        begin, before, past, total = seen
        x = part(self.of, t, y)
        dx = x - past if self.box is None else nearest(self.box, x - past)
        w = between(self.weight, self.calculus.point, before, past, t, x)
        return begin, t, x, total + tf.cast(tf.reduce_sum(w * dx, -1), tf.float64)

    def result(self, seen) -> Rate:
        """J."""
        begin, end, _, total = seen
        time, total = float(end - begin), np.ravel(total)
        return Rate(float(total.mean() / time), _error(total / time), total, time) if time else None


def between(w, point, t0, x0, t1, x1):
    """(1 − p) w(t₀, x₀) + p w(t₁, x₁)."""
    t0, t1 = (_nest.to(t, x0.dtype) for t in (t0, t1))
    if point == 0.0:
        return w(t0, x0)
    return (1.0 - point) * w(t0, x0) + point * w(t1, x1)


def _error(each) -> float:
    return float(each.std(ddof=1) / np.sqrt(each.size)) if each.size > 1 else float("nan")
