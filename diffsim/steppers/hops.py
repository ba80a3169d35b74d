"""Hops and reactions in turns: reaction–diffusion master equations of many cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from diffsim import _checks, counts, random
from diffsim.equation import Slot
from diffsim.steppers.cells import leaving
from diffsim.steppers.jump import Fault, Jumping, Reacting, finished, look, rows
from diffsim.steppers.ssa import SSA


@dataclass(frozen=True)
class SplitHops(Jumping):
    """n₁ = R(h/2) P(h) R(h/2) n: reactions in each cell for h/2, hops for h, reactions for h/2. Weak order 2 in h.

    Hops are exact: each molecule moves to a cell drawn from e^{hL}, axis by axis, so that what leaves a cell is
    multinomial. Cells react independently meanwhile, each by `reactions`, at rates of their own time: the first half
    at those of its half of the step, the second at those of the other.

    Args:
        reactions: SSA(), or TauLeap(…) for many molecules in a cell.

    Raises:
        TypeError: `reactions` is no stepper of jump processes.

    References:
        Strang (1968), doi:10.1137/0705041; Engblom, Ferm, Hellander & Lötstedt (2009), doi:10.1137/080721388.
    """

    reactions: Reacting = field(default_factory=SSA)

    takes = frozenset({Slot.JUMPS, Slot.HOPS})
    order = 2

    def __post_init__(self):
        way_out = "Pass SSA() or TauLeap()."
        if not isinstance(self.reactions, Reacting):
            _checks.refuse("reactions", self.reactions, "SSA or TauLeap", "cells react by it", way_out, TypeError)

    def bind(self, law, h):
        """Refuse hops whose rates along one axis depend on another."""
        if Slot.JUMPS in law.slots() and law.hops is None:
            why, way_out = "there is nothing to split", "Use SSA() or TauLeap()."
            _checks.refuse("law", _checks.Verbatim("a Jump without hops"), "one with hops", why, way_out, TypeError)
        bound = super().bind(law, h)
        for op in law.hops:
            if op is not None and not op.diagonalises:
                why = "molecules hop axis by axis, each exactly"
                way_out = "Let D vary along one axis only, or use SSA()."
                _checks.refuse("hops", op, "rates along each axis that depend on it alone", why, way_out)
        return bound

    def prepare(self, law, h):
        """For each axis the odds of each offset, for the species that move."""
        ops = [op for op in law.hops if op is not None]
        return tuple(_odds(ops, axis, h) for axis in range(law.grid.ndim)) if ops else ()

    def step(self, law, t, h, y, memory, prepared, noise):
        """Half the reactions, the hops, half the reactions."""
        n = law.split(y)
        key = random.fold_in(noise.key, noise.n)
        here = rows(n[0].shape, noise.first)
        half = tf.cast(h / 2, t.dtype)
        n, clock, code, left = self.reactions.within(law, t, h / 2, n, memory, noise.key, here)
        before = look(law, t + half, n, code, left)
        movers = [s for s, op in enumerate(law.hops) if op is not None]
        moved = tf.stack([n[s] for s in movers]) if movers else None
        for axis, odds in enumerate(prepared):
            moved = _move(moved, odds, axis, law.grid.ndim, random.fold_in(key, axis), here)
        for s, numbers in zip(movers, tf.unstack(moved) if movers else (), strict=True):
            n[s] = numbers
        n, clock, code, left = self.reactions.within(law, t + half, h / 2, n, clock, noise.key, here)
        after = look(law, t + 2 * half, n, code, left)
        found = [tf.where(before[0] >= Fault.FIRST, b, a) for b, a in zip(before, after, strict=True)]
        return finished(law, n, clock, found, y)


def _odds(ops, axis, h):
    """(offsets [k], odds [k, species, cell]): being absorbed, then 0, 1, −1, 2, …, if none before was taken."""
    n = ops[0].grid.shape[axis]
    half = [d for k in range(1, n) for d in (k, -k)]
    whole = all(op.walls[axis] is None for op in ops)
    offsets = np.array([0, *half][: n if whole else 2 * n - 1])
    cell = np.arange(n)
    to, tables = cell + offsets[:, None], []
    for op in ops:
        periodic = op.walls[axis] is None
        down, up = (tf.cast(tf.reshape(r, [-1]), tf.float64) for r in leaving(op, axis))
        P = _exponential(down, up, periodic, tf.cast(h, tf.float64))
        counts_once = (np.arange(len(offsets)) < n)[:, None] if periodic else (to >= 0) & (to < n)
        p = tf.gather_nd(P, np.stack([np.broadcast_to(cell, to.shape), to % n], -1)) * counts_once
        gone = 1 - tf.minimum(tf.reduce_sum(P, axis=1), 1) if not periodic else tf.zeros([n], tf.float64)
        gone = tf.where(gone > 1e-13, gone, 0)  # rounding absorbs nothing
        rest = tf.cumsum(p, axis=0, reverse=True)
        tables.append(tf.concat([gone[None], tf.math.divide_no_nan(p, rest)], axis=0))
    odds = tf.cast(tf.minimum(tf.stack(tables, axis=1), 1), h.dtype)
    return tf.constant(np.concatenate([[0], offsets]), tf.int32), odds


def _exponential(down, up, periodic, h):
    """e^{hL} of a chain by uniformisation and squaring, all terms non-negative: odds right to relative rounding."""
    n = down.shape[0]
    cell = np.arange(n)
    to_down, to_up = (tf.one_hot((cell + d) % n, n, dtype=tf.float64) for d in (-1, 1))
    if not periodic:
        to_down, to_up = to_down * (cell > 0)[:, None], to_up * (cell < n - 1)[:, None]
    fastest = tf.reduce_max(down + up)
    squarings = tf.cast(tf.maximum(tf.math.ceil(tf.math.log(fastest * h + 1e-300) / math.log(2.0)), 0), tf.int32)
    a = h / tf.pow(tf.constant(2.0, tf.float64), tf.cast(squarings, tf.float64))
    M = a * (down[:, None] * to_down + up[:, None] * to_up) + tf.linalg.diag(a * (fastest - down - up))
    term = P = tf.eye(n, dtype=tf.float64)
    for k in range(1, 19):  # ‖M‖ ≤ 1, so what is left out is below 1/19!
        term = tf.matmul(term, M) / k
        P = P + term
    P = P * tf.exp(-a * fastest)
    return tf.while_loop(lambda k, P: k < squarings, lambda k, P: (k + 1, tf.matmul(P, P)), (tf.constant(0), P))[1]


def _move(n, odds, axis, d, key, sites):
    """Where the molecules of each species and cell are after the hops along one axis."""
    offsets, chances = odds
    M, rank = n.shape[0], n.shape.rank
    shape = [M, *[1] * (rank - 1 - d), *(-1 if i == axis else 1 for i in range(d))]
    keys = tf.stack(random.split(key, M))
    by_species = tuple(tf.reshape(keys[:, i], [M] + [1] * (rank - 1)) for i in (0, 1))

    def offset(k, left, there):
        words = random._threefry(by_species, sites[None], tf.cast(k, tf.uint32))
        p = tf.broadcast_to(tf.reshape(tf.gather(chances, k), shape), n.shape)
        going = counts.binomial_of(by_species, words, left, p)
        arrived = there + tf.roll(going, tf.gather(offsets, k), rank - d + axis)
        return k + 1, left - going, tf.where(k > 0, arrived, there)

    def more(k, left, there):
        return (k < offsets.shape[0]) & tf.reduce_any(left > 0)

    return tf.while_loop(more, offset, (tf.constant(0), n, tf.zeros_like(n)))[2]
