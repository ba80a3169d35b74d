"""The discretised heat equation against its own matrix."""

import numpy as np
import pytest
from scipy import linalg

from diffsim.reference import lattice

WALLS = {  # diagonal entry of −Δx² × stencil in the first and last cell, and the corner that closes a ring
    lattice.periodic: (2, 2, -1),
    lattice.no_flux: (1, 1, 0),
    lattice.dirichlet: (3, 3, 0),
    lattice.dirichlet_no_flux: (3, 1, 0),
}


def stencil(wall, n, dx):
    """The three-point matrix of −∂²/∂x² with half-cell walls."""
    first, last, corner = WALLS[wall]
    A = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    A[0, 0], A[-1, -1], A[0, -1], A[-1, 0] = first, last, corner, corner
    return A / dx**2


@pytest.mark.parametrize("n", [7, 8])
@pytest.mark.parametrize("wall", WALLS)
def test_lattice_modes_diagonalise_the_stencil(wall, n):
    """VᵀV = 1 and V diag(λ) Vᵀ is the matrix of the stencil."""
    lam, V = wall(n, 0.3)
    np.testing.assert_allclose(V.T @ V, np.eye(n), atol=1e-13)
    np.testing.assert_allclose((V * lam) @ V.T, stencil(wall, n, 0.3), atol=1e-11)


def test_the_lattice_heat_equation_is_a_matrix_exponential_on_each_axis():
    """Against scipy's expm on a box with different walls and diffusivities, for an ensemble of fields."""
    u = np.random.default_rng(0).normal(size=(3, 6, 5))
    later = lattice.heat(u, [lattice.periodic(6, 0.3), lattice.dirichlet(5, 0.2)], Dt=(0.07, 0.02))
    Kx = linalg.expm(-0.07 * stencil(lattice.periodic, 6, 0.3))
    Ky = linalg.expm(-0.02 * stencil(lattice.dirichlet, 5, 0.2))
    np.testing.assert_allclose(later, np.einsum("ij,kl,bjl->bik", Kx, Ky, u), atol=1e-13)


def test_the_variance_on_the_lattice_grows_by_exactly_2Dt():
    """A2: per axis, in exact time and for explicit Euler, before the walls are felt; no mass is lost."""
    n, dx = 101, 0.1
    x, u = dx * (np.arange(n) - n // 2), np.zeros(n)
    u[n // 2] = 1
    spread = lattice.heat(u, [lattice.no_flux(n, dx)], Dt=0.08)
    euler = np.linalg.matrix_power(np.eye(n) - 0.004 * stencil(lattice.periodic, n, dx), 20) @ u
    for later in (spread, euler):
        assert later.sum() == pytest.approx(1.0, abs=1e-13)
        assert later @ x**2 == pytest.approx(0.16, rel=1e-12)


def test_growth_factors_are_those_of_one_step_on_a_plane_wave():
    """FTCS and Crank–Nicolson in two dimensions, with different spacings and mesh ratios."""
    (n, m), dx, r = (8, 6), (0.3, 0.2), (0.1, 0.2)
    A = np.kron(stencil(lattice.periodic, n, dx[0]) * r[0] * dx[0] ** 2, np.eye(m))
    A += np.kron(np.eye(n), stencil(lattice.periodic, m, dx[1]) * r[1] * dx[1] ** 2)
    k = (2 * np.pi * 3 / (n * dx[0]), 2 * np.pi * 1 / (m * dx[1]))
    wave = np.exp(1j * (k[0] * dx[0] * np.arange(n)[:, None] + k[1] * dx[1] * np.arange(m))).ravel()
    np.testing.assert_allclose(wave - A @ wave, lattice.ftcs_factor(k, dx, r) * wave, atol=1e-13)
    half, one = 0.5 * A, np.eye(n * m)
    np.testing.assert_allclose(
        np.linalg.solve(one + half, (one - half) @ wave),
        lattice.crank_nicolson_factor(k, dx, r) * wave,
        atol=1e-13,
    )
    assert lattice.ftcs_factor(np.pi / 0.3, 0.3, 0.5) == pytest.approx(-1.0)
