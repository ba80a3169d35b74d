"""Cell-centred grids: boxes in one to three dimensions, and radial ones for cylinders and spheres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim._tree import static

AXIS_NAMES = ("x", "y", "z")


@dataclass(frozen=True)
class Axis:
    """The finite-volume metric of one axis: where faces lie, how large they are, what lies between.

    For a Cartesian axis areas are one and volumes are widths; for a radial one they carry the powers of r,
    so that one flux-form operator serves them all.
    """

    name: str
    faces: np.ndarray  # (n + 1,) positions
    centers: np.ndarray  # (n,)
    area: np.ndarray  # (n + 1,)
    volume: np.ndarray  # (n,)

    @property
    def uniform(self) -> bool:
        """Whether all cells are alike, so that scalars can stand for the arrays."""
        return bool(np.ptp(self.area) == 0.0)


def _cartesian(name: str, n: int, size: float, origin: float) -> Axis:
    faces = origin + size * np.arange(n + 1) / n
    centers = origin + size * (np.arange(n) + 0.5) / n
    return Axis(name, faces, centers, np.ones(n + 1), np.full(n, size / n))


@dataclass(frozen=True)
class Grid:
    """A box of equal cells, Ω = ∏ [oᵢ, oᵢ + Lᵢ], unknowns at cell centres oᵢ + (j + ½)Δxᵢ.

    Args:
        shape: number of cells along each of one to three axes; an int means one axis.
        size: lengths Lᵢ of the box [length]; one number serves every axis.
        origin: lower corner oᵢ [length]; zero if not given.

    Raises:
        ValueError: a count below 2, a size that is not positive, or lengths that do not match.
    """

    shape: tuple[int, ...] = static()
    size: tuple[float, ...] = static()
    origin: tuple[float, ...] | None = static(default=None)

    def __post_init__(self):
        if np.ndim(self.shape) > 1 or self.shape is None or isinstance(self.shape, str):
            _checks.refuse("shape", self.shape, "a number of cells, or one for each axis", "a grid has cells",
                           "Pass e.g. shape=(64, 64).", TypeError)
        shape = (self.shape,) if np.ndim(self.shape) == 0 else tuple(self.shape)
        if not 1 <= len(shape) <= 3:
            _checks.refuse(
                "shape",
                shape,
                "one to three axes",
                "grids are 1-D, 2-D or 3-D",
                "For particles in more dimensions no grid is needed.",
            )
        why = "each axis needs two cells for a gradient to exist"
        shape = tuple(_checks.integer("shape", n, least=2, why=why) for n in shape)
        size = self._per_axis("size", self.size, len(shape))
        size = tuple(_checks.number("size", s, above=0.0, why="a box has positive length") for s in size)
        origin = (0.0,) * len(shape) if self.origin is None else self._per_axis("origin", self.origin, len(shape))
        origin = tuple(_checks.number("origin", o, why="it places the lower corner") for o in origin)
        for name, value in (("shape", shape), ("size", size), ("origin", origin)):
            object.__setattr__(self, name, value)

    @staticmethod
    def _per_axis(what, value, ndim):
        values = (value,) * ndim if np.ndim(value) == 0 else tuple(np.asarray(value).tolist())
        if len(values) != ndim:
            _checks.refuse(
                what, value, f"{ndim} numbers", f"the grid has {ndim} axes", "Give one number for each axis."
            )
        return values

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def dx(self) -> tuple[float, ...]:
        """Cell widths Δxᵢ [length]."""
        return tuple(s / n for s, n in zip(self.size, self.shape, strict=True))

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The finite-volume metric of each axis."""
        return tuple(
            _cartesian(AXIS_NAMES[i], *spec)
            for i, spec in enumerate(zip(self.shape, self.size, self.origin, strict=True))
        )

    def coordinates(self, dtype=tf.float64) -> tuple[np.ndarray, ...]:
        """Cell centres of each axis, shaped to broadcast over the grid: (nx, 1, 1), (1, ny, 1), (1, 1, nz)."""
        return tuple(
            on_axis(a.centers, i, self.ndim).astype(tf.as_dtype(dtype).as_numpy_dtype) for i, a in enumerate(self.axes)
        )

    def volume(self) -> np.ndarray:
        """Cell volumes [lengthⁿ], shaped to broadcast over the grid."""
        return math.prod(on_axis(a.volume, i, self.ndim) for i, a in enumerate(self.axes))

    def face_area(self, axis: int) -> np.ndarray:
        """Areas of the faces normal to `axis` [lengthⁿ⁻¹], broadcastable over (…, n + 1, …)."""
        parts = [on_axis(a.area if i == axis else a.volume, i, self.ndim) for i, a in enumerate(self.axes)]
        return math.prod(parts)

    def face_coordinates(self, axis: int) -> tuple[np.ndarray, ...]:
        """Centres of the faces normal to `axis`, one broadcastable array per axis."""
        return tuple(on_axis(a.faces if i == axis else a.centers, i, self.ndim) for i, a in enumerate(self.axes))

    def integrate(self, u):
        """∫ u dV = Σ Vᵢuᵢ over the trailing grid axes; leading axes stay."""
        u = tf.convert_to_tensor(u)
        self.check("u", u.shape)
        volume = tf.cast(self.volume(), u.dtype)
        return tf.reduce_sum(u * volume, axis=list(range(-self.ndim, 0)))

    def mean(self, u):
        """⟨u⟩ = ∫ u dV / ∫ dV."""
        total = float(np.sum(np.broadcast_to(self.volume(), self.shape)))
        return self.integrate(u) / total

    def check(self, what: str, shape) -> None:
        """Refuse a state whose trailing axes are not this grid's."""
        tail = tuple(shape)[-self.ndim :]
        if len(tuple(shape)) < self.ndim or tail != self.shape:
            _checks.refuse(
                what,
                _checks.Verbatim(f"array of shape {tuple(shape)}"),
                f"trailing axes {self.shape}",
                f"it lives on a grid of {self.shape} cells",
                "Leading axes are the ensemble, trailing axes the grid: reshape or transpose it.",
            )


def on_axis(values: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    """A 1-D array laid along `axis` of an `ndim`-dimensional array."""
    return np.reshape(values, [-1 if i == axis else 1 for i in range(ndim)])


@dataclass(frozen=True)
class RadialGrid(Grid):
    """Shells r ∈ [a, a + L] of a cylinder (per unit length) or a sphere; the unknown depends on r only.

    ∇·(D∇u) = r^{1−d} ∂ᵣ(r^{d−1} D ∂ᵣu): d = 2 for the cylinder, d = 3 for the sphere. The inner face of a
    full cylinder or sphere has no area, so nothing flows through r = 0 whatever its boundary says.

    Args:
        shape: number of shells.
        size: thickness L = outer − inner radius [length].
        inner: inner radius a ≥ 0 [length]; positive for hollow bodies.
        dimension: 2 for a cylinder, 3 for a sphere.
    """

    inner: float = static(default=0.0)
    dimension: int = static(default=3)

    def __post_init__(self):
        if np.size(self.shape) != 1:
            _checks.refuse("shape", self.shape, "one number of shells", "the unknown depends on r only",
                           "Use Grid for more axes.")
        inner = _checks.number("inner", self.inner, least=0.0, why="a radius is not negative")
        if self.dimension not in (2, 3):
            _checks.refuse(
                "dimension",
                self.dimension,
                "2 (cylinder) or 3 (sphere)",
                "these are the radial symmetries",
                "For a slab use Grid.",
            )
        if self.origin is not None:
            _checks.refuse("origin", self.origin, "nothing", "the axis starts at `inner`", "Pass inner= instead.")
        object.__setattr__(self, "origin", (inner,))
        super().__post_init__()

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The radial metric: face areas ωrᵈ⁻¹ and shell volumes ω(r₊ᵈ − r₋ᵈ)/d, ω = 2π or 4π."""
        line, d = _cartesian("r", self.shape[0], self.size[0], self.origin[0]), self.dimension
        omega = 2.0 * math.pi * (d - 1)
        powers = line.faces**d
        return (Axis("r", line.faces, line.centers, omega * line.faces ** (d - 1), omega * np.diff(powers) / d),)
