"""Reactions as text, and mass action for molecules that are counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._tree import static


@dataclass(frozen=True)
class Varying:
    """0 ≤ k(t) ≤ most: a rate constant that depends on time.

    Events are thinned out of candidates that come at the rate of `most`, so its distribution is exact however fast k
    varies, and `most` far above k costs time only. A run in which k falls below zero, or rates exceed what `most`
    allows, ends with that time in its message.

    Args:
        k: k(t) of TensorFlow operations, element by element: a time for each trajectory or cell [1 / time]. It may
            broadcast over the grid, so that light of a pattern can be switched on and off.
        most: what k never exceeds, a number or an array that broadcasts likewise [1 / time].

    Raises:
        TypeError, ValueError: k is no function, or `most` is negative or not finite.

    References:
        Lewis & Shedler (1979), doi:10.1002/nav.3800260304.
    """

    k: Callable
    most: Any

    def __post_init__(self):
        if not callable(self.k):
            why = "it says how the constant depends on time"
            _checks.refuse("k", self.k, "a function k(t)", why, "Pass a constant as a number instead.", TypeError)
        object.__setattr__(self, "most", _tree.own(_constant("most", self.most)))

    def at(self, t, dtype=None):
        """k(t) in the precision of `dtype`, by default that of t."""
        t = t if dtype is None else _nest.to(t, dtype)
        return _nest.to(self.k(t), t.dtype)

    def __mul__(self, factor) -> Varying:
        """The same, times a number ≥ 0."""
        return Varying(Multiple(self.k, factor), self.most * factor)


@dataclass(frozen=True)
class Multiple:
    """c·k(t)."""

    of: Callable
    factor: Any

    def __call__(self, t):
        """The product."""
        return _nest.to(self.of(t), t.dtype) * _nest.to(self.factor, t.dtype)


@dataclass(frozen=True)
class Elementary:
    """aᵣ(t, n) = kᵣ(t) Πₛ nₛ(nₛ − 1)…(nₛ − mᵣₛ + 1): the propensities of elementary reactions.

    kᵣ counts ordered meetings: 2A → ∅ with k fires k·n(n − 1) times per time, and the rate equation of many molecules
    is k·n². For a rate constant that counts pairs pass half of it.

    Args:
        k: one constant ≥ 0 for each reaction [1 / time]; arrays broadcast over the ensemble or the grid. `Varying` for
            one that depends on time.
        orders: how many molecules of each species meet in each reaction, (R, S).

    Raises:
        ValueError, TypeError: a constant is negative, or the shapes do not match.

    References:
        Gillespie (1976), doi:10.1016/0021-9991(76)90041-3.
    """

    k: tuple
    orders: tuple[tuple[int, ...], ...] = static()

    def __post_init__(self):
        object.__setattr__(self, "orders", whole("orders", self.orders, least=0))
        k = (self.k,) if isinstance(self.k, Varying) else self.k
        k = k if isinstance(k, (tuple, list)) else tuple(np.atleast_1d(np.asarray(k, np.float64)))
        if len(k) != len(self.orders):
            why = "each reaction has its constant"
            _checks.refuse("k", _checks.Verbatim(f"{len(k)} constants"), f"{len(self.orders)}", why, "Give one each.")
        object.__setattr__(self, "k", tuple(_constant(f"k[{r}]", value) for r, value in enumerate(k)))

    @property
    def timed(self) -> bool:
        """Whether a constant depends on time."""
        return any(isinstance(k, Varying) for k in self.k)

    def __call__(self, t, n):
        """(…, S) ↦ (…, R)."""
        return tf.stack(self.of(tf.unstack(n, axis=-1), t), axis=-1)

    def of(self, n, t=0.0) -> list:
        """The propensities from a list of the numbers of each species, and a time for each."""
        return self._products(self._constants(t, n), n, _falling)

    def many(self, n, t=0.0) -> list:
        """k Πₛ nₛ^mₛ, the limit of many molecules."""
        return self._products(self._constants(t, n), n, lambda a, i: a)

    def most(self, n):
        """What Σᵣ aᵣ(t, n) never exceeds."""
        k = [k.most if isinstance(k, Varying) else k for k in self.k]
        return tf.add_n(self._products(k, n, _falling))

    def _constants(self, t, n):
        return [k.at(t, n[0].dtype) if isinstance(k, Varying) else k for k in self.k]

    def _products(self, constants, n, factor):
        out = []
        for k, orders in zip(constants, self.orders, strict=True):
            rate = _nest.to(k, n[0].dtype) + tf.zeros_like(n[0])
            for a, m in zip(n, orders, strict=True):
                for i in range(m):
                    rate = rate * factor(a, i)
            out.append(rate)
        return out


def _falling(a, i):
    return a - i if i else a


class Parsed(NamedTuple):
    """What reactions in text say."""

    species: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]  # (R, S) molecules that meet
    change: tuple[tuple[int, ...], ...]  # (R, S) net change
    k: tuple  # numbers, or what a name in the text stands for


_ARROWS = {"->": False, "→": False, "<->": True, "⇌": True, "↔": True}
_TERM = re.compile(r"(?:(\d+)\s*\*?\s*)?([^\W\d]\w*)")
_FORM = "reactants -> products @ constant"


def parse(texts, species=None, constants=None) -> Parsed:
    """Reactions such as "A + B -> C @ 0.01", "2 A -> 0 @ 0.005" or "A <-> B @ 1, 2".

    Args:
        texts: the reactions; nothing is written 0, ∅ or left out.
        species: names in the order of the state; by default that of first appearance.
        constants: what names after @ stand for.

    Raises:
        ValueError: a text that is not of this form, a species that is not among those given, a constant that no text
            names.
    """
    rows, found, named = [], list(species or ()), _Constants(constants or {})
    for text in texts:
        if not isinstance(text, str):
            _checks.refuse("reaction", text, f'text like "{_FORM}"', "it is parsed", "Write it out.", TypeError)
        for left, right, k in _directions(text, named):
            for name in (*left, *right):
                if name not in found:
                    if species is not None:
                        why = f'"{text}" names it'
                        _checks.refuse("species", tuple(species), f"{name} among them", why, "Add it, or leave it out.")
                    found.append(name)
            rows.append((left, right, k))
    if not rows:
        _checks.refuse("reactions", (), "at least one", "nothing would ever happen", f'Write "{_FORM}".')
    named.check_used()
    orders = tuple(tuple(left.get(s, 0) for s in found) for left, _, _ in rows)
    change = tuple(tuple(right.get(s, 0) - left.get(s, 0) for s in found) for left, right, _ in rows)
    return Parsed(tuple(found), orders, change, tuple(k for _, _, k in rows))


class _Constants(dict):
    """What names stand for, and which of them a text has used."""

    def __init__(self, given):
        super().__init__({name: _constant(name, value) for name, value in given.items()})
        self.used = set()

    def read(self, text, part):
        """The number or the name after @."""
        name = part.strip()
        if name not in self:
            return _number(text, part, self)
        self.used.add(name)
        return self[name]

    def check_used(self):
        """Refuse names without effect."""
        if unused := sorted(set(self) - self.used):
            shown, why = _checks.Verbatim(", ".join(unused)), "a constant without effect is mostly a slip"
            _checks.refuse("constants", shown, "only names after @ in the text", why, "Remove it, or spell it alike.")


def _directions(text, named):
    """(left, right, constant) of each direction that a text names."""
    head, at, tail = text.partition("@")
    arrow = next((a for a in ("<->", "->", "⇌", "↔", "→") if a in head), None)
    if not at or arrow is None or head.count(arrow) > 1:
        _refuse(text, "an arrow, and the constant after @", "both are needed to know what fires how often")
    left, right = (_side(text, part) for part in head.split(arrow))
    constants = [named.read(text, part) for part in tail.split(",")]
    if len(constants) != (2 if _ARROWS[arrow] else 1):
        both = "two constants, there and back, after <->" if _ARROWS[arrow] else "one constant after ->"
        _refuse(text, both, "each direction has its own")
    yield left, right, constants[0]
    if _ARROWS[arrow]:
        yield right, left, constants[1]


def _side(text, part) -> dict:
    counts: dict = {}
    if part.strip() in ("", "0", "∅"):
        return counts
    for term in part.split("+"):
        match = _TERM.fullmatch(term.strip())
        if match is None:
            _refuse(text, f'species like A or 2 A in place of "{term.strip()}"', "each term is a number of molecules")
        counts[match[2]] = counts.get(match[2], 0) + int(match[1] or 1)
    return counts


def _number(text, part, named):
    try:
        value = float(part)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        expected = " or ".join(["a number ≥ 0", *named])
        _refuse(text, f'{expected} in place of "{part.strip()}"', "a reaction fires so many times per time")
    return value


def _refuse(text, expected, why):
    _checks.refuse("reaction", text, expected, why, f'Write "{_FORM}", e.g. "A + B -> C @ 0.01" or "0 -> A @ 1".')


def whole(what, rows, least=None) -> tuple[tuple[int, ...], ...]:
    """A table of integers as tuples."""
    try:
        table = np.asarray(rows)
        good = table.ndim == 2 and table.size and np.all(table == np.round(table))
    except (TypeError, ValueError):
        good = False
    if not good or (least is not None and table.min() < least):
        bound = "" if least is None else f" ≥ {least}"
        why = "reactions change whole numbers of molecules"
        _checks.refuse(what, rows, f"a table of integers{bound}, (reactions, species)", why, "One row each reaction.")
    return tuple(tuple(int(v) for v in row) for row in table)


def _constant(what, value):
    why = "a reaction fires so many times per time, never fewer than none"
    if isinstance(value, Varying):
        return value
    if _tree.is_number(value) and np.ndim(value):
        return _checks.finite(what, value, least=0.0, why=why)
    if isinstance(value, (tf.Tensor, tf.Variable)):
        return value if tf.is_symbolic_tensor(value) else _checks.finite(what, value, least=0.0, why=why)
    return _checks.number(what, value, least=0.0, why=why)
