"""Cross-diffusion: species that drag each other along, yᵢ ↦ Σⱼ Dᵢⱼ Δyⱼ."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import complex_of, static
from diffsim.operators.base import Operator, Scaled, merge
from diffsim.operators.nested import PerLeaf


@dataclass(frozen=True)
class Coupled(Operator):
    """yᵢ ↦ Σⱼ Dᵢⱼ (Aⱼyⱼ + bⱼ): each flux is driven by the gradients of all species.

    With D = VΛV⁻¹ and walls of one kind the species mixed by V⁻¹ diffuse each by itself, so that exponentials and
    resolvents are those of Λₖ·A. Where Λ is complex, species chase each other and mixtures are complex.

    Args:
        ops: A for each species; the boundary conditions live in them.
        D: matrix [S, S], or one for each run, [n, 1, 1, S, S] in the plane [length² / time].
    """

    ops: tuple[Operator, ...]
    D: np.ndarray | tf.Tensor

    whole = True

    def prepare(self, like):
        """With each A prepared for its leaf."""
        leaves = _nest.flatten(like)
        ops = tuple(op.prepare(leaf) for op, leaf in zip(self.ops, leaves, strict=True))
        return Coupled(ops, _nest.to(self.D, leaves[0].dtype))

    def apply(self, u):
        """Σⱼ Dᵢⱼ Aⱼuⱼ."""
        return mix(self.D, PerLeaf(self.ops).apply(u))

    def __call__(self, t, u):
        """Σⱼ Dᵢⱼ (Aⱼuⱼ + bⱼ)."""
        return mix(self.D, PerLeaf(self.ops)(t, u))

    def source(self, t, like):
        """Σⱼ Dᵢⱼ bⱼ."""
        b = PerLeaf(self.ops).source(t, like)
        return None if b is None else mix(self.D, b)

    def radius(self):
        """‖D‖ times the largest among the species'."""
        return float(np.linalg.norm(np.asarray(self.D), 2, (-2, -1)).max()) * max(op.radius() for op in self.ops)

    def budgets(self, t, u, grid):
        """For each species what enters through each wall, Σⱼ Dᵢⱼ times the inflow of species j."""
        each = [op.budget(t, leaf, grid) for op, leaf in zip(self.ops, _nest.flatten(u), strict=True)]
        D = _nest.to(self.D, _nest.real_dtype(u))
        if D.shape.rank > 2:  # one for each run: inflows have no axes of the grid
            D = tf.squeeze(D, list(range(-2 - grid.ndim, -2)))
        S = range(len(each))
        rows = [[{name: D[..., i, j] * v for name, v in each[j].items()} for j in S] for i in S]
        return [merge(row) for row in rows]

    @property
    def diagonalises(self):
        """Whether walls agree and D has a full set of modes that do not grow."""
        if not all(op.diagonalises for op in self.ops):
            return False
        bases = {op.diagonal().basis.key for op in self.ops}
        return len(bases) == 1 and _modes(self.D) is not None

    @property
    def rotates(self):
        """Whether eigenvalues of D are complex: species chase each other, away from the negative real axis."""
        lam = np.linalg.eigvals(np.asarray(self.D, np.float64))
        return bool(abs(lam.imag).max() > 1e-9 * abs(lam).max())

    def diagonal(self):
        """The same operator on mixed species.

        Raises:
            ValueError: walls of different kinds, or a D without a full set of modes.
        """
        found = _modes(self.D)
        ops = tuple(op.diagonal() for op in self.ops)
        if len({op.basis.key for op in ops}) > 1 or found is None:
            _checks.refuse("D", self.D, "a full set of eigenvectors, and one kind of walls for all species",
                           "only then do mixtures of species diffuse each by itself",
                           "Use an explicit stepper: Tsit5(), RK4() or Heun().")
        lam, V = found
        each = (x if x.ndim else x.item() for x in np.moveaxis(lam, -1, 0))
        parts = tuple(Scaled(ops[0], x).diagonal() for x in each)
        return Mixed(self, PerLeaf(parts), V, np.linalg.inv(V))


@dataclass(frozen=True)
class Mixed(Operator):
    """V (Λ₁A, Λ₂A, …) V⁻¹."""

    of: Coupled
    parts: PerLeaf
    V: np.ndarray | tf.Tensor
    W: np.ndarray | tf.Tensor  # V⁻¹
    real: bool = static(default=True)  # whether states are

    whole = True
    diagonalises = True

    def prepare(self, like):
        """All parts prepared."""
        real = not any(leaf.dtype.is_complex for leaf in _nest.flatten(like))
        return replace(self, of=self.of.prepare(like), parts=self.parts.prepare(self._mixtures(like)), real=real)

    def _mixtures(self, u):
        return mix(self.W, u)

    def _species(self, mixtures):
        u = mix(self.V, mixtures)
        return _nest.map(tf.math.real, u) if self.real else u

    def budgets(self, t, u, grid):
        """As the operator itself."""
        return self.of.budgets(t, u, grid)

    def apply(self, u):
        """A u."""
        return self.of.apply(u)

    def __call__(self, t, u):
        """A u + b(t)."""
        return self.of(t, u)

    def source(self, t, like):
        """b(t)."""
        return self.of.source(t, like)

    def radius(self):
        """The largest |λ| of all modes."""
        return self.parts.radius()

    def diagonal(self):
        """Itself."""
        return self

    def resolvent(self, gamma, rhs):
        """(I − γA)⁻¹ rhs."""
        return self._species(self.parts.resolvent(gamma, self._mixtures(rhs)))

    def forward(self, u):
        """Coefficients of the mixtures."""
        return self.parts.forward(self._mixtures(u))

    def inverse(self, c):
        """The species again."""
        return self._species(self.parts.inverse(c))

    def multiplier(self, k, h):
        """φₖ(hΛₖA), mixture by mixture."""
        return self.parts.multiplier(k, h)


def mix(M, y):
    """Σⱼ Mᵢⱼyⱼ, complex where M or y is."""
    leaves, kind = _nest.flatten(y), tf.as_dtype(M.dtype)
    dtype = leaves[0].dtype
    dtype = complex_of(dtype) if kind.is_complex and not dtype.is_complex else dtype
    leaves = [tf.cast(leaf, dtype) for leaf in leaves]
    M = _nest.to(M, dtype)
    rows = [tf.add_n([M[..., i, j] * leaf for j, leaf in enumerate(leaves)]) for i in range(len(leaves))]
    return _nest.pack(y, rows)


def _modes(D):
    """(eigenvalues, eigenvectors), or None where these are too few or a mode grows."""
    D = np.asarray(D, np.float64)
    lam, V = np.linalg.eig(D)
    if (lam.real.min(-1) < -1e-12 * abs(lam).max(-1)).any() or np.linalg.cond(V).max() > 1e8:
        return None
    return np.where(lam.real < 0, lam - lam.real, lam), V
