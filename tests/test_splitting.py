"""Strang splitting: order 2 towards the right limit, at every kind of wall; what it keeps."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from tests.orders import distance, slope

GRID = ds.Grid(24, 1.0)


def final(law, u0, stepper, dt, end=0.5):
    """The state at `end`."""
    return ds.solve(law, u0, (0.0, end), stepper=stepper, dt=dt, jit=False).final


WALLS = {
    "periodic": (ds.Periodic(), lambda x: 0.5 + 0.3 * np.sin(2 * np.pi * x)),
    "closed": (ds.Neumann(), lambda x: 0.5 + 0.3 * np.cos(np.pi * x)),
    "moving": (
        ds.Boundary(x=(ds.Dirichlet(lambda t, x: 1.0 + tf.sin(3 * t)), ds.Robin(2.0, 0.3))),
        lambda x: 1.0 - 0.5 * x,
    ),
}


@pytest.mark.parametrize("walls", WALLS)
@pytest.mark.parametrize("balanced", [True, False])
def test_order_two_and_the_right_limit(walls, balanced):
    condition, profile = WALLS[walls]
    law = ds.Equation(linear=ds.Diffusion(GRID, condition, 0.1), drift=lambda t, u: (1 + t) * u * (1 - u))
    u0 = tf.constant(profile(GRID.coordinates()[0]))
    exact = final(law, u0, ds.Tsit5(), ds.PID(1e-11, 1e-12))
    steps = 0.5 / np.array([32, 64, 128]) / (1 if balanced or walls != "moving" else 8)
    errors = [distance(final(law, u0, ds.Strang(balanced=balanced), h), exact) for h in steps]
    assert slope(steps, errors) == pytest.approx(2.0, abs=0.15)
    assert errors[-1] < 2e-5


def test_two_species_and_other_reaction_steppers():
    lap = ds.Laplacian(GRID, ds.Neumann())
    model = ds.models.GrayScott(F=0.4, k=0.6, Du=0.02, Dv=0.01)
    x = GRID.coordinates()[0]
    y0 = (tf.constant(1 - 0.5 * np.exp(-20 * x**2)), tf.constant(0.8 * np.exp(-20 * x**2)))
    law = ds.Equation(linear=(0.02 * lap, 0.01 * lap), drift=model.rates)
    exact = final(law, y0, ds.Tsit5(), ds.PID(1e-10, 1e-12))
    steps = 0.5 / np.array([8, 16, 32])
    for stepper in (ds.Strang(ds.Heun()), ds.Strang(ds.TRBDF2()), ds.Strang(ds.Heun(), substeps=2)):
        errors = [max(distance(a, b) for a, b in zip(final(law, y0, stepper, h), exact, strict=True)) for h in steps]
        assert slope(steps, errors) == pytest.approx(2.0, abs=0.2)
        assert errors[-1] < 1e-4


def test_steady_states_are_kept_if_balanced_only():
    """−Du″ = s between walls at 1: u = 1 + s x(1 − x)/2D."""
    op, s = ds.Diffusion(GRID, ds.Dirichlet(1.0), 0.1), 0.3
    law = ds.Equation(linear=op, drift=lambda t, u: s - 0.5 * u)
    u = ds.solve(law, tf.ones([24], tf.float64), (0.0, 400.0), stepper=ds.ImplicitEuler(), dt=4.0, jit=False).final
    assert distance(law.of_state(u).rate(0.0, u), 0.0) < 1e-11
    assert distance(final(law, u, ds.Strang(), 0.25, 5.0), u) < 1e-12
    assert distance(final(law, u, ds.Strang(balanced=False), 0.25, 5.0), u) > 1e-3


def test_balance_holds_the_order_where_walls_meet_reaction():
    """With f(wall) ≠ 0 plain splitting has order 2 for steps below Δx²/D only."""
    fine = ds.Grid(128, 1.0)
    law = ds.Equation(linear=ds.Diffusion(fine, ds.Dirichlet(1.0), 1.0), drift=lambda t, u: u**2)
    u0 = tf.constant(1.0 + np.sin(np.pi * fine.coordinates()[0]) ** 2)
    exact = final(law, u0, ds.ETDRK4(), 1e-3, 0.1)
    steps = 0.1 / np.array([4, 8, 16, 32])
    plain, balanced = (
        [distance(final(law, u0, ds.Strang(balanced=b), h, 0.1), exact) for h in steps] for b in (False, True)
    )
    assert slope(steps, balanced) > 1.75 > 1.6 > slope(steps, plain)
    assert all(b < a / 3 for a, b in zip(plain, balanced, strict=True))


def test_matter_that_a_reaction_keeps_is_kept():
    lap = ds.Laplacian(GRID, ds.Neumann())
    law = ds.Equation(linear=(0.1 * lap, 0.02 * lap), drift=lambda t, y: (y[1] - y[0] ** 2, y[0] ** 2 - y[1]))
    x = GRID.coordinates()[0]
    u, v = final(law, (tf.constant(1 + x), tf.constant(0.5 - x / 3)), ds.Strang(), 0.05, 5.0)
    assert float(GRID.mean(u + v)) == pytest.approx(1.5 + 0.5 - 1 / 6, abs=1e-13)


def test_refusals():
    op = ds.Laplacian(GRID, ds.Neumann())
    u0 = tf.zeros([24], tf.float64)
    with pytest.raises(ValueError, match="nothing to split"):
        final(ds.Equation(linear=op), u0, ds.Strang(), 0.1)
    with pytest.raises(ValueError, match="exactly and is an ordinary method without it"):
        final(ds.Equation(drift=lambda t, u: u), u0, ds.Strang(), 0.1)
    with pytest.raises(TypeError, match="no rule"):
        final(ds.Equation(linear=op, drift=lambda t, u: u, diffusion=1.0), u0, ds.Strang(), 0.1)
    with pytest.raises(ValueError, match="drift only, of order ≥ 2"):
        ds.Strang(ds.Euler())
    with pytest.raises(TypeError, match="moves the reaction"):
        ds.Strang("rk4")
    with pytest.raises(ValueError, match="substeps=0"):
        ds.Strang(substeps=0)
