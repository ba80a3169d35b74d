"""Which molecules react with which: a random order decides where several want the same one.

Each pair that is near enough draws two words from its two identities and the step: whether it reacts, and its rank. Of
all pairs that would react and share a molecule the one of the lowest rank does; what is left looks again. So the
outcome depends on identities only through random numbers: no place in memory is preferred.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import _nest, counts, random

BLOCK = 1024  # molecules that look for partners at a time
LAST = 2**31 - 1  # the rank of pairs that do not react
ROUNDS = 1000


class Met(NamedTuple):
    """What meetings have come to, for each of N places.

    Attributes:
        partner: with whom the molecule reacts, int32, if it is the left one of the pair; else −1.
        owner: the left one of the pair, if the molecule is the right one; else −1.
        pair: number of the pair of species, of left ones.
        aim: uniform on [0, 1), of left ones: which change.
        left: how many found no room in a cell.
    """

    partner: Any
    owner: Any
    pair: Any
    aim: Any
    left: Any


class Looking(NamedTuple):
    """For each place the best partner found so far: its rank, who it is, the pair of species, and the aim."""

    rank: Any
    who: Any
    pair: Any
    aim: Any


def meet(pairs, contacts, cells, x, kind, ids, key) -> Met:
    """Pairs that react.

    Args:
        pairs: the Pairs of a Scheme.
        contacts: a radius and a chance for each of them.
        cells: Cells.
        x: positions (boxes, n, d).
        kind: species (boxes, n), −1 where nobody can react.
        ids: identities (boxes · n,), uint32.
        key: of this step.
    """
    bins = cells.bin(x, _among(kind, {p.right for p in pairs}))
    box = tf.repeat(tf.range(x.shape[0]), x.shape[1])
    x, kind = tf.reshape(x, [-1, x.shape[-1]]), tf.reshape(kind, [-1])
    N = kind.shape[0]
    none = tf.fill([N], -1)
    search = _Search(pairs, contacts, cells, bins, x, box, ids, key)
    asks = _among(kind, {p.left for p in pairs})

    def again(asks, kind, met):
        best = search(asks, kind)
        first, owner = _agreed(best)
        kind = tf.where(first | (owner >= 0), tf.zeros_like(kind) - 1, kind)
        partner, pair, aim = (tf.where(first, a, b) for a, b in zip(best[1:], met[:1] + met[2:4], strict=True))
        met = Met(partner, tf.maximum(met.owner, owner), pair, aim, met.left)
        return asks & (best.rank < LAST) & (kind >= 0), kind, met

    start = Met(none, none, none, tf.zeros([N], x.dtype), bins.left)
    return tf.while_loop(lambda asks, *_: tf.reduce_any(asks), again, (asks, kind, start), maximum_iterations=ROUNDS)[2]


def _among(kind, wanted):
    found = tf.zeros(kind.shape, tf.bool)
    for s in sorted(wanted):
        found |= tf.equal(kind, s)
    return found


def _agreed(best):
    """(who is the left one of a pair that reacts, the left one of everybody's pair or −1).

    A pair reacts if it is the best that either of the two can see. Both of a pair of one species look; one is the left.
    """
    N = best.rank.shape[0]
    me, seeks = tf.range(N), best.rank < LAST
    to = tf.where(seeks, best.who, 0)
    asked = tf.math.unsorted_segment_min(tf.where(seeks, best.rank, LAST), to, N)
    least = tf.minimum(best.rank, asked)
    agreed = seeks & tf.equal(best.rank, least) & tf.equal(best.rank, tf.gather(least, to))
    mutual = tf.gather(agreed, to) & tf.equal(tf.gather(to, to), me)
    first = agreed & ~(mutual & (me > to))
    owner = tf.maximum(tf.math.unsorted_segment_max(tf.where(first, me, -1), to, N), -1)
    first &= tf.equal(tf.gather(owner, to), me) & (owner < 0)  # equal ranks, one in 2³¹, wait for another step
    owner = tf.where((owner >= 0) & tf.gather(first, tf.maximum(owner, 0)), owner, -1)
    return first, owner


class _Search:
    """The best partner of each who asks, block by block."""

    def __init__(self, pairs, contacts, cells, bins, x, box, ids, key):
        self.pairs, self.contacts, self.cells, self.bins = pairs, contacts, cells, bins
        self.x, self.box, self.ids, self.key = x, box, ids, key

    def __call__(self, asks, kind):
        N = kind.shape[0]
        size = min(BLOCK, N)
        me = tf.range(N)
        table = tf.concat([self.x, kind[:, None]], -1)  # where and what in one row, found by one look
        turn = tf.cumsum(tf.cast(asks, tf.int32))
        rows = tf.fill([N + size], N)
        rows = tf.tensor_scatter_nd_update(rows, tf.where(asks, turn - 1, N + size - 1)[:, None], tf.where(asks, me, N))

        def block(at, found):
            i = tf.gather(rows, at + tf.range(size))
            better = self._partners(tf.minimum(i, N - 1), i < N, table)
            return at + size, Looking(*(tf.tensor_scatter_nd_update(a, i[:, None], b)
                                        for a, b in zip(found, better, strict=True)))

        start = self._nobody(N + 1)  # the last one takes what is not there
        found = tf.while_loop(lambda at, _: at < turn[-1], block, (tf.constant(0), start))[1]
        return Looking(*(a[:N] for a in found))

    def _nobody(self, n):
        return Looking(tf.fill([n], LAST), tf.fill([n], -1), tf.fill([n], -1), tf.zeros([n], self.x.dtype))

    def _partners(self, i, there, table):
        """The best partners of i, if `there`, among all that are near.

        What is computed is cut into pieces by conditions: XLA fuses each by itself, and would not end with the whole.
        """
        mine = tf.gather(table, i)
        cell = self.cells.around(mine[:, :-1], tf.gather(self.box, i))
        m = cell.shape[1]
        cell, row, here = tf.reshape(cell, [-1]), tf.repeat(i, m), tf.repeat(mine, m, axis=0)
        own = tf.repeat(tf.where(there, mine[:, -1], -1.0), m)

        def member(k, found):
            place = tf.maximum(cell, 0) + k * self.bins.members.shape[1]
            who = tf.where(cell >= 0, tf.gather(tf.reshape(self.bins.members, [-1]), place), -1)
            j = tf.maximum(who, 0)
            other = tf.gather(table, j)
            pair, chance = self._odds(own, other[:, -1], self._distance2(here, other))
            near = (who >= 0) & tf.not_equal(who, row) & (pair >= 0)

            def draw():
                return self._draw(found, near, row, j, pair, chance)

            return k + 1, tf.cond(tf.reduce_any(near), draw, lambda: found)

        start = (tf.constant(0), self._nobody(i.shape[0]))
        return tf.while_loop(lambda k, _: k < self.bins.most, member, start)[1]

    def _distance2(self, here, other):
        """|r|², by the shortest way; summed by hand, for a sum inside what is fused would be computed for each use."""
        r = tf.abs(other - here)[:, :-1]
        size = _nest.to(self.cells.size, r.dtype)
        r = tf.where(tf.constant(self.cells.periodic), tf.minimum(r, size - r), r)
        return functools.reduce(tf.add, tf.unstack(r * r, axis=-1))

    def _odds(self, own, other, r2):
        """The pair of species, −1 if they do not react or are too far from each other; its chance."""
        pair, chance = tf.fill(r2.shape, -1), tf.zeros_like(r2)
        for m, (p, (radius, odds)) in enumerate(zip(self.pairs, self.contacts, strict=True)):
            here = tf.equal(own, p.left) & tf.equal(other, p.right) & (r2 < radius * radius)
            pair, chance = tf.where(here, m, pair), tf.where(here, odds, chance)
        return pair, chance

    def _draw(self, found, near, i, j, pair, chance):
        """What was found, or who of these is better."""
        ids = tf.gather(self.ids, i), tf.gather(self.ids, j)
        words = random._threefry(self.key, tf.minimum(*ids), tf.maximum(*ids))
        u = counts.unit(words[0], chance.dtype)
        fires = near & (u <= chance)
        rank = tf.where(fires, tf.bitcast(tf.bitwise.right_shift(words[1], 1), tf.int32), LAST)
        aim = u / tf.where(near, chance, 1.0)
        values = (tf.reshape(a, [found.rank.shape[0], -1]) for a in (rank, j, pair, aim))
        return tf.cond(tf.reduce_any(fires), lambda: _better(found, *values), lambda: found)


def _better(found, rank, j, pair, aim):
    """For each row what was found, or the best of its candidates."""
    first = tf.argmin(rank, -1, output_type=tf.int32)[:, None]
    new = Looking(*(tf.gather(a, first, batch_dims=1)[:, 0] for a in (rank, j, pair, aim)))
    better = new.rank < found.rank
    return Looking(*(tf.where(better, a, b) for a, b in zip(new, found, strict=True)))
