"""Boundary conditions, one for each face of a grid.

Every condition that is not periodic says what flows in through a wall: with k = D/(Δx/2) the conductance of
the half cell between the last centre and the wall,

    inflow q = G·(−u) + s,      G = conductance(k),  s = supply(k, D, value)

Dirichlet: q = k(value − u).  Robin: wall and half cell in series, G = kh/(k + h).  Neumann and Flux: G = 0.
Values may be numbers, arrays over the face, or callables f(t, *x) of time and the face's coordinates.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree

Value = float | np.ndarray | tf.Tensor | Callable[..., Any]


class Condition(ABC):
    """What holds on one face of a grid."""

    def conductance(self, k):
        """G: how much the inflow falls per unit of u in the adjacent cell."""
        return tf.zeros_like(k)

    @abstractmethod
    def supply(self, k, D, value):
        """s: the part of the inflow that does not depend on u; D is that at the wall itself."""

    @property
    def given(self) -> Value:
        """The prescribed value, which may depend on time and position."""
        return getattr(self, fields(self)[-1].name)

    @property
    def homogeneous(self) -> bool:
        """Whether the prescribed value is the number zero, so that the operator is linear, not affine."""
        return isinstance(self.given, int)

    def _check(self, name: str, least: float = -np.inf, why: str = "a wall value enters the equation as it is"):
        value = getattr(self, name)
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
            value = float(value) or 0  # numbers are data, but zero is structure: such a wall costs nothing
            object.__setattr__(self, name, value)
        if isinstance(value, (list, tuple)):
            try:
                value = np.asarray(value, float)
            except (TypeError, ValueError):
                value = np.asarray(value)
        if isinstance(value, np.ndarray):
            value = _tree.own_array(value)
            object.__setattr__(self, name, value)
        if not callable(value):
            _checks.finite(f"{type(self).__name__}.{name}", value, least=least, why=why)


@dataclass(frozen=True)
class Periodic(Condition):
    """The two ends of the axis are one point: u(0) = u(L)."""

    homogeneous = True

    def supply(self, k, D, value):
        """Nothing enters: there is no wall."""
        return tf.zeros_like(k)


@dataclass(frozen=True)
class Dirichlet(Condition):
    """u = value at the wall.

    Args:
        value: number, array over the face, or f(t, *x) [concentration].
    """

    value: Value = 0.0

    def __post_init__(self):
        self._check("value")

    def conductance(self, k):
        """G = k."""
        return k

    def supply(self, k, D, value):
        """s = k·value."""
        return k * value


@dataclass(frozen=True)
class Neumann(Condition):
    """∂u/∂n = gradient at the wall, n pointing outwards; Neumann() is a no-flux wall.

    The inflow is D·gradient with D at the wall: a callable D is evaluated there, layers reach up to it, an array is
    continued from its last two cells.

    Args:
        gradient: number, array over the face, or f(t, *x) [concentration / length].
    """

    gradient: Value = 0.0

    def __post_init__(self):
        self._check("gradient")

    def supply(self, k, D, value):
        """s = D·gradient, D taken at the wall."""
        return D * value


@dataclass(frozen=True)
class Flux(Condition):
    """D ∂u/∂n = inflow: a prescribed flux into the domain, whatever D is at the wall.

    Args:
        inflow: number, array over the face, or f(t, *x) [amount / area / time]; negative draws out.
    """

    inflow: Value = 0.0

    def __post_init__(self):
        self._check("inflow")

    def supply(self, k, D, value):
        """s = inflow."""
        return value * tf.ones_like(k)


@dataclass(frozen=True)
class Robin(Condition):
    """D ∂u/∂n = h·(ambient − u): exchange with surroundings through a film of transfer coefficient h.

    Args:
        transfer: h ≥ 0, number or array over the face [length / time]; h → ∞ is Dirichlet, h = 0 no flux.
        ambient: number, array over the face, or f(t, *x) [concentration].
    """

    transfer: float | np.ndarray | tf.Tensor
    ambient: Value = 0.0

    def __post_init__(self):
        if callable(self.transfer):
            _checks.refuse(
                "Robin.transfer",
                self.transfer,
                "a number or an array over the face",
                "the transfer coefficient is part of the operator's matrix",
                "Let `ambient` depend on time instead.",
                TypeError,
            )
        self._check("transfer", 0.0, "a negative transfer coefficient would pump matter against the gradient")
        self._check("ambient")

    def conductance(self, k):
        """G = kh/(k + h), the half cell and the film in series."""
        h = _nest.to(self.transfer, k.dtype)
        return tf.math.divide_no_nan(k * h, k + h)

    def supply(self, k, D, value):
        """s = G·ambient."""
        return self.conductance(k) * value


class Boundary:
    """Conditions by axis: ``Boundary(x=Periodic(), y=(Dirichlet(0.0), Neumann()))``.

    Args:
        **axes: for each axis name of the grid (x, y, z or r) one condition for both ends, or a pair
            (lower end, upper end).
    """

    def __init__(self, **axes):
        for name, value in axes.items():
            ends = value if isinstance(value, tuple) else (value, value)
            for end in ends:
                _checks.instance(
                    f"Boundary({name}=…)",
                    end,
                    Condition,
                    why="each end of an axis needs a condition",
                    way_out="Use Periodic, Dirichlet, Neumann, Flux or Robin.",
                )
        self.axes = axes


@dataclass(frozen=True)
class Interface:
    """A thin layer between two media: u₂ = K·u₁ at equilibrium, flux q = (K·u₁ − u₂)/R.

    Args:
        partition: K = (u₂/u₁) at equilibrium, > 0 [1]; 1 is continuity.
        resistance: R ≥ 0 [time / length] as seen from the upper side; 0 is perfect contact.
    """

    partition: float = 1.0
    resistance: float = 0.0

    def __post_init__(self):
        _checks.number(
            "Interface.partition", self.partition, above=0.0, why="it is a ratio of equilibrium concentrations"
        )
        _checks.number("Interface.resistance", self.resistance, least=0.0, why="a membrane cannot pump")


def resolve(boundary, grid) -> tuple[tuple[Condition, Condition], ...]:
    """The pair (lower, upper) of conditions for each axis of `grid`.

    Raises:
        ValueError: an axis without condition, an unknown axis, one periodic end, a value of the wrong shape.
    """
    names = tuple(a.name for a in grid.axes)
    if isinstance(boundary, Condition):
        pairs = ((boundary, boundary),) * grid.ndim
    elif isinstance(boundary, Boundary):
        unknown, missing = set(boundary.axes) - set(names), set(names) - set(boundary.axes)
        if unknown or missing:
            _checks.refuse(
                "boundary",
                _checks.Verbatim(f"conditions for {sorted(boundary.axes)}"),
                f"conditions for the axes {list(names)}",
                "every face needs exactly one condition",
                "For the same condition everywhere pass it bare, e.g. Neumann().",
            )
        pairs = tuple(v if isinstance(v := boundary.axes[n], tuple) else (v, v) for n in names)
    else:
        _checks.refuse(
            "boundary",
            boundary,
            "a condition or Boundary(x=…, y=…)",
            "an operator without walls is none",
            "Use Periodic(), Dirichlet(…), Neumann(…), Flux(…), Robin(…) or Boundary(…).",
            TypeError,
        )
    for axis, pair in enumerate(pairs):
        _check_pair(names[axis], axis, pair, grid)
    return tuple(tuple(_on_face(c, axis, grid) for c in pair) for axis, pair in enumerate(pairs))


def _on_face(condition, axis, grid):
    """The condition with arrays over the face laid out along the grid's axes."""
    arrays = {f.name: getattr(condition, f.name) for f in fields(condition)}
    short = {k: v for k, v in arrays.items() if 0 < np.ndim(v) < grid.ndim and not callable(v)}
    if not short:
        return condition
    return replace(condition, **{
        k: tf.expand_dims(v, axis) if isinstance(v, (tf.Tensor, tf.Variable)) else np.expand_dims(v, axis)
        for k, v in short.items()
    })


def _check_pair(name, axis, pair, grid):
    if len(pair) != 2:
        _checks.refuse(
            f"Boundary({name}=…)",
            pair,
            "one condition or a pair (lower, upper)",
            "an axis has two ends",
            "Give two conditions.",
        )
    periodic = [isinstance(c, Periodic) for c in pair]
    if any(periodic) and (not all(periodic) or name == "r"):
        _checks.refuse(
            f"Boundary({name}=…)",
            pair,
            "Periodic on both ends or on none" if name != "r" else "a wall",
            "a periodic axis has no ends" if name != "r" else "a radius does not close on itself",
            "Use Periodic() for both, or a wall condition for both.",
        )
    face = tuple(1 if i == axis else n for i, n in enumerate(grid.shape))
    flat = tuple(n for i, n in enumerate(grid.shape) if i != axis)
    for side, condition in zip("-+", pair, strict=True):
        for f in fields(condition):
            value = getattr(condition, f.name)
            shape = tuple(getattr(value, "shape", ()))
            if shape and shape not in (face, flat):
                _checks.refuse(
                    f"{type(condition).__name__}.{f.name} on {name}{side}",
                    value,
                    f"a number or an array of shape {flat}",
                    "the face has that many cells",
                    "Evaluate it at the face's cell centres.",
                )
        if fields(condition) and callable(condition.given):
            _check_call(f"{type(condition).__name__} on {name}{side}", condition.given, axis, side == "+", grid)


def _check_call(what, fn, axis, upper, grid):
    """Ask a wall's function once, at time zero, whether it takes (t, *x) and fits the face."""
    signature = f"f(t, {', '.join(a.name for a in grid.axes)})"
    where = [
        c if i != axis else c[(slice(None),) * axis + (slice(-1, None) if upper else slice(0, 1),)]
        for i, c in enumerate(grid.face_coordinates(axis))
    ]
    face = tuple(1 if i == axis else n for i, n in enumerate(grid.shape))
    try:
        inspect.signature(fn).bind(*range(1 + len(where)))
    except TypeError as error:
        _checks.refuse(
            what,
            fn,
            f"a function {signature}",
            f"it is called with time and the face's coordinates ({error})",
            f"Write lambda {signature[2:-1]}: …",
            TypeError,
        )
    except ValueError:  # some functions of compiled libraries do not tell
        pass
    places = [tf.constant(c, tf.float64) for c in where]

    def traced(t):  # as the run will trace it: without a value of t
        given = fn(t, *places)
        if given is None or isinstance(given, (str, bytes, bool)):
            raise TypeError(f"it returns {given!r}")
        return tf.convert_to_tensor(given)

    try:
        program = tf.function(traced, autograph=False).get_concrete_function(tf.TensorSpec([], tf.float64))
    except Exception as error:  # whatever the user's function raises
        reason = str(error).strip().splitlines()[0].split(". ")[0][:160].rstrip(".") if str(error) else repr(error)
        _checks.refuse(
            what,
            fn,
            f"a function {signature} of TensorFlow operations that returns numbers",
            f"it is compiled into the loop ({reason})",
            "Use tf.… in place of NumPy and math, and tf.where in place of if.",
            TypeError,
        )
    value = program.structured_outputs
    if not (value.dtype.is_floating or value.dtype.is_integer or value.dtype.is_complex):
        _checks.refuse(what, value, "numbers", "it is the value at a wall", "Return a tensor of numbers.", TypeError)
    pairs = zip(value.shape[::-1], face[::-1], strict=False)
    if len(value.shape) > len(face) or any(m not in (1, n) for m, n in pairs):
        _checks.refuse(
            what,
            value,
            f"a value that broadcasts over the face's {face} cells",
            f"{signature} gets coordinates of that shape",
            "Combine the coordinates elementwise.",
        )


def evaluate(value: Value, t, coordinates, axis: int, dtype: tf.DType) -> tf.Tensor:
    """The prescribed value on a face at time t, shaped to broadcast over it."""
    if callable(value):
        real = dtype.real_dtype
        value = value(_nest.to(t, real), *(tf.constant(c, real) for c in coordinates))
    value = _nest.to(value, dtype)
    if value.shape.rank and value.shape.rank < len(coordinates):
        value = tf.expand_dims(value, axis)
    return value
