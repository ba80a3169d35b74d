"""What pattern is it? A verdict from topology, orientation and motion, with the figures that it rests on."""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.analysis.components import count, euler
from diffsim.analysis.spectrum import dominant_wavelength, power
from diffsim.analysis.temporal import coherence
from diffsim.grid import Grid


class Pattern(enum.Enum):
    """Kinds of patterns in the plane."""

    HOMOGENEOUS = "uniform in space"
    SPOTS = "compact maxima on a low ground, that stay in place"
    STRIPES = "long bands of one direction"
    LABYRINTH = "long bands of all directions, which branch or end"
    HOLES = "compact minima in a high ground, that stay in place"
    WAVES = "moves, and comes back at one frequency"
    CHAOS = "moves, and does not come back"


class Features(NamedTuple):
    """What a verdict rests on; all but the contrast are free of units.

    Attributes:
        contrast: standard deviation in space, root mean square over the records [u].
        motion: standard deviation in time about a straight line, over the contrast; 0 for one record.
        coherence: share of the variance in time at the strongest frequency and its overtones.
        wavelength: 2π/k* of the last record over the longest edge.
        roundness: 4πχA/P² of {u > level}, χ its Euler characteristic and P its rim; A its area if χ > 0, else the rest
            of the plane: 1 for discs, however many, −1 for holes in the shape of discs, near 0 for bands and loops.
        anisotropy: |Σ S e^{2iθ}|/Σ S: 1 for one direction, 0 for all alike.
        high: part of the area above the level, midway between the percentiles 0.2 and 99.8.
        spots: share of the high area that is in compact components.
        holes: share of the low area that is in compact components.
    """

    contrast: float
    motion: float
    coherence: float
    wavelength: float
    roundness: float
    anisotropy: float
    high: float
    spots: float
    holes: float


class Verdict(NamedTuple):
    """A kind of pattern, and the measured features."""

    pattern: Pattern
    features: Features


def recognise(grid: Grid, records, *, least: float = 1e-3, periodic: bool = True) -> Verdict:
    """Tell spots, stripes, labyrinths, holes, waves, chaos and the uniform state from each other.

    In this order: HOMOGENEOUS if the contrast is below `least`. If the motion is above 0.6 the pattern moves (spots
    that pulsate where they are stay below): WAVES if the coherence is above 0.65, else CHAOS. In place: SPOTS if the
    roundness is above 0.5 and most of the high area is in compact components; HOLES if it is below −0.5 and most of
    the low area is; of the bands that remain, STRIPES if the anisotropy is above 0.6, else LABYRINTH.

    On Pearson's classes of the Gray–Scott model the features keep clear of these borders: motion below 0.15 at rest,
    0.05 to 0.52 for pulsating spots, above 0.73 for chaos; coherence below 0.6 for chaos, above 0.8 for spirals of
    Barkley's model; roundness 1.0 to 1.2 for spots, −1.1 for holes, within ±0.2 for labyrinths, up to 0.45 where bands
    are short. His letters read, from v (in u spots are holes): α, β and ε CHAOS; ζ, η and λ SPOTS; δ and ι HOLES;
    θ, κ and μ LABYRINTH, γ this or STRIPES. Worms, bands that do not branch but end, have no name of their own here:
    they are LABYRINTH, and `count` says how many there are. Measured fields with noise must be smoothed first: every
    grain counts as a component.

    Args:
        grid: a box in the plane.
        records: (m, *grid), equally spaced in time, transients left out; or one state (*grid), which cannot be seen
            to move. Waves show in 16 records or more, of 4 periods or more.
        least: contrast below which a state counts as uniform [u].
        periodic: as in `components`.

    Returns:
        Verdict with pattern and features.

    Raises:
        ValueError: another grid than a box in the plane, or records that do not fit.
    """
    u = _records(grid, records)
    least = _checks.number("least", least, above=0.0, why="it is a contrast")
    f = _features(grid, u, least, periodic)
    return Verdict(_verdict(f, least), f)


MOVES, RETURNS, ROUND, ALIGNED = 0.6, 0.65, 0.5, 0.6


def _verdict(f: Features, least) -> Pattern:
    if f.contrast < least:
        return Pattern.HOMOGENEOUS
    if f.motion > MOVES:
        return Pattern.WAVES if f.coherence > RETURNS else Pattern.CHAOS
    if f.roundness > ROUND and f.spots > 0.5:
        return Pattern.SPOTS
    if f.roundness < -ROUND and f.holes > 0.5:
        return Pattern.HOLES
    return Pattern.STRIPES if f.anisotropy > ALIGNED else Pattern.LABYRINTH


def _features(grid, u, least, periodic) -> Features:
    contrast = float(np.sqrt(u.var((1, 2)).mean()))
    if contrast < least:
        nothing = float("nan")
        return Features(contrast, 0.0, *[nothing] * 7)
    last = u[-1]
    rest = u - _trend(u)
    low, high = np.percentile(last, (0.2, 99.8))
    level = float(low + high) / 2
    wavelength = float(dominant_wavelength(grid, last))
    up, down = (count(grid, s * last, s * level, periodic=periodic) for s in (1, -1))
    return Features(
        contrast,
        float(np.sqrt((rest**2).mean())) / contrast,
        coherence(rest) if len(u) >= 16 else 0.0,
        wavelength / max(grid.size),
        _roundness(grid, last, level, (high - low) / 8, periodic),
        _anisotropy(grid, last),
        float((last > level).mean()),
        up.in_spots / max(up.in_spots + up.in_stripes, 1e-300),
        down.in_spots / max(down.in_spots + down.in_stripes, 1e-300),
    )


def _trend(u):
    """The straight line in time of each cell: a slow approach to rest is no motion."""
    t = np.arange(len(u)) - (len(u) - 1) / 2
    slope = np.tensordot(t, u, 1) / max(t @ t, 1.0)
    return u.mean(0) + t[:, None, None] * slope


def _roundness(grid, u, level, half, periodic):
    """4πχA/P²; P = ∫|∇u| dA/2δ over |u − level| < δ, the mean length of the lines of these levels."""
    v, squares = np.pad(u, 1, mode="wrap" if periodic else "edge"), 0.0
    for a, dx in enumerate(grid.dx):
        step = np.square(np.diff(np.delete(v, (0, -1), 1 - a), axis=a) / dx)
        squares = squares + (np.delete(step, 0, a) + np.delete(step, -1, a)) / 2
    chi, cell = euler(grid, u, level, periodic=periodic), float(np.prod(grid.dx))
    rim = np.sqrt(squares)[np.abs(u - level) < half].sum() * cell / (2 * half)
    side = u > level if chi > 0 else u <= level
    return float(4 * np.pi * chi * side.sum() * cell / max(rim, min(grid.dx)) ** 2)


def _anisotropy(grid, u):
    S = np.asarray(power(grid, u)[1])
    kx, ky = (np.fft.fftfreq(n, h) for n, h in zip(grid.shape, grid.dx, strict=True))
    angle = np.arctan2(ky[None, :], kx[:, None])
    return float(abs((S * np.exp(2j * angle)).sum()) / S.sum())


def _records(grid, records):
    if type(grid) is not Grid or grid.ndim != 2:
        _checks.refuse("grid", grid, "a box in the plane", "these kinds of patterns are those of the plane",
                       "Classify a section.")
    u = np.asarray(_checks.finite("records", records, why="they are measured"), np.float64)
    u = u[None] if u.shape == grid.shape else u
    if u.shape[1:] != grid.shape or len(u) == 0:
        _checks.refuse("records", u, f"shape (m, *{grid.shape})", "a pattern is that of one species in time",
                       "Pass solution.y of one member and one species.")
    return u
