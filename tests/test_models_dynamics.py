"""Clocks, waves and epidemics against their periods, speeds and invariants, through `solve`."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

M = ds.models
STILL = M.from_rates(lambda u, v: (0 * u, 0 * v), (0.0, 0.0))
FINE = ds.PID(rtol=1e-10, atol=1e-12)


def period(model, start, guess, settle, stepper, dt):
    """Return time of the well-mixed clock: Newton's method on y(P) = y(0), starting on the limit cycle."""
    law = ds.Equation(drift=model.rates)

    def go(y, T):
        return tuple(tf.constant(v) for v in ds.solve(law, y, (0.0, T), stepper=stepper, dt=dt).final)

    y0 = go(tuple(tf.constant([v], tf.float64) for v in start), settle)
    f, P = np.array(model.rates(0.0, y0))[:, 0], guess
    scale = 1 / np.array([abs(v[0]) for v in y0])
    for _ in range(4):
        gap = (np.array(go(y0, P)) - np.array(y0))[:, 0]
        P -= float((scale * f) @ (scale * gap) / ((scale * f) @ (scale * f)))
    return P, abs(scale * gap).max()


@pytest.mark.parametrize(("model", "start", "guess", "settle", "stepper", "dt", "exact"), [
    (M.Brusselator(1.0, 3.0), (1.0, 1.0), 7.1, 140.0, ds.Tsit5(), FINE, 7.15691992),
    (M.FitzHughNagumo(I=0.5), (1.0, 0.0), 39.4, 800.0, ds.Tsit5(), FINE, 39.47441498),
    (M.Oregonator(), (1.0, 2.0, 3.0), 302.8, 320.0, ds.TRBDF2(), ds.PID(1e-9, 1e-10), 302.85804403),
], ids=["brusselator", "fitzhugh-nagumo", "oregonator"])
def test_clocks_keep_their_periods(model, start, guess, settle, stepper, dt, exact):
    P, gap = period(model, start, guess, settle, stepper, dt)
    assert gap < 1e-9
    assert abs(P / exact - 1) < (1e-6 if isinstance(model, M.Oregonator) else 1e-8)


def test_predators_and_prey_follow_their_invariant():
    """δu − γ ln u + βv − α ln v is kept; small oscillations return after 2π/√(αγ)."""
    model = M.LotkaVolterra(1.1, 0.7, 0.6, 0.9)
    law = ds.Equation(drift=model.rates)
    (u, v) = model.steady_states()[1]
    y0 = tuple(tf.constant([s, s * (1 + 1e-4)], tf.float64) for s in (u, v))
    y0 = (y0[0] + tf.constant([2.0, 0.0], tf.float64), y0[1])
    T = 2 * np.pi / np.sqrt(1.1 * 0.9)
    sol = ds.solve(law, y0, (0.0, T), stepper=ds.Tsit5(), dt=FINE)
    np.testing.assert_allclose(model.invariant(sol.final), model.invariant(y0), rtol=1e-9)
    assert abs(sol.final[0][1] - y0[0][1]) < 1e-7 < 1e-2 < abs(sol.final[0][0] - y0[0][0])


def test_epidemic_has_its_final_size_and_keeps_its_people():
    """Well mixed cells: S + I + R to round-off, S∞ by the transcendental equation; below threshold nothing spreads."""
    model = M.SIR(beta=2.3, gamma=0.8, DI=0.1)
    grid = ds.Grid(4, 1.0)
    seed = 1e-9 * np.ones(4)
    sol = ds.solve(model.on(grid, ds.Neumann()), (1 - seed, seed, 0 * seed), (0.0, 80.0), dt=0.02, stepper=ds.RK4())
    np.testing.assert_allclose(sum(np.asarray(y) for y in sol.final), 1.0, rtol=1e-13)
    np.testing.assert_allclose(sol.final[2], model.final_size(), rtol=1e-6)
    assert M.SIR(beta=0.7, gamma=0.8).final_size() == 0.0


def test_plane_waves_of_ginzburg_landau_turn_at_their_frequency():
    """A = √(1 − q²) e^{i(qx − ωt)}, exact on the lattice with q² = (2/Δx)² sin²(kΔx/2)."""
    model = M.GinzburgLandau(alpha=0.6, beta=-0.4)
    grid = ds.Grid(32, 40.0)
    k, dx = 2 * 2 * np.pi / 40, grid.dx[0]
    q = 2 / dx * np.sin(k * dx / 2)
    wave = np.sqrt(1 - q**2) * np.exp(1j * k * grid.coordinates()[0])
    omega = model.frequency(q)
    assert omega == pytest.approx(-0.4 + q**2)
    law = model.on(grid, ds.Periodic())
    sol = ds.solve(law, wave, (0.0, 20.0), stepper=ds.ETDRK4(), dt=0.05)
    np.testing.assert_allclose(sol.final, wave * np.exp(-20j * omega), atol=1e-7)
    assert abs(np.asarray(sol.final) - wave * np.exp(-20j * model.frequency(0.0))).max() > 0.5
    with pytest.raises(TypeError, match="complex"):
        ds.solve(law, wave.real, (0.0, 1.0), dt=0.05)


def test_barkley_front_has_its_speed():
    """(1 − 2(v + b)/a)/√(2ε) at frozen v, to fourth order in Δx after one extrapolation; slower into recovered v."""
    model = M.Barkley()
    assert model.front_speed() == pytest.approx(4.8666667, rel=1e-8)
    speeds = []
    for n in (200, 400):
        grid = ds.Grid(n, 10.0)
        x = grid.coordinates()[0]
        y0 = tuple((0.5 - 0.5 * np.tanh((x - 2) / (2 * np.sqrt(2 * model.eps)))[None], np.array([[v]]) + 0 * x[None])
                   for v in (0.0, 0.2))
        y0 = tuple(np.concatenate(parts) for parts in zip(*y0, strict=True))
        built = model.on(grid, ds.Neumann())
        frozen = ds.Equation(linear=built.linear, drift=lambda t, y: (model.rates(t, y)[0], tf.zeros_like(y[1])))
        save = ds.SaveAt(ts=[0.25, 0.75], fn=lambda t, y, grid=grid: grid.integrate(y[0]))
        sol = ds.solve(frozen, y0, (0.0, 0.75), dt=1 / 800, stepper=ds.ETDRK2(), save=save)
        speeds.append((sol.y[1] - sol.y[0]).numpy() / 0.5)
    measured = (4 * speeds[1] - speeds[0]) / 3
    exact = [model.front_speed(), model.front_speed(0.2)]
    np.testing.assert_allclose(measured, exact, rtol=2e-4)
    assert exact[1] < 0.5 * exact[0]


@pytest.mark.parametrize("D", [[[1.0, 0.4], [0.3, 0.6]], [[0.5, -2.0], [1.5, 0.7]]], ids=["real", "rotating"])
def test_cross_diffusion_decays_as_the_matrix_says(D):
    """Without reactions a mode obeys e^{−k̂²Dt} exactly in one exponential step, and IMEX agrees to its order.

    Species that chase each other (complex eigenvalues of D) mix to complex fields.
    """
    from scipy.linalg import expm

    grid = ds.Grid(24, 3.0)
    law = M.CrossDiffusion(STILL, D).on(grid, ds.Neumann())
    mode = np.cos(np.pi * grid.coordinates()[0] / 3)
    k2 = (2 / grid.dx[0] * np.sin(np.pi * grid.dx[0] / 6)) ** 2
    y0 = (1.3 + mode, -0.5 * mode)
    exact = expm(-k2 * np.array(D) * 0.8) @ np.array([1.0, -0.5])
    for stepper, dt, atol in ((ds.ETD1(), 0.8, 1e-13), (ds.IMEX(), 0.01, 5e-5)):
        final = ds.solve(law, y0, (0.0, 0.8), stepper=stepper, dt=dt, jit=False).final
        for leaf, c, mean in zip(final, exact, (1.3, 0.0), strict=True):
            np.testing.assert_allclose(leaf, mean + c * mode, atol=atol)


def test_cross_diffusion_without_mixtures_is_left_to_explicit_steps():
    """A Jordan block has no full set of modes, and walls of two kinds no common basis; RK4 takes both."""
    grid = ds.Grid(24, 3.0)
    block = M.CrossDiffusion(STILL, [[1.0, 1.0], [0.0, 1.0]])
    y0 = (np.cos(np.pi * grid.coordinates()[0] / 3),) * 2
    for law in (block.on(grid, ds.Neumann()),
                M.CrossDiffusion(STILL, [[1.0, 0.2], [0.0, 1.0]]).on(grid, (ds.Neumann(), ds.Dirichlet(0.0)))):
        with pytest.raises(ValueError, match="full set of eigenvectors.*because"):
            ds.solve(law, y0, (0.0, 0.1), stepper=ds.ETD1(), dt=0.1)
    k2 = (2 / grid.dx[0] * np.sin(np.pi * grid.dx[0] / 6)) ** 2
    final = ds.solve(block.on(grid, ds.Neumann()), y0, (0.0, 0.8), stepper=ds.RK4(), dt=0.004, jit=False).final
    np.testing.assert_allclose(final[0], np.exp(-0.8 * k2) * (1 - 0.8 * k2) * y0[0], atol=1e-8)


def test_species_that_chase_each_other_between_unlike_walls_are_not_left_to_stabilised_stages():
    """λ = 1 ± 3i lies outside RKL2's region of stability, which is a strip along the negative real axis."""
    grid = ds.Grid(16, 2.0)
    law = M.CrossDiffusion(STILL, [[1.0, -3.0], [3.0, 1.0]]).on(grid, (ds.Neumann(), ds.Dirichlet(0.0)))
    y0 = (np.cos(3 * grid.coordinates()[0]), np.sin(5 * grid.coordinates()[0]))
    chosen = ds.solve(law, y0, (0.0, 0.4), dt=0.002, jit=False)
    assert "chase" in chosen.info["why"]
    fine = ds.solve(law, y0, (0.0, 0.4), dt=0.001, stepper=ds.RK4(), jit=False)
    np.testing.assert_allclose(chosen.final, fine.final, atol=1e-6)


@pytest.mark.parametrize("stepper", [ds.RK4(), ds.ETD1(), ds.IMEX()], ids=lambda s: type(s).__name__)
def test_a_sweep_of_cross_diffusion_is_its_runs_one_by_one(stepper):
    grid = ds.Grid((12, 10), 3.0)
    c, rng = np.array([-0.4, 0.3]), np.random.default_rng(3)
    y0 = tuple(rng.normal(size=(2, *grid.shape)) for _ in "uv")
    model = M.CrossDiffusion(M.LotkaVolterra(), [[1.0, 0.2], [0.0, 0.7]])
    sweep = model.varied(Dvu=c[:, None, None])
    kept = {"dt": 0.002, "stepper": stepper, "jit": False}
    together = ds.solve(sweep.on(grid, ds.Neumann()), y0, (0.0, 0.02), **kept).final
    for i, value in enumerate(c):
        alone = ds.solve(model.varied(Dvu=value).on(grid, ds.Neumann()), tuple(u[i] for u in y0), (0.0, 0.02), **kept)
        for both, one in zip(together, alone.final, strict=True):
            np.testing.assert_allclose(both[i], one, atol=1e-13)
    assert np.abs(together[1][0] - together[1][1]).max() > 1e-3


def test_a_matrix_of_diffusivities_is_one_for_all_cells():
    grid, model = ds.Grid(16, 3.0), M.CrossDiffusion(STILL, np.eye(2))
    with pytest.raises(ValueError, match=r"one for all cells.*\(16, 1\)"):
        model.varied(Duv=np.linspace(0.0, 0.1, 16)).on(grid, ds.Neumann())
    with pytest.raises(ValueError, match="in 1 of 3 sets"):
        model.varied(Duu=np.array([1.0, -1.0, 1.0]))
    law = model.varied(Duv=np.array([[0.1], [0.2]])).on(grid, ds.Neumann())
    with pytest.raises(ValueError, match="leading axes"):
        ds.solve(law, (np.ones(16), np.ones(16)), (0.0, 0.1), dt=0.001)


def test_cross_diffusion_keeps_its_books():
    """What enters a species through a wall is Σⱼ Dᵢⱼ ∂ₙyⱼ: the ledger closes."""
    grid = ds.Grid(16, 3.0)
    law = M.CrossDiffusion(STILL, [[1.0, 0.5], [0.3, 1.0]]).on(grid, (ds.Dirichlet(1.0), ds.Dirichlet(2.0)))
    tracked = ds.track(law, (np.ones(16), np.linspace(0.0, 1.0, 16)))
    sol = ds.solve(tracked.law, tracked.y0, (0.0, 0.5), stepper=ds.ETDRK2(), dt=0.05, jit=False)
    for book in ds.balance(grid, tracked, sol.final):
        assert abs(book.imbalance) < 1e-12 < 0.1 < abs(book.causes["x-"])
