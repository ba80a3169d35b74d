"""One record of a run on disk, whatever was recorded: fields, observables against time, or particles."""

from __future__ import annotations

import numpy as np

from diffsim import _checks, _nest
from diffsim.plot import style
from diffsim.plot.fields import field, size

FEW = 8  # numbers per record: up to so many are drawn against time


def record(run, index: int = -1, *, figure=None):
    """What a run recorded: fields on their grid, observables against time up to the record, else a histogram.

    Units are those of the run's info, `units={"length": …, "time": …, "value": …}`, where it was given.

    Args:
        run: from `diffsim.io.load`.
        index: which record; negative counts from the end.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure, with one panel for each tensor of the state.

    Raises:
        ValueError: there is no such record.
    """
    count = len(run.t)
    if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not -count <= index < count:
        _checks.refuse("record", index, f"an integer from {-count} to {count - 1}",
                       f"the run holds {count} records",
                       "Choose one of them." if count else "Wait until the first is written.")
    index, units, grid = index % count, units_of(run), run.grid
    parts = dict(zip(names(run.y), _nest.flatten(run.y), strict=True))
    fields = [n for n, r in parts.items() if _on(grid, r)]
    curves = [n for n, r in parts.items() if n not in fields and _numbers(r) <= FEW]
    clouds = [n for n in parts if n not in fields and n not in curves]
    panels = [*fields, *clouds, *(["curves"] if curves else [])]
    width, height = size(grid) if fields else (4.5, 3.2)
    shape = (len(panels), 1) if fields and grid.ndim == 3 else (1, len(panels))
    figure = style.canvas(figure, width * shape[1], height * shape[0] + 0.3)
    when = f"t = {run.t[index]:.6g}{style.after(units['time'])}"
    figure.suptitle(f"{run.path.name}, {when}", fontsize=style.SMALL + 2)
    for name, panel in zip(panels, np.ravel(figure.subfigures(*shape)), strict=True):
        if name in fields:
            field(grid, Members(parts[name], grid)[index], name=name, unit=units["value"],
                  length_unit=units["length"], figure=panel)
        elif name in clouds:
            _histogram(panel.subplots(), style.array(name, parts[name][index]).ravel(), name, units["value"])
        else:
            _curves(panel.subplots(), run.t[: index + 1], {n: parts[n][: index + 1] for n in curves}, units)
    return figure


def names(nest, prefix: str = "") -> list[str]:
    """A name for each leaf of a state: its key, its field, or u0, u1 and so on."""
    if isinstance(nest, dict):
        return [n for k in sorted(nest) for n in names(nest[k], f"{prefix}{k}.")]
    if isinstance(nest, (tuple, list)):
        keys = getattr(nest, "_fields", None) or [f"u{i}" for i in range(len(nest))]
        return [n for k, v in zip(keys, nest, strict=True) for n in names(v, f"{prefix}{k}.")]
    return [prefix.removesuffix(".") or "u"]


def units_of(run) -> dict:
    """Units of length, time and value, 1 where the run names none."""
    units = run.info.get("units") or {}
    return {k: str(units.get(k, "1")) for k in ("length", "time", "value")}


class Members:
    """The records of the first member of an ensemble, read when they are asked for."""

    def __init__(self, records, grid):
        """Records with leading ensemble axes, or none."""
        self._records, self._extra = records, (0,) * (len(records.shape) - 1 - grid.ndim)
        self.shape = (records.shape[0], *grid.shape)

    def __getitem__(self, index: int):
        """One state on the grid."""
        return self._records[(index, *self._extra)]


def _on(grid, records) -> bool:
    return grid is not None and tuple(records.shape[1:])[-grid.ndim:] == grid.shape


def _numbers(records) -> int:
    return int(np.prod(records.shape[1:], dtype=int))


def _curves(ax, times, records, units):
    lines = {}
    for name, values in records.items():
        columns = style.array(name, values).reshape(len(times), -1).T
        lines |= {name if len(columns) == 1 else f"{name}[{i}]": c for i, c in enumerate(columns)}
    for i, (name, values) in enumerate(lines.items()):
        ax.plot(times, values, ".-", ms=3, lw=1, color=style.COLOURS[i % 7], label=name)
    style.tidy(ax, style.label("t", units["time"]), style.label(", ".join(records), units["value"]))
    if len(lines) > 1:
        style.legend(ax)


def _histogram(ax, values, name, unit):
    values = values[np.isfinite(values)]
    ax.hist(values, bins="fd" if values.size < 10**6 else 200, density=True, color=style.COLOURS[0])
    style.tidy(ax, style.label(name, unit), style.label("density", "1" if unit == "1" else f"1/({unit})"))
