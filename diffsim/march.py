"""The one time loop: from step to step inside a compiled program, over pieces of a schedule.

A piece is a run of equal steps, t_k = base + k·h for k₀ ≤ k < k₁, or, with adapted steps, the way to `end`. A call
marches through up to PIECES of them, writes records where they are asked for, and hands the state back.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import _nest, _tree
from diffsim._compiled import Compiled
from diffsim.operators import tiles

PIECES = 256
LOCATED = 1e-7  # of the time since the last record: how well adapted steps find out when a stop condition is met
RUNNING, STOPPED, SMALL, LOCATING = 0, 1, 2, 3


class Pieces(NamedTuple):
    """Up to PIECES pieces as arrays of one length, of which `count` are used."""

    base: Any  # float64: origin of time
    h: Any  # float64: step
    first: Any  # int64: k₀
    last: Any  # int64: k₁
    end: Any  # float64: time at the end
    save: Any  # bool: record the state there
    count: Any  # int32


class Carry(NamedTuple):
    """All that one step hands to the next."""

    n: Any  # int64, accepted steps since the run began: the index of random numbers
    t: Any  # float64
    y: Any
    memory: Any  # of the stepper
    control: Any  # of the step size, () for equal steps
    rejected: Any  # int64
    status: Any  # int32


class Parts(NamedTuple):
    """The objects that make a program; all are trees of numbers and structure."""

    law: Any
    stepper: Any
    stepsize: Any  # None for equal steps
    stop: Any  # None or a Stop
    fn: Any  # reduces the state to a record; None keeps no records


@functools.lru_cache(maxsize=64)
def program(structure, slots: int, jit: bool, begin: bool):
    """The compiled march for one structure of Parts.

    Args:
        structure: of Parts, from `_tree.flatten`; numbers enter as data, so changing them compiles nothing.
        slots: how many records one call can hold.
        jit: compile with XLA, else run as a TensorFlow graph.
        begin: make the first Carry instead of marching.
    """

    def start(leaves, y, t, direction):
        parts = _tree.unflatten(structure, leaves)
        law = parts.law.prepare(y)
        memory = parts.stepper.init(law, t, y)
        control = () if parts.stepsize is None else parts.stepsize.start(law, parts.stepper, t, y, direction)
        return memory, control

    def run(leaves, carry, pieces, budget, key):
        parts = _tree.unflatten(structure, leaves)
        return march(parts, slots, jit, carry, pieces, budget, key)

    fn = start if begin else run
    return Compiled(structure, lambda: tf.function(fn, jit_compile=jit, autograph=False), taped=False)


def march(parts: Parts, slots: int, jit: bool, carry: Carry, pieces: Pieces, budget, key):
    """(carry, records, pieces completed, whether the state is finite)."""
    law = parts.law.prepare(carry.y)
    parts = parts._replace(law=law)
    arrays = _recorder(parts, slots, carry)
    limit = carry.n + carry.rejected + budget

    def piece(i, slot, carry, arrays):
        carry = _steps(parts, jit, carry, Pieces(*(p[i] for p in pieces[:-1]), pieces.count), limit, key)
        done = tf.equal(carry.t, pieces.end[i]) & (carry.status != SMALL)
        if slots:
            write = done & pieces.save[i]
            arrays = tf.cond(write, lambda: _write(parts, arrays, slot, carry), lambda: arrays)
            slot += tf.cast(write, tf.int32)
        return i + tf.cast(done, tf.int32), slot, carry, arrays

    def more(i, slot, carry, arrays):
        return (i < pieces.count) & _going(carry) & (carry.n + carry.rejected < limit)

    i, _, carry, arrays = tf.while_loop(more, piece, (tf.constant(0), tf.constant(0), carry, arrays))
    return carry, arrays, i, _nest.all_finite(carry.y)


def _recorder(parts, slots, carry):
    if not slots:
        return ()
    like = parts.fn(_nest.to(carry.t, _nest.real_dtype(carry.y)), carry.y)
    return _nest.map(lambda leaf: tf.zeros([slots, *leaf.shape], leaf.dtype), _nest.map(tf.convert_to_tensor, like))


def _write(parts, arrays, slot, carry):
    record = parts.fn(_nest.to(carry.t, _nest.real_dtype(carry.y)), carry.y)
    return _nest.map(lambda a, r: tf.tensor_scatter_nd_update(a, [[slot]], [r]), arrays, record)


def _steps(parts, jit, carry, piece, limit, key):
    """March through one piece."""
    law, stepper, stepsize = parts.law, parts.stepper, parts.stepsize
    real = _nest.real_dtype(carry.y)
    burst = stepper.burst(law, carry.y) if jit and stepsize is None and parts.stop is None else None
    if burst is not None:
        return _in_bursts(burst, law, carry, piece, tf.cast(piece.h, real))
    fixed = stepsize is None
    h_fixed = tf.cast(piece.h, real)
    prepared = stepper.prepare(law, h_fixed) if fixed else None
    k0 = piece.first - carry.n if fixed else tf.zeros([], tf.int64)

    def noise_of(c, h):
        return law.over(key, c.n, c.t, h, c.y)

    def equal(c):
        k = c.n + k0
        step = stepper.step(law, c.t, h_fixed, c.y, c.memory, prepared, noise_of(c, piece.h))
        t = tf.where(k + 1 == piece.last, piece.end, piece.base + tf.cast(k + 1, tf.float64) * piece.h)
        return c._replace(n=c.n + 1, t=t, y=step.y, memory=step.memory)

    def adapted(c):
        h64, left = c.control[0], piece.end - c.t
        lands = tf.abs(h64) >= tf.abs(left) * (1 - 1e-10)
        h64 = tf.where(lands, left, h64)
        h = tf.cast(h64, real)
        step = stepper.step(law, c.t, h, c.y, c.memory, stepper.prepare(law, h), noise_of(c, h64))
        size, order = stepsize.size(step.error, c.y, step.y), stepper.error_order(law)
        good, control = stepsize.judge(size, order, (h64, *c.control[1:]))
        wish = tf.where(good & lands & (tf.abs(control[0]) < tf.abs(c.control[0])), c.control[0], control[0])
        floor = tf.maximum(_nest.to(stepsize.least, tf.float64), 1e-15 * tf.abs(c.t))
        small = ~good & (tf.abs(wish) <= floor)
        t = tf.where(lands, piece.end, c.t + h64)
        one = tf.ones([], tf.int64)
        return Carry(
            c.n + tf.where(good, one, 0),
            tf.where(good, t, c.t),
            _nest.where(good, step.y, c.y),
            _nest.where(good, step.memory, c.memory),
            (wish, *control[1:]),
            c.rejected + tf.where(good, 0 * one, one),
            tf.where(small, SMALL, c.status),
        )

    def body(c):
        new = equal(c) if fixed else adapted(c)
        if parts.stop is None:
            return (new,)
        due = new.n > c.n if stepsize is not None else new.n % parts.stop.every == 0
        met = tf.cond(due, lambda: parts.stop.met(law, parts.stepper, new), lambda: tf.constant(False))
        if fixed:
            return (new._replace(status=tf.where(met, STOPPED, new.status)),)
        return (_located(c, new, due, met, piece),)

    def more(c):
        there = (c.n + k0 < piece.last) if fixed else tf.not_equal(c.t, piece.end)
        return there & _going(c) & (c.n + c.rejected < limit)

    return tf.while_loop(more, body, (carry,))[0]


def _going(carry):
    return (carry.status == RUNNING) | (carry.status == LOCATING)


def _located(old, new, due, met, piece):
    """After an adapted step: once a stop condition is met, halve the step in which it comes to be until it is short."""
    h = new.t - old.t
    least = LOCATED * tf.abs(old.t - piece.base) + 1e-5 * LOCATED * tf.abs(piece.end - piece.base)
    short = tf.abs(h) <= tf.maximum(least, 1e-15 * tf.abs(old.t))
    back, locating = met & ~short, old.status == LOCATING
    one = tf.ones([], tf.int64)
    again = old._replace(n=old.n, rejected=old.rejected + one, status=tf.constant(LOCATING))
    new = new._replace(status=tf.where(met, STOPPED, tf.where(locating & due, LOCATING, new.status)))
    kept = tf.nest.map_structure(lambda a, b: tf.where(back, a, b), again, new)
    half = tf.where(short, h, h / 2)
    wish = tf.where(back | (locating & due), half, kept.control[0])
    return kept._replace(control=(wish, *kept.control[1:]))


def _in_bursts(burst, law, carry, piece, h):
    """March through one piece of equal steps in deep halos: the same numbers to rounding, several times as fast."""

    def drift_at(k, drift):
        if drift is None:
            return None
        t = _nest.to(piece.base + tf.cast(k, tf.float64) * piece.h, h.dtype)
        return lambda leaves: _nest.flatten(drift(t, _nest.pack(carry.y, leaves)))

    def advance(burst, drift, tables, first, last):
        def pair(k, tables):
            for j in range(2):  # an even number of buffers lets the loop go back and forth without copies
                tables = burst.step(tables, h, drift_at(k + j, drift), k + j < last)
            return k + 2, tables

        def block(k, tables):
            stop = k + burst.depth
            return tf.while_loop(lambda k, _: k < stop, pair, (k, burst.refresh(tables, k < last)))

        return tf.while_loop(lambda k, _: k < last, block, (first, tables))[1]

    drift = None if law.drift is None else burst.local(law.drift, h.dtype)
    tables = tiles.march(burst, advance, drift, burst.enter(_nest.flatten(carry.y)), piece.first, piece.last)
    y = _nest.pack(carry.y, burst.leave(tables))
    return carry._replace(n=carry.n + piece.last - piece.first, t=piece.end, y=y)
