"""What a sampler is, and what all share: how the last steps are taken, and which orders steps have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffsim import _checks
from diffsim.equation import Equation
from diffsim.generative.forms import Data, Form
from diffsim.generative.mesh import Mesh, check_mesh
from diffsim.generative.renewal import renewed
from diffsim.generative.schedule import END
from diffsim.steppers.base import Stepper
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


def to_zero(mesh: Mesh) -> bool:
    """Whether the last step leads to pure data."""
    check_mesh(mesh)
    return bool(mesh.lam[-1] >= END)


def enough(mesh: Mesh, order: int):
    """Refuse meshes on which a method never reaches its order."""
    check_mesh(mesh)
    order = _checks.integer("order", order, least=1, why="it counts the estimates that a step is made from")
    if mesh.steps < order:
        _checks.refuse(
            "order",
            order,
            f"1 ≤ order ≤ {mesh.steps}",
            f"the mesh has {mesh.steps} step{'s' if mesh.steps > 1 else ''}, and each order needs one more to begin",
            "Take more steps, or a lower order.",
        )


def _check_form(form):
    why, way_out = "the law is written in its variables", "Use gen.forms.Sigma() or gen.clocks.Path(schedule)."
    _checks.instance("form", form, Form, why=why, way_out=way_out)


def before_end(form: Form, stepper: Stepper, mesh: Mesh, last: Stepper) -> Stepper:
    """The stepper, with another, of one evaluation, for a last step to pure data, where D says nothing new.

    Where a mesh ends with noise the other is there and never has its turn: one program does for both.
    """
    _check_form(form)
    first = int(to_zero(mesh))  # steps that are the other's
    t = np.asarray(form.times(mesh.lam), np.float64)
    before = t[0] - (t[1] - t[0]) if first and mesh.steps == 1 else t[-2 - first]
    return Relay(stepper, last, 0.5 * float(before + t[-1 - first]))


def lowered(mesh: Mesh, order: int, lower_final: bool | None) -> np.ndarray | None:
    """Orders of multistep steps: lower ones at the end, to data in one step of order 1."""
    enough(mesh, order)
    n = mesh.steps
    lower = n < 15 if lower_final is None else _checks.flag("lower_final", lower_final, why="it lowers orders")
    left = n - np.arange(n)
    orders = np.minimum(order, left) if lower else np.full(n, order)
    return _given(orders, lower or to_zero(mesh))


def tapered(mesh: Mesh, order: int, lower: bool) -> np.ndarray | None:
    """The same where lower orders are not a matter of the number of steps."""
    enough(mesh, order)
    left = mesh.steps - np.arange(mesh.steps)
    _checks.flag("lower_final", lower, why="it lowers orders")
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


def made(form: Form, denoiser, mesh, stepper, eta: float = 0.0, evaluations: Any = None) -> Sampler:
    """The law of a form, a mesh and a stepper."""
    check_mesh(mesh)
    _check_form(form)
    law = form.law(denoiser, eta)
    return Sampler(law, stepper, mesh, form, mesh.steps if evaluations is None else evaluations)


def made_anew(form, denoiser, mesh, stepper, amounts, evaluations=None) -> Sampler:
    """The same with a share of noise for each step."""
    law = renewed(denoiser, mesh, amounts, form)
    return Sampler(law, stepper, mesh, form, mesh.steps if evaluations is None else evaluations)
