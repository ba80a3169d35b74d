"""One step of molecules in space: they diffuse, then react."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Slot
from diffsim.particles.births import placed
from diffsim.particles.changes import Now, alone, newborn, together
from diffsim.particles.moving import diffused
from diffsim.particles.plan import Plan, plan_for
from diffsim.particles.pool import Pool
from diffsim.steppers.base import Step, Stepper

CALM, FULL, CROWDED = 0, 1, 2
BUSY = 0.5  # reactions of a molecule in a step


class Fault(NamedTuple):
    """What has gone wrong, CALM if nothing, and how many molecules found no room."""

    kind: Any
    missing: Any


@dataclass(frozen=True)
class DiffuseReact(Stepper):
    """Molecules move by √(2DΔt) ξ, walls turn them back or react with them, then what is near enough reacts.

    Reactions of one molecule happen with 1 − e^{−kΔt}; pairs react with the radius and the chance for which their rate
    is right at this Δt; what is born is placed at random. A reaction that undoes a meeting puts the two apart at random
    within the radius of that meeting, with the chance by which both balance: so equilibrium constants hold at any Δt.
    All happens at once, to what is there at the end of the move; each molecule takes part in one reaction at most.

    The error in Δt is that of splitting: reactions in a row take at least a step each, and a molecule finds one partner
    in a step. So k c Δt ≪ 1, c being the density of partners; what begins beyond ½ is warned of. Two that are born
    together and react with each other, but whose birth undoes no meeting of theirs, begin at one place: they react at
    once with the odds of that place, 1 − 1/cosh(qR) of Doi's kinetics in space, seen only where √(2DΔt) ≪ R; longer
    steps are warned of where it matters. Random numbers are functions of key, step, and place in the pool.

    Args:
        capacity: of a cell, in which neighbours are sought; by default so many that molecules at random fit.

    References:
        Andrews & Bray (2004), doi:10.1088/1478-3975/1/3/001; Erban & Chapman (2009),
        doi:10.1088/1478-3975/6/4/046001; Fröhner & Noé (2018), doi:10.1021/acs.jpcb.8b06981, for detailed balance.
    """

    capacity: int | None = None
    plan: Plan | None = None

    takes: ClassVar = frozenset({Slot.JUMPS, Slot.PARTICLES})
    order: ClassVar = 1

    def bind(self, law, h):
        """Refuse other laws, and steps backwards; find the contacts."""
        if Slot.PARTICLES not in law.slots():
            why, way_out = "DiffuseReact moves molecules", "Use SSA(), TauLeap() or EulerMaruyama()."
            _checks.refuse("law", _checks.Verbatim(type(law).__name__), "Molecules", why, way_out, TypeError)
        if h is not None and h < 0:
            why = "what has reacted cannot be told from what it left"
            _checks.refuse("t", _checks.Verbatim("decreasing times"), "increasing ones", why, "Turn them round.")
        return replace(self, plan=plan_for(law, h, self.capacity)), law

    def check_start(self, law, y):
        """Warn of steps in which a molecule would react more than once."""
        if tf.is_symbolic_tensor(y.kind):
            return
        most = self.plan.busiest(law, y.kind.numpy())
        if most > BUSY:
            shorter = math.ceil(2 * most / BUSY)
            _checks.warn(f"In a step {most:.2g} partners react with one molecule, which takes one of them: rates will "
                         f"be too low. Use a dt {shorter} times as short.")
        for a, b, shorter in self.plan.twins(law):
            _checks.warn(f"{a} and {b} are born at one place and react with each other before they part, which such "
                         f"steps do not resolve. Use a dt {shorter} times as short, or let the birth undo a meeting.")

    def init(self, law, t, y):
        """Nothing is wrong."""
        return Fault(tf.constant(CALM), tf.constant(0))

    def complaint(self, law, memory):
        """What went wrong, as a message."""
        kind, missing = int(memory.kind), f"{int(memory.missing):,} places too few"
        if kind == FULL:
            why, way_out = "no molecule may be lost", "Go on from solution.final in a larger pool, or begin with one."
            received = _checks.Verbatim(f"a pool with {missing}")
            return _checks.message("capacity", received, "a place for each molecule", why, way_out)
        if kind == CROWDED:
            why, way_out = "pairs would be missed", "Use DiffuseReact(capacity=…), or look for what gathers them."
            received = _checks.Verbatim(f"cells with {missing}")
            return _checks.message("capacity", received, "room for all that are in a cell", why, way_out)
        return None

    def prepare(self, law, h):
        """What may happen in such a step."""
        return self.plan.at(law, h)

    def step(self, law, t, h, y, memory, prepared, noise):
        """Diffusion, then reactions."""
        moved = diffused(law, t, h, y, noise)
        lead, (n, d) = tuple(y.kind.shape), y.x.shape[-2:]
        boxes = math.prod(lead[:-1])
        now = Now.of(law, prepared, self.plan, h, noise, lead)
        pool = Pool(tf.reshape(moved.x, [boxes, n, d]), tf.reshape(moved.kind, [boxes, n]))
        pool, born, busy = alone(now, pool)
        pool, others, left = together(now, pool, busy)
        born, missing = [*born, *others, *newborn(now, pool)], tf.constant(0)
        if born:
            pool, missing = placed(pool, born)
        calm = tf.equal(memory.kind, CALM)  # else it has gone wrong before, and what follows is not the cause
        kind = tf.where(calm, tf.where(left > 0, CROWDED, tf.where(missing > 0, FULL, CALM)), memory.kind)
        x = tf.where(kind > CALM, _nest.to(math.nan, y.x.dtype), tf.reshape(pool.x, y.x.shape))
        memory = Fault(kind, tf.where(calm, tf.maximum(left, missing), memory.missing))
        return Step(Pool(x, tf.reshape(pool.kind, lead)), None, memory)
