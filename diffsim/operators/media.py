"""What matter diffuses through: D as a number, per axis, a field, layers with interfaces, or a full tensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _tree
from diffsim.boundary import Interface
from diffsim.grid import Grid, on_axis


@dataclass(frozen=True)
class Layers:
    """Slabs of constant D across one axis, with optional jumps between them.

    Args:
        D: diffusivities of the m slabs [length² / time].
        at: m − 1 positions between them [length]; each must lie on a face of the grid.
        axis: the axis that the slabs divide.
        interfaces: m − 1 Interface objects (partition, contact resistance); None is perfect contact.
    """

    D: tuple[float, ...]
    at: tuple[float, ...]
    axis: int = 0
    interfaces: tuple[Interface, ...] | None = None

    def __post_init__(self):
        for what, value, kind in (("D", self.D, "diffusivities"), ("at", self.at, "positions")):
            if np.ndim(value) != 1:
                _checks.refuse(f"Layers.{what}", value, f"a tuple of {kind}", "layers meet one after the other",
                               f"Write {what}=(…, …), and ({what},) for a single one.", TypeError)
        if isinstance(self.interfaces, Interface):
            _checks.refuse("Layers.interfaces", self.interfaces, "a tuple of Interface objects",
                           "there is one for each place where layers meet", "Write interfaces=(Interface(…),).",
                           TypeError)
        _checks.integer("Layers.axis", self.axis, least=0, why="axes are counted", way_out="Pass axis=0 for x.")
        for interface in self.interfaces or ():
            _checks.instance("Layers.interfaces", interface, Interface, why="it joins two layers",
                             way_out="Write interfaces=(Interface(partition=…, resistance=…), …).")
        m = len(self.D)
        for what, value in (("at", self.at), ("interfaces", self.interfaces)):
            if value is not None and len(value) != m - 1:
                _checks.refuse(
                    f"Layers.{what}",
                    value,
                    f"{m - 1} entries",
                    f"{m} layers meet at {m - 1} places",
                    "Give one entry for each meeting.",
                )

    def on(self, grid: Grid) -> Medium:
        """The medium on a grid whose faces include the positions `at`."""
        if not 0 <= self.axis < grid.ndim:
            _checks.refuse(
                "Layers.axis",
                self.axis,
                f"0 to {grid.ndim - 1}",
                f"the grid has {grid.ndim} axes",
                "Pass axis=0 for the first.",
            )
        faces, n = grid.axes[self.axis].faces, grid.shape[self.axis]
        cuts = [0]
        for x in self.at:
            i = int(np.argmin(np.abs(faces - x)))
            if abs(faces[i] - x) > 1e-9 * abs(faces[-1] - faces[0]) or not cuts[-1] < i < n:
                _checks.refuse(
                    "Layers.at",
                    x,
                    "increasing positions of inner faces",
                    "a jump inside a cell would be smeared to first order",
                    f"The nearest face is at {faces[i]:g}; choose the number of cells to match.",
                )
            cuts.append(i)
        D, solubility, resistance, level = np.empty(n), np.ones(n), np.zeros(n + 1), 1.0
        for m, (first, last) in enumerate(zip(cuts, [*cuts[1:], n], strict=True)):
            if m and self.interfaces is not None:
                level *= self.interfaces[m - 1].partition
                resistance[first] = self.interfaces[m - 1].resistance / level
            D[first:last], solubility[first:last] = self.D[m], level
        D = on_axis(D, self.axis, grid.ndim)
        jumps = self.interfaces is not None
        return Medium(
            (D,) * grid.ndim,
            on_axis(solubility, self.axis, grid.ndim) if jumps else None,
            tuple(on_axis(resistance, i, grid.ndim) if jumps and i == self.axis else None for i in range(grid.ndim)),
            ends=tuple((self.D[0], self.D[-1]) if i == self.axis else (D, D) for i in range(grid.ndim)),
        )


@dataclass(frozen=True)
class Anisotropic:
    """A full diffusion tensor: flux Jₐ = −Σᵦ Dₐᵦ ∂ᵦu.

    Args:
        D: symmetric positive definite, (d, d) or (d, d, *grid) [length² / time].
    """

    D: np.ndarray | tf.Tensor

    def on(self, grid: Grid) -> Medium:
        """The medium on a grid of d axes."""
        D = self.D if isinstance(self.D, tf.Tensor) else _tree.own_array(np.asarray(self.D, float))
        d = grid.ndim
        shape = tuple(D.shape)
        if shape not in ((d, d), (d, d, *grid.shape)):
            _checks.refuse(
                "Anisotropic.D",
                D,
                f"shape {(d, d)} or {(d, d, *grid.shape)}",
                f"the grid has {d} axes",
                "The first two axes of the array are those of the tensor.",
            )
        if not tf.is_symbolic_tensor(D):
            a = np.moveaxis(np.asarray(D), (0, 1), (-2, -1))
            _checks.finite("Anisotropic.D", a, why="it is a material property")
            if not np.allclose(a, np.swapaxes(a, -1, -2), rtol=1e-12) or np.linalg.eigvalsh(a).min() <= 0:
                _checks.refuse(
                    "Anisotropic.D",
                    D,
                    "a symmetric positive definite tensor",
                    "entropy production J·D⁻¹J must be positive",
                    "Check its eigenvalues.",
                )
        return Medium(tuple(D[a][a] for a in range(d)), cross=D)


@dataclass(frozen=True)
class Medium:
    """D along each axis, and what else a face needs to know.

    Between two cells flows q = (a₋ − a₊)/(r₋ + r₊ + R) with a = u/s and r = Δx/(2Ds): conductances in
    series, whose special case s = 1, R = 0 is the harmonic mean of D.
    """

    D: tuple
    solubility: np.ndarray | None = None
    resistance: tuple = (None, None, None)
    cross: np.ndarray | tf.Tensor | None = None
    ends: tuple | None = None  # for each axis D at the lower and at the upper wall, where that is known

    @property
    def constant(self) -> bool:
        """Whether one number per axis says it all."""
        return all(np.ndim(D) == 0 for D in self.D) and self.solubility is None and self.cross is None

    def separable(self) -> bool:
        """Whether D along each axis depends on that axis' coordinate only, and there is no cross term."""

        def own(D, axis):
            return np.ndim(D) == 0 or all(n == 1 for i, n in enumerate(np.shape(D)) if i != axis)

        plain = self.solubility is None or len(self.D) == 1
        return self.cross is None and plain and all(own(D, a) for a, D in enumerate(self.D))


def resolve(D, grid: Grid) -> Medium:
    """The medium that a user's D describes on `grid`.

    Raises:
        ValueError: negative or non-finite D, a shape that fits neither a number, the axes nor the grid.
    """
    if isinstance(D, Medium):
        return D
    if isinstance(D, (Layers, Anisotropic)):
        medium = D.on(grid)
    elif isinstance(D, tuple):
        if len(D) != grid.ndim:
            _checks.refuse(
                "D", D, f"{grid.ndim} entries", f"the grid has {grid.ndim} axes", "A tuple gives one D for each axis."
            )
        medium = Medium(tuple(_field(d, grid) for d in D), ends=_ends(D, grid))
    else:
        medium = Medium((_field(D, grid),) * grid.ndim, ends=_ends((D,) * grid.ndim, grid))
    check(medium)
    return medium


def check(medium: Medium) -> None:
    """Refuse a D that makes no sense; asked again before a run, as variables may have changed since."""
    for d in medium.D:
        if getattr(d, "dtype", tf.float64) in (tf.complex64, tf.complex128) or isinstance(d, complex):
            _checks.refuse(
                "D", d, "real numbers ≥ 0", "a flux is D times a gradient", "Multiply the operator: 1j * Laplacian(…)."
            )
        if not tf.is_symbolic_tensor(d):
            _checks.finite("D", d, least=0.0, why="a negative or undefined diffusivity makes the problem ill-posed")


def _field(D, grid):
    if _is_function(D):
        D = np.broadcast_to(_call(D, grid.coordinates(), grid), grid.shape)
    if isinstance(D, (int, np.integer)) and not isinstance(D, bool):
        D = float(D)
    if isinstance(D, np.ndarray):
        D = _tree.own_array(D)
    if not _tree.is_number(D):
        _checks.refuse(
            "D",
            D,
            "a number, an array, a callable of the coordinates, a tuple of these for the axes, Layers or Anisotropic",
            "it is a diffusivity",
            "For D(u) use NonlinearDiffusion.",
            TypeError,
        )
    shape = tuple(np.shape(D))
    if (
        shape
        and shape != grid.shape
        and not (len(shape) == grid.ndim and all(a in (1, n) for a, n in zip(shape, grid.shape, strict=True)))
    ):
        _checks.refuse(
            "D",
            D,
            f"a number or shape {grid.shape}",
            "a field of D has one value for each cell",
            "Evaluate it at grid.coordinates(), or pass the callable.",
        )
    return D


def _is_function(D):
    return callable(D) and not _tree.is_number(D)


def _call(D, coordinates, grid):
    names = ", ".join(a.name for a in grid.axes)
    try:
        return np.asarray(D(*coordinates), float)
    except (TypeError, ValueError) as error:
        _checks.refuse(
            "D",
            D,
            f"a function D({names}) of NumPy arrays",
            f"it is called with the coordinates of all cells ({error})",
            f"Write D=lambda {names}: …",
            TypeError,
        )


def _ends(D, grid):
    """For each axis D at its walls where D is a function of the coordinates; None if it never is."""
    ends = [None] * grid.ndim
    for axis, d in enumerate(D):
        if _is_function(d):
            face = list(grid.face_coordinates(axis))
            at = [[c if i != axis else np.take(c, [j], axis) for i, c in enumerate(face)] for j in (0, -1)]
            with np.errstate(all="ignore"):
                both = tuple(_call(d, c, grid) + np.zeros((1,) * grid.ndim) for c in at)
            if all(np.all(np.isfinite(D) & (D >= 0)) for D in both):  # 1/r has no value on the axis of a cylinder
                ends[axis] = both
    return None if all(e is None for e in ends) else tuple(ends)
