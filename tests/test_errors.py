"""Bad input is refused before anything is compiled, in four parts: the value, what was expected, why, the way out."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

GRID = ds.Grid(8, 1.0)
PLANE = ds.Grid((4, 3), 1.0)
LAPLACIAN = ds.Laplacian(GRID, ds.Neumann())
LAW = ds.Equation(linear=LAPLACIAN)
NOISY = ds.Equation(linear=-1.0, diffusion=0.5)
Y0 = np.ones(8)


def grow(t, y):
    """A drift."""
    return y


def solve(law=LAW, y0=Y0, t=(0, 1), **options):
    """ds.solve with defaults to spoil one at a time."""
    return ds.solve(law, y0, t, **options)


CASES = {  # what is wrong → (how to do it, the error, words that the message must hold)
    "grid of one cell": (lambda: ds.Grid(1, 1.0), ValueError, "1 2"),
    "grid of no length": (lambda: ds.Grid(8, 0.0), ValueError, "0.0 > 0"),
    "grid of negative length": (lambda: ds.Grid((8, 8), (1.0, -2.0)), ValueError, "-2.0"),
    "grid in four dimensions": (lambda: ds.Grid((2, 2, 2, 2), 1.0), ValueError, "three axes"),
    "too few lengths": (lambda: ds.Grid((4, 4, 4), (1.0, 2.0)), ValueError, "3 numbers"),
    "cells that are no integers": (lambda: ds.Grid((4.5, 4), 1.0), TypeError, "4.5 integer"),
    "negative inner radius": (lambda: ds.RadialGrid(8, 1.0, inner=-1.0), ValueError, "inner -1.0"),
    "radius in five dimensions": (lambda: ds.RadialGrid(8, 1.0, dimension=5), ValueError, "dimension 5 cylinder"),
    "unknown keyword of a grid": (lambda: ds.Grid(8, 1.0, spacing=0.1), TypeError, None),
    "periodic on one side": (
        lambda: ds.Laplacian(GRID, ds.Boundary(x=(ds.Periodic(), ds.Neumann()))),
        ValueError,
        "Periodic",
    ),
    "an axis without condition": (lambda: ds.Laplacian(PLANE, ds.Boundary(x=ds.Neumann())), ValueError, "['x', 'y']"),
    "an axis too many": (lambda: ds.Laplacian(GRID, ds.Boundary(x=ds.Neumann(), y=ds.Neumann())), ValueError, "'y'"),
    "periodic radius": (lambda: ds.Laplacian(ds.RadialGrid(8, 1.0), ds.Periodic()), ValueError, "radius"),
    "three ends": (lambda: ds.Laplacian(GRID, ds.Boundary(x=(ds.Neumann(),) * 3)), ValueError, "two ends"),
    "a word as boundary": (lambda: ds.Laplacian(GRID, "neumann"), TypeError, "neumann Neumann"),
    "a number as condition": (lambda: ds.Boundary(x=0.0), TypeError, "Dirichlet"),
    "a wall value that is NaN": (lambda: ds.Dirichlet(float("nan")), ValueError, "nan finite"),
    "a wall value that is a word": (lambda: ds.Dirichlet("hot"), TypeError, "hot"),
    "negative transfer": (lambda: ds.Robin(-1.0), ValueError, "-1.0"),
    "transfer of time": (lambda: ds.Robin(lambda t, x: t), TypeError, "ambient"),
    "wall array of the wrong shape": (
        lambda: ds.Laplacian(PLANE, ds.Boundary(x=ds.Dirichlet(np.ones(5)), y=ds.Neumann())),
        ValueError,
        "(5,) (3,)",
    ),
    "negative D": (lambda: ds.Diffusion(GRID, ds.Neumann(), -1.0), ValueError, "-1.0 ill-posed"),
    "D that is NaN": (
        lambda: ds.Diffusion(GRID, ds.Neumann(), np.where(np.arange(8) == 3, np.nan, 1.0)),
        ValueError,
        "(3,)",
    ),
    "negative D somewhere": (lambda: ds.Diffusion(GRID, ds.Neumann(), lambda x: x - 0.5), ValueError, "index (0,)"),
    "D of the wrong shape": (lambda: ds.Diffusion(GRID, ds.Neumann(), np.ones(7)), ValueError, "(7,) (8,)"),
    "D of too few coordinates": (
        lambda: ds.Diffusion(PLANE, ds.Neumann(), lambda x: x),
        TypeError,
        "D(x, y) lambda",
    ),
    "too many D": (lambda: ds.Diffusion(PLANE, ds.Neumann(), (1.0, 2.0, 3.0)), ValueError, "2 entries"),
    "a word as D": (lambda: ds.Diffusion(GRID, ds.Neumann(), "fast"), TypeError, "fast"),
    "no grid": (lambda: ds.Diffusion((8,), ds.Neumann(), 1.0), TypeError, "Grid"),
    "an asymmetric tensor": (
        lambda: ds.Diffusion(PLANE, ds.Periodic(), ds.Anisotropic(np.array([[1.0, 0.3], [0.2, 1.0]]))),
        ValueError,
        "symmetric",
    ),
    "an indefinite tensor": (
        lambda: ds.Diffusion(PLANE, ds.Periodic(), ds.Anisotropic(np.array([[1.0, 2.0], [2.0, 1.0]]))),
        ValueError,
        "positive definite",
    ),
    "a tensor against a Dirichlet wall": (
        lambda: ds.Diffusion(PLANE, ds.Dirichlet(), ds.Anisotropic(np.eye(2))),
        ValueError,
        "Neumann",
    ),
    "an interface inside a cell": (
        lambda: ds.Diffusion(GRID, ds.Neumann(), ds.Layers((1.0, 2.0), (0.3,))),
        ValueError,
        "0.3 0.25",
    ),
    "layers that do not fit": (lambda: ds.Layers((1.0, 2.0), (0.2, 0.4)), ValueError, "1 entries"),
    "an interface that is a number": (
        lambda: ds.Layers((1.0, 2.0), (0.5,), interfaces=(3.0,)),
        TypeError,
        "3.0 Interface partition",
    ),
    "no partition": (lambda: ds.Interface(partition=0.0), ValueError, "0.0"),
    "a constant as D(u)": (lambda: ds.NonlinearDiffusion(GRID, ds.Neumann(), 1.0), TypeError, "Diffusion("),
    "a factor that is NaN": (lambda: float("nan") * LAPLACIAN, ValueError, "nan"),
    "a product of operators": (lambda: LAPLACIAN * LAPLACIAN, TypeError, "numbers only"),
    "a spectral Robin wall": (lambda: ds.SpectralLaplacian(GRID, ds.Robin(1.0)), ValueError, "Laplacian("),
    "a power of an affine operator": (
        lambda: ds.Laplacian(GRID, ds.Dirichlet(1.0)).diagonal().power(0.5),
        ValueError,
        "homogeneous",
    ),
    "a drift that is a number": (lambda: ds.Equation(drift=-1.0), TypeError, "linear="),
    "an order beyond one": (lambda: ds.Equation(linear=LAPLACIAN, order=1.5), ValueError, "1.5"),
    "an order of zero": (lambda: ds.Equation(linear=LAPLACIAN, order=0.0), ValueError, "order 0"),
    "a calculus by name": (lambda: ds.Equation(linear=-1.0, calculus="ito"), TypeError, "Ito"),
    "an unknown slot": (lambda: ds.Equation(reaction=grow), TypeError, None),
    "no law": (lambda: solve(law=LAPLACIAN), TypeError, "Equation"),
    "a state of integers": (lambda: solve(y0=np.ones(8, int)), TypeError, "float"),
    "a state of half precision": (lambda: solve(y0=np.ones(8, np.float16)), TypeError, "float16 float32"),
    "a state of words": (lambda: solve(y0="full"), TypeError, "full"),
    "a ragged state": (lambda: solve(y0=[np.ones(8), None]), TypeError, "arrays"),
    "a state with NaN": (lambda: solve(y0=np.full(8, np.nan)), ValueError, "finite"),
    "a state of the wrong shape": (lambda: solve(y0=np.ones(7)), ValueError, "(7,) (8,)"),
    "a transposed state": (
        lambda: solve(law=ds.Equation(linear=ds.Laplacian(PLANE, ds.Neumann())), y0=np.ones((3, 4))),
        ValueError,
        "(3, 4) (4, 3)",
    ),
    "an empty state": (lambda: solve(law=ds.Equation(drift=grow), y0=np.ones(0)), ValueError, "empty"),
    "two precisions": (
        lambda: solve(law=ds.Equation(drift=grow), y0=(np.ones(3), np.ones(3, np.float32))),
        TypeError,
        "float32",
    ),
    "one operator for two species": (lambda: solve(y0=(Y0, Y0)), ValueError, "nest"),
    "three operators for two species": (
        lambda: solve(law=ds.Equation(linear=(LAPLACIAN,) * 3), y0=(Y0, Y0)),
        ValueError,
        "structure",
    ),
    "a drift of another shape": (
        lambda: solve(law=ds.Equation(drift=lambda t, y: y[:3]), dt=0.1),
        ValueError,
        "(3,) (8,)",
    ),
    "a drift of another precision": (
        lambda: solve(law=ds.Equation(drift=lambda t, y: tf.cast(y, tf.float32)), dt=0.1),
        ValueError,
        "float32",
    ),
    "a drift of another structure": (
        lambda: solve(law=ds.Equation(drift=lambda t, y: (y, y)), dt=0.1),
        ValueError,
        "exactly",
    ),
    "a drift without value": (lambda: solve(law=ds.Equation(drift=lambda t, y: None), dt=0.1), ValueError, "exactly"),
    "noise that would broadcast": (
        lambda: solve(
            law=ds.Equation(linear=-1.0, diffusion=lambda t, y: y[:1]),
            dt=0.1,
            stepper=ds.EulerMaruyama(),
            key=ds.key(0),
        ),
        ValueError,
        "(1,) (8,)",
    ),
    "times that repeat": (lambda: solve(t=(0.0, 0.0)), ValueError, "increase"),
    "times in disorder": (lambda: solve(t=(0.0, 1.0, 0.5)), ValueError, "increase"),
    "one time": (lambda: solve(t=1.0), ValueError, "1.0"),
    "an infinite time": (lambda: solve(t=(0.0, np.inf)), ValueError, "inf"),
    "a negative step": (lambda: solve(dt=-0.1), ValueError, "-0.1 backwards"),
    "a step of zero": (lambda: solve(dt=0.0), ValueError, "0.0"),
    "a step that is a word": (lambda: solve(dt="small"), TypeError, "small"),
    "a step and a mesh": (lambda: solve(t=(0, 0.5, 1), dt=0.1), ValueError, "mesh"),
    "adapted steps and a mesh": (lambda: solve(t=(0, 0.5, 1), dt=ds.PID(), stepper=ds.Tsit5()), ValueError, "mesh"),
    "an unstable step for Euler": (lambda: solve(stepper=ds.Euler(), dt=0.1), ValueError, "0.1 ρ CrankNicolson"),
    "an unstable step for RK4": (lambda: solve(stepper=ds.RK4(), dt=0.1), ValueError, "0.1 ρ RKL2"),
    "an unstable mesh": (lambda: solve(stepper=ds.Heun(), t=np.linspace(0, 1, 11)), ValueError, "0.1 ρ"),
    "too few stages": (lambda: solve(stepper=ds.RKL2(stages=3), dt=0.1), ValueError, "stages"),
    "one stage": (lambda: ds.RKL2(stages=1), ValueError, "Euler"),
    "stages without a spectrum": (
        lambda: solve(law=ds.Equation(drift=grow), stepper=ds.RKL2(), dt=0.1),
        ValueError,
        "RKL2(stages=…)",
    ),
    "noise for a stepper without": (
        lambda: solve(law=NOISY, stepper=ds.CrankNicolson(), dt=0.1, key=ds.key(0)),
        TypeError,
        "diffusion CrankNicolson ETD1",
    ),
    "a fractional order for Euler": (
        lambda: solve(law=ds.Equation(linear=-1.0, order=0.5), stepper=ds.Euler(), dt=0.1),
        TypeError,
        "order Caputo",
    ),
    "noise of the state for ETD1": (
        lambda: solve(law=ds.Equation(linear=-1.0, diffusion=grow), stepper=ds.ETD1(), dt=0.1, key=ds.key(0)),
        TypeError,
        "EulerMaruyama",
    ),
    "no linear part for ETDRK2": (
        lambda: solve(law=ds.Equation(drift=grow), stepper=ds.ETDRK2(), dt=0.1),
        ValueError,
        "linear",
    ),
    "no linear part for IMEX": (
        lambda: solve(law=ds.Equation(drift=grow), stepper=ds.IMEX(), dt=0.1),
        ValueError,
        "linear",
    ),
    "no eigenbasis for ETDRK2": (
        lambda: solve(
            law=ds.Equation(linear=ds.Diffusion(PLANE, ds.Neumann(), lambda x, y: 1 + x * y)),
            y0=np.ones((4, 3)),
            stepper=ds.ETDRK2(),
            dt=0.1,
        ),
        ValueError,
        "TRBDF2",
    ),
    "noise without key": (lambda: solve(law=NOISY, dt=0.1), TypeError, "key=ds.key(0)"),
    "adapted steps with noise": (lambda: solve(law=NOISY, dt=ds.PID(), key=ds.key(0)), TypeError, "dt"),
    "adapted steps without estimate": (lambda: solve(stepper=ds.RK4(), dt=ds.PID()), TypeError, "RK4 Tsit5"),
    "no step for Crank–Nicolson": (lambda: solve(stepper=ds.CrankNicolson()), TypeError, "dt"),
    "a stepper by name": (lambda: solve(stepper="euler", dt=0.1), TypeError, "euler"),
    "a stepper class": (lambda: solve(stepper=ds.Euler, dt=0.001), TypeError, "Euler"),
    "no tolerance": (lambda: ds.PID(rtol=0.0, atol=0.0), ValueError, "rtol"),
    "a negative tolerance": (lambda: ds.PID(rtol=-1e-3), ValueError, "rtol -0.001"),
    "steps with no room": (lambda: ds.PID(least=1.0, most=0.5), ValueError, "most"),
    "records twice": (lambda: ds.SaveAt(ts=[0.5], every=2), ValueError, "ts every"),
    "records every zero steps": (lambda: ds.SaveAt(every=0), ValueError, "every=0"),
    "records outside": (lambda: solve(dt=0.1, save=ds.SaveAt(ts=[0.5, 2.0])), ValueError, "[0, 1]"),
    "records in disorder": (lambda: solve(dt=0.1, save=ds.SaveAt(ts=[0.5, 0.2])), ValueError, "Sort"),
    "no records": (lambda: solve(dt=0.1, save=ds.SaveAt(ts=[])), ValueError, "ts"),
    "records off the mesh": (lambda: solve(t=(0, 0.5, 1), save=ds.SaveAt(ts=[0.4])), ValueError, "0.4 mesh"),
    "records by count of adapted steps": (
        lambda: solve(stepper=ds.Tsit5(), dt=ds.PID(), save=ds.SaveAt(every=2)),
        ValueError,
        "ts",
    ),
    "records as a list": (lambda: solve(dt=0.1, save=[0.5]), TypeError, "SaveAt"),
    "an observable that is none": (lambda: ds.SaveAt(fn=3.0), TypeError, "fn"),
    "a stop that is none": (lambda: solve(dt=0.1, stop=5.0), TypeError, "Steady"),
    "two conditions": (lambda: solve(dt=0.1, stop=(ds.Steady(1.0), ds.When(lambda t, y: t > 0))), ValueError, "When"),
    "a rate of zero": (lambda: ds.Steady(0.0), ValueError, "rate"),
    "a predicate that is a value": (lambda: ds.When(True), TypeError, "predicate"),
    "no time on the wall clock": (lambda: ds.WallClock(0.0), ValueError, "seconds"),
    "no steps at all": (lambda: solve(dt=0.1, max_steps=0), ValueError, "max_steps=0"),
    "an unknown keyword of solve": (lambda: solve(timestep=0.1), TypeError, None),
    "an unknown keyword of a stepper": (lambda: ds.ETDRK2(order=3), TypeError, None),
    "complex rates of a real state": (lambda: solve(law=ds.Equation(linear=1j), dt=0.1), TypeError, "imaginary"),
    "a complex operator on a real state": (
        lambda: solve(law=ds.Equation(linear=1j * LAPLACIAN), dt=0.1),
        TypeError,
        "complex128",
    ),
    "complex D": (lambda: ds.Diffusion(GRID, ds.Neumann(), 1j), ValueError, "1j Laplacian"),
    "more steps than can be counted": (lambda: solve(dt=1e-300), ValueError, "1e-300 2⁵³"),
    "noise by an operator": (
        lambda: solve(law=ds.Equation(linear=-1.0, diffusion=LAPLACIAN), dt=0.1, key=ds.key(0)),
        TypeError,
        "g(t, y)",
    ),
    "noise by a field": (
        lambda: solve(law=ds.Equation(linear=-1.0, diffusion=np.ones(8)), dt=0.1, key=ds.key(0)),
        TypeError,
        "(8,) broadcast",
    ),
    "noise for two species": (
        lambda: solve(law=ds.Equation(linear=-1.0, diffusion=(1.0, 2.0)), dt=0.1, key=ds.key(0)),
        TypeError,
        "(1.0, 2.0)",
    ),
    "noise that is NaN": (
        lambda: solve(law=ds.Equation(linear=-1.0, diffusion=np.nan), dt=0.1, key=ds.key(0)),
        ValueError,
        "nan",
    ),
    "a drift of y only": (lambda: solve(law=ds.Equation(drift=lambda y: y), dt=0.1), TypeError, "drift(t, y)"),
    "a drift in NumPy": (lambda: solve(law=ds.Equation(drift=lambda t, y: np.sin(y)), dt=0.1), TypeError, "NumPy"),
    "a drift with a Python branch": (
        lambda: solve(law=ds.Equation(drift=lambda t, y: y if t > 0 else -y), dt=0.1),
        TypeError,
        "tf.where",
    ),
    "a list for a tuple": (
        lambda: solve(law=ds.Equation(drift=lambda t, y: list(y)), y0=(Y0, Y0), dt=0.1),
        ValueError,
        "[(8,) float64, (8,) float64]",
    ),
    "a state off the grid of its drift": (
        lambda: solve(law=ds.Equation(drift=ds.NonlinearDiffusion(GRID, ds.Neumann(), tf.exp)), y0=np.ones(7)),
        ValueError,
        "(7,) (8,)",
    ),
    "an observable without value": (
        lambda: solve(dt=0.1, save=ds.SaveAt(ts=[1.0], fn=lambda t, y: None)),
        TypeError,
        "fn=None",
    ),
    "an observable of y only": (lambda: solve(dt=0.1, save=ds.SaveAt(ts=[1.0], fn=lambda y: y)), TypeError, "fn(t, y)"),
    "a predicate for each cell": (lambda: solve(dt=0.1, stop=ds.When(lambda t, y: y > 0)), TypeError, "reduce_all"),
    "a predicate that is a number": (lambda: solve(dt=0.1, stop=ds.When(lambda t, y: y[0])), TypeError, "bool"),
    "times that are words": (lambda: solve(t=("now", "then")), TypeError, "now"),
    "records at words": (lambda: solve(dt=0.1, save=ds.SaveAt(ts="often")), TypeError, "often"),
    "a wall function of time only": (lambda: ds.Laplacian(GRID, ds.Dirichlet(lambda t: t)), TypeError, "f(t, x)"),
    "a wall function of another shape": (
        lambda: ds.Laplacian(PLANE, ds.Boundary(x=ds.Dirichlet(lambda t, x, y: np.ones(7)), y=ds.Neumann())),
        ValueError,
        "(7,)",
    ),
    "steady states with noise": (lambda: ds.steady(NOISY, Y0), ValueError, "noise"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_with_value_expectation_reason_and_way_out(name):
    do, kind, words = CASES[name]
    with pytest.raises(kind) as caught:
        do()
    text = str(caught.value)
    assert type(caught.value) is kind
    if words is None:  # Python itself names the keyword
        assert "unexpected keyword argument" in text
        return
    missing = [w for w in (words.split() if "[" not in words else [words]) if w not in text]
    assert not missing, text
    four_parts(text)


def four_parts(text):
    """value=…: expected …, because …. Way out."""
    before, _, reason = text.partition(", because ")
    assert "=" in before and ("expected" in before or "needs" in before), text
    why, _, way_out = reason.partition(". ")
    assert len(why) > 10 and len(way_out) > 8 and way_out.endswith((".", ")", "…")), text
    assert "\n" not in text and len(text) < 500, text
