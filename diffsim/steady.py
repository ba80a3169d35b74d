"""Steady states: 0 = A y + b + f(y)."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.equation import Equation, Slot
from diffsim.solution import Solution, Status
from diffsim.solve import SolveError, as_state
from diffsim.steppers.implicit import ImplicitEuler, solve_stage

MOST_STEPS = 200


def steady(
    law: Equation, y0, *, rtol: float | None = None, t: float = 0.0, jit: bool = True, throw: bool = True
) -> Solution:
    """The state at which nothing changes, by implicit Euler steps that grow without bound.

    y_{k+1} = y_k + γ_k·rate(y_{k+1}): with γ large each step is one Newton step towards rate = 0, and γ follows the
    fall of the
    rate (switched evolution relaxation). Linear laws need two or three steps, whatever y0 is. Where the law
    conserves an
    amount (no flux through any wall, say), the steady state keeps that of y0.

    Args:
        law: linear part and drift; no noise.
        y0: where to start; the nearest steady state downhill is found where there are several.
        rtol: stop when the root mean square rate has fallen by this factor of the scale ρ·|y| + |b| [1]; 1e-12 in
        float64
            and 1e-5 in float32 if not given.
        t: time at which wall values and drift are taken.
        jit: compile with XLA.
        throw: raise SolveError if no steady state was found.

    Returns:
        Solution; `final` is the state, `info["residual"]` its root mean square rate.

    Raises:
        SolveError: the rate stopped falling; there may be no steady state.

    References:
        Mulder & van Leer (1985), doi:10.1016/0021-9991(85)90148-2; Kelley & Keyes (1998),
        doi:10.1137/S0036142996304796.
    """
    _checks.instance("law", law, Equation, why="a steady state is one of a law", way_out="Build an Equation(…).")
    if Slot.DIFFUSION in law.slots() or Slot.ORDER in law.slots():
        _checks.refuse(
            "law",
            _checks.Verbatim("noise or a fractional order"),
            "linear part and drift only",
            "a state at rest is sought",
            "Use solve, and average.",
        )
    y = as_state(y0)
    real = _nest.real_dtype(y)
    rtol = (
        (1e-12 if real == tf.float64 else 1e-5)
        if rtol is None
        else _checks.number("rtol", rtol, above=0.0, why="rounding keeps rates from zero")
    )
    bound = law.of_state(y)
    rho = bound.linear.radius() if bound.linear is not None else 0.0
    _, bound = ImplicitEuler().bind(bound, None)
    leaves, structure = _tree.flatten(bound)
    leaves = _tree.as_tensors(leaves, real)
    relax, size = _program(structure, jit, True), _program(structure, jit, False)
    t = tf.constant(t, tf.float64)

    rate, scale = (float(v) for v in size(leaves, y, t, tf.constant(rho, real)))
    best, steps, stalls = (rate, y), 0, 0
    gamma, began = _first(bound, rho, rate, scale), rate

    def found(
        rate, factor
    ):  # small beside what it is made of, and fallen from where it began: a runaway state is large
        return rate <= factor * rtol * scale and (rate <= 1e-3 * began or steps == 0)

    while not found(best[0], 1) and steps < MOST_STEPS and stalls < 5:
        new = relax(leaves, best[1], t, tf.constant(gamma, real))
        steps += 1
        now, wide = (float(v) for v in size(leaves, new, t, tf.constant(rho, real)))
        if not np.isfinite(now):
            gamma, stalls = gamma / 100, stalls + 1
            continue
        scale = max(scale, wide)
        stalls = stalls + 1 if now > 0.5 * best[0] and (gamma * rho > 1e8 or now > best[0]) else 0
        if now < best[0] or law.drift is not None and now < 100 * best[0]:
            gamma *= min(1e3, max(10.0, best[0] / max(now, 1e-300)))
            best = (now, new)
        else:
            gamma /= 10
    done = found(best[0], 100)
    info = {"stepper": "steady", "residual": best[0], "scale": scale, "steps": steps}
    solution = Solution(
        np.array([np.inf]),
        _nest.map(lambda a: a[None], best[1]),
        best[1],
        float("inf"),
        steps,
        0,
        Status.STEADY if done else Status.MAX_STEPS,
        info,
    )
    if throw and not done:
        raise SolveError(
            f"no steady state was found: the rate fell to {best[0]:.3g}, "
            f"expected ≤ {min(100 * rtol * scale, 1e-3 * began):.3g}, "
            "because the state keeps moving, sources have nowhere to go, or the start is too far. Start nearer "
            "(y0=solve(…).final), or look at the path with solve(…).",
            solution,
        )
    return solution


def _first(law, rho, rate, scale):
    """γ to begin with: beyond the slowest diffusive time for linear laws, careful for others."""
    if law.drift is None:
        from diffsim.equation import grid_of

        grid = grid_of(law.linear)
        n = max(grid.shape) if grid is not None else 1
        return 1e6 * n**2 / max(rho, 1e-300)
    return 10.0 * scale / max(rate, 1e-300) / max(rho, 1.0)


@functools.lru_cache(maxsize=32)
def _program(structure, jit: bool, step: bool):
    def relax(leaves, y, t, gamma):
        law = _tree.unflatten(structure, leaves).prepare(y)
        return solve_stage(law, t, gamma, y, y)

    def size(leaves, y, t, rho):
        law = _tree.unflatten(structure, leaves).prepare(y)
        rate = law.rate(t, y)
        still = law.rate(t, _nest.zeros(y))
        count = sum(leaf.shape.num_elements() for leaf in _nest.flatten(y))
        rms = [tf.sqrt(_nest.dot(v, v) / count) for v in (rate, y, still)]
        return rms[0], tf.maximum(rho, 1) * rms[1] + rms[2]

    return tf.function(relax if step else size, jit_compile=jit, autograph=False)
