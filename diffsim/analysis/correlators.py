"""Multiple-tau correlators: lags from one step to millions of them, in memory that grows with their logarithm."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.analysis.lags import Lags
from diffsim.steppers.observed import Observer, part, vectors


class Level(NamedTuple):
    """The last samples of one level, newest first, and sums of their products over time origins, in float64."""

    last: Any  # (points, ..., d)
    sums: Any  # (lags, ...)


class Kept(NamedTuple):
    """What a correlator keeps."""

    n: Any  # steps since the start
    begin: Any
    end: Any
    path: Any  # () or (position in the cell, unwrapped)
    levels: tuple


@dataclass(frozen=True)
class Correlator(Observer):
    """⟨p(x(t + τ), x(t))⟩ over time origins t, for each particle. Level l has samples 2ˡ steps apart.

    Level 0 has all lags below `points` and all time origins, as a stored path would; higher levels continue it with
    lags j·2ˡ, points/2 ≤ j < points, and 1/2ˡ of the origins.
    """

    equal: ClassVar[bool] = True
    place: ClassVar[int] = 0  # which part of the state
    points: int = static(default=16)
    levels: int = static(default=8)
    of: Callable | None = None

    def __post_init__(self):
        _checks.integer("points", self.points, least=2, why="it counts lags", way_out="Pass an even number ≥ 2.")
        _checks.integer("levels", self.levels, least=1, why="each doubles the longest lag")
        if self.points % 2:
            why = "a level begins where the one before is half way"
            _checks.refuse("points", self.points, "an even number", why, f"Pass points={self.points + 1}.")

    @abstractmethod
    def product(self, x, past):
        """p(x, past) over the last axis."""

    def handed(self, last):
        """The sample that goes up to the next level after two of this one."""
        return last[0]

    late: ClassVar[int] = 0  # which of two samples goes up: the first, or the second

    def check(self, y):
        """Refuse states without coordinates."""
        vectors(self.of, y, self.place)

    def entered(self, t, y, path):
        """(sample, what is needed to take the next one)."""
        return part(self.of, t, y, self.place), ()

    def start(self, t, y):
        """The first sample in level 0, and in those that pass samples on as they are."""
        x, path = self.entered(t, y, None)
        zero, empty = tf.zeros([], tf.int64), tf.zeros([self.points, *x.shape], x.dtype)
        half = tf.zeros([self.points - self.points // 2, *x.shape[:-1]], tf.float64)
        sums = [tf.zeros([self.points, *x.shape[:-1]], tf.float64)] + [half] * (self.levels - 1)
        levels = tuple(Level(empty, s) for s in sums)
        return Kept(zero, t, t, path, self._feed(levels, x, zero, 0))

    def see(self, seen, t, y):
        """One sample more."""
        x, path = self.entered(t, y, seen.path)
        n = seen.n + 1
        return Kept(n, seen.begin, t, path, self._feed(seen.levels, x, n, 0))

    def _feed(self, levels, x, k, number):
        """Levels from `number` on after sample k of that level."""
        first = self.points // 2 if number else 0
        mine, above = levels[0], levels[1:]
        last = tf.concat([x[None], mine.last[:-1]], 0)
        products = tf.cast(self.product(x, last[first:]), tf.float64)
        known = tf.range(first, self.points, dtype=tf.int64) <= k
        mine = Level(last, mine.sums + tf.where(_nest.spread(known, products), products, tf.zeros_like(products)))
        if not above:
            return (mine,)
        due = k % 2 == self.late
        above = tf.cond(due, lambda: self._feed(above, self.handed(last), k // 2, number + 1), lambda: above)
        return (mine, *above)

    def result(self, seen) -> Lags:
        """Lags in the order of time."""
        n, h = int(seen.n), (float(seen.end) - float(seen.begin)) / max(int(seen.n), 1)
        t, each, origins = [], [], []
        for number, level in enumerate(seen.levels):
            samples = (n + self.late) // 2**number + 1 - self.late if number else n + 1
            lags = np.arange(self.points // 2 if number else 0, self.points)
            some = samples > lags
            t.append(lags[some] * 2**number * h)
            origins.append(samples - lags[some])
            each.append(level.sums.reshape(len(lags), -1)[some] / origins[-1][:, None])
        return Lags(*map(np.concatenate, (t, each, origins)), d=seen.levels[0].last.shape[-1])


@dataclass(frozen=True)
class MSD(Correlator):
    """⟨|x(t + τ) − x(t)|²⟩, the time-averaged mean square displacement of each particle, while it runs.

    Higher levels use every 2ˡ-th position, which leaves each value exact; means over blocks, as for velocities, would
    blur displacements.

    Args:
        points: lags of a level; the longest is (points − 1)·2^(levels − 1) steps.
        levels: memory is levels × points positions for each particle.
        of: of(t, y) → positions (..., particles, d); None for the first part of the state.
        box: None, or the lengths of a periodic cell, a number or (d,) [length]: paths are unwrapped, with moves of less
            than half of it between two samples.

    References:
        Frenkel & Smit (2002), doi:10.1016/B978-0-12-267351-1.X5000-7, 4.4.2; Dubbeldam, Ford, Ellis & Snurr (2009),
        doi:10.1080/08927020902818039.
    """

    box: Any = None

    def __post_init__(self):
        super().__post_init__()
        if self.box is not None:
            object.__setattr__(self, "box", lengths(self.box))

    def product(self, x, past):
        """|x − past|²."""
        return tf.reduce_sum((x - past) ** 2, -1)

    def entered(self, t, y, path):
        """Unwrapped positions."""
        x = part(self.of, t, y)
        if self.box is None:
            return x, ()
        free = x if path is None else path[1] + nearest(self.box, x - path[0])
        return free, (x, free)


@dataclass(frozen=True)
class VACF(Correlator):
    """⟨v(t + τ)·v(t)⟩, the velocity autocorrelation of each particle, while it runs.

    Args:
        points: lags of a level; the longest is (points − 1)·2^(levels − 1) steps.
        levels: memory is levels × points velocities for each particle.
        of: of(t, y) → velocities (..., particles, d), or any vectors; None for the second part of the state.
        blocks: higher levels correlate means over 2ˡ steps: less noise, but each value is smoothed over 2/points of
            its lag. By default they take every 2ˡ-th velocity, and values are exact.

    References:
        Ramírez, Sukumaran, Vorselaars & Likhtman (2010), doi:10.1063/1.3491098.
    """

    place = 1
    blocks: bool = static(default=False)

    def __post_init__(self):
        super().__post_init__()
        _checks.flag("blocks", self.blocks, why="it says what higher levels correlate")

    @property
    def late(self):
        """Means are known after the second sample."""
        return int(self.blocks)

    def product(self, x, past):
        """x·past."""
        return tf.reduce_sum(x * past, -1)

    def handed(self, last):
        """The velocity, or the mean of two."""
        return 0.5 * (last[0] + last[1]) if self.blocks else last[0]


def lengths(box):
    """Lengths of a periodic cell, a number or an array."""
    box = np.asarray(_checks.finite("box", box, why="it holds the lengths of the cell"), np.float64)
    if box.ndim > 1 or (box <= 0).any():
        _checks.refuse("box", box, "lengths > 0", "a cell repeats after them", "Pass a number, or one for each axis.")
    return box if box.ndim else float(box)


def nearest(box, dx):
    """The shortest of the images of a displacement."""
    box = _nest.to(box, dx.dtype)
    return dx - box * tf.round(dx / box)
