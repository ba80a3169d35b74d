"""Steppers around other steppers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

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
        check_inside("stepper", self.stepper, type(self).__name__)

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

    @property
    def strides(self):
        """As the stepper inside."""
        return self.stepper.strides

    @property
    def on_path(self):
        """As the stepper inside."""
        return self.stepper.on_path

    @property
    def drift_reach(self):
        """As the stepper inside."""
        return self.stepper.drift_reach

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

    def check_plan(self, plan):
        """As the stepper inside."""
        self.stepper.check_plan(plan)

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


def check_inside(what, stepper, owner):
    """Refuse to go around a stepper that has to be the outermost one."""
    if stepper.outermost:
        name = type(stepper).__name__
        shown, expected = _checks.Verbatim(f"{name}(…)"), "a stepper that is not watched yet"
        why = f"{name} looks when all others have acted, and what is around it would lose what it has seen"
        way_out = f"Write {name}({owner}(…), {{…}})." if owner != name else "Put all observers into one dict."
        _checks.refuse(what, shown, expected, why, way_out, TypeError)


def loses(stepper, law, y) -> bool:
    """Whether the stepper knows of particles that walls have taken; `law` and stepper are bound, y is a first state."""
    if not isinstance(stepper, Wrapper):
        return False
    fate = stepper.fate(stepper.init(law.prepare(y), tf.zeros([], tf.float64), y))
    return fate is not None and fate.alive is not None
