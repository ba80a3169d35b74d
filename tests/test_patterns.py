"""Components, topology and the classifier: exact counts, made patterns, and Pearson's classes by simulation."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.analysis import Pattern, components, count, euler, recognise

PLANE = ds.Grid((96, 80), (2.4, 2.0), origin=(-1.0, 3.0))


def bumps(grid, centers, width):
    """Round bumps of a periodic plane, 1 in the middle."""
    x, y = grid.coordinates()
    u = np.zeros(grid.shape)
    for a, b in centers:
        d = [z - c - L * np.rint((z - c) / L) for z, c, L in zip((x, y), (a, b), grid.size, strict=True)]
        u += np.exp(-(d[0] ** 2 + d[1] ** 2) / width**2)
    return u


# Components and Euler characteristic


def test_discs_are_counted_across_the_sides_with_their_centres_and_areas():
    where = np.array([[-1.0, 3.0], [0.2, 4.1], [0.9, 3.5]])
    u, level = bumps(PLANE, where, 0.15), np.exp(-1)
    found = components(PLANE, u, level)
    assert found.count == 3
    assert found.volume == pytest.approx(np.pi * 0.15**2, rel=0.05)
    for c in where:
        off = found.center - c
        off -= np.array(PLANE.size) * np.rint(off / PLANE.size)
        assert np.hypot(*off.T).min() < 1e-2
    assert (found.elongation < 1.1).all()
    assert not found.spans.any()
    assert euler(PLANE, u, level) == 3
    assert count(PLANE, u, level)[:2] == (3, 0)
    # cut open, the disc in the corner falls into four
    assert components(PLANE, u, level, periodic=False).count == 6
    assert euler(PLANE, u, level, periodic=False) == 6


@pytest.mark.parametrize(("form", "chi", "parts"), [
    (lambda x, y: np.hypot(x, y) - 0.6, 0, 1),  # ring
    (lambda x, y: np.minimum(np.hypot(x - 0.35, y), np.hypot(x + 0.35, y)) - 0.3, -1, 1),  # figure eight
])
def test_euler_counts_components_less_holes(form, chi, parts):
    grid = ds.Grid((100, 100), (2.0, 2.0), origin=(-1.0, -1.0))
    u = -np.abs(form(*grid.coordinates()))
    for periodic in (True, False):
        assert euler(grid, u, -0.1, periodic=periodic) == chi
        assert components(grid, u, -0.1, periodic=periodic).count == parts


def test_euler_of_closed_shapes_and_of_the_torus():
    one = np.ones(PLANE.shape)
    assert euler(PLANE, one, 0.5) == 0
    assert euler(PLANE, one, 0.5, periodic=False) == 1
    box = ds.Grid((30, 30, 30), (2.0, 2.0, 2.0), origin=(-1.0, -1.0, -1.0))
    x, y, z = box.coordinates()
    ball, shell = np.sqrt(x**2 + y**2 + z**2), (np.hypot(x, y) - 0.6) ** 2 + z**2
    assert euler(box, -ball, -0.7) == 1
    assert euler(box, -np.abs(ball - 0.6), -0.15) == 2  # a cavity adds one
    assert euler(box, -shell, -(0.2**2)) == 0  # a solid torus
    assert components(box, -shell, -(0.2**2)).volume[0] == pytest.approx(2 * np.pi**2 * 0.6 * 0.04, rel=0.05)


def test_euler_agrees_with_counting_components_of_both_phases():
    """On a closed plane χ = components − holes, holes being low components (of 8 neighbours) that miss the rim."""
    from scipy import ndimage

    rng = np.random.default_rng(3)
    grid = ds.Grid((40, 50), (1.0, 1.0))
    u = ndimage.gaussian_filter(rng.standard_normal(grid.shape), 1.5)
    for level in (-0.1, 0.0, 0.1):
        low, n = ndimage.label(np.pad(u <= level, 1, constant_values=True), np.ones((3, 3)))
        parts = components(grid, u, level, periodic=False).count
        assert euler(grid, u, level, periodic=False) == parts - (n - 1)


def test_a_bar_is_a_stripe_of_its_elongation():
    x, y = PLANE.coordinates()
    bar = ((np.abs(x) < 0.6) & (np.abs(y - 4) < 0.1)).astype(float)
    found = components(PLANE, bar, 0.5)
    assert found.elongation == pytest.approx([6.0], rel=1e-6)
    assert count(PLANE, bar, 0.5) == (0, 1, 0.0, pytest.approx(1.2 * 0.2 / 4.8))
    assert count(PLANE, bar, 0.5, longer=6.5)[:2] == (1, 0)
    band = np.broadcast_to(np.abs(y - 4) < 0.1, PLANE.shape).astype(float)
    assert components(PLANE, band, 0.5).spans.all()


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="a box"):
        components(ds.RadialGrid(8, 1.0), np.zeros(8), 0.0)
    with pytest.raises(ValueError, match="one state on the grid"):
        euler(PLANE, np.zeros((2, *PLANE.shape)), 0.0)
    with pytest.raises(ValueError, match="box in the plane"):
        recognise(ds.Grid(8, 1.0), np.zeros(8))
    with pytest.raises(ValueError, match="one species"):
        recognise(PLANE, np.zeros((3, 8, 8)))


# Made patterns

SQUARE = ds.Grid((96, 96), (1.0, 1.0))


def waves(directions, phases=None, k=12 * np.pi):
    """Σ cos(k·x + φ) on the unit square, wave vectors rounded to those of the box."""
    x, y = SQUARE.coordinates()
    phases = np.zeros(len(directions)) if phases is None else phases
    vectors = 2 * np.pi * np.rint(k / (2 * np.pi) * np.stack([np.cos(directions), np.sin(directions)], 1))
    return sum(np.cos(a * x + b * y + p) for (a, b), p in zip(vectors, phases, strict=True))


def hexagons():
    x, y = SQUARE.coordinates()
    return sum(np.cos(2 * np.pi * (a * x + b * y)) for a, b in ((8, 0), (-4, 7), (-4, -7)))


@pytest.mark.parametrize(("u", "pattern"), [
    (hexagons(), Pattern.SPOTS),
    (-hexagons(), Pattern.HOLES),
    (waves([0.4]), Pattern.STRIPES),
    (np.maximum(waves([0.0]), 0.9), Pattern.STRIPES),
    (waves(np.arange(9) * np.pi / 9, np.random.default_rng(5).uniform(0, 7, 9)), Pattern.LABYRINTH),
    (np.full(SQUARE.shape, 0.3), Pattern.HOMOGENEOUS),
    (0.3 + 1e-4 * hexagons(), Pattern.HOMOGENEOUS),
])
def test_made_patterns(u, pattern):
    assert recognise(SQUARE, u).pattern is pattern
    if pattern is not Pattern.HOMOGENEOUS:  # neither units, nor the place, nor a slow drift matter
        assert recognise(SQUARE, -7.0 + 30.0 * np.roll(u.T, 11, 1)).pattern is pattern
        drift = u * np.linspace(0.9, 1.0, 20)[:, None, None]
        assert recognise(SQUARE, drift).pattern is pattern


def test_roundness_is_that_of_discs_and_hexagons_have_one_spot_in_each_cell():
    verdict = recognise(SQUARE, hexagons())
    assert verdict.features.roundness == pytest.approx(1.0, abs=0.2)
    assert recognise(SQUARE, -hexagons()).features.roundness == pytest.approx(-1.0, abs=0.2)
    lattice = np.sqrt(3) / 2 / verdict.features.wavelength**2
    assert count(SQUARE, hexagons(), 0.75).spots == 8 * 7 == pytest.approx(lattice, rel=0.05)
    alone = bumps(PLANE, [[0.0, 4.0]], 0.2)
    assert recognise(PLANE, alone).features.roundness == pytest.approx(1.0, abs=0.2)
    assert abs(recognise(SQUARE, waves([0.4])).features.roundness) < 0.01


def test_waves_come_back_and_chaos_does_not():
    x, y = SQUARE.coordinates()
    t = np.arange(48)[:, None, None]
    running = np.cos(6 * np.pi * x - 2 * np.pi * 7.3 / 48 * t + 0 * y) ** 3
    assert recognise(SQUARE, running).pattern is Pattern.WAVES
    assert recognise(SQUARE, running[:10]).pattern is Pattern.CHAOS  # too few periods to see them return
    rng = np.random.default_rng(2)
    noise = np.stack([waves(rng.uniform(0, 7, 9), rng.uniform(0, 7, 9)) for _ in range(48)])
    assert recognise(SQUARE, noise).pattern is Pattern.CHAOS
    assert abs(recognise(SQUARE, noise).features.coherence) < 0.2


# Pearson's classes, from other seeds than those on which the thresholds were set

CLASSES = {
    "labyrinth": (0.037, 0.060, Pattern.LABYRINTH),
    "spots": (0.030, 0.062, Pattern.SPOTS),
    "pulsating spots": (0.025, 0.060, Pattern.SPOTS),
    "worms": (0.078, 0.061, Pattern.LABYRINTH),
    "holes": (0.039, 0.058, Pattern.HOLES),
    "chaos": (0.026, 0.051, Pattern.CHAOS),
    "moving spots": (0.014, 0.054, Pattern.CHAOS),
    "red state": (0.020, 0.070, Pattern.HOMOGENEOUS),
    "blue state": (0.060, 0.050, Pattern.HOMOGENEOUS),
}


def pearson(name, n, seed, end):
    """Records of v every 50 in the last 3200 units of time; worms need a start that is stronger than Pearson's."""
    F, k, _ = CLASSES[name]
    grid = ds.Grid((n, n), (2.5 * n / 256, 2.5 * n / 256))
    strong = {"patch": (0.5, 0.5), "count": 8 * n**2 // 128**2, "noise": 0.1} if name == "worms" else {}
    y0 = ds.initial.patches(grid, key=ds.key(seed), **strong)
    law = ds.models.GrayScott(F=F, k=k).on(grid, ds.Periodic())
    save = ds.SaveAt(ts=np.arange(end - 3150.0, end + 1, 50.0), fn=lambda t, y: y[1])
    return grid, ds.solve(law, y0, (0, end), dt=1.0, stepper=ds.Euler(), save=save).y


@pytest.mark.parametrize("name", ["labyrinth", "spots", "worms", "holes", "chaos", "moving spots", "red state"])
def test_pearson_on_half_the_square(name):
    end = 30_000 if name == "worms" else 15_000
    verdict = recognise(*pearson(name, 128, 4711, end))
    assert verdict.pattern is CLASSES[name][2], verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_pearson_full_size(name):
    end = 30_000 if name == "worms" else 20_000
    grid, v = pearson(name, 256, 1993, end)
    verdict = recognise(grid, v)
    assert verdict.pattern is CLASSES[name][2], verdict
    if verdict.pattern is Pattern.SPOTS:  # as many as a hexagon lattice of that wavelength has
        last = tf.cast(v[-1], tf.float64).numpy()
        lattice = np.sqrt(3) / 2 * np.prod(grid.size) / (2.5 * verdict.features.wavelength) ** 2
        assert count(grid, last, 0.15).spots == pytest.approx(lattice, rel=0.15)


LETTERS = {  # of Pearson's figure 3, one pair (F, k) inside the region of each
    "α": (0.010, 0.047, Pattern.CHAOS),
    "β": (0.026, 0.051, Pattern.CHAOS),
    "γ": (0.026, 0.055, Pattern.LABYRINTH),
    "δ": (0.042, 0.059, Pattern.HOLES),
    "ε": (0.018, 0.055, Pattern.CHAOS),
    "ζ": (0.026, 0.059, Pattern.SPOTS),
    "η": (0.034, 0.063, Pattern.SPOTS),
    "θ": (0.038, 0.061, Pattern.LABYRINTH),
    "ι": (0.046, 0.0594, Pattern.HOLES),
    "κ": (0.050, 0.063, Pattern.LABYRINTH),
    "λ": (0.034, 0.065, Pattern.SPOTS),
    "μ": (0.058, 0.065, Pattern.LABYRINTH),
}


@pytest.mark.slow
def test_pearsons_letters_have_the_names_that_the_documentation_gives():
    n, end = 128, 30_000
    F, k = (np.array([c[i] for c in LETTERS.values()], np.float32)[:, None, None] for i in (0, 1))
    grid = ds.Grid((n, n), 2.5 * n / 256)
    start = ds.initial.patches(grid, patch=(0.5, 0.5), count=8, noise=0.1, key=ds.key(5))
    y0 = tuple(tf.repeat(a[None], len(LETTERS), 0) for a in start)
    save = ds.SaveAt(ts=np.arange(end - 3150.0, end + 1, 50.0), fn=lambda t, y: y[1])
    v = ds.solve(ds.models.GrayScott(F, k).on(grid, ds.Periodic()), y0, (0, end), dt=1.0, stepper=ds.Euler(), save=save).y
    seen = {name: recognise(grid, v[:, i]).pattern for i, name in enumerate(LETTERS)}
    assert seen == {name: c[2] for name, c in LETTERS.items()}
    worms = count(grid, v[-1, -1].numpy(), 0.15)
    assert worms.stripes > 10 and worms.in_stripes > 5 * worms.in_spots
