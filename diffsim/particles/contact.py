"""How near a pair must be at the end of a step, and how often it then reacts, for its rate to be right at any step.

Far from each other the two of a pair that react at contact have the density g(r) → 1 − a/r in space, 1 + K ln(r/a) in
the plane, K(|r| − a) on a line: all of the kinetics that is seen from afar is the length a. In three dimensions the
steady rate is 4πDa. So steps that move a pair by normal increments of standard deviation s on each axis, and then let
it react with probability p if |r| < ρ, have the right kinetics if they have the right a. It follows from

    g(r) = 1 − p ∫_{r'<ρ} Σₙ Gₙ(r, r') g(r') dr',    Gₙ the normal density of variance ns²,

g being the density just before the reaction, where in one and two dimensions the sum is regularised by a constant. The
equation is solved on Gauss–Legendre points. In the plane lengths are given by ln a: where reactions are slow against
diffusion a is as small as e^{−2πD/k}, for which there is no floating-point number.

References:
    Andrews & Bray (2004), doi:10.1088/1478-3975/1/3/001, for binding radii by iteration of the radial propagator;
    Doi (1976), doi:10.1088/0305-4470/9/9/009; Erban & Chapman (2009), doi:10.1088/1478-3975/6/4/046001.
"""

from __future__ import annotations

import functools
import math

import numpy as np

ZETA_HALF = -1.4603545088095868
LAG = -ZETA_HALF / math.sqrt(2 * math.pi)  # .5826: an absorbing plane seen only at the end of steps is so many s nearer
TERMS, TAIL = 64, 48  # of the sum over n, and points of the quadrature of what is left
FINE = 50.0  # ρ/s beyond which the surface is flat on the scale of a step
SURFACE = {1: 2.0, 2: 2 * math.pi, 3: 4 * math.pi}


def ball(d: int, radius: float) -> float:
    """The volume of a ball in d dimensions: 2R, πR², 4πR³/3."""
    return SURFACE[d] * radius**d / d


def doi(d: int, radius: float, q: float) -> float:
    """a of pairs that react at the rate λ while |r| < R, with q = √(λ/D), D the sum of both diffusivities.

    R − coth(qR)/q on a line, R − tanh(qR)/q in space; in the plane ln a = ln R − I₀(qR)/(qR I₁(qR)).
    """
    z = q * radius
    if z == 0.0:
        return -math.inf if d < 3 else 0.0
    if d == 1:
        return radius - 1 / (math.tanh(z) * q)
    if d == 2:
        from scipy.special import ive

        return math.log(radius) - float(ive(0, z) / (z * ive(1, z)))
    return radius - math.tanh(z) / q if z > 1e-3 else radius * z * z * (1 - 0.4 * z * z) / 3


def length(d: int, radius: float, chance: float, s: float) -> float:
    """a (in the plane ln a) of pairs that react with probability p if |r| < ρ at the end of a step.

    Args:
        d: dimension, 1, 2 or 3.
        radius: ρ > 0.
        chance: 0 < p ≤ 1.
        s: standard deviation of a step √(2D Δt) > 0, D the sum of both diffusivities.
    """
    x = radius / s
    a = _length(d, x, float(chance)) if x <= FINE else _flat(d, x, chance)
    return a + math.log(s) if d == 2 else s * a


def _flat(d, x, chance):
    """The same in units of s where the surface is flat: that of Doi with a radius that is off as on a line."""
    q = math.inf if chance >= 1 else math.sqrt(-2 * math.log1p(-chance))  # e^{q²/2}(1 − p) = 1, in units of s
    if math.isinf(q):
        return math.log(x - LAG) if d == 2 else x - LAG
    lag = doi(1, FINE, q) - _length(1, FINE, float(chance))
    return doi(d, x - lag * math.tanh(q * FINE) ** 2, q)  # ∂a/∂R = coth²(qR) on a line


def _length(d, x, p):
    r, w, K = _kernel(d, x)
    g = np.linalg.solve(np.eye(len(r)) + p * K * w, np.ones_like(r))
    J = p * float(w @ g)
    if d == 1:
        return LAG - 1 / J
    if d == 2:
        return 0.5 * math.log(2) - float(np.euler_gamma) - math.pi / J
    return J / (2 * math.pi)


@functools.lru_cache(maxsize=64)
def _kernel(d, x):
    """(points, weights, Σₙ Gₙ) within ρ = x, in units of s; G averaged over directions, weights with the surface."""
    t, w = np.polynomial.legendre.leggauss(20 + int(4 * x))
    r = 0.5 * x * (1 + t)
    w = 0.5 * x * w * SURFACE[d] * r ** (d - 1)
    y, v = np.polynomial.legendre.leggauss(TAIL)
    y, v = 0.5 * (1 + y), 0.5 * v
    last = TERMS + 0.5
    K = sum(_density(d, r, float(n)) for n in range(1, TERMS + 1))
    K = K + (_density(d, r, last + 0.5) - _density(d, r, last - 0.5)) / 24  # sum − integral, by Euler and Maclaurin
    K = K + sum(2 * last / yi**3 * vi * _density(d, r, last / yi**2) for yi, vi in zip(y, v, strict=True))
    return r, w, K


def _density(d, r, n):
    """Gₙ(r, r'), less Gₙ(0, 0) in one and two dimensions."""
    minus, plus = (np.exp(-((r[:, None] + sign * r) ** 2) / (2 * n)) for sign in (-1, 1))
    if d == 1:
        return (0.5 * (minus + plus) - 1) / math.sqrt(2 * math.pi * n)
    if d == 2:
        from scipy.special import i0e

        return (minus * i0e(r[:, None] * r / n) - 1) / (2 * math.pi * n)
    both = r[:, None] * r
    return minus * -np.expm1(-2 * both / n) / (4 * math.pi * both * math.sqrt(2 * math.pi * n))


def chance_for(d: int, radius: float, a: float, s: float) -> float | None:
    """p for which `length(d, ρ, p, s)` is a (in the plane ln a); None if even p = 1 is not enough."""
    if length(d, radius, 1.0, s) < a:
        return None
    return math.exp(_root(lambda u: length(d, radius, math.exp(u), s) - a, -40.0, 0.0))


def radius_for(d: int, a: float, s: float) -> float:
    """ρ for which `length(d, ρ, 1, s)` is a (in the plane ln a): the binding radius of Andrews and Bray."""
    low, high = 1e-9 * s, (math.exp(a) if d == 2 else max(a, 0.0)) + 2 * s
    while length(d, high, 1.0, s) < a:
        high *= 2
    return math.exp(_root(lambda u: length(d, math.exp(u), 1.0, s) - a, math.log(low), math.log(high)))


def _root(f, low, high):
    """Where the increasing f vanishes."""
    from scipy.optimize import brentq

    return brentq(f, low, high, xtol=1e-11, rtol=1e-11)
