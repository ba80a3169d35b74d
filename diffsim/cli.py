"""The command line: `diffsim tour | verify | info | plot | movie`.

What a command cannot do is told in one sentence on the error stream, with exit code 2; `verify` and `tour`
end with 1 when a number is not what it should be. What a command does not need it does not import.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from diffsim import _checks, _nest
from diffsim._checks import SolveError

app = typer.Typer(name="diffsim", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Diffusion, physical and generative: verify it, see it, look into its files.")
File = Annotated[Path, typer.Argument(help="HDF5 file of a run, written by SaveAt(to=…).", metavar="FILE")]


Record = Annotated[int, typer.Option(help="Which record; negative counts from the end.")]
Folder = Annotated[Path, typer.Option(help="Directory for figures, files and tables.")]
Picture = Annotated[Path | None, typer.Option(help="Figure to write, .png or .pdf; FILE.png by default.")]
Film = Annotated[Path | None, typer.Option(help="Movie to write, .mp4 or .gif; FILE.mp4 where ffmpeg is.")]
Part = Annotated[str | None, typer.Option(help="Which part of the state, by its name in `info`.")]
Seconds = Annotated[float, typer.Option(help="How long it lasts.")]
Full = Annotated[bool, typer.Option("--full", help="Finer grids and longer runs: minutes, not seconds.")]


@app.command()
def tour(out: Folder = Path("diffsim-tour")):
    """See every capability: one page of figures, a file for each run, a table of measured against exact."""
    from diffsim import tour as the_tour

    rows = the_tour.run(out, say=typer.echo)
    typer.echo(f"\nWritten to {out}/: tour.png, tour.pdf, table.txt, table.csv and the runs.")
    _end(all(row.holds for some in rows.values() for row in some))


@app.command()
def verify(full: Full = False):
    """Hold the solvers against exact and published answers."""
    from diffsim import verify as matrix

    rows = matrix.run(fast=not full)
    typer.echo(matrix.report(rows))
    _end(all(row.holds for row in rows))


@app.command()
def info(file: File):
    """Tell what a file holds: times, state, grid, how the run went, what wrote it."""
    from diffsim import io

    with io.load(file) as run:
        lines = {"file": run.path, "status": run.status, "records": len(run)}
        if len(run):
            lines["times"] = f"{run.t[0]:.6g} to {run.t[-1]:.6g}"
        for n, leaf in zip(run.names, _nest.flatten(run.y), strict=True):
            lines[f"state {n.name}"] = _leaf(leaf)
        if run.grid is not None:
            lines["grid"] = run.grid
        lines |= {k: v for k, v in run.info.items() if isinstance(v, (str, int, float)) and k not in _HIDDEN}
        width = max(map(len, lines))
        for name, value in lines.items():
            typer.echo(f"{name.ljust(width)}  {value}")


@app.command()
def plot(file: File, record: Record = -1, out: Picture = None):
    """Draw one record of a run."""
    from diffsim import io
    from diffsim.plot import record as draw

    with io.load(file) as run:
        _write(draw(run, record), out or file.with_suffix(".png"))


@app.command()
def movie(file: File, out: Film = None, part: Part = None, seconds: Seconds = 10.0):
    """Make a movie of all records of a run."""
    from diffsim import io
    from diffsim.plot.movies import of_run

    with io.load(file) as run:
        typer.echo(of_run(run, out, part=part, seconds=seconds))


_HIDDEN = ("format", "layout", "request", "run", "status")


def _leaf(leaf) -> str:
    text = f"{' × '.join(map(str, leaf.shape[1:])) or 'number'}, {np.dtype(leaf.dtype).name}"
    last = np.asarray(leaf[-1]) if len(leaf) else np.zeros(0)
    if last.size and last.dtype.kind in "fiub":
        text += f"; last in [{last.min():.6g}, {last.max():.6g}], mean {last.mean():.6g}"
    return text


def _write(figure, out: Path):
    known = figure.canvas.get_supported_filetypes()
    if out.suffix.lstrip(".").lower() not in known:
        _checks.refuse("out", str(out), f"a name that ends in .{', .'.join(sorted(known))}",
                       "the ending chooses the format", "Rename it.")
    if not out.parent.is_dir():
        _checks.refuse("out", str(out), "a file in a directory that exists", f"there is no directory {out.parent}",
                       "Create it, or choose another.", FileNotFoundError)
    figure.savefig(out)
    typer.echo(out)


def _end(good: bool):
    if not good:
        raise typer.Exit(1)


def main():
    """Run a command; bad input ends with one sentence and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, OSError, SolveError) as error:
        typer.echo(f"diffsim: {error}", err=True)
        sys.exit(2)
