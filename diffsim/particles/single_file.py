"""Particles in a channel in which nobody overtakes."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.steppers.base import Step
from diffsim.steppers.wrap import Wrapper


@dataclass(frozen=True)
class SingleFile(Wrapper):
    """Rods of length σ on a line, that push and do not pass each other: x₀ + σ ≤ x₁, x₁ + σ ≤ x₂, ….

    Exact for free particles, at any step: zₖ = xₖ − kσ are points, points that collide exchange velocities or, for
    Brownian ones, names, so the k-th from the left after a step of free points is the k-th rod. The state, (…, n) or
    (…, n, 1), stays in order.

    Args:
        stepper: takes the steps of independent particles of equal D, without forces between them.
        size: σ ≥ 0 [length].

    References:
        Jepsen (1965), doi:10.1063/1.1704288; Harris (1965), doi:10.2307/3212197.
    """

    size: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "size", _checks.number("size", self.size, least=0.0, why="it is the length of a rod"))

    def check_start(self, law, y):
        """Refuse states that are no line, and particles out of order."""
        super().check_start(law, y)
        if tf.is_tensor(y) and y.shape.rank and not tf.is_symbolic_tensor(y):
            z = self._points(y, -1)
            axis = self._axis(y)
            if bool(tf.reduce_all(tf.experimental.numpy.diff(z, axis=axis) >= 0)):
                return
        elif tf.is_symbolic_tensor(y):
            return
        why = "nobody passes, and rods do not overlap"
        _checks.refuse("y0", y, "one tensor of increasing positions", why, "Sort them: tf.sort(x0, axis).")

    @staticmethod
    def _axis(x):
        return -2 if x.shape.rank > 1 and x.shape[-1] == 1 else -1

    def _points(self, x, sign):
        """x ∓ kσ."""
        n = x.shape[self._axis(x)]
        k = tf.range(n, dtype=x.dtype)
        k = k[:, None] if self._axis(x) == -2 else k
        return x + sign * _nest.to(self.size, x.dtype) * k

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step of points, in order again."""
        step = self.stepper.step(law, t, h, self._points(y, -1), memory, prepared, noise)
        moved = tf.sort(step.y, axis=self._axis(y))
        return Step(self._points(moved, 1), step.error, step.memory)
