"""Eigenvalues of many small matrices at once: closed forms for one to three species, LAPACK beyond."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Leading(NamedTuple):
    """What decides on stability: the greatest growth, its frequency, and the sign of what grows without it.

    `turning` is negative where an odd number of eigenvalues is real and positive: (−1)ˢ det A, a real branch
    that crosses zero makes it change sign.
    """

    growth: tf.Tensor
    frequency: tf.Tensor
    turning: tf.Tensor


def closed(A) -> bool:
    """Whether the leading eigenvalue of the matrices A [..., S, S] has a closed form, which XLA compiles."""
    return A.shape[-1] <= 3 and not A.dtype.is_complex


def leading(A) -> Leading:
    """max Re λ and its |Im λ| for matrices A [..., S, S], S² numbers each.

    S = 2: λ = m ± √δ, m = (a + d)/2, δ = ((a − d)/2)² + bc. S = 3: Cardano's roots of the shifted cubic; where
    roots nearly coincide they are good to the square root of rounding only, like the eigenvalues themselves.

    Args:
        A: real or complex matrices, [..., S, S].

    """
    if not closed(A):
        return _general(A)
    return (_one, _two, _three)[A.shape[-1] - 1](A)


def _one(A):
    a = A[..., 0, 0]
    return Leading(a, tf.zeros_like(a), -a)


def _two(A):
    a, b, c, d = A[..., 0, 0], A[..., 0, 1], A[..., 1, 0], A[..., 1, 1]
    half = (a - d) / 2
    delta = half * half + b * c
    return Leading((a + d) / 2 + _root(delta), _root(-delta), a * d - b * c)


def _three(A):
    a, b, c = (A[..., 0, i] for i in range(3))
    d, e, f = (A[..., 1, i] for i in range(3))
    g, h, i = (A[..., 2, i] for i in range(3))
    mean = (a + e + i) / 3
    # traceless: t³ + 3pt + 2q = 0
    x, y, z = a - mean, e - mean, i - mean
    p = (x * y + x * z + y * z - b * d - c * g - f * h) / 3
    q = -(x * (y * z - f * h) - b * (d * z - f * g) + c * (d * h - y * g)) / 2
    delta = q * q + p * p * p
    big = tf.pow(tf.abs(q) + _root(delta), 1 / 3)
    small = tf.math.divide_no_nan(p, big)
    alone = tf.where(q < 0, big - small, small - big)
    pair, turn = -alone / 2, math.sqrt(3) / 2 * (big + small)
    r = _root(-p)
    angle = tf.math.acos(tf.clip_by_value(tf.math.divide_no_nan(-q, r * r * r), -1, 1)) / 3
    oscillates = (delta > 0) & (pair > alone)
    top = tf.where(delta > 0, tf.maximum(alone, pair), 2 * r * tf.cos(angle))
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return Leading(mean + top, tf.where(oscillates, turn, tf.zeros_like(turn)), -det)


def _root(x):
    return tf.sqrt(tf.maximum(x, 0))


def _general(A):
    lam = tf.linalg.eigvals(A)
    first = tf.argmax(tf.math.real(lam), -1)[..., None]
    top = tf.squeeze(tf.gather(lam, first, axis=-1, batch_dims=lam.shape.rank - 1), -1)
    turning = tf.math.real(tf.reduce_prod(-lam, -1))
    return Leading(tf.math.real(top), tf.abs(tf.math.imag(top)), turning)


def eigenvalues(A: np.ndarray) -> np.ndarray:
    """All λ of matrices A [..., S, S], the fastest growing first; of a pair, Im λ > 0 first."""
    A = np.asarray(A)
    if A.shape[-1] == 2:
        half = (A[..., 0, 0] - A[..., 1, 1]) / 2
        root = np.sqrt((half * half + A[..., 0, 1] * A[..., 1, 0]).astype(np.result_type(A, np.complex64)))
        lam = (A[..., 0, 0] + A[..., 1, 1])[..., None] / 2 + np.stack([root, -root], -1)
    else:
        lam = np.linalg.eigvals(A).astype(np.result_type(A, np.complex64))
    order = np.lexsort((-lam.imag, -lam.real), axis=-1)
    return np.take_along_axis(lam, order, -1)
