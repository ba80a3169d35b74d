"""What the ledger books, against closed forms and matrix exponentials written down without diffsim."""

import numpy as np
import pytest
from scipy.linalg import expm

import diffsim as ds
from tests.dense import system, wall

N, L, T = 8, 1.2, 0.3
RATE = 0.4
U0 = 1 + np.sin(7 * np.arange(N))
ENDS = (("dirichlet", 1.3), ("robin", 2.5, 0.8))
WALLS = (ds.Dirichlet(1.3), ds.Robin(2.5, 0.8))


def slabs():
    """Two layers in perfect contact."""
    D = np.where(np.arange(N) < N // 2, 1.0, 0.1)
    grid = ds.Grid(N, L)
    return grid, ds.Layers((1.0, 0.1), (L / 2,)), D, np.ones(N + 1), np.full(N, L / N)


def shells(dimension):
    """A hollow cylinder of unit height or a hollow ball, D varying."""
    D, inner = 0.3 + 0.1 * np.arange(N), 0.5
    r = inner + L * np.arange(N + 1) / N
    area = 2 * np.pi * (dimension - 1) * r ** (dimension - 1)
    volume = 2 * np.pi * (dimension - 1) / dimension * np.diff(r**dimension)
    return ds.RadialGrid(N, L, inner=inner, dimension=dimension), D, D, area, volume


CASES = {"layers": slabs, "cylinder": lambda: shells(2), "ball": lambda: shells(3)}


def books(D, area, volume):
    """(u, Q₋, Q₊, reacted) at T by the exponential of the system with its books, and ones for the sources."""
    A, b = system((N,), (L,), (D,), (ENDS,), (area,), volume)
    M = np.zeros((N + 4, N + 4))
    M[:N, :N], M[:N, -1] = A - RATE * np.eye(N), b
    for i, (cell, face) in enumerate(((0, 0), (N - 1, N))):
        G, s = wall(ENDS[i], 2 * D[cell] / (L / N), D[cell])
        M[N + i, cell], M[N + i, -1] = -G * area[face], s * area[face]
    M[N + 2, :N] = -RATE * volume
    return (expm(T * M) @ np.concatenate([U0, np.zeros(3), [1.0]]))[:-1]


@pytest.mark.parametrize("stepper", [ds.ETD1(), ds.TRBDF2()], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("name", CASES)
def test_books_of_layers_and_shells(name, stepper):
    grid, medium, D, area, volume = CASES[name]()
    exact = books(D, area, volume)
    axis = grid.axes[0].name
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(**{axis: WALLS}), medium) - RATE)
    tracked = ds.track(law, U0)
    u, (book,) = ds.solve(*tracked, t=(0, T), dt=T / 2 if isinstance(stepper, ds.ETD1) else T / 200, stepper=stepper,
                       jit=False).final
    book = [float(book[k]) for k in (axis + "-", axis + "+", "reacted")]
    tolerance = 1e-12 if isinstance(stepper, ds.ETD1) else 1e-4
    np.testing.assert_allclose([*u, *book], exact, rtol=0, atol=tolerance)
    assert abs(volume @ (u.numpy() - U0) - sum(book)) < 1e-11
    assert np.all(np.abs(exact[N:]) > 0.04)  # each book has something in it


def test_books_of_diffusion_that_depends_on_the_state():
    """Between u = 0 and u = 1 with D = 1 + u the steady flux is ∫D du/L = 3/2L, in closed form on any grid."""
    grid = ds.Grid(N, L)
    walls = ds.Boundary(x=(ds.Dirichlet(0.0), ds.Dirichlet(1.0)))
    x = grid.axes[0].centers
    steady = np.sqrt(1 + 3 * x / L) - 1
    law = ds.Equation(drift=ds.NonlinearDiffusion(grid, walls, lambda u: 1 + u))
    sol = ds.solve(*ds.track(law, steady), t=(0, T), dt=1e-3, jit=False)
    u, (book,) = sol.final
    assert sol.info["stepper"] == "RKL2"  # as without books: they do not hide the stability limit
    np.testing.assert_allclose(u, steady, rtol=0, atol=1e-12)
    assert float(book["x-"]) == pytest.approx(-1.5 / L * T, rel=1e-11)
    assert float(book["x+"]) == pytest.approx(1.5 / L * T, rel=1e-11)


def test_each_member_of_an_ensemble_has_its_own_books():
    grid, medium, D, area, volume = slabs()
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Boundary(x=WALLS), medium) - RATE)
    states = np.stack([U0, 2 * U0, 0 * U0])
    u, (book,) = ds.solve(*ds.track(law, states), t=(0, T), dt=T, stepper=ds.ETD1(), jit=False).final
    exact = books(D, area, volume)
    for i, key in enumerate(("x-", "x+", "reacted")):
        assert book[key].shape == (3,)
        assert float(book[key][0]) == pytest.approx(exact[N + i], abs=1e-12)
        assert float(book[key][1] - book[key][0]) == pytest.approx(float(book[key][0] - book[key][2]), abs=1e-12)
    np.testing.assert_allclose((u.numpy() - states) @ volume, sum(book.values()), rtol=0, atol=1e-13)
