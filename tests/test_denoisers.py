"""Denoisers: every parametrisation says the same, exact ones are exact, the heat equation knows them too."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

MIX = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
PLANE = gen.Mixture(
    [1.0, 2.0], [[0.0, 1.0], [2.0, -1.0]], [[[0.5, 0.2], [0.2, 0.3]], [[0.2, 0.0], [0.0, 0.9]]]
)
Z = tf.constant(np.random.RandomState(0).normal(size=(5, 2)) * 1.5)
LAMS = tf.constant([-2.0, -0.7, 0.1, 0.9, 2.0], tf.float64)
SCHEDULES = [gen.VP(), gen.SubVP(), gen.VE(), gen.EDM(), gen.Cosine(), gen.CondOT(2.0)]


def networks(schedule):
    """Networks that know PLANE, each in its own terms."""

    def known(back, *rest):
        def network(x, t):
            lam = schedule.lam(t)
            z = x / tf.reshape(schedule.alpha(t), [-1, 1])
            return back(PLANE(z, lam), z, lam, *rest)

        return network

    return {
        gen.from_epsilon: known(gen.to_epsilon),
        gen.from_x0: known(lambda x0, z, lam: x0),
        gen.from_v: known(gen.to_v, schedule),
        gen.from_score: known(gen.to_score, schedule),
        gen.from_velocity: known(gen.to_velocity, schedule),
    }


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_every_parametrisation_is_the_same_denoiser(schedule):
    """For λ of each row and for one λ of all."""
    for make, network in networks(schedule).items():
        D = make(network, schedule)
        np.testing.assert_allclose(D(Z, LAMS), PLANE(Z, LAMS), rtol=1e-10, atol=1e-10, err_msg=make.__name__)
        np.testing.assert_allclose(D(Z, tf.constant(0.4, tf.float64)), PLANE(Z, 0.4), rtol=1e-10, atol=1e-10)


def test_back_conversions_are_what_they_are_called():
    """x = αx₀ + σε; v = αε − σx₀; the score is the gradient of log p; u = dx/dt along straight paths is ε − x₀."""
    for schedule in SCHEDULES:
        alpha, sigma = (a[:, None] for a in schedule.scales(LAMS))
        x0 = PLANE(Z, LAMS)
        epsilon = gen.to_epsilon(x0, Z, LAMS)
        np.testing.assert_allclose(alpha * x0 + sigma * epsilon, alpha * Z, rtol=1e-12)
        np.testing.assert_allclose(gen.to_v(x0, Z, LAMS, schedule), alpha * epsilon - sigma * x0, rtol=1e-12)
        np.testing.assert_allclose(gen.to_score(x0, Z, LAMS, schedule), -epsilon / sigma, rtol=1e-11)
    np.testing.assert_allclose(gen.to_velocity(x0, Z, LAMS, gen.CondOT()), epsilon - x0, rtol=1e-11)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(Z)
        log = PLANE.log_density(Z, LAMS)
    np.testing.assert_allclose(gen.to_score(x0, Z, LAMS), tape.gradient(log, Z), rtol=1e-10)
    np.testing.assert_allclose(PLANE.score(Z, LAMS), tape.gradient(log, Z), rtol=1e-10)


def test_networks_see_their_own_scale_and_time():
    seen = {}

    def network(x, t, condition=None):
        seen.update(x=x, t=t, condition=condition)
        return x

    table = gen.Discrete.scaled_linear()
    lam = tf.cast(table.lam(np.array([3.0, 700.0, 999.0, 0.0, 12.0])), tf.float32)
    z = tf.cast(Z, tf.float32)
    D = gen.from_v(network, table, condition=tf.constant(2.0))
    D(z, lam)
    np.testing.assert_array_equal(seen["t"], [3, 700, 999, 0, 12])
    np.testing.assert_allclose(seen["x"], z * table.scales(lam)[0][:, None], rtol=1e-6)
    assert seen["t"].dtype == seen["x"].dtype == tf.float32 and float(seen["condition"]) == 2.0
    D(z, lam, tf.constant(5.0))
    assert float(seen["condition"]) == 5.0
    gen.from_x0(network, gen.VP())(z, tf.constant(0.3))
    assert seen["t"].shape == (5,) and seen["condition"] is None


def test_preconditioning_leaves_unit_variance():
    """Of x₀ with variance s², input c_in z and target (x₀ − c_skip z)/c_out have variance one, at every noise."""
    s, sigmas = 0.7, np.array([0.01, 0.3, 1.0, 5.0, 80.0])
    lam, z = tf.constant(-np.log(sigmas)), tf.ones([5, 1], tf.float64)
    seen = {}

    def network(x, c):
        seen.update(x=x, c=c)
        return 0 * x

    skip = gen.preconditioned(network, s)(z, lam)[:, 0].numpy()
    out = gen.preconditioned(lambda x, c: 0 * x + 1, s)(z, lam)[:, 0].numpy() - skip
    np.testing.assert_allclose(seen["x"][:, 0].numpy() ** 2 * (s * s + sigmas**2), 1.0, rtol=1e-12)
    np.testing.assert_allclose(seen["c"], np.log(sigmas) / 4, rtol=1e-12)
    np.testing.assert_allclose(((1 - skip) ** 2 * s * s + skip**2 * sigmas**2) / out**2, 1.0, rtol=1e-9)
    np.testing.assert_allclose((1 - skip) * s * s, skip * sigmas**2, rtol=1e-9)  # the least that is left to the network
    given = gen.preconditioned(lambda x, c, k: 0 * x + k, s, condition=tf.constant(2.0, tf.float64))(z, lam)[:, 0]
    np.testing.assert_allclose(given, skip + 2 * out, rtol=1e-12)


def test_mixtures_are_bayes():
    """D = ∫x p(x)N(z; x, σ²)dx / ∫p(x)N(z; x, σ²)dx by quadrature; a full covariance by dense algebra."""
    x = np.linspace(-8, 9, 20_001)
    p = np.exp(MIX.log_density(tf.constant(x[:, None]), 40.0).numpy())
    assert p.sum() * (x[1] - x[0]) == pytest.approx(1.0, rel=1e-9)
    for sigma in (0.05, 0.6, 4.0):
        z = np.array([-2.0, 0.1, 1.7])
        w = p * np.exp(-0.5 * ((z[:, None] - x) / sigma) ** 2)
        np.testing.assert_allclose(MIX(tf.constant(z[:, None]), -np.log(sigma))[:, 0], (w * x).sum(1) / w.sum(1), rtol=1e-9)
    C = np.array([[0.5, 0.2], [0.2, 0.3]])
    dense = (C @ np.linalg.solve(C + 0.49 * np.eye(2), (Z - [1.0, 2.0]).numpy().T)).T + [1.0, 2.0]
    np.testing.assert_allclose(gen.Gaussian([1.0, 2.0], C)(Z, -np.log(0.7)), dense, rtol=1e-12)
    for spread in (0.3, [0.3, 0.3]):
        alike = gen.Gaussian([1.0, 2.0], spread)(Z, 0.1)
        np.testing.assert_allclose(alike, gen.Gaussian([1.0, 2.0], 0.3 * np.eye(2))(Z, 0.1), rtol=1e-12)


def test_mixtures_bear_extremes():
    """Far apart, far away, without noise and without signal; one λ for all rows of images of vectors too."""
    far = gen.Mixture([1e-3, 1.0], [[-1e3, 0.0], [1e3, 0.0]], [1e-4, 1e-4])
    for dtype in (tf.float32, tf.float64):
        z = tf.constant([[-999.0, 0.0], [1e4, 1e4], [0.0, 0.0]], dtype)
        for lam in (-40.0, 0.0, 9.0, 40.0):
            assert np.isfinite(far(z, tf.constant(lam, dtype))).all()
        near = tf.constant([[-1.0, 0.3]], dtype)
        np.testing.assert_allclose(PLANE(near, tf.constant(40.0, dtype)), near, rtol=1e-6)
        np.testing.assert_allclose(PLANE(near, tf.constant(-40.0, dtype))[0], PLANE.moments()[0], rtol=5e-6)
    images = tf.reshape(tf.tile(Z, [6, 1]), [5, 3, 2, 2])
    np.testing.assert_allclose(PLANE(images, LAMS)[2, 1], PLANE(images[2, 1], LAMS[2]), rtol=1e-12)
    np.testing.assert_allclose(PLANE.score(images, LAMS)[2, 1], PLANE.score(images[2, 1], LAMS[2]), rtol=1e-12)


def test_draws_have_the_moments_of_the_mixture():
    """To five standard errors."""
    x = PLANE.sample(40_000, ds.key(5), tf.float64).numpy()
    mean, covariance = PLANE.moments()
    assert (np.abs(x.mean(0) - mean) < 5 * np.sqrt(np.diag(covariance) / len(x))).all()
    away = x - mean
    products = away[:, :, None] * away[:, None, :]
    assert (np.abs(products.mean(0) - covariance) < 5 * products.std(0) / len(x) ** 0.5).all()


def test_the_heat_equation_knows_the_denoiser():
    """On a line, where data are: errors are those of linear interpolation, of second order in the cells."""
    grid = ds.Grid(1200, 36.0, -18.0)
    p = np.exp(MIX.log_density(tf.constant(grid.coordinates()[0][:, None]), 40.0))
    D = gen.from_density(grid, 3 * p, 0.02, 3.0)
    for dtype in (tf.float32, tf.float64):
        z = tf.constant(np.linspace(-2.8, 4, 201)[:, None], dtype)
        for sigma in (0.05, 0.3, 1.0, 2.9):
            lam = tf.constant(-np.log(sigma), dtype)
            np.testing.assert_allclose(D(z, lam), MIX(z, lam), atol=1e-3)
            np.testing.assert_allclose(D.density(z, lam), tf.exp(MIX.log_density(z, lam)), atol=1e-3)
        beyond = D(tf.constant([[-100.0], [100.0]], dtype), tf.constant(5.0, dtype)).numpy()
        assert np.isfinite(beyond).all() and (np.abs(beyond) < 6).all()


@pytest.mark.slow
def test_the_heat_equation_knows_the_denoiser_in_the_plane():
    grid = ds.Grid((100, 90), (20.0, 18.0), (-9.0, -9.0))
    x = np.stack(np.broadcast_arrays(*grid.coordinates()), -1)
    p = np.exp(PLANE.log_density(tf.constant(x), 40.0))
    D = gen.from_density(grid, p, 0.3, 1.2, levels=24)
    z = tf.constant(np.random.RandomState(1).normal(size=(4, 50, 2)))
    lams = tf.constant([-0.1, 0.3, 0.7, 1.1], tf.float64)
    error = np.abs((D(z, lams) - PLANE(z, lams)).numpy())
    assert error.max() < 0.05 and error.mean() < 0.003
    assert np.abs((D(z, lams) - z).numpy()).mean() > 0.1


REFUSED = {
    "weights": (lambda: gen.Mixture([1.0, 0.0], [[0.0], [1.0]], [1.0, 1.0]), "positive"),
    "means without coordinates": (lambda: gen.Mixture([1.0, 1.0], [0.0, 1.0], [1.0, 1.0]), "(K, 1)"),
    "covariances": (lambda: gen.Mixture([1.0, 1.0], [[0.0], [1.0]], [1.0]), "spread"),
    "a covariance that is not symmetric": (lambda: gen.Gaussian([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
    "a negative variance": (lambda: gen.Gaussian([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "variance"),
    "means that are not finite": (lambda: gen.Gaussian([np.nan], 1.0), "finite"),
    "a density below zero": (lambda: gen.from_density(ds.Grid(8, 1.0), -np.ones(8), 0.1, 0.2), "≥ 0"),
    "a density of another grid": (lambda: gen.from_density(ds.Grid(8, 1.0), np.ones(9), 0.1, 0.2), "(8,)"),
    "a grid too small": (lambda: gen.from_density(ds.Grid(8, 1.0), np.ones(8), 0.1, 0.2), "Enlarge"),
    "vectors of another size": (lambda: PLANE(tf.zeros([2, 3]), 0.0), "(…, 2)"),
    "a network that returns nothing": (lambda: gen.from_x0(lambda x, t: None, gen.VP())(Z, 0.0), "None"),
    "an estimate unlike z": (lambda: gen.to_epsilon(np.zeros((2, 1)), np.zeros((2, 3)), 0.0), "z=array of shape (2, 3)"),
    "whole numbers": (lambda: gen.to_score(np.zeros((2, 1), int), np.zeros((2, 1), int), 0.0), "tf.cast"),
    "a velocity of no schedule": (lambda: gen.to_velocity(Z, Z, 0.0, None), "schedule"),
    "noise unlike the data": (lambda: gen.perturb(np.zeros((2, 3)), np.zeros((2, 1)), 0.5, gen.VP()), "epsilon"),
    "times of another batch": (lambda: gen.perturb(Z, Z, np.full(9, 0.5), gen.VP()), "one number, or shape"),
    "a time beyond the schedule": (lambda: gen.marginal(1.5, gen.VP()), "≤ 1"),
    "a time before data": (lambda: gen.marginal(-0.5, gen.VP()), "≥ 0"),
    "no schedule": (lambda: gen.marginal(0.5, None), "Schedule"),
    "a standard deviation of zero": (lambda: gen.preconditioned(lambda x, c: x, 0.0), "sigma_data"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    build, word = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        build()
    assert word in str(error.value)
