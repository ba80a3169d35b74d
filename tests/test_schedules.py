"""Noise schedules and step meshes: closed forms, inverses, published tables, refusals."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim import generative as gen

CONTINUOUS = [gen.VP(), gen.VP(0.3, 7.0), gen.VP(3.0, 3.0), gen.SubVP(), gen.VE(), gen.VE(0.3, 7.0), gen.EDM(), gen.Cosine(),
              gen.Sigmoid(), gen.Sigmoid(0.0, 3.0), gen.ScaledLinear(), gen.CondOT(), gen.CondOT(3.0)]
STABLE = gen.Discrete.scaled_linear()
DISCRETE = [gen.Discrete.linear(), gen.Discrete.cosine(100), gen.Discrete.sigmoid(), STABLE, STABLE.zero_terminal()]


@pytest.mark.parametrize("schedule", CONTINUOUS + DISCRETE, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(("dtype", "tolerance"), [(tf.float64, 1e-13), (tf.float32, 3e-6)], ids=["float64", "float32"])
def test_time_and_scales_invert_lambda(schedule, dtype, tolerance):
    t = tf.constant(np.linspace(0.003, 0.997, 97) * schedule.end, dtype)
    lam = schedule.lam(t)
    alpha, sigma = schedule.scales(lam)
    assert lam.dtype == alpha.dtype == sigma.dtype == dtype
    assert (np.diff(lam) < 0).all()
    np.testing.assert_allclose(schedule.time(lam), t, rtol=0, atol=tolerance * schedule.end)
    np.testing.assert_allclose(alpha, schedule.alpha(t), rtol=4 * tolerance)
    np.testing.assert_allclose(sigma, schedule.sigma(t), rtol=4 * tolerance)
    np.testing.assert_allclose(tf.math.log(alpha / sigma), lam, rtol=4 * tolerance, atol=4 * tolerance)


@pytest.mark.parametrize("schedule", CONTINUOUS + DISCRETE, ids=lambda s: type(s).__name__)
def test_the_ends_are_finite(schedule):
    """Pure data and pure noise are λ = ±40, where scales are 0 and 1 to rounding, and times lie at the ends."""
    for dtype in (tf.float32, tf.float64):
        lam = tf.constant([40.0, -40.0], dtype)
        alpha, sigma = schedule.scales(lam)
        values = tf.stack([alpha, sigma, schedule.time(lam), schedule.lam(tf.constant([0.0, schedule.end], dtype))])
        assert np.isfinite(values).all()
        assert float(sigma[0]) < 1e-17 < 0.999 < float(alpha[0])
        if type(schedule) not in (gen.VE, gen.EDM):
            assert float(alpha[1]) < 1e-17 and float(sigma[1]) > 0.999


def numerically(f, t, h=1e-5):
    return (f(t + h) - f(t - h)).numpy() / (2 * h)


@pytest.mark.parametrize("schedule", CONTINUOUS, ids=lambda s: type(s).__name__)
def test_rates_are_those_of_the_marginals(schedule):
    """dm/dt = f m and dv/dt = 2fv + g² give mean α and variance σ²."""
    t = np.linspace(0.1, 0.9, 7) * schedule.end
    f, square = (r.numpy() for r in schedule.rates(t))
    alpha, variance = schedule.alpha(t).numpy(), schedule.variance(t).numpy()
    np.testing.assert_allclose(f * alpha, numerically(schedule.alpha, t), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(2 * f * variance + square, numerically(schedule.variance, t), rtol=1e-6, atol=1e-9)
    slopes = schedule.slopes(t)
    np.testing.assert_allclose(slopes[0], f * alpha, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slopes[1], numerically(schedule.sigma, t), rtol=1e-6, atol=1e-9)


def test_rates_of_the_laws_in_the_literature():
    t = np.linspace(0.05, 0.95, 7)
    beta = 0.1 + 19.9 * t
    for schedule, f, square in (
        (gen.VP(), -beta / 2, beta),
        (gen.SubVP(), -beta / 2, beta * (1 - np.exp(-2 * (0.1 * t + 9.95 * t * t)))),
        (gen.VE(0.01, 50.0), 0 * t, 2 * np.log(5000.0) * (0.01 * 5000.0**t) ** 2),
        (gen.EDM(), 0 * t, 2 * t),
        (gen.CondOT(), -1 / (1 - t), 2 * t / (1 - t)),
        (gen.ScaledLinear(0.85, 12.0), None, (0.85**0.5 + (12.0**0.5 - 0.85**0.5) * t) ** 2),
    ):
        rates = schedule.rates(t)
        np.testing.assert_allclose(rates[1], square, rtol=1e-11)
        if f is not None:
            np.testing.assert_allclose(rates[0], f, rtol=1e-12, atol=0)
    np.testing.assert_allclose(gen.VP().log_alpha(t), -0.25 * t * t * 19.9 - 0.5 * 0.1 * t, rtol=1e-14)


def test_tables_of_discrete_steps():
    """Stable Diffusion's published values; products of 1 − β otherwise; the limit of many steps is continuous."""
    a = STABLE.alphas_cumprod
    np.testing.assert_allclose(a[[0, -1]], [0.99915, 0.0046601], rtol=1e-5)
    np.testing.assert_allclose(np.exp(-STABLE.table[[0, -1]]), [0.029167, 14.61464], rtol=2e-5)
    betas = np.linspace(1e-4, 0.02, 1000)
    a, direct = gen.Discrete.linear().alphas_cumprod, 1.0
    for beta in betas[:500]:
        direct *= 1 - beta
    assert a[499] == pytest.approx(direct, rel=1e-12)
    n = np.arange(100)
    bar = np.cos((np.append(n / 100, 1.0) + 0.008) / 1.008 * np.pi / 2) ** 2
    cosine = gen.Discrete.cosine(100).alphas_cumprod
    np.testing.assert_allclose(cosine[:-1], bar[1:-1] / bar[0], rtol=1e-12)
    assert cosine[-1] == pytest.approx(cosine[-2] * 1e-3, rel=1e-9)  # β is capped at 0.999
    ratio = np.diff(np.log(gen.Discrete.sigmoid(1000, 0.1, 0.2).alphas_cumprod))
    assert ratio[498] == pytest.approx(np.log(1 - 0.1 - 0.1 / (1 + np.exp(6 - 12 * 499 / 999))), rel=1e-12)
    fine = gen.Discrete.linear(20_000, 0.1 / 20_000, 20.0 / 20_000)
    t = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(fine.lam(t * 20_000 - 1), gen.VP().lam(t), atol=2e-3)
    rescaled = STABLE.zero_terminal()
    assert rescaled.alphas_cumprod[-1] == 0.0 and rescaled.alphas_cumprod[0] == pytest.approx(STABLE.alphas_cumprod[0])
    assert rescaled.table[-1] == -40.0
    steps = rescaled.alphas_cumprod**0.5 - STABLE.alphas_cumprod**0.5
    assert (np.diff(steps) < 0).all()  # signal is taken away more and more towards the end


def test_networks_of_steps_get_whole_numbers():
    n = np.array([0.0, 1.0, 400.0, 999.0])
    lam = tf.cast(STABLE.lam(n), tf.float32)
    np.testing.assert_array_equal(STABLE.label(lam), n)
    np.testing.assert_array_equal(STABLE.label(lam - 1e-4)[1:3], n[1:3])
    between = gen.Discrete(STABLE.alphas_cumprod, rounded=False)
    np.testing.assert_allclose(between.label(STABLE.lam(n + [0.25, 0.25, 0.25, 0.0])), n + [0.25, 0.25, 0.25, 0.0])


def test_meshes_of_noise_levels():
    mesh = gen.karras(10, 0.03, 14.6)
    u = np.linspace(0, 1, 10)
    levels = (14.6 ** (1 / 7) + u * (0.03 ** (1 / 7) - 14.6 ** (1 / 7))) ** 7
    np.testing.assert_allclose(mesh.sigma[:-1], levels, rtol=1e-12)
    assert mesh.steps == 10 and len(mesh) == 11 and mesh.lam[-1] == 40.0
    assert (np.diff(mesh.lam) > 0).all() and (np.diff(mesh.reversed().lam) < 0).all()
    np.testing.assert_array_equal(np.asarray(mesh), mesh.lam)
    ends = [gen.karras(7, 0.2, 5.0, to_zero=False), gen.exponential(7, 0.2, 5.0, to_zero=False),
            gen.uniform_sigma(7, 0.2, 5.0, to_zero=False)]
    for m in ends:
        assert m.steps == 7
        np.testing.assert_allclose(m.sigma[[0, -1]], [5.0, 0.2], rtol=1e-12)
    np.testing.assert_allclose(np.diff(ends[1].lam), np.log(25.0) / 7, rtol=1e-12)
    np.testing.assert_allclose(np.diff(ends[2].sigma), -4.8 / 7, rtol=1e-12)
    np.testing.assert_allclose(gen.karras(7, 0.2, 5.0, rho=1.0, to_zero=False).sigma, ends[2].sigma, rtol=1e-12)
    np.testing.assert_allclose(gen.uniform_lambda(4, -1.0, 3.0).lam, [-1, 0, 1, 2, 3])


def test_meshes_of_a_schedule():
    mesh = gen.uniform_time(gen.VP(), 5, last=0.001)
    np.testing.assert_allclose(mesh.t, np.linspace(1, 0.001, 6), rtol=1e-12)
    assert gen.uniform_time(gen.Cosine(), 5).lam[[0, -1]].tolist() == [-40.0, 40.0]
    mesh = gen.karras(5, 0.1, 10.0, schedule=gen.VP())
    np.testing.assert_allclose(gen.VP().lam(mesh.t[:-1]), mesh.lam[:-1], rtol=1e-12)
    n = [np.round(m.t[:-1]).astype(int).tolist() for m in (
        gen.leading(STABLE, 4), gen.leading(STABLE, 4, offset=1), gen.leading(STABLE, 4, skip_first=True),
        gen.trailing(STABLE, 4), gen.trailing(STABLE, 3), gen.linspace(STABLE, 4), gen.linspace(STABLE, 4, skip_first=True))]
    assert n == [[750, 500, 250, 0], [751, 501, 251, 1], [800, 600, 400, 200], [999, 749, 499, 249], [999, 666, 332],
                 [999, 666, 333, 0], [999, 749, 500, 250]]
    assert gen.leading(STABLE, 4, to_zero=False).steps == 3  # its last step would lead from n = 0 to n = 0
    assert gen.leading(STABLE, 4, offset=1, to_zero=False).t[-1] == 0.0
    between = gen.linspace(STABLE, 3, rounded=False)
    assert between.sigma[1] == pytest.approx(np.exp(-STABLE.table[499:501]).mean(), rel=1e-12)
    assert gen.trailing(STABLE.zero_terminal(), 4).lam[0] == -40.0


REFUSED = {
    "beta": (lambda: gen.VP(-0.1), "β"),
    "betas swapped": (lambda: gen.ScaledLinear(3.0, 1.0), "beta_min"),
    "sigmas swapped": (lambda: gen.VE(3.0, 1.0), "sigma_min"),
    "no noise": (lambda: gen.EDM(0.0), "sigma_max"),
    "sigmoid": (lambda: gen.Sigmoid(1.0, 1.0), "first"),
    "shift": (lambda: gen.CondOT(0.0), "shift"),
    "offset of the cosine": (lambda: gen.Cosine(-1.0), "finite number ≥ 0"),
    "ᾱ that rises": (lambda: gen.Discrete([0.5, 0.9]), "fall"),
    "ᾱ of one": (lambda: gen.Discrete([1.0, 0.9]), "below one"),
    "ᾱ that is not finite": (lambda: gen.Discrete([0.9, np.nan]), "finite"),
    "β beyond one": (lambda: gen.Discrete.of([0.1, 1.5]), "(0, 1]"),
    "one step": (lambda: gen.Discrete.linear(1), "≥ 2"),
    "mesh up and down": (lambda: gen.Mesh([0.0, 2.0, 1.0]), "throughout"),
    "mesh that is not finite": (lambda: gen.Mesh([0.0, np.inf]), "finite"),
    "levels swapped": (lambda: gen.karras(10, 3.0, 1.0), "sigma_min"),
    "no levels": (lambda: gen.karras(1, 0.1, 1.0), "≥ 2"),
    "λ swapped": (lambda: gen.uniform_lambda(3, 1.0, -1.0), "noise to data"),
    "times beyond the schedule": (lambda: gen.uniform_time(gen.VP(), 3, first=2.0), "≤ 1"),
    "leading of a continuous schedule": (lambda: gen.leading(gen.VP(), 3), "Discrete"),
    "too many steps": (lambda: gen.linspace(gen.Discrete.cosine(10), 11), "≤ 10"),
    "offset beyond the last step": (lambda: gen.leading(gen.Discrete.cosine(10), 10, offset=1), "offset"),
    "times of no schedule": (lambda: gen.karras(3, 0.1, 1.0).t, "schedule="),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    build, word = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        build()
    assert word in str(error.value)
