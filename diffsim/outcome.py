"""What leaves a run: why it failed, where, and that no gradient leads back through it."""

from __future__ import annotations

from dataclasses import replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.run import Run
from diffsim.solution import Solution


def without_gradients(solution, given) -> Solution:
    """The same, whose gradients with respect to what was given are refused; else they would be missing silently."""

    def is_smooth(a):
        return isinstance(a, (tf.Tensor, tf.Variable)) and (a.dtype.is_floating or a.dtype.is_complex)

    given = [a for a in given if is_smooth(a)]
    if not given:
        return solution
    results = solution.final, solution.y
    flat = _nest.flatten(results)
    smooth = [i for i, a in enumerate(flat) if is_smooth(a)]

    def refuse(*bars):
        _checks.refuse(
            "gradient",
            _checks.Verbatim("one of solve"),
            "one of Simulation",
            "solve keeps none of the steps that a gradient goes back through",
            "Use Simulation(law, stepper, dt=…, like=y0).advance(y, steps, law=law) under the tape.",
            TypeError,
        )

    guard = tf.custom_gradient(lambda *_: ([flat[i] for i in smooth], refuse))
    for i, value in zip(smooth, guard(*(tf.convert_to_tensor(a) for a in given)), strict=True):
        flat[i] = value
    final, y = _nest.pack(results, flat)
    return replace(solution, final=final, y=y)


def cause_of(run: Run) -> str:
    """What is not finite at the last good state, or what makes states grow; empty if nothing can be told."""
    law, carry, plan = run.parts.law, run.carry, run.plan
    h = carry.control[0] if plan.adapted else plan.longest
    try:
        for time in (carry.t, carry.t + h / 2, carry.t + h):  # the step that failed
            t = _nest.to(time, _nest.real_dtype(carry.y))
            if law.drift is not None and not bool(_nest.all_finite(law.drift(t, carry.y))):
                return "The drift is not finite there: look for logarithms, roots and quotients in it."
            source = None if law.linear is None else law.linear.prepare(carry.y).source(t, carry.y)
            if source is not None and not bool(_nest.all_finite(source)):
                return "The value at a wall is not finite there."
        if plan.t1 < plan.t0 and law.linear is not None:
            return "The run goes backwards in time, where what diffusion smooths grows, the finest details most."
    except Exception:  # a cause is a help, and none is no harm
        return ""
    return ""


def place(solution) -> str:
    """Step and time of the last state."""
    return f"step {solution.steps:,} (t = {solution.t_final:g})"
