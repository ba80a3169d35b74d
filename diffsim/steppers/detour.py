"""Steps of laws whose drift undoes their noise: by a flow without noise, and noise whose effect is known.

Such a law is dY = [A Y + v(t, Y) + η(…)] dt + g dN, where the flow dY = [A Y + v] dt alone already carries the law's
density, and where the noise alone, with more or less of it, leads from one time to another. A reverse diffusion is one.
Then a step may follow the flow further than it must and come back by noise, or add noise first, or follow the flow and
settle by Langevin's dynamics. The flow can be of any order; with the noise the order is 1 in the path, and the density
is as exact as the flow.

References:
    Karras et al. (2022), arXiv:2206.00364; Song et al. (2021), arXiv:2011.13456, for the last.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper


class Undoing(ABC):
    """A drift with a flow in it; its law's linear part belongs to the flow."""

    flow: Any  # v(t, y)

    @abstractmethod
    def around(self, t, h):
        """(t₋, t₊), float64: where noise added at t leads, and from where noise leads to t + h, for a step's share."""

    @abstractmethod
    def noised(self, y, begin, end, xi):
        """y, led by noise alone from one time to another; ξ are standard normal numbers."""

    @abstractmethod
    def score(self, t, y):
        """∇ log of the density at t."""

    @abstractmethod
    def settled(self, y, t, h, at, xi):
        """y after a step of Langevin's dynamics at the time `at`, as long as the share of the step from t to t + h."""


@dataclass(frozen=True)
class Detour(Stepper):
    """The flow to beyond t + h, then noise back to it: ancestral sampling.

    Args:
        stepper: takes the steps of the flow; a method without memory.
    """

    stepper: Stepper

    takes = frozenset({Slot.LINEAR, Slot.DRIFT, Slot.DIFFUSION})

    def __post_init__(self):
        _checks.instance("stepper", self.stepper, Stepper, why="it follows the flow", way_out="Use e.g. ETD1().")

    @property
    def order(self):
        """That of the flow's stepper."""
        return self.stepper.order

    def bind(self, law, h):
        """Bind the flow's stepper to the flow."""
        self.check_slots(law)
        if not isinstance(law.drift, Undoing):
            _checks.refuse(
                "law",
                _checks.Verbatim("one whose drift is an ordinary function"),
                "one whose drift undoes its noise",
                f"{type(self).__name__} follows the flow in it, which an ordinary function does not show",
                "Use ETD1() or EulerMaruyama().",
                TypeError,
            )
        if law.diffusion is not None and not law.noise.white:
            why = "its increments are scaled as independent ones"
            _checks.refuse("noise", law.noise, "Brownian()", why, "Use EulerMaruyama().", TypeError)
        flow = replace(law, drift=law.drift.flow, diffusion=None)
        stepper, bound = self.stepper.bind(flow, h)
        return replace(self, stepper=stepper), replace(law, linear=bound.linear)

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        end = t + tf.cast(h, tf.float64)
        beyond = law.drift.around(t, h)[1]
        y = self._follow(law, t, beyond, h, y)
        return Step(y if noise is None else law.drift.noised(y, beyond, end, standard(noise, h)), None, ())

    def _follow(self, law, begin, end, h, y):
        flow = replace(law, drift=law.drift.flow, diffusion=None)
        length = tf.cast(end - begin, h.dtype)
        stepper = self.stepper
        return stepper.step(
            flow, begin, length, y, stepper.init(flow, begin, y), stepper.prepare(flow, length), None
        ).y


@dataclass(frozen=True)
class Churn(Detour):
    """Noise first, back to before t, then the flow to t + h: EDM's stochastic sampler.

    Args:
        stepper: takes the steps of the flow; a method without memory.
        noise_scale: factor of the noise, 1 if the density is to be right.
    """

    noise_scale: float = 1.0

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        end = t + tf.cast(h, tf.float64)
        before = law.drift.around(t, h)[0]
        if noise is None:
            before = t
        else:
            xi = _nest.scale(_nest.to(self.noise_scale, h.dtype), standard(noise, h))
            y = law.drift.noised(y, t, before, xi)
        return Step(self._follow(law, before, end, h, y), None, ())


@dataclass(frozen=True)
class Settled(Detour):
    """The flow to t + h, then Langevin's dynamics there: predictor and corrector."""

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        end = t + tf.cast(h, tf.float64)
        y = self._follow(law, t, end, h, y)
        return Step(y if noise is None else law.drift.settled(y, t, h, end, standard(noise, h)), None, ())


@dataclass(frozen=True)
class Shaken(Detour):
    """A step of Langevin's dynamics at t, as long as keeps its noise to its pull as r, then the stepper's own step.

    y + ε s + √(2ε) ξ with ε = 2(r|ξ|/|s|)², s the score, norms over all axes but the first. The pair of increment and
    area of the noise gives both steps independent numbers.

    Args:
        stepper: takes a step of the law with its noise.
        ratio: r.

    References:
        Song & Ermon (2019), arXiv:1907.05600; Song et al. (2021), arXiv:2011.13456, algorithm 4.
    """

    ratio: float = 0.16

    def bind(self, law, h):
        """Bind the stepper to the law as it is."""
        super().bind(law, h)
        stepper, bound = self.stepper.bind(law, h)
        return replace(self, stepper=stepper), bound

    def prepare(self, law, h):
        """As the stepper inside."""
        return self.stepper.prepare(law, h)

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        if noise is not None:
            score = law.drift.score(t, y)
            area = noise.area()[1]

            def shaken(a, s, x):
                xi = x * tf.cast(tf.sqrt(12 / tf.abs(h)), a.dtype)
                size = 2 * (_nest.to(self.ratio, a.dtype) * _norm(xi) / _norm(s)) ** 2
                return a + size * s + tf.sqrt(2 * size) * xi

            y = _nest.map(shaken, y, score, area)
        return self.stepper.step(law, t, h, y, memory, prepared, noise)


def _norm(a):
    return tf.sqrt(tf.reduce_sum(a * a, axis=list(range(1, a.shape.rank)), keepdims=True))


def standard(noise, h):
    """Standard normal numbers of an increment."""
    return _nest.map(lambda a: a / tf.cast(tf.sqrt(tf.abs(h)), a.dtype), noise())
