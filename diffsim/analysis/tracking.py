"""D from tracks of single particles, seen with localisation error and motion blur: three estimators and their bound.

A camera sees x̃ᵢ = (1/Δt)∫ s(t) x dt + σξᵢ. The displacements of Brownian motion are then Gaussian with
⟨Δx²⟩ = α = 2DΔt(1 − 2R) + 2σ², ⟨ΔxᵢΔxᵢ₊₁⟩ = β = 2RDΔt − σ², and no longer memory. R is 0 for flashes and 1/6 for a
shutter that is always open; σ is the localisation error of one coordinate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim._checks import refuse
from diffsim.analysis.lags import standard_error
from diffsim.analysis.precision import camera, msd_covariance, optimal_points, slope_weights, slopes, track_bound


class Diffusivity(NamedTuple):
    """D from tracks.

    Attributes:
        value: mean over tracks [length² / time].
        error: its standard error: between tracks, or of a single one as theory predicts it.
        noise: σ², the squared localisation error of a coordinate [length²].
        each: (N,) D of each track.
        predicted: standard error of one track by theory, with these D and σ².
    """

    value: float
    error: float
    noise: float
    each: np.ndarray
    predicted: float


def diffusivity_by_covariance(x, dt: float, R: float = 0.0, noise: float | None = None) -> Diffusivity:
    """D = ⟨Δx²⟩/2Δt + ⟨ΔxᵢΔxᵢ₊₁⟩/Δt, σ² = R⟨Δx²⟩ + (2R − 1)⟨ΔxᵢΔxᵢ₊₁⟩: no fit, no bias, near the bound for σ² ≲ DΔt.

    With a known σ²: D = (⟨Δx²⟩ − 2σ²)/(2Δt(1 − 2R)).

    Args:
        x: (m, ..., d) positions at equal times, axes between are tracks [length].
        dt: time from one to the next [time].
        R: blur, 0 ≤ R ≤ ¼.
        noise: σ² if it is known [length²].

    Returns:
        Diffusivity(value, error, noise, each, predicted).

    Raises:
        ValueError: tracks of less than three positions.

    References:
        Vestergaard, Blainey & Flyvbjerg (2014), doi:10.1103/PhysRevE.89.022726.
    """
    dx, dt, R, noise = _displacements(x, dt, R, noise)
    n, d = dx.shape[0], dx.shape[2]
    square, next_ = (dx**2).mean((0, 2)), (dx[1:] * dx[:-1]).mean((0, 2))
    if noise is None:
        each, sigma2 = square / (2 * dt) + next_ / dt, float((R * square + (2 * R - 1) * next_).mean())
    else:
        each, sigma2 = (square - 2 * noise) / (2 * dt * (1 - 2 * R)), noise
    D = float(each.mean())
    alpha, beta = 2 * D * dt * (1 - 2 * R) + 2 * sigma2, 2 * R * D * dt - sigma2
    squares = 2 / n**2 * (n * alpha**2 + 2 * (n - 1) * beta**2)  # variances and covariance of both means, by Wick
    nexts = ((n - 1) * (alpha**2 + beta**2) + 2 * (n - 2) * beta**2) / (n - 1) ** 2
    mixed = 4 * alpha * beta / n
    variance = squares / 4 + nexts + mixed if noise is None else squares / (4 * (1 - 2 * R) ** 2)
    return _diffusivity(each, sigma2, math.sqrt(max(variance, 0.0) / d) / dt)


def diffusivity_by_likelihood(x, dt: float, R: float = 0.0, noise: float | None = None) -> Diffusivity:
    """The D and σ² that make Δx most likely: −2 ln L = Σₖ (ln ψₖ + Δ̂ₖ²/ψₖ), ψₖ = α + 2β cos(πk/(n + 1)).

    Δ̂ is the sine transform of the displacements, in which their covariance is exactly diagonal. Each track has its
    own D and σ² (or D alone, if `noise` is known), found by Fisher scoring.

    Args:
        x: (m, ..., d) positions at equal times, axes between are tracks [length].
        dt: time from one to the next [time].
        R: blur, 0 ≤ R ≤ ¼.
        noise: σ² if it is known [length²].

    Returns:
        Diffusivity(value, error, noise, each, predicted), predicted being the Cramér–Rao bound.

    Raises:
        ValueError: tracks of less than three positions.

    References:
        Berglund (2010), doi:10.1103/PhysRevE.82.011917; Vestergaard et al. (2014), doi:10.1103/PhysRevE.89.022726.
    """
    dx, dt, R, noise = _displacements(x, dt, R, noise)
    n, tracks, d = dx.shape
    rows = np.concatenate([np.zeros((1, tracks, d)), dx, np.zeros((1, tracks, d)), -dx[::-1]])
    power = ((np.fft.fft(rows, axis=0).imag[1 : n + 1] ** 2).sum(2) / (2 * (n + 1))).T  # of d coordinates
    slope_D, slope_noise = slopes(n, R)
    scale = (dx**2).mean((0, 2)) / 2
    D, s = scale, np.zeros(tracks)  # DΔt and σ²
    if noise is not None:
        D, s = np.maximum(scale - noise, 0.1 * scale), np.full(tracks, noise)
    for _ in range(100):
        psi = D[:, None] * slope_D + s[:, None] * slope_noise
        rest = (power - d * psi) / psi**2
        gD, gs = rest @ slope_D, rest @ slope_noise
        w = d / psi**2
        a, b, c = w @ slope_D**2, w @ (slope_D * slope_noise), w @ slope_noise**2
        if noise is None:
            det = a * c - b * b
            step_D, step_s = (c * gD - b * gs) / det, (a * gs - b * gD) / det
        else:
            step_D, step_s = gD / a, np.zeros(tracks)
        part = np.ones(tracks)
        for _ in range(60):  # stay where the covariance is positive
            bad = ((D + part * step_D)[:, None] * slope_D + (s + part * step_s)[:, None] * slope_noise).min(1)
            part = np.where(bad <= 0.05 * psi.min(1), 0.5 * part, part)
        D, s = D + part * step_D, s + part * step_s
        if np.all(np.abs(step_D) + np.abs(step_s) <= 1e-12 * scale):
            break
    each, sigma2 = D / dt, float(s.mean())
    return _diffusivity(each, sigma2, track_bound(n, float(D.mean()), sigma2, R, d, noise is not None) / dt)


def diffusivity_from_slope(x, dt: float, R: float = 0.0, points: int | None = None) -> Diffusivity:
    """D = slope/2d of a line through the first p points of the time-averaged MSD, p that of the least error.

    The covariance of the points is that of Brownian motion with blur and localisation error, exactly; p minimises the
    variance of the slope for the D and σ² that the covariance estimator finds. All points, or a fixed number, may be
    far from the best: the points are correlated, and those at long lags hold little.

    Args:
        x: (m, ..., d) positions at equal times, axes between are tracks [length].
        dt: time from one to the next [time].
        R: blur, 0 ≤ R ≤ ¼.
        points: p ≥ 2; None for the best.

    Returns:
        Diffusivity(value, error, noise, each, predicted); noise follows from the intercept, 2d(σ² − 2RDΔt).

    Raises:
        ValueError: tracks of less than three positions, or more points than they have lags.

    References:
        Michalet (2010), doi:10.1103/PhysRevE.82.041914; Michalet & Berglund (2012), doi:10.1103/PhysRevE.85.061916.
    """
    from diffsim.analysis.paths import mean_square_displacement

    dx, dt, R, _ = _displacements(x, dt, R, None)
    n, tracks, d = dx.shape
    first = diffusivity_by_covariance(x, dt, R)
    D, sigma2 = max(first.value, 1e-3 * (dx**2).mean() / dt), max(first.noise, 0.0)
    if points is None:
        points = optimal_points(n + 1, D, sigma2, dt, R)
    points = _checks.integer("points", points, least=2, why="a line has two parameters")
    if points > n:
        refuse("points", points, f"points ≤ {n}", "a track has no more lags", "Fit fewer.")
    msd = mean_square_displacement(np.arange(n + 1) * dt, x)
    weight = slope_weights(points)
    rise = weight @ msd.each[1 : points + 1]
    each = rise / (2 * d * dt)
    intercept = msd.each[1 : points + 1].mean(0) - rise * (points + 1) / 2
    noise = float((intercept / (2 * d) + 2 * R * each * dt).mean())
    predicted = math.sqrt(weight @ msd_covariance(n + 1, points, D, sigma2, dt, R) @ weight / d) / (2 * dt)
    return _diffusivity(each, noise, predicted)


def _diffusivity(each, noise, predicted):
    error = standard_error(each) if each.size > 1 else predicted
    return Diffusivity(float(each.mean()), float(error), float(noise), each, float(predicted))


def _displacements(x, dt, R, noise):
    """(n, tracks, d) displacements and checked numbers."""
    x = np.asarray(_checks.finite("x", x, why="they are positions"), np.float64)
    if x.ndim < 2 or len(x) < 3:
        why = "two displacements tell diffusion from noise"
        refuse("x", x, "positions of shape (m, ..., d), m ≥ 3", why, "Pass longer tracks; x[:, None] for one.")
    dt, R = camera(dt, R)
    if noise is not None:
        noise = _checks.number("noise", noise, least=0.0, why="it is a squared error")
    return np.diff(x.reshape(len(x), -1, x.shape[-1]), axis=0), dt, R, noise
