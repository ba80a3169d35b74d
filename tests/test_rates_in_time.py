"""Rates that depend on time, in one volume and in cells of a grid: exact laws, leaps, one law in two readings (5σ)."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.integrate import quad, solve_ivp

import diffsim as ds
from counting import ALARM, chi_square, sigmas, uniform_residues

M = ds.models
GRID = ds.Grid(shape=(3,), size=(1.5,))
D, T = 0.2, 1.7
HOP = D / 0.25
L = HOP * np.array([[-1.0, 1, 0], [1, -2, 1], [0, 1, -1]])
WHERE = np.array([1.0, 0.0, 0.4])  # of a birth in each cell


def pulse(t):
    """Nothing at the beginning."""
    return 8 * tf.sin(2 * t) ** 2


def fading(t):
    """Deaths of each molecule."""
    return 1.0 + 0.8 * tf.cos(3 * t)


def lit(t):
    """Births where it is light."""
    return tf.constant(WHERE, t.dtype) * (0.5 + 6 * tf.sin(2 * t) ** 2)


HOPS = (ds.Diffusion(GRID, ds.Neumann(0.0), D),)
LAMP = ds.Jump([[1], [-1]], [ds.Varying(lit, most=6.5 * WHERE), ds.Varying(fading, most=1.8)], hops=HOPS)


def mean_in_cells(t=T):
    """u′ = Lu − δ(t)u + β(t)."""
    def rate(s, u):
        return L @ u - (1 + 0.8 * np.cos(3 * s)) * u + (0.5 + 6 * np.sin(2 * s) ** 2) * WHERE

    return solve_ivp(rate, (0, t), np.zeros(3), rtol=1e-9, atol=1e-11).y[:, -1]


def run(law, n0, t, **kw):
    y = ds.solve(law, n0, (0.0, t), key=ds.key(kw.pop("seed", 1)), **kw).final
    return [np.asarray(n) for n in y] if isinstance(y, tuple) else np.asarray(y)


def frozen_until_the_next_event(runs, rng):
    """Total numbers by the direct method, had rates stayed until each event what they were after the last."""
    n, t = np.zeros(runs), np.zeros(runs)
    while (t < T).any():
        birth, death = (0.5 + 6 * np.sin(2 * t) ** 2) * WHERE.sum(), (1 + 0.8 * np.cos(3 * t)) * n
        t = t + rng.exponential(size=runs) / (birth + death)
        n = n + (t < T) * np.where(rng.random(runs) * (birth + death) < birth, 1, -1)
    return n


SLOW = [pytest.param(s, 0.1, marks=pytest.mark.slow) for s in (ds.SplitHops(), ds.SplitHops(ds.TauLeap(0.02)))]


@pytest.mark.parametrize(("stepper", "dt"), [(ds.SSA(), None), *SLOW], ids=["SSA", "SplitHops", "TauLeap"])
def test_births_and_deaths_in_time_are_poisson_in_each_cell(stepper, dt):
    """Independent Poisson numbers whose means solve the lattice equation; rates frozen between events are not."""
    runs, u = 4000, mean_in_cells()
    (n,) = run(LAMP, (tf.zeros([runs, 3]),), T, stepper=stepper, dt=dt, jit=dt is not None)
    assert min(chi_square(n[:, i], stats.poisson(u[i]).pmf) for i in range(3)) > ALARM
    assert np.all(np.abs(np.cov(n.T) - np.diag(u)) < 5 * np.sqrt((np.outer(u, u) + np.diag(u + u * u)) / runs))
    total = stats.poisson(u.sum())
    assert chi_square(n.sum(1), total.pmf) > ALARM
    if stepper == ds.SSA():
        assert chi_square(frozen_until_the_next_event(runs, np.random.default_rng(2)), total.pmf) < 1e-20
    else:
        assert sigmas(n.sum(1), mean_in_cells(T - 0.1).sum()) > 8  # as the test would see rates that are a step late


def test_conversion_in_time_is_binomial_and_paths_depend_on_key_and_row_only():
    """A → B at k(t), A hops: odds 1 − e^{−∫k}. Some of the runs by themselves, uncompiled, are the same runs."""
    N, runs, k = 20, 2000, ds.Varying(lambda t: 0.9 + 0.9 * tf.sin(4 * t), most=1.8)
    grid = ds.Grid(shape=(2,), size=(2.0,))
    law = ds.Jump([[-1, 1]], [k], species=("A", "B"), hops=(ds.Diffusion(grid, ds.Neumann(0.0), 0.5), None))
    n0 = (tf.tile([[float(N), 0.0]], [runs, 1]), tf.zeros([runs, 2]))
    a, b = run(law, n0, 0.7, stepper=ds.SSA())
    np.testing.assert_array_equal(a.sum(1) + b.sum(1), N)
    spent = 0.9 * 0.7 + 0.9 * (1 - np.cos(2.8)) / 4
    assert chi_square(b.sum(1), stats.binom(N, 1 - np.exp(-spent)).pmf) > ALARM
    assert chi_square(b.sum(1), stats.binom(N, 1 - np.exp(-0.9 * 0.7)).pmf) < 1e-20  # k as at the beginning
    some = run(replace(law, first=20), (n0[0][:40], n0[1][:40]), 0.7, stepper=ds.SSA(), jit=False)
    for whole, part in zip((a, b), some, strict=True):
        np.testing.assert_array_equal(whole[20:60], part)


@pytest.mark.slow
@pytest.mark.parametrize("reactions", [ds.SSA(), ds.TauLeap(0.05)], ids=["SSA", "TauLeap"])
def test_batches_of_cells_that_react_in_time(reactions):
    law, stepper, n0 = LAMP, ds.SplitHops(reactions), tf.zeros([40, 3], tf.float64)
    (whole,) = run(law, (n0,), T, stepper=stepper, dt=0.17)
    (plain,) = run(law, (n0,), T, stepper=stepper, dt=0.17, jit=False)
    parts = [run(replace(law, first=i), (n0[:8],), T, stepper=stepper, dt=0.17, jit=False)[0] for i in (0, 24)]
    np.testing.assert_array_equal(whole, plain)
    np.testing.assert_array_equal(np.concatenate([whole[:8], whole[24:32]]), np.concatenate(parts))


def test_a_run_with_rates_in_time_goes_on_from_its_checkpoint(tmp_path):
    n0, ts = (tf.zeros([5, 3], tf.float64),), np.linspace(0.2, 1.6, 8)
    whole = ds.solve(LAMP, n0, (0, 1.6), key=ds.key(3), save=ds.SaveAt(ts=ts), stepper=ds.SSA(), jit=False)
    save = ds.SaveAt(ts=ts, to=str(tmp_path / "run.h5"))
    part = ds.solve(LAMP, n0, (0, 1.6), key=ds.key(3), save=save, stepper=ds.SSA(), jit=False, max_steps=3, throw=False)
    assert part.steps == 3
    rest = ds.resume(str(tmp_path / "run.h5"), law=LAMP)
    np.testing.assert_array_equal(rest.y[0], whole.y[0])
    assert np.asarray(whole.y[0]).max() > 3


@pytest.mark.slow
def test_leaps_integrate_rates_over_time():
    """Births alone are Poisson to the error of two Gauss points, 1e-5 here, however long the leaps."""
    k = ds.Varying(lambda t: 400 * tf.sin(3 * t) ** 2, most=400.0)
    law, h = ds.Jump.of("0 -> A @ k", k=k), 0.25
    n = run(law, tf.zeros([4000, 1], tf.float64), 1.0, stepper=ds.TauLeap(), dt=h)
    exact = quad(lambda t: 400 * np.sin(3 * t) ** 2, 0, 1)[0]
    frozen = h * sum(400 * np.sin(3 * h * j) ** 2 for j in range(4))
    assert uniform_residues(n, stats.poisson(exact)) > ALARM
    assert uniform_residues(n, stats.poisson(frozen)) < 1e-20


def test_leaps_in_time_converge_with_weak_order_one():
    """Means after leaps of length h are those of Euler's method with rates averaged over each step, exactly."""
    k = ds.Varying(lambda t: 1 + 0.9 * tf.sin(2 * t), most=1.9)
    law = ds.Jump.of("0 -> A @ 2000", "A -> B @ k", "B -> 0 @ 0.5", k=k)
    leap, gaps, end = ds.TauLeap(epsilon=1e6, critical=0), [], 2.0

    def matrix(c):
        return np.array([[-c, 0], [c, -0.5]])

    def rate(t, x):
        return matrix(1 + 0.9 * np.sin(2 * t)) @ x + [2000.0, 0]

    true = solve_ivp(rate, (0, end), [0.0, 0.0], rtol=1e-10, atol=1e-8).y[:, -1]
    for steps in (4, 8):
        h = end / steps
        n, mean, late = run(law, tf.zeros([2000, 2]), end, stepper=leap, dt=h, jit=False), np.zeros(2), np.zeros(2)
        for j in range(steps):
            t = j * h
            average = 1 + 0.45 * (np.cos(2 * t) - np.cos(2 * t + 2 * h)) / h
            mean = mean + h * (matrix(average) @ mean + [2000.0, 0])
            late = late + h * rate(t, late)
        assert all(sigmas(n[:, s], mean[s]) < 5 for s in range(2))
        assert max(sigmas(n[:, s], late[s]) for s in range(2)) > 20  # rates as at the beginning of each leap
        gaps.append(np.linalg.norm(n.mean(0) - true))
    assert 1.7 < gaps[0] / gaps[1] < 2.5


@pytest.mark.slow
def test_leaps_over_few_and_many_molecules_see_time():
    """Rare molecules one by one beside many: the first is binomial, the second Poisson."""
    k, c = ds.Varying(pulse, most=8.0), ds.Varying(fading, most=1.8)
    law = ds.Jump.of("A -> B @ c", "0 -> C @ 4000", "C -> 0 @ k", k=k, c=c)
    n = run(law, tf.tile([[9.0, 0.0, 0.0]], [4000, 1]), 0.8, stepper=ds.TauLeap(0.02))
    spent = 0.8 + 0.8 * np.sin(2.4) / 3
    assert chi_square(n[:, 1], stats.binom(9, 1 - np.exp(-spent)).pmf) > ALARM
    many = solve_ivp(lambda t, u: 4000 - 8 * np.sin(2 * t) ** 2 * u, (0, 0.8), [0.0], rtol=1e-10).y[0, -1]
    assert abs(n[:, 2].mean() / many - 1) < 0.01 + 5 * many**-0.5 / 4000**0.5
    assert abs(n[:, 2].var() / many - 1) < 0.04 + 5 * (2 / 4000) ** 0.5


@pytest.mark.slow
def test_the_langevin_equation_reads_rates_in_time():
    """Mean and variance of a linear law are those of the master equation."""
    law = ds.Jump.of("0 -> A @ k", "A -> 0 @ c", k=ds.Varying(lambda t: 300 * tf.sin(2 * t) ** 2, most=300.0),
                     c=ds.Varying(fading, most=1.8))
    x = run(law.langevin(), tf.fill([20_000, 1], tf.constant(50.0, tf.float64)), T, dt=0.005)
    u = solve_ivp(lambda t, u: [300 * np.sin(2 * t) ** 2 - (1 + 0.8 * np.cos(3 * t)) * u[0],
                                300 * np.sin(2 * t) ** 2 + (1 + 0.8 * np.cos(3 * t)) * (u[0] - 2 * u[1])],
                  (0, T), [50.0, 0.0], rtol=1e-9).y[:, -1]
    assert sigmas(x, u[0]) < 5 + 0.003 * u[0] / (x.std() / len(x) ** 0.5)
    assert abs(x.var() / u[1] - 1) < 0.01 + 5 * (2 / len(x)) ** 0.5


@dataclass(frozen=True)
class Switch(M.MassAction):
    """A ⇌ B, lit and dark, of a user."""

    k: object
    species = ("A", "B")
    diffusivities = (0.1, 0.3)

    def rates(self, t, y):
        return self.mass_action(y, t)

    @property
    def reactions(self):
        return M.Channel(self.k, (1, 0), (-1, 1)), M.Channel(0.7, (0, 1), (1, -1))


def test_one_law_is_an_equation_and_a_master_equation():
    """Means of counted molecules are the solution of `on`, from the same object, on the same grid."""
    model = M.driven(Switch(1.0), k=ds.Varying(pulse, most=8.0))
    grid, runs, u0 = ds.Grid(shape=(4,), size=(2.0,)), 2000, (np.array([4.0, 0, 0, 2]), np.array([0.0, 2, 0, 0]))
    pde = ds.solve(model.on(grid, ds.Neumann(0.0)), u0, (0, 0.8), dt=0.02, jit=False).final
    law = M.master_equation(model, grid, ds.Neumann(0.0), size=6.0)
    n0 = tuple(np.tile(3.0 * u, (runs, 1)) for u in u0)  # cells are half a unit wide
    final = run(law, n0, 0.8, dt=0.16, jit=False)
    for n, u in zip(final, pde, strict=True):
        assert np.all(np.abs(n.mean(0) - 3 * np.asarray(u)) < 5 * n.std(0) / runs**0.5)
    held = 8 * np.sin(1.6) ** 2  # the constant as at the end
    rest = 24 * 0.7 / (held + 0.7)
    assert sigmas(final[0].sum(1), rest + (18 - rest) * np.exp(-0.8 * (held + 0.7))) > 8


@pytest.mark.parametrize("model", [
    M.driven(M.GrayScott(F=0.04, k=0.06), F=ds.Varying(lambda t: 0.04 + 0.02 * tf.sin(t), most=0.06)),
    M.driven(M.Schnakenberg(), b=ds.Varying(lambda t: 0.9 + 0.4 * tf.sin(t), most=1.3)),
    M.driven(M.Brusselator(), B=ds.Varying(lambda t: 2.0 + tf.sin(t), most=3.0)),
    M.driven(M.SIR(), beta=ds.Varying(lambda t: 1.5 + tf.sin(t), most=2.5)),
    Switch(ds.Varying(lambda t: 1.5 + tf.sin(t), most=2.5)),
], ids=lambda m: type(getattr(m, "model", m)).__name__)
def test_driven_models_have_the_rates_of_their_reactions(model):
    """At any time; the limit of many molecules is Ω times the model's rates, and below the bound."""
    t, y = tf.constant(0.7, tf.float64), tuple(tf.constant(v, tf.float64) for v in np.linspace(0.3, 0.9, len(model.species)))
    f = np.stack(model.rates(t, y))
    np.testing.assert_allclose(np.stack(model.mass_action(y, t)), f, rtol=1e-12, atol=1e-14)
    assert np.abs(f - np.stack(model.rates(0.0 * t, y))).max() > 1e-3
    law = M.master_equation(model, size=50.0)
    n = 50 * np.stack(y) * np.array(model.units, float)
    rates = np.asarray(law.rate_equation().drift(t, tf.constant(n))) / (50.0 * np.array(model.units, float))
    np.testing.assert_allclose(rates, f, rtol=1e-12, atol=1e-14)
    whole = [tf.constant(np.round(v)) for v in n]
    for s in np.linspace(0, 6, 30):
        assert float(tf.add_n(law.rates(tf.constant(s), whole))) <= float(law.most(whole)) * (1 + 1e-12)
    assert law.timed and sum(isinstance(k, ds.Varying) for k in law.propensities.k) < len(law.propensities.k)


WAYS = [ds.SSA(), *(pytest.param(ds.SplitHops(r), marks=pytest.mark.slow) for r in (ds.SSA(), ds.TauLeap()))]


@pytest.mark.parametrize("stepper", WAYS, ids=["SSA", "SplitHops", "TauLeap"])
def test_what_goes_wrong_in_cells_is_named_with_its_time(stepper):
    """Bounds too low, rates that turn negative on the way, and reactions of what is not there; the state is kept."""
    falling = ds.Varying(lambda t: 3.0 - 2 * t, most=3.0)
    low = ds.Varying(lambda t: 1.0 + 3 * t, most=4.0)
    careless = ds.Jump([[-1]], lambda t, n: 4.0 + 0 * n, bound=lambda n: 4.0 + 0 * n[..., 0], hops=HOPS)
    cases = [
        (ds.Jump([[1]], [falling], hops=HOPS), r"propensities\[0\]=-.* at n0 = \d+, t = (1\.[5-9]|2)"),
        (ds.Jump([[1]], [low], hops=HOPS), r"bound=less than .* t = (1|2)"),
        (careless, r"propensities\[0\]=a positive rate .* at n0 = 0, t = "),
    ]
    n0 = (tf.ones([3, 3], tf.float64),)
    for law, text in cases:
        with pytest.raises(ds.SolveError, match=text) as caught:
            run(law, n0, 9.0, stepper=stepper, dt=0.25, jit=False)
        kept = np.asarray(caught.value.solution.final[0])
        assert np.all(np.isfinite(kept)) and np.all(kept >= 0)
        assert ": expected " in str(caught.value) and ", because " in str(caught.value)


def test_leaps_name_bounds_that_are_none():
    low = ds.Jump.of("0 -> A @ k", "A -> 0 @ 1", k=ds.Varying(lambda t: 5 + 5 * tf.sin(2 * t), most=6.0))
    wrong = ds.Jump([[1]], ds.Elementary((5.0,), ((0,),)), bound=lambda n: 0 * n[..., 0] + 1)  # of constants, too
    for law, stepper in ((low, ds.TauLeap()), (wrong, ds.SSA())):
        with pytest.raises(ds.SolveError, match="bound=less than"):
            run(law, tf.zeros([2, 1]), 9.0, stepper=stepper, dt=0.5, jit=False)


def test_what_is_refused_of_rates_in_time():
    one, k = tf.constant([[3.0]]), ds.Varying(lambda t: 1 + 0 * t, most=1.0)
    model = M.Schnakenberg()
    wide = ds.Varying(lambda t: tf.zeros([7, 1], t.dtype) + t, most=9.0)
    cases = [
        (lambda: ds.Varying(3.0, most=3.0), "Pass a constant as a number"),
        (lambda: ds.Varying(lambda t: t, most=-1.0), "never fewer than none"),
        (lambda: ds.Varying(lambda t: t, most=np.inf), "never fewer than none"),
        (lambda: run(ds.Jump([[1]], [wide]), one, 1), "broadcast over the state"),
        (lambda: run(ds.Jump([[1]], lambda t, n: n, bound=lambda n: n), one, 1), "bound=values of"),
        (lambda: ds.Jump.of("0 -> A @ k", "A -> 0 @ 1", c=2.0), 'a number ≥ 0 or c in place of "k"'),
        (lambda: ds.Jump.of("0 -> A @ k", k=1.0, c=2.0), "a constant without effect"),
        (lambda: ds.Jump.of("0 -> A @ k", k=-1.0), "never fewer than none"),
        (lambda: M.driven(M.LengyelEpstein(), a=k), "only elementary reactions"),
        (lambda: M.driven(model, c=k), "it is no parameter"),
        (lambda: M.driven(model, b=0.9), "what it never exceeds"),
        (lambda: M.driven(model, Du=k), "operators are computed once"),
        (lambda: M.driven(M.Oregonator(), s=k), "how many there are"),
        (lambda: M.driven(model, b=k).varied(b=2.0), "what it never exceeds"),
    ]
    for case, text in cases:
        with pytest.raises((ValueError, TypeError), match=text) as caught:
            case()
        assert ": expected " in str(caught.value) and ", because " in str(caught.value)


def test_constants_have_names_in_text():
    k = ds.Varying(lambda t: 3.0 + t, most=9.0)
    law = ds.Jump.of("0 -> A @ k", "2 A <-> B @ c, 2", k=k, c=0.5, volume=10.0)
    a = law.propensities(tf.constant([1.0]), tf.constant([[3.0, 4.0]]))
    np.testing.assert_allclose(a, [[40.0, 0.05 * 6, 8.0]], rtol=1e-6)
    assert float(law.most([tf.constant(3.0), tf.constant(4.0)])) == pytest.approx(98.3)
    assert M.driven(M.Schnakenberg(), b=k).varied(a=0.3).named["a"] == 0.3
