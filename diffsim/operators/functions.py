"""φ-functions of exponential integrators, φₖ(z) = Σⱼ zʲ/(j + k)!, so φ₀ = exp and φₖ₊₁ = (φₖ − 1/k!)/z."""

from __future__ import annotations

import math

import tensorflow as tf


def phi(k: int, z: tf.Tensor) -> tf.Tensor:
    """φₖ(z), elementwise, to a few ulp for every z with Re z ≤ 0 and moderate positive ones.

    The recurrence loses k digits per decade of |z| below one, so near zero φₖ comes from its Taylor series
    (|z| ≤ 1 needs 18 terms in float64, 10 in float32).

    Args:
        k: order, 0 to 4.
        z: real or complex.

    References:
        Cox & Matthews (2002), doi:10.1006/jcph.2002.6995; Kassam & Trefethen (2005), doi:10.1137/S1064827502410633.
    """
    if k == 0:
        return tf.exp(z)
    terms = 18 if z.dtype.real_dtype == tf.float64 else 10
    small = tf.abs(z) <= 1.0
    zs = tf.where(small, z, tf.zeros_like(z))
    series = tf.fill(tf.shape(z), tf.constant(1.0 / math.factorial(terms + k), z.dtype))
    for j in reversed(range(terms)):
        series = series * zs + tf.constant(1.0 / math.factorial(j + k), z.dtype)
    zl = tf.where(small, tf.ones_like(z), z)
    value = tf.math.expm1(zl) / zl if not z.dtype.is_complex else (tf.exp(zl) - 1) / zl
    for j in range(1, k):
        value = (value - tf.constant(1.0 / math.factorial(j), z.dtype)) / zl
    return tf.where(small, series, value)
