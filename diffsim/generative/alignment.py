"""Guidance by embeddings: samples whose own embedding points where that of a text, or of another image, does.

With θ the angle between two embeddings, p(e | x) ∝ e^{κ cos θ} is von Mises' and Fisher's law of directions about
that of x, of concentration κ, and e^{−κθ²/2} nearly the same, with a pull that grows to the far side of the sphere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.generative.posterior import Steered, steer


def cosine_similarity(a, b):
    """cos θ = a·b/|a||b| along the last axis."""
    return tf.reduce_sum(_direction(a) * _direction(b), -1)


def spherical_similarity(a, b):
    """1 − θ²/2 along the last axis: cos θ to second order, with a slope that does not fade where θ is large.

    θ²/2 is what is called the spherical distance where diffusion is led by CLIP.
    """
    chord = _direction(a) - _direction(b)
    most = 1 - 4 * np.finfo(chord.dtype.as_numpy_dtype).eps  # the slope is infinite at 1
    u = tf.minimum(tf.reduce_sum(chord * chord, -1) / 4, most)  # sin² θ/2
    small = u < 1e-4
    safe = tf.where(small, tf.ones_like(u) / 2, u)
    return 1 - 2 * tf.where(small, u + u**2 / 3 + 8 * u**3 / 45, tf.asin(tf.sqrt(safe)) ** 2)


def _direction(a):
    return tf.math.l2_normalize(a, -1, 1e-24 if a.dtype == tf.float64 else 1e-12)


@dataclass(frozen=True)
class Likeness:
    """score(f(x), e)."""

    encode: Callable
    embedding: Any
    score: Callable

    def __call__(self, x):
        """Of each sample."""
        f = tf.cast(tf.convert_to_tensor(self.encode(x)), x.dtype)
        e = tf.cast(self.embedding, x.dtype)
        if f.shape.rank != 2 or f.shape[-1] != e.shape[-1] or e.shape.rank == 2 and e.shape[0] not in (1, x.shape[0]):
            received = _checks.Verbatim(f"f(x) of shape {f.shape}")
            expected = f"shape ({x.shape[0]}, {e.shape[-1]}), to be compared with an embedding of shape {e.shape}"
            _checks.refuse("encode", received, expected, "both lie in one space", "Take both encoders of one model.")
        return self.score(f, e)


def align(
    denoiser: Callable, encode: Callable, embedding, scale: float = 1.0, *, score: Callable = cosine_similarity
) -> Steered:
    """D + κ e^{−2λ} ∇_z score(f(D), e): sampling led by how an image's embedding compares with that of a text.

    The estimate D is what f is asked of, so it needs to know nothing of noise. f that was trained on noisy images
    goes into `gen.classify(D, lambda z, lam: gen.cosine_similarity(f(z, lam), e), scale)`.

    To first order in κ a score that is linear in x is taken as Bayes' rule has it, and of Gaussian data to all orders;
    others are overrated where D is uncertain, early on.

    Args:
        denoiser: D(z, λ), differentiable.
        encode: f(x) → (batch, d), of images as the denoiser makes them, differentiable; f may take crops first.
        embedding: e, (d,) for all samples or (batch, d): of a text, by the encoder trained along with f.
        scale: κ; e is taken to scatter by 1/√κ in angle about the embedding of its image.
        score: of two embeddings, larger for those that go together: `cosine_similarity`, `spherical_similarity`, or
            any differentiable function (batch, d), (d,) or (batch, d) → (batch,).

    Returns:
        A denoiser.

    Raises:
        TypeError, ValueError: no functions, an embedding of another size than f(x), or one that is zero.

    References:
        A. Radford et al. (2021), arXiv:2103.00020; Nichol et al. (2022), arXiv:2112.10741; at the estimate: Bansal et
        al. (2023), arXiv:2302.07121.
    """
    for name, fn in {"encode": encode, "score": score}.items():
        if not callable(fn):
            _checks.refuse(name, fn, "a function", "it is asked at every step", "Pass a function.", TypeError)
    e = tf.convert_to_tensor(_checks.finite("embedding", embedding, why="samples are compared with it"))
    if e.shape.rank not in (1, 2) or not e.dtype.is_floating:
        _checks.refuse("embedding", e, "real numbers, shape (d,) or (batch, d)", "there is one for each sample",
                       "Take the mean over tokens or prompts first.")  # fmt: skip
    if not tf.is_symbolic_tensor(e) and not bool(tf.reduce_all(tf.norm(e, axis=-1) > 0)):
        _checks.refuse("embedding", _checks.Verbatim("zero"), "a vector that is not zero", "it tells a direction",
                       "Look at what the text encoder returns.")  # fmt: skip
    return steer(denoiser, Likeness(encode, e, score), scale)
