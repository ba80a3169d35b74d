"""`solve`: state a law, say from where and until when, and get the path."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree, random
from diffsim._checks import SolveError
from diffsim._compiled import tensors
from diffsim.choose import stepper_for
from diffsim.equation import Equation, Slot
from diffsim.intake import as_state, check_functions, check_path, check_tolerance, split_stops
from diffsim.jump import Jump
from diffsim.law import Law
from diffsim.march import Parts
from diffsim.outcome import cause_of, place, without_gradients
from diffsim.run import Run
from diffsim.save import SaveAt, keep_state
from diffsim.schedule import Schedule, schedule
from diffsim.solution import Solution, Status
from diffsim.steppers.base import Stepper
from diffsim.steppers.implicit import TRBDF2
from diffsim.steppers.reaction import check_reaction
from diffsim.steppers.wrap import loses
from diffsim.stepsize import PID
from diffsim.stop import Extinct, Steady

ASKED = "it was asked for"


def solve(
    law: Equation | Jump | Law,
    y0,
    t,
    *,
    stepper: Stepper | None = None,
    dt: float | PID | None = None,
    save: SaveAt | None = None,
    key=None,
    stop=None,
    progress: bool | None = None,
    jit: bool = True,
    max_steps: int | None = None,
    throw: bool = True,
) -> Solution:
    """Move a state along a law from t[0] to t[-1].

    Args:
        law: an Equation, dY = [A Y + f] dt + g dN, or a Jump, reactions that fire at given propensities; or
            particles.Molecules.
        y0: a tensor or array, or a nest of them; leading axes are the ensemble, trailing axes the grid. Its dtype is
            the precision of the run.
        t: (t0, t1), or the full mesh of times; increasing or decreasing [time].
        stepper: how to take one step; None chooses from the law's structure and says why in `solution.info`.
        dt: longest step [time], or PID(rtol, atol) to adapt it; None adapts, or takes exact steps where there are any.
        save: what to record; by default the final state.
        key: `ds.key(seed)`, needed for laws with noise.
        stop: a Steady, When or WallClock condition, or a tuple of them with at most one of Steady and When.
        progress: show a bar with steps per second, or a line every ten seconds where there is no terminal; None shows
            the bar on a terminal for runs longer than two seconds.
        jit: compile with XLA; False runs a TensorFlow graph (faster for large networks on a CPU).
        max_steps: bound on accepted and rejected steps.
        throw: raise SolveError, which carries the solution so far, when the run fails; and KeyboardInterrupt, which
            carries it too, on Ctrl-C, after files are safe. False returns the solution with its status instead.

    Returns:
        Solution with t, y (records), final, steps, rejected, status and info.

    Raises:
        ValueError, TypeError: input that cannot work, before anything is compiled.
        SolveError: the state became non-finite, or steps too small or too many; `error.solution` is the run so far.
        KeyboardInterrupt: Ctrl-C; `error.solution` is the run so far, and a file can be resumed.
    """
    began = time.perf_counter()
    if not tf.executing_eagerly():
        _checks.refuse(
            "solve",
            _checks.Verbatim("a call inside tf.function"),
            "a call from Python",
            "it is a loop on the host around programs that it compiles itself",
            "Call it outside, or use Simulation(law, stepper, dt=…, like=y0).advance(y, steps) inside.",
            TypeError,
        )
    _checks.flag("jit", jit, why="it says whether to compile with XLA")
    _checks.flag("throw", throw, why="it says whether to raise")
    if progress is not None:
        _checks.flag("progress", progress, why="it says whether to tell of progress")
    given = _nest.flatten(y0)
    solution, structure = _solve(law, y0, t, stepper, dt, save, key, stop, progress, jit, max_steps, throw, began)
    return without_gradients(solution, [*given, *_tree.flatten(law)[0], *tensors(structure)])


def _solve(law, y0, t, stepper, dt, save, key, stop, progress, jit, max_steps, throw, began):
    y0 = as_state(y0)
    save = (
        SaveAt()
        if save is None
        else _checks.instance(
            "save", save, SaveAt, why="it says what to record", way_out="Use SaveAt(ts=[…]) or SaveAt(every=n)."
        )
    )
    stop, clock = split_stops(stop)
    parts, plan, info = compose(law, y0, t, stepper, dt, save, stop)
    if key is None and parts.law.slots() & {Slot.DIFFUSION, Slot.JUMPS}:
        why = "noise is a function of key, step and element; there is no global generator"
        _checks.refuse("key", None, "a key", why, "Pass key=ds.key(0).", TypeError)
    if max_steps is not None:
        _checks.integer("max_steps", max_steps, least=1, why="it bounds the number of steps")
    key = tf.zeros([2], tf.uint32) if key is None else random.as_key(key)
    run = Run(parts, plan, save, key, jit, info, law.names)
    run.start(y0)
    if parts.stepsize is not None and not np.isfinite(float(run.carry.control[0])):
        _checks.refuse(
            "law",
            _checks.Verbatim("rates of change that are not finite at the start"),
            "finite ones",
            "the first step follows from them",
            cause_of(run) or "Look at drift and walls, at the first state and time.",
        )
    if save.units is not None:
        info["units"] = dict(save.units)
    if save.to is not None:
        run.record_to(save.to, law, request_of(parts, y0, t, dt, stepper, save, key, jit))
    return finish(run, clock, progress, max_steps, throw, began), run.structure


def request_of(parts, y0, t, dt, stepper, save, key, jit) -> dict:
    """What `resume` needs besides the law; functions are not stored and must be passed again."""
    places = _nest.pack(y0, list(range(len(_nest.flatten(y0)))))
    stop = parts.stop if isinstance(parts.stop, Steady) else None
    return {
        "t": np.asarray(t, np.float64),
        "dt": dt,
        "stepper": stepper,
        "stop": stop,
        "ts": save.ts,
        "every": save.every,
        "keeps_state": save.fn is keep_state,
        "key": None if key is None else np.asarray(key),
        "jit": jit,
        "state": places,
    }


def finish(run: Run, clock, progress, max_steps, throw, began) -> Solution:
    """March to the end, close files, and raise if the run failed and `throw` says so."""
    solution = run.to_end(clock.seconds if clock else None, progress, max_steps)
    solution.info["wall_s"] = time.perf_counter() - began
    if throw and solution.status is Status.INTERRUPTED:
        interrupt = KeyboardInterrupt(f"{solution.status.value} This is error.solution.final, at {place(solution)}.")
        interrupt.solution = solution
        raise interrupt
    if throw and solution.status.failed:
        where = f"at {place(solution)}"
        if run.complaint:
            raise SolveError(f"{run.complaint} The last good state, {where}, is solution.final.", solution)
        cause = cause_of(run) if solution.status is Status.NON_FINITE else ""
        cause = f" {cause}" if cause else ""
        raise SolveError(f"{solution.status.value} It happened after the last good state, {where}.{cause}", solution)
    return solution


def compose(law, y0, t, stepper, dt, save: SaveAt, stop) -> tuple[Parts, Schedule, dict]:
    """Everything checked and in the form in which it runs: parts of the program, schedule, and what to report."""
    way_out = "Build one with Equation(…), Jump.of(…) or a model's .on(…); laws of particles are its .law."
    _checks.instance("law", law, (Equation, Jump, Law), why="solve moves a state along a law", way_out=way_out)
    if isinstance(law, Jump) and isinstance(stop, Steady):
        why = "numbers of molecules never come to rest"
        _checks.refuse("stop", stop, "When, or none", why, "Ask for an average over the ensemble.", TypeError)
    bound, why = law.of_state(y0), ASKED
    stepsize = dt if isinstance(dt, PID) else None
    plan = schedule(t, None if stepsize else dt, save)
    if stepsize is not None and not plan.adapted:
        _checks.refuse(
            "dt",
            stepsize,
            "None with a mesh of times",
            "the mesh already says where each step ends",
            "Drop dt, or pass t=(t0, t1), with SaveAt(ts=…) for times that must be hit.",
        )
    if stepper is None:
        stepper, why = stepper_for(bound, None if plan.adapted else plan.longest)
    _checks.instance(
        "stepper", stepper, Stepper, why="it takes the steps", way_out="Use e.g. ETDRK2(), or leave it out."
    )
    if plan.adapted and stepsize is None:
        stepper, stepsize, plan, why = _free_steps(stepper, bound, plan, why, save, stop)
    if stepsize is not None:
        check_tolerance(stepsize, y0)
    if stepsize is not None and not stepper.adaptive:
        _checks.refuse(
            "dt",
            stepsize,
            "a number",
            f"{type(stepper).__name__} estimates no error by which to adapt steps",
            _way_to_steps(bound),
            TypeError,
        )
    if Slot.DIFFUSION in bound.slots():
        check_path(bound, plan, stepsize)
    if stepsize is not None and save.every:
        why_not = "the number of steps is not known"
        _checks.refuse("every", save.every, "ts with adapted steps", why_not, "Use SaveAt(ts=[…]).")
    if hasattr(bound.drift, "check_times"):
        bound.drift.check_times(t)
    if not plan.adapted:
        check_reaction(stepper, bound, plan.t0, plan.longest, y0)
    stepper.check_plan(plan)
    stepper, bound = stepper.bind(bound, None if plan.adapted else plan.longest)
    stepper.check_start(bound, y0)
    if isinstance(stop, Extinct) and not loses(stepper, bound, y0):
        why, way_out = "nothing would ever stop it", "Use Absorbed(…) or Reactive(…), or stop=When(lambda t, y: …)."
        _checks.refuse("stop", stop, "a stepper with walls that absorb or react", why, way_out)
    info = {
        "stepper": type(stepper).__name__,
        "why": why,
        "dt": None if plan.adapted else abs(plan.longest),
        "dtype": _nest.real_dtype(y0).name,
    }
    check_functions(save.fn, stop, y0)
    return Parts(bound, stepper, stepsize, stop, save.fn), plan, info


def _free_steps(stepper, law, plan, why, save, stop):
    """Steps when no dt is given: exact ones if the stepper is exact for this law, else adapted ones."""
    from diffsim.choose import is_exact

    if is_exact(stepper, law) and save.every:
        _checks.refuse(
            "every",
            save.every,
            "a dt to go with it",
            "every counts steps, and this law takes one exact step to each record",
            "Pass dt=…, or SaveAt(ts=[…]).",
        )
    if is_exact(stepper, law) and stop is not None:
        if law.slots() & {Slot.DIFFUSION, Slot.JUMPS} or why == ASKED:
            _checks.refuse(
                "dt",
                None,
                "a number",
                f"{type(stop).__name__} is asked after each step, and this law takes one exact step to each record",
                "Pass dt=…: the run ends within dt of the time sought.",
                TypeError,
            )
        stepper, why = TRBDF2(), "the stop condition is asked after each step, so steps follow the state"
    elif is_exact(stepper, law):
        return stepper, None, replace(plan, counts=np.ones_like(plan.counts)), why + "; one step leads to each record"
    if not stepper.adaptive:
        _checks.refuse(
            "dt",
            None,
            "a number",
            f"{type(stepper).__name__} estimates no error by which to choose it",
            _way_to_steps(law),
            TypeError,
        )
    why += "; steps are adapted to rtol=1e-6, atol=1e-9"
    return stepper, PID(), plan, why if stop is None else why + ", and halved to find the time of the stop"


def _way_to_steps(law) -> str:
    """What to do where a stepper does not choose its steps."""
    if Slot.JUMPS in law.slots():
        return "Pass dt=…."
    if Slot.DIFFUSION in law.slots():
        return "Pass dt=…, or Equation(noise=BrownianTree(t0, t1)) and Heun()."
    return "Pass dt=…, or use Tsit5(), TRBDF2(), RKL2() or ETDRK4()."


def leaves_of(parts: Parts, y):
    """(tensors, structure) of the parts, numbers in the state's precision."""
    leaves, structure = _tree.flatten(parts)
    return _tree.as_tensors(leaves, _nest.real_dtype(y)), structure
