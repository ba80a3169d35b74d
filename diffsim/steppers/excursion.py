"""The path of a particle within a step, at walls where it may be lost."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _nest, _tree, random
from diffsim._checks import Verbatim, describe, refuse
from diffsim.noise import Correlated
from diffsim.steppers import crossing


def split(y):
    """(position, velocity or None) of a state: a tensor (..., d), or a tuple that begins with it."""
    parts = _nest.flatten(y)
    x = parts[0]
    if isinstance(y, (dict, list)) or x.shape.rank == 0 or not x.dtype.is_floating:
        why, way_out = "walls act on positions", "Put positions first: (x, v), the last axis for the coordinates."
        refuse("y0", Verbatim(describe(y)), "positions (..., d), or a tuple that begins with them", why, way_out)
    lead = x.shape[:-1]
    if any(part.shape[: len(lead)] != lead for part in parts):
        why, way_out = "a particle is lost with all its parts", "Let the leading axes of all parts count particles."
        refuse("y0", Verbatim(describe(y)), f"parts of shape {(*lead, '...')}", why, way_out)
    turns = len(parts) > 1 and parts[1].shape == x.shape
    return x, parts[1] if turns else None


def with_position(y, x):
    """The state with another position."""
    return _nest.pack(y, [x, *_nest.flatten(y)[1:]])


def bridged(law) -> bool:
    """Whether a path between two ends is a Brownian bridge."""
    noise = law.noise
    while hasattr(noise, "noise"):
        noise = noise.noise
    return law.diffusion is not None and noise.white


def displaced(law, t, y, xi):
    """g·ξ, the displacement of the position by white noise ξ."""
    noise = law.noise
    while hasattr(noise, "noise"):
        if isinstance(noise, Correlated):
            xi = tf.linalg.matvec(_nest.to(noise.factor, xi.dtype), xi)
        noise = noise.noise
    return _nest.flatten(law.kick(t, y, with_position(_nest.zeros(y), xi)))[0]


def plain(law) -> bool:
    """Whether noise is one number in all directions."""
    g = law.diffusion
    return _tree.is_number(g) and not np.ndim(g) and law.noise.white


def along(law, t, y, n):
    """(nᵀΣn, Σn/nᵀΣn), Σ = ggᵀ: the variance per time along n, and the way on which a wall of normal n pushes back."""
    if plain(law):
        g = _nest.to(law.diffusion, n.dtype)
        return tf.fill(n.shape[:-1], g * g), n
    xi = tf.zeros_like(n)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(xi)
        moved = displaced(law, t, y, xi)
    gn = tape.gradient(moved, xi, n, tf.UnconnectedGradients.ZERO)
    square = tf.reduce_sum(gn * gn, -1)
    way = tf.math.divide_no_nan(displaced(law, t, y, gn), square[..., None])
    return square, way


def mixes(law) -> bool:
    """Whether noise is correlated between coordinates."""
    noise = law.noise
    while hasattr(noise, "noise"):
        if isinstance(noise, Correlated):
            return True
        noise = noise.noise
    return False


def sideways(law, t, y):
    """n → Σn/nᵀΣn, where walls push back noise that differs by direction; None if it is n."""
    if not bridged(law) or plain(law):
        return None
    return lambda n: along(law, t, y, n)[1]


class Losses(NamedTuple):
    """Who is lost in a step: at which fraction of it, where, at which wall; and where the step of the others ends."""

    lost: Any
    tau: Any
    place: Any
    wall: Any
    kept: Any


class Excursion:
    """One step of all particles, with the random numbers that say what happened in it.

    Args:
        law: a prepared law.
        t: time at the start.
        h: the step.
        y: the state at the start.
        x1: positions where the step would end if there were no walls.
        noise: an Interval, or None.
        purpose: under which numbers are drawn.
        walls: the walls at which it may be lost.
        lands: positions on a wall → the same, within the region.
    """

    def __init__(self, law, t, h, y, x1, noise, purpose, walls, lands):
        self.law, self.t, self.h, self.y, self.lands = law, t, tf.abs(h), y, lands
        self.x0, self.x1 = split(y)[0], x1
        self.random, self.walls = noise is not None and bridged(law), walls
        lead, d, dtype, count = tuple(x1.shape[:-1]), x1.shape[-1], x1.dtype, len(walls)
        if not self.random:
            self.uniforms = self.normals = tf.zeros([*lead, 1, count], dtype)
            return
        keys = random.split(random.fold_in(noise.key, purpose), 2)
        inner = law.noise
        while hasattr(inner, "noise"):
            inner = inner.noise
        place = {"step": noise.n, "first": tf.convert_to_tensor(getattr(inner, "first", 0)) if lead else 0}
        hits, clocks = 2 if any(wall.ports for wall in walls) else 1, 1 if all(wall.certain for wall in walls) else 2
        self.uniforms = random.uniform(keys[0], [*lead, clocks, count], dtype, **place)
        drawn = random.normal(keys[1], [*lead, hits, count + d], dtype, **place)
        self.normals, self.shakes = drawn[..., :count], drawn[..., count:]

    def losses(self, offset) -> Losses:
        """The first loss of every particle, and what walls push back."""
        x, dtype = self.x1, self.x1.dtype
        found = Losses(tf.fill(x.shape[:-1], False), tf.ones(x.shape[:-1], dtype), x, tf.fill(x.shape[:-1], -1), x)
        for i, wall in enumerate(self.walls):
            lost, tau, place, push = self._at(wall, i)
            better = lost & (~found.lost | (tau < found.tau))
            found = Losses(
                found.lost | lost,
                tf.where(better, tau, found.tau),
                tf.where(better[..., None], place, found.place),
                tf.where(better, wall.label(place) + offset, found.wall),
                found.kept - push,
            )
        return found

    def _at(self, wall, i):
        """(lost, when, where, push) at one wall, by the local time ℓ there: a particle is lost that does not endure it.

        That is when the free path, of which walls know nothing, gets as deep as ℓ has grown. With ports there are two
        hits, the first and the last, each with half of ℓ.
        """
        a, b, n = tf.maximum(wall.gap(self.x0), 0.0), wall.gap(self.x1), wall.normal(self.x1)
        rate, way = along(self.law, self.t, self.y, n) if self.random else (tf.zeros_like(b), n)
        s2, chance = self.h * rate, 1.0 - self.uniforms[..., i]

        def passage(deep):
            p = crossing.hit(a + deep, b + deep, s2)
            gets = chance[..., 0] <= p
            deep, u = tf.where(gets, deep, 0.0), tf.math.divide_no_nan(chance[..., 0], p)
            return gets, crossing.first(a + deep, tf.abs(b + deep), s2, self.normals[..., 0, i] ** 2, u)

        if wall.certain:
            deep, push = tf.zeros_like(b), tf.zeros_like(self.x1)
        else:
            e, D = -tf.math.log(chance), self._diffusivity(wall, n, rate)
            depth = crossing.depth(a, b, s2, e[..., 0])
            push = tf.where(s2 > 0, tf.maximum(depth, 0.0), 0.0)[..., None] * way
            deep = tf.zeros_like(b) if wall.ports else wall.endured(self.x1, e[..., -1], D)
        hits, first = passage(deep)
        free = self._between(0.0 * first, first, self.x0, 0)
        aside = None if plain(self.law) else way
        place = self._land(wall, free, aside)
        if not wall.ports:
            return hits, first, place, push
        half, deep = 0.5 * depth, wall.endured(place, e[..., -1], D)
        at_first = hits & (deep <= half)
        if not self.random:
            return at_first, first, place, push
        last = crossing.last(first, tf.abs(b), s2, self.normals[..., 1, i] ** 2)
        other = self._land(wall, self._between(first, last, free, 1), aside)
        rest = e[..., 1] * (1.0 - tf.math.divide_no_nan(half, deep))
        lost = hits & (at_first | (wall.endured(other, rest, D) <= half))
        return lost, tf.where(at_first, first, last), tf.where(at_first[..., None], place, other), push

    def _diffusivity(self, wall, n, rate):
        """nᵀDn at the wall: κ divided by that of where the step began would leave order ½ where D varies."""
        if self.random and not plain(self.law):
            rate, _ = along(self.law, self.t, with_position(self.y, wall.foot(self.x1)), n)
        return 0.5 * rate

    def _between(self, start, tau, x, i):
        """Where the path is at τ, between x at `start` and its end: a bridge."""
        rest = 1.0 - start
        part = tf.math.divide_no_nan(tau - start, rest)[..., None]
        moved = x + part * (self.x1 - x)
        if not self.random:
            return moved
        spread = tf.sqrt(self.h * tf.maximum(part * (1.0 - part) * rest[..., None], 0.0))
        return moved + displaced(self.law, self.t, self.y, spread * self.shakes[..., i, :])

    def _land(self, wall, x, way):
        """Where the wall pushes x back to, along its normal or a way, within the region."""
        if way is not None:
            x = x + wall.gap(x)[..., None] * way
        return wall.foot(self.lands(wall.foot(x)))


def outside(distance, x):
    """Which positions are outside by more than rounding."""
    slack = 64 * np.finfo(x.dtype.as_numpy_dtype).eps * max(1e-30, float(tf.reduce_max(tf.abs(x))))
    return np.asarray(distance) > slack
