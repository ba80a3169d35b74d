"""Guidance and clipping change the mean of a denoiser that knows how unsure it is, and keep its variance."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim import generative as gen
from diffsim.generative import samplers as S
from diffsim.generative.moments import moments

SCHEDULE = gen.VP()
GAUSS = gen.Gaussian([0.7], 0.09)
Z, LAM, AFTER = tf.constant([[0.4, -1.3], [2.0, 0.1]], tf.float64), -0.5, 0.4


def two(x, t, c=0.0):
    """ε̂ and ν of a network that sees a condition."""
    c = tf.cast(c, x.dtype)
    return tf.concat([0.3 * x + 0.5 * c, 0.0 * x + tf.tanh(c) - 0.2], -1)


def learned():
    return gen.learned(gen.from_epsilon(two, SCHEDULE))


def test_a_learned_variance_is_that_with_the_condition():
    D, c, none, w = learned(), tf.constant(0.8, tf.float64), tf.constant(-1.0, tf.float64), 3.0
    guided = gen.guide(D, c, none, w)
    mean, C = guided.told(Z, LAM, AFTER)
    np.testing.assert_allclose(mean, D(Z, LAM, none) + w * (D(Z, LAM, c) - D(Z, LAM, none)), rtol=1e-12)
    np.testing.assert_allclose(mean, guided(Z, LAM), rtol=1e-12)
    np.testing.assert_allclose(C, D.told(Z, LAM, AFTER, c)[1], rtol=1e-12)
    assert np.abs(C / D.told(Z, LAM, AFTER, none)[1] - 1).min() > 0.1  # without it the network tells another


def test_samples_have_the_variance_that_was_learned():
    """Two estimates that agree leave the law as it is, guided or not; the smaller variance would be another law."""
    mesh = gen.karras(3, 0.05, 20.0, to_zero=False)
    known = gen.unsure(GAUSS, 0.09)
    want = moments(S.ddpm(known, mesh), GAUSS)
    for made in (gen.guide(known, unconditional=GAUSS, scale=4.0), gen.guide(known, unconditional=known, scale=0.3)):
        got = moments(S.ddpm(made, mesh), GAUSS)
        np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
        np.testing.assert_allclose(got[1], want[1], rtol=1e-12)
    small = moments(S.ddpm(gen.guide(GAUSS, unconditional=GAUSS, scale=4.0), mesh), GAUSS)
    assert abs(small[1][0] / want[1][0] - 1) > 0.2


@pytest.mark.parametrize("cut", [lambda D: gen.clip(D, -0.4, 0.4), lambda D: gen.threshold(D, share=0.5)])
def test_what_is_cut_keeps_its_variance(cut):
    D = learned()
    whole, made = gen.guide(D, unconditional=lambda z, lam: 0.5 * z, scale=2.0), cut(D)
    for inner, outer in ((D, made), (whole, cut(whole))):
        mean, C = outer.told(Z, LAM, AFTER)
        np.testing.assert_allclose(mean, outer(Z, LAM), rtol=1e-12)
        assert np.abs(mean - inner(Z, LAM)).max() > 0.01
        np.testing.assert_allclose(C, D.told(Z, LAM, AFTER)[1], rtol=1e-12)
    plain = cut(D.denoiser)
    assert not hasattr(plain, "told") and np.array_equal(plain(Z, LAM), made(Z, LAM))


def test_a_variance_is_not_lost_in_silence():
    """What changes a mean in a way of its own leaves no variance that is known."""
    mesh = gen.karras(3, 0.05, 20.0, to_zero=False)
    hidden = gen.classify(learned(), lambda z, lam: -tf.reduce_sum(z**2, -1))
    with pytest.raises(ValueError, match="Classified around Learned: expected one whose variance is known"):
        S.ddpm(hidden, mesh)
    assert S.ddpm(gen.unsure(hidden, 0.5), mesh).mesh is S.ddim(hidden, mesh).mesh
