"""Diffusion waves: a wall that oscillates as cos ωt and the decaying wave below it."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import number
from diffsim.reference._input import array, diffusivity, positive, within


def penetration_depth(D, omega):
    """δ = √(2D/ω): the wave falls by e and lags by one radian every δ.

    Args:
        D: diffusivity, > 0 [length²/time].
        omega: angular frequency ω, > 0 [1/time].

    Returns:
        Depth [length].

    Raises:
        ValueError: D or omega not positive.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §2.6.
    """
    return np.sqrt(2 * diffusivity(D) / positive("omega", omega, "a wave has a frequency"))


def wave(x, t, D, omega, L=math.inf):
    """C = Re[e^{iωt} cosh κ(L−x)/cosh κL], κ = (1+i)/δ: C(0, t) = cos ωt, and no flux at x = L.

    It is what remains when the start is forgotten. For L = ∞ it is e^(−x/δ) cos(ωt − x/δ).

    Args:
        x: depth in [0, L], any shape [length].
        t: time, broadcast against x [time].
        D: diffusivity, > 0 [length²/time].
        omega: angular frequency ω, > 0 [1/time].
        L: depth of the closed end, > 0; math.inf is a half-space [length].

    Returns:
        Concentration in units of the amplitude at the wall.

    Raises:
        ValueError: x outside [0, L], or D, omega or L not positive.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §2.6 and §3.6.
    """
    kappa = (1 + 1j) / penetration_depth(D, omega)
    phase = 1j * positive("omega", omega, "a wave has a frequency") * array("t", t, "time is a number")
    if math.isinf(L) and L > 0:
        x = array("x", x, "a depth is not negative", least=0.0)
        return np.exp(phase - kappa * x).real
    L = number("L", L, above=0.0, why="the slab has a depth")
    x = within("x", x, 0.0, L, "the slab lies between its walls")
    there_and_back = np.exp(-kappa * x) + np.exp(-kappa * (2 * L - x))
    return (np.exp(phase) * there_and_back / (1 + np.exp(-2 * kappa * L))).real
