"""Curves: profiles in time, kymographs, measured against exact, errors against step."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from diffsim import _checks
from diffsim.plot import style

FEW = 6  # curves that a legend can name; more get a colour bar


def profiles(grid, times, records, *, exact=None, name: str = "u", unit: str = "1", length_unit: str = "1",
             time_unit: str = "1", figure=None):
    """u(x, tᵢ) for all records, dark to bright in time; exact values, if given, as dashed lines.

    Args:
        grid: a Grid with one axis, or a RadialGrid.
        times: of the records, (n,).
        records: states, (n, cells).
        exact: values to compare with, shaped like the records.
        name: what u is.
        unit: of u.
        length_unit: of the grid's lengths.
        time_unit: of the times.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: records that do not fit the grid or the times.
    """
    times, records = _records(grid, times, records)
    exact = None if exact is None else _records(grid, times, exact, "exact")[1]
    figure, axis = style.canvas(figure, 4.8, 3.4), grid.axes[0]
    ax = style.tidy(figure.subplots(), style.label(axis.name, length_unit), style.label(name, unit))
    scale = Normalize(*style.span(times))
    few = len(times) <= FEW
    shades = np.linspace(0, 0.9, len(times)) if few else 0.9 * np.asarray(scale(times))
    for i, (t, shade) in enumerate(zip(times, shades, strict=True)):
        ax.plot(axis.centers, records[i], color=colormaps[style.SEQUENTIAL](shade), lw=1.5,
                label=f"t = {t:.3g}{style.after(time_unit)}" if few else None)
        if exact is not None:
            ax.plot(axis.centers, exact[i], "k--", lw=0.8, label="exact" if i == len(times) - 1 else None)
    ax.set_xlim(axis.faces[0], axis.faces[-1])
    if not few:
        style.bar(figure, ScalarMappable(scale, style.SEQUENTIAL), style.label("t", time_unit), ax)
    if few or exact is not None:
        style.legend(ax)
    return figure


def kymograph(grid, times, records, *, name: str = "u", unit: str = "1", length_unit: str = "1",
              time_unit: str = "1", limits=None, figure=None):
    """u(x, t) as an image, position to the right and time upwards; times need not be evenly spaced.

    Args:
        grid: a Grid with one axis, or a RadialGrid.
        times: of the records, (n,), n ≥ 2.
        records: states, (n, cells).
        name: what u is.
        unit: of u.
        length_unit: of the grid's lengths.
        time_unit: of the times.
        limits: (low, high) of the colours; those of the records if not given.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: fewer than two records, or records that do not fit the grid or the times.
    """
    times, records = _records(grid, times, records)
    if len(times) < 2:
        _checks.refuse("times", times, "two records or more", "one makes no image", "Use field().")
    figure, axis = style.canvas(figure, 4.8, 3.8), grid.axes[0]
    ax, middle = figure.subplots(), 0.5 * (times[1:] + times[:-1])
    edges = np.concatenate([[1.5 * times[0] - 0.5 * times[1]], middle, [1.5 * times[-1] - 0.5 * times[-2]]])
    limits = style.chosen(limits, records)
    colours = style.colours(limits)
    image = ax.pcolormesh(axis.faces, edges, records, rasterized=True, **colours)
    style.tidy(ax, style.label(axis.name, length_unit), style.label("t", time_unit))
    ax.set_ylim(times[0], times[-1])
    style.bar(figure, image, style.label(name, unit), ax, style.beyond(limits, records))
    return figure


def compare(x, measured, exact, error=None, *, x_name: str = "x", x_unit: str = "1", name: str = "u", unit: str = "1",
            figure=None):
    """Measured values as points on the exact curve, and below them what remains, measured − exact.

    Args:
        x: abscissae, (n,), in rising order.
        measured: values, (n,).
        exact: values, (n,).
        error: standard errors of the measured values, (n,), drawn as bars.
        x_name: what x is.
        x_unit: of x.
        name: what was measured.
        unit: of it.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: arrays of different lengths.
    """
    x, measured, exact = (style.array(w, v) for w, v in (("x", x), ("measured", measured), ("exact", exact)))
    error = np.zeros(x.shape) if error is None else style.array("error", error)
    for what, values in (("x", x), ("measured", measured), ("exact", exact), ("error", error)):
        if values.ndim != 1 or values.shape != x.shape:
            _checks.refuse(what, values, f"shape {(x.size,)}", "each x has one value",
                           "Pass arrays of one length.")
    figure = style.canvas(figure, 4.8, 4.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    points = "o" if x.size <= 40 else "."
    above.plot(x, exact, color=style.COLOURS[1], lw=1.5, label="exact")
    bars = error if error.any() else None
    above.errorbar(x, measured, bars, fmt=points, color=style.COLOURS[0], ms=4, mfc="none", label="diffsim", lw=1,
                   markevery=-(-x.size // 60), errorevery=-(-x.size // 60), zorder=3)
    below.axhline(0, color=style.COLOURS[1], lw=1)
    below.errorbar(x, measured - exact, bars, fmt=points, color=style.COLOURS[0], ms=3, lw=1)
    style.tidy(above, "", style.label(name, unit))
    style.tidy(below, style.label(x_name, x_unit), f"difference\n[{unit}]")
    below.yaxis.set_major_locator(MaxNLocator(2))
    style.legend(above)
    figure.align_ylabels([above, below])
    return figure


def convergence(steps, errors: dict, *, x_name: str = "Δt", x_unit: str = "1", name: str = "error",
                unit: str = "1", figure=None):
    """Errors against step on logarithmic axes; each curve is named with its order, the fitted slope.

    Args:
        steps: step or cell sizes, (n,), > 0.
        errors: one array (n,), > 0, for each name of a method.
        x_name: what the steps are.
        x_unit: of the steps.
        name: what the errors are.
        unit: of the errors.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: numbers that are not positive, or arrays of different lengths.
    """
    figure = style.canvas(figure, 4.8, 3.6)
    ax, markers = figure.subplots(), "osD^vP*"
    steps = _positive("steps", steps, np.shape(steps))
    for i, (method, values) in enumerate(errors.items()):
        values = _positive(f"errors[{method!r}]", values, steps.shape)
        order = np.polyfit(np.log(steps), np.log(values), 1)[0]
        ax.plot(steps, values, marker=markers[i % 7], color=style.COLOURS[i % 7], ms=4, lw=1.2,
                  label=f"{method}: {order:.2f}")
    style.logarithmic(ax.xaxis, ax.yaxis)
    style.tidy(ax, style.label(x_name, x_unit), style.label(name, unit))
    style.legend(ax, title="observed order", title_fontsize=style.SMALL, loc="upper left",
                 bbox_to_anchor=(1.0, 1.0))
    return figure


def _positive(what, values, shape):
    values = style.array(what, values)
    if values.ndim != 1 or values.size < 2 or values.shape != shape or not (values > 0).all():
        _checks.refuse(what, values, "two or more positive numbers, one for each step",
                       "their logarithms are drawn", "Leave out what is zero, and pass arrays of one length.")
    return values


def _records(grid, times, records, what="records"):
    times, records = style.array("times", times), style.array(what, records)
    if times.ndim != 1 or records.ndim != 2 or len(records) != len(times):
        _checks.refuse(what, records, f"shape ({times.size}, cells)",
                       "there is one profile for each time, on a grid of one axis",
                       "For grids of more axes use field() or movie().")
    for u in records:
        style.state(grid, u, what)
    return times, records
