"""Spirals: their tips as topological charges, the way of a tip, and how fast it turns."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.analysis.fits import straight
from diffsim.grid import Grid


class Tips(NamedTuple):
    """Where spirals end.

    Attributes:
        position: (n, 2) [length].
        charge: (n,) ±1, the sense in which the phase turns about the tip.
    """

    position: np.ndarray
    charge: np.ndarray


def tips(grid: Grid, u, v, u_level: float, v_level: float, *, periodic: bool = False) -> Tips:
    """Where the lines u = u₀ and v = v₀ cross: phase singularities, with charge ∮∇θ·dl/2π, θ = arg(u − u₀ + i(v − v₀)).

    A square of four cell centres holds a tip if the phase turns by ±2π around it; there the two bilinear
    interpolants are made to vanish. On a periodic grid the charges add up to zero.

    Args:
        grid: a box in the plane.
        u: the fast field, (*grid).
        v: the slow field, (*grid).
        u_level: u₀.
        v_level: v₀, inside the loop that (u, v) run through.
        periodic: whether the grid closes on itself.

    Returns:
        Tips, in the order of the grid.

    Raises:
        ValueError: another grid than a box in the plane, or fields that do not fit.

    Source: R. A. Gray, A. M. Pertsov, J. Jalife, Nature 392 (1998) 75, doi:10.1038/32164.
    """
    z = _fields(grid, u, v, u_level, v_level)
    corners = [z, np.roll(z, -1, 0), np.roll(z, (-1, -1), (0, 1)), np.roll(z, -1, 1)]
    if not periodic:
        corners = [c[:-1, :-1] for c in corners]
    turn = sum(np.angle(b * a.conj()) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True))
    charge = np.rint(turn / (2 * math.pi)).astype(int)
    where = np.argwhere(charge != 0)
    position = np.empty((len(where), 2))
    for row, (i, j) in enumerate(where):
        position[row] = np.array([i, j]) + 0.5 + _zero([c[i, j] for c in corners])
    position = position * grid.dx
    if periodic:
        position = np.mod(position, grid.size)
    return Tips(position + grid.origin, charge[tuple(where.T)])


def _zero(corner):
    """(ξ, η) in the unit square where the bilinear interpolant of a complex field vanishes, by Newton's method."""
    a, b, c, d = corner[0], corner[1] - corner[0], corner[3] - corner[0], sum(corner[::2]) - sum(corner[1::2])
    s = np.array([0.5, 0.5])
    for _ in range(30):
        z, zx, zy = a + b * s[0] + c * s[1] + d * s[0] * s[1], b + d * s[1], c + d * s[0]
        J = np.array([[zx.real, zy.real], [zx.imag, zy.imag]])
        if abs(np.linalg.det(J)) < 1e-300:
            break
        step = np.linalg.solve(J, [z.real, z.imag])
        s = np.clip(s - step, 0.0, 1.0)
        if np.abs(step).max() < 1e-13:
            break
    return s


def follow(grid: Grid, records_u, records_v, u_level: float, v_level: float, *, near=None, periodic: bool = False):
    """The way of one tip: in each record the tip nearest to where it was before.

    Args:
        grid: a box in the plane.
        records_u: (m, *grid).
        records_v: (m, *grid).
        u_level: as in `tips`.
        v_level: as in `tips`.
        near: where to find it in the first record [length]; the middle of the grid if not given.
        periodic: as in `tips`; the way is then continued across the sides.

    Returns:
        (m, 2) positions; NaN from the record on in which there is no tip of the same charge [length].

    Raises:
        ValueError: no tip in the first record, or records that do not fit.
    """
    if len(records_u) != len(records_v):
        _checks.refuse("records_v", records_v, f"{len(records_u)} records, like records_u", "they are pairs",
                       "Pass both species of one solution.")
    size, out, charge = np.array(grid.size), np.full((len(records_u), 2), np.nan), 0
    last = np.array(grid.origin) + size / 2 if near is None else np.asarray(near, np.float64)
    for k, (u, v) in enumerate(zip(np.asarray(records_u), np.asarray(records_v), strict=True)):
        found = tips(grid, u, v, u_level, v_level, periodic=periodic)
        same = found.position[(found.charge == charge) | (charge == 0)]
        if not len(same):
            if k == 0:
                _checks.refuse("records_u", _checks.Verbatim("no tip in the first record"), "a spiral",
                               "a tip must be found before it can be followed", "Start later, or change the levels.")
            break
        step = same - last
        step = step - size * np.rint(step / size) if periodic else step
        nearest = int(np.argmin((step**2).sum(1)))
        if k == 0:
            charge = found.charge[nearest]
        last = out[k] = last + step[nearest]
    return out


class Rotation(NamedTuple):
    """A tip on a circle.

    Attributes:
        period: 2π/|ω| [time].
        error: its standard error, from the residuals of the angle.
        radius: [length].
        center: (2,) [length].
        wobble: root mean square of the distance from the circle, over its radius; ≪ 1 for rigid rotation.
        turns: how many the figures rest on.
    """

    period: float
    error: float
    radius: float
    center: np.ndarray
    wobble: float
    turns: float


def rotation(t, path) -> Rotation:
    """ω, radius and centre of a tip that turns rigidly: the circle of least squares, and the slope of the angle.

    Args:
        t: (m,) increasing times, several in each turn [time].
        path: (m, 2) positions, as from `follow` [length].

    Returns:
        Rotation. A tip that meanders or drifts shows in the wobble.

    Raises:
        ValueError: fewer than half a turn, NaN, or lengths that do not fit.

    Source: I. Kåsa, IEEE Trans. Instrum. Meas. 25 (1976) 8, doi:10.1109/TIM.1976.6312298, for the circle.
    """
    t = np.asarray(_checks.finite("t", t, why="they are times"), np.float64)
    p = np.asarray(_checks.finite("path", path, why="it is fitted", way_out="Leave out records without a tip."), float)
    if t.ndim != 1 or p.shape != (len(t), 2) or len(t) < 4:
        _checks.refuse("path", p, f"shape ({t.size}, 2), 4 rows or more", "a circle is fitted", "Pass follow(…).")
    A = np.column_stack([2 * p, np.ones(len(p))])
    a, b, c = np.linalg.lstsq(A, (p**2).sum(1), rcond=None)[0]
    center = np.array([a, b])
    radius = math.sqrt(c + center @ center)
    x, y = (p - center).T
    angle = np.unwrap(np.arctan2(y, x))
    if abs(angle[-1] - angle[0]) < math.pi:
        _checks.refuse("path", _checks.Verbatim(f"{abs(angle[-1] - angle[0]) / 2 / math.pi:.2g} turns"),
                       "half a turn or more", "an arc has no period", "Record for longer.")
    fit = straight(t, angle)
    wobble = float(np.sqrt(np.mean((np.hypot(x, y) / radius - 1) ** 2)))
    period = 2 * math.pi / abs(fit.slope)
    turns = float(abs(angle[-1] - angle[0])) / (2 * math.pi)
    return Rotation(period, period * fit.error / abs(fit.slope), radius, center, wobble, turns)


def _fields(grid, u, v, u_level, v_level):
    if type(grid) is not Grid or grid.ndim != 2:
        _checks.refuse("grid", grid, "a box in the plane", "spirals turn about points of the plane", "Take a section.")
    u, v = (np.asarray(_checks.finite(n, a, why="its levels are sought"), float) for n, a in (("u", u), ("v", v)))
    if u.shape != grid.shape or v.shape != grid.shape:
        _checks.refuse("u, v", _checks.Verbatim(f"{u.shape}, {v.shape}"), f"shape {grid.shape}",
                       "tips belong to one state on the grid", "Pass one record of one member.")
    u_level = _checks.number("u_level", u_level, why="it is compared with u")
    return u - u_level + 1j * (v - _checks.number("v_level", v_level, why="it is compared with v"))
