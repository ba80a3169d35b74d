"""Noise and what is made of it, number by number: linear maps, streams, rounding, first steps, generators."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import expm

import diffsim as ds

F64 = tf.float64
KEY = ds.key(11)


@pytest.mark.parametrize("n", [3, 9])
def test_correlated_noise_is_the_root_of_its_matrix_times_white_noise(n):
    """L dW and L H with the lower factor L, for small and for wide matrices, given as arrays, as tensors, and in a graph."""
    root = np.tril(np.random.default_rng(n).normal(size=(n, n))) + 3 * np.eye(n)
    like = tf.zeros([5, n], F64)
    W, H = (a.numpy() for a in ds.Brownian().area(KEY, 4, 0.0, 0.3, like))
    for C in (root @ root.T, tf.constant(root @ root.T)):
        noise = ds.Correlated(C)
        np.testing.assert_allclose(noise.increment(KEY, 4, 0.0, 0.3, like), W @ root.T, rtol=0, atol=1e-13)
        np.testing.assert_allclose(noise.area(KEY, 4, 0.0, 0.3, like)[1], H @ root.T, rtol=0, atol=1e-13)
    traced = tf.function(lambda C: ds.Correlated(C).increment(KEY, 4, 0.0, 0.3, like))(C)
    np.testing.assert_allclose(traced, W @ root.T, rtol=0, atol=1e-13)


def test_fluxes_of_species_are_drawn_apart():
    """No flux of one species through a face is one of another."""
    grid = ds.Grid((7, 6), (7.0, 3.0))
    like = tf.zeros(grid.shape, F64)
    u, v = (a.numpy() for a in ds.ConservedWhite(grid, ds.Neumann()).increment(KEY, 0, 0.0, 1.0, (like, like)))
    assert abs(u.sum()) < 1e-12 and np.abs(u - v).min() > 1e-6


def test_a_tree_takes_the_nearest_of_its_times():
    """0.3 as 3·0.1 or a little less is one time."""
    tree, like = ds.BrownianTree(0.0, 1.0, depth=3), tf.zeros([4], F64)

    def until(t):
        return tree.increment(KEY, 0, 0.0, t, like).numpy()

    assert np.array_equal(until(0.625), until(0.625 - 1e-12)) and np.array_equal(until(0.625), until(0.625 + 0.06))
    assert np.array_equal(until(0.625), until(0.625 - 0.06)) and np.abs(until(0.625) - until(0.625 - 0.07)).min() > 0


def test_leimkuhler_and_matthews_begin_with_half_an_increment():
    """X₁ = hf + ½gΔW₀, X₂ = X₁ + hf + ½g(ΔW₀ + ΔW₁), for constant f."""
    h, g, f, x = 0.3, 1.3, 0.7, np.zeros(6)
    law = ds.Equation(drift=lambda t, x: f + 0.0 * x, diffusion=g)
    sol = ds.solve(law, x, (0, 2 * h), dt=h, stepper=ds.LeimkuhlerMatthews(), save=ds.SaveAt(every=1), key=KEY,
                   jit=False)
    W = ds.solve(ds.Equation(diffusion=1.0), x, (0, 2 * h), dt=h, stepper=ds.EulerMaruyama(), save=ds.SaveAt(every=1),
                 key=KEY, jit=False).y.numpy()
    np.testing.assert_allclose(sol.y[1], h * f + g * W[1] / 2, atol=1e-14)
    np.testing.assert_allclose(sol.y[2] - sol.y[1], h * f + g * W[2] / 2, atol=1e-14)


GROWING = {
    "number": (-0.7, 1),
    "orthogonal modes": (ds.Diffusion(ds.Grid(5, 1.3), ds.Dirichlet(), 0.2) - 0.4, 5),
    "leaning modes": (ds.Diffusion(ds.RadialGrid(5, 1.3), ds.Robin(0.8), 0.2) - 0.4, 5),
}


@pytest.mark.parametrize("name", GROWING)
def test_exact_noise_that_grows_in_time(name):
    """∫e^{(h−s)A} g₀²e^{2b(t+s)} V e^{(h−s)Aᵀ} ds by Gauss's rule, and the step's response to each number that it draws."""
    op, n = GROWING[name]
    g0, b, t, h = 0.6, 0.9, 0.3, 0.5
    law = ds.Equation(linear=op, diffusion=ds.ExponentialAmplitude(g0, b))
    eye = tf.eye(n, dtype=F64)
    stepper, law = ds.ETD1().bind(law.of_state(eye), h)
    law, step = law.prepare(eye), tf.constant(h, F64)
    new = stepper.step(law, tf.constant(t, F64), step, 0 * eye, (), stepper.prepare(law, step), lambda: h**0.5 * eye)
    A = op.apply(np.eye(n)).numpy().T if n > 1 else np.array([[op]])
    s, w = np.polynomial.legendre.leggauss(20)
    s, w = h * (s + 1) / 2, h * w / 2
    E = np.array([expm((h - r) * A) for r in s])
    exact = np.einsum("k,kij,klj->il", w * g0**2 * np.exp(2 * b * (t + s)), E, E)
    np.testing.assert_allclose(new.y.numpy().T @ new.y.numpy(), exact, rtol=0, atol=1e-12)


def test_conversion_of_noise_on_several_parts_of_a_state():
    """½gg′ of each part by itself: of x² and of sin z."""
    x, z = (tf.constant(np.random.default_rng(2).normal(size=(4, 2))) for _ in range(2))
    law = ds.Equation(diffusion=lambda t, y: (y[0] ** 2, tf.sin(y[1])), calculus=ds.Stratonovich()).of_state((x, z))
    first, second = law.stated_in(ds.Ito).drift(tf.constant(0.0, F64), (x, z))
    np.testing.assert_allclose(first, x**3, rtol=1e-13)
    np.testing.assert_allclose(second, tf.sin(z) * tf.cos(z) / 2, rtol=1e-13)


# Generators


def test_one_diffusivity_in_many_words_has_one_generator():
    """Dᵢ = (0.7, 0.2) as amplitude, as covariance, as a map that stretches, and as one that mixes a covariance."""
    D, grid, walls = np.array([0.7, 0.2]), ds.Grid((4, 3), (1.0, 2.0)), ds.Boundary(x=ds.Periodic(), y=ds.Dirichlet())

    def wind(t, x):
        return tf.stack([0.4 * x[..., 1], -x[..., 0]], -1)

    root, half = tf.constant((2 * D) ** 0.5), tf.constant([0.5, 3.0], F64)
    words = [
        ds.Equation(drift=wind, diffusion=lambda t, x: root + 0 * x),
        ds.Equation(drift=wind, diffusion=1.0, noise=ds.Correlated(np.diag(2 * D))),
        ds.Equation(drift=wind, diffusion=ds.NoiseMap(lambda t, x, dN: root * dN)),
        ds.Equation(drift=wind, diffusion=lambda t, x: half + 0 * x, noise=ds.Correlated(np.diag(2 * D) / [0.25, 9.0])),
    ]
    plain, *others = [law.generator(grid, walls) for law in words]
    for op in others:
        for mine, same in ((op.up, plain.up), (op.down, plain.down)):
            for a, b in zip(mine, same, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_generator_is_that_of_its_time():
    """f = −tx, g = 1 + t: at t = 2 the law f = −2x, g = 3."""
    grid = ds.Grid(5, 2.0, -1.0)
    moving = ds.Equation(drift=lambda t, x: -t * x, diffusion=lambda t, x: 1 + t + 0 * x)
    then, still = moving.generator(grid, ds.Neumann(), t=2.0), ds.Equation(drift=lambda t, x: -2 * x, diffusion=3.0)
    np.testing.assert_allclose(then.up[0], still.generator(grid, ds.Neumann()).up[0], rtol=1e-13)


@pytest.mark.parametrize("v", [1.3, -1.3])
def test_wind_at_a_wall_that_reacts(v):
    """Du″ + vu′ = 0, Du′(0) = κu, u(L) = 1: the chance to end at L, which these rates have exactly."""
    D, L, kappa = 0.7, 1.5, 0.6
    grid = ds.Grid(12, L)
    walls = ds.Boundary(x=(ds.Robin(kappa), ds.Dirichlet(1.0)))
    A, B = np.linalg.solve([[kappa, kappa + v], [1.0, np.exp(-v * L / D)]], [0.0, 1.0])
    exact = A + B * np.exp(-v * grid.coordinates()[0] / D)
    found = ds.models.splitting_probability(ds.models.BrownianMotion(D, v=v), grid, walls)
    np.testing.assert_allclose(found, exact, rtol=1e-11)


def test_a_swimmer_that_never_turns():
    """D_r = 0: 4Dt + v²t², the limit of small D_r."""
    slow, never = (ds.models.ActiveBrownian(v0=1.4, D=0.3, D_r=r).msd(2.0) for r in (1e-6, 0.0))
    assert never == pytest.approx(4 * 0.3 * 2 + (1.4 * 2) ** 2, rel=1e-14) == pytest.approx(slow, rel=1e-4)


# Backwards in time


def test_the_drift_of_reversed_laws():
    """f + αgg′ − (1 + η)(∇·D + Ds): of entries, of a vector that noise stretches, and of correlated noise."""
    x, eta = np.random.default_rng(8).normal(size=(5, 2)), 0.4
    s, f, at = np.cos(3 * x), 0.3 * x, tf.constant(x)
    g, slope = 0.3 + np.sin(x), np.cos(x)  # of either sign

    def drift(**law):
        law = ds.Equation(drift=lambda t, x: 0.3 * x, **law).reversed(lambda t, x: tf.cos(3 * x), eta)
        return law.drift(tf.constant(0.0, F64), at)

    for calculus in (ds.Ito(), ds.Stratonovich(), ds.Isothermal()):
        found = drift(diffusion=lambda t, x: 0.3 + tf.sin(x), calculus=calculus)
        expected = f + calculus.point * g * slope - (1 + eta) * (g * slope + g**2 * s / 2)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    C = np.array([[1.5, 0.4], [0.4, 0.6]])
    found = drift(diffusion=1.3, noise=ds.Correlated(C))
    np.testing.assert_allclose(found, f - (1 + eta) * 1.69 / 2 * s @ C, rtol=0, atol=1e-13)
    # g = [[1, x₁], [0, x₀]]: D = ½[[1 + x₁², x₀x₁], [x₀x₁, x₀²]], ∇·D = ½(x₀, x₁), by rows
    found = drift(diffusion=ds.NoiseMap(lambda t, x, w: tf.stack([w[..., 0] + x[..., 1] * w[..., 1],
                                                                 x[..., 0] * w[..., 1]], -1)))
    a, b = x.T
    D = np.array([[1 + b**2, a * b], [a * b, a**2]]) / 2
    spread = np.einsum("ijn,nj->ni", D, s) + np.stack([a, b], -1) / 2
    np.testing.assert_allclose(found, f - (1 + eta) * spread, rtol=0, atol=1e-13)


# Corners


def test_noise_that_dies_out_at_one_still_depends_on_the_state():
    """g = (1 − t)x and √((1 − t)x²): what g depends on is not what is left of it at t = 1."""
    x = np.array([0.7, 1.3, 2.0])
    for g, square in ((lambda t, x: (1 - t) * x, 0.25), (lambda t, x: tf.sqrt((1 - t) * x * x), 0.5)):
        law = ds.Equation(diffusion=g, calculus=ds.Stratonovich()).of_state(tf.constant(x))
        assert law.reach.name == "ENTRY"
        drift = law.stated_in(ds.Ito).drift(tf.constant(0.5, F64), tf.constant(x))
        np.testing.assert_allclose(drift, square * x / 2, rtol=1e-13)


def test_a_trap_without_stiffness_is_none():
    """Var = 2kTt/γ, the limit of soft traps."""
    free, soft = (ds.models.OrnsteinUhlenbeck(k=k, gamma=1.7, kT=0.6).variance([0.0, 2.0]) for k in (0.0, 1e-9))
    np.testing.assert_allclose(free, [0.0, 2 * 0.6 * 2 / 1.7], rtol=1e-14)
    np.testing.assert_allclose(soft, free, rtol=1e-8)


def test_survival_before_time_zero():
    """Kaplan and Meier's staircase of a run from −5 to −1, two of four still alive."""
    alive = np.array([True, False, True, False])
    fate = SimpleNamespace(alive=alive, time=np.array([0.0, -2.0, 0.0, -4.0]), wall=np.where(alive, -1, 0))
    t, value, _ = ds.analysis.survival(fate, until=-1.0, since=-5.0)
    np.testing.assert_allclose([t, value], [[-5.0, -4.0, -2.0], [1.0, 0.75, 0.5]])
