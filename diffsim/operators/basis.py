"""Orthonormal bases in which box operators are diagonal: real transforms along one axis at a time.

Cell-centred unknowns make the eigenvectors sines and cosines at half-integer points: Hartley (periodic), DCT-II (two
no-flux walls), DST-II (two Dirichlet walls), quarter waves (one of each). All go by real FFTs; whatever else
separates along an axis (Robin walls, D(x), layers, radial shells) has a dense matrix of eigenvectors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim._nest import to
from diffsim._tree import complex_of, static


class AxisBasis(ABC):
    """An orthonormal real transform of n numbers, acting on the last axis."""

    n: int

    @abstractmethod
    def forward(self, u):
        """Coefficients of u."""

    @abstractmethod
    def inverse(self, c):
        """Values with coefficients c."""

    @abstractmethod
    def frequency(self) -> np.ndarray:
        """θ of each mode, so that the mode varies as cos or sin of θ·(j + ½), 0 ≤ θ ≤ π."""

    @property
    def key(self):
        """Equal for equal bases."""
        return type(self), self.n


@dataclass(frozen=True)
class Hartley(AxisBasis):
    """cas(θj) = cos θj + sin θj, θ = 2πk/n: periodic axes with real arithmetic."""

    n: int

    def forward(self, u):
        """Re − Im of the discrete Fourier transform, scaled by 1/√n."""
        f = tf.signal.rfft(u)
        minus, plus = tf.math.real(f) - tf.math.imag(f), tf.math.real(f) + tf.math.imag(f)
        c = tf.concat([minus, tf.reverse(plus[..., 1 : (self.n + 1) // 2], [-1])], -1)
        return c * to(self.n**-0.5, u.dtype)

    inverse = forward  # it is its own inverse

    def frequency(self):
        """2πk/n, folded at n/2."""
        k = np.arange(self.n)
        return 2 * np.pi * np.minimum(k, self.n - k) / self.n


@dataclass(frozen=True)
class Cosine(AxisBasis):
    """cos(θ(j + ½)), θ = πk/n: no-flux walls at both ends (DCT-II through one real FFT of length n).

    References:
        Makhoul (1980), doi:10.1109/TASSP.1980.1163351.
    """

    n: int

    def _twist(self, dtype):
        k = np.arange(self.n // 2 + 1)
        return tf.constant(np.exp(-0.5j * np.pi * k / self.n), complex_of(dtype))

    def _norms(self, dtype):
        norms = np.full(self.n, (2 / self.n) ** 0.5)
        norms[0] = self.n**-0.5
        return tf.constant(norms, dtype)

    def forward(self, u):
        """Σⱼ uⱼ cos(θ(j + ½)), normalised."""
        v = tf.concat([u[..., ::2], tf.reverse(u[..., 1::2], [-1])], -1)
        f = tf.signal.rfft(v) * self._twist(u.dtype)
        tail = tf.reverse(tf.math.imag(f)[..., 1 : (self.n + 1) // 2], [-1])
        return tf.concat([tf.math.real(f), -tail], -1) * self._norms(u.dtype)

    def inverse(self, c):
        """Σₖ cₖ cos(θ(j + ½)), normalised."""
        x = c / self._norms(c.dtype)
        half = self.n // 2 + 1
        mirror = tf.concat([tf.zeros_like(x[..., :1]), tf.reverse(x[..., self.n - half + 1 :], [-1])], -1)
        f = tf.complex(x[..., :half], -mirror) * tf.math.conj(self._twist(c.dtype))
        v = tf.signal.irfft(f, [self.n])
        even, odd = v[..., : (self.n + 1) // 2], tf.reverse(v[..., (self.n + 1) // 2 :], [-1])
        if self.n % 2:
            odd = tf.concat([odd, tf.zeros_like(odd[..., :1])], -1)
        woven = tf.stack([even, odd], -1)
        return tf.reshape(woven, [*_lead(c), 2 * ((self.n + 1) // 2)])[..., : self.n]

    def frequency(self):
        """πk/n."""
        return np.pi * np.arange(self.n) / self.n


@dataclass(frozen=True)
class Sine(AxisBasis):
    """sin(θ(j + ½)), θ = π(k + 1)/n: Dirichlet walls at both ends (DST-II = DCT-II of (−1)ʲuⱼ, backwards)."""

    n: int

    def _signs(self, dtype):
        return tf.constant((-1.0) ** np.arange(self.n), dtype)

    def forward(self, u):
        """Σⱼ uⱼ sin(θ(j + ½)), normalised."""
        return tf.reverse(Cosine(self.n).forward(u * self._signs(u.dtype)), [-1])

    def inverse(self, c):
        """Σₖ cₖ sin(θ(j + ½)), normalised."""
        return Cosine(self.n).inverse(tf.reverse(c, [-1])) * self._signs(c.dtype)

    def frequency(self):
        """π(k + 1)/n."""
        return np.pi * (np.arange(self.n) + 1) / self.n


@dataclass(frozen=True)
class QuarterWave(AxisBasis):
    """sin(θ(j + ½)), θ = π(k + ½)/n: Dirichlet below, no flux above; the even mirror image of twice the length."""

    n: int
    flipped: bool = False  # no flux below, Dirichlet above

    def forward(self, u):
        """Σⱼ uⱼ sin(θ(j + ½)), normalised."""
        u = tf.reverse(u, [-1]) if self.flipped else u
        both = tf.concat([u, tf.reverse(u, [-1])], -1)
        return Sine(2 * self.n).forward(both)[..., ::2] * to(0.5**0.5, u.dtype)

    def inverse(self, c):
        """Σₖ cₖ sin(θ(j + ½)), normalised."""
        wide = tf.reshape(tf.stack([c, tf.zeros_like(c)], -1), [*_lead(c), 2 * self.n])
        u = Sine(2 * self.n).inverse(wide)[..., : self.n] * to(2**0.5, c.dtype)
        return tf.reverse(u, [-1]) if self.flipped else u

    def frequency(self):
        """π(k + ½)/n."""
        return np.pi * (np.arange(self.n) + 0.5) / self.n

    @property
    def key(self):
        """Equal for equal bases."""
        return type(self), self.n, self.flipped


@dataclass(frozen=True)
class Dense(AxisBasis):
    """Any complete set of modes: c = F u, u = G c with G = F⁻¹."""

    F: np.ndarray | tf.Tensor
    G: np.ndarray | tf.Tensor

    @property
    def n(self):
        """Number of modes."""
        return self.F.shape[0]

    def forward(self, u):
        """F u."""
        return (
            tf.linalg.matmul(u, to(self.F, u.dtype), transpose_b=True)
            if u.shape.rank > 1
            else tf.linalg.matvec(to(self.F, u.dtype), u)
        )

    def inverse(self, c):
        """G c."""
        return (
            tf.linalg.matmul(c, to(self.G, c.dtype), transpose_b=True)
            if c.shape.rank > 1
            else tf.linalg.matvec(to(self.G, c.dtype), c)
        )

    def frequency(self):
        """Dense modes have no common frequency."""
        return np.full(self.n, np.nan)

    @property
    def key(self):
        """Equal for equal matrices."""
        return type(self), np.asarray(self.F).tobytes()


def _lead(u):
    return [-1 if s is None else s for s in u.shape[:-1]]


@dataclass(frozen=True)
class Basis:
    """The tensor product of one basis per grid axis; a fully periodic box takes one n-dimensional FFT."""

    axes: tuple[AxisBasis, ...]
    fourier: bool = static(default=False)

    @property
    def key(self):
        """Equal for equal bases."""
        return tuple(a.key for a in self.axes)

    def forward(self, u):
        """Coefficients over the trailing axes of u."""
        if self.fourier:
            return _FFT[u.dtype.is_complex][len(self.axes)](u)
        for i, axis in enumerate(self.axes):
            u = _along(axis.forward, u, i - len(self.axes))
        return u

    def inverse(self, c, real: bool = True):
        """Values with coefficients c; `real` says what `forward` was given."""
        if self.fourier:
            shape = [a.n for a in self.axes]
            return _IRFFT[len(shape)](c, shape) if real else _IFFT[len(shape)](c)
        for i, axis in enumerate(self.axes):
            c = _along(axis.inverse, c, i - len(self.axes))
        return c

    def spread(self, values, axis: int, real: bool):
        """A function of the mode number along `axis`, laid out over the coefficients."""
        d = len(self.axes)
        if self.fourier and real and axis == d - 1:
            values = values[: self.axes[-1].n // 2 + 1]
        return tf.reshape(values, [-1 if i == axis else 1 for i in range(d)])


_FFT = {
    False: {1: tf.signal.rfft, 2: tf.signal.rfft2d, 3: tf.signal.rfft3d},
    True: {1: tf.signal.fft, 2: tf.signal.fft2d, 3: tf.signal.fft3d},
}
_IRFFT = {1: tf.signal.irfft, 2: tf.signal.irfft2d, 3: tf.signal.irfft3d}
_IFFT = {1: tf.signal.ifft, 2: tf.signal.ifft2d, 3: tf.signal.ifft3d}


def _along(fn, u, axis: int):
    if u.dtype.is_complex:
        return tf.complex(_along(fn, tf.math.real(u), axis), _along(fn, tf.math.imag(u), axis))
    if axis == -1:
        return fn(u)
    order = list(range(u.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return tf.transpose(fn(tf.transpose(u, order)), order)
