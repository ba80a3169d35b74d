"""Multistep methods on any mesh: the past is continued by the polynomial through it and integrated exactly.

With θ = (s − t)/h and the polynomial N(θ) = Σ aₘθᵐ through the latest values, Adams–Bashforth methods take
Y₁ = Y + h Σ aₘ/(m + 1), and the exponential ones Y₁ = e^{hA}Y + h Σ m! φₘ₊₁(hA) aₘ.

References:
    Nørsett (1969), doi:10.1007/BFb0060022; Cox & Matthews (2002), doi:10.1006/jcph.2002.6995.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.exponential import ETD1, Exponential
from diffsim.steppers.interpolation import Past, asked, check_order, chosen, own_orders, polynomial, weighted

REACH = (2.0, 1.0, 6 / 11, 0.3)  # of Adams–Bashforth methods on the negative real axis


@dataclass(frozen=True)
class AdamsBashforth(Stepper):
    """Y₁ = Y + ∫ of the polynomial through the last rates: explicit, one evaluation per step, order 1 to 4, any mesh.

    The first steps are of order 1, 2, …: errors of the start are of order h². The same method in σ/α is the "LMS" of
    image samplers.

    Args:
        order: how many rates one step uses.
        orders: how many at each step, where that should differ; the last entry holds for all further steps.

    References:
        Hairer, Nørsett & Wanner (1993), III.5, doi:10.1007/978-3-540-78862-1.
    """

    order: int = static(default=4)
    orders: Any = None

    takes = frozenset({Slot.LINEAR, Slot.DRIFT})

    def __post_init__(self):
        check_order(type(self).__name__, self.order, 4)
        object.__setattr__(self, "orders", own_orders(self.orders, self.order))

    @property
    def reach(self):
        """That of the method of this order."""
        return REACH[self.order - 1]

    def init(self, law, t, y):
        """No earlier rates."""
        return Past.empty(y, t, self.order - 1)

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        rate, past = law.rate(t, y), memory
        order = tf.minimum(asked(self.order, self.orders, past.count), past.count + 1)
        new = _nest.axpy(h, weighted(self._weights(order, t, h, past), (rate, *past.values)), y)
        return Step(new, None, past.push(rate, t))

    def _weights(self, order, t, h, past):
        nodes = relative(t, h, past.times)
        tables = [_integral(polynomial(nodes[: k + 1])) for k in range(self.order)]
        return chosen(order, tables, self.order)[0]


def relative(t, h, times):
    """θ of this step's beginning and of earlier times."""
    return [tf.zeros([], tf.float64), *((s - t) / tf.cast(h, tf.float64) for s in times)]


def _integral(table):
    """∫₀¹ of the polynomial, one row of weights."""
    powers = tf.range(1, table.shape[0] + 1, dtype=tf.float64)
    return tf.reduce_sum(table / powers[:, None], 0, keepdims=True)


@dataclass(frozen=True)
class ETDAB(ETD1):
    """Exponential Adams–Bashforth, order 1 to 3, on any mesh, additive noise integrated exactly as by `ETD1`.

    Y₁ = e^{hA}Y + h Σ m! φₘ₊₁(hA) aₘ + ∫e^{(h−s)A}g dW, one evaluation of N per step; the first steps are of order 1,
    2, …. With noise the law is of that order, but of 2 at most, and single paths of order 1.

    On the probability flow of a diffusion model this is DPM-Solver++ multistep, with N made of the predicted data, and
    DEIS, with N made of the predicted noise.

    Args:
        order: how many values of N one step uses.
        orders: how many at each step, where that should differ; the last entry holds for all further steps.
        midpoint: hold N at its value in the middle of the step, hφ₁(hA)N(½), wherever two values are used: the same
            order with another constant, and the default of DPM-Solver.
        curvature: factor of a₂. Any value but 1 leaves order 2; the published code of DPM-Solver++(3M) has ½.

    References:
        Nørsett (1969), doi:10.1007/BFb0060022; Lu et al. (2022), arXiv:2211.01095; Zhang & Chen (2023),
        arXiv:2204.13902.
    """

    order: int = static(default=2)
    orders: Any = None
    midpoint: bool = static(default=False)
    curvature: float = 1.0

    def __post_init__(self):
        _checks.flag("midpoint", self.midpoint, why="it chooses between two rules")
        check_order(type(self).__name__, self.order, 3)
        object.__setattr__(self, "orders", own_orders(self.orders, self.order))

    @property
    def drift_reach(self):
        """That of Adams and Bashforth's method of this order."""
        return REACH[self.order - 1]

    def prepare(self, law, h):
        """φ₀, φ₁, … of hA, and what makes ∫e^{(h−s)A}dN out of noise."""
        A = law.linear
        kick = None if law.diffusion is None else A.noise_multiplier(h, law.noise.variance, law.growth)
        return tuple(A.multiplier(k, h) for k in range(self.order + 1)), kick

    def init(self, law, t, y):
        """No earlier values of N."""
        return Past.empty(law.linear.forward(y), t, self.order - 1)

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        A, (phis, kick), past = law.linear, prepared, memory
        c, n = phis[0](A.forward(y)), law.forcing(t, y)
        if n is not None:
            n = A.forward(n)
            order = tf.minimum(asked(self.order, self.orders, past.count), past.count + 1)
            nodes = relative(t, h, past.times)
            tables = [self._table(nodes[: k + 1]) for k in range(self.order)]
            c = _nest.add(c, integrated(phis, h, chosen(order, tables, self.order), (n, *past.values)))
            past = past.push(n, t)
        if noise is not None:
            g = law.amplitude(t + tf.cast(h, tf.float64), y)
            c = _nest.add(c, kick(A.forward(_nest.map(tf.multiply, g, noise()))))
        return Step(A.inverse(c), None, past)

    def _table(self, nodes):
        table = polynomial(nodes)
        if len(nodes) == 2 and self.midpoint:
            return held(table)
        if len(nodes) == 3:
            return table * tf.stack([1.0, 1.0, tf.cast(self.curvature, tf.float64)])[:, None]
        return table


class ETDAB2(ETDAB):
    """Y₁ = e^{hA}Y + hφ₁N + (h²/h₋)φ₂(N − N₋): `ETDAB(2)`, N continued along the line through its last two values.

    References:
        Cox & Matthews (2002), doi:10.1006/jcph.2002.6995; Lu et al. (2022), arXiv:2211.01095 (its sibling 2M).
    """

    def __init__(self):
        super().__init__(order=2)

    def __repr__(self):
        return "ETDAB2()"


@dataclass(frozen=True)
class ETDMidpoint(Exponential):
    """a = e^{hA/2}Y + (h/2)φ₁(hA/2)N(Y),  Y₁ = e^{hA}Y + hφ₁(hA)N(t + h/2, a): order 2 in one step.

    References:
        Hochbruck & Ostermann (2005), doi:10.1137/040611434.
    """

    order, drift_reach = 2, 2.0

    def prepare(self, law, h):
        """φ₀ and φ₁ of hA/2 and hA."""
        A = law.linear
        return tuple(A.multiplier(k, s) for s in (h / 2, h) for k in range(2))

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        A, (e_half, phi_half, e, phi) = law.linear, prepared
        c, n = A.forward(y), law.forcing(t, y)
        if n is None:
            return Step(A.inverse(e(c)), None, ())
        a = _nest.add(e_half(c), _nest.scale(h / 2, phi_half(A.forward(n))))
        n = A.forward(law.forcing(t + 0.5 * tf.cast(h, tf.float64), A.inverse(a)))
        return Step(A.inverse(_nest.add(e(c), _nest.scale(h, phi(n)))), None, ())


def held(table):
    """The polynomial's value in the middle, in place of the polynomial."""
    powers = 0.5 ** tf.range(table.shape[0], dtype=tf.float64)
    return tf.reduce_sum(table * powers[:, None], 0, keepdims=True)


def integrated(phis, h, table, values):
    """h Σ m! φₘ₊₁(hA) aₘ, aₘ = Σⱼ table[m][j] vⱼ."""
    total = None
    for m, row in enumerate(table):
        part = phis[m + 1](weighted([factorial(m) * w for w in row], values))
        total = part if total is None else _nest.add(total, part)
    return _nest.scale(h, total)
