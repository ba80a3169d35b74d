"""Tau-leaping: many events at once, while rates hardly change."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest, counts, random
from diffsim._tree import static
from diffsim.steppers.jump import Fault, Reacting, choose, faults, settled, unit_below, waiting

WORTH = 10.0  # leaps over fewer events than this are made event by event


@dataclass(frozen=True)
class TauLeap(Reacting):
    """n ↦ n + Σᵣ νᵣ Kᵣ, Kᵣ ∼ Poisson(aᵣ τ), each trajectory with its own τ: weak order 1 in τ.

    τ is the longest for which neither mean nor spread of Σνᵣ Kᵣ changes any propensity by more than a fraction ε, nor
    would what is consumed by itself, so that in balance, too, spreads are right to a fraction of about ε.
    Reactions within `critical` firings of using something up fire one by one. A leap that would leave fewer molecules
    than none is drawn again with half τ, so numbers never go negative; where leaps do not pay, events are exact. With
    `dt`, τ ≤ dt. Propensities that depend on time are those at the beginning of each leap; how fast they change does
    not shorten it: give a dt in which they hardly do.

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
            a = law.rates(begin + (h - left), n)
            total = tf.add_n(a)
            rare = [self._rare(rate, change, n) for rate, change in zip(a, law.stoichiometry, strict=True)]
            tau = tf.minimum(self._longest(law, a, rare, n), cap)
            single = (tau * total < WORTH) & (tau < left)
            rare = [r | single for r in rare]
            tau = tf.minimum(tf.where(single, endless, tau), left)
            slow = [tf.where(r, rate, 0) for r, rate in zip(rare, a, strict=True)]
            wait = waiting(counts.exponential(high, dtype), tf.add_n(slow))
            fires = wait < tau
            tau = tf.minimum(tau, wait)
            aim = unit_below(low, dtype) * tf.add_n(slow)
            one = choose(law.stoichiometry, slow, aim, n)
            moved = [tf.where(fires, m, v) for m, v in zip(one, n, strict=True)]
            mean = tf.stack([tf.where(r, tf.zeros_like(rate), rate * tau) for r, rate in zip(rare, a, strict=True)])
            words = random._threefry(by_reaction, sites[None], at[None])
            K = tf.unstack(counts.poisson_of(by_reaction, words, mean))
            moved = [_fire(m, K, [c[s] for c in law.stoichiometry]) for s, m in enumerate(moved)]
            going = left > 0
            if not law.elementary:
                code = tf.where(going, faults(law, a, total, one, aim, fires, slow), code)
                going &= code <= Fault.BUSY
            good = going & functools.reduce(tf.logical_and, [m >= 0 for m in moved])
            n = [tf.where(good, m, v) for m, v in zip(moved, n, strict=True)]
            cap = tf.where(good, endless, tau / 2)
            left = tf.where(good, left - tau, left)
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
