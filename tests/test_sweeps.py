"""Many runs in one program: parameters with leading axes, and maps of parameters over one domain."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.operators import rows, tiles
from tests.orders import distance

RNG = np.random.default_rng(4)
SPANS = ((0.02, 0.5), (0.05, 0.4), (1e-3, 4e-3))
WALLS = {"periodic": ds.Periodic(), "closed": ds.Neumann()}


def numbers(low, high, shape):
    """A sweep or a map."""
    return RNG.uniform(low, high, shape)


def state(shape):
    """(u, v) near the middle."""
    return tuple(tf.constant(numbers(low, low + 0.3, shape)) for low in (0.6, 0.1))


def is_deep(law, y0):
    """Whether steps are taken in tables of rows."""
    bound = law.of_state(y0)
    return ds.Euler().burst(bound.prepare(y0), y0) is not None


def apart(a, b):
    """Largest distance between two states."""
    return max(distance(x, y) for x, y in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True))


def run(law, y0, jit=True, stepper=None, dt=0.05, steps=20):
    """The final state."""
    return ds.solve(law, y0, (0.0, steps * dt), stepper=stepper or ds.Euler(), dt=dt, jit=jit).final


@pytest.mark.parametrize(
    ("walls", "grid", "lead", "F", "k", "Du"),
    [
        ("periodic", (7, 12), (2, 3), (2, 1, 1, 1), (3, 1, 1), (2, 3, 1, 1)),
        ("closed", (9,), (4,), (4, 1), (), (4, 1)),
        ("closed", (6, 5), (), (6, 5), (1, 5), ()),
        ("periodic", (6, 5), (2,), (6, 1), (2, 6, 5), ()),
        ("closed", (4, 3, 6), (2,), (2, 1, 1, 1), (4, 1, 6), ()),
    ],
    ids=["sweep", "1-D", "map", "maps and sweep", "3-D"],
)
def test_tables_hold_the_numbers_of_every_run_and_place(walls, grid, lead, F, k, Du):
    box = ds.Grid(grid, 1.0)
    model = ds.models.GrayScott(
        *(numbers(*span, shape) if shape else span[1] for span, shape in zip(SPANS, (F, k, Du), strict=True))
    )
    law, y0 = model.on(box, WALLS[walls]), state((*lead, *grid))
    assert is_deep(law, y0)
    assert apart(run(law, y0, steps=37), run(law, y0, jit=False, steps=37)) < 1e-14


@pytest.mark.parametrize("fits", [1, 5])
def test_groups_of_runs_march_one_after_the_other(fits, monkeypatch):
    """Six runs, of which the cache holds fewer at a time: the largest divisor of six that fits."""
    box = ds.Grid((5, 10 + fits), 1.0)
    model = ds.models.GrayScott(
        numbers(0.02, 0.5, (2, 1, 1, 1)), numbers(0.05, 0.4, (1, *box.shape)), numbers(1e-3, 4e-3, (2, 3, 1, 1))
    )
    law, y0 = model.on(box, ds.Neumann()), state((2, 3, *box.shape))
    monkeypatch.setattr(tiles, "GROUP", int((fits + 0.9) * 2 * 5 * 32 * 8))
    assert is_deep(law, y0)
    assert apart(run(law, y0, steps=23), run(law, y0, jit=False, steps=23)) < 1e-14


STEPPERS = [ds.Heun(), ds.ETDRK2(), ds.IMEX(), ds.RKL2(), ds.Strang()]


@pytest.mark.parametrize("stepper", STEPPERS, ids=lambda s: type(s).__name__)
def test_a_sweep_is_its_runs_one_by_one(stepper):
    grid, walls = ds.Grid((6, 5), 1.0), ds.Boundary(x=ds.Periodic(), y=(ds.Dirichlet(0.4), ds.Neumann()))
    F, k, Du = numbers(0.1, 0.5, 2), numbers(0.1, 0.3, 2), numbers(0.01, 0.02, 2)
    column = [a.reshape(2, 1, 1) for a in (F, k, Du)]
    y0 = state((2, 6, 5))
    law = ds.models.GrayScott(*column).on(grid, walls)
    together = run(law, y0, stepper=stepper, jit=False, steps=4)
    for i in range(2):
        law = ds.models.GrayScott(F[i], k[i], Du[i]).on(grid, walls)
        alone = run(law, tuple(a[i] for a in y0), stepper=stepper, jit=False, steps=4)
        assert apart(tuple(a[i] for a in together), alone) < 1e-14


def test_a_map_without_diffusion_is_a_run_in_every_place():
    grid = ds.Grid((3, 4), 1.0)
    F, y0 = numbers(0.1, 0.5, (3, 4)), state((3, 4))
    law = ds.models.GrayScott(F, 0.2, 0.0, 0.0).on(grid, ds.Neumann())
    everywhere = run(law, y0, stepper=ds.RK4(), jit=False)
    cells = tuple(tf.reshape(a, [12, 1, 1]) * tf.ones([1, 3, 4], tf.float64) for a in y0)
    law = ds.models.GrayScott(F.reshape(12, 1, 1), 0.2, 0.0, 0.0).on(grid, ds.Neumann())
    each = run(law, cells, stepper=ds.RK4(), jit=False)
    assert apart(everywhere, tuple(tf.reshape(a[:, 0, 0], [3, 4]) for a in each)) < 1e-15


def test_a_map_of_decay_has_the_exact_steady_state():
    """Du″ = k(x)u − s, k₁ left and k₂ right, without flux: the flux at the middle decides both halves."""
    grid, D, s, k = ds.Grid(400, 2.0), 0.05, 0.3, np.array([0.4, 1.7])
    x = grid.coordinates()[0]
    model = ds.models.from_rates(lambda u, k: s - k * u, D, parameters={"k": np.where(x < 1.0, *k)})
    law = model.on(grid, ds.Neumann())
    u = ds.solve(law, tf.fill([400], tf.constant(0.5, tf.float64)), (0.0, 60.0), stepper=ds.TRBDF2(), dt=1.0, jit=False).final
    m = np.sqrt(k / D)
    a = np.linalg.solve([[np.cosh(m[0]), -np.cosh(m[1])], [m[0] * np.sinh(m[0]), m[1] * np.sinh(m[1])]],
                        [s / k[1] - s / k[0], 0.0])
    exact = np.where(x < 1, s / k[0] + a[0] * np.cosh(m[0] * x), s / k[1] + a[1] * np.cosh(m[1] * (2 - x)))
    assert distance(u, exact) < 1e-5 * 2


def test_books_are_kept_run_by_run():
    grid = ds.Grid((6, 5), 1.0)
    walls = ds.Boundary(x=ds.Neumann(), y=(ds.Dirichlet(0.4), ds.Neumann()))
    law = ds.models.GrayScott(0.3, 0.2, numbers(0.01, 0.02, (3, 1, 1)), 0.02).on(grid, walls)
    y0 = state((3, 6, 5))
    y, books = ds.solve(*ds.track(law, y0), (0.0, 0.5), stepper=ds.Heun(), dt=0.05, jit=False).final
    for before, after, book in zip(y0, y, books, strict=True):
        assert book["y-"].shape == (3,)
        assert distance(grid.integrate(after - before), sum(book.values())) < 1e-15


def test_other_species_other_ends_share_no_ghosts():
    """Where one species goes round and the other is closed in, tables of both would not match beyond the end."""
    grid = ds.Grid((4, 9), 1.0)
    for walls, deep in (((ds.Periodic(), ds.Neumann()), False), ((ds.Neumann(), ds.Neumann()), True)):
        law = ds.models.GrayScott(0.3, 0.2, 2e-3, 1e-3).on(grid, walls)
        y0 = state((4, 9))
        assert is_deep(law, y0) is deep
        assert apart(run(law, y0), run(law, y0, jit=False)) < 1e-14


def test_a_vector_that_is_no_field_stays_as_it_is():
    table = rows.Rows((2,), (4, 9), (True, False), 4)
    for shape, spread in (((), ()), ((2, 1, 1), (10, 1)), ((1, 9), (1, 24)), ((2, 4, 9), (10, 24)), ((4, 1), (10, 1))):
        assert table.spread(tf.ones(shape)).shape == spread
    assert table.spread(tf.ones([3])) is None and table.spread(tf.ones([1, 2, 4, 9])) is None


def test_values_are_checked_before_anything_is_compiled():
    grid, sweep = ds.Grid((6, 5), 1.0), np.full((3, 1, 1), 0.3)
    with pytest.raises(ValueError, match=r"GrayScott.F=array of shape \(3,\).*reshape it to \(3, 1, 1\)"):
        ds.models.GrayScott(sweep.ravel(), 0.2).on(grid, ds.Neumann())
    with pytest.raises(ValueError, match=r"GrayScott.k=.*F has them.*sweep all pairs"):
        ds.models.GrayScott(sweep, np.full((2, 1, 1), 0.2)).on(grid, ds.Neumann())
    law = ds.models.GrayScott(sweep, 0.2).on(grid, ds.Neumann())
    for lead in ((), (2,)):
        with pytest.raises(ValueError, match=r"y0=a part of shape .*GrayScott.F of shape \(3, 1, 1\).*Repeat"):
            run(law, state((*lead, 6, 5)))
    with pytest.raises(ValueError, match="dt=.* is unstable"):
        run(ds.models.GrayScott(0.3, 0.2, np.array([0.01, 1.0]).reshape(2, 1, 1)).on(grid, ds.Neumann()), state((2, 6, 5)))
    with pytest.raises(ValueError, match="would vary with it"):
        ds.models.GrayScott(0.3, 0.2, 0.1 * sweep).on(grid, ds.Robin(1.0, 0.0))
    with pytest.raises(ValueError, match="each run has one diffusivity"):
        ds.models.GrayScott(0.3, 0.2, np.full((3, 6, 5), 0.1)).on(grid, ds.Neumann())


def test_each_run_has_its_own_gradient():
    """∂/∂F and ∂/∂D of each run against central differences; other values run through the same program."""
    grid, y0 = ds.Grid((4, 5), 1.0), state((2, 4, 5))
    F, D = (tf.constant(numbers(low, 1.5 * low, (2, 1, 1))) for low in (0.2, 0.01))

    def law(F, D):
        return ds.models.GrayScott(F, 0.2, D, 0.01).on(grid, ds.Neumann())

    advance = ds.Simulation(law(F, D), ds.ETDRK2(), dt=0.05, like=y0, jit=False).advance

    def size(F, D):
        return tf.reduce_sum(advance(y0, 4, law=law(F, D))[0] ** 2, [1, 2])

    with tf.GradientTape() as tape:
        tape.watch([F, D])
        total = tf.reduce_sum(size(F, D))
    for slope, move in zip(tape.gradient(total, [F, D]), ((1e-5, 0.0), (0.0, 1e-5)), strict=True):
        rise = size(F + move[0], D + move[1]) - size(F - move[0], D - move[1])
        assert distance(slope[:, 0, 0], rise / 2e-5) < 1e-5
