"""Effective diffusivity of two-phase media."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import number, refuse
from diffsim.reference._input import array, diffusivity, dimension, within


def laminate(D, fractions):
    """D∥ = Σ φᵢDᵢ along the layers and D⊥ = (Σ φᵢ/Dᵢ)⁻¹ across them.

    Args:
        D: diffusivities of the phases, shape (n,) [length²/time].
        fractions: volume fractions φ, shape (n,), that add up to 1.

    Returns:
        D∥ and D⊥ [length²/time].

    Raises:
        ValueError: D not positive, or fractions negative or not adding up to 1.

    Source: S. Torquato, Random Heterogeneous Materials, Springer 2002, §16.1, doi:10.1007/978-1-4757-6355-3.
    """
    D, phi = diffusivity(D), array("fractions", fractions, "a volume is not negative", least=0.0)
    if abs(phi.sum() - 1) > 1e-12 or phi.shape != D.shape:
        refuse("fractions", phi, "one per phase, sum 1", "the phases fill space", "Divide by the sum.")
    return (phi * D).sum(), 1 / (phi / D).sum()


def checkerboard(D1, D2):
    """D* = √(D₁D₂): two phases that the plane cannot tell apart, exchanged by a shift.

    Args:
        D1: diffusivity of the one colour, > 0 [length²/time].
        D2: diffusivity of the other, > 0 [length²/time].

    Returns:
        Effective diffusivity [length²/time].

    Raises:
        ValueError: D1 or D2 not positive.

    Source: J. B. Keller, J. Math. Phys. 5 (1964) 548, doi:10.1063/1.1704146.
    """
    return np.sqrt(diffusivity(D1) * diffusivity(D2))


def maxwell(f, ratio=0.0, d: int = 3):
    """D*/D = (1 + (d−1)fb)/(1 − fb), b = (s−1)/(s+d−1): dilute discs or balls of diffusivity sD.

    Args:
        f: volume fraction, in [0, 1], any shape.
        ratio: s, diffusivity inside over outside, ≥ 0; 0 is an obstacle.
        d: 2 discs, 3 balls.

    Returns:
        Effective over outer diffusivity; the flux is averaged over both phases.

    Raises:
        ValueError: f outside [0, 1], ratio < 0, or d not 1, 2, 3.

    Source: S. Torquato, Random Heterogeneous Materials, Springer 2002, §18.1, doi:10.1007/978-1-4757-6355-3.
    """
    f = within("f", f, 0.0, 1.0, "f is a volume fraction")
    s, d = array("ratio", ratio, "a diffusivity is not negative", least=0.0), dimension(d)
    b = (s - 1) / (s + d - 1)
    return (1 + (d - 1) * f * b) / (1 - f * b)


def square_array_of_discs(f: float, ratio: float = 0.0) -> float:
    """D*/D = 1 − 2πB₁, Bₗa⁻ˡ/τ + Σ C(l+m−1, l) S_{l+m} a^{l+m} Bₘa⁻ᵐ = a δ_{l1}, τ = (1−s)/(1+s), l, m odd.

    Rayleigh's multipoles on the unit lattice: S₂ = π, S₄, S₈, … are its sums Σ z⁻ˡ, and f = πa².

    Args:
        f: area fraction of the discs, in [0, 0.78); they touch at π/4.
        ratio: s, diffusivity inside over outside, ≥ 0; 0 is an obstacle.

    Returns:
        Effective over outer diffusivity; the flux is averaged over both phases.

    Raises:
        ValueError: f outside [0, 0.78) or ratio < 0.

    Source: Rayleigh, Phil. Mag. 34 (1892) 481, doi:10.1080/14786449208620364; W. T. Perrins, D. R. McKenzie,
        R. C. McPhedran, Proc. R. Soc. A 369 (1979) 207, doi:10.1098/rspa.1979.0160.
    """
    f = number("f", f, least=0.0, why="f is an area fraction")
    s = number("ratio", ratio, least=0.0, why="a diffusivity is not negative")
    if f >= 0.78:
        way_out = "Solve the cell problem on a grid instead."
        refuse("f", f, "f < 0.78", "near contact, at π/4 = 0.785, the multipoles converge no more", way_out)
    if f == 0 or s == 1:
        return 1.0
    a = math.sqrt(f / math.pi)
    size = min(200, math.ceil(10 / -math.log(2 * a)) + 2)  # the terms fall as (2a)^(l+m)
    orders = 2 * np.arange(size) + 1
    sums = _lattice_sums(2 * size)
    ell, m = np.meshgrid(orders, orders, indexing="ij")
    log_gamma = np.array([math.lgamma(k) for k in range(1, 4 * size + 2)])  # of k = 1, 2, …
    log_term = log_gamma[ell + m - 1] - log_gamma[ell] - log_gamma[m - 1] + (ell + m) * math.log(a)
    matrix = np.exp(log_term) * sums[(ell + m) // 2] + np.eye(size) * (1 + s) / (1 - s)
    b = np.linalg.solve(matrix, a * (orders == 1))
    return float(1 - 2 * np.pi * a * b[0])


def _lattice_sums(n: int) -> np.ndarray:
    """S₂ₖ for k = 0 … n over the square lattice: S₂ = π, the others are Laurent coefficients of ℘."""
    S4 = math.gamma(0.25) ** 8 / (960 * math.pi**2)
    c = np.zeros(n + 1)  # c_k = (2k − 1) S₂ₖ
    c[2] = 3 * S4
    for k in range(4, n + 1, 2):
        c[k] = 3 / ((2 * k + 1) * (k - 3)) * np.dot(c[2 : k - 1], c[k - 2 : 1 : -1])
    sums = c / np.maximum(2 * np.arange(n + 1) - 1, 1)
    sums[1] = math.pi
    return sums
