"""Steps that end on a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from diffsim import _checks, _nest
from diffsim.steppers.base import Step, Stepper


@dataclass(frozen=True)
class Onto(Stepper):
    """Each step of another stepper, followed by a projection: motion on a sphere, or anywhere else that is curved.

    The law itself keeps to the surface (its noise is tangential, in Stratonovich's sense); the projection removes the
    error of the step across it and does not lower the order.

    Args:
        stepper: takes the steps.
        project: y → the point of the surface next to y.

    References:
        Hairer, Lubich & Wanner (2006), doi:10.1007/3-540-30666-8, IV.4.
    """

    stepper: Stepper
    project: Callable

    def __post_init__(self):
        _checks.instance("stepper", self.stepper, Stepper, why="it takes the steps", way_out="Use e.g. Heun().")
        if not callable(self.project):
            why = "it brings a state back to the surface"
            _checks.refuse("project", self.project, "a function y → y", why, "Pass a function.", TypeError)

    @property
    def takes(self):
        """As the stepper inside."""
        return self.stepper.takes

    @property
    def order(self):
        """As the stepper inside."""
        return self.stepper.order

    @property
    def calculus(self):
        """As the stepper inside."""
        return self.stepper.calculus

    @property
    def adaptive(self):
        """As the stepper inside."""
        return self.stepper.adaptive

    def error_order(self, law):
        """As the stepper inside."""
        return self.stepper.error_order(law)

    def bind(self, law, h):
        """Bind the stepper inside."""
        stepper, law = self.stepper.bind(law, h)
        return replace(self, stepper=stepper), law

    def prepare(self, law, h):
        """As the stepper inside."""
        return self.stepper.prepare(law, h)

    def init(self, law, t, y):
        """As the stepper inside."""
        return self.stepper.init(law, t, y)

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step, then the projection."""
        step = self.stepper.step(law, t, h, y, memory, prepared, noise)
        projected = self.project(step.y)
        return Step(_nest.pack(y, _nest.flatten(projected)), step.error, step.memory)
