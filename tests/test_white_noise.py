"""Noise on grids has the right strength, in every mode; all false alarms are at 5σ, normal at that.

A sample variance of N normal numbers has the relative standard deviation √(2/N).
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import expm, solve_continuous_lyapunov

import diffsim as ds

D, MU, SIGMA = 0.7, 1.3, 0.45
CLOSED = ds.Boundary(x=ds.Periodic(), y=ds.Neumann())


def coefficients(op, u):
    """Orthonormal ones, real or complex, with how many real numbers each stands for."""
    c = op.diagonal().forward(u).numpy()
    if op.diagonal().basis.fourier:
        n = op.grid.shape[-1]
        k = np.arange(c.shape[-1])
        return c / op.grid.cells**0.5, np.where((k == 0) | (2 * k == n), 1, 2)
    return c, 1


def rates(op, u):
    """μ + Dk² of each mode."""
    return MU - op.diagonal().prepare(tf.constant(u)).lam.numpy()


def agree(power, expected, runs, independent=1):
    """Each mode within 5σ, and all together."""
    ratio = power / expected
    assert np.abs(ratio - 1).max() < 5 * (2 / runs) ** 0.5
    assert abs(ratio.mean() - 1) < 5 * (2 / (runs * ratio.size * independent)) ** 0.5


def stationary(grid, walls, stepper, dt, steps, runs, noise=None, seed=3):
    """(mean |c|²·V over runs, μ + Dk²) after many steps from nothing."""
    op = ds.Diffusion(grid, walls, D)
    noise = ds.SpaceTimeWhite(grid) if noise is None else noise
    law = ds.Equation(linear=op - MU, diffusion=SIGMA, noise=noise)
    u0 = tf.zeros([runs, *grid.shape], tf.float64)
    sol = ds.solve(law, u0, (0.0, steps * dt), stepper=stepper, dt=dt, key=ds.key(seed), jit=False)
    c, _ = coefficients(op, sol.final)
    return np.mean(np.abs(c) ** 2, 0) * np.prod(grid.dx), rates(op, u0)


@pytest.mark.parametrize(
    ("grid", "walls"),
    [
        (ds.Grid(15, 2.5), ds.Periodic()),
        (ds.Grid(31, 2.5), ds.Periodic()),
        (ds.Grid(16, 2.5), ds.Boundary(x=(ds.Dirichlet(), ds.Neumann()))),
        (ds.Grid((6, 8), (1.5, 0.8)), CLOSED),
    ],
    ids=["1-D", "finer", "walls", "2-D"],
)
def test_exact_steps_have_the_exact_spectrum_at_any_length(grid, walls):
    for dt, steps in ((5.0, 2), (0.2, 40)):
        power, a = stationary(grid, walls, ds.ETD1(), dt, steps, 3000)
        agree(power, SIGMA**2 / (2 * a), 3000)


def test_euler_maruyama_has_its_own_spectrum():
    grid = ds.Grid(11, 2.5)
    op = ds.Diffusion(grid, ds.Neumann(), D)
    h = 1.5 / (op.radius() + MU)
    power, a = stationary(grid, ds.Neumann(), ds.EulerMaruyama(), h, 300, 3000)
    agree(power, SIGMA**2 / (2 * a * (1 - a * h / 2)), 3000)
    with pytest.raises(AssertionError):  # it is not that of the equation
        agree(power, SIGMA**2 / (2 * a), 3000)


def test_noise_that_does_not_know_the_cells_is_wrong():
    power, a = stationary(ds.Grid(15, 2.5), ds.Periodic(), ds.ETD1(), 5.0, 2, 3000, noise=ds.Brownian())
    with pytest.raises(AssertionError):
        agree(power, SIGMA**2 / (2 * a), 3000)


def test_variance_of_a_mode_does_not_depend_on_the_grid():
    fixed = []
    for n in (8, 16, 32):
        power, _ = stationary(ds.Grid(n, 2.5), ds.Neumann(), ds.ETD1(), 5.0, 2, 4000, seed=n)
        fixed.append(power[:3])
    k = np.pi * np.arange(3) / 2.5
    assert np.abs(np.array(fixed) / (SIGMA**2 / (2 * (MU + D * k**2))) - 1).max() < 5 * (2 / 4000) ** 0.5 + 0.05


@pytest.mark.parametrize("dimension", [2, 3])
def test_shells_of_a_ball_are_cells_of_their_own_volume(dimension):
    """Modes are orthogonal with the weight V, in which white noise is white."""
    grid = ds.RadialGrid(12, 1.5, dimension=dimension)
    power, a = stationary(grid, ds.Dirichlet(), ds.ETD1(), 5.0, 2, 3000)
    agree(power / np.prod(grid.dx), SIGMA**2 / (2 * a), 3000)


def test_multiplicative_noise_is_ito():
    """u → u(1 + σ√(h/V)ξ) step by step: the mean stays, u² grows by 1 + σ²h/V."""
    grid, h, steps, runs = ds.Grid((4, 5), (2.0, 1.5)), 0.02, 10, 4000
    law = ds.Equation(diffusion=lambda t, u: SIGMA * u, noise=ds.SpaceTimeWhite(grid))
    u0 = tf.fill([runs, *grid.shape], tf.constant(0.8, tf.float64))
    u = ds.solve(law, u0, (0.0, steps * h), stepper=ds.EulerMaruyama(), dt=h, key=ds.key(5), jit=False).final.numpy()
    growth = (1 + SIGMA**2 * h / np.prod(grid.dx)) ** steps
    assert abs(u.mean() / 0.8 - 1) < 5 * ((growth - 1) / u.size) ** 0.5
    square = u**2 / 0.64
    assert abs(square.mean() / growth - 1) < 5 * square.std() / square.size**0.5


def test_species_have_noise_of_their_own_and_the_grid_must_fit():
    grid = ds.Grid(64, 2.0)
    noise = ds.SpaceTimeWhite(grid)
    u, v = noise.increment(ds.key(1), 3, 0.0, 0.5, (tf.zeros([200, 64]), tf.zeros([200, 64])))
    assert abs(np.corrcoef(u.numpy().ravel(), v.numpy().ravel())[0, 1]) < 5 / u.numpy().size ** 0.5
    law = ds.Equation(linear=-1.0, diffusion=1.0, noise=noise)
    with pytest.raises(ValueError, match="trailing axes"):
        ds.solve(law, tf.zeros([32]), (0.0, 1.0), dt=0.1, key=ds.key(0), jit=False)
    with pytest.raises(TypeError, match="averaged over its cells"):
        ds.SpaceTimeWhite(64)


@pytest.mark.parametrize("walls", [ds.Periodic(), ds.Neumann(), ds.Dirichlet()], ids=["loop", "closed", "open"])
def test_conserved_noise_has_a_flat_spectrum(walls):
    """⟨|c|²⟩V = χ for du = D∇²u dt + √(2Dχ)∇·dW, and no noise in the mean where matter is kept."""
    grid, chi, runs = ds.Grid((6, 5), (1.5, 0.8)), 0.3, 3000
    op = ds.Diffusion(grid, walls, D)
    law = ds.Equation(linear=op, diffusion=(2 * D * chi) ** 0.5, noise=ds.ConservedWhite(grid, walls))
    u0 = tf.zeros([runs, *grid.shape], tf.float64)
    u = ds.solve(law, u0, (0.0, 4.0), stepper=ds.ETD1(), dt=2.0, key=ds.key(8), jit=False).final
    c, _ = coefficients(op, u)
    power = np.mean(np.abs(c) ** 2, 0).ravel() * np.prod(grid.dx)
    if not isinstance(walls, ds.Dirichlet):
        assert np.abs(grid.integrate(u)).max() < 1e-14
        assert power[0] < 1e-28
        power = power[1:]
    agree(power, chi, runs)
    with pytest.raises(ValueError, match="Robin wall"):
        ds.ConservedWhite(grid, ds.Robin(1.0, 0.0))


LEANING = ds.Layers((1.0, 0.1), (0.5,), interfaces=(ds.Interface(3.0, 0.5),))
LINES = {
    "box": ds.Diffusion(ds.Grid(6, 1.0), ds.Dirichlet(), 1.0 + np.arange(6) / 6),
    "cylinder": ds.Diffusion(ds.RadialGrid(6, 1.0, dimension=2), ds.Neumann(), 0.05),
    "ball": ds.Diffusion(ds.RadialGrid(6, 1.0), ds.Robin(1.0), 0.05),
    "partition": ds.Diffusion(ds.Grid(6, 1.0), ds.Neumann(), LEANING),
}


@pytest.mark.parametrize("kind", [lambda grid: ds.Brownian(), ds.SpaceTimeWhite], ids=["per cell", "per volume"])
@pytest.mark.parametrize("name", LINES)
def test_one_exact_step_of_any_length_has_the_covariance_of_lyapunov(name, kind):
    h, op = 0.5, LINES[name] - 1.0
    noise = kind(LINES[name].grid)
    ready = op.diagonal().prepare(tf.zeros(6, tf.float64))
    kick = ready.noise_multiplier(tf.constant(h, tf.float64), noise.variance)
    K = np.array([ready.inverse(kick(ready.forward(e))) for e in tf.eye(6, dtype=tf.float64)]).T
    A = op.apply(np.eye(6)).numpy().T
    white = np.diag(np.broadcast_to(noise.variance, 6))
    E = expm(h * A)
    exact = solve_continuous_lyapunov(A, E @ white @ E.T - white)
    np.testing.assert_allclose(h * K @ white @ K.T, exact, rtol=0, atol=1e-12 * np.abs(exact).max())


def test_runs_on_a_ball_have_the_exact_variance_at_any_step():
    op, runs = LINES["ball"], 20000
    law = ds.Equation(linear=op - 1.0, diffusion=0.7, noise=ds.SpaceTimeWhite(op.grid))
    sol = ds.solve(law, np.zeros((runs, 6)), (0.0, 0.5), dt=0.5, key=ds.key(3), jit=False)
    A, white = (op - 1.0).apply(np.eye(6)).numpy().T, np.diag(0.49 / op.grid.volume())
    E = expm(0.5 * A)
    exact = np.diag(solve_continuous_lyapunov(A, E @ white @ E.T - white))
    agree(np.mean(sol.final.numpy() ** 2, 0), exact, runs)


def test_noise_that_ties_shells_together_is_not_taken_for_exact():
    op = LINES["ball"]
    law = ds.Equation(linear=op - 1.0, diffusion=0.7, noise=ds.Correlated(np.eye(6) + 0.1))
    assert ds.solve(law, np.zeros(6), (0.0, 0.1), dt=0.001, key=ds.key(0), jit=False).info["stepper"] == "EulerMaruyama"
    with pytest.raises(TypeError, match=r"independ|depend on each other.*Brownian.*EulerMaruyama"):
        ds.solve(law, np.zeros(6), (0.0, 0.1), dt=0.001, stepper=ds.ETD1(), key=ds.key(0), jit=False)


BATCHES = {  # name → (grid, walls, noise of a grid and a first row, stepper, tolerance)
    "Euler–Maruyama": (ds.Grid(8, 1.0), ds.Periodic(), lambda _, n: ds.Brownian(n), ds.EulerMaruyama(), 0.0),
    "exact, waves": (ds.Grid(8, 1.0), ds.Neumann(), ds.SpaceTimeWhite, ds.ETD1(), 0.0),
    "exact, shells": (ds.RadialGrid(8, 1.0), ds.Neumann(), lambda _, n: ds.Brownian(n), ds.ETD1(), 1e-14),
}


@pytest.mark.parametrize("name", BATCHES)
def test_rows_of_an_ensemble_run_alone_are_those_rows_bit_by_bit(name):
    grid, walls, noise, stepper, tolerance = BATCHES[name]
    y0 = np.random.default_rng(0).normal(size=(6, 8))

    def run(first, rows):
        law = ds.Equation(linear=ds.Diffusion(grid, walls, 0.01) - 1.0, diffusion=0.7, noise=noise(grid, first))
        jit = name == "exact, waves"  # one of them compiled
        return ds.solve(law, y0[rows], (0, 1), dt=0.1, stepper=stepper, key=ds.key(1), jit=jit).final.numpy()

    whole = run(0, slice(0, 6))
    assert np.abs(run(3, slice(3, 6)) - whole[3:6]).max() <= tolerance
    assert np.abs(run(0, slice(3, 6)) - whole[3:6]).max() > 0.01


def test_noise_under_a_key_is_none_that_users_draw_under_keys_made_from_it():
    key, pair = ds.key(5), (tf.zeros([40], tf.float64), tf.zeros([40], tf.float64))
    used = [key, *(ds.fold_in(key, i) for i in range(3)), *ds.split(key, 3)]
    walls = ds.Boundary(x=ds.Neumann())
    for noise in (ds.Brownian(), ds.SpaceTimeWhite(ds.Grid(40, 40.0)), ds.ConservedWhite(ds.Grid(40, 40.0), walls)):
        mine = [a.numpy() for a in noise.increment(key, 0, 0.0, 1.0, pair)]
        theirs = [noise.increment(k, 0, 0.0, 1.0, pair[0]).numpy() for k in used[1:]]
        theirs += [ds.random.normal(k, (40,), tf.float64).numpy() for k in used]
        assert not any(np.intersect1d(a, b).size for a in mine for b in theirs)
    _, H = ds.Brownian().area(key, 0, 0.0, 12.0, pair[0])
    others = [ds.Brownian().increment(k, 0, 0.0, 1.0, pair[0]) for k in used]
    assert not any(np.isclose(H, b).any() for b in others)


def test_a_flux_is_not_multiplied_outside_its_divergence():
    """g(u) ∇·dW would make matter; g(t) is a number at each time."""
    grid = ds.Grid(8, 1.0)
    noise, u = ds.ConservedWhite(grid, ds.Periodic()), np.ones(8)
    law = ds.Equation(linear=ds.Laplacian(grid, ds.Periodic()), diffusion=lambda t, u: tf.sqrt(u), noise=noise)
    with pytest.raises(TypeError, match=r"expected a number, because it belongs to the flux"):
        ds.solve(law, u, (0, 1e-3), dt=1e-4, stepper=ds.EulerMaruyama(), key=ds.key(0), jit=False)
    law = ds.Equation(linear=law.linear, diffusion=lambda t, u: tf.exp(-t) + 0 * u, noise=noise)
    after = ds.solve(law, u, (0, 1e-3), dt=1e-4, stepper=ds.EulerMaruyama(), key=ds.key(0), jit=False).final.numpy()
    assert abs(after.sum() - 8) < 1e-12 < after.std()
