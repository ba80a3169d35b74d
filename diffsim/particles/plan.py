"""Radii and chances of one step, found before anything is compiled."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.particles.cells import Cells
from diffsim.particles.contact import ball

OCTAVES, NODES = 2, 5  # of steps shorter than the longest, and points between which radii and chances are interpolated
ALMOST = 1 - 1e-6
COARSE, LIKELY = 0.3, 0.5  # √(2DΔt) in radii, and the chance, beyond which those born at one place part unseen


class Odds(NamedTuple):
    """What may happen in a step of given length.

    Attributes:
        pairs: (radius, chance) of each Pair of the scheme.
        alone: (chance, shares of its changes) of each species that reacts alone.
    """

    pairs: tuple
    alone: tuple


@dataclass(frozen=True)
class Plan:
    """Contacts at several lengths of a step, and the cells in which they are sought.

    Args:
        steps: log h, (m,), equally spaced; the last is the longest.
        radius: log ρ of each pair, (pairs, m).
        chance: log p of each pair, (pairs, m).
        cells: None without pairs.
        lower: corner of the region's bounding box, (d,).
        size: its lengths, (d,).
        births: places for what comes out of nothing in a step.
    """

    steps: Any
    radius: Any
    chance: Any
    cells: Cells | None
    lower: Any
    size: Any
    births: int = static()

    def at(self, law, h) -> Odds:
        """For one step; those shorter than all that were foreseen are right to first order."""
        u = tf.math.log(h) - _nest.to(self.steps[0], h.dtype)
        whole = _nest.to(self.steps[-1], h.dtype) - _nest.to(self.steps[0], h.dtype)
        at = tf.clip_by_value(u / whole, 0.0, 1.0) * (NODES - 1)
        weight = tf.maximum(1 - tf.abs(at - tf.range(NODES, dtype=h.dtype)), 0)
        less = tf.exp(tf.minimum(u, 0.0))
        both = tf.stack([_nest.to(a, h.dtype) for a in (self.radius, self.chance)])
        radii, chances = tf.unstack(tf.exp(tf.reduce_sum(both * weight, -1)))
        pairs = tuple(zip(tf.unstack(radii), tf.unstack(chances * less), strict=True)) if law.scheme.pairs else ()
        return Odds(pairs, tuple(self._alone(law, h, changes, pairs) for _, changes in law.scheme.singles))

    def busiest(self, law, kind) -> float:
        """How many partners the busiest species has in a step, at these densities: the mean over a box."""
        h, most = math.exp(self.steps[-1]), 0.0
        for m, pair in enumerate(law.scheme.pairs):
            reach = math.exp(self.chance[m, -1]) * ball(law.ndim, math.exp(self.radius[m, -1]))
            k = sum(float(law.k[c.r]) for c in pair.changes) / symmetry(pair)
            number = max(float((kind == s).sum(-1).max()) for s in (pair.left, pair.right))
            most = max(most, min(reach, k * h) * number / float(np.prod(self.size)))
        return most

    def twins(self, law) -> list:
        """(species, species, by how much steps are too long) of those born together that react before they part."""
        h, found = math.exp(self.steps[-1]), []
        born = [(c.first, *c.extras) for _, changes in law.scheme.singles for c in changes if c.undoes < 0]
        for m, pair in enumerate(law.scheme.pairs):
            both = any(len(s) > 1 and not Counter((pair.left, pair.right)) - Counter(s) for s in born)
            spread = math.sqrt(2 * (law.D[pair.left] + law.D[pair.right]) * h) / math.exp(self.radius[m, -1])
            if both and spread > COARSE and self.chance[m, -1] > math.log(LIKELY):
                found.append((law.species[pair.left], law.species[pair.right], math.ceil((spread / COARSE) ** 2)))
        return found

    @staticmethod
    def _alone(law, h, changes, pairs):
        """(chance, shares): those that undo a meeting are in balance with it, others are exponential."""
        hazards = []
        for c in changes:
            k = _nest.to(law.k[c.r], h.dtype)
            hazards.append(-tf.math.log1p(-apart(law, c, k, *pairs[c.undoes])) if c.undoes >= 0 else k * h)
        total = tf.add_n(hazards)
        return -tf.math.expm1(-total), [tf.math.divide_no_nan(z, total) for z in hazards]


def apart(law, change, k, radius, chance):
    """The chance that a pair comes apart: what binds, [A][B] p V, then balances what dissociates at [A][B] k₊/k₋."""
    pair = law.scheme.pairs[change.undoes]
    binding = sum(law.k[c.r] for c in pair.changes)
    volume = ball(law.ndim, 1.0) * radius**law.ndim
    return symmetry(pair) * chance * volume * k / binding


def symmetry(pair) -> float:
    """½ for two of one kind, of which there are n²/2 pairs."""
    return 0.5 if pair.left == pair.right else 1.0


def plan_for(law, h: float | None, capacity: int | None) -> Plan:
    """The plan for steps up to h.

    Raises:
        ValueError: pairs that come apart faster than they can meet; rates that cannot be.
    """
    h = 1.0 if h is None else h
    steps = math.log(h) + math.log(2.0) * np.linspace(-OCTAVES, 0, NODES)
    radius, chance = np.zeros((2, max(1, len(law.scheme.pairs)), NODES))
    for m, pair in enumerate(law.scheme.pairs):
        k = sum(float(law.k[c.r]) for c in pair.changes) / symmetry(pair)
        D = float(law.D[pair.left]) + float(law.D[pair.right])
        found = [law.kinetics.contact(law.ndim, k, D, math.exp(u)) if k > 0 else (1e-30, 1e-30) for u in steps]
        radius[m], chance[m] = np.log(np.array(found)).T
    for _, changes in law.scheme.singles:
        for c in changes:
            if c.undoes >= 0:
                _check_apart(law, c, *np.exp([radius[c.undoes, -1], chance[c.undoes, -1]]))
    cells = None
    if law.scheme.pairs:
        widest = float(np.exp(radius.max()))
        cells = Cells.over(*law.corners, widest, number=law.places, periodic=law.periodic, capacity=capacity)
    lower, upper = law.corners
    return Plan(steps, radius, chance, cells, lower, upper - lower, _births(law, h))


def _check_apart(law, change, radius, chance):
    if not sum(float(law.k[c.r]) for c in law.scheme.pairs[change.undoes].changes) > 0:
        why = "it undoes a meeting that never happens, and has no equilibrium with it"
        way_out = 'Leave the meeting out: "C -> A + B @ 1".'
        _checks.refuse(f"k of reaction {change.r}", float(law.k[change.r]), "a meeting of rate > 0", why, way_out)
    q = float(apart(law, change, float(law.k[change.r]), radius, chance))
    if not q < ALMOST:
        shown = _checks.Verbatim(f"{float(law.k[change.r]):g}, with which {q:.3g} of 1 would come apart in a step")
        why = "a pair cannot come apart more than once in a step, and balance fixes how often it does"
        way_out = "Use a shorter dt, or Doi(radius) with a larger radius, where diffusion limits less."
        _checks.refuse(f"k of reaction {change.r}", shown, "less than 1", why, way_out)


def _births(law, h):
    """So many that a Poisson number is above it with odds below 1e-20."""
    if not law.scheme.births:
        return 0
    mean = sum(float(law.k[b.r]) for b in law.scheme.births) * float(np.prod(np.subtract(*law.corners[::-1]))) * h
    return math.ceil(mean + 10 * math.sqrt(mean) + 25)
