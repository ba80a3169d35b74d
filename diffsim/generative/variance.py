"""Denoisers that know how unsure they are: the variance of x₀ given z, which a long step of DDPM should have.

A step of the reverse law from λ to λ' is exact if x₀ is drawn from what it may be given z. With its mean D alone the
step has the smaller of DDPM's fixed variances; with C = σ²/α²/(1 + σ²/α²), that of standard normal data, the larger; a
network may learn one in between. `samplers.ddpm` takes such denoisers, other samplers see the mean alone. `gen.guide`,
`gen.clip` and `gen.threshold` change the mean of one and keep its variance, that with the condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.generative.denoiser import Around, Denoiser, check, spread
from diffsim.generative.reverse import Pull
from diffsim.generative.widths import ByNetwork, between
from diffsim.steppers.guess import Guess


@dataclass(frozen=True)
class Unsure(Around):
    """D, and C of data of variance v, or any C(z, λ)."""

    denoiser: Callable
    variance: Any

    def __call__(self, z, lam, *condition):
        """D(z, λ, condition)."""
        return self.denoiser(z, lam, *condition)

    def told(self, z, lam, after, *condition):
        """D and C at λ."""
        if callable(self.variance):
            C = self.variance(z, lam)
        else:
            noise, v = spread(tf.exp(-2 * _nest.to(lam, z.dtype)), z), _nest.to(self.variance, z.dtype)
            C = v * noise / (v + noise)
        return self.denoiser(z, lam, *condition), tf.broadcast_to(C, tf.shape(z))


def unsure(denoiser: Callable, variance) -> Unsure:
    """A denoiser with the variance C of x₀ given z; C = v e^{−2λ}/(v + e^{−2λ}) for data of variance v.

    Args:
        denoiser: D(z, λ).
        variance: v ≥ 0, a number or shaped like one sample: with 1 `samplers.ddpm` takes the larger of DDPM's fixed
            variances, with the data's own v its steps are exact for a Gaussian; or a function C(z, λ) ≥ 0.

    Raises:
        TypeError, ValueError: no function, or v < 0.

    References:
        Ho, Jain & Abbeel (2020), arXiv:2006.11239; Bao et al. (2022), arXiv:2201.06503.
    """
    check(denoiser, "its variance is added")
    if not callable(variance):
        variance = _checks.finite("variance", variance, least=0.0, why="it is the variance of data")
    return Unsure(denoiser, variance)


@dataclass(frozen=True)
class Learned(Around):
    """D, and C between DDPM's two, from one network."""

    denoiser: Denoiser

    def __call__(self, z, lam, *condition):
        """D(z, λ, condition)."""
        return self.denoiser.both(z, lam, *condition)[0]

    def told(self, z, lam, after, *condition):
        """D and C = β̃ (β/β̃)^{(ν + 1)/2} − β̃ over (1 − e^{−2(λ' − λ)})²."""
        D, nu = self.denoiser.both(z, lam, *condition)
        step = between(self.schedule, lam, after)
        more = tf.exp(step.small) * tf.math.expm1(ByNetwork().widening(step, nu))
        return D, tf.cast(more / tf.math.expm1(2 * (step.begin - step.end)) ** 2, z.dtype)


def learned(denoiser: Denoiser) -> Learned:
    """A denoiser whose network tells its variance too: log Σ = ν' log β + (1 − ν') log β̃, ν' = (ν + 1)/2.

    Args:
        denoiser: `gen.from_epsilon(network, schedule)` or a sibling, of a network with two outputs for each channel on
            the last axis, the estimates first and then ν, as `training.Hybrid` trains it.

    References:
        Nichol & Dhariwal (2021), arXiv:2102.09672, equation 15.
    """
    why = "it says how to read the first half of what the network tells"
    _checks.instance("denoiser", denoiser, Denoiser, why=why, way_out="Use gen.from_epsilon(network, schedule).")
    return Learned(denoiser)


def knows(denoiser: Callable) -> bool:
    """Whether it tells the variance of x₀ given z; refused if only something inside it does."""
    if hasattr(denoiser, "told"):
        return True
    inner = denoiser
    while isinstance(inner, Around):
        inner = inner.denoiser
        if hasattr(inner, "told"):
            received = _checks.Verbatim(f"{type(denoiser).__name__} around {type(inner).__name__}")
            why = "it changes the mean of what is inside, and nobody said what becomes of the variance"
            way_out = "Say it: gen.unsure(…) around the whole; or leave it out inside."
            _checks.refuse("denoiser", received, "one whose variance is known, or none inside", why, way_out)
    return False


@dataclass(frozen=True)
class Told(Guess):
    """(1 + η) D with the variance (1 + η)² C."""

    pull: Pull

    def __call__(self, lam, z):
        """The mean."""
        return self.pull(lam, z)

    def told(self, lam, h, z):
        """Mean and variance of a step."""
        D, C = self.pull.denoiser.told(z, lam, lam + h)
        rate = _nest.to(self.pull.rate, z.dtype)
        return rate * D, rate * rate * C

    def check_times(self, t):
        """As without variance."""
        self.pull.check_times(t)
