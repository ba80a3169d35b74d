"""Schedules that are given by the share of signal: cosine, sigmoid, and the straight path of rectified flow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.generative.schedule import Preserving, Schedule, real


@dataclass(frozen=True)
class Cosine(Preserving):
    """α = cos θ/cos θ₀, θ = (π/2)(t + s)/(1 + s), 0 ≤ t ≤ 1; no signal is left at 1.

    Args:
        s: offset, so that there is some noise early on.

    References:
        Nichol & Dhariwal (2021), arXiv:2102.09672.
    """

    s: float = 0.008

    def __post_init__(self):
        _checks.number("s", self.s, least=0.0, why="it shifts time away from where noise begins to grow")

    def _rest(self, dtype):
        """π/2 − θ₀ and its slope in 1 − t."""
        s = _nest.to(self.s, dtype)
        return 0.5 * math.pi / (1 + s)

    def log_alpha(self, t):
        """log cos θ − log cos θ₀, cos θ = sin of what is left to π/2."""
        t = real(t)
        full = self._rest(t.dtype)
        return tf.math.log(tf.sin(full * (1 - t)) / tf.sin(full))

    def time(self, lam):
        """From tan(π/2 − θ) = α cos θ₀/√(σ² + α² sin² θ₀)."""
        alpha, sigma = self.scales(lam)
        full = self._rest(alpha.dtype)
        c, s = alpha * tf.sin(full), alpha * tf.cos(full)
        return 1 - tf.atan2(c, tf.sqrt(sigma * sigma + s * s)) / full


@dataclass(frozen=True)
class Sigmoid(Preserving):
    """α² = (S(b) − S(a + (b − a)t))/(S(b) − S(a)), S the logistic function, 0 ≤ t ≤ 1.

    Args:
        first: a, where on the logistic curve data lie.
        last: b, where noise lies.

    References:
        Jabri, Fleet & Chen (2022), arXiv:2212.11972.
    """

    first: float = -3.0
    last: float = 3.0

    def __post_init__(self):
        first = _checks.number("first", self.first, why="it is a place on the logistic curve")
        last = _checks.number("last", self.last, why="it is a place on the logistic curve")
        if not last > first:
            why = "signal is lost along the curve"
            _checks.refuse("last", last, f"a number > first = {first:g}", why, "Swap them.")

    def _curve(self, dtype):
        a, b = _nest.to(self.first, dtype), _nest.to(self.last, dtype)
        return a, b, tf.sigmoid(a), tf.sigmoid(b)

    def log_alpha(self, t):
        """½ log α²."""
        t = real(t)
        a, b, low, high = self._curve(t.dtype)
        return 0.5 * tf.math.log((high - tf.sigmoid(a + (b - a) * t)) / (high - low))

    def time(self, lam):
        """From S at t = S(a) + σ²(S(b) − S(a))."""
        sigma = self.scales(lam)[1]
        a, b, low, high = self._curve(sigma.dtype)
        at = low + sigma * sigma * (high - low)
        return (tf.math.log(at) - tf.math.log1p(-at) - a) / (b - a)


@dataclass(frozen=True)
class ScaledLinear(Preserving):
    """√β linear in time: −2 log α = (r(t)³ − r₀³)/(3(r₁ − r₀)), r = r₀ + (r₁ − r₀)t, r² = β, 0 ≤ t ≤ 1.

    The continuous limit of Stable Diffusion's thousand steps.

    References:
        Rombach et al. (2022), arXiv:2112.10752.
    """

    beta_min: float = 0.85
    beta_max: float = 12.0

    def __post_init__(self):
        from diffsim.generative.schedule import VP

        VP(self.beta_min, self.beta_max)

    def _roots(self, dtype):
        low, high = (tf.sqrt(_nest.to(b, dtype)) for b in (self.beta_min, self.beta_max))
        return low, high - low

    def log_alpha(self, t):
        """−½∫β."""
        t = real(t)
        r, d = self._roots(t.dtype)
        return -0.5 * t * (r * r + d * t * (r + d * t / 3))

    def time(self, lam):
        """t = (∛(r₀³ + 3dL) − r₀)/d, L = −2 log α = log(1 + e^{−2λ}), d = r₁ − r₀, without its cancellation."""
        loss = tf.math.softplus(-2 * real(lam))
        r, d = self._roots(loss.dtype)
        root = (r**3 + 3 * d * loss) ** (1 / 3)
        return 3 * loss / (root * root + root * r + r * r)


@dataclass(frozen=True)
class CondOT(Schedule):
    """α = 1 − u, σ = u: straight paths from data at t = 0 to noise at t = 1, with u = st/(1 + (s − 1)t).

    Rectified flow and conditional optimal transport. Where a paper lets time run from noise to data, t is 1 minus its
    time and the velocity changes sign.

    Args:
        shift: s ≥ 1 spends more time near noise, as large images need.

    References:
        Liu, Gong & Liu (2023), arXiv:2209.03003; Lipman et al. (2023), arXiv:2210.02747; shift: Esser et al. (2024),
        arXiv:2403.03206.
    """

    shift: float = 1.0

    def __post_init__(self):
        _checks.number("shift", self.shift, above=0.0, why="it multiplies σ/α at every time")

    def _parts(self, t):
        t = real(t)
        s = _nest.to(self.shift, t.dtype)
        whole = 1 + (s - 1) * t
        return (1 - t) / whole, s * t / whole

    def alpha(self, t):
        """1 − u."""
        return self._parts(t)[0]

    def sigma(self, t):
        """u."""
        return self._parts(t)[1]

    def log_alpha(self, t):
        """log (1 − u)."""
        return tf.math.log(self.alpha(t))

    def variance(self, t):
        """u²."""
        return self.sigma(t) ** 2

    def scales(self, lam):
        """1/(1 + e^{−λ}) and 1/(1 + e^λ)."""
        lam = real(lam)
        return tf.sigmoid(lam), tf.sigmoid(-lam)

    def time(self, lam):
        """1/(1 + s e^λ)."""
        lam = real(lam)
        return tf.sigmoid(-lam - tf.math.log(_nest.to(self.shift, lam.dtype)))
