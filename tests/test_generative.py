"""Generative diffusion as laws for solve: identities with published samplers, exact marginals, one program."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.choose import stepper_for
from diffsim.march import program

MIX = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
PLANE = gen.Mixture(
    [1.0, 2.0, 1.0], [[0.0, 1.0], [2.0, -1.0], [-2.0, 0.5]],
    [[[0.5, 0.2], [0.2, 0.3]], [[0.2, 0.0], [0.0, 0.9]], [[0.4, -0.3], [-0.3, 0.4]]],
)
STEPS = gen.Discrete.linear()


def run(law, z, mesh, **options):
    return ds.solve(law, z, t=mesh, **{"stepper": ds.ETD1(), "key": ds.key(3), "jit": False, **options}).final.numpy()


def wavy(x, t, condition=None):
    """A network without meaning."""
    return tf.sin(1.3 * x + 0.01 * tf.reshape(t, [-1, 1])) + 0.2 * x


# Nothing of its own.


def test_generative_owns_no_loop_no_stepper_no_random_numbers():
    root = Path(gen.__file__).parent
    files = [p for p in root.rglob("*.py") if not p.relative_to(root).parts[0].startswith("nets")]
    assert len(files) >= 8
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf8"))
        names = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        guilty = {n for n in names if n in ("tf.while_loop", "tf.scan", "tf.map_fn") or n.startswith(("tf.random", "np.random"))}
        assert not guilty, (path, guilty)
        bases = {ast.unparse(b) for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for b in n.bases}
        assert not {b for b in bases if b.split(".")[-1] in ("Stepper", "Exponential", "Stochastic")}, path
        assert not [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == "step"], path


def test_one_stepper_moves_a_trap_a_pattern_and_an_image():
    """One object, each against what is known exactly: the bead's own law, Gray–Scott's modes and kinetics, and DDIM."""
    etd1 = ds.ETD1()
    options = {"stepper": etd1, "key": ds.key(0), "jit": False}
    y0, xi = tf.constant([[1.0, -2.0]], tf.float64), ds.Equation(linear=0.0, diffusion=1.0)
    bead = ds.solve(ds.Equation(linear=-0.25, diffusion=0.7), y0, (0.0, 3.0), dt=3.0, **options).final
    dW = ds.solve(xi, 0 * y0, (0.0, 3.0), dt=3.0, **options).final / 3.0**0.5
    np.testing.assert_allclose(bead, np.exp(-0.75) * y0 + 0.7 * np.sqrt((1 - np.exp(-1.5)) / 0.5) * dW, rtol=1e-13)

    grid, (x,) = ds.Grid(16, 1.0), ds.Grid(16, 1.0).coordinates()
    scott = ds.models.GrayScott(F=0.0, k=0.0, Du=2e-3, Dv=1e-3).on(grid, ds.Periodic())
    wave = (np.cos(2 * np.pi * x), 0 * x)  # without v no reaction: a mode of the operator decays at its own rate
    rate = 2e-3 * 4 * np.sin(np.pi / 16) ** 2 * 16**2
    sol = ds.solve(scott, wave, (0.0, 20.0), dt=5.0, **options).final
    np.testing.assert_allclose(sol[0], np.exp(-20 * rate) * wave[0], atol=1e-13)
    # where all is even, u' = −uv², v' = uv², u + v = 1: ln(v/u) − 1/v = t + constant
    errors = []
    for n in (100, 200):
        u, v = ds.solve(scott, (0 * x + 0.7, 0 * x + 0.3), (0.0, 8.0), dt=8.0 / n, **options).final
        assert np.abs(u + v - 1).max() < 1e-12
        errors.append(abs(float(np.log(v[0] / u[0]) - 1 / v[0] - np.log(0.3 / 0.7) + 1 / 0.3 - 8.0)))
    assert errors[1] < 0.05 and 1.8 < errors[0] / errors[1] < 2.2

    mesh = gen.karras(7, 0.1, 3.0, to_zero=False)  # DDIM on a Gaussian is a product of numbers
    z, s, flow = np.array([[1.5], [-0.4]]), mesh.sigma, gen.probability_flow(gen.Gaussian([0.0], 0.25))
    factor = np.prod(1 + (s[1:] - s[:-1]) * s[:-1] / (0.25 + s[:-1] ** 2))
    np.testing.assert_allclose(run(flow, z, mesh, stepper=etd1), factor * z, rtol=1e-12)


# Exact noise of growing amplitude.


def test_noise_that_grows_is_integrated_exactly():
    """y = e^{ah}y₀ + ξ√v, v = ∫e^{2a(h−s)}g₀²e^{2b(t+s)}ds by quadrature; ξ by a law of pure noise with the same key."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    for a, b, t, h in ((-0.7, -1.0, 0.3, 1.7), (0.0, -1.0, 2.0, -1.5), (-1.0, -1.0, 0.0, 3.0)):
        law = ds.Equation(linear=a, diffusion=ds.ExponentialAmplitude(1.3, b))
        y0 = tf.constant(np.linspace(-1, 1, 5))
        options = {"stepper": ds.ETD1(), "key": ds.key(5), "jit": False, "dt": abs(h)}
        xi = ds.solve(ds.Equation(linear=0.0, diffusion=1.0), 0 * y0, (t, t + h), **options).final / abs(h) ** 0.5
        y = ds.solve(law, y0, (t, t + h), **options).final
        s = h / 2 * (nodes + 1)
        v = abs(h) / 2 * np.sum(weights * np.exp(2 * a * (h - s)) * 1.3**2 * np.exp(2 * b * (t + s)))
        np.testing.assert_allclose(y, np.exp(a * h) * y0 + xi * v**0.5, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("grid", [ds.Grid(6, 1.0), ds.RadialGrid(6, 1.0)], ids=["orthogonal", "leaning"])
def test_noise_that_grows_on_a_grid(grid):
    """The covariance of two steps is that of one: Q(h₁ + h₂) = e^{h₂A}Q(h₁)e^{h₂Aᵀ} + Q(h₂), in every mode."""
    A = (0.1 * ds.Laplacian(grid, ds.Neumann())).diagonal().prepare(tf.zeros([1, 6], tf.float64))
    b, one = -0.8, tf.eye(6, dtype=tf.float64)

    def kick(h, end):
        return A.inverse(A.noise_multiplier(h, 1.0, b)(A.forward(one))).numpy().T * h**0.5 * np.exp(b * end)

    def Q(h, end):
        return kick(h, end) @ kick(h, end).T

    E = A.inverse(A.multiplier(0, 0.6)(A.forward(one))).numpy().T
    np.testing.assert_allclose(Q(1.5, 1.5), E @ Q(0.9, 0.9) @ E.T + Q(0.6, 1.5), rtol=1e-11, atol=1e-13)
    assert np.abs(Q(1.5, 1.5) - Q(0.9, 0.9) - Q(0.6, 1.5)).max() > 0.01


def test_other_steppers_evaluate_it():
    """Euler–Maruyama takes g at the beginning of the step, and both agree as steps shrink."""
    law = ds.Equation(linear=-1.0, diffusion=ds.ExponentialAmplitude(2.0, -3.0))
    W = ds.Equation(linear=0.0, diffusion=1.0)
    y0, options = tf.zeros([3], tf.float64), {"key": ds.key(5), "jit": False, "dt": 0.1}
    dW = ds.solve(W, y0, (0.5, 0.6), stepper=ds.ETD1(), **options).final
    y = ds.solve(law, y0, (0.5, 0.6), stepper=ds.EulerMaruyama(), **options).final
    np.testing.assert_allclose(y, 2 * np.exp(-1.5) * dW, rtol=1e-13)
    assert isinstance(stepper_for(law.of_state(y0), 0.1)[0], ds.ETD1)
    with pytest.raises(TypeError, match="ExponentialAmplitude"):
        ds.solve(ds.Equation(linear=-1.0, diffusion=lambda t, y: t + 0 * y), y0, (0.0, 1.0), stepper=ds.ETD1(), **options)
    with pytest.raises(ValueError, match="finite"):
        ds.ExponentialAmplitude(np.inf, 1.0)
    with pytest.raises(TypeError, match="rate"):
        ds.ExponentialAmplitude(1.0, "fast")


# G3: the same numbers as published samplers.


def test_etd1_is_ddim_and_euler_in_the_noise_level():
    """Without noise, in x: x' = α'x̂₀ + σ'ε̂; and dx̄/dσ̄ = ε̂ by Euler's method in x̄ = x/α."""
    mesh = gen.leading(STEPS, 10)
    x = np.linspace(-2, 2, 12).reshape(4, 3)
    z = x / STEPS.alpha(mesh.t[0]).numpy()
    bars = [*STEPS.alphas_cumprod[np.round(mesh.t[:-1]).astype(int)], 1.0]
    ends = run(gen.probability_flow(gen.from_epsilon(wavy, STEPS)), z, mesh)
    euler = z
    for n, a, b in zip(np.round(mesh.t), bars, bars[1:], strict=False):
        epsilon = wavy(x, np.full(4, n)).numpy()
        x0 = (x - (1 - a) ** 0.5 * epsilon) / a**0.5
        x = b**0.5 * x0 + (1 - b) ** 0.5 * epsilon
        euler = euler + ((1 / b - 1) ** 0.5 - (1 / a - 1) ** 0.5) * epsilon
    np.testing.assert_allclose(ends, x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ends, euler, rtol=1e-12, atol=1e-12)


def test_etd1_with_noise_is_ancestral_ddpm():
    """x' ∼ N(μ̃, β̃) with the variance of q(x'|x, x₀), the smaller of DDPM's two; DDIM of η = 1. Same ξ, same x."""
    mesh = gen.leading(STEPS, 10)
    x, bars = np.linspace(-2, 2, 12).reshape(4, 3), [*STEPS.alphas_cumprod[np.round(mesh.t[:-1]).astype(int)], 1.0]
    z = x / bars[0] ** 0.5
    noise = ds.Equation(linear=0.0, diffusion=1.0)
    save = ds.SaveAt(ts=np.arange(11.0))
    walk = ds.solve(noise, 0 * z, np.arange(11.0), stepper=ds.ETD1(), key=ds.key(3), save=save, jit=False).y.numpy()
    for n, a, b, xi in zip(np.round(mesh.t), bars, bars[1:], np.diff(walk, axis=0), strict=False):
        x0 = (x - (1 - a) ** 0.5 * wavy(x, np.full(4, n)).numpy()) / a**0.5
        beta = 1 - a / b
        mean = b**0.5 * beta / (1 - a) * x0 + (1 - beta) ** 0.5 * (1 - b) / (1 - a) * x
        x = mean + ((1 - b) / (1 - a) * beta) ** 0.5 * xi
    ends = run(gen.reverse_sde(gen.from_epsilon(wavy, STEPS), eta=1.0), z, mesh)
    np.testing.assert_allclose(ends, x, rtol=1e-11, atol=1e-12)


# G1, G5, G9: what the laws do to distributions.


def test_the_flow_of_a_gaussian():
    """x₀ = m + (x_T − α_T m)s/√v_T: fourth order in the step; the logarithm of its slope is the change of density."""
    m, s, vp = 1.2, 0.5, gen.VP()
    alpha, v = float(vp.alpha(1.0)), float(vp.alpha(1.0)) ** 2 * 0.25 + float(vp.variance(1.0))
    x = np.array([[-1.5], [0.0], [0.7]])
    law, last = gen.probability_flow(gen.Gaussian([m], s * s)), 1e-5
    exact = m + (x - alpha * m) * s / v**0.5
    errors = []
    for steps in (40, 80):
        z = run(law, x / alpha, gen.uniform_lambda(steps, float(vp.lam(1.0)), 9.0), stepper=ds.ETDRK4())
        errors.append(np.abs(z - exact).max())
    assert errors[1] < 3e-6 and errors[0] / errors[1] > 11
    end = float(vp.variance(last)) + float(vp.alpha(last)) ** 2 * 0.25
    assert 0.5 * np.log(v / end) == pytest.approx(0.693129, abs=1e-6)
    slope = (z[2] - z[1]) / (x[2] - x[1])
    assert -np.log(slope[0]) == pytest.approx(0.5 * np.log(v / 0.25), abs=1e-5)


def distance(x, lam):
    """√n times the largest distance between the distribution of x and that of the mixture at λ (Kolmogorov–Smirnov)."""
    from scipy.special import ndtr

    x = np.sort(x[:, 0])
    std = np.sqrt(np.exp(-2 * lam) + MIX.variances[:, 0])
    cdf = ndtr((x[:, None] - MIX.means[:, 0]) / std) @ MIX.weights
    n = len(x)
    return np.sqrt(n) * max((np.arange(1, n + 1) / n - cdf).max(), (cdf - np.arange(n) / n).max())


def test_marginals_do_not_depend_on_eta():
    """At pure data and half way, for any η; with the pull of one η and the noise of another they do (KS at 1e-5)."""
    n, mesh = 5000, gen.uniform_lambda(140, -2.0, 4.0)
    k0, k1, k2 = ds.split(ds.key(11), 3)
    x0 = MIX.sample(n, k0, tf.float64)
    assert distance(x0.numpy(), 40.0) < 2.47
    z = x0 + np.exp(2.0) * ds.random.normal(k1, x0.shape, tf.float64)
    save = ds.SaveAt(ts=[mesh.lam[70], mesh.lam[-1]])
    far = {}
    for eta in (0.0, 2.0):
        half, end = ds.solve(gen.reverse_sde(MIX, eta), z, mesh, stepper=ds.ETD1(), key=k2, save=save, jit=False).y.numpy()
        far[eta] = distance(half, mesh.lam[70]), distance(end, mesh.lam[-1])
    assert max(max(d) for d in far.values()) < 2.47, far
    law = gen.reverse_sde(MIX, 1.0)
    wrong = ds.Equation(linear=law.linear, drift=law.drift, diffusion=ds.ExponentialAmplitude(1.0, -1.0))
    assert distance(run(wrong, z, mesh, key=k2), mesh.lam[-1]) > 5


def test_guidance_exaggerates_and_does_not_tilt():
    """Conditional N(1, ¼), unconditional N(0, 1), w = 3: mean 1.4975 and variance 1/64; the tilted law has 1.2 and 0.1."""

    def family(z, lam, condition):
        mean, variance = condition
        return mean + variance / (variance + tf.exp(-2 * lam)) * (z - mean)

    guided = gen.guide(family, condition=(1.0, 0.25), unconditional=(0.0, 1.0), scale=3.0)
    vp = gen.VP()
    alpha, first = float(vp.alpha(1.0)), float(vp.lam(1.0))
    z = np.array([[0.0], [1.0]])
    ends = run(gen.probability_flow(guided), z, gen.uniform_lambda(400, first, 9.0), stepper=ds.ETDRK4())[:, 0]
    assert ends[0] == pytest.approx(1.4975, abs=1e-4)
    assert ((ends[1] - ends[0]) / alpha) ** 2 == pytest.approx(1 / 64, rel=1e-3)
    plain = gen.guide(family, condition=(1.0, 0.25), unconditional=gen.Gaussian([0.0], 1.0), scale=1.0)
    lam = tf.constant(0.3, tf.float64)
    np.testing.assert_allclose(plain(tf.constant(z), lam), gen.Gaussian([1.0], 0.25)(tf.constant(z), lam), rtol=1e-12)
    less = gen.guide(MIX, unconditional=gen.Gaussian([0.0], 1.0), scale=0.0)
    np.testing.assert_allclose(less(tf.constant(z), lam), gen.Gaussian([0.0], 1.0)(tf.constant(z), lam), rtol=1e-12)


@pytest.mark.parametrize("schedule", [gen.VP(), pytest.param(gen.CondOT(), marks=pytest.mark.slow)], ids=["VP", "CondOT"])
def test_noise_added_in_t_has_the_marginal_of_the_schedule(schedule):
    """Mean and variance of x_t given x₀ to five standard errors, by 200 steps of Euler–Maruyama."""
    n, t = 20_000, 0.7
    x0 = tf.fill([n, 1], tf.constant(2.0, tf.float64))
    law = gen.forward_sde(schedule)
    x = ds.solve(law, x0, (0.0, t), dt=t / 200, stepper=ds.EulerMaruyama(), key=ds.key(4), jit=False).final.numpy()
    alpha, sigma = (float(a) for a in gen.marginal(t, schedule))
    assert x.mean() == pytest.approx(2 * alpha, abs=5 * sigma / n**0.5 + 0.02)
    assert x.var() == pytest.approx(sigma**2, rel=5 * (2 / n) ** 0.5 + 0.02)


def test_noise_added_in_lambda_is_exact():
    mesh = gen.karras(3, 0.01, 4.0).reversed()
    z = run(gen.forward_sde(), np.full([50_000, 1], 2.0), mesh)
    assert z.std() == pytest.approx(4.0, rel=5 / (2 * 50_000) ** 0.5)
    assert z.mean() == pytest.approx(2.0, abs=5 * 4 / 50_000**0.5)
    x0, epsilon = np.ones([2, 3], np.float32), np.full([2, 3], 0.5, np.float32)
    x = gen.perturb(tf.constant(x0), tf.constant(epsilon), tf.constant([0.0, 1.0]), gen.CondOT())
    np.testing.assert_array_equal(x, [[1.0] * 3, [0.5] * 3])


# One program.


def test_one_program_for_every_seed_mesh_strength_and_condition():
    traces = []

    def network(x, t, condition=None):
        traces.append(1)
        return 0.1 * x if condition is None else 0.1 * x + tf.reshape(condition, [-1, 1])

    def sample(seed, sigma, eta, condition, scale):
        denoiser = gen.guide(gen.from_epsilon(network, STEPS), condition=tf.constant(condition), scale=scale)
        mesh = gen.karras(5, 0.03, sigma)
        z = gen.prior(mesh, (2, 3), ds.key(seed))
        return ds.solve(gen.reverse_sde(denoiser, eta), z, mesh, stepper=ds.ETD1(), key=ds.key(seed + 1)).final.numpy()

    first = sample(0, 14.6, 1.0, [1.0, 2.0], 7.5)
    before, missed = len(traces), program.cache_info().misses
    others = [sample(1, 14.6, 1.0, [1.0, 2.0], 7.5), sample(0, 10.0, 1.0, [1.0, 2.0], 7.5), sample(0, 14.6, 0.5, [1.0, 2.0], 7.5),
              sample(0, 14.6, 1.0, [1.0, 3.0], 7.5), sample(0, 14.6, 1.0, [1.0, 2.0], 2.0)]
    assert (len(traces), program.cache_info().misses) == (before, missed)
    assert all(np.abs(x - first).max() > 1e-3 for x in others)
    np.testing.assert_array_equal(sample(0, 14.6, 1.0, [1.0, 2.0], 7.5), first)
    sample(0, 14.6, 0.0, [1.0, 2.0], 7.5)
    assert len(traces) > before  # no noise is another law: the counter counts


def test_the_same_image_in_any_batch():
    mesh, law = gen.karras(6, 0.03, 10.0), gen.reverse_sde(PLANE, 1.0)
    k_prior, k_path = ds.split(ds.key(42))
    whole = run(law, gen.prior(mesh, (8, 2), k_prior), mesh, key=k_path)
    z = gen.prior(mesh, (3, 2), k_prior, first=4)
    batch = ds.Equation(law.linear, law.drift, law.diffusion, noise=ds.Brownian(first=4))
    np.testing.assert_allclose(run(batch, z, mesh, key=k_path), whole[4:7], rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("dtype", [tf.float32, pytest.param(tf.float64, marks=pytest.mark.slow)], ids=["float32", "float64"])
def test_from_pure_noise_to_pure_data(dtype):
    """A last training step without signal is λ = −40; a network of v starts there, and five standard errors hold."""
    schedule = gen.Discrete.scaled_linear().zero_terminal()
    exact = gen.Gaussian([0.6, -0.2], 0.16)

    def network(x, t):
        lam = schedule.lam(t)
        z = x / tf.reshape(schedule.scales(lam)[0], [-1, 1])
        return gen.to_v(exact(z, lam), z, lam, schedule)

    mesh = gen.trailing(schedule, 100)
    z = gen.prior(mesh, (4000, 2), ds.key(8), dtype)
    assert mesh.lam[0] == -40.0 and z.dtype == dtype and 2e17 < np.std(z.numpy().astype(float)) < 3e17
    x = run(gen.reverse_sde(gen.from_v(network, schedule), 1.0), z, mesh)
    assert (np.abs(x.mean(0) - [0.6, -0.2]) < 5 * 0.4 / 4000**0.5).all()
    np.testing.assert_allclose(x.std(0), 0.4, rtol=5 / 8000**0.5 + 0.04)  # ETD1 is of order one in 100 steps


def test_the_script_of_the_design():
    """As written in the README, with a small network: an image batch in float32, finite, its spread that of the data."""

    def unet(x, t, prompt=None):
        pull = 0.0 if prompt is None else tf.reshape(prompt, [-1, 1, 1, 1])
        alpha, sigma = (tf.reshape(a, [-1, 1, 1, 1]) for a in gen.marginal(t, gen.Cosine()))
        alpha, sigma = tf.cast(alpha, x.dtype), tf.cast(sigma, x.dtype)
        x0 = pull + 0.25 * alpha / (0.25 * alpha**2 + sigma**2) * (x - alpha * pull)
        return (x - alpha * x0) / sigma

    prompt = tf.constant([0.1, 0.2, 0.0, -0.1])
    denoiser = gen.guide(gen.from_epsilon(unet, gen.Cosine()), condition=prompt, scale=7.5)
    mesh = gen.karras(steps=30, sigma_min=0.03, sigma_max=14.6)
    k_prior, k_path = ds.split(ds.key(42))
    z = gen.prior(mesh, shape=(4, 64, 64, 4), key=k_prior)
    sol = ds.solve(gen.reverse_sde(denoiser, eta=1.0), z, t=mesh, stepper=ds.ETD1(), key=k_path)
    assert sol.final.dtype == tf.float32 and sol.t_final == 40.0 and sol.steps == 30
    images = sol.final.numpy()
    np.testing.assert_allclose(images.mean((1, 2, 3)), 7.5 * prompt.numpy(), atol=0.05)
    np.testing.assert_allclose(images.std((1, 2, 3)), 0.44, atol=0.01)  # 0.5 less what order one misses in 30 steps


def eps_net(x, t):
    return 0.1 * x


REFUSED = {
    "λ that falls": (lambda: run(gen.reverse_sde(MIX), np.zeros([2, 1]), gen.karras(3, 0.1, 1.0).reversed()), "rise"),
    "a mesh of another schedule": (
        lambda: run(gen.reverse_sde(gen.from_epsilon(eps_net, gen.VP())), np.zeros([2, 1]), gen.leading(STEPS, 3)), "VP"),
    "another table": (
        lambda: run(gen.reverse_sde(gen.from_epsilon(eps_net, gen.Discrete.scaled_linear())), np.zeros([2, 1]),
                    gen.leading(STEPS, 3)), "trained"),
    "guided and of another schedule": (
        lambda: run(gen.reverse_sde(gen.guide(gen.from_epsilon(eps_net, gen.VP()), unconditional=MIX)), np.zeros([2, 1]),
                    gen.leading(STEPS, 3)), "VP"),
    "noise alone for a network of noise": (
        lambda: run(gen.reverse_sde(gen.from_epsilon(eps_net, gen.Cosine())), np.zeros([2, 1]),
                    gen.uniform_time(gen.Cosine(), 4)), "first=0.999"),
    "more noise than the network knows": (
        lambda: run(gen.reverse_sde(gen.from_epsilon(eps_net, gen.Discrete.scaled_linear())), np.zeros([2, 1]),
                    gen.karras(4, 0.1, 80.0)), "sigma_max=14.61"),
    "data that are not finite": (
        lambda: run(gen.reverse_sde(MIX), np.array([[np.nan]]), gen.karras(3, 0.1, 1.0)), "finite"),
    "η below zero": (lambda: gen.reverse_sde(MIX, -1.0), "≥ 0"),
    "no denoiser": (lambda: gen.reverse_sde(3.0), "from_epsilon"),
    "no network": (lambda: gen.from_epsilon(None, gen.VP()), "Keras"),
    "no schedule": (lambda: gen.from_v(eps_net, 1000), "Cosine"),
    "a network of another shape": (
        lambda: run(gen.reverse_sde(gen.from_x0(lambda x, t: x[:, :1], gen.VP())), np.zeros([2, 2]), gen.karras(3, 0.1, 1.0)),
        "variances"),
    "a prior without a mesh": (lambda: gen.prior([1.0, 2.0], (2, 1), ds.key(0)), "karras"),
    "a prior of a reversed mesh": (lambda: gen.prior(gen.karras(3, 0.1, 1.0).reversed(), (2, 1), ds.key(0)), "reversed"),
    "guidance by nothing": (lambda: gen.guide(MIX, scale=2.0), "condition"),
    "guidance without measure": (lambda: gen.guide(MIX, condition=1.0, scale=np.inf), "finite"),
    "noise added on no schedule": (lambda: gen.forward_sde("cosine"), "VP"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    build, word = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        build()
    assert word in str(error.value)
