"""Samplers with noise: ancestral ones, churn, predictor and corrector, and plain steps of the reverse law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from diffsim import _checks
from diffsim.generative.clocks import Heat
from diffsim.generative.forms import Data, Form, Noise, Sigma
from diffsim.generative.mesh import Mesh, check_mesh
from diffsim.generative.renewal import of_churn, of_ddim
from diffsim.generative.samplers.base import Sampler, before_end, made, made_anew, to_zero
from diffsim.generative.variance import Told, knows
from diffsim.steppers.detour import Churn, Detour, Settled, Shaken
from diffsim.steppers.explicit import Euler, Heun
from diffsim.steppers.exponential import ETD1
from diffsim.steppers.guess import Drawn
from diffsim.steppers.multistep import ETDMidpoint
from diffsim.steppers.relay import Mean
from diffsim.steppers.stochastic import EulerMaruyama


def ddim(denoiser: Callable, mesh: Mesh, eta: float = 0.0) -> Sampler:
    """DDIM, which is Euler's method in (x/α, σ/α), and exponential Euler in λ: order 1, one evaluation per step.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        eta: 0 is the probability flow, 1 ancestral sampling; between them η² is the share of variance renewed in each
            step, by following the flow further and coming back by noise.
    """
    if eta in (0.0, 1.0):
        return made(Data(), denoiser, mesh, ETD1(), eta=eta)
    return made_anew(Data(), denoiser, mesh, Detour(ETD1()), of_ddim(mesh, eta))


def ddpm(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """Ancestral sampling, with the smaller of DDPM's fixed variances; the same step is "Euler ancestral".

    Denoisers that know how unsure they are, from `gen.unsure` or `gen.learned`, give their own variance, but for a last
    step to pure data, which has none.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        eta: η of `gen.reverse_sde`; with η → ∞ all noise is new in each step, as consistency models are sampled.
    """
    form, stepper = Data(), ETD1()
    sampler = made(form, denoiser, mesh, stepper, eta=eta)
    if sampler.law.diffusion is None or not knows(denoiser):
        return sampler
    law = replace(sampler.law, drift=Told(sampler.law.drift))
    return replace(sampler, law=law, stepper=before_end(form, Drawn(), mesh, Mean(Drawn())))


def euler_maruyama(denoiser: Callable, mesh: Mesh, eta: float = 1.0, form: Form | None = None) -> Sampler:
    """Plain steps of the reverse law, the predictor of score-based models: order 1, one evaluation per step.

    A last step to σ = 0 adds no noise.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        eta: η of `gen.reverse_sde`, > 0.
        form: variables, by default `clocks.Heat()`, z in the time σ²/α²; `clocks.Path(schedule)` for x in its t.
    """
    form = Heat() if form is None else form
    eta = _checks.number("eta", eta, above=0.0, why="it is the noise; samplers.euler has none")
    return made(form, denoiser, mesh, before_end(form, EulerMaruyama(), mesh, Mean(EulerMaruyama())), eta=eta)


def score_sde(denoiser: Callable, mesh: Mesh, ratio: float = 0.16) -> Sampler:
    """Predictor and corrector as published: before each step of `euler_maruyama` one of Langevin's dynamics.

    z ↦ z + ε s + √(2ε) ξ, s the score and ε = 2(r|ξ|/|s|)² for each sample; two evaluations per step.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        ratio: r, noise to score.
    """
    check_mesh(mesh)
    form = Heat()
    ratio = _checks.number("ratio", ratio, above=0.0, why="it is the ratio of noise to score")
    stepper = before_end(form, Shaken(EulerMaruyama(), ratio), mesh, Shaken(Mean(EulerMaruyama()), ratio))
    amounts = np.diff(np.minimum(mesh.lam, 40.0))
    return made_anew(form, denoiser, mesh, stepper, amounts, 2 * mesh.steps)


def dpm2_ancestral(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """DPM2 to beyond each step's end, and noise back to it; two evaluations per step, one in a last to σ = 0."""
    form = Noise()
    stepper = before_end(form, Detour(ETDMidpoint()), mesh, Detour(ETD1()))
    return made_anew(form, denoiser, mesh, stepper, of_ddim(mesh, eta), 2 * mesh.steps - to_zero(mesh))


def edm(
    denoiser: Callable,
    mesh: Mesh,
    churn: float = 0.0,
    *,
    least: float = 0.0,
    most: float = np.inf,
    noise_scale: float = 1.0,
) -> Sampler:
    """EDM's stochastic sampler: in each step noise is added, then Heun's method goes all the way.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data; `gen.karras` is EDM's.
        churn: S_churn, the growth of the noise level over all steps; a step's is at most √2 − 1.
        least: S_tmin, the least noise level σ/α at which noise is added.
        most: S_tmax, the largest.
        noise_scale: S_noise; beyond 1 it makes up for what a network smooths away.
    """
    amounts = of_churn(mesh, churn, least, most)
    noise_scale = _checks.number("noise_scale", noise_scale, above=0.0, why="it multiplies standard deviations")
    form = Sigma()
    stepper = before_end(form, Churn(Heun(), noise_scale), mesh, Churn(Euler(), noise_scale))
    return made_anew(form, denoiser, mesh, stepper, amounts, 2 * mesh.steps - to_zero(mesh))


def euler_churn(
    denoiser: Callable,
    mesh: Mesh,
    churn: float = 0.0,
    *,
    least: float = 0.0,
    most: float = np.inf,
    noise_scale: float = 1.0,
) -> Sampler:
    """The same with Euler's method, one evaluation per step; arguments as of `edm`."""
    amounts = of_churn(mesh, churn, least, most)
    noise_scale = _checks.number("noise_scale", noise_scale, above=0.0, why="it multiplies standard deviations")
    return made_anew(Data(), denoiser, mesh, Churn(ETD1(), noise_scale), amounts)


def predictor_corrector(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """DDIM, and after each step Langevin's dynamics at its noise level for the time ηh; two evaluations per step.

    A last step to σ = 0 is not corrected: there is no noise.
    """
    check_mesh(mesh)
    eta = _checks.number("eta", eta, least=0.0, why="it is the length of the corrector's step in that of the predictor")
    amounts = eta * np.diff(mesh.lam)
    form = Data()
    stepper = before_end(form, Settled(ETD1()), mesh, Detour(ETD1()))
    return made_anew(form, denoiser, mesh, stepper, amounts, 2 * mesh.steps - to_zero(mesh))
