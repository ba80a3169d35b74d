"""Noise that is white in space and time: what drives stochastic partial differential equations on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, boundary, random
from diffsim.boundary import Dirichlet, Flux, Neumann
from diffsim.grid import Grid
from diffsim.noise import Brownian, Noise
from diffsim.noise.base import row


def _check(grid, like):
    for leaf in _nest.flatten(like):
        grid.check("state", leaf.shape)


@dataclass(frozen=True)
class SpaceTimeWhite(Noise):
    """⟨dW(t, x) dW(t′, x′)⟩ = δ(t − t′) δ(x − x′) dt dt′: in a cell of volume V the mean of it, √(h/V)·ξ.

    Use it as ``Equation(linear=Diffusion(grid, …) − mu, diffusion=sigma, noise=SpaceTimeWhite(grid))`` for
    du = (D∇²u − μu) dt + σ dW, Itô. Each species gets its own. The variance of a mode does not depend on the grid;
    that of u at a point does, and grows without bound in two and three dimensions: so is the equation.

    Known answers: modes of the linear equation above are Ornstein–Uhlenbeck processes with the structure factor
    S(k) = σ²/2(μ + Dk²), k² → −λ for the discrete Laplacian; `ETD1` has it at any step h, `EulerMaruyama` has
    S/(1 − (μ + Dk²)h/2).

    Args:
        grid: Grid or RadialGrid.
        first: number of the state's first row within the whole ensemble, as for `Brownian`.

    References:
        Walsh (1986), doi:10.1007/BFb0074920; García-Ojalvo & Sancho (1999), doi:10.1007/978-1-4612-1536-3.
    """

    grid: Grid
    first: Any = 0

    def __post_init__(self):
        object.__setattr__(self, "first", row(self.first))
        _checks.instance("grid", self.grid, Grid, why="noise is averaged over its cells", way_out="Pass ds.Grid(…).")

    @property
    def variance(self):
        """1/V."""
        V = np.asarray(self.grid.volume())
        return 1 / float(V.flat[0]) if np.ptp(V) == 0 else 1 / V

    def increment(self, key, n, t, h, like):
        """√(|h|/V)·ξ."""
        _check(self.grid, like)
        scale = 1 / np.sqrt(self.grid.volume())
        return _nest.map(lambda w: w * _nest.to(scale, w.dtype), Brownian(self.first).increment(key, n, t, h, like))


@dataclass(frozen=True)
class ConservedWhite(Noise):
    """∇·dW with W white in space and time in each direction: noise of a flux, which moves matter and makes none.

    The divergence is that of `Diffusion`: a flux √(h/V)·ξ through every face between two cells, none through a wall
    without flux, √2 of it through a Dirichlet wall, which lies half a cell away. Its covariance is then −Δ/V, so that
    du = D∇²u dt + √(2Dχ) ∇·dW has the flat structure factor χ in every mode, exactly in the basis of `ETD1`.
    The amplitude must be a number: where it depends on u it belongs inside the divergence.

    Args:
        grid: a box.
        boundary: conditions on the faces, as for the operator: Periodic, Neumann, Flux or Dirichlet.
        first: number of the state's first row within the whole ensemble, as for `Brownian`.

    Raises:
        ValueError: a radial grid, or Robin walls.

    References:
        Donev, Vanden-Eijnden, Garcia & Bell (2010), doi:10.2140/camcos.2010.5.149.
    """

    grid: Grid
    boundary: object
    first: Any = 0

    def __post_init__(self):
        object.__setattr__(self, "first", row(self.first))
        if type(self.grid) is not Grid:
            _checks.refuse("grid", self.grid, "a box", "its faces are all alike", "Pass ds.Grid(…).")
        pairs = self.boundary if isinstance(self.boundary, tuple) else boundary.resolve(self.boundary, self.grid)
        for condition in (c for pair in pairs for c in pair):
            if isinstance(condition, boundary.Robin):
                _checks.refuse(
                    "boundary",
                    condition,
                    "Periodic, Neumann, Flux or Dirichlet",
                    "the noise of a Robin wall depends on D",
                    "Use Neumann() or Dirichlet(…).",
                )
        object.__setattr__(self, "boundary", pairs)

    def multiplied(self):
        """Refuse g(u), which would multiply the divergence and make matter."""
        why = "it belongs to the flux, ∇·(g dW), while g ∇·dW would make matter and destroy it"
        way_out = "Pass a number, that of the mean state."
        _checks.refuse("diffusion", _checks.Verbatim("a function of the state"), "a number", why, way_out, TypeError)

    def increment(self, key, n, t, h, like):
        """√(|h|/V) Σ (ξ₊ − ξ₋)/Δx over the axes."""
        _check(self.grid, like)
        leaves = _nest.flatten(like)
        streams = [random.stream(key, i) for i in range(len(leaves))]
        return _nest.pack(like, [self._divergence(s, n, t, h, leaf) for s, leaf in zip(streams, leaves, strict=True)])

    def _divergence(self, key, n, t, h, leaf):
        d, total = self.grid.ndim, None
        volume = float(np.prod(self.grid.dx))
        for axis, (pair, dx) in enumerate(zip(self.boundary, self.grid.dx, strict=True)):
            at = axis - d
            face = Brownian(self.first).increment(random.fold_in(key, axis), n, t, h, leaf)
            first = tf.split(face, [1, leaf.shape[at] - 1], at)[0]
            if isinstance(pair[0], boundary.Periodic):
                faces = tf.concat([face, first], at)
            else:
                last = Brownian(self.first).increment(random.fold_in(random.fold_in(key, axis), d), n, t, h, first)
                inner = tf.split(face, [1, leaf.shape[at] - 1], at)[1]
                faces = tf.concat([_wall(pair[0]) * first, inner, _wall(pair[1]) * last], at)
            low, high = (tf.split(faces, split, at)[i] for split, i in (((-1, 1), 0), ((1, -1), 1)))
            part = (high - low) * _nest.to(1 / (dx * volume**0.5), leaf.dtype)
            total = part if total is None else total + part
        return total


def _wall(condition) -> float:
    return {Neumann: 0.0, Flux: 0.0, Dirichlet: 2.0**0.5}[type(condition)]
