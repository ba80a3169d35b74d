"""One stepper until a time, another from then on; and one without its noise, for a last step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from diffsim import _checks, _tree
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.wrap import Wrapper


@dataclass(frozen=True)
class Relay(Stepper):
    """`first` takes the steps that begin before the time `at`, `then` those that begin at it or later.

    Near a singularity of the law a method that evaluates it at the end of a step hands over to one that does not.

    Args:
        first: takes the first steps.
        then: takes the last ones; a method without memory.
        at: the time.
    """

    first: Stepper
    then: Stepper
    at: Any

    def __post_init__(self):
        for name in ("first", "then"):
            one = _checks.instance(name, getattr(self, name), Stepper, why="it takes steps", way_out="Use e.g. Heun().")
            while isinstance(one, Wrapper):
                if type(one).fate is not Wrapper.fate:
                    why = "what it knows of the path, such as lost particles, would not be handed over"
                    way_out = f"Write {type(one).__name__}(Relay(…), …)."
                    _checks.refuse(name, one, "a stepper without walls and observers", why, way_out, TypeError)
                one = one.stepper
        _checks.number("at", self.at, why="it is the time of the handover")

    @property
    def takes(self):
        """What both take."""
        return self.first.takes & self.then.takes

    @property
    def order(self):
        """That of the first: the second takes few steps."""
        return self.first.order

    def bind(self, law, h):
        """Bind both to one form of the law."""
        self.check_slots(law)
        first, bound = self.first.bind(law, h)
        then, other = self.then.bind(bound, h)
        if _tree.flatten(bound)[1] != _tree.flatten(other)[1]:
            _checks.refuse(
                "then",
                self.then,
                "a stepper that takes the law in the form of the first",
                "they share one law",
                "Use two of a kind, e.g. Heun() and Euler().",
                TypeError,
            )
        return replace(self, first=first, then=then), bound

    def prepare(self, law, h):
        """What both prepare."""
        return self.first.prepare(law, h), self.then.prepare(law, h)

    def init(self, law, t, y):
        """The memory of the first."""
        return self.first.init(law, t, y)

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step of the one whose turn it is."""
        late = (t - tf.cast(self.at, tf.float64)) * tf.cast(tf.sign(h), tf.float64) >= 0

        def early():
            new = self.first.step(law, t, h, y, memory, prepared[0], noise)
            return new.y, new.memory

        def last():
            new = self.then.step(law, t, h, y, self.then.init(law, t, y), prepared[1], noise)
            return new.y, memory

        new = tf.cond(late, last, early)
        return Step(new[0], None, new[1])


@dataclass(frozen=True)
class Mean(Wrapper):
    """The stepper without the noise: where that is additive, the mean of a step."""

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        return self.stepper.step(law, t, h, y, memory, prepared, None)
