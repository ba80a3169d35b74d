"""Whole random numbers, Poisson and binomial: each a function of key, element and step, like those of `random`.

Small means are inverted from the side of the survival function, so that an event of probability 10⁻⁹ happens with
that probability in single precision too. Large ones are drawn by transformed rejection; a trial that fails goes on
from its own two random words, encrypted again, so no draw depends on how long its neighbours take.

Source: Hörmann, "The transformed rejection method for generating Poisson random variables", Insur. Math. Econ. 12,
39 (1993), doi:10.1016/0167-6687(93)90997-4, algorithm PTRS; "The generation of binomial random variates", J. Stat.
Comput. Simul. 46, 101 (1993), doi:10.1080/00949659308811496, algorithm BTRS. Probabilities by the saddle-point form
of Loader (2000), whose error does not grow with the mean.
"""

from __future__ import annotations

import math

import tensorflow as tf

from diffsim import _nest, random
from diffsim._checks import refuse
from diffsim._types import Key

SMALL = 10.0  # means below are inverted


def poisson(key: Key, mean, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0) -> tf.Tensor:
    """N ∼ Poisson(λ), P(N = k) = λᵏe^{−λ}/k!.

    Args:
        key: a key.
        mean: λ ≥ 0, a float32 or float64 tensor of static shape.
        step: as for `random.bits`.
        first: as for `random.bits`.

    Returns:
        Whole numbers of the shape and dtype of `mean`; NaN where λ is negative or not finite.

    Raises:
        TypeError, ValueError: an argument is not as described.
    """
    mean = _real("mean", mean)
    return poisson_of(key, random.bits(key, mean.shape, step=step, first=first), mean)


def binomial(key: Key, n, p, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0) -> tf.Tensor:
    """N ∼ Binomial(n, p): how many of n happen, each with probability p.

    Args:
        key: a key.
        n: whole numbers ≥ 0, a float32 or float64 tensor of static shape.
        p: probabilities that broadcast over n.
        step: as for `random.bits`.
        first: as for `random.bits`.

    Returns:
        Whole numbers of the shape and dtype of `n`; NaN where n or p is out of range.

    Raises:
        TypeError, ValueError: an argument is not as described.
    """
    n = _real("n", n)
    p = tf.broadcast_to(tf.cast(p, n.dtype), n.shape)
    return binomial_of(key, random.bits(key, n.shape, step=step, first=first), n, p)


def unit(word: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """(w + ½) 2⁻³²: uniform on (0, 1], with full relative precision near zero."""
    return (tf.cast(word, dtype) + 0.5) * 2.0**-32


def exponential(word: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """E ∼ Exp(1)."""
    return -tf.math.log(unit(word, dtype))


def poisson_of(key, words, mean):
    """Poisson(mean) from a pair of uint32 tensors of its shape."""
    fine = (mean >= 0) & (mean < math.inf)
    large = fine & (mean >= SMALL)
    low = tf.where(large | ~fine, tf.zeros_like(mean), mean)

    def ratio(k):
        return low / (k + 1)

    small = _invert(_both(words, mean.dtype), tf.exp(-low), -tf.math.expm1(-low), ratio)
    high = tf.where(large, mean, tf.fill(mean.shape, tf.constant(SMALL, mean.dtype)))
    b = 0.931 + 2.53 * tf.sqrt(high)
    a = 0.02483 * b - 0.059
    hat, inner = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)

    def trial(U, V):
        us = 0.5 - tf.abs(U)
        k = tf.floor((2 * a / us + b) * U + high + 0.43)
        safe = tf.maximum(k, 0)
        log_p = tf.where(safe > 0, -_saddle(safe) - _deviance(safe, high), -high)
        return k, _accept(us, V, inner, k >= 0, hat / (a / (us * us) + b), log_p)

    drawn = tf.where(large, _reject(key, words, large, trial, mean.dtype), small)
    return tf.where(fine, drawn, tf.constant(math.nan, mean.dtype))


def binomial_of(key, words, n, p):
    """Binomial(n, p) from a pair of uint32 tensors of the shape of both."""
    fine = (n >= 0) & (n < math.inf) & (p >= 0) & (p <= 1)
    flip = p > 0.5
    n = tf.where(fine, n, tf.zeros_like(n))
    p = tf.where(fine, tf.where(flip, 1 - p, p), tf.zeros_like(p))
    large = n * p >= SMALL
    few, odds = tf.where(large, tf.zeros_like(n), n), p / (1 - p)
    none = few * tf.math.log1p(-p)

    def ratio(k):
        return (few - k) / (k + 1) * odds

    small = _invert(_both(words, n.dtype), tf.exp(none), -tf.math.expm1(none), ratio)
    N, P = (tf.where(large, v, tf.fill(v.shape, tf.constant(d, n.dtype))) for v, d in ((n, 40.0), (p, 0.5)))
    Q = 1 - P
    mean, spread = N * P, tf.sqrt(N * P * Q)
    b = 1.15 + 2.53 * spread
    a = 0.0248 * b - 0.0873 + 0.01 * P
    hat, inner = (2.83 + 5.1 / b) * spread, 0.92 - 4.2 / b

    def log_p(k):
        rest = N - k
        k1, rest1 = tf.maximum(k, 1), tf.maximum(rest, 1)
        inside = _saddle(N) - _saddle(k1) - _saddle(rest1) - _deviance(k1, mean) - _deviance(rest1, N * Q)
        ends = tf.where(k < 1, N * tf.math.log1p(-P), N * tf.math.log(P))
        return tf.where((k >= 1) & (rest >= 1), inside, ends)

    peak = log_p(tf.floor((N + 1) * P))

    def trial(U, V):
        us = 0.5 - tf.abs(U)
        k = tf.floor((2 * a / us + b) * U + mean + 0.5)
        inside = (k >= 0) & (k <= N)
        safe = tf.clip_by_value(k, tf.zeros_like(N), N)
        return k, _accept(us, V, inner, inside, hat / (a / (us * us) + b), log_p(safe) - peak)

    drawn = tf.where(large, _reject(key, words, large, trial, n.dtype), small)
    drawn = tf.where(flip, n - drawn, drawn)
    return tf.where(fine, drawn, tf.constant(math.nan, n.dtype))


def _invert(v, p, survival, ratio):
    """The number of k ≥ 0 with v < P(N > k); p(k + 1) = ratio(k) p(k).

    Subtracting probabilities from the survival function leaves rounding in its far tail, where the bound of the
    geometric series takes over.
    """

    def more(k, p, s, going):
        return tf.reduce_any(going)

    def body(k, p, s, going):
        k = tf.where(going, k + 1, k)
        p = p * ratio(k - 1)
        return settle(k, p, tf.where(going, s - p, s), going)

    def settle(k, p, s, going):
        r = ratio(k)
        tail = tf.where(r < 1, p * r / (1 - r), s)  # P(N > k) ≤ p(k) (r + r² + …)
        return k, p, s, going & (v < tf.minimum(s, tail))

    k = tf.zeros_like(v)
    return tf.while_loop(more, body, settle(k, p, survival, tf.ones_like(v, tf.bool)))[0]


def _reject(key, words, wanted, trial, dtype):
    """What the first accepted trial of each wanted element gives."""

    def body(high, low, k, going):
        high, low = random._threefry(key, high, low)
        found, good = trial(unit(high, dtype) - 0.5, unit(low, dtype))
        return high, low, tf.where(going & good, found, k), going & ~good

    start = (*words, tf.zeros(wanted.shape, dtype), wanted)
    return tf.while_loop(lambda *c: tf.reduce_any(c[3]), body, start)[2]


def _accept(us, V, inner, inside, scale, log_p):
    quick = (us >= 0.07) & (inner >= V)
    never = ~inside | ((us < 0.013) & (us < V))
    return quick | (~never & (tf.math.log(V * scale) <= log_p))


def _both(words, dtype):
    """64 random bits on (0, 1], with full relative precision near zero."""
    return (tf.cast(words[0], dtype) + unit(words[1], dtype)) * 2.0**-32


def _saddle(k):
    """log k! − (k log k − k), k ≥ 1."""
    r = 1 / k
    q = r * r
    series = r * (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q / 1188))))
    two = tf.where(k < 2.5, _nest.to(0.0413406959554093, k.dtype), series)
    rest = tf.where(k < 1.5, _nest.to(0.0810614667953273, k.dtype), two)
    return rest + 0.5 * tf.math.log(2 * math.pi * k)


def _deviance(k, mean):
    """k log(k/μ) − k + μ."""
    x = (k - mean) / mean
    return mean * ((1 + x) * tf.math.log1p(x) - x)


def _real(what, value):
    value = tf.convert_to_tensor(value)
    if value.dtype not in (tf.float32, tf.float64):
        refuse(what, value, "float32 or float64", "counts are drawn in the precision of the run", "Cast it.", TypeError)
    return value
