"""Mean square displacements and autocorrelations of stored paths at all lags, by Fourier transforms."""

from __future__ import annotations

import numpy as np

from diffsim import _checks
from diffsim._checks import refuse
from diffsim.analysis.correlators import lengths
from diffsim.analysis.lags import Lags


def mean_square_displacement(t, x, box=None) -> Lags:
    """⟨|x(t + τ) − x(t)|²⟩ over all time origins, for all lags of stored paths, in m log m operations.

    At lag k of m records, (1/(m − k)) Σᵢ (|xᵢ₊ₖ|² + |xᵢ|²) − 2⟨x·x⟩ₖ; the last term is a convolution.

    Args:
        t: (m,) equally spaced times [time].
        x: (m, ..., d) positions, axes between are particles [length].
        box: None, or the lengths of a periodic cell in which x lies, a number or (d,): paths are unwrapped.

    Returns:
        Lags with m lags, the first zero; those near m rest on few origins.

    Raises:
        ValueError: times that are not equally spaced, or do not fit.

    References:
        Kneller, Keiner, Kneller & Schiller (1995), doi:10.1016/0010-4655(95)00048-K.
    """
    h, x = _paths(t, x)
    if box is not None:
        box, dx = lengths(box), np.diff(x, axis=0)
        x = np.concatenate([x[:1], x[:1] + np.cumsum(dx - box * np.rint(dx / box), 0)])
    x = x - x.mean(0)  # far from the origin the two terms would cancel
    m, square = len(x), (x**2).sum(-1)
    head = np.concatenate([np.zeros_like(square[:1]), np.cumsum(square, 0)])
    k = np.arange(m)
    origins = (m - k).astype(float)[:, None]
    each = (head[m] - head[k] + head[m - k]) / origins - 2 * _products(x)
    each[0] = 0.0
    return Lags(k * h, np.maximum(each, 0.0), m - k, x.shape[-1])


def velocity_autocorrelation(t, v) -> Lags:
    """⟨v(t + τ)·v(t)⟩ over all time origins, for all lags of stored paths.

    Args:
        t: (m,) equally spaced times [time].
        v: (m, ..., d) velocities, or any vectors; axes between are particles.

    Returns:
        Lags with m lags; those near m rest on few origins.

    Raises:
        ValueError: times that are not equally spaced, or do not fit.
    """
    h, v = _paths(t, v)
    k = np.arange(len(v))
    return Lags(k * h, _products(v), len(v) - k, v.shape[-1])


def _products(x):
    """(m, N): means over origins of x(t + τ)·x(t), by the convolution theorem with as many zeros as records."""
    m = len(x)
    modes = np.fft.rfft(x, 2 * m, axis=0)
    sums = np.fft.irfft((np.abs(modes) ** 2).sum(-1), 2 * m, axis=0)[:m]
    return sums / (m - np.arange(m))[:, None]


def _paths(t, x):
    """The step, and (m, N, d) in float64."""
    t, x = np.asarray(t, np.float64), np.asarray(_checks.finite("x", x, why="it is a path"), np.float64)
    if t.ndim != 1 or t.size < 2 or x.ndim < 2 or len(x) != t.size:
        why = "a path has a vector at each time"
        refuse("x", x, f"shape ({t.size}, ..., d), with two times or more", why, "Pass solution.t and solution.y.")
    steps = np.diff(t)
    if np.ptp(steps) > 1e-6 * np.abs(steps).max():
        refuse("t", t, "equally spaced times", "lags are multiples of one step", "Record with SaveAt(every=n).")
    return float(t[-1] - t[0]) / (t.size - 1), x.reshape(t.size, -1, x.shape[-1])
