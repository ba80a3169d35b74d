"""Coarsening: lengths from the correlation function, and how they grow in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.analysis import _shells
from diffsim.analysis.spectrum import power
from diffsim.grid import Grid


def correlation(grid: Grid, u):
    """C(r) = ⟨δu(x) δu(x + r)⟩/⟨δu²⟩, averaged over directions: the Fourier transform of S(k).

    Args:
        grid: a box, taken as periodic.
        u: state that is not uniform, leading axes are kept.

    Returns:
        r (m,), the mean distance of each shell of one cell's width, up to half the shortest edge, as float64 array
        [length]; C (…, m), C(0) = 1.

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    _, S = power(grid, u)
    complex_of = tf.complex128 if S.dtype == tf.float64 else tf.complex64
    back = (tf.signal.ifft, tf.signal.ifft2d, tf.signal.ifft3d)[grid.ndim - 1]
    C = tf.math.real(back(tf.cast(S, complex_of)))
    C = C / C[(..., *[slice(0, 1)] * grid.ndim)]
    offsets = [L * (np.fft.fftfreq(n)) for n, L in zip(grid.shape, grid.size, strict=True)]
    r = np.sqrt(sum(x**2 for x in np.meshgrid(*offsets, indexing="ij")))
    index = np.rint(r / min(grid.dx)).astype(int)
    shell, count = _shells.number(np.where(r <= min(grid.size) / 2, index, -1))
    mean = np.bincount(shell[shell >= 0], r[shell >= 0]) / count
    return mean, _shells.sums(C, shell, count.size) / tf.constant(count, C.dtype)


def domain_size(grid: Grid, u, level: float = 0.0, mean=()) -> np.ndarray:
    """L with C(L) = level for the first time; at 0, how far it is to the other phase.

    Args:
        grid: a box, taken as periodic.
        u: state that is not uniform, leading axes are kept.
        level: in [0, 1). Where the mean is conserved C has a zero; where it is not, as in Allen–Cahn, C stays
            positive but for chance, and ½ is the choice.
        mean: leading axes, of an ensemble, over which C is averaged before.

    Returns:
        (…) [length]; NaN where C stays above the level up to half the shortest edge: the domains fill the grid.
    """
    level = _checks.number("level", level, least=0.0, why="it is a correlation below that of a place with itself")
    if level >= 1.0:
        _checks.refuse("level", level, "a number < 1", "C(0) = 1", "Use 0 or 0.5.")
    r, C = correlation(grid, u)
    C = np.asarray(C, np.float64).mean(mean) - level
    below = C <= 0
    first = np.argmax(below, -1)[..., None]
    high, low = (np.take_along_axis(C, np.maximum(first - s, 0), -1)[..., 0] for s in (1, 0))
    i = first[..., 0]
    L = r[i - 1] + (r[i] - r[i - 1]) * high / np.where(high > low, high - low, 1.0)
    return np.where(below.any(-1), L, np.nan)


class Coarsening(NamedTuple):
    """L = start + rate·t^exponent, with the standard error of the exponent."""

    exponent: float
    error: float
    start: float
    rate: float


def coarsening(t, L) -> Coarsening:
    """α in L = L₀ + A t^α, by least squares of ln L.

    The offset L₀, of the order of the first pattern, makes the slope of ln L against ln t too small at all times
    that can be reached; it is fitted with the exponent. `power_law` fits without it.

    Args:
        t: (m,) times since the quench, > 0, m ≥ 5, spread over a decade or more [time].
        L: (m,) lengths, > 0 [length].

    Returns:
        Coarsening. Its error takes the residuals for independent; lengths of one run are not quite.

    Raises:
        ValueError: too few points, numbers that are not positive, or a fit that does not converge.

    Source: D. A. Huse, Phys. Rev. B 34 (1986) 7845, doi:10.1103/PhysRevB.34.7845.
    """
    from scipy.optimize import curve_fit  # on use: the import of diffsim stays light

    from diffsim.analysis.fits import power_law

    t, L = np.asarray(t, np.float64), np.asarray(L, np.float64)
    guess = power_law(t, L)
    if t.size < 5:
        _checks.refuse("t", t, "5 times or more", "three numbers are fitted", "Record more often.")

    def law(t, start, log_rate, exponent):
        return np.log(np.maximum(start + np.exp(log_rate) * t**exponent, 1e-300))

    try:
        best, cov = curve_fit(law, t, np.log(L), (0.0, guess.intercept, guess.slope), maxfev=20_000)
    except RuntimeError:
        _checks.refuse("L", L, "lengths that grow like L₀ + A t^α", "the fit does not converge",
                       "Use power_law, or more records.")
    return Coarsening(float(best[2]), float(np.sqrt(cov[2, 2])), float(best[0]), float(np.exp(best[1])))
