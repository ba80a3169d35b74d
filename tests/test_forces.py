"""Particles that push and pull: forces to rounding, cell lists, equipartition, pressure, single file.

Statistical tests hold at five standard errors.
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad

import diffsim as ds
from diffsim.particles.cells import Cells
from diffsim.particles.forces import WCA, Bonds, External, LennardJones, Pairs, Spring

F64 = tf.float64
KEY = ds.key(43)


def lattice(n, d, size, jitter=0.0, seed=0):
    """n particles on a cubic lattice, shaken."""
    m = int(np.ceil(n ** (1 / d) - 1e-9))
    points = np.stack(np.meshgrid(*[(np.arange(m) + 0.5) / m] * d, indexing="ij"), -1).reshape(-1, d)[:n]
    return size * points + jitter * np.random.default_rng(seed).uniform(-1, 1, (n, d))


def fluid(phi, cutoff, n=125, size=6.0, periodic=True, d=3):
    return Pairs(phi, Cells.over(np.zeros(d), np.full(d, size), cutoff, number=n, periodic=periodic))


def by_tape(V, x):
    """−∇V by automatic differentiation, whatever V knows."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        energy = tf.reduce_sum(V(0.0, x))
    return -tape.gradient(energy, x)


def yukawa(r):
    """Any function of the distance."""
    return 2.0 * tf.exp(-r / 0.7) / r


CASES = {
    "WCA": (fluid(WCA(1.3, 0.9), WCA(1.3, 0.9).cutoff), 3),
    "Lennard-Jones": (fluid(LennardJones(0.8, 0.9), 2.0), 3),
    "a function, in a closed square": (fluid(yukawa, 1.1, periodic=False, d=2, n=100), 2),
    "open space": (Pairs(yukawa), 3),
    "a ring of springs": (Bonds.chain(Spring(1.7, 0.8), 27, ring=True), 3),
    "a sum": (Bonds.chain(Spring(1.7), 27) + Pairs(yukawa) + External(lambda t, x: tf.reduce_sum(x**4, -1)), 3),
}


@pytest.mark.parametrize("case", CASES)
def test_forces_are_gradients_and_obey_newton(case):
    V, d = CASES[case]
    n = {"a function, in a closed square": 100}.get(case, 27 if V.parts[0] is V and not isinstance(V, Pairs) else 125)
    n = 27 if case in ("a sum", "open space") else n
    x = tf.constant(np.stack([lattice(n, d, 6.0, 0.25, seed) for seed in (1, 2)]))
    F = V.force(0.0, x)
    assert V(0.0, x).shape == (2,)
    size = tf.reduce_max(tf.abs(F))
    assert tf.reduce_max(tf.abs(F - by_tape(V, x))) < 1e-13 * size
    if case != "a sum":
        assert tf.reduce_max(tf.abs(tf.reduce_sum(F, -2))) < 1e-12 * size
    e = 1e-6 * np.random.default_rng(3).normal(size=x.shape)
    change = (V(0.0, x + e) - V(0.0, x - e)).numpy() / 2
    assert np.abs(change + np.sum(F * e, (-2, -1))).max() < 1e-7 * np.abs(change).max()


def test_cell_lists_see_what_all_pairs_see():
    """With few and many cells, beyond the box as well: positions need not be wrapped."""
    V, n = fluid(WCA(1.0, 0.9), 1.05, n=1000, size=12.0), 1000
    assert V.cells.number > 27 and n > 27 * V.cells.capacity
    x = tf.constant(lattice(n, 3, 12.0, 0.4, 4) + 12.0 * np.random.default_rng(5).integers(-2, 3, (n, 3)))
    way, near = V._all(x)
    r = tf.where(near, tf.norm(way, axis=-1), 1.0)
    assert V(0.0, x).numpy() == pytest.approx(np.sum(V._cut(r, near)) / 2, rel=1e-12)
    pull = tf.where(near, V._slope(r) / r, 0.0)[..., None] * way
    assert np.abs(V.force(0.0, x) - np.sum(pull, -2)).max() < 1e-11
    assert near.numpy().sum() > n
    shifted = V(0.0, x + tf.constant([3.3, -1.7, 40.0], F64))
    assert shifted.numpy() == pytest.approx(V(0.0, x).numpy(), rel=1e-9)


def test_a_bond_between_two():
    """Of a spring without length: the difference of two has twice the mobility, and the variance kT/k."""
    k, kT, n = 1.7, 0.6, 20_000
    V = Bonds(Spring(k), ((0, 1),))
    model = ds.models.Overdamped(V, kT=kT, mobility=1.3)
    x = ds.solve(model.law, np.zeros((n, 2, 2)), (0, 4.0), dt=0.1, stepper=ds.LeimkuhlerMatthews(), key=KEY,
                 jit=False).final  # fmt: skip
    gap = (x[:, 0] - x[:, 1]).numpy()
    squares = gap**2
    assert abs(squares.mean() - kT / k) < 5 * squares.std() / np.sqrt(2 * n)
    assert abs(squares.mean() - 2 * kT / k) > 20 * squares.std() / np.sqrt(2 * n)


def test_energy_is_kept_without_friction():
    """BAOAB with γ → 0 is velocity Verlet: energy wobbles by h² and does not drift; momentum stays."""
    V, n = fluid(lambda r: 25.0 * (1 - r / 2) ** 3, 2.0, n=64, size=5.0), 64  # smooth where it is cut
    model = ds.models.Underdamped(V, kT=0.8, gamma=0.0, mass=1.2)
    x0 = tf.constant(lattice(n, 3, 5.0, 0.1, 6)[None])
    v0 = model.velocities(ds.key(3), x0)

    def energy(t, y):
        return V(t, y[0]) + 0.6 * tf.reduce_sum(y[1] ** 2, (-2, -1))

    wobbles = []
    for h in (0.04, 0.02):
        sol = ds.solve(model.law, (x0, v0), (0, 1.2), dt=h, stepper=ds.BAOAB(), key=KEY, jit=False,
                       save=ds.SaveAt(every=round(0.12 / h), fn=energy))  # fmt: skip
        E = sol.y.numpy()[:, 0]
        wobbles.append(np.abs(E - E[0]).max())
        drift = sol.final[1].numpy().sum((0, 1)) - v0.numpy().sum((0, 1))
        assert np.abs(drift).max() < 1e-10
    assert wobbles[0] < 1e-3 * abs(E[0]) and 3.0 < wobbles[0] / wobbles[1] < 5.0


def second_virial(kT, phi, upto):
    """B₂ = −2π ∫ (e^{−φ/kT} − 1) r² dr."""
    def f(r):
        return (np.exp(-float(phi(tf.constant(r, F64))) / kT) - 1) * r**2

    return -2 * np.pi * (quad(f, 1e-3, 0.7 * upto)[0] + quad(f, 0.7 * upto, upto)[0])


@pytest.mark.slow
def test_pressure_of_a_thin_gas():
    """P/ρkT = 1 + B₂ρ + O(ρ²), and equipartition: of the ideal gas it is not."""
    kT, n, boxes, phi = 0.9, 32, 400, WCA(1.0, 1.0)
    size = (n / 0.05) ** (1 / 3)
    V = fluid(phi, phi.cutoff, n=n, size=size)
    model = ds.models.Underdamped(V, kT=kT, gamma=1.0)
    x0 = tf.constant(np.stack([lattice(n, 3, size, 0.3, s) for s in range(boxes)]).astype("f4"))
    y0 = (x0, model.velocities(ds.key(4), x0))

    def seen(t, y):
        return V.virial(y[0]) / (3 * n * kT), tf.reduce_mean(y[1] ** 2, (-2, -1)) / kT

    sol = ds.solve(model.law, y0, (0, 12.0), dt=0.005, stepper=ds.BAOAB(), key=KEY,
                   save=ds.SaveAt(ts=np.arange(4.0, 12.1, 0.5), fn=seen))  # fmt: skip
    excess, motion = (a.numpy().mean(0) for a in sol.y)  # over time; boxes are independent
    B2, rho = second_virial(kT, phi, phi.cutoff), 0.05
    error = 5 * excess.std() / np.sqrt(boxes)
    assert abs(excess.mean() - B2 * rho) < error + 0.01  # ρ² and finite n
    assert B2 * rho > 0.08 + error
    assert abs(motion.mean() - 1) < 5 * motion.std() / np.sqrt(boxes) + 1e-4


def soft(r):
    """Rods that no one passes: 30 kT in their middle."""
    return 30.0 * (1 - 2 * r) ** 2


def compressibility(rho):
    """S(0) = ρ² Var(gap) of neighbours on a line at the pressure at which the mean gap is 1/ρ."""
    r = np.linspace(0, 12, 20_001)
    energy = np.where(r < 0.5, soft(r), 0.0)

    def moments(p):
        w = np.exp(-energy - p * r)
        mean = np.sum(w * r) / np.sum(w)
        return mean, np.sum(w * (r - mean) ** 2) / np.sum(w)

    low, high = 0.1, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if moments(middle)[0] > 1 / rho else (low, middle)
    return rho**2 * moments(low)[1]


@pytest.mark.slow
def test_single_file():
    """E8: on a line where no one passes MSD = (2/ρ) √(S(0) D t/π), S(0) = 1 for points; not 2Dt."""
    n, boxes, t = 100, 60, 16.0
    V = Pairs(soft, Cells.over([0.0], [float(n)], 0.5, number=n, periodic=True))
    model = ds.models.Overdamped(V, kT=1.0, mobility=1.0)
    start = tf.constant(np.tile(lattice(n, 1, float(n)), (boxes, 1, 1)).astype("f4"))
    rest = ds.solve(model.law, start, (0, 4.0), dt=1e-3, stepper=ds.EulerMaruyama(), key=ds.key(9)).final
    x = ds.solve(model.law, rest, (0, t), dt=1e-3, stepper=ds.EulerMaruyama(), key=KEY).final
    assert np.all(np.diff(x.numpy()[..., 0], axis=-1) > 0)  # no one has passed
    squares = np.mean((x - rest).numpy() ** 2, (1, 2))
    exact, error = 2 * np.sqrt(compressibility(1.0) * t / np.pi), 5 * squares.std() / np.sqrt(boxes)
    assert abs(squares.mean() - exact) < error + 0.05 * exact
    assert squares.mean() + error < 0.8 * 2 * np.sqrt(t / np.pi) < 0.2 * 2 * t


REFUSED = {
    "phi": (lambda: Pairs(3.0), "the force follows from it"),
    "cutoff": (lambda: fluid(WCA(), 1.0), "φ reaches as far"),
    "no cells": (lambda: Pairs(WCA()), "φ reaches as far"),
    "sigma": (lambda: WCA(1.0, -1.0), "a parameter of the energy"),
    "bonds": (lambda: Bonds(Spring(), ((0, 0),)), "joins two particles"),
    "sum": (lambda: Pairs(yukawa) + 3.0, "energies add up"),
    "missing": (lambda: run(Bonds(Spring(), ((0, 5),)), np.zeros((3, 2))), "so many particles are there"),
    "one place": (lambda: run(Pairs(yukawa), np.zeros((3, 2))), "apart from each other"),
    "outside": (lambda: run(fluid(yukawa, 1.0, periodic=False), lattice(8, 3, 12.0)), "outside the box"),
    "axes": (lambda: run(fluid(yukawa, 1.0), lattice(4, 2, 3.0)), "so many axes"),
    "temperature": (lambda: ds.models.Overdamped(None, kT=-1.0), "kT=-1.0: expected a finite number ≥ 0"),
    "temperature of inertia": (lambda: ds.models.Underdamped(None, kT=-1.0), "kT=-1.0: expected a finite number ≥ 0"),
    "mobility": (lambda: ds.models.Overdamped(None, mobility=np.ones((2, 3))), "a square matrix"),
    "positions": (lambda: run(Pairs(yukawa), np.zeros(3)), "coordinates each"),
}


def run(V, x0):
    return ds.solve(ds.models.Overdamped(V).law, x0, (0, 1), dt=0.1, stepper=ds.EulerMaruyama(), key=KEY, jit=False)


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    make, says = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=says) as error:
        make()
    assert ": expected " in str(error.value) and ", because " in str(error.value)


def test_a_cell_that_overflows_stops_the_run():
    """Its forces would miss pairs: the last good state is kept."""
    cells = Cells.over([0.0] * 3, [12.0] * 3, 1.0, number=1000, periodic=True, capacity=1)
    x0 = lattice(300, 3, 12.0)
    x0[:100] = 1.0 + 0.3 * lattice(100, 3, 1.0)
    energy = Pairs(WCA(1.0, 0.1), cells)(0.0, tf.constant(x0))
    assert np.isnan(energy.numpy())
