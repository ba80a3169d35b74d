"""The exact laws of the discretised heat equation: a test against them can sit at 1e-12."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffsim._checks import integer, number, refuse
from diffsim.reference._input import array, positive


class Modes(NamedTuple):
    """−δ²/Δx² = V diag(λ) Vᵀ on one axis: `lam`, shape (n,) [1/length²], and orthonormal columns `V`."""

    lam: np.ndarray
    V: np.ndarray


def ftcs_factor(k, dx, r):
    """G = 1 − 4 Σ r sin²(kΔx/2), r = DΔt/Δx²: one explicit Euler step multiplies e^{ik·x} by G.

    Args:
        k: wave number, any shape [1/length]; a tuple of them, one per axis, in several dimensions.
        dx: spacing, or a tuple, one per axis [length].
        r: mesh ratio DΔt/Δx², or a tuple, one per axis.

    Returns:
        G, of the shape of k (of the broadcast axes).

    Raises:
        ValueError: dx or r not positive, or tuples of different lengths.

    Source: R. J. LeVeque, Finite Difference Methods, SIAM 2007, §9.6, doi:10.1137/1.9780898717839.
    """
    return 1 - 4 * _ratio(k, dx, r)


def crank_nicolson_factor(k, dx, r):
    """G = (1 − 2Σ r s²)/(1 + 2Σ r s²), s = sin(kΔx/2): one Crank–Nicolson step multiplies e^{ik·x} by G.

    Args:
        k: wave number, any shape [1/length]; a tuple of them, one per axis, in several dimensions.
        dx: spacing, or a tuple, one per axis [length].
        r: mesh ratio DΔt/Δx², or a tuple, one per axis.

    Returns:
        G, of the shape of k (of the broadcast axes).

    Raises:
        ValueError: dx or r not positive, or tuples of different lengths.

    Source: R. J. LeVeque, Finite Difference Methods, SIAM 2007, §9.6, doi:10.1137/1.9780898717839.
    """
    z = 2 * _ratio(k, dx, r)
    return (1 - z) / (1 + z)


def periodic(n: int, dx: float) -> Modes:
    """λⱼ = (4/Δx²) sin²(πj/n), vⱼ ∝ cos(2πij/n) + sin(2πij/n): n cells on a ring, j = 0 … n−1.

    Args:
        n: number of cells, ≥ 1.
        dx: width of a cell [length].

    Returns:
        Modes of the axis.

    Raises:
        ValueError: n < 1 or dx ≤ 0.

    Source: G. Strang, SIAM Rev. 41 (1999) 135, doi:10.1137/S0036144598336745.
    """
    n, dx = _axis(n, dx)
    j = np.arange(n)
    angle = 2 * np.pi / n * (np.outer(j, j) % n)
    return Modes((2 / dx * np.sin(np.pi * j / n)) ** 2, (np.cos(angle) + np.sin(angle)) / np.sqrt(n))


def no_flux(n: int, dx: float) -> Modes:
    """λⱼ = (4/Δx²) sin²(πj/2n), vⱼ ∝ cos(πj(i+½)/n): n cells between impermeable walls, j = 0 … n−1.

    Args:
        n: number of cells, ≥ 1.
        dx: width of a cell [length].

    Returns:
        Modes of the axis.

    Raises:
        ValueError: n < 1 or dx ≤ 0.

    Source: G. Strang, SIAM Rev. 41 (1999) 135, doi:10.1137/S0036144598336745.
    """
    return _cells(n, dx, 0.0, np.cos)


def dirichlet(n: int, dx: float) -> Modes:
    """λⱼ = (4/Δx²) sin²(πj/2n), vⱼ ∝ sin(πj(i+½)/n): n cells, u = 0 on the walls half a cell away, j = 1 … n.

    Args:
        n: number of cells, ≥ 1.
        dx: width of a cell [length].

    Returns:
        Modes of the axis.

    Raises:
        ValueError: n < 1 or dx ≤ 0.

    Source: G. Strang, SIAM Rev. 41 (1999) 135, doi:10.1137/S0036144598336745.
    """
    return _cells(n, dx, 1.0, np.sin)


def dirichlet_no_flux(n: int, dx: float) -> Modes:
    """λⱼ = (4/Δx²) sin²(π(j+½)/2n), vⱼ ∝ sin(π(j+½)(i+½)/n): u = 0 on the left, no flux on the right.

    Args:
        n: number of cells, ≥ 1.
        dx: width of a cell [length].

    Returns:
        Modes of the axis.

    Raises:
        ValueError: n < 1 or dx ≤ 0.

    Source: G. Strang, SIAM Rev. 41 (1999) 135, doi:10.1137/S0036144598336745.
    """
    return _cells(n, dx, 0.5, np.sin)


def heat(u, axes, Dt):
    """e^{tDΔ_h} u = ⊗ V e^{−λDt} Vᵀ u: the lattice heat equation solved exactly in time.

    Args:
        u: field, shape (..., n₁, …, n_d): leading axes are an ensemble.
        axes: the `Modes` of the d trailing axes, in order.
        Dt: diffusivity × time, ≥ 0, or a sequence with one per axis [length²].

    Returns:
        The field at the later time, of the shape of u.

    Raises:
        ValueError: the shape of u does not end in the sizes of the axes, or Dt < 0.

    Source: G. Strang, SIAM Rev. 41 (1999) 135, doi:10.1137/S0036144598336745.
    """
    u, sizes = array("u", u, "a field has finite values"), tuple(len(m.lam) for m in axes)
    if u.ndim < len(sizes) or u.shape[u.ndim - len(sizes) :] != sizes:
        refuse("u", u, f"a shape that ends in {sizes}", "each axis has modes", "Make modes for this u.")
    Dt = np.broadcast_to(array("Dt", Dt, "the heat equation cannot be run backwards", least=0.0), len(sizes))
    for axis, (modes, tau) in enumerate(zip(axes, Dt, strict=True), start=u.ndim - len(sizes)):
        kernel = (modes.V * np.exp(-modes.lam * tau)) @ modes.V.T
        u = np.moveaxis(np.moveaxis(u, axis, -1) @ kernel.T, -1, axis)
    return u


def _ratio(k, dx, r):
    """Σ r sin²(kΔx/2) over the axes."""
    k = k if isinstance(k, tuple) else (k,)
    dx, r = (a if isinstance(a, tuple) else (a,) * len(k) for a in (dx, r))
    if not len(k) == len(dx) == len(r):
        refuse("k", k, f"as many axes as dx and r ({len(dx)}, {len(r)})", "each adds a term", "Match them.")
    total = 0.0
    for k_i, dx_i, r_i in zip(k, dx, r, strict=True):
        dx_i, r_i = positive("dx", dx_i, "cells have a width"), positive("r", r_i, "r = DΔt/Δx² is positive")
        total = total + r_i * np.sin(0.5 * array("k", k_i, "a wave number is a number") * dx_i) ** 2
    return total


def _axis(n, dx):
    n = integer("n", n, least=1, why="an axis has cells")
    return n, number("dx", dx, above=0.0, why="cells have a width")


def _cells(n: int, dx: float, first: float, wave) -> Modes:
    """Modes wave(π(j + first)(i + ½)/n), scaled to unit length."""
    n, dx = _axis(n, dx)
    j = np.arange(n) + first
    V = wave(np.pi / n * np.outer(np.arange(n) + 0.5, j))
    return Modes((2 / dx * np.sin(np.pi * j / (2 * n))) ** 2, V / np.linalg.norm(V, axis=0))
