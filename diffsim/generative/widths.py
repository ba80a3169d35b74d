"""Variances of reverse steps: z at λ_s given z at λ_t < λ_s is N(e^{−2h}z + (1 − e^{−2h})D, Σ), h = λ_s − λ_t.

Given x₀ its variance is β̃ = e^{−2λ_s}(1 − e^{−2h}); as x₀ is not known, Σ is more. In z = x/α here; in x itself β̃ is
βσ_s²/σ_t², with β the variance of the step from s to t.

References:
    Ho, Jain & Abbeel (2020), arXiv:2006.11239; Nichol & Dhariwal (2021), arXiv:2102.09672; Bao, Li, Zhu & Zhang
    (2022), arXiv:2201.06503.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.generative.schedule import real


class Between(NamedTuple):
    """What of a reverse step follows from the schedule, in float64.

    Attributes:
        begin: λ_t.
        end: λ_s.
        small: log β̃, as variance of z at λ_s.
        wide: log β/β̃.
        log_alpha: log α_s.
    """

    begin: Any
    end: Any
    small: Any
    wide: Any
    log_alpha: Any


def between(schedule, begin, end) -> Between:
    """Of steps from λ_t to λ_s; without a schedule α = 1 and σ = e^{−λ}."""
    begin, end = (tf.cast(real(a), tf.float64) for a in (begin, end))
    small = tf.math.log(-tf.math.expm1(2 * (begin - end))) - 2 * end
    if schedule is None:
        return Between(begin, end, small, 2 * (end - begin), tf.zeros_like(end))
    log_alpha, after = (tf.math.log(a) for a in schedule.scales(end))
    before = tf.math.log(schedule.scales(begin)[1])
    return Between(begin, end, small, 2 * (before - after), log_alpha)


class Variance(ABC):
    """How Σ is chosen."""

    told: ClassVar[bool] = False  # whether the network tells something of it

    @abstractmethod
    def log(self, step: Between, told):
        """log Σ in float64: a scalar, or shaped like z; `told` is the second half of what the network returned."""


@dataclass(frozen=True)
class Fixed(Variance):
    """log Σ = log β̃ + share · log(β/β̃).

    Args:
        share: 0 is β̃, right if all data are one point; 1 is β, right for data N(0, 1) if α² + σ² = 1.
    """

    share: float = 0.0

    def __post_init__(self):
        _checks.number("share", self.share, why="it leads from the smaller to the larger of two variances")

    def log(self, step, told):
        """Between the two."""
        return step.small + _nest.to(self.share, tf.float64) * step.wide


@dataclass(frozen=True)
class ByNetwork(Variance):
    """log Σ = log β̃ + ½(ν + 1) log(β/β̃), ν the second half of the network's channels: train it with `Hybrid`."""

    told = True

    def log(self, step, told):
        """Where the network says."""
        return step.small + self.widening(step, told)

    def widening(self, step, told):
        """log Σ/β̃."""
        return 0.5 * (tf.cast(told, tf.float64) + 1) * step.wide


@dataclass(frozen=True)
class Matched(Variance):
    """Σ = β̃ + (1 − e^{−2h})² m(λ_t), m the mean square error of D: the best Σ that is one number for each step.

    Args:
        lam: values of λ that rise, shape (n,), n ≥ 2.
        error: m at these, for each number of a sample; log m is linear between them, and constant beyond.

    References:
        Bao, Li, Zhu & Zhang (2022), arXiv:2201.06503, theorem 1.
    """

    lam: np.ndarray
    error: np.ndarray

    def __post_init__(self):
        lam = np.array(_checks.finite("lam", self.lam, why="there errors are known"), np.float64)
        error = np.array(_checks.finite("error", self.error, least=0.0, why="it is a mean square"), np.float64)
        if lam.ndim != 1 or lam.size < 2 or not np.all(np.diff(lam) > 0):
            _checks.refuse("lam", self.lam, "at least two values that rise", "errors lie between", "Sort them.")
        if error.shape != lam.shape or not np.all(error > 0):
            expected = f"{lam.size} numbers > 0"
            _checks.refuse("error", self.error, expected, "each λ has one", "Pass what gen.errors(…) returned.")
        for name, value in (("lam", lam), ("error", error)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def log(self, step, told):
        """Both parts."""
        rest = 2 * (step.begin - step.end)
        small = tf.math.log(-tf.math.expm1(rest)) - 2 * step.end
        more = 2 * tf.math.log(-tf.math.expm1(rest)) + self._log_error(step.begin)
        return tf.maximum(small, more) + tf.math.softplus(-tf.abs(small - more))

    def __call__(self, z, lam):
        """m(λ), a number for each row of z if λ is one: the variance of x₀ given z, as `gen.unsure` takes it."""
        return _nest.spread(_nest.to(tf.exp(self._log_error(tf.cast(real(lam), tf.float64))), z.dtype), z)

    def _log_error(self, lam):
        knots, values = tf.cast(self.lam, tf.float64), tf.math.log(tf.cast(self.error, tf.float64))
        n = tf.clip_by_value(tf.reduce_sum(tf.cast(knots <= lam[..., None], tf.int32), -1), 1, knots.shape[0] - 1)
        a, b = tf.gather(knots, n - 1), tf.gather(knots, n)
        low, high = tf.gather(values, n - 1), tf.gather(values, n)
        return low + (high - low) * tf.clip_by_value((lam - a) / (b - a), 0.0, 1.0)


def tell(denoiser, told: bool, z, lam):
    """D, and the second half of what the network returned, None where nobody asks for it."""
    return denoiser.both(z, lam) if told else (denoiser(z, lam), None)


def check(variance, denoiser):
    """Refuse what is no variance, and a learned one of a denoiser that tells none."""
    way_out = "Use gen.Fixed() or gen.ByNetwork()."
    _checks.instance("variance", variance, Variance, why="it says how wide a step is", way_out=way_out)
    if variance.told and not callable(getattr(denoiser, "both", None)):
        why = "it is the second half of what a network returns"
        way_out = "Pass gen.from_epsilon(network, schedule), the network made with twice as many outputs."
        received = _checks.Verbatim(type(denoiser).__name__)
        _checks.refuse("denoiser", received, "one that tells variances", why, way_out, TypeError)
