"""Movies of runs: the picture of `field` or `molecules`, once for each record, in one scale."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from diffsim import _checks, _nest
from diffsim.grid import Grid
from diffsim.particles import Molecules
from diffsim.plot import style
from diffsim.plot.curves import units_of
from diffsim.plot.fields import painter, size
from diffsim.plot.molecules import Places, paint
from diffsim.plot.runs import Members

FRAMES = 200  # of a movie, at most


def movie(grid, times, records, out, *, name: str = "u", unit: str = "1", length_unit: str = "1",
          time_unit: str = "1", frames: int = FRAMES, seconds: float = 10.0) -> Path:
    """u(·, tᵢ) one after the other, or molecules; colours and axes stay the same from the first frame to the last.

    Of a run on disk one record at a time is read: ``with ds.io.load("run.h5") as run:
    ds.plot.movie(run.grid, run.t, run.y, "run.gif")``.

    Args:
        grid: Grid or RadialGrid; the law, for a movie of particles.Molecules.
        times: of the records, (n,).
        records: states, (n, *grid.shape): an array, or the lazy records of a run on disk; of molecules a Pool with
            positions (n, places, d).
        out: file to write: ….mp4 (needs ffmpeg) or ….gif.
        name: what u is.
        unit: of u.
        length_unit: of the grid's lengths.
        time_unit: of the times.
        frames: at most so many of the records are shown, evenly chosen.
        seconds: how long the movie lasts.

    Returns:
        The path written.

    Raises:
        ValueError: records that do not fit, an unknown ending, or .mp4 where ffmpeg is not installed.
    """
    if not isinstance(out, (str, os.PathLike)):
        _checks.refuse("out", out, "the name of a file", "a movie is written", 'Pass e.g. "run.gif".', TypeError)
    out, count = Path(out), _checks.integer("frames", frames, least=1, why="a movie has frames")
    seconds = _checks.number("seconds", seconds, above=0.0, why="a movie takes time")
    way_out = "Pass ds.Grid(…), or the law of molecules."
    _checks.instance("grid", grid, (Grid, Molecules), why="it says where the values are", way_out=way_out)
    times = style.array("times", times)
    if isinstance(grid, Molecules):
        return _molecules(Places.within(grid, records), times, out, length_unit, time_unit, count, seconds)
    if tuple(records.shape) != (times.size, *grid.shape):
        _checks.refuse("records", _checks.Verbatim(f"array of shape {tuple(records.shape)}"),
                       f"shape {(times.size, *grid.shape)}", "there is one state on the grid for each time",
                       "Choose one part of the state, e.g. run.y[0], and one member of an ensemble.")
    shown = _chosen(times, count)
    states = (style.state(grid, records[int(i)], "records") for i in shown)
    limits = style.span(*((np.nanmin(u), np.nanmax(u)) for u in states))  # one by one: it may outgrow memory
    width, height = size(grid)
    figure = style.canvas(None, width, height + 0.2)
    show = painter(figure, grid, style.label(name, unit), length_unit, limits)
    frames = (style.state(grid, records[int(i)], "records") for i in shown)
    return _film(figure, show, frames, times[shown], out, time_unit, seconds)


def _molecules(places, times, out, length_unit, time_unit, count, seconds):
    shown = _chosen(times, count)
    figure = style.canvas(None, places.size[0], places.size[1] + 0.2)
    frames = (places[int(i)] for i in shown)
    return _film(figure, paint(figure, places, length_unit), frames, times[shown], out, time_unit, seconds)


def _chosen(times, count) -> np.ndarray:
    return np.unique(np.linspace(0, times.size - 1, min(count, times.size)).round().astype(int))


def _film(figure, show, frames, times, out, time_unit, seconds) -> Path:
    writer = _writer(out, max(1, round(len(times) / seconds)))
    title = figure.suptitle("t", fontsize=style.SMALL + 2)
    digits = _digits(times)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # settled once: axes must not move from frame to frame
    with writer.saving(figure, str(out), dpi=150):
        for frame, t in zip(frames, times, strict=True):
            show(frame)
            title.set_text(f"t = {t:.{digits}f}" + style.after(time_unit))
            writer.grab_frame()
    return out


def of_run(run, out=None, *, part: str | None = None, seconds: float = 10.0) -> Path:
    """The movie of a run on disk, read record by record, with the units that its info names.

    Args:
        run: from `diffsim.io.load`.
        out: as for `movie`; by default beside the run, as .mp4 where ffmpeg is installed, else as .gif.
        part: name of a part of the state; by default the first.
        seconds: how long the movie lasts.

    Returns:
        The path written.

    Raises:
        ValueError: as `movie`; records that are no fields, or no such part.
    """
    from matplotlib.animation import FFMpegWriter

    units, places = units_of(run), Places.of(run)
    out = run.path.with_suffix(".mp4" if FFMpegWriter.isAvailable() else ".gif") if out is None else Path(out)
    if places and part is None and len(run):
        return _molecules(places, run.t, out, units["length"], units["time"], FRAMES, seconds)
    parts = dict(zip((n.name for n in run.names), _nest.flatten(run.y), strict=True))
    part = next(iter(parts)) if part is None else part
    if part not in parts:
        _checks.refuse("part", part, f"one of {', '.join(parts)}", "the state has no other",
                       "Choose one of them.")
    if run.grid is None or tuple(parts[part].shape[-run.grid.ndim:]) != run.grid.shape or not len(run):
        _checks.refuse(part, parts[part], "fields on a grid", "a movie shows how a field moves",
                       "Draw what was recorded with plot.")
    return movie(run.grid, run.t, Members(parts[part], run.grid), out, name=part, unit=units["value"],
                 length_unit=units["length"], time_unit=units["time"], seconds=seconds)


def _writer(out: Path, fps: int):
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if not out.parent.is_dir():
        _checks.refuse("out", str(out), "a file in a directory that exists", f"there is no {out.parent}",
                       "Create it.")
    if out.suffix.lower() == ".gif":
        return PillowWriter(fps=min(fps, 50))  # browsers slow down what is faster
    if out.suffix.lower() != ".mp4":
        _checks.refuse("out", str(out), "a name that ends in .mp4 or .gif", "these are the formats written",
                       "Rename it.")
    if not FFMpegWriter.isAvailable():
        _checks.refuse("out", str(out), "a name that ends in .gif",
                       "MP4 is encoded by ffmpeg, which is not installed here",
                       f"Write {out.with_suffix('.gif').name}, or install ffmpeg.")
    return FFMpegWriter(fps=fps, codec="h264", bitrate=-1)


def _digits(times) -> int:
    """Decimals that tell neighbouring frames apart."""
    if len(times) < 2:
        return 3
    step = float(np.min(np.abs(np.diff(times)))) or 1.0
    return int(np.clip(np.ceil(-np.log10(step)) + (1 if step < 1 else 0), 0, 12))
