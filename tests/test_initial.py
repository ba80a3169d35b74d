"""Initial states: exact mass, exact averages, eigenfunctions, Pearson's start, refusals."""

import math

import numpy as np
import pytest
import tensorflow as tf

from diffsim import initial, random
from diffsim.geometry import Ball, Box
from diffsim.grid import Grid, RadialGrid

BOX = Grid(shape=(20, 30), size=(2.0, 4.5), origin=(-1.0, 0.5))
LINE = Grid(shape=64, size=3.0)
BALL = RadialGrid(shape=40, size=2.0)
PIPE = RadialGrid(shape=40, size=1.5, inner=0.5, dimension=2)


def mass(grid, u):
    return float(grid.integrate(tf.cast(u, tf.float64)))


@pytest.mark.parametrize("grid", [LINE, BOX, BALL, PIPE], ids=["line", "box", "ball", "pipe"])
def test_uniform_and_point_hold_their_mass_to_round_off(grid):
    volume = float(np.sum(np.broadcast_to(grid.volume(), grid.shape)))
    assert mass(grid, initial.uniform(grid, 3.0)) == pytest.approx(3.0 * volume, rel=1e-12)
    where = [0.37 * (a.faces[0] + a.faces[-1]) + 0.2 for a in grid.axes]
    u = initial.point(grid, where, mass=2.5, dtype=tf.float64)
    assert mass(grid, u) == pytest.approx(2.5, rel=1e-14) and np.count_nonzero(u) == 1
    cell = np.argwhere(u.numpy())[0]
    for i, a in zip(cell, grid.axes, strict=True):
        assert a.faces[i] <= where[a.name == "y"] < a.faces[i + 1]


def test_a_point_on_the_last_face_stays_inside():
    assert initial.point(LINE, 3.0)[-1] > 0 and initial.point(LINE, 0.0)[0] > 0


def test_a_gaussian_is_the_cell_average_and_keeps_mass_and_moments_at_any_width():
    grid = Grid(shape=(64, 48), size=(16.0, 12.0), origin=(-8.0, -6.0))
    x, y = grid.coordinates()
    for width in (1e-3, 0.3, 0.7):
        u = initial.gaussian(grid, (0.1, -0.2), width, mass=3.0, dtype=tf.float64)
        assert mass(grid, u) == pytest.approx(3.0, rel=1e-12)
        if width > 0.2:  # a box average adds Δx²/12 to the variance, to spectral accuracy
            assert mass(grid, u * x) / 3.0 == pytest.approx(0.1, abs=1e-3)
            assert mass(grid, u * (y + 0.2) ** 2) / 3.0 == pytest.approx(width**2 + 0.25**2 / 12, rel=2e-2)
    u = initial.gaussian(LINE, 1.0, 0.05, dtype=tf.float64).numpy()
    a, b = 3.0 * 60 / 64, 3.0 * 61 / 64  # 36 to 37 widths away: the tail keeps its digits
    exact = (math.erfc((a - 1) / 0.05 / 2**0.5) - math.erfc((b - 1) / 0.05 / 2**0.5)) / 2 / (b - a)
    assert 0 < u[60] < 1e-280 and u[60] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_radial_gaussian_has_unit_mass_and_the_right_peak_and_variance(dimension):
    grid = RadialGrid(shape=400, size=8.0, dimension=dimension)
    u = initial.gaussian(grid, 0.0, 0.9, dtype=tf.float64)
    assert mass(grid, u) == pytest.approx(1.0, rel=1e-12)
    assert mass(grid, u * grid.coordinates()[0] ** 2) == pytest.approx(dimension * 0.81, rel=1e-4)
    assert float(u[0]) == pytest.approx((2 * math.pi * 0.81) ** (-dimension / 2), rel=2e-4)


def test_a_cosine_is_an_eigenvector_of_the_discrete_laplacian_with_closed_walls():
    u = initial.cosine(BOX, (3, 2), amplitude=0.7, mean=0.2, dtype=tf.float64).numpy()
    assert u.mean() == pytest.approx(0.2, abs=1e-14)
    padded = np.pad(u - 0.2, 1, mode="edge")  # closed: the mirror image beyond the wall
    dx, dy = BOX.dx
    laplacian = (np.diff(padded, 2, axis=0)[:, 1:-1] / dx**2) + (np.diff(padded, 2, axis=1)[1:-1] / dy**2)
    rate = -((2 / dx * np.sin(1.5 * np.pi / 20)) ** 2) - (2 / dy * np.sin(np.pi / 30)) ** 2
    np.testing.assert_allclose(laplacian, rate * (u - 0.2), atol=1e-10)


@pytest.mark.parametrize("grid", [LINE, BALL, PIPE], ids=["line", "ball", "pipe"])
def test_a_step_holds_its_mass_wherever_it_cuts(grid):
    lower, upper = grid.axes[0].faces[[0, -1]]
    p = grid.dimension if isinstance(grid, RadialGrid) else 1
    total = mass(grid, initial.uniform(grid, 1.0))
    for at in np.linspace(lower - 0.1, upper + 0.1, 23):
        part = (np.clip(at, lower, upper) ** p - lower**p) / (upper**p - lower**p)
        u = initial.step(grid, 0, at, left=2.0, right=-1.0, dtype=tf.float64)
        assert mass(grid, u) == pytest.approx(total * (3.0 * part - 1.0), rel=1e-12, abs=1e-12)
        assert np.all((u >= -1.0) & (u <= 2.0))


def test_a_region_has_the_volume_of_its_shape():
    grid = Grid(shape=(80, 60), size=(2.0, 1.5))
    shape = Ball((1.0, 0.75), 0.6)
    smooth = initial.region(grid, shape, 2.0, 1.0)
    assert mass(grid, smooth) == pytest.approx(3.0 + math.pi * 0.36, rel=1e-3)
    sharp = initial.region(grid, shape, 2.0, 1.0, smooth=False).numpy()
    assert set(np.unique(sharp)) == {1.0, 2.0} and abs(mass(grid, sharp) - 3.0 - math.pi * 0.36) < 0.02
    slab = initial.region(grid, Box((0.31, -np.inf), (1.0, np.inf)), dtype=tf.float64)
    assert mass(grid, slab) == pytest.approx(0.69 * 1.5, rel=1e-12)


def test_noise_has_its_moments_and_follows_its_key():
    grid = Grid(shape=(200, 200), size=1.0)
    u = initial.noise(grid, 2.0, 0.3, random.key(1), batch=(2,), dtype=tf.float64).numpy()
    n = u.size
    assert u.shape == (2, 200, 200)
    assert abs(u.mean() - 2.0) < 5 * 0.3 / n**0.5  # 5σ: one false alarm in 10⁶ seeds
    assert abs(u.std() - 0.3) < 5 * 0.3 / (2 * n) ** 0.5
    again = initial.noise(grid, 2.0, 0.3, random.key(1), batch=(2,), dtype=tf.float64)
    np.testing.assert_array_equal(u, again)
    assert not np.any(u == initial.noise(grid, 2.0, 0.3, random.key(2), batch=(2,), dtype=tf.float64).numpy())


def test_patches_are_pearsons_start():
    grid = Grid(shape=(256, 256), size=2.5)
    u, v = (s.numpy() for s in initial.patches(grid, key=random.key(0)))
    inside = np.zeros(grid.shape, bool)
    inside[118:138, 118:138] = True
    for state, ground, square in ((u, 1.0, 0.5), (v, 0.0, 0.25)):
        exact = np.where(inside, square, ground)
        assert np.all(np.abs(state - exact) <= 0.01 * exact * (1 + 1e-5))
        noise = state[exact > 0] / exact[exact > 0] - 1.0
        assert noise.std() == pytest.approx(0.01 / 3**0.5, rel=0.1)
        assert np.abs(noise.mean()) < 5 * noise.std() / noise.size**0.5
    assert abs(np.corrcoef(u[inside], v[inside])[0, 1]) < 5 / 400**0.5  # species have their own noise
    assert u.dtype == np.float32


def test_patches_are_placed_at_random_inside_and_without_noise_need_no_key():
    grid = Grid(shape=(40, 30), size=(4.0, 3.0))
    (one,) = initial.patches(grid, (0.0,), (1.0,), size=(4, 7), noise=0.0)
    assert one.numpy().sum() == 28 and one[18, 11] == 1.0
    (many,) = initial.patches(grid, (0.0,), (1.0,), random.key(3), size=5, count=6, noise=0.0)
    assert 50 < many.numpy().sum() <= 150
    (full,) = initial.patches(grid, (0.0,), (1.0,), random.key(4), size=5, count=20_000, noise=0.0)
    assert np.all(full.numpy() == 1.0)  # every place is possible: a corner is missed with odds e⁻²¹


@pytest.mark.parametrize("pixels", [(7, 45), (40, 11), (20, 30), (1, 1)])
def test_an_array_is_averaged_conservatively(pixels):
    a = np.random.default_rng(0).uniform(size=pixels)
    u = initial.from_array(BOX, a, dtype=tf.float64).numpy()
    assert u.mean() == pytest.approx(a.mean(), rel=1e-13)
    assert u.min() >= a.min() - 1e-15 and u.max() <= a.max() + 1e-15
    fine = np.kron(a, np.ones((20, 30))).reshape(20, pixels[0], 30, pixels[1]).mean(axis=(1, 3))
    np.testing.assert_allclose(u, fine, atol=1e-13)


def test_an_array_on_a_radial_grid_keeps_its_content():
    a = np.random.default_rng(0).uniform(size=13)
    shells = np.diff(np.linspace(0.0, 2.0, 14) ** 3) * 4 / 3 * np.pi
    assert mass(BALL, initial.from_array(BALL, a, dtype=tf.float64)) == pytest.approx(shells @ a, rel=1e-12)


@pytest.mark.parametrize(("make", "kind", "says"), [
    (lambda: initial.uniform(LINE, np.nan), ValueError, "finite"),
    (lambda: initial.uniform(LINE, 1.0, dtype=tf.int32), TypeError, "floating"),
    (lambda: initial.gaussian(BOX, (0.0, 0.0, 0.0), 1.0), ValueError, "2 axes"),
    (lambda: initial.gaussian(BOX, 0.0, 0.0), ValueError, "width"),
    (lambda: initial.gaussian(BALL, 0.5, 1.0), ValueError, "more than r"),
    (lambda: initial.point(LINE, 3.1), ValueError, r"\[0, 3\]"),
    (lambda: initial.cosine(BOX, 2), ValueError, "0 for a constant"),
    (lambda: initial.cosine(LINE, 2.5), TypeError, "integer"),
    (lambda: initial.cosine(BALL, 2), ValueError, "Bessel"),
    (lambda: initial.step(LINE, 1, 0.5), ValueError, "from 0"),
    (lambda: initial.region(LINE, "ball"), TypeError, "Shape"),
    (lambda: initial.region(BALL, Ball(0.0, 1.0)), ValueError, "Cartesian"),
    (lambda: initial.noise(LINE, 0.0, -1.0, random.key(0)), ValueError, "standard deviation"),
    (lambda: initial.patches(BOX, size=21, key=random.key(0)), ValueError, "fit"),
    (lambda: initial.patches(BOX, size=5), ValueError, "key"),
    (lambda: initial.patches(BOX, (1.0, 2.0), (1.0,), random.key(0)), ValueError, "2 values"),
    (lambda: initial.patches(BOX, 1.0, 2.0, random.key(0)), ValueError, "one species"),
    (lambda: initial.patches(BOX, key=random.key(0), squares=2), TypeError, "squares"),
    (lambda: initial.from_array(BOX, np.zeros(3)), ValueError, "2 axes"),
    (lambda: initial.from_array(LINE, [0.0, np.inf]), ValueError, "index"),
])
def test_bad_input_is_refused_with_a_way_out(make, kind, says):
    with pytest.raises(kind, match=says):
        make()
