"""What comes into a run: the first state, stop conditions and functions, checked before anything is compiled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, names
from diffsim.calculus import Reach
from diffsim.equation import abstract
from diffsim.save import keep_state
from diffsim.stop import Stop, WallClock, When


def as_state(y0):
    """y0 as tensors; refuses integers, strings and non-finite numbers."""
    if not _nest.flatten(y0):
        _checks.refuse("y0", y0, "at least one array", "it is the state to move", "Pass an array.", TypeError)
    if isinstance(y0, list) and len(y0) > 1 and all(np.ndim(a) == 0 and not tf.is_tensor(a) for a in _nest.flatten(y0)):
        _checks.refuse("y0", y0, "an array", "a list is a state of many parts, here one number each",
                       "Pass np.array(y0).", TypeError)
    if any(isinstance(a, np.ma.MaskedArray) for a in _nest.flatten(y0)):
        _checks.refuse("y0", _checks.Verbatim("a masked array"), "a value in every cell", "masked cells have none",
                       "Pass y0.filled(0.0), and a shape for the region, if that is meant.", TypeError)
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


def check_path(law, plan, stepsize):
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


def check_functions(fn, stop, y):
    """Refuse an observable without value and a predicate that is no scalar bool."""
    kept = () if fn is keep_state else abstract("fn", fn, y)
    for a in _nest.flatten(kept):
        if a is None or isinstance(a, (str, bytes)) or getattr(a, "dtype", None) == tf.string:
            _checks.refuse(
                "fn", a, "a tensor or a nest of tensors", "records are made of it", "Return what to keep.", TypeError
            )
    if fn is not keep_state:
        names.fit(names.of_function(fn), kept)
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


def check_tolerance(stepsize, y0):
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
