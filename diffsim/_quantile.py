"""The normal quantile of random bits, right to the last bit of either tail.

Numerators and denominators are chosen before the one division: it costs as much as a polynomial.

Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Stat. 37,
477 (1988), doi:10.2307/2347330; PPND7 for float32, PPND16 for float64. The tail of float32 is fitted anew, by one
function where his has two, to a relative error of 6e-8.
"""

from __future__ import annotations

import functools

import tensorflow as tf

_LOW31 = 2**31 - 1


def quantile(high: tf.Tensor, low: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Φ⁻¹(½ + q), q = (s + (t + ½) 2⁻³¹) 2⁻³²: s is the signed high word, t the top 31 bits of the low word.

    Args:
        high: uint32 tensor.
        low: uint32 tensor of the same shape.
        dtype: tf.float32 (relative error 3.5e-7) or tf.float64 (7e-16).

    Returns:
        A tensor of that dtype, from −9.08 to 9.08 (the quantiles of 2⁻⁶⁴ from either end).
    """
    s, t = tf.bitcast(high, tf.int32), tf.bitcast(tf.bitwise.right_shift(low, 1), tf.int32)
    flip = tf.bitwise.invert(tf.bitwise.right_shift(s, 31))  # all ones where s ≥ 0

    def fixed(whole, part):
        return (tf.cast(whole, dtype) + (tf.cast(part, dtype) + 0.5) * 2.0**-31) * 2.0**-32

    q = fixed(s, t)
    tail = fixed((s ^ flip) & _LOW31, (t ^ flip) & _LOW31)  # ½ − |q|, without cancellation
    centre, *tails = _SINGLE if dtype == tf.float32 else _PPND16
    r = tf.sqrt(-tf.math.log(tail))
    over, under = _ratio(tails[0], r - 1.6)
    for beyond in tails[1:]:
        over, under = (tf.where(r <= 5.0, a, b) for a, b in zip((over, under), _ratio(beyond, r - 5.0), strict=True))
    near, (a, b) = tf.abs(q) <= 0.425, _ratio(centre, 0.180625 - q * q)
    return tf.where(near, q * a, tf.sign(q) * over) / tf.where(near, b, under)


def _ratio(polynomials, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Numerator and denominator."""
    return tuple(functools.reduce(lambda sum, c: sum * x + c, p[1:], p[0]) for p in polynomials)


# Rational functions (numerator, denominator), highest power first: centre, tail; centre, shoulder, far tail.
# fmt: off
_SINGLE = (
    ((59.10937472, 159.29113202, 50.434271938, 3.3871327179), (67.1875636, 78.757757664, 17.895169469, 1.0)),
    ((0.19542863449, 1.40054396173, 2.81415878401, 1.42343722965),
     (1.216140938e-5, 0.13781027674, 0.77728425147, 1.0)),
)
_PPND16 = (
    (
        (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
         13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080),
        (5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867,
         5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1.0),
    ),
    (
        (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
         3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
        (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
    ),
    (
        (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
         0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699,
         6.6579046435011037772),
        (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
         7.868691311456132591e-4, 0.0148753612908506148525, 0.1369298809227358053, 0.5998322065558879769,
         1.0),
    ),
)
# fmt: on
