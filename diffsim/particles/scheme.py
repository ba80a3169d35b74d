"""Reactions by what they need: nothing, one molecule, or two; and where their products go."""

from __future__ import annotations

from typing import NamedTuple

from diffsim import _checks


class Birth(NamedTuple):
    """Reaction r makes `products` out of nothing."""

    r: int
    products: tuple[int, ...]


class Single(NamedTuple):
    """Reaction r of one molecule: it becomes `first` (−1: nothing), `extras` are born.

    If it undoes a meeting, `undoes` is that pair's number: the two are put apart, moved by `shares` of their distance.
    """

    r: int
    first: int
    extras: tuple[int, ...]
    undoes: int = -1
    shares: tuple[int, int] | None = None  # species whose diffusivities weigh the moves; None: the first one stays


class Change(NamedTuple):
    """Reaction r of a pair: its molecules become `left` and `right` (−1: nothing), `extras` are born.

    If `central`, what becomes of the left one is put at their centre of diffusion.
    """

    r: int
    left: int
    right: int
    extras: tuple[int, ...]
    central: bool


class Pair(NamedTuple):
    """Species that react when they meet, and the changes among which chance chooses."""

    left: int
    right: int
    changes: tuple[Change, ...]


class Scheme(NamedTuple):
    """All reactions."""

    births: tuple[Birth, ...]
    singles: tuple[tuple[int, tuple[Single, ...]], ...]  # by species
    pairs: tuple[Pair, ...]

    def oriented(self, numbers) -> Scheme:
        """The same, the rarer of each pair on the left: it looks for the other one."""
        return self._replace(pairs=tuple(p if numbers[p.left] <= numbers[p.right] else _turned(p) for p in self.pairs))


def scheme_of(parsed) -> Scheme:
    """Sort the reactions of rates.Parsed.

    Raises:
        ValueError: more than two molecules would have to meet.
    """
    sides = [_sides(met, change) for met, change in zip(parsed.orders, parsed.change, strict=True)]
    births, singles, pairs = [], {}, {}
    for r, (left, right) in enumerate(sides):
        if len(left) > 2:
            why, way_out = "three molecules never meet at one time", "Write it as two reactions, by way of a complex."
            met = " + ".join(parsed.species[s] for s in left)
            _checks.refuse("reaction", _checks.Verbatim(met), "at most two reactants", why, way_out)
        if not left:
            births.append(Birth(r, right))
        elif len(left) == 2:
            pairs.setdefault(left, []).append(_change(r, left, right))
    keys = list(pairs)
    for r, (left, right) in enumerate(sides):
        if len(left) == 1:
            undoes = keys.index(right) if right in pairs and (right, left) in sides else -1
            singles.setdefault(left[0], []).append(_single(r, left[0], right, undoes))
    made = tuple(Pair(*key, tuple(changes)) for key, changes in pairs.items())
    return Scheme(tuple(births), tuple((s, tuple(c)) for s, c in singles.items()), made)


def _sides(met, change):
    left = tuple(s for s, m in enumerate(met) for _ in range(m))
    return left, tuple(s for s, (m, c) in enumerate(zip(met, change, strict=True)) for _ in range(m + c))


def _single(r, s, right, undoes):
    rest = list(right)
    first = s if s in rest else rest[0] if rest else -1
    if rest:
        rest.remove(first)
    shares = None if undoes < 0 or s in right else (first, rest[0])
    return Single(r, first, tuple(rest), undoes, shares)


def _change(r, reactants, right):
    """Who takes part and is still there stays where it was; the first others take the places of those that are gone."""
    rest, places = list(right), []
    for s in reactants:
        places.append(s if s in rest else -1)
        if s in rest:
            rest.remove(s)
    central = len(right) == 1 and places == [-1, -1]
    for i in (0, 1):
        if places[i] < 0 and rest:
            places[i] = rest.pop(0)
    return Change(r, *places, tuple(rest), central)


def _turned(pair):
    def turn(c):
        return c._replace(left=c.left, right=-1) if c.central else c._replace(left=c.right, right=c.left)

    return Pair(pair.right, pair.left, tuple(turn(c) for c in pair.changes))
