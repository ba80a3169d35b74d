"""A law owns its numbers: arrays that change later change nothing, variables are checked when they are read."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

GRID, PLANE = ds.Grid(8, 1.0), ds.Grid((6, 4), 1.0)
Y0 = np.sin(np.pi * (np.arange(8) + 0.5) / 8)


def end(law, y0=Y0):
    """The final state of a short run."""
    return ds.solve(law, y0, (0.0, 0.1), stepper=ds.Tsit5(), dt=0.001, jit=False).final.numpy()


def of_D(D):
    """A field of D."""
    return ds.Equation(linear=ds.Diffusion(GRID, ds.Dirichlet(0.0), D))


def of_wall(value):
    """Values along a wall."""
    walls = ds.Boundary(x=(ds.Dirichlet(value), ds.Neumann()), y=ds.Neumann())
    return ds.Equation(linear=ds.Diffusion(PLANE, walls))


def of_drift(k):
    """Numbers bound to a drift."""
    return ds.Equation(drift=functools.partial(lambda k, t, y: -k * y, k))


@pytest.mark.parametrize(
    ("make", "array", "y0"),
    [(of_D, np.full(8, 0.1), Y0), (of_wall, np.ones(4), np.zeros((6, 4))), (of_drift, np.full(8, 0.5), Y0)],
)
def test_arrays_are_copied(make, array, y0):
    law, before = make(array), end(make(array.copy()), y0)
    array *= 5
    np.testing.assert_array_equal(end(law, y0), before)
    assert np.abs(end(make(array), y0) - before).max() > 1e-3


def test_records_do_not_alias_the_start():
    y0 = Y0.copy()
    sol = ds.solve(of_D(0.1), y0, (0.0, 0.1), save=ds.SaveAt(ts=[0.0, 0.1]), jit=False)
    y0[:] = 7.0
    np.testing.assert_array_equal(sol.y[0], Y0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda v: ds.Diffusion(GRID, ds.Dirichlet(0.0), D=v), "D=-1.0"),
        (lambda v: 2.0 * ds.Diffusion(GRID, ds.Dirichlet(0.0), D=v) - 1.0, "D=-1.0"),
        (lambda v: ds.Diffusion(GRID, ds.Robin(v), D=1.0), "Robin.transfer=-1.0"),
    ],
)
def test_variables_are_checked_before_each_run(make, says):
    v = tf.Variable(0.5, dtype=tf.float64)
    law = ds.Equation(linear=make(v))
    v.assign(-1.0)
    with pytest.raises(ValueError, match=says):
        end(law)
    v.assign(0.5)
    assert np.isfinite(end(law)).all()
