"""Operators against dense matrices: what they are, what they conserve, and every function of them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import expm

import diffsim as ds
from diffsim.operators.krylov import Iterative
from tests.dense import PERIODIC, couple, matrix, system
from tests.orders import distance

WALLS = {  # name → (condition, the same for the oracle)
    "dirichlet": (ds.Dirichlet(1.3), ("dirichlet", 1.3)),
    "neumann": (ds.Neumann(-0.4), ("neumann", -0.4)),
    "flux": (ds.Flux(0.7), ("flux", 0.7)),
    "robin": (ds.Robin(2.5, 0.8), ("robin", 2.5, 0.8)),
}
PAIRS = [*itertools.product(WALLS, WALLS), PERIODIC]
GRIDS = {1: ds.Grid(6, 1.5, -0.3), 2: ds.Grid((5, 3), (1.5, 0.7)), 3: ds.Grid((4, 3, 2), (1.5, 0.7, 1.1))}
RNG = np.random.default_rng(3)


def sides(pair):
    """(condition of diffsim, the oracle's) for both ends of an axis."""
    if pair == PERIODIC:
        return ds.Periodic(), PERIODIC
    return tuple(WALLS[p][0] for p in pair), tuple(WALLS[p][1] for p in pair)


def boundary(pairs):
    """Boundary and the oracle's walls for one pair per axis."""
    both = [sides(p) for p in pairs]
    return ds.Boundary(**dict(zip("xyz", (b[0] for b in both), strict=False))), [b[1] for b in both]


def constant(grid):
    """One number."""
    return 0.7, (0.7,) * grid.ndim


def per_axis(grid):
    """A number for each axis."""
    D = (0.7, 0.2, 1.9)[: grid.ndim]
    return D, D


def field(grid):
    """A rough field."""
    D = np.random.default_rng(1).uniform(0.1, 3.0, grid.shape)
    return D, (D,) * grid.ndim


def of_position(grid):
    """A callable of the coordinates."""
    D = 0.3 + sum(np.broadcast_to(c**2, grid.shape) for c in grid.coordinates())
    return lambda *x: 0.3 + sum(c**2 for c in x), (D,) * grid.ndim


def layered(grid):
    """Two slabs in perfect contact."""
    n, face = grid.shape[0], grid.axes[0].faces[2]
    D = np.where(np.arange(n) < 2, 1.0, 0.1).reshape([-1] + [1] * (grid.ndim - 1))
    return ds.Layers(D=(1.0, 0.1), at=(face,)), (D,) * grid.ndim


def at_walls(medium, grid):
    """D at both ends of each axis where it is known better than from two cells."""
    if medium is of_position:
        f, out = medium(grid)[0], []
        for axis in range(grid.ndim):
            face = grid.face_coordinates(axis)
            out.append([f(*(np.take(c, [j], i) if i == axis else c for i, c in enumerate(face))) for j in (0, -1)])
        return out
    D = medium(grid)[1]
    return [(1.0, 0.1), *((d, d) for d in D[1:])] if medium is layered else None


MEDIA = [constant, per_axis, field, of_position, layered]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("medium", MEDIA, ids=lambda m: m.__name__)
def test_matrix_and_source_for_every_pair_of_walls(medium, ndim, dtype):
    grid = GRIDS[ndim]
    D, plain = medium(grid)
    tolerance = 1e-13 if dtype is np.float64 else 1e-5
    for i, pair in enumerate(PAIRS):
        walls, oracle = boundary([pair, PAIRS[(i + 5) % 17], PAIRS[(i + 11) % 17]][:ndim])
        op = ds.Diffusion(grid, walls, D)
        A, b = system(grid.shape, grid.size, plain, oracle, ends=at_walls(medium, grid))
        assert distance(matrix(op, grid.shape, dtype), A) <= tolerance * np.abs(A).max()
        source = op.source(0.0, np.zeros(grid.shape, dtype))
        source = np.zeros(grid.shape) if source is None else source.numpy()
        assert distance(source.ravel(), b) <= tolerance * (1 + np.abs(b).max())
        rho = np.abs(np.linalg.eigvals(A)).max()
        assert rho * (1 - 1e-9) <= op.radius() <= 2.1 * rho + 1e-9


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("inner", [0.0, 0.5])
def test_matrix_of_shells(dimension, inner):
    n, L = 6, 1.2
    grid = ds.RadialGrid(n, L, inner=inner, dimension=dimension)
    r = inner + L * np.arange(n + 1) / n
    area = 2 * np.pi * (dimension - 1) * r ** (dimension - 1)
    volume = 2 * np.pi * (dimension - 1) / dimension * np.diff(r**dimension)
    D = 0.2 + np.arange(n) % 3
    for pair in PAIRS[:-1]:
        ends, oracle = sides(pair)
        op = ds.Diffusion(grid, ds.Boundary(r=ends), D)
        A, b = system((n,), (L,), (D,), (oracle,), (area,), volume)
        assert distance(matrix(op, (n,)), A) < 1e-12 * np.abs(A).max()
        source = op.source(0.0, np.zeros(n))
        assert distance(np.zeros(n) if source is None else source, b) < 1e-11
        assert np.abs(np.linalg.eigvals(A)).max() <= op.radius() * (1 + 1e-9)


def test_interfaces_with_partition_and_resistance():
    n, L, K, R, D = 8, 2.0, 3.0, 0.6, (0.5, 2.0)
    A, b = system((n,), (L,), (np.where(np.arange(n) < 4, *D),), ((WALLS["dirichlet"][1], WALLS["robin"][1]),))
    half, dx = [2 * d / (L / n) for d in D], L / n
    k = np.array([1 / (1 / half[0] + 1 / half[1]) / dx])
    couple(A, np.array([3]), np.array([4]), -k)  # cut them apart …
    q = 1 / (K / half[0] + R + 1 / half[1]) / dx  # … and let (K·u₁ − u₂)/(K/k₁ + R + 1/k₂) flow
    A[3, 3] -= K * q
    A[3, 4] += q
    A[4, 3] += K * q
    A[4, 4] -= q
    medium = ds.Layers(D=D, at=(1.0,), interfaces=(ds.Interface(K, R),))
    op = ds.Diffusion(ds.Grid(n, L), ds.Boundary(x=(ds.Dirichlet(1.3), ds.Robin(2.5, 0.8))), medium)
    assert distance(matrix(op, (n,)), A) < 1e-12 * np.abs(A).max()
    assert distance(op.source(0.0, np.zeros(n)), b) < 1e-12
    u = np.linalg.solve(A, -b)  # in the steady state one flux passes everything
    J = op.flux(0.0, u)[0].numpy()
    assert np.ptp(J) < 1e-12 * abs(J[0])
    assert distance(op.diagonal().function(tf.exp, u), expm(A) @ u) < 1e-11


CASES = {
    "periodic": (GRIDS[2], ds.Periodic(), per_axis),
    "closed field": (GRIDS[3], ds.Neumann(), field),
    "open field": (GRIDS[2], ds.Boundary(x=(ds.Dirichlet(1.0), ds.Robin(0.4, 2.0)), y=ds.Flux(0.3)), field),
    "closed ball": (ds.RadialGrid(9, 1.0), ds.Neumann(), constant),
    "open cylinder": (ds.RadialGrid(9, 1.0, inner=0.3, dimension=2), ds.Dirichlet(2.0), field),
    "membrane": (
        GRIDS[1],
        ds.Neumann(),
        lambda grid: (ds.Layers(D=(1.0, 0.1), at=(grid.axes[0].faces[3],), interfaces=(ds.Interface(2.0, 0.5),)), None),
    ),
    "membrane in a plane": (
        GRIDS[2],
        ds.Boundary(x=ds.Dirichlet(1.0), y=ds.Neumann()),
        lambda grid: (ds.Layers(D=(1.0, 0.1), at=(grid.axes[0].faces[3],), interfaces=(ds.Interface(2.0, 0.5),)), None),
    ),
    "tensor": (GRIDS[2], ds.Periodic(), lambda grid: (ds.Anisotropic(np.array([[2.0, 0.6], [0.6, 1.0]])), None)),
    "closed tensor": (
        GRIDS[3],
        ds.Neumann(),
        lambda grid: (ds.Anisotropic(np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.5], [0.1, -0.5, 1.5]])), None),
    ),
}


def case(name):
    """(operator, grid) of a case."""
    grid, walls, medium = CASES[name]
    return ds.Diffusion(grid, walls, medium(grid)[0]), grid


@pytest.mark.parametrize("name", CASES)
def test_laws_of_diffusion(name):
    op, grid = case(name)
    A, V = matrix(op, grid.shape), np.broadcast_to(grid.volume(), grid.shape).ravel()
    s = 1.0 if op.D.solubility is None else np.broadcast_to(op.D.solubility, grid.shape).ravel()
    W = (V / s)[:, None] * A
    size = np.abs(W).max()
    assert distance(W, W.T) < 1e-13 * size  # ⟨u, Av⟩ = ⟨Au, v⟩ in the weights V/s
    assert np.linalg.eigvalsh(W).max() < 1e-12 * size  # A dissipates
    leak = V @ A  # rate of change of the mass, per unit in each cell
    loss = (A @ (s * np.ones(len(A)))).reshape(grid.shape)  # equilibrium has equal activities u/s
    closed = all(isinstance(c, (ds.Neumann, ds.Flux, ds.Periodic)) for pair in op.boundary for c in pair)
    assert (np.abs(leak).max() < 1e-12 * size) == closed
    assert (np.abs(loss).max() < 1e-12 * np.abs(A).max()) == closed
    if "tensor" not in name:
        assert (A - np.diag(np.diag(A))).min() >= 0  # the maximum principle
    assert np.abs(np.linalg.eigvals(A)).max() <= op.radius() * (1 + 1e-9)


@pytest.mark.parametrize("name", [n for n in CASES if "tensor" not in n])
def test_divergence_of_the_flux_and_sum_of_the_inflow(name):
    op, grid = case(name)
    u = RNG.normal(size=(2, *grid.shape))
    rate, V = op(0.3, u).numpy(), grid.volume()
    div = np.zeros_like(u)
    for axis, J in enumerate(op.flux(0.3, u)):
        through = J.numpy() * grid.face_area(axis)
        div += np.diff(through, axis=axis - grid.ndim)
    assert distance(rate, -div / V) < 1e-11
    inflow = op.inflow(0.3, u)
    total = sum(v.numpy() for v in inflow.values()) if inflow else 0.0
    assert grid.integrate(rate).numpy() == pytest.approx(total, abs=1e-11)


FAST = [n for n in CASES if case(n)[0].diagonalises]


def test_what_diagonalises():
    assert FAST == ["periodic", "closed ball", "open cylinder", "membrane"]


@pytest.mark.parametrize("name", FAST)
def test_functions_of_a_diagonalised_operator(name):
    op, grid = case(name)
    A, fast = matrix(op, grid.shape), op.diagonal()
    u = RNG.normal(size=grid.shape)

    def dense(M):
        return (M @ u.ravel()).reshape(grid.shape)

    def e(h, v):
        return fast.function(lambda lam: tf.exp(h * lam), v)

    assert distance(e(0.02, u), dense(expm(0.02 * A))) < 1e-12
    assert distance(e(0.02, e(0.05, u)), e(0.07, u)) < 1e-13
    ready, v = fast.prepare(tf.constant(u)), tf.constant(u)
    assert distance(ready.resolvent(0.3, v), dense(np.linalg.inv(np.eye(len(A)) - 0.3 * A))) < 1e-12
    wide = np.block([[0.05 * A, u.reshape(-1, 1)], [np.zeros((1, len(A) + 1))]])  # exp of it holds φ₁(hA)u
    phi1 = ready.inverse(ready.multiplier(1, 0.05)(ready.forward(v)))
    assert distance(phi1, expm(wide)[:-1, -1].reshape(grid.shape)) < 1e-11
    assert fast.radius() == pytest.approx(np.abs(np.linalg.eigvals(A)).max(), rel=1e-10)


@pytest.mark.parametrize(
    "pair",
    [
        PERIODIC,
        ("neumann", "neumann"),
        ("dirichlet", "dirichlet"),
        ("neumann", "dirichlet"),
        ("dirichlet", "neumann"),
        ("robin", "neumann"),
        ("robin", "dirichlet"),
    ],
    ids=str,
)
@pytest.mark.parametrize("n", [2, 3, 7, 8])
def test_every_basis_is_complete_and_diagonalises(pair, n):
    grid = ds.Grid((n, 3), (1.0, 0.4))
    zero = {"neumann": ds.Neumann(), "dirichlet": ds.Dirichlet(), "robin": ds.Robin(2.5), PERIODIC: ds.Periodic()}
    ends = ds.Periodic() if pair == PERIODIC else tuple(zero[p] for p in pair)
    for D in (0.7, (0.7, 0.2)):
        op = ds.Diffusion(grid, ds.Boundary(x=ends, y=ds.Periodic()), D)
        fast, u = op.diagonal(), RNG.normal(size=(4, n, 3))
        ready = fast.prepare(tf.constant(u))
        assert distance(ready.inverse(ready.forward(tf.constant(u))), u) < 1e-14 * 10
        assert distance(fast.function(lambda lam: lam, u), op.apply(u)) < 1e-12 * op.radius()
        z = u[0] + 1j * u[1]  # complex states, by real and imaginary part
        assert (
            np.abs(fast.function(lambda lam: tf.cast(lam, tf.complex128), z) - op.apply(z)).max() < 1e-11 * op.radius()
        )


def test_fractional_powers_compose_and_match_the_dense_ones():
    op, grid = case("periodic")
    A, u = matrix(op, grid.shape), RNG.normal(size=GRIDS[2].shape)
    u -= u.mean()
    lam, Q = np.linalg.eigh(A)
    for s in (0.4, 0.75, 2.0, 3.0):
        power, raised = Q @ np.diag(np.maximum(-lam, 0) ** s) @ Q.T, op.diagonal().power(s)
        by_modes = raised.function(lambda lam: lam, u)
        for value in (raised.apply(u), by_modes):  # whole powers are applied by stencils
            assert distance(value, -(power @ u.ravel()).reshape(grid.shape)) < 1e-10 * abs(lam).max() ** s
    half = op.diagonal().power(0.5)
    assert distance(half.apply(half.apply(u)), -op.apply(u)) < 1e-11
    a, b, both = (op.diagonal().power(s) for s in (0.3, 0.45, 0.75))
    assert distance(a.apply(b.apply(u)), -both.apply(u)) < 1e-11


def test_spectral_laplacian_is_exact_on_resolved_modes():
    grid = ds.Grid((16, 9), (2.0, 1.0))
    x, y = grid.coordinates()
    op = ds.SpectralLaplacian(grid, ds.Boundary(x=ds.Periodic(), y=(ds.Neumann(), ds.Dirichlet())))
    u = np.sin(3 * np.pi * x) * np.cos(1.5 * np.pi * y)
    assert distance(op.apply(u), -((3 * np.pi) ** 2 + (1.5 * np.pi) ** 2) * u) < 1e-11


@pytest.mark.parametrize("name", [n for n in CASES if n not in FAST])
def test_iterative_resolvent_is_the_dense_one(name):
    op, grid = case(name)
    A, u = matrix(op, grid.shape), RNG.normal(size=(2, *grid.shape))
    solver = op.solvable()
    assert isinstance(solver, Iterative)
    for gamma in (1e-3, 1.0):
        exact = np.linalg.solve(np.eye(len(A)) - gamma * A, u.reshape(2, -1).T).T.reshape(u.shape)
        assert distance(solver.resolvent(gamma, u), exact) < 1e-10


def test_algebra_of_operators():
    grid = GRIDS[2]
    a, b = ds.Laplacian(grid, ds.Neumann()), ds.Diffusion(grid, ds.Periodic(), 0.3)
    A, B, one = matrix(a, grid.shape), matrix(b, grid.shape), np.eye(grid.cells)
    assert distance(matrix(2 * a - 0.5, grid.shape), 2 * A - 0.5 * one) < 1e-11
    assert distance(matrix(a + 3 * b, grid.shape), A + 3 * B) < 1e-11
    assert distance(matrix(-(a - b), grid.shape), B - A) < 1e-11
    assert distance(matrix((2 * a - 0.5).diagonal(), grid.shape), 2 * A - 0.5 * one) < 1e-11
    assert not (a + b).diagonalises
    u = RNG.normal(size=grid.shape)
    fast = (2 * a - 0.5).diagonal()
    assert distance(fast.function(tf.exp, u), (expm(2 * A - 0.5 * one) @ u.ravel()).reshape(grid.shape)) < 1e-12
    both = (a + b - 0.2).solvable()
    exact = np.linalg.solve(one - 0.1 * (A + B - 0.2 * one), u.ravel()).reshape(grid.shape)
    assert distance(both.resolvent(0.1, u), exact) < 1e-10
    walls = ds.Laplacian(grid, ds.Dirichlet(1.0))
    assert distance((3 * walls).source(0.0, u), 3 * walls.source(0.0, u).numpy()) < 1e-12
    assert distance((walls - 0.2)(0.0, u), walls(0.0, u).numpy() - 0.2 * u) < 1e-12


def test_nonlinear_diffusion():
    grid, u = GRIDS[2], RNG.uniform(0.2, 1.5, (2, 5, 3))
    walls = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Robin(0.4, 2.0)), y=(ds.Flux(0.3), ds.Neumann(0.2)))
    linear = ds.Diffusion(grid, walls, field(grid)[0])
    same = ds.NonlinearDiffusion(grid, walls, lambda v: 1.0 + 0 * v, space=field(grid)[0])
    assert distance(same(0.0, tf.constant(u)), linear(0.0, u)) < 1e-12
    cubic = ds.NonlinearDiffusion(grid, ds.Periodic(), lambda v: 4 * v**3)  # ∇·(4u³∇u) = ∇²u⁴
    assert distance(cubic(0.0, tf.constant(u)), ds.Laplacian(grid, ds.Periodic()).apply(u**4)) < 1e-11
    op = ds.NonlinearDiffusion(grid, walls, lambda v: v**2)
    total = sum(v.numpy() for v in op.inflow(0.0, tf.constant(u)).values())
    assert grid.integrate(op(0.0, tf.constant(u))).numpy() == pytest.approx(total, abs=1e-12)
    jacobian = matrix(ds.Diffusion(grid, walls, u[0] ** 2), grid.shape)
    assert np.abs(np.linalg.eigvals(jacobian)).max() <= float(op.radius_at(tf.constant(u[0])))
    ball = ds.NonlinearDiffusion(ds.RadialGrid(6, 1.0), ds.Neumann(), lambda v: 4 * v**3)
    flat = ds.Laplacian(ds.RadialGrid(6, 1.0), ds.Neumann())
    assert distance(ball(0.0, tf.constant(u[0, 0].repeat(2))), flat.apply(u[0, 0].repeat(2) ** 4)) < 1e-11


@pytest.mark.parametrize(
    ("name", "stepper", "h"),
    [
        ("periodic", ds.ETDRK2(), 0.002),
        ("closed field", ds.RKL2(), 0.01),
        ("closed field", ds.TRBDF2(), 0.1),
        ("closed ball", ds.ETD1(), 0.002),
        ("closed tensor", ds.RKL2(), 0.01),
        ("closed ball", ds.RK4(), 1e-3),
    ],
    ids=lambda v: v if isinstance(v, str) else None if isinstance(v, float) else type(v).__name__,
)
def test_closed_systems_keep_their_mass_to_round_off(name, stepper, h):
    op, grid = case(name)
    u0 = RNG.uniform(0.0, 1.0, grid.shape)
    jit = name != "closed tensor"  # whose stages XLA takes long to compile
    end = ds.solve(ds.Equation(linear=op), u0, (0, 2.0), stepper=stepper, dt=h, jit=jit).final
    assert grid.integrate(end).numpy() == pytest.approx(grid.integrate(u0).numpy(), rel=2e-13)
    assert distance(end, u0) > 0.1


@pytest.mark.parametrize("walls", [ds.Periodic(), ds.Boundary(x=(ds.Dirichlet(1.0), ds.Robin(2.0, 0.0)), y=ds.Neumann())])
def test_the_bound_of_the_spectrum_over_slabs_is_that_over_the_whole(walls, monkeypatch):
    from diffsim.operators import stencil

    D = np.exp(2 * np.random.default_rng(0).standard_normal((41, 7)))
    for field in (D, (D[:, :1], D), (1.0, D)):
        op = ds.Diffusion(ds.Grid((41, 7), (1.0, 2.0)), walls, field)
        whole = op.radius()
        with monkeypatch.context() as patched:
            patched.setattr(stencil, "SLAB", 70)
            np.testing.assert_allclose(op.radius(), whole, rtol=1e-13)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("form", ["flat", "face", "tensor"])
def test_arrays_over_a_face_lie_on_it_whatever_its_axis(axis, form):
    grid, D = GRIDS[3], field(GRIDS[3])[0]
    flat = tuple(n for i, n in enumerate(grid.shape) if i != axis)
    values = [np.random.default_rng(i).uniform(0.5, 2.0, flat) for i in range(2)]
    give = {"flat": lambda v: v, "face": lambda v: np.expand_dims(v, axis), "tensor": tf.constant}[form]
    h, v = (give(a) for a in values)
    oracle_h, oracle_v = (a.ravel() for a in values)
    for low, high, oracle in (
        (ds.Robin(h, v), ds.Dirichlet(v), (("robin", oracle_h, oracle_v), ("dirichlet", oracle_v))),
        (ds.Flux(v), ds.Robin(h), (("flux", oracle_v), ("robin", oracle_h, 0.0))),
    ):
        walls = ds.Boundary(**{n: (low, high) if i == axis else ds.Periodic() for i, n in enumerate("xyz")})
        op = ds.Diffusion(grid, walls, D)
        A, b = system(grid.shape, grid.size, (D,) * 3, [oracle if i == axis else PERIODIC for i in range(3)])
        assert distance(matrix(op, grid.shape), A) < 1e-12 * np.abs(A).max()
        assert distance(op.source(0.0, np.zeros(grid.shape)).numpy().ravel(), b) < 1e-12 * np.abs(b).max()
        u = np.random.default_rng(7).normal(size=grid.shape)
        total = sum(np.sum(q) for q in op.inflow(0.0, u).values())
        assert total == pytest.approx(np.sum(A @ u.ravel() + b) * np.prod(grid.dx), rel=1e-11)
