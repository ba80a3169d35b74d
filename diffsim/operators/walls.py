"""Walls of a finite-volume operator, reduced to two numbers per face cell: how steeply and how much flows in."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _nest, boundary
from diffsim.boundary import Condition
from diffsim.grid import Grid
from diffsim.operators import halo


@dataclass(frozen=True)
class Wall:
    """One face of the grid, inflow per area q = −G·u + s(t).

    The same as a ghost cell behind a face of conductance κ/2: u_ghost = αu + β(t), α = 1 − 2G/κ, β = 2s/κ,
    with κ = k, or any positive number where D = 0.
    """

    grid: Grid
    axis: int
    upper: bool
    condition: Condition
    k: tf.Tensor  # conductance of the half cell, D/(Δx/2)
    kappa: tf.Tensor  # k, but 2/Δx where D = 0
    D: tf.Tensor  # at the wall itself, 0 unless the condition asks for it

    @property
    def slope(self):
        """G."""
        return self.condition.conductance(self.k)

    def coordinates(self):
        """Positions of the face's cells, broadcastable arrays."""
        face = self.grid.face_coordinates(self.axis)
        end = slice(-1, None) if self.upper else slice(0, 1)
        return tuple(halo_slice(c, self.axis, end) if i == self.axis else c for i, c in enumerate(face))

    def supply(self, t):
        """s(t)."""
        value = boundary.evaluate(self.condition.given, t, self.coordinates(), self.axis, self.k.dtype)
        return self.condition.supply(self.k, self.D, value)

    def inflow(self, t, u):
        """q, amount per area and time entering through each cell of the face; without t its linear part."""
        linear = -self.slope * halo.edge(u, self.axis, self.upper, self.grid.ndim)
        return linear if t is None or self.condition.homogeneous else self.supply(t) + linear

    def ghost(self, layer, done, t=None):
        """The layer behind the wall; without t its linear part."""
        d = self.grid.ndim
        value = halo.grow(1 - 2 * self.slope / self.kappa, done, d) * layer
        if t is None or self.condition.homogeneous:
            return value
        return value + halo.grow(2 * self.supply(t) / self.kappa, done, d)

    def area(self):
        """Areas of the face's cells, broadcastable."""
        end = slice(-1, None) if self.upper else slice(0, 1)
        return tf.constant(halo_slice(self.grid.face_area(self.axis), self.axis, end), self.k.dtype)

    @property
    def name(self) -> str:
        """x−, x+, y−, …"""
        return self.grid.axes[self.axis].name + ("+" if self.upper else "-")


def halo_slice(array, axis, part):
    """`part` of a broadcastable array along `axis`."""
    return array[(slice(None),) * axis + (part,)] if array.shape[axis] > 1 else array


def build(grid: Grid, pairs, medium, dtype) -> tuple[tuple[Wall, Wall] | None, ...]:
    """Both walls of every axis that has any, coefficients in `dtype`."""
    real, d, walls = dtype.real_dtype, grid.ndim, []
    for axis, pair in enumerate(pairs):
        if isinstance(pair[0], boundary.Periodic):
            walls.append(None)
            continue
        D, half, sides = _nest.to(medium.D[axis], real), 2 / grid.dx[axis], []
        for upper, condition in enumerate(pair):
            cell = halo.edge(D, axis, bool(upper), d) if D.shape.rank else D
            kappa = tf.where(cell > 0, cell, tf.ones_like(cell))
            k, kappa = (tf.cast(v * half, dtype) for v in (cell, kappa))
            steep = isinstance(condition, boundary.Neumann) and not condition.homogeneous
            at = tf.cast(_at_wall(D, medium.ends, axis, bool(upper), d), dtype) if steep else tf.zeros_like(k)
            sides.append(Wall(grid, axis, bool(upper), condition, k, kappa, at))
        walls.append(tuple(sides))
    return tuple(walls)


def _at_wall(D, ends, axis, upper, d):
    """D at a wall: as the medium knows it, else along the line through two cells, within a factor of two."""
    if ends is not None and ends[axis] is not None:
        return _nest.to(ends[axis][upper], D.dtype)
    if not D.shape.rank or D.shape[axis] == 1:
        return D
    first, second = (halo.cut(D, axis, i, 1, d) for i in ((-1, -2) if upper else (0, 1)))
    return tf.maximum(1.5 * first - 0.5 * second, 0.5 * first)
