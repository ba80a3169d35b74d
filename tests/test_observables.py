"""What observers and estimators measure, against exact laws with parameters that are not 1.

Statistical tests are at five standard deviations with fixed keys: over all of them a false alarm once in 10⁴ keys.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import i0
from scipy.stats import norm

import diffsim as ds
from diffsim import analysis as an

F64 = tf.float64
KEY = ds.key(54)


def agrees(value, error, exact, sigmas=5.0):
    """Within five standard errors everywhere; at lag zero there may be no error."""
    value, error, exact = np.broadcast_arrays(value, error, exact)
    off = np.abs(value - exact) / np.where(error > 0, error, 1e-9 * np.abs(exact) + 1e-300)
    assert off.max() < sigmas, (off.max(), value.flat[off.argmax()], exact.flat[off.argmax()])


def normals(key, *shape):
    return ds.random.normal(ds.key(key), shape, F64)


def test_free_langevin_motion_and_green_kubo():
    """D8: MSD, VACF and its integral, D = kT/γ."""
    m, kT, gamma, n = 0.7, 1.3, 0.5, 1_500
    tau, D = m / gamma, kT / gamma
    model = ds.models.Underdamped(None, kT=kT, gamma=gamma, mass=m)
    y0 = tf.zeros([n, 2], F64), model.velocities(ds.key(3), tf.zeros([n, 2], F64))
    watch = {"msd": an.MSD(levels=2), "vacf": an.VACF(levels=4), "blocks": an.VACF(levels=2, blocks=True)}
    h = 0.08
    seen = ds.solve(model.law, y0, (0, 24), dt=h, stepper=ds.Observed(ds.BAOAB(), watch), key=KEY, jit=False).seen
    t = seen["vacf"].t
    agrees(seen["vacf"].value, seen["vacf"].error, 2 * kT / m * np.exp(-t / tau))
    t = seen["msd"].t
    agrees(seen["msd"].value, seen["msd"].error, 4 * D * (t - tau * (1 - np.exp(-t / tau))))
    found = an.green_kubo(seen["vacf"], 120 * h)  # almost 7τ
    assert found.error < 0.04 * D
    agrees(*found, D * (1 - np.exp(-120 * h / tau)))
    assert abs(found.value - kT / m) > 10 * found.error  # negative control: D is not kT/m
    agrees(*an.green_kubo(seen["vacf"], 16 * h), D * (1 - np.exp(-16 * h / tau)))
    blocks, q = seen["blocks"], np.exp(-h / tau)
    smooth = ((1 + q) / 2) ** 2 / q  # means of two steps: a triangle over an exponential
    agrees(blocks.value[16:], blocks.error[16:], 2 * kT / m * np.exp(-blocks.t[16:] / tau) * smooth)


def test_optical_trap_at_rest():
    """⟨|Δx|²⟩ = (2dkT/k)(1 − e^{−kτ/γ}) on all levels; how x is spread; ⟨x²⟩."""
    k, gamma, kT, n = 0.8, 1.7, 0.6, 2_000
    trap = ds.models.OrnsteinUhlenbeck(k=k, gamma=gamma, kT=kT)
    watch = {
        "msd": an.MSD(levels=3),
        "where": an.Occupation(lambda t, x: x[:, 0], low=-1.0, high=2.0, bins=12),
        "square": an.TimeAverage(lambda t, x: x[:, 0] ** 2),
    }
    x0 = (kT / k) ** 0.5 * normals(5, n, 2)
    seen = ds.solve(trap.law, x0, (0, 20), dt=0.1, stepper=ds.Observed(ds.ETD1(), watch), key=KEY, jit=False).seen
    msd, where = seen["msd"], seen["where"]
    agrees(msd.value, msd.error, 4 * kT / k * -np.expm1(-k * msd.t / gamma))
    wrong = 4 * kT / k * -np.expm1(-2 * k * msd.t / gamma)  # negative control: the law from a fixed start
    assert abs(msd.value[5] - wrong[5]) > 50 * msd.error[5]
    share = np.diff(norm.cdf(where.edges, scale=(kT / k) ** 0.5)) / np.diff(where.edges)
    agrees(where.value, where.error, share)
    agrees(seen["square"].value, seen["square"].error, kT / k)


@pytest.mark.slow
def test_one_bead_in_a_trap():
    """⟨x²⟩ of a single bead, with an error from blocks of correlated samples."""
    k, gamma, kT = 0.8, 1.7, 0.6
    trap, x0 = ds.models.OrnsteinUhlenbeck(k=k, gamma=gamma, kT=kT), np.zeros((1, 1))
    alone = an.TimeAverage(lambda t, x: x[0, 0] ** 2)
    seen = ds.solve(trap.law, x0, (0, 4000), dt=0.1, stepper=ds.Observed(ds.ETD1(), alone), key=KEY).seen
    theory = np.sqrt(2 * (kT / k) ** 2 * (1 + np.exp(-0.16 / 1.7)) / (1 - np.exp(-0.16 / 1.7)) / seen.samples)
    assert 0.8 < seen.error / theory < 1.25
    agrees(seen.value, theory, kT / k)
    assert seen.error > 3 * np.sqrt(2) * kT / k / np.sqrt(seen.samples)  # negative control: samples are not independent


def test_active_brownian_motion():
    """E8: 4Dt + (2v²/D_r²)(D_r t − 1 + e^{−D_r t})."""
    swim = ds.models.ActiveBrownian(v0=1.4, D=0.3, D_r=0.6)
    y0 = tf.zeros([2_000, 2]), 2 * np.pi * ds.random.uniform(ds.key(8), [2_000])
    stepper = ds.Observed(ds.SRA1(), an.MSD(levels=2))
    msd = ds.solve(swim.law, y0, (0, 6), dt=0.1, stepper=stepper, key=KEY, jit=False).seen
    agrees(msd.value, msd.error, swim.msd(msd.t))


def test_ergodicity_breaking():
    """F1: EB of Brownian motion, exactly by Wick's theorem and → 4Δ/3T; each MSD point within its error."""
    from diffsim.analysis.precision import msd_covariance

    n, m, D, h = 3_000, 201, 0.7, 0.3
    x = np.cumsum(np.concatenate([np.zeros((1, n, 1)), np.sqrt(2 * D * h) * normals(2, m - 1, n, 1).numpy()]), 0)
    msd = an.mean_square_displacement(np.arange(m) * h, x)
    agrees(msd.value[:100], msd.error[:100], 2 * D * msd.t[:100])
    groups = [an.Lags(msd.t, msd.each[:, i : i + 15], msd.origins, 1) for i in range(0, n, 15)]
    z = [(g.value[5] - 2 * D * msd.t[5]) / g.error[5] for g in groups]
    assert 0.85 < np.std(z) < 1.3  # Student's t of 15 tracks has 1.08; 5σ is 0.25
    EB, error = msd.ergodicity_breaking()
    exact = np.diag(msd_covariance(m, 40, D, 0.0, h, 0.0)) / (2 * D * h * np.arange(1, 41)) ** 2
    agrees(EB[1:41], error[1:41], exact)
    assert exact[9] == pytest.approx(4 * 10 / (3 * (m - 1)), rel=0.06)
    agrees(*msd.diffusivity(h, 5 * h), D)


def ideal(n, members):
    """Particles anywhere in a cell, moving freely."""
    box = np.array([2.0, 3.0])
    x0 = tf.constant(box) * ds.random.uniform(ds.key(4), [members, n, 2], F64)
    walls = ds.Walls(ds.EulerMaruyama(), ds.Box((0.0, 0.0), (2.0, 3.0)), ds.Periodic())
    watch = {
        "g": an.RadialDistribution(box=box, reach=1.0, bins=10),
        "self": ds.Every(an.VanHove(box=box, reach=1.0, bins=10), n=4),
        "others": an.VanHove(box=box, reach=1.0, bins=10, distinct=True),
    }
    law, steps = ds.models.BrownianMotion(D=0.4).law, ds.Observed(walls, watch)
    return ds.solve(law, x0, (0, 1.2), dt=0.03, stepper=steps, key=KEY, jit=False).seen


@pytest.mark.slow
def test_pairs_of_an_ideal_gas():
    """g = 1, the others have the density (N − 1)/V, and the particle itself is a Gaussian."""
    n, members = 12, 100
    seen = ideal(n, members)
    agrees(seen["g"].value, seen["g"].error, 1.0)
    assert seen["g"].error.max() < 0.05
    agrees(seen["others"].value, seen["others"].error, (n - 1) / 6.0)
    edges, s = seen["self"].edges, 4 * 0.4 * 0.12
    exact = -np.diff(np.exp(-(edges**2) / s)) / (np.pi * np.diff(edges**2))
    agrees(seen["self"].value[:7], seen["self"].error[:7], exact[:7])


@pytest.mark.slow
def test_errors_of_a_single_member():
    """Of one system alone the error of g(r) comes from blocks in time."""
    one = ideal(40, 1)["g"]
    agrees(one.value, one.error, 1.0)
    assert one.error.max() < 0.2


def test_shells_have_their_volumes():
    """A crystal in three dimensions: six neighbours at 1, twelve at √2, eight at √3, and none between."""
    x = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), -1).reshape(1, 1, 64, 3)
    g = an.RadialDistribution(box=4.0, reach=1.9, bins=19).over([0.0], x + 0.013)
    around = g.value * (63 / 64) * 4 / 3 * np.pi * np.diff(g.edges**3)
    expected = np.zeros(19)
    expected[[9, 10]] = around[[9, 10]]  # at 1 the edge of a shell
    expected[[14, 17]] = 12, 8
    np.testing.assert_allclose(around, expected, atol=1e-9)
    assert around[[9, 10]].sum() == pytest.approx(6)


def test_blocking_of_a_series_that_remembers():
    """Errors of AR(1) series, whose mean has the variance (1 + q)/(1 − q)/n; the naive error is far too small."""
    q, n, many = 0.9, 4096, 300
    noise, a = normals(6, n, many).numpy(), np.empty((n, many))
    a[0] = noise[0]
    for i in range(1, n):
        a[i] = q * a[i - 1] + np.sqrt(1 - q * q) * noise[i]
    found = an.blocking(a + 3.0)
    theory = np.sqrt((1 + q) / (1 - q) / n)
    assert np.sqrt((found.error**2).mean()) / theory == pytest.approx(1.0, abs=0.08)
    assert found.correlated.mean() == pytest.approx((1 + q) / (1 - q), rel=0.1)
    assert np.abs(found.value - 3.0).max() < 5 * theory
    assert (np.abs(found.value - 3.0) < found.error).mean() == pytest.approx(0.683, abs=5 * np.sqrt(0.22 / many))
    short = a[:200, 0] + 3.0
    streamed = an.TimeAverage(lambda t, y: y).over(np.arange(200.0), short)
    np.testing.assert_allclose([streamed.value, streamed.error], [short.mean(), an.blocking(short).error], rtol=1e-11)


def test_residence_of_a_telegraph():
    """Two states as seen every h: stays have the mean h/(1 − P(stay)); deterministic stays land in their bin."""
    jump = ds.Jump.of("A -> B @ 0.8", "B -> A @ 1.7")
    inside, h = an.Residence(lambda t, y: y[:, 0] > 0.5, longest=5.0, bins=25), 0.2
    y0 = np.zeros((1000, 2)) + [1.0, 0.0]
    seen = ds.solve(jump, y0, np.arange(0.0, 12.01, h), stepper=ds.Observed(ds.SSA(), inside), key=KEY, jit=False).seen
    P = (1.7 + 0.8 * np.exp(-2.5 * h)) / 2.5
    agrees(*seen.mean, h / (1 - P))
    assert abs(seen.mean.value - 1 / 0.8) > 5 * seen.mean.error  # negative control: stays between looks are not seen
    share = 1.7 / 2.5 + 0.8 / 2.5 * (1 - np.exp(-2.5 * 12)) / (2.5 * 12)
    agrees(*seen.share, share)
    assert seen.counts[0] == 0  # the shortest stay is h
    assert abs(seen.counts[1] / seen.entries - (1 - P)) < 5 * np.sqrt(P * (1 - P) / seen.entries) + 3e-3
    t = np.arange(0.0, 20.0, 0.25)
    turn = an.Residence(lambda t, y: tf.sin(y) > 0.01, longest=4.0, bins=8).over(t, np.pi * t[:, None] / 2 + 1e-3)
    assert (turn.counts[3], turn.counts.sum(), turn.exits, turn.entries, turn.mean.value) == (5, 5, 5, 5, 1.75)


# Work and heat


def trap(t, x):
    """kₜ = 0.8, dragged at the speed 0.9."""
    return 0.4 * tf.reduce_sum((x - 0.9 * t) ** 2, -1)


def test_moving_trap():
    """D15: ⟨W⟩ = γv²(T − τ(1 − e^{−T/τ})), τ = γ/k; ⟨e^{−W/kT}⟩ = 1; ⟨W⟩ = Var W/2kT; W is Gaussian."""
    kT, gamma, k, v, T, n = 0.7, 1.6, 0.8, 0.9, 1.5, 10_000
    law = ds.models.Overdamped(trap, kT=kT, mobility=1 / gamma).law
    x0 = (kT / k) ** 0.5 * normals(9, n, 1)
    seen = ds.solve(law, x0, (0, T), dt=0.05, stepper=ds.Observed(ds.SRA1(), an.Work(trap)), key=KEY, jit=False).seen
    mean = gamma * v**2 * (T - gamma / k * (1 - np.exp(-T * k / gamma)))
    agrees(seen.work.mean(), seen.work.std() / n**0.5, mean)
    agrees(seen.work.var(), seen.work.var() * np.sqrt(2 / n), 2 * kT * mean)
    one, two = an.jarzynski(seen.work, kT), an.second_cumulant(seen.work, kT)
    agrees(one.value, one.error, 0.0)
    agrees(two.value, two.error, 0.0)
    assert one.error < 0.02 and two.error < 0.02
    assert an.jarzynski(seen.work, 1.3 * kT).value > 5 * one.error  # negative control: another temperature
    assert np.abs(seen.imbalance).max() < 1e-12


def test_sudden_stiffening():
    """D15: k: 1 → 3 at once, in a first step of 10⁻⁹: ⟨e^{−W/kT}⟩ = √(1/3); the first law holds while it relaxes."""
    kT, gamma, n = 0.6, 1.4, 10_000

    def V(t, x):
        return tf.cast(tf.where(t > 0, 1.5, 0.5), x.dtype) * tf.reduce_sum(x * x, -1)

    law = ds.models.Overdamped(V, kT=kT, mobility=1 / gamma).law
    x0, mesh = kT**0.5 * normals(10, n, 1), np.concatenate([[0.0], 1e-9 + np.linspace(0, 1.5, 61)])
    seen = ds.solve(law, x0, mesh, stepper=ds.Observed(ds.SRA1(), an.Work(V)), key=KEY, jit=False).seen
    x = np.exp(-seen.work / kT)
    agrees(x.mean(), x.std() / n**0.5, np.sqrt(1 / 3))
    agrees(seen.work.mean(), seen.work.std() / n**0.5, kT)  # ½(3 − 1)⟨x²⟩
    agrees(seen.heat.mean(), seen.heat.std() / n**0.5, -kT * (1 - np.exp(-2 * 3 * 1.5 / gamma)))
    assert np.abs(seen.imbalance).max() < 1e-12


def test_heat_is_stratonovich():
    """At rest no heat flows. ∫F ∘ dx = −ΔV; Itô's ∫F dx loses kTk/γ per time, which is no heat."""
    kT, gamma, k, T, n = 0.7, 1.6, 0.8, 4.0, 2_000
    model = ds.models.OrnsteinUhlenbeck(k=k, gamma=gamma, kT=kT)
    watch = {
        "right": an.Current(lambda t, x: -k * x),
        "wrong": an.Current(lambda t, x: -k * x, ds.Ito()),
        "work": an.Work(lambda t, x: 0.5 * k * tf.reduce_sum(x * x, -1)),
    }
    x0 = (kT / k) ** 0.5 * normals(11, n, 1)
    seen = ds.solve(model.law, x0, (0, T), dt=0.05, stepper=ds.Observed(ds.ETD1(), watch), key=KEY, jit=False).seen
    right, wrong = seen["right"], seen["wrong"]
    agrees(right.value, right.error, 0.0)
    np.testing.assert_allclose(right.total, -seen["work"].change, atol=1e-12)  # the chain rule, path by path
    agrees(wrong.value, wrong.error, kT * -np.expm1(-0.05 * k / gamma) / 0.05)
    assert wrong.value > 5 * wrong.error + 0.5 * kT * k / gamma
    assert np.abs(seen["work"].work).max() < 1e-13


@pytest.mark.slow
def test_a_force_without_potential_dissipates():
    """A harmonic trap with a torque κ: power 2κ²kT/kγ, turned wholly into heat."""
    kT, gamma, k, kappa, n = 0.7, 1.6, 0.8, 0.5, 2_000

    def swirl(t, x):
        return kappa * tf.stack([-x[..., 1], x[..., 0]], -1)

    law = ds.Equation(linear=-k / gamma, drift=lambda t, x: swirl(t, x) / gamma, diffusion=(2 * kT / gamma) ** 0.5)
    watch = {
        "work": an.Work(lambda t, x: 0.5 * k * tf.reduce_sum(x * x, -1), swirl),
        "power": an.Current(swirl),
    }
    x0 = (kT / k) ** 0.5 * normals(12, n, 2)
    seen = ds.solve(law, x0, (0, 5), dt=0.05, stepper=ds.Observed(ds.SRA1(), watch), key=KEY, jit=False).seen
    agrees(seen["power"].value, seen["power"].error, 2 * kappa**2 * kT / (k * gamma))
    np.testing.assert_allclose(seen["work"].work, seen["power"].total, rtol=1e-11)
    agrees(seen["work"].heat.mean(), seen["work"].heat.std() / n**0.5, -10 * kappa**2 * kT / (k * gamma))


def test_free_energies_and_their_errors():
    """Gaussian work that obeys Crooks: ΔF in 400 repetitions; errors and first-order bias are those that are seen."""
    kT, dF, lost, n, m, many = 0.8, 1.1, 0.6, 400, 250, 200
    s = np.sqrt(2 * kT * lost)
    F, R = (normals(13, many, n).numpy() * s + dF + lost), (normals(14, many, m).numpy() * s - dF + lost)
    estimates = {
        "jarzynski": [an.jarzynski(w, kT) for w in F],
        "cumulant": [an.second_cumulant(w, kT) for w in F],
        "bennett": [an.bennett(f, r, kT) for f, r in zip(F, R, strict=True)],
    }
    spread = {}
    for name, found in estimates.items():
        value, error, bias, effective = np.transpose(found)
        spread[name] = value.std()
        agrees((value - bias).mean(), spread[name] / many**0.5, dF)
        assert np.sqrt((error**2).mean()) / spread[name] == pytest.approx(1.0, abs=0.25), name
        assert (effective > 2).all()
    assert spread["bennett"] < 0.6 * spread["jarzynski"]
    bias = np.mean([f.bias for f in estimates["jarzynski"]])
    assert bias == pytest.approx(kT * np.expm1(2 * lost / kT) / (2 * n), rel=0.3)
    far = an.jarzynski(normals(15, 300).numpy() * 5 + 12.5, 1.0)  # 12.5 kT are lost
    assert far.effective < 10 and far.bias > 0.1  # it says itself that few paths carry it


# D from tracks


def tracks(n, m, D, noise, h, R, d=1):
    """Positions as a camera sees them: means over the shutter (R = 1/6, nine flashes) or flashes, with errors."""
    sub = 9 if R else 1
    dx = np.sqrt(2 * D * h / sub) * normals(16, m * sub, n, d).numpy()
    x = np.cumsum(dx, 0).reshape(m, sub, n, d)
    return x.mean(1) + np.sqrt(noise) * normals(17, m, n, d).numpy()


CAMERAS = [(0.2, 1, False), *(pytest.param(*c, marks=pytest.mark.slow)
                              for c in ((0.0, 0, True), (0.2, 0, False), (1.5, 1, True)))]


@pytest.mark.parametrize(("noise", "R", "known"), CAMERAS)
def test_estimators_of_D_and_their_bound(noise, R, known):
    """None beats Cramér and Rao; maximum likelihood reaches them; each predicts the error that is seen."""
    n, m, D, h, d = 1_000, 100, 0.7, 0.4, 2
    R = (1 - 1 / 81) / 6 if R else 0.0  # of nine flashes
    noise *= D * h
    x, given = tracks(n, m, D, noise, h, R, d), {"noise": noise} if known else {}
    bound = an.diffusivity_bound(m, D, noise, h, R, d, known)
    allowance = 5 / np.sqrt(2 * n)
    found = {"likelihood": an.diffusivity_by_likelihood(x, h, R, **given),
             "covariance": an.diffusivity_by_covariance(x, h, R, **given)}
    if not known:
        found["slope"] = an.diffusivity_from_slope(x, h, R)
    for name, f in found.items():
        agrees(f.value, f.error, D, sigmas=5 + (3 if name != "covariance" else 0))  # bias of order 1/m
        assert f.each.std() / bound > 1 - allowance, name
        assert f.predicted / f.each.std() == pytest.approx(1.0, abs=allowance + 0.02), name
        assert f.noise == pytest.approx(noise, abs=0.03 * D * h)
    assert found["likelihood"].each.std() / bound == pytest.approx(1.0, abs=allowance + 0.03)
    if not known:
        for points in (3 * an.optimal_points(m, D, noise, h, R), m // 2):  # negative control: longer fits are worse
            assert an.diffusivity_from_slope(x, h, R, points=points).each.std() > 1.1 * found["slope"].each.std()


def test_formulas_of_tracking():
    """The bound without noise is D√(2/n); variance of the covariance estimator as published; best p as published."""
    assert an.diffusivity_bound(201, 0.7, 0.0, 0.4, known=True) == pytest.approx(0.7 * np.sqrt(2 / 200), rel=1e-12)
    n, D, h, noise = 2000, 0.7, 0.4, 0.1
    x = tracks(1, n + 1, D, noise, h, 0.0)
    f = an.diffusivity_by_covariance(x, h)
    e = f.noise / (f.value * h)
    published = f.value * np.sqrt((6 + 4 * e + 2 * e * e) / n + 4 * (1 + e) ** 2 / n**2)
    assert f.error == f.predicted == pytest.approx(published, rel=2e-3)
    assert an.optimal_points(1000, D, 0.0, h) == 2
    for q in (1.0, 10.0, 100.0):  # Michalet & Berglund fit 2 + 1.35 (σ²/DΔt)^0.6 for long tracks
        assert an.optimal_points(1000, D, q * D * h, h) == pytest.approx(2 + 1.35 * q**0.6, rel=0.12)


REFUSED = [
    (lambda: an.jarzynski([1.0], 1.0), "expected two paths or more, because an error bar is a spread"),
    (lambda: an.jarzynski([1.0, np.inf], 1.0), "work=inf at index .*: expected finite values"),
    (lambda: an.bennett([1.0, 2.0], [1.0, 2.0], -1.0), "kT=-1.0: expected a finite number > 0"),
    (lambda: an.second_cumulant([1.0, 2.0], 0.0), "kT=0.0: expected a finite number > 0"),
    (lambda: an.diffusivity_by_covariance(np.zeros((2, 1)), 0.1), "expected positions of shape \\(m, ..., d\\), m ≥ 3"),
    (lambda: an.diffusivity_by_likelihood(np.zeros((9, 1)), 0.1, R=0.3), "R=0.3: expected 0 ≤ R ≤ ¼, because"),
    (lambda: an.diffusivity_from_slope(np.ones((9, 1)) * np.arange(9.0)[:, None], 0.1, points=10), "points ≤ 8"),
    (lambda: an.diffusivity_bound(9, 1.0, -1.0, 0.1), "noise=-1.0: expected a finite number ≥ 0"),
    (lambda: an.green_kubo(an.velocity_autocorrelation([0, 1], np.ones((2, 1))), 3.0), "expected a time in \\(0, 1\\]"),
    (lambda: an.green_kubo([1.0], 3.0), "expected Lags, because it is integrated over lags"),
    (lambda: an.velocity_autocorrelation([0, 1], np.ones((2, 1))).diffusivity(0.6, 1), "expected two or more, because"),
]


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_refusals(call, text):
    with pytest.raises((ValueError, TypeError), match=text) as error:
        call()
    assert ", because " in str(error.value)


@functools.cache
def corrugated():
    """D9: V = A cos x."""
    V = ds.models.Overdamped(lambda t, x: 0.9 * tf.reduce_sum(tf.cos(x), -1), kT=0.6, mobility=0.5)
    x0 = 2 * np.pi * ds.random.uniform(ds.key(18), [4_000, 1], F64)
    watch = {"msd": ds.Every(an.MSD(levels=4), n=40, since=20.0)}
    return ds.solve(V.law, x0, (0, 420), dt=0.1, stepper=ds.Observed(ds.SRA1(), watch), key=KEY, jit=False).seen["msd"]


@pytest.mark.slow
def test_effective_diffusion():
    """D9: D_eff = μkT/I₀(A/kT)²."""
    found = corrugated().diffusivity(40.0, 120.0)
    exact = 0.3 / i0(1.5) ** 2
    assert found.error < 0.03 * exact
    agrees(*found, exact)
    assert abs(found.value - 0.3) > 20 * found.error
