"""Newton's method with Krylov solves: Jacobians act by forward differentiation and are never formed."""

from __future__ import annotations

import tensorflow as tf

from diffsim import _nest
from diffsim.operators.krylov import bicgstab

MOST_ITERATIONS = 25


def newton_krylov(law, t, gamma, r, guess):
    """Solve F(y) = y − γ·rate(t, y) − r = 0.

    Inexact Newton: each linear solve reduces its residual a hundredfold, so that no step is solved more sharply
    than the model of F deserves. Preconditioner: the resolvent of the linear part, or of the drift's own linearisation.

    Args:
        law: a prepared law.
        t: time of the stage.
        gamma: scalar in the state's real dtype.
        r: right-hand side, a state.
        guess: where to start.

    Returns:
        y; NaN everywhere if the corrections did not fall below tolerance, so that the run stops with its last good
        state.

    References:
        Knoll & Keyes (2004), doi:10.1016/j.jcp.2003.08.010.
    """
    guess = _nest.map(tf.stop_gradient, guess)

    def residual(y):
        return _nest.map(lambda a, k, b: a - _nest.cast(gamma, a) * k - b, y, law.rate(t, y), r)

    def norm(x):
        return tf.sqrt(_nest.dot(x, x))

    real = _nest.real_dtype(r)
    rtol = _nest.to(1e-11 if real == tf.float64 else 5e-6, real)

    def tolerance(y):
        return rtol * (norm(r) + norm(y))

    def correct(i, y, size):
        F = residual(y)
        inverse = _preconditioner(law, t, gamma, y)
        step, _, _ = bicgstab(lambda v: _jacobian(residual, y, v), F, _nest.zeros(y), _nest.dot, inverse, 1e-2, 60)
        step = _nest.where(tf.reduce_all(_nest.all_finite(step)), step, F)
        return i + 1, _nest.sub(y, step), norm(step)

    # judged by the correction, of which a hundredth is left: the residual of a stiff law is mostly rounding
    _, y, size = tf.while_loop(
        lambda i, y, size: (size > tolerance(y)) & (i < MOST_ITERATIONS),
        correct,
        (tf.constant(0), guess, _nest.to(float("inf"), real)),
        maximum_iterations=MOST_ITERATIONS,
    )
    found = size <= 100 * tolerance(y)  # rounding may keep the last digits from settling
    y = _nest.map(lambda a: tf.stop_gradient(tf.where(found, a, tf.fill(a.shape, _nest.to(float("nan"), a.dtype)))), y)
    return _nest.sub(y, _implicit(residual, y))


def _implicit(F, y):
    """Zero, with the gradient of J⁻¹F(y) in all that F depends on: the implicit function theorem at a root of F."""

    @tf.custom_gradient
    def zero(*value):
        def backward(*bars):
            bar, _, _ = bicgstab(
                lambda v: _transposed(F, y, v),
                _nest.pack(y, bars),
                _nest.zeros(y),
                _nest.dot,
                lambda v: v,
                1e-10 if _nest.real_dtype(y) == tf.float64 else 1e-5,
                500,
            )
            return _nest.flatten(bar)

        return [tf.zeros_like(v) for v in value], backward

    return _nest.pack(y, zero(*_nest.flatten(F(y))))


def _transposed(F, y, v):
    """Jᵀv."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        flat = [tf.identity(leaf) for leaf in _nest.flatten(y)]
        tape.watch(flat)
        out = _nest.flatten(F(_nest.pack(y, flat)))
    return _nest.pack(v, tape.gradient(out, flat, _nest.flatten(v), tf.UnconnectedGradients.ZERO))


def _jacobian(F, y, v):
    with tf.autodiff.ForwardAccumulator(_nest.flatten(y), _nest.flatten(v)) as forward:
        value = F(y)
    tangents = [forward.jvp(leaf, tf.UnconnectedGradients.ZERO) for leaf in _nest.flatten(value)]
    return _nest.pack(v, tangents)


def _preconditioner(law, t, gamma, y):
    if law.linear is not None:
        return lambda v: law.linear.approximate(gamma, v)
    linearised = getattr(law.drift, "linearised", None)
    if linearised is None:
        return lambda v: v
    op = linearised(t, y)
    return lambda v: op.approximate(gamma, v)
