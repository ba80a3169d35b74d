"""The loop: where steps end, what is recorded, how runs stop, what is compiled and how often."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
import diffsim.run
from diffsim.march import program
from tests.orders import distance

DECAY = ds.Equation(linear=-1.0)
SQUARE = ds.Equation(drift=lambda t, y: y * y)  # blows up at t = 1/y₀
CLOCK = ds.Equation(drift=lambda t, y: tf.ones_like(y) * tf.cos(t))
GRID = ds.Grid(8, 1.0)
Y0 = np.array([1.0, 2.0])


def run(law=DECAY, y0=Y0, t=(0.0, 1.0), **options):
    """Exact steps of decay unless told otherwise."""
    return ds.solve(law, y0, t, **{"stepper": ds.ETD1(), **options})


# where steps end


@pytest.mark.parametrize(("dt", "steps"), [(0.25, 4), (0.3, 4), (0.1, 10), (1 / 3, 3), (5.0, 1), (1e-2, 100)])
def test_equal_steps_no_longer_than_asked(dt, steps):
    sol = run(dt=dt)
    assert (sol.steps, sol.t_final, sol.status, sol.rejected) == (steps, 1.0, ds.Status.DONE, 0)
    assert sol.t.tolist() == [1.0]
    assert sol.y.shape == (1, 2)
    assert distance(sol.final, np.exp(-1) * Y0) < 1e-15 * steps + 1e-15


@pytest.mark.parametrize("end", [2.0, -2.0])
def test_records_where_they_are_asked_for(end):
    ts = np.array([0.0, 0.1, 0.15, 0.9, 1.2345678]) * np.sign(end)
    sol = run(t=(0.0, end), dt=0.07, save=ds.SaveAt(ts=ts))
    assert sol.t.tolist() == ts.tolist()
    assert distance(sol.y, np.exp(-ts)[:, None] * Y0) < 1e-13
    assert (sol.t_final, sol.steps) == (end, 2 + 1 + 11 + 5 + 11)
    assert distance(sol.final, np.exp(-end) * Y0) < 1e-13


def test_records_after_every_nth_step():
    sol = run(dt=0.1, save=ds.SaveAt(every=4))
    assert sol.t == pytest.approx([0.0, 0.4, 0.8], abs=1e-15)
    assert distance(sol.y, np.exp(-sol.t)[:, None] * Y0) < 1e-14
    assert sol.t_final == 1.0
    assert run(dt=0.1, save=ds.SaveAt(every=50)).t.tolist() == [0.0]
    assert run(dt=0.1, save=ds.SaveAt(every=1)).t.size == 11


def test_a_mesh_of_times():
    mesh = np.array([0.0, 0.5, 0.6, 2.0])
    sol = run(t=mesh)
    assert (sol.steps, sol.t.tolist()) == (3, [2.0])
    assert run(t=mesh, save=ds.SaveAt(ts=[0.5, 2.0])).t.tolist() == [0.5, 2.0]
    every = run(t=mesh, save=ds.SaveAt(every=1))
    assert every.t.tolist() == mesh.tolist()
    assert distance(every.y, np.exp(-mesh)[:, None] * Y0) < 1e-14
    back = run(t=mesh[::-1], save=ds.SaveAt(every=2))
    assert back.t.tolist() == [2.0, 0.5]
    assert distance(back.final, np.exp(2.0) * Y0) < 1e-13


def test_time_is_a_count_not_a_sum():
    sol = ds.solve(
        CLOCK, np.zeros(1), (0.0, 1000.0), stepper=ds.Euler(), dt=0.1, save=ds.SaveAt(every=1, fn=lambda t, y: t)
    )
    assert sol.steps == 10_000
    assert distance(sol.t, 0.1 * np.arange(10_001)) < 2e-13
    assert np.array_equal(sol.y, sol.t)


@pytest.mark.parametrize("bytes_", [1, 100, 1 << 20])
@pytest.mark.parametrize("every", [1, 7, 300])
def test_records_do_not_depend_on_how_calls_are_cut(monkeypatch, bytes_, every):
    monkeypatch.setattr(diffsim.run, "RECORD_BYTES", bytes_)
    sol = run(t=(0.0, 1.5), dt=1.5 / 1501, save=ds.SaveAt(every=every))
    t = 1.5 / 1501 * np.arange(0, 1502, every)
    assert distance(sol.t, t) < 1e-14
    assert distance(sol.y, np.exp(-t)[:, None] * Y0) < 1e-12
    assert sol.steps == 1501


def test_an_observable_is_recorded_in_place_of_the_state():
    y0 = {"a": np.ones(3), "b": 2 * np.ones((2, 3))}
    law = ds.Equation(linear={"a": -1.0, "b": None})
    sol = run(law, y0, dt=0.01, save=ds.SaveAt(ts=[0.0, 0.5], fn=lambda t, y: {"sum": tf.reduce_sum(y["a"]), "t": t}))
    assert sol.y["sum"].numpy() == pytest.approx([3.0, 3 * np.exp(-0.5)], abs=1e-13)
    assert sol.y["t"].numpy().tolist() == [0.0, 0.5]
    assert distance(sol.final["b"], y0["b"]) == 0.0


def test_an_ensemble_is_each_of_its_members():
    law = ds.Equation(linear=ds.Diffusion(GRID, ds.Dirichlet(1.0), 0.1), drift=lambda t, y: y - y**3)
    u0 = np.random.default_rng(0).normal(size=(2, 3, 8))
    both = ds.solve(law, u0, (0, 1), stepper=ds.ETDRK4(), dt=0.05).final
    alone = ds.solve(law, u0[1, 2], (0, 1), stepper=ds.ETDRK4(), dt=0.05).final
    assert both.shape == (2, 3, 8)
    assert distance(both[1, 2], alone) < 1e-14


# how runs stop


def test_steady_and_when():
    sol = run(t=(0.0, 1e3), dt=0.5, stop=ds.Steady(1e-3, every=4))
    size = float(np.sqrt(np.mean(Y0**2)))
    first = int(np.ceil(np.log(size / 1e-3) / 0.5))  # step at which the rate is that small
    assert (sol.status, sol.steps) == (ds.Status.STEADY, -(-first // 4) * 4)
    assert sol.t_final == 0.5 * sol.steps
    sol = run(t=(0.0, 10.0), dt=0.1, stop=ds.When(lambda t, y: y[0] < 0.5), save=ds.SaveAt(every=2))
    assert (sol.status, sol.steps) == (ds.Status.STOPPED, 7)
    assert sol.t == pytest.approx([0.0, 0.2, 0.4, 0.6], abs=1e-15)
    assert distance(sol.final, np.exp(-0.7) * Y0) < 1e-14
    assert run(dt=0.1, stop=ds.When(lambda t, y: t > 5.0)).status is ds.Status.DONE


def test_wall_clock_leaves_a_state_to_go_on_from():
    sol = run(CLOCK, np.zeros(1), (0.0, 1e7), stepper=ds.Euler(), dt=1e-3, stop=ds.WallClock(0.05))
    assert sol.status is ds.Status.WALL_CLOCK
    assert 0 < sol.steps < 10**10
    assert sol.t_final == pytest.approx(1e-3 * sol.steps, rel=1e-12)
    assert sol.final.numpy()[0] == pytest.approx(np.sin(sol.t_final), abs=2e-3)


def test_an_interrupt_returns_what_there_is(monkeypatch):
    true, calls = diffsim.run.Run._call, []

    def call(self, limit):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(limit)
        return true(self, limit)

    monkeypatch.setattr(diffsim.run.Run, "_call", call)
    sol = run(t=(0.0, 10.0), dt=1e-4, throw=False)
    assert sol.status is ds.Status.INTERRUPTED
    assert sol.steps == sum(calls)
    assert distance(sol.final, np.exp(-sol.t_final) * Y0) < 1e-12


def test_max_steps_counts_attempts():
    with pytest.raises(ds.SolveError, match="max_steps") as caught:
        run(dt=0.1, max_steps=7)
    sol = caught.value.solution
    assert (sol.status, sol.steps, sol.t_final) == (ds.Status.MAX_STEPS, 7, pytest.approx(0.7))
    assert run(dt=0.1, max_steps=10).status is ds.Status.DONE
    adapted = run(SQUARE, stepper=ds.Tsit5(), dt=ds.PID(first=10.0), t=(0.0, 0.4), max_steps=6, throw=False)
    assert adapted.steps + adapted.rejected == 6
    assert adapted.rejected > 0


@pytest.mark.parametrize("save", [ds.SaveAt(every=5), None], ids=["records", "final"])
@pytest.mark.parametrize("dt", [1e-2, 1e-4])
def test_the_last_good_state_before_a_blow_up(dt, save):
    y, steps = np.array([1.0]), 0
    with np.errstate(over="ignore"):
        while np.isfinite(y + dt * y * y):
            y, steps = y + dt * y * y, steps + 1
    sol = ds.solve(SQUARE, np.array([1.0]), (0.0, 3.0), stepper=ds.Euler(), dt=dt, throw=False, save=save)
    assert (sol.status, sol.steps) == (ds.Status.NON_FINITE, steps)
    assert sol.final.numpy()[0] == pytest.approx(y[0], rel=1e-9)
    assert sol.t_final == pytest.approx(steps * dt, rel=1e-12)
    if save is not None:
        assert sol.t == pytest.approx(5 * dt * np.arange(steps // 5 + 1))
        assert np.isfinite(sol.y).all()
    with pytest.raises(ds.SolveError, match="non-finite"):
        ds.solve(SQUARE, np.array([1.0]), (0.0, 3.0), stepper=ds.Euler(), dt=dt)


def test_a_singularity_makes_adapted_steps_too_small():
    sol = ds.solve(SQUARE, np.array([1.0]), (0.0, 2.0), dt=ds.PID(least=1e-9), stepper=ds.Tsit5(), throw=False)
    assert sol.status is ds.Status.SMALL_STEP
    assert sol.t_final == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(sol.final).all()
    free = ds.solve(SQUARE, np.array([1.0]), (0.0, 2.0), dt=ds.PID(), stepper=ds.Tsit5(), throw=False)
    assert free.status.failed


# adapted steps


def test_adapted_steps_land_on_every_record():
    ts = np.array([0.0, 1e-3, 0.5, 0.5001, 3.0])
    sol = ds.solve(CLOCK, np.zeros(2), (0.0, 3.0), dt=ds.PID(rtol=1e-9), stepper=ds.Tsit5(), save=ds.SaveAt(ts=ts))
    assert sol.t.tolist() == ts.tolist()
    assert distance(sol.y, np.sin(ts)[:, None] * np.ones(2)) < 1e-8
    assert sol.steps < 100  # a record close by does not make the steps after it small


def test_adapted_steps_backwards_in_time_and_within_bounds():
    sol = ds.solve(CLOCK, np.sin([3.0]), (3.0, -1.0), dt=ds.PID(rtol=1e-9, most=0.05), stepper=ds.Tsit5())
    assert sol.final.numpy()[0] == pytest.approx(np.sin(-1.0), abs=1e-8)
    assert sol.steps >= 80
    first = ds.solve(CLOCK, np.zeros(1), (0.0, 1.0), dt=ds.PID(rtol=1e-3, atol=1e-3, first=1e-6), stepper=ds.Heun())
    start = ds.solve(CLOCK, np.zeros(1), (0.0, 1.0), dt=ds.PID(rtol=1e-3, atol=1e-3, first=0.1), stepper=ds.Heun())
    assert first.steps >= start.steps + 4  # growth tenfold at most


def test_a_slow_start_does_not_look_beyond_the_end():
    """y' = e^{−2t} y from t = 8 to 4: at 1 % of y/y' before t = 8, where the estimate of the first step looks, no number."""
    law = ds.Equation(drift=lambda t, y: tf.cast(tf.exp(-2 * t), y.dtype) * y)
    sol = ds.solve(law, np.ones(1), (8.0, 4.0), dt=ds.PID(1e-6, 1e-6), stepper=ds.Heun(), jit=False)
    assert float(sol.final[0]) == pytest.approx(np.exp((np.exp(-16.0) - np.exp(-8.0)) / 2), rel=2e-6)


# what is compiled, and how often


class Traced:
    """A wall value that counts how often it is traced."""

    def __init__(self):
        self.times = 0

    def __call__(self, t, x):
        """0·t."""
        self.times += 1
        return 0 * t + 0 * x


def test_changed_numbers_compile_nothing():
    traced = Traced()

    def go(D, wall, h, rate, dt, t1, y0, stop):
        walls = ds.Boundary(x=(ds.Dirichlet(wall), ds.Robin(h, traced)))
        law = ds.Equation(linear=ds.Diffusion(GRID, walls, D) - rate)
        traced.times = 0
        return ds.solve(law, y0, (0.0, t1), stepper=ds.CrankNicolson(), dt=dt, stop=ds.Steady(stop)).final

    first = go(1.0, 2.0, 3.0, 0.1, 0.1, 1.0, np.ones(8), 1e-9)
    assert traced.times > 0
    compiled = program.cache_info().misses
    other = go(0.5, 1.0, 2.0, 0.2, 0.05, 2.0, np.zeros(8), 1e-8)
    assert (traced.times, program.cache_info().misses) == (0, compiled)
    assert distance(first, other) > 0.1
    fresh = ds.solve(
        ds.Equation(linear=ds.Diffusion(GRID, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Robin(2.0, 0.0))), 0.5) - 0.2),
        np.zeros(8),
        (0.0, 2.0),
        stepper=ds.CrankNicolson(),
        dt=0.05,
    ).final
    assert distance(other, fresh) < 1e-14  # the new numbers were used
    go(1.0, 2.0, 3.0, 0.1, 0.1, 1.0, np.ones(8, np.float32), 1e-9)
    assert traced.times > 0  # another precision is another program: the counter counts


def test_changed_fields_and_tolerances_compile_nothing():
    traced = Traced()

    def go(D, rtol):
        walls = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(traced)))
        law = ds.Equation(linear=ds.Diffusion(GRID, walls, D))
        traced.times = 0
        return ds.solve(law, np.ones(8), (0.0, 0.1), stepper=ds.Tsit5(), dt=ds.PID(rtol=rtol)).final

    first = go(np.full(8, 0.1), 1e-6)
    assert traced.times > 0
    assert distance(first, go(np.linspace(0.1, 1, 8), 1e-5)) > 0.01
    assert traced.times == 0


@dataclass(frozen=True)
class Growth:
    """dy/dt = r·y."""

    r: float

    def rate(self, t, y):
        """r·y."""
        return self.r * y


def test_a_model_enters_as_its_numbers():
    compiled = None
    for r in (1.0, -0.5, 0.25):
        sol = ds.solve(ds.Equation(drift=Growth(r).rate), Y0, (0.0, 1.0), stepper=ds.RK4(), dt=0.01)
        assert distance(sol.final, np.exp(r) * Y0) < 1e-8
        compiled = compiled or program.cache_info().misses
        assert program.cache_info().misses == compiled


# which stepper, and why


def porous(u):
    """D(u) = u."""
    return u


@pytest.mark.parametrize(
    ("law", "y0", "dt", "name"),
    [
        (DECAY, Y0, None, "ETD1"),
        (ds.Equation(linear=ds.Laplacian(GRID, ds.Neumann())), np.ones(8), None, "ETD1"),
        (ds.Equation(linear=ds.Laplacian(GRID, ds.Dirichlet(lambda t, x: t + 0 * x))), np.ones(8), 0.1, "ETDRK2"),
        (ds.Equation(linear=ds.Laplacian(GRID, ds.Neumann()), drift=lambda t, y: -(y**3)), np.ones(8), 0.1, "ETDRK2"),
        (SQUARE, Y0 / 10, None, "Tsit5"),
        (ds.Equation(drift=ds.NonlinearDiffusion(GRID, ds.Neumann(), porous)), np.ones(8), None, "RKL2"),
        (
            ds.Equation(linear=ds.Diffusion(ds.Grid((4, 4), 1.0), ds.Neumann(), lambda x, y: 1 + x * y)),
            np.ones((4, 4)),
            0.01,
            "RKL2",
        ),
        (
            ds.Equation(linear=ds.Diffusion(ds.Grid((4, 4), 1.0), ds.Neumann(), lambda x, y: 1 + x * y)),
            np.ones((4, 4)),
            None,
            "TRBDF2",
        ),
        (ds.Equation(linear=-1.0, diffusion=0.1), Y0, 0.1, "ETD1"),
        (ds.Equation(linear=-1.0, diffusion=lambda t, y: y), Y0, 0.1, "EulerMaruyama"),
        (ds.models.Underdamped(None, kT=0.5).law, (Y0, Y0), 0.1, "BAOAB"),
    ],
)
def test_the_stepper_follows_from_the_law(law, y0, dt, name):
    sol = ds.solve(law, y0, (0.0, 0.5), dt=dt, key=ds.key(0))
    assert sol.info["stepper"] == name
    assert len(sol.info["why"]) > 10
    assert name in repr(sol)


def test_one_exact_step_leads_to_each_record():
    sol = run(stepper=None, t=(0.0, 100.0), save=ds.SaveAt(ts=[1.0, 50.0, 100.0]))
    assert sol.steps == 3
    assert distance(sol.y, np.exp(-sol.t)[:, None] * Y0) < 1e-15


def test_graph_mode_and_precision():
    for jit in (True, False):
        sol = ds.solve(DECAY, Y0.astype(np.float32), (0.0, 1.0), dt=0.1, stepper=ds.ETD1(), jit=jit)
        assert sol.final.dtype == tf.float32
        assert distance(sol.final, np.exp(-1) * Y0) < 1e-6
        assert sol.info["dtype"] == "float32"


def test_paths_are_functions_of_the_key():
    law = ds.Equation(linear=-1.0, diffusion=0.5)
    a, b, c = (
        ds.solve(law, np.zeros(1000), (0, 1), dt=0.1, key=ds.key(k), jit=j).final.numpy()
        for k, j in ((3, True), (3, False), (4, True))
    )
    assert distance(a, b) < 1e-13
    assert abs(np.corrcoef(a, c)[0, 1]) < 5 / np.sqrt(1000)
    variance = 0.5**2 * (1 - np.exp(-2)) / 2
    assert np.var(a) == pytest.approx(variance, abs=5 * variance * np.sqrt(2 / 1000))


def test_walls_that_move_are_left_to_a_stiff_method_when_steps_are_adapted():
    grid = ds.Grid(24, 1.0)
    walls = ds.Boundary(x=(ds.Dirichlet(lambda t, x: tf.sin(20 * t)), ds.Neumann()))
    law, u0, options = ds.Equation(linear=ds.Diffusion(grid, walls, 0.1)), np.zeros(24), {"dt": ds.PID(1e-3, 1e-4)}
    chosen = ds.solve(law, u0, (0.0, 0.5), **options)
    assert chosen.info["stepper"] == "TRBDF2"
    assert "walls move" in chosen.info["why"]
    exponential = ds.solve(law, u0, (0.0, 0.5), stepper=ds.ETDRK2(), **options)
    assert distance(chosen.final, exponential.final) < 5e-3
    assert 3 * chosen.steps < exponential.steps
    assert ds.solve(law, u0, (0.0, 0.1), dt=0.05).info["stepper"] == "ETDRK2"
