"""Bodies with an exact signed distance: ball, box, half-space, cylinder, ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim._checks import Verbatim, refuse
from diffsim.geometry.shape import Shape, axes, corner, length, like, positive, vector


@dataclass(frozen=True)
class Ball(Shape):
    """d(x) = |x − c| − R: a disc, a ball, a hyperball.

    Args:
        center: c, a number (the same on every axis; the dimension then follows x) or a vector (d,), length.
        radius: R > 0, length.
    """

    center: float | tuple
    radius: float

    def __post_init__(self):
        object.__setattr__(self, "center", vector("center", self.center))
        object.__setattr__(self, "radius", _scalar("radius", self.radius, "a ball needs an inside"))

    @property
    def ndim(self):
        return axes(self.center)

    def _distance(self, x):
        return length(x - like(self.center, x)) - like(self.radius, x)

    def bounds(self):
        center = np.asarray(self.center, np.float64)
        return center - float(self.radius), center + float(self.radius)


@dataclass(frozen=True)
class Box(Shape):
    """d(x) = |max(q, 0)| + min(maxᵢ qᵢ, 0), qᵢ = max(lᵢ − xᵢ, xᵢ − uᵢ): the product of intervals (lᵢ, uᵢ).

    Args:
        lower: l, a number or a vector (d,), length; −inf leaves a side open.
        upper: u > l, a number or a vector (d,), length; inf leaves a side open.
    """

    lower: float | tuple
    upper: float | tuple

    def __post_init__(self):
        for name in ("lower", "upper"):
            object.__setattr__(self, name, vector(name, getattr(self, name), finite=False))
        axes(self.lower, self.upper)
        if not (tf.is_tensor(self.lower) or tf.is_tensor(self.upper)):
            lower, upper = self.bounds()
            if not np.all(lower < upper):
                refuse("lower, upper", Verbatim(f"{self.lower}, {self.upper}"), "lower < upper on every axis",
                       "a box needs an inside", "Exchange the two corners where they are reversed.")

    @property
    def ndim(self):
        return axes(self.lower, self.upper)

    def _distance(self, x):
        return corner(tf.maximum(like(self.lower, x) - x, x - like(self.upper, x)))

    def bounds(self):
        return np.asarray(self.lower, np.float64), np.asarray(self.upper, np.float64)


@dataclass(frozen=True)
class HalfSpace(Shape):
    """d(x) = n·(x − p)/|n|: all that lies behind a plane.

    Args:
        point: p, any point of the plane, a number or a vector (d,), length.
        outward: n ≠ 0, leads out of the region, a vector (d,).
    """

    point: float | tuple
    outward: tuple

    def __post_init__(self):
        object.__setattr__(self, "point", vector("point", self.point))
        object.__setattr__(self, "outward", _direction("outward", self.outward))
        axes(self.point, self.outward)

    @property
    def ndim(self):
        return axes(self.outward)

    def _distance(self, x):
        return tf.reduce_sum((x - like(self.point, x)) * like(self.outward, x), -1)

    def bounds(self):
        n = np.asarray(self.outward)
        point = np.broadcast_to(np.asarray(self.point, np.float64), n.shape)
        flat = np.abs(n) == 1.0
        return np.where(flat & (n < 0), point, -np.inf), np.where(flat & (n > 0), point, np.inf)


@dataclass(frozen=True)
class Cylinder(Shape):
    """d(x) = ρ − R, or |max(q, 0)| + min(max q, 0), q = (ρ − R, |z| − L/2): at ρ from an axis, z along it.

    Args:
        point: p on the axis, the middle of a finite cylinder; a number or a vector (d,), length.
        axis: the direction of the axis, a vector (d,); its length does not matter.
        radius: R > 0, length.
        length: L > 0, length; None for an infinite cylinder.
    """

    point: float | tuple
    axis: tuple
    radius: float
    length: float | None = None

    def __post_init__(self):
        object.__setattr__(self, "point", vector("point", self.point))
        object.__setattr__(self, "axis", _direction("axis", self.axis))
        object.__setattr__(self, "radius", _scalar("radius", self.radius, "a cylinder needs an inside"))
        if self.length is not None:
            object.__setattr__(self, "length", _scalar("length", self.length, "a cylinder needs an inside"))
        axes(self.point, self.axis)

    @property
    def ndim(self):
        return axes(self.axis)

    def _distance(self, x):
        v, axis = x - like(self.point, x), like(self.axis, x)
        along = tf.reduce_sum(v * axis, -1)
        side = length(v - along[..., None] * axis) - like(self.radius, x)
        if self.length is None:
            return side
        return corner(tf.stack([side, tf.maximum(along, -along) - 0.5 * like(self.length, x)], axis=-1))

    def bounds(self):
        axis, radius = np.asarray(self.axis), float(self.radius)
        half = np.inf if self.length is None else 0.5 * float(self.length)
        reach = np.where(axis == 0, 0.0, half * np.abs(np.where(axis == 0, 1.0, axis)))
        reach = reach + radius * np.sqrt(np.maximum(1.0 - axis**2, 0.0))
        return np.asarray(self.point) - reach, np.asarray(self.point) + reach


@dataclass(frozen=True)
class Ellipsoid(Shape):
    """d(x) = ±min |x − p| over Σᵢ (pᵢ − cᵢ)²/rᵢ² = 1: an ellipse, an ellipsoid, exactly.

    The nearest point is pᵢ = yᵢ rᵢ²/(rᵢ² + t), y = x − c, where t is the root of Σᵢ (rᵢ yᵢ/(rᵢ² + t))² = 1;
    Newton's method on the reciprocal norm ascends to it, and its last two steps carry the derivatives.

    Args:
        center: c, a number or a vector (d,), length.
        radii: the semi-axes r > 0, a vector (d,), length.

    Source: J. J. Moré, D. C. Sorensen, SIAM J. Sci. Stat. Comput. 4, 553 (1983), doi:10.1137/0904038.
    """

    center: float | tuple
    radii: tuple

    def __post_init__(self):
        object.__setattr__(self, "center", vector("center", self.center))
        object.__setattr__(self, "radii", positive("radii", self.radii, "an ellipsoid needs an inside"))
        if axes(self.radii) is None:
            refuse("radii", self.radii, "a vector (d,) of semi-axes", "every axis has its own",
                   "Use Ball for one radius.")
        axes(self.center, self.radii)

    @property
    def ndim(self):
        return axes(self.radii)

    def _distance(self, x):
        r = like(self.radii, x)
        unit = tf.reduce_min(r)
        k = (r / unit) ** 2 - 1.0
        tiny = np.finfo(x.dtype.as_numpy_dtype).eps
        y2 = ((x - like(self.center, x)) / unit) ** 2 + (tiny * r / unit) ** 2  # never on the evolute
        z2 = y2 * (1.0 + k)

        def newton(s):  # s = 1 + t/r²_min; a² = Σ zᵢ²/(s + kᵢ)² falls to 1
            w = z2 / (s[..., None] + k) ** 2
            a2, b = tf.reduce_sum(w, axis=-1), tf.reduce_sum(w / (s[..., None] + k), axis=-1)
            return s + a2 * (tf.sqrt(a2) - 1.0) / b

        s = tf.reduce_max(tf.sqrt(z2) - k, axis=-1)
        for _ in range(NEWTON_STEPS):
            s = newton(s)
        s = newton(newton(tf.stop_gradient(s)))
        return unit * (s - 1.0) * tf.sqrt(tf.reduce_sum(y2 / (s[..., None] + k) ** 2, axis=-1))

    def bounds(self):
        center, radii = np.asarray(self.center), np.asarray(self.radii)
        return center - radii, center + radii


NEWTON_STEPS = 16  # enough for aspect ratios of 10⁴ at double precision


def _scalar(what: str, value, why: str):
    value = positive(what, value, why)
    if axes(value) is not None:
        refuse(what, value, "one number > 0", why, "Pass a single length.")
    return value


def _direction(what: str, value):
    value = vector(what, value)
    why = "a direction has one component for each axis and is not zero"
    if axes(value) is None:
        refuse(what, value, "a vector (d,)", why, "Pass all components, for example (0.0, 0.0, 1.0).")
    if tf.is_tensor(value):
        return value / tf.norm(value)
    norm = float(np.linalg.norm(value))
    if norm == 0:
        refuse(what, value, "a vector that is not zero", why, "Pass the direction's components.")
    return tuple(v / norm for v in value)
