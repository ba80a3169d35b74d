"""The Poisson equation −∇²u = 1 with u = 0 on the wall; u/D is the mean exit time of Brownian motion."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import number
from diffsim.reference._input import dimension, within


def rectangle(x, y, Lx: float = 1.0, Ly: float = 1.0):
    """u(x, y) = ½x(Lx−x) − (4Lx²/π³) Σ sin(kx) cosh(k(y−Ly/2))/(n³ cosh(kLy/2)), k = nπ/Lx, n odd.

    Args:
        x: position in [0, Lx], any shape [length].
        y: position in [0, Ly], broadcast against x [length].
        Lx: length along x, > 0 [length].
        Ly: length along y, > 0 [length].

    Returns:
        u, to rounding inside and to 5e-11 Lx² on the walls y = 0 and y = Ly [length²].

    Raises:
        ValueError: Lx or Ly not positive, or a point outside the rectangle.

    Source: S. Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, §109.
    """
    Lx, Ly = _lengths(Lx, Ly)
    x = within("x", x, 0.0, Lx, "u is defined inside the rectangle")
    y = within("y", y, 0.0, Ly, "u is defined inside the rectangle")
    depth = np.minimum(y, Ly - y).min(initial=Ly)
    terms = min(4000, math.ceil(20 * Lx / (np.pi * max(depth, 1e-12))) + 1)  # until e^(−k·depth) < 1e-17
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for n in range(2 * terms - 1, 0, -2):
        k = n * np.pi / Lx
        total += np.sin(k * x) * (np.exp(-k * y) + np.exp(-k * (Ly - y))) / (n**3 * (1 + math.exp(-k * Ly)))
    return 0.5 * x * (Lx - x) - 4 * Lx**2 / np.pi**3 * total


def rectangle_integral(Lx: float = 1.0, Ly: float = 1.0) -> float:
    """∫u = Lx³Ly/12 − (16Lx⁴/π⁵) Σ tanh(nπLy/2Lx)/n⁵, n = 1, 3, 5, …, summed to rounding.

    Args:
        Lx: length along x, > 0 [length].
        Ly: length along y, > 0 [length].

    Returns:
        The integral of u over the rectangle [length⁴].

    Raises:
        ValueError: Lx or Ly not positive.

    Source: S. Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, §109.
    """
    Lx, Ly = sorted(_lengths(Lx, Ly))  # along the shorter side the hyperbolic tangents are near 1
    n = np.arange(1, 41, 2)
    zeta5 = 1.0369277551433699  # Σ 1/n⁵ over odd n is 31/32 of ζ(5)
    series = 31 / 32 * zeta5 - np.sum((1 - np.tanh(n * np.pi * Ly / (2 * Lx))) / n**5.0)
    return float(Lx**3 * Ly / 12 - 16 * Lx**4 / np.pi**5 * series)


def ball(r, R: float = 1.0, d: int = 2):
    """u(r) = (R² − r²)/2d: on an interval (−R, R), a disk or a ball.

    Args:
        r: distance from the centre in [0, R], any shape [length].
        R: radius, > 0 [length].
        d: 1 interval, 2 disk, 3 ball.

    Returns:
        u [length²].

    Raises:
        ValueError: R ≤ 0, r outside [0, R] or d not 1, 2, 3.

    Source: S. Redner, A Guide to First-Passage Processes, Cambridge 2001, §6.2, doi:10.1017/CBO9780511606014.
    """
    R = number("R", R, above=0.0, why="a ball has a radius")
    return (R**2 - within("r", r, 0.0, R, "u is defined inside the ball") ** 2) / (2 * dimension(d))


def _lengths(Lx, Ly) -> tuple[float, float]:
    why = "a rectangle has sides"
    return number("Lx", Lx, above=0.0, why=why), number("Ly", Ly, above=0.0, why=why)
