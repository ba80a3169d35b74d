"""Steppers for noise: strong orders on coupled paths, weak orders by exact moments, the right limit, and calculi.

Paths are those of a BrownianTree, so that every step size sees the same one. Statistical tests hold at five standard
deviations; parameters are not ones.
"""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from tests.orders import slope

F64 = tf.float64
KEY = ds.key(5)
PATHS = 1000
T = 0.5
STEPS = (8, 16, 32, 64)


def growth(mu=0.9, sigma=0.8, calculus=None):
    """dX = μX dt + σX dW on a path that can be refined."""
    noise = ds.BrownianTree(0.0, T, depth=8)
    return dataclasses.replace(
        ds.models.GeometricBrownian(mu, sigma).law, noise=noise, calculus=calculus or ds.Ito()
    )


def pulled(t, x):
    """β/√(1 + t) − x/2(1 + t)."""
    return 0.5 / tf.sqrt(1 + t) - x / (2 * (1 + t))


def fading(t, x):
    """aβ/√(1 + t)."""
    return 0.5 * 1.7 / tf.sqrt(1 + t) + 0 * x


ADDITIVE = ds.Equation(drift=pulled, diffusion=fading, noise=ds.BrownianTree(0.0, T, depth=8))


def ends(law, stepper, steps, x0=1.3, key=KEY, paths=PATHS, jit=True):
    """X(T) on all paths."""
    return ds.solve(law, np.full(paths, x0), (0, T), dt=T / steps, stepper=stepper, key=key, jit=jit).final.numpy()


@functools.lru_cache
def W():
    """W(T) of the paths."""
    return ADDITIVE.noise.increment(KEY, 0, 0.0, T, tf.zeros([PATHS], F64)).numpy()


def exact_growth(point, mu=0.9, sigma=0.8, x0=1.3):
    """X(T), g taken at `point` of each interval."""
    return x0 * np.exp((mu - (0.5 - point) * sigma**2) * T + sigma * W())


def exact_additive(x0=1.3):
    """X(T) of reference problem D4."""
    return (x0 + 0.5 * (T + 1.7 * W())) / np.sqrt(1 + T)


STRONG = {
    "EulerMaruyama, Itô": (ds.EulerMaruyama(), ds.Ito(), 0.5),
    "Milstein, Itô": (ds.Milstein(), ds.Ito(), 1.0),
    "Milstein, Stratonovich": (ds.Milstein(), ds.Stratonovich(), 1.0),
    "Platen, isothermal": (ds.Platen(), ds.Isothermal(), 1.0),
    "Heun, Stratonovich": (ds.Heun(), ds.Stratonovich(), 1.0),
    "Heun, Itô": (ds.Heun(), ds.Ito(), 1.0),
}


@pytest.mark.parametrize("case", STRONG)
def test_strong_order_and_limit(case):
    stepper, calculus, order = STRONG[case]
    law, exact = growth(calculus=calculus), exact_growth(calculus.point)
    errors = [np.mean(np.abs(ends(law, stepper, n) - exact)) for n in STEPS]
    assert abs(slope([1 / n for n in STEPS], errors) - order) < 0.2, errors
    others = [p for p in (0.0, 0.5, 1.0) if p != calculus.point]
    for point in others:  # the wrong calculus is not approached
        assert np.mean(np.abs(ends(law, stepper, STEPS[-1]) - exact_growth(point))) > 5 * errors[-1]


def test_strong_order_of_additive_noise():
    """D4 has a linear drift, on which SRA1 is better than its order 3/2; Euler–Maruyama has order 1."""
    exact = exact_additive()

    def errors(stepper):
        return [np.sqrt(np.mean((ends(ADDITIVE, stepper, n) - exact) ** 2)) for n in STEPS[:3]]

    sra, euler = errors(ds.SRA1()), errors(ds.EulerMaruyama())
    assert slope([1 / n for n in STEPS[:3]], sra) > 1.3, sra
    assert abs(slope([1 / n for n in STEPS[:3]], euler) - 1.0) < 0.2, euler
    assert sra[-1] < euler[-1] / 20


def test_strong_order_three_halves_of_a_nonlinear_drift():
    """dX = cos X dt + 2 dW, against the same path in steps eight times as small."""
    law = ds.Equation(drift=lambda t, x: tf.cos(x), diffusion=2.0, noise=ds.BrownianTree(0.0, T, depth=9))
    exact = ends(law, ds.SRA1(), 512)
    errors = [np.sqrt(np.mean((ends(law, ds.SRA1(), n) - exact) ** 2)) for n in STEPS[1:]]
    assert abs(slope([1 / n for n in STEPS[1:]], errors) - 1.5) < 0.2, errors


def test_the_path_is_integrated_backwards_too():
    """From the exact end back to the start: Stratonovich paths are reversible, and Itô's meaning is not."""
    law = growth(calculus=ds.Stratonovich())
    for stepper in (ds.Heun(), ds.Milstein()):
        back = ds.solve(law, exact_growth(0.5), (T, 0), dt=T / 64, stepper=stepper, key=KEY).final.numpy()
        assert np.mean(np.abs(back - 1.3)) < 0.02


# Weak orders: E p(asinh X), p(z) = z³ − 6z² + 8z, is t³ − 3t² + 2t for dX = (X/2 + √(X² + 1))dt + √(X² + 1)dW (D5)


def roots(t, x):
    """x/2 + √(x² + 1)."""
    return x / 2 + tf.sqrt(x * x + 1)


def root(t, x):
    """√(x² + 1)."""
    return tf.sqrt(x * x + 1)


ROOTS = ds.Equation(drift=roots, diffusion=root, noise=ds.Antithetic())


def observed(x):
    """p(asinh x)."""
    z = np.arcsinh(x)
    return z**3 - 6 * z**2 + 8 * z


@pytest.mark.slow
def test_the_weak_limit():
    """D5 by Platen's method in forty steps; Euler–Maruyama is still far from it."""
    paths, t = 1_000_000, 1.5

    def means(stepper):
        x = ds.solve(ROOTS, np.zeros(paths), (0, t), dt=t / 40, stepper=stepper, key=KEY).final.numpy()
        pairs = observed(x).reshape(2, -1).mean(0)
        return np.mean(pairs) - (t**3 - 3 * t**2 + 2 * t), 5 * np.std(pairs) / np.sqrt(pairs.size)

    error, allowed = means(ds.Platen())
    assert abs(error) < allowed
    error, allowed = means(ds.EulerMaruyama())
    assert abs(error) > allowed


def moment(stepper, law, steps, power):
    """⟨Xᵖ⟩ of a scheme for a law that is linear in X, without sampling: ⟨(X₁/X₀)ᵖ⟩ⁿ by Gauss–Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(9)
    h, y = T / steps, tf.ones([points.size], F64)
    stepper, law = stepper.bind(law.of_state(y), h)
    step = stepper.step(law, tf.zeros([], F64), tf.constant(h, F64), y, (), (), lambda: tf.constant(points * h**0.5))
    return np.sum(weights / weights.sum() * step.y.numpy() ** power) ** steps


@pytest.mark.parametrize(
    ("stepper", "order"), [(ds.EulerMaruyama(), 1), (ds.Milstein(), 1), (ds.Heun(), 1), (ds.Platen(), 2)]
)
def test_weak_order(stepper, order):
    """The first two moments of dX = 0.9X dt + 0.8X dW, in steps of up to 1/64 and with no statistical error."""
    law = ds.models.GeometricBrownian(0.9, 0.8).law
    for power, rate in ((1, 0.9), (2, 2 * 0.9 + 0.64)):
        errors = [abs(moment(stepper, law, n, power) - np.exp(rate * T)) for n in STEPS]
        assert order - 0.2 < slope([1 / n for n in STEPS], errors) < order + 1.1, (power, errors)
        if power == 2:
            assert slope([1 / n for n in STEPS], errors) < order + 0.2, errors
        assert errors[-1] < 0.05


def test_mean_of_euler_maruyama_is_that_of_its_recursion():
    """D3: (1 + 2h)^{1/h}, on antithetic pairs."""
    n, h = 20_000, 2.0**-5
    law = dataclasses.replace(ds.models.GeometricBrownian(2.0, 1.0).law, noise=ds.Antithetic())
    x = ds.solve(law, np.ones(n), (0, 1), dt=h, stepper=ds.EulerMaruyama(), key=KEY).final.numpy()
    pairs = (x[: n // 2] + x[n // 2 :]) / 2
    assert abs(np.mean(pairs) - 6.9586668) < 5 * np.std(pairs) / np.sqrt(n / 2)
    assert abs(np.mean(pairs) - np.exp(2)) > 5 * np.std(pairs) / np.sqrt(n / 2)  # not yet the limit


# Calculi


def widening(t, x):
    """g = 0.8 + 0.3 sin x₀ cos x₁, the same in both directions: g of an entry depends on the other."""
    return 0.3 * tf.sin(x[..., :1]) * tf.cos(x[..., 1:]) + 0.8 + 0 * x


def turned(t, x, dN):
    """The same as a NoiseMap."""
    return widening(t, x) * dN


def test_conversion_of_noise_that_depends_on_the_whole_vector():
    """½ gₖ ∂ₖgₖ against derivatives by hand; a NoiseMap of the same noise agrees."""
    x = tf.constant(np.random.default_rng(0).normal(size=(6, 2)))
    g = widening(0.0, x).numpy()
    s, c = np.sin(x.numpy()), np.cos(x.numpy())
    by_hand = g * 0.3 * np.stack([c[:, 0] * c[:, 1], -s[:, 0] * s[:, 1]], -1)
    for calculus in (ds.Stratonovich(), ds.Isothermal()):
        law = ds.Equation(diffusion=widening, calculus=calculus).of_state(x)
        drift = law.stated_in(ds.Ito).drift(tf.constant(0.0, F64), x)
        assert np.max(np.abs(drift - calculus.point * by_hand)) < 1e-14
        back = law.stated_in(ds.Ito, -1.0).drift(tf.constant(0.0, F64), x)
        assert np.max(np.abs(back + calculus.point * by_hand)) < 1e-14
    law = ds.Equation(diffusion=ds.NoiseMap(turned), calculus=ds.Stratonovich()).of_state(x)
    assert np.max(np.abs(law.stated_in(ds.Ito).drift(tf.constant(0.0, F64), x) - 0.5 * by_hand)) < 1e-14


def test_reach_of_an_amplitude():
    x = tf.constant(np.random.default_rng(0).normal(size=(6, 3)))
    reach = {
        "NOTHING": lambda t, x: t + 0 * tf.stop_gradient(x),
        "ENTRY": lambda t, x: tf.sqrt(1 + x * x),
        "VECTOR": lambda t, x: x / (1 + tf.reduce_sum(x * x, -1, keepdims=True)),
        "ALL": lambda t, x: x * tf.reduce_mean(x, 0),
    }
    for name, g in reach.items():
        assert ds.Equation(diffusion=g).of_state(x).reach.name == name
    pair = ds.Equation(diffusion=lambda t, y: (y[1], y[1])).of_state((x, x))
    assert pair.reach.name == "ALL"


def test_stationary_law_of_mobility_that_varies():
    """∂ₜp = ∂ₓ(μ ∂ₓp): a uniform start on a circle stays uniform for isothermal noise, and for no other."""
    n = 100_000
    start = np.linspace(0, 2 * np.pi, n, endpoint=False).astype(np.float32)
    model = ds.models.Overdamped(None, kT=0.7, mobility=lambda t, x: 1 + 0.6 * tf.sin(x))

    def mean_sine(calculus, stepper):
        law = dataclasses.replace(model.law, calculus=calculus)
        x = ds.solve(law, start, (0, 2), dt=0.1, stepper=stepper, key=KEY).final.numpy()
        return np.mean(np.sin(x)) * np.sqrt(2 * n)

    assert abs(mean_sine(ds.Isothermal(), ds.Platen())) < 5
    assert mean_sine(ds.Ito(), ds.Platen()) < -15
    assert mean_sine(ds.Stratonovich(), ds.Platen()) < -15


def test_a_simulation_runs_the_same_steps_and_knows_their_direction():
    law, y = growth(calculus=ds.Isothermal()), np.linspace(0.5, 1.5, 7)
    for dt, times in ((0.125, (0, T)), (-0.125, (T, 0))):
        whole = ds.solve(law, y, times, dt=0.125, stepper=ds.Milstein(), key=KEY, jit=False).final.numpy()
        sim = ds.Simulation(law, ds.Milstein(), dt=dt, like=y, jit=False)
        for given in (None, law):
            assert np.max(np.abs(sim.advance(y, 4, t=times[0], key=KEY, law=given) - whole)) < 1e-14


@pytest.mark.slow
def test_gradients_along_a_refinable_path():
    """d ΣX(T)/da through Heun's steps of an Itô law, against a difference quotient."""
    y = tf.constant(np.linspace(-1, 1, 5))

    def law(a):
        drift = functools.partial(lambda a, t, x: a * tf.sin(x), a)
        return ds.Equation(drift=drift, diffusion=root, noise=ds.BrownianTree(0.0, 1.0, depth=6))

    sim = ds.Simulation(law(tf.constant(0.8, F64)), ds.Heun(), dt=0.25, like=y)

    def total(a):
        return tf.reduce_sum(sim.advance(y, 4, law=law(a), key=KEY))

    a, step = tf.constant(0.8, F64), 1e-5
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = total(a)
    quotient = (total(a + step) - total(a - step)) / (2 * step)
    assert float(tape.gradient(value, a)) == pytest.approx(float(quotient), rel=1e-7)


# Adapted steps


def test_adapted_steps_follow_the_path():
    """Heun with PID on a BrownianTree: the error falls with the tolerance, on the same path, to the Itô limit."""
    law = dataclasses.replace(growth(), noise=ds.BrownianTree(0.0, T, depth=20))
    exact = 1.3 * np.exp((0.9 - 0.32) * T + 0.8 * law.noise.increment(KEY, 0, 0.0, T, tf.zeros([200], F64)).numpy())
    errors, steps = [], []
    for rtol in (3e-2, 3e-3):
        sol = ds.solve(law, np.full(200, 1.3), (0, T), dt=ds.PID(rtol=rtol, atol=0.0), key=KEY)
        errors.append(np.mean(np.abs(sol.final.numpy() / exact - 1)))
        steps.append(sol.steps)
        assert sol.info["stepper"] == "Heun"
        assert sol.rejected > 0  # steps that were too long are repeated on the same path
    assert errors[1] < 3e-3 and errors[1] < errors[0] / 3 and steps[1] > 3 * steps[0]


REFUSED = {
    "adapted steps on fresh noise": (ds.Equation(drift=pulled, diffusion=1.0), ds.Heun(), ds.PID(), TypeError, "path"),
    "adapted steps of Euler–Maruyama": (growth(), ds.EulerMaruyama(), ds.PID(), TypeError, "no error"),
    "Milstein for vectors": (ds.Equation(diffusion=widening), ds.Milstein(), 0.1, TypeError, "Heun()"),
    "Milstein for flights": (
        dataclasses.replace(growth(), noise=ds.AlphaStable(1.5)), ds.Milstein(), 0.1, TypeError, "independent Brownian"),
    "SRA1 for noise of the state": (growth(), ds.SRA1(), 0.1, TypeError, "time only"),
    "SRA1 for flights": (ds.Equation(diffusion=1.0, noise=ds.AlphaStable(1.5)), ds.SRA1(), 0.1, TypeError, "Gaussian"),
    "ETD1 for flights": (
        ds.Equation(linear=-1.0, diffusion=1.0, noise=ds.AlphaStable(1.5)), ds.ETD1(), 0.1, TypeError, "Gaussian"),
    "another calculus for flights": (
        dataclasses.replace(growth(calculus=ds.Stratonovich()), noise=ds.AlphaStable(1.5)), ds.EulerMaruyama(), 0.1,
        TypeError, "Ito()"),
    "another calculus for a mean field": (
        ds.Equation(diffusion=lambda t, x: x * tf.reduce_mean(x), calculus=ds.Stratonovich()), ds.EulerMaruyama(), 0.1,
        TypeError, "vector by vector"),
    "BAOAB for one tensor": (growth(), ds.BAOAB(), 0.1, TypeError, "Underdamped"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    law, stepper, dt, kind, words = REFUSED[case]
    with pytest.raises(kind) as error:
        ds.solve(law, np.ones([4, 2]), (0, T), dt=dt, stepper=stepper, key=KEY)
    assert words in str(error.value) and ": expected " in str(error.value)
