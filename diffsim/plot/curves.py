"""Records against time, each in the name that its law gave it."""

from __future__ import annotations

import numpy as np

from diffsim import _checks, _nest
from diffsim.plot import style

FEW = 8  # numbers per record: up to so many have a curve each


def curves(run, *, unit: str = "1", time_unit: str = "1", figure=None):
    """What was recorded against time: a curve for each column or number; of ensembles their mean ± one deviation.

    Args:
        run: a Solution, or a run on disk.
        unit: of the numbers; of a run on disk its own, if it has one.
        time_unit: of the times; likewise.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: fewer than two records.
        TypeError: records that are complex.
    """
    if not hasattr(run, "names") or not hasattr(run, "t"):
        _checks.refuse("run", run, "a Solution, or what ds.io.load returns", "its records are drawn",
                       "Pass what solve returned.", TypeError)
    if len(run.t) < 2:
        _checks.refuse("run", _checks.Verbatim(f"{len(run.t)} records"), "two or more", "they are joined by lines",
                       "Record more: SaveAt(ts=[…]) or SaveAt(every=n).")
    units = units_of(run)
    figure = style.canvas(figure, 4.8, 3.4)
    draw(figure.subplots(), run.t, list(zip(run.names, _nest.flatten(run.y), strict=True)),
         unit if units["value"] == "1" else units["value"], time_unit if units["time"] == "1" else units["time"])
    return figure


def units_of(run) -> dict:
    """Units of length, time and value, 1 where the run names none."""
    units = run.info.get("units") or {}
    return {k: str(units.get(k, "1")) for k in ("length", "time", "value")}


def draw(ax, times, parts, unit: str, time_unit: str) -> None:
    """The curves of parts, pairs of a name and records (m, …)."""
    lines = [line for named, records in parts for line in _lines(named, style.array(named.name, records))]
    for i, (name, values, spread) in enumerate(lines):
        colour = style.COLOURS[i % 7]
        marks = {"marker": ".", "ms": 3} if len(times) <= 100 else {}
        ax.plot(times, values, lw=1, color=colour, label=name, **marks)
        if spread is not None:
            ax.fill_between(times, values - spread, values + spread, color=colour, alpha=0.2, lw=0)
    title = lines[0][0] if len(lines) == 1 else ", ".join(n.name for n, _ in parts)
    if any(spread is not None for *_, spread in lines):
        title += ", mean ± deviation"
    style.tidy(ax, style.label("t", time_unit), style.label(title, unit))
    if len(lines) > 1:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if len(lines) > 4 else {}
        style.legend(ax, **beside)


def _lines(named, values):
    """(name, values, deviation or None) of each curve of one tensor."""
    if named.columns:
        rows = values.reshape(len(values), -1, len(named.columns))
        return [(c, *_spread(rows[..., i])) for i, c in enumerate(named.columns)]
    rows = values.reshape(len(values), -1)
    if rows.shape[1] > FEW:
        return [(named.name, *_spread(rows))]
    places = [",".join(map(str, i)) for i in np.ndindex(*values.shape[1:])]
    return [(f"{named.name}[{i}]" if i else named.name, v, None) for i, v in zip(places, rows.T, strict=True)]


def _spread(rows):
    return rows.mean(1), None if rows.shape[1] == 1 else rows.std(1, ddof=1)
