"""What newcomers get wrong is told in words of their own mistake, before anything is compiled."""

import math

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

GRID = ds.Grid(8, 1.0)
Y0 = np.sin(np.pi * (np.arange(8) + 0.5) / 8)
A = ds.Diffusion(GRID, ds.Dirichlet(0.0), D=0.1)
HEAT = ds.Equation(linear=A)


def run(**given):
    """A run with one thing wrong."""
    return ds.solve(**({"law": HEAT, "y0": Y0, "t": (0.0, 1.0)} | given))


def wall(fn):
    """An operator with a wall's function."""
    return ds.Diffusion(GRID, ds.Boundary(x=(ds.Dirichlet(fn), ds.Neumann())))


def at(*ts):
    """Records at times."""
    return ds.SaveAt(ts=ts[0] if len(ts) == 1 else ts)


GRAY_SCOTT = ds.models.GrayScott(F=0.037, k=0.06).on(GRID, ds.Neumann())
WRONG = {  # what → (call, error, words of the message)
    "NumPy at a wall": (lambda: wall(lambda t, x: np.sin(t)), TypeError, "TensorFlow operations"),
    "math at a wall": (lambda: wall(lambda t, x: math.sin(t)), TypeError, "TensorFlow operations"),
    "if at a wall": (lambda: wall(lambda t, x: 1.0 if t > 0.5 else 0.0), TypeError, "tf.where"),
    "text from a wall": (lambda: wall(lambda t, x: "a"), TypeError, "it returns 'a'"),
    "nothing from a wall": (lambda: wall(lambda t, x: None), TypeError, "it returns None"),
    "a wall of one argument": (lambda: wall(lambda t: t), TypeError, "Write lambda t, x"),
    "no state": (lambda: run(y0={}), TypeError, "at least one array"),
    "a state of no parts": (lambda: run(y0=[]), TypeError, "at least one array"),
    "a list of numbers": (lambda: run(y0=Y0.tolist()), TypeError, "np.array"),
    "a masked array": (lambda: run(y0=np.ma.masked_greater(Y0, 0.5)), TypeError, "filled"),
    "one array for two species": (lambda: run(law=GRAY_SCOTT), TypeError, r"y0=\(u, v\)"),
    "text for a record": (lambda: run(save=ds.SaveAt(ts=[0.5], fn=lambda t, y: "a")), TypeError, "records"),
    "a drift of y": (lambda: run(law=ds.Equation(drift=lambda y: y)), TypeError, "Write lambda t, y"),
    "one layer's place": (lambda: ds.Layers((1.0, 2.0), 0.5), TypeError, "tuple of positions"),
    "one interface": (lambda: ds.Layers((1.0, 2.0), (0.5,), interfaces=ds.Interface(2.0)), TypeError, "tuple of"),
    "a named axis": (lambda: ds.Layers((1.0, 2.0), (0.5,), axis="x"), TypeError, "axis=0"),
    "minus text": (lambda: A - "k", TypeError, "factor='k'"),
    "division by zero": (lambda: A / 0, ValueError, "other than zero"),
    "the power of −A": (lambda: (-1.0 * A).power(0.5), ValueError, "power first"),
    "no shape": (lambda: ds.Grid(None, None), TypeError, "number of cells"),
    "two radii": (lambda: ds.RadialGrid((4, 4), 1.0), ValueError, "one number of shells"),
    "a file's number": (lambda: ds.SaveAt(to=3), TypeError, "name of a file"),
    "a run's number": (lambda: ds.resume(3), TypeError, "name of a file"),
    "books of text": (lambda: ds.track("a", Y0), TypeError, "law='a'"),
    "a time in words": (lambda: ds.steady(HEAT, Y0, t="a"), TypeError, "t='a'"),
    "no books": (lambda: ds.balance(GRID, ds.track(HEAT, Y0), Y0), TypeError, "tracked.law"),
    "one limit": (lambda: ds.plot.field(GRID, Y0, limits=3), TypeError, "low, high"),
    "a movie's number": (lambda: ds.plot.movie(GRID, [0, 1], np.stack([Y0, Y0]), 3), TypeError, "name of a file"),
    "no picture": (lambda: ds.read_image("nope.png"), FileNotFoundError, "no such file"),
    "no grid": (lambda: ds.initial.uniform("g", 1.0), TypeError, "grid='g'"),
    "a peak outside": (lambda: ds.initial.gaussian(GRID, 5.0, 0.1), ValueError, "zero everywhere"),
    "one time": (lambda: run(save=at(0.5)), TypeError, "sequence of times"),
    "a time in text": (lambda: run(save=at("0.5")), TypeError, "sequence of times"),
    "no time": (lambda: run(save=at([])), ValueError, "at least one time"),
    "a late record": (lambda: run(save=at([0.5, 2.0])), ValueError, r"\[0.5, 2.0\].*within \[0, 1\]"),
    "times in text": (lambda: run(t=("0", "1")), TypeError, "expected numbers"),
    "times as answers": (lambda: run(t=(False, True)), TypeError, "expected numbers"),
    "jit in words": (lambda: run(jit="no"), TypeError, "True or False"),
    "throw a number": (lambda: run(throw=3), TypeError, "True or False"),
    "progress in words": (lambda: run(progress="x"), TypeError, "True or False"),
    "a seed for a key": (lambda: run(key=3), TypeError, r"key=3: expected a uint32.*ds\.key\(3\)"),
    "a key in words": (lambda: run(key="a"), TypeError, r"key='a': expected a uint32.*ds\.key\(seed\)"),
    "a key of three": (lambda: run(key=np.zeros(3, np.uint32)), TypeError, r"key=array of shape \(3,\)"),
    "a seed for a simulation": (
        lambda: ds.Simulation(HEAT, dt=0.1, like=Y0).advance(Y0, 1, key=3), TypeError, r"key=3: .*ds\.key\(3\)"
    ),
    "a seed for probes": (lambda: ds.generative.Hutchinson(3), TypeError, r"key=3: .*ds\.key\(3\)"),
    "NaN from the start": (lambda: run(law=ds.Equation(drift=lambda t, y: y * np.nan)), ValueError, "drift is not finite"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named(case):
    call, error, words = WRONG[case]
    with pytest.raises(error, match=words) as caught:
        call()
    assert ": expected " in str(caught.value) and ", because " in str(caught.value)


@pytest.mark.parametrize(
    ("law", "t", "words"),
    [
        (ds.Equation(drift=lambda t, y: tf.math.log(0.5 - t) * y), (0.0, 1.0), "drift is not finite"),
        (ds.Equation(linear=wall(lambda t, x: tf.math.log(0.5 - t) + 0 * x)), (0.0, 1.0), "wall is not finite"),
        (ds.Equation(linear=ds.Diffusion(GRID, ds.Dirichlet(0.0), D=50.0)), (1.0, 0.0), "backwards in time"),
    ],
)
def test_a_failed_run_names_its_cause(law, t, words):
    with pytest.raises(ds.SolveError, match=words):
        ds.solve(law, Y0, t, stepper=ds.Heun(), dt=1e-4, jit=False)


def test_operators_are_divided_and_raised():
    np.testing.assert_allclose((A / 2).apply(Y0), 0.5 * A.apply(Y0), rtol=1e-14)
    rate = 0.1 * (2 - 2 * np.cos(np.pi / 8)) * 64
    np.testing.assert_allclose(A.power(0.5).apply(tf.constant(Y0)), -(rate**0.5) * Y0, rtol=1e-12)
    np.testing.assert_allclose((2.0 * A).power(0.5).apply(tf.constant(Y0)), -((2 * rate) ** 0.5) * Y0, rtol=1e-12)


def test_a_float_has_the_precision_of_python():
    assert ds.initial.uniform(GRID, 1.0, dtype=float).dtype == tf.float64
