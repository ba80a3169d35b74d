"""How well a sampler does on a Gaussian, exactly: it is a linear map there, of the first state and of the noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, random
from diffsim.generative.exact import Mixture
from diffsim.generative.sample import sample
from diffsim.generative.samplers import Sampler
from diffsim.noise import Noise


@dataclass(frozen=True)
class Impulses(Noise):
    """ξ = √|h| in step n for row n + 2 only: the response to it is the factor of that step's noise."""

    scale: Any = 1.0

    white = True

    def increment(self, key, n, t, h, like):
        """A unit impulse."""
        rows = tf.range(tf.shape(like)[0], dtype=tf.int64)
        hit = tf.cast(tf.equal(rows, n + 2), like.dtype)[:, None]
        return hit * tf.cast(self.scale, like.dtype) * tf.cast(tf.sqrt(tf.abs(h)), like.dtype) * tf.ones_like(like)


def moments(sampler: Sampler, data: Mixture, *, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance, exact to rounding, of what a sampler makes of noise when data are a Gaussian.

    Args:
        sampler: made with `data` as its denoiser, or another that is linear in z, in coordinates that do not mix.
        data: `gen.Gaussian(mean, variances)`; z starts from its exact law at the first λ.
        scale: a factor of the sampler's noise, to see that any but 1 is wrong.

    Returns:
        Mean and variance, shape (d,).
    """
    if data.weights.size != 1 or data.axes is not None:
        why = "only then is each coordinate a linear map of noise"
        _checks.refuse("data", data, "a Gaussian without correlations", why, "Use gen.Gaussian(mean, variances).")
    d, steps = data.means.shape[1], sampler.mesh.steps
    rows = np.zeros([steps + 2, d])
    rows[1] = 1.0
    noisy = sampler.law.diffusion is not None
    law = replace(sampler.law, noise=Impulses(float(scale))) if noisy else sampler.law
    end = sample(replace(sampler, law=law), rows, key=random.key(0) if noisy else None, jit=False).final.numpy()
    offset, factor, kicks = end[0], end[1] - end[0], end[2:] - end[0]
    variance = data.variances[0] + np.exp(-2 * sampler.mesh.lam[0])
    return offset + factor * data.means[0], factor**2 * variance + (kicks**2).sum(0)


def wasserstein(sampler: Sampler, data: Mixture) -> float:
    """The Wasserstein-2 distance √(|m − m₀|² + Σ(s − s₀)²) of a sampler's Gaussian from the data's."""
    mean, variance = moments(sampler, data)
    return float(np.sqrt(((mean - data.means[0]) ** 2).sum() + ((variance**0.5 - data.variances[0] ** 0.5) ** 2).sum()))
