"""Steppers for laws with noise."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Ito, Slot
from diffsim.steppers.base import Step, Stepper


@dataclass(frozen=True)
class EulerMaruyama(Stepper):
    """Y₁ = Y + h·rate(t, Y) + g(t, Y)·ΔN, for Itô laws: strong order ½ (1 for additive noise), weak order 1.

    References:
        Maruyama (1955), doi:10.1007/BF02846028.
    """

    takes = frozenset({Slot.LINEAR, Slot.DRIFT, Slot.DIFFUSION})
    order, reach = 1, 2.0

    def bind(self, law, h):
        """Refuse laws of another calculus."""
        if callable(law.diffusion) and not isinstance(law.calculus, Ito):
            _checks.refuse(
                "calculus",
                law.calculus,
                "Ito()",
                "EulerMaruyama evaluates g at the beginning of each step",
                "Add the drift that converts the law to Itô form.",
                TypeError,
            )
        return super().bind(law, h)

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        new = _nest.axpy(h, law.rate(t, y), y)
        if noise is not None:
            new = _nest.add(new, _nest.map(tf.multiply, law.amplitude(t, y), noise()))
        return Step(new, None, ())
