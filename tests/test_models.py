"""Named laws against exact solutions, through `solve`."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import march
from diffsim.models._source import Source

WALLS = ds.Neumann()


def rms(u, exact):
    return float(np.sqrt(np.mean((np.asarray(u) - exact) ** 2)))


def tracings():
    return march.program.cache_info().misses


# Fick


@pytest.mark.parametrize("decay", [0.7, 0, -0.3])
def test_decay_is_exact_in_one_step(decay):
    """A lattice mode decays by exp(−(k + Dλ)t), λ = (2/Δx)² sin²(πΔx/2): the exact law of the scheme."""
    grid = ds.Grid(24, 1.0)
    law = ds.models.Fick(D=0.3, decay=decay).on(grid, WALLS)
    u0 = ds.initial.cosine(grid, 1, dtype=tf.float64)
    sol = ds.solve(law, u0, (0, 0.9), jit=False)
    rate = decay + 0.3 * (2 * 24 * np.sin(np.pi / 48)) ** 2
    assert sol.steps == 1
    np.testing.assert_allclose(sol.final, np.exp(-0.9 * rate) * u0, atol=1e-13)


def test_constant_source_and_decay_approach_their_balance():
    """Well mixed: u = S/k + (u₀ − S/k) e^{−kt}, exact for exponential steps."""
    grid = ds.Grid((6, 5), (1.0, 2.0))
    law = ds.models.Fick(D=0.5, decay=2.0, source=3.0).on(grid, WALLS)
    sol = ds.solve(law, tf.ones(grid.shape, tf.float64), (0, 1.1), dt=0.55, jit=False)
    np.testing.assert_allclose(sol.final, 1.5 - 0.5 * np.exp(-2.2), rtol=1e-13)


def test_sources_of_time_and_position_are_evaluated_at_cell_centres():
    """u_t = u_xx + S, S = cos πx e^{−t}(π² − 1) has u = cos πx e^{−t}, to second order in Δx."""
    errors = []
    for n in (16, 32):
        grid = ds.Grid(n, 1.0)
        law = ds.models.Fick(source=lambda t, x: (np.pi**2 - 1) * tf.cos(np.pi * x) * tf.exp(-t)).on(grid, WALLS)
        assert not law.local
        mode = np.cos(np.pi * grid.coordinates()[0])
        errors.append(rms(ds.solve(law, mode, (0, 0.5), dt=0.01, jit=False).final, mode * np.exp(-0.5)))
    assert 1.9 < np.log2(errors[0] / errors[1]) < 2.1


def test_source_as_an_array_adds_its_integral():
    grid = ds.Grid((8, 4), (2.0, 1.0))
    S = np.arange(32.0).reshape(8, 4)
    sol = ds.solve(ds.models.Fick(D=0.1, source=S).on(grid, WALLS), np.zeros((8, 4)), (0, 2), dt=0.5, jit=False)
    np.testing.assert_allclose(grid.integrate(sol.final), 2 * grid.integrate(S), rtol=1e-13)


# Hillslopes


def test_ridge_between_streams_is_a_parabola():
    """z = U(L² − x²)/2D between streams at ±L; at cell centres the scheme is off by UΔx²/8D everywhere."""
    L, U, D = 40.0, 1e-4, 0.01
    grid = ds.Grid(40, 2 * L, -L)
    law = ds.models.Hillslope(D, uplift=U).on(grid, ds.Dirichlet(0.0))
    sol = ds.solve(law, np.zeros(40), (0, 4e6), dt=4e5, jit=False)
    x = grid.coordinates()[0]
    np.testing.assert_allclose(sol.final, U * (L**2 - x**2) / (2 * D) + U * grid.dx[0] ** 2 / (8 * D), rtol=1e-9)


def test_hillslope_of_a_measured_landscape_keeps_its_mass():
    """100 kyr of creep on 90-m elevations with closed walls: volume to round-off, relief falls, peaks stay below."""
    cbook = pytest.importorskip("matplotlib.cbook")
    with cbook.get_sample_data("jacksboro_fault_dem.npz") as dem:
        z = np.asarray(dem["elevation"], np.float64)
    grid = ds.Grid(z.shape, (z.shape[0] * 90.0, z.shape[1] * 90.0))
    law = ds.models.Hillslope(D=0.01).on(grid, WALLS)
    sol = ds.solve(law, z, (0, 1e5), jit=False)
    assert abs(float(grid.mean(sol.final)) - z.mean()) < 1e-12 * z.mean()
    assert z.min() < np.min(sol.final) < np.max(sol.final) < z.max()
    assert np.std(sol.final) < z.std()


# Porous medium


def test_barenblatt_spreads_at_its_own_pace():
    """u_t = D∇²(u²): error and front against the exact solution; the front moves as (Dt)^⅓."""
    D, errors = 0.6, []
    exact = ds.reference.nonlinear
    for n in (50, 100):
        grid = ds.Grid(n, 8.0, -4.0)
        x = grid.coordinates()[0]
        law = ds.models.PorousMedium(2.0, D).on(grid, WALLS)
        start = exact.barenblatt(np.abs(x), 1.0, 2.0, D=D)
        sol = ds.solve(law, start, (1, 4), dt=0.004, stepper=ds.RK4())
        np.testing.assert_allclose(grid.integrate(sol.final), grid.integrate(start), rtol=1e-12)
        errors.append(rms(sol.final, exact.barenblatt(np.abs(x), 4.0, 2.0, D=D)))
        front = exact.barenblatt_front(4.0, 2.0, D=D)
        assert np.asarray(sol.final)[np.abs(x) > front + 3 * grid.dx[0]].max() < 1e-3
    assert errors[1] < 0.6 * errors[0] < 0.004


def test_porous_medium_of_exponent_one_is_fick():
    u = tf.constant([0.0, 0.4, 2.0], tf.float64)
    np.testing.assert_allclose(ds.models.PorousMedium(1.0, 0.7).diffusivity(u), 0.7)
    np.testing.assert_allclose(ds.models.PorousMedium(3.0, 0.5).diffusivity(u), 1.5 * u**2)


# Reactions


@pytest.mark.parametrize("name", ["fisher", "nagumo", "allen_cahn"])
def test_fronts_follow_their_exact_waves(name):
    """Travelling and standing fronts; a wave of the wrong age is far off."""
    exact = ds.reference.nonlinear
    model, wave, T = {
        "fisher": (ds.models.FisherKPP(D=0.7, r=1.3), lambda x, t: exact.fisher_wave(x, t, 0.7, 1.3), 2.0),
        "nagumo": (ds.models.Nagumo(0.25, D=0.8), lambda x, t: exact.nagumo_wave(x, t, 0.25, 0.8), 6.0),
        "allen_cahn": (ds.models.AllenCahn(0.9, D=1.4), lambda x, t: np.tanh(x / (np.sqrt(2) * 0.9)), 1.0),
    }[name]
    grid = ds.Grid(300, 60.0, -30.0)
    x = grid.coordinates()[0]
    sol = ds.solve(model.on(grid, WALLS), wave(x, 0.0), (0, T), dt=0.05, jit=False)
    assert rms(sol.final, wave(x, T)) < 3e-4
    assert name == "allen_cahn" or rms(sol.final, wave(x, 1.1 * T)) > 5e-3


@pytest.mark.parametrize(("stepper", "growth"), [
    (ds.Euler(), lambda z: 1 + z),
    (ds.RK4(), lambda z: 1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24),
])
def test_pulled_fronts_have_the_speed_of_the_scheme(stepper, growth):
    """v = v* − 3/(2k*t) + 3√π/(2k*²√D* t^{3/2}) + O(t⁻²), v* = min s(k)/k, D* = s″(k*)/2.

    s = ln growth(h·rate(k))/h is the growth rate of e^{−kx} in the scheme.
    Ebert & van Saarloos, Physica D 146 (2000) 1. Euler's front is 9 % slower than RK4's, as it must be.
    """
    from scipy.optimize import minimize_scalar

    dx, h = 0.5, 0.1
    s = lambda k: np.log(growth(h * (1 + 4 / dx**2 * np.sinh(k * dx / 2) ** 2))) / h  # noqa: E731
    best = minimize_scalar(lambda k: s(k) / k, bounds=(0.3, 3.0), method="bounded", options={"xatol": 1e-10})
    k, v = best.x, best.fun
    spread = (s(k + 1e-3) - 2 * s(k) + s(k - 1e-3)) / 2e-6
    lattice = ds.reference.nonlinear.fisher_speed_lattice
    expected = {1: lattice(dx, h), 4: lattice(dx)}
    assert v == pytest.approx(expected[stepper.order], rel=1e-6 if stepper.order == 1 else 2e-5)

    grid = ds.Grid(1000, 500.0)
    ts = np.arange(100.0, 211.0, 10.0)
    save = ds.SaveAt(ts=ts, fn=lambda t, u: ds.analysis.front(grid, u, 0.5))
    law = ds.models.FisherKPP().on(grid, WALLS)
    sol = ds.solve(law, np.where(grid.coordinates()[0] < 5, 1.0, 0.0), (0, 210), dt=h, stepper=stepper, save=save)
    t = (ts[1:] + ts[:-1]) / 2
    theory = v - 1.5 / (k * t) + 1.5 * np.sqrt(np.pi / spread) / k**2 / t**1.5
    measured = np.diff(sol.y) / np.diff(ts)
    assert (abs(measured - theory) < 25 / t**2).all()
    assert abs(v - expected[5 - stepper.order]) > 0.1


def test_nagumo_rate_scales_time():
    u = tf.constant([0.2, 0.6], tf.float64)
    slow, fast = ds.models.Nagumo(0.25), ds.models.Nagumo(0.25, r=3.0)
    np.testing.assert_allclose(fast.rates(0.0, u), 3 * slow.rates(0.0, u))


def test_allen_cahn_disc_shrinks_by_its_curvature():
    """R² = R₀² − 2Dt to O(ε²); ∫u measures R."""
    eps, D, R0, T = 0.04, 0.5, 0.3, 0.04
    grid = ds.Grid((128, 128), (1.0, 1.0), (-0.5, -0.5))
    r = np.hypot(*grid.coordinates())
    law = ds.models.AllenCahn(eps, D).on(grid, ds.Periodic())
    fn = ds.SaveAt(ts=[T / 4, T], fn=lambda t, u: grid.integrate(1 + u) / 2)
    sol = ds.solve(law, np.tanh((R0 - r) / (np.sqrt(2) * eps)), (0, T), dt=1e-3, save=fn)
    area = np.asarray(sol.y)
    assert abs((area[0] - area[1]) / (0.75 * T) / (2 * np.pi * D) - 1) < 0.03


def test_gray_scott_steady_states_are_those_of_its_rates():
    model = ds.models.GrayScott(F=0.0545, k=0.062)
    states = model.steady_states()
    np.testing.assert_allclose(states[2], (0.4688890709, 0.2484596192), rtol=1e-9)
    for state in states:
        y = tuple(tf.constant(s, tf.float64) for s in state)
        np.testing.assert_allclose(model.rates(0.0, y), 0.0, atol=1e-16)
    F = 0.04
    fold = F**0.5 / 2 - F
    assert len(ds.models.GrayScott(F, fold - 1e-6).steady_states()) == 3
    assert len(ds.models.GrayScott(F, fold + 1e-6).steady_states()) == 1
    assert ds.models.GrayScott(0.0, 0.1).steady_states() == ((1.0, 0.0),)


def test_gray_scott_parameters_and_walls_are_data():
    """New numbers reach the same compiled program and give new results."""
    grid = ds.Grid((16, 16), (0.3, 0.3))
    y0 = ds.initial.patches(grid, size=6, key=ds.key(3), dtype=tf.float64)
    finals, compiled = [], []
    for F, Du in ((0.037, 2e-5), (0.05, 2e-5), (0.05, 4e-5)):
        law = ds.models.GrayScott(F=F, k=0.06, Du=Du, Dv=1e-5).on(grid, ds.Periodic())
        finals.append(ds.solve(law, y0, (0, 40), dt=1.0).final[1].numpy())
        compiled.append(tracings())
    assert compiled[0] == compiled[1] == compiled[2]
    assert abs(finals[1] - finals[0]).max() > 1e-4 and abs(finals[2] - finals[1]).max() > 1e-4


def test_rates_without_diffusion_are_an_ordinary_equation():
    """Immobile species have no operator; 2uv² + … of the well-mixed reactor against SciPy."""
    from scipy.integrate import solve_ivp

    grid = ds.Grid(4, 1.0)
    model = ds.models.GrayScott(F=0.04, k=0.06, Du=1e-3, Dv=0.0)
    law = model.on(grid, WALLS)
    assert law.linear[1] is None
    y0 = (np.full(4, 0.6), np.full(4, 0.3))
    sol = ds.solve(law, y0, (0, 20), stepper=ds.Tsit5(), dt=ds.PID(rtol=1e-9, atol=1e-11), jit=False)

    def rhs(t, y):
        u, v = y
        return [-u * v**2 + 0.04 * (1 - u), u * v**2 - 0.1 * v]

    exact = solve_ivp(rhs, (0, 20), [0.6, 0.3], rtol=1e-11, atol=1e-13).y[:, -1]
    np.testing.assert_allclose([sol.final[0][0], sol.final[1][0]], exact, rtol=1e-7)


def test_parameters_may_be_fields():
    """A map of F: each row of cells follows its own rate, and float32 states meet float64 parameters."""
    grid = ds.Grid((3, 4), (1.0, 1.0))
    r = np.array([[0.5], [1.0], [2.0]]) * np.ones((3, 4))
    law = ds.models.FisherKPP(D=0.0, r=r).on(grid, WALLS)
    assert law.local
    u0 = tf.fill(grid.shape, tf.constant(0.1, tf.float32))
    sol = ds.solve(law, u0, (0, 1), dt=0.01, stepper=ds.RK4(), jit=False)
    np.testing.assert_allclose(sol.final, 1 / (1 + 9 * np.exp(-r)), rtol=1e-5)


@pytest.mark.parametrize("kind", [tf.constant, np.float32, tf.Variable])
def test_parameters_meet_states_of_another_precision(kind):
    law = ds.models.GrayScott(F=kind(0.037), k=0.06).on(ds.Grid(4, 1.0), WALLS)
    final = ds.solve(law, (np.ones(4), np.full(4, 0.1)), (0, 2), dt=1.0, jit=False).final
    np.testing.assert_allclose(final[0], 0.98081616, rtol=1e-7)


def test_each_species_may_have_its_own_walls():
    grid = ds.Grid(8, 1.0)
    law = ds.models.GrayScott(F=0.0, k=0.0, Du=1.0, Dv=1.0).on(grid, (ds.Dirichlet(2.0), ds.Neumann()))
    sol = ds.solve(law, (np.full(8, 2.0), np.zeros(8)), (0, 1), dt=0.5, jit=False)
    np.testing.assert_allclose(sol.final[0], 2.0)
    np.testing.assert_allclose(sol.final[1], 0.0)


# Refusals


@pytest.mark.parametrize(("make", "names"), [
    (lambda: ds.models.GrayScott(F=-0.1, k=0.06), "GrayScott.F"),
    (lambda: ds.models.GrayScott(F=0.1, k=float("nan")), "GrayScott.k"),
    (lambda: ds.models.AllenCahn(0.0), "AllenCahn.eps"),
    (lambda: ds.models.AllenCahn(np.array([0.1, 0.0])), "AllenCahn.eps"),
    (lambda: ds.models.PorousMedium(0.5), "PorousMedium.m"),
    (lambda: ds.models.Fick(D=-1.0).on(ds.Grid(4, 1.0), WALLS), "D="),
    (lambda: ds.models.Fick(source=np.ones(5)).on(ds.Grid(4, 1.0), WALLS), "source"),
    (lambda: Source(ds.Grid(4, 1.0), np.array([1.0, np.inf, 0.0, 0.0])), "source"),
    (lambda: ds.models.GrayScott(0.04, 0.06).on(ds.Grid(4, 1.0), (WALLS,)), "boundary"),
])
def test_bad_input_is_refused(make, names):
    with pytest.raises(ValueError, match=names) as error:
        make()
    assert all(part in str(error.value) for part in ("expected", "because", ". "))


def test_wrong_types_are_type_errors():
    with pytest.raises(TypeError, match="expected"):
        ds.models.GrayScott(F="0.04", k=0.06)
    with pytest.raises(TypeError):
        ds.models.GrayScott(F=0.04, k=0.06, feed=1.0)
    with pytest.raises(TypeError, match=r"F=\[0.03, 0.04\].*np.array"):
        ds.models.GrayScott(F=[0.03, 0.04], k=0.06)
    model, grid = ds.models.GrayScott(F=0.04, k=0.06), ds.Grid(8, 1.0)
    with pytest.raises(TypeError, match="ds.Grid"):
        model.on((8,), ds.Periodic())
    with pytest.raises(TypeError, match=r"a list of 2: expected a tuple \(u, v\)"):
        ds.solve(model.on(grid, ds.Periodic()), [np.ones(8), np.zeros(8)], (0.0, 1.0), dt=1.0)
