"""Eigenvalues, the Poisson equation, mixtures and passage times."""

import numpy as np
import pytest
from scipy import integrate, special

from derivatives import curvature
from diffsim.reference import mixtures, passage, poisson, spectrum


def test_eigenvalues_of_balls_are_squared_bessel_zeros():
    """Disk: jn_zeros and jnp_zeros; interval: multiples of π/2; ball ℓ = 1: tan β = β; large ℓ as well."""
    for ell in (0, 1, 4, 25):
        np.testing.assert_allclose(
            spectrum.ball(5, 2, 3.0, ell), (special.jn_zeros(ell, 5) / 3) ** 2, rtol=1e-12
        )
        reflecting = spectrum.ball(5, 2, 3.0, ell, Bi=0)
        np.testing.assert_allclose(reflecting, (special.jnp_zeros(ell, 5) / 3) ** 2, rtol=1e-12)
    both = np.sort(np.concatenate([spectrum.ball(3, 1, ell=ell) for ell in (0, 1)]))
    np.testing.assert_allclose(both, (np.arange(1, 7) * np.pi / 2) ** 2, rtol=1e-13)
    beta = np.sqrt(spectrum.ball(4, 3, ell=1))
    np.testing.assert_allclose(np.sin(beta), beta * np.cos(beta), atol=1e-12)
    beta = np.sqrt(spectrum.ball(4, 3, ell=7, Bi=2.0))
    wall = beta * special.spherical_jn(7, beta, derivative=True) + 2 * special.spherical_jn(7, beta)
    np.testing.assert_allclose(wall, 0, atol=1e-12)
    assert spectrum.sphere_surface(3, 2.0) == 3.0
    np.testing.assert_allclose(spectrum.box([[1, 2], [3, 0]], [1.0, 2.0]), np.pi**2 * np.array([2.0, 9.0]))


def test_the_rectangle_does_not_care_which_side_is_expanded():
    """The series in x equals the series in y, meets −∇²u = 1, and has the closed integral."""
    x, y = np.array([0.05, 0.4, 1.3]), np.array([0.02, 0.35, 0.5])
    np.testing.assert_allclose(
        poisson.rectangle(x, y, 2.0, 0.7), poisson.rectangle(y, x, 0.7, 2.0), atol=1e-12
    )

    def u(a, b):
        return poisson.rectangle(a, b, 2.0, 0.7)

    laplacian = curvature(lambda s: u(s, 0.35), 0.4) + curvature(lambda s: u(0.4, s), 0.35)
    assert laplacian == pytest.approx(-1.0, abs=1e-8)
    np.testing.assert_allclose(u(np.array([0, 2, 0.3, 0.3]), np.array([0.3, 0.3, 0, 0.7])), 0, atol=4e-12)
    node, weight = np.polynomial.legendre.leggauss(60)
    field = u(1.0 * (node[:, None] + 1), 0.35 * (node + 1))
    assert poisson.rectangle_integral(2.0, 0.7) == pytest.approx(0.35 * weight @ field @ weight, rel=1e-9)
    assert poisson.rectangle_integral(0.7, 2.0) == pytest.approx(
        poisson.rectangle_integral(2.0, 0.7), rel=1e-14
    )


def collocated_obstacles(f, terms=40, points=300):
    """D*/D of impermeable discs from harmonic functions fitted to the walls of the cell: no lattice sums."""
    a2, odd = f / np.pi, 2 * np.arange(terms) + 1
    node, weight = np.polynomial.legendre.leggauss(points)
    s, size = 0.25 * (node + 1), 0.5 ** (0.5 * odd)

    def power(z, p):
        return z[:, None] ** p

    potential = power(0.5 + 1j * s, odd) + a2**odd * power(0.5 + 1j * s, -odd)

    def field(z):
        return odd * (power(z, odd - 1) - a2**odd * power(z, -odd - 1)) / size

    walls = np.vstack([(potential / size).real, -field(s + 0.5j).imag])
    fit = np.linalg.lstsq(walls, np.repeat([0.5, 0.0], points), rcond=None)[0]
    return 0.5 * weight @ field(0.5 + 1j * s).real @ fit


@pytest.mark.parametrize("f", [0.1, 0.3, 0.5, 0.6])
def test_rayleighs_discs_agree_with_a_boundary_fit(f):
    """Two methods, one number; Keller's duality D*(s) D*(1/s) = D²; Maxwell's law to first orders in f."""
    assert mixtures.square_array_of_discs(f) == pytest.approx(collocated_obstacles(f), abs=2e-10)
    product = mixtures.square_array_of_discs(f, 20.0) * mixtures.square_array_of_discs(f, 1 / 20)
    assert product == pytest.approx(1.0, rel=1e-12)
    gap = mixtures.square_array_of_discs(f / 10) - mixtures.maxwell(f / 10, d=2)
    assert abs(gap) < 0.7 * (f / 10) ** 5


def test_passage_times_solve_their_equation():
    """D T″ = −1 on an interval, with either kind of right end; the mean over a ball by quadrature."""
    x = np.linspace(0.2, 1.8, 5)
    for T in (passage.interval, passage.interval_one_end):
        np.testing.assert_allclose(0.7 * curvature(lambda s, T=T: T(s, 2.0, 0.7), x), -1, atol=1e-7)
        assert T(0.0, 2.0, 0.7) == 0
    assert passage.interval(2.0, 2.0, 0.7) == 0
    assert passage.interval_one_end(2.0, 2.0, 0.7) == pytest.approx(2.0**2 / (2 * 0.7))
    for d in (1, 2, 3):
        mean = integrate.quad(lambda r, d=d: d * r ** (d - 1) / 2.0**d * passage.ball(r, 2.0, 0.7, d), 0, 2)[
            0
        ]
        assert passage.ball_mean(2.0, 0.7, d) == pytest.approx(mean, rel=1e-12)
    assert passage.ball(0.0, 2.0, 0.7, 2) == pytest.approx(4 / (4 * 0.7))


@pytest.mark.parametrize("eps", [0.1, 1.0, 3.0])
def test_the_narrow_escape_meets_both_parts_of_the_wall(eps):
    """D∇²T = −1, T = 0 on the arc, no flux elsewhere; the closed average; ε = π is the whole wall."""

    def T(x, y):
        return passage.disk_arc(np.stack(np.broadcast_arrays(x, y), axis=-1), eps, 2.0, 0.7)

    laplacian = curvature(lambda s: T(s, 0.4), -0.3) + curvature(lambda s: T(-0.3, s), 0.4)
    assert 0.7 * laplacian == pytest.approx(-1.0, abs=1e-7)
    on_arc, off_arc = np.array([0.0, 0.5, 0.9]) * eps, eps + np.array([0.3, 0.6, 0.95]) * (np.pi - eps)
    np.testing.assert_allclose(T(2 * np.cos(on_arc), 2 * np.sin(on_arc)), 0, atol=2e-7)
    r = 2 - np.arange(5)[:, None] * 2e-4
    wall = T(r * np.cos(off_arc), r * np.sin(off_arc))
    np.testing.assert_allclose(np.array([25, -48, 36, -16, 3]) @ wall / (12 * 2e-4), 0, atol=1e-5)
    node, weight = np.polynomial.legendre.leggauss(80)
    radius, angle = node + 1, 2 * np.pi / 400 * np.arange(400)
    rings = T(radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)).mean(axis=1)
    mean = weight @ (rings * radius) * 2 / 2.0**2
    assert passage.disk_arc_mean(eps, 2.0, 0.7) == pytest.approx(mean, rel=2e-4)
    np.testing.assert_allclose(
        passage.disk_arc([[0.6, -0.3]], np.pi), passage.ball(np.hypot(0.6, 0.3), 1.0, 1.0, 2)
    )
