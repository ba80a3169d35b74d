"""Steps that end on a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diffsim import _checks, _nest
from diffsim.steppers.base import Step
from diffsim.steppers.wrap import Wrapper


@dataclass(frozen=True)
class Onto(Wrapper):
    """Each step of another stepper, followed by a projection: motion on a sphere, or anywhere else that is curved.

    The law itself keeps to the surface (its noise is tangential, in Stratonovich's sense); the projection removes the
    error of the step across it and does not lower the order.

    Args:
        stepper: takes the steps.
        project: y → the point of the surface next to y.

    References:
        Hairer, Lubich & Wanner (2006), doi:10.1007/3-540-30666-8, IV.4.
    """

    project: Callable

    def __post_init__(self):
        super().__post_init__()
        if not callable(self.project):
            why = "it brings a state back to the surface"
            _checks.refuse("project", self.project, "a function y → y", why, "Pass a function.", TypeError)

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step, then the projection."""
        step = self.stepper.step(law, t, h, y, memory, prepared, noise)
        projected = self.project(step.y)
        return Step(_nest.pack(y, _nest.flatten(projected)), step.error, step.memory)
