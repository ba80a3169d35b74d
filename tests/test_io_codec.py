"""Laws and values as JSON and arrays: exact, and safe to read."""

import collections
import dataclasses
import functools
import json
import os
import subprocess

import numpy as np
import pytest
import tensorflow as tf

import diffsim.boundary as bc
from diffsim import random as ds_random
from diffsim.grid import Grid, RadialGrid
from diffsim.io import decode, encode
from diffsim.operators.base import Identity
from diffsim.operators.stencil import Diffusion, Laplacian
from tests.same import alike
from tests.writers import GRID

Bead = collections.namedtuple("Bead", "x v")


def through_json(obj):
    node, arrays = encode(obj)
    return decode(json.loads(json.dumps(node)), arrays)


@pytest.mark.parametrize("value", [
    None, True, 3, -(2**70), 0.1, -0.0, float("nan"), float("-inf"), 5e-324, 1 / 3, 1 - 2.5e-17j,
    complex("nan"),
    "Δu", b"\x00\xff", (1, (2.0, "a")), [1, [None]], {"a": 1, 2: (3,)}, {1.5: True}, (), {}, [],
    np.float32(0.1), np.uint32(7), np.array(1.5), np.arange(6.0).reshape(2, 3), np.array([True, False]),
    np.zeros((0, 3), np.int16), np.array([1 + 2j], np.complex64), np.arange(4.0)[::2],
    tf.constant([1.0, 2.0], tf.float64), tf.constant(0.1), tf.constant([1.5], tf.bfloat16), tf.constant(True),
    tf.float64, tf.bfloat16, np.dtype("float32"), float, Bead(1.0, (2.0,)), Grid, RadialGrid,
], ids=lambda x: type(x).__name__)
def test_values_come_back_to_the_last_bit(value):
    alike(value, through_json(value))


def test_keys_of_random_numbers_come_back():
    key = ds_random.key(12345678901234567890)
    back = through_json(key)
    np.testing.assert_array_equal(ds_random.normal(key, [5]), ds_random.normal(back, [5]))


WALLS = bc.Boundary(x=bc.Periodic(), y=(bc.Robin(np.linspace(0.1, 1, 6), 0.3), bc.Dirichlet(np.sqrt(2.0))))


@pytest.mark.parametrize("law", [
    GRID, RadialGrid(5, 0.3, inner=0.1, dimension=2), bc.Interface(0.3, 2.0),
    Diffusion(GRID, WALLS, 0.1), 0.3 * Laplacian(GRID, bc.Neumann()) - 1 / 3,
    Diffusion(GRID, bc.Neumann(), np.random.default_rng(0).uniform(1, 2, GRID.shape)),
    (Laplacian(GRID, bc.Periodic()), Identity(tf.constant(0.1, tf.float64))),
    Laplacian(GRID, bc.Periodic()).diagonal(),
], ids=lambda x: type(x).__name__)
def test_laws_come_back_and_do_the_same(law):
    back = through_json(law)
    alike(law, back)
    if isinstance(law, Diffusion):
        u = tf.constant(np.random.default_rng(1).normal(size=GRID.shape))
        np.testing.assert_array_equal(law(0.0, u), back(0.0, u))


def test_functions_methods_and_partials_come_back():
    from diffsim.reference import free

    functions = [f for f in vars(free).values() if callable(f) and f.__module__ == free.__name__]
    assert functions
    alike(functions[0], through_json(functions[0]))
    partial = functools.partial(functions[0], 1.5, D=0.1)
    alike(partial, through_json(partial))
    op = Laplacian(GRID, bc.Periodic())
    assert through_json(op.radius)() == op.radius()


def outer():
    def inner(t, y):
        return y
    return inner


@dataclasses.dataclass(frozen=True)
class Mine:
    a: float = 1.0


@pytest.mark.parametrize("thing", [lambda t, y: y, outer(), Mine(), object(), os.system, subprocess.run,
                                   print, np.save, np.sin, tf.sin, Mine, np.array(["a"]), {1, 2}])
def test_what_is_not_ours_is_kept_as_text_and_refused(thing):
    node, arrays = encode({"drift": thing, "D": 1.0})
    assert repr(thing)[:20] in json.dumps(node) or "opaque" in json.dumps(node)
    with pytest.raises(ValueError, match="Pass `law=` to resume"):
        decode(json.loads(json.dumps(node)), arrays)
    assert isinstance(decode(node, arrays, opaque=str)["drift"], str)


@pytest.mark.parametrize("node", [
    {"function": "os:system"}, {"function": "builtins:eval"}, {"function": "subprocess:run"},
    {"type": "os:PathLike"},
    {"partial": [{"function": "shutil:rmtree"}, {"tuple": ["/nowhere"]}, {"dict": []}]},
    {"data": "os:PathLike", "fields": {}},
    {"function": "numpy:load"}, {"function": "nowhere.at.all:f"}, {"data": "diffsim.grid:Gone", "fields": {}},
    {"data": "diffsim.grid:np.ndarray", "fields": {}}, {"enum": "http:HTTPStatus", "member": "OK"},
    {"unheard": 1},
    {"function": "diffsim.io.layout:json.loads"}, {"function": "diffsim.io.disk:shutil.rmtree"},
], ids=str)
def test_a_hostile_file_gets_nothing_run(node):
    with pytest.raises(ValueError, match="expected .* because"):
        decode(node, [])


def test_a_class_that_has_changed_is_refused():
    node, arrays = encode(Grid(4, 1.0))
    node["fields"]["colour"] = "red"
    with pytest.raises(ValueError, match="changed since"):
        decode(node, arrays)
