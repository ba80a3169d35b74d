"""Who is near whom: particles sorted into the cells of a box, with static shapes, in one to three dimensions.

All of it is a tensor program of fixed shapes: `Cells` is made on the host, once; `bin` and what follows run inside the
compiled loop. Positions have the shape (..., n, d), leading axes being independent boxes; absent ones take no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static

SURE = 1e-14  # odds, per binning, that randomly placed particles overflow a cell of the default capacity


class Bins(NamedTuple):
    """Particles by cell.

    Attributes:
        members: (capacity, boxes · cells), int32: the k-th particle of each cell, as an index into all particles of all
            boxes, counted on; −1 where there is none. The last of a cell come first.
        most: int32, how many the fullest cell holds, at most `capacity`.
        left: int32, how many found no room. Unless it is zero, pairs would be missed: that is an overflow.
    """

    members: Any
    most: Any
    left: Any


class Neighbours(NamedTuple):
    """Candidates for each particle, K of them.

    Attributes:
        index: (..., n, K), int32, an index into the particles of all boxes, counted on; 0 where there is none.
        r: (..., n, K, d), from the particle to the candidate, by the shortest way.
        near: (..., n, K), bool: it is there, it is another one, and |r| < cutoff.
    """

    index: Any
    r: Any
    near: Any


@dataclass(frozen=True)
class Cells:
    """A box cut into counts[0] × counts[1] × … cells, such that pairs within the cutoff are in cells that touch.

    On an axis with 3 sides cells are at least as long as the cutoff, and both neighbours are looked at; with 2 sides
    they are twice as long, and the nearer neighbour suffices; with 1 the axis is not cut. Make one with `Cells.over`.

    Args:
        lower: (d,) corner of the box.
        size: (d,) its lengths.
        cutoff: pairs closer than this are found.
        counts: cells along each axis.
        sides: 1, 2 or 3 for each axis.
        periodic: whether each axis closes on itself.
        capacity: how many particles a cell can hold.
    """

    lower: Any
    size: Any
    cutoff: Any
    counts: tuple[int, ...] = static()
    sides: tuple[int, ...] = static()
    periodic: tuple[bool, ...] = static()
    capacity: int = static()

    @classmethod
    def over(cls, lower, upper, cutoff: float, *, number: int, periodic=False, capacity: int | None = None) -> Cells:
        """Cells for about `number` particles: about as many cells as particles, none too small for the cutoff.

        Args:
            lower: corner of the box, (d,) numbers, 1 ≤ d ≤ 3.
            upper: the opposite corner.
            cutoff: > 0, pairs closer than this are found [length].
            number: how many particles a box holds at most.
            periodic: whether axes close on themselves, one bool or one for each axis.
            capacity: of a cell; by default so many that randomly placed particles will not overflow it.

        Raises:
            ValueError, TypeError: no box, a cutoff that is not positive, or more than half of a period.
        """
        ends = np.atleast_1d(np.asarray(lower, np.float64)), np.atleast_1d(np.asarray(upper, np.float64))
        ends = np.broadcast_arrays(*ends)
        d, size = len(ends[0]), ends[1] - ends[0]
        if not (1 <= d <= 3 and np.all(np.isfinite(size)) and np.all(size > 0)):
            why, way_out = "it is cut into cells", "Give finite corners of 1 to 3 coordinates."
            _checks.refuse("box", _checks.Verbatim(f"{lower} … {upper}"), "lower < upper", why, way_out)
        cutoff = _checks.number("cutoff", cutoff, above=0.0, why="pairs are sought within it")
        number = _checks.integer("number", number, least=1, why="cells are made for so many particles")
        periodic = tuple(bool(p) for p in np.broadcast_to(periodic, d))
        for length, closes in zip(size, periodic, strict=True):
            if closes and length < 2 * cutoff:
                why = "two particles would meet in several ways at once"
                _checks.refuse("cutoff", cutoff, f"at most {length / 2:g}", why, "Enlarge the periodic box.")
        spacing = (float(np.prod(size)) / number) ** (1 / d)
        sides = 2 if 4 * max(2 * cutoff, spacing) <= 6 * max(cutoff, spacing) else 3
        edge = max(cutoff * (2 if sides == 2 else 1), spacing)
        cut = [_cut(length, edge, cutoff, sides, closes) for length, closes in zip(size, periodic, strict=True)]
        counts, sides = tuple(c for c, _ in cut), tuple(s for _, s in cut)
        if capacity is None:
            capacity = min(number, _capacity(number / math.prod(counts), math.prod(counts)))
        capacity = _checks.integer("capacity", capacity, least=1, why="a cell holds so many particles")
        return cls(ends[0].copy(), size, cutoff, counts, sides, periodic, capacity)

    @property
    def number(self) -> int:
        """How many cells a box has."""
        return math.prod(self.counts)

    def bin(self, x, present=None) -> Bins:
        """Particles (..., n, d) into cells; those of which `present`, (..., n), is false are left out."""
        home = self._offset(x) + self._flat(self._place(x)[0])
        boxes = math.prod(x.shape[:-2])
        cell = tf.reshape(home, [-1])
        left = tf.ones(cell.shape, tf.bool) if present is None else tf.reshape(present, [-1])
        me = tf.range(cell.shape[0])
        members = tf.fill([self.capacity, boxes * self.number], -1)

        def put(k, left, members):
            """Of all that are left the last in each cell gets the place k."""
            here = tf.maximum(tf.math.unsorted_segment_max(tf.where(left, me, -1), cell, boxes * self.number), -1)
            placed = tf.equal(tf.gather(here, cell), me)
            return k + 1, left & ~placed, tf.tensor_scatter_nd_update(members, [[k]], [here])

        def more(k, left, members):
            return (k < self.capacity) & tf.reduce_any(left)

        most, left, members = tf.while_loop(more, put, (tf.constant(0), left, members))
        return Bins(members, most, tf.reduce_sum(tf.cast(left, tf.int32)))

    def around(self, x, box=None):
        """Cells in which what is near x, (..., n, d), may be: (..., n, m), int32; −1 beyond a wall.

        `box`, (..., n), says in which box each is, if the leading axes do not.
        """
        offset = self._offset(x) if box is None else box * self.number
        place, later = self._place(x)
        lead = x.shape[:-1]
        cell, there = tf.zeros([*lead, 1], tf.int32), tf.ones([*lead, 1], tf.bool)
        for i, count in enumerate(self.counts):  # all ways along one axis with all along those before
            a = place[i][..., None] + _ways(self.sides[i], later[i][..., None])
            inside = (a >= 0) & (a < count)
            if self.periodic[i]:
                a, inside = tf.where(inside, a, tf.where(a < 0, a + count, a - count)), tf.ones_like(inside)
            cell = tf.reshape(cell[..., None] * count + a[..., None, :], [*lead, -1])
            there = tf.reshape(there[..., None] & inside[..., None, :], [*lead, -1])
        return tf.where(there, offset[..., None] + cell, -1)

    def separation(self, start, end):
        """`end` − `start`, (..., d), by the shortest way around periodic axes."""
        r = end - start
        if not any(self.periodic):
            return r
        size = _nest.to(self.size, r.dtype)
        return tf.where(tf.constant(self.periodic), r - size * tf.round(r / size), r)

    def neighbours(self, x, bins: Bins) -> Neighbours:
        """All candidates of each particle, K = m · capacity of them, where m counts the cells around it.

        The sizes are static, so a generous capacity costs; particles that are absent still have neighbours.
        """
        flat = tf.reshape(x, [-1, x.shape[-1]])
        cells = self.around(x)
        found = tf.gather(bins.members, tf.maximum(cells, 0), axis=1)  # (capacity, ..., n, m)
        found = tf.where(cells >= 0, found, -1)
        found = tf.reshape(tf.transpose(found, [*range(1, found.shape.rank), 0]), [*x.shape[:-1], -1])
        index = tf.maximum(found, 0)
        r = self.separation(x[..., None, :], tf.gather(flat, index))
        me = tf.reshape(tf.range(flat.shape[0]), x.shape[:-1])[..., None]
        within = tf.reduce_sum(r * r, -1) < _nest.to(self.cutoff, x.dtype) ** 2
        return Neighbours(index, r, (found >= 0) & tf.not_equal(index, me) & within)

    def _place(self, x):
        """Along each axis the cell, and whether x is in its upper half."""
        u = (x - _nest.to(self.lower, x.dtype)) * (tf.constant(self.counts, x.dtype) / _nest.to(self.size, x.dtype))
        a = tf.floor(u)
        later = tf.unstack(u - a >= 0.5, axis=-1)
        cell, place = tf.unstack(tf.cast(a, tf.int32), axis=-1), []
        for i, count in enumerate(self.counts):
            wrapped = tf.math.floormod(cell[i], count) if self.periodic[i] else cell[i]
            place.append(tf.clip_by_value(wrapped, 0, count - 1))
        return place, later

    def _flat(self, place):
        cell = place[0]
        for i, count in enumerate(self.counts[1:], 1):
            cell = cell * count + place[i]
        return cell

    def _offset(self, x):
        """The first cell of each particle's box."""
        boxes = tf.range(math.prod(x.shape[:-2])) * self.number
        return tf.reshape(boxes, [*x.shape[:-2], 1])


def _ways(sides, later):
    """How far to go along an axis, (..., sides)."""
    if sides == 2:  # the nearer neighbour
        return tf.where(later, [0, 1], [0, -1])
    return tf.constant([-1, 0, 1] if sides == 3 else [0])


def _cut(length, edge, cutoff, sides, closes):
    """(cells along an axis, sides): no cell counts twice, and none is shorter than it may be."""
    count = int(min(length / edge * (1 + 1e-12), 2**20))
    if sides == 3 and count >= (3 if closes else 2):
        return count, 3
    count = int(min(length / max(edge, 2 * cutoff) * (1 + 1e-12), 2**20))
    return (count, 2) if count >= 2 else (1, 1)


def _capacity(mean, cells):
    """The least k with cells · P(N > k) < SURE, N Poisson with this mean."""
    k = int(mean)
    while k < 20 + 8 * mean:
        p = math.exp((k + 1) * math.log(mean) - mean - math.lgamma(k + 2))
        if cells * p / max(1 - mean / (k + 2), 0.1) < SURE:  # the tail, bounded by a geometric series
            break
        k += 1
    return k
