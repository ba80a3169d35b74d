"""Steps of laws whose drift is known up to an error only: it is drawn once for each step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.operators.base import Identity
from diffsim.operators.nested import PerLeaf
from diffsim.steppers.base import Step
from diffsim.steppers.exponential import ETD1


class Guess(ABC):
    """A drift N(t, y) known by its mean, which a call returns, and its variance."""

    @abstractmethod
    def __call__(self, t, y):
        """The mean."""

    @abstractmethod
    def told(self, t, h, y):
        """Mean and variance of what the drift is, on average, from t to t + h; both shaped like y."""


@dataclass(frozen=True)
class Drawn(ETD1):
    """Y₁ = e^{hA}Y + hφ₁(hA)(N + √C ζ) + ∫e^{(h−s)A}g dW: `ETD1` with the drift of each step drawn from N(N, C).

    ζ and the noise are one draw, of the variance of both. Without C it is `ETD1`. A step of a reverse diffusion with
    C the covariance of data given their noisy copy has the exact first two moments, however long it is: the fixed and
    learned variances of DDPM are choices of C.

    References:
        Bao, Li, Zhu & Zhang (2022), arXiv:2201.06503; Nichol & Dhariwal (2021), arXiv:2102.09672.
    """

    def bind(self, law, h):
        """As `ETD1`; refuse drifts without variance, and operators that mix entries."""
        name = type(self).__name__
        if not isinstance(law.drift, Guess):
            received, why = _checks.Verbatim("one whose drift is an ordinary function"), f"{name} draws the drift"
            _checks.refuse("law", received, "one whose drift is a Guess", why, "Use ETD1().", TypeError)
        if law.diffusion is None or not law.noise.white:
            received = _checks.Verbatim("no noise" if law.diffusion is None else f"noise={law.noise!r}")
            why = "the drift is drawn with the noise of the step"
            _checks.refuse("law", received, "a law with Brownian noise", why, "Use ETD1().", TypeError)
        stepper, bound = super().bind(law, h)
        parts = bound.linear.ops if isinstance(bound.linear, PerLeaf) else (bound.linear,)
        if not all(op is None or isinstance(op, Identity) for op in parts):
            why = "the variance of each entry is one number"
            received = _checks.Verbatim(f"linear={type(law.linear).__name__}")
            _checks.refuse("law", received, "a linear part that is a number", why, "Use ETD1().", TypeError)
        return stepper, bound

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        e, phi1, kick = prepared
        mean, variance = law.drift.told(t, h, y)
        new = _nest.axpy(h, phi1(mean), e(y))
        if noise is None:
            return Step(new, None, ())
        width, reach = kick(law.amplitude(t + tf.cast(h, tf.float64), y)), phi1(_nest.map(tf.ones_like, y))

        def drawn(a, w, r, v, dW):
            h_ = tf.cast(h, a.dtype)
            return a + tf.sqrt(w * w + tf.abs(h_) * r * r * v) * dW

        return Step(_nest.map(drawn, new, width, reach, variance, noise()), None, ())
