"""Steady states lie downhill: the flow from y0 ends there, and none from which disturbances grow is taken for one."""

import numpy as np
import pytest

import diffsim as ds

LOGISTIC = ds.Equation(drift=lambda t, y: y * (1 - y))
NAGUMO = ds.Equation(drift=lambda t, y: y * (1 - y) * (y - 0.3))
FLAT = np.ones(3)


def found(law, y0):
    """The steady state from y0."""
    return ds.steady(law, y0, jit=False).final.numpy()


@pytest.mark.parametrize(
    ("law", "start", "end"),
    [(LOGISTIC, 0.1, 1), (LOGISTIC, 1e-6, 1), (LOGISTIC, 9.0, 1), (NAGUMO, 0.35, 1), (NAGUMO, 0.301, 1),
     (NAGUMO, 0.299, 0), (NAGUMO, 0.25, 0), (NAGUMO, -0.5, 0)],
)
def test_the_flow_decides_between_states(law, start, end):
    np.testing.assert_allclose(found(law, start * FLAT), end, atol=1e-11)


def test_what_grows_has_no_steady_state():
    for y0 in (np.sin(np.arange(3.0)), 1e-3 * FLAT):
        with pytest.raises(ds.SolveError, match="no steady state was found"):
            ds.steady(ds.Equation(drift=lambda t, y: y), y0, jit=False)
    with pytest.raises(ds.SolveError, match="no steady state was found"):
        ds.steady(LOGISTIC, -0.1 * FLAT, jit=False)


@pytest.mark.parametrize("at", [0.3, 0.0])
def test_a_start_at_a_state_is_told_whether_it_is_stable(at):
    if at == 0.0:
        assert np.all(found(NAGUMO, at * FLAT) == 0.0)
        return
    with pytest.raises(ds.SolveError, match="at rest, but not stable") as caught:
        ds.steady(NAGUMO, at * FLAT, jit=False)
    np.testing.assert_allclose(caught.value.solution.final, 0.3, atol=1e-12)


def test_a_population_survives_where_the_domain_is_large_enough():
    """u″·D + u(1 − u) between absorbing ends has a positive state if and only if L > π√D."""
    grid = ds.Grid(32, 10.0)
    y0 = 0.01 * np.sin(np.pi * grid.coordinates()[0] / 10)
    for D, survives in ((1.0, True), (9.0, True), (11.0, False)):
        law = ds.Equation(linear=ds.Diffusion(grid, ds.Dirichlet(0.0), D), drift=LOGISTIC.drift)
        end = found(law, y0)
        assert (end.max() > 0.05) == survives
        assert np.abs(np.asarray(law.rate(0.0, end))).max() < 1e-8
