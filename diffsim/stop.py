"""Conditions that end a run before its final time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.solution import Status


class Stop(ABC):
    """Checked inside the loop: after every `every`-th step of given length, or after each adapted step.

    With steps of given length a run ends at the end of a step. Adapted steps are halved to find the time itself.
    """

    every: int
    status: Status

    def met(self, law, stepper, carry):
        """Whether it is reached after a step, by what the loop carries."""
        return self.reached(law, carry.t, carry.y)

    @abstractmethod
    def reached(self, law, t, y):
        """A scalar bool tensor."""


@dataclass(frozen=True)
class Steady(Stop):
    """Stops when the root mean square of dY/dt falls to `rate`.

    Args:
        rate: tolerance > 0 [unit of the state / time].
        every: steps of given length between checks; each costs one evaluation of the law.
    """

    rate: float
    every: int = static(default=10)
    status = Status.STEADY

    def __post_init__(self):
        _checks.number("rate", self.rate, above=0.0, why="rounding keeps a rate from being zero")
        _checks.integer("every", self.every, least=1, why="it counts steps")

    def reached(self, law, t, y):
        """RMS(A y + b + f) ≤ rate."""
        r = law.rate(t, y)
        count = sum(leaf.shape.num_elements() for leaf in _nest.flatten(r))
        size = tf.sqrt(_nest.dot(r, r) / count)
        return size <= _nest.to(self.rate, size.dtype)


@dataclass(frozen=True)
class When(Stop):
    """Stops when predicate(t, y) holds.

    Args:
        predicate: function of time and state → scalar bool tensor, compiled into the loop.
        every: steps of given length between checks.
    """

    predicate: Callable
    every: int = static(default=1)
    status = Status.STOPPED

    def __post_init__(self):
        if not callable(self.predicate):
            _checks.refuse(
                "predicate",
                self.predicate,
                "a function of (t, y)",
                "it is asked after each step",
                "Return a scalar bool tensor.",
                TypeError,
            )
        _checks.integer("every", self.every, least=1, why="it counts steps")

    def reached(self, law, t, y):
        """predicate(t, y)."""
        return tf.convert_to_tensor(self.predicate(_nest.to(t, _nest.real_dtype(y)), y))


@dataclass(frozen=True)
class Extinct(Stop):
    """Stops when walls have absorbed all particles.

    Args:
        every: steps between checks.
    """

    every: int = static(default=10)
    status = Status.STOPPED

    def __post_init__(self):
        _checks.integer("every", self.every, least=1, why="it counts steps")

    def met(self, law, stepper, carry):
        """No one is alive; without absorbing walls that is never so."""
        fate = stepper.fate(carry.memory)
        return tf.constant(False) if fate is None or fate.alive is None else ~tf.reduce_any(fate.alive)

    def reached(self, law, t, y):
        """Not known from the state."""
        return tf.constant(False)


@dataclass(frozen=True)
class WallClock:
    """Stops after `seconds` of computing; what has been reached is returned and can be resumed.

    Args:
        seconds: > 0; checked between calls of the compiled loop, about once a second.
    """

    seconds: float = static()

    def __post_init__(self):
        _checks.number("seconds", self.seconds, above=0.0, why="a run takes time")
