"""What is measured of data, y = A(x) + s n, and how an estimate of x moves when y is known.

Given z, data are taken for N(D, r²) and A for its tangent at D, so that the estimate moves by a Kalman filter's gain,

    r² Jᵀ(r²JJᵀ + s²)⁻¹(y − A(D)),    J = ∂A/∂x at D;

`pull` is this without the first r².
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest


class Measurement(ABC):
    """A(x), batch first."""

    @abstractmethod
    def __call__(self, x):
        """A(x)."""

    @abstractmethod
    def pull(self, y, x, prior, noise):
        """Jᵀ(r²JJᵀ + s²)⁻¹(y − A(x)), shaped like x; `prior` is r² and `noise` s²."""

    def checked(self, y):
        """What was measured, in the form in which `pull` takes it; refused if it does not fit."""
        return np.asarray(y)


@dataclass(frozen=True)
class Masked(Measurement):
    """A x = x where the mask is one: some numbers are seen, others not.

    Args:
        mask: 1 where a number is seen, 0 where not; shaped like one sample.
    """

    mask: Any

    def __call__(self, x):
        """A x, zero where nothing is seen."""
        return x * _nest.to(self.mask, x.dtype)

    def pull(self, y, x, prior, noise):
        """(y − x)/(r² + s²) where seen."""
        return self(y - x) / (prior + noise)

    def checked(self, y):
        """y where it is seen, else 0."""
        ones("mask", self.mask, "a number is seen or not", "Use Linear for weights.")
        fitting("y", y, self.mask)
        return np.asarray(y) * np.asarray(self.mask)


@dataclass(frozen=True)
class Linear(Measurement):
    """A x for a matrix A, shape (m, n), of the n numbers of a sample."""

    matrix: Any

    def __call__(self, x):
        """A x, shape (batch, m)."""
        return tf.linalg.matvec(_nest.to(self.matrix, x.dtype), tf.reshape(x, [x.shape[0], -1]))

    def pull(self, y, x, prior, noise):
        """Aᵀ(r²AAᵀ + s²)⁻¹(y − A x)."""
        A, gap = _nest.to(self.matrix, x.dtype), y - self(x)
        S = prior * tf.matmul(A, A, transpose_b=True) + noise * tf.eye(A.shape[0], dtype=x.dtype)
        pulled = tf.linalg.matvec(A, tf.transpose(tf.linalg.solve(S, tf.transpose(gap))), transpose_a=True)
        return tf.reshape(pulled, x.shape)

    def checked(self, y):
        """y, shape (batch, m)."""
        shape = np.shape(_checks.finite("matrix", self.matrix, why="data are multiplied by it"))
        if len(shape) != 2 or np.shape(y)[-1:] != shape[:1]:
            expected = f"a matrix (m, n) and y of m numbers, not {np.shape(y)}"
            _checks.refuse("A", _checks.Verbatim(f"shape {shape}"), expected, "y = A x", "Check the shapes of both.")
        return np.reshape(np.asarray(y), (-1, shape[0]))


@dataclass(frozen=True)
class Linearised(Measurement):
    """A(x) for any differentiable A, by its Jacobian at the estimate: the step of an extended Kalman filter.

    Exact where A is affine; where it bends, the error is of the order of A″r², which vanishes towards the data.

    Args:
        forward: A(x), batch first, each sample by itself; m numbers of each, for which m gradients are taken.
    """

    forward: Callable

    def __call__(self, x):
        """A(x), shape (batch, m)."""
        out = tf.convert_to_tensor(self.forward(x))
        return tf.reshape(out, [x.shape[0], -1])

    def pull(self, y, x, prior, noise):
        """Jᵀ(r²JJᵀ + s²)⁻¹(y − A(x))."""
        flat = tf.reshape(x, [x.shape[0], -1])
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(flat)
            seen = self(tf.reshape(flat, x.shape))
        if tape.gradient(seen, flat) is None:  # batch_jacobian gives zeros then
            why, way_out = "its gradient says how the estimate moves", "Use TensorFlow operations, or gen.Inverted."
            _checks.refuse("forward", _checks.Verbatim("no gradient"), "a differentiable function", why, way_out)
        J = tape.batch_jacobian(seen, flat)
        S = prior * tf.matmul(J, J, transpose_b=True) + noise * tf.eye(seen.shape[1], dtype=x.dtype)
        pulled = tf.linalg.matvec(J, tf.linalg.solve(S, (y - seen)[..., None])[..., 0], transpose_a=True)
        return tf.reshape(pulled, x.shape)

    def checked(self, y):
        """y, shape (batch, m), or one for all samples."""
        _function("forward", self.forward)
        y = np.asarray(y)
        return np.reshape(y, (1, -1)) if y.ndim < 2 else np.reshape(y, (y.shape[0], -1))


@dataclass(frozen=True)
class Inverted(Measurement):
    """A(x) of which a pseudo-inverse B is known, A(B(A(x))) = A(x): a lossy code and its decoder, say.

    The estimate moves by (B(y) − B(A(D)))/(r² + s²): as far as what was measured differs from what the estimate would
    have given, both decoded. Neither map is differentiated. s is the standard deviation of B(y).

    Args:
        forward: A(x), batch first.
        inverse: B(y), shaped like x.

    References:
        Song et al. (2023), https://openreview.net/forum?id=9_gsMA8MRKQ, section 3.2.
    """

    forward: Callable
    inverse: Callable

    def __call__(self, x):
        """A(x)."""
        return self.forward(x)

    def pull(self, y, x, prior, noise):
        """(B(y) − B(A(x)))/(r² + s²)."""
        return (self.inverse(y) - self.inverse(self.forward(x))) / (prior + noise)

    def checked(self, y):
        """y as it is."""
        _function("forward", self.forward)
        _function("inverse", self.inverse)
        return np.asarray(y)


def ones(name, mask, why, way_out):
    """Refuse masks of other numbers than 0 and 1."""
    if not np.isin(np.asarray(mask), (0, 1)).all():
        _checks.refuse(name, mask, "zeros and ones", why, way_out)


def fitting(name, value, mask):
    """Refuse numbers that a mask does not fit, entry by entry."""
    a, b = np.shape(value)[::-1], np.shape(mask)[::-1]
    if any(n != m and 1 not in (n, m) for n, m in zip(a, b, strict=False)):
        why, way_out = "the mask says of each number whether it is known", "Look at the shapes of both."
        received, expected = _checks.Verbatim(f"numbers of shape {a[::-1]}"), f"the shape of the mask, {b[::-1]}"
        _checks.refuse(name, received, expected, why, way_out)


def _function(name, fn):
    if not callable(fn):
        _checks.refuse(name, fn, "a function", "it is asked at every step", "Pass a function.", TypeError)
