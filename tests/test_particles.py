"""Molecules that meet, react and are born: rates right at any step, equilibria, exact densities. Statistics at 5σ."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import expm

import diffsim as ds
from diffsim.particles import Contact, Doi, Kinetics, Molecules, Pool, Smoluchowski, contact

CUBE = ds.Box((0.0,) * 3, (4.4964,) * 3)
ENZYME = ("E + S <-> ES @ 0.01, 1", "ES -> E + P @ 1")
MICHAELIS = Molecules.of(*ENZYME, D=10.0, region=CUBE, boundary=ds.Periodic(), kinetics=Doi(0.03))


class Naive(Kinetics):
    """Whoever is nearer than the contact distance at the end of a step reacts: wrong, but common."""

    def contact(self, d, k, D, h):
        return Contact(k / (4 * math.pi * D), 1.0)


# Contacts


@pytest.mark.parametrize("d", (1, 2, 3))
def test_many_short_steps_are_doi(d):
    """p → λΔt: E4's λ gives E4's rate, and the length of a contact is that of continuous time; 0.02 % at s = R/25."""
    D, R, lam = 20.0, 0.03, 86.78438364
    h = (R / 25) ** 2 / (2 * D)
    exact, found = contact.doi(d, R, math.sqrt(lam / D)), contact.length(d, R, -math.expm1(-lam * h), math.sqrt(2 * D * h))
    assert found == pytest.approx(exact, rel=1e-3)
    assert d != 2 or math.exp(found - exact) == pytest.approx(1.0, rel=3e-2)  # a itself is e⁻⁵⁰⁰ R
    if d == 3:
        assert 4 * math.pi * D * exact == pytest.approx(0.0098, rel=1e-4)
        assert Doi(R).rate(3, 4 * math.pi * D * exact, D) == pytest.approx(lam, rel=1e-9)


@pytest.mark.parametrize("d", (1, 2, 3))
def test_an_absorbing_surface_seen_at_the_ends_of_steps_recedes(d):
    """ρ → a + .58259…s for short steps: −ζ(½)/√2π, known from random walks; all of space, k Δt, for long ones."""
    six, sixty = (math.log(a) if d == 2 else a for a in (6.0, 60.0))
    assert contact.radius_for(d, six, 1.0) - 6.0 == pytest.approx(0.5825971579, rel=1e-3)
    assert contact.radius_for(d, sixty, 1.0) - 60.0 == pytest.approx(0.5825971579, rel=1e-4)  # by the other formula
    if d == 3:
        assert contact.ball(3, contact.radius_for(3, 1e-4, 1.0)) == pytest.approx(2 * math.pi * 1e-4, rel=1e-3)


def test_the_steady_rate_is_that_of_the_iterated_propagator():
    """Andrews and Bray's way, on a grid, in space: diffuse, react, until steady; an independent discretisation."""
    rho, p, dr = 0.8, 0.6, 0.02
    r = np.arange(0.5, 800) * dr
    near = r[r < 10]
    kernel = np.exp(-((near[:, None] - r) ** 2) / 2) - np.exp(-((near[:, None] + r) ** 2) / 2)
    u = r.copy()  # r g, of which r − a is left far away
    for _ in range(300):
        a = 2 * p * dr * (r * u)[r < rho].sum()
        after = np.where(r < rho, (1 - p) * u, u)
        u = np.concatenate([kernel @ after * dr / math.sqrt(2 * math.pi), r[r >= 10] - a])
    assert contact.length(3, rho, p, 1.0) == pytest.approx(a, rel=2e-3)


def test_chance_and_radius_are_inverses_of_length():
    for d, radius, chance, s in ((1, 0.4, 0.7, 0.9), (2, 0.5, 0.2, 0.3), (3, 0.03, 0.07, 0.18), (3, 1.0, 0.5, 0.1)):
        a = contact.length(d, radius, chance, s)
        assert contact.chance_for(d, radius, a, s) == pytest.approx(chance, rel=1e-6)
        assert contact.length(d, contact.radius_for(d, a, s), 1.0, s) == pytest.approx(a, rel=1e-6)
    assert contact.chance_for(3, 0.03, 0.0299, 0.18) is None


@pytest.mark.parametrize("d", (1, 2, 3))
@pytest.mark.parametrize("chance", (1e-8, 1e-6, 1e-3, 0.3))
def test_both_formulas_of_a_contact_meet(d, chance):
    """Where the surface is taken as flat, from ρ = 50 s on, also for reactions so slow that ln a is −10⁵."""
    below, above = (contact.length(d, contact.FINE * (1 + e), chance, 1.0) for e in (-1e-6, 1e-6))
    assert above == pytest.approx(below, rel=2e-5)


def pairs_of_one_kind(k, back, V, N):
    """L of 2A → C at k n(n − 1)/V and C → 2A at `back`, by the number of C."""
    c = np.arange(N // 2 + 1)
    a, L = N - 2 * c, np.zeros((len(c), len(c)))
    bind, part = k / V * a * (a - 1), back * c
    return L + np.diag(bind[:-1], -1) + np.diag(part[1:], 1) - np.diag(bind + part)


@pytest.mark.parametrize(("kinetics", "d"), ((Doi(0.2), 2), pytest.param(Smoluchowski(), 1, marks=pytest.mark.slow)))
def test_two_of_one_kind_where_diffusion_is_fast(kinetics, d):
    """On their way and in balance the master equation, where a step mixes the box; with twice the rate it is not."""
    k, back, N, boxes = 0.02, 0.5, 8, 1000
    law = Molecules.of(f"2 A <-> C @ {k}, {back}", D=5.0, region=ds.Box((0.0,) * d, (1.0,) * d),
                       boundary=ds.Periodic(), kinetics=kinetics)  # fmt: skip
    y0 = law.fill({"A": N}, N, ds.key(3), boxes=(boxes,))
    ts = [0.6, 4.2]
    seen = run(law, y0, 4.2, 28, key=5, jit=False, save=ds.SaveAt(ts=ts, fn=law.count)).y.numpy()[..., 1]
    for t, x in zip(ts, seen, strict=True):
        means = [np.arange(N // 2 + 1) @ expm(t * pairs_of_one_kind(f * k, back, 1.0, N))[:, 0] for f in (1, 2)]
        error = 5 * x.std() / math.sqrt(boxes)
        assert abs(x.mean() - means[0]) < error + 0.01 < abs(x.mean() - means[1])


# Text, states, refusals


def test_one_text_serves_all_laws():
    volume = 4.4964**3
    jump, other = MICHAELIS.well_mixed(), ds.Jump.of(*ENZYME, volume=volume)
    n = tf.constant([909.0, 9091.0, 30.0, 4.0], tf.float64)
    assert jump.species == MICHAELIS.species == ("E", "S", "ES", "P")
    np.testing.assert_allclose(jump.rate_equation().drift(0.0, n), other.rate_equation().drift(0.0, n), rtol=1e-12)


def small(kinetics=None, **kwargs):
    kwargs = {"D": 1.0, "region": ds.Box((0.0, 0.0), (1.0, 2.0)), "kinetics": kinetics or Doi(0.1), **kwargs}
    return Molecules.of("A + B <-> C @ 0.5, 1", "C -> C + A @ 1", **kwargs)


FRAGILE = Molecules.of("A + B <-> C @ 0.5, 1000", D=1.0, region=ds.Box((0.0, 0.0), (1.0, 2.0)), kinetics=Doi(0.1))
NEVER = Molecules.of("A + B <-> C @ 0, 1", D=1.0, region=ds.Box((0.0, 0.0), (1.0, 2.0)), kinetics=Doi(0.1))
OUTSIDE = Pool(tf.constant([[0.5, 3.0]]), tf.constant([0.0]))


@pytest.mark.parametrize(
    ("call", "words"),
    (
        (lambda: small(D=-1.0), "gather what is spread"),
        (lambda: small(D={"A": 1.0, "B": 1.0}), "one for C"),
        (lambda: small(Doi(-0.1)), "radius"),
        (lambda: small(3.0), "when two molecules react"),
        (lambda: small(region=ds.Box(0.0, 1.0)), "1 to 3 coordinates"),
        (lambda: small(region=ds.HalfSpace((0.0, 0.0), (1.0, 0.0))), "bounded"),
        (lambda: small(boundary=ds.Dirichlet()), "surfaces="),
        (lambda: small(boundary=ds.Boundary(x=ds.Periodic())), "axes"),
        (lambda: small(boundary=ds.Periodic(), surfaces="A -> 0 @ 1"), "no walls"),
        (lambda: small(surfaces="A + B -> 0 @ 1"), "one by one"),
        (lambda: small(surfaces="A -> 0 @ -1"), "≥ 0"),
        (lambda: small(surfaces=("A -> 0 @ 1", "A -> B @ 1")), "one reaction of A"),
        (lambda: Molecules.of("3 A -> 0 @ 1", D=1.0, region=CUBE), "at most two reactants"),
        (lambda: Molecules.of("A -> 0 @ -1", D=1.0, region=CUBE), "≥ 0"),
        (lambda: small().fill({"X": 1}, 5, ds.key(0)), "no other is known"),
        (lambda: small().fill({"A": 6}, 5, ds.key(0)), "at least 6"),
        (lambda: run(small(), OUTSIDE, 1.0), "outside"),
        (lambda: run(small(), OUTSIDE._replace(x=OUTSIDE.x / 4, kind=tf.constant([7.0])), 1.0), "numbers the species"),
        (lambda: run(small(), OUTSIDE.x, 1.0), "Pool"),
        (lambda: run(small(), OUTSIDE._replace(x=OUTSIDE.x / 4), 1.0, stepper=ds.SSA()), "no particles"),
        (lambda: run(small(Smoluchowski()), OUTSIDE._replace(x=OUTSIDE.x / 4), 1.0), "never meet"),
        (lambda: run(FRAGILE, OUTSIDE._replace(x=OUTSIDE.x / 4), 1.0), "come apart"),
        (lambda: Doi(0.03).rate(3, 10.0, 20.0), "no pair reacts faster than it meets"),
        (lambda: run(NEVER, OUTSIDE._replace(x=OUTSIDE.x / 4), 1.0), "expected a meeting of rate > 0, because it undoes"),
        (lambda: small().pool({"A": [[0.5, 0.5, 0.5]]}, 5), r"positions\[A\]=.* expected shape \(m, 2\), because"),
        (lambda: Molecules.of("A -> 0 @ 1", D=1.0, region=ds.Ball((0.0, 0.0), 1.0)).well_mixed(), "only a Box knows"),
        (lambda: ds.solve(small(), OUTSIDE._replace(x=OUTSIDE.x / 4), (0, 1), key=ds.key(0)), "to choose it. Pass dt=….$"),
    ),
)
def test_refusals(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()


def run(law, y0, t, steps=1, key=7, **kwargs):
    return ds.solve(law, y0, (0, t), dt=t / steps, key=ds.key(key), progress=False, **kwargs)


# Dynamics, uncompiled where small


def test_a_full_pool_stops_the_run_with_the_last_good_state():
    law = Molecules.of("A -> 2 A @ 1", D=1.0, region=ds.Box((0.0, 0.0), (1.0, 2.0)))
    y0 = law.fill({"A": 10}, 40, ds.key(0))
    with pytest.raises(ds.SolveError, match="places too few.*larger pool") as caught:
        run(law, y0, 8.0, 80, jit=False)
    solution = caught.value.solution
    assert 0.5 < solution.t_final < 4.0
    n = int(law.count(0.0, solution.final)[0])
    assert 30 < n <= 40
    assert np.isfinite(solution.final.x).all()


@pytest.mark.slow
def test_what_follows_on_a_full_pool_is_not_taken_for_the_cause():
    """The steps of a call go on without positions, of which cells would overflow."""
    law = Molecules.of("A -> 2 A @ 3", "2 A -> 0 @ 1e-9", D=0.1, region=ds.Box((0.0,), (9.0,)), kinetics=Doi(0.01))
    with pytest.raises(ds.SolveError, match="^capacity=a pool with .* The last good state, at step .* solution.final"):
        run(law, law.fill({"A": 30}, 60, ds.key(0)), 8.0, 80, jit=False)


@pytest.mark.slow
def test_a_full_cell_stops_the_run():
    law = Molecules.of("2 A -> 0 @ 1e-9", D=1e-3, region=ds.Box((0.0,), (1.0,)), kinetics=Doi(0.1))
    y0 = law.pool({"A": np.full((20, 1), 0.5)}, 20)
    with pytest.raises(ds.SolveError, match="cells with 1[0-9] places too few.*capacity"):
        run(law, y0, 1.0, 1, jit=False, stepper=ds.particles.DiffuseReact(capacity=3))


@pytest.mark.parametrize("jit", (False, pytest.param(True, marks=pytest.mark.slow)))
def test_atoms_are_conserved_and_numbers_do_not_depend_on_how_they_are_computed(jit):
    """E + ES, and S + ES + P; the same molecules in batches, and compiled as in a graph."""
    law = Molecules.of("E + S <-> ES @ 0.5, 2", "ES -> E + P @ 3", D=0.2, region=ds.Box((0.0, 0.0), (1.0, 2.0)),
                       boundary=ds.Boundary(x=ds.Periodic(), y=ds.Neumann()), kinetics=Doi(0.1))  # fmt: skip
    y0 = law.fill({"E": 12, "S": 40}, 60, ds.key(0), boxes=(4,))
    one = run(law, y0, 0.5, 20, jit=jit)
    n = law.count(0.0, one.final).numpy()
    np.testing.assert_array_equal(n[..., 0] + n[..., 2], 12)
    np.testing.assert_array_equal(n[..., 1] + n[..., 2] + n[..., 3], 40)
    assert n[:, 3].min() > 0
    half = Molecules(**{**vars(law), "first": np.int64(2)})
    last = run(half, Pool(y0.x[2:], y0.kind[2:]), 0.5, 20, jit=False)
    np.testing.assert_array_equal(last.final.kind, one.final.kind[2:])
    np.testing.assert_allclose(last.final.x, one.final.x[2:], atol=1e-5)


@pytest.mark.slow
def test_a_run_is_resumed_where_it_was(tmp_path):
    law = Molecules.of("A + B -> C @ 1", D=0.1, region=ds.Box((0.0,), (5.0,)), kinetics=Smoluchowski())
    y0 = law.fill({"A": 12, "B": 15}, 30, ds.key(0), dtype=tf.float64)
    whole = run(law, y0, 1.0, 10, jit=False)
    path = tmp_path / "run.h5"
    with pytest.raises(ds.SolveError):
        run(law, y0, 1.0, 10, jit=False, save=ds.SaveAt(every=2, to=path), max_steps=4)
    again = ds.resume(path, law=law)
    np.testing.assert_array_equal(again.final.kind, whole.final.kind)
    np.testing.assert_allclose(again.final.x, whole.final.x, atol=1e-12)
    assert int(law.count(0.0, whole.final)[2]) > 0


@pytest.mark.slow
def test_births_and_deaths_are_poisson_at_any_step():
    """∅ → A → ∅, one step of twice the lifetime: n ∼ Poisson(10) exactly, mean and variance of 3000 boxes."""
    law = Molecules.of("0 -> A @ 5", "A -> 0 @ 1", D=0.3, region=ds.Box((0.0, 0.0), (1.0, 2.0)))
    n = law.count(0.0, run(law, law.fill({}, 45, ds.key(0), boxes=(3000,)), 24.0, 12, jit=False).final).numpy()
    assert n.mean() == pytest.approx(10.0, abs=5 * math.sqrt(10 / 3000))
    assert n.var() == pytest.approx(10.0, abs=5 * math.sqrt(210 / 3000))


@pytest.mark.slow
def test_michaelis_menten_begins_like_the_rate_equation():
    """E5 to t = ½ in steps of .01, in which a molecule goes 15 times the reaction radius."""
    y0 = MICHAELIS.fill({"E": 909, "S": 9091}, 10_100, ds.key(1))
    n = MICHAELIS.count(0.0, run(MICHAELIS, y0, 0.5, 50).final).numpy()
    ode = ds.solve(MICHAELIS.well_mixed().rate_equation(), np.array([909.0, 9091.0, 0.0, 0.0]), (0, 0.5)).final.numpy()
    assert abs(n - ode).max() < 5 * math.sqrt(230) + 0.01 * ode[2]
    assert ode[2] > 190


# At length


@pytest.mark.slow
@pytest.mark.parametrize("kinetics", (Smoluchowski(), Doi(1.0)))
@pytest.mark.parametrize("dt", (0.02, 0.5))
def test_targets_are_found_at_the_rate_of_smoluchowski(kinetics, dt):
    """E4: 4πDa (1 + a/√(πDt)), a = ½, of moving A for resting B between t = 1 and 3, in steps of .2 and of 1."""
    rate, expected, error = found(kinetics, dt)
    assert rate == pytest.approx(expected, abs=5 * error + 0.01 * expected)


def test_steps_in_which_molecules_would_react_twice_are_warned_of():
    law = small(region=ds.Box((0.0, 0.0), (0.3, 0.3)), boundary=ds.Periodic())
    y0 = law.fill({"A": 10, "B": 10}, 30, ds.key(0))
    stepper, law = ds.particles.DiffuseReact().bind(law.of_state(y0), 0.02)
    with pytest.warns(UserWarning, match="rates will be too low"):
        stepper.check_start(law, y0)


@pytest.mark.slow
def test_a_naive_radius_is_wrong_at_long_steps():
    rate, expected, error = found(Naive(), 0.5)
    assert rate < 0.4 * expected < expected - 20 * error


def found(kinetics, dt, a=0.5, D=1.0, L=16.0, boxes=300):
    """ln S(1)/S(3) of targets, that of theory, and the error: S = exp(−c ∫k dt), exactly, for independent searchers."""
    law = Molecules.of(f"A + B -> A @ {4 * math.pi * D * a}", D={"A": D, "B": 0.0}, region=ds.Box((0.0,) * 3, (L,) * 3),
                       boundary=ds.Periodic(), kinetics=kinetics)  # fmt: skip
    y0 = law.fill({"A": 160, "B": 20}, 180, ds.key(0), boxes=(boxes,))
    sol = run(law, y0, 3.0, round(3 / dt), save=ds.SaveAt(ts=[1.0, 3.0], fn=law.count))
    left = sol.y.numpy()[..., 1].sum(-1)
    expected = 160 / L**3 * 4 * math.pi * D * a * (2 + 2 * a * (math.sqrt(3) - 1) / math.sqrt(math.pi * D))
    return math.log(left[0] / left[1]), expected, math.sqrt(1 / left[1] - 1 / left[0])


@pytest.mark.slow
@pytest.mark.parametrize(("text", "density"), (("2 A -> 0 @ 1e4", 8.0), ("2 A -> A @ 1e4", 2.0)))
def test_annihilation_and_coalescence_on_a_line(text, density):
    """E6: 1/√(8πDt) and 1/√(2πDt) at Dt = 25, from density 1; numbers fluctuate less than Poisson's."""
    L, D, t = 15_000.0, 0.5, 50.0
    law = Molecules.of(text, D=D, region=ds.Box((0.0,), (L,)), boundary=ds.Periodic(), kinetics=Smoluchowski())
    y0 = law.fill({"A": int(L)}, int(L), ds.key(2), boxes=(3,))
    n = law.count(0.0, run(law, y0, t, 1000).final).numpy()[:, 0]
    expected = L / math.sqrt(density * math.pi * D * t)
    assert n.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected / 3) * 0.8 + 0.01 * expected)


@pytest.mark.slow
@pytest.mark.parametrize("D", (0.05, 20.0))
def test_equilibrium_holds_whatever_limits_the_reaction(D):
    """A + B ⇌ C against the master equation, where a step is a fifth of the radius and where it is many of them."""
    V, n, boxes = 27.0, 50, 24
    law = Molecules.of("A + B <-> C @ 0.27, 0.5", D=D, region=ds.Box((0.0,) * 3, (3.0,) * 3), boundary=ds.Periodic(),
                       kinetics=Smoluchowski())  # fmt: skip
    y0 = law.fill({"A": n, "B": n}, 2 * n, ds.key(4), boxes=(boxes,))
    ts = np.arange(6.0, 19.0, 3.0)
    seen = run(law, y0, 18.0, 900, save=ds.SaveAt(ts=ts, fn=law.count)).y.numpy()[..., 0]
    A = np.arange(n + 1)
    log = [(n - a) * math.log(0.27 / V / 0.5) - 2 * math.lgamma(a + 1) - math.lgamma(n - a + 1) for a in A]
    p = np.exp(np.array(log) - max(log))
    p /= p.sum()
    mean = p @ A
    spread = math.sqrt(p @ (A - mean) ** 2)
    assert seen.mean() == pytest.approx(mean, abs=5 * spread / math.sqrt(seen.size / 2) + 0.01 * mean)


@pytest.mark.slow
def test_reversible_association_of_many(D=2.0, V=50.0):
    """E3: 500 A, 500 B, ⇌ at .1 and 1 per molecule: the mean of A is 65.67081 in a well-mixed volume."""
    law = Molecules.of(f"A + B <-> C @ {0.1 * V}, 1", D=D, region=ds.Box((0.0,) * 3, (V ** (1 / 3),) * 3),
                       boundary=ds.Periodic(), kinetics=Doi(0.3))  # fmt: skip
    y0 = law.fill({"A": 500, "B": 500}, 1000, ds.key(4), boxes=(4,))
    seen = run(law, y0, 1.2, 1200, save=ds.SaveAt(ts=[0.6, 0.8, 1.0, 1.2], fn=law.count)).y.numpy()[..., 0]
    assert seen.mean() == pytest.approx(65.67081, abs=5 * 7.6 / math.sqrt(16) + 0.01 * 65.7)


@pytest.mark.slow
def test_michaelis_menten():
    """E5 at t = 10, of the rate equation: E 673.40, S 6275.57, ES 235.60, P 2579.83."""
    y0 = MICHAELIS.fill({"E": 909, "S": 9091}, 10_300, ds.key(1))
    n = MICHAELIS.count(0.0, run(MICHAELIS, y0, 10.0, 2500).final).numpy()
    for seen, mean, spread in zip(n, (673.40, 6275.57, 235.60, 2579.83), (14, 48, 14, 47), strict=True):
        assert seen == pytest.approx(mean, abs=5 * spread)


@pytest.mark.slow
def test_walls_adsorb_and_convert_at_any_step():
    """κ on both sides of a slab, A → B on the wall: A left is that of the exact series, at a step of half the width²/D."""
    D, kappa, n = 0.5, 0.8, 40_000
    law = Molecules.of(D={"A": D, "B": 0.1}, region=ds.Box((0.0,), (1.0,)), surfaces=f"A -> B @ {kappa}")
    y0 = law.fill({"A": n}, n, ds.key(1))
    mu, t = [], 1.0
    for j in range(20):  # β tan(β/2) = κ/D for a slab of width one, even modes
        low, high = 2 * math.pi * j + 1e-9, 2 * math.pi * j + math.pi - 1e-9
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if middle * math.tan(middle / 2) < kappa / D else (low, middle)
        mu.append(low)
    mu = np.array(mu)
    weight = (2 * np.sin(mu / 2) / mu) ** 2 / (0.5 + np.sin(mu) / (2 * mu))
    left = float(weight @ np.exp(-(mu**2) * D * t))
    for steps in (4, 50):
        seen = law.count(0.0, run(law, y0, t, steps).final).numpy()
        assert seen.sum() == n
        assert seen[0] / n == pytest.approx(left, abs=5 * math.sqrt(left * (1 - left) / n) + 2e-3)


def single_file(n, t, steps, size, runs, key=0):
    """Displacements of the middle rods of n, at density 1 of points, from Poisson positions, (runs · 21,)."""
    u = np.random.default_rng(key).random((runs, n))
    x0 = np.sort((u - 0.5) * n, axis=1) + size * np.arange(n)
    law, stepper = ds.models.BrownianMotion(1.0).law, ds.particles.SingleFile(ds.EulerMaruyama(), size)
    x = run(law, tf.constant(x0, tf.float32), t, steps, key=5, stepper=stepper, jit=False).final.numpy()
    assert (np.diff(x, axis=1) >= size - 1e-3).all()
    return (x - x0)[:, n // 2]


def test_a_single_file_is_subdiffusive():
    """E8: ⟨x²⟩ = (2/ρ)√(Dt/π), 11.2837917 at t = 100, of points and of rods whose free space is the same; any step."""
    for steps, size in ((1, 0.0), (4, 0.7)):
        moved = single_file(200, 100.0, steps, size, 4000)
        assert (moved**2).mean() == pytest.approx(11.2837917, abs=5 * 11.28 * math.sqrt(2 / 4000))
    with pytest.raises(ValueError, match="increasing positions"):
        run(ds.models.BrownianMotion(1.0).law, np.array([1.0, 0.5]), 1.0, stepper=ds.particles.SingleFile(ds.EulerMaruyama()))
