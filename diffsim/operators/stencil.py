"""∇·(D∇u) in flux form on a grid, for constant, per-axis, variable, layered and full-tensor D."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree, boundary
from diffsim._xla import fence
from diffsim.boundary import Condition
from diffsim.grid import Grid
from diffsim.operators import cross, halo, media, walls
from diffsim.operators.base import Operator

SLAB = 1 << 19  # cells whose bounds are found at once


@dataclass(frozen=True)
class Diffusion(Operator):
    """A u = ∇·(D∇u), finite volumes: (Au)ᵢ = (1/Vᵢ) Σ_faces (area · inflow), second order in Δx.

    Between cells of different D the face takes the harmonic mean (resistances in series), so that layered
    media are exact in the steady state. What leaves a cell enters its neighbour: mass changes through walls only.

    Args:
        grid: Grid or RadialGrid.
        boundary: a condition for all faces, or Boundary(x=…, y=…).
        D: number, tuple of numbers (one per axis), array over the grid, callable of the coordinates, Layers or
            Anisotropic [length² / time].

    Raises:
        ValueError: D negative, not finite or of the wrong shape; faces without condition.
    """

    grid: Grid
    boundary: tuple[tuple[Condition, Condition], ...]
    D: media.Medium = 1.0

    def __post_init__(self):
        _checks.instance("grid", self.grid, Grid, why="an operator lives on a grid", way_out="Pass ds.Grid(…).")
        if not isinstance(self.boundary, tuple):
            object.__setattr__(self, "boundary", boundary.resolve(self.boundary, self.grid))
        object.__setattr__(self, "D", media.resolve(self.D, self.grid))
        if self.D.cross is not None:
            cross.check(self.grid, self.boundary)

    def prepare(self, like) -> Stencil:
        """Face conductances and walls, computed once."""
        self.grid.check("state", like.shape)
        return build(self.grid, self.boundary, self.D, like.dtype)

    def apply(self, u):
        """A u, the linear part."""
        return self.prepare(u).apply(u)

    def source(self, t, like):
        """b(t), what walls supply."""
        return self.prepare(like).source(t, like)

    def __call__(self, t, u):
        """A u + b(t)."""
        return self.prepare(u)(t, u)

    def flux(self, t, u):
        """J = −D∂u at the faces: for each axis an array with one entry more along it [amount / area / time]."""
        return self.prepare(u).flux(t, u)

    def inflow(self, t, u):
        """Amount entering per time through each wall: {"x-": …, "x+": …}, integrated over the face."""
        return self.prepare(u).inflow(t, u)

    def budget(self, t, u, grid):
        """Inflow through each wall."""
        return self.prepare(u).inflow(t, u)

    def radius(self) -> float:
        """Gershgorin's bound, 4ΣD/Δx² where D is constant."""
        if not self.D.constant or type(self.grid) is not Grid:
            return _radius(self)
        return float(sum(4 * float(D) / dx**2 for D, dx in zip(self.D.D, self.grid.dx, strict=True)))

    @property
    def diagonalises(self) -> bool:
        """Whether axes separate: see `box`."""
        from diffsim.operators import box

        return box.separates(self)

    def diagonal(self):
        """The same operator in its eigenbasis, axis by axis.

        Raises:
            ValueError: D varies across more than one axis, or a wall's transfer coefficient along its face.
        """
        from diffsim.operators import box  # box builds on the stencil; this is the way back

        return box.diagonalise(self)

    def solvable(self):
        """Diagonal if the axes separate, else conjugate gradients with multigrid."""
        from diffsim.operators import krylov

        return self.diagonal() if self.diagonalises else krylov.Iterative(self).solvable()


def Laplacian(grid: Grid, boundary) -> Diffusion:  # noqa: N802 - it names an operator
    """Δ: `Diffusion` with D = 1; scale it by a number for D·Δ. Flux walls are scaled along with it."""
    return Diffusion(grid, boundary, 1.0)


@dataclass(frozen=True)
class Stencil(Operator):
    """A `Diffusion` with its coefficients computed: what the time loop runs."""

    grid: Grid
    walls: tuple
    conductance: tuple  # per axis: a scalar D/Δx², or an array of K/V at the n + 1 faces
    volume: tf.Tensor | None  # None where all cells are alike and K is already divided by V
    solubility: tf.Tensor | None = None
    cross: tf.Tensor | None = None

    def sides(self, axis):
        """K at the lower and at the upper face of each cell, broadcastable over the grid."""
        K, d = self.conductance[axis], self.grid.ndim
        n = self.grid.shape[axis]
        return (K, K) if K.shape.rank == 0 else (halo.cut(K, axis, 0, n, d), halo.cut(K, axis, 1, None, d))

    def apply(self, u):
        """A u."""
        return self._divergence(u, None)

    def __call__(self, t, u):
        """A u + b(t), in one pass."""
        return self._divergence(u, t)

    def source(self, t, like):
        """b(t) = (A u + b(t)) at u = 0."""
        if all(w is None or all(side.condition.homogeneous for side in w) for w in self.walls):
            return None
        return self._divergence(tf.zeros_like(like), t)

    def _padded(self, u, t):
        a = u if self.solubility is None else u / self.solubility
        ghosts = [None if w is None else self._ghost(w, t) for w in self.walls]
        return fence(halo.pad(a, ghosts, self.grid.ndim))

    def _ghost(self, pair, t):
        def fill(layer, upper, done):
            wall = pair[upper]
            if self.solubility is None:
                return wall.ghost(layer, done, t)
            s = halo.grow(
                halo.edge(tf.broadcast_to(self.solubility, self.grid.shape), wall.axis, upper, self.grid.ndim),
                done,
                self.grid.ndim,
            )
            return wall.ghost(layer * s, done, t) / s

        return fill

    def _divergence(self, u, t):
        d, p = self.grid.ndim, self._padded(u, t)
        centre = halo.inner(p, (0,) * d)
        total = None
        for axis in range(d):
            step = tuple(int(i == axis) for i in range(d))
            rise = halo.inner(p, step) - centre
            fall = centre - halo.inner(p, tuple(-s for s in step))
            lower, upper = self.sides(axis)
            part = lower * (rise - fall) if lower is upper else upper * rise - lower * fall
            total = part if total is None else total + part
        if self.cross is not None:
            total = total + cross.divergence(p, self.cross, self.walls, self.grid)
        return total if self.volume is None else total / self.volume

    def flux(self, t, u):
        """J at the faces of each axis, positive along the axis."""
        d, p = self.grid.ndim, self._padded(u, t)
        out = []
        for axis in range(d):
            rows = p[(..., *(slice(None) if i == axis else slice(1, -1) for i in range(d)))]
            jump = halo.cut(rows, axis, 1, None, d) - halo.cut(rows, axis, 0, rows.shape[axis - d] - 1, d)
            area = self.grid.face_area(axis)
            volume = 1.0 if self.volume is not None else float(np.max(self.grid.volume()))
            safe = tf.constant(np.where(area > 0, area, 1.0), u.dtype)  # the axis of a cylinder has no area
            out.append(-self.conductance[axis] * jump * _nest.to(volume, u.dtype) / safe)
        return tuple(out)

    def inflow(self, t, u):
        """Amount entering per time through each wall."""
        axes = list(range(-self.grid.ndim, 0))
        ones = tf.ones(self.grid.shape, u.dtype)
        return {
            side.name: tf.reduce_sum(
                side.inflow(t, u) * side.area() * halo.edge(ones, side.axis, side.upper, self.grid.ndim), axes
            )
            for pair in self.walls
            if pair is not None
            for side in pair
        }

    def budget(self, t, u, grid):
        """Inflow through each wall."""
        return self.inflow(t, u)

    def diagonal_entries(self):
        """aᵢᵢ, an array broadcastable over the grid."""
        d, total = self.grid.ndim, 0.0
        for axis in range(d):
            alike = tf.ones(self.grid.shape, self.conductance[axis].dtype)
            lower, upper = (K * alike for K in self.sides(axis))
            if self.walls[axis] is not None:
                low, high = (2 * w.slope / w.kappa - 1 for w in self.walls[axis])  # −α
                n = self.grid.shape[axis]
                at = tf.reshape(tf.range(n), [-1 if i == axis else 1 for i in range(d)])
                lower = tf.where(at == 0, lower * (1 + low), lower)
                upper = tf.where(at == n - 1, upper * (1 + high), upper)
            total = total - lower - upper
        total = total if self.solubility is None else total / self.solubility
        return total if self.volume is None else total / self.volume

    def bound(self):
        """Gershgorin's bound as a scalar tensor."""
        ones = tf.ones(self.grid.shape, self.conductance[0].dtype)
        return tf.reduce_max(self.apply(ones) - 2 * self.diagonal_entries())

    def radius(self) -> float:
        """Gershgorin: max |aᵢᵢ| + Σ|aᵢⱼ|, the off-diagonal entries being positive."""
        bound = float(self.bound())
        return bound if self.cross is None else cross.radius(bound)


def _radius(op: Diffusion) -> float:
    """Gershgorin's bound; over slabs where arrays are large, so that intermediates take little memory."""
    if op.grid.cells <= SLAB:
        bound = float(op.prepare(np.zeros(op.grid.shape)).bound())
    else:
        bound = 0.0
        for part in _slabs(op):
            leaves, structure = _tree.flatten(part)
            bound = max(bound, float(_bound(structure)(_tree.as_tensors(leaves, tf.float64))))
    return bound if op.D.cross is None else cross.radius(bound)


def _slabs(op: Diffusion):
    """Operators on slabs across the first axis, which together have every row of `op`.

    Where a slab is cut it gets a wall without flux, one row beyond those that it is there for: such a row has less
    than its full weight, so that it never makes the bound larger.
    """
    grid, n = op.grid, op.grid.shape[0]
    size = max(SLAB * n // grid.cells, 1) + 2
    whole = type(grid) is not Grid or op.D.solubility is not None or any(
        np.ndim(c.transfer) for pair in op.boundary for c in pair if isinstance(c, boundary.Robin)
    )
    if whole or size >= n:
        yield op
        return
    low, high = op.boundary[0]
    periodic = isinstance(low, boundary.Periodic)
    still = boundary.Neumann()
    dx = grid.dx
    part = Grid((size, *grid.shape[1:]), (size * dx[0], *grid.size[1:]))
    last = n - 1 if periodic else n - size
    for first in range(-1 if periodic else 0, last + size - 2, size - 2):
        at = np.arange(first, first + size) % n if periodic else min(first, last) + np.arange(size)
        ends = (low if not periodic and at[0] == 0 else still, high if not periodic and at[-1] == n - 1 else still)
        D = tuple(d if np.ndim(d) == 0 or d.shape[0] == 1 else _rows(d, at) for d in op.D.D)
        yield Diffusion(part, (ends, *op.boundary[1:]), media.Medium(D))


def _rows(D, at):
    return tf.gather(D, at) if isinstance(D, (tf.Tensor, tf.Variable)) else np.take(D, at, axis=0)


@functools.lru_cache(maxsize=16)
def _bound(structure):
    def bound(leaves):
        op = _tree.unflatten(structure, leaves)
        return build(op.grid, op.boundary, op.D, tf.float64).bound()

    compiled = tf.function(bound, jit_compile=True, autograph=False)
    return lambda leaves: compiled.get_concrete_function(leaves)(leaves)


def build(grid: Grid, pairs, medium: media.Medium, dtype: tf.DType) -> Stencil:
    """Discretise: differentiable in every number of the medium and the walls."""
    dtype = tf.as_dtype(dtype)
    D = tuple(_nest.to(d, dtype) for d in medium.D)
    faces = walls.build(grid, pairs, medium, dtype)
    alike = all(a.uniform for a in grid.axes)
    uniform = alike and medium.solubility is None and all(d.shape.rank == 0 for d in D)
    cross_term = None if medium.cross is None else _nest.to(medium.cross, dtype)
    if uniform:
        K = tuple(d / tf.constant(dx**2, dtype) for d, dx in zip(D, grid.dx, strict=True))
        return Stencil(grid, faces, K, None, None, cross_term)
    s = None if medium.solubility is None else _nest.to(medium.solubility, dtype)
    volume = None if alike else tf.constant(grid.volume(), dtype)
    K = tuple(
        _faces(grid, axis, D[axis], s, medium.resistance[axis], faces[axis], dtype, alike) for axis in range(grid.ndim)
    )
    return Stencil(grid, faces, K, volume, s, cross_term)


def _faces(grid, axis, D, s, R, pair, dtype, alike):
    """K at the n + 1 faces of an axis, as wide across it as D is."""
    d = grid.ndim
    p = (D if s is None else D * s) * tf.constant(2 / grid.dx[axis], dtype)
    p = tf.broadcast_to(p, _stretched(p, axis, grid))
    low, high = halo.edge(p, axis, False, d), halo.edge(p, axis, True, d)
    p = tf.concat([high, p, low], axis - d)  # periodic neighbours; walls overwrite them below
    below, above = halo.cut(p, axis, 0, grid.shape[axis] + 1, d), halo.cut(p, axis, 1, None, d)
    series = below + above if R is None else below + above + _nest.to(R, dtype) * below * above
    K = tf.math.divide_no_nan(below * above, series)
    if pair is not None:  # half the conductance of the half cell: the face to a ghost cell
        ends = [w.kappa / 2 if s is None else w.kappa / 2 * halo.edge(s, axis, w.upper, d) for w in pair]
        parts = [e + tf.zeros_like(low) for e in ends]
        parts.insert(1, halo.cut(K, axis, 1, grid.shape[axis] - 1, d))
        shape = functools.reduce(tf.broadcast_static_shape, (e.shape for e in (ends[0] + low, ends[1] + low)))
        across = [n if i != axis else None for i, n in enumerate(shape)]
        parts = [tf.broadcast_to(e, [e.shape[axis] if n is None else n for n in across]) for e in parts]
        K = tf.concat(parts, axis - d)
    area = grid.face_area(axis)  # one number where all cells are alike: an array would be part of the program
    return K * tf.constant(np.max(area) / np.max(grid.volume()) if alike else area, dtype)


def _stretched(p, axis, grid):
    """The shape of p with all cells along `axis`."""
    shape = [1] * grid.ndim if p.shape.rank == 0 else p.shape.as_list()
    shape[axis] = grid.shape[axis]
    return shape
