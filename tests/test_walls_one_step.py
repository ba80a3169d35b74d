"""One step at walls, against laws of the free path: where and when it is lost, at which of two walls, through which port.

Straight paths check bookkeeping to rounding; statistics hold at five standard deviations, goodness of fit at 1e-5.
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import erf, erfcx

import diffsim as ds
from diffsim.jump import Draws
from diffsim.steppers import crossing, faces
from diffsim.steppers.excursion import Excursion

EM = ds.EulerMaruyama()
HALF = ds.HalfSpace((0.0, 0.0), (-1.0, 0.0))  # x > 0
ABOVE = ds.HalfSpace((0.0, 0.0), (0.0, -1.0))  # y > 0
D, KAPPA, A = 0.7, 0.9, 0.8
S2 = 2 * D


def run(x0, stepper, law=None, steps=1, t=1.0):
    law = ds.Equation(diffusion=S2**0.5) if law is None else law
    return ds.solve(law, x0, (0, t), dt=t / steps, stepper=stepper, key=ds.key(17), jit=False)


def straight(v):
    """Paths without noise."""
    return ds.Equation(drift=lambda t, x: tf.broadcast_to(tf.constant(v, x.dtype), x.shape))


def near(p, expected, n):
    return abs(p - expected) < 5 * np.sqrt(expected * (1 - expected) / n)


def hits(n, seed=1):
    """First and last hit of x = 0 by t = 1 of free paths from x = A, those that hit: τ = A²/(s²N²), then an arcsine."""
    rng = np.random.default_rng(seed)
    first = A**2 / (S2 * rng.normal(size=n) ** 2)
    first = first[first < 1]
    return first, first + (1 - first) * rng.beta(0.5, 0.5, len(first)), rng


def test_the_last_hit_after_a_first_one():
    """What is left of the step after the first hit is a bridge of its own: backwards, Lévy's law in units of it."""
    rng, first, c, s2 = np.random.default_rng(2), 0.6, 0.7, 0.9
    last = crossing.last(*(tf.constant(z, tf.float64) for z in (first, c, s2)), tf.constant(rng.normal(size=20_000) ** 2))
    share = (last.numpy() - first) / (1 - first)
    assert stats.kstest((1 - share) / share, stats.levy(scale=c**2 / (s2 * (1 - first))).cdf).pvalue > 1e-5


def test_where_a_path_leaves():
    """Along the wall the path has had all of 2Dτ: y/√(2Dτ) is normal, and τ is that of a first passage."""
    n = 20_000
    sol = run(np.tile([A, 0.0], (n, 1)), ds.Absorbed(EM, HALF))
    lost, y, T = ~sol.fate.alive.numpy(), sol.final.numpy()[:, 1], sol.fate.time.numpy()
    assert near(1 - lost.mean(), erf(A / np.sqrt(2 * S2)), n)
    assert stats.kstest(y[lost] / np.sqrt(S2 * T[lost]), "norm").pvalue > 1e-5
    assert stats.ks_2samp(T[lost], hits(200_000)[0]).pvalue > 1e-5


@pytest.mark.slow
def test_where_correlated_noise_leaves():
    """Of x·m with mᵀDn = 0 the path to the wall knows nothing."""
    n, normal, tensor = 20_000, np.array([0.8, -0.6]), np.array([[2.0, 0.6], [0.6, 1.0]])
    law, wall = ds.models.BrownianMotion(D=tensor).law, ds.HalfSpace(0.0, tuple(normal))
    across = np.array([[0, -1], [1, 0]]) @ tensor @ normal
    sol = run(np.tile(-normal, (n, 1)), ds.Absorbed(EM, wall), law)
    lost, T = ~sol.fate.alive.numpy(), sol.fate.time.numpy()
    z = sol.final.numpy()[lost] @ across / np.sqrt(2 * across @ tensor @ across * T[lost])
    assert lost.mean() > 0.4
    z += (normal @ across) / np.sqrt(2 * across @ tensor @ across * T[lost])  # it began at −n
    assert stats.kstest(z, "norm").pvalue > 1e-5


@pytest.mark.slow
def test_a_port_takes_the_first_or_the_last_hit():
    """y > c absorbs: by the law of free paths, at whichever of the two hits comes first inside."""
    n, c = 20_000, 0.5
    port = ds.HalfSpace((0.0, c), (0.0, -1.0))
    sol = run(np.tile([A, 0.0], (n, 1)), ds.Absorbed(EM, HALF, port))
    first, last, rng = hits(400_000)
    y1 = rng.normal(size=len(first)) * np.sqrt(S2 * first)
    y2 = y1 + rng.normal(size=len(first)) * np.sqrt(S2 * (last - first))
    taken = (y1 > c) | (y2 > c)
    lost = ~sol.fate.alive.numpy()
    exact = taken.sum() / 400_000
    assert near(lost.mean(), exact, n) and not near(lost.mean(), (y1 > c).sum() / 400_000, n)
    where = np.where(y1 > c, y1, y2)[taken]
    when = np.where(y1 > c, first, last)[taken]
    assert stats.ks_2samp(sol.fate.time.numpy()[lost], when).pvalue > 1e-5
    assert stats.ks_2samp(sol.final.numpy()[lost, 1], where).pvalue > 1e-5
    assert stats.ks_2samp(sol.fate.time.numpy()[lost], first[taken]).pvalue < 1e-5
    assert (sol.fate.wall.numpy()[lost] == 1).all()


def test_a_port_that_opens_within_a_step():
    """y = t passes the edge of the port at ½: lost at the first hit if that is later, else at the last, if that is."""
    n = 50_000
    law = ds.Equation(drift=lambda t, x: tf.broadcast_to(tf.constant([0.0, 1.0], x.dtype), x.shape),
                      diffusion=lambda t, x: tf.broadcast_to(tf.constant([S2**0.5, 0.0], x.dtype), x.shape))  # fmt: skip
    port = ds.HalfSpace((0.0, 0.5), (0.0, -1.0))
    sol = run(np.tile([A, 0.0], (n, 1)), ds.Absorbed(EM, HALF, port), law)
    first, last, _ = hits(400_000)
    T = sol.fate.time.numpy()
    lost = np.isfinite(T)
    when = np.where(first > 0.5, first, last)[last > 0.5]
    assert near(lost.mean(), (last > 0.5).sum() / 400_000, n)
    assert near((T < 0.8).mean(), (when < 0.8).sum() / 400_000, n)
    assert stats.ks_2samp(T[lost], when).pvalue > 1e-5
    np.testing.assert_allclose(sol.final.numpy()[lost, 1], T[lost], atol=1e-12)


def test_the_path_between_two_hits_is_a_bridge_of_its_own():
    """From .6 to 1 of a step, at .8: half way, with the variance 2Dh · .2 · .2/.4, and nothing of what was before."""
    n, h, end = 50_000, 0.3, np.array([0.5, -0.4])
    law, wall = ds.Equation(diffusion=S2**0.5), faces.Surface(HALF, ds.Neumann(), ((ABOVE, ds.Dirichlet()),))
    start, x1 = tf.zeros([n, 2], tf.float64), tf.constant(np.tile(end, (n, 1)))
    draws = Draws(ds.key(3), tf.constant(0), 0)
    path = Excursion(law, 0.0, tf.constant(h, tf.float64), start, x1, draws, 5, [wall], lambda x: x)
    early, late = (tf.fill([n], tf.constant(z, tf.float64)) for z in (0.6, 0.8))
    first = path._between(0.0 * early, early, start, 0).numpy()
    moved = path._between(early, late, tf.constant(first), 1).numpy() - (first + end) / 2
    for seen, part in ((first - 0.6 * end, 0.24), (moved, 0.1)):
        assert np.abs(seen.mean(0)).max() < 5 * np.sqrt(S2 * h * part / n)
        np.testing.assert_allclose(seen.var(0), S2 * h * part, rtol=5 * np.sqrt(2 / n))
    assert np.abs(np.mean(moved * first, 0)).max() < 5 * np.sqrt(np.prod([S2 * h * 0.24, S2 * h * 0.1]) / n) * 1.2


def test_a_port_that_is_all_of_the_wall_is_the_wall():
    """Half of the local time at each of two hits makes e^{−κℓ/D}: 1 − e^{q²}erfc(q) from the wall, in one step."""
    n, q = 20_000, KAPPA / np.sqrt(D)
    sol = run(np.zeros((n, 2)), ds.Reactive(EM, HALF, KAPPA, ds.Ball((0.0, 0.0), 1e3)))
    assert near(sol.fate.alive.numpy().mean(), erfcx(q), n)


def test_two_walls_that_take():
    """x > 0 and y > 0 are independent; so are their random numbers, and each loss has its own wall and time."""
    n, x0 = 20_000, np.tile([A, 0.6], (20_000, 1))
    sol = run(x0, ds.Absorbed(ds.Absorbed(EM, HALF), ABOVE))
    fate, x = sol.fate, sol.final.numpy()
    alone = erf(np.array([A, 0.6]) / np.sqrt(2 * S2))
    lost, wall = ~fate.alive.numpy(), fate.wall.numpy()
    assert near(1 - lost.mean(), alone.prod(), n)
    assert set(wall) == {-1, 0, 1} and (wall[lost] >= 0).all() and np.isfinite(fate.time.numpy()[lost]).all()
    assert (x[wall == 0, 0] == 0).all() and (x[wall == 1, 1] == 0).all()
    assert near((wall == 0).mean(), 1 - alone[0], n)  # the inner wall is asked first


@pytest.mark.slow
def test_reactions_at_two_walls_are_independent():
    """One step from the corner of a quadrant that reacts: the product of both; what one wall did leaves the other free."""
    n, q = 20_000, KAPPA / np.sqrt(D)
    sol = run(np.zeros((n, 2)), ds.Reactive(ds.Reactive(EM, HALF, KAPPA), ABOVE, KAPPA))
    assert near(sol.fate.alive.numpy().mean(), erfcx(q) ** 2, n)


def test_straight_paths_end_at_the_wall_they_reach_first():
    """Through a corner of a box, and past a periodic side: wall, place, time and turns to rounding."""
    box = ds.Box((0.0, 0.0), (1.0, 1.0))
    x0 = np.array([[0.5, 0.5], [0.5, 0.7], [0.25, 0.5]])
    for v, wall, tau in (((4.0, 3.0), 1, 1 / 8), ((1.0, -7.0), 2, None), ((-3.0, 6.5), 3, None)):
        sol = run(x0, ds.Absorbed(EM, box), straight(v))
        ends = np.where(np.array(v) > 0, (1 - x0) / v, -x0 / v)
        np.testing.assert_allclose(sol.fate.time, ends.min(1), rtol=1e-12)
        np.testing.assert_allclose(sol.final, x0 + ends.min(1)[:, None] * v, atol=1e-12)
        assert sol.fate.wall.numpy()[0] == wall and (tau is None or float(sol.fate.time[0]) == pytest.approx(tau))
    around = ds.Walls(EM, box, ds.Boundary(x=ds.Periodic(), y=ds.Dirichlet()))
    for steps in (1, 3):  # after it was lost it goes round no more
        sol = run(x0, around, straight((-9.7, 1.3)), steps=steps)
        T = (1 - x0[:, 1]) / 1.3
        path = x0[:, 0] - 9.7 * T
        np.testing.assert_allclose(sol.fate.time, T, rtol=1e-12)
        np.testing.assert_allclose(sol.final.numpy()[:, 0] + sol.fate.images.numpy()[:, 0], path, atol=1e-9)
        assert (sol.final.numpy() >= 0).all() and (sol.final.numpy() <= 1).all()


def test_of_ports_that_overlap_the_first_counts():
    hole, rest = ds.Ball((0.0, 1.0), 0.5), ds.Ball((0.0, 1.0), 2.0)
    x0, law = np.array([[1.0, 1.2], [1.0, 2.2]]), straight((-2.0, 0.0))
    both = run(x0, ds.Walls(EM, HALF, ds.Neumann(), ((hole, ds.Dirichlet()), (rest, ds.Dirichlet()))), law)
    assert both.fate.wall.numpy().tolist() == [1, 2]
    shut = run(x0, ds.Walls(EM, HALF, ds.Neumann(), ((hole, ds.Neumann()), (rest, ds.Dirichlet()))), law)
    assert shut.fate.wall.numpy().tolist() == [-1, 2]
    np.testing.assert_allclose(shut.final[0], [1.0, 1.2], atol=1e-12)


def test_a_path_that_does_not_come_back_stays_and_turns():
    """x = 100 in a disk is mirrored to −98, 96, …: not inside after eight turns; it stays, and goes the other way."""
    wall, start = faces.Surface(ds.Ball((0.0, 0.0), 1.0), ds.Neumann(), ()), tf.constant([[0.5, 0.0], [0.5, 0.0]])
    x, (v,) = faces.mirror([wall], start, tf.constant([[100.0, 0.0], [1.25, 0.0]]), [tf.constant([[99.5, 0.3]] * 2)])
    np.testing.assert_allclose(x, [[0.5, 0.0], [0.75, 0.0]])
    np.testing.assert_allclose(v, [[-99.5, -0.3], [-99.5, 0.3]], rtol=1e-6)


def test_places_on_a_surface_whose_distance_is_a_bound():
    """The foot of points near an ellipsoid is on it, to what three of Newton's steps leave."""
    shape, angle = ds.Ellipsoid((0.0, 0.0), (1.5, 0.5)), np.linspace(0, 2 * np.pi, 40)
    x = tf.constant(np.stack([1.5 * np.cos(angle), 0.5 * np.sin(angle)], 1) * np.linspace(0.8, 1.2, 40)[:, None])
    foot = faces.Surface(shape, ds.Dirichlet(), ()).foot(x).numpy()
    assert np.abs((foot[:, 0] / 1.5) ** 2 + (foot[:, 1] / 0.5) ** 2 - 1).max() < 1e-6


def test_periodic_images_may_begin_outside_and_others_not():
    cell = ds.Walls(EM, ds.Box((0.0, 0.0), (1.0, 1.0)), ds.Boundary(x=ds.Periodic(), y=ds.Neumann()))
    sol = run(np.array([[3.25, 0.5]]), cell, straight((0.5, 0.0)))
    assert sol.final.numpy()[0, 0] + sol.fate.images.numpy()[0, 0] == pytest.approx(3.75)
    with pytest.raises(ValueError, match="outside"):
        run(np.array([[0.5, 1.5]]), cell, straight((0.5, 0.0)))
