"""What to keep of a run: at which times, reduced how, in memory or on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from diffsim import _checks


def keep_state(t, y):
    """The state itself."""
    return y


@dataclass(frozen=True)
class SaveAt:
    """Records fn(t, y) at the times ts, or after every n-th step (the start included); by default at the end only.

    Args:
        ts: times within the run, in the direction of the run; steps are fitted to hit them.
        every: number of steps between records.
        fn: reduces the state on the device, fn(t, y) → a tensor or nest; a dict names its parts, and so does an
            attribute `names` of fn, as of `law.count`.
        to: path of an HDF5 file to which records are streamed instead of kept in memory; an XDMF goes beside it.
        units: of the numbers in the file, any of {"length": …, "time": …, "value": …}; figures of the file show them.
    """

    ts: Sequence[float] | None = None
    every: int | None = None
    fn: Callable = keep_state
    to: str | None = None
    units: Mapping[str, str] | None = None

    def __post_init__(self):
        if self.ts is not None and self.every is not None:
            _checks.refuse(
                "SaveAt", _checks.Verbatim("ts and every"), "one of the two", "they name different times", "Drop one."
            )
        if self.every is not None:
            _checks.integer("every", self.every, least=1, why="it counts steps")
        if self.to is not None and not isinstance(self.to, (str, os.PathLike)):
            _checks.refuse("to", self.to, "the name of a file", "records are streamed there", 'Pass e.g. to="run.h5".',
                           TypeError)
        if self.units is not None and not (
            isinstance(self.units, Mapping)
            and set(self.units) <= {"length", "time", "value"}
            and all(isinstance(v, str) for v in self.units.values())
        ):
            _checks.refuse("units", self.units, 'a dict with texts for some of "length", "time", "value"',
                           "figures and readers look for these", 'Pass e.g. units={"length": "µm", "time": "s"}.')
        if not callable(self.fn):
            _checks.refuse(
                "fn",
                self.fn,
                "a function fn(t, y)",
                "it reduces the state",
                "Leave it out to keep the state.",
                TypeError,
            )

    def times(self, t0: float, t1: float) -> np.ndarray | None:
        """The checked times `ts` as float64, None if they are not given.

        Raises:
            ValueError: times outside [t0, t1] or against its direction.
        """
        if self.ts is None:
            return None
        try:
            ts = np.asarray(self.ts, np.float64)
            if isinstance(self.ts, str) or np.asarray(self.ts).dtype.kind in "USb" or ts.ndim != 1:
                raise TypeError
        except (TypeError, ValueError):
            _checks.refuse(
                "ts", self.ts, "a sequence of times", "records are made there", "Pass ts=[0.5, 1.0].", TypeError
            )
        if ts.size == 0:
            _checks.refuse("ts", self.ts, "at least one time", "records are made there", "Leave ts out for the end.")
        _checks.finite("ts", ts, why="they are times")
        sign = 1.0 if t1 >= t0 else -1.0
        slack = 1e-12 * max(abs(t0), abs(t1))
        if np.any(sign * np.diff(ts) <= 0):
            _checks.refuse(
                "ts",
                self.ts,
                "a sequence of times in the direction of the run, without repeats",
                "each is reached once",
                "Sort them.",
            )
        if sign * (ts[0] - t0) < -slack or sign * (t1 - ts[-1]) < -slack:
            _checks.refuse(
                "ts",
                _checks.Verbatim(f"[{ts[0]:g}, …, {ts[-1]:g}]" if ts.size > 2 else ts.tolist()),
                f"times within [{t0:g}, {t1:g}]",
                "the run does not go further",
                "Extend t, or drop the times outside.",
            )
        return np.clip(ts, min(t0, t1), max(t0, t1))
