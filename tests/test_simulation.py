"""Gradients through time: D, walls, rates and first states against central difference quotients, step by step."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

N, STEPS, DT = 6, 5, 0.004
GRID = ds.Grid(N, 1.0)
RNG = np.random.default_rng(4)
WEIGHTS = RNG.normal(size=N)
START = 1 + 0.5 * RNG.normal(size=N)
FIELD = 1 + RNG.random(N)
STEPPERS = [ds.RKL2(), ds.ETD1(), ds.ETDRK2(), ds.TRBDF2(), ds.CrankNicolson()]


def numbers(**given):
    """Tensors by name."""
    return {k: tf.constant(v, tf.float64) for k, v in given.items()}


def quotients(loss, at, rng):
    """Along one random direction for each number: (name, central difference quotient, direction)."""
    for name, value in at.items():
        e = rng.normal(size=value.shape)
        step = 2e-4

        def moved(s, name=name, value=value, e=e):
            return float(loss(**{**at, name: value + s * e}))

        rise = 8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))
        yield name, rise / (12 * step), e


def agree(loss, at, rtol=1e-7):
    """The tape's gradient in every number, and the value again."""
    with tf.GradientTape() as tape:
        tape.watch(list(at.values()))
        value = loss(**at)
    gradient = tape.gradient(value, at)
    for name, quotient, e in quotients(loss, at, np.random.default_rng(0)):
        assert gradient[name] is not None, name
        assert np.sum(gradient[name].numpy() * e) == pytest.approx(quotient, rel=rtol, abs=1e-9), name


def law(walls, D, rate, wall=None):
    """∂u/∂t = ∇·(D∇u) − rate·u between given walls."""
    walls = ds.Periodic() if walls == "periodic" else ds.Boundary(x=(ds.Dirichlet(wall), ds.Neumann(wall)))
    return ds.Equation(linear=ds.Diffusion(GRID, walls, D) - rate)


@pytest.mark.parametrize("walls", ["periodic", "dirichlet"])
@pytest.mark.parametrize("stepper", STEPPERS, ids=lambda s: type(s).__name__)
def test_gradients_in_fields_walls_rates_and_states(stepper, walls):
    at = numbers(D=FIELD, rate=0.7, y0=START)
    if walls != "periodic":
        at |= numbers(wall=0.4)
    first = law(walls, **{k: v for k, v in at.items() if k != "y0"})
    sim = ds.Simulation(first, stepper, dt=DT, like=START, jit=False)

    def loss(y0, **rest):
        return tf.reduce_sum(WEIGHTS * sim.advance(y0, STEPS, law=law(walls, **rest)) ** 2)

    agree(loss, at)


@pytest.mark.parametrize("walls", ["periodic", "dirichlet"])
@pytest.mark.parametrize("stepper", [ds.ETDRK2(), ds.TRBDF2()], ids=lambda s: type(s).__name__)
def test_gradients_where_all_modes_coincide_in_pairs(stepper, walls):
    """A field of D that happens to be uniform: ∂F(A)/∂D has no less terms than elsewhere."""
    at = numbers(D=np.ones(N), y0=START)
    sim = ds.Simulation(law(walls, at["D"], 0.3, 0.4), stepper, dt=DT, like=START, jit=False)
    agree(lambda D, y0: tf.reduce_sum(WEIGHTS * sim.advance(y0, STEPS, law=law(walls, D, 0.3, 0.4)) ** 2), at)


@pytest.mark.parametrize("stepper", [ds.RKL2(), ds.ETDRK2()], ids=lambda s: type(s).__name__)
def test_compiled_gradients_in_one_number(stepper):
    at = numbers(D=0.8, rate=0.7, y0=START)
    sim = ds.Simulation(law("periodic", at["D"], at["rate"]), stepper, dt=DT, like=START)
    agree(lambda D, rate, y0: tf.reduce_sum(WEIGHTS * sim.advance(y0, STEPS, law=law("periodic", D, rate)) ** 2), at)


def test_gradients_of_one_number_sum_those_of_the_field():
    """∂/∂D of D·1 is the sum over cells of ∂/∂D(x), across a film as well."""
    walls = ds.Boundary(x=(ds.Robin(tf.constant(2.0, tf.float64), 0.3), ds.Flux(0.2)))

    def make(D):
        return ds.Equation(linear=ds.Diffusion(GRID, walls, D))

    gradients = []
    for D in (tf.constant(0.8, tf.float64), tf.constant(np.full(N, 0.8))):
        sim = ds.Simulation(make(D), ds.ETD1(), dt=DT, like=START, jit=False)
        with tf.GradientTape() as tape:
            tape.watch(D)
            loss = tf.reduce_sum(WEIGHTS * sim.advance(START, STEPS, law=make(D)))
        gradients.append(np.sum(tape.gradient(loss, D)))
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-11)


def test_advance_is_solve_with_equal_steps():
    fixed = law("dirichlet", 0.8, 0.7, 0.4)
    for stepper in (ds.RKL2(), ds.ETDRK2()):
        sim = ds.Simulation(fixed, stepper, dt=DT, like=START, jit=False)
        whole = ds.solve(fixed, START, (0, STEPS * DT), dt=DT, stepper=stepper, jit=False).final
        np.testing.assert_allclose(sim.advance(START, STEPS), whole, rtol=0, atol=1e-14)
        parts = sim.advance(sim.advance(START, 2), 3, t=2 * DT)
        np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14)
        assert np.array_equal(sim.advance(START, 0), START)


def test_backward_in_time_undoes_forward():
    fixed = law("periodic", 0.1, -0.7)
    there, back = (ds.Simulation(fixed, ds.ETD1(), dt=s * DT, like=START, jit=False) for s in (1, -1))
    np.testing.assert_allclose(back.advance(there.advance(START, 3), 3), START, rtol=1e-13)
