"""Profiles of a field: along an axis, between two points, around a centre, and in time."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.analysis import _shells
from diffsim.grid import Grid


def line(grid: Grid, u, axis: int = 0, at=None):
    """u along one axis, at given places on the others or averaged over them.

    Args:
        grid: any grid.
        u: state, leading axes are kept.
        axis: the axis to follow.
        at: positions on the other axes, in their order [length], where u is interpolated linearly; None
            averages over the other axes.

    Returns:
        x (n,) cell centres as float64 array, and u (…, n).

    Raises:
        ValueError: an axis or position outside the grid.
    """
    u, d = _on(grid, u), grid.ndim
    if _checks.integer("axis", axis, least=0, why="axes are counted from 0") >= d:
        _checks.refuse("axis", axis, f"0 to {d - 1}", f"the grid has {d} axes", "Pass axis=0 for the first.")
    others = [i for i in range(d) if i != axis]
    if at is None:
        u = tf.reduce_mean(u, [i - d for i in others]) if others else u
        return grid.axes[axis].centers, u
    places = np.atleast_1d(np.asarray(at, np.float64))
    if places.shape != (len(others),):
        _checks.refuse("at", at, f"{len(others)} positions", "each axis but that of the line needs one",
                       "Leave it out to average.")
    batch = u.shape.rank - d
    for i, x in reversed(list(zip(others, places, strict=True))):  # the last axis first, so that numbers stay
        (low,), (share,) = _between(grid, i, np.array([x]))
        u = (1 - share) * tf.gather(u, low, axis=batch + i) + share * tf.gather(u, low + 1, axis=batch + i)
    return grid.axes[axis].centers, u


def segment(grid: Grid, u, start, end, n: int = 200):
    """u on the straight line between two points, interpolated linearly between cell centres.

    Args:
        grid: a box.
        u: state, leading axes are kept.
        start: first point, one number for each axis [length].
        end: last point.
        n: number of points ≥ 2.

    Returns:
        Distance from `start` (n,) as float64 array, and u (…, n).

    Raises:
        ValueError: points outside the grid.
    """
    u, d = _on(grid, u), grid.ndim
    n = _checks.integer("n", n, least=2, why="a line has two ends")
    ends = [np.atleast_1d(np.asarray(p, np.float64)) for p in (start, end)]
    for what, p in zip(("start", "end"), ends, strict=True):
        if p.shape != (d,):
            _checks.refuse(what, p, f"{d} coordinates", f"the grid has {d} axes", "Give one for each axis.")
    points = ends[0] + np.linspace(0, 1, n)[:, None] * (ends[1] - ends[0])
    near = [_between(grid, i, points[:, i]) for i in range(d)]
    batch = [int(b) for b in u.shape[:-d]]
    flat, total = tf.reshape(u, [*batch, grid.cells]), 0.0
    for corner in np.ndindex(*[2] * d):
        cells = np.ravel_multi_index([low + c for c, (low, _) in zip(corner, near, strict=True)], grid.shape)
        weight = math.prod(s if c else 1 - s for c, (_, s) in zip(corner, near, strict=True))
        total = total + tf.constant(weight, u.dtype) * tf.gather(flat, cells, axis=-1)
    return np.linspace(0, 1, n) * np.linalg.norm(ends[1] - ends[0]), total


def radial(grid: Grid, u, center=None, bins: int | None = None):
    """⟨u⟩(r): the mean over shells of equal width around a centre.

    Args:
        grid: a box.
        u: state, leading axes are kept.
        center: one number for each axis [length]; the middle of the box if not given.
        bins: number of shells between 0 and the nearest wall; as many as cells fit if not given.

    Returns:
        r (m,), the mean distance of the cells in each shell, as float64 array, and u (…, m); shells without
        cell centres are left out.

    Raises:
        ValueError: a centre outside the grid, or a radial grid.
    """
    u, d = _on(grid, u), grid.ndim
    if type(grid) is not Grid:
        _checks.refuse("grid", grid, "a box", "a state on a radial grid is a radial profile already",
                       "Plot it against grid.axes[0].centers.")
    if center is None:
        center = [o + s / 2 for o, s in zip(grid.origin, grid.size, strict=True)]
    center = np.atleast_1d(np.asarray(center, np.float64))
    reach = 0.0
    if center.shape == (d,):
        reach = min(min(c - a.faces[0], a.faces[-1] - c) for c, a in zip(center, grid.axes, strict=True))
    if reach <= 0.0:
        _checks.refuse("center", center, f"{d} coordinates inside the grid", "shells end at the nearest wall",
                       "Leave it out for the middle.")
    bins = max(1, int(reach / min(grid.dx))) if bins is None else bins
    bins = _checks.integer("bins", bins, least=1, why="shells are counted")
    squares = [(x - c) ** 2 for x, c in zip(grid.coordinates(), center, strict=True)]
    r = np.sqrt(np.broadcast_to(sum(squares), grid.shape))
    index = np.floor(r / reach * bins).astype(int)
    shell, count = _shells.number(np.where(index < bins, index, -1))
    mean = _shells.sums(u, shell, count.size) / tf.constant(count, u.dtype)
    return np.bincount(shell[shell >= 0], r[shell >= 0]) / count, mean


def kymograph(grid: Grid, records, axis: int = 0, at=None) -> np.ndarray:
    """u(t, x) along one axis: rows are records, columns positions.

    Args:
        grid: any grid.
        records: (m, *grid), as in `solution.y`.
        axis: the axis to follow.
        at: as in `line`.

    Returns:
        (m, n) array; rows belong to `solution.t`, columns to `grid.axes[axis].centers`.

    Raises:
        ValueError: records without a leading axis of time, or a place outside the grid.
    """
    shape = tuple(records.shape)
    if len(shape) != grid.ndim + 1:
        _checks.refuse("records", records, f"an array of shape (m, *{grid.shape})", "rows are records",
                       "Pass solution.y of one member and one species.")
    return np.asarray(line(grid, np.asarray(records), axis, at)[1])


def front(grid: Grid, u, level: float, axis: int = 0):
    """x with ⟨u⟩(x) = level: the last crossing along an axis, interpolated linearly.

    Args:
        grid: any grid.
        u: state, leading axes are kept.
        level: the value on the front.
        axis: the axis along which it moves.

    Returns:
        (…) positions [length]; NaN where u does not cross the level.
    """
    level = _checks.number("level", level, why="it is compared with u")
    x, v = line(grid, u, axis)
    x = tf.constant(x, v.dtype)
    above = v[..., :-1] - level
    rise = v[..., 1:] - v[..., :-1]
    crosses = (above > 0) != (v[..., 1:] - level > 0)
    where = x[:-1] - above * tf.math.divide_no_nan(x[1:] - x[:-1], rise)
    last = tf.reduce_max(tf.where(crosses, where, tf.constant(-math.inf, v.dtype)), -1)
    return tf.where(tf.math.is_finite(last), last, tf.constant(math.nan, v.dtype))


def _on(grid, u):
    u = tf.convert_to_tensor(u)
    grid.check("u", u.shape)
    return u


def _between(grid, axis, x):
    """The cell centre below each x and the share of the next one; constant beyond the outermost centres."""
    a = grid.axes[axis]
    if np.any(x < a.faces[0] - 1e-12 * grid.size[axis]) or np.any(x > a.faces[-1] + 1e-12 * grid.size[axis]):
        _checks.refuse("position", _checks.Verbatim(f"{x.min():g} … {x.max():g}"),
                       f"{a.name} in [{a.faces[0]:g}, {a.faces[-1]:g}]",
                       "the grid ends there", "Choose a place inside.")
    position = np.clip((x - a.centers[0]) / grid.dx[axis], 0.0, grid.shape[axis] - 1.0)
    low = np.minimum(position.astype(int), grid.shape[axis] - 2)
    return low, position - low
