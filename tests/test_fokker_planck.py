"""One law as a density: Fokker–Planck and backward equations on grids, against exact answers and dense matrices."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.special import erfcx, i0

import diffsim as ds
from tests.orders import slope

F64 = tf.float64
FREE = ds.models.BrownianMotion(0.7)


def tilted(t, x):
    """A potential that is neither even nor separable."""
    first, last = x[..., 0], x[..., -1]
    return 1.5 * tf.cos(2 * first) + 0.4 * last + tf.sin(first * last)


def swirl(t, x):
    """A drift that is no gradient."""
    return 1.3 * tf.stack([-x[..., 0] - 2 * x[..., 1], 2 * x[..., 0] - x[..., 1]], -1)


def dense(op):
    """The matrix of an operator."""
    n = op.grid.cells
    return op.apply(tf.reshape(tf.eye(n, dtype=F64), [n, *op.grid.shape])).numpy().reshape(n, n).T


def on(grid, fn):
    """A function of the coordinates on the grid."""
    x = np.stack(np.broadcast_arrays(*grid.coordinates()), -1)
    return fn(0.0, tf.constant(x)).numpy()


BOXES = {
    "1-D walls": (ds.Grid(12, 2.0, -0.7), ds.Boundary(x=(ds.Robin(0.6), ds.Dirichlet(0.3)))),
    "1-D ring": (ds.Grid(7, np.pi), ds.Periodic()),
    "a ring of two": (ds.Grid(2, np.pi), ds.Periodic()),
    "2-D": (ds.Grid((4, 6), (np.pi, 1.2)), ds.Boundary(x=ds.Periodic(), y=(ds.Neumann(), ds.Dirichlet(1.0)))),
    "2-D torus": (ds.Grid((4, 3), (np.pi, 2.0)), ds.Periodic()),
    "slices of 18 cells": (ds.Grid((18, 19), (1.0, 2.0)), ds.Dirichlet()),
    "3-D": (ds.Grid((3, 4, 2), (1.0, 2.0, 1.1)), ds.Neumann()),
}


@pytest.mark.parametrize("box", BOXES)
def test_rates_are_positive_and_both_equations_are_transposes(box):
    """What leaves a cell arrives, or passes a wall; systems and exponentials are those of the matrix."""
    grid, walls = BOXES[box]
    op = ds.models.Overdamped(tilted, kT=0.6, mobility=1.4).law.generator(grid, walls)
    A, B = dense(op), dense(op.adjoint())
    assert np.abs(A - B.T).max() < 1e-15 * op.radius()
    off = A - np.diag(np.diag(A))
    assert off.min() >= 0 and np.diag(A).max() < 0
    assert np.abs(np.linalg.eigvals(A)).max() <= op.radius()
    if all(isinstance(c, (ds.Neumann, ds.Periodic)) for pair in op.boundary for c in pair):
        assert np.abs(A.sum(0)).max() < 1e-12 * op.radius()
    rhs = np.random.default_rng(1).random((2, *grid.shape))
    for system, M in ((op, A), (op.adjoint(), B)):
        x = system.resolvent(0.3, tf.constant(rhs)).numpy().reshape(2, -1)
        exact = np.linalg.solve(np.eye(len(M)) - 0.3 * M, rhs.reshape(2, -1).T).T
        assert np.abs(x - exact).max() < 1e-12
    if grid.cells > 100:
        return
    c = op.diagonal().multiplier(2, 0.2)(tf.constant(rhs)).numpy().reshape(2, -1)
    M = np.zeros((len(A) + 2, len(A) + 2))  # its exponential holds φ₁ and φ₂
    M[:-2, :-2], M[-2, -1] = 0.2 * A, 1.0
    M[:-2, -2] = rhs[1].ravel()
    assert np.abs(c[1] - expm(M)[:-2, -1]).max() < 1e-10


def test_the_law_of_boltzmann_is_at_rest_to_rounding():
    """Also on a grid that is far too coarse; with the wrong temperature it is not."""
    grid, kT = ds.Grid((8, 5), (np.pi, 1.2)), 0.6
    model = ds.models.Overdamped(tilted, kT=kT, mobility=1.4)
    walls = ds.Boundary(x=ds.Neumann(), y=ds.Neumann())
    op = model.law.generator(grid, walls)
    p = np.exp(-on(grid, tilted) / kT)
    assert np.abs(op.apply(tf.constant(p))).max() < 1e-7 * op.radius() * p.max()
    p /= grid.integrate(p)
    assert np.abs(ds.models.stationary(model, grid, walls) / p - 1).max() < 1e-6
    wrong = np.exp(-on(grid, tilted) / 0.7)
    assert np.abs(op.apply(tf.constant(wrong))).max() > 1e-3 * op.radius() * wrong.max()


def test_densities_stay_positive_and_keep_their_sum():
    """Where the drift is a hundred times stronger than diffusion across a cell, by any stepper."""
    grid = ds.Grid(40, 2.0, -1.0)
    law = ds.models.fokker_planck(ds.models.OrnsteinUhlenbeck(k=50.0, kT=0.01), grid, ds.Neumann())
    p0 = np.zeros(40)
    p0[[2, 37]] = 10.0
    h = 1.9 / law.linear.radius()
    for stepper, dt in ((ds.ETD1(), None), (ds.ImplicitEuler(), 0.05), (ds.Euler(), h / 2)):
        p = ds.solve(law, p0, (0, 0.1), dt=dt, stepper=stepper, jit=False).final.numpy()
        assert p.min() >= 0 and abs(p.sum() - 20) < 1e-11
        assert p[19:21].sum() > 10


# The right limits, at second order


def test_ornstein_uhlenbeck_spreads_as_it_should():
    """Mean and variance from a narrow start."""
    model, errors = ds.models.OrnsteinUhlenbeck(k=0.8, gamma=1.7, kT=0.6), []
    for n in (40, 80):
        grid = ds.Grid(n, 9.0, -4.0)
        x = grid.coordinates()[0]
        p0 = np.exp(-((x - 1.1) ** 2) / 0.5) / np.sqrt(0.5 * np.pi)
        p = ds.solve(ds.models.fokker_planck(model, grid, ds.Neumann()), p0, (0, 0.9), jit=False).final.numpy()
        m, v = model.mean(0.9, 1.1), model.variance(0.9) + 0.25 * np.exp(-2 * 0.8 / 1.7 * 0.9)
        errors.append(np.abs(p - np.exp(-((x - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)).max())
    assert errors[1] < 1e-3 and slope([1 / 40, 1 / 80], errors) == pytest.approx(2.0, abs=0.1)


PLACE = {ds.Ito: (1 - np.log(2)) / np.log(2), ds.Stratonovich: 2**0.5 / 3, ds.Isothermal: 0.5}


@pytest.mark.parametrize("calculus", PLACE)
def test_stationary_mean_of_each_calculus(calculus):
    """D6: D = 1 + x on [0, 1]: 0.4426950, 0.4714045, ½."""
    law = ds.Equation(diffusion=lambda t, x: tf.sqrt(2.0 * (1.0 + x)), calculus=calculus())
    errors = []
    for n in (16, 32):
        grid = ds.Grid(n, 1.0)
        p = ds.models.stationary(law, grid, ds.Neumann()).numpy()
        errors.append(abs(np.sum(p * grid.coordinates()[0]) / n - PLACE[calculus]))
    if calculus is ds.Isothermal:
        assert max(errors) < 1e-12
    else:
        assert errors[1] < 1e-4 and slope([1 / 16, 1 / 32], errors) == pytest.approx(2.0, abs=0.05)


def quartic(t, x):
    """V = x⁴/4 − x²/2."""
    return tf.reduce_sum(x**4 / 4 - x**2 / 2, -1)


def from_left(n, D):
    """T(−1 → 1), −1 being the centre of the n-th of the cells before 1."""
    w = 2 / (n - 0.5)
    left = int(np.ceil(1.5 / w))
    grid = ds.Grid(n + left, (n + left) * w, 1 - (n + left) * w)
    walls = ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()))
    T = ds.models.first_passage_time(ds.models.Overdamped(quartic, kT=D), grid, walls)
    assert grid.coordinates()[0][left] == pytest.approx(-1)
    return T.numpy()[left]


@pytest.mark.parametrize(("D", "exact"), [(0.1, 66.26863), (0.05, 729.67069)])
def test_escape_over_a_barrier(D, exact):
    """D10, at second order; Kramers' formula is not the limit."""
    sizes = (50, 100, 200)
    errors = [abs(from_left(n, D) - exact) for n in sizes]
    assert slope([1 / n for n in sizes], errors) == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 0.05 * abs(ds.reference.escape.kramers(0.25, D, well=2.0) - exact)


def test_washboard():
    """D9: in one period T = L²/2D_eff between two walls, V being even: D_eff = μkT/I₀(A/kT)²."""
    A, kT, mobility, L, errors = 0.9, 0.8, 1.3, 2 * np.pi, []
    model = ds.models.Overdamped(lambda t, x: A * tf.reduce_sum(tf.cos(x), -1), kT=kT, mobility=mobility)
    for n in (81, 161):
        T = ds.models.first_passage_time(model, ds.Grid(n, 2 * L, -L), ds.Dirichlet())
        errors.append(abs(L**2 / (2 * T.numpy()[n // 2]) - mobility * kT / i0(A / kT) ** 2))
    assert errors[1] < 2e-4 and slope([1 / 81, 1 / 161], errors) == pytest.approx(2.0, abs=0.1)
    assert errors[1] < 0.01 * abs(mobility * kT - mobility * kT / i0(A / kT) ** 2)


def test_survival_before_absorbing_and_reacting_walls():
    """D11: P(T < 1) = 0.6681020 of drifted motion to L; D13: e^{q²}erfc(q) is left of those that start at the wall."""
    wind = ds.models.BrownianMotion(0.5, v=1.0)
    lost, kept = [], []
    for n in (60, 120):
        w = 1 / (n / 12 + 0.5)
        grid = ds.Grid(n, n * w, 1 - n * w)
        far = ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()))
        u = ds.solve(ds.models.backward(wind, grid, far), np.ones(n), (0, 1.0), jit=False).final.numpy()
        at = n - 1 - n // 12
        assert grid.coordinates()[0][at] == pytest.approx(0, abs=1e-12)
        lost.append(1 - u[at])
        grid, q = ds.Grid(n, 10.0), 0.5
        law = ds.models.backward(ds.models.BrownianMotion(1.0), grid, ds.Boundary(x=(ds.Robin(q), ds.Neumann())))
        u = ds.solve(law, np.ones(n), (0, 1.0), jit=False).final.numpy()
        kept.append(u[0] / (1 + q * grid.dx[0] / 2))  # at the wall, where the slope is qu
    errors = np.abs(np.array(lost) - 0.6681020), np.abs(np.array(kept) - erfcx(0.5))
    for e in errors:
        assert e[1] < 2e-3 and slope([1 / 60, 1 / 120], e) > 1.8


def test_splitting():
    """Of drifted motion between two walls: (1 − e^{−vx/D})/(1 − e^{−vL/D}), which these rates have exactly."""
    D, v, L = 0.7, 1.3, 1.5
    grid = ds.Grid(20, L)
    walls = ds.Boundary(x=(ds.Dirichlet(), ds.Dirichlet(1.0)))
    law = ds.models.BrownianMotion(D, v=v)
    x = grid.coordinates()[0]
    exact = np.expm1(-v * x / D) / np.expm1(-v * L / D)
    assert np.abs(ds.models.splitting_probability(law, grid, walls) - exact).max() < 1e-12
    backwards = ds.models.splitting_probability(ds.models.BrownianMotion(D, v=-v), grid, walls)
    assert np.abs(backwards - exact).max() > 0.1
    steady = ds.steady(ds.models.backward(law, grid, walls), np.zeros(20), jit=False).final
    assert np.abs(steady - exact).max() < 1e-9


def test_a_drift_that_is_no_gradient():
    """Swirling down: covariance one, at second order; the current does not vanish."""
    law, errors = ds.Equation(drift=swirl, diffusion=(2 * 1.3) ** 0.5), []
    for n in (16, 32):
        grid = ds.Grid((n, n), (10.0, 10.0), (-5.0, -5.0))
        p = ds.models.stationary(law, grid, ds.Neumann()).numpy()
        x, y = grid.coordinates()
        cell = (10 / n) ** 2
        errors.append(abs(np.sum(p * x * x) * cell - 1))
        assert p.min() > 0 and abs(np.sum(p * x * y)) * cell < 1e-3
    assert errors[1] < 0.05 and slope([1 / 16, 1 / 32], errors) == pytest.approx(2.0, abs=0.2)


def test_inertia():
    """An underdamped particle on (x, v): Maxwell's law in v, from below by the first order in x."""
    model, errors = ds.models.Underdamped(lambda t, x: 0.5 * tf.reduce_sum(x * x, -1), kT=0.7, gamma=1.5, mass=0.5), []
    for n in (20, 40):
        grid = ds.Grid((n, n), (8.0, 11.0), (-4.0, -5.5))
        p = ds.models.stationary(model, grid, ds.Neumann()).numpy()
        x, v = grid.coordinates()
        cell = np.prod(grid.dx)
        errors.append(abs(np.sum(p * x * x) * cell - 0.7))
        assert np.sum(p * v * v) * cell == pytest.approx(1.4, rel=0.2)
    assert 0.8 < slope([1 / 20, 1 / 40], errors) < 2.2


def test_steppers_agree():
    """Explicit, stabilised, implicit; and float32."""
    grid = ds.Grid((6, 8), (np.pi, 1.5))
    law = ds.models.fokker_planck(ds.models.Overdamped(tilted, kT=0.6), grid, ds.Neumann())
    p0 = np.ones(grid.shape)

    def end(p0, stepper, dt=None):
        return ds.solve(law, p0, (0, 0.3), stepper=stepper, dt=dt, jit=False).final.numpy()

    exact = end(p0, ds.ETD1())
    for stepper, dt, tol in ((ds.RK4(), 0.3 / 90, 1e-6), (ds.TRBDF2(), 0.01, 1e-3), (ds.RKL2(), 0.01, 1e-3)):
        assert np.abs(end(p0, stepper, dt) - exact).max() < tol, stepper
    p = end(p0.astype("f4"), ds.ETD1())
    assert p.dtype == np.float32 and np.abs(p - exact).max() < 1e-5


def test_gradients():
    """Of the mean time with respect to temperature, by one solution with the transpose."""

    def time(kT):
        law = ds.Equation(drift=lambda t, x: x - x**3, diffusion=lambda t, x: tf.sqrt(2.0 * kT) + 0 * x)
        walls = ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()))
        return ds.models.first_passage_time(law, ds.Grid(40, 3.0, -2.0), walls)[13]

    kT = tf.constant(0.3, F64)
    with tf.GradientTape() as tape:
        tape.watch(kT)
        T = time(kT)
    numeric = (time(kT + 1e-5) - time(kT - 1e-5)) / 2e-5
    assert tape.gradient(T, kT).numpy() == pytest.approx(numeric.numpy(), rel=1e-6)


def test_books():
    """What is inside plus what left is what there was; decay is a loss of its own."""
    grid = ds.Grid(20, 2.0)
    op = FREE.law.generator(grid, ds.Boundary(x=(ds.Dirichlet(), ds.Flux(0.4)))) - 0.8
    p = tf.constant(np.random.default_rng(3).random(20))
    budget = op.budget(0.0, p, grid)
    assert set(budget) == {"x-", "x+", "reacted"}
    assert budget["x+"].numpy() == pytest.approx(0.4) and budget["x-"].numpy() < 0
    assert sum(budget.values()).numpy() == pytest.approx(grid.integrate(op(0.0, p)).numpy(), abs=1e-12)
    assert budget["reacted"].numpy() == pytest.approx(-0.8 * grid.integrate(p).numpy())


def test_reference_of_escape():
    """The mean time by quadrature, twice; Kramers' formula is its limit."""

    def V(x):
        return x**4 / 4 - x**2 / 2

    escape = ds.reference.escape
    for D, exact in ((0.1, 66.26863), (0.05, 729.67069)):
        inner = lambda y, D=D: quad(lambda z: np.exp((V(y) - V(z)) / D), -4, y)[0]  # noqa: E731
        mean = escape.mean_time(V, -1.0, 1.0, -4.0, D)
        assert mean == pytest.approx(quad(inner, -1, 1)[0] / D, rel=1e-9)
        assert mean == pytest.approx(exact, rel=1e-7)
    flat = escape.mean_time(lambda x: 0 * x, 0.3, 1.0, 0.0, kT=0.5, mobility=1.4)
    assert flat == pytest.approx((1 - 0.3**2) / (2 * 0.7), rel=1e-12)
    for D in (0.02, 0.01):
        gap = escape.mean_time(V, -1.0, 1.0, -4.0, D) / escape.kramers(0.25, D, well=2.0) - 1
        assert gap == pytest.approx(1.9 * D, rel=0.35)
    with pytest.raises(ValueError, match="wall ≤ start < end"):
        escape.mean_time(V, 1.0, -1.0, -4.0)


REFUSED = {
    "grid": (lambda: FREE.law.generator(ds.RadialGrid(4, 1.0), ds.Neumann()), "a box"),
    "gradient": (lambda: FREE.law.generator(ds.Grid(4, 1.0), ds.Neumann(1.0)), "reflects, drift and all"),
    "time": (lambda: ds.Equation(drift=lambda t, x: -t * x).generator(ds.Grid(4, 1.0), ds.Neumann()), "Pass t=…"),
    "memory": (lambda: ds.Equation(diffusion=1.0, order=0.5).generator(ds.Grid(4, 1.0), ds.Neumann()), "no generator"),
    "flights": (
        lambda: ds.Equation(diffusion=1.0, noise=ds.AlphaStable(1.5)).generator(ds.Grid(4, 1.0), ds.Neumann()),
        "Brownian noise",
    ),
    "ties": (
        lambda: ds.models.BrownianMotion([[1.0, 0.3], [0.3, 1.0]]).law.generator(ds.Grid((4, 4), 1.0), ds.Neumann()),
        "Rotate the coordinates",
    ),
    "field": (
        lambda: ds.Equation(linear=ds.Laplacian(ds.Grid(4, 1.0), ds.Neumann())).generator(ds.Grid(4, 1.0), ds.Neumann()),
        "law of a particle",
    ),
    "axes": (
        lambda: ds.models.Underdamped(None).law.generator(ds.Grid(4, 1.0), ds.Neumann()),
        "each part of the state has one",
    ),
    "forever": (lambda: ds.models.first_passage_time(FREE, ds.Grid(4, 1.0), ds.Neumann()), "needs forever"),
    "open": (lambda: ds.models.stationary(FREE, ds.Grid(4, 1.0), ds.Dirichlet()), "their number changes"),
    "law": (lambda: ds.models.fokker_planck(3.0, ds.Grid(4, 1.0), ds.Dirichlet()), "have a density"),
    "many": (
        lambda: FREE.law.generator(ds.Grid((30, 30), 1.0), ds.Neumann()).diagonal(),
        "at most 600 cells",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    make, says = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=says) as error:
        make()
    assert ": expected " in str(error.value) and ", because " in str(error.value)
