"""Densities by the probability flow against those known exactly."""

import math

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen

MIXTURE = gen.Mixture([0.3, 0.7], [[-1.0, 0.4], [1.5, -0.2]], [[0.16, 0.3], [0.36, 0.1]])
MESH = gen.uniform_lambda(8, -9.0, 4.0)


def test_densities_of_a_mixture_are_the_exact_ones():
    """Data with noise e^{−4} have log p(z, λ = 4) in closed form; only the prior, a Gaussian at λ = −9, is near it."""
    x = MIXTURE.sample(32, ds.key(1), tf.float64)
    found = gen.log_likelihood(MIXTURE, x, MESH, data_std=1.3)
    exact = MIXTURE.log_density(x, 4.0).numpy()
    np.testing.assert_allclose(found.log_density, exact, atol=3e-4)
    assert np.abs(found.error).max() == 0 and found.dimensions == 2
    half = gen.log_likelihood(lambda z, lam: 0.9 * MIXTURE(z, lam), x, MESH, data_std=1.3)
    assert np.abs(half.log_density - exact).max() > 0.1  # another model has other densities


def test_correlated_data_in_single_precision_uncompiled():
    """Products of batches of matrices, and their gradients, have aborted there."""
    gauss = gen.Gaussian([0.3, -0.2], [[0.6, 0.4], [0.4, 0.6]])
    x = gauss.sample(64, ds.key(1))
    found = gen.log_likelihood(gauss, x, MESH, data_std=0.8, jit=False)
    np.testing.assert_allclose(found.log_density, gauss.log_density(x, 4.0), atol=2e-3)


def test_log_determinant_of_a_gaussian():
    """N(m, s²) under VP of β = .1 … 20: the flow's log-determinant is ½ ln(v_T/v₀)."""
    schedule = gen.VP()
    ends = gen.uniform_time(schedule, 1, last=1e-3)
    lam = np.asarray(ends)
    model = gen.Gaussian([0.7], 0.25)
    x = np.array([[0.1], [1.9]])
    found = gen.log_likelihood(model, x, ends, dt=ds.PID(1e-9, 1e-9))
    v0, v1 = 0.25 + np.exp(-2 * lam[1]), 0.25 + np.exp(-2 * lam[0])
    z = 0.7 + (x - 0.7) * math.sqrt(v1 / v0)
    np.testing.assert_allclose(found.noise, z, rtol=1e-8)
    prior = np.exp(-2 * lam[0]) + 1.0
    exact = -0.5 * (z[:, 0] ** 2 / prior + np.log(2 * np.pi * prior)) + 0.5 * math.log(v1 / v0)
    np.testing.assert_allclose(found.log_density, exact, atol=1e-7)


def test_probes_estimate_the_trace_within_their_error():
    """Five standard errors, z of 32 probes: false alarms about 1 in 10⁵ for each of the eight samples."""
    C = np.array([[0.5, 0.3, 0.0], [0.3, 0.6, -0.2], [0.0, -0.2, 0.4]])  # off-diagonals make probes differ
    model = gen.Gaussian([0.5, -0.3, 0.2], C)
    x = model.sample(8, ds.key(3), tf.float64)
    found = gen.log_likelihood(model, x, MESH, trace=gen.Hutchinson(ds.key(4), 32), dt=0.25, stepper=ds.RK4())
    exact = gen.log_likelihood(model, x, MESH, dt=0.25, stepper=ds.RK4())
    assert np.all(found.error > 0)
    assert np.abs((found.log_density - exact.log_density) / found.error).max() < 5
    bits, error = found.bits_per_dimension()
    entropy = 0.5 * (math.log(np.linalg.det(C + np.exp(-8.0) * np.eye(3))) / 3 + math.log(2 * math.pi * math.e))
    assert abs(bits - entropy / math.log(2)) < 5 * error


def test_error_bars_of_few_probes_cover_what_probes_miss():
    """Two of three numbers are coupled, which few probes tell from the trace: χ² of what is missed stays below 1.

    D = C z with the same C everywhere: what a probe says of it is in log p over two units of λ. 5σ of a mean.
    """
    C = np.array([[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.0, 0.0, 0.3]])
    x = ds.random.normal(ds.key(3), [600, 3], tf.float64)

    def off(n, probes):
        found = gen.log_likelihood(lambda z, lam: z @ tf.constant(C[:n, :n]), x[:, :n], gen.uniform_lambda(1, -1.0, 1.0),
                                   trace=gen.Hutchinson(ds.key(4), probes), dt=1.0, stepper=ds.RK4(), jit=False)
        variance = math.exp(2.0) + 1.0
        start = -0.5 * (np.sum(found.noise.numpy() ** 2, 1) / variance + n * math.log(2 * math.pi * variance))
        return found.log_density - start - 2 * (n - np.trace(C[:n, :n])), found.error

    missed, error = off(3, 4)
    assert error.min() > 0.1 and np.abs(missed).max() > 0.3
    chi2 = (missed / error) ** 2
    assert 0.3 < chi2.mean() < 1.0 and chi2.std() / 600**0.5 < 0.1
    assert abs(missed.mean()) < 5 * missed.std() / 600**0.5  # pairs are without bias
    missed, error = off(2, 2)  # a pair tells the trace of two numbers, and its error bar does not know
    assert np.abs(missed).max() < 1e-12 < 0.1 < error.min()


def test_pairs_of_probes_flip_half_of_the_numbers():
    """Each sign is ±1 alike, and signs of different numbers of one probe, or of other pairs, have nothing in common."""
    e = gen.Hutchinson(ds.key(5), 5).directions(tf.zeros([4096, 6])).numpy()
    assert e.shape == (5, 4096, 6) and set(np.unique(e)) == {-1.0, 1.0}
    assert np.all((e[0] != e[1]).sum(1) == 3) and np.all((e[2] != e[3]).sum(1) == 3)
    flat = e.transpose(1, 0, 2).reshape(4096, -1)
    both = np.abs(flat.T @ flat / 4096)  # within 5σ of 4096 draws, for 435 pairs of signs
    np.fill_diagonal(both, 0.0)
    assert np.abs(flat.mean(0)).max() < 5 / 64 and both.max() < 5 / 64


def test_what_is_found_prints_in_a_line():
    found = gen.LogLikelihood(np.array([-3.0, -3.5, -4.0]), np.full(3, 0.1), np.zeros([3, 2]), 2, 9)
    assert repr(found) == "LogLikelihood(3 samples: mean -3.5 ± 0.29 nats)"
    one = gen.LogLikelihood(np.array([-3.0]), np.array([0.1]), np.zeros([1, 2]), 2, 9)
    assert repr(one) == "LogLikelihood(1 sample: -3 ± 0.1 nats)"
    bound = gen.Bound(np.ones(2), np.ones([3, 2]), np.array([0.5, 1.5]), np.arange(3.0), 2)
    assert repr(bound) == "Bound(2 samples: mean 5 ± 0.5 nats)"
    assert repr(gen.Bound(*(np.ones(n) for n in (1, (3, 1), 1)), np.arange(3.0), 2)) == "Bound(1 sample: 5 nats)"


def test_bins_spread_evenly_and_their_bits_are_counted():
    """Uniform pixels of 4 levels carry 2 bits each, whatever width a level has in x."""
    n = np.arange(64).reshape(4, 16) % 4
    x = gen.dequantise(n, ds.key(5), levels=4, dtype=tf.float64).numpy()
    np.testing.assert_array_equal(np.floor((x + 1) * 2), n)
    known = gen.LogLikelihood(np.full(4, 16 * math.log(0.5)), np.zeros(4), None, 16, 0)  # density ½ on (−1, 1)
    assert known.bits_per_dimension(width=2 / 4) == (pytest.approx(2.0), 0.0)
    some = gen.LogLikelihood(np.array([1.0, 2.0, 4.0, 9.0]), np.full(4, 3.0), None, 16, 0)  # errors of probes are in it
    assert some.bits_per_dimension() == (pytest.approx(-0.25 / math.log(2)), pytest.approx(38**0.5 / 12**0.5 / 16 / math.log(2)))


def test_misuse_is_refused_in_four_parts():
    x = np.zeros((2, 100), np.float32)
    with pytest.raises(ValueError, match="trace=.*Hutchinson.*because.*backward passes"):
        gen.log_likelihood(lambda z, lam: z, x, MESH)
    with pytest.raises(TypeError, match="x=.*real numbers.*because.*dequantise"):
        gen.log_likelihood(lambda z, lam: z, np.zeros((2, 3), int), MESH)
    with pytest.raises(ValueError, match="images=.*0 to 255.*because"):
        gen.dequantise(np.array([[0.5]]), ds.key(0))
    with pytest.raises(ValueError, match="probes=1.*because"):
        gen.Hutchinson(ds.key(0), 1)
    with pytest.raises(TypeError, match="mesh=.*because"):
        gen.log_likelihood(MIXTURE, np.zeros((1, 2)), (0.0, 1.0))
    one = np.ones([2, 1], np.float32)
    wrong = {
        "a number": (lambda: gen.log_likelihood(MIXTURE, 0.5, MESH), r"x=0.5.*first axis"),
        "gaps": (lambda: gen.log_likelihood(MIXTURE, one * np.nan, MESH), "x=nan.*finite"),
        "no data": (lambda: gen.log_likelihood(MIXTURE, None, MESH), "x=None.*real numbers"),
        "no images": (lambda: gen.dequantise(None, ds.key(0)), "images=None.*0 to 255"),
        "gaps in a bound": (lambda: gen.bound(MIXTURE, one * np.nan, MESH, key=ds.key(0)), "x=nan.*finite"),
        "a number's bound": (lambda: gen.bound(MIXTURE, 0.5, MESH, key=ds.key(0)), r"x=0.5.*first axis"),
        "no variances": (lambda: gen.bound(MIXTURE, one, MESH, key=ds.key(0), variance=()), r"variance=\(\).*one"),
        "no denoiser": (lambda: gen.errors(None, one, MESH, key=ds.key(0)), "denoiser=None.*function"),
    }
    for name, (call, words) in wrong.items():
        with pytest.raises((TypeError, ValueError), match=words) as caught:
            call()
        assert ds._checks.is_message(caught.value), name
