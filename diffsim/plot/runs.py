"""One record of a run on disk, whatever was recorded: fields, observables against time, or particles."""

from __future__ import annotations

import numpy as np

from diffsim import _checks, _nest
from diffsim.plot import style
from diffsim.plot.fields import field, size

FEW = 8  # numbers per record that are drawn against time


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
    index, parts = index % count, list(zip(names(run.y), _nest.flatten(run.y), strict=True))
    width, height = size(run.grid) if run.grid is not None else (4.5, 3.2)
    beside = run.grid is None or run.grid.ndim < 3
    rows, columns = (1, len(parts)) if beside else (len(parts), 1)
    figure = style.canvas(figure, width * columns, height * rows + 0.3)
    units = units_of(run)
    after = "" if units["time"] == "1" else f" {units['time']}"
    figure.suptitle(f"{run.path.name}, t = {run.t[index]:.6g}{after}", fontsize=style.SMALL + 2)
    panels = np.ravel(figure.subfigures(rows, columns))
    for (name, records), panel in zip(parts, panels, strict=True):
        _part(run, name, records, index, units, panel)
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


def _part(run, name, records, index, units, panel):
    shape = tuple(records.shape[1:])
    if run.grid is not None and shape[len(shape) - run.grid.ndim:] == run.grid.shape:
        u = Members(records, run.grid)[index]
        return field(run.grid, u, name=name, unit=units["value"], length_unit=units["length"], figure=panel)
    ax, numbers = panel.subplots(), int(np.prod(shape, dtype=int))
    if numbers <= FEW:
        values = style.array(name, records[: index + 1]).reshape(index + 1, numbers)
        style.tidy(ax, style.label("t", units["time"]), style.label(name, units["value"]))
        for i, curve in enumerate(values.T):
            ax.plot(run.t[: index + 1], curve, ".-", ms=3, lw=1, color=style.COLOURS[i % 7],
                    label=None if numbers == 1 else f"component {i}")
        return style.legend(ax) if numbers > 1 else None
    values = style.array(name, records[index]).ravel()
    bins = "fd" if values.size < 10**6 else 200
    ax.hist(values[np.isfinite(values)], bins=bins, density=True, color=style.COLOURS[0])
    return style.tidy(ax, style.label(name, units["value"]), style.label("density", f"1/{units['value']}"))
