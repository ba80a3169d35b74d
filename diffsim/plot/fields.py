"""A state on its grid: a profile in one dimension, an image in two, three slices in three."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from diffsim import _checks
from diffsim.plot import style

ELONGATED = 6.0  # slices of a volume longer than this are stretched to be seen
STRIP = 25.0  # so are boxes in the plane longer than this


def size(grid) -> tuple[float, float]:
    """Width and height of a figure that the picture of a state fills [inch]."""
    if grid.ndim == 1:
        return 4.5, 3.2
    long, high = grid.size[0], grid.size[1]
    if grid.ndim == 3:  # three images in a row: (x, y), (x, z), (y, z)
        long, high = 2 * grid.size[0] + grid.size[1], max(grid.size[1:])
    ratio, limit = long / high, STRIP if grid.ndim == 2 else ELONGATED
    if not 1 / limit <= ratio <= limit * (grid.ndim - 1):
        ratio = 1.0
    width = min(9.0, 3.6 * ratio + 1.2) if ratio >= 1 or grid.ndim == 3 else 3.6
    width = max(width, 5.4) if grid.ndim == 3 else width  # the labels of three images need room
    picture = width - (1.2 if grid.ndim == 2 else 2.8)
    return width, float(np.clip(picture / ratio + 0.8, 1.2, 8.0))


def field(grid, u, *, name: str = "u", unit: str = "1", length_unit: str = "1", limits=None, figure=None):
    """u(x) as a line, u(x, y) as an image in true proportions, u(x, y, z) as three slices through the middle.

    A box in the plane that is more than 25 times as long as wide would be a thread, and so would a slice that is six
    times as long: it is stretched, and the title says so.

    Args:
        grid: Grid or RadialGrid.
        u: one state, shaped like the grid.
        name: what u is, for the axis or the colour bar.
        unit: of u.
        length_unit: of the grid's lengths.
        limits: (low, high) of the value axis or the colours; those of u if not given.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: u does not fit the grid, has ensemble axes, or nothing finite.
        TypeError: u is complex or not numeric.
    """
    u = style.state(grid, u)
    figure = style.canvas(figure, *size(grid))
    limits = style.chosen(limits, u)
    painter(figure, grid, style.label(name, unit), length_unit, limits, style.beyond(limits, u))(u)
    return figure


def slices(grid, u, at=None, *, name: str = "u", unit: str = "1", length_unit: str = "1", figure=None):
    """The planes z = at[2], y = at[1] and x = at[0] of u(x, y, z), in one colour scale.

    Args:
        grid: a Grid with three axes.
        u: one state, shaped like the grid.
        at: the point in which the planes meet [length]; the centre of the box if not given.
        name: what u is.
        unit: of u.
        length_unit: of the grid's lengths.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: the grid is not three-dimensional, u does not fit it, or the point lies outside.
    """
    u = style.state(grid, u)
    if grid.ndim != 3:
        _checks.refuse("grid", grid, "three axes", "slices are cut from a volume", "Use field().")
    figure = style.canvas(figure, *size(grid))
    _volume(figure, grid, style.label(name, unit), length_unit, style.span(u), at)(u)
    return figure


def painter(figure, grid, text: str, length_unit: str, limits, extend: str = "neither"):
    """Prepare `figure` for states on `grid`; returns the function that shows one of them."""
    if grid.ndim == 1:
        return _line(figure, grid, text, length_unit, limits)
    return (_image, _volume)[grid.ndim - 2](figure, grid, text, length_unit, limits, extend=extend)


def _line(figure, grid, text, length_unit, limits):
    axis, margin = grid.axes[0], 0.05 * (limits[1] - limits[0])
    ax = style.tidy(figure.subplots(), style.label(axis.name, length_unit), text)
    line, = ax.plot(axis.centers, np.full(grid.shape, np.nan), color=style.COLOURS[0], lw=1.5)
    ax.set_xlim(axis.faces[0], axis.faces[-1])
    ax.set_ylim(limits[0] - margin, limits[1] + margin)
    return line.set_ydata


def _image(figure, grid, text, length_unit, limits, extend):
    ax = figure.subplots()
    image = plane(ax, grid, (0, 1), length_unit, limits, longest=STRIP)
    style.bar(figure, image, text, ax, extend, 1.0 if ax.get_aspect() == "auto" else grid.size[0] / grid.size[1])
    return lambda u: image.set_data(u.T)


def _volume(figure, grid, text, length_unit, limits, at=None, extend="neither"):
    centre = [o + s / 2 for o, s in zip(grid.origin, grid.size, strict=True)]
    at = [_checks.number("at", a, why="it places a slice") for a in (centre if at is None else at)]
    wide = figure.bbox.width > 1.8 * figure.bbox.height
    widths = np.maximum([grid.size[0], grid.size[0], grid.size[1]], 0.3 * max(grid.size[:2]))
    axes = figure.subplots(1, 3, width_ratios=widths) if wide else figure.subplots(2, 2).ravel()
    index, images = [], []
    for axis, (metric, a) in enumerate(zip(grid.axes, at, strict=True)):
        if not metric.faces[0] <= a <= metric.faces[-1]:
            _checks.refuse("at", a, f"{metric.name} in [{metric.faces[0]:g}, {metric.faces[-1]:g}]",
                           "a slice lies inside the box", "Move it inside.")
        index.append(min(int(np.searchsorted(metric.faces, a, side="right")) - 1, grid.shape[axis] - 1))
    for ax, normal in zip(axes, (2, 1, 0), strict=False):
        across = tuple(i for i in range(3) if i != normal)
        images.append((plane(ax, grid, across, length_unit, limits, ticks=3), normal))
        place = f"{grid.axes[normal].centers[index[normal]]:.3g}{style.after(length_unit)}"
        ax.set_title(f"{grid.axes[normal].name} = {place}", fontsize=style.SMALL + 1)
    if not wide:
        axes[3].remove()
    slender = min(1.0, grid.size[1] / grid.size[0] if wide else grid.size[0] / grid.size[2])  # what the bar stands by
    style.bar(figure, images[0][0], text, axes[2 if wide else 1], extend, slender)

    def show(u):
        for image, normal in images:
            image.set_data(np.take(u, index[normal], normal).T)

    return show


def plane(ax, grid, across, length_unit, limits, ticks=5, longest=ELONGATED):
    """An empty image of the plane spanned by two axes of the grid, in true proportions or with a note that says no."""
    a, b = (grid.axes[i] for i in across)
    extent = (a.faces[0], a.faces[-1], b.faces[0], b.faces[-1])
    ratio = (extent[1] - extent[0]) / (extent[3] - extent[2])
    blank = np.full((len(b.centers), len(a.centers)), np.nan)
    scaled = 1 / longest <= ratio <= longest
    image = ax.imshow(blank, origin="lower", extent=extent, **style.colours(limits),
                      aspect="equal" if scaled else "auto")
    if not scaled:
        ax.set_title(f"not to scale: {a.name} : {b.name} = {ratio:.3g} : 1" if ratio > 1 else
                     f"not to scale: {a.name} : {b.name} = 1 : {1 / ratio:.3g}", fontsize=style.SMALL)
    style.tidy(ax, style.label(a.name, length_unit), style.label(b.name, length_unit), ticks)
    for axis, short in ((ax.xaxis, 1 / ratio), (ax.yaxis, ratio)):
        if scaled and short > 4:
            axis.set_major_locator(MaxNLocator(2 if short < 10 and ticks > 3 else 1))
    ax.spines[["top", "right"]].set_visible(True)
    return image
