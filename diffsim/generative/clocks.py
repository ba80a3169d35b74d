"""Two more forms of the flow: in the time of the heat equation, and in a schedule's own time.

    Heat            time v = e^{−2λ}, state z        dz = ½(1 + η)(z − D)/v dv + √η dW,  v falling
    Path(schedule)  time t,           state x = αz   dx = [α̇D + σ̇ε + η λ̇(αD − x)] dt + σ√(2η|λ̇|) dW,  t falling

Noise added to data is heat that spreads for the time v/2, and `EulerMaruyama` in v is the predictor of score-based
models with exploding variance. In a schedule's time the drift without noise is the velocity of flow matching, and with
η = 1 the law is the reverse SDE as Song et al. write it.

References:
    Song et al. (2021), arXiv:2011.13456; Lipman et al. (2023), arXiv:2210.02747.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.generative.forms import Form, factor
from diffsim.generative.reverse import Pull, reverse_sde
from diffsim.generative.schedule import END, Schedule


@dataclass(frozen=True)
class Heat(Form):
    """Time v = e^{−2λ}, falling to 0 at pure data; state z."""

    def law(self, denoiser, eta=0.0):
        """No linear part, drift ½(1 + η)(z − D)/v, constant amplitude √η."""
        inner = reverse_sde(denoiser, eta).drift
        return Equation(drift=Cool(inner), diffusion=float(eta) ** 0.5 if eta else None)

    def flow(self, denoiser):
        """½(z − D)/v."""
        return Cool(Pull(denoiser, 1.0))

    def shifted(self, t, by):
        """v e^{−2by}."""
        return t * tf.exp(-2 * by)

    def noised(self, y, begin, end, xi):
        """z + √(v₁ − v₀) ξ."""
        return y + tf.cast(tf.sqrt(end - begin), y.dtype) * xi

    def amplitude(self, eta, t, dtype):
        """√η."""
        return tf.sqrt(eta)

    def times(self, lam):
        """e^{−2λ}, 0 where λ = 40."""
        lam = np.asarray(lam, np.float64)
        return np.where(lam >= END, 0.0, np.exp(-2 * lam))

    def lam(self, t):
        """−½ log v."""
        with np.errstate(divide="ignore"):
            return np.minimum(-0.5 * np.log(np.asarray(t, np.float64)), END)

    def instant(self, t):
        """−½ log v."""
        return tf.minimum(-0.5 * tf.math.log(t), _nest.to(END, t.dtype))


@dataclass(frozen=True)
class Cool:
    """½(1 + η)(z − D)/v."""

    pull: Pull

    def __call__(self, v, z):
        """At v > 0 and z."""
        return 0.5 * _nest.to(self.pull.rate, z.dtype) * (z - self.pull.denoiser(z, -0.5 * tf.math.log(v))) / v

    def check_times(self, t):
        """Refuse times that are no squares of noise levels."""
        v = np.asarray(t, np.float64)
        if v.min() < 0.0 or v[0] == 0.0:
            why = "time is the variance σ²/α² here, and D is asked at the beginning of each step"
            _checks.refuse("t", (v[0], v[-1]), "variances > 0, at most the last one 0", why, "Pass mesh.sigma**2.")
        self.pull.check_times(Heat().lam(v))


@dataclass(frozen=True)
class Path(Form):
    """The schedule's time t, falling to 0 at pure data; state x = αz.

    Args:
        schedule: α(t) and σ(t), differentiable: a continuous one.
    """

    schedule: Schedule

    def __post_init__(self):
        why, way_out = "it says which noise a time means", "Pass the network's, gen.VP(), say."
        _checks.instance("schedule", self.schedule, Schedule, why=why, way_out=way_out)

    def law(self, denoiser, eta=0.0):
        """No linear part."""
        inner = reverse_sde(denoiser, eta).drift
        return Equation(drift=Move(self.schedule, inner), diffusion=Width(self.schedule, eta) if eta else None)

    def flow(self, denoiser):
        """α̇D + σ̇ε, the velocity."""
        return Move(self.schedule, Pull(denoiser, 1.0))

    def pull(self, flow, t, y):
        """(αD − x)λ̇ from the velocity: −σ ε λ̇."""
        alpha, sigma, da, ds, rate = _parts(self.schedule, t, y.dtype)
        return -sigma * rate * (alpha * flow - da * y) / (alpha * ds - sigma * da)

    def shifted(self, t, by):
        """t at λ(t) + by."""
        return self.schedule.time(self.schedule.lam(t) + by)

    def noised(self, y, begin, end, xi):
        """α₁(x/α₀ + √(e^{−2λ₁} − e^{−2λ₀}) ξ)."""
        first, last = self.schedule.lam(begin), self.schedule.lam(end)
        wide = tf.exp(-last) * tf.sqrt(-tf.math.expm1(2 * (last - first)))
        a, b = (self.schedule.scales(lam)[0] for lam in (first, last))
        return tf.cast(b / a, y.dtype) * y + tf.cast(b * wide, y.dtype) * xi

    def amplitude(self, eta, t, dtype):
        """σ√(2η|λ̇|)."""
        sigma, rate = _parts(self.schedule, t, dtype)[1::3]
        return sigma * tf.sqrt(2 * eta * tf.abs(rate))

    def times(self, lam):
        """t(λ), 0 where λ = 40."""
        lam = np.asarray(lam, np.float64)
        return np.where(lam >= END, 0.0, self.schedule.time(lam).numpy())

    def lam(self, t):
        """λ(t)."""
        return self.schedule.lam(np.asarray(t, np.float64)).numpy()

    def instant(self, t):
        """λ(t)."""
        return self.schedule.lam(t)

    def enter(self, z, lam):
        """αz."""
        return _nest.map(lambda a: factor(self.schedule.scales(_nest.to(lam, a.dtype))[0], a) * a, z)

    def leave(self, state, lam):
        """x/α."""
        return _nest.map(lambda a: a / factor(self.schedule.scales(_nest.to(lam, a.dtype))[0], a), state)


def _parts(schedule, t, dtype):
    """α, σ, α̇, σ̇ and λ̇ = α̇/α − σ̇/σ at t."""
    alpha, sigma = schedule.scales(schedule.lam(t))
    da, ds = schedule.slopes(t)
    return tuple(tf.cast(a, dtype) for a in (alpha, sigma, da, ds, da / alpha - ds / sigma))


@dataclass(frozen=True)
class Move:
    """α̇D + σ̇ε + η λ̇(αD − x), ε = (x − αD)/σ."""

    schedule: Schedule
    inner: Pull

    def __call__(self, t, x):
        """At t and x."""
        alpha, sigma, da, ds, rate = _parts(self.schedule, t, x.dtype)
        D = self.inner.denoiser(x / alpha, self.schedule.lam(t))
        noise, eta = x - alpha * D, _nest.to(self.inner.rate, x.dtype) - 1
        extra = eta * rate * noise if self.inner.noisy else 0.0
        return da * D + ds / sigma * noise - extra

    def check_times(self, t):
        """Refuse meshes as in λ and z."""
        self.inner.check_times(self.schedule.lam(np.asarray(t, np.float64)).numpy())


@dataclass(frozen=True)
class Width:
    """σ√(2η|λ̇|)."""

    schedule: Schedule
    eta: Any

    def __call__(self, t, x):
        """At t, for each entry of x."""
        return tf.fill(tf.shape(x), Path(self.schedule).amplitude(_nest.to(self.eta, x.dtype), t, x.dtype))
