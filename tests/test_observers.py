"""Observers ride in the loop: the same numbers as from a stored path, in any batch, resumed, in memory that is fixed."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import analysis as an
from same import alike

KEY = ds.key(45)


def ramp(t, x):
    """A trap whose stiffness grows, for positions (..., d)."""
    return 0.5 * (0.7 + 0.4 * t) * tf.reduce_sum(x * x, -1)


def swirl(t, x):
    """A force without potential."""
    return 0.6 * tf.stack([-x[..., 1], x[..., 0]], -1)


WATCH = {
    "msd": an.MSD(points=6, levels=3),
    "cell": an.MSD(points=4, levels=2, box=1.1, of=lambda t, y: y[0] - 1.1 * tf.floor(y[0] / 1.1)),
    "vacf": an.VACF(points=4, levels=2),
    "blocks": an.VACF(points=4, levels=2, blocks=True),
    "work": an.Work(ramp, swirl, mass=0.8),
    "energy": an.TimeAverage(lambda t, y: tf.reduce_sum(y[1] ** 2)),
    "rows": an.TimeAverage(lambda t, y: y[1] ** 2),
    "where": an.Occupation(lambda t, y: y[0][..., 0], low=-1.0, high=1.0, bins=7),
    "stays": an.Residence(lambda t, y: y[0][..., 0] > 0.0, longest=2.0, bins=5),
    "current": an.Current(swirl, ds.Ito()),
    "gr": an.RadialDistribution(box=3.0, reach=1.5, bins=6),
    "self": an.VanHove(reach=0.5, bins=6),
    "others": an.VanHove(reach=1.5, bins=6, box=(3.0, 4.0), distinct=True),
    "late": ds.Every(an.VACF(points=4, levels=1), n=3, since=0.4),
}


@pytest.fixture(scope="module")
def watched():
    law = ds.models.Underdamped(lambda t, x: ramp(t, x), kT=0.6, gamma=1.2, mass=0.8).law
    x0 = ds.random.normal(ds.key(1), [5, 2], tf.float64)
    save, stepper = ds.SaveAt(every=1), ds.Observed(ds.BAOAB(), WATCH)
    return ds.solve(law, (x0, -x0), (0, 2.5), dt=0.05, stepper=stepper, save=save, key=KEY, jit=False)


def close(a, b):
    """Equal to round-off, through nests of arrays."""
    for x, y in zip(tf.nest.flatten(parts(a)), tf.nest.flatten(parts(b)), strict=True):
        if y is not None:
            np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-12)


def parts(result):
    return list(vars(result).values()) if isinstance(result, an.Lags) else list(result)


SOONER = ("msd", "blocks", "work", "rows", "stays", "self")  # the others in the second stage: each is traced again
STAGED = [pytest.param(n, marks=() if n in SOONER else pytest.mark.slow) for n in WATCH if n != "late"]


@pytest.mark.parametrize("name", STAGED)
def test_streamed_is_stored(watched, name):
    """The fold in the loop gives what the same fold over the records gives."""
    close(watched.seen[name], WATCH[name].over(watched.t, watched.y))


def test_seen_from_a_time_on(watched):
    """Every third state from t = 0.4 on, which is record 8."""
    close(watched.seen["late"], WATCH["late"].observer.over(watched.t[8::3], tuple(a[8::3] for a in watched.y)))


def test_correlators_against_sums_and_fourier_transforms(watched):
    """Level 0 has all origins, as the FFT of the stored path; level l those at steps 2ˡ⁻¹(2k + 1)."""
    x, v = (a.numpy() for a in watched.y)
    seen, all_lags = watched.seen["msd"], an.mean_square_displacement(watched.t, x)
    np.testing.assert_allclose(seen.each[:6], all_lags.each[:6], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(seen.t, 0.05 * np.array([0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20]), rtol=1e-12)
    for b, rows in ((2, slice(6, 9)), (4, slice(9, 12))):
        some = x[b // 2 :: b]
        exact = [((some[j:] - some[:-j]) ** 2).sum(-1).mean(0) for j in (3, 4, 5)]
        np.testing.assert_allclose(seen.each[rows], exact, rtol=1e-11)
        np.testing.assert_array_equal(seen.origins[rows], [len(some) - j for j in (3, 4, 5)])
    brute = [((x[k:] - x[: len(x) - k]) ** 2).sum(-1).mean(0) for k in range(51)]
    np.testing.assert_allclose(all_lags.each, brute, rtol=1e-9, atol=1e-13)
    all_lags = an.velocity_autocorrelation(watched.t, v)
    np.testing.assert_allclose(watched.seen["vacf"].each[:4], all_lags.each[:4], rtol=1e-10)
    np.testing.assert_allclose(all_lags.each, [(v[k:] * v[: 51 - k]).sum(-1).mean(0) for k in range(51)], rtol=1e-9)
    means = 0.5 * (v[2:50:2] + v[3:51:2])
    np.testing.assert_allclose(watched.seen["blocks"].each[4], (means[2:] * means[:-2]).sum(-1).mean(0), rtol=1e-11)
    wrapped = an.mean_square_displacement(watched.t, x % 1.1, box=1.1)
    np.testing.assert_allclose(wrapped.each, brute, rtol=1e-9, atol=1e-12)  # unwrapped: as if there were no cell
    np.testing.assert_allclose(watched.seen["cell"].each[:4], brute[:4], rtol=1e-9, atol=1e-12)


def test_the_first_law_closes(watched):
    work = watched.seen["work"]
    assert np.abs(work.imbalance).max() < 1e-13 * 50
    x, v = (a.numpy() for a in watched.y)
    E = [ramp(t, x[i]).numpy() + 0.4 * (v[i] ** 2).sum(-1) for i, t in ((0, 0.0), (-1, 2.5))]
    np.testing.assert_allclose(work.change, E[1] - E[0], rtol=1e-12)


LAW = ds.models.BrownianMotion(D=0.8)


def wander(n, first=0, steps=200, jit=False, **options):
    law = ds.Equation(diffusion=LAW.law.diffusion, noise=ds.Brownian(first=first))
    stepper = ds.Observed(ds.EulerMaruyama(), an.MSD(points=4, levels=3))
    return ds.solve(law, tf.zeros([n, 2]), (0, 0.01 * steps), dt=0.01, stepper=stepper, key=KEY, jit=jit, **options)


def test_batches_join_to_the_whole():
    """Equal bits for one ensemble of 24 and two of 12; compiled with XLA the same to round-off."""
    whole, halves = wander(24).seen, [wander(12, first).seen for first in (0, 12)]
    alike(whole, halves[0].join(halves[1]))
    np.testing.assert_allclose(wander(24, jit=True).seen.each, whole.each, rtol=1e-4)
    with pytest.raises(ValueError, match="expected Lags at the same times, because"):
        whole.join(an.Lags(whole.t[1:], whole.each[1:], whole.origins[1:], 2))


def test_resumed_runs_have_seen_the_same(tmp_path):
    path = tmp_path / "run.h5"
    save = ds.SaveAt(every=20, to=str(path))
    broken = wander(24, max_steps=90, throw=False, save=save)
    assert broken.steps == 90 and broken.seen.origins[0] == 91
    alike(ds.resume(path).seen, wander(24).seen)


def test_runs_watched_by_lambdas_resume_with_their_stepper(tmp_path):
    """A file holds no code: the stepper is passed again, and must be the one of the file in all that it holds."""
    path, key = tmp_path / "run.h5", ds.key(3)

    def stepper(n=2, of=lambda t, x: tf.reduce_mean(x * x)):
        return ds.Observed(ds.EulerMaruyama(), {"late": ds.Every(an.TimeAverage(of), n), "msd": an.MSD(4, 2)})

    def run(stepper, **options):
        law = ds.Equation(linear=-0.7, diffusion=1.2)
        return ds.solve(law, tf.zeros([5, 2]), (0, 0.4), dt=0.02, stepper=stepper, key=key, jit=False, **options)

    broken = run(stepper(), max_steps=11, throw=False, save=ds.SaveAt(every=5, to=str(path)))
    assert broken.steps == 11
    with pytest.raises(ValueError, match="stepper=one with <function .*: expected .* because a file .* Pass stepper="):
        ds.resume(path)
    with pytest.raises(ValueError, match=r"stepper=watch\['late'\].n=3 instead of 2: expected the stepper of the file"):
        ds.resume(path, stepper=stepper(3))
    with pytest.raises(ValueError, match="stepper=EulerMaruyama instead of Observed: expected"):
        ds.resume(path, stepper=ds.EulerMaruyama())
    with pytest.raises(TypeError, match="stepper=3: expected Stepper, because"):
        ds.resume(path, stepper=3)
    whole, again = run(stepper()), ds.resume(path, stepper=stepper())
    np.testing.assert_array_equal(again.final, whole.final)
    alike(again.seen["msd"], whole.seen["msd"])
    assert again.seen["late"].value == whole.seen["late"].value


def test_memory_does_not_grow_with_the_number_of_steps():
    """What travels has one size for any number of steps, and one program runs them all; 2²⁰ steps cost 20 levels."""
    from diffsim.march import program

    def kept(steps):
        return sum(a.size for a in tf.nest.flatten(parts(wander(24, steps=steps, jit=True).seen)[1:3]))

    few = kept(1000)
    before = program.cache_info().currsize
    assert kept(4000) == few  # per particle and lag, sums only
    assert program.cache_info().currsize == before
    y = tf.zeros([24, 2])
    observer = an.MSD(points=8, levels=20)
    seen = tf.nest.flatten(observer.start(tf.constant(0.0, tf.float64), y))
    assert sum(a.shape.num_elements() for a in seen) < 20 * 8 * 24 * 3 + 4


@pytest.mark.slow
def test_adapted_steps_and_walls():
    """Walls act before observers look; energies may be watched over steps of any length, lags not."""
    box = ds.Walls(ds.EulerMaruyama(), ds.Box(0.0, 2.0), ds.Periodic())
    x0 = tf.fill([500, 1], tf.constant(1.0, tf.float64))
    watch = {"free": an.MSD(points=4, levels=4, box=2.0), "wrapped": an.MSD(points=4, levels=4)}
    sol = ds.solve(ds.Equation(diffusion=1.0), x0, (0, 1.6), dt=0.04, stepper=ds.Observed(box, watch), key=KEY,
                   jit=False)
    free = np.asarray(sol.final + 2.0 * tf.cast(sol.fate.images, tf.float64)) - 1.0
    alone = wander_1d()
    np.testing.assert_allclose(sol.seen["free"].each, alone.each, rtol=1e-9, atol=1e-12)
    assert abs((free**2).mean() / 1.6 - 1) < 5 * np.sqrt(2 / 500)
    assert sol.seen["wrapped"].value[-1] < sol.seen["free"].value[-1] - 0.3  # negative control: a cell ends all paths
    energy = {"energy": an.TimeAverage(lambda t, y: y[0])}
    decay = ds.Equation(drift=lambda t, y: -y)
    stepper = ds.Observed(ds.Tsit5(), energy)
    sol = ds.solve(decay, np.ones(1), (0, 3), dt=ds.PID(rtol=1e-3), stepper=stepper, jit=False)
    assert sol.seen["energy"].samples == sol.steps + 1


def wander_1d():
    x0, stepper = tf.zeros([500, 1], tf.float64), ds.Observed(ds.EulerMaruyama(), an.MSD(points=4, levels=4))
    return ds.solve(ds.Equation(diffusion=1.0), x0, (0, 1.6), dt=0.04, stepper=stepper, key=KEY, jit=False).seen


def flat(t, x):
    return 0.0 * x


REFUSED = [
    (lambda: ds.Observed(ds.ETD1(), {"a": 3}), "watch=3: expected Observer, because it is shown each state"),
    (lambda: ds.Observed(ds.ETD1()), "watch=None: expected Observer"),
    (lambda: ds.Observed(ds.Observed(ds.ETD1(), an.MSD()), an.MSD()), "expected a stepper that is not watched yet"),
    (lambda: ds.Reflected(ds.Observed(ds.EulerMaruyama(), an.MSD()), ds.Ball(0.0, 1.0)),
     "not watched yet, because Observed looks when all others have acted.*Write Observed\\(Walls"),
    (lambda: ds.Onto(ds.Observed(ds.Heun(), an.MSD()), lambda y: y), "Write Observed\\(Onto"),
    (lambda: ds.Relay(ds.Observed(ds.Heun(), an.MSD()), ds.Heun(), 1.0), "Write Observed\\(Relay"),
    (lambda: ds.Relay(ds.Heun(), ds.Onto(ds.Absorbed(ds.Heun(), ds.Ball(0.0, 1.0)), lambda y: y), 1.0),
     "such as lost particles, would not be handed over. Write Walls\\(Relay"),
    (lambda: ds.Every(an.MSD(), n=0), "n=0: expected an integer ≥ 1, because it counts steps"),
    (lambda: ds.Every(3), "watch=3: expected Observer"),
    (lambda: an.MSD(points=5), "points=5: expected an even number, because a level .* Pass points=6"),
    (lambda: an.MSD(levels=0), "levels=0: expected an integer ≥ 1, because each doubles"),
    (lambda: an.MSD(box=-1.0), "box=.*: expected lengths > 0, because a cell repeats"),
    (lambda: an.VACF(blocks="yes"), "blocks='yes': expected True or False"),
    (lambda: an.TimeAverage(3.0), "of=3.0: expected a function of\\(t, y\\), because its values are averaged"),
    (lambda: an.RadialDistribution(reach=1.0), "box=None: expected the lengths of a periodic cell, because"),
    (lambda: an.RadialDistribution(reach=1.1, box=2.0), "reach=1.1: expected reach ≤ 1, half of the cell, because"),
    (lambda: an.Occupation(flat, low=1.0, high=0.0), "high=0.0: expected a finite number > 1"),
    (lambda: an.Residence(3), "inside=3: expected a function inside\\(t, y\\), because"),
    (lambda: an.Current(3), "weight=3: expected a function w\\(t, x\\), because"),
    (lambda: an.Current(flat, calculus=3), "calculus=3: expected Ito or Stratonovich or Isothermal"),
    (lambda: an.Work(None), "V=None: expected a function V\\(t, x\\), because work"),
    (lambda: an.Work(flat, force=2.0), "force=2.0: expected a function f\\(t, x\\), or None, because"),
    (lambda: an.Work(flat, mass=0.0), "mass=0.0: expected a finite number > 0"),
    (lambda: an.MSD().over([0.0, 1.0], np.zeros((3, 2, 1))), "expected as many times as records, because"),
    (lambda: an.MSD().over([0.0, 1.0, 3.0], np.zeros((3, 2, 1))), "expected equally spaced times, because lags"),
    (lambda: an.blocking([1.0, 2.0]), "expected a series of four records or more, because blocks are compared"),
    (lambda: an.mean_square_displacement([0.0, 1.0], np.zeros((3, 2))), "expected shape \\(2, ..., d\\)"),
    (lambda: an.velocity_autocorrelation([0, 1, 3], np.zeros((3, 2))), "expected equally spaced times, because"),
]


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_refusals(call, text):
    with pytest.raises((ValueError, TypeError), match=text) as error:
        call()
    assert ", because " in str(error.value)


UNSEEN = [
    (an.MSD(), np.zeros(5), "expected real numbers of shape \\(..., particles, d\\), because the last axis holds"),
    (an.MSD(of=3), np.zeros((5, 1)), "of=3: expected a function of\\(t, y\\), or None"),
    (an.VACF(), np.zeros((5, 1)), "y0=1 part: expected a pair \\(x, v\\), because velocities"),
    (an.Work(flat), np.zeros((5, 1)), "expected energies of shape \\(5,\\), because each particle has its own work"),
    (an.Current(lambda t, x: x[..., 0]), np.zeros((5, 1)), "expected the shape of positions, \\(5, 1\\), because"),
    (an.Residence(flat), np.zeros((5, 1)), "expected a tensor of bools, because it says who is inside"),
    (an.TimeAverage(lambda t, y: tf.constant(1)), np.zeros((5, 1)), "expected a tensor of real numbers, because"),
    (an.RadialDistribution(reach=0.5, box=(1.0, 1.0)), np.zeros((5, 1)), "expected 1 lengths, because each axis"),
    (an.VanHove(), np.zeros((1, 1)), "expected two particles or more, because a pair has two"),
]


@pytest.mark.parametrize(("observer", "y0", "text"), UNSEEN)
def test_states_without_anything_to_see_are_refused(observer, y0, text):
    with pytest.raises((ValueError, TypeError), match=text):
        ds.solve(ds.Equation(diffusion=1.0), y0, (0, 1), dt=0.1, stepper=ds.Observed(ds.EulerMaruyama(), observer),
                 key=KEY, jit=False)


def test_uneven_steps_are_refused():
    decay = ds.Equation(drift=lambda t, y: -y)
    with pytest.raises(ValueError, match="steps=adapted: expected equal ones for MSD, because lags"):
        ds.solve(decay, np.ones((1, 1)), (0, 3), dt=ds.PID(), stepper=ds.Observed(ds.Tsit5(), an.MSD()))
    stepper = ds.Observed(ds.EulerMaruyama(), {"m": ds.Every(an.MSD(), n=2)})
    with pytest.raises(ValueError, match="steps=from 0.05 to 0.1: expected equal ones for MSD, because lags"):
        ds.solve(LAW.law, np.zeros((2, 1)), (0, 1), dt=0.1, save=ds.SaveAt(ts=[0.5, 0.55, 1.0]), stepper=stepper, key=KEY)


@pytest.mark.slow
def test_gradients_flow_through_what_is_watched():
    simulation = ds.Simulation(ds.Equation(drift=lambda t, y: -y), ds.Observed(ds.Euler(), an.MSD(levels=2)), dt=0.1,
                               like=tf.ones([3, 1]))
    x = tf.Variable(tf.ones([3, 1]))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(simulation.advance(x, 5))
    np.testing.assert_allclose(tape.gradient(y, x), np.full((3, 1), 0.9**5), rtol=1e-6)
