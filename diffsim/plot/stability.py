"""Linear stability: growth and frequency against wavenumber, and maps of what is unstable where."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from diffsim import _checks
from diffsim.plot import style

# of classes from no state, stable, Turing, … on, in the order of their codes; light, so that curves can be seen on them
SHADES = ("#FFFFFF", "#DDDDDD", "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442")


def dispersion(relation, *, admitted=None, labels=(), length_unit: str = "1", time_unit: str = "1", figure=None):
    """Re λ above, |Im λ| below, against k: the fastest growing branch strong, the others faint.

    Args:
        relation: a Dispersion over k, (K,), of one set of parameters or of several, [sets, K, S].
        admitted: another Dispersion, of the waves that a box admits, drawn as points; of one set.
        labels: a name for each set.
        length_unit: of 1/k.
        time_unit: of 1/λ.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        TypeError: no Dispersion.
        ValueError: k of more than one axis, or another number of labels than sets.
    """
    rates = _curves("relation", relation)
    sets = rates.reshape(-1, *rates.shape[-2:])
    labels = tuple(labels) or (None,) * len(sets)
    if len(labels) != len(sets):
        _checks.refuse("labels", labels, f"{len(sets)} names", "each set of parameters has one", "Give one for each.")
    figure = style.canvas(figure, 4.8, 4.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.axhline(0, color="black", lw=0.8)
    for i, (branches, name) in enumerate(zip(sets, labels, strict=True)):
        colour, swing = style.COLOURS[i % len(style.COLOURS)], np.abs(branches.imag)
        above.plot(relation.k, branches.real[:, 1:], color=colour, lw=0.8, alpha=0.5)
        above.plot(relation.k, branches.real[:, 0], color=colour, lw=1.8, label=name)
        below.plot(relation.k, swing[:, 1:], color=colour, lw=0.8, alpha=0.5)
        below.plot(relation.k, swing[:, 0], color=colour, lw=1.8)
    if admitted is not None:
        points, within = _points(admitted), relation.k.max()
        k = np.ravel(admitted.k)
        seen = k <= within
        above.plot(k[seen], points.real[seen], "ko", ms=3.5, mfc="white", label="waves in the box")
        below.plot(k[seen], np.abs(points.imag[seen]), "ko", ms=3.5, mfc="white")
    style.tidy(above, "", style.label("growth Re λ", _per(time_unit)))
    style.tidy(below, style.label("wavenumber k", _per(length_unit)), style.label("|Im λ|", _per(time_unit)))
    _frame(above, below, sets)
    above.set_xlim(relation.k.min(), relation.k.max())
    if labels[0] is not None or admitted is not None:
        style.legend(above, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.align_ylabels([above, below])
    return figure


def stability_map(found, *, curves: dict | None = None, x_unit: str = "1", y_unit: str = "1", figure=None):
    """What is unstable for which pair of parameters, in colours; the line of zero growth is drawn through.

    Args:
        found: a StabilityMap.
        curves: name → (x, y) of lines to draw as well, such as exact critical curves.
        x_unit: of the parameter along x.
        y_unit: of the parameter along y.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        TypeError: no StabilityMap.
        ValueError: fewer than two values of a parameter.
    """
    _result("found", found, ("x", "y", "codes", "kinds"), "a StabilityMap", "Use ds.analysis.stability_map.")
    (x_name, x), (y_name, y) = found.x, found.y
    for name, values in (found.x, found.y):
        if len(values) < 2 or not (np.diff(values) > 0).all():
            _checks.refuse(name, values, "two rising values or more", "they span an axis", "Pass np.linspace(…).")
    figure = style.canvas(figure, 5.6, 3.8)
    ax = figure.subplots()
    first, last = min(found.kinds), max(found.kinds)
    ax.pcolormesh(x, y, found.codes.T, cmap=ListedColormap(SHADES), vmin=first - 0.5, vmax=last + 0.5,
                  shading="nearest", rasterized=True)
    names = [Patch(facecolor=SHADES[c - first], edgecolor="#888888", lw=0.5, label=c.label)
             for c in found.kinds if (found.codes == c).any()]
    if (found.growth > 0).any() and (found.growth < 0).any():
        ax.contour(x, y, found.growth.T, [0.0], colors="black", linewidths=1.0)
        names.append(Line2D([], [], color="black", lw=1.0, label="zero growth"))
    for i, (name, (cx, cy)) in enumerate((curves or {}).items()):
        names += ax.plot(cx, cy, "--", color=("#D55E00", "#0072B2", "#000000")[i % 3], lw=1.6, label=name)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    style.tidy(ax, style.label(x_name, x_unit), style.label(y_name, y_unit))
    style.legend(ax, handles=names, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _result(what, value, parts, expected, way_out):
    if any(getattr(value, name, None) is None for name in parts):
        _checks.refuse(what, value, expected, "its parts are drawn", way_out, TypeError)


def _curves(what, relation):
    _result(what, relation, ("k", "rates"), "a Dispersion", "Use ds.analysis.dispersion.")
    if relation.k.ndim != 1 or relation.k.size < 2 or relation.rates.ndim > 3:
        _checks.refuse(what, relation.rates, "shape (K, S) or (sets, K, S)", "each branch is a line over k",
                       "Pass k of one axis, and one array of parameters.")
    return relation.rates


def _points(admitted):
    _result("admitted", admitted, ("k", "rates"), "a Dispersion",
            "Use ds.analysis.dispersion(model, state, ds.analysis.modes(grid, boundary).lattice).")
    if admitted.rates.shape[:-1] != admitted.k.shape:
        _checks.refuse("admitted", admitted.rates, f"shape {(*admitted.k.shape, admitted.rates.shape[-1])}",
                       "the waves of one set of parameters are drawn", "Pass a model whose parameters are numbers.")
    return admitted.rates[..., 0].reshape(-1)


def _frame(above, below, sets):
    """Ranges that show where growth is, not how fast the shortest waves decay."""
    top = sets[..., 0].real
    size = max(top.max(), np.abs(top[:, 0]).max(), 1e-300)
    low, high = max(top.min(), -3 * size), max(top.max(), 0.0)
    margin = 0.06 * (high - low or 1.0)
    above.set_ylim(low - margin, high + margin)
    swing = np.abs(sets.imag).max()
    below.set_ylim(-0.04 * (swing or 1.0), 1.08 * (swing or 1.0))


def _per(unit: str) -> str:
    return "1" if unit == "1" else f"1/{unit}"
