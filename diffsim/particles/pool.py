"""Molecules of a fixed number of places, some of them empty."""

from __future__ import annotations

from typing import Any, NamedTuple


class Pool(NamedTuple):
    """The state of molecules that come and go: n places in each of any number of boxes.

    Attributes:
        x: positions, (..., n, d); an empty place keeps the position of who was there last.
        kind: number of the species, (..., n), whole numbers in the precision of x; −1 is an empty place.
    """

    x: Any
    kind: Any

    @property
    def alive(self):
        """Whether there is a molecule, bool, (..., n)."""
        return self.kind >= 0

    def of(self, kind: int):
        """Whether there is one of this kind, bool, (..., n)."""
        return self.kind == kind
