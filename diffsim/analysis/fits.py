"""Straight lines through data: orders of convergence, rates of growth, exponents."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffsim import _checks


class Line(NamedTuple):
    """y = intercept + slope·x, with the standard error of the slope from the residuals."""

    slope: float
    intercept: float
    error: float


def straight(x, y) -> Line:
    """Least squares: slope = Σ(x − x̄)(y − ȳ)/Σ(x − x̄)².

    Args:
        x: (n,) at least two different values.
        y: (n,).

    Returns:
        Line; its error is NaN for two points.

    Raises:
        ValueError: fewer than two values of x, unequal lengths, or numbers that are not finite.
    """
    x, y = _numbers("x", x), _numbers("y", y)
    if x.shape != y.shape or x.ndim != 1:
        _checks.refuse("y", y, f"shape {x.shape}, like x", "points are pairs",
                       "Pass two sequences of equal length.")
    if x.size < 2 or np.ptp(x) == 0.0:
        _checks.refuse("x", x, "two different values or more", "one point has no slope", "Add points.")
    dx, dy = x - x.mean(), y - y.mean()
    spread = float(dx @ dx)
    slope = float(dx @ dy) / spread
    rest = dy - slope * dx
    error = math.sqrt(float(rest @ rest) / (x.size - 2) / spread) if x.size > 2 else math.nan
    return Line(slope, float(y.mean() - slope * x.mean()), error)


def order(h, error) -> Line:
    """p in error ≈ C hᵖ: the slope of ln error against ln h.

    Args:
        h: spacings or steps, > 0.
        error: errors, > 0; one for each h.

    Returns:
        Line in the logarithms: p, ln C and the standard error of p.

    Raises:
        ValueError: numbers that are not positive, or too few.
    """
    return straight(np.log(_positive("h", h)), np.log(_positive("error", error)))


def growth_rate(t, amplitude) -> Line:
    """σ in |a| ≈ a₀ e^{σt}: the slope of ln|a| against t.

    Args:
        t: times [time].
        amplitude: a ≠ 0; one for each t.

    Returns:
        Line: σ [1 / time], ln a₀ and the standard error of σ.

    Raises:
        ValueError: amplitudes that vanish, or too few.
    """
    return straight(t, np.log(_positive("amplitude", np.abs(_numbers("amplitude", amplitude)))))


def power_law(x, y) -> Line:
    """α in y ≈ C x^α: anomalous exponents, coarsening; as `order`.

    Args:
        x: > 0.
        y: > 0; one for each x.

    Returns:
        Line in the logarithms: α, ln C and the standard error of α.

    Raises:
        ValueError: numbers that are not positive, or too few.
    """
    return straight(np.log(_positive("x", x)), np.log(_positive("y", y)))


def _numbers(what, value):
    return np.asarray(_checks.finite(what, np.asarray(value), why="it is fitted"), np.float64)


def _positive(what, value):
    value = _numbers(what, value)
    if (value <= 0.0).any():
        _checks.refuse(what, float(value.min()), "positive numbers", "their logarithms are fitted",
                       "Leave out the points at zero.")
    return value
