"""Work and heat along single paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import refuse
from diffsim.analysis.currents import between
from diffsim.calculus import Stratonovich
from diffsim.equation import abstract
from diffsim.steppers.observed import Observer, part, vectors


class Energies(NamedTuple):
    """The first law, path by path: change = work + heat, to round-off [energy].

    Attributes:
        work: (N,) done on each particle.
        heat: (N,) taken up from the bath.
        change: (N,) of its energy.
    """

    work: np.ndarray
    heat: np.ndarray
    change: np.ndarray

    @property
    def imbalance(self) -> np.ndarray:
        """change − work − heat."""
        return self.change - self.work - self.heat


@dataclass(frozen=True)
class Work(Observer):
    """W = ∫ ∂V/∂t dt + ∫ f ∘ dx and Q = ∫ (∇V − f) ∘ dx: Sekimoto's work and heat of each particle.

    Over a step from (t₀, x₀) to (t₁, x₁): W = ½[V(t₁, x₀) − V(t₀, x₀) + V(t₁, x₁) − V(t₀, x₁)] + ½(f₀ + f₁)·Δx, and
    Q likewise with t and x exchanged: the energy closes whatever the step, for any V, and both are of second order.
    A change that is sudden wants a step as short (t as a mesh), since V is taken at the ends of steps.

    Args:
        V: V(t, x) → one energy for each particle [energy]; what depends on t is the protocol.
        force: None, or f(t, x) → like x, a force that has no potential [energy / length].
        mass: None, or m of laws of (x, v), whose energy is V + mv²/2.
        of: of(t, y) → positions (..., d); None for the first part of the state.

    References:
        Sekimoto (1998), doi:10.1143/PTPS.130.17; Jarzynski (1997), doi:10.1103/PhysRevLett.78.2690.
    """

    V: Callable
    force: Callable | None = None
    mass: float | None = None
    of: Callable | None = None

    def __post_init__(self):
        if not callable(self.V):
            refuse("V", self.V, "a function V(t, x)", "work is done by changing it", "Pass the potential.", TypeError)
        if self.force is not None and not callable(self.force):
            refuse("force", self.force, "a function f(t, x), or None", "it acts along the path", "Pass one.", TypeError)
        if self.mass is not None:
            mass = _checks.number("mass", self.mass, above=0.0, why="it makes kinetic energy")
            object.__setattr__(self, "mass", mass)

    def check(self, y):
        """Refuse potentials that are not one energy for each particle."""
        shape = vectors(self.of, y, axes=1)
        value = abstract("V", lambda t, y: tf.convert_to_tensor(self.V(t, part(self.of, t, y))), y)
        if tuple(value.shape) != shape[:-1]:
            why, way_out = "each particle has its own work", "Sum over the last axis: tf.reduce_sum(…, -1)."
            refuse("V", value, f"energies of shape {shape[:-1]}", why, way_out)
        if self.mass is not None:
            vectors(None, y, 1, axes=1)

    def _kinetic(self, y):
        if self.mass is None:
            return 0.0
        v = tf.cast(part(None, None, y, 1), tf.float64)
        return 0.5 * _nest.to(self.mass, tf.float64) * tf.reduce_sum(v * v, -1)

    def _energy(self, t, x):
        return tf.cast(self.V(_nest.to(t, x.dtype), x), tf.float64)

    def start(self, t, y):
        """No work yet."""
        x = part(self.of, t, y)
        E = self._energy(t, x)
        none = tf.zeros_like(E)
        kinetic = none + self._kinetic(y)
        return t, x, E, kinetic, E + kinetic, none, none

    def see(self, seen, t, y):
        """The work and heat of one step."""
        before, past, E0, kinetic, first, work, heat = seen
        x = part(self.of, t, y)
        lifted, moved, E1, now = self._energy(t, past), self._energy(before, x), self._energy(t, x), self._kinetic(y)
        push = 0.0
        if self.force is not None:
            f = between(self.force, Stratonovich.point, before, past, t, x)
            push = tf.cast(tf.reduce_sum(f * (x - past), -1), tf.float64)
        now += tf.zeros_like(E1)
        work += 0.5 * (lifted - E0 + E1 - moved) + push
        heat += 0.5 * (moved - E0 + E1 - lifted) - push + (now - kinetic)
        return t, x, E1, now, first, work, heat

    def result(self, seen) -> Energies:
        """Work, heat and change of energy of each particle."""
        _, _, E, kinetic, first, work, heat = seen
        return Energies(np.ravel(work), np.ravel(heat), np.ravel(E + kinetic - first))
