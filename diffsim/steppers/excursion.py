"""The path of a particle within a step, at walls where it may be lost."""

from __future__ import annotations

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


def variance(law, t, y, n):
    """|gᵀn|², the variance per time along n: (...)."""
    if _tree.is_number(law.diffusion) and law.noise.white:
        g = _nest.to(law.diffusion, n.dtype)
        return tf.fill(n.shape[:-1], g * g)
    xi = tf.zeros_like(n)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(xi)
        moved = displaced(law, t, y, xi)
    along = tape.gradient(moved, xi, n, tf.UnconnectedGradients.ZERO)
    return tf.reduce_sum(along * along, -1)


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
        hits = 1 if all(wall.certain for wall in walls) else 2
        if not self.random:
            self.uniforms = self.normals = tf.zeros([*lead, hits, count], dtype)
            return
        keys = random.split(random.fold_in(noise.key, purpose), 2)
        inner = law.noise
        while hasattr(inner, "noise"):
            inner = inner.noise
        place = {"step": noise.n, "first": tf.convert_to_tensor(getattr(inner, "first", 0)) if lead else 0}
        self.uniforms = random.uniform(keys[0], [*lead, hits, count], dtype, **place)
        drawn = random.normal(keys[1], [*lead, hits, count + d], dtype, **place)
        self.normals, self.shakes = drawn[..., :count], drawn[..., count:]

    def losses(self, offset):
        """(lost, at which fraction of the step, where, at which wall) of every particle: its first loss."""
        x, dtype = self.x1, self.x1.dtype
        found = tf.fill(x.shape[:-1], False), tf.ones(x.shape[:-1], dtype), x, tf.fill(x.shape[:-1], -1)
        for i, wall in enumerate(self.walls):
            lost, tau, place, label = self._at(wall, i)
            better = lost & (~found[0] | (tau < found[1]))
            found = (
                found[0] | lost,
                tf.where(better, tau, found[1]),
                tf.where(better[..., None], place, found[2]),
                tf.where(better, label + offset, found[3]),
            )
        return found

    def _at(self, wall, i):
        """What happens at one wall: two hits, the first and the last, each with half of the local time."""
        a, b = tf.maximum(wall.gap(self.x0), 0.0), wall.gap(self.x1)
        c, s2 = tf.abs(b), tf.zeros_like(b)
        if self.random:
            s2 = self.h * variance(self.law, self.t, self.y, wall.normal(self.x0))
        u, nu = self.uniforms[..., i], self.normals[..., i] ** 2
        p = crossing.hit(a, b, s2)
        hits = (u[..., 0] < p) | (b <= 0)
        first = crossing.first(a, c, s2, nu[..., 0], tf.math.divide_no_nan(u[..., 0], p))
        free = self._between(0.0 * first, first, self.x0, 0)
        place = self._land(wall, free)
        if wall.certain or not self.random:
            lost = hits if wall.certain else hits & (wall.chance(place, a, c, s2, self.h) >= 1.0)
            return lost, first, place, wall.label(place)
        last = crossing.last(first, c, s2, nu[..., 1])
        other = self._land(wall, self._between(first, last, free, 1))
        half, rest = (1.0 - tf.sqrt(tf.maximum(1.0 - wall.chance(x, a, c, s2, self.h), 0.0)) for x in (place, other))
        at_first = hits & (u[..., 1] < half)
        at_last = hits & (u[..., 1] < half + (1.0 - half) * rest)
        place = tf.where(at_first[..., None], place, other)
        return at_last, tf.where(at_first, first, last), place, wall.label(place)

    def _between(self, start, tau, x, i):
        """Where the path is at τ, between x at `start` and its end: a bridge."""
        rest = 1.0 - start
        part = tf.math.divide_no_nan(tau - start, rest)[..., None]
        moved = x + part * (self.x1 - x)
        if not self.random:
            return moved
        spread = tf.sqrt(self.h * tf.maximum(part * (1.0 - part) * rest[..., None], 0.0))
        return moved + displaced(self.law, self.t, self.y, spread * self.shakes[..., i, :])

    def _land(self, wall, x):
        """The point of the wall next to x."""
        return wall.foot(self.lands(wall.foot(x)))


def outside(distance, x):
    """Which positions are outside by more than rounding."""
    slack = 64 * np.finfo(x.dtype.as_numpy_dtype).eps * max(1e-30, float(tf.reduce_max(tf.abs(x))))
    return np.asarray(distance) > slack
