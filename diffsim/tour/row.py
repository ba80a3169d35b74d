"""A line of the tour's table: what was measured, and what is exact."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple


class Row(NamedTuple):
    """One number against its exact value.

    Attributes:
        what: name of the quantity.
        measured: what the run gave.
        exact: what theory says.
        tolerance: how much the two may differ, relative to the exact value, or absolute where that is zero.
    """

    what: str
    measured: float
    exact: float
    tolerance: float

    @property
    def error(self) -> float:
        """|measured − exact|, relative to the exact value unless that is zero."""
        return abs(self.measured - self.exact) / (abs(self.exact) or 1.0)

    @property
    def holds(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.error <= self.tolerance


HEAD = ("stop", "quantity", "measured", "exact", "error", "tolerance", "holds")


def table(rows) -> str:
    """Rows by stop, as aligned text.

    Args:
        rows: {name of the stop: its rows}.
    """
    cells = [HEAD, *((stop, r.what, f"{r.measured:.10g}", f"{r.exact:.10g}", f"{r.error:.1e}",
                      f"{r.tolerance:.0e}", "yes" if r.holds else "NO")
                     for stop, some in rows.items() for r in some)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEAD))]
    lines = ["  ".join(c.rjust(w) if 2 <= i < 6 else c.ljust(w)
                       for i, (c, w) in enumerate(zip(line, widths, strict=True))).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_csv(rows) -> str:
    """The same with all digits, for other programs."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(HEAD)
    for stop, some in rows.items():
        write.writerows((stop, r.what, *map(float, (r.measured, r.exact, r.error, r.tolerance)), r.holds)
                        for r in some)
    return text.getvalue()
