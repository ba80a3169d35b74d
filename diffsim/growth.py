"""Growing domains: a law on a box that expands, told in the coordinates of the box at its start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._tree import static
from diffsim.boundary import Dirichlet, Flux, Neumann, Periodic
from diffsim.equation import Equation, grid_of
from diffsim.operators import nested, spectrum
from diffsim.operators.base import Identity, Operator, Scaled, Sum
from diffsim.operators.coupled import Coupled
from diffsim.operators.nested import PerLeaf


@dataclass(frozen=True)
class Exponential:
    """L(t) = e^{rt}."""

    rate: float | tf.Tensor

    def __call__(self, t):
        """e^{rt}."""
        return tf.exp(_nest.to(self.rate, t.dtype) * t)


@dataclass(frozen=True)
class Growing:
    """f(t, w) of a law on a domain stretched by L(t): the drift that `growing` makes, for w = u Lᵈ."""

    linear: Any
    reaction: Callable | None
    length: Callable
    least: float = static()
    dimension: int = static()
    orders: tuple = static()  # of derivatives, for each part of the state those of its terms

    def stretch(self, t, dtype):
        """L(t)."""
        return _nest.to(self.length(_nest.to(t, dtype)), dtype)

    def concentration(self, t, w):
        """u = w/Lᵈ, the amount per volume as it is at time t; ``SaveAt(fn=law.drift.concentration)`` records it."""
        volume = self.stretch(t, _nest.real_dtype(w)) ** self.dimension
        return _nest.map(lambda a: a / _nest.to(volume, a.dtype), w)

    def __call__(self, t, w):
        """Lᵈ[Σ (A u + b)/Lⁿ + f(t, u)], n the order of derivatives in A."""
        L, u = self.stretch(t, _nest.real_dtype(w)), self.concentration(t, w)
        parts = [] if self.reaction is None else [self.reaction(t, u)]
        if self.linear is not None:
            for n, op in self._operators(w).items():
                parts.append(_nest.scale(L**-n, op.prepare(u)(t, u)) if n else op.apply(u))
        total = parts[0]
        for part in parts[1:]:
            total = _nest.add(total, part)
        return _nest.scale(L**self.dimension, total)

    def _operators(self, y) -> dict:
        """{n: what falls as 1/Lⁿ}, each for the whole state."""
        linear = nested.for_state(self.linear, y)
        if isinstance(linear, Coupled):
            return {2.0: linear}
        leaves = [list(zip(() if op is None else _terms(op), n, strict=True))
                  for op, n in zip(linear.ops, self.orders, strict=True)]
        orders = sorted(set().union(*self.orders))
        each = {n: [tuple(op for op, m in terms if m == n) for terms in leaves] for n in orders}
        return {n: PerLeaf(tuple(Sum(ops) if ops else None for ops in parts)) for n, parts in each.items()}

    def radius(self) -> float:
        """A bound of the spectrum of the linear part where L is least."""
        pairs = zip(_flat(self.linear), self.orders, strict=True)
        return max(
            sum(term.radius() / self.least**n for term, n in zip(_terms(op), orders, strict=True))
            for op, orders in pairs if isinstance(op, Operator)
        )


def growing(law: Equation, length, *, least: float = 1.0) -> Equation:
    """u_t = (A u + b)/L² − d(L′/L)u + f(t, u): the law on a domain whose every length grows as L(t), x = L ξ.

    Numbers added to A, growth and decay, are not divided by L², powers of Δ by as many L as they have derivatives; f
    must act where it is, without derivatives. Points move with the domain and matter is diluted as it grows, by
    d(L′/L)u. The state is w = u Lᵈ, the amount per volume that the domain had at L = 1, for which
    w_t = Lᵈ[(A u + b)/L² + f(t, u)]: no term of dilution is left, ∫w dξ is the amount of matter itself, and what
    diffusion and reaction keep is kept to rounding. At L = 1 w is u; later ``law.drift.concentration(t, w)`` is u.
    All goes by the drift: use `RKL2` or `Tsit5`, for stiff reactions `TRBDF2`.

    Args:
        law: its linear part by grid operators, with periodic walls, walls without flux, or Dirichlet walls.
        length: L(t)/L₀ as a function of TensorFlow operations, or the rate r of L = e^{rt} [1 / time].
        least: the smallest L in the run, which bounds the steps of explicit methods; 1 for what grows from the
            grid's own size.

    Returns:
        The law for w.

    Raises:
        ValueError: no grid; noise; walls that give a flux; a drift that holds an operator; L(0) below `least`.

    References:
        Crampin, Gaffney & Maini (1999), doi:10.1006/bulm.1999.0131.
    """
    _checks.instance("law", law, Equation, why="its domain is to grow",
                     way_out="Build an Equation(…), or take a model's .on(grid, boundary).")
    if law.diffusion is not None or law.order != 1.0:
        _checks.refuse(
            "law", _checks.Verbatim("noise, or an order below 1"), "linear and drift only",
            "how they scale with the domain is not known here", "Leave them out, or write the drift by hand.",
        )
    least = _checks.number("least", least, above=0.0, why="it is a length relative to the grid's")
    grids = [g for op in _flat(law.linear) if isinstance(op, Operator) and (g := grid_of(op)) is not None]
    if not grids:
        _checks.refuse(
            "law", _checks.Verbatim("no operator on a grid"), "one with a grid", "its domain is to grow",
            "Give linear=Diffusion(grid, …).",
        )
    for op in _flat(law.linear):
        _check_walls(op)
    holds = getattr(law.drift, "__self__", law.drift)
    if any(isinstance(part, Operator) for part in getattr(holds, "__dict__", {}).values()):
        _checks.refuse(
            "law", _checks.Verbatim(f"a drift that holds an operator, {type(holds).__name__}"),
            "a drift that acts where it is", "how its derivatives scale with the domain is not known here",
            "Write the law of the growing domain as a drift by hand.",
        )
    if not callable(length) or _tree.is_number(length):
        if not tf.is_tensor(length):
            length = _checks.number("length", length, why="it is a rate of growth", way_out="Pass a rate, or L(t).")
        length = Exponential(length)
    start = float(length(tf.constant(0.0, tf.float64)))
    if not start >= least * (1 - 1e-12):
        _checks.refuse(
            "length", _checks.Verbatim(f"L(0) = {start:g}"), f"L ≥ least = {least:g}",
            "the steps of explicit methods are bounded by the smallest domain", "Pass the smallest L as least=….",
        )
    dimension = getattr(grids[0], "dimension", grids[0].ndim)
    orders = tuple(() if op is None else tuple(map(_order, _terms(op))) for op in _flat(law.linear))
    return Equation(drift=Growing(law.linear, law.drift, length, least, dimension, orders), names=law.names)


def _flat(linear):
    if isinstance(linear, dict):
        return [op for name in sorted(linear) for op in _flat(linear[name])]
    return [op for part in linear for op in _flat(part)] if isinstance(linear, (tuple, list)) else [linear]


def _terms(op) -> list:
    """The terms of an operator, or of a number."""
    if isinstance(op, Sum):
        return [term for a in op.of for term in _terms(a)]
    if isinstance(op, Scaled):
        return [Scaled(term, op.a) for term in _terms(op.of)]
    return [op]


def _order(term) -> float:
    """How many derivatives a term has; 0 for growth and decay."""
    while isinstance(term, Scaled):
        term = term.of
    if isinstance(term, Identity) or not isinstance(term, Operator):
        return 0.0
    return _derivatives(getattr(term, "spectrum", None))


def _derivatives(of) -> float:
    """How many derivatives an operator of this spectrum has: λ falls as 1/Lⁿ."""
    if isinstance(of, spectrum.Power):
        return float(of.s) * _derivatives(of.of)
    if isinstance(of, spectrum.Multiple):
        return _derivatives(of.of)
    if isinstance(of, spectrum.Total):
        orders = {_derivatives(part) for part in of.of}
        if len(orders) > 1:
            _checks.refuse(
                "law", _checks.Verbatim(f"a sum of terms with {sorted(orders)} derivatives, diagonalised before"),
                "terms of one order, or a sum of operators", "each falls by its own power of L as the domain grows",
                "Add the operators themselves: 2.0 * A - B.power(2).",
            )
        return orders.pop()
    return 0.0 if isinstance(of, spectrum.Constant) else 2.0


def _check_walls(op):
    """Refuse walls through which a given flux passes: it does not scale as diffusion does."""
    for each in getattr(op, "ops", ()):
        _check_walls(each)
    for pair in getattr(op, "boundary", ()):
        for condition in pair:
            if not (isinstance(condition, (Periodic, Dirichlet)) or _closed(condition)):
                _checks.refuse(
                    "boundary", condition, "Periodic(), Neumann() or Dirichlet(value)",
                    "a given flux or gradient changes with the size of the domain", "Close them, or give values.",
                )
    of = getattr(op, "of", ())
    for part in of if isinstance(of, tuple) else (of,):
        _check_walls(part)


def _closed(condition) -> bool:
    return isinstance(condition, (Neumann, Flux)) and condition.homogeneous
