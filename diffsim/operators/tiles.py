"""Space-time tiles: parts of a table that the cache holds are marched by themselves for many steps.

Runs of an ensemble never meet: a group of them goes all the way before the next one starts. A single large run is cut
across its first axis into slabs. Each takes `depth` planes more at both sides, found beyond the ends by wrapping
round or in the mirror, which is exact for periodic and for no-flux walls; every step spoils one of them, so after
`depth` steps the middle is right, and is written to a new table. Domain decomposition over processes is the same cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _xla

MIB = 1 << 20
GROUP = 4 * MIB  # tables of runs that are marched together
WHOLE = 12 * MIB  # tables of a run that is not cut
SLAB = 2 * MIB, 6 * MIB  # tables of a slab: a part for all, and one that species share
FILL = 1.5  # what it costs to cut and to write back, in steps
WORTH = 2.2  # the most work for which slabs were seen to gain, in that of the middle planes


def slabs(shape, deepest: int, row: int, species: int) -> tuple[int, int | None]:
    """(depth, planes of a slab) at the least work; no planes where the whole is small enough or cannot be cut.

    Args:
        shape: of the grid.
        deepest: the most steps between two fills of ghost cells.
        row: bytes of a row in all tables together.
        species: how many tables there are.
    """
    plane = row * math.prod(shape[1:-1])
    if len(shape) == 1 or plane * shape[0] <= WHOLE:
        return deepest, None
    work = {}
    for depth in range(2, deepest + 1, 2):
        planes = min((SLAB[0] + SLAB[1] // species) // plane - 2 * depth, shape[0] // 2)
        if planes > 0:
            planes = -(-shape[0] // -(-shape[0] // planes))  # slabs of one size
            work[(1 + 2 * depth / planes) * (1 + FILL / depth)] = depth, planes
    return work[min(work)] if work and min(work) < WORTH else (deepest, None)


def march(burst, advance, drift, tables, first, last):
    """The tables after the steps from `first` to `last`.

    Args:
        burst: how a step is taken.
        advance: (burst, drift, tables, first, last) → tables, part by part.
        drift: a `Local` drift, or None.
        tables: the state's.
        first: number of the first step.
        last: number of the step to stop before.
    """
    if burst.planes is not None:
        cut = Slabs(burst)

        def pair(k, tables, others):  # back and forth between two buffers, without copies
            others = cut.block(advance, drift, tables, others, k, last)
            return k + 2 * burst.depth, cut.block(advance, drift, others, tables, k + burst.depth, last), others

        return tf.while_loop(lambda k, *_: k < last, pair, (first, tables, [tf.zeros_like(p) for p in tables]))[1]
    rows = burst.rows[0]
    runs = math.prod(rows.lead)
    size = max(1, GROUP // (_bytes(tables) // runs))
    size = max(m for m in range(1, min(size, runs) + 1) if runs % m == 0)
    if size == runs:
        return advance(burst, drift, tables, first, last)
    count = rows.count // runs * size

    def group(g, tables):
        def cut(a):  # the rows before and after belong to neighbours; they are read as spare ones
            return tf.slice(a, [g * count, 0], [count + 2, a.shape[1]])

        part = burst.part(tuple(replace(r, lead=(size,)) for r in burst.rows), cut)
        done = advance(part, drift and drift.cut(cut), [cut(p) for p in tables], first, last)
        return g + 1, [_xla.update(p, q[1:-1], [g * count + 1, 0]) for p, q in zip(tables, done, strict=True)]

    return tf.while_loop(lambda g, _: g < runs // size, group, (tf.constant(0), tables))[1]


def _bytes(tables):
    return sum(p.shape.num_elements() * p.dtype.size for p in tables)


@dataclass(frozen=True)
class Slabs:
    """The slabs of all runs of a burst."""

    burst: object

    def block(self, advance, drift, tables, new, k, last):
        """`depth` steps of every slab, written over `new`."""
        burst, rows = self.burst, self.burst.rows[0]
        planes, depth, n = burst.planes, burst.depth, rows.shape[0]
        each, across = -(-n // planes), math.prod(rows.shape[1:-1])
        parts = tuple(
            replace(r, lead=(), shape=(planes + 2 * depth, *r.shape[1:]), periodic=(False, *r.periodic[1:]))
            for r in burst.rows
        )

        def slab(i, new):
            start = tf.minimum(i % each * planes, n - planes)  # the last one may repeat some of the one before
            at = start + np.arange(-depth, planes + depth, dtype=np.int32)
            at = at % n if rows.periodic[0] else tf.minimum(at % (2 * n), 2 * n - 1 - at % (2 * n))
            at = (i // each * n + at)[:, None] * across + np.arange(across, dtype=np.int32)
            at = tf.reshape(at, [-1]) + 1
            at = tf.concat([at[:1], at, at[-1:]], 0)  # spare rows

            def cut(a):
                return _xla.windows(tf.reshape(a, [-1]), at * a.shape[1], a.shape[1])

            old = [_xla.fence(cut(p)) for p in tables]
            for r, p in zip(parts, old, strict=True):
                p.set_shape([r.count + 2, r.width])
            done = advance(burst.part(parts, cut), drift and drift.cut(cut), old, k, tf.minimum(k + depth, last))
            low = 1 + depth * across
            to = (i // each * n + start) * across + 1
            return i + 1, [
                _xla.update(p, q[low : low + planes * across], [to, 0]) for p, q in zip(new, done, strict=True)
            ]

        total = math.prod(rows.lead) * each
        return tf.while_loop(lambda i, _: i < total, slab, (tf.constant(0), new))[1]
