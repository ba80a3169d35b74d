"""Linear solves: against dense ones, in as many iterations on any mesh, with the derivatives of the exact solution."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.operators import multigrid, network
from diffsim.operators.base import Operator
from diffsim.operators.krylov import Iterative, _Problem, bicgstab, cg
from tests.dense import matrix
from tests.orders import distance

RNG = np.random.default_rng(5)


def rough(shape, contrast=100.0, seed=1):
    """Independent in every cell, uniform in its logarithm."""
    return np.exp(np.random.default_rng(seed).uniform(0.0, np.log(contrast), shape))


def bump(n, d=2):
    """A smooth bump of contrast 10⁴."""
    x = (np.arange(n) + 0.5) / n
    waves = [np.cos(2 * np.pi * x).reshape([-1 if i == a else 1 for i in range(d)]) for a in range(d)]
    return 1e4 ** (0.5 + 0.5 * np.prod(np.broadcast_arrays(*waves), axis=0))


def inclusions(n, inside, outside):
    """Rounded squares that lie across the cells of every coarse grid."""
    wave = np.sin(2 * np.pi * 3.3 * (np.arange(n) + 0.5) / n + 0.4)
    return np.where(wave[:, None] * wave > 0.2, inside, outside)


@dataclass(frozen=True)
class Drift(Operator):
    """−c ∂u/∂x by upwind differences: an operator that is neither symmetric nor known to multigrid."""

    c: float
    dx: float

    def apply(self, u):
        return -self.c / self.dx * (u - tf.roll(u, 1, -1))


LINE, PLANE, BOX = ds.Grid(23, 1.7), ds.Grid((12, 11), (1.0, 1.4)), ds.Grid((7, 5, 6), 1.0)
BALL, SHELL = ds.RadialGrid(21, 1.3), ds.RadialGrid(20, 1.3, inner=0.4, dimension=2)
MIXED = ds.Boundary(x=(ds.Dirichlet(), ds.Robin(2.5)), y=ds.Periodic())
SLABS = ds.Layers((1.0, 0.1, 3.0), (0.25, 0.75), 0, (ds.Interface(3.0, 0.2), ds.Interface(0.5)))
CASES = {
    "line": (ds.Diffusion(LINE, ds.Dirichlet(), rough(23)), LINE),
    "ring": (ds.Diffusion(LINE, ds.Periodic(), rough(23)), LINE),
    "closed plane": (ds.Diffusion(PLANE, ds.Neumann(), rough((12, 11))), PLANE),
    "open plane": (ds.Diffusion(PLANE, MIXED, rough((12, 11))), PLANE),
    "torus": (ds.Diffusion(BOX, ds.Periodic(), rough((7, 5, 6))), BOX),
    "box": (ds.Diffusion(BOX, ds.Robin(0.3), rough((7, 5, 6))), BOX),
    "ball": (ds.Diffusion(BALL, ds.Dirichlet(), rough(21)), BALL),
    "closed shell": (ds.Diffusion(SHELL, ds.Neumann(), rough(20)), SHELL),
    "layers": (ds.Diffusion(ds.Grid((16, 6), 1.0), ds.Neumann(), SLABS), ds.Grid((16, 6), 1.0)),
    "tensor": (ds.Diffusion(PLANE, ds.Neumann(), ds.Anisotropic(np.array([[2.0, 0.9], [0.9, 1.0]]))), PLANE),
    "multiple": (0.3 * ds.Diffusion(PLANE, ds.Neumann(), rough((12, 11))), PLANE),
    "sum": (0.5 * ds.Diffusion(PLANE, MIXED, rough((12, 11))) + ds.Diffusion(PLANE, ds.Neumann(), 2.0) - 3.0, PLANE),
    "walls that differ": (
        ds.Diffusion(PLANE, ds.Periodic(), rough((12, 11))) + ds.Diffusion(PLANE, ds.Dirichlet(), 1.0), PLANE),
    "local decay": (ds.Diffusion(PLANE, ds.Neumann(), rough((12, 11))) - tf.constant(rough((12, 11), 10.0)), PLANE),
    "drift": (ds.Diffusion(PLANE, ds.Periodic(), rough((12, 11))) + Drift(2.0, 1.4 / 11), PLANE),
    "drift alone": (Drift(2.0, 1.4 / 11) - 1.0, PLANE),
}


@pytest.mark.parametrize("name", CASES)
def test_resolvent_is_the_dense_inverse(name):
    op, grid = CASES[name]
    A, u = matrix(op, grid.shape), RNG.normal(size=(2, 3, *grid.shape))
    ready = Iterative(op).prepare(tf.constant(u))
    for gamma in (1e-3, 0.7):
        exact = np.linalg.solve(np.eye(len(A)) - gamma * A, u.reshape(6, -1).T).T.reshape(u.shape)
        assert distance(ready.resolvent(tf.constant(gamma, tf.float64), tf.constant(u)), exact) < 1e-10
    single = Iterative(op).resolvent(0.7, u.astype(np.float32))
    assert single.dtype == tf.float32 and distance(single, exact) < 2e-4


@pytest.mark.parametrize("name", ["line", "open plane", "box", "ball", "sum"])
def test_green_is_the_dense_inverse(name):
    op, grid = CASES[name]
    f = RNG.normal(size=(2, *grid.shape))
    exact = np.linalg.solve(-matrix(op, grid.shape), f.reshape(2, -1).T).T.reshape(f.shape)
    assert distance(Iterative(op).green(f), exact) < 1e-10 * np.abs(exact).max()


@pytest.mark.parametrize("name", ["ring", "closed plane", "torus", "closed shell", "layers"])
def test_green_of_closed_systems_balances_the_source(name):
    op, grid = CASES[name]
    f = RNG.normal(size=(2, *grid.shape))
    u = Iterative(op).green(f)
    assert np.abs(grid.integrate(u)).max() < 1e-14 * np.abs(u).max() * grid.cells
    kernel = np.linalg.svd(matrix(op, grid.shape))[2][-1].reshape(grid.shape)  # constants, or the solubility
    balanced = f - kernel * (grid.integrate(f) / grid.integrate(tf.constant(kernel))).numpy().reshape(-1, *[1] * grid.ndim)
    assert distance(-op.apply(u), balanced) < 1e-9


def iterations(D, boundary, share, dtype=tf.float64):
    """How many it takes for a random right-hand side at γ·radius = share."""
    op = ds.Diffusion(ds.Grid(D.shape, 1.0), boundary, D)
    b = tf.constant(np.random.default_rng(2).normal(size=D.shape), dtype)
    u, k = _Problem(Iterative(op).prepare(b), 1.0, tf.constant(share / op.radius(), dtype)).solve(b)
    assert np.isfinite(u.numpy()).all()
    return int(k)


@pytest.mark.parametrize("boundary", [ds.Neumann(), ds.Dirichlet(), ds.Periodic(), ds.Robin(3.0)], ids=repr)
def test_iterations_do_not_grow_with_the_mesh(boundary):
    for n in (32, 128):
        assert iterations(bump(n), boundary, 1e6) <= 15
        assert iterations(bump(n), boundary, 1e6, tf.float32) <= 9


@pytest.mark.parametrize("inside, outside", [(1.0, 1e4), (1e4, 1.0), (0.0, 1.0)], ids=["slow", "fast", "impermeable"])
def test_iterations_do_not_grow_with_contrast(inside, outside):
    for n in (33, 64):
        assert iterations(inclusions(n, inside, outside), ds.Neumann(), 1e6) <= 32


def test_cost_of_noise_in_every_cell():
    assert iterations(rough((64, 64), 100.0), ds.Neumann(), 1e3) <= 20
    assert iterations(rough((64, 64), 1e4), ds.Neumann(), 1e6) <= 60
    assert iterations(bump(16, 3), ds.Neumann(), 1e6) <= 18
    assert iterations(np.ones((8, 200)), ds.Neumann(), 1e6) <= 18  # cells 25 times as wide as high


@pytest.mark.slow
def test_iterations_on_a_fine_mesh():
    assert iterations(bump(256), ds.Neumann(), 1e6) <= 15
    assert iterations(inclusions(256, 1.0, 1e4), ds.Neumann(), 1e6) <= 32


@pytest.mark.parametrize("name", ["closed plane", "open plane", "torus", "ball", "layers", "walls that differ"])
def test_cycle_is_symmetric_positive_and_close_to_the_inverse(name, monkeypatch):
    monkeypatch.setattr(multigrid, "PRECISION", tf.float64)
    monkeypatch.setattr(network, "COARSEST", 6)
    op, grid = CASES[name]
    unit = tf.reshape(tf.eye(grid.cells, dtype=tf.float64), [-1, *grid.shape])
    problem = _Problem(Iterative(op).prepare(unit[0]), 1.0, tf.constant(0.5, tf.float64))
    B = problem.preconditioner()(unit).numpy().reshape(grid.cells, -1).T
    M = np.eye(grid.cells) - 0.5 * matrix(op, grid.shape)
    W = np.broadcast_to(problem.weight, grid.shape).ravel()
    assert len(problem.ready.levels) > 2
    assert distance(W[:, None] * B, (W[:, None] * B).T) < 1e-14 * np.abs(W[:, None] * B).max() * 10
    root = np.sqrt(W)
    symmetric = root[:, None] * B / root
    L = np.linalg.cholesky((symmetric + symmetric.T) / 2)  # raises unless positive definite
    lam = np.linalg.eigvalsh(L.T @ (root[:, None] * M / root) @ L)
    assert lam[0] > 0.1 and lam[-1] < 3.5


def test_approximate_is_one_cycle():
    op, grid = CASES["open plane"]
    u, v = RNG.normal(size=(2, *grid.shape))
    B = Iterative(op).prepare(tf.constant(u))
    together = B.approximate(0.7, 2 * u - v)
    assert distance(together, 2 * B.approximate(0.7, u) - B.approximate(0.7, v)) < 1e-5
    assert distance(B.approximate(0.7, u), B.resolvent(0.7, u)) < 0.5 * np.abs(B.resolvent(0.7, u)).max()


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
def test_halving(axis, periodic):
    shape, d = (9, 8), 2
    op = ds.Diffusion(ds.Grid(shape, 1.0), ds.Periodic() if periodic else ds.Neumann(), rough(shape))
    fine = network.network(op.prepare(tf.zeros(shape, tf.float64)))
    coarse, halving = network.halve(fine, axis)
    a, f = RNG.normal(size=coarse.mass.shape), RNG.normal(size=shape)
    assert abs(np.sum(halving.prolong(tf.constant(a)) * f) - np.sum(a * halving.restrict(tf.constant(f)))) < 1e-13
    assert distance(halving.prolong(tf.ones(coarse.mass.shape, tf.float64)), np.ones(shape)) < 1e-14
    assert abs(np.sum(coarse.mass) - np.sum(fine.mass)) < 1e-12
    other = 1 - axis  # what passes across the halved axis is handed on, not lost
    assert distance(np.sum(coarse.faces[other], axis), np.sum(fine.faces[other], axis)) < 1e-12 * np.max(fine.faces[other])
    assert d == coarse.ndim


def test_coarse_networks_are_the_same_stencil_where_D_is_constant():
    op = ds.Diffusion(ds.Grid((16, 8), (2.0, 1.0)), ds.Boundary(x=ds.Dirichlet(), y=ds.Periodic()), 0.7 * np.ones((16, 8)))
    levels = network.hierarchy(network.network(op.prepare(tf.zeros((16, 8), tf.float64))), op.grid.dx)
    half = ds.Diffusion(ds.Grid((8, 4), (2.0, 1.0)), op.boundary, 0.7 * np.ones((8, 4)))
    exact = network.network(half.prepare(tf.zeros((8, 4), tf.float64)))
    assert levels[1].mass.shape == (8, 4)
    assert distance(levels[1].faces[0], 4 * exact.faces[0]) < 1e-11  # with four times the mass
    assert distance(levels[1].faces[1][1:-1], 4 * exact.faces[1][1:-1]) < 1e-11
    assert distance(levels[1].mass[1:-1], 4 * exact.mass[1:-1]) < 1e-13


def test_coarse_networks_conduct_like_layers():
    """The steady flux through slabs between two walls is the same on every level: resistances in series."""
    grid = ds.Grid(192, 1.0)
    medium = ds.Layers((1.0, 1e-3, 5.0), (1 / 3, 2 / 3), 0, (ds.Interface(2.0, 30.0), ds.Interface()))
    op = ds.Diffusion(grid, ds.Dirichlet(), medium)
    levels = network.hierarchy(network.network(op.prepare(tf.zeros(192, tf.float64))), grid.dx)
    assert len(levels) == 3
    total = [np.sum(1 / level.faces[0].numpy()) for level in levels]
    assert distance(np.array(total), total[0]) < 1e-12 * total[0]


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_through_a_loop_are_those_of_the_dense_solution(compiled):
    grid, gamma = ds.Grid((4, 3), 1.0), 0.4
    D, b, g = rough((4, 3), 10.0), RNG.normal(size=(2, 4, 3)), RNG.normal(size=(2, 4, 3))

    def dense(D, gamma, b):
        R = np.linalg.inv(np.eye(12) - gamma * matrix(ds.Diffusion(grid, MIXED, D), grid.shape))
        return np.sum(g * (R @ R @ b.reshape(2, -1).T).T.reshape(b.shape))

    def value_and_slopes(D, gamma, b):
        with tf.GradientTape() as tape:
            tape.watch((D, gamma, b))
            A = Iterative(ds.Diffusion(grid, MIXED, D)).prepare(b)
            _, u = tf.while_loop(lambda i, u: i < 2, lambda i, u: (i + 1, A.resolvent(gamma, u)), (0, b),
                                 maximum_iterations=2)
            value = tf.reduce_sum(g * u)
        return value, tape.gradient(value, (D, gamma, b))

    at = tuple(tf.constant(a, tf.float64) for a in (D, gamma, b))
    value, slopes = (tf.function(value_and_slopes, jit_compile=True) if compiled else value_and_slopes)(*at)
    assert abs(value - dense(D, gamma, b)) < 1e-11
    for i, slope in enumerate(slopes):  # by central differences, whose error is some 10⁻⁸
        way = RNG.normal(size=np.shape(at[i]))
        ahead, behind = ([a + s * 1e-4 * way if i == j else a for j, a in enumerate((D, gamma, b))] for s in (1, -1))
        assert abs(np.sum(slope * way) - (dense(*ahead) - dense(*behind)) / 2e-4) < 2e-7


@pytest.mark.parametrize("name", ["drift", "layers", "ball", "closed plane"])
def test_adjoint_is_the_transpose(name):
    op, grid = CASES[name]
    b, g = tf.constant(RNG.normal(size=(2, *grid.shape)))
    solves = (lambda b: Iterative(op).resolvent(0.7, b), lambda b: Iterative(op).green(b))
    for solve in solves[:1] if name == "drift" else solves:
        with tf.GradientTape() as tape:
            tape.watch(b)
            value = tf.reduce_sum(g * solve(b))
        slope = tape.gradient(value, b)
        assert abs(tf.reduce_sum(slope * b) - value) < 1e-9 * abs(value).numpy() + 1e-9


def test_second_derivatives():
    op, b = ds.Diffusion(ds.Grid(6, 1.0), ds.Dirichlet(), rough(6)), RNG.normal(size=6)
    A, gamma = matrix(op, (6,)), tf.constant(0.3, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(gamma)
        with tf.GradientTape() as inner:
            inner.watch(gamma)
            value = tf.reduce_sum(b * Iterative(op).resolvent(gamma, b))
        first = inner.gradient(value, gamma)
    R = np.linalg.inv(np.eye(6) - 0.3 * A)
    assert abs(first - b @ R @ A @ R @ b) < 1e-9
    assert abs(outer.gradient(first, gamma) - 2 * b @ R @ A @ R @ A @ R @ b) < 1e-9


def test_mass_is_conserved_to_round_off_whatever_the_tolerance():
    for name in ("closed plane", "torus", "closed shell", "layers"):
        op, grid = CASES[name]
        u = 3.0 + RNG.normal(size=(2, *grid.shape))
        after = Iterative(op, rtol=0.1).resolvent(1.0, u)
        total = grid.integrate(tf.constant(u))
        assert distance(grid.integrate(after), total) < 1e-14 * np.abs(total).max() * 5
    loose = Iterative(CASES["closed plane"][0], rtol=0.1).resolvent(1.0, RNG.normal(size=PLANE.shape))
    tight = Iterative(CASES["closed plane"][0]).resolvent(1.0, RNG.normal(size=PLANE.shape))
    assert distance(loose, tight) > 1e-9  # 0.1 is loose indeed


def test_what_has_not_converged_is_not_a_number():
    op, grid = CASES["open plane"]
    u = tf.constant(RNG.normal(size=(2, *grid.shape)))
    assert np.isnan(Iterative(op, max_iterations=2).resolvent(1.0, u)).all()
    assert np.isfinite(Iterative(op, max_iterations=2, rtol=0.5).resolvent(1.0, u)).all()
    assert np.isnan(Iterative(-op).resolvent(1.0, u)).all()  # backward diffusion is not definite
    assert np.isnan(Iterative(ds.Diffusion(PLANE, ds.Neumann(), rough((12, 11)))).resolvent(np.nan, u)).all()


def test_members_of_an_ensemble_do_not_know_each_other():
    op, grid = CASES["open plane"]
    u = RNG.normal(size=(4, *grid.shape)) * np.array([1.0, 1e-30, 1e30, 1.0]).reshape(4, 1, 1)
    u[3, 2, 2] = np.nan
    ready = Iterative(op).prepare(tf.constant(u))
    together = ready.resolvent(0.7, u).numpy()
    for i in range(3):
        assert distance(together[i] / np.abs(u[i]).max(), ready.resolvent(0.7, u[i]) / np.abs(u[i]).max()) < 1e-14
    assert np.isnan(together[3]).all() and not np.any(ready.resolvent(0.7, np.zeros(grid.shape)))


def test_compiled_is_eager_and_takes_any_gamma():
    op, grid = CASES["open plane"]
    u = tf.constant(RNG.normal(size=(2, *grid.shape)))
    ready = Iterative(op).prepare(u)
    compiled = tf.function(lambda gamma, u: ready.resolvent(gamma, u), jit_compile=True)
    for gamma in (0.01, 3.0):
        assert distance(compiled(tf.constant(gamma, tf.float64), u), ready.resolvent(gamma, u)) < 1e-11
    assert compiled.experimental_get_tracing_count() == 1


def test_is_the_operator_itself():
    op = ds.Diffusion(PLANE, ds.Dirichlet(2.0), rough((12, 11)))
    same, u = Iterative(op), RNG.normal(size=PLANE.shape)
    assert distance(same.apply(u), op.apply(u)) == 0 and distance(same(0.0, u), op(0.0, u)) == 0
    assert distance(same.source(0.0, tf.constant(u)), op.source(0.0, tf.constant(u))) == 0
    assert same.radius() == op.radius() and not same.diagonalises and same.solvable().of is op
    assert isinstance((0.5 * op - 1.0).solvable(), Iterative)


def spectrum(*values):
    """A symmetric matrix with these eigenvalues."""
    Q = np.linalg.qr(np.random.default_rng(8).normal(size=(len(values),) * 2))[0]
    return Q @ np.diag(values) @ Q.T


def test_cg_takes_one_iteration_for_each_eigenvalue():
    A, b = spectrum(*[1.0] * 10, *[7.0] * 10, *[50.0] * 10), RNG.normal(size=30)
    x, k, left = cg(lambda x: tf.linalg.matvec(A, x), tf.constant(b), rtol=1e-10)
    assert k == 3 and left <= 1e-10 and distance(x, np.linalg.solve(A, b)) < 1e-11
    x, k, left = cg(lambda x: tf.linalg.matvec(A, x), tf.constant(b), rtol=1e-10, max_iterations=2)
    assert k == 2 and left > 1e-10


def test_cg_keeps_its_bound():
    lam = np.geomspace(1.0, 100.0, 200)
    A, b = spectrum(*lam), RNG.normal(size=200)
    exact = np.linalg.solve(A, b)
    for most in (5, 15, 30):
        e = exact - cg(lambda x: tf.linalg.matvec(A, x), tf.constant(b), rtol=1e-15, max_iterations=most)[0].numpy()
        assert np.sqrt(e @ A @ e) <= 2 * (9 / 11) ** most * np.sqrt(exact @ A @ exact)


@pytest.mark.parametrize("method", [cg, bicgstab])
def test_solvers_take_nests_guesses_and_preconditioners(method):
    A, B = spectrum(*np.linspace(1, 5, 8)), spectrum(*np.linspace(2, 900, 5))
    b = {"u": tf.constant(RNG.normal(size=8)), "v": tf.constant(RNG.normal(size=5))}
    exact = {"u": np.linalg.solve(A, b["u"]), "v": np.linalg.solve(B, b["v"])}

    def matvec(y):
        return {"u": tf.linalg.matvec(A, y["u"]), "v": tf.linalg.matvec(B, y["v"])}

    def inverse(y):
        return {"u": y["u"], "v": tf.linalg.matvec(np.linalg.inv(B), y["v"])}

    plain = method(matvec, b, rtol=1e-12)
    better = method(matvec, b, None, precondition=inverse, rtol=1e-12)
    for x, _, left in (plain, better):
        assert left <= 1e-12 and all(distance(x[key], exact[key]) < 1e-10 for key in exact)
    assert better[1] < plain[1]
    start = {key: tf.constant(value) for key, value in exact.items()}
    x, k, left = method(matvec, b, start, rtol=1e-10)
    assert k == 0 and all(distance(x[key], exact[key]) == 0 for key in exact)


def test_bicgstab_solves_what_is_not_symmetric():
    A = np.eye(40) * 4 + np.random.default_rng(9).normal(size=(40, 40)) / 4
    b = RNG.normal(size=(40,))
    x, k, left = bicgstab(lambda x: tf.linalg.matvec(A, x), tf.constant(b), rtol=1e-12)
    assert left <= 1e-12 and k < 40 and distance(x, np.linalg.solve(A, b)) < 1e-10
    turn = tf.constant([[0.0, 1.0], [-1.0, 0.0]], tf.float64)  # its first step breaks down: rᵀAr = 0
    assert not bicgstab(lambda x: tf.linalg.matvec(turn, x), tf.ones(2, tf.float64))[2] <= 1e-10


def test_refusals():
    op = CASES["open plane"][0]
    for wrong, kind in (({"rtol": 0.0}, ValueError), ({"max_iterations": 0}, ValueError), ({"tol": 1.0}, TypeError)):
        with pytest.raises(kind):
            Iterative(op, **wrong)
    with pytest.raises(TypeError, match="expected Operator"):
        Iterative(3.0)
    with pytest.raises(ValueError, match="complex128"):
        Iterative(op).resolvent(1.0, np.zeros(PLANE.shape, complex))
    with pytest.raises(ValueError, match="trailing axes"):
        Iterative(op).resolvent(1.0, np.zeros((3, 3)))
