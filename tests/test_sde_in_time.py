"""Stochastic schemes where forces and noise change in time: their orders, without sampling."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import solve_ivp

import diffsim as ds

F64 = tf.float64


def ratio(law, y0, stepper, exact):
    """By how much errors shrink from 12 steps to 24, over [0.3, 1.7]."""
    def error(n):
        y = ds.solve(law, y0, (0.3, 1.7), dt=1.4 / n, stepper=stepper, key=ds.key(1), jit=False).final
        return max(np.max(np.abs(a.numpy() - b)) for a, b in zip(tf.nest.flatten(y), exact, strict=True))

    return error(12) / error(24)


@pytest.mark.parametrize("stepper", [ds.Platen(), ds.SRA1()], ids=["Platen", "SRA1"])
def test_without_noise_methods_of_order_two_are_so_in_time(stepper):
    """dX = (cos 3t − X) X dt, nothing random."""
    law = ds.Equation(drift=lambda t, x: (tf.cos(3 * t) - x) * x)
    exact = solve_ivp(lambda t, x: (np.cos(3 * t) - x) * x, (0.3, 1.7), [0.8], rtol=1e-12, atol=1e-12).y[:, -1]
    assert 3.5 < ratio(law, np.array([0.8]), stepper, [exact]) < 4.7


def test_a_force_that_changes_in_time_is_taken_at_the_ends_of_each_step():
    """m dv = −γv dt + sin(3t)(1 − x) dt by BAOAB: order 2 in x and v."""
    model = ds.models.Underdamped(lambda t, x: 0.5 * tf.sin(3 * t) * (1 - x) ** 2, kT=0.0, gamma=0.8, mass=0.6)
    exact = solve_ivp(lambda t, y: (y[1], (np.sin(3 * t) * (1 - y[0]) - 0.8 * y[1]) / 0.6), (0.3, 1.7), [0.2, -0.5],
                      rtol=1e-12, atol=1e-12).y[:, -1]
    assert 3.5 < ratio(model.law, (np.array([0.2]), np.array([-0.5])), ds.BAOAB(), exact) < 4.7


def moments(stepper, law, n, power, t0=0.3, t1=1.7):
    """⟨Xᵖ⟩ of a scheme for a law linear in X: ⟨(X₁/X₀)ᵖ⟩ of each of n steps by Gauss–Hermite quadrature, all at once."""
    points, weights = np.polynomial.hermite_e.hermegauss(9)
    h, y = (t1 - t0) / n, tf.ones([n, points.size], F64)
    t = tf.constant(t0 + h * np.arange(n)[:, None], F64)
    stepper, law = stepper.bind(law.of_state(y), h)
    noise = tf.constant(np.broadcast_to(points * h**0.5, [n, points.size]))
    new = stepper.step(law, t, tf.constant(h, F64), y, (), (), lambda: noise).y.numpy()
    return np.prod(new**power @ (weights / weights.sum()))


def test_weak_order_two_where_noise_changes_in_time():
    """dX = a(t)X dt + b(t)X dW, a = cos 3t, b = 0.3 + 0.4t: ⟨Xᵖ⟩ = exp ∫(pa + p(p − 1)b²/2)dt."""
    law = ds.Equation(drift=lambda t, x: tf.cos(3 * t) * x, diffusion=lambda t, x: (0.3 + 0.4 * t) * x)
    a = (np.sin(5.1) - np.sin(0.9)) / 3
    b = ((0.3 + 0.4 * 1.7) ** 3 - (0.3 + 0.4 * 0.3) ** 3) / 1.2
    for power in (1, 2):
        exact = np.exp(power * a + power * (power - 1) / 2 * b)
        errors = [abs(moments(ds.Platen(), law, n, power) - exact) for n in (16, 32)]
        assert 3.4 < errors[0] / errors[1] < 5.0, (power, errors)
        assert errors[1] < 0.01
