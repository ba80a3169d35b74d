"""Steps in deep halos are the ordinary steps, bit for bit but for the order of additions."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from tests.orders import distance

F, K = 0.037, 0.060
WALLS = {"periodic": ds.Periodic(), "closed": ds.Neumann()}


def reaction(t, y):
    """Gray and Scott's, with a feed that depends on time."""
    u, v = y
    return F * (1 - u) * tf.cos(t) - u * v * v, u * v * v - (F + K) * v


def state(grid, lead, dtype):
    """Two rough species."""
    rng = np.random.default_rng(1)
    return tuple(tf.constant(rng.uniform(0.2, 1.0, (*lead, *grid.shape)), dtype) for _ in range(2))


def both_ways(law, y0, steps, dt, **options):
    """(compiled, uncompiled): only the first takes deep halos."""
    return [
        ds.solve(law, y0, (0.0, steps * dt), stepper=ds.Euler(), dt=dt, jit=jit, **options) for jit in (True, False)
    ]


def is_deep(law, y0):
    """Whether the law has deep halos at all."""
    bound = law.of_state(y0)
    return ds.Euler().burst(bound.prepare(y0), y0) is not None


@pytest.mark.parametrize("walls", WALLS)
@pytest.mark.parametrize(
    ("shape", "lead"),
    [((5,), ()), ((37,), (2, 3)), ((6, 9), ()), ((4, 40), (2,)), ((3, 4, 5), ()), ((4, 3, 18), (2,))],
    ids=str,
)
def test_two_species_react(shape, lead, walls):
    grid = ds.Grid(shape, 1.0)
    lap = ds.Laplacian(grid, WALLS[walls])
    law = ds.Equation(linear=(2e-3 * lap, 1e-3 * lap - 0.01), drift=reaction, local=True)
    y0 = state(grid, lead, tf.float64)
    assert is_deep(law, y0)
    for steps in (1, 8, 43):
        deep, plain = both_ways(law, y0, steps, 1e-2)
        assert max(distance(a, b) for a, b in zip(deep.final, plain.final, strict=True)) < 2e-14
        assert deep.steps == plain.steps == steps


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_mixed_walls_and_diffusivities_per_axis(dtype):
    grid = ds.Grid((7, 12), (1.0, 2.0))
    walls = ds.Boundary(x=ds.Periodic(), y=ds.Neumann())
    law = ds.Equation(linear=ds.Diffusion(grid, walls, (0.3, 0.05)))
    u0 = state(grid, (), dtype)[0]
    assert is_deep(law, u0)
    deep, plain = both_ways(law, u0, 100, 2e-3, save=ds.SaveAt(every=7))
    assert deep.y.shape == (15, 7, 12)
    assert distance(deep.y, plain.y) < (1e-14 if dtype == tf.float64 else 1e-6)
    assert grid.integrate(deep.final).numpy() == pytest.approx(
        grid.integrate(u0).numpy(), rel=1e-13 if dtype == tf.float64 else 1e-6
    )


def test_a_drift_that_is_undefined_at_zero_meets_no_empty_cell():
    grid = ds.Grid((5, 11), 1.0)
    law = ds.Equation(
        linear=0.01 * ds.Laplacian(grid, ds.Neumann()), drift=lambda t, u: -tf.math.log(u) / u, local=True
    )
    deep, plain = both_ways(law, state(grid, (), tf.float64)[0], 50, 1e-3)
    assert distance(deep.final, plain.final) < 1e-13


@pytest.mark.parametrize("spoil", ["open wall", "field", "not local", "tensor"])
def test_other_laws_take_ordinary_steps(spoil):
    grid = ds.Grid((5, 11), 1.0)
    op = {
        "open wall": ds.Laplacian(grid, ds.Dirichlet()),
        "field": ds.Diffusion(grid, ds.Neumann(), np.ones(grid.shape)),
        "tensor": ds.Diffusion(grid, ds.Neumann(), ds.Anisotropic(np.eye(2))),
    }.get(spoil, ds.Laplacian(grid, ds.Neumann()))
    law = ds.Equation(linear=op, drift=lambda t, u: u - tf.reduce_mean(u), local=spoil != "not local")
    u0 = state(grid, (), tf.float64)[0]
    assert not is_deep(law, u0)
    if spoil == "not local":
        deep, plain = both_ways(law, u0, 20, 1e-3)
        assert distance(deep.final, plain.final) < 1e-14


def test_a_drift_that_knows_its_cells():
    grid = ds.Grid((5, 11), 1.0)
    x, y = (tf.constant(np.broadcast_to(c, grid.shape)) for c in grid.coordinates())
    law = ds.Equation(linear=0.01 * ds.Laplacian(grid, ds.Neumann()), drift=lambda t, u: x * u - y, local=True)
    deep, plain = both_ways(law, state(grid, (), tf.float64)[0], 20, 1e-2)
    assert distance(deep.final, plain.final) < 1e-13
