"""When and where particles were lost: first-passage times, survival and splitting, with standard errors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from diffsim import _checks
from diffsim._checks import Verbatim, refuse


class Estimate(NamedTuple):
    """A mean and its standard error."""

    value: float
    error: float


class Survival(NamedTuple):
    """The Kaplan–Meier estimate of P(T > t): a staircase.

    Attributes:
        t: times of losses, increasing, the start first.
        value: P(T > t) from each of them on.
        error: its standard error, by Greenwood's formula.
    """

    t: np.ndarray
    value: np.ndarray
    error: np.ndarray

    def at(self, t):
        """(P(T > t), its error) at given times, any shape."""
        place = np.searchsorted(self.t, np.asarray(t, float), side="right") - 1
        if np.any(place < 0):
            refuse("t", t, f"times ≥ {self.t[0]:g}", "nothing is known before the start", "Pass later times.")
        return self.value[place], self.error[place]


class Splitting(NamedTuple):
    """Where particles were lost.

    Attributes:
        wall: numbers of the walls, as in Fate.
        value: the share of all particles that was lost at each.
        error: its standard error.
        alive: the share that was not lost.
    """

    wall: np.ndarray
    value: np.ndarray
    error: np.ndarray
    alive: float


def mean_time(fate, since: float = 0.0, wall: int | None = None) -> Estimate:
    """⟨T⟩, the mean first-passage time; with `wall` that of the particles that were lost there.

    Args:
        fate: of a run (`solution.fate`), or the solution; all particles must have been lost.
        since: time at which they started [time].
        wall: None, or the number of a wall.

    Returns:
        Estimate(value, error) [time].

    Raises:
        ValueError: some are still alive, none were lost at `wall`, or nothing absorbs.
    """
    alive, time, walls = _read(fate)
    since = _checks.number("since", since, why="it is when the particles started")
    if alive.any():
        shown = Verbatim(f"{alive.sum():,} of {alive.size:,} particles alive")
        why = "the slowest contribute most, and a mean without them is too small"
        refuse("fate", shown, "none", why, "Run on with stop=Extinct(), or use survival(…).")
    lost = time if wall is None else time[walls == wall]
    if lost.size == 0:
        refuse("wall", wall, f"one of {np.unique(walls).tolist()}", "a mean needs particles", "Look at splitting(…).")
    spread = lost.std(ddof=1) / math.sqrt(lost.size) if lost.size > 1 else math.inf
    return Estimate(float(lost.mean() - since), float(spread))


def survival(fate, until: float, since: float = 0.0, wall: int | None = None) -> Survival:
    """S(t) = P(T > t) = Π (1 − lostᵢ/presentᵢ): Kaplan–Meier; particles alive are known to have lived until `until`.

    Args:
        fate: of a run (`solution.fate`), or the solution.
        until: time at which the run ended [time].
        since: time at which it started [time].
        wall: None counts every loss; the number of a wall counts losses there, and those elsewhere as out of sight.

    Returns:
        Survival(t, value, error), with .at(t).

    Raises:
        ValueError: times of losses outside [since, until], or nothing absorbs.

    References:
        Kaplan & Meier (1958), doi:10.1080/01621459.1958.10501452; Greenwood (1926).
    """
    alive, time, walls = _read(fate)
    since = _checks.number("since", since, why="it is when the particles started")
    until = _checks.number("until", until, above=since, why="it is when the run ended")
    seen = ~alive if wall is None else ~alive & (walls == wall)
    leaves = np.where(alive, until, time)
    if leaves.min() < since or leaves.max() > until + 1e-12 * abs(until):
        shown = Verbatim(f"losses from {leaves.min():g} to {leaves.max():g}")
        refuse("fate", shown, f"times in [{since:g}, {until:g}]", "a run lasts that long", "Check since and until.")
    t, lost = np.unique(leaves[seen], return_counts=True)
    present = alive.size - np.searchsorted(np.sort(leaves), t, side="left")
    value = np.cumprod(1.0 - lost / present)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = value * np.sqrt(np.cumsum(lost / (present * (present - lost))))
    error = np.where(value > 0, error, 0.0)
    return Survival(np.append(since, t), np.append(1.0, value), np.append(0.0, error))


def splitting(fate) -> Splitting:
    """Pᵢ: at which walls particles were lost, as shares of all of them.

    Args:
        fate: of a run (`solution.fate`), or the solution.

    Returns:
        Splitting(wall, value, error, alive).

    Raises:
        ValueError: nothing absorbs.

    References:
        Redner (2001), doi:10.1017/CBO9780511606014, 1.6 and 2.2.
    """
    alive, _, walls = _read(fate)
    wall, count = np.unique(walls[~alive], return_counts=True)
    p = count / alive.size
    return Splitting(wall, p, np.sqrt(p * (1 - p) / alive.size), float(alive.mean()))


def _read(fate) -> tuple[Any, Any, Any]:
    """(alive, time, wall), flat."""
    fate = getattr(fate, "fate", fate)
    if getattr(fate, "alive", None) is None:
        way_out = "Run with stepper=Absorbed(…) or Reactive(…), and pass the solution."
        refuse("fate", fate, "the fate of particles between walls that absorb", "no one is lost elsewhere", way_out)
    return tuple(np.asarray(part).ravel() for part in (fate.alive, fate.time, fate.wall))
