"""Steps in deep halos are the ordinary steps, bit for bit but for the order of additions."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.operators import tiles
from tests.orders import distance

F, K = 0.037, 0.060
WALLS = {"periodic": ds.Periodic(), "closed": ds.Neumann()}


def reaction(t, y):
    """Gray and Scott's, with a feed that depends on time."""
    u, v = y
    return F * (1 - u) * tf.cos(t) - u * v * v, u * v * v - (F + K) * v


@dataclass(frozen=True)
class Fed:
    """The same, fed by a field."""

    F: tf.Tensor

    def __call__(self, t, y):
        """(F(1 − u) − uv², uv² − (F + k)v)."""
        u, v = y
        return self.F * (1 - u) - u * v * v, u * v * v - (self.F + K) * v


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


@pytest.mark.parametrize("walls", WALLS)
@pytest.mark.parametrize(("shape", "lead"), [((37, 30), ()), ((40, 24), (2,)), ((20, 6, 24), ())], ids=str)
def test_slabs_that_the_cache_holds_take_the_same_steps(shape, lead, walls, monkeypatch):
    row = 2 * 8 * (shape[-1] + 32) * (shape[1] if len(shape) == 3 else 1)
    monkeypatch.setattr(tiles, "WHOLE", 100)
    monkeypatch.setattr(tiles, "SLAB", (24 * row, 0))
    monkeypatch.setattr(tiles, "WORTH", 10.0)
    grid = ds.Grid(shape, 1.0)
    lap = ds.Laplacian(grid, WALLS[walls])
    feed = tf.constant(np.random.default_rng(2).uniform(0.5, 1.0, shape))
    law = ds.Equation(linear=(2e-3 * lap, 1e-3 * lap - 0.01), drift=Fed(feed), local=True)
    y0 = state(grid, lead, tf.float64)
    planes = ds.Euler().burst(law.of_state(y0).prepare(y0), y0).planes
    assert 0 < planes < shape[0]
    for steps in (1, 16, 43):
        deep, plain = both_ways(law, y0, steps, 1e-2)
        assert max(distance(a, b) for a, b in zip(deep.final, plain.final, strict=True)) < 2e-14


def test_a_grid_is_cut_only_where_that_is_less_work():
    row = 2 * 4 * 2080
    assert tiles.slabs((512, 512), 16, 2 * 4 * 544, 2) == (16, None)
    depth, planes = tiles.slabs((2048, 2048), 16, row, 2)
    assert 8 <= depth <= 16 and 128 <= planes <= 300
    assert tiles.slabs((4096,), 32, 4 << 20, 1) == (32, None)
    assert tiles.slabs((8, 1024, 1024), 8, 8 * 1040, 1) == (8, None)


def test_species_that_stay_or_only_decay_go_along():
    """Of (v, w, z) only v moves, w has no linear part and z decays by its own: tables for all three."""
    grid = ds.Grid((6, 14), (3.0, 7.0))

    def rates(t, y):
        v, w, z = y
        return v - v * v * v / 3 - w, 0.08 * (v + 0.7 - 0.8 * w), v * w

    law = ds.Equation(linear=(0.3 * ds.Laplacian(grid, ds.Neumann()), None, -0.4), drift=rates, local=True)
    y0 = (*state(grid, (), tf.float64), tf.ones(grid.shape, tf.float64))
    assert is_deep(law, y0)
    deep, plain = both_ways(law, y0, 37, 0.05)
    assert distance(deep.final, plain.final) < 1e-13


def test_every_model_of_the_library_with_local_rates_has_deep_halos():
    """Also those in which a species stays where it is."""
    grid = ds.Grid((8, 12), (4.0, 6.0))
    for model in (ds.models.FitzHughNagumo(), ds.models.Barkley(), ds.models.SIR(), ds.models.Brusselator()):
        y0 = tuple(tf.fill(grid.shape, tf.constant(0.5, tf.float64)) for _ in model.species)
        assert is_deep(model.on(grid, ds.Periodic()), y0), type(model).__name__
