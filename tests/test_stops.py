"""How runs end: stop conditions found in time, tolerances that can be met, interrupts that lose nothing."""

import os
import signal

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

GRID = ds.Grid(8, 1.0)
Y0 = np.sin(np.pi * (np.arange(8) + 0.5) / 8)
RATE = 0.1 * (2 - 2 * np.cos(np.pi / 8)) * 64
HEAT = ds.Equation(linear=ds.Diffusion(GRID, ds.Dirichlet(0.0), D=0.1))
DECAY = ds.Equation(drift=lambda t, y: -y)


def test_an_exact_law_with_a_stop_is_followed_until_it():
    half = ds.When(lambda t, y: tf.reduce_max(y) < 0.5 * Y0.max())
    sol = ds.solve(HEAT, Y0, (0.0, 100.0), stop=half, save=ds.SaveAt(ts=[0.1, 50.0]), jit=False)
    assert sol.status is ds.Status.STOPPED and "stop condition" in sol.info["why"]
    assert sol.t_final == pytest.approx(np.log(2) / RATE, rel=1e-4)  # by the stepper's tolerance
    assert sol.t.tolist() == [0.1]
    sol = ds.solve(HEAT, Y0, (0.0, 100.0), stop=ds.Steady(1e-4), jit=False)
    assert sol.t_final == pytest.approx(np.log(RATE * np.sqrt(np.mean(Y0**2)) / 1e-4) / RATE, rel=1e-3)


@pytest.mark.parametrize("end", [1e6, 1.0])
def test_adapted_steps_find_the_time_of_a_stop(end):
    sol = ds.solve(DECAY, np.ones(2), (0.0, end), stop=ds.When(lambda t, y: y[0] < 0.5), jit=False)
    assert sol.t_final == pytest.approx(np.log(2), rel=2e-6)
    assert float(sol.final[0]) == pytest.approx(0.5, rel=2e-6) and float(sol.final[0]) < 0.5
    back = ds.solve(DECAY, np.ones(2), (end, 0.0), stop=ds.When(lambda t, y: y[0] > 2.0), jit=False)
    assert end - back.t_final == pytest.approx(np.log(2), rel=1e-5)


def test_what_counts_steps_needs_steps():
    with pytest.raises(ValueError, match="every counts steps.*Pass dt="):
        ds.solve(HEAT, Y0, (0.0, 1.0), save=ds.SaveAt(every=10))
    with pytest.raises(TypeError, match="Steady is asked after each step.*Pass dt="):
        ds.solve(HEAT, Y0, (0.0, 1.0), stepper=ds.ETD1(), stop=ds.Steady(1e-6))


@pytest.mark.parametrize(("dtype", "bad", "good"), [(np.float32, 1e-7, 1e-6), (np.float64, 1e-16, 1e-10)])
def test_tolerances_below_rounding_are_refused(dtype, bad, good):
    y0 = np.ones(2, dtype)
    with pytest.raises(ValueError, match="rounding alone"):
        ds.solve(DECAY, y0, (0.0, 1.0), dt=ds.PID(bad, 0.0))
    assert ds.solve(DECAY, y0, (0.0, 1.0), dt=ds.PID(good, 0.0), jit=False).status is ds.Status.DONE


def interrupting(t, y):
    """−y, with Ctrl-C pressed at t ≥ 0.5."""

    def press(t):
        if t >= 0.5:
            os.kill(os.getpid(), signal.SIGINT)
        return np.float64(0.0)

    zero = tf.numpy_function(press, [t], tf.float64)
    return -y + tf.reshape(zero, [])


def test_ctrl_c_ends_the_script_and_loses_nothing(tmp_path):
    """Also where the shell started the tests in the background, where Ctrl-C is ignored until someone listens."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _interrupted(tmp_path)
    finally:
        signal.signal(signal.SIGINT, usual)


def _interrupted(tmp_path):
    path = str(tmp_path / "run.h5")
    law, before = ds.Equation(drift=interrupting), signal.getsignal(signal.SIGINT)
    given = {"stepper": ds.Euler(), "dt": 1e-3, "save": ds.SaveAt(every=100, to=path), "jit": False}
    with pytest.raises(KeyboardInterrupt, match="resume") as caught:
        ds.solve(law, np.ones(2), (0.0, 10.0), **given)
    part = caught.value.solution
    assert part.status is ds.Status.INTERRUPTED and 500 <= part.steps < 10_000
    np.testing.assert_allclose(part.final, 0.999**part.steps, rtol=1e-12)
    assert signal.getsignal(signal.SIGINT) is before
    end = ds.resume(path, law=ds.Equation(drift=DECAY.drift))
    np.testing.assert_allclose(end.final, 0.999**10_000, rtol=1e-11)
    assert end.steps == 10_000 and len(end.t) == 101
    part = ds.solve(law, np.ones(2), (0.0, 10.0), throw=False, **given)
    assert part.status is ds.Status.INTERRUPTED


def test_gradients_of_solve_are_refused_and_lead_to_simulation():
    rate, y0 = tf.Variable(0.5, dtype=tf.float64), tf.constant(np.ones(2))
    other, law = tf.Variable(2.0), ds.Equation(drift=lambda t, y: -rate * y)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y0)
        final = ds.solve(law, y0, (0.0, 1.0), stepper=ds.Euler(), dt=0.1, jit=False).final
        loss, apart = tf.reduce_sum(final), other**2
    for given in (rate, y0):
        with pytest.raises(TypeError, match="Use Simulation"):
            tape.gradient(loss, given)
    assert float(tape.gradient(apart, other)) == 4.0
    with pytest.raises(TypeError, match="inside tf.function.*Simulation"):
        tf.function(lambda y: ds.solve(DECAY, y, (0.0, 1.0)).final, autograph=False)(y0)


def test_a_simulation_reads_variables_and_differentiates_them():
    D, k = tf.Variable(0.1, dtype=tf.float64), tf.Variable(0.5, dtype=tf.float64)
    law = ds.Equation(linear=ds.Diffusion(GRID, ds.Dirichlet(0.0), D=D), drift=lambda t, y: -k * y)
    sim = ds.Simulation(law, ds.ETDRK4(), dt=0.05, like=Y0, jit=False)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(sim.advance(Y0, 20))
        return loss, tape.gradient(loss, [D, k])

    for D_, k_ in ((0.1, 0.5), (0.2, 0.3)):
        D.assign(D_)
        k.assign(k_)
        loss, (in_D, in_k) = gradients()
        exact = Y0.sum() * np.exp(-RATE * D_ / 0.1 - k_)
        np.testing.assert_allclose([loss, in_D, in_k], [exact, -RATE / 0.1 * exact, -exact], rtol=1e-5)


def test_no_one_can_be_extinct_without_walls_that_take_particles():
    free, inside = ds.Equation(diffusion=1.0), ds.Ball((0.0, 0.0), 1.0)
    for stepper in (ds.EulerMaruyama(), ds.Reflected(ds.EulerMaruyama(), inside)):
        with pytest.raises(ValueError, match="stop=Extinct.*: expected a stepper with walls that absorb or react, because"):
            ds.solve(free, np.zeros((2, 2)), (0, 1), dt=0.1, stepper=stepper, stop=ds.Extinct(), key=ds.key(0))
