"""One record of a run on disk, whatever was recorded: fields, molecules, observables against time, or numbers."""

from __future__ import annotations

import numpy as np

from diffsim import _checks, _nest
from diffsim.plot import style
from diffsim.plot.curves import FEW, draw, units_of
from diffsim.plot.fields import field, size
from diffsim.plot.molecules import Places, paint


def record(run, index: int = -1, *, figure=None):
    """What a run recorded: fields on their grid, molecules in their region, few numbers against time, else a histogram.

    Names are those that the law gave, `run.names`; units those of the run's info, `units={"length": …, "time": …,
    "value": …}`, where it was given. Of ensembles of fields and of boxes of molecules the first member is drawn.

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
    places = Places.of(run)
    parts = {} if places else {n.name: (n, r) for n, r in zip(run.names, _nest.flatten(run.y), strict=True)}
    fields = [n for n, (_, r) in parts.items() if _on(grid, r)]
    curves = [n for n, (_, r) in parts.items() if n not in fields and _numbers(r) <= FEW]
    clouds = [n for n in parts if n not in fields and n not in curves]
    panels = [*fields, *clouds, *(["curves"] if curves else []), *(["molecules"] if places else [])]
    width, height = places.size if places else size(grid) if fields else (4.5, 3.2)
    shape = (len(panels), 1) if fields and grid.ndim == 3 else (1, len(panels))
    figure = style.canvas(figure, width * shape[1], height * shape[0] + 0.3)
    when = f"t = {run.t[index]:.6g}{style.after(units['time'])}"
    figure.suptitle(f"{run.path.name}, {when}", fontsize=style.SMALL + 2)
    for name, panel in zip(panels, np.ravel(figure.subfigures(*shape)), strict=True):
        if places:
            paint(panel, places, units["length"])(places[index])
        elif name in fields:
            field(grid, Members(parts[name][1], grid)[index], name=name, unit=units["value"],
                  length_unit=units["length"], figure=panel)
        elif name in clouds:
            _histogram(panel.subplots(), style.array(name, parts[name][1][index]), parts[name][0], units["value"])
        else:
            shown = [(n, r[: index + 1]) for n, r in (parts[c] for c in curves)]
            draw(panel.subplots(), run.t[: index + 1], shown, units["value"], units["time"])
    return figure


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


def _histogram(ax, values, named, unit):
    groups = np.moveaxis(values, -1, 0) if named.columns else [values]
    groups = [g[np.isfinite(g)] for g in groups]
    every = np.concatenate([g.ravel() for g in groups])
    whole = (every == np.round(every)).all() and np.ptp(every) < 1000
    edges = np.arange(every.min(), every.max() + 2) - 0.5 if whole else np.histogram_bin_edges(
        every, "fd" if every.size < 10**6 else 200)
    for i, g in enumerate(groups):
        line = {"histtype": "step", "lw": 1.5, "label": named.columns[i]} if len(groups) > 1 else {}
        ax.hist(g.ravel(), bins=edges, density=True, color=style.COLOURS[i % 7], **line)
    title = named.columns[0] if len(named.columns) == 1 else named.name
    style.tidy(ax, style.label(title, unit), style.label("density", "1" if unit == "1" else f"1/({unit})"))
    if len(groups) > 1:
        style.legend(ax)
