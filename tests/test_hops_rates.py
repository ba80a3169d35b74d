"""Rates at which molecules hop: those of the operator on densities, in any medium; where events take them."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import expm

import diffsim as ds
from diffsim.steppers.cells import leaving
from diffsim.steppers.hops import _exponential

LINE = ds.Grid(shape=(6,), size=(3.0,))
SIDES = ds.Boundary(x=(ds.Robin(0.5), ds.Dirichlet()))
PLANE = ds.Boundary(x=(ds.Robin(0.5), ds.Dirichlet()), y=(ds.Neumann(), ds.Robin(2.0)))
D = np.array([0.4, 0.4, 1.5, 3.0, 0.2, 0.2])
CASES = {
    "alike": ds.Diffusion(LINE, SIDES, 0.4),
    "periodic": ds.Diffusion(LINE, ds.Periodic(), 0.4),
    "media": ds.Diffusion(LINE, SIDES, D),
    "layers": ds.Diffusion(LINE, SIDES, ds.Layers((0.4, 2.0), (1.5,))),
    "films": ds.Diffusion(LINE, SIDES, ds.Layers((0.4, 2.0), (1.5,), interfaces=(ds.Interface(partition=3.0, resistance=0.8),))),
    "ball": ds.Diffusion(ds.RadialGrid(5, 2.0, inner=0.3), ds.Boundary(r=(ds.Robin(0.5), ds.Dirichlet())), 0.4),
    "plane": ds.Diffusion(ds.Grid((3, 4), (1.0, 2.0)), PLANE, (0.4, 0.7)),
    "map": ds.Diffusion(ds.Grid((3, 4), (1.0, 2.0)), PLANE, np.arange(1.0, 13.0).reshape(3, 4)),
}


def chain(op):
    """dn/dt = L n of hops between cells, by the rates at which they are left."""
    shape, C = op.grid.shape, op.grid.cells
    cells, L = np.arange(C).reshape(shape), np.zeros((C, C))
    for axis in range(op.grid.ndim):
        for up, rate in enumerate(leaving(op, axis)):
            rate, there = np.broadcast_to(rate, shape), np.roll(cells, -1 if up else 1, axis)
            edge = (slice(None),) * axis + (-1 if up else 0,)
            for i, j, r in zip(cells.ravel(), there.ravel(), rate.ravel(), strict=True):
                L[i, i] -= r
                if op.walls[axis] is None or i not in np.ravel(cells[edge]):
                    L[j, i] += r
    return L


@pytest.mark.parametrize("name", CASES)
def test_molecules_hop_at_the_rates_of_densities(name):
    """Numbers n = Vc: dn/dt = V A(n/V) to rounding; so means, equilibria and what walls take are those of the grid."""
    op = CASES[name]
    like = tf.zeros(op.grid.shape, tf.float64)
    V = np.broadcast_to(op.grid.volume(), op.grid.shape).ravel()
    units = tf.reshape(tf.eye(op.grid.cells, dtype=tf.float64) / V, (-1, *op.grid.shape))
    A = tf.reshape(op.apply(units), (op.grid.cells, -1)).numpy().T * V[:, None]
    np.testing.assert_allclose(chain(op.prepare(like)), A, rtol=1e-10, atol=1e-10 * np.abs(A).max())


def test_numbers_in_shells_follow_their_volumes():
    """Supply Ωk, meetings k/Ω of two: in each shell by its own volume."""
    grid = ds.RadialGrid(4, 2.0)
    law = ds.models.master_equation(ds.models.Schnakenberg(a=0.2, b=1.3), grid, ds.Neumann(), size=50.0)
    V = 50.0 * np.asarray(grid.volume())
    one = ds.models.master_equation(ds.models.Schnakenberg(a=0.2, b=1.3), size=1.0)
    n = [V * c for c in (0.7, 1.9)]
    wide = law.propensities.many([tf.constant(a) for a in n])
    for rate, density in zip(wide, one.propensities.many([tf.constant([c], tf.float64) for c in (0.7, 1.9)]), strict=True):
        np.testing.assert_allclose(rate, V * density, rtol=1e-12)


def test_rare_hops_are_as_rare_as_they_should_be():
    """e^{hL} with relative errors of rounding, down to odds of 10⁻¹⁵."""
    down, up = np.array([0.7, 1.3, 0.4, 2.2]), np.array([1.1, 0.3, 0.8, 0.5])
    for periodic in (False, True):
        L = -np.diag(down + up)
        for i in range(4):
            for j, r in (((i - 1), down[i]), ((i + 1), up[i])):
                if periodic or 0 <= j < 4:
                    L[i, j % 4] += r
        for h in (1e-5, 0.3, 40.0):
            P = _exponential(tf.constant(down), tf.constant(up), periodic, tf.constant(h, tf.float64)).numpy()
            np.testing.assert_allclose(P, expm(h * L), rtol=1e-9, atol=1e-17)


@pytest.mark.parametrize("stepper", [ds.SSA(), pytest.param(ds.SplitHops(), marks=pytest.mark.slow)], ids=["SSA", "SplitHops"])
def test_each_species_goes_its_own_way(stepper):
    """A slow, B fast and C at rest, from the lower of three cells; an open and a closed end. 5σ of every cell."""
    grid, runs, t = ds.Grid(shape=(3,), size=(3.0,)), 3000, 1.0
    walls = ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()))
    ops = tuple(ds.Diffusion(grid, walls, D) for D in (0.5, 1.4))
    law = ds.Jump([[-1, 0, 1], [0, 0, -1]], [0.6, 0.3], hops=(*ops, None))
    n0 = tuple(tf.tile(tf.constant([[float(k), 0, 0]], tf.float64), [runs, 1]) for k in (4, 3, 0))
    n = ds.solve(law, n0, (0, t), stepper=stepper, dt=None if stepper == ds.SSA() else t / 16, key=ds.key(6), jit=False)
    Q = np.zeros((9, 9))
    for s, D in enumerate((0.5, 1.4)):
        hop = D * np.array([[-1.0, 1, 0], [1, -2, 1], [0, 1, -3]])
        Q[3 * s : 3 * s + 3, 3 * s : 3 * s + 3] = hop
    Q[:3, :3] -= 0.6 * np.eye(3)
    Q[6:, :3], Q[6:, 6:] = 0.6 * np.eye(3), -0.3 * np.eye(3)
    mean = expm(t * Q) @ [4, 0, 0, 3, 0, 0, 0, 0, 0]
    seen = np.concatenate([np.asarray(a) for a in n.final], -1)
    assert (np.abs(seen.mean(0) - mean) < 5 * seen.std(0) / runs**0.5 + 1e-3).all(), (seen.mean(0), mean)


def test_a_tensor_is_no_rate_of_hops():
    """Its off-diagonal part would be left out in silence."""
    op = ds.Diffusion(ds.Grid((3, 3), (1.0, 1.0)), ds.Periodic(), ds.Anisotropic(np.array([[1.0, 0.5], [0.5, 1.0]])))
    with pytest.raises(ValueError, match="expected diffusivities along the axes, because .* Let D be"):
        ds.Jump([[-1]], [1.0], hops=(op,))


@pytest.mark.slow
@pytest.mark.parametrize("stepper", [ds.SSA(), ds.SplitHops()], ids=["SSA", "SplitHops"])
def test_molecules_share_themselves_between_phases_as_they_dissolve(stepper):
    """Three times as many in each cell of the phase that dissolves three times as much: binomial."""
    film = ds.Layers((0.4, 2.0), (1.5,), interfaces=(ds.Interface(partition=3.0),))
    law = ds.Jump([[-1]], [0.0], hops=(ds.Diffusion(LINE, ds.Neumann(), film),))
    n0 = (tf.tile(tf.constant([[2.0, 2, 2, 2, 2, 2]], tf.float64), [2000, 1]),)
    n = ds.solve(law, n0, (0, 12.0), stepper=stepper, dt=None if stepper == ds.SSA() else 4.0, key=ds.key(2)).final[0]
    upper = np.asarray(n)[:, 3:].sum(1)
    assert abs(upper.mean() - 9.0) < 5 * np.sqrt(12 * 0.75 * 0.25 / 2000)
