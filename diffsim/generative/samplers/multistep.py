"""Samplers that remember: multistep methods of predicted noise or data, blocks of steps, and a corrector for free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from diffsim.generative.forms import Data, Noise, Sigma
from diffsim.generative.mesh import Mesh, check_mesh
from diffsim.generative.samplers.base import Sampler, blocks, enough, lowered, made, tapered, to_zero
from diffsim.steppers.corrected import ETDPC, ETDBlock
from diffsim.steppers.multistep import ETDAB, AdamsBashforth
from diffsim.steppers.pseudo import PLMS


def lms(denoiser: Callable, mesh: Mesh, order: int = 4) -> Sampler:
    """Adams–Bashforth in (x/α, σ/α), exact on the uneven mesh: "linear multistep" of k-diffusion."""
    enough(mesh, order)
    return made(Sigma(), denoiser, mesh, AdamsBashforth(order))


def plms(denoiser: Callable, mesh: Mesh) -> Sampler:
    """PNDM without Runge–Kutta steps: multistep with the weights of equal steps, begun by a step of Heun's."""
    check_mesh(mesh)
    return made(Sigma(), denoiser, mesh, PLMS(), evaluations=mesh.steps + 1)


def pndm(denoiser: Callable, mesh: Mesh) -> Sampler:
    """PNDM: three Runge–Kutta steps, then multistep with the weights of equal steps; 9 evaluations more than steps.

    Midpoints are taken in the time of the mesh's schedule, in λ if it has none.
    """
    enough(mesh, 4)
    return made(Sigma(), denoiser, _halved(mesh, 3), PLMS(pairs=3), evaluations=mesh.steps + 9)


def dpm_solver_pp(
    denoiser: Callable,
    mesh: Mesh,
    order: int = 2,
    *,
    eta: float = 0.0,
    midpoint: bool = True,
    lower_final: bool | None = None,
    curvature: float = 1.0,
) -> Sampler:
    """DPM-Solver++ multistep (2M, 3M), and its SDE siblings with eta=1: exponential Adams–Bashforth of predicted data.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        order: 1, 2 or 3.
        eta: 0, or 1 for the noise of the reverse process, integrated exactly.
        midpoint: steps of order 2 hold D in their middle; False integrates it exactly ("heun" in diffusers).
        lower_final: take the last steps with lower orders; None does with fewer than 15 steps. A last step to σ = 0 is
            of order 1 in any case.
        curvature: see `ETDAB`; ½ is what published code of order 3 does, which leaves it of order 2.
    """
    orders = lowered(mesh, order, lower_final)
    return made(Data(), denoiser, mesh, ETDAB(order, orders, midpoint, curvature), eta=eta)


def dpm_solver(
    denoiser: Callable,
    mesh: Mesh,
    order: int = 2,
    *,
    eta: float = 0.0,
    midpoint: bool = True,
    lower_final: bool | None = None,
    curvature: float = 1.0,
) -> Sampler:
    """DPM-Solver multistep: the same with predicted noise; arguments as of `dpm_solver_pp`.

    With eta=1 a last step to σ = 0 leaves noise of the level before it, twice in variance: end there, with
    `to_zero=False`, or predict data.
    """
    orders = lowered(mesh, order, lower_final)
    return made(Noise(), denoiser, mesh, ETDAB(order, orders, midpoint, curvature), eta=eta)


def deis(denoiser: Callable, mesh: Mesh, order: int = 3, *, lower_final: bool | None = None) -> Sampler:
    """DEIS (tAB in log σ/α): exponential Adams–Bashforth of predicted noise, order 1 to 3."""
    return dpm_solver(denoiser, mesh, order, midpoint=False, lower_final=lower_final)


def dpm_solver_pp_single(
    denoiser: Callable, mesh: Mesh, order: int = 2, *, eta: float = 0.0, midpoint: bool = True
) -> Sampler:
    """DPM-Solver++ singlestep (2S, 3S): blocks of `order` steps of the mesh; the last one shorter if need be.

    With eta=1 each stage has the noise of the reverse process since its block began.
    """
    return made(Data(), denoiser, mesh, ETDBlock(order, blocks(mesh, order), midpoint), eta=eta)


def dpm_solver_single(denoiser: Callable, mesh: Mesh, order: int = 2, *, midpoint: bool = True) -> Sampler:
    """DPM-Solver singlestep: the same with predicted noise."""
    return made(Noise(), denoiser, mesh, ETDBlock(order, blocks(mesh, order), midpoint))


def dpm_sde(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """DPM++ SDE: each step a block of two, through its middle in λ, whose estimate moves the whole of it.

    Two evaluations per step, one in a last step to σ = 0.
    """
    whole = mesh.lam[:-1] if to_zero(mesh) else mesh.lam
    middle = 0.5 * (whole[:-1] + whole[1:])
    lam = np.append(np.ravel(np.stack([whole[:-1], middle], 1)), whole[-1:])
    fine = replace(mesh, lam=np.append(lam, mesh.lam[-1:]) if to_zero(mesh) else lam)
    return made(Data(), denoiser, fine, ETDBlock(2, blocks(fine, 2), True), eta=eta)


def unipc(denoiser: Callable, mesh: Mesh, order: int = 2, *, plain: bool = False, lower_final: bool = True) -> Sampler:
    """UniPC: DPM-Solver++ with a corrector that costs no evaluation; plain=True is its variant bh1, False bh2."""
    return made(Data(), denoiser, mesh, ETDPC(order, tapered(mesh, order, lower_final), plain))


def unipc_noise(
    denoiser: Callable, mesh: Mesh, order: int = 2, *, plain: bool = False, lower_final: bool = True
) -> Sampler:
    """UniPC of predicted noise."""
    return made(Noise(), denoiser, mesh, ETDPC(order, tapered(mesh, order, lower_final), plain))


def _halved(mesh, count):
    first, second = mesh.lam[:count], mesh.lam[1 : count + 1]
    if mesh.schedule is None:
        middle = 0.5 * (first + second)
    else:
        t = mesh.t[: count + 1]
        middle = mesh.schedule.lam(0.5 * (t[:-1] + t[1:])).numpy()
    lam = np.ravel(np.stack([first, middle], 1))
    return replace(mesh, lam=np.concatenate([lam, mesh.lam[count:]]))
