"""Hops and reactions in turns: reaction–diffusion master equations of many cells."""

from __future__ import annotations

from dataclasses import dataclass, field

from diffsim.equation import Slot
from diffsim.steppers.base import Stepper
from diffsim.steppers.jump import SSA, Jumping


@dataclass(frozen=True)
class SplitHops(Jumping):
    """n₁ = R(h/2) P(h) R(h/2) n: reactions in each cell for h/2, hops for h, reactions for h/2. Weak order 2 in h.

    Hops are exact: each molecule moves to a cell drawn from e^{hL}, axis by axis, so numbers of many molecules are
    multinomial. Cells react independently meanwhile, each by `reactions`.

    Args:
        reactions: SSA(), or TauLeap(…) for many molecules in a cell.

    References:
        Strang (1968), doi:10.1137/0705041; Engblom, Hellander & Lötstedt (2017), doi:10.1007/978-3-319-62627-7_3.
    """

    reactions: Stepper = field(default_factory=SSA)

    takes = frozenset({Slot.JUMPS, Slot.HOPS})
    order = 2
    strides = False

    def step(self, law, t, h, y, memory, prepared, noise):
        """Half the reactions, the hops, half the reactions."""
        raise NotImplementedError
