"""Multistep methods with the weights of equal steps, on meshes whose steps differ: pseudo linear multistep methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import _nest
from diffsim._tree import static
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.interpolation import Past, chosen, weighted

_WEIGHTS = ((1.0,), (1.5, -0.5), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))


class Start(NamedTuple):
    """What a Runge–Kutta step over two intervals remembers between them."""

    past: Past
    y: Any
    rate: Any
    t: Any


@dataclass(frozen=True)
class PLMS(Stepper):
    """Y₁ = Y + h Σ bⱼ·rate₋ⱼ with Adams and Bashforth's weights of equal steps, up to four of them, on any mesh.

    On equal steps, and on meshes that are smooth functions of the step's number up to order 2, it is a method of its
    own; on others use `AdamsBashforth`. The start is Heun's step (two evaluations) and orders 2 and 3, so that errors
    are of order h³ in the end; or with `pairs` > 0 classical Runge–Kutta steps of order 4, each over two intervals of
    the mesh with the midpoint between them (four evaluations). In σ/α these are the samplers PLMS and PNDM.

    Args:
        pairs: how many Runge–Kutta steps make the start; 3 keep order 4.

    References:
        Liu et al. (2022), arXiv:2202.09778.
    """

    pairs: int = static(default=0)

    takes = frozenset({Slot.LINEAR, Slot.DRIFT})
    order, reach = 4, 0.3

    def init(self, law, t, y):
        """No earlier rates."""
        return Start(Past.empty(y, t, 3), y, _nest.zeros(y), tf.cast(t, tf.float64))

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step of the start, or of Adams and Bashforth's method."""
        rate, count = law.rate(t, y), memory.past.count

        def plain():
            return self._adams(law, t, h, y, memory, rate)

        if not self.pairs:
            new = tf.cond(tf.equal(count, 0), lambda: self._heun(law, t, h, y, memory, rate), plain)
        else:
            new = tf.cond(count < 2 * self.pairs, lambda: self._pair(law, t, h, y, memory, rate), plain)
        return Step(new[0], None, new[1])

    def _adams(self, law, t, h, y, memory, rate):
        known = memory.past.count - self.pairs  # of a pair one rate is kept
        order = tf.minimum(known + 1, 4)
        tables = [tf.constant([row], tf.float64) for row in _WEIGHTS]
        slope = weighted(chosen(order, tables, 4)[0], (rate, *memory.past.values))
        return _nest.axpy(h, slope, y), memory._replace(past=memory.past.push(rate, t))

    def _heun(self, law, t, h, y, memory, rate):
        ahead = law.rate(t + tf.cast(h, tf.float64), _nest.axpy(h, rate, y))
        new = _nest.combine(y, [h / 2, h / 2], [rate, ahead])
        return new, memory._replace(past=memory.past.push(rate, t))

    def _pair(self, law, t, h, y, memory, rate):
        def half():
            past = memory.past.push(rate, t)
            return _nest.axpy(h, rate, y), Start(past, y, rate, t)

        def whole():
            end, y0, k1 = t + tf.cast(h, tf.float64), memory.y, memory.rate
            length = tf.cast(end - memory.t, h.dtype)
            k2, back = rate, tf.cast(t - memory.t, h.dtype)
            k3 = law.rate(t, _nest.axpy(back, k2, y0))
            k4 = law.rate(end, _nest.axpy(length, k3, y0))
            new = _nest.combine(y0, [length * w for w in (1 / 6, 1 / 3, 1 / 3, 1 / 6)], [k1, k2, k3, k4])
            return new, memory._replace(past=memory.past._replace(count=memory.past.count + 1))

        return tf.cond(tf.equal(memory.past.count % 2, 0), half, whole)
