"""Noise schedules: x_t = α(t) x₀ + σ(t) ε, seen through λ = log(α/σ), the time in which all of them are one law.

A schedule says how its own time t, in which networks were trained, and its own scale α, at which they see images,
follow from λ. Sampling itself runs in λ on z = x/α and needs neither.

References:
    Kingma, Salimans, Poole & Ho (2021), arXiv:2107.00630; Karras et al. (2022), arXiv:2206.00364.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest

END = 40.0  # |λ| of pure data and of pure noise: e⁻⁴⁰ = 4·10⁻¹⁸ is nothing beside one, in float64 too


def real(t):
    """t as a tensor; numbers and arrays in float64."""
    return t if isinstance(t, (tf.Tensor, tf.Variable)) else tf.convert_to_tensor(np.asarray(t, np.float64))


class Schedule(ABC):
    """x_t = α(t) x₀ + σ(t) ε for 0 ≤ t ≤ `end`, data at 0 and noise at `end`.

    All methods take numbers, arrays or tensors of any shape, and compute in the dtype of a tensor, else in float64.
    """

    end: float = 1.0

    @abstractmethod
    def log_alpha(self, t):
        """log α(t)."""

    @abstractmethod
    def variance(self, t):
        """σ²(t)."""

    @abstractmethod
    def time(self, lam):
        """t(λ), the inverse of λ(t)."""

    @abstractmethod
    def scales(self, lam):
        """α and σ at λ."""

    def label(self, lam):
        """What networks trained on this schedule are given as time at λ: t(λ)."""
        return self.time(lam)

    def alpha(self, t):
        """α(t)."""
        return tf.exp(self.log_alpha(t))

    def sigma(self, t):
        """σ(t)."""
        return tf.sqrt(self.variance(t))

    def lam(self, t):
        """λ(t) = log(α/σ), half the logarithm of signal to noise; 40 where there is no noise, −40 without signal."""
        return tf.clip_by_value(self.log_alpha(t) - 0.5 * tf.math.log(self.variance(t)), -END, END)

    def slopes(self, t):
        """dα/dt and dσ/dt, by automatic differentiation."""
        t = real(t)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(t)
            alpha, sigma = self.alpha(t), self.sigma(t)
        zero = tf.UnconnectedGradients.ZERO
        return tuple(tape.gradient(a, t, unconnected_gradients=zero) for a in (alpha, sigma))

    def rates(self, t):
        """f = d log α/dt and g² = dσ²/dt − 2fσ² of dx = f x dt + g dW, by automatic differentiation."""
        t = real(t)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(t)
            log_alpha, variance = self.log_alpha(t), self.variance(t)
        zero = tf.UnconnectedGradients.ZERO
        f = tape.gradient(log_alpha, t, unconnected_gradients=zero)
        return f, tape.gradient(variance, t, unconnected_gradients=zero) - 2 * f * variance


class Preserving(Schedule):
    """α² + σ² = 1: data of variance one keep it."""

    def variance(self, t):
        """1 − α²."""
        return -tf.math.expm1(2 * self.log_alpha(t))

    def scales(self, lam):
        """α² = 1/(1 + e^{−2λ}), σ² = 1/(1 + e^{2λ})."""
        lam = real(lam)
        return tf.exp(-0.5 * tf.math.softplus(-2 * lam)), tf.exp(-0.5 * tf.math.softplus(2 * lam))


class Exploding(Schedule):
    """α = 1: noise is added to data that stay as they are."""

    def log_alpha(self, t):
        """0."""
        return tf.zeros_like(real(t))

    def scales(self, lam):
        """1 and e^{−λ}."""
        lam = real(lam)
        return tf.ones_like(lam), tf.exp(-lam)


def _check_betas(schedule, low: float = 0.0):
    why = "β is a rate at which signal is lost"
    least = _checks.number("beta_min", schedule.beta_min, least=low, why=why)
    most = _checks.number("beta_max", schedule.beta_max, above=0.0, why=why)
    if not most >= least:
        _checks.refuse("beta_max", most, f"a number ≥ beta_min = {least:g}", "noise grows ever faster", "Swap them.")


@dataclass(frozen=True)
class VP(Preserving):
    """−2 log α = β_min t + ½(β_max − β_min)t², dx = −½β x dt + √β dW with β linear in time, 0 ≤ t ≤ 1.

    With β_min = β_max = 2k/γ it is a bead in a trap of stiffness k at kT = k.

    References:
        Song et al. (2021), arXiv:2011.13456; Ho, Jain & Abbeel (2020), arXiv:2006.11239.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self):
        _check_betas(self)

    def _betas(self, dtype):
        low, high = _nest.to(self.beta_min, dtype), _nest.to(self.beta_max, dtype)
        return low, high - low

    def log_alpha(self, t):
        """−½∫β."""
        t = real(t)
        low, rise = self._betas(t.dtype)
        return -0.5 * t * (low + 0.5 * rise * t)

    def _inverse(self, loss):
        """t at which −2 log α = loss."""
        low, rise = self._betas(loss.dtype)
        return 2 * loss / (low + tf.sqrt(low * low + 2 * rise * loss))

    def time(self, lam):
        """t at which −2 log α = log(1 + e^{−2λ})."""
        return self._inverse(tf.math.softplus(-2 * real(lam)))


@dataclass(frozen=True)
class SubVP(VP):
    """α as in VP, σ = 1 − α²: less noise at every time, the same in the end.

    References:
        Song et al. (2021), arXiv:2011.13456.
    """

    def variance(self, t):
        """(1 − α²)²."""
        return tf.math.expm1(2 * self.log_alpha(t)) ** 2

    def scales(self, lam):
        """α = e^{−u}, where σ/α = 2 sinh u = e^{−λ}."""
        u = tf.asinh(0.5 * tf.exp(-real(lam)))
        return tf.exp(-u), -tf.math.expm1(-2 * u)

    def time(self, lam):
        """t at which −log α = asinh(e^{−λ}/2)."""
        return self._inverse(2 * tf.asinh(0.5 * tf.exp(-real(lam))))


@dataclass(frozen=True)
class VE(Exploding):
    """σ = σ_min (σ_max/σ_min)^t, α = 1, 0 ≤ t ≤ 1.

    References:
        Song et al. (2021), arXiv:2011.13456.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self):
        check_sigmas(self.sigma_min, self.sigma_max)

    def _logs(self, dtype):
        low, high = (tf.math.log(_nest.to(s, dtype)) for s in (self.sigma_min, self.sigma_max))
        return low, high - low

    def variance(self, t):
        """σ²."""
        t = real(t)
        low, rise = self._logs(t.dtype)
        return tf.exp(2 * (low + rise * t))

    def time(self, lam):
        """t = log(σ/σ_min)/log(σ_max/σ_min), σ = e^{−λ}."""
        lam = real(lam)
        low, rise = self._logs(lam.dtype)
        return (-lam - low) / rise


@dataclass(frozen=True)
class EDM(Exploding):
    """σ = t, α = 1, 0 ≤ t ≤ σ_max: time is the noise level.

    References:
        Karras et al. (2022), arXiv:2206.00364.
    """

    sigma_max: float = 80.0

    def __post_init__(self):
        _checks.number("sigma_max", self.sigma_max, above=0.0, why="it is the standard deviation of pure noise")

    @property
    def end(self):
        """σ_max."""
        return self.sigma_max

    def variance(self, t):
        """t²."""
        return real(t) ** 2

    def time(self, lam):
        """e^{−λ}."""
        return tf.exp(-real(lam))


def check_sigmas(low, high):
    """Refuse noise levels that do not rise from a positive one."""
    why = "it is the standard deviation of noise"
    low = _checks.number("sigma_min", low, above=0.0, why=why)
    high = _checks.number("sigma_max", high, above=0.0, why=why)
    if not high > low:
        _checks.refuse("sigma_max", high, f"a number > sigma_min = {low:g}", "it is the largest noise", "Swap them.")
