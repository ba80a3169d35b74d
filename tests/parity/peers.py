"""The same random outputs of a network, and the same noise, given to diffusers and to diffsim, step by step."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.noise import Noise

SHAPE = (2, 3, 4)
END = 40.0


@dataclass(frozen=True)
class Table:
    """D(z, λ) = a(λ) z + b(λ) m(λ), at the λ of a table: what a network that returned m would mean."""

    lam: np.ndarray
    a: np.ndarray
    b: np.ndarray
    m: np.ndarray

    def __call__(self, z, lam):
        """At the nearest λ."""
        k = tf.argmin(tf.abs(tf.cast(self.lam, tf.float64) - tf.cast(lam, tf.float64)))
        a, b, m = (tf.cast(tf.gather(v, k), z.dtype) for v in (self.a, self.b, self.m))
        return a * z + b * m


@dataclass(frozen=True)
class Given(Noise):
    """Increments √|h|·ξₙ with ξ from a table."""

    xi: np.ndarray

    white = True

    def increment(self, key, n, t, h, like):
        """Row n."""
        return tf.cast(tf.gather(self.xi, n) * tf.sqrt(tf.abs(h)), like.dtype)


def reading(prediction, sigma):
    """(a, b) of D = a z + b m, for α² + σ² = 1, or α + σ = 1 of a flow, s = σ/α given."""
    one = np.ones_like(sigma)
    square = sigma**2 + 1
    return {
        "epsilon": (one, -sigma),
        "sample": (0 * one, one),
        "flow_prediction": (1 / (1 + sigma), -sigma / (1 + sigma)),
        "v_prediction": (1 / square, -sigma / np.sqrt(square)),
    }[prediction]


def outputs(count, seed):
    """Random outputs of a network, and noise."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, *SHAPE)), rng.standard_normal((count, *SHAPE)), rng.standard_normal(SHAPE)


def mesh_of(sigmas):
    """A mesh of diffusers' noise levels, the last of which may be 0."""
    sigmas = np.asarray(sigmas, np.float64)
    with np.errstate(divide="ignore"):
        return gen.Mesh(np.minimum(-np.log(sigmas), END))


def ours(sampler, z, xi):
    """z after each step."""
    law = sampler.law if sampler.law.diffusion is None else ds.Equation(
        sampler.law.linear, sampler.law.drift, sampler.law.diffusion, Given(xi)
    )
    made = ds.generative.samplers.Sampler(law, sampler.stepper, sampler.mesh, sampler.form)
    sol = gen.sample(made, z, key=ds.key(0), save=ds.SaveAt(every=1), jit=False)
    return np.asarray(sol.y)
