"""How precisely D can be known from a track: the bound for all estimators, and the best number of points for a line.

In the letters of `tracking`: displacements of a coordinate have the variance 2DΔt(1 − 2R) + 2σ² and the covariance
2RDΔt − σ² with the next one.
"""

from __future__ import annotations

import math

import numpy as np

from diffsim import _checks


def optimal_points(m: int, D: float, noise: float, dt: float, R: float = 0.0) -> int:
    """The number of MSD points whose line has the slope with the least variance.

    Args:
        m: positions in a track.
        D: diffusivity [length² / time].
        noise: σ² [length²].
        dt: time from one position to the next [time].
        R: blur, 0 ≤ R ≤ ¼.

    Returns:
        p, 2 ≤ p < m.

    References:
        Michalet (2010), doi:10.1103/PhysRevE.82.041914.
    """
    best, least = 2, math.inf
    p = 2
    while p < m and (p <= 2 * best + 8):
        w = slope_weights(p)
        variance = w @ msd_covariance(m, p, D, noise, dt, R) @ w
        if variance < least:
            best, least = p, variance
        p += 1 if p < 32 else p // 16
    return best


def diffusivity_bound(m: int, D: float, noise: float, dt: float, R: float = 0.0, d: int = 1, known: bool = False):
    """The Cramér–Rao bound: no unbiased estimator of D from a track has a smaller standard error.

    From Fisher's information Iₐᵦ = (d/2) Σₖ ∂ₐψₖ ∂ᵦψₖ/ψₖ²; for σ = R = 0 and known, D √(2/(d(m − 1))).

    Args:
        m: positions in a track.
        D: diffusivity [length² / time].
        noise: σ² [length²].
        dt: time from one position to the next [time].
        R: blur, 0 ≤ R ≤ ¼.
        d: number of coordinates.
        known: whether σ² is known.

    Returns:
        The bound [length² / time].

    References:
        Vestergaard et al. (2014), doi:10.1103/PhysRevE.89.022726.
    """
    m = _checks.integer("m", m, least=3, why="a track has two displacements or more")
    D = _checks.number("D", D, above=0.0, why="it is estimated")
    noise = _checks.number("noise", noise, least=0.0, why="it is a squared error")
    dt, R = camera(dt, R)
    return track_bound(m - 1, D * dt, noise, R, d, known) / dt


def track_bound(n, D, noise, R, d, known):
    """The bound of DΔt."""
    slope_D, slope_noise = slopes(n, R)
    psi = np.maximum(D * slope_D + noise * slope_noise, 1e-300)
    a, b, c = (d / 2 * (p * q / psi**2).sum() for p, q in
               ((slope_D, slope_D), (slope_D, slope_noise), (slope_noise, slope_noise)))
    return 1 / math.sqrt(a if known else a - b * b / c)


def slopes(n, R):
    """∂ψ/∂(DΔt) and ∂ψ/∂σ²."""
    cos = np.cos(np.pi * np.arange(1, n + 1) / (n + 1))
    return 2 * (1 - 2 * R) + 4 * R * cos, 2 - 2 * cos


def slope_weights(p):
    """Those of the least-squares slope through 1 … p."""
    k = np.arange(1, p + 1) - (p + 1) / 2
    return k / (k @ k)


def msd_covariance(m, p, D, noise, dt, R):
    """Cov of the time-averaged MSD at lags 1 … p of one coordinate: 2 Σ C², C between displacements, by Wick."""
    def M(k):
        return np.where(k == 0, 0.0, 2 * D * dt * (np.abs(k) - 2 * R) + 2 * noise)

    lags, cov = np.arange(1, p + 1), np.empty((p, p))
    for a in lags:
        b = lags[lags >= a]
        i = np.arange(-(p + a), p + a + 1)[:, None]  # start of the second minus start of the first
        C = 0.5 * (M(i + b) + M(i - a) - M(i) - M(i + b - a))
        pairs = np.minimum(m - a, m - b - i) - np.maximum(0, -i)
        sums = 2 * (C**2 * np.maximum(pairs, 0)).sum(0) / ((m - a) * (m - b))
        cov[a - 1, b - 1] = cov[b - 1, a - 1] = sums
    return cov


def camera(dt, R):
    """Time between positions and blur, checked."""
    dt = _checks.number("dt", dt, above=0.0, why="it is the time between positions")
    R = _checks.number("R", R, least=0.0, why="it is a blur")
    if R > 0.25:
        _checks.refuse("R", R, "0 ≤ R ≤ ¼", "no shutter blurs more", "Use 1/6 for one that is always open.")
    return dt, R
