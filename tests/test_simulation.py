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


def test_counted_molecules_advance_as_in_solve():
    """With rates of another law, too."""
    key, n0 = ds.key(5), np.tile([30.0, 0.0], (4, 1))

    def swap(k):
        return ds.Jump.of(f"A <-> B @ {k}, 0.4")

    sim = ds.Simulation(swap(1.3), dt=0.25, like=n0, jit=False)
    for k in (1.3, 0.2):
        whole = ds.solve(swap(k), n0, (0, 1), dt=0.25, key=key, jit=False).final
        np.testing.assert_array_equal(sim.advance(n0, 4, key=key, law=swap(k)), whole)
    with pytest.raises(TypeError, match="key=None: expected a key"):
        sim.advance(n0, 4)
    with pytest.raises(TypeError, match="law=3: expected Equation or Jump or Law"):
        ds.Simulation(3, dt=0.1, like=n0)


@pytest.mark.slow
@pytest.mark.parametrize("texts", [("A -> B @ {}",), ("2 A -> B @ {}",)])
def test_molecules_in_space_advance_as_in_solve(texts):
    """With rates of another law, too; a pool that overflows says so."""
    key, box, kinetics = ds.key(5), ds.Box((0.0,), (2.0,)), ds.particles.Doi(0.1)

    def law(k):
        texts_of = (*(t.format(k) for t in texts), "0 -> A @ 30")
        return ds.particles.Molecules.of(*texts_of, D=0.3, region=box, kinetics=kinetics)

    y0 = law(0.3).fill({"A": 20}, 40, ds.key(1), dtype=tf.float64)
    sim = ds.Simulation(law(0.3), dt=0.05, like=y0, jit=False)
    for k in (0.3, 0.1):
        whole = ds.solve(law(k), y0, (0, 0.2), dt=0.05, key=key, jit=False).final
        np.testing.assert_array_equal(sim.advance(y0, 4, key=key, law=law(k)).kind, whole.kind)
    with pytest.raises(ds.SolveError, match="capacity=a pool with .* too few: expected a place for each"):
        sim.advance(y0, 40, key=key)


def test_what_a_simulation_cannot_hand_on_is_refused():
    n0, x0 = tf.constant([[30.0, 0.0]]), np.zeros((3, 2))
    sim = ds.Simulation(ds.Jump.of("A -> B @ 1"), dt=0.25, like=n0, jit=False)
    with (
        pytest.raises(ValueError, match="gradient=asked for: expected none, because numbers of molecules change by jumps"),
        tf.GradientTape() as tape,
    ):
        tape.watch(n0)
        tape.gradient(sim.advance(n0, 2, key=ds.key(1)), n0)
    absorbed = ds.Absorbed(ds.EulerMaruyama(), ds.Ball(0.0, 1.0))
    with pytest.raises(ValueError, match="stepper=walls that react: expected walls that lose no particle, because"):
        ds.Simulation(ds.Equation(diffusion=1.0), absorbed, dt=0.1, like=x0)
