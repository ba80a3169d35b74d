"""Mass action: each reaction fires in proportion to the product of what it consumes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _nest
from diffsim._tree import static
from diffsim.models.reaction import Reaction
from diffsim.rates import Varying


@dataclass(frozen=True)
class Channel:
    """Fires at the rate k Π yₛ^orderₛ per volume and changes the numbers of molecules by `change`.

    Args:
        k: rate constant, in the units of the model, or `Varying` with time.
        orders: how many molecules of each species meet, in the order of `species`.
        change: how many more there are of each afterwards.
    """

    k: object
    orders: tuple[int, ...] = static()
    change: tuple[int, ...] = static()


class MassAction(Reaction):
    """A model whose rates are those of elementary reactions: also a law for single molecules.

    A volume Ω holds Nₛ = Ω·unitₛ·yₛ molecules; then channel r fires Ω·k_r Π yₛ^order times per time, and
    fₛ = Σ_r change_rs · k_r Π y^order / unitₛ.
    """

    @property
    @abstractmethod
    def reactions(self) -> tuple[Channel, ...]:
        """The channels, with non-negative rate constants."""

    @property
    def units(self) -> tuple:
        """unitₛ: the amount for which yₛ = 1 stands, 1 unless species are scaled differently."""
        return (1.0,) * len(self.species)

    @property
    def stoichiometry(self) -> np.ndarray:
        """Net changes, integers [species, reactions]."""
        return np.array([r.change for r in self.reactions]).T

    def mass_action(self, y, t=0.0):
        """The rates as the reactions give them, Σ_r change_rs k_r(t) Π y^order / unitₛ: equal to `rates`."""
        leaves = _nest.flatten(y)
        total = [tf.zeros_like(leaf) for leaf in leaves]
        for channel in self.reactions:
            k, dtype = channel.k, leaves[0].dtype
            pace = k.at(t, dtype) if isinstance(k, Varying) else _nest.to(k, dtype)
            for leaf, order in zip(leaves, channel.orders, strict=True):
                for _ in range(order):
                    pace = pace * leaf
            total = [f + n * pace if n else f for f, n in zip(total, channel.change, strict=True)]
        return _nest.pack(y, [f / _nest.to(w, f.dtype) for f, w in zip(total, self.units, strict=True)])
