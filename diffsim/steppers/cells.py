"""Events on a grid: reactions in cells and hops between them, by the direct method."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from diffsim import _nest, counts, random
from diffsim.steppers.jump import Fault, settled, unit_below, waiting


def on_grid(law, t, h, n, clock, key, sites):
    """(n, clock, codes, what is left of h) after all events within h; arguments as `Reacting.within`.

    One clock for each trajectory, whose next event is one of all cells and channels.
    """
    dtype, shape, d = n[0].dtype, n[0].shape, law.grid.ndim
    ensemble, C = shape[: shape.rank - d], law.grid.cells
    T = ensemble.num_elements()
    hops = [(s, axis, up) for s, op in enumerate(law.hops) if op for axis in range(d) for up in (0, 1)]
    paces = [_paces(law.hops[s], axis, up) for s, axis, up in hops]
    change, plus, goal = (tf.constant(table, tf.int32) for table in _tables(law, hops))
    begin = _nest.to(t, dtype)
    flat_sites = tf.reshape(sites, [T])

    def words(count):
        return random._threefry(key, flat_sites, tf.bitcast(count, tf.uint32))

    def rates(n):
        full = [tf.reshape(v, shape) for v in n]
        a = [tf.reshape(rate, [T, C]) for rate in law.rates(begin + tf.zeros_like(full[0]), full)]
        return a, [*a, *(n[s] * pace for (s, _, _), pace in zip(hops, paces, strict=True))]

    def event(n, due, count, left, lost, code):
        a, channels = rates(n)
        reached = tf.cumsum(tf.add_n(channels), axis=1)
        total = reached[:, -1]
        wait = waiting(due, total)
        fires = wait < left
        high, low = words(count + 1)
        aim = unit_below(low, dtype) * total
        below = (reached <= aim[:, None]) & (reached < total[:, None])
        cell = tf.minimum(tf.reduce_sum(tf.cast(below, tf.int32), axis=1), C - 1)
        aim = aim - tf.reduce_max(tf.where(below, reached, 0), axis=1)
        channel, sofar = tf.zeros([T], tf.int32), tf.zeros_like(aim)
        for c, rate in enumerate(channels):
            here = tf.gather(rate, cell, batch_dims=1)
            channel = tf.where((here > 0) & (aim >= sofar), c, channel)
            sofar += here
        if not law.elementary:
            code = _bad(a)
            fires &= code <= Fault.BUSY
        at = [tf.one_hot(i, C, dtype=dtype) for i in (cell, tf.gather_nd(goal, tf.stack([channel, cell], -1)))]
        new = []
        for s, v in enumerate(n):
            by = [tf.cast(tf.gather(table[:, s], channel), dtype) for table in (change, plus)]
            by = [tf.where(fires, b, 0)[:, None] for b in by]
            new.append(v + at[0] * by[0] + at[1] * by[1])
        spent = wait + lost
        less = left - spent
        due = tf.where(fires, counts.exponential(high, dtype), tf.maximum(due - total * left, 0))
        lost = tf.where(fires, spent - (left - less), lost)
        left = tf.where(fires, less, tf.where(code >= Fault.FIRST, left, 0))
        return new, due, tf.where(fires, count + 1, count), left, lost, settled(code, left)

    count = tf.reshape(clock.count, [T])
    due = tf.reshape(clock.due, [T])
    due = tf.where(due < 0, counts.exponential(words(count)[0], dtype), due)
    left = tf.zeros_like(due) + h
    start = ([tf.reshape(v, [T, C]) for v in n], due, count, left, tf.zeros_like(due), settled(0 * count, left))
    n, due, count, left, _, code = tf.while_loop(lambda *c: tf.equal(tf.reduce_max(c[5]), Fault.BUSY), event, start)
    clock = clock._replace(due=tf.reshape(due, ensemble), count=tf.reshape(count, ensemble))
    code, left = (tf.reshape(tf.broadcast_to(a[:, None], [T, C]), shape) for a in (code, left))
    return [tf.reshape(v, shape) for v in n], clock, code, left


def _bad(a):
    """Codes of trajectories in which a rate is none."""
    code = tf.zeros([a[0].shape[0]], tf.int32)
    for r, rate in enumerate(a):
        code = tf.where(tf.reduce_all((rate >= 0) & (rate < math.inf), axis=1), code, Fault.FIRST + r)
    return code


def leaving(op, axis):
    """Rates at which one molecule leaves a cell downwards and upwards, walls included, wide along `axis` [1 / time]."""
    d, n = op.grid.ndim, op.grid.shape[axis]
    shape = [n if i == axis else 1 for i in range(d)]
    lower, upper = op.sides(axis)
    if op.volume is not None:
        lower, upper = lower / op.volume, upper / op.volume
    if op.solubility is not None:  # conductances are those of activities u/S
        lower, upper = lower / op.solubility, upper / op.solubility
    lower, upper = (K + tf.zeros(shape, K.dtype) for K in (lower, upper))
    if op.walls[axis] is None:
        return lower, upper
    low, high = (2 * w.slope / w.kappa for w in op.walls[axis])  # 1 − α, see `walls.Wall`
    at = tf.reshape(tf.range(n), shape)
    return tf.where(at == 0, lower * low, lower), tf.where(at == n - 1, upper * high, upper)


def _paces(op, axis, up):
    return tf.reshape(tf.broadcast_to(leaving(op, axis)[up], op.grid.shape), [1, -1])


def _tables(law, hops):
    """What each channel changes in its cell, (K, S); what arrives elsewhere, (K, S); and where, (K, C), −1: nowhere."""
    S, C, grid = len(law.species), law.grid.cells, law.grid.shape
    change, plus = [list(row) for row in law.stoichiometry], [[0] * S for _ in law.stoichiometry]
    goal = [np.full(C, -1) for _ in law.stoichiometry]
    cells = np.arange(C).reshape(grid)
    for s, axis, up in hops:
        change.append([-int(i == s) for i in range(S)])
        plus.append([int(i == s) for i in range(S)])
        there = np.roll(cells, -1 if up else 1, axis)
        if law.hops[s].walls[axis] is not None:
            edge = (slice(None),) * axis + (-1 if up else 0,)
            there[edge] = -1
        goal.append(there.ravel())
    return np.array(change), np.array(plus), np.stack(goal)
