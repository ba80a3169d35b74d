"""Jump processes: exact laws, paths that depend on nothing but key and trajectory, leaps, limits, refusals."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.linalg import expm

import diffsim as ds
from counting import ALARM, chi_square, generator, pmf_of, sigmas, stationary
from diffsim import _nest

BOTH = (ds.SSA(), pytest.param(ds.TauLeap(0.02), marks=pytest.mark.slow))
TWO = ("0 -> A @ 1", "2 A -> 0 @ 0.005")  # E2
E2_LAW = stationary(lambda n: 1.0 + 0 * n, {2: lambda n: 0.005 * n * (n - 1)}, 120)


def run(law, n0, t, **kw):
    """The final numbers."""
    return np.asarray(ds.solve(law, n0, (0.0, t), key=ds.key(kw.pop("seed", 1)), **kw).final)


def test_births_and_deaths_become_poisson():
    law = ds.Jump.of("0 -> A @ 10", "A -> 0 @ 1")
    n = run(law, tf.zeros([20_000, 1]), 12.0)
    assert abs(stats.poisson(10).pmf(10) - 0.1251100) < 1e-7
    assert chi_square(n, stats.poisson(10 * (1 - np.exp(-12))).pmf) > ALARM


@pytest.mark.slow
def test_the_last_of_a_hundred_dies_when_it_should():
    k, N = 2.0, 20_000
    ts = np.linspace(0.0, 9.0, 361)
    alive = ds.SaveAt(ts=ts, fn=lambda t, n: tf.reduce_mean(tf.cast(n[..., 0] > 0, n.dtype)))
    sol = ds.solve(ds.Jump.of(f"A -> 0 @ {k}"), tf.fill([N, 1], 100.0), (0, ts[-1]), key=ds.key(2), save=alive)
    S = np.asarray(sol.y, np.float64)
    mean = np.trapezoid(S, ts)
    assert abs(mean - 5.1873775 / k) < 5 * (np.pi**2 / 6) ** 0.5 / k / N**0.5
    exact = 1 - (1 - np.exp(-k * ts)) ** 100
    assert np.abs(S - exact).max() < 2.5 / N**0.5  # Kolmogorov–Smirnov: 7e-6


@pytest.mark.parametrize("stepper", BOTH)
def test_pairs_that_annihilate(stepper):
    k = np.arange(120)
    mean, var = E2_LAW @ k, E2_LAW @ k**2 - (E2_LAW @ k) ** 2
    assert abs(mean - 10.1274044) < 1e-7 and abs(var - 7.5630854) < 1e-7
    n = run(ds.Jump.of(*TWO), tf.fill([40_000, 1], 10.0), 40.0, stepper=stepper)
    assert sigmas(n, mean) < 4.5 and chi_square(n, pmf_of(E2_LAW)) > ALARM
    assert sigmas(n, 10.0) > 8  # the rate equation is wrong here, and this test could tell
    ode = ds.Jump.of(*TWO).rate_equation()
    assert abs(float(ds.solve(ode, tf.constant([3.0], tf.float64), (0, 200)).final[0]) - 10.0) < 1e-5


@pytest.mark.parametrize("stepper", BOTH)
def test_association_in_equilibrium(stepper):
    """E3. The number of A is a birth–death chain."""
    p = stationary(lambda a: 500.0 - a, {1: lambda a: 0.1 * a**2}, 501)
    mean = p @ np.arange(501)
    assert abs(mean - 65.67081) < 1e-5
    law = ds.Jump.of("A + B <-> C @ 0.1, 1")
    n = run(law, tf.tile([[500.0, 500.0, 0.0]], [4000, 1]), 1.0, stepper=stepper)
    assert sigmas(n[:, 0], mean) < 4.5
    np.testing.assert_array_equal(n[:, 0] + n[:, 2], 500)
    np.testing.assert_array_equal(n[:, 0], n[:, 1])


def switching(t, n):
    """A gene that promotes itself: births at 1 + 9n²/(36 + n²), deaths at n."""
    n = n[..., 0]
    return tf.stack([1 + 9 * n * n / (36 + n * n), n], axis=-1)


def test_rates_that_are_no_mass_action_follow_the_master_equation():
    n, t = run(ds.Jump([[1], [-1]], switching), tf.fill([20_000, 1], 5.0), 2.0), 2.0
    p = expm(t * generator(lambda n: 1 + 9 * n**2 / (36 + n**2), {1: lambda n: 1.0 * n}, 60))[:, 5]
    assert chi_square(n, pmf_of(p)) > ALARM
    flat = expm(t * generator(lambda n: 4.69 + 0 * n, {1: lambda n: 1.0 * n}, 60))[:, 5]  # as at the start
    assert chi_square(n, pmf_of(flat)) < 1e-20


def sinusoidal(t, n):
    """Immigration at 5 + 5 sin 2t, deaths at n."""
    return tf.stack([5.0 + 5.0 * tf.sin(2 * t), n[..., 0]], axis=-1)


def test_rates_that_depend_on_time_are_thinned_exactly():
    law = ds.Jump([[1], [-1]], sinusoidal, bound=lambda n: 10.0 + n[..., 0])
    n = run(law, tf.zeros([20_000, 1]), 2.0)
    s = np.linspace(0, 2, 20_001)
    mean = np.trapezoid(np.exp(s - 2) * (5 + 5 * np.sin(2 * s)), s)
    assert sigmas(n, mean) < 4.5 and chi_square(n, stats.poisson(mean).pmf) > ALARM


def test_a_function_takes_the_path_of_the_elementary_reactions():
    law = ds.Jump([[1], [-2]], lambda t, n: tf.stack([1 + 0 * n[..., 0], 0.005 * n[..., 0] * (n[..., 0] - 1)], -1))
    n0 = tf.fill([50, 1], tf.constant(10.0, tf.float64))
    np.testing.assert_array_equal(run(law, n0, 9.0), run(ds.Jump.of(*TWO), n0, 9.0))


@pytest.mark.parametrize("stepper", BOTH)
def test_same_numbers_in_batches_and_uncompiled(stepper):
    n0 = tf.fill([40, 1], tf.constant(60.0, tf.float64))
    whole = run(ds.Jump.of(*TWO), n0, 9.0, stepper=stepper)
    parts = [run(ds.Jump.of(*TWO, first=i), n0[:4], 9.0, stepper=stepper) for i in range(0, 40, 4)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    np.testing.assert_array_equal(whole, run(ds.Jump.of(*TWO), n0, 9.0, stepper=stepper, jit=False))
    assert len({tuple(p.ravel()) for p in parts}) > 5
    assert not np.array_equal(whole, run(ds.Jump.of(*TWO), n0, 9.0, stepper=stepper, seed=2))


def test_records_do_not_disturb_a_path():
    n0 = tf.fill([100, 1], tf.constant(10.0, tf.float64))
    often = ds.solve(ds.Jump.of(*TWO), n0, (0, 9.0), key=ds.key(1), save=ds.SaveAt(ts=np.arange(0.3, 9.1, 0.3)))
    np.testing.assert_array_equal(often.final, run(ds.Jump.of(*TWO), n0, 9.0))
    assert often.info["stepper"] == "SSA" and often.steps == 30


@pytest.mark.slow
def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    n0, law, ts = tf.fill([30, 1], tf.constant(10.0, tf.float64)), ds.Jump.of(*TWO), np.arange(1.0, 9.0)
    whole = ds.solve(law, n0, (0, 8.0), key=ds.key(3), save=ds.SaveAt(ts=ts))
    save = ds.SaveAt(ts=ts, to=str(tmp_path / "run.h5"))
    part = ds.solve(law, n0, (0, 8.0), key=ds.key(3), save=save, max_steps=3, throw=False)
    assert part.steps == 3
    rest = ds.resume(str(tmp_path / "run.h5"))
    np.testing.assert_array_equal(rest.y, whole.y)


def test_leaps_converge_with_weak_order_one():
    """In a linear network the means after leaps of length h are those of Euler's method, exactly."""
    law, T = ds.Jump.of("0 -> A @ 2000", "A -> B @ 1", "B -> 0 @ 0.5"), 2.0
    A, b, leap, gaps = np.array([[-1.0, 0], [1, -0.5]]), np.array([2000.0, 0]), ds.TauLeap(epsilon=1e6, critical=0), []
    true = np.linalg.solve(A, expm(A * T) @ b - b)
    for steps in (4, 8):
        n, euler, h = run(law, tf.zeros([4000, 2]), T, stepper=leap, dt=T / steps), np.zeros(2), T / steps
        for _ in range(steps):
            euler = euler + h * (A @ euler + b)
        assert all(sigmas(n[:, s], euler[s]) < 4.5 for s in range(2))
        gaps.append(n.mean(0) - true)
    assert np.all(np.abs(gaps[0] / gaps[1] - 2.1) < 0.35)  # 2.16 and 2.06 for Euler's method


def leaps(law, n0, h, epsilon):
    """Numbers after h and how many leaps each trajectory took."""
    y, stepper = tf.constant(n0), ds.TauLeap(epsilon)
    noise = law.over(ds.key(5), tf.constant(0), 0.0, h, y)
    t, memory = tf.constant(0.0, tf.float64), stepper.init(law, 0.0, y)

    @tf.function(autograph=False)
    def once(y):
        return stepper.step(law, t, tf.constant(h, y.dtype), y, memory, (), noise)

    step = once(y)
    return step.y.numpy(), step.memory.count.numpy()


@pytest.mark.slow
def test_leaps_are_as_long_as_rates_allow():
    """Many molecules need far fewer leaps than events, and fewer yet with a larger tolerance; few need events."""
    law = ds.Jump.of("0 -> A @ 10000", "A -> 0 @ 1")
    n, fine = leaps(law, np.full([500, 1], 1e4), 1.0, 0.03)
    assert sigmas(n, 1e4) < 4.5 and fine.max() < 20_000 / 50
    var = 1e4 * (1 - np.exp(-2.0))
    assert abs(n.var() / var - 1) < 0.03 + 5 * (2 / 500) ** 0.5
    assert 1.8 < fine.mean() / leaps(law, np.full([50, 1], 1e4), 1.0, 0.06)[1].mean() < 2.2
    few = ds.Jump.of("0 -> A @ 4", "A -> 0 @ 1")
    n, count = leaps(few, np.full([2000, 1], 4.0), 3.0, 0.03)
    assert sigmas(n, 4.0) < 4.5 and sigmas(count, 25.0) < 4.5  # 24 events and the wait for the next one


def test_leaps_through_fast_reactions_keep_their_balance():
    """A ⇌ B a thousand times as fast as B → C: binomial in balance, and the slow reaction at its exact pace."""
    law = ds.Jump.of("A <-> B @ 400, 600", "B -> C @ 1")
    n, _ = leaps(law, np.tile([6000.0, 4000.0, 0.0], (200, 1)), 0.05, 0.1)
    np.testing.assert_array_equal(n.sum(1), 1e4)
    A = np.array([[-400.0, 600, 0], [400, -601, 0], [0, 1, 0]])
    mean = expm(A * 0.05) @ [6000, 4000, 0]
    assert all(sigmas(n[:, s], mean[s]) < 4.5 for s in range(3))
    assert abs(n[:, 1].var() / (mean[1] * (1 - mean[1] / 1e4)) - 1) < 0.1 + 5 * (2 / 200) ** 0.5


@pytest.mark.slow
def test_leaps_never_go_below_zero():
    law = ds.Jump.of("A -> 0 @ 3", "2 A -> B @ 0.1", "B -> A @ 1")
    lowest = ds.SaveAt(ts=np.linspace(0.1, 3, 30), fn=lambda t, n: tf.stack([tf.reduce_min(n), tf.reduce_max(n % 1)]))
    sol = ds.solve(law, tf.tile([[40.0, 0.0]], [2000, 1]), (0, 3.0), key=ds.key(1), save=lowest,
                   stepper=ds.TauLeap(epsilon=1.0, critical=0))
    np.testing.assert_array_equal(sol.y, 0.0 * np.asarray(sol.y))


def test_the_langevin_noise_has_the_covariance_of_the_reactions():
    law = ds.Jump.of("A + B <-> C @ 0.1, 1", "A -> 0 @ 2", "0 -> B @ 7")
    n = tf.constant([3.0, 40.0, 5.0], tf.float64)
    C = np.stack([law.langevin().diffusion.fn(0.0, n, tf.constant(e)) for e in np.eye(3)], 1)
    a = np.array([0.1 * 3 * 40, 5, 6, 7])
    nu = np.array(law.stoichiometry)
    np.testing.assert_allclose(C @ C.T, nu.T @ (a[:, None] * nu), rtol=1e-12, atol=1e-12)
    one = ds.Jump.of("A + B <-> C @ 0.1, 1").langevin()  # one noise for three species
    C = np.stack([one.diffusion.fn(0.0, n, tf.constant(e)) for e in np.eye(3)], 1)
    np.testing.assert_allclose(C @ C.T, 17 * np.outer([-1, -1, 1], [-1, -1, 1]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(one.drift(0.0, n), [-7, -7, 7])


def stationary_moments(drift, spread, n):
    """Mean and variance of dn = drift dt + √spread dW in balance, by quadrature: p ∝ exp(∫2 drift/spread)/spread."""
    potential = np.concatenate([[0], np.cumsum((r := 2 * drift / spread)[1:] + r[:-1]) / 2 * (n[1] - n[0])])
    p = np.exp(potential - potential.max()) / spread
    p /= p.sum()
    return p @ n, p @ n**2 - (p @ n) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("text", [("0 -> A @ 10", "A -> 0 @ 1"), TWO], ids=["E1", "E2"])
def test_the_langevin_equation_has_its_own_law(text):
    """Also below zero, where reactions stop; steps of 0.02 are off by about 1 % of the variance."""
    law, n = ds.Jump.of(*text), np.linspace(-25, 60, 200_001)
    m = np.maximum(n, 0)
    use = (np.maximum(0.005 * m * (m - 1), 0), 2) if text == TWO else (m, 1)
    supply = 1.0 if text == TWO else 10.0
    mean, var = stationary_moments(supply - use[1] * use[0], supply + use[1] ** 2 * use[0], n)
    x = run(law.langevin(), tf.fill([20_000, 1], 10.0), 40.0 if text == TWO else 8.0, dt=0.02)
    assert sigmas(x, mean) < 5 + 0.01 * mean / (x.std() / len(x) ** 0.5)
    assert abs(x.var() / var - 1) < 0.012 + 5 * (2 / len(x)) ** 0.5
    exact = (10.0, 10.0) if text != TWO else (10.1274044, 7.5630854)
    assert (mean, var) == pytest.approx(exact, rel=1e-4 if text != TWO else 0.035)  # 3.2 % of E2's variance


@pytest.mark.parametrize(
    "text, error",
    [
        ("A -> B", "the constant after @"),
        ("A = B @ 1", "an arrow"),
        ("A -> B @ -1", "a number ≥ 0"),
        ("A -> B @ __import__('os')", "a number ≥ 0"),
        ("A <-> B @ 1", "two constants"),
        ("A -> B @ 1, 2", "one constant"),
        ("A + 1.5 B -> C @ 1", "species like"),
    ],
)
def test_text_that_is_no_reaction_is_refused(text, error):
    with pytest.raises(ValueError, match="expected .*because") as caught:
        ds.Jump.of(text)
    assert error in str(caught.value)


def test_text_says_what_it_says():
    law = ds.Jump.of("A + B -> C @ 0.5", "2 A <-> B @ 1e-1, 2", "∅ -> A @ 3", "C -> @ 4", volume=10.0)
    assert law.species == ("A", "B", "C")
    assert law.stoichiometry == ((-1, -1, 1), (-2, 1, 0), (2, -1, 0), (1, 0, 0), (0, 0, -1))
    np.testing.assert_allclose(law.propensities.k, (0.05, 0.01, 2.0, 30.0, 4.0))
    a = law.propensities(0.0, tf.constant([3.0, 4.0, 5.0]))
    np.testing.assert_allclose(a, [0.05 * 12, 0.01 * 6, 8, 30, 20], rtol=1e-6)
    assert ds.Jump.of("A -> B @ 1", species=("B", "A")).stoichiometry == ((1, -1),)


HOPS = ds.Diffusion(ds.Grid(3, 1.0), ds.Neumann(), 0.1)
MEAN = ds.analysis.TimeAverage(lambda t, n: n[:, 0])


def test_what_is_refused_before_anything_runs():
    law, one = ds.Jump.of("A -> 0 @ 1"), tf.constant([[3.0]])
    cases = [
        (lambda: run(law, -one, 1), "fewer molecules than none"),
        (lambda: run(law, 0.5 * one, 1), "molecules come one by one"),
        (lambda: run(law, one + 2.0**24, 1), "exact up to there"),
        (lambda: run(law, tf.constant([[1.0, 2.0]]), 1), "counts the species"),
        (lambda: run(law, one, 1, stepper=ds.Tsit5()), "Tsit5"),
        (lambda: run(ds.Equation(linear=-1.0), one, 1, stepper=ds.SSA()), "fires reactions"),
        (lambda: run(law, one, -1), "what has fired"),
        (lambda: run(law, one, 1, dt=ds.PID()), "SSA estimates no error"),
        (lambda: run(law, one, 1, stepper=ds.TauLeap(), dt=ds.PID()), "TauLeap estimates no error"),
        (lambda: ds.TauLeap(critical=2.5), "counts firings"),
        (lambda: ds.Jump([[1, 0]], [1.0], species=("A", "A")), "tell species apart"),
        (lambda: ds.Jump([[1, 0]], [1.0], species=("A",)), "each column"),
        (lambda: ds.Jump.of("A -> B @ 1", volume=0.0), "molecules meet in it"),
        (lambda: ds.Jump([[1]], lambda t, n: n, bound=3.0), "how many molecules there are"),
        (lambda: ds.Elementary((1.0, 2.0), ((1,),)), "each reaction has its constant"),
        (lambda: run(law, one, 1, stop=ds.Steady(0.1), dt=0.1), "never come to rest"),
        (lambda: run(law, one, 1, stepper=ds.SplitHops(), dt=0.1), "nothing to split"),
        (lambda: run(law, one, 1, stepper=ds.Observed(ds.SSA(), MEAN)), "Observed estimates no error .* Pass dt=….$"),
        (lambda: ds.Jump([[-1]], [1.0], hops=HOPS), "each species hops in its own way"),
        (lambda: ds.Jump([[-1, 1]], [1.0], hops=(HOPS,)), "each species hops in its own way"),
        (lambda: ds.Jump([[-1]], [1.0], hops=(None,)), "at its rates from cell to cell"),
        (lambda: ds.Jump([[-1]], [1.0], hops=(-1.0,)), "at its rates from cell to cell"),
        (lambda: ds.Jump([[-1, 1]], [1.0], hops=(HOPS, ds.Laplacian(ds.Grid(4, 1.0), ds.Neumann()))), "one grid"),
        (lambda: ds.solve(law, one, (0, 1)), "Pass key="),
        (lambda: run(law, one, 1, stop=ds.When(lambda t, n: tf.reduce_all(n < 1))), "Pass dt=…: the run ends within dt"),
        (lambda: ds.Jump([[1]], [-1.0]), "never fewer than none"),
        (lambda: ds.Jump([[0.5]], [1.0]), "whole numbers of molecules"),
        (lambda: ds.Jump([[-2]], ds.Elementary((1.0,), ((1,),))), "too few"),
        (lambda: ds.Jump.of("A -> B @ 1", species=("A",)), "names it"),
        (lambda: ds.TauLeap(0.0), "fraction of a rate"),
        (lambda: run(ds.Jump([[1]], lambda t, n: 1.0 - n), one, 1), r"-2 for the reaction \(\+1 n0\) at n0 = 3"),
        (lambda: run(ds.Jump([[1]], lambda t, n: n[..., 0]), one, 1), "each reaction has its rate"),
        (lambda: run(ds.Jump([[1]], lambda t, n: n * tf.sin(t)[..., None]), one, 1), "Pass bound="),
    ]
    for case, text in cases:
        with pytest.raises((ValueError, TypeError), match=text) as caught:
            case()
        assert ": expected " in str(caught.value) and ", because " in str(caught.value)


@pytest.mark.parametrize("stepper", BOTH)
def test_what_goes_wrong_on_the_way_is_named(stepper):
    """Rates that turn negative, and reactions that fire where nothing is left, end the run with a reason."""
    turning = ds.Jump([[2], [-1]], lambda t, n: tf.concat([3.0 - n, 0 * n], -1))
    careless = ds.Jump([[1], [-1]], lambda t, n: tf.concat([0 * n + 1, 0 * n + 4], -1), species=("A", "B")[:1])
    for law, text in ((turning, r"propensities\[0\]=-1 for .* at n0 = 4, t = \d"), (careless, r"\(-1 A\) at A = 0, t = ")):
        with pytest.raises(ds.SolveError, match=text) as caught:
            run(law, tf.constant([[0.0]]), 50.0, stepper=stepper, jit=False)
        assert float(caught.value.solution.final[0, 0]) == 0.0  # the last good state
        assert ": expected " in str(caught.value) and ", because " in str(caught.value)


def test_a_bound_that_is_none_and_numbers_that_floats_cannot_count_are_named():
    low = ds.Jump([[1], [-1]], sinusoidal, bound=lambda n: 6.0 + n[..., 0])
    with pytest.raises(ds.SolveError, match="bound=less than"):
        run(low, tf.zeros([1, 1]), 50.0, jit=False)
    many = ds.Jump.of("A -> 2 A @ 1")
    with pytest.raises(ds.SolveError, match="fewer than 2²⁴"):
        run(many, tf.fill([1, 1], 2.0**24 - 3), 1.0, jit=False)


def test_constants_are_data():
    """Other constants do not compile again, and arrays are a sweep."""
    from diffsim.march import program

    n0 = tf.fill([20_000, 1], 0.0)
    run(ds.Jump.of("0 -> A @ 10", "A -> 0 @ 1"), n0, 1.0)
    before = program.cache_info().misses
    n = run(ds.Jump.of("0 -> A @ 3", "A -> 0 @ 2"), n0, 1.0)
    assert program.cache_info().misses == before
    assert sigmas(n, 1.5 * (1 - np.exp(-2))) < 4.5
    k = tf.constant([[1.0], [4.0]])
    sweep = ds.Jump([[1], [-1]], ds.Elementary((k, 1.0), ((0,), (1,))))
    n = run(sweep, tf.zeros([2, 3000, 1]), 1.0)
    for row, rate in zip(n, (1, 4), strict=True):
        assert sigmas(row, rate * (1 - np.exp(-1))) < 4.5
    assert _nest.flatten(n)[0].shape == (2, 3000, 1)
