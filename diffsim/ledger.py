"""The ledger: what came in through each wall, what reacted, what is stored, closing to round-off.

A ledger is no observer but part of the state: dQ/dt = inflow(t, u) is integrated by the same stepper in the same
stages as
du/dt = A u + b + f. Steppers keep linear invariants, and ∫u dV − ΣQ is one, so the books close whatever the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, names
from diffsim._tree import static
from diffsim.equation import Equation, grid_of
from diffsim.grid import Grid
from diffsim.operators.base import Operator, merge
from diffsim.operators.nested import PerLeaf

REACTED = "reacted"


class Tracked(NamedTuple):
    """A law and a state with their books: ``ds.solve(*ds.track(law, y0), t=…)``."""

    law: Equation
    y0: Any


def track(law: Equation, y0) -> Tracked:
    """The law on the state (y, books), with books {"x-": …, "x+": …, "reacted": …} for each part of y, all at zero.

    Inflows and reactions are amounts [unit of u × lengthⁿ], positive when they add to u. A drift counts as reacted,
    except
    NonlinearDiffusion, whose walls are told apart.

    Args:
        law: linear part by grid operators, numbers, or none; drift of any kind.
        y0: the state.

    Raises:
        ValueError: no grid, noise, or an operator that cannot say what its walls let in.
    """
    _checks.instance("law", law, Equation, why="books are kept of a law", way_out="Build an Equation(…).")
    y0 = _nest.map(tf.convert_to_tensor, y0)
    bound = law.of_state(y0)
    grid = grid_of(bound.linear) or getattr(law.drift, "grid", None)
    if grid is None:
        _checks.refuse(
            "law",
            _checks.Verbatim("no operator on a grid"),
            "one with a grid",
            "amounts are integrals over cells",
            "Give linear=Diffusion(grid, …), or drift=NonlinearDiffusion(grid, …).",
        )
    if law.diffusion is not None:
        _checks.refuse(
            "law",
            _checks.Verbatim("noise"),
            "no noise",
            "its inflow would have to be booked path by path",
            "Track the law without diffusion.",
        )
    drift = None if law.drift is None else _booked(law.drift, grid)
    linear = None if bound.linear is None else Budgeted(bound.linear, grid)
    books = _budget(bound, grid, tf.constant(0.0, tf.float64), y0)
    own = names.of(y0, law.names)
    booked = (f"{n.name} {cause}" for n, book in zip(own, books, strict=True) for cause in sorted(book))
    named = (*own, *map(names.Named, booked))
    law = replace(law, linear=linear, drift=drift, names=named)
    return Tracked(law, (y0, _nest.map(tf.zeros_like, books)))


def _budget(law, grid, t, y):
    """What a law does to the amounts, for each leaf of y."""
    parts = []
    if law.linear is not None:
        parts.append(_linear_budget(law.linear, grid, t, y))
    if law.drift is not None:
        parts.append(Booked(law.drift, grid).budget(t, y))
    return _fill(merge_leaves(parts), y, grid)


def merge_leaves(parts):
    """Leafwise sum of lists of budgets."""
    return [merge(budgets) for budgets in zip(*parts, strict=True)]


def _fill(budgets, y, grid):
    """Every leaf has books, be they empty."""
    return tuple(
        b or {REACTED: grid.integrate(tf.zeros_like(leaf))} for b, leaf in zip(budgets, _nest.flatten(y), strict=True)
    )


def _linear_budget(linear: PerLeaf, grid, t, y):
    if hasattr(linear, "budgets"):  # species that drag each other along
        return linear.budgets(t, y, grid)
    return [
        {} if op is None else op.budget(t, leaf, grid) for op, leaf in zip(linear.ops, _nest.flatten(y), strict=True)
    ]


def _on(books, budgets):
    """Budgets laid out like the books; causes that a part does not know are zero."""
    return tuple(
        {name: budget.get(name, tf.zeros_like(old)) for name, old in book.items()}
        for book, budget in zip(books, budgets, strict=True)
    )


@dataclass(frozen=True)
class Booked:
    """A drift together with what it books: (f(t, y), ∫f dV)."""

    of: Any
    grid: Grid = static()

    def budget(self, t, y):
        """What f adds per time, for each leaf."""
        if hasattr(self.of, "budget"):
            return [self.of.budget(t, y, self.grid)]
        return [{REACTED: self.grid.integrate(f)} for f in _nest.flatten(self.of(_nest.to(t, _nest.real_dtype(y)), y))]

    def __call__(self, t, state):
        """(f, books of f)."""
        y, books = state
        f = self.of(t, y)
        if hasattr(self.of, "budget"):
            budgets = [self.of.budget(t, y, self.grid)]
        else:
            budgets = [{REACTED: self.grid.integrate(leaf)} for leaf in _nest.flatten(f)]
        return f, _on(books, budgets)


@dataclass(frozen=True)
class BookedDiffusion(Booked):
    """A drift that diffuses at D(u): its stability limit follows the state, not the books."""

    def radius_at(self, state):
        """As the drift's."""
        return self.of.radius_at(state[0])


@dataclass(frozen=True)
class BookedGrowth(Booked):
    """A drift that diffuses within a bound known beforehand."""

    def radius(self):
        """As the drift's."""
        return self.of.radius()


def _booked(drift, grid):
    known = BookedDiffusion if hasattr(drift, "radius_at") else BookedGrowth if hasattr(drift, "radius") else Booked
    return known(drift, grid)


@dataclass(frozen=True)
class Budgeted(Operator):
    """[A 0; W 0] on (y, Q): W is the budget of A. Its φ-functions are [φₖ 0; hWφₖ₊₁ 1/k!]."""

    of: PerLeaf
    grid: Grid = static()

    whole = True

    @property
    def diagonalises(self):
        """As A."""
        return self.of.diagonalises

    def prepare(self, like):
        """A prepared."""
        return replace(self, of=self.of.prepare(like[0]))

    def _books(self, t, y, books):
        return _on(books, _linear_budget(self.of, self.grid, t, y))

    def apply(self, u):
        """(A y, W y)."""
        return self.of.apply(u[0]), self._books(None, *u)

    def __call__(self, t, u):
        """(A y + b, W y + inflow of b)."""
        return self.of(t, u[0]), self._books(t, *u)

    def source(self, t, like):
        """(b, its inflow)."""
        b = self.of.source(t, like[0])
        return None if b is None else (b, self._books(t, _nest.zeros(like[0]), like[1]))

    def radius(self):
        """As A: the books add zeros to the spectrum."""
        return self.of.radius()

    def diagonal(self):
        """A diagonalised."""
        return replace(self, of=self.of.diagonal())

    def solvable(self):
        """A with a resolvent."""
        return replace(self, of=self.of.solvable())

    def resolvent(self, gamma, rhs):
        """y = (I − γA)⁻¹r, Q = r_Q + γWy; an iterative solve is corrected to flux form, so that the books close."""
        r, books = rhs
        y = self.of.resolvent(gamma, r)
        entered = _nest.scale(gamma, self._books(None, y, books))
        if not self.of.diagonalises:
            y = _nest.axpy(gamma, self.of.apply(y), r)
        return y, _nest.add(books, entered)

    def forward(self, u):
        """(V⁻¹y, Q)."""
        return self.of.forward(u[0]), u[1]

    def inverse(self, c):
        """(V c, Q)."""
        return self.of.inverse(c[0]), c[1]

    def multiplier(self, k, h):
        """(φₖc, hWVφₖ₊₁c + Q/k!)."""
        mine, following = self.of.multiplier(k, h), self.of.multiplier(k + 1, h)

        def times(c):
            entered = _nest.scale(h, self._books(None, self.of.inverse(following(c[0])), c[1]))
            return mine(c[0]), _nest.axpy(1.0 / math.factorial(k), c[1], entered)

        return times


@dataclass(frozen=True)
class Balance:
    """One part of the state, between two times [unit of u × lengthⁿ].

    Attributes:
        before, after: ∫u dV at both times.
        causes: what each wall let in and what reacted.
        imbalance: after − before − Σ causes, which is round-off.
    """

    before: np.ndarray
    after: np.ndarray
    causes: dict

    @property
    def imbalance(self):
        """after − before − Σ causes."""
        return self.after - self.before - sum(self.causes.values())

    def __str__(self):
        rows = [("before", self.before), *self.causes.items(), ("after", self.after), ("imbalance", self.imbalance)]
        return "\n".join(f"{name:>10} {np.array2string(np.asarray(v), precision=12)}" for name, v in rows)


def balance(grid: Grid, tracked: Tracked, final) -> tuple[Balance, ...]:
    """The balance of each part of a tracked state.

    Args:
        grid: the grid of the run.
        tracked: what `track` returned.
        final: `solution.final`, the pair (y, books).
    """
    try:
        tf.nest.assert_same_structure(tracked.y0, final)
    except (ValueError, TypeError):
        _checks.refuse("final", final, "the final state of a run of the tracked law, (y, books)",
                       "the books are part of that state", "Run solve(tracked.law, tracked.y0, …).", TypeError)
    out = []
    for start, end, book in zip(_nest.flatten(tracked.y0[0]), _nest.flatten(final[0]), final[1], strict=True):
        causes = {name: v.numpy() for name, v in book.items()}
        out.append(Balance(grid.integrate(start).numpy(), grid.integrate(end).numpy(), causes))
    return tuple(out)
