"""What a Brownian path does to a wall between the two ends of a step: whether it hits it, when, and whether it reacts.

The path starts at the distance a ≥ 0 from a flat wall and would end at b (negative: beyond), with the variance s² of
the whole step along the normal. What is said of |b| holds for both signs, as a path may be mirrored at its first hit.
At s² = 0 the path is straight.
"""

from __future__ import annotations

import math

import tensorflow as tf

ROOT_PI = math.sqrt(math.pi)


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


def reaction(kappa, a, c, s2, h):
    """P(a path that hits a wall of D ∂ₙp = κp reacts) = √(π/2) Q erfcx((a + c + Qs)/√2s), Q = κs/D, D = s²/2h.

    It is 1 − ⟨e^{−κℓ/D}⟩ over the local time ℓ at the wall of the path between its ends: the quotient of Carslaw's
    propagator by that of a reflecting wall, of which the hit probability is one factor. Exact for any step.

    References:
        Carslaw & Jaeger (1959), 14.2; Singer, Schuss, Osipov & Holcman (2008), doi:10.1137/060663258.
    """
    s = tf.sqrt(tf.where(s2 > 0, s2, 1.0))
    Q = 2.0 * kappa * h / s
    p = math.sqrt(0.5 * math.pi) * Q * erfcx(math.sqrt(0.5) * ((a + c) / s + Q))
    return tf.where(s2 > 0, p, tf.zeros_like(p))


def erfcx(x):
    """e^{x²} erfc(x) for x ≥ 0: as it stands below 4, by its continued fraction beyond."""
    small, large = tf.minimum(x, 4.0), tf.maximum(x, 4.0)
    tail = large
    for k in range(24, 0, -1):
        tail = large + 0.5 * k / tail
    return tf.where(x < 4.0, tf.exp(small * small) * tf.math.erfc(small), 1.0 / (ROOT_PI * tail))
