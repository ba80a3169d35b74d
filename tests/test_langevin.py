"""Langevin laws through `solve`: exact moments of the schemes and of physics, at five standard deviations."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad
from scipy.special import i0

import diffsim as ds

F64 = tf.float64
KEY = ds.key(23)
OU = ds.Equation(drift=lambda t, x: -x, diffusion=2.0**0.5)


def near(x, expected, sigmas=5.0):
    """The mean of x is as expected, within five standard deviations of the mean."""
    x = np.asarray(x, float)
    error = sigmas * np.std(x) / np.sqrt(x.size)
    assert abs(np.mean(x) - expected) < error, (np.mean(x), expected, error)


def far(x, wrong, sigmas=5.0):
    """The mean of x is not `wrong`: the negative control."""
    x = np.asarray(x, float)
    assert abs(np.mean(x) - wrong) > sigmas * np.std(x) / np.sqrt(x.size)


def final(law, y0, t, key=KEY, **options):
    """The last state as NumPy arrays."""
    return tf.nest.map_structure(lambda a: a.numpy(), ds.solve(law, y0, (0, t), key=key, **options).final)


# Moments of schemes: from random starts of the scheme's own stationary law they must stay


@pytest.mark.parametrize(
    ("stepper", "variance"),
    [
        (ds.EulerMaruyama(), lambda h: 1 / (1 - h / 2)),
        (ds.LeimkuhlerMatthews(), lambda h: 1.0),
        (ds.Heun(), lambda h: (1 - h + h * h / 4) * 2 * h / (1 - (1 - h + h * h / 2) ** 2)),
        (ds.ETD1(), lambda h: 1.0),
    ],
)
def test_stationary_variance_of_schemes(stepper, variance):
    """D1, at a step as long as the relaxation time, where schemes differ most."""
    h, law = 1.0, OU if not isinstance(stepper, ds.ETD1) else ds.Equation(linear=-1.0, diffusion=2.0**0.5)
    x = final(law, np.zeros(60_000), 40.0, dt=h, stepper=stepper)
    near(x**2, variance(h))
    if abs(variance(h) - 1) > 0.1:
        far(x**2, 1.0)


def test_ornstein_uhlenbeck_from_rest():
    model = ds.models.OrnsteinUhlenbeck(k=0.8, gamma=1.7, kT=0.6)
    x = final(model.law, np.full(40_000, 1.1), 0.9, dt=0.9)
    near(x, model.mean(0.9, 1.1))
    near((x - model.mean(0.9, 1.1)) ** 2, model.variance(0.9))
    assert ds.models.OrnsteinUhlenbeck(1.0, 1.0, 1.0).variance(1.0) == pytest.approx(0.8646647, abs=1e-7)


def test_baoab_in_a_harmonic_well():
    """D2: ⟨x²⟩ = kT/k at every stable step, ⟨v²⟩ = (kT/m)(1 − h²ω²/4); non-unit parameters."""
    k, m, kT, gamma = 1.5, 0.6, 0.7, 0.9
    omega, n = (k / m) ** 0.5, 50_000
    model = ds.models.Underdamped(lambda t, x: 0.5 * k * x * x, kT=kT, gamma=gamma, mass=m)
    for h in (0.4 / omega, 1.6 / omega):
        x, v = final(model.law, (np.zeros(n), np.zeros(n)), 60 * h, dt=h, stepper=ds.BAOAB())
        near(x**2, kT / k)
        near(v**2, kT / m * (1 - h**2 * omega**2 / 4))
    far(v**2, kT / m)


def test_free_underdamped_motion():
    """D8: the MSD at t, and ⟨v(t)·v(0)⟩; non-unit parameters."""
    m, kT, gamma, t, n = 0.7, 1.3, 0.5, 1.6, 40_000
    model = ds.models.Underdamped(None, kT=kT, gamma=gamma, mass=m)
    x0, tau = tf.zeros([n], F64), m / gamma
    v0 = model.velocities(ds.key(2), x0)
    x, v = final(model.law, (x0, v0), t, dt=0.05, stepper=ds.BAOAB())
    msd = 2 * kT / gamma * (t - tau * (1 - np.exp(-t / tau)))
    near(x**2, msd)
    near(v * v0, kT / m * np.exp(-t / tau))
    far(x**2, 2 * kT / gamma * t)


def test_underdamped_motion_without_friction_conserves_energy():
    model = ds.models.Underdamped(lambda t, x: tf.reduce_sum(1 - tf.cos(x), -1), kT=1.0, gamma=0.0, mass=2.0)
    x0, v0 = np.array([[0.3, 1.0], [2.0, -0.5]]), np.array([[0.1, 0.0], [0.0, 0.4]])

    def energy(x, v):
        return np.sum(1 - np.cos(x) + v * v, -1)

    errors = [
        np.max(np.abs(energy(*final(model.law, (x0, v0), 5.0, dt=h, stepper=ds.BAOAB(), jit=False)) - energy(x0, v0)))
        for h in (0.1, 0.05)
    ]
    assert errors[0] < 1e-2 and 3.5 < errors[0] / errors[1] < 4.5


# Physics of overdamped motion


def test_free_anisotropic_diffusion_with_drift():
    D = np.array([[1.5, 0.4], [0.4, 0.5]])
    model, t = ds.models.BrownianMotion(D, v=(0.3, -1.0)), 0.7
    x = final(model.law, np.zeros([40_000, 2]), t, dt=0.35)
    near(x[:, 0], 0.3 * t)
    near(x[:, 1], -1.0 * t)
    x = x - np.array([0.3, -1.0]) * t
    near(x[:, 0] * x[:, 1], 2 * D[0, 1] * t)
    near(x[:, 0] ** 2, 2 * D[0, 0] * t)
    still = final(ds.models.BrownianMotion(0.8).law, np.zeros([40_000]), t, dt=0.35)
    near(still**2, 2 * 0.8 * t)


def test_a_mobility_matrix_leaves_the_law_at_rest():
    """p ∝ e^{−V/kT} whatever the mobility."""
    K, kT = tf.constant([[2.0, 0.5], [0.5, 1.0]], F64), 0.7
    M = np.array([[1.0, 0.6], [0.6, 0.8]])
    model = ds.models.Overdamped(lambda t, x: 0.5 * tf.reduce_sum(x * tf.linalg.matvec(K, x), -1), kT=kT, mobility=M)
    x = final(model.law, np.zeros([40_000, 2]), 8.0, dt=0.2, stepper=ds.LeimkuhlerMatthews())
    C = kT * np.linalg.inv(K.numpy())
    for i, j in ((0, 0), (0, 1), (1, 1)):
        near(x[:, i] * x[:, j], C[i, j])
    far(x[:, 0] * x[:, 1], 0.0)


def test_a_mobility_that_varies_leaves_the_law_at_rest():
    """p ∝ e^{−V/kT}, ⟨x²⟩ = kT/k; taken in Itô's sense p ∝ e^{−V/kT}/μ."""
    k, kT, n = 1.5, 0.7, 10_000
    model = ds.models.Overdamped(lambda t, x: 0.5 * k * x * x, kT=kT, mobility=lambda t, x: 0.4 + 1 / (1 + 2 * x * x))
    x0 = (kT / k) ** 0.5 * ds.random.normal(ds.key(3), [n], F64)
    x = final(model.law, x0, 3.0, dt=0.1, stepper=ds.Platen(), jit=False)
    near(x**2, kT / k)
    far(x**2, kT / (2 * k))  # √(kTμ) in place of √(2kTμ)
    as_ito = dataclasses.replace(model.law, calculus=ds.Ito())
    x = final(as_ito, x0, 3.0, dt=0.1, stepper=ds.Platen(), jit=False)

    def weight(x):
        return np.exp(-0.5 * k * x * x / kT) / (0.4 + 1 / (1 + 2 * x * x))

    near(x**2, quad(lambda x: x * x * weight(x), -9, 9)[0] / quad(weight, -9, 9)[0])
    far(x**2, kT / k)


def test_effective_diffusion_in_a_washboard():
    """D9: D_eff = D/I₀(A/kT)², from the variance between two times; non-unit parameters."""
    A, kT, mobility, n = 0.9, 0.8, 1.3, 40_000
    model = ds.models.Overdamped(lambda t, x: A * tf.cos(x), kT=kT, mobility=mobility)
    sol = ds.solve(model.law, tf.fill([n], tf.constant(np.pi, tf.float32)), (0, 16), dt=0.05, key=KEY,
                   stepper=ds.Heun(), save=ds.SaveAt(ts=[8.0, 16.0]))  # fmt: skip
    x = sol.y.numpy().astype(float)
    D = mobility * kT / i0(A / kT) ** 2
    squares = (x - np.pi) ** 2
    near((squares[1] - squares[0]) / 16, D)
    far((squares[1] - squares[0]) / 16, mobility * kT)


def test_work_of_a_moving_trap():
    """D15: ⟨e^{−W/kT}⟩ = 1 and ⟨W⟩ = var W/2kT for a trap that moves at speed v, W′ = −k v (x − v t)."""
    k, v, kT, mobility, n, t = 1.4, 0.8, 0.6, 1.2, 40_000, 1.5

    def drift(t, y):
        pull = k * (y[0] - v * t)
        return -mobility * pull, -v * pull

    law = ds.Equation(drift=drift, diffusion=((2 * kT * mobility) ** 0.5, 0.0))
    x0 = ds.random.normal(ds.key(4), [n], F64) * (kT / k) ** 0.5
    _, W = final(law, (x0, tf.zeros([n], F64)), t, dt=0.05, stepper=ds.SRA1())
    near(np.exp(-W / kT), 1.0)
    s = mobility * k * t
    mean = v * v / mobility * (t - (1 - np.exp(-s)) / (mobility * k))
    near(W, mean)
    near((W - mean) ** 2, 2 * kT * mean)
    far(W, 0.0)


def test_work_of_a_trap_that_stiffens():
    """D15: stiffness 1 → 3 at once: ⟨e^{−W/kT}⟩ = √(1/3), W the energy gained, in the law that a run at rest leaves."""
    kT = 0.7
    model = ds.models.OrnsteinUhlenbeck(k=1.0, gamma=1.3, kT=kT)
    x = final(model.law, np.zeros(100_000), 20.0, dt=5.0)
    work = 0.5 * (3.0 - 1.0) * x**2
    near(np.exp(-work / kT), (1 / 3) ** 0.5)
    far(np.exp(-work / kT), 1.0)


def kramers_time(D):
    """Mean first passage −1 → 1 in V = x⁴/4 − x²/2: ∫₋₁¹ e^{V/D} ∫₋∞ʸ e^{−V/D} dz dy / D."""

    def V(x):
        return x**4 / 4 - x**2 / 2

    inner = lambda y: quad(lambda z: np.exp((V(y) - V(z)) / D), -6, y)[0]  # noqa: E731
    return quad(inner, -1, 1)[0] / D


@pytest.mark.slow
def test_escape_over_a_barrier():
    """D10: the survival of walkers from −1, absorbed at 1, decays at the rate of the mean first passage time."""
    D, n, h, t = 0.1, 20_000, 0.005, 60.0
    mean = kramers_time(D)
    assert mean == pytest.approx(66.26863, abs=1e-4)
    model = ds.models.Overdamped(lambda t, x: x**4 / 4 - x**2 / 2, kT=D)
    bridge = -0.5826 * (2 * D * h) ** 0.5  # a walk seen at steps passes as if the wall stood 0.5826 σ√h further

    def drift(t, y):
        x, there = y
        return tf.where(there > 0, 0 * x, model.drift(t, x)), tf.where(
            (x > 1 + bridge) & (there == 0), 1 / h, 0.0
        ) + 0 * x

    def amplitude(t, y):
        return tf.where(y[1] > 0, 0 * y[0], (2 * D) ** 0.5 + 0 * y[0]), 0 * y[1]

    law = ds.Equation(drift=drift, diffusion=amplitude)
    x0 = tf.fill([n], tf.constant(-1.0, tf.float32))
    alive = lambda t, y: tf.reduce_mean(tf.cast(tf.equal(y[1], 0), tf.float32))  # noqa: E731
    sol = ds.solve(law, (x0, tf.zeros([n])), (0, t), dt=h, stepper=ds.EulerMaruyama(), key=KEY,
                   save=ds.SaveAt(ts=[20.0, t], fn=alive))  # fmt: skip
    s = sol.y.numpy().astype(float)
    rate = np.log(s[0] / s[1]) / (t - 20.0)
    error = 5 * np.sqrt((1 - s[1]) / (n * s[1])) / (t - 20.0)
    assert abs(rate - 1 / mean) < error + 0.02 / mean, (1 / rate, mean)  # 2 %: the slow mode and the mean differ


# Directions


def test_rotational_diffusion_keeps_length_and_relaxes():
    D, n, t = 0.6, 20_000, 0.8
    model = ds.models.RotationalDiffusion(D)
    start = np.tile([0.0, 0.6, 0.8], (n, 1))
    u = final(model.law, start, t, dt=0.02, stepper=ds.Onto(ds.Heun(), model.project))
    cosine = np.sum(u * start, -1)
    assert np.max(np.abs(np.linalg.norm(u, axis=-1) - 1)) < 1e-14
    near(cosine, np.exp(-2 * D * t))
    near(1.5 * cosine**2 - 0.5, np.exp(-6 * D * t))
    as_ito = dataclasses.replace(model.law, calculus=ds.Ito())
    free = final(as_ito, start, t, dt=0.02, stepper=ds.EulerMaruyama())  # the wrong calculus leaves the sphere
    assert np.mean(np.linalg.norm(free, axis=-1)) > 1.3


def test_brownian_motion_on_a_sphere():
    model, n, t = ds.models.SphericalBrownian(D=0.9, R=2.0), 20_000, 1.2
    start = np.tile([0.0, 0.0, 2.0], (n, 1))
    x = final(model.law, start, t, dt=0.05, stepper=ds.Onto(ds.EulerMaruyama(), model.project))
    near(x[:, 2] / 2, np.exp(-2 * 0.9 * t / 4))
    far(x[:, 2] / 2, np.exp(-2 * 0.9 * t))


def test_active_brownian_motion():
    model, n, t = ds.models.ActiveBrownian(v0=2.0, D=0.3, D_r=0.7), 20_000, 2.0
    y0 = tf.zeros([n, 2], F64), tf.zeros([n], F64)
    x, theta = final(model.law, y0, t, dt=0.05, stepper=ds.SRA1())
    near(np.sum(x * x, -1), model.msd(t))
    far(np.sum(x * x, -1), 4 * 0.3 * t)
    near(theta**2, 2 * 0.7 * t)


def test_lengths_of_steps_are_refused_and_potentials_too():
    with pytest.raises(TypeError, match=r"V=3.0: expected a function V\(t, x\)"):
        ds.models.Overdamped(3.0)
    with pytest.raises(ValueError, match="positive eigenvalues"):
        ds.models.BrownianMotion([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="mobility=-1.0"):
        ds.models.Overdamped(None, mobility=-1.0)
    with pytest.raises(TypeError, match=r"drift=.*: expected a function drift\(t, y\)"):
        ds.solve(ds.models.Overdamped(lambda x: x).law, np.ones(3), (0, 1), dt=0.1, key=KEY)
