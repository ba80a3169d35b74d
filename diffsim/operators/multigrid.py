"""Geometric multigrid for cell-centred finite volumes: a symmetric V-cycle that preconditions conjugate gradients.

A grid is seen as a network of conductances: (L a)ᵢ = Σ_faces c·(a_neighbour − aᵢ), a = 0 behind a wall. One halving
along an axis joins cells in pairs; conductances add in parallel, resistances in series, so that layers and thin
membranes survive on coarse grids. Values between coarse centres are interpolated so that the flux is continuous.
The coarsest grid has a few dozen cells and is solved exactly.

References:
    Wesseling (1988), doi:10.1016/0377-0427(88)90010-6 (cell-centred multigrid for interface problems).
    Adams, Brezina, Hu & Tuminaro (2003), doi:10.1016/S0021-9991(03)00194-3 (polynomial smoothers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _nest
from diffsim._tree import static
from diffsim._xla import fence
from diffsim.operators import halo
from diffsim.operators.stencil import Stencil

STRETCH = 1.5  # axes whose cells are wider than this times the narrowest wait: point smoothers do not act along them
COARSEST = 64  # cells that a dense inverse handles
PRECISION = tf.float32  # a preconditioner needs no more, and reads half as much
SWEEPS = 2  # Jacobi sweeps before and after each coarse correction


@dataclass(frozen=True)
class Network:
    """Cells and conductances, before γ is known: the system will be (σ·mass − γ·growth)·a − γ·L a.

    Args:
        mass: V·s of each cell, (*grid).
        growth: rate of local growth times mass, (*grid).
        faces: for each axis the conductances of its n + 1 faces; the two ends lead to walls, or are one periodic face.
        periodic: which axes close on themselves.
        down: how to interpolate from the next coarser network, one halving after the other.
    """

    mass: tf.Tensor
    growth: tf.Tensor
    faces: tuple
    periodic: tuple[bool, ...] = static()
    down: tuple = ()

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.faces)

    def system(self, sigma: float, gamma) -> System:
        """Its matrix for one value of γ; σ = 0 leaves the mass out."""
        gamma = _nest.to(gamma, self.mass.dtype)
        faces = tuple(gamma * c for c in self.faces)
        diagonal = sigma * self.mass - gamma * self.growth
        for axis, c in enumerate(faces):
            diagonal += _cells(c, axis, 0, self.ndim) + _cells(c, axis, 1, self.ndim)
        here = System(diagonal, tf.math.reciprocal_no_nan(diagonal), faces, self.periodic, self.down)
        return here if self.down else replace(here, inverse=here.dense_inverse())


@dataclass(frozen=True)
class System:
    """The symmetric positive definite matrix of a network, and its Jacobi polynomial smoother."""

    diagonal: tf.Tensor
    reciprocal: tf.Tensor
    faces: tuple
    periodic: tuple[bool, ...] = static()
    down: tuple = ()
    inverse: tf.Tensor | None = None  # on the coarsest grid

    def dense_inverse(self):
        """The inverse as a dense matrix; a little is added to the diagonal, for closed systems are singular."""
        n, dtype = self.diagonal.shape.num_elements(), self.diagonal.dtype
        eye = tf.eye(n, dtype=dtype)
        coupling = tf.reshape(self.coupling(tf.reshape(eye, [n, *self.diagonal.shape])), [n, n])
        slack = 1 + float(np.sqrt(np.finfo(dtype.as_numpy_dtype).eps))
        matrix = tf.linalg.diag(slack * tf.reshape(self.diagonal, [n])) - coupling
        return tf.linalg.cholesky_solve(tf.linalg.cholesky(matrix), eye)

    def solve(self, b):
        """The solution by the dense inverse."""
        n = self.inverse.shape[0]
        return tf.reshape(tf.reshape(b, [-1, n]) @ self.inverse, b.shape)

    def coupling(self, a):
        """Σ c·a_neighbour: minus the off-diagonal part."""
        d = len(self.faces)
        p = fence(halo.pad(a, [None if wraps else _nothing for wraps in self.periodic], d))
        total = 0.0
        for axis, c in enumerate(self.faces):
            step = tuple(int(i == axis) for i in range(d))
            total += _cells(c, axis, 1, d) * halo.inner(p, step)
            total += _cells(c, axis, 0, d) * halo.inner(p, tuple(-s for s in step))
        return total

    def residual(self, a, b):
        """b − (diagonal − coupling) a."""
        return b - self.diagonal * a + self.coupling(a)

    def smooth(self, a, b):
        """Jacobi sweeps whose factors are reciprocals of Chebyshev's roots on the rough part of the spectrum.

        The spectrum of diagonal⁻¹·matrix lies in (0, 2] by Gershgorin; on a uniform grid of d axes modes that
        oscillate from cell to cell have λ ≥ 1/d. A polynomial in it is symmetric, before or after the correction.
        """
        for omega in _relaxation(sum(c.shape[i] > 2 for i, c in enumerate(self.faces))):
            if a is None:
                a = omega * self.reciprocal * b
            else:
                a = (1 - omega) * a + omega * self.reciprocal * (b + self.coupling(a))
        return a


def _relaxation(axes: int) -> tuple[float, ...]:
    low, high = 1 / max(axes, 1), 2.0
    centre, radius = (high + low) / 2, (high - low) / 2
    return tuple(1 / (centre - radius * math.cos(math.pi * (k + 0.5) / SWEEPS)) for k in range(SWEEPS))


@dataclass(frozen=True)
class Halving:
    """Pairs of cells along `axis` become one; a child takes the share `lower` or `upper` from the next pair.

    `below` and `above` are what children in the next pairs take from this one.
    """

    lower: tf.Tensor
    upper: tf.Tensor
    below: tf.Tensor
    above: tf.Tensor
    axis: int = static()
    cells: int = static()
    periodic: bool = static()

    def prolong(self, a):
        """Values of the children."""
        d, axis, n = self.lower.shape.rank, self.axis, self.lower.shape[self.axis]
        p = _widened(a, axis, 1, self.periodic, d)
        before, after = halo.cut(p, axis, 0, n, d), halo.cut(p, axis, 2, None, d)
        both = tf.stack([a + self.lower * (before - a), a + self.upper * (after - a)], axis - d)
        shape = a.shape.as_list()
        shape[axis - d] *= 2
        return halo.cut(tf.reshape(both, shape), axis, 0, self.cells, d)

    def restrict(self, f):
        """The transpose: what the children hold goes to the pairs that they take from."""
        d, axis, n = self.lower.shape.rank, self.axis, self.lower.shape[self.axis]
        if self.cells % 2:
            f = tf.concat([f, tf.zeros_like(halo.edge(f, axis, True, d))], axis - d)
        p = _widened(f, axis, 2, self.periodic, d)
        low, high = (_every_other(p, axis, start, d) for start in (0, 1))
        own = (1 - self.lower) * halo.cut(low, axis, 1, n, d) + (1 - self.upper) * halo.cut(high, axis, 1, n, d)
        return own + self.below * halo.cut(high, axis, 0, n, d) + self.above * halo.cut(low, axis, 2, None, d)


def network(stencil: Stencil) -> Network:
    """The conductances of a prepared stencil, walls included; its mixed derivatives are left out."""
    grid, d = stencil.grid, stencil.grid.ndim
    K = [pair if isinstance(pair, tuple) else (pair, pair) for pair in stencil.conductance]
    alike = tf.ones(grid.shape, K[0][0].dtype)
    faces = []
    for axis, (lower, upper) in enumerate(K):
        low, high = halo.edge(lower * alike, axis, False, d), halo.edge(upper * alike, axis, True, d)
        if stencil.walls[axis] is not None:
            below, above = stencil.walls[axis]
            low, high = low * 2 * below.slope / below.kappa, high * 2 * above.slope / above.kappa
        inner = halo.cut(upper * alike, axis, 0, grid.shape[axis] - 1, d)
        faces.append(tf.concat([low, inner, high], axis))
    largest = 1.0 if stencil.volume is None else tf.reduce_max(stencil.volume)
    mass = alike * volume(stencil) * (1.0 if stencil.solubility is None else stencil.solubility)
    return Network(mass, tf.zeros_like(mass), tuple(c / largest for c in faces),
                   tuple(w is None for w in stencil.walls))


def volume(stencil: Stencil):
    """V of each cell in units of the largest."""
    return 1.0 if stencil.volume is None else stencil.volume / tf.reduce_max(stencil.volume)


def hierarchy(finest: Network, widths: tuple[float, ...]) -> tuple[Network, ...]:
    """Ever coarser networks, down to one cell; `widths` are the cells' sizes along the axes."""
    levels, level = [], finest
    while level.mass.shape.num_elements() > COARSEST:
        open_axes = [i for i, n in enumerate(level.mass.shape) if n > 1]
        narrowest = min(widths[i] for i in open_axes)
        down, coarse = [], level
        for axis in open_axes if len(levels) % 2 else reversed(open_axes):  # what is joined last comes out larger
            if widths[axis] <= STRETCH * narrowest:
                coarse, halving = halve(coarse, axis)
                down.append(halving)
                widths = tuple(2 * w if i == axis else w for i, w in enumerate(widths))
        levels.append(Network(level.mass, level.growth, level.faces, level.periodic, tuple(down)))
        level = coarse
    return (*levels, level)


def halve(fine: Network, axis: int) -> tuple[Network, Halving]:
    """Join cells in pairs along one axis; the last of an odd number stays alone."""
    d, n, periodic = fine.ndim, fine.mass.shape[axis], fine.periodic[axis]
    r = 1 / fine.faces[axis]  # infinite where nothing passes
    if n % 2:  # as if a cell of no size followed the last one, connected to it without resistance
        last = halo.edge(r, axis, True, d)
        r = tf.concat([halo.cut(r, axis, 0, n, d), tf.zeros_like(last), last], axis)
    half, between = _every_other(r, axis, 1, d) / 2, _every_other(r, axis, 0, d)
    m = half.shape[axis]
    way = _widened(half, axis, 1, periodic, d)
    below, above = halo.cut(way, axis, 0, m + 1, d) + between, between + halo.cut(way, axis, 1, None, d)
    lower, upper = _share(half, _cells(below, axis, 0, d)), _share(half, _cells(above, axis, 1, d))
    total = below + halo.cut(way, axis, 1, None, d)
    closed = periodic and m == 1  # a single cell does not exchange with itself
    faces = tuple((tf.zeros_like(total) if closed else 1 / total) if i == axis else _joined(c, axis)
                  for i, c in enumerate(fine.faces))
    coarse = Network(_joined(fine.mass, axis), _joined(fine.growth, axis), faces, fine.periodic)
    taken = (halo.cut(_widened(w, axis, 1, periodic, d), axis, start, m, d) for w, start in ((upper, 0), (lower, 2)))
    return coarse, Halving(lower, upper, *taken, axis, n, periodic)


def _share(own, other):
    """How much a child takes from the next pair: resistance to its sibling's side over that of the whole way."""
    cut_off = tf.cast(tf.math.is_finite(other), own.dtype)  # insulated from its sibling, perhaps not from others
    return tf.where(tf.math.is_finite(own), own / (own + other), cut_off)


def cycle(systems: tuple[System, ...], b):
    """One V-cycle from zero: a symmetric positive definite approximation of systems[0]⁻¹ b."""
    top, *rest = systems
    if not rest:
        return top.solve(b)
    a = top.smooth(None, b)
    r = top.residual(a, b)
    for halving in top.down:
        r = halving.restrict(r)
    e = cycle(rest, r)
    for halving in reversed(top.down):
        e = halving.prolong(e)
    return top.smooth(a + e, b)


def _cells(c, axis, which, d):
    """The lower (0) or upper (1) face of every cell."""
    return halo.cut(c, axis, which, c.shape[axis] - 1, d)


def _every_other(a, axis, start, d):
    return a[(..., slice(start, None, 2), *(slice(None),) * (d - 1 - axis))]


def _widened(a, axis, by, periodic, d):
    """`a` with `by` entries more at both ends of an axis: those of the other end if it is periodic, else zeros."""
    low, high = halo.cut(a, axis, 0, by, d), halo.cut(a, axis, -by, by, d)
    low, high = (high, low) if periodic else (tf.zeros_like(low), tf.zeros_like(high))
    return tf.concat([low, a, high], axis - d)


def _joined(c, axis):
    """Sums of pairs along an axis."""
    d = c.shape.rank
    low, high = _every_other(c, axis, 0, d), _every_other(c, axis, 1, d)
    if low.shape[axis] > high.shape[axis]:
        high = tf.concat([high, tf.zeros_like(halo.edge(low, axis, True, d))], axis)
    return low + high


def _nothing(layer, upper, done):
    return tf.zeros_like(layer)
