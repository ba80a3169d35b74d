"""Laws run back in time: forwards, then back with the exact score, gives the law of the start.

Kolmogorov–Smirnov at 1e-5, moments at five standard errors; each with a control that must fail.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import diffsim as ds

F64 = tf.float64
KEY = ds.key(37)
N = 10_000
A, D, T = 0.9, 0.7, 1.2  # dX = −aX dt + √(2D) dW
MIXTURE = ((0.3, -1.0, 0.4), (0.7, 1.5, 0.6))  # weights, means, widths


def at(t):
    """Weights, means and variances of the mixture at t."""
    decay = tf.exp(-A * tf.cast(t, F64))
    w, m, s = (tf.constant(c, F64) for c in zip(*MIXTURE, strict=True))
    return w, m * decay, s**2 * decay**2 + D / A * (1 - decay**2)


def score(t, x):
    """∇ ln p of the mixture."""
    w, m, v = at(t)
    gap = x[..., None] - m
    odds = tf.nn.softmax(tf.math.log(w / tf.sqrt(v)) - gap**2 / (2 * v), -1)
    return tf.reduce_sum(-odds * gap / v, -1)


def cdf(x):
    """Of the mixture at the start."""
    return sum(w * stats.norm.cdf(x, m, s) for w, m, s in MIXTURE)


def mixture(n=N):
    """Samples of the start."""
    rng = np.random.default_rng(5)
    first = rng.random(n) < MIXTURE[0][0]
    (_, m0, s0), (_, m1, s1) = MIXTURE
    return np.where(first, rng.normal(m0, s0, n), rng.normal(m1, s1, n))


def fits(x, law=cdf):
    return stats.kstest(x, law).pvalue > 1e-5


FORWARD = ds.Equation(linear=-A, diffusion=(2 * D) ** 0.5)
BACK = np.linspace(1, 0, 121)


def back(law, x, mesh=T * BACK, **options):
    return ds.solve(law, x, mesh, key=ds.key(41), jit=False, **options).final.numpy()


@pytest.fixture(scope="module")
def end():
    return ds.solve(FORWARD, mixture(), (0, T), key=KEY, jit=False).final.numpy()


@pytest.mark.parametrize("eta", [0.0, 1.0, pytest.param(0.4, marks=pytest.mark.slow),
                                 pytest.param(2.5, marks=pytest.mark.slow)])
def test_a_mixture_is_undone_whatever_the_noise(end, eta):
    """G5: marginals do not depend on η; another η in the noise alone fails."""
    law = FORWARD.reversed(score, eta)
    assert (law.diffusion is None) == (eta == 0.0)
    stepper = ds.Heun()
    assert fits(mixture()) and not fits(end)
    assert fits(back(law, end, stepper=stepper))
    wrong = dataclasses.replace(law, diffusion=(2 * D * (eta + 1.0)) ** 0.5)
    assert not fits(back(wrong, end, stepper=stepper))


@pytest.mark.slow
def test_the_exponential_stepper_runs_back_too(end):
    """The linear part exactly: ETD1 on a law that grows backwards."""
    assert fits(back(FORWARD.reversed(score), end, stepper=ds.ETD1()))


# State-dependent noise: dX = μX dt + σX dW from a lognormal start, in each calculus

MU, SIGMA, SPREAD = 0.3, 0.5, 0.3


def scale(t, x):
    """σx."""
    return SIGMA * x


def grow(t, x):
    """μx."""
    return MU * x


@dataclasses.dataclass(frozen=True)
class LogScore:
    """∇ ln p of a lognormal law whose ln X has the mean m·t and the variance s² + σ²t."""

    m: float

    def __call__(self, t, x):
        v = SPREAD**2 + SIGMA**2 * t
        return -(1 + (tf.math.log(x) - self.m * t) / v) / x


OTHERS = [pytest.param(c, marks=pytest.mark.slow) for c in (ds.Stratonovich, ds.Isothermal)]


@pytest.mark.parametrize("calculus", [ds.Ito, *OTHERS])
def test_noise_that_depends_on_the_state(calculus):
    """In each calculus; the score of another one fails."""
    t, n = 0.8, 10_000
    drift = MU - SIGMA**2 / 2 + calculus.point * SIGMA**2
    rng = np.random.default_rng(6)
    y = rng.normal(0, SPREAD, n) + drift * t + SIGMA * t**0.5 * rng.normal(size=n)
    law = ds.Equation(drift=grow, diffusion=scale, calculus=calculus())
    mesh = np.linspace(t, 0, 81)
    x = back(law.reversed(LogScore(drift), 0.7), np.exp(y), mesh, stepper=ds.Heun())
    assert fits(np.log(x), stats.norm(0, SPREAD).cdf)
    other = dataclasses.replace(law, calculus=ds.Ito() if calculus is not ds.Ito else ds.Isothermal())
    x = back(other.reversed(LogScore(drift)), np.exp(y), mesh, stepper=ds.Heun())
    assert not fits(np.log(x), stats.norm(0, SPREAD).cdf)


def whirl(t, x, dN):
    """A map that mixes: (1 + x₁²/4)^½ times a rotation by x₀, of dN."""
    c, s, r = tf.cos(x[..., 0]), tf.sin(x[..., 0]), tf.sqrt(1 + x[..., 1] ** 2 / 4)
    return tf.stack([r * (c * dN[..., 0] - s * dN[..., 1]), s * dN[..., 0] + c * dN[..., 1]], -1)


def test_the_divergence_of_noise_that_mixes_entries():
    """∇·D by differences: D = g gᵀ/2 of a matrix g; and D s."""
    x = tf.constant(np.random.default_rng(7).normal(size=(4, 2)))
    s = tf.constant(np.random.default_rng(8).normal(size=(4, 2)))

    def D(x):
        g = tf.stack([whirl(0.0, x, tf.broadcast_to(tf.one_hot(k, 2, dtype=F64), x.shape)) for k in (0, 1)], -1)
        return (g @ tf.linalg.matrix_transpose(g) / 2).numpy()

    h, divergence = 1e-5, 0.0
    for j in (0, 1):
        e = h * np.eye(2)[j]
        divergence = divergence + (D(x + e) - D(x - e))[:, :, j] / (2 * h)
    law = ds.Equation(diffusion=ds.NoiseMap(whirl)).reversed(lambda t, x: s, eta=0.6).of_state(x)
    expected = -1.6 * (divergence + np.einsum("nij,nj->ni", D(x), s.numpy()))
    assert np.abs(law.drift(0.0, x).numpy() - expected).max() < 1e-8
    kick = law.kick(0.0, x, tf.ones_like(x)).numpy()
    assert np.abs(kick - 0.6**0.5 * whirl(0.0, x, tf.ones_like(x)).numpy()).max() < 1e-14


def test_correlated_noise():
    """C s enters, not s: a Gaussian of covariance Σ + Ct back to Σ."""
    C, S, t, n = np.array([[1.5, 0.6], [0.6, 0.7]]), np.array([[0.4, -0.1], [-0.1, 0.3]]), 0.6, 10_000
    rng = np.random.default_rng(9)
    x = rng.multivariate_normal([0, 0], S + C * t, n)
    inverse = lambda t: tf.linalg.inv(tf.constant(S) + tf.constant(C) * t)  # noqa: E731
    law = ds.Equation(diffusion=1.0, noise=ds.Correlated(C)).reversed(lambda t, x: -tf.linalg.matvec(inverse(t), x))
    y = back(law, x, np.linspace(t, 0, 61), stepper=ds.Heun())
    for i, j in ((0, 0), (0, 1), (1, 1)):
        product = y[:, i] * y[:, j]
        assert abs(product.mean() - S[i, j]) < 5 * product.std() / np.sqrt(n) + 0.005
        assert abs(product.mean() - (S + C * t)[i, j]) > 10 * product.std() / np.sqrt(n)


REFUSED = {
    "score": (lambda: FORWARD.reversed(None), "along the path"),
    "eta": (lambda: FORWARD.reversed(score, -1.0), "share of noise"),
    "memory": (lambda: ds.Equation(diffusion=1.0, order=0.5).reversed(score), "no Markov process"),
    "flights": (lambda: ds.Equation(diffusion=1.0, noise=ds.AlphaStable(1.5)).reversed(score), "Brownian motion"),
    "correlated": (
        lambda: ds.Equation(diffusion=scale, noise=ds.Correlated(np.eye(2))).reversed(score),
        "independent noise",
    ),
    "isothermal": (
        lambda: ds.Equation(diffusion=ds.NoiseMap(whirl), calculus=ds.Isothermal()).reversed(score),
        "that of a mobility",
    ),
    "everyone": (
        lambda: back(ds.Equation(diffusion=lambda t, x: tf.reduce_mean(x) + 0 * x).reversed(score), np.ones((4, 2))),
        "vector by vector",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    make, says = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=says) as error:
        make()
    assert ": expected " in str(error.value) and ", because " in str(error.value)
