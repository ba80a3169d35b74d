"""Samplers by their usual names: each is a law, a mesh and a stepper, to be handed to `ds.solve`; none has a loop.

    s = gen.samplers.dpm_solver_pp(denoiser, gen.karras(20, 0.03, 14.6), order=2)
    x = gen.sample(s, gen.prior(s.mesh, (64, 32, 32, 3), key)).final

References, beside those of the steppers:
    Song, Meng & Ermon (2021), arXiv:2010.02502; Ho, Jain & Abbeel (2020), arXiv:2006.11239; Karras et al. (2022),
    arXiv:2206.00364; Lu et al. (2022), arXiv:2206.00927 and 2211.01095; Zhang & Chen (2023), arXiv:2204.13902;
    Zhao et al. (2023), arXiv:2302.04867; Liu et al. (2022), arXiv:2202.09778.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffsim import _checks
from diffsim.equation import Equation
from diffsim.generative.forms import Data, Form, Noise, Sigma
from diffsim.generative.mesh import Mesh
from diffsim.generative.renewal import of_churn, of_ddim, renewed
from diffsim.generative.schedule import END
from diffsim.steppers.base import Stepper
from diffsim.steppers.corrected import ETDPC, ETDBlock
from diffsim.steppers.detour import Churn, Detour, Settled
from diffsim.steppers.explicit import Euler, Heun
from diffsim.steppers.exponential import ETD1, ETDRK4
from diffsim.steppers.multistep import ETDAB, AdamsBashforth, ETDMidpoint
from diffsim.steppers.pseudo import PLMS
from diffsim.steppers.relay import Relay
from diffsim.stepsize import PID


@dataclass(frozen=True)
class Sampler:
    """What `ds.solve` needs to sample: solve(s.law, s.form.enter(z, λ₀), t=s.times, stepper=s.stepper, …).

    Attributes:
        law: the reverse law, or the probability flow.
        stepper: how to take one step.
        mesh: λ from noise to data.
        form: the variables in which the law is written.
        evaluations: how often the denoiser is asked; None where steps are adapted.
        dt: a PID where steps are adapted.
    """

    law: Equation
    stepper: Stepper
    mesh: Mesh
    form: Form = field(default_factory=Data)
    evaluations: int | None = None
    dt: PID | None = None

    @property
    def times(self):
        """The mesh in the time of the law; its ends where steps are adapted."""
        return self.form.times(self.mesh if self.dt is None else self.mesh[:: self.mesh.steps])


def ddim(denoiser: Callable, mesh: Mesh, eta: float = 0.0) -> Sampler:
    """DDIM, which is Euler's method in (x/α, σ/α), and exponential Euler in λ: order 1, one evaluation per step.

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        eta: 0 is the probability flow, 1 ancestral sampling; between them η² is the share of variance renewed in each
            step, by following the flow further and coming back by noise.
    """
    if eta in (0.0, 1.0):
        return _sampler(Data(), denoiser, mesh, ETD1(), eta=eta)
    return _renewed(Data(), denoiser, mesh, Detour(ETD1()), of_ddim(mesh, eta))


def ddpm(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """Ancestral sampling, with the smaller of DDPM's fixed variances; the same step is "Euler ancestral".

    Args:
        denoiser: D(z, λ).
        mesh: from noise to data.
        eta: η of `gen.reverse_sde`.
    """
    return _sampler(Data(), denoiser, mesh, ETD1(), eta=eta)


def euler(denoiser: Callable, mesh: Mesh) -> Sampler:
    """Euler's method in (x/α, σ/α): DDIM by another way."""
    return _sampler(Sigma(), denoiser, mesh, Euler())


def heun(denoiser: Callable, mesh: Mesh) -> Sampler:
    """Heun's method in (x/α, σ/α), two evaluations per step; a last step to σ = 0 is Euler's, with one."""
    return _sampler(Sigma(), denoiser, mesh, before_zero(Heun(), mesh), evaluations=2 * mesh.steps - to_zero(mesh))


def dpm2(denoiser: Callable, mesh: Mesh) -> Sampler:
    """DPM-Solver-2, the midpoint method of predicted noise: two evaluations per step, one in a last step to σ = 0."""
    stepper = before_data(ETDMidpoint(), mesh, ETD1())
    return _sampler(Noise(), denoiser, mesh, stepper, evaluations=2 * mesh.steps - to_zero(mesh))


def dpm2_ancestral(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """DPM2 to beyond each step's end, and noise back to it; two evaluations per step, one in a last to σ = 0."""
    stepper = before_data(Detour(ETDMidpoint()), mesh, Detour(ETD1()))
    return _renewed(Noise(), denoiser, mesh, stepper, of_ddim(mesh, eta), 2 * mesh.steps - to_zero(mesh))


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
    stepper = before_zero(Churn(Heun(), noise_scale), mesh, Churn(Euler(), noise_scale))
    return _renewed(Sigma(), denoiser, mesh, stepper, amounts, 2 * mesh.steps - to_zero(mesh))


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
    return _renewed(Data(), denoiser, mesh, Churn(ETD1(), noise_scale), amounts)


def predictor_corrector(denoiser: Callable, mesh: Mesh, eta: float = 1.0) -> Sampler:
    """DDIM, and after each step Langevin's dynamics at its noise level for the time ηh; two evaluations per step.

    A last step to σ = 0 is not corrected: there is no noise.
    """
    eta = _checks.number("eta", eta, least=0.0, why="it is the length of the corrector's step in that of the predictor")
    amounts = eta * np.diff(mesh.lam)
    stepper = before_data(Settled(ETD1()), mesh, Detour(ETD1()))
    return _renewed(Data(), denoiser, mesh, stepper, amounts, 2 * mesh.steps - to_zero(mesh))


def lms(denoiser: Callable, mesh: Mesh, order: int = 4) -> Sampler:
    """Adams–Bashforth in (x/α, σ/α), exact on the uneven mesh: "linear multistep" of k-diffusion."""
    enough(mesh, order)
    return _sampler(Sigma(), denoiser, mesh, AdamsBashforth(order))


def plms(denoiser: Callable, mesh: Mesh) -> Sampler:
    """PNDM without Runge–Kutta steps: multistep with the weights of equal steps, begun by a step of Heun's."""
    return _sampler(Sigma(), denoiser, mesh, PLMS(), evaluations=mesh.steps + 1)


def pndm(denoiser: Callable, mesh: Mesh) -> Sampler:
    """PNDM: three Runge–Kutta steps, then multistep with the weights of equal steps; 9 evaluations more than steps.

    Midpoints are taken in the time of the mesh's schedule, in λ if it has none.
    """
    enough(mesh, 4)
    return _sampler(Sigma(), denoiser, _halved(mesh, 3), PLMS(pairs=3), evaluations=mesh.steps + 9)


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
    return _sampler(Data(), denoiser, mesh, ETDAB(order, orders, midpoint, curvature), eta=eta)


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
    """DPM-Solver multistep: the same with predicted noise; arguments as of `dpm_solver_pp`."""
    orders = lowered(mesh, order, lower_final)
    return _sampler(Noise(), denoiser, mesh, ETDAB(order, orders, midpoint, curvature), eta=eta)


def deis(denoiser: Callable, mesh: Mesh, order: int = 3, *, lower_final: bool | None = None) -> Sampler:
    """DEIS (tAB in log σ/α): exponential Adams–Bashforth of predicted noise, order 1 to 3."""
    return dpm_solver(denoiser, mesh, order, midpoint=False, lower_final=lower_final)


def dpm_solver_pp_single(denoiser: Callable, mesh: Mesh, order: int = 2, *, midpoint: bool = True) -> Sampler:
    """DPM-Solver++ singlestep (2S, 3S): blocks of `order` steps of the mesh; the last one shorter if need be."""
    return _sampler(Data(), denoiser, mesh, ETDBlock(order, blocks(mesh, order), midpoint))


def dpm_solver_single(denoiser: Callable, mesh: Mesh, order: int = 2, *, midpoint: bool = True) -> Sampler:
    """DPM-Solver singlestep: the same with predicted noise."""
    return _sampler(Noise(), denoiser, mesh, ETDBlock(order, blocks(mesh, order), midpoint))


def unipc(denoiser: Callable, mesh: Mesh, order: int = 2, *, plain: bool = False, lower_final: bool = True) -> Sampler:
    """UniPC: DPM-Solver++ with a corrector that costs no evaluation; plain=True is its variant bh1, False bh2."""
    return _sampler(Data(), denoiser, mesh, ETDPC(order, _tapered(mesh, order, lower_final), plain))


def unipc_noise(
    denoiser: Callable, mesh: Mesh, order: int = 2, *, plain: bool = False, lower_final: bool = True
) -> Sampler:
    """UniPC of predicted noise."""
    return _sampler(Noise(), denoiser, mesh, ETDPC(order, _tapered(mesh, order, lower_final), plain))


def adaptive(denoiser: Callable, mesh: Mesh, rtol: float = 1e-4, atol: float = 1e-4) -> Sampler:
    """The probability flow between the ends of the mesh by `ETDRK4`, steps adapted to tolerances."""
    return replace(_sampler(Data(), denoiser, mesh, ETDRK4()), evaluations=None, dt=PID(rtol, atol))


def inversion(sampler: Callable, denoiser: Callable, mesh: Mesh, **options) -> Sampler:
    """From data to the noise that leads to them: a deterministic sampler on the mesh from its last λ < 40 back.

    Args:
        sampler: one of these functions, e.g. `ddim`.
        denoiser: D(z, λ).
        mesh: from noise to data, as for sampling.
        **options: of the sampler.
    """
    mesh = mesh[:-1] if to_zero(mesh) else mesh
    made = sampler(denoiser, mesh.reversed(), **options)
    if made.law.diffusion is not None:
        why = "noise cannot be followed back"
        _checks.refuse("sampler", _checks.Verbatim("one with noise"), "one without", why, "Use ddim or heun.")
    return made


def to_zero(mesh: Mesh) -> bool:
    """Whether the last step leads to pure data."""
    return bool(mesh.lam[-1] >= END)


def enough(mesh: Mesh, order: int):
    """Refuse meshes on which a method never reaches its order."""
    if mesh.steps < order:
        _checks.refuse(
            "order",
            order,
            f"1 ≤ order ≤ {mesh.steps}",
            f"the mesh has {mesh.steps} step{'s' if mesh.steps > 1 else ''}, and each order needs one more to begin",
            "Take more steps, or a lower order.",
        )


def before_data(stepper: Stepper, mesh: Mesh, last: Stepper) -> Stepper:
    """The stepper, with another, of one evaluation, for a last step to pure data, at λ = 40."""
    if not to_zero(mesh):
        return stepper
    return Relay(stepper, last, 0.5 * float(mesh.lam[-3] + mesh.lam[-2])) if mesh.steps > 1 else last


def before_zero(stepper: Stepper, mesh: Mesh, last: Stepper | None = None) -> Stepper:
    """The stepper, with Euler's method for a last step to σ = 0, where D says nothing new."""
    last = Euler() if last is None else last
    if not to_zero(mesh):
        return stepper
    return Relay(stepper, last, 0.5 * float(mesh.sigma[-3] + mesh.sigma[-2])) if mesh.steps > 1 else last


def lowered(mesh: Mesh, order: int, lower_final: bool | None) -> np.ndarray | None:
    """Orders of multistep steps: lower ones at the end, to data in one step of order 1."""
    enough(mesh, order)
    n = mesh.steps
    lower = n < 15 if lower_final is None else _checks.flag("lower_final", lower_final, why="it lowers orders")
    left = n - np.arange(n)
    orders = np.minimum(order, left) if lower else np.full(n, order)
    return _given(orders, lower or to_zero(mesh))


def _tapered(mesh, order, lower):
    enough(mesh, order)
    left = mesh.steps - np.arange(mesh.steps)
    orders = np.minimum(order, left) if lower else np.full(mesh.steps, order)
    return _given(orders, lower or to_zero(mesh))


def _given(orders, ends: bool):
    """The orders, the last of them 1; None where no step differs, so that one program does for any number of them."""
    if not ends:
        return None
    orders[-1] = 1
    return orders


def blocks(mesh: Mesh, order: int) -> np.ndarray | None:
    """Which step of its block each step is; the last blocks shorter, a step to σ = 0 by itself."""
    enough(mesh, order)
    n = mesh.steps
    return np.append(np.arange(n - 1) % order + 1, 1) if to_zero(mesh) else None


def _halved(mesh, count):
    first, second = mesh.lam[:count], mesh.lam[1 : count + 1]
    if mesh.schedule is None:
        middle = 0.5 * (first + second)
    else:
        t = mesh.t[: count + 1]
        middle = mesh.schedule.lam(0.5 * (t[:-1] + t[1:])).numpy()
    lam = np.ravel(np.stack([first, middle], 1))
    return replace(mesh, lam=np.concatenate([lam, mesh.lam[count:]]))


def _sampler(form: Form, denoiser, mesh, stepper, eta: float = 0.0, evaluations: Any = None) -> Sampler:
    way_out = "Use gen.karras(…), say."
    _checks.instance("mesh", mesh, Mesh, why="it says where steps begin and end", way_out=way_out)
    law = form.law(denoiser, eta)
    return Sampler(law, stepper, mesh, form, mesh.steps if evaluations is None else evaluations)


def _renewed(form, denoiser, mesh, stepper, amounts, evaluations=None):
    law = renewed(denoiser, mesh, amounts, form)
    return Sampler(law, stepper, mesh, form, mesh.steps if evaluations is None else evaluations)
