"""Samplers of one step each, along the probability flow, and the way back along it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from diffsim import _checks
from diffsim.generative.forms import Data, Form, Noise, Sigma
from diffsim.generative.mesh import Mesh
from diffsim.generative.samplers.base import Sampler, before_end, made, to_zero
from diffsim.steppers.explicit import Euler, Heun
from diffsim.steppers.exponential import ETD1, ETDRK4
from diffsim.steppers.multistep import ETDMidpoint
from diffsim.stepsize import PID


def euler(denoiser: Callable, mesh: Mesh, form: Form | None = None) -> Sampler:
    """Euler's method in (x/α, σ/α): DDIM by another way; order 1, one evaluation per step.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        form: variables, by default `forms.Sigma()`; `clocks.Path(schedule)` steps along the velocity in a schedule's t.
    """
    return made(Sigma() if form is None else form, denoiser, mesh, Euler())


def heun(denoiser: Callable, mesh: Mesh, form: Form | None = None) -> Sampler:
    """Heun's method in (x/α, σ/α), two evaluations per step; a last step to σ = 0 is Euler's, with one.

    Arguments as of `euler`.
    """
    form = Sigma() if form is None else form
    stepper = before_end(form, Heun(), mesh, Euler())
    return made(form, denoiser, mesh, stepper, evaluations=2 * mesh.steps - to_zero(mesh))


def dpm2(denoiser: Callable, mesh: Mesh) -> Sampler:
    """DPM-Solver-2, the midpoint method of predicted noise: two evaluations per step, one in a last step to σ = 0."""
    form = Noise()
    stepper = before_end(form, ETDMidpoint(), mesh, ETD1())
    return made(form, denoiser, mesh, stepper, evaluations=2 * mesh.steps - to_zero(mesh))


def adaptive(denoiser: Callable, mesh: Mesh, rtol: float = 1e-4, atol: float = 1e-4) -> Sampler:
    """The probability flow between the ends of the mesh by `ETDRK4`, steps adapted to tolerances."""
    return replace(made(Data(), denoiser, mesh, ETDRK4()), evaluations=None, dt=PID(rtol, atol))


def inversion(sampler: Callable, denoiser: Callable, mesh: Mesh, **options) -> Sampler:
    """From data to the noise that leads to them: a deterministic sampler on the mesh from its last λ < 40 back.

    Args:
        sampler: one of these functions, e.g. `ddim`.
        denoiser: D(z, λ).
        mesh: from noise to data, as for sampling.
        **options: of the sampler.
    """
    if not callable(sampler) or isinstance(sampler, Sampler):
        why, way_out = "it is made anew on the mesh turned round", "Pass gen.samplers.ddim itself, say."
        _checks.refuse("sampler", sampler, "a function of gen.samplers", why, way_out, TypeError)
    mesh = mesh[:-1] if to_zero(mesh) else mesh
    made = sampler(denoiser, mesh.reversed(), **options)
    if made.law.diffusion is not None:
        why = "noise cannot be followed back"
        _checks.refuse("sampler", _checks.Verbatim("one with noise"), "one without", why, "Use ddim or heun.")
    return made
