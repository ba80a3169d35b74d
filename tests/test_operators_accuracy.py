"""Operators to the last digit and to their order: φ functions, full tensors, walls where D varies."""


import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.operators.functions import phi
from tests.orders import distance, slope


@pytest.mark.parametrize("k", range(5))
def test_phi_functions_to_the_last_digits(k):
    mpmath = pytest.importorskip("mpmath")
    z = -np.concatenate([[0.0, 1e-9, 1e-3], np.linspace(0.05, 4, 30), [30.0, 745.0, 1e5]])

    def exact(x):
        with mpmath.workdps(60):
            x = mpmath.mpf(float(x))
            return float(
                sum(x**j / mpmath.factorial(j + k) for j in range(60))
                if abs(x) < 5
                else (mpmath.exp(x) - sum(x**j / mpmath.factorial(j) for j in range(k))) / x**k
            )

    expected = np.array([exact(x) for x in z])
    assert phi(k, tf.constant(z)).numpy() == pytest.approx(expected, rel=2e-14, abs=1e-300)
    assert phi(k, tf.constant(z, tf.float32)).numpy() == pytest.approx(expected, rel=1e-5, abs=1e-37)


def test_tensor_diffusion_is_second_order():
    D = np.array([[2.0, 0.6], [0.6, 1.0]])
    k = 2 * np.pi * np.array([1, 2])
    errors = []
    for n in (16, 32, 64):
        grid = ds.Grid((n, n), 1.0)
        x, y = grid.coordinates()
        u = np.cos(k[0] * x + k[1] * y + 0.3)
        errors.append(distance(ds.Diffusion(grid, ds.Periodic(), ds.Anisotropic(D)).apply(u), -(k @ D @ k) * u))
    assert slope([1 / 16, 1 / 32, 1 / 64], errors) == pytest.approx(2, abs=0.1)

STEEP = ds.Boundary(x=(ds.Dirichlet(0.0), ds.Neumann(1.0)))
WALL_LAWS = {  # name → (law on n cells, centres, exact steady state): D of the last cell instead of the wall's is order 1
    "D(x) as a field": lambda n: (
        ds.Diffusion(g := ds.Grid(n, 1.0), STEEP, np.exp(x := g.axes[0].centers)),
        x,
        np.e * (1 - np.exp(-x)),
    ),
    "D(x) as a function": lambda n: (
        ds.Diffusion(g := ds.Grid(n, 1.0), STEEP, np.exp),
        x := g.axes[0].centers,
        np.e * (1 - np.exp(-x)),
    ),
    "D(x) and a film": lambda n: (
        ds.Diffusion(
            g := ds.Grid(n, 1.0), ds.Boundary(x=(ds.Dirichlet(0.0), ds.Robin(2.0, 1.0))), np.exp(x := g.axes[0].centers)
        ),
        x,
        (1 - np.exp(-x)) / (1.5 - np.exp(-1)),
    ),
    "a hollow cylinder": lambda n: (
        ds.Diffusion(
            g := ds.RadialGrid(n, 1.0, inner=1.0, dimension=2),
            ds.Boundary(r=(ds.Dirichlet(0.0), ds.Neumann(1.0))),
            1 + (r := g.axes[0].centers),
        ),
        r,
        6 * np.log(2 * r / (1 + r)),
    ),
    "D(u)": lambda n: (
        ds.NonlinearDiffusion(g := ds.Grid(n, 1.0), STEEP, lambda u: 1 + u),
        x := g.axes[0].centers,
        np.sqrt(1 + 2 * (1 + 2**0.5) * x) - 1,
    ),
    "D(u) and a film": lambda n: (  # u + u²/2 = J x and J = 2 (ambient − u(1)) with u(1) = 1
        ds.NonlinearDiffusion(
            g := ds.Grid(n, 1.0), ds.Boundary(x=(ds.Dirichlet(0.0), ds.Robin(2.0, 1.75))), lambda u: 1 + u
        ),
        x := g.axes[0].centers,
        np.sqrt(1 + 3 * x) - 1,
    ),
    "D(x)·D(u) and a gradient": lambda n: (  # eˣ(1 + u)u′ = J, u + u²/2 = J(1 − e⁻ˣ), u′(1) = 1: u(1) = U
        ds.NonlinearDiffusion(g := ds.Grid(n, 1.0), STEEP, lambda u: 1 + u, space=np.exp(x := g.axes[0].centers)),
        x,
        np.sqrt(1 + 2 * np.e * (1 + FILM) * (1 - np.exp(-x))) - 1,
    ),
}
FILM = np.e - 2 + np.sqrt((np.e - 2) ** 2 + 2 * (np.e - 1))  # U + U²/2 = (e − 1)(1 + U)


@pytest.mark.parametrize("name", WALL_LAWS)
def test_walls_are_of_second_order_where_D_varies(name):
    errors = []
    for n in (16, 32):
        op, _, exact = WALL_LAWS[name](n)
        law = ds.Equation(drift=op) if isinstance(op, ds.NonlinearDiffusion) else ds.Equation(linear=op)
        errors.append(np.abs(ds.steady(law, np.full(n, 0.1), jit=False).final - exact).max())
    assert errors[1] < 2e-3
    assert np.log2(errors[0] / errors[1]) > 1.9
