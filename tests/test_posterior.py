"""Evidence added to a model, where Bayes' rule is known in closed form."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

M, V = np.array([0.5, -1.0, 2.0]), 0.8
PRIOR = gen.Gaussian(M, V)
A = np.array([[1.0, 0.5, 0.0], [0.2, -1.0, 0.7]])
Y, S = np.array([1.2, 0.3]), 0.4
MIX = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])


def law_of(denoiser, n=3, first=-7.0, last=7.0):
    """Mean and covariance at the end of the probability flow, which is affine: from the images of 0 and of unit vectors."""
    z = np.concatenate([np.zeros((1, n)), np.eye(n)]) * np.exp(-first)
    mesh = gen.uniform_lambda(150, first, last)
    ends = ds.solve(gen.probability_flow(denoiser), z, t=mesh, stepper=ds.ETDRK4(), jit=False).final.numpy()
    J = (ends[1:] - ends[0]).T * np.exp(first)
    return ends[0] + J @ M, J @ J.T * (V + np.exp(-2 * first))


def posterior(matrix, y, s):
    """Of y = A x + s n and x ∼ N(M, V)."""
    P = np.linalg.inv(np.eye(3) / V + matrix.T @ matrix / s**2)
    return P @ (M / V + matrix.T @ y / s**2), P


@pytest.mark.parametrize("kind", ["matrix", "mask"])
def test_a_linear_measurement_of_a_gaussian_gives_its_posterior(kind):
    """To the flow's own error; the measurement at the estimate, `dps`, is too sure of itself and misses the spread."""
    mask = np.array([1.0, 0.0, 1.0])
    matrix, y = (A, Y) if kind == "matrix" else (np.diag(mask), np.array([0.1, 0.0, 2.5]))
    operator = gen.Linear(A) if kind == "matrix" else gen.Masked(mask)
    mean, P = posterior(matrix, y, S)
    found, C = law_of(gen.pigdm(PRIOR, operator, y, S, data_std=V**0.5))
    np.testing.assert_allclose(found, mean, atol=2e-3)
    np.testing.assert_allclose(C, P, atol=2e-3)
    rough = law_of(gen.dps(PRIOR, operator, y, S))[1]
    assert np.abs(rough - P).max() > 0.02


def test_a_classifier_of_noisy_data_makes_the_conditional_denoiser():
    """log p(class | z) of a mixture, known at every λ, turns its denoiser into that of one part: to rounding."""
    parts = [gen.Gaussian([-1.0], 0.16), gen.Gaussian([1.5], 0.36)]

    def log_p(z, lam):
        return np.log(0.7) + parts[1].log_density(z, lam) - MIX.log_density(z, lam)

    z = tf.constant(np.linspace(-3, 4, 15)[:, None])
    for lam in (tf.constant(-0.7, tf.float64), tf.constant(np.linspace(-2, 2, 15))):
        np.testing.assert_allclose(gen.classify(MIX, log_p)(z, lam), parts[1](z, lam), atol=1e-12)
    double = gen.classify(MIX, log_p, scale=2.0)(z, lam) - MIX(z, lam)
    np.testing.assert_allclose(double, 2 * (parts[1](z, lam) - MIX(z, lam)), atol=1e-11)


def test_steering_follows_the_gradient_through_the_estimate():
    """Against central differences of log p(D(z)); a nonlinear measurement is the same with its misfit."""
    z, lam, h = np.array([[0.3], [1.1]]), tf.constant(0.4, tf.float64), 1e-5

    def log_p(x):
        return tf.reduce_sum(tf.sin(2 * x) - x**2, -1)

    def at(z):
        return log_p(MIX(tf.constant(z), lam)).numpy()

    slope = (at(z + h) - at(z - h)) / (2 * h)
    moved = gen.steer(MIX, log_p, 0.7)(tf.constant(z), lam) - MIX(tf.constant(z), lam)
    np.testing.assert_allclose(moved[:, 0], 0.7 * np.exp(-0.8) * slope, rtol=1e-7)
    by_misfit = gen.dps(MIX, tf.exp, np.array([0.5]), 0.3)
    by_hand = gen.steer(MIX, lambda x: -tf.reduce_sum((0.5 - tf.exp(x)) ** 2, -1) / (2 * 0.09))
    np.testing.assert_allclose(by_misfit(tf.constant(z), lam), by_hand(tf.constant(z), lam), rtol=1e-12)


def test_what_is_known_stays_and_its_noisy_copy_has_the_marginal():
    """z of a known number is N(x₀, e^{−2λ}) on the way (5σ on mean and variance, 20,000 runs) and x₀ at the end."""
    known, mask, n = np.array([0.9, 0.0]), np.array([1.0, 0.0]), 20_000
    denoiser = gen.inpaint(gen.Gaussian([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]]), known, mask)
    mesh = gen.uniform_lambda(12, -4.0, 1.0)
    z = gen.prior(mesh, [n, 2], ds.key(1), tf.float64)
    law = gen.reverse_sde(denoiser, 1.0)
    half = ds.solve(law, z, t=mesh, stepper=ds.ETD1(), key=ds.key(2), jit=False).final.numpy()[:, 0]
    assert abs(half.mean() - 0.9) < 5 * np.exp(-1.0) / np.sqrt(n) + 1e-3  # what the prior left fades as e^{−10}
    assert abs(half.var() / np.exp(-2.0) - 1) < 5 * np.sqrt(2 / n) + 1e-3
    rest = ds.solve(law, half[:, None] * np.ones(2), t=gen.uniform_lambda(4, 1.0, 40.0), stepper=ds.ETD1(),
                    key=ds.key(3), jit=False)  # fmt: skip
    np.testing.assert_allclose(rest.final[:, 0], 0.9, atol=1e-12)
    assert np.std(rest.final[:, 1]) > 0.1


def test_rescaled_guidance_keeps_contrast_and_lasts_for_an_interval():
    z, low = tf.constant(np.random.default_rng(0).normal(size=(3, 8))), gen.Gaussian(np.zeros(8), 1.0)
    high = gen.Gaussian(np.linspace(-1, 1, 8), 0.25)
    options = {"unconditional": low, "scale": 5.0}
    full = gen.guide(high, **options, rescale=1.0)
    for lam in (tf.constant(0.2, tf.float64), tf.constant([0.2, 0.1, 0.4], tf.float64)):
        np.testing.assert_allclose(np.std(full(z, lam), 1), np.std(high(z, lam), 1), rtol=1e-12)
        part = gen.guide(high, **options, interval=(0.15, 0.3))(z, lam).numpy()
        free, whole = high(z, lam).numpy(), gen.guide(high, **options)(z, lam).numpy()
        inside = (lam.numpy() >= 0.15) & (lam.numpy() <= 0.3) & np.ones(3, bool)
        np.testing.assert_array_equal(part, np.where(inside[:, None], whole, free))
    np.testing.assert_array_equal(gen.guide(high, **options, rescale=0.0)(z, lam), gen.guide(high, **options)(z, lam))


def bent(b):
    """x + b x³, one number of each sample, and its inverse by Cardano."""

    def forward(x):
        return x + b * x**3

    def inverse(y):
        p, q = 1 / (3 * b), y / (2 * b)
        root = tf.sqrt(q * q + p**3)
        return tf.sign(q + root) * tf.abs(q + root) ** (1 / 3) + tf.sign(q - root) * tf.abs(q - root) ** (1 / 3)

    return forward, inverse


def by_quadrature(b, y, s, m=0.5, v=0.8):
    """Mean and variance of p(x | y), y = x + b x³ + s n, x ∼ N(m, v)."""
    x = np.linspace(m - 8 * v**0.5, m + 8 * v**0.5, 20001)
    w = np.exp(-((x - m) ** 2) / (2 * v) - (y - x - b * x**3) ** 2 / (2 * s * s))
    w /= w.sum()
    return w @ x, w @ (x - w @ x) ** 2


def drawn(denoiser, m=0.5, v=0.8):
    """Mean and variance of the end of the flow, by Gauss and Hermite's nodes of its start."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    mesh = gen.uniform_lambda(120, -5.0, 7.0)
    z = m + nodes[:, None] * np.sqrt(v + np.exp(10.0))
    x = ds.solve(gen.probability_flow(denoiser), z, t=mesh, stepper=ds.ETDRK4(), jit=False).final.numpy()[:, 0]
    w = weights / weights.sum()
    return w @ x, w @ (x - w @ x) ** 2


def test_a_nonlinear_measurement_by_its_tangent():
    """Against the posterior by quadrature: off by the bend of A, far less than `dps`; exact as the bend vanishes."""
    prior, y, s = gen.Gaussian([0.5], 0.8), np.array([1.3]), 0.4
    lost = {}
    for b in (0.0, 0.03, 0.06):
        want = np.array(by_quadrature(b, 1.3, s))
        found = drawn(gen.pigdm(prior, gen.Linearised(bent(b)[0]), y, s, data_std=0.8**0.5))
        lost[b] = np.abs(found - want).max()
    rough = np.abs(drawn(gen.dps(prior, bent(0.06)[0], y, s)) - want).max()
    assert lost[0.0] < 2e-3 and lost[0.03] < 0.02 and lost[0.06] < 0.03 and rough > 2 * lost[0.06]
    affine = gen.pigdm(PRIOR, gen.Linearised(lambda x: x @ tf.constant(A.T) + 0.3), Y + 0.3, S, data_std=V**0.5)
    z, lam = tf.constant(np.random.default_rng(2).normal(size=(4, 3))), tf.constant(0.2, tf.float64)
    linear = gen.pigdm(PRIOR, gen.Linear(A), Y, S, data_std=V**0.5)
    np.testing.assert_allclose(affine(z, lam), linear(z, lam), rtol=1e-12)


def test_a_nonlinear_measurement_by_its_inverse():
    """Without noise all that may have been is B(y), which the denoiser knows at every λ; rounding of y leaves a cell."""
    prior, (forward, inverse) = gen.Gaussian([0.5], 0.8), bent(0.3)
    D = gen.pigdm(prior, gen.Inverted(forward, inverse), np.array([[1.3]]), 0.0, data_std=0.8**0.5)
    x = float(inverse(tf.constant(1.3, tf.float64)))
    assert x + 0.3 * x**3 == pytest.approx(1.3, abs=1e-12)
    z = tf.constant([[-2.0], [0.1], [5.0]], tf.float64)
    for lam in (-3.0, 0.0, 4.0):
        np.testing.assert_allclose(D(z, tf.constant(lam, tf.float64)), x, atol=1e-9)
    code = gen.Inverted(lambda x: tf.round(x / 0.5), lambda y: 0.5 * y)  # not differentiable
    D = gen.pigdm(prior, code, np.array([[2.0]]), 0.1, data_std=0.8**0.5)
    end = ds.solve(gen.probability_flow(D), np.array([[-9.0], [3.0], [20.0]]), t=gen.uniform_lambda(60, -2.0, 4.0),
                   stepper=ds.ETD1(), jit=False).final  # fmt: skip
    assert (np.abs(end - 1.0) <= 0.25 + 0.02).all()


@dataclass(frozen=True)
class Known:
    """What `nets` tell of themselves."""

    labels: int = 3
    sample_shape: tuple = (1,)

    def __call__(self, x, t, condition=None):
        return x


def KNOWING(*labels):  # noqa: N802 - it stands for a denoiser
    return gen.from_v(Known(), gen.VP(), np.array(labels) if labels else None)


ONE = gen.Gaussian([0.0], 1.0)
REFUSED = {
    "a tangent of no function": (lambda: gen.pigdm(PRIOR, gen.Linearised(3.0), Y, S), "forward=3"),
    "an inverse of no function": (lambda: gen.pigdm(PRIOR, gen.Inverted(tf.exp, 1.0), Y, S), "inverse=1"),
    "a map that is not linear": (lambda: gen.pigdm(PRIOR, tf.exp, Y, S), "A=.*gen.Linearised"),
    "a matrix of another shape": (lambda: gen.pigdm(PRIOR, gen.Linear(A.T), Y, S), "A=.*y = A x"),
    "a soft mask": (lambda: gen.inpaint(PRIOR, np.zeros(3), np.full(3, 0.5)), "mask=.*zeros and ones"),
    "a mask of numbers": (lambda: gen.pigdm(PRIOR, gen.Masked(np.arange(3.0)), M, S), "mask=.*zeros and ones"),
    "a mask of another shape": (lambda: gen.inpaint(PRIOR, np.zeros(3), np.ones(2)), r"known=.*\(3,\).*\(2,\)"),
    "what a mask does not fit": (lambda: gen.pigdm(PRIOR, gen.Masked(np.ones(2)), M, S), r"y=.*mask, \(2,\)"),
    "a matrix with a gap": (lambda: gen.pigdm(PRIOR, gen.Linear([[np.nan, 0, 1]]), [0.0], S), "matrix=nan"),
    "a tangent of steps": (
        lambda: gen.pigdm(PRIOR, gen.Linearised(tf.round), np.zeros(3), S)(tf.zeros([2, 3]), 0.0), "forward=no gradient"
    ),
    "no answer": (lambda: gen.steer(PRIOR, lambda x: None)(tf.zeros([2, 3]), 0.0), "log_p=.*None"),
    "gaps": (lambda: gen.inpaint(PRIOR, np.array([np.nan, 0, 0]), np.zeros(3)), "known.*Fill"),
    "no noise": (lambda: gen.dps(PRIOR, tf.exp, Y, 0.0), "std=0"),
    "one number for all": (lambda: gen.steer(PRIOR, tf.reduce_sum)(tf.zeros([2, 3]), 0.0), "log_p=.*Sum over"),
    "no gradient": (lambda: gen.classify(PRIOR, lambda z, lam: tf.zeros([2]))(tf.zeros([2, 3]), 0.0), "no gradient"),
    "no function": (lambda: gen.steer(PRIOR, 3.0), "log_p=3"),
    "a share above one": (lambda: gen.guide(MIX, unconditional=MIX, rescale=2.0), "rescale=2"),
    "contrast of one number": (
        lambda: gen.guide(ONE, unconditional=ONE, rescale=0.5)(tf.zeros([2, 1]), 0.0), "z=.*no contrast"
    ),
    "half an interval": (lambda: gen.guide(MIX, unconditional=MIX, interval=2.0), "interval=.*λ_low"),
    "a condition twice": (lambda: gen.guide(KNOWING(0, 2), np.array([0, 2])), "denoiser=one with a condition"),
    "a class beyond the last": (lambda: KNOWING(0, 7), r"condition=\[7\].*from 0 to 2, or 3 for none"),
    "a class before the first": (lambda: gen.guide(KNOWING(), np.array([0, -1])), r"condition=\[-1\]"),
    "a class of no number": (lambda: gen.guide(KNOWING(), 1), "condition=1.*np.full"),
    "a class where none is known": (lambda: gen.from_v(Known(labels=0), gen.VP(), np.array([1])), "knows no classes"),
    "an interval that falls": (lambda: gen.guide(MIX, unconditional=MIX, interval=(2.0, 1.0)), "interval=.*rises"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_misuse_is_refused_in_four_parts(case):
    call, match = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=f"(?s){match}") as error:
        call()
    assert "because" in str(error.value)
