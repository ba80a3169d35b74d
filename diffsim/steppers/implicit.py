"""Implicit methods: each stage solves y = r + γ·rate(t, y), by the operator's resolvent or by Newton–Krylov."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.newton import newton_krylov

D2 = 1 - 0.5**0.5  # the diagonal coefficient of the two-stage L-stable methods of order two


def solve_stage(law, t, gamma, r, guess):
    """The state y with y = r + γ·rate(t, y); NaN where it was not found, so that the run stops."""
    if law.drift is not None:
        return newton_krylov(law, t, gamma, r, guess)
    b = law.linear.source(t, r)
    return law.linear.resolvent(gamma, r if b is None else _nest.axpy(gamma, b, r))


class Implicit(Stepper):
    """What all share: unconditional stability, and a linear part that can be solved for."""

    takes = frozenset({Slot.LINEAR, Slot.DRIFT})

    def bind(self, law, h):
        """Give the linear part a resolvent."""
        self.check_slots(law)
        return self, law if law.linear is None else replace(law, linear=law.linear.solvable())


def _later(t, h, fraction=1.0):
    return t + fraction * tf.cast(h, tf.float64)


@dataclass(frozen=True)
class ImplicitEuler(Implicit):
    """Y₁ = Y + h·rate(t₁, Y₁). Order 1, L-stable; keeps the maximum principle at every step."""

    order = 1

    def step(self, law, t, h, y, memory, prepared, noise):
        """One solve."""
        return Step(solve_stage(law, _later(t, h), h, y, y), None, ())


@dataclass(frozen=True)
class CrankNicolson(Implicit):
    """Y₁ = Y + h/2·(rate(t, Y) + rate(t₁, Y₁)). Order 2, A-stable: rough data ring, use TRBDF2 for them.

    References:
        Crank & Nicolson (1947), doi:10.1017/S0305004100023197.
    """

    order = 2

    def step(self, law, t, h, y, memory, prepared, noise):
        """One solve."""
        r = _nest.axpy(h / 2, law.rate(t, y), y)
        return Step(solve_stage(law, _later(t, h), h / 2, r, y), None, ())


@dataclass(frozen=True)
class TRBDF2(Implicit):
    """Trapezoidal rule to t + (2 − √2)h, then BDF2: order 2, L-stable, with an error estimate; for stiff laws.

    References:
        Bank et al. (1985), doi:10.1109/TCAD.1985.1270142; Hosea & Shampine (1996), doi:10.1016/0168-9274(95)00115-8.
    """

    order, adaptive = 2, True

    def step(self, law, t, h, y, memory, prepared, noise):
        """Two solves with one matrix, and one more to keep the error estimate from being fooled by stiff modes."""
        g, w, gamma = 2 * D2, 2**0.5 / 4, D2 * h
        k0 = law.rate(t, y)
        ya = solve_stage(law, _later(t, h, g), gamma, _nest.axpy(gamma, k0, y), y)
        ka = _nest.map(lambda a, b, k: (a - b) / _nest.cast(gamma, a) - k, ya, y, k0)
        weight = 1 / (g * (2 - g))
        r = _nest.map(lambda a, b: weight * a - ((1 - g) ** 2 * weight) * b, ya, y)
        new = solve_stage(law, _later(t, h), gamma, r, ya)
        k1 = _nest.map(lambda a, b: (a - b) / _nest.cast(gamma, a), new, r)
        e = (w - (1 - w) / 3, w - (3 * w + 1) / 3, D2 - D2 / 3)
        error = _nest.combine(_nest.zeros(y), [h * ei for ei in e], [k0, ka, k1])
        if law.linear is not None:
            error = law.linear.resolvent(gamma, error)
        return Step(new, error, ())


@dataclass(frozen=True)
class IMEX(Implicit):
    """Linear part implicit, drift explicit: the L-stable pair ARS(2,2,2), order 2.

    References:
        Ascher, Ruuth & Spiteri (1997), doi:10.1016/S0168-9274(97)00056-1.
    """

    order = 2
    drift_reach = 2.0

    def bind(self, law, h):
        """Give the linear part, which must be there, a resolvent."""
        self.check_slots(law)
        if law.linear is None:
            _checks.refuse(
                "law",
                _checks.Verbatim("no linear part"),
                "Equation(linear=…)",
                "IMEX treats the linear part implicitly and the drift explicitly",
                "Use TRBDF2() or Tsit5().",
            )
        return super().bind(law, h)

    def step(self, law, t, h, y, memory, prepared, noise):
        """Two solves with one matrix."""
        only, gamma, delta = replace(law, drift=None), D2 * h, 1 - 1 / (2 * D2)
        f0 = _drift(law, t, y)
        r = y if f0 is None else _nest.axpy(gamma, f0, y)
        ya = solve_stage(only, _later(t, h, D2), gamma, r, y)
        ka = _nest.map(lambda a, b: (a - b) / _nest.cast(gamma, a), ya, r)
        r = _nest.axpy((1 - D2) * h, ka, y)
        if f0 is not None:
            r = _nest.combine(r, [delta * h, (1 - delta) * h], [f0, _drift(law, _later(t, h, D2), ya)])
        return Step(solve_stage(only, _later(t, h), gamma, r, ya), None, ())


def _drift(law, t, y):
    return None if law.drift is None else law.drift(_nest.to(t, _nest.real_dtype(y)), y)
