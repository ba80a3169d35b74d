"""Symmetric α-stable noise: jumps of all sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim._tree import static
from diffsim.noise.base import Noise, per_leaf, row


@dataclass(frozen=True)
class AlphaStable(Noise):
    """Lévy flights: increments L with ⟨e^{ik·L}⟩ = exp(−|h||k|^α), so that p_t = −(−Δ)^{α/2} p.

    |h|^{1/α} times a stable variable by Chambers, Mallows and Stuck. At α = 2 these are normal increments of variance
    2|h|: the amplitude of a flight with diffusivity K_α is K_α^{1/α}. Moments of order ≥ α do not exist.

    Args:
        alpha: index, 0 < α ≤ 2.
        isotropic: whether the last axis is a vector whose direction is uniform (−(−Δ)^{α/2} in d dimensions); else
            entries are independent.
        first: as for Brownian.

    References:
        Chambers, Mallows & Stuck (1976), doi:10.1080/01621459.1976.10480344; Kanter (1975),
        doi:10.1214/aop/1176996309, for the one-sided variable of the isotropic law.
    """

    alpha: Any
    isotropic: bool = static(default=False)
    first: Any = 0

    gaussian = False

    def __post_init__(self):
        why = "stable laws exist for 0 < α ≤ 2"
        alpha = _checks.number("alpha", self.alpha, above=0.0, why=why)
        if alpha > 2.0:
            _checks.refuse("alpha", alpha, "0 < α ≤ 2", why, "Use Brownian() for normal increments.")
        object.__setattr__(self, "first", row(self.first))
        if not tf.is_tensor(self.alpha):
            object.__setattr__(self, "alpha", alpha)

    def increment(self, key, n, t, h, like):
        """|h|^{1/α}·S."""

        def draw(k, leaf):
            dtype = leaf.dtype
            alpha = _nest.to(self.alpha, dtype)
            S = self._vectors(k, leaf.shape, n, alpha) if self.isotropic else self._entries(k, leaf.shape, n, alpha)
            return tf.abs(_nest.to(h, dtype)) ** (1 / alpha) * S

        return per_leaf(key, like, draw)

    def _entries(self, key, shape, n, alpha):
        k_angle, k_wait = random.split(key)
        V, cos_V = _angle(k_angle, shape, n, self.first, alpha.dtype)
        E = _exponential(k_wait, shape, n, self.first, alpha.dtype)
        power = (1 - alpha) / alpha
        return tf.sin(alpha * V) / cos_V ** (1 / alpha) * (tf.cos((1 - alpha) * V) / E) ** power

    def _vectors(self, key, shape, n, alpha):
        """√(2A)·ξ, A one-sided stable of index α/2 and one for each vector."""
        k_normal, k_angle, k_wait = random.split(key, 3)
        a, scalars, dtype = alpha / 2, [*shape[:-1], 1], alpha.dtype
        up, p = _halves(k_angle, scalars, n, self.first, dtype)
        U = _nest.to(math.pi, dtype) * tf.where(up, 1 - p, p)
        E = _exponential(k_wait, scalars, n, self.first, dtype)
        sin_U = tf.sin(_nest.to(math.pi, dtype) * p)
        A = tf.sin(a * U) / sin_U ** (1 / a) * (tf.sin((1 - a) * U) / E) ** ((1 - a) / a)
        xi = random.normal(k_normal, shape, dtype, step=n, first=tf.convert_to_tensor(self.first))
        return tf.sqrt(2 * A) * xi

    def fits(self, y):
        """Real states; vectors along the last axis if isotropic."""
        for leaf in _nest.flatten(y):
            if leaf.dtype.is_complex or (self.isotropic and leaf.shape.rank == 0):
                _checks.refuse(
                    "noise",
                    self,
                    "a real state, of vectors along the last axis if isotropic",
                    f"stable increments are real and the state is {leaf.dtype.name} of shape {tuple(leaf.shape)}",
                    "Split it into its real and imaginary parts.",
                    TypeError,
                )


def _halves(key, shape, n, first, dtype):
    """(in the upper half?, distance from the nearer end) of U ∼ U(0, 1), precise near both ends."""
    high, low = random.bits(key, shape, step=n, first=tf.convert_to_tensor(first))
    up = tf.bitwise.right_shift(high, 31) > 0
    top = tf.cast(tf.bitcast(high & 0x7FFFFFFF, tf.int32), dtype)
    rest = tf.cast(tf.bitcast(tf.bitwise.right_shift(low, 1), tf.int32), dtype)
    return up, (top + (rest + 0.5) * 2.0**-31) * 2.0**-32


def _angle(key, shape, n, first, dtype):
    """V uniform on (−π/2, π/2), and cos V."""
    up, p = _halves(key, shape, n, first, dtype)
    V = _nest.to(math.pi, dtype) * (0.5 - p)
    return tf.where(up, V, -V), tf.sin(_nest.to(math.pi, dtype) * p)


def _exponential(key, shape, n, first, dtype):
    """E of density e^{−x}, right in both tails."""
    up, p = _halves(key, shape, n, first, dtype)
    return tf.where(up, -tf.math.log1p(-p), -tf.math.log(p))
