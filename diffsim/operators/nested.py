"""One operator for a whole state: each leaf of the nest has its own, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.operators.base import Identity, Operator


@dataclass(frozen=True)
class PerLeaf(Operator):
    """y ↦ (A₁y₁ + b₁, A₂y₂ + b₂, …); None stands for zero."""

    ops: tuple[Operator | None, ...]

    def _map(self, method, y, missing=tf.zeros_like):
        leaves = _nest.flatten(y)
        out = [missing(leaf) if op is None else method(op, leaf) for op, leaf in zip(self.ops, leaves, strict=True)]
        return _nest.pack(y, out)

    def _each(self, fn):
        return replace(self, ops=tuple(None if op is None else fn(op) for op in self.ops))

    def prepare(self, like):
        """Each operator prepared for its leaf."""
        leaves = _nest.flatten(like)
        return PerLeaf(
            tuple(None if op is None else op.prepare(leaf) for op, leaf in zip(self.ops, leaves, strict=True))
        )

    def apply(self, u):
        """A u."""
        return self._map(lambda op, leaf: op.apply(leaf), u)

    def __call__(self, t, u):
        """A u + b(t)."""
        return self._map(lambda op, leaf: op(t, leaf), u)

    def source(self, t, like):
        """b(t)."""
        leaves = _nest.flatten(like)
        parts = [None if op is None else op.source(t, leaf) for op, leaf in zip(self.ops, leaves, strict=True)]
        if all(p is None for p in parts):
            return None
        return _nest.pack(
            like, [tf.zeros_like(leaf) if p is None else p for p, leaf in zip(parts, leaves, strict=True)]
        )

    def radius(self):
        """The largest among the leaves'."""
        return max((op.radius() for op in self.ops if op is not None), default=0.0)

    @property
    def diagonalises(self) -> bool:
        """Whether all do."""
        return all(op is None or op.diagonalises for op in self.ops)

    def diagonal(self):
        """Each in its own eigenbasis."""
        return self._each(lambda op: op.diagonal())

    def solvable(self):
        """Each with its resolvent."""
        return self._each(lambda op: op.solvable())

    def resolvent(self, gamma, rhs):
        """(I − γA)⁻¹ rhs."""
        return self._map(lambda op, leaf: op.resolvent(gamma, leaf), rhs, tf.identity)

    def approximate(self, gamma, rhs):
        """Something near (I − γA)⁻¹ rhs."""
        return self._map(lambda op, leaf: op.approximate(gamma, leaf), rhs, tf.identity)

    def forward(self, u):
        """Coefficients, leaf by leaf."""
        return self._map(lambda op, leaf: op.forward(leaf), u, tf.identity)

    def inverse(self, c):
        """Values, leaf by leaf."""
        return self._map(lambda op, leaf: op.inverse(leaf), c, tf.identity)

    def multiplier(self, k, h):
        """φₖ(hA) on coefficients; φₖ(0) = 1/k! where there is no operator."""
        parts = [(Identity(0.0) if op is None else op).multiplier(k, h) for op in self.ops]

        def times(c):
            leaves = _nest.flatten(c)
            return _nest.pack(c, [m(leaf) for m, leaf in zip(parts, leaves, strict=True)])

        return times

    @property
    def orthogonal(self) -> bool:
        """Whether all modes are."""
        return all(op is None or op.orthogonal for op in self.ops)

    def noise_multiplier(self, h, variance=1.0, growth=0.0):
        """∫e^{(h−s)(A−b)}dN on coefficients, leaf by leaf."""
        parts = [(Identity(0.0) if op is None else op).noise_multiplier(h, variance, growth) for op in self.ops]

        def times(c):
            return _nest.pack(c, [m(leaf) for m, leaf in zip(parts, _nest.flatten(c), strict=True)])

        return times


def for_state(linear, y) -> Operator | None:
    """The operator on the whole state `y` that a user's `linear` means.

    Args:
        linear: an operator, a number, a nest of these with the structure of y (None for zero), or None.
        y: the state.

    Raises:
        ValueError: the nests do not match.
    """
    if linear is None or getattr(linear, "whole", False) or isinstance(linear, PerLeaf):
        return linear
    leaves = _nest.flatten(y)
    if isinstance(linear, Operator):
        if len(leaves) > 1:
            _checks.refuse(
                "linear",
                linear,
                f"one operator for each of the {len(leaves)} parts of the state",
                "operators are never spread over species silently",
                "Pass a nest with the state's structure.",
            )
        return PerLeaf((linear,))
    if isinstance(linear, (tuple, list, dict)):
        if not isinstance(y, (tuple, list, dict)):
            _checks.refuse(
                "y0",
                y,
                f"a {type(linear).__name__} of {len(linear)} arrays, one for each part",
                "the law has that many species",
                f"Pass y0=({', '.join('uvw'[: len(linear)]) if len(linear) < 4 else 'u1, u2, …'})." if not isinstance(
                    linear, dict) else f"Pass a dict with the keys {list(linear)}.",
                TypeError,
            )
        try:
            ops = [op for _, op in _pairs(y, linear)]
        except (ValueError, TypeError, KeyError):
            _checks.refuse(
                "linear",
                linear,
                f"the structure of the state, {_shape(y)}",
                "each part of the state has its own operator",
                "Use None where there is none.",
            )
        return PerLeaf(tuple(_one(op) for op in ops))
    return PerLeaf((_one(linear),) * len(leaves))


def _one(op):
    if op is None or isinstance(op, Operator):
        return op
    if isinstance(op, (int, float)):
        return Identity(_checks.number("linear", op, why="a scalar operator multiplies the state by it"))
    if isinstance(op, (complex, tf.Tensor, tf.Variable)):
        return Identity(op)
    return _checks.refuse(
        "linear",
        op,
        "an operator, a number or None",
        "it is the linear part A of dY = A Y dt",
        "For a function of (t, y) use drift=…",
        TypeError,
    )


def _pairs(y, ops):
    if isinstance(y, dict):
        if set(ops) != set(y):
            raise KeyError(ops)
        return [p for k in sorted(y) for p in _pairs(y[k], ops[k])]
    if isinstance(y, (tuple, list)):
        if len(ops) != len(y):
            raise ValueError(ops)
        return [p for yi, oi in zip(y, ops, strict=True) for p in _pairs(yi, oi)]
    return [(y, ops)]


def _shape(y):
    return _checks.Verbatim(str(_nest.map(lambda leaf: tuple(leaf.shape), y)))
