"""What a Brownian path does to a wall between the two ends of a step: how deep it would get, whether it hits, and when.

The path starts at the distance a ≥ 0 from a flat wall and would end at b (negative: beyond), with the variance s² of
the whole step along the normal. Given the ends it is a bridge, whatever its constant drift. What is said of |b| holds
for both signs, as a path may be mirrored at its first hit. At s² = 0 the path is straight.
"""

from __future__ import annotations

import tensorflow as tf


def depth(a, b, s2, e):
    """ℓ = ½(√((a − b)² + 2s²e) − (a + b)): how far beyond the wall the path gets; e is exponential of mean 1.

    max(ℓ, 0) is the local time at a reflecting wall (Skorokhod): the path that is pushed back ends at b + ℓ, and
    a wall of D ∂ₙp = κp takes it with the probability 1 − e^{−κℓ/D}. Exact for any step.

    References:
        Asmussen, Glynn & Pitman (1995), doi:10.1214/aoap/1177004597; Gobet (2001), doi:10.1051/ps:2001112.
    """
    bridge = 0.5 * (tf.sqrt(tf.where(s2 > 0, (a - b) ** 2 + 2.0 * s2 * e, 1.0)) - (a + b))
    return tf.where(s2 > 0, bridge, -tf.minimum(a, b))


def hit(a, b, s2):
    """P(the path hits the wall) = e^{−2ab/s²}, and 1 if it ends beyond.

    References:
        Andrews & Bray (2004), doi:10.1088/1478-3967/1/3/001; Gobet (2000), doi:10.1016/S0304-4149(99)00109-X.
    """
    between = tf.exp(-2.0 * a * b / tf.where(s2 > 0, s2, 1.0))
    return tf.where(b <= 0, tf.ones_like(b), tf.where(s2 > 0, between, tf.zeros_like(b)))


def first(a, c, s2, nu, u):
    """The first hit, as a fraction τ of the step, of a path that hits the wall; c = |b|.

    τ/(1 − τ) is inverse Gaussian of mean a/c and shape a²/s²: one of two roots, by ν = N² and a uniform u.

    References:
        Michael, Schucany & Haas (1976), doi:10.1080/00031305.1976.10479147.
    """
    ac, spread = 2.0 * a * c, nu * s2
    den = ac + spread + tf.sqrt(spread * (spread + 2.0 * ac))
    early = tf.math.divide_no_nan(2.0 * a * a, 2.0 * a * a + den)
    late = tf.math.divide_no_nan(den, den + 2.0 * c * c)
    return tf.where(u * (den + ac) <= den, early, late)


def last(tau, c, s2, nu):
    """The last hit, as a fraction of the step, after a first one at τ; ν = N²."""
    rest = 1.0 - tau
    spread = rest * s2 * nu
    return tau + rest * tf.math.divide_no_nan(spread, c * c + spread)
