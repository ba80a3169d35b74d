"""A law of motion for molecules that are counted: reactions fire at random, each at its propensity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, rates
from diffsim._tree import static
from diffsim.calculus import NoiseMap
from diffsim.equation import Equation, Slot, grid_of
from diffsim.jump_checks import check_hops, check_state
from diffsim.names import Named
from diffsim.noise.base import row
from diffsim.rates import Elementary


class Draws(NamedTuple):
    """What random numbers of a step are functions of."""

    key: Any
    n: Any  # the number of the step
    first: Any  # the state's first row within the whole ensemble


@dataclass(frozen=True)
class Jump:
    """P(reaction r fires in dt | n) = aᵣ(t, n) dt, and then n ↦ n + νᵣ: the process of the chemical master equation.

    ∂ₜP(n) = Σᵣ [aᵣ(n − νᵣ) P(n − νᵣ) − aᵣ(n) P(n)].

    The state holds whole numbers in float32 (exact to 2²⁴) or float64 (2⁵³): a tensor (…, S), leading axes being the
    ensemble; with `hops`, one tensor (…, *grid) for each species, as in `models.Reaction`.

    Args:
        stoichiometry: νᵣₛ, what each reaction adds to each species, integers (R, S).
        propensities: a(t, n) → (…, R) [1 / time], of n (…, S) and of a time for each n[..., 0]; Elementary(k, orders);
            or R constants, numbers or `Varying`, for mass action of what each reaction consumes.
        bound: for a function that depends on time: B(n) ≥ Σᵣ aᵣ(t, n) at all times, (…,), with `hops` in each cell.
            Candidates fire at the rate B and count with probability Σa/B (thinning). Without it a must not depend on
            t, unless constants are `Varying`, which know their bounds.
        species: names.
        first: number of the state's first row within the whole ensemble of which it is a batch.
        hops: an operator for each species, by which molecules hop between cells; None for species that stay.

    Raises:
        ValueError, TypeError: tables that do not match, constants that are negative. Propensities and states are
            looked at by `solve`, before it compiles; a rate that turns negative on the way ends the run with its time.

    References:
        Gillespie (1976), doi:10.1016/0021-9991(76)90041-3; Lewis & Shedler (1979), doi:10.1002/nav.3800260304.
    """

    stoichiometry: tuple[tuple[int, ...], ...] = static()
    propensities: Callable
    bound: Callable | None = None
    species: tuple[str, ...] | None = static(default=None)
    first: Any = 0
    hops: tuple | None = None

    linear: ClassVar = None  # a law of numbers has none of an Equation's slots
    drift: ClassVar = None

    def __post_init__(self):
        object.__setattr__(self, "stoichiometry", rates.whole("stoichiometry", self.stoichiometry))
        if not callable(self.propensities):
            consumed = tuple(tuple(max(0, -v) for v in change) for change in self.stoichiometry)
            object.__setattr__(self, "propensities", Elementary(self.propensities, consumed))
        self._check_elementary()
        if self.bound is not None and not callable(self.bound):
            why = "what a total rate cannot exceed depends on how many molecules there are"
            _checks.refuse("bound", self.bound, "a function B(n)", why, "Write lambda n: … .", TypeError)
        names = self.species or tuple(f"n{s}" for s in range(len(self.stoichiometry[0])))
        if len(names) != len(self.stoichiometry[0]):
            expected = f"{len(self.stoichiometry[0])} names"
            _checks.refuse("species", names, expected, "each column of the stoichiometry has one", "Name each.")
        if len(set(names)) < len(names):
            _checks.refuse("species", tuple(names), "different names", "they tell species apart", "Rename one.")
        object.__setattr__(self, "species", tuple(names))
        object.__setattr__(self, "first", row(self.first))
        check_hops(self)

    def _check_elementary(self):
        if not isinstance(self.propensities, Elementary):
            return
        orders = self.propensities.orders
        if np.shape(orders) != np.shape(self.stoichiometry):
            why = "both have a row for each reaction and a column for each species"
            shape = _checks.Verbatim(f"a table of {np.shape(orders)}")
            _checks.refuse("orders", shape, f"{np.shape(self.stoichiometry)}", why, "Give both for all species.")
        for r, (met, change) in enumerate(zip(orders, self.stoichiometry, strict=True)):
            if any(m + c < 0 for m, c in zip(met, change, strict=True)):
                way_out = "Let the orders be at least as large as what is consumed, or pass a function."
                why = "it would fire where there are too few"
                _checks.refuse(f"stoichiometry[{r}]", change, "no more consumed than meet", why, way_out)

    @classmethod
    def of(cls, *reactions: str, species=None, volume: float = 1.0, first=0, **constants) -> Jump:
        """aᵣ(n) = kᵣ Ω^{1−m} Πₛ nₛ(nₛ − 1)…, m molecules meeting: elementary reactions from text.

        ``Jump.of("A + B -> C @ 0.01", "0 -> A @ 1", "2 A <-> B @ 0.1, 1")``; 2A counts ordered meetings, see
        `Elementary`. Constants may have names: ``Jump.of("0 -> A @ k", "A -> 0 @ 1", k=3.0)``.

        Args:
            *reactions: reactants -> products @ k [volume^{m−1} / time]. 0, ∅ or nothing stands for nothing; <-> takes
                two constants.
            species: names in the order of the state; by default that of first appearance.
            volume: Ω > 0 [volume]; with 1 constants are those of numbers of molecules [1 / time].
            first: as for Jump.
            **constants: what names in the texts stand for: numbers, arrays, or `Varying` with time.

        Raises:
            ValueError: text that is not of this form, a species that is not among those given, a constant that is not
                used.
            TypeError: something else than text.

        References:
            Gillespie (1976), doi:10.1016/0021-9991(76)90041-3.
        """
        volume = _checks.number("volume", volume, above=0.0, why="molecules meet in it")
        read = rates.parse(reactions, species, constants)
        k = tuple(k * volume ** (1 - sum(met)) for k, met in zip(read.k, read.orders, strict=True))
        return cls(read.change, Elementary(k, read.orders), species=read.species, first=first)

    @property
    def elementary(self) -> bool:
        """Whether all propensities are mass action."""
        return isinstance(self.propensities, Elementary)

    @property
    def names(self) -> tuple[Named, ...]:
        """Of the tensors of the state: the species, each alone where they hop, else along the last axis."""
        return tuple(map(Named, self.species)) if self.hops is not None else (Named("n", columns=self.species),)

    @property
    def timed(self) -> bool:
        """Whether propensities depend on time, and events are thinned."""
        return self.bound is not None or (self.elementary and self.propensities.timed)

    @property
    def checked(self) -> bool:
        """Whether rates are looked at on the way: mass action with constants never goes negative."""
        return self.timed or not self.elementary

    @property
    def grid(self):
        """The grid on which molecules hop, or None."""
        return None if self.hops is None else next((g for op in self.hops if (g := grid_of(op)) is not None), None)

    # What `solve` asks of a law.

    def slots(self) -> frozenset[Slot]:
        """Reactions, and hops if there are any."""
        return frozenset({Slot.JUMPS} | ({Slot.HOPS} if self.hops is not None else set()))

    def of_state(self, y) -> Jump:
        """This law, having refused states and propensities that do not fit."""
        check_state(self, y)
        return self

    def prepare(self, y) -> Jump:
        """The law with all that does not change in a run computed once."""
        if self.hops is None:
            return self
        leaves = _nest.flatten(y)
        return replace(self, hops=tuple(op and op.prepare(a) for op, a in zip(self.hops, leaves, strict=True)))

    def over(self, key, n, t, h, y) -> Draws:
        """The random numbers of step n."""
        return Draws(key, n, self.first)

    # What steppers use.

    def split(self, y) -> list:
        """The numbers of each species, tensors of one shape."""
        return tf.unstack(y, axis=-1) if self.hops is None else _nest.flatten(y)

    def join(self, n, like):
        """The inverse of `split`."""
        return tf.stack(n, axis=-1) if self.hops is None else _nest.pack(like, n)

    def rates(self, t, n) -> list:
        """Propensities of each reaction, from the numbers of each species and a time for each."""
        if self.elementary:
            return self.propensities.of(n, t)
        return tf.unstack(self.propensities(t, tf.stack(n, axis=-1)), axis=-1)

    def most(self, n):
        """What the sum of `rates` never exceeds, of a law that is `timed`."""
        return self.propensities.most(n) if self.bound is None else self.bound(tf.stack(n, axis=-1))

    # Limits of many molecules.

    def rate_equation(self) -> Equation:
        """dn/dt = Σᵣ νᵣ aᵣ(t, n), Elementary reactions with nᵐ in place of n(n − 1)…: the limit of many molecules.

        Returns:
            An Equation for real states (…, S) in numbers of molecules.

        Raises:
            TypeError: a law with hops.

        References:
            Kurtz (1972), doi:10.1063/1.1678692.
        """
        return self._equation(None)

    def langevin(self) -> Equation:
        """dn = Σᵣ νᵣ [aᵣ dt + √aᵣ dWᵣ], Itô: the chemical Langevin equation.

        The S noises that the state offers are mixed by a root of Σᵣ aᵣ νᵣνᵣᵀ, which gives the same law as R noises.

        Numbers may fall below zero: an equation cannot stop there without a rule that it does not contain. Then
        propensities, in drift and noise alike, are max(a(t, max(n, 0)), 0): what is used up is consumed no more, and
        supply brings it back. For mass action of first order, means are those of the master equation to what is
        ever spent below zero; with few molecules use SSA.

        Returns:
            An Equation for real states (…, S) in numbers of molecules; time as in the propensities.

        Raises:
            TypeError: a law with hops.

        References:
            Gillespie (2000), doi:10.1063/1.481811.
        """
        return self._equation(NoiseMap(ChemicalNoise(self)))

    def _equation(self, diffusion):
        if self.hops is not None:
            why = "operators act on concentrations, and each species has its own"
            way_out = "Use model.on(grid, boundary) for the limit of many molecules."
            _checks.refuse("law", _checks.Verbatim("a Jump with hops"), "one without", why, way_out, TypeError)
        return Equation(drift=ReactionRates(self, diffusion is None), diffusion=diffusion, names=self.names)


@dataclass(frozen=True)
class ReactionRates:
    """Σᵣ νᵣ aᵣ(t, n)."""

    law: Jump
    many: bool = static(default=True)

    def __call__(self, t, n):
        """The rates of change of each species."""
        law, species = self.law, tf.unstack(n, axis=-1)
        if self.many and law.elementary:
            a = law.propensities.many(species, _each(t, species))
        else:
            a = law.rates(_each(t, species), species if self.many else [tf.nn.relu(s) for s in species])
            a = a if self.many else [tf.nn.relu(rate) for rate in a]
        return tf.linalg.matvec(tf.constant(np.transpose(law.stoichiometry), n.dtype), tf.stack(a, axis=-1))


@dataclass(frozen=True)
class ChemicalNoise:
    """C(t, n)·dW with CCᵀ = Σᵣ aᵣ νᵣνᵣᵀ, C lower triangular, its columns zero where nothing is left to explain."""

    law: Jump

    def __call__(self, t, n, dW):
        """The kick."""
        law, species = self.law, [tf.nn.relu(s) for s in tf.unstack(n, axis=-1)]
        a = [tf.nn.relu(rate) for rate in law.rates(_each(t, species), species)]
        S, nu = len(species), law.stoichiometry
        B = [[_sum(a, [row[i] * row[j] for row in nu]) for j in range(i + 1)] for i in range(S)]
        C, w = [], tf.unstack(dW, axis=-1)
        for i in range(S):
            C.append([])
            for j in range(i + 1):
                rest = B[i][j] - sum(C[i][k] * C[j][k] for k in range(j))
                if i > j:
                    C[i].append(tf.math.divide_no_nan(rest, C[j][j]))
                else:  # what is only rounding would be divided by
                    real = rest > 1e-5 * B[i][i] if n.dtype == tf.float32 else rest > 1e-12 * B[i][i]
                    C[i].append(tf.sqrt(tf.where(real, rest, tf.zeros_like(rest))))
        return tf.stack([sum(C[i][k] * w[k] for k in range(i + 1)) for i in range(S)], axis=-1)


def _sum(a, weights):
    terms = [float(w) * x for w, x in zip(weights, a, strict=True) if w]
    return tf.add_n(terms) if terms else tf.zeros_like(a[0])


def _each(t, n):
    return _nest.to(t, n[0].dtype) + tf.zeros_like(n[0])
