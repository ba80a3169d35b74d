"""Denoisers that know how unsure they are: the variance of x₀ given z, which a long step of DDPM should have.

A step of the reverse law from λ to λ' is exact if x₀ is drawn from what it may be given z. With its mean D alone the
step has the smaller of DDPM's fixed variances; with C = σ²/α²/(1 + σ²/α²), that of standard normal data, the larger; a
network may learn one in between. `samplers.ddpm` takes such denoisers, other samplers see the mean alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.generative.denoiser import Around, Denoiser, rows, spread
from diffsim.generative.reverse import Pull
from diffsim.steppers.guess import Guess


@dataclass(frozen=True)
class Unsure(Around):
    """D, and C of data of variance v, or any C(z, λ)."""

    denoiser: Callable
    variance: Any

    def __call__(self, z, lam):
        """D(z, λ)."""
        return self.denoiser(z, lam)

    def told(self, z, lam, after):
        """D and C at λ."""
        if callable(self.variance):
            C = self.variance(z, lam)
        else:
            noise, v = spread(tf.exp(-2 * _nest.to(lam, z.dtype)), z), _nest.to(self.variance, z.dtype)
            C = v * noise / (v + noise)
        return self.denoiser(z, lam), tf.broadcast_to(C, tf.shape(z))


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
    _check(denoiser)
    if not callable(variance):
        variance = _checks.finite("variance", variance, least=0.0, why="it is the variance of data")
    return Unsure(denoiser, variance)


@dataclass(frozen=True)
class Learned(Around):
    """D, and C between DDPM's two, from one network."""

    denoiser: Denoiser

    def __call__(self, z, lam):
        """D(z, λ)."""
        return self._asked(z, lam)[0]

    def _asked(self, z, lam):
        d, lam = self.denoiser, rows(lam, z)
        alpha, sigma = (spread(a, z) for a in d.schedule.scales(lam))
        x, t = d.see(z, alpha, lam)
        out = tf.convert_to_tensor(d.network(x, t) if d.condition is None else d.network(x, t, d.condition))
        if out.shape[-1] != 2 * z.shape[-1]:
            why, way_out = "it tells an estimate and ν for each channel", "Train with Hybrid(), or use gen.unsure."
            received = _checks.Verbatim(f"a result of shape {out.shape}")
            _checks.refuse("network", received, f"{2 * z.shape[-1]} channels, last", why, way_out)
        out, nu = tf.split(tf.cast(out, z.dtype), 2, -1)
        return d.read(out, z, lam, alpha, sigma), nu

    def told(self, z, lam, after):
        """D and C = e^{−2λ'} (r^{(ν + 1)/2} − 1)/(1 − e^{−2(λ' − λ)}), r = σ²(λ)/σ²(λ')."""
        D, nu = self._asked(z, lam)
        lam, after = _nest.to(lam, z.dtype), _nest.to(after, z.dtype)
        first, last = (tf.math.log(self.schedule.scales(a)[1]) for a in (lam, after))
        more = tf.math.expm1((nu + 1) * (first - last))
        return D, tf.exp(-2 * after) / -tf.math.expm1(2 * (lam - after)) * more


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


def _check(denoiser):
    if not callable(denoiser):
        way_out = "Use gen.from_epsilon(network, schedule), say."
        _checks.refuse("denoiser", denoiser, "a function D(z, λ)", "its variance is added", way_out, TypeError)
