"""Reactions of molecules with walls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diffsim import _checks, rates
from diffsim._tree import static


@dataclass(frozen=True)
class WallReactions:
    """What a wall does to each species; made by `Surface.among`.

    Args:
        kappa: one κ for each reaction.
        port: a Shape; None is the whole wall.
        products: (species, what it becomes or −1) of each reaction.
    """

    kappa: tuple
    port: Any
    products: tuple[tuple[int, int], ...] = static()

    def rates(self, species: int) -> list:
        """κ of each species."""
        kappa = [0.0] * species
        for (s, _), value in zip(self.products, self.kappa, strict=True):
            kappa[s] = value
        return kappa


class Surface:
    """D ∂ₙc = κc, n inwards: species react with a wall, at the right rate for any step.

    ``Surface("A -> 0 @ 0.5")`` adsorbs, ``Surface("S -> P @ 2", port=Ball(…))`` converts on the part of the wall inside
    a shape. A very large κ absorbs all that arrives.

    Args:
        *texts: reactions of one molecule that leave at most one; constants are κ ≥ 0 [length / time].
        port: a Shape; None is the whole wall.

    Raises:
        ValueError: text that is not of this form.
    """

    def __init__(self, *texts: str, port=None):
        for text in texts:
            read = rates.parse((text,))
            single = len(read.k) == 1 and sum(read.orders[0]) == 1 and sum(read.change[0]) <= 0
            if not single:
                why, way_out = "a wall meets molecules one by one", 'Write "A -> 0 @ κ" or "A -> B @ κ".'
                _checks.refuse("surface", text, "one molecule that becomes one or none", why, way_out)
        self.texts, self.port = texts, port

    def among(self, species) -> WallReactions:
        """The same, for species in this order."""
        read, products = rates.parse(self.texts, species), []
        for met, change in zip(read.orders, read.change, strict=True):
            after = [m + c for m, c in zip(met, change, strict=True)]
            products.append((met.index(1), after.index(1) if 1 in after else -1))
        reacting = [s for s, _ in products]
        for s in reacting:
            if reacting.count(s) > 1:
                why, way_out = "its rate there is one number", "Leave one of them."
                _checks.refuse("surface", self.texts, f"one reaction of {species[s]}", why, way_out)
        return WallReactions(read.k, self.port, tuple(products))
