"""Sines and cosines at half-integer points, on one axis or several, by one real FFT over all of them.

The values along each axis are put in such an order that the modes are short combinations of Fourier coefficients F:

    outer axis   cₖ = αₖFₖ + ᾱₖF₋ₖ,            Fₖ = βₖcₖ + γₖc₋ₖ
    last axis    2αₖFₖ = cₖ + iσc₋ₖ            for real values: half of the coefficients hold all

so that no axis is ever transposed.

References:
    Makhoul (1980), doi:10.1109/TASSP.1980.1163351.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim._tree import complex_of


@dataclass(frozen=True)
class Wave(ABC):
    """An orthonormal set of n waves, found in an FFT of `length` numbers at places first, first + stride, …"""

    n: int

    stride, first, sigma = 1, 0, -1.0

    @property
    def length(self) -> int:
        """Of the FFT."""
        return self.n

    @property
    def key(self):
        """Equal for equal bases."""
        return type(self), self.n

    @abstractmethod
    def frequency(self) -> np.ndarray:
        """θ of each mode, so that the mode varies as cos or sin of θ·(j + ½), 0 ≤ θ ≤ π."""

    @abstractmethod
    def number(self, k: np.ndarray) -> np.ndarray:
        """Which mode is found at place k."""

    @abstractmethod
    def arrange(self, u, axis: int):
        """Values in the order that the FFT takes."""

    @abstractmethod
    def restore(self, v, axis: int):
        """What `arrange` began with."""

    def twist(self) -> np.ndarray:
        """α."""
        m = self.length
        scale = np.full(m, (0.5 / self.n) ** 0.5 / self.stride)
        scale[0] *= 0.5**0.5
        return scale * np.exp(-0.5j * np.pi * np.arange(m) / m)

    def untwist(self) -> tuple[np.ndarray, np.ndarray]:
        """(β, γ)."""
        beta = 0.5 / self.twist()
        gamma = -1j * beta
        gamma[0] = 0.0
        return beta, gamma

    def half(self) -> tuple[np.ndarray, np.ndarray]:
        """Places that the last axis keeps, and those among them that hold a second mode in their imaginary part."""
        k = np.arange(self.first, self.length // 2 + 1, self.stride)
        return k, k[(k != 0) & (2 * k != self.length)]

    def order(self, last: bool) -> np.ndarray:
        """The mode of each coefficient."""
        if not last:
            return self.number(np.arange(self.first, self.length, self.stride))
        k, double = self.half()
        return self.number(np.concatenate([k, self.length - double]))


class Hartley(Wave):
    """cas(θj) = cos θj + sin θj, θ = 2πk/n: periodic axes with real arithmetic."""

    sigma = 1.0

    def frequency(self):
        """2πk/n, folded at n/2."""
        k = np.arange(self.n)
        return 2 * np.pi * np.minimum(k, self.n - k) / self.n

    def number(self, k):
        """k."""
        return k

    def arrange(self, u, axis):
        """As they are."""
        return u

    restore = arrange

    def twist(self):
        """α = (1 + i)/2√n."""
        return np.full(self.n, (0.5 + 0.5j) * self.n**-0.5)

    def untwist(self):
        """β = √n(1 − i)/2, γ = √n(1 + i)/2."""
        beta = np.full(self.n, (0.5 - 0.5j) * self.n**0.5)
        return beta, np.conj(beta)


class Cosine(Wave):
    """cos(θ(j + ½)), θ = πk/n: no-flux walls at both ends (DCT-II)."""

    def frequency(self):
        """πk/n."""
        return np.pi * np.arange(self.n) / self.n

    def number(self, k):
        """k."""
        return k

    def arrange(self, u, axis):
        """Even ones forwards, odd ones backwards."""
        return _sort(u, axis, 1.0)

    def restore(self, v, axis):
        """The reverse."""
        return _weave(v, axis, 1.0)


class Sine(Wave):
    """sin(θ(j + ½)), θ = π(k + 1)/n: Dirichlet walls at both ends (DST-II, the DCT-II of (−1)ʲuⱼ backwards)."""

    def frequency(self):
        """π(k + 1)/n."""
        return np.pi * (np.arange(self.n) + 1) / self.n

    def number(self, k):
        """n − 1 − k."""
        return self.n - 1 - k

    def arrange(self, u, axis):
        """Even ones forwards, odd ones backwards with the other sign."""
        return _sort(u, axis, -1.0)

    def restore(self, v, axis):
        """The reverse."""
        return _weave(v, axis, -1.0)


@dataclass(frozen=True)
class QuarterWave(Wave):
    """sin(θ(j + ½)), θ = π(k + ½)/n: Dirichlet below, no flux above; every other wave of the doubled axis."""

    flipped: bool = False  # no flux below, Dirichlet above: cosines

    stride, first = 2, 1

    @property
    def length(self):
        """2n."""
        return 2 * self.n

    @property
    def key(self):
        """Equal for equal bases."""
        return type(self), self.n, self.flipped

    def frequency(self):
        """π(k + ½)/n."""
        return np.pi * (np.arange(self.n) + 0.5) / self.n

    def number(self, k):
        """(k − 1)/2, counted from the other end for sines."""
        return (k - 1) // 2 if self.flipped else (2 * self.n - 1 - k) // 2

    def arrange(self, u, axis):
        """With the mirror image: even about a wall without flux, odd about one at zero."""
        mirror = tf.reverse(u, [axis])
        return _sort(tf.concat([u, -mirror if self.flipped else mirror], axis), axis, 1.0 if self.flipped else -1.0)

    def restore(self, v, axis):
        """The first half."""
        return _cut(_weave(v, axis, 1.0 if self.flipped else -1.0), axis, 0, self.n)


def forward(waves: tuple[Wave, ...], u):
    """Coefficients of u over its trailing axes, real, the last axis in the order of `Wave.order(last=True)`."""
    d, last = len(waves), waves[-1]
    for i, w in enumerate(waves):
        u = w.arrange(u, u.shape.rank - d + i)
    F = (tf.signal.rfft, tf.signal.rfft2d, tf.signal.rfft3d)[d - 1](u)
    k, double = last.half()
    F = F[..., last.first :: last.stride] * tf.constant(2 * last.twist()[k], F.dtype)
    for i, w in enumerate(waves[:-1]):
        axis = F.shape.rank - d + i
        alpha = _along(w.twist(), axis, F)
        F = _cut(alpha * F + tf.math.conj(alpha) * _negative(F, axis), axis, w.first, None, w.stride)
    at = int(k[0] == 0)
    return tf.concat([tf.math.real(F), last.sigma * tf.math.imag(F)[..., at : at + len(double)]], -1)


def inverse(waves: tuple[Wave, ...], c):
    """Values with the coefficients c."""
    d, last, dtype = len(waves), waves[-1], complex_of(c.dtype)
    k, double = last.half()
    h = len(k)
    seconds = [c[..., h:]] if len(double) else []
    if k[0] == 0:  # such modes are their own partners
        seconds.insert(0, c[..., :1] if last.sigma > 0 else tf.zeros_like(c[..., :1]))
    if 2 * k[-1] == last.length and k[-1] > 0:
        seconds.append(c[..., h - 1 : h])
    F = tf.complex(c[..., :h], last.sigma * tf.concat(seconds, -1))
    for i, w in enumerate(waves[:-1]):
        axis = F.shape.rank - d + i
        F = _spread(w, F, axis, w.length)
        beta, gamma = (_along(a, axis, F) for a in w.untwist())
        F = beta * F + gamma * _negative(F, axis)
    F = _spread(last, F * tf.constant(0.5 / last.twist()[k], dtype), -1, last.length // 2 + 1)
    v = (tf.signal.irfft, tf.signal.irfft2d, tf.signal.irfft3d)[d - 1](F, [w.length for w in waves])
    for i, w in enumerate(waves):
        v = w.restore(v, v.shape.rank - d + i)
    return v


def _along(values, axis, like):
    return tf.constant(values.reshape([-1] + [1] * (like.shape.rank - 1 - axis)), like.dtype)


def _negative(F, axis):
    """F at −k."""
    return tf.concat([_cut(F, axis, 0, 1), tf.reverse(_cut(F, axis, 1), [axis])], axis)


def _spread(wave, F, axis, length):
    """Zeros where the doubled axis has modes that the walls forbid."""
    if wave.stride == 1:
        return F
    axis = axis % F.shape.rank
    shape = F.shape.as_list()
    shape[axis] = 2 * shape[axis]
    wide = tf.reshape(tf.stack([tf.zeros_like(F), F], axis + 1), [-1 if s is None else s for s in shape])
    short = length - shape[axis]
    pad = [[0, short if i == axis else 0] for i in range(len(shape))]
    return tf.pad(wide, pad) if short > 0 else wide


def _sort(u, axis, sign):
    odd = tf.reverse(_cut(u, axis, 1, None, 2), [axis])
    return tf.concat([_cut(u, axis, 0, None, 2), odd if sign > 0 else -odd], axis)


def _weave(v, axis, sign):
    n = v.shape[axis]
    even, odd = _cut(v, axis, 0, (n + 1) // 2), tf.reverse(_cut(v, axis, (n + 1) // 2), [axis])
    odd = odd if sign > 0 else -odd
    if n % 2:
        odd = tf.concat([odd, tf.zeros_like(_cut(even, axis, 0, 1))], axis)
    shape = [-1 if s is None else s for s in v.shape]
    shape[axis] = n + n % 2
    return _cut(tf.reshape(tf.stack([even, odd], axis + 1), shape), axis, 0, n)


def _cut(u, axis, start, stop=None, step=1):
    return u[(slice(None),) * axis + (slice(start, stop, step),)]
