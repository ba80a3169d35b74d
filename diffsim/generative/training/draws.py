"""Batches for training as functions of (key, step): which samples, which noise, which levels, which conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from diffsim import random


class Draws(NamedTuple):
    """What a batch is drawn from; `batch(step)` depends on nothing else.

    Attributes:
        arrays: {"x0": …, "label": …, "context": …} as tensors with n rows, or a function of (key, step) that returns
            the like for a batch.
        schedule: of the noise.
        levels: how noise levels are drawn.
        time: (schedule, λ) → what the network is given as time.
        none: the label that stands for "no class".
        drop: how often conditions are left out.
        size: of a batch.
        key: of all draws.
    """

    arrays: dict | Callable
    schedule: Any
    levels: Any
    time: Callable
    none: int
    drop: float
    size: int
    key: Any

    def batch(self, step, memory=()):
        """The batch of a step: x₀, ε, conditions, λ as α, σ and t, and what the levels add."""
        which, noise, level, dropped = random.split(self.key, 4)
        out = dict(self._samples(which, step))
        n, dtype = out["x0"].shape[0], out["x0"].dtype
        out["noise"] = random.normal(noise, out["x0"].shape, dtype, step=step)
        facts = self.levels.draw(self.schedule, level, step, n, memory)
        lam = facts.pop("lam")
        out["alpha"], out["sigma"] = self.schedule.scales(lam)
        out["t"] = self.time(self.schedule, lam)
        if self.drop and ("label" in out or "context" in out):
            gone = random.uniform(dropped, (n,), step=step) < self.drop
            if "label" in out:
                out["label"] = tf.where(gone, tf.cast(self.none, out["label"].dtype), out["label"])
            if "context" in out:
                out["context"] = tf.where(gone[:, None, None], tf.zeros_like(out["context"]), out["context"])
        out |= facts
        return {k: tf.cast(v, dtype) if v.dtype.is_floating else v for k, v in out.items()}

    def example(self):
        """What a function returns for the first step, before anything is traced."""
        return self.arrays(random.split(self.key, 4)[0], tf.constant(0, tf.int64))

    def _samples(self, key, step):
        if callable(self.arrays):
            return self.arrays(key, step)
        n = self.arrays["x0"].shape[0]
        row = tf.cast(tf.floor(random.uniform(key, (self.size,), tf.float64, step=step) * n), tf.int32)
        return {name: tf.gather(a, row) for name, a in self.arrays.items()}


def batches(draw, first: int, last: int, memory=()):
    """The batches of steps first … last − 1, prepared while others are trained on.

    Args:
        draw: `Draws.batch` as a tf.function, so that it is traced once, however often its memory is renewed.
        first: step to begin with.
        last: step to end before.
        memory: what losses tell of times.
    """
    memory = tuple(tf.constant(m) for m in memory)
    made = tf.data.Dataset.range(first, last).map(lambda k: draw(k, memory), num_parallel_calls=2, deterministic=True)
    return made.prefetch(2)
