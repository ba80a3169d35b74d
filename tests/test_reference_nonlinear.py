"""Nonlinear fronts against their equations."""

import numpy as np
import pytest
from scipy import integrate

from derivatives import curvature, heat_defect, slope
from diffsim.reference import nonlinear


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("m", [1.5, 2.0, 3.0])
def test_barenblatt_keeps_its_mass_and_solves_its_equation(m, d):
    """∫u = M up to the front; u_t = D∇²(uᵐ) inside it, and nothing beyond."""

    def u(r, t):
        return nonlinear.barenblatt(r, t, m, d, M=3.0, D=0.7)

    front = nonlinear.barenblatt_front(0.3, m, d, M=3.0, D=0.7)
    shell = (2, 2 * np.pi, 4 * np.pi)[d - 1]
    mass = integrate.quad(lambda r: shell * r ** (d - 1) * u(r, 0.3), 0, front, epsabs=1e-10)[0]
    assert mass == pytest.approx(3.0, rel=1e-8)
    r = np.linspace(0.2, 0.7, 6) * front

    def power(s):
        return u(s, 0.3) ** m

    spread = curvature(power, r) + (d - 1) / r * slope(power, r)
    np.testing.assert_allclose(slope(lambda s: u(r, s), 0.3), 0.7 * spread, atol=1e-6)
    assert u(1.0001 * front, 0.3) == 0 < u(0.9999 * front, 0.3)


def test_the_melt_obeys_stefans_condition():
    """θ_t = D θ_xx, θ(0) = 1, θ(s) = 0 and s_t = −Ste D θ_x, with s = 2λ√(Dt)."""
    D, Ste, t = 0.7, 0.8, 0.3
    lam = nonlinear.stefan_root(Ste)

    def front(t):
        return 2 * lam * np.sqrt(D * t)

    def theta(x, t):
        return nonlinear.stefan(x, t, D, Ste)

    assert np.abs(heat_defect(theta, np.linspace(0.1, 0.8, 5) * front(t), t, D)).max() < 1e-8
    assert theta(0.0, t) == 1 and theta(1.01 * front(t), t) == 0
    behind = theta(front(t) - np.arange(5) * 1e-3, t) @ np.array([25, -48, 36, -16, 3]) / 12e-3
    assert slope(front, t) == pytest.approx(-Ste * D * behind, rel=1e-8)


def test_fronts_solve_their_equations():
    """Fisher–KPP and Nagumo, with D = 0.7 and, for Fisher, r = 1.7; the lattice speed tends to 2√(rD)."""
    x, t = np.linspace(-6, 6, 13), 0.3

    def fisher(x, t):
        return nonlinear.fisher_wave(x, t, 0.7, 1.7)

    u = fisher(x, t)
    np.testing.assert_allclose(heat_defect(fisher, x, t, 0.7), 1.7 * u * (1 - u), atol=1e-8)

    def nagumo(x, t):
        return nonlinear.nagumo_wave(x, t, 0.2, 0.7)

    u = nagumo(x, t)
    np.testing.assert_allclose(heat_defect(nagumo, x, t, 0.7), u * (1 - u) * (u - 0.2), atol=1e-8)
    limit = nonlinear.fisher_speed(0.7, 1.7)
    assert nonlinear.fisher_speed_lattice(1e-3, D=0.7, r=1.7) == pytest.approx(limit, rel=1e-6)
    assert nonlinear.fisher_speed_lattice(1e-3, dt=1e-4, D=0.7, r=1.7) == pytest.approx(limit, rel=1e-3)


def test_fronts_have_their_exponential_tails():
    """Far ahead u is e^(−2ξ/ℓ√6) and e^(−ξ/√2D) to rounding, not 0."""
    x = np.array([100.0, 200.0, 300.0])
    np.testing.assert_allclose(nonlinear.fisher_wave(x, 0.0), np.exp(-2 * x / np.sqrt(6)), rtol=1e-13)
    np.testing.assert_allclose(nonlinear.nagumo_wave(x, 0.0, 0.3), np.exp(-x / np.sqrt(2)), rtol=1e-13)
    assert nonlinear.fisher_wave(-1e4, 0.0) == 1.0
