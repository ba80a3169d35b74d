"""Programs follow what their functions refer to: globals, closures, attributes, arrays."""

import functools
import types

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

GRID = ds.Grid(8, 1.0)
Y0 = np.sin(np.pi * (np.arange(8) + 0.5) / 8)
K = 1.0


def decay(t, y):
    """−K·y with the K of the module."""
    return -K * y


def deeper(t, y):
    """The same, by way of another function."""
    return decay(t, y)


class Model:
    """A model of the user's with a rate of its own and one of its class."""

    scale = 1.0

    def __init__(self):
        self.k = 1.0

    def rate(self, t, y):
        """−scale·k·y."""
        return -self.scale * self.k * y


def end(law, **given):
    """The final state of a short run."""
    return ds.solve(law, np.ones(2), (0.0, 1.0), stepper=ds.RK4(), dt=0.01, jit=False, **given).final[0].numpy()


def ways():
    """(drift, set the rate) for each place in which a rate can hide."""
    mapping, space, array, model, other = {"k": 1.0}, types.SimpleNamespace(k=1.0), np.ones(2), Model(), Model()
    module = types.ModuleType("parameters")
    scope = {"parameters": module}
    exec("def f(t, y): return -parameters.k * y", scope)

    def in_globals(k):
        global K
        K = k

    return {
        "global": (decay, in_globals),
        "global, one call deeper": (deeper, in_globals),
        "dictionary": (lambda t, y: -mapping["k"] * y, functools.partial(mapping.__setitem__, "k")),
        "namespace": (lambda t, y: -space.k * y, functools.partial(setattr, space, "k")),
        "array": (lambda t, y: -array * y, array.fill),
        "object": (model.rate, functools.partial(setattr, model, "k")),
        "class": (lambda t, y: other.rate(t, y), functools.partial(setattr, Model, "scale")),
        "module": (scope["f"], functools.partial(setattr, module, "k")),
    }


@pytest.mark.parametrize("way", ways())
def test_what_a_drift_refers_to_is_read_at_each_run(way):
    drift, set_to = ways()[way]
    for k in (0.5, 2.0, 0.5):
        set_to(k)
        assert abs(end(ds.Equation(drift=drift)) - np.exp(-k)) < 1e-8
    set_to(1.0)


def test_a_simulation_reads_it_at_each_call():
    mapping = {"k": 0.5}
    law = ds.Equation(drift=lambda t, y: -mapping["k"] * y)
    sim = ds.Simulation(law, ds.RK4(), dt=0.01, like=np.ones(2), jit=False)
    for mapping["k"] in (0.5, 2.0):
        assert abs(sim.advance(np.ones(2), 100)[0] - np.exp(-mapping["k"])) < 1e-8


def test_walls_diffusivities_records_and_conditions_are_read_too():
    value = {"k": 1.0}

    def run(k, linear=None, drift=None, **given):
        value["k"] = k
        return ds.solve(ds.Equation(linear=linear, drift=drift), Y0, (0.0, 0.1), dt=0.001, jit=False, **given)

    walls = ds.Diffusion(GRID, ds.Dirichlet(lambda t, x: value["k"] + 0 * x))
    a, b = (run(k, walls).final for k in (1.0, 3.0))
    steady = ds.solve(ds.Equation(linear=ds.Diffusion(GRID, ds.Dirichlet(0.0))), Y0, (0.0, 0.1)).final
    np.testing.assert_allclose((b - steady) / (a - steady), 3.0, rtol=1e-6)  # affine in the wall's value
    records = ds.SaveAt(ts=[0.1], fn=lambda t, y: value["k"] * tf.reduce_max(y))
    a, b = (float(run(k, walls, save=records).y[0]) / k for k in (1.0, 3.0))
    assert b > 1.5 * a
    met = ds.When(lambda t, y: t > 0.01 * value["k"])
    assert [round(run(k, walls, stop=met).t_final, 3) for k in (1.0, 3.0)] == [0.011, 0.031]


def test_what_tracing_itself_changes_compiles_nothing_anew():
    traces = []

    def counted(t, y):
        traces.append(t)
        return -y

    law = ds.Equation(drift=counted)
    end(law)
    many = len(traces)
    end(law)
    assert len(traces) == many
    end(ds.Equation(drift=lambda t, y: counted(t, y)))
    assert len(traces) > many + 2  # another function is another program: the counter counts


def test_data_of_one_structure_share_a_program():
    traces = []

    def rate(k, t, y):
        traces.append(1)
        return -k * y

    counts = []
    for k in (0.5, 2.0, 3.0):
        assert abs(end(ds.Equation(drift=functools.partial(rate, k))) - np.exp(-k)) < 1e-7
        counts.append(len(traces))
    assert np.diff(counts).tolist() == [0, 0] and counts[0] >= 2


def test_laws_take_gradients_of_their_own_inside_compiled_loops():
    """Tapes around solve pause; one inside a drift must not, or forces would vanish without a word."""

    def force(t, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            energy = tf.reduce_sum(0.75 * x**2)
        return -tape.gradient(energy, x, unconnected_gradients="zero")

    law = ds.Equation(drift=force)
    with tf.GradientTape():
        x = ds.solve(law, np.ones(2), t=(0.0, 1.0), dt=0.01, stepper=ds.RK4(), jit=False).final
    np.testing.assert_allclose(x, np.exp(-1.5), rtol=1e-8)
