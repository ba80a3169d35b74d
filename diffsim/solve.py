"""`solve`: state a law, say from where and until when, and get the path."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._checks import SolveError
from diffsim._compiled import tensors
from diffsim.calculus import Reach
from diffsim.choose import stepper_for
from diffsim.equation import Equation, Slot, abstract
from diffsim.jump import Jump
from diffsim.march import Parts
from diffsim.run import Run
from diffsim.save import SaveAt, keep_state
from diffsim.schedule import Schedule, schedule
from diffsim.solution import Solution, Status
from diffsim.steppers.base import Stepper
from diffsim.steppers.implicit import TRBDF2
from diffsim.steppers.reaction import check_reaction
from diffsim.stepsize import PID
from diffsim.stop import Steady, Stop, WallClock, When

ASKED = "it was asked for"


def solve(
    law: Equation | Jump,
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
        law: an Equation, dY = [A Y + f] dt + g dN, or a Jump, reactions that fire at given propensities.
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
    given = _nest.flatten(y0)
    solution, structure = _solve(law, y0, t, stepper, dt, save, key, stop, progress, jit, max_steps, throw, began)
    return _without_gradients(solution, [*given, *_tree.flatten(law)[0], *tensors(structure)])


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
    run = Run(parts, plan, save, tf.zeros([2], tf.uint32) if key is None else tf.convert_to_tensor(key), jit, info)
    run.start(y0)
    if save.to is not None:
        run.record_to(save.to, law, request_of(parts, y0, t, dt, stepper, save, key, jit))
    return finish(run, clock, progress, max_steps, throw, began), run.structure


def _without_gradients(solution, given) -> Solution:
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
        interrupt = KeyboardInterrupt(f"{solution.status.value} This is error.solution.final, at {_place(solution)}.")
        interrupt.solution = solution
        raise interrupt
    if throw and solution.status.failed:
        where = f"at {_place(solution)}"
        cause = f" {run.complaint}" if run.complaint else ""
        raise SolveError(f"{solution.status.value} It happened after the last good state, {where}.{cause}", solution)
    return solution


def _place(solution) -> str:
    return f"step {solution.steps:,} (t = {solution.t_final:g})"


def as_state(y0):
    """y0 as tensors; refuses integers, strings and non-finite numbers."""
    try:
        y = _nest.map(_tensor, y0)
    except (ValueError, TypeError):
        _checks.refuse(
            "y0", y0, "a tensor, an array, or a nest of these", "it is the state to move", "Pass arrays.", TypeError
        )
    for leaf in _nest.flatten(y):
        if not (leaf.dtype.is_floating or leaf.dtype.is_complex):
            _checks.refuse(
                "y0",
                leaf,
                "floating-point numbers",
                "the precision of a run is that of its first state",
                "Cast it, e.g. to float32 or float64.",
                TypeError,
            )
        if not leaf.shape.is_fully_defined() or leaf.shape.num_elements() == 0:
            _checks.refuse(
                "y0", leaf, "a shape that is known and not empty", "programs are compiled for it", "Reshape it."
            )
    if len({leaf.dtype.real_dtype for leaf in _nest.flatten(y)}) > 1:
        kinds = sorted({leaf.dtype.name for leaf in _nest.flatten(y)})
        _checks.refuse(
            "y0",
            _checks.Verbatim(f"dtypes {kinds}"),
            "one precision",
            "a run has one precision",
            "Cast all parts to the same.",
            TypeError,
        )
    if not tf.is_symbolic_tensor(_nest.flatten(y)[0]) and not bool(_nest.all_finite(y)):
        _checks.refuse(
            "y0",
            _checks.Verbatim("NaN or infinity"),
            "finite values",
            "nothing finite follows from it",
            "Look for the first bad value with tf.math.is_finite.",
        )
    return y


def _tensor(a):
    """A tensor of its own: the caller's array may change later."""
    return tf.convert_to_tensor(np.array(a) if isinstance(a, np.ndarray) else a)


def split_stops(stop) -> tuple[Stop | None, WallClock | None]:
    """The condition that the loop checks, and the one that the host checks."""
    stops = stop if isinstance(stop, tuple) else () if stop is None else (stop,)
    for s in stops:
        _checks.instance("stop", s, (Stop, WallClock), why="it ends a run", way_out="Use Steady, When or WallClock.")
    inside, clocks = [s for s in stops if isinstance(s, Stop)], [s for s in stops if isinstance(s, WallClock)]
    if len(inside) > 1 or len(clocks) > 1:
        _checks.refuse(
            "stop",
            stop,
            "at most one of each kind",
            "the first to be reached would hide the other",
            "Combine them in one When(predicate).",
        )
    return (inside or [None])[0], (clocks or [None])[0]


def compose(law, y0, t, stepper, dt, save: SaveAt, stop) -> tuple[Parts, Schedule, dict]:
    """Everything checked and in the form in which it runs: parts of the program, schedule, and what to report."""
    way_out = "Build one with Equation(…), Jump.of(…) or a model's .on(…)."
    _checks.instance("law", law, (Equation, Jump), why="solve moves a state along a law", way_out=way_out)
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
        _check_tolerance(stepsize, y0)
    if stepsize is not None and not stepper.adaptive:
        _checks.refuse(
            "dt",
            stepsize,
            "a number",
            f"{type(stepper).__name__} estimates no error by which to adapt steps",
            "Pass dt=…, or use Tsit5(), TRBDF2(), RKL2() or ETDRK4().",
            TypeError,
        )
    if Slot.DIFFUSION in bound.slots():
        _check_path(bound, plan, stepsize)
    if stepsize is not None and save.every:
        why_not = "the number of steps is not known"
        _checks.refuse("every", save.every, "ts with adapted steps", why_not, "Use SaveAt(ts=[…]).")
    if not plan.adapted:
        check_reaction(stepper, bound, plan.t0, plan.longest, y0)
    stepper, bound = stepper.bind(bound, None if plan.adapted else plan.longest)
    stepper.check_start(bound, y0)
    info = {
        "stepper": type(stepper).__name__,
        "why": why,
        "dt": None if plan.adapted else abs(plan.longest),
        "dtype": _nest.real_dtype(y0).name,
    }
    _check_functions(save.fn, stop, y0)
    return Parts(bound, stepper, stepsize, stop, save.fn), plan, info


def _check_path(law, plan, stepsize):
    """Refuse adapted steps on noise that keeps no path, and times beyond its ends."""
    noise = law.noise
    if stepsize is not None and not noise.refinable:
        _checks.refuse(
            "dt",
            stepsize,
            "a number",
            f"a rejected step must be repeated on the same path, and {type(noise).__name__} has fresh increments only",
            "Pass dt=…, or Equation(noise=BrownianTree(t0, t1)) and Heun().",
            TypeError,
        )
    if stepsize is not None and plan.t1 < plan.t0 and law.reach is not Reach.NOTHING:
        _checks.refuse(
            "t",
            (plan.t0, plan.t1),
            "increasing times for adapted steps with noise that depends on the state",
            "its drift depends on the direction, which is known for steps of a given length",
            "Pass dt=….",
        )
    noise.covers(plan.t0, plan.t1, None if plan.adapted else plan.shortest)


def _check_functions(fn, stop, y):
    """Refuse an observable without value and a predicate that is no scalar bool."""
    if fn is not keep_state and any(a is None for a in _nest.flatten(abstract("fn", fn, y))):
        _checks.refuse(
            "fn", None, "a tensor or a nest of tensors", "records are made of it", "Return what to keep.", TypeError
        )
    if isinstance(stop, When):
        met = abstract("predicate", lambda t, y: tf.convert_to_tensor(stop.predicate(t, y)), y)
        if met.dtype != tf.bool or met.shape.rank != 0:
            _checks.refuse(
                "predicate",
                met,
                "a scalar bool",
                "it decides whether the run ends",
                "Reduce it, e.g. with tf.reduce_all.",
                TypeError,
            )


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
        if Slot.DIFFUSION in law.slots() or why == ASKED:
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
            "Pass dt=…, or use Tsit5(), TRBDF2(), RKL2() or ETDRK4().",
            TypeError,
        )
    why += "; steps are adapted to rtol=1e-6, atol=1e-9"
    return stepper, PID(), plan, why if stop is None else why + ", and halved to find the time of the stop"


def _check_tolerance(stepsize, y0):
    """Refuse tolerances that rounding never meets."""
    eps = float(np.finfo(_nest.real_dtype(y0).as_numpy_dtype).eps)
    size = max(float(tf.reduce_max(tf.abs(leaf))) for leaf in _nest.flatten(y0))
    if stepsize.rtol < 4 * eps and stepsize.atol < 4 * eps * size:
        name = _nest.real_dtype(y0).name
        _checks.refuse(
            "rtol",
            stepsize.rtol,
            f"a tolerance ≥ {4 * eps:.1e} for {name}",
            "rounding alone makes a larger error in every step",
            "Loosen it" + (", or make y0 float64." if name != "float64" else "."),
        )


def leaves_of(parts: Parts, y):
    """(tensors, structure) of the parts, numbers in the state's precision."""
    leaves, structure = _tree.flatten(parts)
    return _tree.as_tensors(leaves, _nest.real_dtype(y)), structure
