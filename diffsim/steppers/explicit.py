"""Runge–Kutta methods from their tableaus, k_i = rate(t + c_i h, y + h Σ a_ij k_j)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from diffsim import _nest, _xla
from diffsim.calculus import Reach, Stratonovich
from diffsim.equation import Slot
from diffsim.operators import rows
from diffsim.operators.nested import PerLeaf
from diffsim.steppers.base import Step, Stepper

_ODE = frozenset({Slot.LINEAR, Slot.DRIFT})


class RungeKutta(Stepper):
    """An explicit method; a leaf class is a tableau.

    With `fsal` the last stage is the rate at the new state and serves as the next step's first.
    """

    takes = _ODE
    a: ClassVar[tuple[tuple[float, ...], ...]]  # rows for stages 2, 3, …
    b: ClassVar[tuple[float, ...]]
    c: ClassVar[tuple[float, ...]]  # for stages 2, 3, …
    e: ClassVar[tuple[float, ...] | None] = None  # b − b̂, the weights of the error estimate
    fsal: ClassVar[bool] = False

    def init(self, law, t, y):
        """The first stage, if it is carried over."""
        return law.rate(t, y) if self.fsal else ()

    def turned(self, law, t, y, memory):
        """The stage at the new y."""
        return self.init(law, t, y)

    def step(self, law, t, h, y, memory, prepared, noise):
        """Stage by stage."""
        k = [memory if self.fsal else law.rate(t, y)]
        for row, ci in zip(self.a, self.c, strict=True):
            weights, rates = [h * aij if aij else 0.0 for aij in row], tuple(k)
            if law.drift is None:
                stage = _nest.combine(y, weights, rates)
            else:  # several terms read it, and each would compute it again
                stage = _xla.once(lambda w=weights, k=rates: _nest.combine(y, w, k), y, h)
            k.append(law.rate(t + ci * _f64(h), stage))
        new = stage if self.fsal else _nest.combine(y, [h * bi if bi else 0.0 for bi in self.b], k)
        error = None if self.e is None else _nest.combine(_nest.zeros(y), [h * ei if ei else 0.0 for ei in self.e], k)
        return Step(new, error, k[-1] if self.fsal else ())


def _f64(h):
    return tf.cast(h, tf.float64)


@dataclass(frozen=True)
class Euler(RungeKutta):
    """y + h·rate(t, y). Order 1, stable for hρ ≤ 2."""

    order, reach = 1, 2.0
    a, b, c = (), (1.0,), ()

    def burst(self, law, y):
        """Deep halos, for local drifts and Laplacians with periodic or no-flux walls."""
        if (
            not isinstance(law.linear, PerLeaf)
            or law.diffusion is not None
            or (law.drift is not None and not law.local)
        ):
            return None
        found = rows.burst(law.linear.ops, _nest.flatten(y))
        return found if found is None or law.drift is None or found.takes(law.drift, y) else None


@dataclass(frozen=True)
class Heun(RungeKutta):
    """The explicit trapezoidal rule, order 2, with Euler's method inside as error estimate; stable for hρ ≤ 2.

    Noise is taken in Stratonovich's sense, Y₁ = Y + ½(rate + rate₁)h + ½(g + g₁)ΔN with rate₁, g₁ at the end of an
    Euler step: strong order 1 if g is additive, or at each entry depends on that entry, else ½; weak order 1. The
    difference from the Euler step estimates the error, so that steps can be adapted on a BrownianTree.

    References:
        Rümelin (1982), doi:10.1137/0719041; Ilie, Jackson & Enright (2015), doi:10.1007/s11075-014-9872-6.
    """

    takes = _ODE | {Slot.DIFFUSION}
    calculus = Stratonovich
    order, reach, adaptive = 2, 2.0, True
    strong, weak = 1.0, 1.0
    a, b, c = ((1.0,),), (0.5, 0.5), (1.0,)
    e = (-0.5, 0.5)

    def error_order(self, law):
        """Euler's error over a step is of order h², h^{3/2} with additive noise, h with noise that depends on y."""
        if law.diffusion is None:
            return 2
        return 1.5 if law.reach is Reach.NOTHING else 1

    def step(self, law, t, h, y, memory, prepared, noise):
        """An Euler step, corrected."""
        if noise is None:
            return super().step(law, t, h, y, memory, prepared, noise)
        dN, end = noise(), t + _f64(h)
        k0, g0 = law.rate(t, y), law.kick(t, y, dN)
        euler = _nest.add(_nest.axpy(h, k0, y), g0)
        k1, g1 = law.rate(end, euler), law.kick(end, euler, dN)
        new = _nest.combine(y, [h / 2, h / 2, 0.5, 0.5], [k0, k1, g0, g1])
        return Step(new, _nest.sub(new, euler), ())


@dataclass(frozen=True)
class RK4(RungeKutta):
    """The classical method of order 4, stable for hρ ≤ 2.785.

    References:
        Kutta (1901), Z. Math. Phys. 46, 435.
    """

    order, reach = 4, 2.785293563405282
    a, b, c = ((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), (0.5, 0.5, 1.0)


@dataclass(frozen=True)
class Tsit5(RungeKutta):
    """Order 5 with an embedded estimate of order 4; six evaluations per step, the seventh is the next step's first.

    References:
        Tsitouras (2011), doi:10.1016/j.camwa.2011.06.002.
    """

    order, reach, adaptive, fsal = 5, 3.5, True, True
    c = (0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
    a = (
        (0.161,),
        (-0.008480655492356989, 0.335480655492357),
        (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
        (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
        (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
        (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
    )
    b = (*a[-1], 0.0)
    e = (
        0.001780011052226,
        0.000816434459657,
        -0.007880878010262,
        0.144711007173263,
        -0.582357165452555,
        0.458082105929187,
        -1 / 66,
    )
