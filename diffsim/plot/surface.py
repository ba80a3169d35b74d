"""The surface on which a field in three dimensions has a given value."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from diffsim import _checks
from diffsim.plot import style

LIGHT = np.array([-0.35, -0.5, 0.79])  # where it comes from: above the shoulder of who looks
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # of the four cubes around an edge, counter-clockwise


def isosurface(grid, u, level: float, *, name: str = "u", unit: str = "1", length_unit: str = "1", figure=None):
    """The surface of {u > level} in true proportions; where that reaches a wall, the wall closes it.

    Args:
        grid: a Grid with three axes.
        u: one state, shaped like the grid.
        level: the value on the surface.
        name: what u is.
        unit: of u.
        length_unit: of the grid's lengths.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: the grid is not three-dimensional, u does not fit it, or is nowhere above `level`.
    """
    points, faces = triangles(grid, u, level)
    figure = style.canvas(figure, 5.0, 4.4)
    ax = figure.add_subplot(projection="3d", computed_zorder=False)
    ax.add_collection3d(Poly3DCollection(points[faces], facecolors=_lit(points, faces), lw=0, antialiased=False))
    for axis, metric in zip("xyz", grid.axes, strict=True):
        getattr(ax, f"set_{axis}lim")(metric.faces[0], metric.faces[-1])
        getattr(ax, f"set_{axis}label")(style.label(metric.name, length_unit), fontsize=style.SMALL + 1)
        ax.tick_params(axis, labelsize=style.SMALL, pad=1)
        getattr(ax, f"{axis}axis").set_major_locator(MaxNLocator(4, prune="both" if axis == "y" else None))
    ax.set_box_aspect(grid.size, zoom=0.84)  # else its labels leave the page
    ax.set_title(f"{name} = {level:.4g}{style.after(unit)}", fontsize=style.SMALL + 1)
    return figure


def triangles(grid, u, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 3] and triangles [m, 3] (indices of points, seen counter-clockwise from outside) of that surface.

    Surface nets: a point in each cube of eight neighbours that are not all on one side, the mean of where the cube's
    edges meet the surface, and a quadrilateral of these points around each such edge. The surface is closed, its
    area and volume are of second order in Δx.

    References:
        Gibson (1998), doi:10.1007/BFb0056277.
    """
    u, level = style.state(grid, u), _checks.number("level", level, why="it is the value of u on the surface")
    if grid.ndim != 3:
        _checks.refuse("grid", grid, "three axes", "a surface lies in a volume", "Use field().")
    if not np.nanmax(u) > level:
        _checks.refuse("level", level, f"a value below the largest u, {np.nanmax(u):.4g}",
                       "the surface is that of what lies above it", "Lower it.")
    outside = level - 1.0
    u = np.pad(np.pad(np.where(np.isnan(u), outside, u), 1, mode="edge"), 1, constant_values=outside)
    places = [np.concatenate([a.faces[[0, 0]], a.centers, a.faces[[-1, -1]]]) for a in grid.axes]
    total, count = np.zeros((*(n - 1 for n in u.shape), 3)), np.zeros([n - 1 for n in u.shape])
    quads = [_meet(u, level, places, axis, total, count) for axis in range(3)]
    number = np.cumsum(count > 0).reshape(count.shape) - 1
    points = total[count > 0] / count[count > 0][:, None]
    corners = np.concatenate([number[tuple(np.moveaxis(q, -1, 0))] for q in quads])
    return points, np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])


def _meet(u, level, places, axis, total, count):
    """Where edges along one axis meet the surface: added to all cubes around; returns the cubes [edges, 4, 3]."""
    b, c = (axis + 1) % 3, (axis + 2) % 3
    below, above = (np.moveaxis(u, axis, 0)[s] for s in (np.s_[:-1], np.s_[1:]))
    index = np.argwhere((below > level) != (above > level))
    at = tuple(index.T)
    part = (level - below[at]) / (above[at] - below[at])
    full = np.insert(index[:, 1:], axis, index[:, 0], axis=1)
    where = np.stack([x[i] for x, i in zip(places, full.T, strict=True)], 1)
    where[:, axis] += part * (places[axis][full[:, axis] + 1] - where[:, axis])
    cubes = np.repeat(full[:, None], 4, 1)
    for corner, (i, j) in enumerate(CORNERS):
        cubes[:, corner, b] += i - 1
        cubes[:, corner, c] += j - 1
        cube = tuple(cubes[:, corner].T)
        np.add.at(total, cube, where)
        np.add.at(count, cube, 1)
    falls = below[at] > level
    return np.where(falls[:, None, None], cubes, cubes[:, ::-1])


def _lit(points, faces):
    """Colours of triangles in diffuse light, smooth across their edges."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    area, normals = np.cross(b - a, c - a), np.zeros_like(points)
    for corner in faces.T:
        np.add.at(normals, corner, area)
    mean = (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300))[faces].sum(1)
    cosine = mean @ LIGHT / np.maximum(np.linalg.norm(mean, axis=1), 1e-300)
    return np.clip((0.7 + 0.4 * cosine)[:, None] * to_rgb(style.COLOURS[5]), 0, 1)
