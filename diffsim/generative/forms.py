"""One flow in three sets of variables, so that each sampler is a plain stepper in one of them.

    Data    time λ,         state z = x/α    dz = (1 + η)(D − z) dλ + √(2η) e^{−λ} dW    `reverse_sde`
    Noise   time λ,         state w = x/σ    dw = (w − (1 + η) ε) dλ + √(2η) dW,   ε = (z − D)e^λ the noise in z
    Sigma   time s = e^{−λ}, state z         dz = (1 + η)(z − D)/s ds + √(2ηs) dW,  s falling

Exponential steppers continue D in the first and ε in the second; ordinary ones run in the third, where paths are
nearly straight lines.

References:
    Lu et al. (2022), arXiv:2206.00927 and 2211.01095; Karras et al. (2022), arXiv:2206.00364.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.generative.denoiser import to_epsilon
from diffsim.generative.reverse import Pull, reverse_sde
from diffsim.generative.schedule import END


class Form(ABC):
    """Variables in which a flow is written."""

    @abstractmethod
    def law(self, denoiser: Callable, eta: float = 0.0) -> Equation:
        """The law in these variables."""

    def times(self, lam):
        """The mesh, or values of λ, in this time."""
        return lam

    def lam(self, t):
        """λ at these times."""
        return np.asarray(t, np.float64)

    @abstractmethod
    def flow(self, denoiser: Callable):
        """The drift of the probability flow, beside the linear part of `law`."""

    def pull(self, flow, t, y):
        """All of the flow, the linear part included, as far as it undoes noise; `flow` is its drift."""
        return flow

    def shifted(self, t, by):
        """The time at λ(t) + by."""
        return t + by

    @abstractmethod
    def noised(self, y, begin, end, xi):
        """The state led by noise alone from one time to an earlier λ; ξ are standard normal numbers."""

    @abstractmethod
    def amplitude(self, eta, t, dtype):
        """The amplitude of the law's noise."""

    def instant(self, t):
        """λ at the scalar time t, inside a program."""
        return t

    def enter(self, z, lam):
        """The state at λ that means z."""
        return z

    def leave(self, state, lam):
        """z of a state at λ, a scalar or one number for each record."""
        return state


@dataclass(frozen=True)
class Data(Form):
    """Time λ, state z."""

    def law(self, denoiser, eta=0.0):
        """`reverse_sde`."""
        return reverse_sde(denoiser, eta)

    def flow(self, denoiser):
        """D."""
        return Pull(denoiser, 1.0)

    def pull(self, flow, t, y):
        """D − z."""
        return flow - y

    def noised(self, y, begin, end, xi):
        """z + √(e^{−2λ₁} − e^{−2λ₀}) ξ."""
        return y + tf.cast(_width(begin, end), y.dtype) * xi

    def amplitude(self, eta, t, dtype):
        """√(2η) e^{−λ}."""
        return tf.sqrt(2 * eta) * tf.exp(-_nest.to(t, dtype))


@dataclass(frozen=True)
class Noise(Form):
    """Time λ, state w = z e^λ."""

    def law(self, denoiser, eta=0.0):
        """Linear part w, drift −(1 + η)ε, constant amplitude √(2η)."""
        inner = reverse_sde(denoiser, eta).drift
        return Equation(linear=1.0, drift=Push(inner), diffusion=(2 * eta) ** 0.5 if eta else None)

    def flow(self, denoiser):
        """−ε."""
        return Push(Pull(denoiser, 1.0))

    def noised(self, y, begin, end, xi):
        """w e^{λ₁ − λ₀} + √(1 − e^{2(λ₁ − λ₀)}) ξ."""
        fall = tf.cast(tf.exp(end - begin), y.dtype)
        return fall * y + tf.cast(tf.sqrt(-tf.math.expm1(2 * (end - begin))), y.dtype) * xi

    def amplitude(self, eta, t, dtype):
        """√(2η)."""
        return tf.sqrt(2 * eta)

    def enter(self, z, lam):
        """z e^λ."""
        return _nest.map(lambda a: a * growth(lam, a), z)

    def leave(self, state, lam):
        """w e^{−λ}."""
        return _nest.map(lambda a: a / growth(lam, a), state)


@dataclass(frozen=True)
class Sigma(Form):
    """Time s = e^{−λ}, falling to 0 at pure data; state z."""

    def law(self, denoiser, eta=0.0):
        """No linear part, drift (1 + η)(z − D)/s, amplitude √(2ηs)."""
        inner = reverse_sde(denoiser, eta).drift
        return Equation(drift=Slope(inner), diffusion=Root(eta) if eta else None)

    def flow(self, denoiser):
        """The slope (z − D)/s."""
        return Slope(Pull(denoiser, 1.0))

    def shifted(self, t, by):
        """s e^{−by}."""
        return t * tf.exp(-by)

    def noised(self, y, begin, end, xi):
        """z + √(s₁² − s₀²) ξ."""
        return y + tf.cast(tf.sqrt(end * end - begin * begin), y.dtype) * xi

    def amplitude(self, eta, t, dtype):
        """√(2ηs)."""
        return tf.sqrt(2 * eta * _nest.to(t, dtype))

    def times(self, lam):
        """e^{−λ}, 0 where λ = 40."""
        lam = np.asarray(lam, np.float64)
        return np.where(lam >= END, 0.0, np.exp(-lam))

    def lam(self, t):
        """−log s."""
        with np.errstate(divide="ignore"):
            return np.minimum(-np.log(np.asarray(t, np.float64)), END)

    def instant(self, t):
        """−log s."""
        return tf.minimum(-tf.math.log(t), _nest.to(END, t.dtype))


def _width(begin, end):
    """√(e^{−2λ₁} − e^{−2λ₀}), λ₁ < λ₀."""
    return tf.exp(-end) * tf.sqrt(-tf.math.expm1(2 * (end - begin)))


def growth(lam, like):
    """e^λ, with λ one number or one for each record, shaped to multiply `like`."""
    return factor(tf.exp(_nest.to(lam, like.dtype)), like)


def factor(value, like):
    """One number, or one for each record, shaped to multiply `like`."""
    return _nest.spread(value, like)


@dataclass(frozen=True)
class Push:
    """−(1 + η)ε of w = z e^λ."""

    pull: Pull

    def __call__(self, lam, w):
        """At λ and w."""
        size = growth(lam, w)
        z = w / size
        return -_nest.to(self.pull.rate, w.dtype) * to_epsilon(self.pull.denoiser(z, lam), z, lam)

    def check_times(self, t):
        """As in λ and z."""
        self.pull.check_times(t)


@dataclass(frozen=True)
class Slope:
    """(1 + η)(z − D)/s."""

    pull: Pull

    def __call__(self, s, z):
        """At s > 0 and z."""
        return _nest.to(self.pull.rate, z.dtype) * (z - self.pull.denoiser(z, -tf.math.log(s))) / s

    def check_times(self, t):
        """Refuse times that are no noise levels."""
        s = np.asarray(t, np.float64)
        if s.min() < 0.0 or s[0] == 0.0:
            why = "time is the noise level σ/α here, and D is asked at the beginning of each step"
            _checks.refuse("t", (s[0], s[-1]), "noise levels > 0, at most the last one 0", why, "Pass mesh.sigma.")
        self.pull.check_times(np.where(s > 0, -np.log(np.maximum(s, 1e-300)), END))


@dataclass(frozen=True)
class Root:
    """√(2ηs)."""

    eta: Any

    def __call__(self, s, z):
        """At s, for each entry of z."""
        return tf.fill(tf.shape(z), tf.sqrt(2 * _nest.to(self.eta, z.dtype) * _nest.to(s, z.dtype)))
