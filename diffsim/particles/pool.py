"""Molecules of a fixed number of places, some of them empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim._tree import static
from diffsim.names import Named


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


@dataclass(frozen=True)
class Count:
    """Nₛ(t), how many molecules of each species there are.

    Args:
        species: names.
    """

    species: tuple[str, ...] = static()

    @property
    def names(self) -> tuple[Named, ...]:
        """Of what is counted."""
        return (Named("n", columns=self.species),)

    def __call__(self, t, y: Pool):
        """(..., S), in the precision of the positions."""
        return tf.stack([tf.reduce_sum(tf.cast(y.of(s), y.x.dtype), -1) for s in range(len(self.species))], -1)
