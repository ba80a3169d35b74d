"""Eigenvalues over a basis, as small trees of numbers: sums over axes, shifts, multiples, powers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import tensorflow as tf

from diffsim._nest import to
from diffsim._tree import complex_of
from diffsim.operators import response
from diffsim.operators.basis import Basis


class Spectrum(ABC):
    """λ, evaluated over the coefficients of a basis."""

    @abstractmethod
    def over(self, basis: Basis, real: bool, dtype: tf.DType) -> tf.Tensor:
        """λ as a tensor broadcastable over the coefficients; `real` says whether states are real."""

    def mixing(self, basis: Basis, axis: int, real: bool, dtype: tf.DType) -> tf.Tensor | None:
        """The operator's matrix along an axis where it is differentiated, [n, n, 1 or modes of other axes]."""
        return


@dataclass(frozen=True)
class Separable(Spectrum):
    """λ = Σ_axes λₐ(kₐ)."""

    parts: tuple  # a 1-D array for each axis
    matrices: tuple = ()  # for each axis the matrix of which the part is the diagonal, None where it has no more

    def over(self, basis, real, dtype):
        """Σ of the parts, each along its own axis."""
        total = tf.zeros([], dtype)
        for axis, part in enumerate(self.parts):
            total = total + basis.spread(to(part, dtype), axis, real)
        return total

    def mixing(self, basis, axis, real, dtype):
        """The matrix."""
        matrix = self.matrices[axis] if self.matrices else None
        return None if matrix is None else to(matrix, dtype)[:, :, None]


@dataclass(frozen=True)
class Constant(Spectrum):
    """λ = a."""

    a: float | complex | tf.Tensor

    def over(self, basis, real, dtype):
        """a."""
        return to(self.a, _wide(self.a, dtype))


@dataclass(frozen=True)
class Multiple(Spectrum):
    """a·λ."""

    of: Spectrum
    a: float | complex | tf.Tensor

    def over(self, basis, real, dtype):
        """a·λ."""
        lam = self.of.over(basis, real, dtype)
        wide = _wide(self.a, lam.dtype)
        return tf.cast(lam, wide) * to(self.a, wide)

    def mixing(self, basis, axis, real, dtype):
        """A multiple of the matrix."""
        matrix = self.of.mixing(basis, axis, real, dtype)
        if matrix is None:
            return None
        wide = _wide(self.a, matrix.dtype)
        return tf.cast(matrix, wide) * to(self.a, wide)


@dataclass(frozen=True)
class Total(Spectrum):
    """Σ λᵢ."""

    of: tuple[Spectrum, ...]

    def over(self, basis, real, dtype):
        """Σ λᵢ in the widest dtype among them."""
        parts = [s.over(basis, real, dtype) for s in self.of]
        wide = next((p.dtype for p in parts if p.dtype.is_complex), dtype)
        total = tf.cast(parts[0], wide)
        for p in parts[1:]:
            total = total + tf.cast(p, wide)
        return total

    def mixing(self, basis, axis, real, dtype):
        """Σ of the matrices."""
        parts = [m for s in self.of if (m := s.mixing(basis, axis, real, dtype)) is not None]
        wide = next((m.dtype for m in parts if m.dtype.is_complex), dtype)
        return sum((tf.cast(m, wide) for m in parts[1:]), tf.cast(parts[0], wide)) if parts else None


@dataclass(frozen=True)
class Power(Spectrum):
    """−(−λ)ˢ: the fractional Laplacian for s < 1, −Δ² for s = 2; λ ≤ 0."""

    of: Spectrum
    s: float | tf.Tensor

    def over(self, basis, real, dtype):
        """−(−λ)ˢ; rounding above zero counts as zero."""
        return self._of(self.of.over(basis, real, dtype))

    def _of(self, lam):
        return -tf.pow(tf.maximum(-lam, 0), to(self.s, lam.dtype))

    def mixing(self, basis, axis, real, dtype):
        """The matrix times the divided differences of the power."""
        matrix = self.of.mixing(basis, axis, real, dtype)
        if matrix is None:
            return None
        lam = response.rows_first(self.of.over(basis, real, dtype), axis, len(basis.axes))
        return matrix * response.quotient(self._of, lam[:, None], lam[None])


def _wide(a, dtype):
    return complex_of(dtype.real_dtype) if isinstance(a, complex) or getattr(a, "dtype", dtype).is_complex else dtype
