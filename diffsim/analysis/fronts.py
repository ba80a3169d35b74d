"""Fronts: when they arrive, how fast they run with an error bar, and the speed of fronts that are pulled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.analysis.fits import Line, straight
from diffsim.analysis.profile import kymograph
from diffsim.analysis.temporal import crossings
from diffsim.grid import Grid


def arrivals(grid: Grid, t, records, level: float, axis: int = 0, at=None) -> np.ndarray:
    """t(x): when u last passes a level at each cell, from the quintic in time through six records.

    On a grid a front moves with a wobble of one cell. The times at which it passes the same height in successive
    cells are free of that, and of interpolation in space.

    Args:
        grid: any grid.
        t: (m,) increasing times [time].
        records: (m, *grid).
        level: the value on the front.
        axis: the axis along which it moves.
        at: positions on the other axes, as in `line`; None averages over them.

    Returns:
        (n,) times for the cells of the axis; NaN for those where u never passes the level [time].

    Raises:
        ValueError: records that do not fit.
    """
    u = np.asarray(kymograph(grid, records, axis, at), np.float64) - _checks.number("level", level, why="it is passed")
    t = np.asarray(_checks.finite("t", t, why="they are times"), np.float64)
    if t.shape != u.shape[:1] or len(t) < 8:
        _checks.refuse("t", t, f"{len(u)} times, 8 or more", "each record has its time", "Pass solution.t.")
    out = np.full(u.shape[1], np.nan)
    for j, v in enumerate(u.T):
        found = [*crossings(t, v, 0.0), *crossings(t, -v, 0.0)]
        out[j] = max(found, default=np.nan)
    return out


def front_speed(grid: Grid, t, records, level: float, *, axis: int = 0, at=None, skip: float = 0.5) -> Line:
    """c = dx/dt of the cells that a front passes, by least squares of x against the time of arrival.

    Args:
        grid: any grid.
        t: (m,) increasing times [time].
        records: (m, *grid).
        level: the value on the front.
        axis: the axis along which it moves.
        at: as in `line`.
        skip: share of the arrivals, the earliest, to leave out while the front takes shape, in [0, 1).

    Returns:
        Line: speed [length / time], where it was at t = 0, and the standard error of the speed.

    Raises:
        ValueError: fewer than three arrivals, or records that do not fit.
    """
    skip = _checks.number("skip", skip, least=0.0, why="it is a share")
    when = arrivals(grid, t, records, level, axis, at)
    x = grid.axes[axis].centers[np.isfinite(when)]
    when = when[np.isfinite(when)]
    order = np.argsort(when)[int(skip * when.size) :]
    if order.size < 3:
        _checks.refuse("records", _checks.Verbatim(f"{when.size} arrivals at {level:g}, {order.size} of them kept"),
                       "three or more", "a speed needs a stretch of way",
                       "Record for longer, choose another level, or skip less.")
    return straight(when[order], x[order])


class Pulled(NamedTuple):
    """Linear spreading: u ~ e^{−kx + st} ahead of a front.

    Attributes:
        speed: v* = s(k*)/k* = s'(k*) [length / time].
        steepness: k* [1 / length].
        spread: D* = s''(k*)/2 [length² / time].
    """

    speed: float
    steepness: float
    spread: float


def pulled(growth, near: float) -> Pulled:
    """v* = min s(k)/k: the speed at which small perturbations of an unstable state spread from a compact origin.

    Args:
        growth: s(k), the rate at which e^{−kx} grows, for real k > 0 [1 / time]: r + Dk² for Fisher's equation.
        near: a guess of k* [1 / length].

    Returns:
        Pulled. D* comes from a central difference of fourth order.

    Raises:
        ValueError: s(k)/k has no minimum within a factor of 20 of the guess.

    Source: W. van Saarloos, Phys. Rep. 386 (2003) 29, doi:10.1016/j.physrep.2003.08.001.
    """
    from scipy.optimize import brentq, minimize_scalar  # on use: the import of diffsim stays light

    near = _checks.number("near", near, above=0.0, why="steepness is positive")
    found = minimize_scalar(lambda q: growth(math.exp(q)) / math.exp(q), method="bounded",
                            bounds=(math.log(near / 20), math.log(near * 20)), options={"xatol": 1e-9})
    k = math.exp(found.x)
    if not near / 19 < k < near * 19:
        _checks.refuse("near", near, "a guess near the minimum of s(k)/k", f"none lies within {near / 20:g} … "
                       f"{near * 20:g}", "Plot s(k)/k.")
    h = 1e-3 * k

    def slope(k):
        return (8 * (growth(k + h) - growth(k - h)) - (growth(k + 2 * h) - growth(k - 2 * h))) / (12 * h)

    k = brentq(lambda k: k * slope(k) - growth(k), 0.9 * k, 1.1 * k, xtol=1e-15 * k, rtol=1e-13)
    curve = -growth(k + 2 * h) - growth(k - 2 * h) + 16 * (growth(k + h) + growth(k - h)) - 30 * growth(k)
    return Pulled(growth(k) / k, k, curve / (24 * h**2))


def pulled_speed(t, x, steepness: float, spread: float, *, skip: float = 0.5) -> Line:
    """v* of a pulled front, whose way is x = v*t − 3 ln t/2k* + X − 3√π/(k*²√(D*t)) + B/t + ….

    A pulled front nears its speed slowly, as v = v* − 3/2k*t + 3√π/(2k*²√D* t^{3/2}) + …, whatever its height and its
    nonlinearity. These terms are taken off; v*, X and B are fitted.

    Args:
        t: (n,) times since the start from a state of compact support, > 0 [time].
        x: (n,) where the front was [length].
        steepness: k* [1 / length], see `pulled`.
        spread: D* [length² / time].
        skip: share of the points, the earliest, to leave out, in [0, 1).

    Returns:
        Line: v*, X and the standard error of v*. The terms that are left out, O(ln t/t²) in v, are not in the error.

    Raises:
        ValueError: fewer than four points, or times that are not positive.

    Source: U. Ebert, W. van Saarloos, Physica D 146 (2000) 1, doi:10.1016/S0167-2789(00)00068-3.
    """
    k = _checks.number("steepness", steepness, above=0.0, why="u falls ahead of the front")
    D = _checks.number("spread", spread, above=0.0, why="the minimum of s(k)/k is one of growth")
    skip = _checks.number("skip", skip, least=0.0, why="it is a share")
    t, x = (np.asarray(_checks.finite(n, a, why="it is fitted"), np.float64) for n, a in (("t", t), ("x", x)))
    kept = np.argsort(t)[int(skip * t.size) :] if t.ndim == 1 else t
    if t.shape != x.shape or t.ndim != 1 or np.any(t <= 0) or kept.size < 4:
        _checks.refuse("t", t, f"{x.size} times > 0, 4 or more that are kept",
                       "the way of the front is that since its start", "Leave out t = 0, or skip less.")
    t, x = t[kept], x[kept]
    straight_way = x + 1.5 / k * np.log(t) + 3 * math.sqrt(math.pi) / (k**2 * np.sqrt(D * t))
    basis = np.column_stack([t, np.ones_like(t), 1 / t])
    scale = np.abs(basis).max(0)
    best, *_ = np.linalg.lstsq(basis / scale, straight_way, rcond=None)
    rest = straight_way - basis / scale @ best
    spread_of = np.linalg.inv((basis / scale).T @ (basis / scale))
    error = math.sqrt(rest @ rest / max(t.size - 3, 1) * spread_of[0, 0]) / scale[0]
    return Line(float(best[0] / scale[0]), float(best[1]), error)
