"""Gradients of functions of an operator, F(A)u, in the numbers of A: also where eigenvalues coincide."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.operators.response import quotient

LINE, PLANE = ds.Grid(7, 1.0), ds.Grid((4, 3), (1.0, 0.7))
WALLS = {
    "periodic": ds.Periodic(),
    "dirichlet": ds.Dirichlet(0.0),
    "robin": ds.Robin(2.0, 0.0),
}


def heat(lam):
    """e^{λ/50}."""
    return tf.exp(lam / 50)


def check(make, D, u, F=heat, rtol=1e-7):
    """The tape's derivative of w·F(A(D))u along random directions against central difference quotients."""
    rng = np.random.default_rng(2)
    w = rng.normal(size=u.shape)

    def value(D):
        out = make(D).diagonal().function(F, tf.constant(u))
        return tf.reduce_sum(w * tf.math.real(out)) + tf.reduce_sum(w[::-1] * tf.math.imag(out))

    D = tf.constant(D)
    with tf.GradientTape() as tape:
        tape.watch(D)
        loss = value(D)
    gradient = tape.gradient(loss, D).numpy()
    for _ in range(2):
        e = rng.normal(size=D.shape)
        step = 1e-4 * e
        rise = 8 * (value(D + step) - value(D - step)) - (value(D + 2 * step) - value(D - 2 * step))
        assert np.sum(gradient * e) == pytest.approx(float(rise) / 12e-4, rel=rtol)


@pytest.mark.parametrize("walls", WALLS)
@pytest.mark.parametrize("alike", [True, False])
def test_fields_of_D_have_the_right_gradient_whether_modes_coincide_or_not(walls, alike):
    rng = np.random.default_rng(0)
    D = np.ones(7) if alike else 1 + rng.random(7)
    check(lambda D: 0.7 * ds.Diffusion(LINE, WALLS[walls], D) - 0.2, D, rng.normal(size=(2, 7)))


def test_axes_of_a_plane_share_their_modes():
    rng = np.random.default_rng(1)

    def make(D):
        return ds.Diffusion(PLANE, ds.Periodic(), (tf.reshape(D[:4], [4, 1]), tf.reshape(D[4:], [1, 3])))

    check(make, np.ones(7), rng.normal(size=(4, 3)))


@pytest.mark.parametrize("grid", [LINE, PLANE])
def test_powers_have_the_right_gradient(grid):
    rng = np.random.default_rng(1)

    def make(D):
        D = D if grid is LINE else (tf.reshape(D[:4], [4, 1]), tf.reshape(D[4:], [1, 3]))
        return ds.Diffusion(grid, ds.Dirichlet(0.0), D).diagonal().power(0.7) - 0.3

    check(make, np.ones(7), rng.normal(size=grid.shape))


def test_complex_multiples_have_the_right_gradient():
    rng = np.random.default_rng(1)
    u = rng.normal(size=7) + 1j * rng.normal(size=7)
    check(lambda D: (0.2 + 1j) * ds.Diffusion(LINE, ds.Periodic(), D), np.ones(7), u)


def test_sums_in_one_basis_have_the_right_gradient():
    rng = np.random.default_rng(1)

    def make(D):
        op = ds.Diffusion(LINE, ds.Periodic(), D)
        return op + 0.5 * op.diagonal().power(2.0)

    check(make, np.ones(7), rng.normal(size=7), lambda lam: tf.exp(lam / 5000))


def test_square_roots_of_noise_have_the_right_gradient():
    rng = np.random.default_rng(1)
    u = tf.constant(rng.normal(size=7))

    def value(D):
        A = ds.Diffusion(LINE, ds.Periodic(), D).diagonal().prepare(tf.constant(u))
        return tf.reduce_sum(u[::-1] * A.inverse(A.noise_multiplier(tf.constant(0.05, tf.float64))(A.forward(u))))

    D = tf.ones(7, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(D)
        loss = value(D)
    e = 1e-5 * rng.normal(size=7)
    assert np.sum(tape.gradient(loss, D) * e) == pytest.approx(float(value(D + e) - value(D - e)) / 2, rel=1e-6)


def test_second_derivatives_in_D_are_refused_not_wrong():
    u = tf.constant(np.random.default_rng(0).normal(size=7))
    D = tf.ones(7, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(D)
        with tf.GradientTape() as inner:
            inner.watch(D)
            A = ds.Diffusion(LINE, ds.Periodic(), D).diagonal()
            loss = tf.reduce_sum(A.function(heat, u) ** 2)
        gradient = inner.gradient(loss, D)
    with pytest.raises(LookupError, match="second derivatives"):
        outer.gradient(gradient, D)


def test_divided_differences_are_exact_near_and_far():
    mpmath = pytest.importorskip("mpmath")
    a = -3.0
    gaps = np.array([0.0, 1e-15, 1e-9, 1e-4, 1e-3, 1e-2, 1.0, 2.0])
    got = quotient(tf.exp, tf.constant(a, tf.float64), tf.constant(a + gaps)).numpy()
    with mpmath.workdps(50):
        exact = [mpmath.exp(a) * (mpmath.expm1(d) / d if d else 1) for d in map(mpmath.mpf, (a + gaps) - a)]
    np.testing.assert_allclose(got, np.array(exact, float), rtol=1e-12)
