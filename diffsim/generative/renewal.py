"""Noise renewed step by step: a law whose share of noise η differs from step to step of a mesh.

    dz = [(D − z) + η(λ)(D − z)] dλ + √(2η(λ)) e^{−λ} dW,    ∫η dλ over step n given as Eₙ.

Every η ≥ 0 leaves the marginals as they are. What is called η in DDIM, and churn in EDM, are such tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.generative.denoiser import to_score
from diffsim.generative.forms import Data, Form
from diffsim.generative.mesh import Mesh, check_mesh
from diffsim.steppers.detour import Undoing


@dataclass(frozen=True)
class Shares:
    """E₀, E₁, …, the share of each step between knots of λ."""

    knots: np.ndarray
    amounts: np.ndarray

    def _at(self, lam):
        lam = tf.cast(lam, tf.float64)
        inner = tf.cast(self.knots, tf.float64)[1:-1]
        return tf.reduce_sum(tf.cast(inner <= lam, tf.int32))

    def over(self, begin, end):
        """E of the step between these values of λ, float64."""
        return tf.cast(tf.gather(self.amounts, self._at(0.5 * (begin + end))), tf.float64)

    def rate(self, lam, dtype):
        """η = E/h of the step in which λ is."""
        n = self._at(lam)
        knots = tf.cast(self.knots, dtype)
        return tf.gather(tf.cast(self.amounts, dtype), n) / (tf.gather(knots, n + 1) - tf.gather(knots, n))


@dataclass(frozen=True)
class Renewed(Undoing):
    """The flow, and η times its pull, in the variables of a form."""

    form: Form
    denoiser: Callable
    shares: Shares

    @property
    def flow(self):
        """The drift of the probability flow."""
        return self.form.flow(self.denoiser)

    def __call__(self, t, y):
        """At t and y."""
        eta, v = self.shares.rate(self.form.instant(t), y.dtype), self.flow(t, y)
        return v + eta * self.form.pull(v, t, y)

    def around(self, t, h):
        """λ(t) − E and λ(t + h) + E."""
        end = t + tf.cast(h, tf.float64)
        share = self.shares.over(self.form.instant(t), self.form.instant(end))
        return self.form.shifted(t, -share), self.form.shifted(end, share)

    def noised(self, y, begin, end, xi):
        """As the form has it."""
        return self.form.noised(y, begin, end, xi)

    def score(self, t, y):
        """(D − z)e^{2λ}, in the variables of the form."""
        lam = self.form.instant(t)
        z = self.form.leave(y, lam)
        return self.form.leave(to_score(self.denoiser(z, lam), z, lam), lam)

    def settled(self, y, t, h, at, xi):
        """z e^{−E} + (1 − e^{−E}) D + e^{−λ} √(1 − e^{−2E}) ξ: the bead of an optical trap at D."""
        end = t + tf.cast(h, tf.float64)
        share = _nest.to(self.shares.over(self.form.instant(t), self.form.instant(end)), y.dtype)
        lam = _nest.to(self.form.instant(at), y.dtype)
        wide = tf.exp(-lam) * tf.sqrt(-tf.math.expm1(-2 * share))
        return tf.exp(-share) * y - tf.math.expm1(-share) * self.denoiser(y, lam) + wide * xi

    def check_times(self, t):
        """As the flow; and times of this mesh."""
        self.flow.check_times(t)
        lam = np.asarray(self.form.lam(np.asarray(t)), np.float64)
        if lam.shape != self.shares.knots.shape or np.abs(lam - self.shares.knots).max() > 1e-6:
            why = "each step has its own share of noise"
            _checks.refuse("t", _checks.Verbatim("another mesh"), "the one of the law", why, "Make the law for it.")


@dataclass(frozen=True)
class Width:
    """The amplitude of the noise."""

    form: Form
    shares: Shares

    def __call__(self, t, y):
        """At t, for each entry of y."""
        eta = self.shares.rate(self.form.instant(t), y.dtype)
        return tf.fill(tf.shape(y), self.form.amplitude(eta, t, y.dtype))


def renewed(denoiser: Callable, mesh: Mesh, amounts: Any, form: Form | None = None) -> Equation:
    """The reverse law with the share Eₙ ≥ 0 of noise in step n of a mesh.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        amounts: Eₙ = ∫η dλ over step n, shape (steps,).
        form: variables of the law, by default λ and z.

    Returns:
        An Equation, for `Detour`, `Churn` or `Settled` around a stepper of the flow, or for `EulerMaruyama`.
    """
    form = Data() if form is None else form
    check_mesh(mesh)
    amounts = np.array(_checks.finite("amounts", amounts, least=0.0, why="they are shares of noise"), np.float64)
    if amounts.shape != (mesh.steps,):
        why = "each step has its own share of noise"
        _checks.refuse("amounts", amounts, f"shape ({mesh.steps},)", why, "Pass one for each step of the mesh.")
    shares = Shares(mesh.lam, amounts)
    drift = Renewed(form, denoiser, shares)
    noise = Width(form, shares) if amounts.any() else None
    return Equation(form.law(denoiser).linear, drift, noise)


def of_ddim(mesh: Mesh, eta: float) -> np.ndarray:
    """Eₙ of DDIM's η: a share η² of the variance that η = 1 renews, e^{−2E} = 1 − η²(1 − e^{−2h})."""
    check_mesh(mesh)
    eta = _checks.number("eta", eta, least=0.0, why="it is the share of noise that is renewed")
    if eta > 1.0:
        why = "DDIM renews at most all noise of a step"
        _checks.refuse("eta", eta, "0 ≤ η ≤ 1", why, "Use gen.samplers.ddpm(denoiser, mesh, eta) for more.")
    return -0.5 * np.log(1 - eta**2 + eta**2 * np.exp(-2 * np.diff(mesh.lam)))


def of_churn(mesh: Mesh, churn: float, least: float, most: float) -> np.ndarray:
    """Eₙ of EDM's churn: log(1 + γ), γ = min(churn/N, √2 − 1) where the noise level lies between two bounds."""
    check_mesh(mesh)
    churn = _checks.number("churn", churn, least=0.0, why="it is the noise added over all steps")
    if not (isinstance(least, (int, float)) and isinstance(most, (int, float)) and 0 <= least <= most):
        why, way_out = "noise is added at levels between them", "Look at both; 0 and math.inf are all levels."
        _checks.refuse("least, most", (least, most), "two noise levels, 0 ≤ least ≤ most", why, way_out)
    sigma = mesh.sigma[:-1]
    return np.where((sigma >= least) & (sigma <= most), np.log1p(min(churn / mesh.steps, 2**0.5 - 1)), 0.0)
