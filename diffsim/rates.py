"""Reactions as text, and mass action for molecules that are counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._tree import static


@dataclass(frozen=True)
class Elementary:
    """aᵣ(n) = kᵣ Πₛ nₛ(nₛ − 1)…(nₛ − mᵣₛ + 1): the propensities of elementary reactions.

    kᵣ counts ordered meetings: 2A → ∅ with k fires k·n(n − 1) times per time, and the rate equation of many molecules
    is k·n². For a rate constant that counts pairs pass half of it.

    Args:
        k: one constant ≥ 0 for each reaction [1 / time]; arrays broadcast over the ensemble or the grid.
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
        k = self.k if isinstance(self.k, (tuple, list)) else tuple(np.atleast_1d(np.asarray(self.k, np.float64)))
        if len(k) != len(self.orders):
            why = "each reaction has its constant"
            _checks.refuse("k", _checks.Verbatim(f"{len(k)} constants"), f"{len(self.orders)}", why, "Give one each.")
        object.__setattr__(self, "k", tuple(_constant(f"k[{r}]", value) for r, value in enumerate(k)))

    def __call__(self, t, n):
        """(…, S) ↦ (…, R)."""
        return tf.stack(self.of(tf.unstack(n, axis=-1)), axis=-1)

    def of(self, n) -> list:
        """The propensities from a list of the numbers of each species."""
        return self._products(n, lambda a, i: a - i if i else a)

    def many(self, n) -> list:
        """k Πₛ nₛ^mₛ, the limit of many molecules."""
        return self._products(n, lambda a, i: a)

    def _products(self, n, factor):
        out = []
        for k, orders in zip(self.k, self.orders, strict=True):
            rate = _nest.to(k, n[0].dtype) + tf.zeros_like(n[0])
            for a, m in zip(n, orders, strict=True):
                for i in range(m):
                    rate = rate * factor(a, i)
            out.append(rate)
        return out


class Parsed(NamedTuple):
    """What reactions in text say."""

    species: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]  # (R, S) molecules that meet
    change: tuple[tuple[int, ...], ...]  # (R, S) net change
    k: tuple[float, ...]


_ARROWS = {"->": False, "→": False, "<->": True, "⇌": True, "↔": True}
_TERM = re.compile(r"(?:(\d+)\s*\*?\s*)?([^\W\d]\w*)")
_FORM = "reactants -> products @ constant"


def parse(texts, species=None) -> Parsed:
    """Reactions such as "A + B -> C @ 0.01", "2 A -> 0 @ 0.005" or "A <-> B @ 1, 2".

    Args:
        texts: the reactions; nothing is written 0, ∅ or left out.
        species: names in the order of the state; by default that of first appearance.

    Raises:
        ValueError: a text that is not of this form, or a species that is not among those given.
    """
    rows, found = [], list(species or ())
    for text in texts:
        if not isinstance(text, str):
            _checks.refuse("reaction", text, f'text like "{_FORM}"', "it is parsed", "Write it out.", TypeError)
        for left, right, k in _directions(text):
            for name in (*left, *right):
                if name not in found:
                    if species is not None:
                        why = f'"{text}" names it'
                        _checks.refuse("species", tuple(species), f"{name} among them", why, "Add it, or leave it out.")
                    found.append(name)
            rows.append((left, right, k))
    if not rows:
        _checks.refuse("reactions", (), "at least one", "nothing would ever happen", f'Write "{_FORM}".')
    orders = tuple(tuple(left.get(s, 0) for s in found) for left, _, _ in rows)
    change = tuple(tuple(right.get(s, 0) - left.get(s, 0) for s in found) for left, right, _ in rows)
    return Parsed(tuple(found), orders, change, tuple(k for _, _, k in rows))


def _directions(text):
    """(left, right, constant) of each direction that a text names."""
    head, at, tail = text.partition("@")
    arrow = next((a for a in ("<->", "->", "⇌", "↔", "→") if a in head), None)
    if not at or arrow is None or head.count(arrow) > 1:
        _refuse(text, "an arrow, and the constant after @", "both are needed to know what fires how often")
    left, right = (_side(text, part) for part in head.split(arrow))
    constants = [_number(text, part) for part in tail.split(",")]
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


def _number(text, part):
    try:
        value = float(part)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        _refuse(text, f'a number ≥ 0 in place of "{part.strip()}"', "a reaction fires so many times per time")
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
    if _tree.is_number(value) and np.ndim(value):
        return _checks.finite(what, value, least=0.0, why=why)
    if isinstance(value, (tf.Tensor, tf.Variable)):
        return value if tf.is_symbolic_tensor(value) else _checks.finite(what, value, least=0.0, why=why)
    return _checks.number(what, value, least=0.0, why=why)
