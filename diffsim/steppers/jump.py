"""What steppers of jump processes share: clocks, choices, and what can go wrong."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import _checks, _nest, jump_checks
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper


class Clock(NamedTuple):
    """What a trajectory remembers between steps, and what has gone wrong."""

    due: Any  # of the integrated total rate, until the next candidate event; negative: not drawn yet
    count: Any  # int32, candidates so far: the index of random numbers
    fault: Any  # int32, 0: none; else what `Fault` names
    where: Any  # (2 + S,) when it happened, a value, and the numbers of molecules


class Fault:
    """Codes of trajectories: CALM and BUSY ones are well. From FIRST on it cannot go on.

    R codes for rates that are none, R for reactions that lack molecules, S for too many of a species, 1 for the bound.
    """

    CALM, BUSY, FIRST = 0, 1, 2


class Jumping(Stepper):
    """What steppers of jump processes share: a step of any length is made of as many events as it takes."""

    takes = frozenset({Slot.JUMPS})
    order = 1

    def bind(self, law, h):
        """Refuse laws that are no jump processes, and steps backwards in time."""
        if Slot.JUMPS not in law.slots():
            why, way_out = f"{type(self).__name__} fires reactions", "Use EulerMaruyama(), ETD1() or Tsit5()."
            _checks.refuse("law", _checks.Verbatim(type(law).__name__), "a Jump", why, way_out, TypeError)
        self.check_slots(law)
        if h is not None and h < 0:
            why = "what has fired cannot be told from the numbers it left"
            _checks.refuse("t", _checks.Verbatim("decreasing times"), "increasing ones", why, "Turn them round.")
        return self, law

    def init(self, law, t, y):
        """No event is due yet, and nothing is wrong."""
        n = law.split(y)
        none = tf.zeros([], tf.int32)
        return Clock(tf.zeros_like(n[0]) - 1, tf.zeros(n[0].shape, tf.int32), none, tf.zeros([2 + len(n)], n[0].dtype))

    def complaint(self, law, memory) -> str | None:
        """What went wrong, as a message."""
        code, R = int(memory.fault) - Fault.FIRST, len(law.stoichiometry)
        t, value, *n = (float(v) for v in memory.where)
        if code < 0:
            return None
        if code < R:
            return jump_checks.complaint(law, code, value, n, t)
        if code < 2 * R:
            return jump_checks.lacking(law, code - R, n, t)
        if code == 2 * R + len(n):
            return jump_checks.unbounded(law, n, t)
        return jump_checks.crowded(law, code - 2 * R, n[code - 2 * R])


def choose(stoichiometry, a, aim, n):
    """The numbers after the reaction in whose share of the total rate `aim` falls."""
    change: list = [0.0] * len(n)
    below = tf.zeros_like(aim)
    for r, rate in enumerate(a):
        here = (rate > 0) & (aim >= below)  # the last of these: rounding cannot choose what has no rate
        for s, v in enumerate(stoichiometry[r]):
            same = isinstance(change[s], float) and change[s] == float(v)
            change[s] = change[s] if same else tf.where(here, _nest.to(float(v), aim.dtype), change[s])
        below = below + rate
    return [v + c for v, c in zip(n, change, strict=True)]


def faults(law, a, total, moved, aim, fires, slow=None):
    """For each trajectory what cannot go on, if anything; `slow` are the rates among which `aim` chooses."""
    R, code = len(a), no_rates(law, a, total if law.timed else None)
    below = tf.zeros_like(aim)
    for r in range(R):
        takes = [m for m, v in zip(moved, law.stoichiometry[r], strict=True) if v < 0]
        share = (a if slow is None else slow)[r]
        here = fires & (share > 0) & (aim >= below) & (aim < below + share)
        for m in takes:
            code = tf.where(here & (m < 0), Fault.FIRST + R + r, code)
        below = below + share
    return code


def no_rates(law, a, most=None):
    """For each trajectory or cell which of the rates is none, if any, or whether all together exceed `most`."""
    code = tf.fill(a[0].shape, Fault.CALM)
    for r, rate in enumerate(a):
        code = tf.where((rate >= 0) & (rate < math.inf), code, Fault.FIRST + r)
    if most is not None:
        code = tf.where(tf.add_n(a) > most * (1 + 1e-5), Fault.FIRST + 2 * len(a) + len(law.species), code)
    return code


class Reacting(Jumping):
    """Steppers of reactions, which fire at each site by itself."""

    strides = True

    def step(self, law, t, h, y, memory, prepared, noise):
        """All that happens within h."""
        n = law.split(y)
        n, clock, code, left = self.within(law, t, h, n, memory, noise.key, rows(n[0].shape, noise.first))
        return finished(law, n, clock, look(law, t + tf.cast(h, t.dtype), n, code, left), y)

    @abstractmethod
    def within(self, law, t, h, n, clock, key, sites):
        """(n, clock, codes, what is left of h) after the reactions within h, at each of independent sites.

        Args:
            law: rates, stoichiometry, bound.
            t: float64 scalar, the beginning.
            h: scalar.
            n: the numbers of each species, tensors of one shape.
            clock: `due` and `count` of that shape.
            key: of the run.
            sites: uint32, the number of each site, of that shape.
        """


def finished(law, n, clock, found, y) -> Step:
    """The step's end: a state of NaN if anything has gone wrong, which stops a run; what went wrong first is kept."""
    before = clock.fault >= Fault.FIRST
    fault, where = (tf.where(before, old, new) for old, new in zip((clock.fault, clock.where), found, strict=True))
    y = _nest.map(lambda a: tf.where(fault >= Fault.FIRST, _nest.to(math.nan, a.dtype), a), law.join(n, y))
    return Step(y, None, clock._replace(fault=fault, where=where))


def look(law, end, n, code, left):
    """(fault, where) of the first trajectory that cannot go on; species that float numbers cannot count are one.

    Args:
        law: for its rates.
        end: float64 scalar, when the step ends.
        n: the numbers of each species.
        code: of each trajectory or cell.
        left: how long before the end each of them stopped.
    """
    R, most = len(law.stoichiometry), jump_checks.WHOLE[n[0].dtype]
    for s, v in enumerate(n):
        code = tf.where(v >= most, Fault.FIRST + 2 * R + s, code)
    flat = tf.reshape(code, [-1])
    at = tf.argmax(flat)
    fault = tf.gather(flat, at)  # by slicing, XLA would try to find the place while it compiles
    when = _nest.to(end, n[0].dtype) - left
    value = tf.zeros([], n[0].dtype)
    if law.checked:
        a = tf.stack([tf.gather(tf.reshape(rate, [-1]), at) for rate in law.rates(when, n)])
        value = tf.gather(a, tf.clip_by_value(fault - Fault.FIRST, 0, R - 1))
    return fault, tf.stack([tf.gather(tf.reshape(v, [-1]), at) if v is not value else v for v in (when, value, *n)])


def rows(shape, first):
    """The number of each trajectory or cell within the whole ensemble, uint32."""
    index = tf.reshape(tf.range(shape.num_elements()), shape)
    per_row = math.prod(shape[1:])
    return tf.cast(index, tf.uint32) + tf.cast(first, tf.uint32) * tf.constant(per_row, tf.uint32)


def waiting(due, total):
    """How long until the integrated rate has grown by `due`: for ever where nothing can happen, also at −0."""
    return tf.where(total > 0, due / total, _nest.to(math.inf, total.dtype))


def settled(code, left):
    """Codes: who is well is busy while time is left."""
    return tf.where(code >= Fault.FIRST, code, tf.where(left > 0, Fault.BUSY, Fault.CALM))


def unit_below(word, dtype):
    """Uniform on [0, 1)."""
    if dtype == tf.float32:
        return tf.cast(tf.bitcast(tf.bitwise.right_shift(word, 8), tf.int32), dtype) * 2.0**-24
    return tf.cast(word, dtype) * 2.0**-32
