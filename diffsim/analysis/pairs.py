"""Where particles are, seen from a particle: now (radial distribution) and later (van Hove)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import refuse
from diffsim._tree import static
from diffsim.analysis.averages import TimeAverage
from diffsim.analysis.correlators import lengths, nearest
from diffsim.steppers.observed import part, vectors


class Shells(NamedTuple):
    """A function of distance, averaged over shells and time.

    Attributes:
        r: (bins,) middles of the shells [length].
        value: mean over each shell.
        error: its standard error: between members of an ensemble, or for a single one by blocking in time.
        edges: (bins + 1,) [length].
    """

    r: np.ndarray
    value: np.ndarray
    error: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True)
class _Pairs(TimeAverage):
    """Counts of distances in shells; leading axes of the positions are independent members."""

    of: Any = None
    levels: int = static(default=40)
    reach: float = 1.0
    bins: int = static(default=50)
    box: Any = None

    def __post_init__(self):
        object.__setattr__(self, "reach", _checks.number("reach", self.reach, above=0.0, why="it ends the shells"))
        _checks.integer("bins", self.bins, least=1, why="it counts shells")
        if self.box is not None:
            object.__setattr__(self, "box", lengths(self.box))
            if self.reach > np.min(self.box) / 2 * (1 + 1e-12):
                why = "a wider shell leaves the cell, and meets images of the same particle"
                refuse("reach", self.reach, f"reach ≤ {np.min(self.box) / 2:g}, half of the cell", why, "Shorten it.")

    def check(self, y):
        """Refuse states without particles."""
        shape = vectors(self.of, y)
        if self.box is not None and np.ndim(self.box) and np.shape(self.box) != shape[-1:]:
            refuse("box", self.box, f"{shape[-1]} lengths", "each axis has one", "Pass one for each coordinate.")
        if shape[-2] < 2:
            refuse("y0", y, "two particles or more", "a pair has two", "Put particles on the axis before the last.")

    def _positions(self, t, y):
        x = part(self.of, t, y)
        return tf.reshape(x, [-1, *x.shape[-2:]])

    def _apart(self, dx):
        dx = dx if self.box is None else nearest(self.box, dx)
        return tf.sqrt(tf.reduce_sum(dx * dx, -1))

    def _counts(self, r):
        """(members, bins): how many of the distances (members, …) fall in each shell; those beyond in none."""
        members, shell = r.shape[0], tf.cast(r * (self.bins / _nest.to(self.reach, r.dtype)), tf.int32)
        shell = tf.minimum(tf.reshape(shell, [members, -1]), self.bins)
        place = shell + (self.bins + 1) * tf.range(members)[:, None]
        ones = tf.ones([place.shape.num_elements()], tf.int32)
        counts = tf.math.unsorted_segment_sum(ones, tf.reshape(place, [-1]), members * (self.bins + 1))
        return tf.cast(tf.reshape(counts, [members, self.bins + 1])[:, :-1], tf.float64)

    def _shells(self, average, d, scale) -> Shells:
        edges = np.linspace(0.0, float(self.reach), self.bins + 1)
        volume = math.pi ** (d / 2) / math.gamma(d / 2 + 1) * np.diff(edges**d)
        factor = scale / volume
        return Shells(0.5 * (edges[1:] + edges[:-1]), average.value * factor, average.error * factor, edges)


@dataclass(frozen=True)
class RadialDistribution(_Pairs):
    """g(r) = V/N(N − 1) Σᵢⱼ ⟨δ(r − |xᵢ − xⱼ|)⟩, i ≠ j, in a periodic cell: 1 for an ideal gas, exactly.

    Shells have their exact volumes in any dimension. All pairs are looked at: N² per sample, use Every(…).

    Args:
        of: of(t, y) → positions (..., particles, d); None for the first part of the state.
        reach: the largest distance, at most half of the cell [length].
        bins: shells.
        box: lengths of the cell, a number or (d,) [length].
    """

    def __post_init__(self):
        if self.box is None:
            refuse("box", None, "the lengths of a periodic cell", "without it there is no density", "Pass box=….")
        super().__post_init__()

    def sample(self, t, y):
        """Shares of the pairs."""
        x = self._positions(t, y)
        n = x.shape[1]
        r = self._apart(x[:, :, None] - x[:, None]) + 2 * self._far(n, x.dtype)
        return self._counts(r) / (n * (n - 1.0))

    def _far(self, n, dtype):
        """Beyond reach on the diagonal: no one is its own neighbour."""
        return _nest.to(self.reach, dtype) * tf.eye(n, dtype=dtype)

    def start(self, t, y):
        """The first sample, and the volume of the cell."""
        x = self._positions(t, y)
        volume = tf.reduce_prod(_nest.to(self.box, tf.float64) * tf.ones([x.shape[-1]], tf.float64))
        return super().start(t, y), (volume, tf.zeros([x.shape[-1]]))

    def see(self, seen, t, y):
        """One sample more."""
        return super().see(seen[0], t, y), seen[1]

    def result(self, seen) -> Shells:
        """g(r)."""
        volume, like = seen[1]
        return self._shells(super().result(seen[0]), len(like), float(volume))


@dataclass(frozen=True)
class VanHove(_Pairs):
    """G(r, τ): density at r from where a particle was τ ago; of itself (self part), or of the others (distinct).

    τ is the time from one sample to the next: VanHove() sees dt, Every(VanHove(), n) sees n·dt, from origins that do
    not overlap. The self part integrates to 1; the distinct one is (N − 1)/V for an ideal gas, ρg(r) at τ = 0.

    Args:
        of: of(t, y) → positions (..., particles, d); None for the first part of the state.
        reach: the largest distance, at most half of a cell [length].
        bins: shells.
        box: None, or lengths of a periodic cell, a number or (d,) [length].
        distinct: the others instead of the particle itself; N² per sample.

    References:
        van Hove (1954), doi:10.1103/PhysRev.95.249.
    """

    distinct: bool = static(default=False)

    def __post_init__(self):
        super().__post_init__()
        _checks.flag("distinct", self.distinct, why="it says whose density")

    def _between(self, x, past):
        n = x.shape[1]
        if not self.distinct:
            return self._counts(self._apart(x - past)) / float(n)
        r = self._apart(x[:, :, None] - past[:, None])
        return (self._counts(r) - self._counts(self._apart(x - past))) / float(n)

    def start(self, t, y):
        """Positions, and no sample yet."""
        x = self._positions(t, y)
        return _nest.zeros(super().start(t, y)), x

    def sample(self, t, y):
        """For the first state: zeros."""
        x = self._positions(t, y)
        return tf.zeros([x.shape[0], self.bins], tf.float64)

    def see(self, seen, t, y):
        """Displacements since the sample before."""
        sums, past = seen
        x = self._positions(t, y)
        return self._add(sums, self._between(x, past)), x

    def result(self, seen) -> Shells | None:
        """G(r, τ) [1 / lengthᵈ]; None before the second sample."""
        sums, past = seen
        return None if sums.n == 0 else self._shells(super().result(sums), past.shape[-1], 1.0)
