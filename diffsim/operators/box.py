"""Operators that are diagonal in a tensor-product basis: exact exponentials, φ-functions, resolvents and powers.

If A = A₁⊗I + I⊗A₂ with Aᵢ = VᵢΛᵢVᵢ⁻¹ along each axis, then F(A) = V F(Λ₁ ⊕ Λ₂) V⁻¹ for every function F.

References:
    Lynch, Rice & Thomas (1964), doi:10.1007/BF01386067.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree, boundary
from diffsim._tree import static
from diffsim.boundary import Dirichlet, Flux, Neumann, Periodic, Robin
from diffsim.grid import Grid
from diffsim.operators import response, spectrum
from diffsim.operators.base import Operator
from diffsim.operators.basis import Basis, Cosine, Dense, Hartley, QuarterWave, Sine
from diffsim.operators.functions import phi

DENSE_LIMIT = 2048  # a dense basis of n modes costs n² memory and n³ once


@dataclass(frozen=True)
class Diagonal(Operator):
    """V Λ V⁻¹, with the operator that it diagonalises at hand for its walls and its cheaper application."""

    basis: Basis
    spectrum: spectrum.Spectrum
    of: Operator | None = None  # None: apply it through the basis
    real: bool = static(default=True)
    lam: tf.Tensor | None = None
    mixing: tuple = ()

    diagonalises = True

    def prepare(self, like):
        """Eigenvalues laid out over the coefficients."""
        real = not like.dtype.is_complex
        lam = self.spectrum.over(self.basis, real, like.dtype.real_dtype)
        axes = range(len(self.basis.axes))
        mixing = tuple(self.spectrum.mixing(self.basis, a, real, like.dtype.real_dtype) for a in axes)
        of = None if self.of is None else self.of.prepare(like)
        return replace(self, real=real, lam=lam, mixing=mixing, of=of)

    def _prepared(self, like):
        return self if self.lam is not None else self.prepare(like)

    def diagonal(self):
        """Itself."""
        return self

    def apply(self, u):
        """A u."""
        return self.function(lambda lam: lam, u) if self.of is None else self.of.apply(u)

    def source(self, t, like):
        """b(t)."""
        return None if self.of is None else self.of.source(t, like)

    def __call__(self, t, u):
        """A u + b(t)."""
        return self.apply(u) if self.of is None else self.of(t, u)

    def budget(self, t, u, grid):
        """As the operator that it diagonalises."""
        known = self.of is not None and not isinstance(self.of, Repeated)
        return self.of.budget(t, u, grid) if known else super().budget(t, u, grid)

    def radius(self):
        """max |λ|, exactly."""
        return float(np.abs(self.spectrum.over(self.basis, False, tf.float64).numpy()).max())

    def function(self, F, u):
        """F(A) u for any function F of the eigenvalues."""
        u = tf.convert_to_tensor(u)
        ready = self._prepared(u)
        return ready.inverse(ready._multiplier(F)(ready.forward(u)))

    def _multiplier(self, F):
        return response.multiplier(F, self.lam, self.mixing)

    def power(self, s) -> Diagonal:
        """−(−A)ˢ: the fractional Laplacian where A = Δ, with generator e^{−t(−A)ˢ}. Walls stay homogeneous.

        Args:
            s: exponent > 0.
        """
        if self.of is not None and not _homogeneous(self.of):
            _checks.refuse(
                "operator",
                _checks.Verbatim("walls that are not at zero"),
                "homogeneous walls",
                "a power of an affine operator is not defined",
                "Lift the walls' values out of u.",
            )
        if not isinstance(s, tf.Tensor):
            s = _checks.number("s", s, above=0.0, why="it is the order of a power of −A")
        whole = self.of is not None and isinstance(s, float) and s in (2.0, 3.0, 4.0)
        return Diagonal(self.basis, spectrum.Power(self.spectrum, s), Repeated(self.of, int(s)) if whole else None)

    def resolvent(self, gamma, rhs):
        """(I − γA)⁻¹ rhs."""
        times = self._multiplier(lambda lam: 1 / (1 - _nest.to(gamma, lam.dtype) * lam))
        return self.inverse(times(self.forward(rhs)))

    def forward(self, u):
        """V⁻¹u."""
        return self.basis.forward(u)

    def inverse(self, c):
        """V c."""
        return self.basis.inverse(c, self.real)

    def multiplier(self, k, h):
        """c ↦ φₖ(hΛ) c."""
        return self._multiplier(lambda lam: phi(k, _nest.to(h, lam.dtype) * lam))

    @property
    def orthogonal(self) -> bool:
        """As the basis."""
        return self.basis.orthogonal

    def noise_multiplier(self, h, variance=1.0, growth=0.0):
        """c ↦ √φ₁(2h(ReΛ − b)) c where modes are orthogonal."""
        if not self.orthogonal:
            return self._noise_of_leaning_modes(h, variance, growth)
        mixing = tuple(None if m is None else tf.math.real(m) for m in self.mixing)

        def root(lam):
            return tf.sqrt(phi(1, 2 * _nest.to(h, lam.dtype) * (lam - _nest.to(growth, lam.dtype))))

        return response.multiplier(root, tf.math.real(self.lam), mixing)

    def _noise_of_leaning_modes(self, h, variance, growth):
        """c ↦ M c, M B Mᴴ = B ∘ φ₁(h(λᵢ + λ̄ⱼ − 2b)), B = V⁻¹ diag(variance) V⁻ᵀ the covariance of the coefficients."""
        if variance is None:
            _checks.refuse(
                "noise",
                _checks.Verbatim("noise whose cells depend on each other"),
                "Brownian() or SpaceTimeWhite(grid)",
                "on a radial grid or across a partition the modes of the operator are not those of the noise",
                "Use EulerMaruyama().",
                TypeError,
            )
        (axis,) = self.basis.axes  # such operators are one-dimensional
        wide = tf.complex128 if self.lam.dtype.is_complex else tf.float64
        root = _nest.to(variance, tf.float64) ** 0.5 * tf.ones(axis.n, tf.float64)
        F, G = (_nest.to(m, tf.float64) for m in (axis.F * root, axis.G / root[:, None]))
        lam = tf.cast(self.lam, wide) - _nest.to(growth, wide)
        decay = phi(1, _nest.to(h, wide) * (lam[:, None] + tf.math.conj(lam)))
        covariance = tf.cast(tf.matmul(F, F, transpose_b=True), wide) * decay
        if any(m is not None for m in self.mixing):
            reason = "noise on a radial grid or across a partition has no derivative in a field of D"
            covariance = tf.raw_ops.PreventGradient(input=covariance, message=reason)
        M = tf.matmul(tf.linalg.cholesky(covariance), tf.cast(G, wide))

        def times(c):
            return tf.linalg.matvec(_nest.to(M, c.dtype), c)

        return times


@dataclass(frozen=True)
class Repeated(Operator):
    """−(−A)ⁿ by n applications of A, which cost less than a transform and its inverse; walls at zero."""

    of: Operator
    n: int = static()

    def prepare(self, like):
        """The same with A prepared."""
        return replace(self, of=self.of.prepare(like))

    def apply(self, u):
        """−(−A)ⁿu."""
        v = u
        for _ in range(self.n):
            v = self.of.apply(v)
        return v if self.n % 2 else -v


def _homogeneous(op) -> bool:
    if hasattr(op, "boundary"):
        return all(c.homogeneous for pair in op.boundary for c in pair)
    of = getattr(op, "of", None)
    parts = of if isinstance(of, tuple) else (of,) if of is not None else ()
    return all(_homogeneous(p) for p in parts)


def SpectralLaplacian(grid: Grid, conditions) -> Diagonal:  # noqa: N802 - it names an operator
    """Δ with the continuous eigenvalues −k², exact for every mode that the grid resolves.

    Args:
        grid: a box.
        conditions: Periodic, Neumann() or Dirichlet() on each face.

    Raises:
        ValueError: walls that have no sine or cosine basis, or values that are not zero.
    """
    pairs = boundary.resolve(conditions, grid)
    bases = tuple(_trigonometric(pair, n) for pair, n in zip(pairs, grid.shape, strict=True))
    if type(grid) is not Grid or any(b is None for b in bases) or not all(c.homogeneous for p in pairs for c in p):
        _checks.refuse(
            "boundary",
            conditions,
            "Periodic(), Neumann() or Dirichlet() at zero on a box",
            "only these have sines and cosines as modes",
            "Use Laplacian(grid, boundary) instead.",
        )
    parts = tuple(-((b.frequency() / dx) ** 2) for b, dx in zip(bases, grid.dx, strict=True))
    return Diagonal(_tensor(bases), spectrum.Separable(parts))


def _tensor(bases):
    return Basis(bases, fourier=all(isinstance(b, Hartley) for b in bases))


def _trigonometric(pair, n):
    kinds = tuple(Neumann if isinstance(c, Flux) else type(c) for c in pair)
    table = {(Periodic, Periodic): Hartley, (Neumann, Neumann): Cosine, (Dirichlet, Dirichlet): Sine}
    if kinds in table:
        return table[kinds](n)
    if set(kinds) == {Neumann, Dirichlet}:
        return QuarterWave(n, kinds[0] is Neumann)
    return None


def separates(op) -> bool:
    """Whether a `Diffusion` has a tensor-product eigenbasis of affordable size."""
    for axis, pair in enumerate(op.boundary):
        if op.grid.ndim > 1 and any(isinstance(c, Robin) and np.ndim(c.transfer) for c in pair):
            return False
        if not _analytic(op, axis, pair) and op.grid.shape[axis] > DENSE_LIMIT:
            return False
    return op.D.separable()


def _analytic(op, axis, pair):
    plain = type(op.grid) is Grid and op.D.solubility is None and np.ndim(op.D.D[axis]) == 0
    return plain and _trigonometric(pair, op.grid.shape[axis]) is not None


def diagonalise(op) -> Diagonal:
    """The `Diffusion` op in its eigenbasis.

    Raises:
        ValueError: D or a transfer coefficient couples the axes.
    """
    if not separates(op):
        _checks.refuse(
            "operator",
            _checks.Verbatim(f"Diffusion on {op.grid.shape} cells with variable coefficients"),
            f"D along each axis depending on that axis only, ≤ {DENSE_LIMIT} cells along a variable one",
            "otherwise it has no fast eigenbasis, which exponential steppers need",
            "Use TRBDF2(), CrankNicolson(), RKL2() or Tsit5().",
        )
    bases, parts, matrices = [], [], []
    for axis, pair in enumerate(op.boundary):
        D = op.D.D[axis]
        if _analytic(op, axis, pair):
            b = _trigonometric(pair, op.grid.shape[axis])
            unit = -((2 / op.grid.dx[axis] * np.sin(b.frequency() / 2)) ** 2)
            parts.append(unit * D if not isinstance(D, tf.Tensor) else tf.cast(D, tf.float64) * unit)
            matrices.append(None)
        else:
            b, lam, matrix = _dense(op, axis, pair)
            parts.append(lam)
            matrices.append(matrix)
        bases.append(b)
    return Diagonal(_tensor(tuple(bases)), spectrum.Separable(tuple(parts), tuple(matrices)), op)


def _dense(op, axis, pair):
    """Modes of the 1-D operator along `axis`, made symmetric by √(V/s); eigenvalues; V⁻¹AV if differentiated."""
    from scipy.linalg import eigh_tridiagonal

    from diffsim.operators import media
    from diffsim.operators.stencil import Diffusion  # the line below is a stencil again, in one dimension

    grid = op.grid
    n = grid.shape[axis]
    line = grid if grid.ndim == 1 else Grid(n, grid.size[axis], grid.origin[axis])
    D = op.D.D[axis]
    D = D if np.ndim(D) == 0 else tf.reshape(D, [n]) if isinstance(D, tf.Tensor) else np.reshape(D, n)
    medium = replace(op.D, D=(D,)) if grid.ndim == 1 else media.Medium((D,))
    bare = tuple(Robin(_scalar(c.transfer)) if isinstance(c, Robin) else type(c)() for c in pair)
    A = tf.transpose(Diffusion(line, (bare,), medium).apply(tf.eye(n, dtype=tf.float64)))
    s = 1.0 if medium.solubility is None else np.asarray(medium.solubility)
    w = np.sqrt(np.asarray(line.volume()) / s) * np.ones(n)
    S = w[:, None] * A / w[None, :]
    S = (S + tf.transpose(S)) / 2
    differentiable = any(isinstance(leaf, (tf.Tensor, tf.Variable)) for leaf in _tree.flatten((medium, bare))[0])
    matrix = None
    if differentiable:  # in D or h, with the modes held fixed: see `response`
        Q = tf.stop_gradient(tf.linalg.eigh(S)[1])
        matrix = tf.linalg.matmul(Q, tf.linalg.matmul(S, Q), transpose_a=True)
        lam = tf.linalg.diag_part(matrix)
        if np.ndim(D) == 0 and not any(isinstance(c, Robin) for c in bare):
            matrix = None  # D is a factor, and modes do not depend on it
    elif isinstance(pair[0], Periodic):
        lam, Q = np.linalg.eigh(S.numpy())
    else:
        lam, Q = eigh_tridiagonal(np.diag(S), np.diag(S, 1))
    transposed = tf.transpose(Q) if isinstance(Q, tf.Tensor) else Q.T
    return Dense(transposed * w[None, :], Q / w[:, None], bool(np.ptp(w) <= 1e-12 * w[0])), lam, matrix


def _scalar(h):
    return h if np.ndim(h) == 0 else tf.reshape(h, [-1])[0] if isinstance(h, tf.Tensor) else float(np.ravel(h)[0])
