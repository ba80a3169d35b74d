"""Guidance by embeddings, where the tilted law is known, and against angles and differences."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from test_generated import example

M, C = np.array([0.5, -1.0, 2.0]), np.array([[0.8, 0.3, 0.0], [0.3, 0.5, -0.1], [0.0, -0.1, 0.4]])
DATA = gen.Gaussian(M, C)
MIX = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
B = np.array([[1.0, 0.5, 0.0], [0.2, -1.0, 0.7]])
E = np.array([0.6, -0.4])


def projected(x):
    """A linear encoder."""
    return tf.linalg.matvec(tf.constant(B, x.dtype), x)


def inner(a, b):
    """A linear score."""
    return tf.reduce_sum(a * b, -1)


def flow(denoiser, z, first=-7.0):
    mesh = gen.uniform_lambda(150, first, 8.0)
    return ds.solve(gen.probability_flow(denoiser), z, t=mesh, stepper=ds.ETDRK4(), jit=False).final.numpy()


def test_a_linear_score_moves_a_gaussian_as_bayes_has_it():
    """N(m, C) e^{κ e·Bx} is N(m + κ C Bᵀe, C): the flow's image of m, which is affine, lies there; its spread stays."""
    kappa, start = 1.7, np.exp(7.0)
    z = M + start * np.concatenate([np.zeros((1, 3)), np.eye(3)])
    plain = flow(DATA, z)
    ends = flow(gen.align(DATA, projected, E, kappa, score=inner), z)
    np.testing.assert_allclose(ends - plain, np.tile(kappa * C @ B.T @ E, (4, 1)), atol=2e-3)
    assert np.abs(ends - plain).max() > 0.5


def test_the_mean_responds_to_a_weak_score_as_it_fluctuates():
    """∂⟨x⟩/∂κ = Var x for the score e x, of a mixture too: the fluctuation–dissipation theorem, by quantiles."""
    n, kappa = 401, 0.02
    u = (np.arange(n) + 0.5) / n
    z = np.exp(7.0) * tf.math.ndtri(u).numpy()[:, None]
    means = [flow(gen.align(MIX, tf.identity, [1.0], k, score=inner), z).mean() for k in (kappa, -kappa)]
    variance = float(MIX.moments()[1].item())
    assert (means[0] - means[1]) / (2 * kappa) == pytest.approx(variance, rel=0.01)


def test_an_encoder_of_noisy_images_tilts_a_mixture_exactly():
    """Parts without width, weights wₖ: with log E[e^{κ cos θ} | z] it is the denoiser of weights ∝ wₖ e^{κ cos θₖ}."""
    angle = 2 * np.pi * np.arange(5) / 5
    places, weights, kappa = np.stack([np.cos(angle), np.sin(angle)], 1), np.arange(1.0, 6.0), 2.3
    cosine = gen.cosine_similarity(tf.constant(places), tf.constant([0.3, 0.8], tf.float64)).numpy()
    ring = gen.Mixture(weights, places, np.zeros(5))
    tilted = gen.Mixture(weights * np.exp(kappa * cosine), places, np.zeros(5))

    def log_p(z, lam):
        return tilted.log_density(z, lam) - ring.log_density(z, lam)

    z = tf.constant(np.random.default_rng(0).normal(size=(12, 2)))
    lam = tf.constant(0.2, tf.float64)
    np.testing.assert_allclose(gen.classify(ring, log_p)(z, lam), tilted(z, lam), atol=1e-12)
    rough = gen.align(ring, tf.identity, [0.3, 0.8], kappa)(z, lam) - ring(z, lam)
    right = tilted(z, lam) - ring(z, lam)
    assert np.mean(np.sum(rough * right, -1) > 0) > 0.9  # at the estimate: about the right way, not exact
    assert np.abs(rough - right).max() > 0.01


@pytest.mark.parametrize("score", [gen.cosine_similarity, gen.spherical_similarity])
def test_guidance_is_the_gradient_of_the_score_of_the_estimate(score):
    """Against central differences of score(f(D(z)), e), for a curved f, with one embedding for each sample."""
    rng, lam, h, kappa = np.random.default_rng(1), tf.constant(0.4, tf.float64), 1e-5, 0.7
    z, e = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))

    def encode(x):
        return tf.sin(projected(x)) + 0.3

    def at(z):
        return score(encode(DATA(tf.constant(z), lam)), tf.constant(e)).numpy()

    slope = np.stack([(at(z + h * d) - at(z - h * d)) / (2 * h) for d in np.eye(3)], 1)
    moved = gen.align(DATA, encode, e, kappa, score=score)(tf.constant(z), lam) - DATA(tf.constant(z), lam)
    np.testing.assert_allclose(moved, kappa * np.exp(-0.8) * slope, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_similarities_are_those_of_the_angle(dtype):
    """cos θ and 1 − θ²/2 whatever the lengths, slopes too: −sin θ, which fades, and −θ, which does not; finite at 0 and π."""
    eps = np.finfo(dtype.as_numpy_dtype).eps
    theta = tf.constant([0.0, 1e-6, 1e-3, 0.02, 0.5, 2.0, 3.1, np.pi], dtype)
    away = tf.constant([2.0, 0.0], dtype)
    for score, value, slope in ((gen.cosine_similarity, np.cos, lambda a: -np.sin(a)),
                                (gen.spherical_similarity, lambda a: 1 - a**2 / 2, lambda a: -a)):  # fmt: skip
        with tf.GradientTape() as tape:
            tape.watch(theta)
            found = score(0.3 * tf.stack([tf.cos(theta), tf.sin(theta)], -1), away)
        moves = tape.gradient(found, theta).numpy()
        assert np.isfinite(moves).all()
        np.testing.assert_allclose(found[:-1], value(theta.numpy())[:-1], atol=40 * eps)
        np.testing.assert_allclose(moves[:-1], slope(theta.numpy())[:-1], atol=400 * eps)
        assert float(found[-1]) == pytest.approx(value(np.pi), abs=float(40 * eps**0.5))


def test_another_text_or_strength_is_the_same_program():
    traces = []

    def encode(x):
        traces.append(1)
        return projected(x)

    def run(e, kappa):
        law = gen.reverse_sde(gen.align(DATA, encode, e, kappa))
        z = gen.prior(gen.karras(4, 0.1, 5.0), (3, 3), ds.key(1))
        return ds.solve(law, z, gen.karras(4, 0.1, 5.0), stepper=ds.ETD1(), key=ds.key(2), jit=False).final.numpy()

    first = run(E, 2.0)
    before = len(traces)
    others = [run(-E, 2.0), run(E, 5.0)]
    assert len(traces) == before and all(np.abs(x - first).max() > 1e-3 for x in others)


Z = tf.zeros([2, 3], tf.float64)
REFUSED = {
    "no encoder": (lambda: gen.align(DATA, "clip", E), "encode='clip'"),
    "no denoiser": (lambda: gen.align(None, projected, E), "denoiser=None"),
    "a score by name": (lambda: gen.align(DATA, projected, E, score="cosine"), "score='cosine'"),
    "an embedding of NaN": (lambda: gen.align(DATA, projected, [np.nan, 1.0]), "embedding.*finite"),
    "an embedding of nothing": (lambda: gen.align(DATA, projected, np.zeros(2)), "embedding=zero"),
    "token by token": (lambda: gen.align(DATA, projected, np.ones((1, 7, 2))), "embedding=.*mean over tokens"),
    "a strength of NaN": (lambda: gen.align(DATA, projected, E, np.nan), "scale=nan"),
    "another space": (lambda: gen.align(DATA, projected, np.ones(5))(Z, 0.0), "encode=.*one space"),
    "another batch": (lambda: gen.align(DATA, projected, np.ones((3, 2)))(Z, 0.0), "encode=.*one space"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_misuse_is_refused_in_four_parts(case):
    call, match = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=f"(?s){match}") as error:
        call()
    assert "because" in str(error.value)


@pytest.mark.slow
def test_words_lead_a_network_that_knows_none():
    pytest.importorskip("sklearn")
    seen = example("65_digits_by_words").main(fast=True)
    assert seen["no words"] < 0.1 + 5 * 0.03  # by chance, 5σ of a hundred
    assert min(seen["by cosine"], seen["by angle"]) >= 0.9
