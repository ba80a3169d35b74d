"""Steppers around other steppers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diffsim import _checks
from diffsim.steppers.base import Stepper


@dataclass(frozen=True)
class Wrapper(Stepper):
    """Declares, binds, prepares and remembers what the stepper inside does.

    Args:
        stepper: takes the steps.
    """

    stepper: Stepper

    def __post_init__(self):
        _checks.instance("stepper", self.stepper, Stepper, why="it takes the steps", way_out="Use e.g. Heun().")

    @property
    def takes(self):
        """As the stepper inside."""
        return self.stepper.takes

    @property
    def order(self):
        """As the stepper inside."""
        return self.stepper.order

    @property
    def strong(self):
        """As the stepper inside."""
        return self.stepper.strong

    @property
    def weak(self):
        """As the stepper inside."""
        return self.stepper.weak

    @property
    def calculus(self):
        """As the stepper inside."""
        return self.stepper.calculus

    @property
    def reach(self):
        """As the stepper inside."""
        return self.stepper.reach

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

    def check_start(self, law, y):
        """As the stepper inside."""
        self.stepper.check_start(law, y)

    def prepare(self, law, h):
        """As the stepper inside."""
        return self.stepper.prepare(law, h)

    def init(self, law, t, y):
        """As the stepper inside."""
        return self.stepper.init(law, t, y)

    def turned(self, law, t, y, memory):
        """As the stepper inside."""
        return self.stepper.turned(law, t, y, memory)

    def fate(self, memory):
        """As the stepper inside."""
        return self.stepper.fate(memory)
