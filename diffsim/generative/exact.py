"""Denoisers known exactly: data from a Gaussian, or from a mixture of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim.generative.denoiser import to_score
from diffsim.generative.schedule import real


@dataclass(frozen=True)
class Mixture:
    """p(x₀) = Σ wₖ N(mₖ, Cₖ), so that z ∼ Σ wₖ N(mₖ, Cₖ + e^{−2λ}) and D = Σ rₖ(z)[mₖ + Cₖ(Cₖ + e^{−2λ})⁻¹(z − mₖ)].

    rₖ is the probability that z came from part k. It works along the last axis of z, of size d.

    Args:
        weights: wₖ > 0, shape (K,); they are divided by their sum.
        means: mₖ, shape (K, d).
        covariances: Cₖ, shape (K,) of one variance for all coordinates, (K, d) of one for each, or (K, d, d).

    Raises:
        TypeError, ValueError: shapes that do not fit, weights not positive, covariances not symmetric or negative.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    log_weights: np.ndarray = field(init=False, repr=False)
    variances: np.ndarray = field(init=False, repr=False)  # eigenvalues of Cₖ, (K, d)
    axes: np.ndarray | None = field(init=False, repr=False)  # eigenvectors of Cₖ, (K, d, d), None for coordinates

    def __post_init__(self):
        w, m, C = (
            np.array(_checks.finite(n, getattr(self, n), why="it describes a density"), np.float64)
            for n in ("weights", "means", "covariances")
        )
        if w.ndim != 1 or not w.size or not (w > 0).all():
            why = "each is the share of data in one part"
            _checks.refuse("weights", self.weights, "positive numbers, shape (K,)", why, "Leave out empty parts.")
        if m.ndim != 2 or m.shape[0] != w.size:
            way_out = "In one dimension they are of shape (K, 1)."
            _checks.refuse("means", self.means, f"shape ({w.size}, d)", "each part has a mean", way_out)
        variances, axes = _spectra(C, m.shape)
        for name, value in {
            "weights": w / w.sum(),
            "means": m,
            "covariances": C,
            "log_weights": np.log(w / w.sum()),
            "variances": variances,
            "axes": axes,
        }.items():
            if value is not None:
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def _parts(self, z, lam):
        """Of each part: log(wₖ pₖ(z)), variances of z, and z − mₖ along its axes; parts on the last axis but one."""
        if not z.shape[-1:].is_compatible_with(self.means.shape[1:]):
            received, why = _checks.Verbatim(f"values of shape {z.shape}"), "the mixture is one of vectors"
            _checks.refuse("z", received, f"shape (…, {self.means.shape[1]})", why, "Look at the means.")
        lam = _nest.to(lam, z.dtype)
        lam = tf.reshape(lam, [*lam.shape, *[1] * (z.shape.rank + 1 - lam.shape.rank)])
        noise = tf.exp(-2 * lam)
        variances = _nest.to(self.variances, z.dtype) + noise
        away = z[..., None, :] - _nest.to(self.means, z.dtype)
        if self.axes is not None:
            away = _turned(away, self.axes)
        log = -0.5 * tf.reduce_sum(away * away / variances + tf.math.log(2 * np.pi * variances), -1)
        return log + _nest.to(self.log_weights, z.dtype), variances, away

    def log_density(self, z, lam):
        """log p(z) at λ, one number for each vector."""
        return tf.reduce_logsumexp(self._parts(real(z), lam)[0], -1)

    def __call__(self, z, lam):
        """E[x₀ | z] at λ."""
        z = real(z)
        log, variances, away = self._parts(z, lam)
        share = tf.nn.softmax(log)[..., None]
        pulled = away * _nest.to(self.variances, z.dtype) / variances
        if self.axes is not None:
            pulled = _turned(pulled, tf.linalg.matrix_transpose(self.axes))
        return tf.reduce_sum(share * (_nest.to(self.means, z.dtype) + pulled), -2)

    def score(self, z, lam):
        """∇ log p(z) at λ, (D − z)e^{2λ}."""
        z = real(z)
        return to_score(self(z, lam), z, lam)

    def sample(self, count: int, key, dtype=tf.float32):
        """`count` draws of x₀, shape (count, d): the part by one uniform number, the place in it by d normal ones."""
        first, second = random.split(key)
        part = tf.searchsorted(np.cumsum(self.weights)[:-1], random.uniform(first, [count], tf.float64), side="right")
        noise = random.normal(second, [count, self.means.shape[1]], tf.float64) * tf.gather(self.variances, part) ** 0.5
        if self.axes is not None:
            noise = tf.linalg.matvec(tf.gather(self.axes, part), noise)
        return tf.cast(tf.gather(self.means, part) + noise, dtype)

    def moments(self):
        """Mean, shape (d,), and covariance, shape (d, d), of x₀."""
        full = _dense(self.covariances, self.means.shape)
        mean = self.weights @ self.means
        away = self.means - mean
        return mean, np.einsum("k,kij->ij", self.weights, full) + np.einsum("k,ki,kj->ij", self.weights, away, away)


def _turned(x, axes):
    """xₖ Vₖ for each part k; not by one product of batches, after whose gradients TensorFlow may abort on CPUs."""
    return tf.stack([tf.tensordot(x[..., k, :], V, 1) for k, V in enumerate(tf.unstack(_nest.to(axes, x.dtype)))], -2)


def Gaussian(mean, covariance) -> Mixture:  # noqa: N802 - it names a density
    """p(x₀) = N(m, C), D = m + C(C + e^{−2λ})⁻¹(z − m).

    Args:
        mean: m, shape (d,).
        covariance: C, a number, shape (d,), or (d, d).
    """
    return Mixture(np.ones(1), np.asarray(mean)[None], np.asarray(covariance)[None])


def _dense(C, shape):
    if C.ndim == 1:
        return C[:, None, None] * np.eye(shape[1])
    return C[:, :, None] * np.eye(shape[1]) if C.ndim == 2 else C


def _spectra(C, shape):
    """Eigenvalues, (K, d), and eigenvectors, (K, d, d), None where they are the coordinates."""
    count, d = shape
    if C.shape not in ((count,), (count, d), (count, d, d)):
        expected = f"shape ({count},), ({count}, {d}) or ({count}, {d}, {d})"
        _checks.refuse("covariances", C, expected, "each part has its own spread", "Check the shape of the means too.")
    if C.ndim == 3 and np.abs(C - np.swapaxes(C, 1, 2)).max() > 1e-9 * np.abs(C).max():
        why = "the covariance of i with j is that of j with i"
        _checks.refuse("covariances", C, "symmetric matrices", why, "Pass (C + Cᵀ)/2.")
    axes = None
    if C.ndim == 3:
        values, axes = np.linalg.eigh(C)
        values = np.where(np.abs(values) < 1e-14 * np.abs(values).max(), 0.0, values)
    else:
        values = np.array(np.broadcast_to(C.reshape(count, -1), shape))
    if (values < 0).any():
        least = _checks.Verbatim(f"a variance of {values.min():.3g}")
        _checks.refuse("covariances", least, "variances ≥ 0", "a variance is not negative", "Check the signs.")
    return values, axes
