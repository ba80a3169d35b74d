"""One reverse law in all its variables, and shares of noise by their formulas: arithmetic, without a single step."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim import generative as gen
from diffsim.generative import samplers as S
from diffsim.generative.moments import moments
from diffsim.generative.renewal import of_churn, of_ddim, renewed

MIX = gen.Mixture([0.3, 0.7], [[-1.0, 0.4], [1.5, -0.2]], [[0.16, 0.3], [0.36, 0.1]])
Z, LAM, ETA = np.array([[0.3, -1.2], [2.0, 0.7]]), 0.4, 0.7
FORMS = {
    "Data": gen.forms.Data(), "Noise": gen.forms.Noise(), "Sigma": gen.forms.Sigma(), "Heat": gen.clocks.Heat(),
    "Path, VP": gen.clocks.Path(gen.VP()), "Path, CondOT": gen.clocks.Path(gen.CondOT(2.0)),
}


def at(form, z, lam):
    """Time and state of a form."""
    return tf.constant(form.times(np.array([lam]))[0], tf.float64), form.enter(tf.constant(z), lam)


@pytest.mark.parametrize("name", FORMS)
def test_one_law_in_other_variables(name):
    """Drift and amplitude by central differences of y = y(z, λ), t = t(λ); noise, shifts and scores by what they mean."""
    form, h = FORMS[name], 1e-5
    (t, y), step = at(form, Z, LAM), lambda s, eta: Z + s * (1 + eta) * (MIX(Z, LAM).numpy() - Z)
    before, after = (at(form, step(s, ETA), LAM + s) for s in (-h, h))
    rate = float(after[0] - before[0]) / (2 * h)  # dt/dλ
    law, flow = form.law(MIX, ETA), form.flow(MIX)
    whole = (law.linear or 0.0) * y + law.drift(t, y)
    np.testing.assert_allclose(whole * rate, (after[1] - before[1]) / (2 * h), rtol=1e-7)
    v = flow(t, y)
    np.testing.assert_allclose((form.law(MIX).linear or 0.0) * y + v + ETA * form.pull(v, t, y), whole, rtol=1e-12)
    scale = float(form.enter(tf.ones([1], tf.float64), LAM)[0])  # dy/dz
    wide = scale * np.sqrt(2 * ETA) * np.exp(-LAM) / np.sqrt(abs(rate))
    eta = tf.constant(ETA, tf.float64)
    np.testing.assert_allclose(form.amplitude(eta, t, tf.float64), wide, rtol=1e-7)
    g = law.diffusion
    np.testing.assert_allclose(g(t, y) if callable(g) else g, wide, rtol=1e-7)
    assert float(form.lam(form.shifted(t, tf.constant(-0.3, tf.float64)))) == pytest.approx(LAM - 0.3, abs=1e-12)
    begin = at(form, Z, LAM + 0.5)
    xi = tf.constant([[1.0, -2.0], [0.5, 0.1]], tf.float64)
    noisy = form.leave(form.noised(begin[1], begin[0], t, xi), LAM)
    np.testing.assert_allclose(noisy, Z + np.sqrt(np.exp(-2 * LAM) - np.exp(-2 * LAM - 1)) * xi, rtol=1e-12)
    drift = renewed(MIX, gen.uniform_lambda(2, 0.0, 1.0), [0.2, 0.3], form).drift
    np.testing.assert_allclose(drift.score(t, y), MIX.score(Z, LAM) / scale, rtol=1e-10)
    eta = 0.2 / 0.5  # of the step in which λ is
    np.testing.assert_allclose(drift(t, y), v + eta * form.pull(v, t, y), rtol=1e-10)
    end = form.times(np.array([LAM, LAM + 0.1]))
    around = drift.around(t, end[1] - end[0])
    np.testing.assert_allclose([float(form.lam(a)) for a in around], [LAM - 0.2, LAM + 0.1 + 0.2], atol=1e-10)


def test_shares_of_noise():
    """DDIM's σ² = η² (1 − ᾱ')/(1 − ᾱ) (1 − ᾱ/ᾱ'), told by what is left of the noise; EDM's γ between its bounds."""
    schedule = gen.Discrete.linear(50, 1e-3, 0.2)
    mesh = gen.leading(schedule, 5, to_zero=False)
    a = 1 / (1 + np.exp(-2 * mesh.lam))
    new = 0.6**2 * (1 - a[1:]) / (1 - a[:-1]) * (1 - a[:-1] / a[1:])
    np.testing.assert_allclose(np.exp(-2 * of_ddim(mesh, 0.6)), 1 - new / (1 - a[1:]), rtol=1e-12)
    levels = gen.Mesh(-np.log([20.0, 5.0, 1.0, 0.2, 0.01]))
    np.testing.assert_allclose(np.expm1(of_churn(levels, 1.2, 0.5, 6.0)), [0.0, 0.3, 0.3, 0.0])
    np.testing.assert_allclose(np.expm1(of_churn(levels, 1.2, 1.0, 5.0)), [0.0, 0.3, 0.3, 0.0])
    np.testing.assert_allclose(np.expm1(of_churn(levels, 9.0, 0.0, np.inf)), 2**0.5 - 1)


def test_noise_is_added_at_the_rates_of_the_schedule():
    """f = −β/2 and g = √β of VP; in λ the mean of data stays."""
    beta, x = 0.1 + 19.9 * 0.3, tf.constant([[2.0]], tf.float64)
    law = gen.forward_sde(gen.VP())
    np.testing.assert_allclose(law.drift(tf.constant(0.3, tf.float64), x), -beta, rtol=1e-12)
    np.testing.assert_allclose(law.diffusion(tf.constant(0.3, tf.float64), x), beta**0.5, rtol=1e-12)


def test_how_much_noise_a_network_is_asked_about():
    """A little beyond the schedule's end, and no more."""
    schedule = gen.VE(0.01, 10.0)
    drift = gen.reverse_sde(gen.from_x0(lambda x, t: x, schedule)).drift
    drift.check_times(-np.log([10.0 * np.exp(0.19), 1.0]))
    with pytest.raises(ValueError, match="because the network has never seen"):
        drift.check_times(-np.log([10.0 * np.exp(0.21), 1.0]))


def test_data_in_three_dimensions_that_lean():
    """D = m + C(C + σ²)⁻¹(z − m): in three dimensions the axes of C are no symmetric matrix, as they may be in two."""
    C, m = np.array([[1.0, 0.8, 0.3], [0.8, 1.2, 0.2], [0.3, 0.2, 0.5]]), np.array([0.5, -1.0, 2.0])
    z = np.array([[0.3, -1.2, 0.4], [2.0, 0.7, 1.0]])
    exact = m + (z - m) @ np.linalg.solve(C + np.exp(-2 * LAM) * np.eye(3), C)
    np.testing.assert_allclose(gen.Gaussian(m, C)(z, LAM), exact, rtol=1e-12)


LAWS = {
    "ddpm": (S.ddpm, {}, 1), "ddim, η = 0.5": (S.ddim, {"eta": 0.5}, 1), "predictor-corrector": (S.predictor_corrector, {}, 1),
    "2M SDE": (S.dpm_solver_pp, {"order": 2, "eta": 1.0, "lower_final": False}, 2),
    "3M SDE": (S.dpm_solver_pp, {"order": 3, "eta": 1.0, "lower_final": False}, 2),
    "dpm2 ancestral": (S.dpm2_ancestral, {}, 2), "edm": (S.edm, {"churn": 10.0}, 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_order_in_law(name):
    """Of mean and deviation on a Gaussian, on a mesh that stops short of data; single paths are of order 1."""
    make, options, order = LAWS[name]
    lost = []
    for n in (48, 96):
        mesh = gen.uniform_lambda(n, -3.0, 2.5)
        mean, variance = moments(make(gen.Gaussian([0.7], 0.09), mesh, **options), gen.Gaussian([0.7], 0.09))
        lost.append(np.hypot(mean[0] - 0.7, variance[0] ** 0.5 - (0.09 + np.exp(-5.0)) ** 0.5))
    assert order - 0.2 < np.log2(lost[0] / lost[1]) < order + 0.5
