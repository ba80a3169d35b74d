"""The mixed derivatives of a full diffusion tensor, by an energy that is symmetric by construction.

Around each cell there are 2ᵈ corners; at corner σ ∈ {−1, 1}ᵈ the gradient is one-sided, gₐ = σₐ(u₊σₐ − u)/Δxₐ, and
E = ½ Σ_cells Σ_σ 2⁻ᵈ V gᵀ C g with C the tensor without its diagonal (which the face fluxes carry). The operator
−∂E/∂u is symmetric, conserves mass and annihilates constants for every C. At a no-flux wall the missing gₐ is
the one that minimises E: Schur complement instead of mirror image, so that n·D∇u = 0 holds, not ∂u/∂n = 0.
"""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.boundary import Neumann, Periodic
from diffsim.operators import halo


def check(grid, pairs) -> None:
    """Refuse walls for which the tensor's normal flux has no second-order rule here."""
    for axis, pair in enumerate(pairs):
        for condition in pair:
            if not (isinstance(condition, Periodic) or isinstance(condition, Neumann) and condition.homogeneous):
                _checks.refuse(
                    f"boundary on {grid.axes[axis].name}",
                    condition,
                    "Periodic() or Neumann()",
                    "with a full tensor the flux through a wall involves the gradient along it",
                    "Extend the domain, or align the axes with the tensor and pass D=(Dx, Dy, …).",
                )


def divergence(p, D, walls, grid):
    """Σ over corners of the mixed part of ∇·(D∇u); `p` is padded by one cell, `D` is (d, d) or (d, d, *grid)."""
    d = grid.ndim
    weight = tf.constant(0.5**d, p.dtype)
    centre = halo.inner(p, (0,) * d)
    total = tf.zeros_like(centre)
    for sigma in itertools.product((-1, 1), repeat=d):
        C = _corner(D, sigma, walls, grid, p.dtype)
        g = []
        for a in range(d):
            step = tuple(sigma[a] * int(i == a) for i in range(d))
            g.append((halo.inner(p, step) - centre) * tf.constant(sigma[a] / grid.dx[a], p.dtype))
        for a in range(d):
            F = weight * sum(C[a][b] * g[b] for b in range(d)) * tf.constant(sigma[a] / grid.dx[a], p.dtype)
            total = total + F - tf.roll(F, sigma[a], a - d)  # F is zero at walls, so nothing wraps there
    return total


def _corner(D, sigma, walls, grid, dtype):
    d = grid.ndim
    C = [[D[a][b] for b in range(d)] for a in range(d)]
    present = []
    for a in range(d):
        if walls[a] is None:
            present.append(tf.ones([], dtype))
            continue
        n = grid.shape[a]
        at = np.reshape(np.arange(n), [-1 if i == a else 1 for i in range(d)])
        missing = tf.constant(at == (n - 1 if sigma[a] > 0 else 0))
        present.append(tf.cast(~missing, dtype))
        pivot = tf.where(missing, C[a][a], tf.ones([], dtype))
        m = tf.cast(missing, dtype)
        C = [[C[i][j] - m * C[i][a] * C[a][j] / pivot for j in range(d)] for i in range(d)]
    for a in range(d):
        for b in range(d):
            C[a][b] = C[a][b] * present[a] * present[b]
        C[a][a] = C[a][a] - D[a][a] * present[a]
    return C


def radius(diagonal_bound: float) -> float:
    """A bound for the whole operator: corners can at most double what the faces do (C ⪯ diag by D ≻ 0)."""
    return 2.0 * diagonal_bound
