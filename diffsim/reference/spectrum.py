"""Eigenvalues of −∇²: a mode decays as e^(−λDt)."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import integer, refuse
from diffsim.reference._input import array, dimension, positive
from diffsim.reference._roots import ball_roots


def box(n, L):
    """λ = π² Σ (nᵢ/Lᵢ)²: a mode of a box, ∏ sin(πnᵢxᵢ/Lᵢ) if its walls absorb, ∏ cos if they reflect.

    Args:
        n: half waves along each axis, shape (..., d): 1, 2, … for absorbing, 0, 1, … for reflecting walls.
        L: lengths of the box, a number or shape (d,) [length].

    Returns:
        Eigenvalues, shape (...) [1/length²].

    Raises:
        ValueError: an entry of n is negative or no integer, or L is not positive.

    Source: D. S. Grebenkov, B.-T. Nguyen, SIAM Rev. 55 (2013) 601, §3.1, doi:10.1137/120880173.
    """
    n, L = array("n", n, "half waves are counted", least=0.0), positive("L", L, "a box has lengths")
    if (n != np.round(n)).any():
        refuse("n", n, "integers", "only whole half waves meet the walls", "Round n.")
    return np.sum((np.pi * n / L) ** 2, axis=-1)


def ball(n: int, d: int = 2, R=1.0, ell: int = 0, Bi=math.inf):
    """λ = (β/R)², β J_ν₊₁(β) = (ℓ + Bi) J_ν(β), ν = ℓ + d/2 − 1: modes of angular number ℓ.

    Bi = ∞ is an absorbing wall (J_ν(β) = 0), Bi = 0 a reflecting one, and −R ∂u/∂r = Bi u one in between.

    Args:
        n: number of eigenvalues, ≥ 1.
        d: 1 interval (−R, R), 2 disk, 3 ball.
        R: radius, > 0 [length].
        ell: angular number, ≥ 0; for d = 1 it is 0 for even and 1 for odd modes.
        Bi: Biot number κR/D of the wall, in [0, ∞].

    Returns:
        The first n eigenvalues > 0 in rising order, shape (n,) [1/length²]; the 0 of ℓ = Bi = 0 is left out.

    Raises:
        ValueError: n < 1, R ≤ 0, ell < 0, Bi < 0 or d not 1, 2, 3.

    Source: D. S. Grebenkov, B.-T. Nguyen, SIAM Rev. 55 (2013) 601, §3.2–3.3, doi:10.1137/120880173.
    """
    n = integer("n", n, least=1, why="eigenvalues are counted from the lowest")
    ell, d = integer("ell", ell, least=0, why="angular numbers are 0, 1, 2, …"), dimension(d)
    if d == 1 and ell > 1:
        refuse("ell", ell, "0 or 1 for d = 1", "on a line the modes are even or odd", "Pass ell=0 or ell=1.")
    if not Bi >= 0:
        refuse("Bi", Bi, "a number in [0, inf]", "a wall cannot feed a mode", "Check the sign.")
    return (ball_roots(n, d, float(Bi), ell) / positive("R", R, "a ball has a radius")) ** 2


def sphere_surface(ell, R=1.0):
    """λ = ℓ(ℓ+1)/R²: the 2ℓ + 1 spherical harmonics Y_ℓm on the surface of a sphere.

    Args:
        ell: angular number, ≥ 0, any shape.
        R: radius, > 0 [length].

    Returns:
        Eigenvalue [1/length²].

    Raises:
        ValueError: ell < 0 or R ≤ 0.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §9.1.
    """
    ell = array("ell", ell, "angular numbers are 0, 1, 2, …", least=0.0)
    return ell * (ell + 1) / positive("R", R, "a sphere has a radius") ** 2
