"""Exponential integrators: the linear part exactly, the rest by φ-functions, all in the basis where A is diagonal.

With c = V⁻¹y and N(t, y) = f(t, y) + b(t), the exact solution over a step is e^{hA}y + ∫₀ʰ e^{(h−s)A} N(t + s) ds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper


class Exponential(Stepper):
    """What all share: the law's operator in its eigenbasis."""

    takes = frozenset({Slot.LINEAR, Slot.DRIFT})

    def bind(self, law, h):
        """Diagonalise the linear part."""
        self.check_slots(law)
        if law.linear is None:
            _checks.refuse(
                "law",
                _checks.Verbatim("no linear part"),
                "Equation(linear=…)",
                f"{type(self).__name__} integrates it exactly and is an ordinary method without it",
                "Use Tsit5(), Heun() or RK4(), for noise EulerMaruyama().",
            )
        return self, replace(law, linear=law.linear.diagonal())


def _plus(*parts):
    parts = [p for p in parts if p is not None]
    total = parts[0]
    for p in parts[1:]:
        total = _nest.add(total, p)
    return total


def _forcing(law, t, y):
    """V⁻¹N(t, y), or None."""
    n = law.forcing(t, y)
    return None if n is None else law.linear.forward(n)


def _scaled(fn, h, c):
    return None if c is None else _nest.scale(h, fn(c))


@dataclass(frozen=True)
class ETD1(Exponential):
    """Y₁ = e^{hA}Y + hφ₁(hA)N(t, Y) + ∫e^{(h−s)A} g dW: exact for linear laws, order 1 in N.

    Additive noise, of constant amplitude g or with g = g₀e^{bt} (`ExponentialAmplitude`), is integrated exactly at any
    step where cells get independent noise, `Brownian` or `SpaceTimeWhite`: its variance is g(t + h)²h φ₁(2h(λ − b)).
    That holds in each mode λ if modes are orthogonal, as on boxes; on radial grids and across partitions
    they lean, with the covariance g²h φ₁(h(λᵢ + λⱼ − 2b)) (V⁻¹V⁻ᵀ)ᵢⱼ. Noise that ties cells together is exact if its
    covariance has the modes of A, `ConservedWhite` with constant D for one, and of first order if not. The same step is
    DDIM and, with noise, ancestral DDPM.

    References:
        Cox & Matthews (2002), doi:10.1006/jcph.2002.6995; Gillespie (1996), doi:10.1103/PhysRevE.54.2084.
    """

    takes = frozenset({Slot.LINEAR, Slot.DRIFT, Slot.DIFFUSION})
    order = 1
    drift_reach = 2.0

    def bind(self, law, h):
        """Diagonalise; refuse noise whose amplitude is any other function."""
        if not law.noise.gaussian:
            _checks.refuse(
                "noise",
                law.noise,
                "Gaussian noise",
                f"{type(self).__name__} scales increments to the variance of each mode",
                "Use EulerMaruyama().",
                TypeError,
            )
        if law.growth is None:
            _checks.refuse(
                "diffusion",
                law.diffusion,
                "a number, a nest of numbers, or ExponentialAmplitude(g0, rate)",
                f"{type(self).__name__} integrates additive noise exactly and has no rule for any other g(t, y)",
                "Use EulerMaruyama().",
                TypeError,
            )
        return super().bind(law, h)

    def prepare(self, law, h):
        """e^{hA}, φ₁(hA), and what makes ∫e^{(h−s)A}dN out of noise."""
        A = law.linear
        kick = None if law.diffusion is None else A.noise_multiplier(h, law.noise.variance, law.growth)
        return A.multiplier(0, h), A.multiplier(1, h), kick

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        A, (e, phi1, kick) = law.linear, prepared
        c = _plus(e(A.forward(y)), _scaled(phi1, h, _forcing(law, t, y)))
        if noise is not None:
            g = law.amplitude(t + tf.cast(h, tf.float64), y)
            c = _nest.add(c, kick(A.forward(_nest.map(tf.multiply, g, noise()))))
        return Step(A.inverse(c), None, ())


@dataclass(frozen=True)
class ETDRK2(Exponential):
    """Order 2 with ETD1 inside as error estimate.

    a = e^{hA}Y + hφ₁N(Y),  Y₁ = a + hφ₂(N(a) − N(Y)).

    References:
        Cox & Matthews (2002), doi:10.1006/jcph.2002.6995.
    """

    order, adaptive = 2, True
    drift_reach = 2.0

    def prepare(self, law, h):
        """e^{hA}, φ₁, φ₂."""
        return tuple(law.linear.multiplier(k, h) for k in range(3))

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        A, (e, phi1, phi2) = law.linear, prepared
        n0 = _forcing(law, t, y)
        a = _plus(e(A.forward(y)), _scaled(phi1, h, n0))
        if n0 is None:
            return Step(A.inverse(a), _nest.zeros(y), ())
        n1 = _forcing(law, t + tf.cast(h, tf.float64), A.inverse(a))
        rise = _scaled(phi2, h, _nest.sub(n1, n0))
        return Step(A.inverse(_nest.add(a, rise)), A.inverse(rise), ())


@dataclass(frozen=True)
class ETDRK4(Exponential):
    """Order 4, four evaluations of N, with the embedded order-2 solution as error estimate.

    Where N is stiff, as the supply b(t) of a Dirichlet or Robin wall whose value moves in time, the stages see it to
    lower order: errors fall more slowly, about as h³, until h resolves the fastest mode, h ≲ Δx²/4D. Walls at rest
    cost nothing.

    References:
        Cox & Matthews (2002), doi:10.1006/jcph.2002.6995; Kassam & Trefethen (2005), doi:10.1137/S1064827502410633.
    """

    order, adaptive = 4, True
    drift_reach = 2.785293563405282

    def error_order(self, law):
        """That of the estimate, which the embedded solution of order 2 makes."""
        return 3

    def prepare(self, law, h):
        """e^{hA}, e^{hA/2}, ½φ₁(hA/2), and φ₁, φ₂, φ₃ at hA."""
        A = law.linear
        return (
            A.multiplier(0, h),
            A.multiplier(0, h / 2),
            A.multiplier(1, h / 2),
            *(A.multiplier(k, h) for k in (1, 2, 3)),
        )

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        A, (e, eh, p1h, p1, p2, p3) = law.linear, prepared
        mid, end = t + 0.5 * tf.cast(h, tf.float64), t + tf.cast(h, tf.float64)
        c = A.forward(y)  # never carried over: what no real y has would grow by itself in unstable modes
        n0 = _forcing(law, t, y)
        if n0 is None:
            return Step(A.inverse(e(c)), _nest.zeros(y), ())
        half = h / 2
        a = _nest.add(eh(c), _scaled(p1h, half, n0))
        na = _forcing(law, mid, A.inverse(a))
        b = _nest.add(eh(c), _scaled(p1h, half, na))
        nb = _forcing(law, mid, A.inverse(b))
        d = _nest.add(eh(a), _scaled(p1h, half, _nest.sub(_nest.scale(2.0, nb), n0)))
        nd = _forcing(law, end, A.inverse(d))
        nab = _nest.add(na, nb)
        first = _scaled(p1, h, n0)  # f₁ = φ₁ − 3φ₂ + 4φ₃, f₂ = 2φ₂ − 4φ₃ (for a and b), f₃ = −φ₂ + 4φ₃
        second = _scaled(p2, h, _nest.sub(_nest.scale(2.0, nab), _nest.add(_nest.scale(3.0, n0), nd)))
        third = _scaled(p3, 4 * h, _nest.sub(_nest.add(n0, nd), nab))
        new = _plus(e(c), first, second, third)
        low = _plus(e(c), first, _scaled(p2, h, _nest.sub(nd, n0)))
        return Step(A.inverse(new), A.inverse(_nest.sub(new, low)), ())
