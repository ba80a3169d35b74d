"""Bracketed roots: zeros of Bessel functions and of the Robin condition on a ball in d dimensions."""

from __future__ import annotations

import math

import numpy as np


def bisect(rising, lo, hi) -> np.ndarray:
    """The roots of a function that rises through zero once in each bracket (lo, hi), to rounding."""
    lo, hi = np.array(lo, np.float64), np.array(hi, np.float64)
    for _ in range(64):
        middle = 0.5 * (lo + hi)
        below = rising(middle) < 0
        lo, hi = np.where(below, middle, lo), np.where(below, hi, middle)
    return 0.5 * (lo + hi)


def bessel_zeros(nu: float, n: int) -> np.ndarray:
    """The first n positive zeros of J_ν, for ν = −½, 0, ½, 1, …; those of J_ν₊₁ lie between those of J_ν."""
    from scipy import special  # on use: the import of diffsim stays light

    base = -0.5 if nu == -0.5 else nu % 1
    steps = round(nu - base)
    k = np.arange(1, n + steps + 1)
    if base == 0:
        zeros = (k - 0.25) * np.pi + 1 / (8 * np.pi * (k - 0.25))  # McMahon
        for _ in range(5):
            zeros += special.j0(zeros) / special.j1(zeros)
    else:
        zeros = (k if base == 0.5 else k - 0.5) * np.pi
    for order in base + 1 + np.arange(steps):
        sign = -1.0 + 2.0 * (np.arange(len(zeros) - 1) % 2)
        zeros = bisect(lambda z, m=order, s=sign: s * special.jv(m, z), zeros[:-1], zeros[1:])
    return zeros


def ball_roots(n: int, d: int, Bi: float, ell: int = 0) -> np.ndarray:
    """The first n positive roots of β J_ν₊₁(β) = (ℓ + Bi) J_ν(β), ν = ℓ + d/2 − 1.

    Bi = ∞ is an absorbing wall, Bi = 0 a reflecting one; a root interlaces the zeros of J_ν and of J_ν₊₁.
    """
    from scipy import special  # on use: the import of diffsim stays light

    nu, c = ell + d / 2 - 1, ell + Bi
    if math.isinf(c):
        return bessel_zeros(nu, n)
    upper = bessel_zeros(nu + 1, n)
    if c == 0:
        return upper
    sign = 1.0 - 2.0 * (np.arange(n) % 2)
    lower = np.concatenate([[0.0], upper[:-1]])
    return bisect(
        lambda z: sign * (z * special.jv(nu + 1, z) - c * special.jv(nu, z)), lower, bessel_zeros(nu, n)
    )
