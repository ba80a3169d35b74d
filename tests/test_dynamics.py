"""What moves: fronts, spirals, signals, coarsening and chaos, against exact laws."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import j0, jn_zeros

import diffsim as ds
from diffsim import analysis, random

CLOSED = ds.Neumann()


def kinetics(model):
    """The law of a stirred vessel."""
    return ds.Equation(drift=model.rates)


# Fronts


def measured_front(model, slope, dx, length, end):
    """Speed at height ½ of a wave of given steepness, of explicit Runge–Kutta steps."""
    grid = ds.Grid(round(length / dx), length)
    u0 = 1 / (1 + np.exp((grid.coordinates()[0] - 0.2 * length) * slope))
    law, save = model.on(grid, CLOSED), ds.SaveAt(ts=np.linspace(0, end, 201))
    sol = ds.solve(law, tf.constant(u0, tf.float64), (0, end), dt=dx**2 / 4, stepper=ds.RK4(), save=save)
    return analysis.front_speed(grid, sol.t, sol.y, 0.5)


def test_nagumo_speed_is_of_second_order_and_right_to_one_in_ten_thousand():
    exact = ds.reference.nonlinear.nagumo_speed(0.25)
    coarse, fine = (measured_front(ds.models.Nagumo(a=0.25), 0.5**0.5, dx, 60.0, 90.0).slope for dx in (0.5, 0.25))
    assert (exact - coarse) / (exact - fine) == pytest.approx(4.0, abs=0.1)
    assert (4 * fine - coarse) / 3 == pytest.approx(0.3535533906, abs=1e-5)
    assert abs(fine - exact) > 1e-4  # one grid alone is not enough


def test_speed_of_a_barkley_front_at_frozen_recovery():
    """(1 − 2(v + b)/a)/√2ε: Nagumo's equation with r = 1/ε and threshold (v + b)/a."""
    model = ds.models.Nagumo(a=0.01 / 0.75, r=1 / 0.02)
    coarse, fine = (measured_front(model, 5.0, dx, 20.0, 3.0).slope for dx in (0.04, 0.02))
    assert (4 * fine - coarse) / 3 == pytest.approx(4.8666667, rel=1e-5)


@pytest.mark.parametrize(("dt", "speed"), [(0.0, 2.0200893099), (0.1, 1.8372958528)])
def test_fisher_fronts_are_pulled_at_the_speed_of_the_lattice(dt, speed):
    """To 1e-4 with the known approach to it, 2e-3 or worse without."""
    dx, end = 0.5, 160.0

    def growth(k):
        s = 1 + 2 / dx**2 * (np.cosh(k * dx) - 1)
        return np.log1p(dt * s) / dt if dt else s

    ahead = analysis.pulled(growth, near=1.0)
    assert ahead.speed == pytest.approx(speed, abs=1e-9)
    grid = ds.Grid(720, 360.0)
    x = grid.coordinates()[0]
    u0 = tf.constant(1.0 * (x < 10), tf.float64)
    save = ds.SaveAt(ts=np.arange(0.5, end + 0.1, 0.5))
    law, stepper = ds.models.FisherKPP().on(grid, CLOSED), ds.Euler() if dt else ds.RK4()
    sol = ds.solve(law, u0, (0, end), dt=dt or 0.05, stepper=stepper, save=save)
    when = analysis.arrivals(grid, sol.t, sol.y, 0.5)
    seen = np.isfinite(when)
    fit = analysis.pulled_speed(when[seen], x[seen], ahead.steepness, ahead.spread)
    assert fit.slope == pytest.approx(speed, abs=1e-4)
    assert analysis.front_speed(grid, sol.t, sol.y, 0.5).slope < speed - 2e-3


def test_pulled_recovers_the_continuum_and_refuses_a_law_without_minimum():
    assert analysis.pulled(lambda k: 2.0 + 3.0 * k**2, 1.0) == pytest.approx((2 * 6**0.5, (2 / 3) ** 0.5, 3.0), rel=1e-8)
    with pytest.raises(ValueError, match="minimum"):
        analysis.pulled(lambda k: k**2 - 1.0, 1.0)


def test_front_speed_of_a_translation_is_exact_and_knows_its_direction():
    grid, t = ds.Grid(60, 6.0), np.linspace(0, 2, 81)
    x = grid.coordinates()[0]
    for c in (1.3, -1.3):
        u = np.tanh((x - 3.0 - c * (t[:, None] - 1)) / 0.4)
        fit = analysis.front_speed(grid, t, u, 0.2, skip=0.0)
        assert fit.slope == pytest.approx(c, rel=1e-6)
        assert fit.error < 1e-5
    with pytest.raises(ValueError, match="arrivals"):
        analysis.front_speed(grid, t, u, 2.0)


# Spirals

TURNING = ds.Grid((64, 48), (8.0, 6.0), origin=(-4.0, -3.0))


def spiral(centre, phase, sign=1):
    x, y = TURNING.coordinates()
    r, angle = np.hypot(x - centre[0], y - centre[1]), sign * np.arctan2(y - centre[1], x - centre[0])
    return np.tanh(r) * np.cos(angle + 2 * r - phase), np.tanh(r) * np.sin(angle + 2 * r - phase)


@pytest.mark.parametrize("sign", [1, -1])
def test_tips_are_phase_singularities_with_charge(sign):
    u, v = spiral((0.31, -0.47), 0.9, sign)
    found = analysis.tips(TURNING, u + 0.2, v - 0.1, 0.2, -0.1)
    assert found.charge.tolist() == [sign]
    np.testing.assert_allclose(found.position, [[0.31, -0.47]], atol=0.02)
    assert analysis.tips(TURNING, u, v, 1.5, 0.0).charge.size == 0  # outside the loop there is none


def test_charges_on_a_torus_add_up_to_zero():
    rng = np.random.default_rng(1)
    x, y = (2 * np.pi * (z - o) / L for z, o, L in zip(TURNING.coordinates(), TURNING.origin, TURNING.size, strict=True))
    u, v = (sum(rng.normal() * np.cos(a * x + b * y + rng.uniform(0, 7)) for a in range(3) for b in range(-2, 3))
            for _ in range(2))
    found = analysis.tips(TURNING, u, v, 0.0, 0.0, periodic=True)
    assert len(found.charge) >= 4
    assert found.charge.sum() == 0


def test_rotation_of_a_circle_and_of_a_flower():
    t = np.linspace(0, 7, 50)
    turn = np.stack([np.cos(2.1 * t), np.sin(2.1 * t)], 1)
    r = analysis.rotation(t, [1.0, -2.0] + 0.7 * turn)
    assert r[:3] == pytest.approx((2 * np.pi / 2.1, 0.0, 0.7), abs=1e-9)
    assert r.center == pytest.approx([1.0, -2.0], abs=1e-9)
    assert r.wobble < 1e-12
    flower = analysis.rotation(t, turn + 0.5 * np.stack([np.cos(7 * t), np.sin(7 * t)], 1))
    assert flower.wobble > 0.2
    with pytest.raises(ValueError, match="turns"):
        analysis.rotation(t[:5], turn[:5])


def test_follow_stays_with_one_tip():
    path = np.stack([np.linspace(-1, 1, 9), np.linspace(0.5, -0.5, 9)], 1)
    u, v = np.stack([spiral(p, 0.3 * k) for k, p in enumerate(path)], 1)
    np.testing.assert_allclose(analysis.follow(TURNING, u, v, 0.0, 0.0, near=(-1, 0.5)), path, atol=0.03)


@pytest.mark.slow
def test_barkley_spirals_turn_rigidly_at_a_period_that_the_box_does_not_change():
    def turning(n, b):
        grid = ds.Grid((n, n), (0.3 * n, 0.3 * n))
        x, y = grid.coordinates()
        u0 = np.broadcast_to(1.0 * (x < 0.15 * n), grid.shape)
        v0 = np.broadcast_to(0.375 * (y < 0.15 * n), grid.shape)
        law = ds.models.Barkley(a=0.75, b=b, eps=0.02).on(grid, CLOSED)
        sol = ds.solve(law, (tf.constant(u0, tf.float32), tf.constant(v0, tf.float32)), (0, 40), dt=0.01,
                       stepper=ds.Euler(), save=ds.SaveAt(ts=np.arange(20.0, 40.01, 0.1)))
        moves = analysis.recognise(grid, sol.y[0], periodic=False)
        return analysis.rotation(sol.t, analysis.follow(grid, *sol.y, 0.5, 0.375 - b)), moves.pattern

    (small, pattern), (large, _), (flower, _) = turning(72, 0.01), turning(96, 0.01), turning(72, 0.06)
    assert pattern is analysis.Pattern.WAVES
    assert small.period == pytest.approx(large.period, rel=2e-3)
    assert small.wobble < 0.03
    assert flower.wobble > 0.2  # it meanders


# Signals


def test_spectrum_has_the_variance_and_the_line():
    t = np.arange(400) * 0.05
    u = np.stack([3 + 1.5 * np.sin(2 * np.pi * 1.25 * t), np.random.default_rng(0).standard_normal(400)], 1)
    f, P = analysis.temporal_spectrum(t, u)
    assert f[np.argmax(P[:, 0])] == pytest.approx(1.25)
    assert P[:, 0].sum() * (f[1] - f[0]) == pytest.approx(1.5**2 / 2, rel=1e-3)
    assert P[:, 1].mean() == pytest.approx(0.1, rel=0.2)  # white: 2Δt σ²
    assert analysis.coherence(u[:, 0]) > 0.99
    assert abs(analysis.coherence(u[:, 1])) < 0.1
    with pytest.raises(ValueError, match="equally spaced"):
        analysis.temporal_spectrum(t**2, u)


def test_periods_of_clocks_to_eight_digits():
    """Brusselator A = 1, B = 3: 7.15691992 by independent integration."""
    model = ds.models.Brusselator(A=1.0, B=3.0)
    y0 = (tf.constant([1.2], tf.float64), tf.constant([3.0], tf.float64))
    save = ds.SaveAt(ts=np.arange(60, 120.001, 0.02))
    sol = ds.solve(kinetics(model), y0, (0, 120), dt=0.005, stepper=ds.RK4(), save=save)
    u = sol.y[0][:, 0]
    found = analysis.period(sol.t, u)
    assert found.value == pytest.approx(7.15691992, abs=1e-8)
    assert found.error < 1e-8
    coarse = analysis.period(sol.t[::5], u[::5])
    assert 1e-8 < abs(coarse.value - found.value) < 1e-4  # records every 0.1 show
    with pytest.raises(ValueError, match="crossings"):
        analysis.period(sol.t[:100], u[:100])


# Coarsening


def test_correlation_of_stripes_is_a_bessel_function():
    grid = ds.Grid((256, 256), (16.0, 16.0))
    k = 2 * np.pi * 4 / 16
    u = 5 + np.cos(k * grid.coordinates()[0]) * np.ones(grid.shape)
    r, C = analysis.correlation(grid, u)
    np.testing.assert_allclose(C, j0(k * r), atol=0.04)  # shells of one cell on a square lattice
    assert analysis.domain_size(grid, u) == pytest.approx(jn_zeros(0, 1)[0] / k, rel=0.01)
    strip = ds.Grid((256, 32), (16.0, 2.0))
    assert np.isnan(analysis.domain_size(strip, np.cos(k * strip.coordinates()[0]) * np.ones(strip.shape)))


def test_coarsening_finds_exponent_and_offset():
    t = np.geomspace(5, 500, 20)
    wiggle = 1 + 0.003 * np.cos(40 * np.log(t))
    fit = analysis.coarsening(t, (3 + 0.8 * t ** (1 / 3)) * wiggle)
    assert abs(fit.exponent - 1 / 3) < 3 * fit.error < 0.06
    assert fit.start == pytest.approx(3, abs=0.5)
    assert analysis.power_law(t, 3 + 0.8 * t ** (1 / 3)).slope < 0.25  # without it, wrong


def test_allen_cahn_coarsens_as_the_root_of_time():
    """12 members; the scatter of the exponent over keys is 0.03."""
    grid, ts = ds.Grid((128, 128), (128.0, 128.0)), np.geomspace(5, 60, 12)
    law = ds.models.AllenCahn(eps=1.0).on(grid, ds.Periodic())
    y0 = 0.1 * random.normal(ds.key(17), (12, 128, 128))
    y = ds.solve(law, y0, (0, 60), dt=0.2, stepper=ds.Euler(), save=ds.SaveAt(ts=ts)).y
    assert analysis.coarsening(ts, analysis.domain_size(grid, y, 0.5, mean=1)).exponent == pytest.approx(0.5, abs=0.12)


# Refusals

SHORT = np.arange(4.0)
REFUSED = {
    "times": (lambda: analysis.temporal_spectrum(SHORT, SHORT), "8 or more"),
    "signals": (lambda: analysis.period(np.arange(9.0), np.ones((9, 2))), "one signal"),
    "order": (lambda: analysis.crossings(-np.arange(9.0), np.arange(9.0), 0.5), "increasing"),
    "start": (lambda: analysis.pulled_speed(SHORT, SHORT, 1.0, 1.0), "t = 0"),
    "records": (lambda: analysis.arrivals(ds.Grid(4, 1.0), np.arange(9.0), np.ones((8, 4)), 0.5), "8 times"),
    "shape": (lambda: analysis.tips(TURNING, np.ones((3, 3)), np.ones((3, 3)), 0.0, 0.0), "shape"),
    "tip": (lambda: analysis.follow(TURNING, *np.ones((2, 1, 64, 48)), 0.0, 0.0), "no tip"),
    "pairs": (lambda: analysis.follow(TURNING, np.ones((1, 64, 48)), np.ones((2, 64, 48)), 0.0, 0.0), "pairs"),
    "nan": (lambda: analysis.rotation(SHORT, np.full((4, 2), np.nan)), "finite"),
    "level": (lambda: analysis.domain_size(TURNING, spiral((0, 0), 0)[0], 1.0), "C\\(0\\) = 1"),
    "lengths": (lambda: analysis.coarsening([1, 2, 3, 4, 5], [1, 2, -3, 4, 5]), "positive"),
    "few": (lambda: analysis.coarsening([1, 2, 3], [1, 2, 3]), "5 times"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    act, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        act()


# Lyapunov exponents


def test_exponent_of_a_linear_law_is_its_fastest_rate():
    grid = ds.Grid(16, 1.0)
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Dirichlet(0.0), 0.1) + 0.3)
    sim = ds.Simulation(law, ds.RK4(), dt=0.005, like=tf.zeros(16, tf.float64))
    found = analysis.lyapunov(sim, tf.zeros(16, tf.float64), steps=100, rounds=20, skip=20, key=ds.key(0))
    rate = 0.3 - 0.1 * (2 * 16 * np.sin(np.pi / 32)) ** 2
    assert found.value == pytest.approx(rate, abs=1e-8)
    assert found.error < 1e-8
    with pytest.raises(ValueError, match="ten stretches"):
        analysis.lyapunov(sim, tf.zeros(16, tf.float64), steps=1, rounds=9, key=ds.key(0))
    with pytest.raises(TypeError, match="same steps"):
        analysis.lyapunov(law, tf.zeros(16, tf.float64), steps=1, rounds=10, key=ds.key(0))


def lorenz(t, y):
    return tf.stack([10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]])


def test_lorenz_is_chaotic_clocks_are_not():
    """Lorenz: 0.9056; a limit cycle has the exponent 0; a focus the real part of its eigenvalues, (B − 2)/2."""
    y0 = tf.constant([1.0, 1.0, 20.0], tf.float64)
    sim = ds.Simulation(ds.Equation(drift=lorenz), ds.RK4(), dt=0.01, like=y0)
    found = analysis.lyapunov(sim, y0, steps=50, rounds=400, key=ds.key(1))
    assert abs(found.value - 0.9056) < 5 * found.error < 0.25
    pair = tf.constant([1.2], tf.float64), tf.constant([2.0], tf.float64)
    for B, value in ((3.0, 0.0), (1.5, -0.25)):
        sim = ds.Simulation(kinetics(ds.models.Brusselator(A=1.0, B=B)), ds.RK4(), dt=0.02, like=pair)
        found = analysis.lyapunov(sim, pair, steps=50, rounds=100, key=ds.key(1))
        assert found.value == pytest.approx(value, abs=0.03)


@pytest.mark.slow
def test_gray_scott_is_chaotic_where_pearson_says_so():
    """With five standard errors between chaos and none."""
    grid = ds.Grid((96, 96), (0.9375, 0.9375))
    y0 = tuple(tf.cast(a, tf.float64) for a in ds.initial.patches(grid, key=ds.key(8)))
    values = {}
    for F, k in ((0.026, 0.051), (0.037, 0.060)):
        sim = ds.Simulation(ds.models.GrayScott(F=F, k=k).on(grid, ds.Periodic()), ds.Euler(), dt=1.0, like=y0)
        values[F] = analysis.lyapunov(sim, sim.advance(y0, 8000), steps=100, rounds=150, key=ds.key(2))
    assert values[0.026].value > 5 * values[0.026].error
    assert values[0.037].value < 1e-4 < values[0.026].value


@pytest.mark.slow
def test_kuramoto_sivashinsky_in_a_box_of_22():
    """λ = 0.048: P. Cvitanović, R. Davidchack, E. Siminos, SIAM J. Appl. Dyn. Syst. 9 (2010) 1."""
    grid = ds.Grid(64, 22.0)
    x = grid.coordinates()[0]
    y0 = tf.constant(np.cos(2 * np.pi * x / 22) + 0.1 * np.sin(4 * np.pi * x / 22), tf.float64)
    sim = ds.Simulation(ds.models.KuramotoSivashinsky().on(grid, ds.Periodic()), ds.ETDRK4(), dt=0.1, like=y0)
    found = analysis.lyapunov(sim, sim.advance(y0, 2000), steps=50, rounds=400, key=ds.key(0))
    assert abs(found.value - 0.048) < 3 * found.error < 0.03
