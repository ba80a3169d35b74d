"""Bounds of likelihood against closed forms, and steps with variances of choice.

For data N(m, C) all is known: D has the mean square error s²v/(s² + v) at noise v, the best variance of a step is that of
z_s given z_t, and with it the chain is exact with any number of steps. Statistical tests are at 5σ (6·10⁻⁷).
"""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import training
from diffsim.generative.bound import Cost, Maths
from diffsim.generative.gaussians import surprise
from diffsim.generative.training.draws import Draws
from diffsim.generative.widths import between


def normal(seed, *shape):
    return ds.random.normal(ds.key(seed), shape, tf.float64)


S2, VP = 0.36, gen.VP()  # variance of the data in each of two coordinates
GAUSS = gen.Gaussian([0.0, 0.0], S2)
MIXTURE = gen.Mixture([0.3, 0.7], [[-1.0, 0.4], [1.5, -0.2]], [[0.16, 0.3], [0.36, 0.1]])


def chain(steps, first=-4.0, last=4.0):
    return gen.uniform_lambda(steps, first, last, schedule=VP)


def best(lam):
    """Of the Gaussian, at all λ of a mesh."""
    v = np.exp(-2 * np.asarray(lam))
    return gen.Matched(lam, S2 * v / (S2 + v))


def theory(lam):
    """Variances β̃, β and the best of all steps, and E L_t with each, by arithmetic."""
    v, alpha2 = np.exp(-2 * lam), 1 / (1 + np.exp(-2 * lam))
    (vt, vs), (at, a) = (v[:-1], v[1:]), (alpha2[:-1], alpha2[1:])
    small = vs * (1 - vs / vt)
    large = (1 - at / a) / a  # β = 1 − α_t²/α_s², of x; over α_s² of z
    right = small + (1 - vs / vt) ** 2 * S2 * vt / (S2 + vt)
    return [(S, 2 * 0.5 * (np.log(S / small) + right / S - 1)) for S in (small, large, right)]


def test_each_term_has_its_closed_form():
    """Two coordinates; paired with the best variance, the others lose what the divergence of Gaussians says, as 1/T."""
    n, lost = 2000, []
    for steps in (20, 40, 80):
        mesh = chain(steps)
        x = GAUSS.sample(n, ds.key(1), tf.float64)
        variances = gen.Fixed(0.0), gen.Fixed(1.0), best(mesh.lam)
        found = gen.bound(GAUSS, x, mesh, key=ds.key(2), variance=variances, data_std=S2**0.5, jit=False)
        for b, (_, exact) in zip(found, theory(mesh.lam), strict=True):
            np.testing.assert_array_less(np.abs(b.steps.mean(1) - exact), 5 * b.steps.std(1) / n**0.5)
            assert b.dimensions == 2 and np.array_equal(b.lam, mesh.lam[:-1])
        small, large, right = theory(mesh.lam)
        for b, (S, _) in zip(found[:2], (small, large), strict=True):
            more = b.steps.sum(0) - found[2].steps.sum(0)
            gap = np.sum(np.log(S / right[0]) + right[0] / S - 1)
            assert abs(more.mean() - gap) < 5 * more.std() / n**0.5 and gap > 0
        lost.append(np.sum(np.log(small[0] / right[0]) + right[0] / small[0] - 1))
    slopes = np.log2(np.array(lost[:-1]) / lost[1:])
    assert slopes[1] == pytest.approx(1.0, abs=0.12) and abs(slopes[1] - 1) < 0.7 * abs(slopes[0] - 1)
    v = math.exp(8)
    prior = 0.5 * (np.log((v + S2) / v) + (v + x.numpy() ** 2) / (v + S2) - 1).sum(1)
    np.testing.assert_allclose(found[0].prior, prior, atol=1e-12)


def test_the_best_variance_makes_few_steps_exact():
    """With three steps as with any number: the mean of bound + log p is 0, while β̃ and β are too much by a known sum."""
    n, mesh = 20_000, chain(3, -3.0, 1.0)
    x = GAUSS.sample(n, ds.key(3), tf.float64)
    variances = best(mesh.lam), gen.Fixed(0.0), gen.Fixed(1.0)
    found = gen.bound(GAUSS, x, mesh, key=ds.key(4), variance=variances, data_std=S2**0.5, jit=False)
    exact = -GAUSS.log_density(x, 40.0).numpy()
    away = [b.nats - exact for b in found]
    assert abs(away[0].mean()) < 5 * away[0].std() / n**0.5 < 0.1
    assert all(a.mean() > 20 * a.std() / n**0.5 for a in away[1:])
    entropy = (1 + math.log(2 * math.pi * S2)) / 2 / math.log(2)
    bits, error = found[0].bits_per_dimension()
    assert abs(bits - entropy) < 5 * error
    assert found[0].bits_per_dimension(width=0.25)[0] == pytest.approx(bits + 2)


def test_a_mixture_is_bounded_and_reached():
    """Above the exact entropy with few steps, at it with infinitely many, whose integral is of second order."""
    n = 2000
    x = MIXTURE.sample(n, ds.key(5), tf.float64)
    exact = -MIXTURE.log_density(x, 40.0).numpy()
    end = gen.Continuous(gen.errors(MIXTURE, x, chain(2, 5.0, 6.0), key=ds.key(6), jit=False))
    few = gen.bound(MIXTURE, x, chain(8, -6.0, 6.0), key=ds.key(7), data_std=1.3, jit=False).nats - exact
    many = gen.bound(MIXTURE, x, chain(40, -6.0, 6.0), key=ds.key(7), data_std=1.3, variance=end, jit=False).nats - exact
    assert few.mean() > 10 * few.std() / n**0.5
    assert abs(many.mean()) < 5 * many.std() / n**0.5 + 0.01
    wrong = gen.bound(lambda z, lam: 0.9 * MIXTURE(z, lam), x, chain(40, -6.0, 6.0), key=ds.key(7), variance=end, jit=False)
    assert (wrong.nats - exact).mean() > 1.0


def test_the_integral_of_infinitely_many_steps():
    """∫ e^{2λ} s²v/(s² + v) dλ = ½ log((1 + s²/v₁)/(1 + s²/v_T)) of each coordinate: trapezoids, of second order."""
    n, mesh = 4000, chain(12, -3.0, 3.0)
    x = GAUSS.sample(n, ds.key(8), tf.float64)
    b = gen.bound(GAUSS, x, mesh, key=ds.key(9), variance=gen.Continuous(), jit=False)
    v = np.exp(-2 * mesh.lam)
    f = 2 * S2 / (S2 + v)
    weight = np.gradient(mesh.lam) * np.r_[0.5, np.ones(11), 0.5]
    assert b.steps.shape == (13, n) and np.array_equal(b.lam, mesh.lam)
    np.testing.assert_array_less(np.abs(b.steps.mean(1) - f * weight), 5 * b.steps.std(1) / n**0.5)
    exact, sums = np.log((1 + S2 / v[-1]) / (1 + S2 / v[0])), []
    for k in (1, 2, 4):
        g = 2 * S2 / (S2 + np.exp(-2 * mesh.lam[::k]))
        sums.append(abs(np.trapezoid(g, mesh.lam[::k]) - exact))
    assert sums[0] < 5e-3 * exact and sums[2] / sums[1] > 3


def two(x, t):
    """Noise, and ν between −1 and 1, of a network that tells variances."""
    return tf.concat([0.3 * tf.sin(2 * x) + 0.01 * t[:, None], tf.cos(3 * x)], -1)


STEPS = gen.Discrete.linear(8, 0.01, 0.3)


def test_training_minimises_what_is_counted():
    """L_t of `Hybrid` and of the observable on the same z; at the first time −log of the bin, beside scipy's."""
    loss, n = training.Hybrid(bins=9), 8
    data = np.round(4 * np.tanh(normal(1, 50, 3))) / 4
    b = Draws({"x0": tf.constant(data)}, STEPS, training.Steps(), loss.time, 0, 0.0, n, ds.key(2)).batch(0)
    noise, nu = np.split(two(b["alpha"][:, None] * b["x0"] + b["sigma"][:, None] * b["noise"], b["t"]).numpy(), 2, -1)
    trained = np.asarray(loss.bound(noise, nu, b))
    lam, z = np.log(b["alpha"] / b["sigma"]), b["x0"] + (b["sigma"] / b["alpha"])[:, None] * b["noise"]
    knots = np.sort(STEPS.table)
    counted = []
    for i in range(n):
        row = slice(i, i + 1)
        cost = Cost(gen.from_epsilon(two, STEPS), (gen.ByNetwork(),), b["x0"][row], knots, STEPS, True)
        counted.append(float(cost(lam[i], z[row])[0, 0]) / (3 * math.log(2)))
    late = np.asarray(b["t"]) > 0
    np.testing.assert_allclose(np.array(counted)[late], trained[late], rtol=1e-9)
    x = tf.constant(data[:1])
    whole = gen.bound(gen.from_epsilon(two, STEPS), x, gen.linspace(STEPS, 8), key=ds.key(3), levels=9,
                      variance=gen.ByNetwork(), jit=False)
    k1 = ds.split(ds.key(3))[0]
    z1 = x + math.exp(-STEPS.table[0]) * ds.random.normal(k1, x.shape, tf.float64)
    D, nu = gen.from_epsilon(two, STEPS).both(z1, STEPS.table[0])
    a = STEPS.alphas_cumprod
    log_beta, log_small = math.log(1 - a[0]), math.log((1 - a[1] / a[0]) * (1 - a[0]) / (1 - a[1]))
    s = np.exp(0.5 * (log_small + 0.5 * (nu + 1) * (log_beta - log_small)))
    above, below = np.where(x > 0.99, np.inf, x + 0.125), np.where(x < -0.99, -np.inf, x - 0.125)
    p = norm.cdf((above - D) / s) - norm.cdf((below - D) / s)
    assert whole.decoder[0] == pytest.approx(-np.log(p).sum(), rel=1e-9)


def test_estimates_kept_in_range_bound_closer():
    """Data in [−1, 1]: clipping cuts the error of each step, keeps the network's variance, and is what it says."""
    x, mesh = np.round(4 * np.tanh(normal(12, 30, 3))) / 4, gen.linspace(STEPS, 8)
    far = gen.from_epsilon(lambda x, t: 4 * two(x, t), STEPS)

    def bounds(denoiser, *variances):
        return gen.bound(denoiser, x, mesh, key=ds.key(13), levels=9, jit=False, variance=variances)

    both = gen.Fixed(), gen.ByNetwork()
    for free, kept, wide in zip(*(bounds(d, *both) for d in (far, gen.clip(far), gen.clip(far, -99.0, 99.0))), strict=True):
        assert np.all(kept.steps <= free.steps) and kept.steps.sum() < 0.95 * free.steps.sum()
        np.testing.assert_array_equal(wide.nats, free.nats)
    by_hand = gen.bound(lambda z, lam: tf.clip_by_value(far(z, lam), -1.0, 1.0), x, mesh, key=ds.key(13), levels=9, jit=False)
    np.testing.assert_allclose(bounds(gen.clip(far), gen.Fixed())[0].nats, by_hand.nats, rtol=1e-12)
    with pytest.raises(TypeError, match="denoiser=Clipped: expected one that tells variances"):
        bounds(gen.clip(GAUSS), gen.ByNetwork())


def test_a_network_that_tells_variances_is_heard_through_clipping():
    class Two:
        outputs, sample_shape = 6, (3,)

        def __call__(self, x, t):
            return two(x, t)

    x, told = np.round(4 * np.tanh(normal(14, 5, 3))) / 4, gen.clip(gen.from_epsilon(Two(), STEPS))
    own, (named, fixed) = (gen.bound(told, x, gen.linspace(STEPS, 4), key=ds.key(15), jit=False, **more)
                           for more in ({}, {"variance": (gen.ByNetwork(), gen.Fixed())}))
    np.testing.assert_array_equal(own.nats, named.nats)
    assert not np.array_equal(own.nats, fixed.nats)


def test_bins_far_from_the_mean_keep_their_probability():
    x = np.linspace(-1, 1, 9)
    for mean, std in ((0.3, 0.02), (-0.9, 0.06), (1.2, 0.5)):
        found = surprise(Maths, tf.constant(x), mean, tf.constant(2 * math.log(std), tf.float64), 9, tf.math.erfc, 1e-300)
        a, b = (x - 0.125 - mean) / std, (x + 0.125 - mean) / std
        a[0], b[-1] = -np.inf, np.inf
        low, high = np.where(a + b > 0, -b, a), np.where(a + b > 0, -a, b)  # in the tail that is not near 1
        exact = norm.logcdf(high) + np.log1p(-np.exp(norm.logcdf(low) - norm.logcdf(high)))
        np.testing.assert_allclose(found, np.minimum(-exact, 300 * math.log(10)), rtol=1e-9)


def test_variances_of_published_steps():
    """β̃, β and what lies between, of x, by ᾱ; and what a mean square error makes of them."""
    a = STEPS.alphas_cumprod
    t, s = 5, 3
    step = between(STEPS, STEPS.table[t], STEPS.table[s])
    beta = 1 - a[t] / a[s]
    small = (1 - a[s]) / (1 - a[t]) * beta
    of_x = math.log(a[s])
    assert float(gen.Fixed(0.0).log(step, None)) + of_x == pytest.approx(math.log(small))
    assert float(gen.Fixed(1.0).log(step, None)) + of_x == pytest.approx(math.log(beta))
    half = gen.ByNetwork().log(step, tf.constant([0.0], tf.float32))
    assert half.numpy()[0] + of_x == pytest.approx(0.5 * math.log(beta * small))
    right = gen.Matched([-3.0, 3.0], [0.2, 0.05]).log(step, None)
    v = 1 / a - 1
    share = (STEPS.table[t] + 3) / 6
    exact = v[s] * (1 - v[s] / v[t]) + (1 - v[s] / v[t]) ** 2 * 0.2 ** (1 - share) * 0.05**share
    assert float(right) == pytest.approx(math.log(exact))
    assert gen.Matched([-3.0, 3.0], [0.2, 0.05])(tf.zeros([2, 3]), tf.constant([-4.0, 0.0])).numpy()[:, 0] == pytest.approx([0.2, 0.1])


def bounded(denoiser=MIXTURE, x=np.zeros((2, 2)), mesh=chain(3), **options):  # noqa: B008
    return gen.bound(denoiser, x, mesh, key=ds.key(0), jit=False, **options)


REFUSED = {
    "no function": (lambda: bounded(3), "denoiser=3.*because"),
    "no mesh": (lambda: bounded(mesh=[0.0, 1.0]), "mesh=.*because"),
    "one point": (lambda: bounded(mesh=gen.uniform_lambda(1, 0.0, 40.0)), "mesh=.*at least two.*because"),
    "to noise": (lambda: bounded(mesh=chain(3).reversed()), "mesh=.*at least two that rise.*because"),
    "counts": (lambda: bounded(x=np.zeros((2, 2), int)), "x=.*real numbers.*because"),
    "between levels": (lambda: bounded(x=np.full((2, 2), 0.3), levels=3), "x=.*3 values from −1 to 1.*because"),
    "beyond levels": (lambda: bounded(x=np.full((2, 2), 2.0), levels=3), "x=.*3 values from −1 to 1.*because"),
    "no variance": (lambda: bounded(variance="learned"), "variance=.*because"),
    "no last": (lambda: gen.Continuous(1.0), "last=.*because"),
    "untold": (lambda: bounded(variance=gen.ByNetwork()), "denoiser=.*one that tells variances.*because"),
    "one half": (lambda: bounded(gen.from_epsilon(lambda x, t: x, VP), variance=gen.ByNetwork()), "network=one of 2 channels.*because"),
    "another number": (lambda: bounded(gen.from_epsilon(lambda x, t: x[:, :1], VP)), "network=a result of shape.*because"),
    "share": (lambda: gen.Fixed(np.nan), "share=.*because"),
    "order of errors": (lambda: gen.Matched([1.0, 0.0], [1.0, 1.0]), "lam=.*because"),
    "count of errors": (lambda: gen.Matched([0.0, 1.0], [1.0]), "error=.*because"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_misuse_is_refused(case):
    call, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize("schedule", [gen.Cosine(), gen.CondOT()])
def test_a_bound_that_is_infinite_is_refused_before_training(schedule):
    """At α = 0 the last step of the chain costs infinitely much: a loss that is not a number, said beforehand."""
    from diffsim.generative.nets import MLP
    from diffsim.generative.training import choices

    net = MLP((2,), width=4, depth=1, outputs=4)
    with pytest.raises(ValueError, match=r"ends at λ = -40: expected λ ≥ -16 at its end, because without signal"):
        choices.fits(net, schedule, training.Hybrid())
    choices.fits(net, VP, training.Hybrid())
    choices.fits(MLP((2,), width=4, depth=1), schedule, training.Matching())
