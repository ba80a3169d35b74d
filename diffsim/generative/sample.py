"""`sample`: a sampler handed to `ds.solve`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from diffsim import _checks
from diffsim.generative.forms import Data, Form
from diffsim.generative.samplers import Sampler
from diffsim.intake import as_state
from diffsim.save import SaveAt, keep_state
from diffsim.solution import Solution
from diffsim.solve import solve


@dataclass(frozen=True)
class Seen:
    """An observable fn(λ, z) in other variables."""

    form: Form
    fn: Callable

    def __call__(self, t, state):
        """At the time and state of the form."""
        lam = self.form.instant(t)
        return self.fn(lam, self.form.leave(state, lam))


def sample(sampler: Sampler, z, *, key=None, save: SaveAt | None = None, **options) -> Solution:
    """z along a sampler's mesh: `ds.solve` in the sampler's variables, told in λ and z.

    Args:
        sampler: from `gen.samplers`.
        z: x/α at the first λ of the mesh, e.g. `gen.prior(sampler.mesh, …)`; data for an inversion.
        key: for samplers with noise.
        save: what to record; its times and observables fn(λ, z) are those of λ and z.
        **options: of `ds.solve`: progress, jit, stop, max_steps, throw.

    Returns:
        Solution with t = λ, and y and final in z, which is x itself at the end of a mesh that leads to pure data.

    Raises:
        ValueError, TypeError, SolveError: as `ds.solve`.
    """
    way_out = "Use gen.samplers.ddim(denoiser, mesh), say."
    _checks.instance("sampler", sampler, Sampler, why="it says how to go from noise to data", way_out=way_out)
    if taken := {"t", "dt", "stepper"} & set(options):
        why, way_out = "a sampler has its mesh and its stepper", "Make another sampler, or hand its parts to ds.solve."
        _checks.refuse("options", sorted(taken), "progress, jit, stop, max_steps or throw", why, way_out, TypeError)
    form, first = sampler.form, float(sampler.mesh.lam[0])
    asked = save
    if save is not None and not isinstance(form, Data):
        fn = save.fn if save.fn is keep_state else Seen(form, save.fn)
        save = replace(save, fn=fn, ts=None if save.ts is None else form.times(np.asarray(save.ts, np.float64)))
    s, y0 = sampler, form.enter(as_state(z), first)
    times = np.asarray(s.times, np.float64)
    dt = abs(float(times[1] - times[0])) if s.dt is None and times.size == 2 else s.dt  # two times are no mesh yet
    sol = solve(s.law, y0, s.times, stepper=s.stepper, dt=dt, key=key, save=save, **options)
    lam, last = form.lam(sol.t), float(form.lam(sol.t_final))
    kept = asked is None or asked.fn is keep_state
    y = form.leave(sol.y, lam) if kept and sol.y is not None else sol.y
    return replace(sol, t=lam, y=y, final=form.leave(sol.final, last), t_final=last)

