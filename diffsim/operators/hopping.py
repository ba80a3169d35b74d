"""Hops between neighbouring cells at given rates: the generator of a Markov chain on a grid, and its adjoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _nest, _tree, boundary
from diffsim._tree import static
from diffsim.boundary import Condition, Periodic
from diffsim.grid import Grid
from diffsim.operators import blocks, halo
from diffsim.operators.base import Identity, Operator


class Side(NamedTuple):
    """A wall as `steppers.cells` reads it; the rates through it are already what they are."""

    slope: float = 0.5
    kappa: float = 1.0


@dataclass(frozen=True)
class Hopping(Operator):
    """Forward (A p)ᵢ = Σ (rate into i)·p − (rate out of i)·pᵢ, backward (A u)ᵢ = Σ (rate out of i)·(u_there − uᵢ).

    Each is the transpose of the other. Rates are not negative: p stays positive and its sum is kept but for what
    passes the walls, u stays between the values at the walls. Explicit steppers need h ≤ 2/radius; implicit ones
    solve for blocks of cells directly; exponential ones take a matrix of at most 600 cells.

    Args:
        grid: a box.
        boundary: pairs of conditions; their values are p, or u, behind the walls.
        up: for each axis the rates at which its n + 1 faces are crossed upwards [1 / time].
        down: downwards.
        loss: rate at which p vanishes inside cells [1 / time]; None if it does not.
        backward: which of the two.
    """

    grid: Grid
    boundary: tuple[tuple[Condition, Condition], ...]
    up: tuple
    down: tuple
    loss: Any = None
    backward: bool = static(default=False)

    volume = solubility = None  # all cells are alike

    def prepare(self, like) -> Hopping:
        """Rates in the precision of the state."""
        self.grid.check("state", like.shape)
        up, down = (tuple(_nest.to(r, like.dtype) for r in rates) for rates in (self.up, self.down))
        return replace(self, up=up, down=down, loss=None if self.loss is None else _nest.to(self.loss, like.dtype))

    def adjoint(self) -> Hopping:
        """Backward of forward, and the other way round."""
        return replace(self, backward=not self.backward)

    def apply(self, u):
        """A u."""
        return self.prepare(u)._change(u, None)

    def source(self, t, like):
        """b(t), what walls supply."""
        if all(c.homogeneous for pair in self.boundary for c in pair):
            return None
        return self.prepare(like)._change(tf.zeros_like(like), t)

    def _ends(self, u, axis, t):
        """U below and above each face."""
        d, pair = self.grid.ndim, self.boundary[axis]
        low, high = halo.edge(u, axis, False, d), halo.edge(u, axis, True, d)
        if isinstance(pair[0], Periodic):
            low, high = high, low
        else:
            low, high = self._behind(pair[0], axis, False, low, t), self._behind(pair[1], axis, True, high, t)
        return tf.concat([low, u], axis - d), tf.concat([u, high], axis - d)

    def _behind(self, condition, axis, upper, layer, t):
        if t is None or condition.homogeneous:
            return tf.zeros_like(layer)
        end, places = slice(-1, None) if upper else slice(0, 1), list(self.grid.face_coordinates(axis))
        places[axis] = places[axis][(slice(None),) * axis + (end,)]
        return tf.zeros_like(layer) + boundary.evaluate(condition.given, t, places, axis, layer.dtype)

    def _flow(self, u, axis, t):
        """Net rate of crossing each face upwards."""
        below, above = self._ends(u, axis, t)
        return self.up[axis] * below - self.down[axis] * above

    def _change(self, u, t):
        d, total = self.grid.ndim, None if self.loss is None else -self.loss * u
        for axis, n in enumerate(self.grid.shape):
            if self.backward:
                below, above = self._ends(u, axis, t)
                part = halo.cut(self.up[axis] * (above - below), axis, 1, None, d)
                part -= halo.cut(self.down[axis] * (above - below), axis, 0, n, d)
            else:
                flow = self._flow(u, axis, t)
                part = halo.cut(flow, axis, 0, n, d) - halo.cut(flow, axis, 1, None, d)
            total = part if total is None else total + part
        return total

    def budget(self, t, u, grid):
        """Forward: what enters through each wall; backward: all is "reacted", for ∫u dV has no balance."""
        if self.backward:
            return {"reacted": grid.integrate(self.apply(u) if t is None else self(t, u))}
        ready, d, budget = self.prepare(u), grid.ndim, {}
        volume = _nest.to(float(np.prod(grid.dx)), u.dtype)
        for axis, pair in enumerate(self.boundary):
            if isinstance(pair[0], Periodic):
                continue
            flow = ready._flow(u, axis, t)
            for upper, sign in ((False, 1.0), (True, -1.0)):
                name = grid.axes[axis].name + ("+" if upper else "-")
                budget[name] = sign * volume * tf.reduce_sum(halo.edge(flow, axis, upper, d), list(range(-d, 0)))
        return budget if self.loss is None else {**budget, "reacted": -grid.integrate(ready.loss * u)}

    def leaving(self):
        """The rate at which each cell is left, walls and losses included, (*grid)."""
        d, total = self.grid.ndim, tf.zeros(self.grid.shape, self.up[0].dtype)
        for axis, n in enumerate(self.grid.shape):
            total += halo.cut(self.up[axis], axis, 1, None, d) + halo.cut(self.down[axis], axis, 0, n, d)
        return total if self.loss is None else total + self.loss

    def radius(self) -> float:
        """Gershgorin's bound, twice the largest rate of leaving."""
        return 2.0 * float(tf.reduce_max(tf.abs(self.leaving())))

    # As hops of molecules: see `steppers.cells`.

    @property
    def walls(self):
        """For each axis None if it is periodic."""
        return tuple(None if isinstance(pair[0], Periodic) else (Side(), Side()) for pair in self.boundary)

    def sides(self, axis):
        """Rates of leaving each cell downwards and upwards."""
        return halo.cut(self.down[axis], axis, 0, self.grid.shape[axis], self.grid.ndim), halo.cut(
            self.up[axis], axis, 1, None, self.grid.ndim
        )

    # Systems of equations.

    @property
    def diagonalises(self) -> bool:
        """Whether exponentials are cheap: on short axes."""
        return self.grid.ndim == 1 and self.grid.cells <= blocks.DENSE

    def diagonal(self):
        """The same operator with exponentials by its matrix.

        Raises:
            ValueError: there are too many cells.
        """
        if self.grid.cells > blocks.DENSE:
            self._lacks(f"at most {blocks.DENSE} cells, whose matrix has an exponential",
                        "Use TRBDF2() or CrankNicolson(), which solve directly, or fewer cells.")
        return Dense(self)

    def solvable(self):
        """Itself."""
        return self

    def resolvent(self, gamma, rhs):
        """(I − γA)⁻¹ rhs, directly."""
        rhs = tf.convert_to_tensor(rhs)
        return _solution(self.prepare(rhs), 1.0, _nest.to(gamma, rhs.dtype), rhs)

    def green(self, rhs):
        """(−A)⁻¹ rhs: the steady state of 0 = A u + rhs.

        Args:
            rhs: (…, *grid). Something must be able to leave: a wall, or a loss.
        """
        rhs = tf.convert_to_tensor(rhs)
        return _solution(self.prepare(rhs), 0.0, tf.ones([], rhs.dtype), rhs)

    def __add__(self, other):
        """A number adds to growth."""
        if isinstance(other, Operator) and not isinstance(other, Identity):
            return super().__add__(other)
        rate = other.a if isinstance(other, Identity) else Identity(other).a
        return replace(self, loss=-rate if self.loss is None else self.loss - rate)

    __radd__ = __add__


@dataclass(frozen=True)
class Dense(Operator):
    """Hops whose φ-functions are matrices; "coefficients" are the values themselves."""

    of: Hopping

    diagonalises = True
    basis = None
    orthogonal = False

    def prepare(self, like):
        """Rates in the precision of the state."""
        return Dense(self.of.prepare(like))

    def apply(self, u):
        """A u."""
        return self.of.apply(u)

    def source(self, t, like):
        """b(t)."""
        return self.of.source(t, like)

    def budget(self, t, u, grid):
        """As the hops."""
        return self.of.budget(t, u, grid)

    def radius(self):
        """As the hops."""
        return self.of.radius()

    def diagonal(self):
        """Itself."""
        return self

    def resolvent(self, gamma, rhs):
        """As the hops."""
        return self.of.resolvent(gamma, rhs)

    def forward(self, u):
        """u."""
        return u

    def inverse(self, c):
        """c."""
        return c

    def multiplier(self, k, h):
        """φₖ(hA), a matrix whose entries are not negative."""
        grid = self.of.grid
        eye = tf.eye(grid.cells, dtype=tf.float64)
        wide = self.of.prepare(tf.TensorSpec(grid.shape, tf.float64))
        rows = wide.apply(tf.reshape(eye, [grid.cells, *grid.shape]))  # row i is A applied to cell i: the transpose
        fastest = tf.reduce_max(tf.abs(wide.leaving()))
        matrix = blocks.phi(k, tf.reshape(rows, [grid.cells, grid.cells]), _nest.to(h, tf.float64), fastest)

        def times(c):
            flat = tf.reshape(c, [-1, grid.cells])
            return tf.reshape(flat @ tf.cast(matrix, c.dtype), c.shape)

        return times


def _solution(op: Hopping, sigma: float, gamma, rhs):
    """U of (σ − γA) u = rhs, with derivatives by the implicit function theorem."""
    leaves, structure = _tree.flatten(op)
    numbers = [a for a in leaves if _differentiable(a)]

    @tf.custom_gradient
    def known(u, rhs, gamma, *numbers):
        def back(g):
            here = [tf.identity(a) for a in (gamma, *numbers)]
            new = iter(here[1:])
            of = _tree.unflatten(structure, [next(new) if _differentiable(a) else a for a in leaves])
            adjoint = _solution(of.adjoint(), sigma, here[0], g)
            with tf.GradientTape() as tape:
                tape.watch(here)
                image = sigma * u - here[0] * of._change(u, None)
            return tf.zeros_like(u), adjoint, *tape.gradient(image, here, -adjoint, unconnected_gradients="zero")

        return tf.identity(u), back

    fixed = [tf.stop_gradient(a) if _differentiable(a) else a for a in leaves]
    u = blocks.solve(_tree.unflatten(structure, fixed), sigma, tf.stop_gradient(gamma), tf.stop_gradient(rhs))
    return known(tf.stop_gradient(u), rhs, gamma, *numbers)


def _differentiable(leaf) -> bool:
    return isinstance(leaf, tf.Tensor) and leaf.dtype.is_floating
