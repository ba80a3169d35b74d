"""Molecules where they are, in the colours of their species."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from diffsim import _checks, _nest
from diffsim.particles import Molecules, Pool
from diffsim.plot import style

MARKERS = "os^Dv*P"
AXES = "xyz"


def molecules(law, pool, *, length_unit: str = "1", figure=None):
    """Where the molecules of one box are: in a plane, in space, or along a line with a row for each species.

    Args:
        law: particles.Molecules; it names the species and knows the region.
        pool: one state of it, with positions (n, d); of several boxes choose one.
        length_unit: of the positions.
        figure: Figure or SubFigure to draw into; a new one if not given.

    Returns:
        The matplotlib Figure; its legend counts each species.

    Raises:
        TypeError: no law of molecules, or no Pool.
        ValueError: a Pool of several boxes, or of another dimension.
    """
    one = Pool(*(np.asarray(a)[None] for a in pool)) if isinstance(pool, Pool) else pool
    places = Places.within(law, one)
    figure = style.canvas(figure, *places.size)
    paint(figure, places, length_unit)(places[0])
    return figure


class Places:
    """The records of a Pool, read when they are asked for, with the region that they lie in."""

    def __init__(self, x, kind, species, lower, upper):
        """Positions (m, …, n, d) and kinds (m, …, n); of several boxes the first is drawn."""
        self._x, self._kind, self.species, self.lower, self.upper = x, kind, species, lower, upper
        self._extra = (0,) * (len(kind.shape) - 2)
        self.ndim = x.shape[-1]

    @classmethod
    def of(cls, run):
        """Those of a run on disk, in the region of its law, or in the box around all records; None if it has none."""
        kinds = [n.kinds for n in run.names]
        if [n.name for n in run.names] != ["x", "kind"] or not kinds[1]:
            return None
        law, (x, kind) = run.law, _nest.flatten(run.y)
        if isinstance(law, Molecules):
            return cls(x, kind, kinds[1], *law.corners)
        seen = [np.asarray(x[i]).reshape(-1, x.shape[-1]) for i in range(len(x))]
        return cls(x, kind, kinds[1], np.min([a.min(0) for a in seen], 0), np.max([a.max(0) for a in seen], 0))

    @classmethod
    def within(cls, law, pool):
        """Those of records that are at hand: a Pool of one box, with positions (m, n, d)."""
        _checks.instance("law", law, Molecules, why="it names the species", way_out="Pass what solve moved it along.")
        _checks.instance("pool", pool, Pool, why="it holds the molecules", way_out="Pass sol.final, or sol.y.")
        if len(pool.x.shape) != 3 or pool.x.shape[-1] != law.ndim:
            _checks.refuse("pool", _checks.Verbatim(f"positions of shape {tuple(pool.x.shape)[1:]}"),
                           f"shape (n, {law.ndim})", "one box is drawn", "Choose one, e.g. Pool(y.x[0], y.kind[0]).")
        return cls(pool.x, pool.kind, law.species, *law.corners)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of a figure that the region fills [inch]."""
        if self.ndim == 1:
            return 5.2, 1.6 + 0.25 * len(self.species)
        if self.ndim == 3:
            return 5.6, 4.4
        ratio = float((self.upper[0] - self.lower[0]) / (self.upper[1] - self.lower[1]))
        return float(np.clip(3.2 * ratio, 1.6, 6.4)) + 1.9, float(np.clip(3.2 / min(ratio, 1.0), 2.2, 6.0)) + 0.6

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """(positions, kinds) of one record."""
        at = (index, *self._extra)
        return np.asarray(self._x[at], np.float64), np.asarray(self._kind[at])


def paint(figure, places: Places, length_unit: str):
    """Prepare `figure`; returns the function that shows one record, (positions, kinds)."""
    return (_line, _plane, _space)[places.ndim - 1](figure, places, length_unit)


def _line(figure, places, length_unit):
    ax = figure.subplots()
    style.tidy(ax, style.label(AXES[0], length_unit), "species")
    ax.set_xlim(places.lower[0], places.upper[0])
    ax.set_ylim(len(places.species) - 0.5, -0.5)
    ax.set_yticks(range(len(places.species)), places.species)
    return _shower(figure, ax, places, lambda x, s: (x[:, 0], np.full(len(x), s)), "|")


def _plane(figure, places, length_unit):
    ax = figure.subplots()
    style.tidy(ax, *(style.label(a, length_unit) for a in AXES[:2]))
    ax.set_xlim(places.lower[0], places.upper[0])
    ax.set_ylim(places.lower[1], places.upper[1])
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(True)
    return _shower(figure, ax, places, lambda x, s: tuple(x.T))


def _space(figure, places, length_unit):
    ax = figure.add_subplot(projection="3d", computed_zorder=False)
    for i, a in enumerate("xyz"):
        getattr(ax, f"set_{a}lim")(places.lower[i], places.upper[i])
        getattr(ax, f"set_{a}label")(style.label(a, length_unit), fontsize=style.SMALL + 1)
        getattr(ax, f"{a}axis").set_major_locator(MaxNLocator(4, prune="both" if a == "y" else None))
        ax.tick_params(a, labelsize=style.SMALL - 1, pad=0)
    ax.set_box_aspect(np.subtract(places.upper, places.lower), zoom=0.84)  # else its labels leave the page
    return _shower(figure, ax, places, lambda x, s: tuple(x.T))


def _shower(figure, ax, places, coordinates, marker=None):
    """The function that moves the points, and counts them in the legend."""
    empty = [[]] * max(2, places.ndim)
    points = [ax.plot(*empty, marker or MARKERS[i % 7], ms=4 if marker is None else 9, mew=0 if marker is None else 1,
                      alpha=0.8, color=style.COLOURS[i % 7], clip_on=False, label=name)[0]
              for i, name in enumerate(places.species)]
    legend = figure.legend(points, places.species, fontsize=style.SMALL, frameon=False, handlelength=1,
                           loc="outside right upper")
    for line in points:
        line.set_in_layout(False)  # in space they have no extent before they are drawn
    widest = len(str(places[0][1].size))

    def show(record):
        x, kind = record
        for s, (line, name, text) in enumerate(zip(points, places.species, legend.get_texts(), strict=True)):
            own = x[kind == s]
            at = coordinates(own, s)
            line.set_data(*at[:2])
            if len(at) == 3:
                line.set_3d_properties(at[2])
            text.set_text(f"{name}: {len(own)}")

    for name, text in zip(places.species, legend.get_texts(), strict=True):
        text.set_text(f"{name}: {'0' * widest}")  # room for the largest number, before a movie settles its layout
    return show
