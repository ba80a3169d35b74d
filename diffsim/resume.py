"""Continue a run from its file, bit for bit."""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.intake import split_stops
from diffsim.jump import Jump
from diffsim.law import Law
from diffsim.run import Run
from diffsim.save import SaveAt, keep_state
from diffsim.solution import Solution
from diffsim.solve import compose, finish
from diffsim.steppers.base import Stepper


def resume(
    path,
    *,
    law: Equation | Jump | Law | None = None,
    stepper: Stepper | None = None,
    until: float | None = None,
    fn=None,
    stop=None,
    progress: bool | None = None,
    max_steps: int | None = None,
    throw: bool = True,
) -> Solution:
    """Go on with a run that streamed to a file and was killed, stopped or has ended.

    It takes the same steps as the run would have taken without the break: equal bits.

    Args:
        path: the file that SaveAt(to=path) wrote.
        law: the law; needed only if it holds functions that a file cannot (lambdas, closures). It must be the law of
            the file in all that a file holds.
        stepper: the stepper, likewise: needed only if it, or an observer in it, holds such functions.
        until: a new final time, for runs that had reached theirs; the step and the distance between records stay,
            the last step alone may be shorter.
        fn: the function that reduced records, needed if there was one.
        stop: as for `solve`; a Steady condition is remembered.
        progress: as for `solve`.
        max_steps: bound on all steps, those before the break included.
        throw: as for `solve`.

    Returns:
        The Solution of the whole run, records before the break included.

    Raises:
        OSError: no such file, or not one of diffsim's.
        ValueError: the file holds no checkpoint, a law or stepper that must be passed, or another than that passed.
    """
    from diffsim.io import Recorder, load  # h5py only where files are read

    began = time.perf_counter()
    if not isinstance(path, (str, os.PathLike)):
        _checks.refuse(
            "path", path, "the name of a file", "a run is continued from its file", 'Pass e.g. "run.h5".', TypeError
        )
    if law is not None:
        kinds = (Equation, Jump, Law)
        _checks.instance("law", law, kinds, why="a run moves along a law", way_out="Build an Equation(…).")
    with load(path) as stored:
        if stored.checkpoint is None:
            _checks.refuse(
                "path",
                str(path),
                "a run with a checkpoint",
                "it was killed before its first record",
                "Start it again with solve(…).",
            )
        carry, request = stored.checkpoint
        if law is None:
            law = stored.decode_law()
        elif difference := stored.differs(law):
            _checks.refuse(
                "law",
                _checks.Verbatim(difference),
                "the law of the file",
                "a run goes on as it began, and its file says by which law",
                "Pass that law, or start a new run from solution.final.",
            )
    request["stepper"] = _stepper(request, stepper)
    if not request["keeps_state"] and fn is None:
        _checks.refuse(
            "fn",
            None,
            "the function that reduced the records",
            "functions are not stored in files",
            "Pass fn=… as it was given to SaveAt.",
            TypeError,
        )
    n = len(_nest.flatten(request["state"]))
    y = _nest.pack(request["state"], [tf.constant(a) for a in carry[2 : 2 + n]])
    save = SaveAt(ts=request["ts"], every=request["every"], fn=fn or keep_state, to=str(path))
    condition, clock = split_stops(stop)
    condition = request["stop"] if condition is None else condition
    parts, plan, info = compose(law, y, request["t"], request["stepper"], request["dt"], save, condition)
    if request.get("step"):
        plan = _stepping(plan, request["step"])
        info["dt"] = abs(plan.longest)
    info["resumed_at"] = float(carry[1])
    jit = request["jit"]
    if until is not None:
        request, parts, plan, save, info = _further(
            until, float(carry[1]), law, y, request, plan, save, condition, path
        )
    key = tf.zeros([2], tf.uint32) if request["key"] is None else tf.constant(request["key"])
    run = Run(parts, plan, save, key, jit, info, law.names)
    run.start(y)
    run.resume_from(Recorder.reopen(path, request["records"]), carry, request, fresh=until is not None)
    return finish(run, clock, progress, max_steps, throw, began)


def _stepper(request, given):
    """The stepper of the file, or the one that was passed, if that is the same in all that the file holds."""
    from diffsim.io import codec

    stored = request["stepper"]
    if given is None and request["lost"]:
        _checks.refuse(
            "stepper",
            _checks.Verbatim(f"one with {request['lost'][0]}"),
            "one of numbers and of functions at the top level of a module that can be imported",
            "a file holds names and numbers, no code",
            "Pass stepper=… as it was given to solve.",
        )
    if given is None:
        return stored
    _checks.instance("stepper", given, Stepper, why="it takes the steps", way_out="Pass it as it was given to solve.")
    if difference := codec.difference(codec.encode(stored), codec.encode(given)):
        why = "a run goes on as it began, and its file says by which stepper"
        way_out = "Pass that one, or start a new run from solution.final."
        _checks.refuse("stepper", _checks.Verbatim(difference), "the stepper of the file", why, way_out)
    return given


def _further(until, now, law, y, request, plan, save, condition, path):
    """The request and schedule of a continuation beyond the final time."""
    until = _checks.number("until", until, why="it is the new final time")
    forward = plan.t1 > plan.t0
    if now != plan.t1 or (until > now) != forward or until == now:
        _checks.refuse(
            "until",
            until,
            f"a time beyond {plan.t1:g}, for a run that has reached it",
            f"this run is at t = {now:g}",
            "Leave until out to finish the run first.",
        )
    if request["ts"] is not None or len(request["t"]) > 2:
        _checks.refuse(
            "until",
            until,
            "a run with dt, recorded at its end or every n steps",
            "the times of its mesh or records end where they ended",
            "Start a new run from solution.final.",
        )
    step = None if plan.adapted or request["dt"] is None else abs(plan.longest)
    request = request | {"t": np.array([now, until]), "step": step}
    parts, plan, info = compose(law, y, request["t"], request["stepper"], request["dt"], save, condition)
    if step:
        plan = _stepping(plan, step)
        info["dt"] = abs(plan.longest)
    return request, parts, plan, save, info | {"resumed_at": now}


def _stepping(plan, step):
    """The plan with steps of the given length, but for a last one that is shorter."""
    ratio = abs(plan.t1 - plan.t0) / step
    whole = math.floor(ratio + 1e-9)
    if ratio - whole <= 1e-9:
        return replace(plan, counts=np.array([whole]))
    knots = [plan.t0 + whole * step * np.sign(plan.t1 - plan.t0), plan.t1]
    first = 0 if whole else 1
    saves = np.array([False, plan.saves[-1]])
    return replace(plan, knots=np.array(knots)[first:], counts=np.array([whole, 1])[first:], saves=saves[first:])
