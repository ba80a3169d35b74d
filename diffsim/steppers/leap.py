"""Tau-leaping: many events at once, while rates hardly change."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest, counts, random
from diffsim._tree import static
from diffsim.steppers.jump import Fault, Reacting, choose, faults, no_rates, settled, unit_below, waiting

WORTH = 10.0  # leaps over fewer events than this are made event by event


@dataclass(frozen=True)
class TauLeap(Reacting):
    """n ↦ n + Σᵣ νᵣ Kᵣ, Kᵣ ∼ Poisson(aᵣ τ), each trajectory with its own τ: weak order 1 in τ.

    τ is the longest for which neither mean nor spread of Σνᵣ Kᵣ changes any propensity by more than a fraction ε, nor
    would what is consumed by itself, so that in balance, too, spreads are right to a fraction of about ε.
    Reactions within `critical` firings of using something up fire one by one. A leap that would leave fewer molecules
    than none is drawn again with half τ, so numbers never go negative; where leaps do not pay, events are exact. With
    `dt`, τ ≤ dt.

    Propensities that depend on time are integrated over the leap, Kᵣ ∼ Poisson(∫aᵣ(s, n) ds) by two Gauss points, and
    the largest of those seen bounds τ; events one by one are thinned, as by `SSA`. A pulse between all points of a
    leap is missed: let dt be no longer than pulses.

    Args:
        epsilon: ε > 0, tolerated relative change of a propensity in one leap.
        critical: how many firings away a reaction is watched.

    Raises:
        ValueError: ε is not positive, critical is negative.

    References:
        Cao, Gillespie & Petzold (2006), doi:10.1063/1.2159468; (2005), doi:10.1063/1.1992473.
    """

    epsilon: float = 0.03
    critical: int = static(default=10)

    def __post_init__(self):
        why = "it is a fraction of a rate"
        object.__setattr__(self, "epsilon", _checks.number("epsilon", self.epsilon, above=0.0, why=why))
        _checks.integer("critical", self.critical, least=0, why="it counts firings")

    def within(self, law, t, h, n, clock, key, sites):
        """(n, clock, codes, what is left of h) after all leaps within h."""
        dtype, R = n[0].dtype, len(law.stoichiometry)
        begin, keys = _nest.to(t, dtype), tf.stack(random.split(key, R))
        by_reaction = tuple(tf.reshape(keys[:, i], [R] + [1] * n[0].shape.rank) for i in (0, 1))
        endless = tf.fill(n[0].shape, _nest.to(math.inf, dtype))

        def leap(n, count, left, cap, code):
            at = tf.bitcast(count + 1, tf.uint32)
            high, low = random._threefry(key, sites, at)
            now = begin + (h - left)
            a = law.rates(now, n)
            course = _Course(law, now, n, a) if law.timed else None
            peak = a if course is None else self._peak(law, course, n, tf.minimum(cap, left))
            rare = [self._rare(rate, change, n) for rate, change in zip(peak, law.stoichiometry, strict=True)]
            tau = tf.minimum(self._longest(law, peak, rare, n), cap)
            single = (tau * tf.add_n(peak) < WORTH) & (tau < left)
            if course is not None:
                frequent = [~r & (rate > 0) for r, rate in zip(rare, peak, strict=True)]
                single |= ~functools.reduce(tf.logical_or, frequent)
            rare = [r | single for r in rare]
            tau = tf.minimum(tf.where(single, endless, tau), left)
            a = a if course is None else course.mean(tau)
            slow = [tf.where(r, rate, 0) for r, rate in zip(rare, a, strict=True)]
            pace = tf.add_n(slow) if course is None else tf.where(single, course.most, tf.add_n(slow))
            wait = waiting(counts.exponential(high, dtype), pace)
            fires = wait < tau
            tau = tf.minimum(tau, wait)
            aim = unit_below(low, dtype) * pace
            if course is not None:
                slow = [tf.where(single, then, rate) for then, rate in zip(course.after(tau), slow, strict=True)]
                fires &= ~single | (aim < tf.add_n(slow))
                a = course.mean(tau)
            one = choose(law.stoichiometry, slow, aim, n)
            moved = [tf.where(fires, m, v) for m, v in zip(one, n, strict=True)]
            mean = tf.stack([tf.where(r, tf.zeros_like(rate), rate * tau) for r, rate in zip(rare, a, strict=True)])
            words = random._threefry(by_reaction, sites[None], at[None])
            K = tf.unstack(counts.poisson_of(by_reaction, words, mean))
            moved = [_fire(m, K, [c[s] for c in law.stoichiometry]) for s, m in enumerate(moved)]
            going, stopped = left > 0, left
            if law.checked:
                if course is None:
                    found = faults(law, a, pace, one, aim, fires, slow)
                else:
                    found, since = course.fault(faults(law, course.a, course.most, one, aim, fires, slow))
                    stopped = left - since
                code = tf.where(going, found, code)
                going &= code <= Fault.BUSY
            good = going & functools.reduce(tf.logical_and, [m >= 0 for m in moved])
            n = [tf.where(good, m, v) for m, v in zip(moved, n, strict=True)]
            cap = tf.where(good, endless, tau / 2)
            left = tf.where(good, left - tau, tf.where(code >= Fault.FIRST, stopped, left))
            count = tf.where(going, count + 1, count)
            return n, count, left, cap, settled(code, left)

        left = tf.zeros_like(n[0]) + h
        start = n, clock.count, left, endless, settled(tf.fill(left.shape, Fault.CALM), left)
        n, count, left, _, code = tf.while_loop(lambda *c: tf.equal(tf.reduce_max(c[4]), Fault.BUSY), leap, start)
        return n, clock._replace(count=count), code, left

    def _rare(self, rate, change, n):
        """Whether a reaction is close to using something up."""
        close = [v < self.critical * -c for v, c in zip(n, change, strict=True) if c < 0]
        return functools.reduce(tf.logical_or, close, tf.zeros_like(rate, tf.bool)) & (rate > 0)

    def _peak(self, law, course, n, cap):
        """The largest rates seen at the beginning and over what would be the leap, had rates stayed as they are."""
        rare = [self._rare(rate, change, n) for rate, change in zip(course.a, law.stoichiometry, strict=True)]
        seen = course.points(tf.minimum(self._longest(law, course.a, rare, n), cap))
        return [tf.maximum(rate, tf.maximum(*others)) for rate, *others in zip(course.a, *seen, strict=True)]

    def _longest(self, law, a, rare, n):
        """The longest τ for which no propensity is expected to change by more than a fraction ε."""
        tau = tf.fill(n[0].shape, _nest.to(math.inf, n[0].dtype))
        often = [tf.where(r, tf.zeros_like(rate), rate) for r, rate in zip(rare, a, strict=True)]
        for s, v in enumerate(n):
            g = _sensitivity(law, s, v)
            column = [change[s] for change in law.stoichiometry]
            if g is None or not any(column):
                continue
            drift = tf.abs(_fire(tf.zeros_like(v), often, column))
            spread = _fire(tf.zeros_like(v), often, [c * c for c in column])
            room = tf.maximum(_nest.to(self.epsilon, v.dtype) * v / g, 1)
            used = _fire(tf.zeros_like(v), often, [max(0, -c) for c in column])
            tau = tf.minimum(tau, tf.minimum(tf.minimum(room / drift, room * room / spread), room / used))
        return tau


class _Course:
    """The rates of reactions over a leap, numbers of molecules being what they are; all that were seen are checked."""

    def __init__(self, law, now, n, a):
        self.law, self.now, self.n, self.a = law, now, n, a
        self.most = law.most(n)
        self.seen = [(tf.zeros_like(now), a)]

    def after(self, tau):
        """The rates at a time after the beginning."""
        a = self.law.rates(self.now + tau, self.n)
        self.seen.append((tau, a))
        return a

    def points(self, tau):
        """The rates at the two Gauss points of a leap."""
        return [self.after(tau * (0.5 + side * 0.5 / 3**0.5)) for side in (-1, 1)]

    def mean(self, tau):
        """∫₀^τ a ds / τ, exact for cubics."""
        return [(low + high) / 2 for low, high in zip(*self.points(tau), strict=True)]

    def fault(self, code):
        """(codes, when after the beginning) of the first rates that are none or too many, if any are."""
        since = tf.zeros_like(self.now)
        for tau, a in self.seen:
            found = no_rates(self.law, a, self.most)
            new = (code < Fault.FIRST) & (found >= Fault.FIRST)
            code, since = tf.where(new, found, code), tf.where(new, tau, since)
        return code, since


def _sensitivity(law, s, v):
    """gₛ: a relative change δ of species s changes a propensity by at most gₛδ; None if none depends on it."""
    if not law.elementary:
        return 3.0
    found = None
    for orders in law.propensities.orders:
        m, own = sum(orders), orders[s]
        if own:
            g = sum(v / tf.maximum(v - i, 1) if i else tf.ones_like(v) for i in range(own)) * (m / own)
            found = g if found is None else tf.maximum(found, g)
    return found


def _fire(n, K, column):
    """n + Σᵣ νᵣ Kᵣ for one species."""
    return tf.add_n([n, *(float(c) * k for k, c in zip(K, column, strict=True) if c)])
