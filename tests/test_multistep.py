"""Multistep, corrected and block methods on a driven reaction with decay, on uneven meshes; and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.steppers.corrected import ETDPC, ETDBlock
from diffsim.steppers.multistep import ETDAB, AdamsBashforth
from diffsim.steppers.pseudo import PLMS
from diffsim.steppers.relay import Relay
from orders import distance, slope

START, END = np.array([0.3, 1.2]), 2.0


def rest(t, y):
    return tf.sin(3 * t) * y * (1 - y * y) + 0.5 * tf.cos(t)


SPLIT = ds.Equation(linear=-2.0, drift=rest)
NOISY = ds.Equation(drift=rest, diffusion=lambda t, y: 0.3 * y)
WHOLE = ds.Equation(drift=lambda t, y: -2.0 * y + rest(t, y))


@pytest.fixture(scope="module")
def exact():
    return ds.solve(WHOLE, START, (0.0, END), dt=END / 4096, stepper=ds.RK4(), jit=False).final


def graded(n):
    """Steps that begin as h², so that the first ones, of low order, do not count."""
    return END * np.linspace(0.0, 1.0, n + 1) ** 2


def uniform(n):
    return np.linspace(0.0, END, n + 1)


def halved(n):
    """The first three of n equal steps in halves."""
    h = END / n
    return np.concatenate([0.5 * h * np.arange(6), np.linspace(3 * h, END, n - 2)])


CASES = {
    "AB1": (AdamsBashforth(1), WHOLE, graded, 1),
    "AB2": (AdamsBashforth(2), WHOLE, graded, 2),
    "AB3": (AdamsBashforth(3), WHOLE, graded, 3),
    "AB4": (AdamsBashforth(4), WHOLE, graded, 4),
    "ETDAB1": (ETDAB(1), SPLIT, graded, 1),
    "ETDAB2": (ETDAB(2), SPLIT, uniform, 2),
    "ETDAB2 midpoint": (ETDAB(2, midpoint=True), SPLIT, uniform, 2),
    "ETDAB3": (ETDAB(3), SPLIT, graded, 3),
    "ETDPC1": (ETDPC(1), SPLIT, graded, 2),
    "ETDPC2": (ETDPC(2), SPLIT, graded, 3),
    "ETDPC3": (ETDPC(3), SPLIT, graded, 4),
    "ETDPC2 plain": (ETDPC(2, plain=True), SPLIT, graded, 3),
    "block 2": (ETDBlock(2), SPLIT, uniform, 2),
    "block 3": (ETDBlock(3), SPLIT, uniform, 3),
    "block 2 midpoint": (ETDBlock(2, midpoint=True), SPLIT, uniform, 2),
    "PLMS": (PLMS(), WHOLE, uniform, 3),
    "PNDM": (PLMS(pairs=3), WHOLE, halved, 4),
    "relay": (Relay(ds.Heun(), ds.Euler(), END - 0.3 / 192), WHOLE, uniform, 2),
}


SLOW = ("AB1", "AB2", "AB3", "ETDAB1", "ETDAB2", "ETDPC1", "ETDPC2", "ETDPC2 plain", "block 2", "block 2 midpoint", "relay",
        "PLMS")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in CASES])
def test_order(name, exact):
    stepper, law, mesh, order = CASES[name]
    steps = np.array([48, 96, 192])
    errors = [distance(ds.solve(law, START, mesh(n), stepper=stepper, jit=False).final, exact) for n in steps]
    assert order - 0.35 < slope(1 / steps, errors) < order + 0.8
    assert errors[-1] < 2e-3


def test_half_the_curvature_leaves_order_two(exact):
    """What the published code of DPM-Solver++(3M) does: hφ₃ in place of 2hφ₃."""
    steps = np.array([192, 384, 768])
    runs = [ds.solve(SPLIT, START, graded(n), stepper=ETDAB(3, curvature=0.5), jit=False) for n in steps]
    assert 1.9 < slope(1 / steps, [distance(run.final, exact) for run in runs]) < 2.6


def test_two_steps_as_published():
    """c' = e^{hA}c + hφ₁N + (h²/h₋)φ₂(N − N₋), by hand on uneven steps; ETDAB(1) is ETD1, with noise too."""
    t, A = graded(9), float(SPLIT.linear)
    y, last, before = np.array(START, float), None, None
    for a, h in zip(t, np.diff(t), strict=False):
        N = np.asarray(SPLIT.drift(tf.constant(a, tf.float64), tf.constant(y)))
        phi1 = np.expm1(h * A) / (h * A)
        phi2 = (phi1 - 1) / (h * A)
        rise = 0.0 if last is None else h * h / before * phi2 * (N - last)
        y, last, before = np.exp(h * A) * y + h * phi1 * N + rise, N, h
    run = ds.solve(SPLIT, START, t, stepper=ds.ETDAB2(), jit=False)
    assert distance(run.final, y) < 1e-13 and run.info["stepper"] == "ETDAB2" and repr(ds.ETDAB2()) == "ETDAB2()"
    law = ds.Equation(linear=-2.0, drift=rest, diffusion=ds.ExponentialAmplitude(0.7, -1.3))
    a, b = (ds.solve(law, START, graded(9), stepper=s, key=ds.key(3), jit=False).final for s in (ETDAB(1), ds.ETD1()))
    assert distance(a, b) < 1e-14


def test_linear_laws_are_exact_with_noise():
    """Without N all are e^{hA}, whatever the steps; the noise is that of ETD1."""
    law = ds.Equation(linear=-1.5, diffusion=0.4)
    a, b = (ds.solve(law, START, graded(5), stepper=s, key=ds.key(3), jit=False).final for s in (ETDAB(3), ds.ETD1()))
    assert distance(a, b) < 1e-14
    law = ds.Equation(linear=-1.5, drift=lambda t, y: 0 * y)
    for stepper in (ETDPC(2), ETDBlock(2)):
        assert distance(ds.solve(law, START, graded(6), stepper=stepper, jit=False).final, START * np.exp(-3.0)) < 1e-12


def test_orders_step_by_step():
    """The list of orders rules: all ones is ETD1; a block that always begins anew too."""
    want = ds.solve(SPLIT, START, graded(6), stepper=ds.ETD1(), jit=False).final
    for stepper in (ETDAB(3, orders=[1]), ETDBlock(3, orders=[1])):
        assert distance(ds.solve(SPLIT, START, graded(6), stepper=stepper, jit=False).final, want) < 1e-14
    mixed = ds.solve(SPLIT, START, graded(6), stepper=ETDAB(3, orders=[1, 2, 3, 3, 2, 1]), jit=False).final
    assert distance(mixed, want) > 1e-4


@pytest.mark.slow
def test_on_a_grid_as_on_a_number():
    """On the heat equation with a reaction: the eigenbasis of the Laplacian in place of a number."""
    grid = ds.Grid(shape=(16,), size=(1.0,))
    law = ds.Equation(linear=0.05 * ds.Laplacian(grid, ds.Periodic()), drift=lambda t, u: u * (1 - u) * (u - 0.2))
    u0 = 0.5 + 0.4 * np.cos(2 * np.pi * grid.coordinates()[0])
    fine = ds.solve(law, u0, (0.0, 4.0), dt=1 / 256, stepper=ds.ETDRK4(), jit=False).final
    steps = np.array([24, 48, 96])
    for stepper, order, mesh in ((ETDAB(3), 3, graded), (ETDPC(2), 3, graded), (ETDBlock(3), 3, uniform)):
        errors = [distance(ds.solve(law, u0, 2 * mesh(n), stepper=stepper, jit=False).final, fine) for n in steps]
        assert order - 0.3 < slope(1 / steps, errors) < order + 0.7


@pytest.mark.parametrize(
    "stepper",
    [ETDPC(2), ETDBlock(3),
     *(pytest.param(s, marks=pytest.mark.slow) for s in (ETDAB(2), ETDAB(3), ETDPC(1), ETDPC(3), ETDBlock(2)))],
)
def test_limits_of_stability(stepper):
    """A drift −y decays with steps just below the limit, and grows with steps just above it."""
    law, y0 = ds.Equation(linear=0.0, drift=lambda t, y: -y), np.array([1.0])
    size = {}
    for factor in (0.97, 1.03):
        h = factor * stepper.drift_reach
        run = ds.solve(law, y0, (0.0, 600 * h), dt=h, stepper=stepper, jit=False, throw=False)
        size[factor] = abs(float(run.final[0]))
    assert size[0.97] < 1e-3 and size[1.03] > 1e3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdamsBashforth(5), "1 ≤ order ≤ 4"),
        (lambda: ETDAB(0), "integer ≥ 1"),
        (lambda: ETDPC(2, orders=[1, 3]), "1 ≤ order ≤ 2"),
        (lambda: ETDBlock(3, orders=[]), "one integer for each step"),
        (lambda: Relay(ds.Heun(), "Euler", 1.0), "Stepper"),
        (lambda: ds.solve(NOISY, START, (0.0, 1.0), dt=0.1, stepper=Relay(ds.Heun(), ds.EulerMaruyama(), 0.5),
                          key=ds.key(0)), "of the first"),
        (lambda: ds.solve(WHOLE, START, (0.0, 1.0), dt=0.1, stepper=ETDAB(2)), "linear"),
    ],
)
def test_refusals(make, words):
    with pytest.raises((ValueError, TypeError), match=words) as error:
        make()
    assert ": expected " in str(error.value) and ", because " in str(error.value)
