"""Walls as a path meets them: how far they are, where they are hit, when they react; and how they turn a path back.

A box folds a path axis by axis, which is exact for steps of any length; the surface of any other shape mirrors it at
the nearest point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _nest
from diffsim.boundary import Condition, Dirichlet, Periodic, Robin
from diffsim.geometry import Shape
from diffsim.geometry.shape import like

TURNS = 8  # mirrorings in one step; a path that is not back inside after these stays where it was
LANDINGS = 3  # Newton steps to a surface whose distance is a bound only


def reacts(condition: Condition) -> bool:
    """Whether particles may be lost there, or are pushed back by their local time: Robin(0.0) does that alone."""
    return isinstance(condition, (Dirichlet, Robin))


def endured(condition: Condition, e, D):
    """The local time at which a particle is lost: De/κ, e exponential of mean 1; 0 at a wall that absorbs, else ∞."""
    never = tf.fill(tf.shape(e), tf.constant(np.inf, e.dtype))
    if isinstance(condition, Robin):
        kappa = _nest.to(condition.transfer, e.dtype)
        return tf.where((kappa > 0) & (D > 0), tf.math.divide_no_nan(D * e, kappa), never)
    return tf.zeros_like(e) if isinstance(condition, Dirichlet) else never


@dataclass(frozen=True)
class Side:
    """One side of a box: xᵢ = at."""

    axis: int
    upper: bool
    at: Any
    condition: Condition

    ports = ()

    @property
    def certain(self) -> bool:
        """Whether the first hit is the end."""
        return isinstance(self.condition, Dirichlet)

    def gap(self, x):
        """Distance, negative beyond."""
        return self.at - x[..., self.axis] if self.upper else x[..., self.axis] - self.at

    def normal(self, x):
        """±eᵢ."""
        e = tf.one_hot(self.axis, x.shape[-1], dtype=x.dtype)
        return tf.broadcast_to(e if self.upper else -e, x.shape)

    def foot(self, x):
        """The point of the side next to x."""
        on = tf.one_hot(self.axis, x.shape[-1], on_value=True, off_value=False)
        return tf.where(on, self.at, x)

    def endured(self, x, e, D):
        """The local time at which a particle at x is lost."""
        return endured(self.condition, e, D)

    def label(self, x):
        """2i for the lower side of axis i, 2i + 1 for the upper one."""
        return tf.fill(x.shape[:-1], 2 * self.axis + int(self.upper))


@dataclass(frozen=True)
class Surface:
    """The surface of a shape, with ports: parts, inside other shapes, on which other conditions hold."""

    shape: Shape
    condition: Condition
    ports: tuple[tuple[Shape, Condition], ...]

    @property
    def certain(self) -> bool:
        """Whether the first hit is the end."""
        return isinstance(self.condition, Dirichlet) and not self.ports

    def gap(self, x):
        """Distance, negative beyond."""
        return -self.shape._distance(x)

    def normal(self, x):
        """∇d."""
        return self.shape.normal(x)

    def foot(self, x):
        """The point of the surface next to x."""
        for _ in range(LANDINGS):
            x = x - self.shape._distance(x)[..., None] * self.shape.normal(x)
        return x

    def endured(self, x, e, D):
        """The local time at which a particle at x is lost."""
        found = endured(self.condition, e, D)
        for port, condition in reversed(self.ports):
            found = tf.where(port._distance(x) <= 0, endured(condition, e, D), found)
        return found

    def label(self, x):
        """0 for the wall, i for the i-th port."""
        found = tf.zeros(x.shape[:-1], tf.int32)
        for i, (port, _) in reversed(list(enumerate(self.ports, 1))):
            found = tf.where(port._distance(x) <= 0, i, found)
        return found


def sides(box, pairs, x, which=reacts) -> list[Side]:
    """The sides of a box whose conditions are of a kind: those at which particles may be lost."""
    ends = [tf.broadcast_to(like(end, x), x.shape[-1:]) for end in (box.lower, box.upper)]
    return [
        Side(i, bool(j), ends[j][i], condition)
        for i, pair in enumerate(pairs)
        for j, condition in enumerate(pair)
        if which(condition)
    ]


def surface(shape, condition, ports) -> list[Surface]:
    """The surface, if particles may be lost there."""
    some = reacts(condition) or any(reacts(c) for _, c in ports)
    return [Surface(shape, condition, ports)] if some else []


def turns(condition: Condition) -> bool:
    """Whether paths turn back there."""
    return not isinstance(condition, Periodic)


def fold(box, pairs, x, vectors):
    """x into the box, and how often it has gone round each axis.

    Args:
        box: a Box.
        pairs: conditions for each axis; Periodic goes round, all others turn back.
        x: positions (..., d).
        vectors: what turns with x, a list of tensors like x.

    Returns:
        (positions, vectors, counts (..., d), int32, zero on axes with walls).
    """
    lower, upper = (tf.broadcast_to(like(end, x), x.shape[-1:]) for end in (box.lower, box.upper))
    has = tf.math.is_finite(lower), tf.math.is_finite(upper)
    closed, one = has[0] & has[1], tf.ones_like(lower)
    low, high = tf.where(has[0], lower, 0 * one), tf.where(has[1], upper, 0 * one)
    size = tf.where(closed, high - low, one)
    half_open = tf.where(x < lower, -one, tf.where(x > upper, one, 0 * one))
    k = tf.where(closed & ((x < lower) | (x > upper)), tf.floor((x - low) / size), half_open)
    along = x - k * size
    periodic = tf.constant([isinstance(pair[0], Periodic) for pair in pairs])
    odd = tf.not_equal(tf.math.floormod(k, 2.0), 0.0) & ~periodic
    back = tf.where(closed, low + (high - along), 2.0 * tf.where(x < lower, low, high) - x)
    inside = tf.where(odd, back, along)
    inside = tf.minimum(tf.maximum(tf.where(tf.equal(k, 0.0), x, inside), lower), upper)
    turned = [tf.where(odd, -v, v) for v in vectors]
    return inside, turned, tf.cast(tf.where(periodic, k, 0 * k), tf.int32)


def mirror(walls, start, x, vectors, way=None):
    """x − 2dn where it is outside, again and again; if that does not help, `start`, which is inside.

    Args:
        walls: Sides or a Surface.
        start: positions at which the step began (..., d).
        x: positions at which it would end.
        vectors: what turns with x, a list of tensors like x.
        way: where a wall of normal n pushes to, of unit length along n; None is n itself.

    Returns:
        (positions, vectors).
    """

    def outside(x):
        return tf.reduce_any(tf.stack([wall.gap(x) < 0 for wall in walls]), 0)

    def more(x, vectors):
        return tf.reduce_any(outside(x))

    def turn(x, vectors):
        for wall in walls:
            d, n = -wall.gap(x)[..., None], wall.normal(x)
            out, to = d > 0, n if way is None else way(n)
            vectors = [tf.where(out, v - 2.0 * tf.reduce_sum(v * n, -1, keepdims=True) * to, v) for v in vectors]
            x = tf.where(out, x - 2.0 * d * to, x)
        return x, vectors

    x, vectors = tf.while_loop(more, turn, (x, list(vectors)), maximum_iterations=TURNS)
    lost = outside(x)[..., None]
    return tf.where(lost, start, x), [tf.where(lost, -v, v) for v in vectors]
