"""Walls that react, under a drift: one step against Carslaw's law with drift, its orders where it is not exact.

Statistical tests hold at five standard deviations, goodness of fit at 1e-5; each has a control that must fail.
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import erfc, erfcx

import diffsim as ds
from diffsim.steppers import crossing

EM = ds.EulerMaruyama()
HALF = ds.HalfSpace(0.0, (-1.0,))  # x > 0
SLOW = [(v, n) for v in (-1.5, 1.5) for n in (1, 4, 20) if (v, n) != (-1.5, 4)]
D, KAPPA = 0.4, 1.0


def density(x, x0, t, v, D=D, kappa=KAPPA):
    """p(x, t) of ∂ₜp = D p″ − v p′ in x > 0, D p′ − v p = κp at 0: Carslaw's, of κ + v/2, by e^{v(x − x₀)/2D − v²t/4D}."""
    s, q = np.sqrt(4 * D * t), kappa + v / 2
    y, z = (x + x0) / s, (x + x0) / s + q * np.sqrt(t / D)
    low = np.minimum(z, 0)
    late = np.where(z > 0, np.exp(-(y**2)) * erfcx(np.maximum(z, 0)), np.exp(low**2 - y**2) * erfc(low))
    free = (np.exp(-(((x - x0) / s) ** 2)) + np.exp(-(y**2))) / (np.sqrt(np.pi) * s)
    return np.exp(v * (x - x0) / (2 * D) - v**2 * t / (4 * D)) * (free - q / D * late)


def nodes(*ends, n=200):
    """Gauss–Legendre points and weights of neighbouring intervals."""
    z, w = np.polynomial.legendre.leggauss(n)
    half = np.diff(ends)[:, None] / 2
    return (np.asarray(ends[:-1])[:, None] + half * (z + 1)).ravel(), (half * w).ravel()


def survival(x0, t, v, D=D, kappa=KAPPA):
    """∫p dx."""
    x, w = nodes(0.0, max(x0 + v * t, 0.0) + 1e-9, max(x0 + v * t, 0.0) + 12 * np.sqrt(2 * D * t))
    return w @ density(x, x0, t, v, D, kappa)


def near(p, expected, n, sigmas=5.0):
    return abs(p - expected) < sigmas * np.sqrt(expected * (1 - expected) / n)


def wind(v, D=D):
    return ds.Equation(drift=lambda t, x: tf.constant(np.broadcast_to(v, x.shape), x.dtype), diffusion=(2 * D) ** 0.5)


def run(x0, t, steps, stepper, law, key=41, **options):
    return ds.solve(law, x0, (0, t), dt=t / steps, stepper=stepper, key=ds.key(key), jit=False, **options)


@pytest.mark.parametrize(("v", "exact"), [(1.5, 0.604978138), (-1.5, 0.057763882)])
def test_density_and_particles_mean_the_same_wall(v, exact):
    """Robin(κ) takes J = κp, drift and all, from densities as from particles."""
    grid = ds.Grid(240, 8.0)
    walls = ds.Boundary(x=(ds.Robin(KAPPA), ds.Neumann()))
    law = ds.models.backward(ds.models.BrownianMotion(D, v=v), grid, walls)
    u = ds.solve(law, np.ones(240), (0, 1.0), jit=False).final.numpy()
    assert survival(0.0, 1.0, v) == pytest.approx(exact, abs=1e-8)
    assert u[0] / (1 + KAPPA * grid.dx[0] / (2 * D)) == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("kappa", [0.05, 2.0, 40.0])
@pytest.mark.parametrize("v", [-1.5, 0.0, 1.5])
def test_one_step_adds_up_to_the_exact_survival(v, kappa):
    """Over ends b and depths ℓ of bridges, e^{−κℓ/D} adds up to the law of a wall that reacts, whatever the drift."""
    a, h = 0.3, 0.25
    s = np.sqrt(2 * D * h)
    middle = a + v * h
    b, weight = nodes(middle - 12 * s, min(0.0, middle), max(0.0, middle), middle + 12 * s)
    weight = weight * stats.norm.pdf(b, middle, s)
    root, part = nodes(0.0, 6.5)  # e = e₀ + r²
    e0 = np.maximum(2 * a * b / s**2, 0.0)[:, None]
    e = e0 + root**2
    depth = crossing.depth(*(tf.constant(z, tf.float64) for z in (a, b[:, None], s**2, e))).numpy()
    assert depth.min() > -1e-7
    total = weight @ ((1 - np.exp(-e0)) + np.exp(-e - kappa * depth / D) @ (2 * root * part)[:, None])
    assert total[0] == pytest.approx(survival(a, h, v, kappa=kappa), abs=1e-8)


# Whole runs


def folded(x0, t, steps, v, n, rng):
    """Survival if ends of steps are mirrored, and hits react as though the path had been: right without drift only."""
    h, x, kept = t / steps, np.full(n, x0), np.ones(n)
    s = np.sqrt(2 * D * h)
    for _ in range(steps):
        b = x + v * h + s * rng.normal(size=n)
        c, Q = np.abs(b), KAPPA * s / D
        hit = np.where(b > 0, np.exp(-2 * x * c / s**2), 1.0)
        kept *= 1 - hit * np.sqrt(np.pi / 2) * Q * erfcx(((x + c) / s + Q) / np.sqrt(2))
        x = c
    return kept


@pytest.mark.parametrize(("v", "steps"), [(-1.5, 4), *[pytest.param(v, n, marks=pytest.mark.slow) for v, n in SLOW]])
def test_survival_is_exact_at_any_step(v, steps):
    """From the wall, .0577639 and .6049781 by t = 1; by mirrored ends and by half of κ it is another."""
    n, exact = 20_000, survival(0.0, 1.0, v)
    kept = run(np.zeros((n, 1)), 1.0, steps, ds.Reactive(EM, HALF, KAPPA), wind(v)).fate.alive.numpy()
    assert near(kept.mean(), exact, n)
    assert not near(kept.mean(), survival(0.0, 1.0, v, kappa=KAPPA / 2), n)
    assert not near(folded(0.0, 1.0, steps, v, n, np.random.default_rng(1)).mean(), exact, n)


def test_mirrored_ends_are_exact_without_drift():
    """The control is no straw man."""
    kept = folded(0.2, 1.0, 4, 0.0, 20_000, np.random.default_rng(1))
    assert near(kept.mean(), survival(0.2, 1.0, 0.0), 20_000)


def test_places_of_survivors_and_times_of_losses_in_one_step():
    """Both laws are exact within a step; mirrored, the survivors would be elsewhere."""
    n, v, x0 = 20_000, -1.5, 0.3
    sol = run(np.full((n, 1), x0), 1.0, 1, ds.Reactive(EM, HALF, 0.3), wind(v))
    kept, x = sol.fate.alive.numpy(), sol.final.numpy()[:, 0]
    places, w = nodes(0.0, 6.0, n=400)
    p = density(places, x0, 1.0, v, kappa=0.3)
    law = np.concatenate([[0.0], np.cumsum(w * p)]) / (w @ p)

    def cdf(y):
        return np.interp(y, np.concatenate([[0.0], places + w / 2]), law)

    assert near(kept.mean(), w @ p, n)
    assert stats.kstest(x[kept], cdf).pvalue > 1e-5
    end = x0 + v + np.sqrt(2 * D) * np.random.default_rng(2).normal(size=n)
    assert stats.kstest(np.abs(end), cdf).pvalue < 1e-5
    for t in (0.1, 0.4):
        assert near((sol.fate.time.numpy() < t).mean(), 1 - survival(x0, t, v, kappa=0.3), n)
    assert (x[~kept] == 0).all() and (x[kept] > 0).all()


def test_reflection_by_local_time_is_exact_under_drift():
    """Robin(0.0) loses nobody; a mirror makes an error of order h, of .19 in ⟨x⟩ = .259 at h = ¼."""
    n, v = 20_000, -1.5
    x, w = nodes(0.0, 6.0)
    p = density(x, 0.0, 1.0, v, kappa=0.0)
    assert w @ p == pytest.approx(1.0, abs=1e-9)
    for stepper, right in ((ds.Reactive(EM, HALF, 0.0), True), (ds.Reflected(EM, HALF), False)):
        sol = run(np.zeros((n, 1)), 1.0, 4, stepper, wind(v))
        end = sol.final.numpy()[:, 0]
        assert (abs(end.mean() - w @ (x * p)) < 5 * end.std() / np.sqrt(n)) == right
        assert not right or sol.fate.alive.numpy().all()


# Where it is not exact


def share(x0, t, steps, stepper, law):
    """The share of particles alive."""
    return run(x0, t, steps, stepper, law).fate.alive.numpy().mean()


@pytest.mark.slow
def test_diffusivity_that_varies():
    """D = .4 (1 + x/(1 + x)), Itô, from the wall: .2820306 of the backward equation, to 4e-3 in four steps.

    By κ/D of where steps begin it would be .3004.
    """
    n = 200_000
    law = ds.Equation(diffusion=lambda t, x: tf.sqrt(2 * D * (1 + x / (1 + x))))
    error = [share(np.zeros((n, 1)), 1.0, steps, ds.Reactive(EM, HALF, KAPPA), law) - 0.2820306 for steps in (4, 16)]
    sigma = np.sqrt(0.282 * 0.718 / n)
    assert abs(error[0]) < 5 * sigma + 4e-3 < 0.0184 - 5 * sigma
    assert abs(error[1]) < 5 * sigma + 1e-3 < 0.0149 - 5 * sigma


@pytest.mark.slow
@pytest.mark.parametrize(("v", "exact", "bound"), [(0.0, 0.3064053, 4e-3), (2.0, 0.1726466, 6e-3)])
def test_a_ball_is_of_first_order(v, exact, bound):
    """From its surface, κ = 1.5, D = .8, t = ¼, a radial drift v: survival of the radial equation, to O(h).

    Mirrored ends would keep .0480 and .104 too many in 16 steps.
    """
    n = 40_000

    def outwards(t, x):
        return v * x / tf.norm(x, axis=-1, keepdims=True)

    law = ds.Equation(drift=outwards, diffusion=1.6**0.5)
    x0 = np.tile([0.0, 0.6, 0.8], (n, 1))
    kept = [share(x0, 0.25, steps, ds.Reactive(EM, ds.Ball(0.0, 1.0), 1.5), law) for steps in (4, 16)]
    sigma = np.sqrt(exact * (1 - exact) / n)
    assert abs(kept[1] - exact) < 5 * sigma + bound < 0.048 - 5 * sigma
    assert abs(kept[0] - exact) < 5 * sigma + 4 * bound


def test_correlated_noise_is_pushed_along_what_it_does_at_the_wall():
    """No flux nᵀD∇p = 0 pushes along Dn: what is across it is free, x·m of mᵀDn = 0; pushed along n it would not be."""
    n, normal = 20_000, np.array([0.8, -0.6])
    model = ds.models.BrownianMotion(D=np.array([[2.0, 0.6], [0.6, 1.0]]))
    sol = run(np.zeros((n, 2)), 1.0, 2, ds.Reactive(EM, ds.HalfSpace(0.0, tuple(normal)), 0.5), model.law)
    kept = sol.fate.alive.numpy()
    across = np.array([[0, -1], [1, 0]]) @ model.D @ normal
    free = sol.final.numpy()[kept] @ across
    assert abs(free.mean()) < 5 * free.std() / np.sqrt(kept.sum())
    assert free.var() == pytest.approx(2 * across @ model.D @ across, rel=5 * np.sqrt(2 / kept.sum()))
    assert near(kept.mean(), survival(0.0, 1.0, 0.0, normal @ model.D @ normal, 0.5), n)
    tangent = sol.final.numpy()[kept] @ np.array([0.6, 0.8])
    assert abs(tangent.mean()) > 10 * tangent.std() / np.sqrt(kept.sum())


def test_walls_that_only_reflect_push_there_too():
    """A half-space and a box, D = [[2, .6], [.6, 1]]: what is across Dn has moved freely, at any step."""
    n, model = 20_000, ds.models.BrownianMotion(D=np.array([[2.0, 0.6], [0.6, 1.0]]))
    box = ds.Box((0.0, -20.0), (20.0, 20.0))
    for shape, normal, sign in ((ds.HalfSpace(0.0, (0.8, -0.6)), [0.8, -0.6], 1), (box, [1.0, 0.0], -1)):
        x = run(np.zeros((n, 2)), 1.0, 1, ds.Reflected(EM, shape), model.law).final.numpy()
        across = np.array([[0, -1], [1, 0]]) @ model.D @ normal
        assert abs((x @ across).mean()) < 5 * (x @ across).std() / np.sqrt(n)
        assert abs((x @ normal).mean()) == pytest.approx(2 * np.sqrt(normal @ model.D @ normal / np.pi), rel=0.03)
        free = np.random.default_rng(6).multivariate_normal([0, 0], 2 * model.D, n)
        plain = free - 2 * np.maximum(free @ normal * sign, 0)[:, None] * sign * np.asarray(normal)  # along n instead
        assert abs((plain @ across).mean()) > 10 * (x @ across).std() / np.sqrt(n)


@pytest.mark.slow
def test_unequal_directions_stay_uniform_in_a_disk():
    """D = diag(2, .1), from uniform: ten bins of r², and octants.

    Pushed along n, 2.8 times as many would be at the poles as at the equator.
    """
    n, rng = 20_000, np.random.default_rng(3)
    law = ds.Equation(diffusion=lambda t, x: tf.broadcast_to(tf.constant([2.0, 0.2**0.5], x.dtype), x.shape))
    angle, r = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.random(n))
    x = run(np.stack([r * np.cos(angle), r * np.sin(angle)], 1), 0.5, 250, ds.Reflected(EM, ds.Ball(0.0, 1.0)), law)
    x = x.final.numpy()
    quarter = np.floor(np.arctan2(x[:, 1], x[:, 0]) / (np.pi / 4)).astype(int) % 8
    assert stats.chisquare(np.bincount(quarter, minlength=8)).pvalue > 1e-5
    assert stats.chisquare(np.histogram((x**2).sum(1), 10, (0, 1))[0]).pvalue > 1e-5
