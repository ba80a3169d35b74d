"""Noise added and undone, as laws for `ds.solve`: time is λ = log(α/σ), the state z = x/α.

    dz = (1 + η)(D(z, λ) − z) dλ + √(2η) e^{−λ} dW,    λ rising from noise to data,

has for every η the marginals of dz = √2 e^{−λ}dW, λ falling. It is an overdamped bead in a trap that sits at the
denoiser's estimate, while the temperature falls as e^{−2λ}; `ETD1` takes its linear part and its noise exactly, and is
DDIM at η = 0 and ancestral DDPM, with the smaller of its two fixed variances, at η = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim._tree import static
from diffsim.calculus import ExponentialAmplitude
from diffsim.equation import Equation
from diffsim.generative import denoiser as denoisers
from diffsim.generative.denoiser import alike, spread
from diffsim.generative.mesh import Mesh
from diffsim.generative.schedule import Schedule

BEYOND = 0.2  # how far, in λ, sampling may begin above the noise that a network knows


@dataclass(frozen=True)
class Pull:
    """(1 + η) D(z, λ), the drift of sampling."""

    denoiser: Callable
    rate: Any
    noisy: bool = static(default=False)

    def __call__(self, lam, z):
        """At λ and z."""
        return _nest.scale(_nest.to(self.rate, _nest.real_dtype(z)), self.denoiser(z, lam))

    def check_times(self, t):
        """Refuse noise on the way from data to noise, and a mesh of one schedule for a network of another."""
        lam = np.asarray(t, np.float64)
        if self.noisy and lam[-1] < lam[0]:
            _checks.refuse(
                "t",
                (float(lam[0]), float(lam[-1])),
                "values of λ that rise, from noise to data",
                "the reverse law holds in that direction, and adds noise as if it led there",
                "Turn the mesh round; from data to noise lead gen.probability_flow(D) and gen.forward_sde().",
            )
        blind = getattr(self.denoiser, "blind", None)
        if blind is not None and lam.min() < blind:
            _checks.refuse(
                "t",
                _checks.Verbatim(f"a mesh with λ = {lam.min():.3g}"),
                f"λ ≥ {blind:g} for a network that estimates noise or score",
                "near pure noise it only repeats its input, and its error is multiplied by σ/α",
                "Begin a little later: gen.uniform_time(schedule, steps, first=0.999*schedule.end); or train v or x₀.",
            )
        mine = getattr(self.denoiser, "schedule", None)
        most = -np.inf if mine is None else float(mine.lam(mine.end))
        if lam.min() < most - BEYOND:
            _checks.refuse(
                "t",
                _checks.Verbatim(f"a mesh with noise σ/α = {np.exp(-lam.min()):.4g}"),
                f"σ/α ≤ {np.exp(-most):.4g}, the largest of {mine}",
                "the network has never seen more noise, and would take it for less",
                f"Begin there: sigma_max={np.exp(-most):.4g}.",
            )
        theirs = t.schedule if isinstance(t, Mesh) else None
        if mine is not None and theirs is not None and not _same(mine, theirs):
            _checks.refuse(
                "t",
                _checks.Verbatim(f"a mesh of {theirs}"),
                f"one of {mine}",
                "the denoiser's network was trained on that schedule, and its times mean other noise on this one",
                "Make the mesh with the denoiser's schedule, or one of noise levels alone: gen.karras(…).",
            )


def _same(a, b) -> bool:
    from diffsim import _tree

    (x, s), (y, r) = _tree.flatten(a), _tree.flatten(b)
    return s == r and all(np.array_equal(np.asarray(p), np.asarray(q)) for p, q in zip(x, y, strict=True))


def reverse_sde(denoiser: Callable, eta: float = 1.0) -> Equation:
    """dz = (1 + η)(D(z, λ) − z) dλ + √(2η) e^{−λ} dW, from noise to data as λ rises.

    Args:
        denoiser: D(z, λ), an estimate of x₀ shaped like z.
        eta: 0 for the probability flow, 1 for the reverse of the noising process, more for more noise.

    Returns:
        An Equation; z from `gen.prior(mesh, …)`, t the mesh.

    Raises:
        TypeError, ValueError: no function, or η < 0.

    References:
        Anderson (1982), doi:10.1016/0304-4149(82)90051-5; Song et al. (2021), arXiv:2011.13456.
    """
    denoisers.check(denoiser, "it says where to go")
    eta = _checks.number("eta", eta, least=0.0, why="it is the share of noise that is renewed")
    noise = ExponentialAmplitude((2 * eta) ** 0.5, -1.0) if eta else None
    return Equation(linear=-(1 + eta), drift=Pull(denoiser, 1 + eta, bool(eta)), diffusion=noise)


def probability_flow(denoiser: Callable) -> Equation:
    """dz/dλ = D(z, λ) − z: the same marginals without noise, from noise to data or back."""
    return reverse_sde(denoiser, eta=0.0)


def forward_sde(schedule: Schedule | None = None) -> Equation:
    """Noise added to data: dz = √2 e^{−λ}dW as λ falls; with a schedule dx = f(t) x dt + g(t) dW as t rises.

    Args:
        schedule: None for the law of z in λ, which `ETD1` steps exactly; else the law of x in the schedule's t.
    """
    if schedule is None:
        return Equation(linear=0.0, diffusion=ExponentialAmplitude(2.0**0.5, -1.0))
    way_out = "Pass gen.VP(), say, or nothing."
    _checks.instance("schedule", schedule, Schedule, why="f and g follow from it", way_out=way_out)
    return Equation(drift=Fade(schedule), diffusion=Spread(schedule), local=True)


@dataclass(frozen=True)
class Fade:
    """f(t) x, f = d log α/dt."""

    schedule: Schedule

    def __call__(self, t, x):
        """At t and x."""
        return _nest.scale(self.schedule.rates(t)[0], x)


@dataclass(frozen=True)
class Spread:
    """g(t), g² = dσ²/dt − 2fσ²."""

    schedule: Schedule

    def __call__(self, t, x):
        """At t, for each entry of x."""
        g = tf.sqrt(self.schedule.rates(t)[1])
        return _nest.map(lambda a: tf.fill(tf.shape(a), tf.cast(g, a.dtype)), x)


def prior(mesh: Mesh, shape, key, dtype=tf.float32, *, data_std: float = 1.0, first: int = 0) -> tf.Tensor:
    """z at the first point of a mesh, N(0, e^{−2λ} + s²): noise, and data of which only the variance s² is known.

    With s = 1 x = αz is N(0, 1) where α² + σ² = 1.

    Args:
        mesh: from noise to data.
        shape: of z, the batch first.
        key: `ds.key(seed)`, another than that of `solve`.
        dtype: tf.float32 or tf.float64.
        data_std: s; 0 for noise alone.
        first: number of the first row within the whole of which this is a batch: the same rows come out of any split.
    """
    _checks.instance("mesh", mesh, Mesh, why="its first point says how large noise is", way_out="Use gen.karras(…).")
    if mesh.lam[0] > mesh.lam[-1]:
        why = "noise is drawn where sampling begins"
        _checks.refuse("mesh", _checks.Verbatim("λ that falls"), "λ that rises", why, "Leave out reversed().")
    data_std = _checks.number("data_std", data_std, least=0.0, why="it is a standard deviation")
    std = float(np.hypot(np.exp(-mesh.lam[0]), data_std))
    noise = random.normal(key, shape, dtype, first=first)
    return _nest.to(std, noise.dtype) * noise


def perturb(x0, epsilon, t, schedule: Schedule):
    """x_t = α(t) x₀ + σ(t) ε, t a scalar or one number for each row.

    Raises:
        TypeError, ValueError: x₀ and ε that are not alike, and as `marginal`.
    """
    x0, epsilon = alike("x0", x0, "epsilon", epsilon)
    alpha, sigma = marginal(t, schedule)
    if alpha.shape.rank and not alpha.shape.is_compatible_with(x0.shape[:1]):
        received, why = _checks.Verbatim(f"times of shape {alpha.shape}"), "each row of x₀ has its own time, or all one"
        _checks.refuse("t", received, f"one number, or shape {x0.shape[:1]}", why, "Look at the batch of both.")
    return spread(alpha, x0) * x0 + spread(sigma, x0) * epsilon


def marginal(t, schedule: Schedule):
    """α(t) and σ(t), of which x_t given x₀ has the mean αx₀ and the standard deviation σ; computed in float64.

    Raises:
        TypeError, ValueError: no schedule, or times beyond its ends.
    """
    why = "it says how data fade and noise grows"
    _checks.instance("schedule", schedule, Schedule, why=why, way_out="Pass gen.VP(), say.")
    why = f"times of this schedule lie between 0, data, and {schedule.end:g}, noise"
    _checks.finite("t", t, least=0.0, why=why, way_out="Look at its ends.")
    if not tf.is_symbolic_tensor(t) and (most := float(np.max(t, initial=0.0))) > schedule.end * (1 + 1e-6):
        _checks.refuse("t", most, f"times ≤ {schedule.end:g}", why, "Look at its ends.")
    t = tf.cast(t, tf.float64) if tf.is_tensor(t) else t
    return schedule.alpha(t), schedule.sigma(t)
