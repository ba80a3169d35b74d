"""Operators act on states; boundary conditions are part of them.

An affine operator is u ↦ A u + b(t). Explicit steppers call it; implicit ones ask for its resolvent
(I − γA)⁻¹; exponential ones for φₖ(hA) in the basis where A is diagonal. Operators are frozen dataclasses:
their numbers are data, so that changing one never compiles again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import complex_of
from diffsim.operators import spectrum
from diffsim.operators.functions import phi


class Operator(ABC):
    """u ↦ A u + b(t) on one tensor, or on a whole state."""

    def prepare(self, like) -> Operator:
        """The same operator with all that does not change in a run computed once, in the dtype of `like`."""
        return self

    @abstractmethod
    def apply(self, u):
        """The linear part A u."""

    def source(self, t, like):
        """The inhomogeneous part b(t), from walls that are not at zero; None if there is none."""
        return

    def __call__(self, t, u):
        """A u + b(t)."""
        b = self.source(t, u)
        return self.apply(u) if b is None else _nest.add(self.apply(u), b)

    def radius(self) -> float:
        """An upper bound of |λ| over the eigenvalues λ of A: explicit Euler is stable for h ≤ 2/radius."""
        self._lacks("a bound of its spectrum", "Give the stepper a dt that you know to be stable.")

    def solvable(self) -> Operator:
        """An operator equal to this one that has a `resolvent`."""
        return self.diagonal()

    def diagonal(self) -> Operator:
        """An operator equal to this one that knows the basis in which A is diagonal.

        Raises:
            ValueError: A has no fast diagonalisation.
        """
        self._lacks("a fast diagonalisation", "Use an explicit stepper (RKL2, Tsit5) or an implicit one.")

    def power(self, s) -> Operator:
        """−(−A)ˢ for an operator A ≤ 0 that diagonalises: the generator of e^{−t(−A)ˢ}.

        Args:
            s: exponent > 0.

        Raises:
            ValueError: A has no fast diagonalisation, or walls that are not at zero.
        """
        return self.diagonal().power(s)

    @property
    def diagonalises(self) -> bool:
        """Whether `diagonal` will succeed."""
        return False

    @property
    def orthogonal(self) -> bool:
        """Whether modes are orthogonal under the plain sum over cells; asked of diagonal operators only."""
        return True

    def resolvent(self, gamma, rhs):
        """(I − γA)⁻¹ rhs."""
        self._lacks("a resolvent", "Call solvable() first.")

    def approximate(self, gamma, rhs):
        """Something near (I − γA)⁻¹ rhs, linear in rhs and cheap: a preconditioner for larger systems."""
        return self.resolvent(gamma, rhs)

    def forward(self, u):
        """Coefficients of u in the eigenbasis."""
        self._lacks("an eigenbasis", "Call diagonal() first.")

    def inverse(self, c):
        """The state with coefficients c."""
        self._lacks("an eigenbasis", "Call diagonal() first.")

    def multiplier(self, k: int, h):
        """c ↦ φₖ(hA) c on coefficients, with what depends on h computed once; φ₀ = exp."""
        self._lacks("an eigenbasis", "Call diagonal() first.")

    def noise_multiplier(self, h, variance=1.0, growth=0.0):
        """A map of coefficients that turns the increment of a noise into ∫e^{(h−s)(A−b)}dN, in law; c ↦ √φ₁(2h(A−b)) c.

        Args:
            h: the step.
            variance: of the noise per time in each cell, a number or an array over the grid; None where cells depend
                on each other.
            growth: b, if the amplitude grows as e^{bt}; the increment carries its value at the end of the step.
        """
        self._lacks("an eigenbasis", "Call diagonal() first.")

    def budget(self, t, u, grid) -> dict:
        """What changes the amount ∫u dV per time, by cause: each wall by its name, "reacted" for the rest.

        Without t (None) the part that is linear in u only.
        """
        self._lacks("a budget", "Leave the ledger out, or use Diffusion instead.")

    def _lacks(self, what: str, way_out: str):
        _checks.refuse(
            "operator", _checks.Verbatim(type(self).__name__), f"one with {what}", "this operator has none", way_out
        )

    def __mul__(self, factor):
        return Scaled(self, _factor(factor))

    __rmul__ = __mul__

    def __neg__(self):
        return Scaled(self, -1.0)

    def __add__(self, other):
        other = other if isinstance(other, Operator) else Identity(_factor(other))
        return Sum((*self._terms(), *other._terms()))

    __radd__ = __add__

    def __sub__(self, other):
        return self + (-(other if isinstance(other, Operator) else _factor(other)))

    def __truediv__(self, divisor):
        divisor = _factor(divisor)
        if not tf.is_tensor(divisor) and divisor == 0:
            _checks.refuse("divisor", divisor, "a number other than zero", "it divides an operator", "Check it.")
        return self * (1.0 / divisor)

    def _terms(self):
        return (self,)


def _factor(a):
    if isinstance(a, Operator):
        _checks.refuse(
            "factor",
            a,
            "a number",
            "operators are multiplied by numbers only",
            "Apply them one after the other in `drift`.",
            TypeError,
        )
    if isinstance(a, (tf.Tensor, tf.Variable, complex)):
        return a
    return _checks.number("factor", a, why="it multiplies an operator")


@dataclass(frozen=True)
class Identity(Operator):
    """a·u: growth at rate a, or decay for a < 0. Diagonal in every basis.

    Args:
        a: rate [1 / time].
    """

    a: float | complex | tf.Tensor = 0.0

    diagonalises = True
    basis = None  # any basis will do

    def apply(self, u):
        """a·u."""
        return _nest.to(self.a, u.dtype) * u

    def budget(self, t, u, grid):
        """Reacted: a∫u dV."""
        return {"reacted": grid.integrate(self.apply(u))}

    def radius(self) -> float:
        """|a|."""
        return float(abs(self.a))

    def diagonal(self):
        """Itself."""
        return self

    def resolvent(self, gamma, rhs):
        """The quotient rhs / (1 − γa)."""
        return rhs / (1 - _nest.to(gamma, rhs.dtype) * _nest.to(self.a, rhs.dtype))

    def forward(self, u):
        """u."""
        return u

    def inverse(self, c):
        """c."""
        return c

    def multiplier(self, k, h):
        """φₖ(ha)·c."""

        def times(c, a=self.a):
            return phi(k, _nest.to(h, c.dtype) * _nest.to(a, c.dtype)) * c

        return times

    def noise_multiplier(self, h, variance=1.0, growth=0.0):
        """√φ₁(2h(a − b))·c."""

        def times(c, a=self.a):
            return tf.sqrt(phi(1, 2 * _nest.to(h, c.dtype) * (_nest.to(a, c.dtype) - _nest.to(growth, c.dtype)))) * c

        return times

    @property
    def spectrum(self):
        """a in every mode."""
        return spectrum.Constant(self.a)


@dataclass(frozen=True)
class Scaled(Operator):
    """a·A."""

    of: Operator
    a: float | complex | tf.Tensor

    def power(self, s):
        """−(−aA)ˢ for a > 0."""
        if not tf.is_tensor(self.a) and not isinstance(self.a, complex) and self.a <= 0:
            why, way_out = "the power is −(−A)ˢ, and −A must not be negative", "Take the power first: A.power(s)."
            shown = _checks.Verbatim(f"{self.a:g}·{type(self.of).__name__}")
            _checks.refuse("operator", shown, "an operator that is not positive, as Diffusion(…) is", why, way_out)
        return self.diagonal().power(s)

    @property
    def diagonalises(self) -> bool:
        """As A."""
        return self.of.diagonalises

    def prepare(self, like):
        """a·A with A prepared."""
        return Scaled(self.of.prepare(like), self.a)

    def apply(self, u):
        """a·(A u)."""
        return _nest.map(lambda v: _nest.to(self.a, v.dtype) * v, self.of.apply(u))

    def source(self, t, like):
        """a·b(t)."""
        b = self.of.source(t, like)
        return None if b is None else _nest.map(lambda v: _nest.to(self.a, v.dtype) * v, b)

    def __call__(self, t, u):
        """a·(A u + b(t))."""
        return _nest.map(lambda v: _nest.to(self.a, v.dtype) * v, self.of(t, u))

    def budget(self, t, u, grid):
        """a times that of A."""
        over = list(range(-grid.ndim, 0))  # where a has one number for each run, the axes that v has no more

        def times(v):
            a = _nest.to(self.a, v.dtype)
            return (tf.squeeze(a, over) if a.shape.rank else a) * v

        return {name: times(v) for name, v in self.of.budget(t, u, grid).items()}

    def radius(self):
        """|a|·radius(A)."""
        return float(np.max(np.abs(self.a))) * self.of.radius()

    def diagonal(self):
        """a·λ in the basis of A."""
        of = self.of.diagonal()
        if of.basis is None:
            return Identity(_product(of.a, self.a))
        return _diagonal(of.basis, spectrum.Multiple(of.spectrum, self.a), self)

    def solvable(self):
        """a·A with a resolvent."""
        return self.diagonal() if self.diagonalises else Scaled(self.of.solvable(), self.a)

    def resolvent(self, gamma, rhs):
        """(I − γaA)⁻¹ rhs."""
        return self.of.resolvent(_product(gamma, self.a), rhs)

    def approximate(self, gamma, rhs):
        """As A."""
        return self.of.approximate(_product(gamma, self.a), rhs)

    def __mul__(self, factor):
        return Scaled(self.of, self.a * _factor(factor))

    __rmul__ = __mul__


@dataclass(frozen=True)
class Sum(Operator):
    """Σ Aᵢ."""

    of: tuple[Operator, ...]

    @property
    def diagonalises(self) -> bool:
        """Whether all terms do, in one basis."""
        return all(a.diagonalises for a in self.of) and self._basis() is not False

    def prepare(self, like):
        """Σ of prepared terms."""
        return Sum(tuple(a.prepare(like) for a in self.of))

    def apply(self, u):
        """Σ Aᵢu."""
        return _total([a.apply(u) for a in self.of])

    def source(self, t, like):
        """Σ bᵢ(t)."""
        parts = [b for a in self.of if (b := a.source(t, like)) is not None]
        return _total(parts) if parts else None

    def budget(self, t, u, grid):
        """Σ of the terms', cause by cause."""
        return merge(a.budget(t, u, grid) for a in self.of)

    def radius(self):
        """The sum of the terms' bounds."""
        return sum(a.radius() for a in self.of)

    def _basis(self):
        bases = [a.diagonal().basis for a in self.of]
        bases = [b for b in bases if b is not None]
        return False if any(b.key != bases[0].key for b in bases[1:]) else next(iter(bases), None)

    def _terms(self):
        return self.of

    def diagonal(self):
        """Σ λᵢ in the common basis.

        Raises:
            ValueError: the terms have no common basis.
        """
        terms = tuple(a.diagonal() for a in self.of)
        basis = self._basis()
        if basis is False:
            _checks.refuse(
                "operator",
                _checks.Verbatim("a sum"),
                "terms that are diagonal in one basis",
                "their walls differ",
                "Use an explicit stepper, or IMEX with one term as drift.",
            )
        if basis is None:
            return Identity(sum(a.a for a in terms))
        return _diagonal(basis, spectrum.Total(tuple(a.spectrum for a in terms)), self)

    def solvable(self):
        """Diagonal if possible, else iterative."""
        if self.diagonalises:
            return self.diagonal()
        from diffsim.operators.krylov import Iterative

        return Iterative(self).solvable()


def _product(h, a):
    """h·a in the wider of the two dtypes; h may be real where a is complex."""
    if isinstance(h, tf.Tensor) and isinstance(a, (complex, tf.Tensor, tf.Variable)):
        complex_a = isinstance(a, complex) or a.dtype.is_complex
        dtype = complex_of(h.dtype.real_dtype) if complex_a else h.dtype
        return tf.cast(h, dtype) * _nest.to(a, dtype)
    return h * a


def _diagonal(basis, eigenvalues, of):
    from diffsim.operators.box import Diagonal  # box operators are operators: this is the way back up

    return Diagonal(basis, eigenvalues, of)


def merge(budgets) -> dict:
    """The sum of budgets, cause by cause."""
    total: dict = {}
    for budget in budgets:
        for name, value in budget.items():
            total[name] = total[name] + value if name in total else value
    return total


def _total(parts):
    out = parts[0]
    for p in parts[1:]:
        out = _nest.add(out, p)
    return out
