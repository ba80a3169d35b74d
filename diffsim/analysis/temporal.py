"""Signals in time: power spectra, periods to many digits, and how much of a motion comes back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffsim import _checks


def temporal_spectrum(t, u):
    """P(f) = 2Δt |Σ w (u − ū) e^{−2πift}|²/Σw², w Hann's window: one-sided, Σ P Δf ≈ the variance of u.

    Args:
        t: (m,) equally spaced times, m ≥ 8 [time].
        u: (m, …) signals.

    Returns:
        f (m//2,) without f = 0 [1 / time], and P (m//2, …) [u² × time].

    Raises:
        ValueError: too few records, or times that are not equally spaced.

    Source: P. D. Welch, IEEE Trans. Audio 15 (1967) 70, doi:10.1109/TAU.1967.1161901.
    """
    t, u = _signal(t, u)
    dt = (t[-1] - t[0]) / (len(t) - 1)
    if np.abs(np.diff(t) - dt).max() > 1e-6 * abs(dt):
        _checks.refuse("t", t, "equally spaced times", "a Fourier transform takes them so",
                       "Record with SaveAt(ts=np.arange(…)).")
    m = len(t)
    w = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(m) + 0.5) / m)
    modes = np.fft.rfft(w.reshape(-1, *[1] * (u.ndim - 1)) * (u - u.mean(0)), axis=0)
    P = 2 * dt * np.abs(modes) ** 2 / (w @ w)
    if m % 2 == 0:
        P[-1] /= 2
    return np.fft.rfftfreq(m, dt)[1:], P[1:]


def coherence(u) -> float:
    """Share of the variance in time, of all cells together, at the strongest frequency and its overtones.

    Lines are three modes wide; what a flat spectrum would have in them is taken off: 1 for a periodic motion, about
    0 for noise, and 0 if the strongest mode has fewer than 4 periods in the records, too few to see them return.

    Args:
        u: (m, …) equally spaced records, m ≥ 16.

    Returns:
        A number ≤ 1.
    """
    _, P = temporal_spectrum(np.arange(len(u)), u)
    P = P.reshape(len(P), -1).sum(1)
    first, modes = int(np.argmax(P)) + 1, np.arange(1, len(P) + 1)
    if first < 4 or P.sum() == 0.0:
        return 0.0
    near = np.abs(modes - first * np.rint(modes / first)) <= 1
    near &= modes >= first - 1
    return float((P[near].sum() / P.sum() - near.mean()) / (1.0 - near.mean()))


class Period(NamedTuple):
    """A period with its standard error, and how many periods it rests on."""

    value: float
    error: float
    periods: int


def period(t, u, level: float | None = None) -> Period:
    """T: the mean time between upward crossings of a level, by least squares over all crossings.

    Crossings are those of the quintic through the six records around, hence of sixth order in the time between
    records. Records need not be equally spaced. A signal that crosses the level twice per period is seen at half
    of it: choose another level.

    Args:
        t: (m,) increasing times [time].
        u: (m,) signal.
        level: the value that is crossed; midway between the extremes if not given.

    Returns:
        Period [time]; its error is that of the slope of crossing times against their number, NaN for two crossings.

    Raises:
        ValueError: fewer than two upward crossings.
    """
    from diffsim.analysis.fits import straight

    t, u = _signal(t, u)
    if u.ndim != 1:
        _checks.refuse("u", u, "one signal", "each has its own period", "Pass them one after the other.")
    level = 0.5 * (u.min() + u.max()) if level is None else _checks.number("level", level, why="it is crossed")
    times = _crossings(t, u, level)
    if len(times) < 2:
        _checks.refuse("u", _checks.Verbatim(f"{len(times)} upward crossings of {level:g}"), "two or more",
                       "a period lies between two crossings", "Record for longer, or choose another level.")
    fit = straight(np.arange(len(times)), times)
    return Period(fit.slope, fit.error, len(times) - 1)


def crossings(t, u, level: float) -> np.ndarray:
    """Times at which u rises through the level, from the quintic through the six records around each.

    Args:
        t: (m,) increasing times, m ≥ 8 [time].
        u: (m,) signal.
        level: the value that is crossed.

    Returns:
        (n,) times [time].

    Raises:
        ValueError: fewer than 8 records, or times that do not increase.
    """
    t, u = _signal(t, u)
    if u.ndim != 1:
        _checks.refuse("u", u, "one signal", "each crosses at its own times", "Pass them one after the other.")
    return _crossings(t, u, _checks.number("level", level, why="it is crossed"))


def _crossings(t, u, level):
    starts = np.nonzero((u[:-1] <= level) & (u[1:] > level))[0]
    return np.array([_crossing(t, u, level, int(i)) for i in starts])


def _crossing(t, u, level, i):
    """The root between t[i] and t[i + 1] of the quintic through six records, by Newton kept in the interval."""
    k = min(max(i - 2, 0), len(t) - 6)
    h = t[i + 1] - t[i]
    c = np.polyfit((t[k : k + 6] - t[i]) / h, u[k : k + 6] - level, 5)
    low, high = 0.0, 1.0
    s = (level - u[i]) / (u[i + 1] - u[i])
    for _ in range(60):
        value = np.polyval(c, s)
        low, high = (s, high) if value <= 0 else (low, s)
        slope = np.polyval(np.polyder(c), s)
        new = s - value / slope if slope != 0 else low
        new = new if low < new < high else 0.5 * (low + high)
        if abs(new - s) < 1e-15:
            break
        s = new
    return t[i] + s * h


def _signal(t, u):
    t = np.asarray(_checks.finite("t", t, why="they are times"), np.float64)
    u = np.asarray(_checks.finite("u", u, why="it is a signal"), np.float64)
    if t.ndim != 1 or u.ndim == 0 or len(u) != len(t) or len(t) < 8:
        _checks.refuse("u", u, f"as many records as times ({t.size}), 8 or more", "a signal is a value at each time",
                       "Pass solution.t and a reduction of solution.y.")
    if np.any(np.diff(t) <= 0):
        _checks.refuse("t", t, "increasing times", "a signal runs forwards", "Sort the records.")
    return t, u
