"""Splitting: diffusion exactly in its eigenbasis, the reaction by any stepper of its own, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.explicit import RK4
from diffsim.steppers.exponential import Exponential


@dataclass(frozen=True)
class Strang(Exponential):
    """Y₁ = R(h/2) e^{hA} R(h/2) Y, with R the flow of ∂ₜy = f(t, y): order 2.

    Balanced, the part q = f(t, Y) moves from the reaction to diffusion for the length of the step: ∂ₜy = A y + b + q
    and ∂ₜy = f(t, y) − q. Steady states of the law are then steady states of the method, and the order does not
    suffer at walls where f is not zero. Unbalanced, a step composed of positive flows is positive. Walls may change
    with time: b is taken as linear over a step.

    Args:
        reaction: a stepper for laws that have a drift only, of order 2 at least.
        substeps: how many of its steps go into h/2.
        balanced: whether q = f(t, Y), else q = 0.

    Raises:
        TypeError, ValueError: a reaction stepper that takes no drift, or is of order 1.

    References:
        Strang (1968), doi:10.1137/0705041; Speth, Green, MacNamara & Strang (2013), doi:10.1137/120878641;
        Einkemmer & Ostermann (2015), doi:10.1137/140994204.
    """

    reaction: Stepper = field(default_factory=RK4)
    substeps: int = static(default=1)
    balanced: bool = static(default=True)

    order = 2

    def __post_init__(self):
        _checks.instance(
            "reaction", self.reaction, Stepper, why="it moves the reaction", way_out="Pass e.g. RK4() or TRBDF2()."
        )
        if Slot.DRIFT not in self.reaction.takes or self.reaction.order < 2 or isinstance(self.reaction, Exponential):
            _checks.refuse(
                "reaction",
                self.reaction,
                "a stepper for laws with drift only, of order ≥ 2",
                "it moves ∂ₜy = f(t, y), and the whole is no better than its parts",
                "Pass RK4() or Heun(), for stiff reactions TRBDF2().",
            )
        _checks.integer("substeps", self.substeps, least=1, why="they divide half a step")

    def bind(self, law, h):
        """Diagonalise the linear part; refuse a law without reaction."""
        if law.drift is None:
            self.check_slots(law)
            _checks.refuse(
                "law",
                _checks.Verbatim("no drift"),
                "Equation(linear=…, drift=…)",
                "there is nothing to split",
                "Use ETD1(), which is exact for linear laws with constant walls, or ETDRK2().",
            )
        return super().bind(law, h)

    def prepare(self, law, h):
        """e^{hA}, φ₁, φ₂."""
        return tuple(law.linear.multiplier(k, h) for k in range(3))

    def step(self, law, t, h, y, memory, prepared, noise):
        """React, diffuse, react."""
        q = law.drift(_nest.to(t, _nest.real_dtype(y)), y) if self.balanced else None
        middle, end = t + 0.5 * tf.cast(h, tf.float64), t + tf.cast(h, tf.float64)
        y = self._react(law, q, t, h, y)
        y = _diffuse(law.linear, q, t, end, h, y, prepared)
        return Step(self._react(law, q, middle, h, y), None, ())

    def _react(self, law, q, t, h, y):
        """The flow of f − q over h/2."""
        part = h / (2 * self.substeps)
        only = replace(law, linear=None, drift=law.drift if q is None else _less(law.drift, q))
        prepared = self.reaction.prepare(only, part)
        for i in range(self.substeps):
            at = t + i * tf.cast(part, tf.float64)
            y = self.reaction.step(only, at, part, y, self.reaction.init(only, at, y), prepared, None).y
        return y


def _less(drift, q):
    return lambda t, y: _nest.sub(drift(t, y), q)


def _diffuse(A, q, t, end, h, y, prepared):
    """The flow of A y + b(t) + q over h, with b linear in between."""
    e, phi1, phi2 = prepared
    c = e(A.forward(y))
    b = A.source(t, y)
    constant = q if b is None else b if q is None else _nest.add(b, q)
    if constant is not None:
        c = _nest.add(c, _nest.scale(h, phi1(A.forward(constant))))
    if b is not None:
        c = _nest.add(c, _nest.scale(h, phi2(A.forward(_nest.sub(A.source(end, y), b)))))
    return A.inverse(c)
