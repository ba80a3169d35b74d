"""Sampling given more than the model knows: a class, a text, a measurement, the part of an image that is there.

Bayes' rule adds to the score that of the evidence, and so to the estimate of the data

    D(z, λ) + e^{−2λ} ∇_z log p(evidence | z).

All return a denoiser, which any law and any sampler takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.generative.denoiser import Around, spread
from diffsim.generative.measure import Measurement, fitting, ones


@dataclass(frozen=True)
class Classified(Around):
    """D + w e^{−2λ} ∇_z log p(z, λ)."""

    denoiser: Callable
    log_p: Callable
    scale: Any

    def __call__(self, z, lam):
        """At z and λ."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            log_p = _per_sample(self.log_p(z, lam), z)
        return self.denoiser(z, lam) + _strength(self.scale, lam, z) * _gradient(tape, log_p, z, "log_p")


def classify(denoiser: Callable, log_p: Callable, scale: float = 1.0) -> Classified:
    """D + w e^{−2λ} ∇_z log p(class | z): guidance by a classifier of noisy data.

    Args:
        denoiser: D(z, λ).
        log_p: log_p(z, λ) → (batch,), the logarithm of the probability wanted, differentiable, of z with its noise.
        scale: w.

    Raises:
        TypeError, ValueError: no function, w not finite, or a log_p that does not depend on z.

    References:
        Dhariwal & Nichol (2021), arXiv:2105.05233.
    """
    _functions(denoiser=denoiser, log_p=log_p)
    return Classified(denoiser, log_p, _checks.number("scale", scale, why="it multiplies the evidence"))


@dataclass(frozen=True)
class Steered(Around):
    """D + w e^{−2λ} ∇_z log p(D(z, λ))."""

    denoiser: Callable
    log_p: Callable
    scale: Any

    def __call__(self, z, lam):
        """At z and λ."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            D = self.denoiser(z, lam)
            log_p = _per_sample(self.log_p(D), z)
        return D + _strength(self.scale, lam, z) * _gradient(tape, log_p, z, "log_p")


def steer(denoiser: Callable, log_p: Callable, scale: float = 1.0) -> Steered:
    """D + w e^{−2λ} ∇_z log p(D): evidence is asked of the estimate, so log p knows nothing of noise.

    log p may be any differentiable score of data: of a classifier of clean images, of the cosine between the embeddings
    of an image and a text, of a physical constraint.

    Args:
        denoiser: D(z, λ), differentiable.
        log_p: log_p(x) → (batch,).
        scale: w.

    References:
        Bansal et al. (2023), arXiv:2302.07121; Nichol et al. (2022), arXiv:2112.10741.
    """
    _functions(denoiser=denoiser, log_p=log_p)
    return Steered(denoiser, log_p, _checks.number("scale", scale, why="it multiplies the evidence"))


@dataclass(frozen=True)
class Misfit:
    """log p(y | x) = −|y − A(x)|²/2s²."""

    forward: Callable
    y: Any
    variance: Any

    def __call__(self, x):
        """Of each sample, up to a constant."""
        gap = tf.cast(self.y, x.dtype) - self.forward(x)
        return -0.5 * tf.reduce_sum(tf.reshape(gap * gap, [x.shape[0], -1]), -1) / _nest.to(self.variance, x.dtype)


def dps(denoiser: Callable, forward: Callable, y, std: float, scale: float = 1.0) -> Steered:
    """`steer` by a measurement y = A(x) + s n of any kind, linear or not: diffusion posterior sampling.

    p(y | z) is taken at the estimate D as if it were the data, which overrates y where D is uncertain; `pigdm` takes
    account of that.

    Args:
        denoiser: D(z, λ), differentiable.
        forward: A(x), differentiable, batch first.
        y: what was measured, shaped like A(x), or one for all samples.
        std: s > 0, standard deviation of the measurement.
        scale: w, 1 for Bayes' rule at the estimate.

    References:
        Chung et al. (2023), arXiv:2209.14687.
    """
    _functions(denoiser=denoiser, forward=forward)
    std = _checks.number("std", std, above=0.0, why="the misfit is measured in it")
    y = _checks.finite("y", y, why="it was measured", way_out="Leave gaps out by a mask in A.")
    return steer(denoiser, Misfit(forward, _tree.own(y), std**2), scale)


@dataclass(frozen=True)
class Measured(Around):
    """D + e^{−2λ} (∂D/∂z)ᵀ Jᵀ(r²JJᵀ + s²)⁻¹(y − A(D))."""

    denoiser: Callable
    A: Measurement
    y: Any
    variance: Any
    data_variance: Any

    def __call__(self, z, lam):
        """At z and λ."""
        noise = tf.exp(-2 * _nest.to(lam, z.dtype))
        v = _nest.to(self.data_variance, z.dtype)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            D = self.denoiser(z, lam)
        pull = self.A.pull(tf.cast(self.y, z.dtype), D, v * noise / (v + noise), _nest.to(self.variance, z.dtype))
        pull = tf.stop_gradient(tf.broadcast_to(pull, tf.shape(D)))
        return D + noise * tape.gradient(D, z, pull, unconnected_gradients="zero")


def pigdm(denoiser: Callable, A: Measurement, y, std: float, *, data_std: float = 1.0) -> Measured:
    """Posterior sampling for y = A(x) + s n: p(y | z) = N(A(D), r²JJᵀ + s²), r² the uncertainty of the estimate.

    r² = v e^{−2λ}/(v + e^{−2λ}) for data of variance v: exact where the data are N(m, v) and A is linear. λ is one
    scalar, as in `solve`.

    Args:
        denoiser: D(z, λ), differentiable.
        A: Masked(mask), Linear(matrix); of nonlinear maps Linearised(forward), by their tangent, or
            Inverted(forward, inverse), by a pseudo-inverse.
        y: what was measured, shaped like A(x), or one for all samples; for Masked shaped like x, of which only what the
            mask shows is read.
        std: s ≥ 0, standard deviation of the measurement.
        data_std: √v.

    Raises:
        TypeError, ValueError: A of another kind, y that does not fit, negative std.

    References:
        Song et al. (2023), https://openreview.net/forum?id=9_gsMA8MRKQ.
    """
    _functions(denoiser=denoiser)
    way_out = "Write gen.Linearised(A) for a function that is differentiable, or use gen.dps."
    _checks.instance("A", A, Measurement, why="(r²JJᵀ + s²) is inverted", way_out=way_out)
    std = _checks.number("std", std, least=0.0, why="it is a standard deviation")
    data_std = _checks.number("data_std", data_std, above=0.0, why="it is a standard deviation")
    y = _checks.finite("y", y, why="it was measured", way_out="Fill gaps with zeros and leave them out by the mask.")
    return Measured(denoiser, _tree.own(A), _tree.own(A.checked(y)), std**2, data_std**2)


@dataclass(frozen=True)
class Inpainted(Around):
    """D where nothing is known, the data where they are."""

    denoiser: Callable
    known: Any
    mask: Any

    def __call__(self, z, lam):
        """At z and λ."""
        mask = tf.cast(self.mask, z.dtype)
        return mask * tf.cast(self.known, z.dtype) + (1 - mask) * self.denoiser(z, lam)


def inpaint(denoiser: Callable, known, mask) -> Inpainted:
    """The known part is kept, the rest invented to go with it.

    Where D is the datum x₀ itself, the reverse law makes z ∼ N(x₀, e^{−2λ}) at every λ: just the noisy copy of the
    known part that RePaint puts in its place, without a loop of its own. The rest has its law given the known part as
    η → ∞, for noise lets it settle: in a pair of correlation 0.9 of which one is 0.9 the mean of the other is 0.40,
    0.56, 0.72 and 0.79 with η = 0, 1, 4 and 16, and 0.81 by Bayes' rule. More noise takes shorter steps: after 160
    by `karras` η = 8 leaves 0.94 of the variance by that rule, and η = 32 only 0.6 (at correlation 0.8).

    Args:
        denoiser: D(z, λ).
        known: data, shaped like z or one for all samples; read where the mask is one.
        mask: 1 where data are known, 0 where not.

    References:
        Lugmayr et al. (2022), arXiv:2201.09865.
    """
    _functions(denoiser=denoiser)
    known = np.asarray(_checks.finite("known", known, why="it is kept", way_out="Fill gaps with zeros."))
    mask = np.asarray(mask)
    ones("mask", mask, "a number is known or not", "Round it.")
    fitting("known", known, mask)
    return Inpainted(denoiser, _tree.own(known), _tree.own(mask.astype(known.dtype)))


def _functions(**given):
    for name, fn in given.items():
        if not callable(fn):
            _checks.refuse(name, fn, "a function", "it is asked at every step", "Pass a function.", TypeError)


def _per_sample(log_p, z):
    if getattr(log_p, "shape", None) != z.shape[:1]:
        why = "each sample has its own evidence"
        received = _checks.Verbatim(f"a result of shape {getattr(log_p, 'shape', None)}")
        _checks.refuse("log_p", received, f"shape ({z.shape[0]},)", why, "Sum over all axes but the first.")
    return log_p


def _gradient(tape, log_p, z, name):
    found = tape.gradient(log_p, z)
    if found is None:
        why = "its gradient says where to go"
        _checks.refuse(name, _checks.Verbatim("no gradient"), "a function of z", why, "Use TensorFlow operations.")
    return found


def _strength(scale, lam, z):
    return spread(_nest.to(scale, z.dtype) * tf.exp(-2 * _nest.to(lam, z.dtype)), z)
