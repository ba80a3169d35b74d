"""Permeation through a sheet, and steady states of hollow bodies."""

from __future__ import annotations

import numpy as np

from diffsim._checks import number, refuse
from diffsim.reference._input import array, diffusivity, dimension, positive, within

_K = np.arange(1, 9)  # eight terms reach rounding on either side of Dt/L² = 0.2


def flux(tau):
    """J/J∞ = 1 + 2 Σ (−1)ᵏ e^(−k²π²τ) = (2/√πτ) Σ e^(−(2k−1)²/4τ): outflow of a sheet fed at its far side.

    The sheet starts empty. The second form, by images, is used for τ < 0.2; both are exact to rounding.

    Args:
        tau: Dt/L², > 0, any shape.

    Returns:
        Flux in units of the final flux D C₀/L.

    Raises:
        ValueError: tau ≤ 0.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, §4.3.3.
    """
    tau = positive("tau", tau, "nothing has crossed before the start")
    early, late = np.minimum(tau, 0.2)[..., None], np.maximum(tau, 0.2)[..., None]
    images = 2 / np.sqrt(np.pi * early[..., 0]) * np.exp(-((2 * _K - 1) ** 2) / (4 * early)).sum(-1)
    modes = 1 + 2 * ((-1.0) ** _K * np.exp(-((_K * np.pi) ** 2) * late)).sum(-1)
    return np.where(tau < 0.2, images, modes)[()]


def permeated(tau):
    """Q/(L C₀) = τ − 1/6 − (2/π²) Σ (−1)ᵏ e^(−k²π²τ)/k²: all that has left, with the asymptote τ − 1/6.

    For τ < 0.2 it is the sum over images, 4√τ Σ ierfc((2k−1)/2√τ).

    Args:
        tau: Dt/L², > 0, any shape.

    Returns:
        Amount per unit area, in units of L C₀.

    Raises:
        ValueError: tau ≤ 0.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eq. 4.24.
    """
    from scipy.special import erfc  # on use: the import of diffsim stays light

    tau = positive("tau", tau, "nothing has crossed before the start")
    early, late = np.minimum(tau, 0.2)[..., None], np.maximum(tau, 0.2)[..., None]
    z = (2 * _K - 1) / (2 * np.sqrt(early))
    images = 4 * (np.sqrt(early) * (np.exp(-(z**2)) / np.sqrt(np.pi) - z * erfc(z))).sum(-1)
    decay = 2 / np.pi**2 * ((-1.0) ** _K / _K**2 * np.exp(-((_K * np.pi) ** 2) * late)).sum(-1)
    return np.where(tau < 0.2, images, tau - 1 / 6 - decay)[()]


def time_lag(L, D):
    """t_lag = L²/6D: where the asymptote of the permeated amount meets zero.

    Args:
        L: thickness, > 0 [length].
        D: diffusivity, > 0 [length²/time].

    Returns:
        Time lag [time].

    Raises:
        ValueError: L or D not positive.

    Source: H. Daynes, Proc. R. Soc. A 97 (1920) 286, doi:10.1098/rspa.1920.0034.
    """
    return positive("L", L, "a sheet has a thickness") ** 2 / (6 * diffusivity(D))


def hollow(r, a, b, Ca, Cb, d: int = 2):
    """C = Ca + (Cb − Ca) R(r)/R(b), R = r − a, ln(r/a) or 1/a − 1/r: steady between r = a and r = b.

    Args:
        r: radius in [a, b], any shape [length].
        a: inner radius, > 0 [length].
        b: outer radius, > a [length].
        Ca: concentration on the inner wall.
        Cb: concentration on the outer wall.
        d: 1 sheet, 2 cylinder, 3 sphere.

    Returns:
        Concentration [unit of Ca].

    Raises:
        ValueError: not 0 < a < b, r outside [a, b], or d not 1, 2, 3.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eqs 4.3, 5.4, 6.5.
    """
    a, b = _radii(a, b)
    r = within("r", r, a, b, "the body lies between its walls")
    return Ca + (Cb - Ca) * _resistance(r, a, d) / _resistance(b, a, d)


def hollow_flow(a, b, Ca, Cb, D, d: int = 2):
    """Q = Ω D (Ca − Cb)/R(b), Ω = 1, 2π or 4π: the steady flow from r = a to r = b.

    Args:
        a: inner radius, > 0 [length].
        b: outer radius, > a [length].
        Ca: concentration on the inner wall.
        Cb: concentration on the outer wall.
        D: diffusivity, > 0 [length²/time].
        d: 1 sheet (per unit area), 2 cylinder (per unit length), 3 sphere.

    Returns:
        Amount per time, outwards.

    Raises:
        ValueError: not 0 < a < b, D ≤ 0 or d not 1, 2, 3.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eqs 4.4, 5.5, 6.7.
    """
    a, b = _radii(a, b)
    Ca, Cb = (array("C", C, "a concentration is a number") for C in (Ca, Cb))
    return (1, 2 * np.pi, 4 * np.pi)[dimension(d) - 1] * diffusivity(D) * (Ca - Cb) / _resistance(b, a, d)


def _resistance(r, a: float, d: int):
    """∫ s^(1−d) ds from a to r."""
    return (lambda: r - a, lambda: np.log(r / a), lambda: 1 / a - 1 / r)[dimension(d) - 1]()


def _radii(a, b):
    a = number("a", a, above=0.0, why="the hole has a radius")
    b = number("b", b, above=0.0, why="the body has a radius")
    if b <= a:
        refuse("b", b, f"a radius > a = {a:g}", "the outer wall lies outside the inner one", "Swap a and b.")
    return a, b
