"""Geometric multigrid for cell-centred finite volumes: a symmetric V-cycle that preconditions conjugate gradients.

References:
    Adams, Brezina, Hu & Tuminaro (2003), doi:10.1016/S0021-9991(03)00194-3 (polynomial smoothers).
    Bramble, Ewing, Pasciak & Shen (1996), doi:10.1007/BF02127696 (multigrid for cell-centred differences).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _nest
from diffsim._tree import static
from diffsim._xla import fence
from diffsim.operators import halo
from diffsim.operators.network import Network, cells, widened

PRECISION = tf.float32  # a preconditioner needs no more, and reads half as much
SWEEPS = 2  # Jacobi sweeps before and after each coarse correction


def systems(levels: tuple[Network, ...], sigma: float, gamma) -> tuple[System, ...]:
    """The matrices σ·mass − γ·growth − γ·L of all levels; σ = 0 leaves the mass out."""
    return tuple(_system(level, sigma, _nest.to(gamma, level.mass.dtype)) for level in levels)


def _system(level, sigma, gamma):
    faces = tuple(gamma * c for c in level.faces)
    diagonal = sigma * level.mass - (0.0 if level.growth is None else gamma * level.growth)
    for axis, c in enumerate(faces):
        diagonal += cells(c, axis, 0, level.ndim) + cells(c, axis, 1, level.ndim)
    here = System(diagonal, tf.math.reciprocal_no_nan(diagonal), faces, level.periodic, level.down)
    return here if level.down else replace(here, inverse=here.dense_inverse())


@dataclass(frozen=True)
class System:
    """The symmetric positive definite matrix of a network, and its Jacobi polynomial smoother."""

    diagonal: tf.Tensor
    reciprocal: tf.Tensor
    faces: tuple
    periodic: tuple[bool, ...] = static()
    down: tuple = ()
    inverse: tf.Tensor | None = None  # on the coarsest grid

    def dense_inverse(self):
        """The inverse as a dense matrix; a little is added to the diagonal, for closed systems are singular."""
        n, dtype = self.diagonal.shape.num_elements(), self.diagonal.dtype
        eye = tf.eye(n, dtype=dtype)
        own = tf.where(self.diagonal > 0, self.diagonal, 1)  # cells of which nothing is left
        coupling = tf.reshape(self.coupling(tf.reshape(eye, [n, *self.diagonal.shape])), [n, n])
        slack = 1 + float(np.sqrt(np.finfo(dtype.as_numpy_dtype).eps))
        matrix = tf.linalg.diag(slack * tf.reshape(own, [n])) - coupling
        return tf.linalg.cholesky_solve(tf.linalg.cholesky(matrix), eye)

    def solve(self, b):
        """The solution by the dense inverse."""
        n = self.inverse.shape[0]
        return tf.reshape(tf.reshape(b, [-1, n]) @ self.inverse, b.shape)

    def coupling(self, a):
        """Σ c·a_neighbour: minus the off-diagonal part."""
        d = len(self.faces)
        p = a
        for axis in [i for i, wraps in enumerate(self.periodic) if wraps]:
            p = widened(p, axis, 1, True, d)
        ends = [[0, 0] if wraps else [1, 1] for wraps in self.periodic]
        p = fence(tf.pad(p, [[0, 0]] * (a.shape.rank - d) + ends))
        total = 0.0
        for axis, c in enumerate(self.faces):
            step = tuple(int(i == axis) for i in range(d))
            total += cells(c, axis, 1, d) * halo.inner(p, step)
            total += cells(c, axis, 0, d) * halo.inner(p, tuple(-s for s in step))
        return total

    def residual(self, a, b):
        """b − (diagonal − coupling) a."""
        return b - self.diagonal * a + self.coupling(a)

    def smooth(self, a, b):
        """Jacobi sweeps whose factors are reciprocals of Chebyshev's roots on the rough part of the spectrum.

        The spectrum of diagonal⁻¹·matrix lies in (0, 2] by Gershgorin; on a uniform grid of d axes modes that
        oscillate from cell to cell have λ ≥ 1/d. A polynomial in it is symmetric, before or after the correction.
        """
        for omega in _relaxation(sum(c.shape[i] > 2 for i, c in enumerate(self.faces))):
            if a is None:
                a = omega * self.reciprocal * b
            else:
                a = (1 - omega) * a + omega * self.reciprocal * (b + self.coupling(a))
        return a


def _relaxation(axes: int) -> tuple[float, ...]:
    low, high = 1 / max(axes, 1), 2.0
    centre, radius = (high + low) / 2, (high - low) / 2
    return tuple(1 / (centre - radius * math.cos(math.pi * (k + 0.5) / SWEEPS)) for k in range(SWEEPS))


def cycle(systems: tuple[System, ...], b):
    """One V-cycle from zero: a symmetric positive definite approximation of systems[0]⁻¹ b."""
    top, *rest = systems
    if not rest:
        return top.solve(b)
    a = top.smooth(None, b)
    r = top.residual(a, b)
    for halving in top.down:
        r = halving.restrict(r)
    e = cycle(rest, r)
    for halving in reversed(top.down):
        e = halving.prolong(e)
    return top.smooth(a + e, b)
