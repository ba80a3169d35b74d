"""Steady states: what closed systems keep, and that none is found where there is none."""

import numpy as np
import pytest

import diffsim as ds

N = 12
GRID, PLANE = ds.Grid(N, 1.0), ds.Grid((6, 5), (1.0, 1.0))
X = GRID.axes[0].centers
ROUGH = np.sin(9 * X)
FIELD = 1 + np.random.default_rng(0).random((6, 5))
MEMBRANE = ds.Layers((1.0, 0.1), (0.5,), interfaces=(ds.Interface(3.0, 0.5),))


def through(inflow, outflow):
    """A line fed at one end and drained at the other."""
    return ds.Boundary(x=(ds.Flux(inflow), ds.Flux(-outflow)))


def plane(inflow, outflow):
    """The same between two more walls."""
    return ds.Boundary(x=(ds.Flux(inflow), ds.Flux(-outflow)), y=ds.Neumann())


def porous(walls):
    """D(u) = 1 + u."""
    return ds.Equation(drift=ds.NonlinearDiffusion(GRID, walls, lambda u: 1 + u))


LAWS = {  # name → (law for an outflow, inflow being 1e-3; y0)
    "a line": (lambda q: ds.Equation(linear=ds.Diffusion(GRID, through(1e-3, q), 0.5)), ROUGH),
    "D(x)": (lambda q: ds.Equation(linear=ds.Diffusion(GRID, through(1e-3, q), 1 + X)), ROUGH),
    "a membrane": (lambda q: ds.Equation(linear=ds.Diffusion(GRID, through(1e-3, q), MEMBRANE)), ROUGH),
    "D(x, y)": (lambda q: ds.Equation(linear=ds.Diffusion(PLANE, plane(1e-3, q), FIELD)), np.sin(9 * FIELD)),
    "a source": (
        lambda q: ds.Equation(
            linear=ds.Diffusion(GRID, ds.Neumann(), 1.0),
            drift=lambda t, u: 1e-3 * np.cos(np.pi * X) + 1e-3 - q + 0.0 * u,
        ),
        ROUGH,
    ),
    "D(u)": (lambda q: porous(through(1e-3, q)), 1 + 0.5 * ROUGH),
}


@pytest.mark.parametrize("name", LAWS)
def test_closed_systems_keep_their_amount_and_need_balanced_sources(name):
    make, y0 = LAWS[name]
    found = ds.steady(make(1e-3), y0, jit=False)
    assert found.status is ds.Status.STEADY
    assert abs(np.mean(found.final) - np.mean(y0)) < 1e-15
    law = make(1e-3).of_state(found.final)
    rate = law.prepare(found.final).rate(0.0, found.final)
    assert np.abs(rate).max() < 1e-9
    with pytest.raises(ds.SolveError, match=r"no steady state: the amount changes at the rate -0.001 "):
        ds.steady(make(2e-3), y0, jit=False)
    ran_away = ds.steady(make(2e-3), y0, jit=False, throw=False)
    assert ran_away.status is not ds.Status.STEADY


def test_a_line_between_two_fluxes_has_the_known_slope():
    found = ds.steady(ds.Equation(linear=ds.Diffusion(GRID, through(1e-3, 1e-3), 0.5)), ROUGH, jit=False)
    np.testing.assert_allclose(found.final, np.mean(ROUGH) - 2e-3 * (X - 0.5), rtol=0, atol=1e-14)


def test_species_that_feed_each_other_without_end_are_found_out():
    linear = (ds.Diffusion(GRID, ds.Neumann(), 0.5), ds.Diffusion(GRID, ds.Neumann(), 0.1))
    y0 = (1 + 0.5 * ROUGH, 1 - 0.2 * ROUGH)

    def exchange(source):
        return ds.Equation(linear=linear, drift=lambda t, y: (y[1] - 2 * y[0] + source, 2 * y[0] - y[1]))

    a, b = ds.steady(exchange(0.0), y0, jit=False).final
    total = np.mean(y0[0] + y0[1])
    np.testing.assert_allclose((a, b), np.array([total / 3, 2 * total / 3])[:, None] * np.ones(N), rtol=1e-9)
    with pytest.raises(ds.SolveError, match="no steady state"):
        ds.steady(exchange(1e-3), y0, jit=False)


def test_slow_decay_is_not_taken_for_a_closed_system():
    law = ds.Equation(linear=ds.Diffusion(GRID, through(1e-3, 0.0), 0.5) - 1e-6)
    assert np.mean(ds.steady(law, ROUGH, jit=False).final) == pytest.approx(1e3, rel=1e-8)
    weak = ds.Equation(linear=ds.Diffusion(GRID, through(1e-3, 0.0), 0.5) - 1e-3)
    assert np.mean(ds.steady(weak, ROUGH.astype(np.float32), jit=False).final) == pytest.approx(1.0, rel=1e-4)
