"""The one voice of errors: what was received, what was expected, why, and the way out."""

from __future__ import annotations

import math
import numbers
import sys
import warnings
from typing import NoReturn

import numpy as np


class SolveError(RuntimeError):
    """A run ended without reaching its final time; `solution` holds all that was computed."""

    def __init__(self, message: str, solution=None):
        super().__init__(message)
        self.solution = solution


def describe(value) -> str:
    """A short, one-line name of any value: arrays by shape and dtype, the rest by repr."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type):  # np.int32 is a type
        shape = tuple(value.shape)
        dtype = getattr(value.dtype, "name", value.dtype)
        return f"array of shape {shape}, {dtype}" if shape else f"{_scalar(value)} ({dtype})"
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _scalar(value) -> str:
    try:
        return f"{np.asarray(value)[()]}"
    except Exception:  # a symbolic tensor has no value yet
        return "a scalar tensor"


def message(what: str, received, expected: str, why: str, way_out: str) -> str:
    """`what=received ...`: expected, why, way out; one sentence each."""
    shown = received if isinstance(received, Verbatim) else describe(received)
    return f"{what}={shown}: expected {expected}, because {why}. {way_out}"


def is_message(error: Exception) -> bool:
    """Whether an error already speaks in four parts."""
    return ": expected " in str(error) and ", because " in str(error)


def warn(text: str) -> None:
    """A warning that names the user's line, not one of ours."""
    level, frame = 2, sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "diffsim":
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


class Verbatim(str):
    """Text that shows as it is, without quotes, alone or inside a nest."""

    def __repr__(self):
        return str(self)


def refuse(what: str, received, expected: str, why: str, way_out: str, kind: type[Exception] = ValueError) -> NoReturn:
    """Raise `kind` with the four-part message.

    Example: ``refuse("D", -1.0, "a number ≥ 0", "a negative D makes diffusion ill-posed", "Check the sign.")``
    """
    raise kind(message(what, received, expected, why, way_out))


def number(
    what: str, value, *, least: float = -math.inf, above: float = -math.inf, why: str, way_out: str = ""
) -> float:
    """A finite real number, at least `least` and greater than `above`."""
    lower = f" ≥ {least:g}" if least > -math.inf else f" > {above:g}" if above > -math.inf else ""
    expected, way_out = f"a finite number{lower}", way_out or f"Pass a finite number{lower}."
    if isinstance(value, bool) or not (isinstance(value, numbers.Real) or getattr(value, "shape", None) == ()):
        refuse(what, value, expected, why, way_out, TypeError)
    value = float(value)
    if not (math.isfinite(value) and value >= least and value > above):
        refuse(what, value, expected, why, way_out)
    return value


def integer(what: str, value, *, least: int, why: str, way_out: str = "") -> int:
    """An integer, at least `least`."""
    expected, way_out = f"an integer ≥ {least}", way_out or f"Pass an integer ≥ {least}."
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        refuse(what, value, expected, why, way_out, TypeError)
    if value < least:
        refuse(what, value, expected, why, way_out)
    return int(value)


def instance(what: str, value, kinds, *, why: str, way_out: str):
    """`value` itself, if it is an instance of `kinds`."""
    if not isinstance(value, kinds):
        names = " or ".join(k.__name__ for k in (kinds if isinstance(kinds, tuple) else (kinds,)))
        refuse(what, value, names, why, way_out, TypeError)
    return value


def flag(what: str, value, *, why: str) -> bool:
    """True or False; anything else, which Python would read as one of them, is refused."""
    if not isinstance(value, (bool, np.bool_)):
        refuse(what, value, "True or False", why, f"Pass {what}=True or {what}=False.", TypeError)
    return bool(value)


def finite(what: str, value, *, least: float = -math.inf, why: str, way_out: str = ""):
    """`value` itself, if all its entries are finite and at least `least`; symbolic tensors pass."""
    try:
        array = np.asarray(value)
    except Exception:  # symbolic inside a trace: nothing to look at
        return value
    if array.dtype.kind not in "fciu":
        refuse(what, value, "numbers", why, way_out or "Pass numbers.", TypeError)
    bad = ~np.isfinite(array)
    if array.dtype.kind != "c" and least > -math.inf:
        bad |= array < least
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        first = Verbatim(f"{array[where]}" + (f" at index {where}" if array.ndim else ""))
        lower = f" ≥ {least:g}" if least > -math.inf else ""
        refuse(what, first, f"finite values{lower}", why, way_out or f"Replace the values that are not finite{lower}.")
    return value
