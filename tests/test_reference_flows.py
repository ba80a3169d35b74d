"""Heat flows in unbounded and bounded bodies, against the heat equation, their walls and their ledgers."""

import math

import numpy as np
import pytest
from scipy import integrate, special

from derivatives import heat_defect, slope
from diffsim.reference import bounded, free, membrane, periodic

OPEN = math.inf

HEAT_FLOWS = {
    "gaussian 1": (lambda r, t: free.gaussian(r, t, 0.7, 3.0, 1), 1),
    "gaussian 2": (lambda r, t: free.gaussian(r, t, 0.7, 3.0, 2), 2),
    "gaussian 3": (lambda r, t: free.gaussian(r, t, 0.7, 3.0, 3), 3),
    "layer": (lambda x, t: free.extended_source(x, t, 0.7, 0.9, 2.0), 1),
    "ball": (lambda r, t: free.ball_source(r, t, 0.7, 0.9, 2.0), 3),
    "half-space": (lambda x, t: free.half_space(x, t, 0.7, 2.0), 1),
    "half-space with a film": (lambda x, t: free.half_space_robin(x, t, 0.7, 0.4, 2.0), 1),
    "slab in a film": (lambda x, t: bounded.cooling(x, 0.7 * t, 1.3, 1), 1),
    "cylinder in a film": (lambda r, t: bounded.cooling(r, 0.7 * t, 1.3, 2), 2),
    "sphere": (lambda r, t: bounded.cooling(r, 0.7 * t, OPEN, 3), 3),
    "wave": (lambda x, t: periodic.wave(x, t, 0.7, 3.0), 1),
    "wave in a slab": (lambda x, t: periodic.wave(x, t, 0.7, 3.0, L=1.1), 1),
}


@pytest.mark.parametrize("name", HEAT_FLOWS)
def test_the_heat_equation_holds(name):
    """u_t = D∇²u pointwise, with D = 0.7; with D = 0.71 it must not."""
    u, d = HEAT_FLOWS[name]
    x, t = np.linspace(0.1, 0.9, 9), 0.3
    assert np.abs(heat_defect(u, x, t, 0.7, d)).max() < 2e-8
    assert np.abs(heat_defect(u, x, t, 0.71, d)).max() > 1e-3


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_point_source_keeps_its_mass_and_spreads_by_2dDt(d):
    """∫C = M and ⟨r²⟩ = 2dDt."""
    shell = (2, 2 * np.pi, 4 * np.pi)[d - 1]

    def moment(p):
        return integrate.quad(lambda r: shell * r ** (d - 1 + p) * free.gaussian(r, 0.3, 0.7, 3.0, d), 0, 9)[
            0
        ]

    assert moment(0) == pytest.approx(3.0, rel=1e-10)
    assert moment(2) / moment(0) == pytest.approx(2 * d * 0.7 * 0.3, rel=1e-10)


def test_a_tensor_source_has_the_covariance_2Dt():
    """A3: covariance 2Dt = [[2, .6], [.6, 1]] at t = ½; an isotropic tensor gives back the Gaussian."""
    D, axis = np.array([[2.0, 0.6], [0.6, 1.0]]), np.linspace(-14, 14, 401)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    weight = free.gaussian_tensor(x, 0.5, D, M=3.0) * (axis[1] - axis[0]) ** 2
    assert weight.sum() == pytest.approx(3.0, rel=1e-12)
    np.testing.assert_allclose(np.einsum("xy,xyi,xyj->ij", weight, x, x) / 3, 2 * D * 0.5, rtol=1e-12)
    isotropic = free.gaussian_tensor(x[:3, :3], 0.5, 0.7 * np.eye(2))
    np.testing.assert_allclose(isotropic, free.gaussian(np.linalg.norm(x[:3, :3], axis=-1), 0.5, 0.7, d=2))


def test_extended_sources_keep_their_mass_and_start_sharp():
    """∫C is the initial amount; early on, C is C₀ inside and 0 outside; the centre of the ball is regular."""
    layer = integrate.quad(lambda x: free.extended_source(x, 0.3, 0.7, 0.9, 2.0), -12, 12, points=[-1, 1])[0]
    ball = integrate.quad(lambda r: 4 * np.pi * r**2 * free.ball_source(r, 0.3, 0.7, 0.9, 2.0), 0, 12)[0]
    assert layer == pytest.approx(2 * 0.9 * 2.0, rel=1e-9)
    assert ball == pytest.approx(4 / 3 * np.pi * 0.9**3 * 2.0, rel=1e-9)
    for source in (free.extended_source, free.ball_source):
        np.testing.assert_allclose(
            source(np.array([0.0, 0.5, 1.5]), 1e-4, 0.7, 0.9, 2.0), [2, 2, 0], atol=1e-9
        )
    assert free.ball_source(0.0, 0.3, 0.7, 0.9) == pytest.approx(
        free.ball_source(1e-3, 0.3, 0.7, 0.9), rel=1e-5
    )


def test_a_reactive_surface_obeys_its_law_and_its_ledger():
    """−D C_x = κ(C₀ − C) at the wall; the uptake is ∫C dx; a fast wall is a wall held at C₀."""
    D, kappa, C0, t = 0.7, 0.4, 2.0, 0.3
    depth = np.array([0.0, 1e-4, 2e-4])
    c = free.half_space_robin(depth, t, D, kappa, C0)
    assert -D * (-3 * c[0] + 4 * c[1] - c[2]) / 2e-4 == pytest.approx(kappa * (C0 - c[0]), rel=1e-6)
    inside = integrate.quad(lambda x: free.half_space_robin(x, t, D, kappa, C0), 0, 12)[0]
    assert free.half_space_robin_uptake(t, D, kappa, C0) == pytest.approx(inside, rel=1e-9)
    assert free.half_space_robin(0.5, t, D, 1e7) == pytest.approx(free.half_space(0.5, t, D), rel=1e-5)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("Bi", [0.02, 1.3, 500.0])
def test_a_film_law_holds_at_the_surface_and_the_mean_is_the_average(d, Bi):
    """−θ_ρ = Bi θ at ρ = 1; ⟨θ⟩ = d ∫θ ρ^(d−1) dρ; θ → 1 as Fo → 0."""
    Fo = 0.05
    outer = 1 - np.arange(5) * 1e-3
    theta = bounded.cooling(outer, Fo, Bi, d)
    surface_slope = theta @ np.array([25, -48, 36, -16, 3]) / 12e-3
    assert -surface_slope == pytest.approx(Bi * theta[0], rel=1e-4)
    node, weight = np.polynomial.legendre.leggauss(60)
    rho = 0.5 * (node + 1)
    mean = d / 2 * weight @ (bounded.cooling(rho, Fo, Bi, d) * rho ** (d - 1))
    assert bounded.cooling_mean(Fo, Bi, d) == pytest.approx(mean, rel=1e-12)
    np.testing.assert_allclose(bounded.cooling(np.array([0.0, 0.3, 0.8]), 1e-5, Bi, d), 1.0, atol=1e-9)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_uptake_joins_its_two_forms_and_is_the_limit_of_a_thin_film(d):
    """Below the switch the early form equals 2000 terms of the late one; Bi → ∞ gives the same."""
    Fo = np.array([1e-4, 1e-3, 0.01, 0.0199])
    k = np.arange(1, 2001)
    j = ((k - 0.5) * np.pi, special.jn_zeros(0, 2000), k * np.pi)[d - 1]
    tail = np.exp(-np.outer(Fo, j**2)) @ (2 * d / j**2)
    np.testing.assert_allclose(bounded.uptake(Fo, d), 1 - tail, rtol=1e-12)
    np.testing.assert_allclose(bounded.cooling_mean(Fo, 1e13, d), 1 - bounded.uptake(Fo, d), atol=1e-11)
    assert bounded.uptake(0.0, d) == 0 and bounded.uptake(50.0, d) == 1
    tiny = np.array([1e-12, 1e-10])
    np.testing.assert_allclose(bounded.uptake(tiny, d), 2 * d * np.sqrt(tiny / np.pi), rtol=2e-5)


def test_roots_interlace_and_solve_their_equation():
    """β tan β = Bi, β J₁ = Bi J₀, β cot β = 1 − Bi: 200 roots without a gap, and both limits of Bi."""
    for Bi in (0.0, 1e-6, 1.0, 30.0, OPEN):
        for d in (1, 2, 3):
            beta = bounded.robin_roots(Bi, 200, d)
            assert (np.diff(beta) > 2.5).all() and (np.diff(beta) < 4.5).all()
    beta = bounded.robin_roots(0.3, 200)
    np.testing.assert_allclose(beta * np.sin(beta), 0.3 * np.cos(beta), atol=1e-10)
    beta = bounded.robin_roots(0.3, 200, d=2)
    np.testing.assert_allclose(beta * special.j1(beta), 0.3 * special.j0(beta), atol=1e-10)
    beta = bounded.robin_roots(0.3, 200, d=3)
    np.testing.assert_allclose(beta * np.cos(beta), 0.7 * np.sin(beta), atol=1e-10)


def test_permeation_joins_its_two_forms_and_approaches_the_time_lag():
    """Q′ = J, both forms meet at τ = 0.2, and Q → τ − 1/6."""
    k = np.arange(1, 60)
    tau = np.array([0.02, 0.1, 0.199, 0.201, 1.0])
    series = 1 + 2 * np.exp(-np.outer(tau, (k * np.pi) ** 2)) @ (-1.0) ** k
    np.testing.assert_allclose(membrane.flux(tau), series, atol=1e-13)
    np.testing.assert_allclose(
        slope(membrane.permeated, tau[[0, 1, 4]], h=1e-4), membrane.flux(tau[[0, 1, 4]]), atol=2e-9
    )
    assert membrane.permeated(0.2 - 1e-12) == pytest.approx(membrane.permeated(0.2), abs=1e-11)
    assert membrane.permeated(9.0) == pytest.approx(9 - membrane.time_lag(1.0, 1.0), rel=1e-14)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_hollow_bodies_carry_the_same_flow_through_every_shell(d):
    """−Ω rᵈ⁻¹ D C_r is the flow, at every radius."""
    r, area = np.linspace(1.1, 2.9, 7), (1, 2 * np.pi, 4 * np.pi)[d - 1]
    flow = -area * r ** (d - 1) * 0.7 * slope(lambda s: membrane.hollow(s, 1.0, 3.0, 5.0, 2.0, d), r)
    np.testing.assert_allclose(flow, membrane.hollow_flow(1.0, 3.0, 5.0, 2.0, 0.7, d), rtol=1e-9)
    np.testing.assert_allclose(membrane.hollow([1.0, 3.0], 1.0, 3.0, 5.0, 2.0, d), [5, 2])


def test_waves_meet_both_walls():
    """C(0, t) = cos ωt; no flux at the closed end; a deep slab falls by e and lags by 1 at δ."""
    t, delta = np.linspace(0, 2, 5), periodic.penetration_depth(0.7, 3.0)
    np.testing.assert_allclose(periodic.wave(0.0, t, 0.7, 3.0, L=1.1), np.cos(3 * t), atol=1e-14)
    end = periodic.wave(1.1 - np.array([0, 1e-4, 2e-4])[:, None], t, 0.7, 3.0, L=1.1)
    np.testing.assert_allclose((-3 * end[0] + 4 * end[1] - end[2]) / 2e-4, 0, atol=1e-6)
    np.testing.assert_allclose(periodic.wave(delta, t, 0.7, 3.0), np.exp(-1) * np.cos(3 * t - 1), atol=1e-14)
    np.testing.assert_allclose(periodic.wave(0.5, t, 0.7, 3.0, L=900.0), periodic.wave(0.5, t, 0.7, 3.0))


def test_small_transfer_loses_no_digits():
    """C₀[erfc z − e^(−z²) erfcx(z + s)] and its uptake to 40 digits, also where both parts nearly cancel."""
    mpmath = pytest.importorskip("mpmath")

    with mpmath.workdps(60):
        for s in (1e-9, 1e-5, 1e-2, 0.4, 1.0, 3.0, 40.0):
            m = mpmath.mpf(s)
            for x in (0.0, 1e-3, 1.0, 4.0, 7.0, 20.0):
                z = mpmath.mpf(x) / 2
                exact = mpmath.erfc(z) - mpmath.exp(2 * z * m + m**2) * mpmath.erfc(z + m)
                assert free.half_space_robin(x, 1.0, 1.0, s) == pytest.approx(float(exact), rel=3e-13)
            exact = (mpmath.exp(m**2) * mpmath.erfc(m) - 1) / m + 2 / mpmath.sqrt(mpmath.pi)
            assert free.half_space_robin_uptake(1.0, 1.0, s) == pytest.approx(float(exact), rel=1e-14)


def test_a_ball_source_is_right_at_all_times_and_distances():
    mpmath = pytest.importorskip("mpmath")

    def exact(r, a):
        w, s = [mpmath.mpf(v) for v in (r, a)], mpmath.sqrt(mpmath.pi)
        p, q = w[1] - w[0], w[1] + w[0]
        if r == 0:
            return mpmath.erf(w[1]) - 2 * w[1] / s * mpmath.exp(-(w[1] ** 2))
        shell = (mpmath.exp(-(p**2)) - mpmath.exp(-(q**2))) / (2 * s * w[0])
        return (mpmath.erf(p) + mpmath.erf(q)) / 2 - shell

    with mpmath.workdps(300):
        for a in (1e-7, 1e-3, 0.3, 0.999, 1.001, 3.0, 12.0):
            for r in (0.0, 1e-9, 1e-3, 0.7, 4.0, 14.0, 24.0):
                assert free.ball_source(r, 0.25, 1.0, a) == pytest.approx(float(exact(r, a)), rel=1e-11)
    late = free.gaussian(3.0, 1e8, 1.0, 4 / 3 * np.pi, 3)
    assert free.ball_source(3.0, 1e8, 1.0, 1.0) == pytest.approx(late, rel=1e-7)
