"""Geometric multigrid for cell-centred finite volumes: a symmetric V-cycle that preconditions conjugate gradients.

A grid is seen as a network of conductances: (L a)ᵢ = Σ_faces c·(a_neighbour − aᵢ), a = 0 behind a wall. One halving
along an axis joins cells in pairs; conductances add in parallel, resistances in series, so that layers and thin
membranes survive on coarse grids. Values between coarse centres are interpolated so that the flux is continuous.
Every axis goes down to a single cell, where the system is solved exactly.

References:
    Wesseling (1988), doi:10.1016/0377-0427(88)90010-6 (cell-centred multigrid for interface problems).
    Adams, Brezina, Hu & Tuminaro (2003), doi:10.1016/S0021-9991(03)00194-3 (polynomial smoothers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

from diffsim._tree import static
from diffsim._xla import fence
from diffsim.operators import halo
from diffsim.operators.stencil import Stencil

STRETCH = 1.5  # axes whose cells are wider than this times the narrowest wait: point smoothers do not act along them
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
        faces = tuple(gamma * c for c in self.faces)
        diagonal = sigma * self.mass - gamma * self.growth
        for axis, c in enumerate(faces):
            diagonal += _cells(c, axis, 0, self.ndim) + _cells(c, axis, 1, self.ndim)
        return System(diagonal, tf.math.reciprocal_no_nan(diagonal), faces, self.periodic, self.down)


@dataclass(frozen=True)
class System:
    """The symmetric positive definite matrix of a network, and its Jacobi polynomial smoother."""

    diagonal: tf.Tensor
    reciprocal: tf.Tensor
    faces: tuple
    periodic: tuple[bool, ...] = static()
    down: tuple = ()

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
    """Pairs of cells along `axis` become one; a child takes the share `lower` or `upper` from the next pair."""

    lower: tf.Tensor
    upper: tf.Tensor
    axis: int = static()
    cells: int = static()
    periodic: bool = static()
    ndim: int = static()

    def prolong(self, a):
        """Values of the children."""
        before, after = self._shift(a, 1), self._shift(a, -1)
        pair = [a + self.lower * (before - a), a + self.upper * (after - a)]
        at = self.axis - self.ndim
        both = tf.stack(pair, axis=at)
        shape = a.shape.as_list()
        both = tf.reshape(both, [*shape[:at], 2 * shape[at], *(shape[at + 1:] if at < -1 else [])])
        return halo.cut(both, self.axis, 0, self.cells, self.ndim)

    def restrict(self, f):
        """The transpose: what the children hold goes to the pairs that they take from."""
        if self.cells % 2:
            f = tf.concat([f, tf.zeros_like(halo.edge(f, self.axis, True, self.ndim))], self.axis - self.ndim)
        rest = (slice(None),) * (self.ndim - 1 - self.axis)
        low, high = f[(..., slice(0, None, 2), *rest)], f[(..., slice(1, None, 2), *rest)]
        left, right = self.lower * low, self.upper * high
        return low - left + high - right + self._shift(left, -1) + self._shift(right, 1)

    def _shift(self, a, by):
        """Neighbours' values along the axis, from below for by = 1; nothing comes from behind a wall."""
        n, upper = a.shape[self.axis - self.ndim], by > 0
        end = halo.edge(a, self.axis, upper, self.ndim)
        end = end if self.periodic else tf.zeros_like(end)
        body = halo.cut(a, self.axis, 0 if upper else 1, n - 1, self.ndim) if n > 1 else None
        parts = [end] if body is None else [end, body] if upper else [body, end]
        return tf.concat(parts, self.axis - self.ndim)


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
    while any(n > 1 for n in level.mass.shape):
        open_axes = [i for i, n in enumerate(level.mass.shape) if n > 1]
        narrowest = min(widths[i] for i in open_axes)
        down, coarse = [], level
        for axis in open_axes:
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
    every = (slice(None),) * axis
    half, between = r[(*every, slice(1, None, 2))] / 2, r[(*every, slice(0, None, 2))]
    none = tf.zeros_like(halo.edge(half, axis, False, d))
    first = halo.edge(half, axis, True, d) if periodic else none
    last = halo.edge(half, axis, False, d) if periodic else none
    below, above = tf.concat([first, half], axis) + between, between + tf.concat([half, last], axis)
    total = above + tf.concat([first, half], axis)
    lower, upper = _share(half, _cells(below, axis, 0, d)), _share(half, _cells(above, axis, 1, d))
    closed = periodic and half.shape[axis] == 1  # a single cell does not exchange with itself
    faces = tuple((tf.zeros_like(total) if closed else 1 / total) if i == axis else _joined(c, axis)
                  for i, c in enumerate(fine.faces))
    coarse = Network(_joined(fine.mass, axis), _joined(fine.growth, axis), faces, fine.periodic)
    return coarse, Halving(lower, upper, axis, n, periodic, d)


def _share(own, other):
    """How much a child takes from the next pair: resistance to its sibling's side over that of the whole way."""
    cut_off = tf.cast(tf.math.is_finite(other), own.dtype)  # insulated from its sibling, perhaps not from others
    return tf.where(tf.math.is_finite(own), own / (own + other), cut_off)


def cycle(systems: tuple[System, ...], b):
    """One V-cycle from zero: a symmetric positive definite approximation of systems[0]⁻¹ b."""
    top, *rest = systems
    if not rest:
        return b * top.reciprocal
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


def _joined(c, axis):
    """Sums of pairs along an axis."""
    every = (slice(None),) * axis
    low, high = c[(*every, slice(0, None, 2))], c[(*every, slice(1, None, 2))]
    if low.shape[axis] > high.shape[axis]:
        high = tf.concat([high, tf.zeros_like(halo.edge(low, axis, True, c.shape.rank))], axis)
    return low + high


def _nothing(layer, upper, done):
    return tf.zeros_like(layer)
