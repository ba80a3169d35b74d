"""Exponential methods whose coefficients change from step to step: a corrector between steps, and blocks of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.steppers.base import Step
from diffsim.steppers.exponential import ETD1, Exponential
from diffsim.steppers.interpolation import Past, asked, check_order, chosen, own_orders, polynomial, weighted
from diffsim.steppers.multistep import REACH, held, integrated, relative


class Behind(NamedTuple):
    """What the corrector needs of the step before."""

    past: Past
    start: Any  # coefficients from which the last step began
    h: Any
    order: Any


@dataclass(frozen=True)
class ETDPC(Exponential):
    """Exponential Adams–Bashforth with a corrector of one order more: one evaluation of N per step, on any mesh.

    Predicted as by `ETDAB`; the value N(t + h, Y₁) that the next step evaluates anyway corrects Y₁ before that step:
    the polynomial through it and the past is integrated over the last step again. The result of the last step
    is its prediction, not yet corrected. This is UniPC.

    With two values in the polynomial (the corrector of order 1, the predictor of order 2) their difference gets the
    weight ½B, B = hφ₁(hA), or B = h with `plain`: the variants bh2 and bh1 of the paper.

    Args:
        order: how many values of N the predictor uses, the corrector one more.
        orders: how many at each step, where that should differ; the last entry holds for all further steps.
        plain: B = h.

    References:
        Zhao et al. (2023), arXiv:2302.04867.
    """

    order: int = static(default=2)
    orders: Any = None
    plain: bool = static(default=False)

    @property
    def drift_reach(self):
        """That of Adams and Bashforth's method of one order more, whose stability this one has."""
        return REACH[self.order]

    def __post_init__(self):
        _checks.flag("plain", self.plain, why="it chooses between two rules")
        check_order(type(self).__name__, self.order, 3)
        object.__setattr__(self, "orders", own_orders(self.orders, self.order))

    def prepare(self, law, h):
        """φ₀, φ₁, … of hA."""
        return tuple(law.linear.multiplier(k, h) for k in range(self.order + 1))

    def init(self, law, t, y):
        """No step before."""
        c = law.linear.forward(y)
        past = Past.empty(c, t, self.order)
        return Behind(past, c, tf.ones([], _nest.real_dtype(y)), tf.ones([], tf.int32))

    def step(self, law, t, h, y, memory, prepared, noise):
        """Correct, then predict."""
        A, past, c = law.linear, memory.past, law.linear.forward(y)
        n = law.forcing(t, y)
        if n is None:
            return Step(A.inverse(prepared[0](c)), None, memory)
        n = A.forward(n)
        c = _nest.where(past.count > 0, self._corrected(A, t, n, memory), c)
        order = tf.minimum(asked(self.order, self.orders, past.count), past.count + 1)
        nodes, values = relative(t, h, past.times[:-1]), (n, *past.values[:-1])
        tables = [polynomial(nodes[: k + 1]) for k in range(self.order)]
        new = self._moved(prepared, h, c, order, tables, values)
        return Step(A.inverse(new), None, Behind(past.push(n, t), c, h, order))

    def _corrected(self, A, t, n, behind):
        past, h = behind.past, behind.h
        phis = tuple(A.multiplier(k, h) for k in range(self.order + 2))
        nodes, values = relative(past.times[0], h, (t, *past.times[1:])), (past.values[0], n, *past.values[1:])
        tables = [polynomial(nodes[: k + 2]) for k in range(self.order)]
        return self._moved(phis, h, behind.start, behind.order, tables, values)

    def _moved(self, phis, h, c, order, tables, values):
        """e^{hA}c + ∫ of the polynomial; with two values their difference by the rule of ½B."""
        size = tables[-1].shape[0]
        slopes = [t[1:] if t.shape[0] == 2 and self.plain else tf.zeros([1, 1], tf.float64) for t in tables]
        tables = [(t[:1] if self.plain else held(t)) if t.shape[0] == 2 else t for t in tables]
        new = _nest.add(phis[0](c), integrated(phis, h, chosen(order, tables, size), values))
        if not self.plain:
            return new
        slope = chosen(order, slopes, size)[0]
        return _nest.axpy(0.5 * h, weighted(slope, values), new)


class Block(NamedTuple):
    """Where a block of steps began, and the values of N in it."""

    past: Past
    start: Any
    t: Any
    phase: Any  # steps taken since
    kicked: Any  # what noise has done since, () without noise


@dataclass(frozen=True)
class ETDBlock(ETD1):
    """Exponential Runge–Kutta methods whose stages lie on the mesh: `order` steps make one block of that order.

    Each step starts from where its block began and integrates the polynomial through all values of N since: the first
    is `ETD1`, the second of order 2, the third of order 3. One evaluation of N per step; states inside a block are
    stages, of lower order. Blocks remember nothing of those before them. This is DPM-Solver, and ++, singlestep.
    Additive noise is integrated exactly as by `ETD1`: each stage has the noise since its block began, one path through
    all of them. With it the strong order is 1.

    Args:
        order: 1 to 3; the number of steps must be a multiple of it, unless `orders` says otherwise.
        orders: which step of its block each step is, 1 where a block begins: [1, 2, 3, 1, 2, 3, 1]; None repeats
            1, 2, …, order.
        midpoint: hold N in its middle, hφ₁(hA)N(½), in the second step, and let the third use the line through the
            first and last value: the default of DPM-Solver; of order 3 only if the third step begins at ⅔ of the block.

    References:
        Lu et al. (2022), arXiv:2206.00927; Hochbruck & Ostermann (2005), doi:10.1137/040611434.
    """

    order: int = static(default=2)
    orders: Any = None
    midpoint: bool = static(default=False)

    @property
    def drift_reach(self):
        """That of the Runge–Kutta method which a block is, for one step of it."""
        return (2.0, 2.0, 2.512745326618329)[self.order - 1] / self.order

    def __post_init__(self):
        _checks.flag("midpoint", self.midpoint, why="it chooses between two rules")
        check_order(type(self).__name__, self.order, 3)
        object.__setattr__(self, "orders", own_orders(self.orders, self.order))

    def prepare(self, law, h):
        """What moves the noise of earlier steps on, and what makes ∫e^{(h−s)A}dN out of this one's."""
        if law.diffusion is None:
            return None
        return law.linear.multiplier(0, h), law.linear.noise_multiplier(h, law.noise.variance, law.growth)

    def init(self, law, t, y):
        """At the beginning of a block."""
        c = law.linear.forward(y)
        kicked = () if law.diffusion is None else _nest.zeros(c)
        return Block(Past.empty(c, t, self.order), c, tf.cast(t, tf.float64), tf.zeros([], tf.int32), kicked)

    def step(self, law, t, h, y, memory, prepared, noise):
        """The next step of the block."""
        A, c, past = law.linear, law.linear.forward(y), memory.past
        phase = memory.phase % self.order + 1 if self.orders is None else asked(1, self.orders, past.count)
        first = tf.equal(phase, 1)
        start = _nest.where(first, c, memory.start)
        begin = tf.where(first, t, memory.t)
        whole = t + tf.cast(h, tf.float64) - begin
        length = tf.cast(whole, h.dtype)
        phis = tuple(A.multiplier(k, length) for k in range(self.order + 1))
        n, new = law.forcing(t, y), phis[0](start)
        if n is not None:
            past = past.push(A.forward(n), t)
            nodes = [(s - begin) / whole for s in past.times]
            tables = [self._table(nodes[: k + 1]) for k in range(self.order)]
            new = _nest.add(new, integrated(phis, length, chosen(phase, tables, self.order), past.values))
        kicked = memory.kicked
        if noise is not None:
            g = law.amplitude(t + tf.cast(h, tf.float64), y)
            kick = prepared[1](A.forward(_nest.map(tf.multiply, g, noise())))
            kicked = _nest.add(kick, _nest.where(first, _nest.zeros(kick), prepared[0](kicked)))
            new = _nest.add(new, kicked)
        return Step(A.inverse(new), None, Block(past, start, begin, phase, kicked))

    def _table(self, nodes):
        if not self.midpoint or len(nodes) == 1:
            return polynomial(nodes)
        if len(nodes) == 2:
            return held(polynomial(nodes))
        ends = polynomial([nodes[0], nodes[2]])
        return tf.stack([ends[:, 0], tf.zeros([2], tf.float64), ends[:, 1]], 1)
