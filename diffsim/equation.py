"""A law of motion: dY = [A Y + f(t, Y)] dt + g(t, Y) dN."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._compiled import Compiled
from diffsim._tree import static
from diffsim.boundary import Condition
from diffsim.calculus import Amplitude, Converted, ExponentialAmplitude, Isothermal, Ito, NoiseMap, Reach, Stratonovich
from diffsim.calculus import amplitude as amplitude_of
from diffsim.names import Named, checked, fit
from diffsim.noise import Brownian, Interval, Noise
from diffsim.operators import media, nested
from diffsim.operators.base import Operator


class Slot(Enum):
    """The parts of a law that a stepper may or may not honour; the value is how messages name it."""

    LINEAR = "linear"
    DRIFT = "drift"
    DIFFUSION = "diffusion"
    ORDER = "order"
    JUMPS = "reactions"
    HOPS = "hops"
    PARTICLES = "particles"


@dataclass(frozen=True)
class Equation:
    """dY = [A Y + f(t, Y)] dt + g(t, Y) dN, the one form in which diffsim states a law.

    Args:
        linear: A, an operator (its boundary conditions live in it), a number, a nest of these, or None.
        drift: f(t, y) → a state of the structure, shapes and dtypes of y.
        diffusion: g, a number, a nest of numbers, g(t, y) → a state exactly like y, an ExponentialAmplitude, or a
            NoiseMap. Never broadcast.
        noise: what drives it.
        calculus: Ito(), Stratonovich() or Isothermal(); steppers get the law in the calculus they need.
        order: Caputo order of the time derivative, 0 < order ≤ 1.
        local: promises that f(t, y) at a point needs y at that point only, and that arrays which f holds as data
            broadcast over y, so that space-time tiling is allowed.
        names: of the tensors of the state in their order, texts or Named; records, files and figures show them.
    """

    linear: Any = None
    drift: Callable | None = None
    diffusion: Any = None
    noise: Noise = field(default_factory=Brownian)
    calculus: Ito | Stratonovich | Isothermal = field(default_factory=Ito)
    order: float = static(default=1.0)
    local: bool = static(default=False)
    names: tuple[Named, ...] | None = static(default=None)

    def __post_init__(self):
        object.__setattr__(self, "names", checked(self.names))
        for name in ("linear", "drift", "diffusion"):
            object.__setattr__(self, name, _tree.own(getattr(self, name)))
        if self.drift is not None and not callable(self.drift):
            _checks.refuse(
                "drift",
                self.drift,
                "a function f(t, y)",
                "it is evaluated along the path",
                "For a number times y use linear=…",
                TypeError,
            )
        _checks.instance("noise", self.noise, Noise, why="it drives the diffusion", way_out="Use Brownian().")
        kinds = (Ito, Stratonovich, Isothermal)
        _checks.instance("calculus", self.calculus, kinds, why="it says where g is evaluated", way_out="Use Ito().")
        order = _checks.number("order", self.order, above=0.0, why="it is the order of a time derivative")
        if order > 1.0:
            why = "diffusion-wave equations are not of this form"
            _checks.refuse("order", order, "0 < order ≤ 1", why, "Write them as a first-order system.")

    def slots(self) -> frozenset[Slot]:
        """The slots that this law uses."""
        used = {
            Slot.LINEAR: self.linear is not None,
            Slot.DRIFT: self.drift is not None,
            Slot.DIFFUSION: self.diffusion is not None,
            Slot.ORDER: self.order != 1.0,
        }
        return frozenset(s for s, on in used.items() if on)

    def of_state(self, y) -> Equation:
        """The same law with `linear` as one operator on the whole state; refuses what does not fit y."""
        linear = nested.for_state(self.linear, y)
        law = replace(self, linear=linear)
        _check_variables(self.linear)
        if isinstance(linear, nested.PerLeaf):
            for op, leaf in zip(linear.ops, _nest.flatten(y), strict=True):
                grid = grid_of(op)
                if grid is not None:
                    grid.check("y0", leaf.shape)
                law._check_real(op, leaf)
                law._check_wide(op, leaf)
        owner = getattr(self.drift, "__self__", self.drift)
        if hasattr(owner, "check_state"):
            owner.check_state(y)
        fit(self.names, y)
        law._check_like(y, self.drift, "drift")
        if hasattr(self.drift, "of_state"):
            law = replace(law, drift=self.drift.of_state(y))
        law._check_diffusion(y)
        if law.diffusion is None:
            return law
        self.noise.fits(y)
        law = replace(law, diffusion=amplitude_of(self.diffusion, y)) if law._varies() else law
        if law.reach is not Reach.NOTHING:
            self.noise.multiplied()
        return law

    @staticmethod
    def _check_wide(op, leaf):
        """Refuse half precision, in which differences between neighbours are rounding and few operators exist."""
        if op is not None and leaf.dtype.size == 2:
            _checks.refuse(
                "y0",
                _checks.Verbatim(leaf.dtype.name),
                "float32, float64, complex64 or complex128",
                "operators difference neighbours, which agree in the few digits of half precision",
                "Cast it: tf.cast(y0, tf.float32).",
                TypeError,
            )

    @staticmethod
    def _check_real(op, leaf):
        """Refuse complex numbers that a real state would lose."""
        if not leaf.dtype.is_complex and any(np.dtype(_kind(a)).kind == "c" for a in _tree.flatten(op)[0]):
            _checks.refuse(
                "linear",
                _checks.Verbatim("complex numbers"),
                f"real ones for a state of {leaf.dtype.name}",
                "the imaginary part of A y would be lost",
                "Make y0 complex, e.g. complex128.",
                TypeError,
            )

    def _check_diffusion(self, y):
        """Refuse amplitudes that are neither numbers for the state's parts nor a function like the drift."""
        g = self.diffusion
        if g is None:
            return
        if isinstance(g, Amplitude):
            return
        if isinstance(g, NoiseMap):
            self._check_like(y, lambda t, x: g.fn(t, x, x), "diffusion")
            return
        if callable(g) and not _tree.is_number(g) and not isinstance(g, Operator):
            self._check_like(y, g, "diffusion")
            return
        parts = _nest.flatten(g)
        numbers = all(np.ndim(a) == 0 and (_tree.is_number(a) or isinstance(a, int)) for a in parts)
        try:
            alike = not isinstance(g, (tuple, list, dict)) or tf.nest.assert_same_structure(y, g) is None
        except (ValueError, TypeError):
            alike = False
        if not (numbers and alike):
            _checks.refuse(
                "diffusion",
                g,
                "a number, a number for each part of the state, or a function g(t, y)",
                "an amplitude is never broadcast silently",
                "For a field write lambda t, y: g + 0 * y.",
                TypeError,
            )
        for a in parts:
            _checks.finite("diffusion", a, why="it is the amplitude of noise")

    @staticmethod
    def _check_like(y, fn, what):
        """Compare structure, shapes and dtypes of what fn returns with the state's."""
        if fn is None:
            return
        traced = abstract(what, fn, y)
        try:
            tf.nest.assert_same_structure(y, traced)
            pairs = list(zip(_nest.flatten(y), _nest.flatten(traced), strict=True))
            fits = all(tuple(a.shape) == tuple(b.shape) and a.dtype == b.dtype for a, b in pairs)
        except (ValueError, TypeError, AttributeError):
            fits = False
        if not fits:
            _checks.refuse(
                what,
                _checks.Verbatim(f"values of {_layout(traced)}"),
                f"exactly the state's {_layout(y)}",
                "a state is never broadcast or cast silently",
                f"Let {what}(t, y) return a state like y.",
            )

    def _varies(self) -> bool:
        """Whether g is a function."""
        g = self.diffusion
        return isinstance(g, NoiseMap) or (callable(g) and not _tree.is_number(g))

    @property
    def reach(self) -> Reach:
        """On what the amplitude of the noise depends; known of a law `of_state`."""
        return self.diffusion.reach if isinstance(self.diffusion, Amplitude) else Reach.NOTHING

    @property
    def growth(self):
        """The rate b of an amplitude g₀e^{bt}, 0.0 of a constant one; None of any other."""
        g = self.diffusion.fn if isinstance(self.diffusion, Amplitude) else self.diffusion
        if isinstance(g, ExponentialAmplitude):
            return g.rate
        return None if self._varies() else 0.0

    def stated_in(self, calculus: type, direction: float = 1.0) -> Equation:
        """The same law, `of_state`, in another calculus: f gains (from − to)·Σₖ (gₖ·∇)gₖ, by automatic differentiation.

        Args:
            calculus: Ito, Stratonovich or Isothermal.
            direction: the sign of the steps; "beginning" is where a step begins, so that backwards in time the gain
                turns its sign.

        Raises:
            TypeError: the noise is not white, or g does not have the form for which the correction is known.
        """
        weight = (self.calculus.point - calculus.point) * (1.0 if direction > 0 else -1.0)
        if self.diffusion is None or self.reach is Reach.NOTHING or weight == 0.0:
            return replace(self, calculus=calculus())
        why, way_out = None, f"State the law with calculus={calculus.__name__}() and the drift that belongs to it."
        if not self.noise.white:
            why = "the correction is known for independent Brownian noise"
        elif self.reach is Reach.ALL:
            why = "g at one vector of the state depends on others, and derivatives are taken vector by vector"
        elif isinstance(self.diffusion.fn, NoiseMap) and Isothermal in (type(self.calculus), calculus):
            why = "the isothermal form is that of a mobility, which noise that mixes entries does not show"
        if why is not None:
            name = f"{type(self.calculus).__name__}()"
            _checks.refuse("calculus", _checks.Verbatim(name), f"{calculus.__name__}()", why, way_out, TypeError)
        return replace(self, drift=Converted(self.drift, self.diffusion, weight), calculus=calculus())

    def generator(self, grid, boundary, t: float | None = None):
        """The Fokker–Planck operator of the law of one particle, for `linear`; its `adjoint()` is the backward one.

        Args:
            grid: a Grid; its axes are the coordinates, or the parts of a pair (x, v).
            boundary: Neumann() reflects, Dirichlet() absorbs, Robin(κ) reacts, Periodic(), Flux(inflow) lets in.
            t: the time at which the law is taken, if it depends on it.
        """
        from diffsim.generator import generator

        return generator(self, grid, boundary, t)

    def reversed(self, score, eta: float = 1.0) -> Equation:
        """The law for ``t=(T, 0)`` that has this one's density p(t, y) at every t; see `reversal`.

        Args:
            score: s(t, y) = ∇ ln p(t, y), like y.
            eta: share of the noise, ≥ 0: 1 is the time reversal, 0 the probability flow without noise.
        """
        from diffsim.reversal import reverse

        return reverse(self, score, eta)

    # What steppers see, inside a compiled program.

    def prepare(self, y) -> Equation:
        """The law with all that does not change in a run computed once."""
        return self if self.linear is None else replace(self, linear=self.linear.prepare(y))

    def over(self, key, n, t, h, y) -> Interval | None:
        """The noise over step n, from t to t + h; None if there is none."""
        return None if self.diffusion is None else Interval(self.noise, key, n, t, h, y)

    def rate(self, t, y):
        """A y + b(t) + f(t, y)."""
        if self.linear is None:
            return self.drift(_time(t, y), y) if self.drift is not None else _nest.zeros(y)
        value = self.linear(t, y)
        return value if self.drift is None else _nest.add(value, self.drift(_time(t, y), y))

    def forcing(self, t, y):
        """b(t) + f(t, y), all but A y; None if there is nothing."""
        b = None if self.linear is None else self.linear.source(t, y)
        if self.drift is None:
            return b
        f = self.drift(_time(t, y), y)
        return f if b is None else _nest.add(f, b)

    def amplitude(self, t, y):
        """g(t, y) as a state like y."""
        g = self.diffusion
        if self._varies():
            return g(_time(t, y), y)
        if isinstance(g, (tuple, list, dict)):
            return _nest.map(lambda leaf, a: tf.fill(leaf.shape, _nest.to(a, leaf.dtype)), y, g)
        return _nest.map(lambda leaf: tf.fill(leaf.shape, _nest.to(g, leaf.dtype)), y)

    def kick(self, t, y, dN):
        """g(t, y)·dN."""
        g = self.diffusion
        if isinstance(g, Amplitude):
            return g.times(_time(t, y), y, dN)
        return _nest.map(tf.multiply, self.amplitude(t, y), dN)


def abstract(what, fn, y):
    """What fn(t, y) returns, traced without computing; once for functions that are the same but for numbers."""
    try:
        inspect.signature(fn).bind(None, None)
    except TypeError as error:
        _checks.refuse(
            what,
            fn,
            f"a function {what}(t, y)",
            f"it is called with time and state ({error})",
            f"Write lambda t, y: … also where {what} does not depend on t.",
            TypeError,
        )
    except ValueError:  # some functions of compiled libraries do not tell
        pass
    leaves, structure = _tree.flatten(fn)
    leaves = _tree.as_tensors(leaves, _nest.real_dtype(y))  # in the precision in which the run will use them
    specs = _nest.map(lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype), y)
    time = tf.TensorSpec([], _nest.real_dtype(y))
    try:
        return _outline(structure).concrete(leaves, time, specs).structured_outputs
    except (TypeError, ValueError, NotImplementedError, tf.errors.OperatorNotAllowedInGraphError) as error:
        if _checks.is_message(error):
            raise
        reason = str(error).strip().splitlines()[0].split(". ")[0][:160].rstrip(".")
        _checks.refuse(
            what,
            fn,
            f"a function {what}(t, y) of TensorFlow operations",
            f"it is compiled into the loop ({reason})",
            "Use tf.… in place of NumPy, and tf.where in place of if.",
            TypeError,
        )


@functools.lru_cache(maxsize=64)
def _outline(structure) -> Compiled:
    def run(leaves, t, y):
        return _tree.unflatten(structure, leaves)(t, y)

    return Compiled(structure, lambda: tf.function(run, autograph=False))


def _layout(y) -> str:
    """Structure, shapes and dtypes in words."""
    return str(
        _nest.map(lambda a: _checks.Verbatim(f"{tuple(a.shape)} {a.dtype.name}" if hasattr(a, "shape") else repr(a)), y)
    )


def _kind(a):
    return a.dtype.as_numpy_dtype if isinstance(a, (tf.Tensor, tf.Variable)) else np.asarray(a).dtype


def _check_variables(x):
    """Check D and walls again where they are variables: they may have changed since."""
    if isinstance(x, (tuple, list, dict)):
        for part in _nest.flatten(x):
            _check_variables(part)
    elif dataclasses.is_dataclass(x) and any(isinstance(a, tf.Variable) for a in _tree.flatten(x)[0]):
        if isinstance(x, media.Medium):
            media.check(x)
        elif isinstance(x, Condition) and hasattr(x, "__post_init__"):
            x.__post_init__()
        else:
            for f in dataclasses.fields(x):
                _check_variables(getattr(x, f.name))


def grid_of(op):
    """The grid that an operator lives on, or None."""
    if op is None:
        return None
    grid = getattr(op, "grid", None)
    if grid is not None:
        return grid
    parts = getattr(op, "ops", None) or getattr(op, "of", None)
    parts = parts if isinstance(parts, tuple) else (parts,)
    return next((g for p in parts if isinstance(p, Operator) and (g := grid_of(p)) is not None), None)


def _time(t, y):
    return _nest.to(t, _nest.real_dtype(y))
