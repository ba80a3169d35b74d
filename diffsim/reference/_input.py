"""Arguments of the reference solutions as float64 arrays, refused if they have no meaning."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import finite, refuse


def array(what: str, value, why: str, *, least: float = -math.inf, above: float = -math.inf) -> np.ndarray:
    """`value` as a finite float64 array, each entry at least `least` and greater than `above`."""
    finite(what, value, least=least, why=why)
    value = np.asarray(value)
    if value.dtype.kind == "c":
        refuse(what, value, "real numbers", why, "Pass the real part.", TypeError)
    value = value.astype(np.float64)
    if above > -math.inf and not (value > above).all():
        refuse(what, value.min(), f"values > {above:g}", why, f"Pass values > {above:g}.")
    return value


def within(what: str, value, lower: float, upper: float, why: str) -> np.ndarray:
    """`value` as a float64 array with every entry in [lower, upper], to rounding."""
    value = array(what, value, why)
    slack = 1e-12 * max(abs(lower), abs(upper))
    outside = value[(value < lower - slack) | (value > upper + slack)]
    if outside.size:
        refuse(what, outside[0], f"values in [{lower:g}, {upper:g}]", why, "Pass points inside the domain.")
    return np.clip(value, lower, upper)


def positive(what: str, value, why: str) -> np.ndarray:
    """`value` as a float64 array with every entry > 0."""
    return array(what, value, why, above=0.0)


def diffusivity(D) -> np.ndarray:
    """D as a float64 array of positive numbers."""
    return positive("D", D, "a diffusivity that is not positive does not spread anything")


def time(t) -> np.ndarray:
    """The time t as a float64 array of positive numbers."""
    return positive("t", t, "the solution is a function only after the start, t > 0")


def dimension(d) -> int:
    """The dimension d: 1 for a slab, 2 for a cylinder or disk, 3 for a ball."""
    if d not in (1, 2, 3) or isinstance(d, bool):
        why = "d counts the axes along which matter spreads: 1 slab, 2 cylinder or disk, 3 ball"
        refuse("d", d, "1, 2 or 3", why, "Pass d=1, d=2 or d=3.")
    return int(d)
