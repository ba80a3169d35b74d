"""∇·(D(u)∇u): diffusion whose coefficient depends on what diffuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest, boundary
from diffsim.boundary import Dirichlet, Neumann
from diffsim.operators import halo, media
from diffsim.operators.stencil import Diffusion


@dataclass(frozen=True)
class NonlinearDiffusion:
    """f(t, u) = ∇·(D(x) D(u) ∇u), a drift in flux form; use it as ``Equation(drift=NonlinearDiffusion(…))``.

    A face takes the mean of D(u) along the straight line between its two cells, by Simpson's rule: exact for cubic D,
    hence equal to the jump of the Kirchhoff potential ∫D du, and able to carry a front into u = 0, where a harmonic
    mean locks.

    Args:
        grid: Grid or RadialGrid.
        boundary: conditions on the faces.
        D: function of u, elementwise, ≥ 0 on all values that occur [length² / time].
        space: a further factor of position: number, array or callable of the coordinates [1].

    Raises:
        ValueError: as `Diffusion`.
    """

    grid: object
    boundary: object
    D: Callable
    space: object = 1.0

    def __post_init__(self):
        if not callable(self.D):
            _checks.refuse(
                "D",
                self.D,
                "a function of u",
                "a constant or spatial D makes a linear operator",
                "Use Diffusion(grid, boundary, D).",
                TypeError,
            )
        base = Diffusion(self.grid, self.boundary, self.space)
        if base.D.cross is not None or base.D.solubility is not None:
            _checks.refuse(
                "space", self.space, "a number or a field", "D(u) is scalar", "Use Diffusion for tensors and layers."
            )
        object.__setattr__(self, "boundary", base.boundary)
        object.__setattr__(self, "space", base.D)

    def __call__(self, t, u):
        """∇·(D(u)∇u)."""
        stencil = Diffusion(self.grid, self.boundary, self.space).prepare(u)
        d, total = self.grid.ndim, None
        for axis in range(d):
            K_low, K_high = stencil.sides(axis)
            low, high = halo.edge(u, axis, False, d), halo.edge(u, axis, True, d)
            below = tf.concat([high, halo.cut(u, axis, 0, u.shape[axis - d] - 1, d)], axis - d)
            above = tf.concat([halo.cut(u, axis, 1, None, d), low], axis - d)
            enter_low = K_low * self._mean(below, u) * (below - u)
            enter_high = K_high * self._mean(u, above) * (above - u)
            if stencil.walls[axis] is not None:
                scale = 1.0 if stencil.volume is not None else 1 / float(self.grid.volume().max())
                ends = [
                    self._inflow(t, w, halo.edge(u, axis, w.upper, d)) * w.area() * _nest.to(scale, u.dtype)
                    for w in stencil.walls[axis]
                ]
                n = u.shape[axis - d]
                enter_low = tf.concat([ends[0], halo.cut(enter_low, axis, 1, None, d)], axis - d)
                enter_high = tf.concat([halo.cut(enter_high, axis, 0, n - 1, d), ends[1]], axis - d)
            part = enter_low + enter_high
            total = part if total is None else total + part
        return total if stencil.volume is None else total / stencil.volume

    def _mean(self, a, b):
        return (self.D(a) + 4 * self.D((a + b) / 2) + self.D(b)) / 6

    def _inflow(self, t, wall, layer):
        def value():
            return boundary.evaluate(wall.condition.given, t, wall.coordinates(), wall.axis, layer.dtype)

        if isinstance(wall.condition, Neumann) and not wall.condition.homogeneous:  # u = u₁ + gradient·Δx/2 there
            half = _nest.to(self.grid.dx[wall.axis] / 2, layer.dtype)
            return replace(wall, D=wall.D * self.D(layer + half * value())).supply(t)
        mean = self.D(layer)
        if isinstance(wall.condition, Dirichlet):
            mean = self._mean(layer, value() + tf.zeros_like(layer))
        wall = replace(wall, k=wall.k * mean)
        return wall.supply(t) - wall.slope * layer

    def inflow(self, t, u):
        """Amount entering per time through each wall: {"x-": …, "x+": …}."""
        d = self.grid.ndim
        stencil, axes = Diffusion(self.grid, self.boundary, self.space).prepare(u), list(range(-d, 0))
        ones = tf.ones(self.grid.shape, u.dtype)
        return {
            w.name: tf.reduce_sum(
                self._inflow(t, w, halo.edge(u, w.axis, w.upper, d)) * w.area() * halo.edge(ones, w.axis, w.upper, d),
                axes,
            )
            for pair in stencil.walls
            if pair is not None
            for w in pair
        }

    def budget(self, t, u, grid):
        """Inflow through each wall."""
        return self.inflow(t, u)

    def radius_at(self, u):
        """A bound of the spectral radius of the Jacobian's diffusive part at the state u, a scalar tensor."""
        base = Diffusion(self.grid, self.boundary, self.space).prepare(u)
        low, high = tf.reduce_min(u), tf.reduce_max(u)
        steps = (_nest.to(i / 8, u.dtype) for i in range(9))
        between = [low + (high - low) * s for s in steps]  # faces and walls see values between
        most = tf.reduce_max(tf.stack([tf.reduce_max(_nest.to(self.D(v), u.dtype)) for v in (u, *between)]))
        return base.bound() * most

    def linearised(self, t, u):
        """The linear operator with D frozen at u, with a resolvent: a preconditioner for implicit steps."""
        from diffsim.operators.krylov import Iterative

        D = tuple(_nest.to(s, u.dtype) * self.D(u) for s in self.space.D)
        return Iterative(Diffusion(self.grid, self.boundary, media.Medium(D))).prepare(u)
