"""Reactions as they happen: of one molecule, of two, and of none."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import _nest, counts, random
from diffsim.particles.births import Born
from diffsim.particles.meeting import meet
from diffsim.particles.moving import by_kind, turned
from diffsim.particles.pool import Pool

PURPOSES = ALONE, APART, FAR, MEET, BIRTH, PLACE = range(0x72656100, 0x72656106)  # "rea…": what numbers are for


class Now(NamedTuple):
    """What reactions of one step need.

    Attributes:
        law: Molecules.
        odds: what may happen.
        plan: cells, in which partners are sought, and how many can come out of nothing.
        h: the step.
        noise: key and number of the step.
        lead: leading axes of the state.
        keys: of each purpose, under which numbers are drawn.
    """

    law: Any
    odds: Any
    plan: Any
    h: Any
    noise: Any
    lead: tuple
    keys: tuple

    @classmethod
    def of(cls, law, odds, plan, h, noise, lead):
        """With keys of their own for all purposes."""
        return cls(law, odds, plan, h, noise, lead, random.folded(noise.key, PURPOSES))

    def key(self, purpose):
        """Under which numbers are drawn."""
        return self.keys[PURPOSES.index(purpose)]

    @property
    def place(self):
        """Step and first row of draws whose first axes are `lead`."""
        return {"step": self.noise.n, "first": self.law.first if len(self.lead) > 1 else 0}

    def chance_alone(self, kind):
        """With which each reacts alone."""
        chances = {s: p for (s, _), (p, _) in zip(self.law.scheme.singles, self.odds.alone, strict=True)}
        return by_kind([chances.get(s, 0.0) for s in range(len(self.law.species))], kind)

    def uniform(self, purpose, y):
        """On (0, 1], one for each place, with full relative precision near zero."""
        words = random.bits(self.key(purpose), self.lead, **self.place)
        return tf.reshape(counts.unit(words[0], y.x.dtype), y.kind.shape)


def alone(now: Now, y: Pool):
    """(pool, newborn, who has reacted) after reactions of one molecule."""
    singles = now.law.scheme.singles
    if not singles:
        return y, [], tf.fill(y.kind.shape, False)
    chance = now.chance_alone(y.kind)
    u = now.uniform(ALONE, y)
    reacts = (u <= chance) & (chance > 0)
    flat = [c for _, changes in singles for c in changes]
    which = _which(now, y.kind, u / tf.where(reacts, chance, 1.0))
    place = other = y.x
    if any(c.undoes >= 0 for c in flat):
        place, other, room = tf.cond(
            tf.reduce_any(reacts), lambda: _apart(now, y, flat, which), lambda: (y.x, y.x, tf.fill(y.kind.shape, True))
        )
        reacts &= room
    born = _extras(flat, which, reacts, other)
    kind = tf.where(reacts, _pick([c.first for c in flat], which, y.x.dtype), y.kind)
    return Pool(tf.where(reacts[..., None], place, y.x), kind), born, reacts


def _which(now, kind, aim):
    """The number of the change, counted through all species that react alone, on which the aim falls."""
    which, start = tf.zeros(kind.shape, tf.int32), 0
    for (s, changes), (_, shares) in zip(now.law.scheme.singles, now.odds.alone, strict=True):
        which = tf.where(tf.equal(kind, s), start + _fall(aim, shares), which)
        start += len(changes)
    return which


def _fall(aim, shares):
    """In which of the shares of 1 the aim is."""
    m, below = tf.zeros(aim.shape, tf.int32), tf.zeros([], aim.dtype)
    for share in shares[:-1]:
        below = below + share
        m += tf.cast(aim > below, tf.int32)
    return m


def _apart(now, y, flat, which):
    """(position of the first, of the second, whether walls leave room for both) where pairs come apart."""
    law, dtype, d = now.law, y.x.dtype, y.x.shape[-1]
    z = tf.reshape(random.normal(now.key(APART), (*now.lead, d), dtype, **now.place), y.x.shape)
    radii = [now.odds.pairs[c.undoes][0] if c.undoes >= 0 else tf.zeros([], dtype) for c in flat]
    far = tf.gather(tf.stack(radii), which) * now.uniform(FAR, y) ** (1 / d)
    r = z * (far / tf.norm(z, axis=-1))[..., None]
    moves = [_moves(law.D, c, dtype) for c in flat]
    both = tf.stack([y.x + tf.gather(tf.stack([m[i] for m in moves]), which)[..., None] * r for i in (0, 1)])
    room = tf.reduce_all(law.within(both) <= 0, 0)
    return *tf.unstack(turned(law, both, both)), room


def _moves(D, change, dtype):
    """What part of their distance each of a pair moves: the centre of diffusion, or who was there, rests."""
    if change.undoes < 0:
        return tf.zeros([2], dtype)
    if change.shares is None:
        return tf.constant([0.0, 1.0], dtype)
    first, second = (_nest.to(D[s], dtype) for s in change.shares)
    share = tf.where(first + second > 0, tf.math.divide_no_nan(first, first + second), 0.5)
    return tf.stack([-share, 1 - share])


def together(now: Now, y: Pool, busy):
    """(pool, newborn, how many found no room in a cell) after reactions of pairs; who is busy takes no part."""
    pairs, law = now.law.scheme.pairs, now.law
    if not pairs:
        return y, [], tf.constant(0)
    N, shape = y.kind.shape.num_elements(), y.kind.shape
    ids = tf.cast(tf.range(N), tf.uint32) + tf.cast(now.place["first"], tf.uint32) * tf.constant(shape[1], tf.uint32)
    key = random.fold_in(now.key(MEET), now.noise.n)
    met = meet(pairs, now.odds.pairs, now.plan.cells, y.x, tf.where(busy, tf.zeros_like(y.kind) - 1, y.kind), ids, key)
    flat = [c for p in pairs for c in p.changes]
    which, start = tf.zeros([N], tf.int32), 0
    for m, p in enumerate(pairs):
        k = tf.stack([_nest.to(law.k[c.r], y.x.dtype) for c in p.changes])
        own = start + _fall(met.aim, tf.unstack(tf.math.divide_no_nan(k, tf.reduce_sum(k))))
        which, start = tf.where(tf.equal(met.pair, m), own, which), start + len(p.changes)
    x, kind = tf.reshape(y.x, [N, -1]), tf.reshape(y.kind, [N])
    left, right = met.partner >= 0, met.owner >= 0
    dtype = x.dtype
    new = tf.where(left, _pick([c.left for c in flat], which, dtype), kind)
    new = tf.where(right, _pick([c.right for c in flat], tf.gather(which, tf.maximum(met.owner, 0)), dtype), new)
    if any(c.central for c in flat):
        other = tf.maximum(met.partner, 0)
        D = by_kind(law.D, kind), by_kind(law.D, tf.gather(kind, other))
        share = tf.where(D[0] + D[1] > 0, tf.math.divide_no_nan(D[0], D[0] + D[1]), 0.5)
        centre = x + share[:, None] * now.plan.cells.separation(x, tf.gather(x, other))
        moves = left & (_pick([float(c.central) for c in flat], which, dtype) > 0)
        x = tf.where(moves[:, None], turned(law, x, centre), x)
    x = tf.reshape(x, y.x.shape)
    born = _extras(flat, tf.reshape(which, shape), tf.reshape(left, shape), x)
    return Pool(x, tf.reshape(new, shape)), born, met.left


def newborn(now: Now, y: Pool) -> list[Born]:
    """What comes out of nothing: a Poisson number, anywhere, at any time of the step; it may react in the rest."""
    law, dtype, (boxes, _, d) = now.law, y.x.dtype, y.x.shape
    births = law.scheme.births
    if not births:
        return []
    outer, plan = now.lead[:-1] or (1,), now.plan
    size = _nest.to(plan.size, dtype)
    k = tf.stack([_nest.to(law.k[b.r], dtype) for b in births])
    mean = tf.fill(outer, tf.reduce_sum(k) * tf.reduce_prod(size) * now.h)
    number = tf.reshape(counts.poisson(now.key(BIRTH), mean, **now.place), [boxes, 1])
    u = random.uniform(now.key(PLACE), (*outer, plan.births, d + 4), dtype, **now.place)
    u = tf.reshape(u, [boxes, plan.births, d + 4])
    x = _nest.to(plan.lower, dtype) + size * u[..., :d]
    there = (tf.range(plan.births, dtype=dtype) < number) & (law.within(x) <= 0)
    which = _fall(u[..., d], tf.unstack(tf.math.divide_no_nan(k, tf.reduce_sum(k))))
    groups = []
    for e in range(max(len(b.products) for b in births)):
        kinds = [b.products[e] if e < len(b.products) else -1 for b in births]
        kind = tf.where(there, _pick(kinds, which, dtype), -1.0)
        groups.append(Born(x, _aged(now, kind, *tf.unstack(u[..., d + 1 :], axis=-1))))
    return groups


def _aged(now, kind, age, u, aim):
    """What has become of the newborn in this part of the step, where one molecule becomes one or none."""
    singles = now.law.scheme.singles
    if not singles:
        return kind
    flat = [c for _, changes in singles for c in changes]
    chance = now.chance_alone(kind)
    reacts = u < -tf.math.expm1(age * tf.math.log1p(-chance))
    which = _which(now, kind, aim)
    simple = _pick([float(not c.extras and c.undoes < 0) for c in flat], which, kind.dtype) > 0
    return tf.where(reacts & simple, _pick([c.first for c in flat], which, kind.dtype), kind)


def _extras(changes, which, happens, x) -> list[Born]:
    """What is born of changes: a group for each molecule that one of them leaves beyond those that took part."""
    groups = []
    for e in range(max(len(c.extras) for c in changes)):
        kinds = [c.extras[e] if e < len(c.extras) else -1 for c in changes]
        groups.append(Born(x, tf.where(happens, _pick(kinds, which, x.dtype), -1.0)))
    return groups


def _pick(values, which, dtype):
    """values[which]."""
    return tf.gather(tf.constant(values, dtype), which)
