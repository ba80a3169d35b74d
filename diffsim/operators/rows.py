"""Deep halos by rows: many explicit steps of a local stencil between two fills of the ghost cells.

A state becomes a table of rows, one for each position on all axes but the last, with `depth` ghost cells at both ends
and a spare row first and last. Neighbours along outer axes are other whole rows, found through a table of starts in
which periodic ends wrap and no-flux walls repeat the edge, so those axes need no ghosts at all. Neighbours along the
last axis are the same rows read one cell to the left or right. Each step spoils one more ghost cell; after `depth`
steps they are filled anew. XLA:CPU turns a row read into full vectors of one width, without remainders, split evenly
over the cores.

Measured against generated C on two cores it is 1 to 2 times as fast; see benchmarks/A1_heat_throughput.py. Tables
larger than the cache are marched in parts: see `tiles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _nest, _tree, _xla
from diffsim.boundary import Flux, Neumann
from diffsim.operators import tiles
from diffsim.operators.base import Identity, Scaled, Sum
from diffsim.operators.box import Diagonal
from diffsim.operators.stencil import Stencil

LANES = 8  # rows are padded to a multiple of this many cells
DEPTH = {1: 32, 2: 16, 3: 8}


@dataclass(frozen=True)
class Rows:
    """The table form of tensors of one shape.

    Attributes:
        lead: ensemble axes.
        shape: grid axes.
        periodic: for each grid axis whether it is periodic; else it has no-flux walls.
        depth: ghost cells at both ends of a row.
    """

    lead: tuple[int, ...]
    shape: tuple[int, ...]
    periodic: tuple[bool, ...]
    depth: int

    @property
    def count(self) -> int:
        """Number of rows, spare ones apart."""
        return int(np.prod(self.lead + self.shape[:-1], dtype=int))

    @property
    def width(self) -> int:
        """Cells in a row of the table."""
        return -(-(self.shape[-1] + 2 * self.depth) // LANES) * LANES

    def enter(self, u):
        """(…, *grid) → table; ghosts are not filled yet."""
        n = self.shape[-1]
        return tf.pad(tf.reshape(u, [self.count, n]), [[1, 1], [self.depth, self.width - n - self.depth]])

    def leave(self, p):
        """Table → (…, *grid)."""
        return tf.reshape(p[1:-1, self.depth : self.depth + self.shape[-1]], self.lead + self.shape)

    def refresh(self, p, on):
        """Fill the ghost cells, if `on`: both sides are taken before either is written, so that it happens in place."""
        n, k = self.shape[-1], self.depth

        def both():
            if self.periodic[-1]:
                return _xla.fence(p[:, n : n + k]), _xla.fence(p[:, k : 2 * k])
            return _xla.fence(tf.reverse(p[:, k : 2 * k], [1])), _xla.fence(tf.reverse(p[:, n : n + k], [1]))

        nothing = tf.zeros([self.count + 2, k], p.dtype)
        low, high = tf.cond(on, both, lambda: (nothing, nothing))
        return _xla.update(_xla.update(p, low, [0, 0]), high, [0, n + k])

    def spread(self, a):
        """A number, or what broadcasts over (…, *grid), in a form that broadcasts over tables; None if a does not.

        What is the same along rows becomes one column, what is the same in all rows one row: so the numbers of a
        sweep are read once per row. Ghost cells of a field are filled for good.
        """
        full = self.lead + self.shape
        if a.shape.rank == 0:
            return a
        shape = (1,) * (len(full) - a.shape.rank) + tuple(a.shape)
        if len(shape) > len(full) or any(m not in (1, n) for m, n in zip(shape, full, strict=True)):
            return None
        m = shape[-1]
        if all(n == 1 for n in shape[:-1]):
            p = tf.reshape(a, [1, m])
        else:
            p = tf.reshape(tf.broadcast_to(tf.reshape(a, shape), [*full[:-1], m]), [-1, m])
            p = tf.concat([p[:1], p, p[-1:]], 0)
        if m == 1:
            return p
        at = np.arange(self.width) - self.depth
        mirrored = np.minimum(at % (2 * m), 2 * m - 1 - at % (2 * m))
        return tf.gather(p, at % m if self.periodic[-1] else mirrored, axis=1)

    def starts(self):
        """(own, ((lower, upper), …)): where rows and their neighbours along outer axes begin in the flat table."""
        outer = self.lead + self.shape[:-1]
        row = np.arange(self.count).reshape(outer) + 1

        def flat(table):
            return (np.concatenate([[0], table.ravel(), [self.count + 1]]) * self.width).astype(np.int32)

        pairs = []
        for axis in range(len(self.shape) - 1):
            n, at = self.shape[axis], np.arange(self.shape[axis])
            ends = (
                ((at - 1) % n, (at + 1) % n)
                if self.periodic[axis]
                else (np.maximum(at - 1, 0), np.minimum(at + 1, n - 1))
            )
            pairs.append(tuple(flat(np.take(row, i, axis=len(self.lead) + axis)) for i in ends))
        return flat(row), tuple(pairs)

    def read(self, p, start):
        """Rows of the flat table that begin at `start`."""
        return _xla.windows(tf.reshape(p, [-1]), start, self.width)


class Local(NamedTuple):
    """A drift that works on tables."""

    structure: Any
    leaves: list
    spread: list[bool]  # which leaves are tables

    def __call__(self, t, y):
        """f(t, y)."""
        return _tree.unflatten(self.structure, self.leaves)(t, y)

    def cut(self, fn) -> Local:
        """The same with fn applied to the tables that it holds, but for those of one row."""
        tables = [spread and a.shape[0] > 1 for a, spread in zip(self.leaves, self.spread, strict=True)]
        leaves = [fn(a) if table else a for a, table in zip(self.leaves, tables, strict=True)]
        return self._replace(leaves=leaves)


@dataclass(frozen=True)
class Burst:
    """Explicit Euler steps y + h·(A y + f(t, y)) on tables, for pointwise f and constant coefficients."""

    rows: tuple[Rows, ...]  # one for each leaf of the state
    coefficients: tuple  # for each leaf the list of D/Δx² per axis, and the rate of growth
    planes: int | None = None  # of a slab, where tables are larger than the cache: see `tiles`

    def enter(self, leaves):
        """Leaves of a state → tables."""
        return [r.enter(u) for r, u in zip(self.rows, leaves, strict=True)]

    def leave(self, tables):
        """Tables → leaves of a state."""
        return [r.leave(p) for r, p in zip(self.rows, tables, strict=True)]

    def local(self, drift, dtype) -> Local:
        """The drift with the arrays that it holds spread over tables; what does not broadcast stays as it is."""
        leaves, structure = _tree.flatten(drift)
        tables = [self._spread(a, dtype) for a in leaves]
        kept = [a if p is None else p for a, p in zip(leaves, tables, strict=True)]
        return Local(structure, kept, [p is not None for p in tables])

    def _spread(self, a, dtype):
        array = np.ndim(a) > 0 and tf.as_dtype(a.dtype).is_floating
        return self.rows[0].spread(_nest.to(a, dtype)) if array else None

    def part(self, rows, cut) -> Burst:
        """The same for a part of the table: cut(a) is what a table of numbers, one per row, has there."""

        def own(a):
            return a if a is None or a.shape.rank == 0 or a.shape[0] == 1 else cut(a)

        return Burst(rows, tuple(([own(k) for k in K], own(growth)) for K, growth in self.coefficients))

    def takes(self, drift, y) -> bool:
        """Whether drift(t, tables) works: one that closes over a field, out of sight, does not."""
        real = _nest.real_dtype(y)
        tables = [tf.zeros([r.count + 2, r.width], u.dtype) for r, u in zip(self.rows, _nest.flatten(y), strict=True)]
        try:
            rates = _nest.flatten(self.local(drift, real)(tf.zeros([], real), _nest.pack(y, tables)))
            return [rate.shape for rate in rates] == [p.shape for p in tables]
        except (ValueError, tf.errors.InvalidArgumentError):
            return False

    def refresh(self, tables, on):
        """Fill ghosts."""
        return [r.refresh(p, on) for r, p in zip(self.rows, tables, strict=True)]

    @property
    def depth(self) -> int:
        """Steps between two refreshes."""
        return self.rows[0].depth

    def step(self, tables, h, drift, on):
        """One step if `on`, else a copy: the condition keeps XLA from fusing steps and computing cells twice."""

        def go():
            rates = [self._linear(i, p) for i, p in enumerate(tables)]
            if drift is not None:
                rates = [b if a is None else a + b for a, b in zip(rates, drift(tables), strict=True)]
            rates = [tf.zeros_like(p) if a is None else a for a, p in zip(rates, tables, strict=True)]
            return [_xla.fence(p + h * rate) for p, rate in zip(tables, rates, strict=True)]

        def stay():
            return [r.read(p, r.starts()[0]) for r, p in zip(self.rows, tables, strict=True)]

        out = tf.cond(on, go, stay)
        for r, p in zip(self.rows, out, strict=True):
            p.set_shape([r.count + 2, r.width])
        return out

    def _linear(self, i, table):
        rows, (K, growth) = self.rows[i], self.coefficients[i]
        own, pairs = rows.starts()
        total = None
        for axis, k in enumerate(K):
            low, high = pairs[axis] if axis < len(pairs) else (own - 1, own + 1)
            part = k * ((rows.read(table, high) - table) - (table - rows.read(table, low)))
            total = part if total is None else total + part
        if growth is None:
            return total
        return growth * table if total is None else total + growth * table


def burst(operators, leaves) -> Burst | None:
    """The table form of a state's operators, if they are Laplacians with periodic or no-flux walls, or none."""
    rows, coefficients = [], []
    plain = [_plain(op) for op in operators]
    moving = [found for found in plain if found is not None and found[0] is not None]
    for found, u in zip(plain, leaves, strict=True):
        if found is None or not moving or u.dtype.is_complex:
            return None
        stencil, K, growth = found
        stencil = stencil or moving[0][0]  # a species that stays where it is goes along
        d = stencil.grid.ndim
        deepest = min(DEPTH[d], stencil.grid.shape[-1]) // 2 * 2
        row = (stencil.grid.shape[-1] + 2 * deepest) * u.dtype.size * len(leaves)
        depth, planes = tiles.slabs(stencil.grid.shape, deepest, row, len(leaves))
        periodic = tuple(w is None for w in stencil.walls)
        table = Rows(tuple(u.shape[:-d]), stencil.grid.shape, periodic, depth)
        numbers = [None if a is None else table.spread(_nest.to(a, u.dtype)) for a in (*K, growth)]
        if any(n is None and a is not None for n, a in zip(numbers, (*K, growth), strict=True)):
            return None
        rows.append(table)
        coefficients.append((numbers[:-1], numbers[-1]))
    alike = len({(r.lead, r.shape, r.depth, r.periodic[-1]) for r in rows}) == 1  # ghosts of species meet
    return Burst(tuple(rows), tuple(coefficients), planes) if alike and _xla.available() else None


def _plain(op):
    """(stencil or None, coefficient of each axis, rate of growth or None), or None."""
    if op is None:
        return None, (), None
    if isinstance(op, Identity):
        return None, (), op.a
    if isinstance(op, Diagonal):
        return None if op.of is None else _plain(op.of)
    if isinstance(op, Scaled):
        inner = _plain(op.of)
        if inner is None or tf.as_dtype(getattr(op.a, "dtype", tf.float32)).is_complex:
            return None
        stencil, K, growth = inner
        return stencil, tuple(op.a * k for k in K), None if growth is None else op.a * growth
    if isinstance(op, Sum):
        growths = [a.a for a in op.of if isinstance(a, Identity)]
        others = [a for a in op.of if not isinstance(a, Identity)]
        inner = _plain(others[0]) if len(others) == 1 else None
        if inner is None:
            return None
        stencil, K, growth = inner
        return stencil, K, sum(growths[1:], growths[0]) if growth is None else sum(growths, growth)
    if not isinstance(op, Stencil) or op.volume is not None or op.solubility is not None or op.cross is not None:
        return None
    if any(K.shape.rank for K in op.conductance) or op.grid.shape[-1] < 2:
        return None
    for pair in op.walls:
        if pair is not None and not all(
            isinstance(w.condition, (Neumann, Flux)) and w.condition.homogeneous for w in pair
        ):
            return None
    return op, op.conductance, None
