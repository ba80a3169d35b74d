"""The times of a run: where steps begin and end, and where records are due; integers and float64, on the host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.save import SaveAt


class Piece(NamedTuple):
    """Steps k = first … last − 1 of t_k = base + k·h, arriving at `end` exactly; `save` asks for a record there."""

    base: float
    h: float
    first: int
    last: int
    end: float
    save: bool


@dataclass(frozen=True)
class Schedule:
    """Equal steps between given times.

    With a step dt, each stretch between two times that must be hit is divided into equal steps ≤ dt: no step is
    longer than
    asked, none is a splinter, and records need no interpolation.
    """

    t0: float
    t1: float
    knots: np.ndarray  # times that must be hit, the last is t1
    counts: np.ndarray  # steps to each knot from the one before, 0 where they are adapted
    saves: np.ndarray  # bool, record at this knot
    every: int | None = None
    save_start: bool = False

    @property
    def adapted(self) -> bool:
        """Whether the steps between knots are left to the step-size controller."""
        return bool(self.counts.size) and int(self.counts[0]) == 0

    @property
    def steps(self) -> int:
        """Number of steps, if they are known."""
        return int(self.counts.sum())

    @property
    def longest(self) -> float:
        """The step of largest magnitude, signed."""
        h = self._steps()
        return float(h[np.argmax(np.abs(h))])

    @property
    def shortest(self) -> float:
        """The step of smallest magnitude, signed."""
        h = self._steps()
        return float(h[np.argmin(np.abs(h))])

    def _steps(self):
        return np.diff(np.concatenate([[self.t0], self.knots])) / np.maximum(self.counts, 1)

    @property
    def records(self) -> int:
        """How many records a complete run makes."""
        made = self.steps // self.every if self.every else int(self.saves.sum())
        return made + int(self.save_start)

    def pieces(self, done: int = 0, t: float | None = None) -> Iterator[Piece]:
        """All pieces after `done` steps, or, with adapted steps, after time t."""
        start, n = self.t0, 0
        sign = 1.0 if self.t1 >= self.t0 else -1.0
        for knot, count, save in zip(self.knots, self.counts, self.saves, strict=True):
            knot, count = float(knot), int(count)
            if self.adapted:
                if t is None or sign * (knot - t) > 0:
                    yield Piece(start, 0.0, 0, 1, knot, bool(save))
            elif n + count > done:
                h, k = (knot - start) / count, max(0, done - n)
                while k < count:
                    stop = count if not self.every else min(count, k + self.every - (n + k) % self.every)
                    due = bool(save) if not self.every else (n + stop) % self.every == 0
                    end = knot if stop == count else start + stop * h
                    yield Piece(start, h, k, stop, end, due)
                    k = stop
            start, n = knot, n + count


def schedule(t, dt, save: SaveAt) -> Schedule:
    """The schedule that a user's t, dt and save describe; dt None leaves the steps to be adapted.

    Raises:
        ValueError: times that do not increase or decrease throughout, dt that is not positive.
    """
    try:
        times = np.asarray(t, np.float64)
        if np.asarray(t).dtype.kind not in "fiu":
            raise TypeError
    except (TypeError, ValueError):
        _checks.refuse("t", t, "numbers", "a run leads from a time to a time", "Pass t=(0, 1).", TypeError)
    if times.ndim != 1 or times.size < 2:
        _checks.refuse("t", t, "(t0, t1) or a mesh of times", "a run leads from a time to a time", "Pass t=(0, 1).")
    _checks.finite("t", times, why="they are times")
    steps = np.diff(times)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        _checks.refuse(
            "t",
            t,
            "times that increase, or decrease, throughout",
            "each step leads forwards or backwards",
            "Sort them and remove repeats.",
        )
    t0, t1 = float(times[0]), float(times[-1])
    ts = save.times(t0, t1)
    if times.size > 2:
        if dt is not None:
            _checks.refuse(
                "dt",
                dt,
                "None with a mesh of times",
                "the mesh already says where each step ends",
                "Drop dt, or pass t=(t0, t1).",
            )
        return _of_mesh(times, ts, save)
    if dt is not None:
        dt = _checks.number(
            "dt",
            dt,
            above=0.0,
            why="it is the length of a step",
            way_out="Pass dt > 0; to run backwards let t decrease.",
        )
    knots = np.array([t1]) if ts is None else ts
    start = bool(ts is not None and knots[0] == t0)
    knots = knots[1:] if start else knots
    saves = np.full(knots.size, True) if not save.every else np.full(knots.size, False)
    if knots.size == 0 or knots[-1] != t1:
        knots, saves = np.append(knots, t1), np.append(saves, False)
    lengths = np.abs(np.diff(np.concatenate([[t0], knots])))
    if dt is not None and lengths.sum() / dt > 2.0**53:
        _checks.refuse(
            "dt",
            dt,
            f"a step > {lengths.sum() / 2.0**53:.2g}",
            "steps are counted exactly up to 2⁵³",
            "Take longer steps.",
        )
    counts = (
        np.zeros(knots.size, np.int64)
        if dt is None
        else np.maximum(1, np.ceil(lengths / dt * (1 - 1e-12))).astype(np.int64)
    )
    return Schedule(t0, t1, knots, counts, saves, save.every, start or bool(save.every))


def _of_mesh(times, ts, save):
    knots = times[1:]
    if ts is None:
        saves = np.full(knots.size, False) if save.every else np.arange(knots.size) == knots.size - 1
        return Schedule(times[0], times[-1], knots, np.ones(knots.size, np.int64), saves, save.every, bool(save.every))
    missing = ts[~np.isin(ts, times)]
    if missing.size:
        _checks.refuse(
            "ts",
            _checks.Verbatim(f"a time {missing[0]!r}"),
            "times of the mesh",
            "with a mesh steps end at its times only",
            "Add the time to the mesh.",
        )
    return Schedule(
        times[0], times[-1], knots, np.ones(knots.size, np.int64), np.isin(knots, ts), None, bool(ts[0] == times[0])
    )
