"""Molecules diffuse in a region, turn back at its walls or go round, and react with its surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _nest, random
from diffsim.boundary import Neumann, Periodic, Robin
from diffsim.equation import Equation
from diffsim.geometry import Box
from diffsim.noise import Brownian
from diffsim.particles.pool import Pool
from diffsim.steppers import faces
from diffsim.steppers.excursion import Excursion

MOVE, SURFACE = 0x6D6F7665, 0x73757266  # "move", "surf": under which numbers are drawn


@dataclass(frozen=True)
class Amplitude:
    """√(2D) of each molecule."""

    value: Any

    def __call__(self, t, x):
        """As a state like x."""
        return tf.broadcast_to(self.value[..., None], x.shape)


def by_kind(values, kind):
    """values[kind], numbers for each species; 0 for empty places."""
    table = tf.stack([_nest.to(v, kind.dtype) for v in (0.0, *values)])
    return tf.gather(table, tf.cast(kind, tf.int32) + 1)


def diffused(law, t, h, y: Pool, noise) -> Pool:
    """x + √(2Dh) ξ, and what walls make of it."""
    x, kind = y
    spread = tf.sqrt(2.0 * by_kind(law.D, kind))
    place = {"step": noise.n, "first": law.first}
    xi = random.normal(random.fold_in(noise.key, MOVE), x.shape, x.dtype, **place)
    free = x + (spread * tf.sqrt(h))[..., None] * xi
    if not law.surfaces:
        return Pool(turned(law, x, free), kind)
    motion = Equation(diffusion=Amplitude(spread), noise=Brownian(law.first))
    walls = _walls(law, x, kind)
    excursion = Excursion(motion, t, h, x, free, noise, SURFACE, walls, lambda x: turned(law, x, x))
    found = excursion.losses(0)
    lost, moved = found.lost & (kind >= 0), turned(law, x, found.kept)
    new = kind
    for m, surface in enumerate(law.surfaces):
        here = tf.equal(found.wall, law.label(m)) if law.ports else tf.fill(kind.shape, True)
        for s, product in surface.products:
            new = tf.where(lost & here & tf.equal(kind, s), tf.zeros_like(kind) + product, new)
    return Pool(tf.where(lost[..., None], turned(law, found.place, found.place), moved), new)


def turned(law, start, x):
    """x back into the region."""
    if isinstance(law.region, Box):
        return faces.fold(law.region, law.boundary, x, [])[0]
    return faces.mirror([faces.Surface(law.region, Neumann(), ())], start, x, [])[0]


def _walls(law, x, kind):
    """The walls at which molecules react, each as fast as its species does."""
    kappa = [Robin(by_kind(surface.rates(len(law.species)), kind)) for surface in law.surfaces]
    if not law.ports and isinstance(law.region, Box):
        own = tuple(tuple(c if isinstance(c, Periodic) else kappa[0] for c in pair) for pair in law.boundary)
        return faces.sides(law.region, own, x)
    main = next((k for k, s in zip(kappa, law.surfaces, strict=True) if s.port is None), Neumann())
    ports = tuple((s.port, k) for k, s in zip(kappa, law.surfaces, strict=True) if s.port is not None)
    return faces.surface(law.region, main, ports)
