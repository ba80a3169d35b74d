"""The solver against exact and published answers: exact laws of the scheme where they exist, else order and limit."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.reference import bounded, free, lattice, layered, membrane, nonlinear, passage, periodic, poisson
from tests.dense import matrix, system
from tests.orders import distance, slope


def diffuse(op, u0, t, stepper=None, dt=None):
    """u(t) of u_t = A u, by one exact step unless told otherwise, for which nothing need be compiled."""
    law, many = ds.Equation(linear=op), stepper is not None
    return ds.solve(law, u0, (0.0, t), stepper=stepper or ds.ETD1(), dt=dt or t, jit=many).final.numpy()


def second_order(run, counts=(20, 40), abs=0.1):
    """The error of run(n) falls as n⁻²; returns the last."""
    found = [run(n) for n in counts]
    assert slope([1 / n for n in counts], found) == pytest.approx(2, abs=abs), found
    return found[-1]


# A1: the exact amplification of one mode, in one to three dimensions


@pytest.mark.parametrize("shape", [(12,), (12, 8), (6, 5, 4)], ids=str)
@pytest.mark.parametrize(
    ("stepper", "factor"),
    [(ds.Euler(), lattice.ftcs_factor), (ds.CrankNicolson(), lattice.crank_nicolson_factor)],
    ids=["Euler", "CrankNicolson"],
)
def test_a1_a_mode_is_multiplied_by_its_factor(stepper, factor, shape):
    grid, d = ds.Grid(shape, 1.0), len(shape)
    D = (0.7, 0.3, 0.2)[:d]
    dt = 0.8 / sum(2 * Di / dx**2 for Di, dx in zip(D, grid.dx, strict=True))
    k = tuple(2 * np.pi * m for m in (2, 1, 1)[:d])
    mode = np.cos(sum(ki * x for ki, x in zip(k, grid.coordinates(), strict=True)) + 0.4)
    r = tuple(Di * dt / dx**2 for Di, dx in zip(D, grid.dx, strict=True))
    end = diffuse(ds.Diffusion(grid, ds.Periodic(), D), mode, 10 * dt, stepper, dt)
    assert distance(end, factor(k, grid.dx, r) ** 10 * mode) < 1e-13


MODES = {
    "no flux": (ds.Neumann(), lattice.no_flux),
    "held at zero": (ds.Dirichlet(), lattice.dirichlet),
    "mixed": ((ds.Dirichlet(), ds.Neumann()), lattice.dirichlet_no_flux),
    "periodic": (ds.Periodic(), lattice.periodic),
}


@pytest.mark.parametrize("x", MODES)
@pytest.mark.parametrize("y", MODES)
def test_a1_exponential_steps_solve_the_lattice_exactly(x, y):
    grid = ds.Grid((9, 8), (1.0, 0.6))
    u0 = np.random.default_rng(0).normal(size=(2, 9, 8))
    op = ds.Diffusion(grid, ds.Boundary(x=MODES[x][0], y=MODES[y][0]), 0.1)
    modes = (MODES[x][1](9, grid.dx[0]), MODES[y][1](8, grid.dx[1]))
    assert distance(diffuse(op, u0, 0.05), lattice.heat(u0, modes, 0.1 * 0.05)) < 1e-13


# A2, A3: a point source spreads by exactly 2Dt, on the lattice too


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a2_a_gaussian_spreads(d):
    def error(n):
        grid = ds.Grid((n,) * d, 9.0, -4.5)
        r = np.sqrt(sum(x**2 for x in grid.coordinates()))
        end = diffuse(ds.Laplacian(grid, ds.Periodic()), free.gaussian(r, 0.1, 1.0, d=d), 0.15)
        return distance(end, free.gaussian(r, 0.25, 1.0, d=d))

    assert second_order(error, (24, 48) if d == 3 else (64, 128), abs=0.25 if d == 3 else 0.1) < 4e-3


@pytest.mark.parametrize(
    "stepper", [ds.ETD1(), ds.RK4(), ds.CrankNicolson(), ds.RKL2()], ids=lambda s: type(s).__name__
)
def test_a2_variance_of_a_point_grows_by_two_d_t(stepper):
    grid = ds.Grid(101, 20.2, -10.1)
    u0 = np.where(np.arange(101) == 50, 5.0, 0.0)
    end = diffuse(ds.Diffusion(grid, ds.Neumann(), 0.7), u0, 0.5, stepper, 0.02)
    x = grid.coordinates()[0]
    assert grid.integrate(end * x**2).numpy() == pytest.approx(2 * 0.7 * 0.5, abs=1e-12)


def test_a3_covariance_under_a_diffusion_tensor():
    grid = ds.Grid((49, 49), 24.5, -12.25)
    u0 = np.zeros((49, 49))
    u0[24, 24] = 4.0
    op = ds.Diffusion(grid, ds.Neumann(), ds.Anisotropic(np.array([[2.0, 0.6], [0.6, 1.0]])))
    end = diffuse(op, u0, 0.5, ds.Euler(), 0.0125)
    x, y = grid.coordinates()
    moments = [grid.integrate(end * m).numpy() for m in (x * x, x * y, y * y)]
    assert moments == pytest.approx([2.0, 0.6, 1.0], abs=1e-11)


# A4 – A7: half-space, uptake, cooling, permeation


def test_a4_half_space():
    def error(n):
        grid = ds.Grid(n, 12.0)
        end = diffuse(ds.Laplacian(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Neumann()))), np.zeros(n), 1.0)
        return distance(end, free.half_space(grid.coordinates()[0], 1.0, 1.0))

    assert second_order(error, (96, 192)) < 3e-4


def body(n, d):
    """The grid of a sheet (half of it), cylinder or sphere of radius 1, and its surface condition's boundary."""
    if d == 1:
        return ds.Grid(n, 1.0), lambda surface: ds.Boundary(x=(ds.Neumann(), surface))
    return ds.RadialGrid(n, 1.0, dimension=d), lambda surface: ds.Boundary(r=(ds.Neumann(), surface))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a5_uptake(d):
    def error(n):
        grid, walls = body(n, d)
        end = diffuse(ds.Laplacian(grid, walls(ds.Dirichlet(1.0))), np.zeros(n), 0.1)
        return abs(float(grid.mean(end)) - bounded.uptake(0.1, d))

    assert second_order(error) < 2e-4


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a6_cooling_through_a_film(d):
    def error(n):
        grid, walls = body(n, d)
        op = ds.Laplacian(grid, walls(ds.Robin(1.0)))
        end = diffuse(op, np.ones(n), 1.0)
        surface = -op.inflow(0.0, end)[("x" if d == 1 else "r") + "+"].numpy() / grid.axes[0].area[-1]  # Bi·θ there
        return max(
            distance(end, bounded.cooling(grid.axes[0].centers, 1.0, 1.0, d)),
            abs(float(grid.mean(end)) - bounded.cooling_mean(1.0, 1.0, d)),
            abs(float(surface) - bounded.cooling(1.0, 1.0, 1.0, d)),
        )

    assert second_order(error) < 1e-4


def test_a7_permeation_and_time_lag():
    def run(n):
        grid = ds.Grid(n, 1.0)
        op = ds.Laplacian(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0))))
        law, y0 = ds.track(ds.Equation(linear=op), np.zeros(n))
        sol = ds.solve(law, y0, (0.0, 2.0), save=ds.SaveAt(ts=[0.1, 2.0]), stepper=ds.ETD1(), dt=2.0, jit=False)
        u, books = sol.y
        left = -books[0]["x+"].numpy()
        return -op.inflow(0.1, u[0])["x+"].numpy(), left

    def error(n):
        flux, left = run(n)
        return max(abs(flux - membrane.flux(0.1)), *np.abs(left - membrane.permeated([0.1, 2.0])))

    assert second_order(error) < 2e-3
    assert run(256)[1][1] - 2.0 == pytest.approx(-1 / 6, abs=2e-5)  # the lag L²/6D


# A8, A9: layers


def test_a8_layers_in_steady_state_are_exact():
    for n in (4, 16):
        L = 2.0
        medium = ds.Layers(D=(1.0, 0.1, 1.0), at=(L / 4, 3 * L / 4))
        op = ds.Diffusion(ds.Grid(n, L), ds.Boundary(x=(ds.Dirichlet(0.0), ds.Flux(1.0))), medium)
        x = op.grid.coordinates()[0]
        exact = np.where(x < L / 4, x, np.where(x < 3 * L / 4, 10 * x - 9 * L / 4, x + 18 * L / 4))
        assert distance(ds.steady(ds.Equation(linear=op), np.zeros(n)).final, exact) < 1e-11


def rates(A, count):
    """The slowest decay rates of a matrix."""
    return np.sort(-np.linalg.eigvals(A).real)[:count]


@pytest.mark.parametrize("partition", [1.0, 2.0])
def test_a9_decay_of_two_layers(partition):
    exact = layered.decay_rates(layered.Layers((0.5, 0.5), (1.0, 0.1), solubility=(1.0, partition)), 3)
    interfaces = None if partition == 1.0 else (ds.Interface(partition),)

    def error(n):
        op = ds.Diffusion(ds.Grid(n, 1.0), ds.Dirichlet(0.0), ds.Layers((1.0, 0.1), (0.5,), interfaces=interfaces))
        ends = [diffuse(op, np.ones(n), t).sum() for t in (4.0, 5.0)]  # only the slowest mode is left
        slowest = np.log(ends[0] / ends[1])
        assert slowest == pytest.approx(rates(matrix(op, (n,)), 1)[0], rel=1e-10)
        return np.abs(rates(matrix(op, (n,)), 3) / exact - 1).max()

    assert second_order(error, (20, 40, 80)) < 2e-3


def test_a9_tells_harmonic_faces_from_arithmetic_ones():
    exact = layered.decay_rates(layered.Layers((0.5, 0.5), (1.0, 0.1)), 1)[0]

    def slowest(n, mean):
        D, zero = np.where(np.arange(n) < n // 2, 1.0, 0.1), ("dirichlet", 0.0)
        A = system((n,), (1.0,), (D,), ((zero, zero),))[0]
        i = n // 2 - 1
        change = (mean(1.0, 0.1) - 2 / (1 / 1.0 + 1 / 0.1)) * n**2
        A[i : i + 2, i : i + 2] += change * np.array([[-1, 1], [1, -1]])
        return abs(rates(A, 1)[0] - exact)

    counts = (20, 40, 80)
    orders = {
        name: slope([1 / n for n in counts], [slowest(n, mean) for n in counts])
        for name, mean in (
            ("harmonic", lambda a, b: 2 / (1 / a + 1 / b)),
            ("arithmetic", lambda a, b: (a + b) / 2),
            ("least", min),
        )
    }
    assert orders["harmonic"] == pytest.approx(2, abs=0.1)
    assert orders["arithmetic"] == pytest.approx(1, abs=0.2)
    assert orders["least"] == pytest.approx(1, abs=0.2)


# A10: a wall that oscillates


def cosine(t, x):
    """cos 4t."""
    return tf.cos(4.0 * t) + 0 * x


def test_a10_diffusion_wave():
    def error(n):
        grid = ds.Grid(n, 1.0)
        x = grid.coordinates()[0]
        law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(x=(ds.Dirichlet(cosine), ds.Neumann())), 0.1))
        end = ds.solve(law, periodic.wave(x, 0.0, 0.1, 4.0, 1.0), (0.0, 1.0), stepper=ds.RK4(), dt=5 / n**2).final
        return float(np.sqrt(np.mean((end - periodic.wave(x, 1.0, 0.1, 4.0, 1.0)) ** 2)))

    assert second_order(error, (32, 64)) < 3e-4


# A12, A13, A15: eigenvalues, Poisson problems and mean first-passage times


def test_a12_slowest_modes():
    def decay(grid, walls, start):
        ends = [grid.integrate(diffuse(ds.Laplacian(grid, walls), start, t)).numpy() for t in (1.5, 2.0)]
        return 2 * np.log(ends[0] / ends[1])

    n = 24
    grid = ds.Grid((n, n), 1.0)
    assert decay(grid, ds.Dirichlet(), np.ones((n, n))) == pytest.approx(
        2 * (2 * n * np.sin(np.pi / (2 * n))) ** 2, rel=1e-9
    )
    for d, exact in ((2, 5.7831859629), (3, np.pi**2)):
        second_order(
            lambda n, d=d, exact=exact: abs(
                decay(ds.RadialGrid(n, 1.0, dimension=d), ds.Dirichlet(), np.ones(n)) - exact
            ),
            (20, 40),
        )


def one(t, u):
    """A unit source."""
    return tf.ones_like(u)


def relax(grid, walls):
    """∇²u + 1 = 0 by one long exact step."""
    law = ds.Equation(linear=ds.Laplacian(grid, walls), drift=one)
    return ds.solve(law, np.zeros(grid.shape), (0.0, 1e3), stepper=ds.ETD1(), dt=1e3, jit=False).final.numpy()


def test_a13_poisson_in_a_square():
    def error(n):
        grid = ds.Grid((n, n), 1.0)
        u = relax(grid, ds.Dirichlet())
        x, y = grid.coordinates()
        centre = u[n // 2, n // 2]
        assert n % 2
        return max(
            abs(centre - 0.0736713533),
            abs(grid.integrate(u).numpy() - 0.0351442537),
            distance(u, poisson.rectangle(*np.broadcast_arrays(x, y))),
        )

    assert second_order(error, (17, 33)) < 5e-4
    grid = ds.Grid((17, 17), 1.0)
    law = ds.Equation(linear=ds.Laplacian(grid, ds.Dirichlet()), drift=one)
    assert distance(ds.steady(law, np.zeros((17, 17))).final, relax(grid, ds.Dirichlet())) < 2e-12


@pytest.mark.parametrize(
    ("grid", "walls", "exact"),
    [
        (lambda n: ds.Grid(n, 1.0), ds.Dirichlet(), lambda x: passage.interval(x, 1.0, 1.0)),
        (
            lambda n: ds.Grid(n, 1.0),
            ds.Boundary(x=(ds.Dirichlet(), ds.Neumann())),
            lambda x: passage.interval_one_end(x, 1.0, 1.0),
        ),
        (lambda n: ds.RadialGrid(n, 1.0, dimension=2), ds.Dirichlet(), lambda r: passage.ball(r, 1.0, 1.0, 2)),
        (lambda n: ds.RadialGrid(n, 1.0, dimension=3), ds.Dirichlet(), lambda r: passage.ball(r, 1.0, 1.0, 3)),
    ],
    ids=["interval", "one end", "disk", "ball"],
)
def test_a15_mean_first_passage(grid, walls, exact):
    def error(n):
        g = grid(n)
        return distance(relax(g, walls), exact(g.axes[0].centers))

    assert second_order(error) < 2e-4


# B1: a front that moves at finite speed


@pytest.mark.parametrize("d", [1, 2])
def test_b1_barenblatt(d):
    def porous(u):
        return 2.0 * u

    def errors(n):
        grid = ds.Grid(n, 3.0) if d == 1 else ds.RadialGrid(n, 3.0, dimension=2)
        r = grid.axes[0].centers
        law = ds.Equation(drift=ds.NonlinearDiffusion(grid, ds.Neumann(), porous))
        u = ds.solve(law, nonlinear.barenblatt(r, 1.0, 2.0, d), (1.0, 2.0), stepper=ds.RK4(), dt=4 / n**2).final.numpy()
        exact = nonlinear.barenblatt(r, 2.0, 2.0, d)
        return float(grid.integrate(np.abs(u - exact))), abs(u[0] - exact[0]), r[u > 1e-4].max()

    counts = (60, 120)
    found = [errors(n) for n in counts]
    assert slope([1 / n for n in counts], [f[0] for f in found]) > 1.4  # the solution is no smoother than its front
    assert slope([1 / n for n in counts], [f[1] for f in found]) > 1.7
    assert found[-1][2] == pytest.approx(nonlinear.barenblatt_front(2.0, 2.0, d), abs=0.06)
