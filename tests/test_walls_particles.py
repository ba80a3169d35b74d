"""Walls for particles, against exact laws of reflected, absorbed and partially reflected Brownian motion.

Statistical tests hold at five standard deviations, goodness of fit at 1e-5; each has a control that must fail.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import erf, erfc, erfcx

import diffsim as ds
from diffsim.steppers import crossing

F64 = np.float64
KEY = ds.key(29)
EM = ds.EulerMaruyama()
FREE = ds.Equation(diffusion=2.0**0.5)  # D = 1
HALF = ds.HalfSpace(0.0, (-1.0,))  # x > 0


def run(x0, t, dt, stepper, law=FREE, jit=False, key=KEY, **options):
    return ds.solve(law, x0, (0, t), dt=dt, stepper=stepper, key=key, jit=jit, **options)


def share(sol):
    """The share of particles alive."""
    return sol.fate.alive.numpy().mean()


def near(p, expected, n, sigmas=5.0):
    return abs(p - expected) < sigmas * np.sqrt(expected * (1 - expected) / n)


def numbers(*values):
    return [tf.constant(v, tf.float64) for v in values]


# The mathematics of one step


@pytest.mark.parametrize("c", [0.0, 0.4, 3.0])
def test_first_hits_of_a_bridge(c):
    """τ/(1 − τ) is inverse Gaussian, of infinite mean (Lévy's law) for a bridge that ends on the wall."""
    a, s2 = 0.7, 0.3
    rng = np.random.default_rng(1)
    tau = crossing.first(*numbers(a, c, s2), tf.constant(rng.normal(size=20_000) ** 2), tf.constant(rng.random(20_000)))
    y = tau.numpy() / (1 - tau.numpy())
    law = stats.invgauss(s2 / (a * c), scale=a**2 / s2) if c else stats.levy(scale=a**2 / s2)
    assert stats.kstest(y, law.cdf).pvalue > 1e-5
    assert stats.kstest(1.1 * y, law.cdf).pvalue < 1e-5
    assert crossing.first(*numbers(a, c, 0.0, 1.0, 0.5)).numpy() == pytest.approx(a / (a + c))


def test_last_hits_of_a_bridge():
    """Read backwards, the last hit is the first one."""
    rng = np.random.default_rng(2)
    last = crossing.last(*numbers(0.0, 0.7, 0.3), tf.constant(rng.normal(size=20_000) ** 2)).numpy()
    assert stats.kstest((1 - last) / last, stats.levy(scale=0.49 / 0.3).cdf).pvalue > 1e-5


# Absorbing walls


@dataclasses.dataclass(frozen=True)
class Wind:
    """A constant drift, as data."""

    v: float

    def __call__(self, t, x):
        return tf.fill(x.shape, tf.cast(self.v, x.dtype))


def blown(v, D):
    return ds.Equation(drift=Wind(v), diffusion=(2 * D) ** 0.5)


def test_absorption_at_a_half_line():
    """D12 and D11 are exact at any step; looking at the ends of steps only, the same law of increments, is not."""
    n, x0 = 20_000, np.ones((20_000, 1))
    still, wind = (run(x0, 1.0, 0.5, ds.Absorbed(EM, HALF), law=law) for law in (blown(0.0, 1.0), blown(-1.0, 0.5)))
    assert near(1 - share(wind), 0.6681020, n)
    assert near(share(still), erf(0.5), n)
    times = still.fate.time.numpy()
    assert near((times < 0.3).mean(), erfc(1 / np.sqrt(1.2)), n)  # also within a step
    lost = ~still.fate.alive.numpy()
    assert (still.final.numpy()[lost] == 0).all() and (still.final.numpy()[~lost] > 0).all()
    assert (still.fate.wall.numpy() == np.where(lost, 0, -1)).all()
    naive = run(x0, 1.0, 0.01, ds.Absorbed(EM, HALF), law=ds.Equation(diffusion=1.0, noise=ds.AlphaStable(2.0)))
    assert near(share(naive), 0.5553808, n)
    assert not near(share(naive), erf(0.5), n)


def test_anisotropic_noise_meets_walls_by_its_normal_part():
    """Of the covariance 2Dh the bridge feels n·Dn: a wall across a channel of D = [[2, .6], [.6, 1]]."""
    model = ds.models.BrownianMotion(D=np.array([[2.0, 0.6], [0.6, 1.0]]))
    n = np.array([0.8, -0.6])
    sol = run(np.tile(-1.0 * n, (20_000, 1)), 1.0, 1.0, ds.Absorbed(EM, ds.HalfSpace(0.0, tuple(n))), law=model.law)
    along = n @ model.D @ n
    assert near(share(sol), erf(1 / np.sqrt(4 * along)), 20_000)
    assert not near(share(sol), erf(1 / np.sqrt(4 * np.trace(model.D) / 2)), 20_000)
    lost = ~sol.fate.alive.numpy()
    assert np.abs(sol.final.numpy()[lost] @ n).max() < 1e-12


# Reactive walls


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_reaction_is_right_at_any_step(steps):
    """D13: uptake from unit concentration, and the share lost by t = 1 from the wall, 1 − e^{q²}erfc(q)."""
    q, n, L = 0.5, 20_000, 6.0
    x0 = np.concatenate([np.zeros(n), (np.arange(n) + 0.5) * L / n])[:, None]
    lost = ~run(x0, 1.0, 1 / steps, ds.Reactive(EM, HALF, q)).fate.alive.numpy()
    assert near(lost[:n].mean(), 1 - erfcx(q), n)
    uptake, expected = L * lost[n:].mean(), 0.3597599
    error = L * np.sqrt(lost[n:].mean() / n)
    assert abs(uptake - expected) < 5 * error
    wrong = ~run(x0, 1.0, 1 / steps, ds.Reactive(EM, HALF, q / 2)).fate.alive.numpy()  # bridge crossings forgotten
    assert abs(L * wrong[n:].mean() - expected) > 5 * error and not near(wrong[:n].mean(), 1 - erfcx(q), n)


# Reflecting walls

PLACE = {ds.Ito: (1 - np.log(2)) / np.log(2), ds.Stratonovich: 2**0.5 / 3, ds.Isothermal: 0.5}


def spread(t, x):
    """√(2(1 + x))."""
    return tf.sqrt(2.0 * (1.0 + x))


@pytest.mark.parametrize("calculus", PLACE)
def test_stationary_mean_of_each_calculus(calculus):
    """D6: D = 1 + x on [0, 1]."""
    n = 5_000
    law = ds.Equation(diffusion=spread, calculus=calculus())
    x0 = (np.arange(n)[:, None] + 0.5) / n
    x = run(x0, 0.6, 0.002, ds.Reflected(EM, ds.Box(0.0, 1.0)), law=law).final.numpy()
    assert x.min() >= 0 and x.max() <= 1
    error = 5 * x.std() / np.sqrt(n)
    assert abs(x.mean() - PLACE[calculus]) < error
    assert all(abs(x.mean() - PLACE[c]) > error for c in PLACE if c is not calculus)


SHAPES = {
    "disk": ds.Ball(0.0, 1.0),
    "annulus": ds.Ball((0.0, 0.0), 1.0) - ds.Ball((0.2, 0.0), 0.4),
    "ball": ds.Ball((0.1, 0.0, 0.0), 1.0),
    "cylinder": ds.Cylinder(0.0, (0.0, 0.6, 0.8), 0.7, 1.5),
    "ellipse": ds.Ellipsoid(0.0, (1.2, 0.6)),
    "L": ds.Polygon([(0, 0), (1, 0), (1, 0.4), (0.4, 0.4), (0.4, 1), (0, 1)]),
    "box": ds.Box((0.0, 0.0), (1.0, 0.5)),
}


SLOW = ("ball", "cylinder", "ellipse", "box")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in SHAPES])
def test_reflection_keeps_particles_uniform_and_inside(name):
    """By the distance from the wall, in ten bins; steps across the wall alone would empty the outer ones."""
    shape, n, rng = SHAPES[name], 5_000, np.random.default_rng(3)
    low, high = (np.broadcast_to(b, shape.ndim or 2) for b in shape.bounds())
    points = low + (high - low) * rng.random((40 * n, len(low)))
    depth = -shape.distance(points).numpy()
    points, depth = points[depth > 0], np.sort(depth[depth > 0])
    sol = run(points[:n], 0.08, 0.002, ds.Reflected(EM, shape))
    d = -shape.distance(sol.final).numpy()
    assert d.min() >= 0
    edges = np.quantile(depth, np.linspace(0, 1, 11)[1:-1])
    counts = np.histogram(d, [-np.inf, *edges, np.inf])[0]
    assert stats.chisquare(counts).pvalue > 1e-5, counts
    assert np.linalg.norm(sol.final.numpy() - points[:n], axis=1).mean() > 0.15  # they did move


def turning(x, v):
    return x[:, 0] * v[:, 1] - x[:, 1] * v[:, 0]


def test_reflection_of_smooth_paths():
    """A billiard: straight lines, whose speed and angular momentum about the centre of a disk stay."""
    law = ds.Equation(drift=lambda t, y: (y[1], tf.zeros_like(y[1])))
    rng = np.random.default_rng(4)
    x, v = 0.5 * rng.uniform(-1, 1, (200, 2)), rng.normal(size=(200, 2))
    disk = ds.solve(law, (x, v), (0, 7.0), dt=0.01, stepper=ds.Reflected(ds.Euler(), ds.Ball(0.0, 1.0)), jit=False)
    x1, v1 = (a.numpy() for a in disk.final)
    assert (np.linalg.norm(x1, axis=1) <= 1).all()
    assert np.abs(np.linalg.norm(v1, axis=1) - np.linalg.norm(v, axis=1)).max() < 1e-12
    assert abs(np.mean(np.sign(turning(x1, v1)) * np.sign(turning(x, v))) - 1) < 0.02
    box = ds.solve(law, (x, v), (0, 7.0), dt=7.0, stepper=ds.Reflected(ds.Euler(), ds.Box(-1.0, 1.0)), jit=False)
    way = (x + 7.0 * v + 1.0) % 4.0  # there and back
    assert np.abs(box.final[0].numpy() - (np.where(way < 2, way, 4 - way) - 1)).max() < 1e-12
    assert np.abs(box.final[1].numpy() - np.where(way < 2, v, -v)).max() < 1e-12


@pytest.mark.parametrize("stepper", [ds.BAOAB(), pytest.param(ds.Heun(), marks=pytest.mark.slow)])
def test_inertia_between_walls(stepper):
    """Uniform in a disk, Maxwellian in velocity."""
    n, model = 10_000, ds.models.Underdamped(V=None, kT=0.7, gamma=2.0, mass=0.5)
    angle, r = np.random.default_rng(5).uniform(0, 2 * np.pi, n), np.sqrt(np.random.default_rng(6).random(n))
    x = np.stack([r * np.cos(angle), r * np.sin(angle)], 1)
    v = model.velocities(ds.key(8), tf.constant(x))
    sol = run((x, v), 0.5, 0.005, ds.Reflected(stepper, ds.Ball(0.0, 1.0)), law=model.law)
    x, v = (a.numpy() for a in sol.final)
    counts = np.histogram((x**2).sum(1), 10, (0, 1))[0]
    assert counts.sum() == n and stats.chisquare(counts).pvalue > 1e-5
    assert abs(np.mean(v**2) - 1.4) < 5 * 1.4 * np.sqrt(2 / (2 * n))


def test_leimkuhler_matthews_turns_its_increment():
    """In a harmonic well cut in half, its variance stays exact at h = ½ but for the wall's own error."""
    law, n = ds.Equation(drift=lambda t, x: -x, diffusion=2.0**0.5), 20_000
    x0 = np.abs(np.random.default_rng(7).normal(size=(n, 1)))
    x = run(x0, 5.0, 0.1, ds.Reflected(ds.LeimkuhlerMatthews(), HALF), law=law).final.numpy()
    assert x.min() >= 0 and abs(np.mean(x**2) - 1) < 0.05


# Periodic cells, and sides of different kinds


def test_images_unwrap_the_path():
    law = ds.Equation(drift=lambda t, x: 3.0 * tf.ones_like(x), diffusion=2.0**0.5)
    x0, L = np.random.default_rng(8).random((500, 2)) * [1.0, 2.0], np.array([1.0, 2.0])
    cell = ds.Grid((4, 4), (1.0, 2.0))
    free = run(x0, 2.0, 0.5, EM, law=law).final.numpy()
    sol = run(x0, 2.0, 0.5, ds.Walls(EM, cell, ds.Periodic()), law=law)
    x, images = sol.final.numpy(), sol.fate.images.numpy()
    assert (x >= 0).all() and (x <= L).all() and sol.fate.alive is None
    assert np.abs(x + images * L - free).max() < 1e-12
    msd, wrapped = (((a - x0) ** 2).sum(1) for a in (x + images * L, x))
    assert abs(msd.mean() - (8 + 72)) < 5 * msd.std() / np.sqrt(500) < 0.2 * abs(msd.mean() - wrapped.mean())


def test_each_side_of_a_box_has_its_own_condition():
    boundary = ds.Boundary(x=ds.Periodic(), y=(ds.Dirichlet(), ds.Neumann()))
    stepper = ds.Walls(EM, ds.Box((0.0, 0.0), (0.5, 1.0)), boundary)
    x0 = np.tile([0.25, 0.7], (5_000, 1))
    sol = run(x0, 20.0, 0.05, stepper, stop=ds.Extinct())
    assert sol.status is ds.Status.STOPPED
    mean = ds.analysis.mean_time(sol)
    assert abs(mean.value - ds.reference.passage.interval_one_end(0.7, 1.0, 1.0)) < 5 * mean.error
    assert (sol.fate.wall.numpy() == 2).all() and (sol.final.numpy()[:, 1] == 0).all()
    unwrapped = sol.final.numpy()[:, 0] + 0.5 * sol.fate.images.numpy()[:, 0] - 0.25
    assert abs(np.mean(unwrapped**2) / (2 * mean.value) - 1) < 0.1  # ⟨Δx²⟩ = 2D⟨T⟩
    assert (sol.fate.images.numpy()[:, 1] == 0).all()


@pytest.mark.parametrize("outermost", ["reflects", pytest.param("absorbs", marks=pytest.mark.slow)])
def test_walls_around_walls(outermost):
    """Between two circles, absorbed at the inner, reflected at the outer one."""
    inner, outer = ~ds.Ball((0.0, 0.0), 0.4), ds.Ball((0.0, 0.0), 1.0)
    x0 = np.tile([0.7, 0.0], (2_000, 1))
    exact = 0.25 * (0.16 - 0.49) + 0.5 * np.log(0.7 / 0.4)
    if outermost == "absorbs":
        stepper = ds.Absorbed(ds.Reflected(EM, outer), inner)
    else:
        stepper = ds.Reflected(ds.Absorbed(EM, inner), outer)
    sol = run(x0, 30.0, 0.005, stepper, stop=ds.Extinct(every=20))
    mean = ds.analysis.mean_time(sol)
    assert abs(mean.value - exact) < 5 * mean.error + 0.005
    assert np.abs(np.linalg.norm(sol.final.numpy(), axis=1) - 0.4).max() < 1e-12


# Ports


def arc(eps):
    return ds.HalfSpace((np.cos(eps), 0.0), (-1.0, 0.0))


@pytest.mark.slow  # the example of narrow escape shows ports every time
def test_a_wide_port_in_a_disk():
    stepper = ds.Absorbed(EM, ds.Ball(0.0, 1.0), arc(1.0))
    sol = run(np.zeros((2_000, 2)), 40.0, 0.005, stepper, stop=ds.Extinct(every=50), jit=True)
    mean = ds.analysis.mean_time(sol)
    assert abs(mean.value - ds.reference.passage.disk_arc([0.0, 0.0], 1.0)) < 5 * mean.error + 0.02
    assert (sol.fate.wall.numpy() == 1).all() and (sol.final.numpy()[:, 0] >= np.cos(1.0)).all()


@pytest.mark.slow
def test_narrow_escape():
    """A15: half-angle .1, mean over the disk; the bias of steps is below 1 % where √(2Dh) is a quarter of ε."""
    n, rng = 1_500, np.random.default_rng(9)
    angle, r = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.random(n))
    x0 = np.stack([r * np.cos(angle), r * np.sin(angle)], 1).astype(np.float32)
    sol = run(x0, 80.0, 2.5e-4, ds.Absorbed(EM, ds.Ball(0.0, 1.0), arc(0.1)), stop=ds.Extinct(every=1000), jit=True)
    mean = ds.analysis.mean_time(sol)
    assert abs(mean.value - 3.1211489749) < 5 * mean.error


# Promises


@pytest.mark.parametrize("how", ["in batches", pytest.param("compiled", marks=pytest.mark.slow)])
def test_the_numbers_are_the_same(how):
    x0 = 0.5 * np.random.default_rng(10).uniform(-1, 1, (64, 2))
    stepper = ds.Reactive(EM, ds.Ball(0.0, 1.0), 1.5)

    def fate(rows, jit=False, first=0):
        law = ds.Equation(diffusion=2.0**0.5, noise=ds.Brownian(first=first))
        sol = run(x0[rows], 0.6, 0.05, stepper, law=law, jit=jit)
        return sol.final.numpy(), sol.fate.time.numpy()

    whole = fate(slice(None))
    assert 5 < np.isfinite(whole[1]).sum() < 59
    if how == "compiled":
        other = fate(slice(None), jit=True)
    else:
        other = map(np.concatenate, zip(fate(slice(0, 32)), fate(slice(32, 64), first=32), strict=True))
    for a, b in zip(other, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


def test_single_precision_and_single_particles():
    ball = ds.Absorbed(EM, ds.Ball(0.0, 1.0))
    sol = run(np.zeros((20_000, 3), np.float32), 0.1, 0.02, ball)
    assert sol.final.dtype == tf.float32 and np.linalg.norm(sol.final.numpy(), axis=1).max() < 1 + 1e-6
    k = np.arange(1, 20)
    exact = 2 * np.sum((-1.0) ** (k + 1) * np.exp(-((k * np.pi) ** 2) * 0.1))
    assert abs(share(sol) - exact) < 5 * np.sqrt(exact * (1 - exact) / 20_000) + 0.01  # curvature: first order
    one = run(np.zeros(3), 2.0, 0.02, ball)
    assert one.fate.time.shape == () and not bool(one.fate.alive) and float(one.fate.time) < 2


def test_resumed_runs_remember_who_was_lost(tmp_path):
    x0, stepper = np.full((50, 1), 0.4), ds.Absorbed(EM, HALF)
    straight = run(x0, 1.0, 0.05, stepper)
    path = str(tmp_path / "run.h5")
    run(x0, 0.5, 0.05, stepper, save=ds.SaveAt(every=5, to=path))
    further = ds.resume(path, until=1.0)
    for a, b in ((further.fate.time, straight.fate.time), (further.final, straight.final)):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
    assert 0 < share(straight) < 1


def test_gradients_pass_through_reflection():
    x0 = tf.constant(0.5 * np.random.default_rng(11).uniform(-1, 1, (40, 2)))
    sim = ds.Simulation(FREE, ds.Reflected(EM, ds.Ball(0.0, 1.0)), dt=0.05, like=x0, jit=False)

    def mean(x):
        return tf.reduce_mean(sim.advance(x, 6, key=KEY) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(x0)
        value = mean(x0)
    gradient, d = tape.gradient(value, x0).numpy(), np.random.default_rng(12).normal(size=(40, 2)) * 1e-6
    assert float(mean(x0 + d) - mean(x0 - d)) / 2 == pytest.approx(np.sum(gradient * d), rel=1e-4)


# What is refused

FLIGHT = ds.Equation(diffusion=1.0, noise=ds.AlphaStable(1.5))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: run(np.full((3, 2), 2.0), 1.0, 0.1, ds.Reflected(EM, ds.Ball(0.0, 1.0))), "3 of 3 positions outside"),
        (lambda: run({"x": np.zeros((3, 2))}, 1.0, 0.1, ds.Reflected(EM, ds.Ball(0.0, 1.0))), "begins with them"),
        (lambda: ds.Walls(EM, HALF, ds.Flux(1.0)), "no particles in"),
        (lambda: ds.Walls(EM, HALF, ds.Dirichlet(1.0)), "no particles in"),
        (lambda: ds.Walls(EM, HALF, ds.Periodic()), "only a box repeats"),
        (lambda: ds.Walls(EM, HALF, ds.Boundary(x=ds.Neumann())), "sides of a box"),
        (lambda: ds.Walls(EM, ds.Box(0.0, 1.0), ds.Boundary(x=(ds.Periodic(), ds.Neumann()))), "has no ends"),
        (lambda: ds.Walls(EM, ds.Box(0.0, np.inf), ds.Periodic()), "has no ends"),
        (lambda: ds.Reflected(EM, 3.0), "a wall is its surface"),
        (lambda: ds.Reflected(ds.ETDAB2(), HALF), "remembers past steps"),
        (lambda: ds.Reflected(ds.Walls(EM, ds.Box(0.0, 1.0), ds.Periodic()), HALF), "outermost"),
        (lambda: run(np.ones((3, 1)), 1.0, 0.1, ds.Absorbed(ds.LeimkuhlerMatthews(), HALF)), "do not lie on one path"),
        (lambda: run(np.ones((3, 1)), 1.0, 0.1, ds.Reactive(EM, HALF, 1.0), law=FLIGHT), "local time"),
    ],
)
def test_refusals_say_why(make, says):
    with pytest.raises((ValueError, TypeError), match=says) as error:
        make()
    assert ": expected " in str(error.value) and ", because " in str(error.value)
