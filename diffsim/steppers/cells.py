"""Events on a grid: reactions in cells and hops between them, by the direct method."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _nest, counts, random
from diffsim.steppers.jump import Fault, no_rates, settled, unit_below, waiting


def on_grid(law, t, h, n, clock, key, sites):
    """(n, clock, codes, what is left of h) after all events within h; arguments as `Reacting.within`.

    One clock for each trajectory, whose next event is one of all cells and channels: reactions, nothing where they are
    thinned out of candidates, hops.
    """
    dtype, shape, d = n[0].dtype, n[0].shape, law.grid.ndim
    ensemble, C = shape[: shape.rank - d], law.grid.cells
    T = ensemble.num_elements()
    hops = [(s, axis, up) for s, op in enumerate(law.hops) if op for axis in range(d) for up in (0, 1)]
    paces = [_paces(law.hops[s], axis, up) for s, axis, up in hops]
    change, plus, goal = (tf.constant(table, tf.int32) for table in _tables(law, hops))  # a row for each channel
    begin = _nest.to(t, dtype)
    flat_sites = tf.reshape(sites, [T])

    def words(count):
        return random._threefry(key, flat_sites, tf.bitcast(count, tf.uint32))

    def wide(n):
        return [tf.reshape(v, shape) for v in n]

    def reacting(n, since):
        """Rates of the reactions in each cell, [T, C]."""
        at = begin + tf.reshape(since, [*ensemble, *[1] * d]) + tf.zeros(shape, dtype)
        return [tf.reshape(rate, [T, C]) for rate in law.rates(at, wide(n))]

    def event(n, due, count, left, lost, code, spot):
        hopping = [n[s] * pace for (s, _, _), pace in zip(hops, paces, strict=True)]
        if law.timed:
            most = tf.reshape(law.most(wide(n)), [T, C])
        else:
            a = reacting(n, h - left)
            most = tf.add_n(a)
        reached = tf.cumsum(tf.add_n([most, *hopping]), axis=1)
        total = reached[:, -1]
        wait = waiting(due, total)
        if law.timed:
            stopped = left - tf.minimum(wait, left)
            a = reacting(n, h - stopped)
            channels = [*a, tf.nn.relu(most - tf.add_n(a)), *hopping]
        else:
            stopped, channels = left, [*a, *hopping]
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
        at = [tf.one_hot(i, C, dtype=dtype) for i in (cell, tf.gather_nd(goal, tf.stack([channel, cell], -1)))]
        new = []
        for s, v in enumerate(n):
            by = [tf.cast(tf.gather(table[:, s], channel), dtype) for table in (change, plus)]
            new.append(v + at[0] * by[0][:, None] + at[1] * by[1][:, None])
        if law.checked:
            code, spot = _found(law, a, most, new, channel, cell, fires)
            fires &= code <= Fault.BUSY
        new = [tf.where(fires[:, None], m, v) for m, v in zip(new, n, strict=True)]
        spent = wait + lost
        less = left - spent
        due = tf.where(fires, counts.exponential(high, dtype), tf.maximum(due - total * left, 0))
        lost = tf.where(fires, spent - (left - less), lost)
        left = tf.where(fires, less, tf.where(code >= Fault.FIRST, stopped, 0))
        return new, due, tf.where(fires, count + 1, count), left, lost, settled(code, left), spot

    def busy(*carry):
        return tf.equal(tf.reduce_max(carry[5]), Fault.BUSY)

    count = tf.reshape(clock.count, [T])
    due = tf.reshape(clock.due, [T])
    due = tf.where(due < 0, counts.exponential(words(count)[0], dtype), due)
    left = tf.zeros_like(due) + h
    code, n = settled(0 * count, left), [tf.reshape(v, [T, C]) for v in n]
    start = n, due, count, left, tf.zeros_like(due), code, 0 * count
    n, due, count, left, _, code, spot = tf.while_loop(busy, event, start)
    clock = clock._replace(due=tf.reshape(due, ensemble), count=tf.reshape(count, ensemble))
    code = tf.where(tf.range(C) == spot[:, None], code[:, None], Fault.CALM)
    code, left = (tf.reshape(tf.broadcast_to(a, [T, C]), shape) for a in (code, left[:, None]))
    return [tf.reshape(v, shape) for v in n], clock, code, left


def _found(law, a, most, new, channel, cell, fires):
    """(codes, cells) of trajectories that cannot go on: a rate is none, or a reaction fired where too few are."""
    codes = no_rates(law, a, most if law.timed else None)
    code, spot = tf.reduce_max(codes, 1), tf.argmax(codes, 1, output_type=tf.int32)
    lacks = fires & (code < Fault.FIRST) & tf.reduce_any(tf.stack(new) < 0, axis=[0, 2])
    return tf.where(lacks, Fault.FIRST + len(a) + channel, code), tf.where(lacks, cell, spot)


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
    change = [list(row) for row in law.stoichiometry] + [[0] * S] * law.timed
    plus, goal = [[0] * S for _ in change], [np.full(C, -1) for _ in change]
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
