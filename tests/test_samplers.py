"""Samplers: their orders, their identities, published sums, noise whose variance is exact, and what they refuse.

On Gaussians every sampler is a linear map of its first state and its noise, so that one run of unit vectors gives mean
and variance exactly, without sampling.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import samplers as S
from diffsim.generative.moments import moments, wasserstein
from diffsim.generative.renewal import renewed
from diffsim.steppers.detour import Detour
from diffsim.steppers.guess import Drawn
from orders import distance, slope

MIXTURE = gen.Mixture(np.array([0.3, 0.7]), np.array([[-1.0], [1.5]]), np.array([0.16, 0.36]))
STARTS = np.array([[-30.0], [-11.0], [4.0], [17.0], [60.0]])


@dataclass(frozen=True)
class Toy:
    """ε̂ = x·t/(t + 1): the network of diffusers' own tests."""

    def __call__(self, x, t):
        return x * (t / (t + 1))[:, None]


def span(steps):
    """Uniform λ between t = 1 and t = 10⁻³ of a VP schedule."""
    first, last = (float(gen.VP().lam(t)) for t in (1.0, 1e-3))
    return gen.uniform_lambda(steps, first, last)


def end(sampler, z=STARTS, **options):
    return gen.sample(sampler, z, jit=False, **options).final


@pytest.fixture(scope="module")
def exact():
    mesh = span(800)
    return ds.solve(gen.probability_flow(MIXTURE), STARTS, t=mesh, stepper=ds.ETDRK4(), jit=False).final


ORDERS = {
    "ddim": (S.ddim, {}, 1),
    "euler": (S.euler, {}, 1),
    "heun": (S.heun, {}, 2),
    "dpm2": (S.dpm2, {}, 2),
    "lms 4": (S.lms, {"order": 4}, 4),
    "plms": (S.plms, {}, 2),
    "pndm": (S.pndm, {}, 2),
    "dpm-solver++ 2M": (S.dpm_solver_pp, {"order": 2, "lower_final": False}, 2),
    "dpm-solver++ 2M heun": (S.dpm_solver_pp, {"order": 2, "midpoint": False, "lower_final": False}, 2),
    "dpm-solver++ 3M": (S.dpm_solver_pp, {"order": 3, "midpoint": False, "lower_final": False}, 3),
    "dpm-solver 2M": (S.dpm_solver, {"order": 2, "lower_final": False}, 2),
    "dpm-solver 3M": (S.dpm_solver, {"order": 3, "midpoint": False, "lower_final": False}, 3),
    "deis 3": (S.deis, {"order": 3, "lower_final": False}, 3),
    "dpm-solver++ 2S": (S.dpm_solver_pp_single, {"order": 2}, 2),
    "dpm-solver++ 3S": (S.dpm_solver_pp_single, {"order": 3, "midpoint": False}, 3),
    "dpm-solver 2S": (S.dpm_solver_single, {"order": 2}, 2),
    "dpm-solver 3S": (S.dpm_solver_single, {"order": 3, "midpoint": False}, 3),
    "unipc 1": (S.unipc, {"order": 1, "lower_final": False}, 2),
    "unipc 2": (S.unipc, {"order": 2, "lower_final": False}, 3),
    "unipc 2 bh1": (S.unipc, {"order": 2, "plain": True, "lower_final": False}, 3),
    "unipc 3 of noise": (S.unipc_noise, {"order": 3, "lower_final": False}, 4),
}


FIRST = ("heun", "dpm-solver++ 3M", "unipc 2")


@pytest.mark.parametrize("name", [n if n in FIRST else pytest.param(n, marks=pytest.mark.slow) for n in ORDERS])
def test_order_on_the_mixture(name, exact):
    """G2, on a mesh that stops short of data."""
    make, options, order = ORDERS[name]
    steps = np.array([96, 192, 384])
    errors = [distance(end(make(MIXTURE, span(n), **options)), exact) for n in steps]
    assert order - 0.35 < slope(1 / steps, errors) < order + 0.9


@pytest.mark.slow
def test_a_step_to_zero_is_of_first_order(exact):
    """The least noise level must fall too: what lies below it is lost in one step."""
    first = float(gen.VP().lam(1.0))
    lost = []
    for last in (2.0, 3.0, 4.0):
        mesh = gen.Mesh(np.append(np.linspace(first, last, 400), 40.0))
        full = gen.Mesh(np.append(np.linspace(first, 12.0, 1600), 40.0))
        a, b = (end(S.dpm_solver_pp(MIXTURE, m, 2)) for m in (mesh, full))
        lost.append(distance(a, b))
    assert 1.6 < slope(np.exp(-np.array([2.0, 3.0, 4.0])), lost) < 2.4


def test_ddim_by_three_ways():
    """G3: exponential Euler in λ of D, of ε, and Euler in σ/α, the last step to σ = 0 included."""
    mesh = gen.karras(9, 0.03, 14.6)
    ways = [
        S.ddim(MIXTURE, mesh),
        S.euler(MIXTURE, mesh),
        S.dpm_solver(MIXTURE, mesh, 1),
        S.dpm_solver_pp(MIXTURE, mesh, 1),
        S.edm(MIXTURE, mesh[-2:], 0.0),
    ]
    ends = [end(s) for s in ways[:-1]]
    for other in ends[1:]:
        assert distance(ends[0], other) < 1e-9
    assert distance(end(ways[-1]), MIXTURE(tf.constant(STARTS), mesh.lam[-2])) < 1e-12


def test_ddpm_by_three_ways():
    """G3: η = 1 of the reverse law, a detour with all noise renewed, and Ho et al.'s own formula."""
    schedule = gen.Discrete.linear()
    mesh = gen.leading(schedule, 8, offset=1)
    key, save = ds.key(5), ds.SaveAt(every=1)
    a = gen.sample(S.ddpm(MIXTURE, mesh), STARTS, key=key, save=save, jit=False).y.numpy()
    law = renewed(MIXTURE, mesh, np.diff(mesh.lam))
    b = ds.solve(law, STARTS, t=mesh, stepper=Detour(ds.ETD1()), key=key, save=save, jit=False).y.numpy()
    assert distance(a, b) < 1e-12
    alpha, sigma = (np.append(v.numpy()[:-1], e) for v, e in zip(schedule.scales(mesh.lam), (1.0, 0.0), strict=True))
    x = alpha[0] * STARTS
    for n in range(mesh.steps):
        x0 = MIXTURE(tf.constant(x / alpha[n]), mesh.lam[n]).numpy()
        keep = (alpha[n] / alpha[n + 1]) ** 2
        mean = alpha[n + 1] * (1 - keep) / sigma[n] ** 2 * x0 + keep**0.5 * (sigma[n + 1] / sigma[n]) ** 2 * x
        wide = sigma[n + 1] / sigma[n] * (1 - keep) ** 0.5
        xi = ds.noise.Brownian().increment(key, n, 0.0, 1.0, tf.constant(STARTS)).numpy()
        x = mean + wide * xi
        assert distance(x, alpha[n + 1] * a[n + 1]) < 1e-9


def test_vp_and_ve_are_one():
    """G3: the same noise levels σ/α = √(1/ᾱ − 1), whatever the schedule is called."""
    schedule = gen.Discrete.scaled_linear()
    mesh = gen.leading(schedule, 10, offset=1)
    assert distance(mesh.sigma[:-1], np.sqrt(1 / schedule.alphas_cumprod[901::-100] - 1)) < 1e-9
    epsilon = gen.from_epsilon(lambda x, t: x * 0.3 + 0.1, schedule)
    other = gen.from_epsilon(lambda x, t: (x / tf.sqrt(1 + tf.exp(-2 * LAM(t)))) * 0.3 + 0.1, gen.EDM())
    a, b = (end(S.ddim(d, gen.Mesh(mesh.lam))) for d in (epsilon, other))
    assert distance(a, b) < 1e-9


def LAM(t):  # noqa: N802 - λ of EDM's time
    return -tf.math.log(t)[:, None]


SUMS = {
    "DDIM": (S.ddim, gen.from_epsilon, lambda s: gen.leading(s, 10), 172.0067, {}),
    "DDIM, v": (S.ddim, gen.from_v, lambda s: gen.leading(s, 10), 52.5302, {}),
    "PNDM": (S.pndm, gen.from_epsilon, lambda s: gen.leading(s, 10, to_zero=False), 198.1318, {}),
    "DPM++2M": (
        S.dpm_solver_pp,
        gen.from_epsilon,
        lambda s: gen.linspace(s, 10, skip_first=True, to_zero=False),
        0.3301 * 768,
        {"lower_final": False},
    ),
    "UniPC": (
        S.unipc, gen.from_epsilon, lambda s: gen.linspace(s, 10, skip_first=True, to_zero=False), 0.2464 * 768, {}
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_published_sums(name):
    """G4: diffusers' full loops, from a state x = k/768."""
    make, read, mesh, total, options = SUMS[name]
    schedule = gen.Discrete.linear()
    mesh = mesh(schedule)
    x = np.arange(768.0).reshape(48, 16) / 768
    first, last = (schedule.scales(lam)[0].numpy() for lam in (mesh.lam[0], mesh.lam[-1]))
    z = end(make(read(Toy(), schedule), mesh, **options), x / first)
    assert np.abs(last * z.numpy()).sum() == pytest.approx(total, abs=4e-2)  # means have four digits


def test_published_sum_of_euler():
    """G4: 1100 training steps, times between them. That loop puts the scaled state in place of the state at each step."""
    schedule = gen.Discrete.linear(1100, rounded=False)
    mesh = gen.linspace(schedule, 10, rounded=False)
    z = np.arange(768.0).reshape(48, 16) / 768 * mesh.sigma[0]

    def denoiser(z, lam):
        return z - tf.exp(-lam) * Toy()(z, tf.reshape(schedule.time(lam), [1]))

    for k in range(mesh.steps):
        scaled = z / np.sqrt(1 + mesh.sigma[k] ** 2)
        z = end(S.euler(denoiser, mesh[k : k + 2]), scaled).numpy()
    assert np.abs(z).sum() == pytest.approx(10.0807, abs=1e-2)


NOISY = {
    "ddpm": (S.ddpm, {}),
    "ddim, η = 0.6": (S.ddim, {"eta": 0.6}),
    "2M SDE": (S.dpm_solver_pp, {"order": 2, "eta": 1.0}),
    "3M SDE": (S.dpm_solver_pp, {"order": 3, "eta": 1.0}),
    "dpm-solver SDE": (S.dpm_solver, {"order": 2, "eta": 1.0}),
    "dpm2 ancestral": (S.dpm2_ancestral, {}),
    "edm": (S.edm, {"churn": 30.0, "least": 0.05, "most": 50.0}),
    "euler churn": (S.euler_churn, {"churn": 30.0}),
    "predictor-corrector": (S.predictor_corrector, {"eta": 0.5}),
}


@pytest.mark.parametrize("name", [n if n in ("2M SDE", "edm") else pytest.param(n, marks=pytest.mark.slow)
                                  for n in NOISY])
def test_noise_leaves_the_marginals(name):
    """G5 by moments: with many steps the variance of data comes out, with the wrong noise it does not."""
    make, options = NOISY[name]
    gauss = gen.Gaussian([0.7], 0.09)
    errors = [wasserstein(make(gauss, gen.karras(n, 0.002, 20.0), **options), gauss) for n in (40, 160)]
    assert errors[1] < max(0.42 * errors[0], 1e-4) and errors[1] < 0.02
    sampler = make(gauss, gen.karras(160, 0.002, 20.0), **options)
    mean, variance = moments(sampler, gauss, scale=1.5)
    assert abs(variance[0] - 0.09) > 0.02


def test_moments_are_those_of_the_flow():
    """G1: from N(αm, α²s² + σ²) the flow ends in N(m, s²), and DDIM's own variance is a product of numbers."""
    gauss = gen.Gaussian([0.7], 0.09)
    mesh = gen.karras(12, 0.01, 30.0)
    mean, variance = moments(S.ddim(gauss, mesh), gauss)
    s = mesh.sigma
    s[-1] = 0.0
    factor = np.prod(1 + (s[1:] - s[:-1]) * s[:-1] / (0.09 + s[:-1] ** 2))
    assert variance[0] == pytest.approx((0.09 + s[0] ** 2) * factor**2, rel=1e-9)
    assert mean[0] == pytest.approx(0.7, abs=1e-9)


def test_there_and_back():
    """Data to latent and back; DDIM by its order, Heun by another."""
    x = np.array([[-1.2], [0.3], [1.4]])
    lost = {}
    for make in (S.ddim, S.heun):
        errors = []
        for n in (100, 200, 400):
            mesh = gen.uniform_lambda(n, -3.0, 4.0)
            latent = end(S.inversion(make, MIXTURE, mesh), x)
            errors.append(distance(end(make(MIXTURE, mesh), latent), x))
        lost[make.__name__] = slope(1 / np.array([100, 200, 400]), errors)
    assert 0.8 < lost["ddim"] < 1.3 and 1.7 < lost["heun"] < 3.3
    latent = end(S.inversion(S.heun, MIXTURE, gen.karras(300, 0.01, 30.0)), x).numpy()
    assert np.all(np.abs(latent) < 4 * 30.0)


@pytest.mark.slow
def test_adaptive_flow(exact):
    mesh = span(1)
    errors = [distance(end(S.adaptive(MIXTURE, mesh, tol, tol)), exact) for tol in (1e-3, 1e-6)]
    assert errors[1] < 1e-4 and errors[1] < 0.1 * errors[0]


@pytest.mark.parametrize(
    "make", [S.heun, S.dpm2_ancestral,
             *(pytest.param(m, marks=pytest.mark.slow) for m in
               (S.ddim, S.pndm, S.dpm2, S.plms, S.dpm_solver_pp, S.edm, S.predictor_corrector, S.unipc))]
)
def test_evaluations_are_counted(make):
    """The denoiser is asked as often as the sampler says."""
    asked = []

    def denoiser(z, lam):
        tf.py_function(lambda: asked.append(1), [], [])
        return 0.5 * z

    sampler = make(denoiser, gen.karras(8, 0.03, 14.6))
    with_noise = {} if sampler.law.diffusion is None else {"key": ds.key(0)}
    gen.sample(sampler, np.ones([1, 1]), jit=False, **with_noise)
    assert len(asked) == sampler.evaluations


@pytest.mark.slow
@pytest.mark.parametrize("make", [S.heun, S.pndm, S.unipc, S.dpm_solver_single, S.dpm2_ancestral, S.edm])
def test_compiled_in_single_precision(make):
    """By XLA in float32 as by TensorFlow's graphs in float64."""
    sampler = make(MIXTURE, gen.karras(12, 0.03, 14.6))
    z = gen.prior(sampler.mesh, (64, 1), ds.key(1))
    key = None if sampler.law.diffusion is None else ds.key(2)
    a = gen.sample(sampler, z, key=key).final
    b = gen.sample(sampler, tf.cast(z, tf.float64), key=key, jit=False).final
    assert a.dtype == tf.float32
    assert distance(a, b) < 2e-5 if key is None else abs(float(tf.math.reduce_std(a)) - np.std(b)) < 1e-4


def test_records_are_told_in_lambda_and_z():
    """A sampler in other variables tells what one in λ and z tells."""
    mesh, save = gen.karras(7, 0.03, 14.6), ds.SaveAt(every=1)
    want = gen.sample(S.ddim(MIXTURE, mesh), STARTS, save=save, jit=False)
    for sampler in (S.euler(MIXTURE, mesh), S.dpm_solver(MIXTURE, mesh, 1)):
        got = gen.sample(sampler, STARTS, save=save, jit=False)
        assert distance(got.t, want.t) < 1e-9 and distance(got.y, want.y) < 1e-9
        assert got.t_final == pytest.approx(40.0)
        few = gen.sample(sampler, STARTS, save=ds.SaveAt(ts=mesh.lam[[2, 5]], fn=lambda t, z: t + z[0, 0]), jit=False)
        assert distance(few.y, mesh.lam[[2, 5]] + want.y.numpy()[[2, 5], 0, 0]) < 1e-9


def test_one_trace_for_meshes_of_equal_length():
    """Another mesh, another seed: data, not another program."""
    traces, seen = [], []

    def denoiser(z, lam):
        traces.append(1)
        return 0.5 * z

    for n, (low, high) in enumerate([(0.03, 14.6), (0.01, 80.0), (0.1, 5.0)]):
        gen.sample(S.dpm_solver_pp(denoiser, gen.karras(6, low, high), 3, eta=1.0), np.ones([2, 1]), key=ds.key(n),
                   jit=False)
        seen.append(len(traces))
    assert seen[2] - seen[1] == seen[1] - seen[0] < seen[0]  # a look at the drift's shape in each call of solve


def test_one_trace_whether_a_mesh_ends_with_data_or_with_noise():
    """A method that takes its last step to σ = 0 otherwise has one program for both, and the steps of its own."""
    traces = []

    def denoiser(z, lam):
        traces.append(1)
        return 0.5 * z

    meshes = gen.karras(6, 0.03, 14.6), gen.uniform_lambda(6, -2.6, 3.0), gen.karras(6, 0.1, 5.0, to_zero=False)
    seen, x = [], []
    for mesh in meshes:
        x.append(gen.sample(S.edm(denoiser, mesh, 2.0), np.ones([2, 1]), key=ds.key(1), jit=False).final.numpy())
        seen.append(len(traces))
    assert seen[0] > 0 and seen[1:] == seen[:1] * 2 and len({a[0, 0] for a in x}) == 3
    one = gen.Mesh(np.array([1.0, 40.0]))  # Euler's step to data is D itself
    last = gen.sample(S.edm(denoiser, one), np.ones([2, 1]), key=ds.key(1), jit=False).final
    np.testing.assert_allclose(last, 0.5, rtol=1e-12)


@pytest.mark.parametrize(("make", "guided"), [(S.ddpm, True), (S.unipc, False)])
def test_one_program_for_seeds_prompts_and_meshes(make, guided):
    """One trace of the network for any of them; the same seed gives the same bits, and the same image in any batch."""
    traces = []

    def network(x, t, prompt=None):
        traces.append(1)
        return tf.sin(x) if prompt is None else tf.sin(x) + prompt[:, None]

    def drawn(seed, prompts, low, rows=slice(0, 4)):
        n, first = rows.stop - rows.start, rows.start
        D = gen.from_x0(network, gen.EDM())
        D = gen.guide(D, condition=tf.constant(prompts[rows]), scale=3.0) if guided else D
        s = make(D, gen.karras(6, low, 14.6))
        noise = ds.Brownian(first=first)
        law = s.law if s.law.diffusion is None else replace(s.law, noise=noise)
        z = gen.prior(s.mesh, (n, 3), ds.key(seed), first=first)
        key = None if s.law.diffusion is None else ds.key(seed + 1)
        return gen.sample(replace(s, law=law), z, key=key, jit=False).final.numpy()

    prompts = np.array([0.1, -0.4, 0.3, 0.8], np.float32)
    first = drawn(0, prompts, 0.03)
    count, other = len(traces), [drawn(5, prompts, 0.03), drawn(0, prompts, 0.1)]
    other += [drawn(0, prompts[::-1].copy(), 0.03)] if guided else []
    looks = {len(traces)}  # each call may look at the shape of the drift, and traces nothing
    assert all(np.abs(x - first).max() > 1e-3 for x in other)
    np.testing.assert_array_equal(drawn(0, prompts, 0.03), first)
    assert len(traces) - min(looks) <= (min(looks) - count) / len(other) < count
    np.testing.assert_allclose(drawn(0, prompts, 0.03, slice(1, 3)), first[1:3], rtol=1e-6, atol=1e-6)  # to rounding


def test_steps_with_the_variance_of_what_is_not_known_are_exact():
    """DDPM whose x₀ is drawn from what it may be: exact on a Gaussian in three steps, for any η; without, it is not."""
    gauss, mesh = gen.Gaussian([0.7], 0.09), gen.karras(3, 0.05, 20.0, to_zero=False)
    want = 0.09 + 0.05**2
    for eta in (0.5, 1.0, 3.0):
        mean, variance = moments(S.ddpm(gen.unsure(gauss, 0.09), mesh, eta), gauss)
        assert mean[0] == pytest.approx(0.7, abs=1e-12) and variance[0] == pytest.approx(want, rel=1e-12)
        known = gen.unsure(gauss, lambda z, lam: 0.09 * tf.exp(-2 * lam) / (0.09 + tf.exp(-2 * lam)))
        assert moments(S.ddpm(known, mesh, eta), gauss)[1][0] == pytest.approx(want, rel=1e-12)
        assert abs(moments(S.ddpm(gauss, mesh, eta), gauss)[1][0] / want - 1) > 0.2
    toward = gen.karras(4, 0.05, 20.0)
    point = moments(S.ddpm(gen.unsure(gauss, 0.0), toward), gauss)[1]
    assert point[0] == pytest.approx(moments(S.ddpm(gauss, toward), gauss)[1][0], rel=1e-12)


def test_the_reverse_law_in_other_times():
    """In σ² and in a schedule's own t plain steps converge at order 1 in variance; Heun's along the velocity at order 2."""
    gauss, schedule = gen.Gaussian([0.7], 0.09), gen.VP()
    for form in (gen.clocks.Heat(), gen.clocks.Path(schedule)):
        lost = []
        for n in (40, 80):
            mesh = gen.uniform_lambda(n, -2.5, 2.5)
            variance = moments(S.euler_maruyama(gauss, mesh, 1.0, form), gauss)[1][0]
            lost.append(abs(variance - 0.09 - np.exp(-5.0)))
        assert 1.6 < lost[0] / lost[1] < 2.6
    path, lost = gen.clocks.Path(gen.CondOT()), []
    for n in (20, 40):
        mesh = gen.uniform_lambda(n, -2.5, 2.5)
        lost.append(abs(moments(S.heun(gauss, mesh, path), gauss)[1][0] - 0.09 - np.exp(-5.0)))
    assert 3.0 < lost[0] / lost[1] < 5.5


def test_estimates_stay_in_range():
    z, lam = tf.constant([[-3.0, 0.2, 1.0, 2.0], [0.1, 0.2, -0.4, 0.6]], tf.float64), tf.constant(30.0, tf.float64)

    def D(z, lam):
        return z

    np.testing.assert_array_equal(gen.clip(D)(z, lam), np.clip(z, -1, 1))
    got = gen.threshold(D, share=0.5)(z, lam).numpy()
    np.testing.assert_allclose(got, [[-1.0, 0.2 / 1.5, 1 / 1.5, 1.0], [0.1, 0.2, -0.4, 0.6]])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gen.clip(MIXTURE, 1.0, -1.0), "a number > low"),
        (lambda: gen.threshold(MIXTURE, 1.5), r"\(0, 1\]"),
        (lambda: gen.unsure(3.0, 1.0), "a function D"),
        (lambda: gen.unsure(MIXTURE, -1.0), "≥ 0"),
        (lambda: gen.learned(MIXTURE), "Denoiser"),
        (lambda: gen.learned(gen.from_epsilon(lambda x, t: x, gen.VP()))(tf.zeros([2, 3]), 0.0), "6 channels"),
        (lambda: ds.solve(gen.reverse_sde(MIXTURE), STARTS, t=span(4), stepper=Drawn(), key=ds.key(0)), "a Guess"),
        (lambda: S.euler_maruyama(MIXTURE, span(4), 0.0), "> 0"),
        (lambda: S.dpm_solver_pp(MIXTURE, gen.karras(2, 0.1, 5.0)[-2:], 3), "1 ≤ order ≤ 1"),
        (lambda: S.unipc(MIXTURE, gen.karras(2, 0.1, 5.0), 3), "1 ≤ order ≤ 2"),
        (lambda: S.ddim(MIXTURE, [3.0, 2.0]), "Mesh"),
        (lambda: S.ddim(3.0, span(4)), "a function D"),
        (lambda: S.ddim(MIXTURE, span(4), eta=1.5), "0 ≤ η ≤ 1"),
        (lambda: end(S.ddpm(MIXTURE, span(4).reversed()), key=ds.key(0)), "values of λ that rise"),
        (lambda: S.inversion(S.ddpm, MIXTURE, span(4)), "one without"),
        (lambda: gen.sample(S.ddim, STARTS), "Sampler"),
        (lambda: end(S.ddpm(MIXTURE, span(4))), "a key"),
        (lambda: renewed(MIXTURE, span(4), [0.1]), r"shape \(4,\)"),
        (lambda: ds.solve(gen.reverse_sde(MIXTURE), STARTS, t=span(4), stepper=Detour(ds.ETD1()), key=ds.key(0)),
         "undoes its noise"),
        (lambda: ds.solve(renewed(MIXTURE, span(4), [0.1] * 4), STARTS, t=span(5), stepper=Detour(ds.ETD1()),
                          key=ds.key(0)), "the one of the law"),
        (lambda: ds.solve(gen.forms.Sigma().law(MIXTURE), STARTS, t=[0.0, 1.0], dt=0.1, stepper=ds.Euler()), "noise levels"),
    ],
)
def test_refusals(make, words):
    with pytest.raises((ValueError, TypeError), match=words) as error:
        make()
    assert ": expected " in str(error.value) and ", because " in str(error.value)
