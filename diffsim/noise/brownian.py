"""White noise: independent normal increments, and linear maps of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim.noise.base import Noise, per_leaf, root, row, standard

AREA = 2**32  # the stream of Lévy areas, beyond all parts of a state


@dataclass(frozen=True)
class Brownian(Noise):
    """Fresh white noise: independent normal increments of variance |h|.

    Args:
        first: number of the state's first row within the whole ensemble of which it is a batch: ten runs of 10⁵ rows
            with first = 0, 10⁵, … under one key are one run of 10⁶, bit by bit; to
            rounding in the numerical eigenbases of exponential steppers, on radial grids for one, where the order of
            sums depends on the number of rows.
    """

    first: Any = 0

    white = True

    def __post_init__(self):
        object.__setattr__(self, "first", row(self.first))

    def increment(self, key, n, t, h, like):
        """√|h|·ξ."""

        def draw(k, leaf):
            return standard(k, leaf, n, self.first) * tf.cast(root(h, leaf.dtype.real_dtype), leaf.dtype)

        return per_leaf(key, like, draw)

    def area(self, key, n, t, h, like):
        """√|h|·ξ and √(|h|/12)·η, independent."""
        H = self.increment(random.stream(key, AREA), n, t, h, like)
        return self.increment(key, n, t, h, like), _nest.map(lambda a: a * _nest.to(12**-0.5, a.dtype), H)


@dataclass(frozen=True)
class Correlated(Noise):
    """dN = L dW with LLᵀ = C, on the last axis of the state: increments of covariance C|h|.

    Args:
        matrix: C, symmetric and positive definite, of the size of the last axis: 2kT times a mobility, or a
            covariance of assets.
        noise: W, by default Brownian().

    Raises:
        TypeError, ValueError: C is not a matrix of this kind.
    """

    matrix: Any
    noise: Noise = field(default_factory=Brownian)
    factor: Any = field(init=False, repr=False)

    def __post_init__(self):
        _checks.instance("noise", self.noise, Noise, why="it is correlated by the matrix", way_out="Use Brownian().")
        if not self.noise.white:
            way_out = "Use Brownian() or BrownianTree(t0, t1)."
            _checks.refuse("noise", self.noise, "white noise", "C is its covariance only then", way_out, TypeError)
        if not isinstance(self.matrix, (tf.Tensor, tf.Variable)):
            object.__setattr__(self, "matrix", np.asarray(self.matrix, np.float64))
        object.__setattr__(self, "factor", _factor(self.matrix))

    @property
    def refinable(self) -> bool:
        """As W."""
        return self.noise.refinable

    def increment(self, key, n, t, h, like):
        """L·W."""
        return self._times(self.noise.increment(key, n, t, h, like))

    def area(self, key, n, t, h, like):
        """L·(W, H)."""
        return tuple(self._times(part) for part in self.noise.area(key, n, t, h, like))

    def _times(self, w):
        def leaf(a):
            L = _nest.to(self.factor, a.dtype)
            if L.shape[0] > 8:
                return tf.linalg.matvec(L, a)
            return tf.add_n([a[..., j, None] * L[:, j] for j in range(L.shape[0])])  # fuses with the draw

        return _nest.map(leaf, w)

    def fits(self, y):
        """The last axis of each part of the state has the size of the matrix."""
        size = self.factor.shape[0]
        for leaf in _nest.flatten(y):
            if leaf.shape.rank == 0 or leaf.shape[-1] != size:
                _checks.refuse(
                    "noise",
                    _checks.Verbatim(f"Correlated by a matrix of {size} × {size}"),
                    f"a matrix of the size of the last axis of a state of shape {tuple(leaf.shape)}",
                    "it correlates the entries along that axis",
                    "Put the correlated coordinates last.",
                )

    def covers(self, t0, t1, h):
        """As W."""
        self.noise.covers(t0, t1, h)


def _factor(matrix):
    """The Cholesky factor of a matrix; refuses those that have none."""
    if tf.is_symbolic_tensor(matrix):
        return tf.linalg.cholesky(matrix)
    what, C = "matrix", _checks.finite("matrix", np.asarray(matrix, np.float64), why="it is a covariance")
    if C.ndim != 2 or C.shape[0] != C.shape[1]:
        _checks.refuse(what, matrix, "a square matrix", "it relates each coordinate to each", "Pass C of d × d.")
    skew = np.abs(C - C.T).max()
    if skew > 1e-6 * np.abs(C).max():
        shown = _checks.Verbatim(f"a matrix with |C − Cᵀ| up to {skew:.3g}")
        why = "the covariance of i with j is that of j with i"
        _checks.refuse(what, shown, "a symmetric one", why, "Pass (C + Cᵀ)/2.")
    least = np.linalg.eigvalsh(C)[0]
    if not least > 0.0:
        shown = _checks.Verbatim(f"a matrix with the eigenvalue {least:.3g}")
        way_out = "Leave out coordinates without noise, or add a small multiple of 1."
        _checks.refuse(what, shown, "positive eigenvalues", "a variance is positive", way_out)
    return tf.linalg.cholesky(matrix) if tf.is_tensor(matrix) else np.linalg.cholesky(C)
