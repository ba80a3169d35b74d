"""Domains that grow: modes decay as they must, matter is kept, walls and reactions are those of the moving domain."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from tests.orders import distance

D, R, END = 0.03, 0.8, 0.9
FINE = {"stepper": ds.Tsit5(), "dt": ds.PID(1e-10, 1e-12), "jit": False}


def decay(lam):
    """exp(λD∫dt/L²) for L = e^{Rt}."""
    return np.exp(lam * D * (1 - np.exp(-2 * R * END)) / (2 * R))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_mode_decays_ever_slower_and_is_diluted(dimension):
    grid = ds.Grid((9, 6, 4)[:dimension], (1.0, 0.7, 1.3)[:dimension])
    op = ds.Diffusion(grid, ds.Neumann(), D)
    theta = [np.pi * k / n for k, n in zip((2, 1, 1), grid.shape, strict=False)]
    mode = np.prod(np.broadcast_arrays(*(np.cos(np.pi * k * x / s) for k, x, s in zip(
        (2, 1, 1), grid.coordinates(), grid.size, strict=False))), axis=0)
    lam = -sum((2 / dx * np.sin(th / 2)) ** 2 for th, dx in zip(theta, grid.dx, strict=True))
    law = ds.growing(ds.Equation(linear=op), R)
    w = ds.solve(law, tf.constant(1.5 + mode), (0.0, END), **FINE).final
    assert distance(w, 1.5 + decay(lam) * mode) < 1e-9
    u = law.drift.concentration(END, w)
    assert distance(u, (1.5 + decay(lam) * mode) * np.exp(-dimension * R * END)) < 1e-9
    assert distance(w, 1.5 + np.exp(lam * D * END) * mode) > 0.02  # not so on a domain that stays as it is


@pytest.mark.parametrize("grid", [ds.Grid(8, 1.0), ds.RadialGrid(8, 1.0, dimension=2), ds.RadialGrid(8, 1.0)])
def test_it_is_the_equation_with_dilution(grid):
    """Against u_t = A u/L² + b/L² − d(L′/L)u − ku + f(t, u) as a drift of its own, L = 1 + t²."""
    op, d = ds.Diffusion(grid, ds.Boundary(**{grid.axes[0].name: (ds.Neumann(), ds.Dirichlet(0.7))}), D), grid.axes[0]
    d = getattr(grid, "dimension", 1)
    law = ds.Equation(linear=2.0 * (op - 0.4), drift=lambda t, u: t * u * (1 - u))
    u0 = tf.constant(0.2 + 0.1 * grid.coordinates()[0])
    grown = ds.growing(law, lambda t: 1 + t**2)
    u = grown.drift.concentration(END, ds.solve(grown, u0, (0.0, END), **FINE).final)

    def by_hand(t, u):
        L = 1 + t**2
        return 2 * op.prepare(u)(t, u) / L**2 - 0.8 * u - d * (2 * t / L) * u + t * u * (1 - u)

    assert distance(u, ds.solve(ds.Equation(drift=by_hand), u0, (0.0, END), **FINE).final) < 1e-8


def test_terms_fall_by_as_many_lengths_as_they_have_derivatives():
    """Swift and Hohenberg's r − (q² + ∇²)² with ∇²/L² and ∇⁴/L⁴; species that drag each other along with ∇²/L²."""
    grid, q = ds.Grid(12, 9.0), 1.1
    lap, rng = ds.Laplacian(grid, ds.Periodic()), np.random.default_rng(2)
    u0 = tf.constant(0.1 * rng.normal(size=12))
    grown = ds.growing(ds.models.SwiftHohenberg(0.3, 0.4, q).on(grid, ds.Periodic()), R)
    u = grown.drift.concentration(END, ds.solve(grown, u0, (0.0, END), **FINE).final)

    def stretched(t, u):
        a = lap.apply(u) / tf.exp(2 * R * t)
        return (0.3 - q**4 - R) * u - 2 * q**2 * a - lap.apply(a) / tf.exp(2 * R * t) + u * u * (0.4 - u)

    assert distance(u, ds.solve(ds.Equation(drift=stretched), u0, (0.0, END), **FINE).final) < 1e-8
    D = np.array([[0.4, 0.3], [-0.2, 0.5]])
    model = ds.models.CrossDiffusion(ds.models.LotkaVolterra(), D)
    pair = tuple(tf.constant(rng.uniform(0.5, 1.5, 12)) for _ in "uv")
    grown = ds.growing(model.on(grid, ds.Periodic()), R)
    both = grown.drift.concentration(END, ds.solve(grown, pair, (0.0, END), **FINE).final)

    def dragged(t, y):
        a = [lap.apply(part) / tf.exp(2 * R * t) for part in y]
        moved = [D[i, 0] * a[0] + D[i, 1] * a[1] - R * y[i] for i in (0, 1)]
        return tuple(m + f for m, f in zip(moved, model.rates(t, y), strict=True))

    exact = ds.solve(ds.Equation(drift=dragged), pair, (0.0, END), **FINE).final
    assert max(distance(a, b) for a, b in zip(both, exact, strict=True)) < 1e-8


@pytest.mark.parametrize("stepper", [ds.Heun(), ds.RKL2(), ds.TRBDF2()], ids=lambda s: type(s).__name__)
def test_matter_is_kept_to_rounding(stepper):
    """A + B ⇌ 2A keeps u + v; explicit and implicit steps, of any length that is stable."""
    grid = ds.Grid((6, 7), (1.0, 1.2))
    lap = ds.Laplacian(grid, ds.Boundary(x=ds.Periodic(), y=ds.Neumann()))
    law = ds.Equation(linear=(0.02 * lap, 0.01 * lap), drift=lambda t, y: (y[0] * (y[1] - y[0]), y[0] * (y[0] - y[1])))
    rng = np.random.default_rng(0)
    w0 = tuple(tf.constant(rng.uniform(0.5, 1.5, grid.shape)) for _ in range(2))
    grown = ds.growing(law, R)
    w = ds.solve(grown, w0, (0.0, 2.0), stepper=stepper, dt=0.1, jit=False).final
    amount = float(grid.integrate(w0[0] + w0[1]))
    assert float(grid.integrate(w[0] + w[1])) == pytest.approx(amount, rel=1e-14 if stepper != ds.TRBDF2() else 1e-11)
    assert distance(w[0], w0[0]) > 0.1


def test_steps_are_judged_on_the_smallest_domain():
    op = ds.Diffusion(ds.Grid(16, 1.0), ds.Neumann(), D)
    limit = 2 / op.radius()
    u0 = tf.ones([16], tf.float64)
    for length, least in ((R, 1.0), (lambda t: 2 - t, 0.5)):
        law = ds.growing(ds.Equation(linear=op), length, least=least)
        ds.solve(law, u0, (0.0, limit), stepper=ds.Euler(), dt=0.9 * limit * least**2, jit=False)
        with pytest.raises(ValueError, match="is unstable for Euler"):
            ds.solve(law, u0, (0.0, 1.0), stepper=ds.Euler(), dt=1.1 * limit * least**2, jit=False)
    assert ds.solve(law, u0, (0.0, 0.1), dt=0.05, jit=False).info["stepper"] == "RKL2"


def test_refusals():
    grid = ds.Grid(16, 1.0)
    lap = ds.Laplacian(grid, ds.Neumann())
    with pytest.raises(ValueError, match="no operator on a grid"):
        ds.growing(ds.Equation(drift=lambda t, u: u), R)
    with pytest.raises(ValueError, match="linear and drift only"):
        ds.growing(ds.Equation(linear=lap, diffusion=1.0), R)
    for wall in (ds.Neumann(1.0), ds.Flux(0.5), ds.Robin(1.0, 0.0)):
        with pytest.raises(ValueError, match="changes with the size of the domain"):
            ds.growing(ds.Equation(linear=2.0 * ds.Laplacian(grid, wall) - 1.0), R)
    with pytest.raises(ValueError, match=r"length=L\(0\) = 0.5: expected L ≥ least = 1"):
        ds.growing(ds.Equation(linear=lap), lambda t: 0.5 + t)
    with pytest.raises(ValueError, match="a drift that holds an operator"):
        ds.growing(ds.models.CahnHilliard().on(grid, ds.Neumann()), R)
    with pytest.raises(TypeError, match=r"a model's .on"):
        ds.growing(ds.models.Schnakenberg(), R)
    with pytest.raises(TypeError, match="it is a rate of growth"):
        ds.growing(ds.Equation(linear=lap), "fast")
