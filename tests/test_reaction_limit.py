"""Steps too long for a reaction are refused, exactly where perturbations begin to grow; others are left alone."""

from dataclasses import replace

import numpy as np
import pytest

import diffsim as ds

GRID = ds.Grid(8, 1.0)
RATE = 10.0
DECAY = ds.models.from_rates(lambda u, k: -k * u, 1e-3, parameters={"k": RATE})
STEPPERS = {ds.Euler(): 2.0, ds.Heun(): 2.0, ds.RK4(): 2.785293563405282, ds.ETD1(): 2.0, ds.ETDAB2(): 1.0,
            ds.ETDRK2(): 2.0, ds.ETDRK4(): 2.785293563405282, ds.IMEX(): 2.0}


def final(law, y0, dt, stepper, steps=120):
    return ds.solve(law, y0, (0, steps * dt), dt=dt, stepper=stepper, jit=False).final


@pytest.mark.parametrize("stepper", STEPPERS, ids=lambda s: type(s).__name__)
def test_the_limit_is_where_perturbations_begin_to_grow(stepper):
    """On either side by one percent: below it a run decays, above it is refused, and would have grown."""
    law, y0, limit = DECAY.on(GRID, ds.Periodic()), np.ones(8), STEPPERS[stepper] / RATE
    assert np.abs(final(law, y0, 0.99 * limit, stepper)).max() < 1.0
    with pytest.raises(ValueError, match=f"expected dt ≤ {limit:.4g}, because the reaction pulls back"):
        final(law, y0, 1.01 * limit, stepper)
    unknown = replace(law, local=False)  # nothing is known about it, nothing is refused
    assert np.abs(final(unknown, y0, 1.01 * limit, stepper)).max() > 1.0


@pytest.mark.parametrize("stepper", [ds.Euler(), ds.ETDRK2()], ids=["Euler", "ETDRK2"])
def test_single_cells_count_only_where_diffusion_cannot_hold_them(stepper):
    """Logistic growth, u = 1 in one cell and 0 elsewhere: the cell flips between values with Euler's steps."""
    model, y0 = ds.models.FisherKPP(D=1e-6, r=50.0), np.eye(8)[0]
    if isinstance(stepper, ds.Euler):
        with pytest.raises(ValueError, match="12% of the cells"):
            final(model.on(GRID, ds.Periodic()), y0, 0.05, stepper)
    else:
        final(model.on(GRID, ds.Periodic()), y0, 0.05, stepper, steps=2)


def test_a_stiff_start_that_is_left_at_once_is_no_reason_to_refuse():
    """u' = 5 − 40u/(1 + u)²: from u = 0 with its rate of −40 the first step leads to where −f′ is small."""
    model = ds.models.from_rates(lambda u: 8.0 - 40.0 * u / (1.0 + 20.0 * u), 1e-3)
    assert np.isfinite(final(model.on(GRID, ds.Periodic()), np.zeros(8), 0.06, ds.Euler())).all()


def test_growth_implicit_steps_and_walls_that_hold_are_left_alone():
    """Growth is no instability of the method; TRBDF2 has no limit; Dirichlet walls and −k u damp what ETD1 overshoots."""
    y0 = np.full(8, 0.5)
    growing = ds.models.from_rates(lambda u: 10.0 * u, 1e-3).on(GRID, ds.Periodic())
    assert final(growing, y0, 0.3, ds.Euler(), steps=2).numpy().max() > 1
    assert np.abs(final(DECAY.on(GRID, ds.Periodic()), y0, 1.0, ds.TRBDF2(), steps=3)).max() < 0.5
    damped = ds.Equation(linear=ds.Laplacian(GRID, ds.Dirichlet(0.0)), drift=DECAY.rates, local=True)
    assert np.abs(final(damped, y0, 0.25, ds.ETD1())).max() < 0.5


def test_several_species_are_judged_by_the_eigenvalues_of_their_jacobian():
    """Eigenvalues −100 and −1, neither of which is an entry of the matrix."""
    model = ds.models.from_rates(lambda u, v: (-50.5 * u + 49.5 * v, 49.5 * u - 50.5 * v), (1e-3, 1e-3))
    y0 = np.ones(8), np.ones(8)
    with pytest.raises(ValueError, match=r"dt ≤ 0.02, .* rate of 100, in 100% of the cells"):
        final(model.on(GRID, ds.Neumann()), y0, 0.021, ds.Euler())
    final(model.on(GRID, ds.Neumann()), y0, 0.0199, ds.Euler(), steps=2)
