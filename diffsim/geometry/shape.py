"""What a shape is, and how shapes combine and move."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim._checks import Verbatim, refuse


class Shape(abc.ABC):
    """A region S of space, known by its signed distance: d(x) = ±min |x − y| over y ∈ ∂S, negative inside.

    A subclass supplies `_distance`, `bounds` and `ndim`. Distances of simple bodies are exact. Combinations
    take the minimum or maximum of the distances of their parts: the sign is always right and |d| ≤ the true
    distance, with equality outside a union and inside an intersection or difference.

    Source: J. C. Hart, The Visual Computer 12, 527 (1996), doi:10.1007/s003710050084.
    """

    @property
    @abc.abstractmethod
    def ndim(self) -> int | None:
        """The dimension of space; None for a shape that fits any."""

    @abc.abstractmethod
    def _distance(self, x: tf.Tensor) -> tf.Tensor:
        """The signed distance at checked points (..., d)."""

    @abc.abstractmethod
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners l, u of an aligned box that holds the region, (d,), or () in any dimension; may be ±inf."""

    def distance(self, x) -> tf.Tensor:
        """d(x): the signed distance to the surface, negative inside.

        Args:
            x: positions, floating point, shape (..., d), length.

        Returns:
            Distances of shape (...) and the dtype of x; differentiable, without NaN anywhere.

        Raises:
            TypeError: x is not floating point.
            ValueError: x has another number of coordinates than the shape.
        """
        return self._distance(self._points(x))

    def contains(self, x) -> tf.Tensor:
        """d(x) < 0: whether the positions x (..., d) are strictly inside; boolean of shape (...)."""
        return self.distance(x) < 0

    def normal(self, x) -> tf.Tensor:
        """n(x) = ∇d/|∇d|: the unit vector that leads out of the region the fastest.

        Args:
            x: positions, shape (..., d), length.

        Returns:
            Unit vectors of the shape and dtype of x; zero where none is singled out (the centre of a ball).
        """
        x = self._points(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            d = self._distance(x)
        gradient = tape.gradient(d, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return gradient / length(gradient, keepdims=True, zero=1.0)

    def fraction(self, x, dx) -> tf.Tensor:
        """φ = clip(½ − d(x) / Σᵢ|nᵢ|Δxᵢ, 0, 1): the part of each cell that lies inside.

        Exact for a wall along an axis; sums of φ Πᵢ Δxᵢ give volumes to second order in Δx.

        Args:
            x: centres of the cells, shape (..., d), length.
            dx: edges of the cells, a number or shape (d,), length.

        Returns:
            Fractions in [0, 1] of shape (...).

        Source: B. Engquist, A.-K. Tornberg, R. Tsai, J. Comput. Phys. 207, 28 (2005),
        doi:10.1016/j.jcp.2004.09.018.
        """
        x = self._points(x)
        dx = positive("dx", dx, "a cell has a width along every axis")
        width = tf.reduce_sum(tf.abs(self.normal(x)) * like(dx, x), axis=-1)
        width = tf.where(width > 0, width, like(float(np.min(np.asarray(dx))), x))
        return tf.clip_by_value(0.5 - self._distance(x) / width, 0.0, 1.0)

    def moved(self, shift) -> Shape:
        """S + shift: the shape translated by `shift`, a number (every axis) or a vector (d,), length."""
        return Placed(self, shift=shift)

    def rotated(self, rotation, about=0.0) -> Shape:
        """R(S − about) + about: the shape turned.

        Args:
            rotation: in the plane the angle in radians, counter-clockwise; else an orthogonal (d, d) matrix.
            about: the fixed point, a number or a vector (d,), length.

        Raises:
            ValueError: the matrix is not orthogonal.
        """
        if np.ndim(rotation) == 0:
            angle = _checks.number("rotation", rotation, why="an angle turns the plane")
            rotation = ((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle)))
        return Placed(self.moved(-np.asarray(vector("about", about))), matrix=rotation).moved(about)

    def scaled(self, scale, about=0.0) -> Shape:
        """scale·(S − about) + about: the shape made larger or smaller by `scale` > 0 along all axes."""
        return Placed(self.moved(-np.asarray(vector("about", about))), scale=scale).moved(about)

    def __or__(self, other: Shape) -> Shape:
        return Union(self, other) if isinstance(other, Shape) else NotImplemented

    def __and__(self, other: Shape) -> Shape:
        return Intersection(self, other) if isinstance(other, Shape) else NotImplemented

    def __sub__(self, other: Shape) -> Shape:
        return Intersection(self, ~other) if isinstance(other, Shape) else NotImplemented

    def __invert__(self) -> Shape:
        return Complement(self)

    def _points(self, x) -> tf.Tensor:
        x = tf.convert_to_tensor(x)
        if not x.dtype.is_floating:
            refuse("x", x, "floating-point positions", "distances are real numbers",
                   "Cast x, for example with tf.cast(x, tf.float64).", TypeError)
        d = self.ndim
        if x.shape.rank == 0 or (d is not None and x.shape[-1] != d):
            refuse("x", x, f"positions of shape (..., {d or 'd'})", "the last axis holds the coordinates",
                   "Stack the coordinates along the last axis, for example with tf.stack(..., axis=-1).")
        return x


@dataclass(frozen=True)
class Pair(Shape):
    """Two shapes in the same space."""

    first: Shape
    second: Shape

    def __post_init__(self):
        axes(self.first, self.second)

    @property
    def ndim(self):
        return axes(self.first, self.second)


@dataclass(frozen=True)
class Union(Pair):
    """d = min(d₁, d₂): inside one part or the other; exact outside."""

    def _distance(self, x):
        return tf.minimum(self.first._distance(x), self.second._distance(x))

    def bounds(self):
        (a, b), (c, d) = self.first.bounds(), self.second.bounds()
        return np.minimum(a, c), np.maximum(b, d)


@dataclass(frozen=True)
class Intersection(Pair):
    """d = max(d₁, d₂): inside both parts; exact inside."""

    def _distance(self, x):
        return tf.maximum(self.first._distance(x), self.second._distance(x))

    def bounds(self):
        (a, b), (c, d) = self.first.bounds(), self.second.bounds()
        return np.maximum(a, c), np.minimum(b, d)


@dataclass(frozen=True)
class Complement(Shape):
    """d = −d₁: all that is outside; as exact as its part."""

    inner: Shape

    @property
    def ndim(self):
        return self.inner.ndim

    def _distance(self, x):
        return -self.inner._distance(x)

    def bounds(self):
        return np.array(-np.inf), np.array(np.inf)

    def __invert__(self):
        return self.inner


@dataclass(frozen=True)
class Placed(Shape):
    """d(x) = s d₁(Rᵀ(x − a)/s): scaled by s, turned by R, then moved by a; as exact as its part."""

    inner: Shape
    scale: float = 1.0
    matrix: tuple | None = None
    shift: float | tuple = 0.0

    def __post_init__(self):
        scale = positive("scale", self.scale, "a region scaled by zero or less has no inside")
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "shift", vector("shift", self.shift))
        if self.matrix is not None:
            matrix = np.asarray(self.matrix, np.float64)
            square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
            if not square or not np.allclose(matrix @ matrix.T, np.eye(len(matrix)), rtol=0, atol=1e-6):
                refuse("rotation", matrix, "an orthogonal (d, d) matrix, R Rᵀ = 1",
                       "only rotations and reflections keep distances",
                       "Orthogonalise it first, for example with scipy.linalg.polar(matrix)[0].")
            object.__setattr__(self, "matrix", tuple(map(tuple, matrix.tolist())))
        axes(self.inner, self.shift, self.matrix)

    @property
    def ndim(self):
        return axes(self.inner, self.shift, self.matrix)

    def _distance(self, x):
        y = (x - like(self.shift, x)) / like(self.scale, x)
        if self.matrix is not None:
            y = tf.linalg.matvec(like(self.matrix, x), y, transpose_a=True)
        return self.inner._distance(y) * like(self.scale, x)

    def bounds(self):
        lower, upper = (np.asarray(self.scale) * b for b in self.inner.bounds())
        if self.matrix is not None:  # interval arithmetic, with 0·∞ = 0
            matrix = np.asarray(self.matrix)
            with np.errstate(invalid="ignore"):
                ends = [np.where(matrix == 0, 0.0, matrix * b) for b in (lower, upper)]
            lower, upper = np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)
        return lower + np.asarray(self.shift), upper + np.asarray(self.shift)


def like(value, x: tf.Tensor) -> tf.Tensor:
    """`value`, a number, a nest of numbers or a tensor, as a tensor of the dtype of x."""
    if any(tf.is_tensor(v) for v in tf.nest.flatten(value)):
        return tf.cast(tf.convert_to_tensor(value), x.dtype)
    return tf.constant(value, x.dtype)


def length(v: tf.Tensor, keepdims: bool = False, zero: float = 0.0) -> tf.Tensor:
    """|v| along the last axis with gradient zero, not NaN, at v = 0; `zero` replaces the length there."""
    square = tf.reduce_sum(v * v, axis=-1, keepdims=keepdims)
    inside = square > 0
    return tf.where(inside, tf.sqrt(tf.where(inside, square, tf.ones_like(square))), like(zero, v))


def corner(q: tf.Tensor) -> tf.Tensor:
    """The distance to the corner where all q < 0, for distances q (..., m) to mutually orthogonal walls."""
    return length(tf.maximum(q, 0.0)) + tf.minimum(tf.reduce_max(q, axis=-1), 0.0)


def vector(what: str, value, finite: bool = True):
    """A float, or a tuple of floats, checked; a tensor stays itself, so that gradients reach it."""
    why = "positions and directions are numbers or vectors of numbers"
    array = value if tf.is_tensor(value) else np.asarray(value)
    if not tf.is_tensor(value) and array.dtype.kind not in "fiu":
        refuse(what, value, "real numbers", why, "Pass numbers.", TypeError)
    if len(array.shape) > 1 or tuple(array.shape) == (0,):
        refuse(what, array, "a number or a vector (d,)", why, "Pass one value for each axis.")
    if finite:
        _checks.finite(what, array, why=why)
    if tf.is_tensor(value):
        return value
    return tuple(map(float, array)) if array.ndim else float(array)


def positive(what: str, value, why: str):
    """Like `vector`, with all values > 0."""
    value = vector(what, value)
    try:
        least = float(np.min(np.asarray(value)))
    except Exception:  # symbolic inside a trace: nothing to look at
        return value
    if not least > 0:
        refuse(what, Verbatim(f"{least:g}"), "a length > 0", why, "Check the sign and the units.")
    return value


def axes(*parts) -> int | None:
    """The dimension that all shapes and vectors agree on; None if every part fits any dimension."""
    found = {p.ndim if isinstance(p, Shape) else p.shape[0] if tf.is_tensor(p) and p.shape.rank else
             len(p) if isinstance(p, tuple) else None for p in parts} - {None}
    if len(found) > 1:
        refuse("dimensions", Verbatim(" and ".join(map(str, sorted(found)))), "one dimension of space",
               "all parts of a shape live in the same space",
               "Give every vector and every part the same length.")
    return found.pop() if found else None
