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
from diffsim.steppers.observed import Observer, part, vectors, when


class Level(NamedTuple):
    """The last samples, newest first, and sums of their products over time origins, in float64."""

    last: Any  # (points, ..., d)
    sums: Any  # (lags, ...)
    mark: Any  # () or Σx at the last sample, for means over blocks


class Kept(NamedTuple):
    """What a correlator keeps."""

    n: Any  # steps since the start
    begin: Any
    end: Any
    path: Any  # () or (position in the cell, unwrapped)
    total: Any  # () or Σx
    levels: tuple


@dataclass(frozen=True)
class Correlator(Observer):
    """⟨p(x(t + τ), x(t))⟩ over time origins t, for each particle. Level l has samples 2ˡ steps apart.

    Level 0 has all lags below `points` and all time origins, as a stored path would; higher levels continue it with
    lags j·2ˡ, points/2 ≤ j < points, and 1/2ˡ of the origins. Level l takes its samples at steps 2ˡ⁻¹(2k + 1), so that
    each step concerns level 0 and one other: the work per step does not grow with the number of levels.
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

    @property
    def averages(self) -> bool:
        """Whether higher levels take means over blocks; their first block is incomplete."""
        return False

    def check(self, y):
        """Refuse states without coordinates."""
        vectors(self.of, y, self.place)

    def entered(self, t, y, path):
        """(sample, what is needed to take the next one)."""
        return part(self.of, t, y, self.place), ()

    def start(self, t, y):
        """The first sample in level 0."""
        x, path = self.entered(t, y, None)
        zero, total = tf.zeros([], tf.int64), tf.zeros(x.shape, tf.float64) if self.averages else ()
        first = self._add(self._empty(x, self.points, ()), x, 0, zero)
        others = tuple(self._empty(x, self.points // 2, total) for _ in range(1, self.levels))
        return Kept(zero, t, t, path, total, (first, *others))

    def _empty(self, x, lags, mark):
        last, sums = tf.zeros([self.points, *x.shape], x.dtype), tf.zeros([lags, *x.shape[:-1]], tf.float64)
        return Level(last, sums, mark)

    def see(self, seen, t, y):
        """One sample more."""
        x, path = self.entered(t, y, seen.path)
        n, total = seen.n + 1, seen.total + tf.cast(x, tf.float64) if self.averages else ()
        levels = self._add(seen.levels[0], x, 0, n), *self._above(seen.levels[1:], x, total, n, 1)
        return Kept(n, seen.begin, t, path, total, levels)

    def _above(self, levels, x, total, n, number):
        """Levels from `number` on; it is the turn of the first if n, counted in steps of half its own, is odd."""
        if not levels:
            return ()
        odd, k, rest = n % 2 == 1, n // 2, levels[1:]
        mine = when(odd, lambda level: self._mine(level, x, total, k, number), levels[0])
        return mine, *(when(~odd, lambda rest: self._above(rest, x, total, k, number + 1), rest) if rest else ())

    def _mine(self, level, x, total, k, number):
        if self.averages:
            x = tf.cast((total - level.mark) / 2.0**number, x.dtype)
        return self._add(level._replace(mark=total), x, self.points // 2, k - int(self.averages))

    def _add(self, level, x, first, k):
        """A level after sample k, lags being those from `first` on."""
        last = tf.concat([x[None], level.last[:-1]], 0)
        products = tf.cast(self.product(x, last[first:]), tf.float64)
        known = tf.range(first, self.points, dtype=tf.int64) <= k
        sums = level.sums + tf.where(_nest.spread(known, products), products, tf.zeros_like(products))
        return Level(last, sums, level.mark)

    def result(self, seen) -> Lags:
        """Lags in the order of time."""
        n, h = int(seen.n), (float(seen.end) - float(seen.begin)) / max(int(seen.n), 1)
        t, each, origins = [], [], []
        for level, (_, sums, _) in enumerate(seen.levels):
            samples = (n + 2 ** (level - 1)) // 2**level - int(self.averages) if level else n + 1
            lags = np.arange(self.points // 2 if level else 0, self.points)
            some = samples > lags
            t.append(lags[some] * 2**level * h)
            origins.append(samples - lags[some])
            each.append(sums.reshape(len(lags), -1)[some] / origins[-1][:, None])
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
    def averages(self):
        """As asked for."""
        return self.blocks

    def product(self, x, past):
        """x·past."""
        return tf.reduce_sum(x * past, -1)


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
