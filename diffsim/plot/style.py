"""What all figures share: a canvas without global state, labels with units, colours that all tell apart."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator

from diffsim import _checks
from diffsim.grid import Grid

# M. Okabe, K. Ito, Color Universal Design (2008), darkest contrast first
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"  # both safe for the common kinds of colour blindness
SMALL = 8  # points
POWERS = (-3, 4)  # from 10⁻³ to 10⁴ numbers are written out
DECADES = 2.5  # so short logarithmic axes name 2 and 5 as well


def canvas(given, width: float, height: float) -> FigureBase:
    """The figure to draw into: the one that was given, or a new one [inch]."""
    if given is None:
        return Figure(figsize=(width, height), dpi=150, layout="constrained")
    return _checks.instance("figure", given, FigureBase, why="it is drawn into",
                            way_out="Pass a matplotlib Figure or SubFigure, or leave it out.")


def label(name: str, unit: str) -> str:
    """Name and unit of an axis; dimensionless quantities have the unit 1."""
    for what, value in (("name", name), ("unit", unit)):
        _checks.instance(what, value, str, why="it is written on an axis", way_out='Pass text, such as "µm".')
    return f"{name} [{unit}]"


def after(unit: str) -> str:
    """The unit as it stands after a number."""
    return "" if unit == "1" else f" {unit}"


def tidy(ax, xlabel: str, ylabel: str, ticks: int = 5):
    """Labels, small ticks and few of them, no box on top and right."""
    ax.set_xlabel(xlabel, fontsize=SMALL + 1)
    ax.set_ylabel(ylabel, fontsize=SMALL + 1)
    ax.tick_params(which="both", labelsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "linear":
            axis.set_major_locator(MaxNLocator(ticks))
            axis.get_major_formatter().set_useMathText(True)
            axis.get_major_formatter().set_powerlimits(POWERS)
            axis.get_offset_text().set_fontsize(SMALL)
    return ax


def logarithmic(*axes) -> None:
    """Logarithmic scales for axes such as ax.xaxis, with labels at 1, 2 and 5 where there is room."""
    for axis in axes:
        getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
        axis.set_minor_locator(LogLocator(subs=(2, 5)))
        axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(DECADES, DECADES)))


def legend(ax, **options) -> None:
    """A legend without a frame, where it hides least."""
    ax.legend(**{"fontsize": SMALL, "frameon": False, "handlelength": 1.6} | options)


def bar(fig, image, text: str, ax, extend: str = "neither", ratio: float = 1.0) -> None:
    """The colour bar of an image, with its name and unit; arrows at the ends beyond which there are values.

    `ratio` is that of the image's width to its height: the bar is as high as the image, and never too thin to see.
    """
    wide = 0.04 * min(1.0, 4 / ratio) * max(1.0, 0.5 / ratio)
    colours = fig.colorbar(image, cax=ax.inset_axes([1.0 + 0.75 * wide, 0.0, wide, 1.0]), extend=extend)
    colours.set_label(text, fontsize=SMALL + 1)
    colours.ax.tick_params(labelsize=SMALL)
    colours.locator = MaxNLocator(6 if ratio < 4 else 2)
    colours.formatter.set_useMathText(True)
    colours.formatter.set_powerlimits(POWERS)
    colours.ax.yaxis.get_offset_text().set_fontsize(SMALL)
    colours.update_ticks()


def array(what: str, value) -> np.ndarray:
    """Real numbers to draw, as a NumPy array; what is not finite is left blank, but something must be."""
    value = np.asarray(value)
    if value.dtype.kind not in "fiub":
        _checks.refuse(what, value, "real numbers", "they are drawn along one axis",
                       "Pass the part to be seen, e.g. tf.abs(u).", TypeError)
    value = value.astype(np.float64)
    if not np.isfinite(value).any():
        _checks.refuse(what, value, "some finite numbers", "there is nothing to draw",
                       "Look at the run that made them.")
    return np.where(np.isfinite(value), value, np.nan)


def state(grid: Grid, u, what: str = "u") -> np.ndarray:
    """One real state on a grid."""
    _checks.instance("grid", grid, Grid, why="it says where the values are", way_out="Pass ds.Grid(…).")
    u = array(what, u)
    grid.check(what, u.shape)
    if u.ndim != grid.ndim:
        _checks.refuse(what, u, f"shape {grid.shape}", "one state is drawn", "Choose a member, e.g. u[0].")
    return u


def span(*values) -> tuple[float, float]:
    """Least and largest of all values, never equal."""
    low, high = min(float(np.nanmin(v)) for v in values), max(float(np.nanmax(v)) for v in values)
    if high - low <= 1e-12 * max(abs(low), abs(high)):  # flat to rounding: digits of noise are no picture
        middle, half = 0.5 * (low + high), 0.5 * max(abs(low), abs(high)) or 0.5
        return middle - half, middle + half
    return low, high


def chosen(limits, *values) -> tuple[float, float]:
    """The limits that were asked for, or those of the data."""
    if limits is None:
        return span(*values)
    if np.shape(limits) != (2,):
        _checks.refuse("limits", limits, "(low, high)", "they bound an axis", "Pass e.g. limits=(0.0, 1.0).", TypeError)
    low, high = (_checks.number("limits", v, why="it bounds an axis") for v in limits)
    if not low < high:
        _checks.refuse("limits", limits, "(low, high) with low < high", "it bounds an axis", "Swap them.")
    return low, high


def beyond(limits, values) -> str:
    """At which ends of a colour bar there are values outside its colours: "neither", "min", "max" or "both"."""
    ends = colours(limits)
    low, high = bool(np.nanmin(values) < ends["vmin"]), bool(np.nanmax(values) > ends["vmax"])
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[low, high]


def colours(limits) -> dict:
    """Colour map and range: diverging about zero where values of both signs matter."""
    low, high = limits
    if low < 0 < high and min(-low, high) > 0.1 * max(-low, high):
        return {"cmap": DIVERGING, "vmin": -max(-low, high), "vmax": max(-low, high)}
    return {"cmap": SEQUENTIAL, "vmin": low, "vmax": high}
