"""Matrix-free linear solves: conjugate gradients, BiCGSTAB, and the resolvent of operators without a fast basis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._tree import static
from diffsim.boundary import Flux, Neumann
from diffsim.operators import multigrid, network
from diffsim.operators.base import Identity, Operator, Scaled, Sum
from diffsim.operators.box import Diagonal
from diffsim.operators.stencil import Stencil

BLIND = 1e-6  # cosine between residual and shadow below which BiCGSTAB starts afresh


def cg(matvec: Callable, b, x0=None, inner: Callable = _nest.dot, precondition: Callable | None = None,
       rtol: float = 1e-10, max_iterations: int = 500):
    """Solve A x = b by preconditioned conjugate gradients, A symmetric positive definite.

    Args:
        matvec: x ↦ A x on nests of tensors.
        b: right-hand side, a tensor or a nest.
        x0: first guess; zero if not given.
        precondition: r ↦ B r ≈ A⁻¹r, symmetric positive definite; the identity if not given.
        inner: (x, y) ↦ inner product in which A and B are symmetric: a scalar, or a tensor that broadcasts against
            every leaf, so that each member of an ensemble has its own and stops by itself.
        rtol: stop when √(rᵀBr) ≤ rtol·√(bᵀBb); with a good B that is the relative error in the energy norm.
        max_iterations: stop there in any case.

    Returns:
        x, the number of iterations, and √(rᵀBr / bᵀBb) for each member: not ≤ rtol (perhaps NaN) if it failed.

    References:
        Hestenes & Stiefel (1952), doi:10.6028/jres.049.044.
    """
    B = precondition or (lambda r: r)
    x, r = (_nest.zeros(b), b) if x0 is None else (x0, _nest.sub(b, matvec(x0)))
    zero = tf.zeros_like(inner(b, b))
    scale = zero if x0 is None else inner(b, B(b))

    def going(k, x, r, p, rz, scale, left):
        return (k <= max_iterations) & tf.reduce_any(left > rtol)

    def step(k, x, r, p, rz, scale, left):
        z = B(r)
        new = inner(r, z)
        scale = tf.where((k == 0) & (x0 is None), new, scale)
        left = _relative(new, scale)
        p = _nest.axpy(tf.math.divide_no_nan(new, rz), p, z)
        q = matvec(p)
        alpha = tf.where(left > rtol, tf.math.divide_no_nan(new, inner(p, q)), zero)
        return k + 1, _nest.axpy(alpha, p, x), _nest.axpy(-alpha, q, r), p, new, scale, left

    # the last pass only measures what is left: B and A appear once in the program, which halves its compilation
    k, x, *_, left = tf.while_loop(going, step, (tf.constant(0), x, r, _nest.zeros(b), zero, scale, zero + 1.0))
    return x, k - 1, left


def bicgstab(matvec: Callable, b, x0=None, inner: Callable = _nest.dot, precondition: Callable | None = None,
             rtol: float = 1e-10, max_iterations: int = 500):
    """Solve A x = b by BiCGSTAB preconditioned from the right, A any invertible operator.

    Args:
        matvec: x ↦ A x on nests of tensors.
        b: right-hand side, a tensor or a nest.
        x0: first guess; zero if not given.
        precondition: r ↦ B r ≈ A⁻¹r; the identity if not given.
        inner: (x, y) ↦ inner product, as in `cg`.
        rtol: stop when |b − A x| ≤ rtol·|b|.
        max_iterations: stop there in any case; each one applies A and B twice.

    Returns:
        x, the number of iterations, and |b − A x| / |b| for each member: not ≤ rtol (perhaps NaN) if it failed.

    References:
        van der Vorst (1992), doi:10.1137/0913035.
    """
    B = precondition or (lambda r: r)
    scale = inner(b, b)
    x, r = (_nest.zeros(b), b) if x0 is None else (x0, _nest.sub(b, matvec(x0)))
    rho = inner(r, r)
    left = _relative(rho, scale)

    def going(k, x, r, p, shadow, rho, left):
        return (k < max_iterations) & tf.reduce_any(left > rtol)

    def step(k, x, r, p, shadow, rho, left):
        active = left > rtol
        y = B(p)
        v = matvec(y)
        alpha = tf.where(active, tf.math.divide_no_nan(rho, inner(shadow, v)), tf.zeros_like(rho))
        s = _nest.axpy(-alpha, v, r)
        z = B(s)
        t = matvec(z)
        omega = tf.where(active, tf.math.divide_no_nan(inner(t, s), inner(t, t)), tf.zeros_like(rho))
        x = _nest.axpy(omega, z, _nest.axpy(alpha, y, x))
        r = _nest.axpy(-omega, t, s)
        seen, size = inner(shadow, r), inner(r, r)
        beta = tf.math.divide_no_nan(seen, rho) * tf.math.divide_no_nan(alpha, omega)
        p = _nest.axpy(beta, _nest.axpy(-omega, v, p), r)
        blind = tf.abs(seen) < BLIND * tf.sqrt(size * inner(shadow, shadow))  # start afresh from r
        p, shadow = _choose(blind, r, p), _choose(blind, r, shadow)
        return k + 1, x, r, p, shadow, tf.where(blind, size, seen), _relative(size, scale)

    k, x, *_, left = tf.while_loop(going, step, (tf.constant(0), x, r, r, r, rho, left))
    return x, k, left


def _choose(condition, x, y):
    return _nest.map(lambda xi, yi: tf.where(condition, xi, yi), x, y)


def _relative(square, scale):
    return tf.sqrt(tf.math.divide_no_nan(square, scale))


@dataclass(frozen=True)
class Iterative(Operator):
    """The operator A itself, with (I − γA)⁻¹ by conjugate gradients that multigrid preconditions.

    Finite-volume operators are symmetric in the inner product ⟨u, v⟩ = Σ (V/s) u·v, V the cells' volumes and s their
    solubilities; one V-cycle over the conductances of all terms of A makes the number of iterations independent of
    the mesh. Terms that multigrid does not know (advection, say) are solved along with it by BiCGSTAB. Gradients
    are those of the exact solution, by one solve with the adjoint.

    A solve that has not converged after `max_iterations` returns NaN in all cells of that member of the ensemble, so
    that the run stops with its last good state instead of going on with a wrong one.

    Args:
        of: an operator on one real tensor: Diffusion, multiples and sums of it, rates of growth.
        rtol: relative error to reach in the energy norm; 1e-12 in float64 and 1e-6 in float32 if not given.
        max_iterations: give up after so many.
        levels: what `prepare` computes.

    Raises:
        ValueError: rtol or max_iterations not positive.

    References:
        Tatebe (1993), The multigrid preconditioned conjugate gradient method, NASA CP 3224, 621–634.
    """

    of: Operator
    rtol: float | None = static(default=None)
    max_iterations: int = static(default=500)
    levels: tuple[network.Network, ...] | None = None

    def __post_init__(self):
        _checks.instance("of", self.of, Operator, why="it is what is to be solved", way_out="Pass ds.Diffusion(…).")
        if self.rtol is not None:
            _checks.number("rtol", self.rtol, above=0.0, why="iterations come close, not all the way")
        _checks.integer("max_iterations", self.max_iterations, least=1, why="it bounds the work of a solve")

    def prepare(self, like) -> Iterative:
        """The same with A prepared and the hierarchy of grids built."""
        if not tf.as_dtype(like.dtype).is_floating:
            _checks.refuse("state", _checks.Verbatim(f"dtype {tf.as_dtype(like.dtype).name}"), "float32 or float64",
                           "conjugate gradients need a symmetric matrix", "Carry the real and imaginary parts apart.")
        of = self.of.prepare(like)
        if self.levels is None:
            return replace(self, of=of, levels=_levels(_constant(of), like.dtype))
        leaves, structure = _tree.flatten(self.levels)
        return replace(self, of=of, levels=_tree.unflatten(structure, _tree.as_tensors(leaves, multigrid.PRECISION)))

    def apply(self, u):
        """A u."""
        return self.of.apply(u)

    def source(self, t, like):
        """b(t)."""
        return self.of.source(t, like)

    def __call__(self, t, u):
        """A u + b(t)."""
        return self.of(t, u)

    def budget(self, t, u, grid):
        """As A."""
        return self.of.budget(t, u, grid)

    def radius(self) -> float:
        """As A."""
        return self.of.radius()

    @property
    def diagonalises(self) -> bool:
        """As A."""
        return self.of.diagonalises

    def diagonal(self):
        """As A."""
        return self.of.diagonal()

    def solvable(self) -> Iterative:
        """With the hierarchy of grids, built outside of the program: to compile it takes seconds, to run it less."""
        leaves = _tree.flatten(self.of)[0]
        grid = next((term.grid for _, term in _parts(self.of) if hasattr(term, "grid")), None)
        if self.levels is not None or grid is None or any(tf.is_symbolic_tensor(a) for a in leaves):
            return self
        of = _constant(self.of.prepare(tf.zeros(grid.shape, tf.float64)))
        return replace(self, levels=_levels(of, tf.float64))

    def resolvent(self, gamma, rhs):
        """(I − γA)⁻¹ rhs; NaN for each member of the ensemble that did not converge.

        Args:
            gamma: γ ≥ 0, a number or a scalar tensor [time].
            rhs: (…, *grid).
        """
        rhs = tf.convert_to_tensor(rhs)
        ready, rhs = self._ready(rhs)
        return _implicit(ready, 1.0, _nest.to(gamma, rhs.dtype), rhs)

    def green(self, rhs):
        """(−A)⁻¹ rhs: the steady state u of 0 = A u + rhs, Green's function applied to a source.

        If A is closed (nothing passes its walls, nothing grows), constants are its null space: the mean of rhs is
        taken off, since only ∫ rhs dV = 0 has a steady state, and the solution with ∫ u dV = 0 is returned.

        Args:
            rhs: (…, *grid) [amount / volume / time].
        """
        rhs = tf.convert_to_tensor(rhs)
        ready, rhs = self._ready(rhs)
        return _implicit(ready, 0.0, _nest.to(1.0, rhs.dtype), rhs)

    def approximate(self, gamma, rhs):
        """One V-cycle for (I − γA)⁻¹ rhs: cheap and linear in rhs, a preconditioner for larger systems."""
        rhs = tf.convert_to_tensor(rhs)
        ready, rhs = self._ready(rhs)
        return _Problem(_constant(ready), 1.0, _nest.to(gamma, rhs.dtype)).preconditioner()(rhs)

    def _ready(self, rhs):
        rhs = tf.convert_to_tensor(rhs)
        return (self if self.levels is not None else self.prepare(rhs)), rhs


class _Problem:
    """M u = rhs with M = σ − γA or its transpose, in the inner product in which A is symmetric, if it is."""

    def __init__(self, ready: Iterative, sigma: float, gamma, transposed: bool = False):
        terms = [term for _, term in _parts(ready.of)]
        stencils = [term for term in terms if isinstance(term, Stencil)]
        jumps = sum(s.solubility is not None for s in stencils)
        self.ready, self.sigma, self.gamma, self.transposed = ready, sigma, gamma, transposed
        self.symmetric = (bool(stencils) and (jumps == 0 or len(stencils) == 1)
                          and all(isinstance(term, (Stencil, Identity)) for term in terms))
        walls = [wall for s in stencils for pair in s.walls if pair is not None for wall in pair]
        self.closed = (self.symmetric and len(stencils) == len(terms)
                       and all(isinstance(wall.condition, (Neumann, Flux)) for wall in walls))
        self.axes, self.volume, self.solubility = None, 1.0, 1.0
        if stencils:
            self.axes = list(range(-stencils[0].grid.ndim, 0))
            self.volume = network.volume(stencils[0])
            self.solubility = 1.0 if stencils[0].solubility is None else stencils[0].solubility
        self.weight = self.volume / self.solubility

    def matvec(self, u):
        """M u."""
        def forwards(x):
            return self.sigma * x - self.gamma * self.ready.of.apply(x)

        if not self.transposed:
            return forwards(u)
        with tf.GradientTape() as tape:
            x = tf.zeros_like(u)
            tape.watch(x)
            y = forwards(x)
        return tape.gradient(y, x, u, unconnected_gradients="zero")

    def preconditioner(self) -> Callable:
        """R ↦ one V-cycle for M⁻¹ r."""
        if not self.ready.levels:
            return lambda r: r
        systems = multigrid.systems(self.ready.levels, self.sigma, self.gamma)
        before, after = (self.solubility, self.volume) if self.transposed else (self.volume, self.solubility)

        def precondition(r):
            rough = multigrid.cycle(systems, tf.cast(before * r, multigrid.PRECISION))
            return after * tf.cast(rough, r.dtype)

        return precondition

    def adjoint(self, g):
        """M⁻ᵀ g."""
        if self.symmetric:
            return self.weight * _implicit(self.ready, self.sigma, self.gamma, g / self.weight)
        return _implicit(self.ready, self.sigma, self.gamma, g, not self.transposed)

    def inner(self, x, y):
        """⟨x, y⟩ for each member of the ensemble."""
        return tf.reduce_sum(self.weight * x * y, self.axes, keepdims=self.axes is not None)

    def excess(self, u):
        """What has to be taken off for ∫u dV = 0, in proportion to the solubility."""
        room = self.volume * self.solubility * tf.ones(self.ready.levels[0].mass.shape, u.dtype)
        amount = tf.reduce_sum(self.volume * u, self.axes, keepdims=True)
        return self.solubility * amount / tf.reduce_sum(room)

    def solve(self, rhs):
        """The solution, NaN where it did not converge; the number of iterations."""
        rtol = self.ready.rtol or (1e-12 if rhs.dtype == tf.float64 else 1e-6)
        size = tf.reduce_max(tf.abs(rhs), self.axes, keepdims=self.axes is not None)
        b = tf.math.divide_no_nan(rhs, size)  # so that squares neither overflow nor vanish
        rest = self.excess(b) if self.closed else 0.0  # A does nothing to it, and without it rounding is smaller
        method = cg if self.symmetric else bicgstab
        u, k, left = method(self.matvec, b - rest, None, self.inner, self.preconditioner(), rtol,
                            self.ready.max_iterations)
        if self.closed:  # the total is right to round-off, whatever rtol
            u = u - self.excess(u) + self.sigma * rest
        return tf.where(left <= rtol, u * size, _nest.to(float("nan"), u.dtype)), k


def _implicit(ready, sigma, gamma, rhs, transposed=False):
    """The solution u of M u = rhs, and its derivatives by the implicit function theorem: du = M⁻¹(d rhs − dM u)."""
    leaves, structure = _tree.flatten(ready.of)
    numbers = [leaf for leaf in leaves if _differentiable(leaf)]

    @tf.custom_gradient
    def known(u, rhs, gamma, *numbers):
        def back(g):
            again = known(u, rhs, gamma, *numbers)  # not a constant, for the sake of second derivatives
            here = [tf.identity(a) for a in (gamma, *numbers)]  # in a loop the tape does not see captured tensors
            new = iter(here[1:])
            of = _tree.unflatten(structure, [next(new) if _differentiable(leaf) else leaf for leaf in leaves])
            M = _Problem(replace(ready, of=of), sigma, here[0], transposed)
            adjoint = M.adjoint(g)
            with tf.GradientTape() as tape:
                tape.watch(here)
                image = M.matvec(again)
            return tf.zeros_like(u), adjoint, *tape.gradient(image, here, -adjoint, unconnected_gradients="zero")

        return tf.identity(u), back

    u, _ = _Problem(_constant(ready), sigma, tf.stop_gradient(gamma), transposed).solve(tf.stop_gradient(rhs))
    return known(tf.stop_gradient(u), rhs, gamma, *numbers)


def _differentiable(leaf) -> bool:
    return isinstance(leaf, tf.Tensor) and leaf.dtype.is_floating


def _parts(op, factor=1.0) -> list[tuple]:
    """Factors and terms of a prepared operator."""
    if isinstance(op, Scaled):
        return _parts(op.of, factor * op.a)
    if isinstance(op, Sum):
        return [part for term in op.of for part in _parts(term, factor)]
    if isinstance(op, (Iterative, Diagonal)) and op.of is not None:
        return _parts(op.of, factor)
    return [(factor, op)]


def _levels(op, dtype) -> tuple[network.Network, ...]:
    """Ever coarser networks for all terms together; none if no term is a finite-volume operator."""
    parts = [(_nest.to(factor, dtype), term) for factor, term in _parts(op)]
    nets = [(factor, network.network(term)) for factor, term in parts if isinstance(term, Stencil)]
    if not nets:
        return ()
    mass = nets[0][1].mass
    rates = [mass * factor * _nest.to(term.a, dtype) for factor, term in parts if isinstance(term, Identity)]
    growth = sum(rates) if rates else None
    faces = tuple(sum(factor * net.faces[axis] for factor, net in nets) for axis in range(nets[0][1].ndim))
    periodic = tuple(all(wraps) for wraps in zip(*(net.periodic for _, net in nets), strict=True))
    grid = next(term.grid for _, term in parts if isinstance(term, Stencil))
    rough = [None if a is None else tf.cast(a, multigrid.PRECISION) for a in (mass, growth, *faces)]
    return network.hierarchy(network.Network(rough[0], rough[1], tuple(rough[2:]), periodic), grid.dx)


def _constant(op):
    """The same operator with no gradient to its numbers."""
    leaves, structure = _tree.flatten(op)
    return _tree.unflatten(structure, [tf.stop_gradient(a) if isinstance(a, tf.Tensor) else a for a in leaves])
