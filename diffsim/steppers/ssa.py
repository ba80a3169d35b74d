"""Exact simulation of jump processes, all trajectories side by side."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _nest, counts, random
from diffsim.equation import Slot
from diffsim.jump_checks import WHOLE
from diffsim.steppers.cells import on_grid
from diffsim.steppers.jump import Fault, Reacting, choose, faults, finished, look, rows, settled, unit_below, waiting


@dataclass(frozen=True)
class SSA(Reacting):
    """Every event, at its time: P(next after τ | n) = e^{−∫Σa}, and reaction r with probability aᵣ/Σa. Exact.

    All trajectories advance side by side, each through its own events, until the end of the step. What is left of
    the integrated rate until the next event is kept, so a path does not depend on when it is recorded. Random numbers
    are functions of key, trajectory and event. Odds are resolved to 2⁻²⁴ of the total rate in float32, 2⁻³² in float64.

    On a grid hops are events like others, and each event costs one pass over the cells: for small systems.

    Where rates depend on time, candidates come at the rate of the bound and fire with probability Σa/B at their own
    time, in each cell of a grid at the rate of that cell.

    Raises:
        TypeError: at the start of a run, for a law that is no Jump.
        SolveError: on the way, for rates that turn negative or exceed their bound, at which time and numbers.

    References:
        Gillespie (1976), doi:10.1016/0021-9991(76)90041-3; Gibson & Bruck (2000), doi:10.1021/jp993732q, for keeping
        what is left; Lewis & Shedler (1979), doi:10.1002/nav.3800260304, for thinning.
    """

    takes = frozenset({Slot.JUMPS, Slot.HOPS})

    def init(self, law, t, y):
        """One clock for each trajectory."""
        clock = super().init(law, t, y)
        if law.hops is None:
            return clock
        like = tf.zeros(clock.due.shape[: clock.due.shape.rank - law.grid.ndim], clock.due.dtype)
        return clock._replace(due=like - 1, count=tf.zeros(like.shape, tf.int32))

    def step(self, law, t, h, y, memory, prepared, noise):
        """All that happens within h."""
        if law.hops is None:
            return super().step(law, t, h, y, memory, prepared, noise)
        n, clock, code, left = on_grid(law, t, h, law.split(y), memory, noise.key, rows(memory.due.shape, noise.first))
        return finished(law, n, clock, look(law, t + tf.cast(h, t.dtype), n, code, left), y)

    def within(self, law, t, h, n, clock, key, sites):
        """(n, clock, codes, what is left of h) after all events within h."""
        return _direct(law, t, h, n, clock, key, sites)


def _direct(law, t, h, n, clock, key, sites):
    dtype, checked = n[0].dtype, law.checked
    begin = _nest.to(t, dtype)

    def words(count):
        return random._threefry(key, sites, tf.bitcast(count, tf.uint32))

    fresh = counts.exponential(words(clock.count)[0], dtype)
    due = tf.where(clock.due < 0, fresh, clock.due)
    left, lost = tf.zeros_like(due) + h, tf.zeros_like(due)

    def event(n, due, count, left, lost, code):
        if not law.timed:
            a = law.rates(begin + (h - left), n)
            total = tf.add_n(a)
            wait = waiting(due, total)
        else:
            total = law.most(n)
            wait = waiting(due, total)
            a = law.rates(begin + (h - left) + tf.minimum(wait, left), n)
        fires = wait < left
        high, low = words(count + 1)
        aim = unit_below(low, dtype) * total
        moved = choose(law.stoichiometry, a, aim, n)
        if law.timed:
            moved = [tf.where(aim < tf.add_n(a), m, v) for m, v in zip(moved, n, strict=True)]
        if checked:
            code = faults(law, a, total, moved, aim, fires)
            fires &= code <= Fault.BUSY
        spent = wait + lost  # lost: what rounding has left of earlier waits, so that a billion of them add up
        less = left - spent
        new = [tf.where(fires, m, v) for m, v in zip(moved, n, strict=True)]
        due = tf.where(fires, counts.exponential(high, dtype), tf.maximum(due - total * left, 0))
        lost = tf.where(fires, spent - (left - less), lost)
        rest = tf.zeros_like(left)
        if checked:  # where it stopped
            stopped = left - tf.minimum(wait, left) if law.timed else left
            rest = tf.where(code >= Fault.FIRST, stopped, rest)
        crowd = functools.reduce(tf.logical_or, [v >= WHOLE[dtype] for v in new])  # one more makes no difference
        left = tf.where(fires & ~crowd, less, rest)
        return new, due, tf.where(fires, count + 1, count), left, lost, settled(code, left)

    def more(n, due, count, left, lost, code):
        if not checked:
            return tf.reduce_any(left > 0)
        return tf.equal(tf.reduce_max(code), Fault.BUSY)

    start = (n, due, clock.count, left, lost, settled(tf.fill(due.shape, Fault.CALM), left))
    n, due, count, left, _, code = tf.while_loop(more, event, start)
    return n, clock._replace(due=due, count=count), code, left
