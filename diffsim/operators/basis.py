"""Orthonormal bases in which box operators are diagonal: a set of modes for each axis.

Cell-centred unknowns make the eigenvectors sines and cosines at half-integer points (`waves`); whatever else
separates along an axis (Robin walls, D(x), layers, radial shells) has a dense matrix of eigenvectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim._nest import to
from diffsim._tree import static
from diffsim.operators import waves
from diffsim.operators.waves import Cosine as Cosine
from diffsim.operators.waves import Hartley as Hartley
from diffsim.operators.waves import QuarterWave as QuarterWave
from diffsim.operators.waves import Sine as Sine
from diffsim.operators.waves import Wave


@dataclass(frozen=True)
class Dense:
    """Any complete set of modes: c = F u, u = G c with G = F⁻¹."""

    F: np.ndarray | tf.Tensor
    G: np.ndarray | tf.Tensor
    orthogonal: bool = static(default=True)  # F Fᵀ is a multiple of the identity

    @property
    def n(self):
        """Number of modes."""
        return self.F.shape[0]

    @property
    def key(self):
        """Equal for equal matrices."""
        return type(self), np.asarray(self.F).tobytes()

    def forward(self, u, axis):
        """F u along an axis."""
        return _multiply(self.F, u, axis)

    def inverse(self, c, axis):
        """G c along an axis."""
        return _multiply(self.G, c, axis)


def _multiply(matrix, u, axis):
    matrix = to(matrix, u.dtype)
    if u.shape.rank == 1:
        return tf.linalg.matvec(matrix, u)
    if axis == u.shape.rank - 1:
        return tf.linalg.matmul(u, matrix, transpose_b=True)
    order = list(range(u.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return tf.transpose(tf.linalg.matmul(tf.transpose(u, order), matrix, transpose_b=True), order)


@dataclass(frozen=True)
class Basis:
    """The tensor product of one basis per grid axis; a fully periodic box takes plain Fourier modes."""

    axes: tuple[Wave | Dense, ...]
    fourier: bool = static(default=False)

    @property
    def key(self):
        """Equal for equal bases."""
        return tuple(a.key for a in self.axes)

    @property
    def orthogonal(self) -> bool:
        """Whether modes are orthogonal under the plain sum over cells."""
        return all(a.orthogonal for a in self.axes if isinstance(a, Dense))

    def forward(self, u):
        """Coefficients over the trailing axes of u."""
        if self.fourier:
            return _FFT[u.dtype.is_complex][len(self.axes)](u)
        return self._apply(u, waves.forward, Dense.forward)

    def inverse(self, c, real: bool = True):
        """Values with coefficients c; `real` says what `forward` was given."""
        if self.fourier:
            shape = [a.n for a in self.axes]
            return _IRFFT[len(shape)](c, shape) if real else _IFFT[len(shape)](c)
        return self._apply(c, waves.inverse, Dense.inverse)

    def _apply(self, u, wave, dense):
        if u.dtype.is_complex:
            return tf.complex(self._apply(tf.math.real(u), wave, dense), self._apply(tf.math.imag(u), wave, dense))
        first = u.shape.rank - len(self.axes)
        for i, axis in enumerate(self.axes):
            if isinstance(axis, Dense):
                u = dense(axis, u, first + i)
        places = self._waves()
        if not places:
            return u
        chosen = tuple(self.axes[i] for i in places)
        if len(chosen) == len(self.axes) - places[0]:  # they are the last ones already
            return wave(chosen, u)
        order = [i for i in range(u.shape.rank) if i - first not in places] + [first + i for i in places]
        return tf.transpose(wave(chosen, tf.transpose(u, order)), np.argsort(order))

    def _waves(self):
        return [i for i, a in enumerate(self.axes) if isinstance(a, Wave)]

    def spread(self, values, axis: int, real: bool):
        """A function of the mode number along `axis`, laid out over the coefficients."""
        d = len(self.axes)
        if self.fourier:
            if real and axis == d - 1:
                values = values[: self.axes[-1].n // 2 + 1]
        elif isinstance(self.axes[axis], Wave):
            values = tf.gather(values, self.axes[axis].order(last=axis == self._waves()[-1]))
        return tf.reshape(values, [-1 if i == axis else 1 for i in range(d)])


_FFT = {
    False: {1: tf.signal.rfft, 2: tf.signal.rfft2d, 3: tf.signal.rfft3d},
    True: {1: tf.signal.fft, 2: tf.signal.fft2d, 3: tf.signal.fft3d},
}
_IRFFT = {1: tf.signal.irfft, 2: tf.signal.irfft2d, 3: tf.signal.irfft3d}
_IFFT = {1: tf.signal.ifft, 2: tf.signal.ifft2d, 3: tf.signal.ifft3d}
