"""All stops on one page, with their files and the table."""

from __future__ import annotations

import time
from pathlib import Path

from matplotlib.figure import Figure

from diffsim.tour import images, line, methods, molecules, paths, patterns, space
from diffsim.tour.row import Row, as_csv, table

STOPS = (
    line.release, line.layers, line.cooling, line.uptake,
    line.permeation, line.wave, line.barenblatt, line.front,
    space.image, space.tensor, space.hillslope, space.poisson_square,
    space.volume, space.disc, space.pattern, patterns.mosaic,
    patterns.tubes, patterns.turing, patterns.spiral, patterns.pulled,
    patterns.coarsening, patterns.growth, patterns.noise, paths.trap,
    paths.interrupted, molecules.counted, molecules.barrier, molecules.haste,
    images.undone, images.digits, images.learned, methods.inverse,
    methods.ledger, methods.orders,
)
COLUMNS, WIDTH, HEIGHT = 4, 4.8, 3.9  # of the page, and of one panel [inch]


def run(out, stops=STOPS, say=print) -> dict[str, list[Row]]:
    """Make the tour.

    Args:
        out: directory for tour.png, tour.pdf, table.txt, table.csv and an HDF5 file for each run.
        stops: functions stop(figure, out) → rows; all of them by default.
        say: told of each stop when it is done, and at the end of the table.

    Returns:
        The rows of each stop, by its title.
    """
    out, rows = Path(out), {}
    out.mkdir(parents=True, exist_ok=True)
    lines, columns = -(-len(stops) // COLUMNS), min(COLUMNS, len(stops))
    page = Figure(figsize=(WIDTH * columns, HEIGHT * lines), dpi=110, layout="constrained")
    panels = page.subfigures(lines, columns, squeeze=False, wspace=0.04, hspace=0.05).ravel()
    for stop, panel in zip(stops, panels, strict=False):
        began, title = time.perf_counter(), stop.__doc__.split("\n")[0].rstrip(".")
        panel.suptitle(title, fontsize=10)
        rows[title] = stop(panel, out)
        say(f"{title}  ({time.perf_counter() - began:.1f} s)")
    for ending in ("png", "pdf"):
        page.savefig(out / f"tour.{ending}")
    (out / "table.txt").write_text(table(rows) + "\n", encoding="utf-8")
    (out / "table.csv").write_text(as_csv(rows), encoding="utf-8")
    say("\n" + table(rows))
    return rows
