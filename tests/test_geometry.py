"""Shapes: exact distances, unit gradients, the laws of the algebra, volumes, invariance, refusals."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim import _tree
from diffsim.geometry import Ball, Box, Cylinder, Ellipsoid, HalfSpace, Polygon, Shape, from_image

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
ARROW = ((0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (2.0, 1.0), (0.0, 3.0))  # a notch makes it concave
SOLIDS = {
    "disc": Ball((0.3, -0.2), 1.5),
    "ball": Ball((0.3, -0.2, 0.5), 1.5),
    "box": Box((-1.0, -2.0, -0.5), (1.5, 0.5, 2.0)),
    "slab": Box((-1.0, -np.inf), (1.5, np.inf)),
    "half-space": HalfSpace((0.1, 0.2), (3.0, -4.0)),
    "cylinder": Cylinder((0.1, 0.2, 0.3), (1.0, 2.0, -2.0), 0.8, 2.5),
    "tube": Cylinder((0.1, 0.2, 0.3), (1.0, 2.0, -2.0), 0.8),
    "ellipse": Ellipsoid((0.1, -0.3), (2.0, 0.5)),
    "ellipsoid": Ellipsoid(0.2, (0.5, 2.0, 1.0)),
    "polygon": Polygon(ARROW),
    "placed": Box((-1.0, -2.0, -0.5), 1.5).scaled(0.7, about=1.0).rotated(TURN).moved((0.1, 0.2, 0.3)),
}
every_solid = pytest.mark.parametrize("shape", SOLIDS.values(), ids=SOLIDS.keys())


def points(shape: Shape, n=4000, spread=3.0, seed=1, dtype=np.float64):
    return np.random.default_rng(seed).uniform(-spread, spread, (n, shape.ndim or 2)).astype(dtype)


def gradient(shape, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        d = shape.distance(x)
    return d.numpy(), tape.gradient(d, x).numpy()


def cells(n, size, ndim, origin=0.0):
    c = origin + (np.arange(n) + 0.5) * size / n
    return np.stack(np.meshgrid(*[c] * ndim, indexing="ij"), axis=-1)


@every_solid
def test_the_gradient_of_a_distance_is_a_unit_vector(shape):
    _, g = gradient(shape, points(shape))
    np.testing.assert_allclose(np.linalg.norm(g, axis=-1), 1.0, atol=1e-9)
    np.testing.assert_allclose(shape.normal(points(shape)), g, atol=1e-9)


@every_solid
def test_the_perpendicular_ends_on_the_surface_and_no_step_shorter_than_d_crosses_it(shape):
    x = points(shape)
    d = shape.distance(x).numpy()
    foot = x - d[:, None] * shape.normal(x).numpy()
    np.testing.assert_allclose(shape.distance(foot), 0.0, atol=1e-9)
    step = np.random.default_rng(2).normal(size=(20, *x.shape))
    step /= np.linalg.norm(step, axis=-1, keepdims=True)
    there = shape.contains(x + 0.999 * np.abs(d)[:, None] * step).numpy()
    assert np.all(there == (d < 0))


@every_solid
def test_bounds_hold_the_region_and_are_tight(shape):
    lower, upper = shape.bounds()
    inside = points(shape, n=200_000)[shape.contains(points(shape, n=200_000)).numpy()]
    assert np.all(inside >= lower) and np.all(inside <= upper)
    if shape is not SOLIDS["placed"]:  # a turned box of a turned box is only a bound
        finite = np.isfinite(lower) & (lower > -3.0)
        assert np.all((inside.min(axis=0) - lower)[finite] < 0.15)


@every_solid
def test_single_and_double_precision_agree_and_follow_the_input(shape):
    x = points(shape, dtype=np.float32)
    single, double = shape.distance(x), shape.distance(x.astype(np.float64))
    assert single.dtype == tf.float32 and double.dtype == tf.float64
    np.testing.assert_allclose(single, double, atol=5e-6)


def test_distances_known_by_hand():
    assert Ball(0.0, 5.0).distance([3.0, 4.0, 12.0]).numpy() == 8.0
    box = Box(0.0, (2.0, 4.0))
    np.testing.assert_array_equal(box.distance(np.array([[5.0, 8.0], [1.0, 1.5], [1.75, 2.0], [1.0, 4.0]])),
                                  [5.0, -1.0, -0.25, 0.0])
    x = [[7.0, 3.0], [7.0, 0.0]]
    np.testing.assert_allclose(HalfSpace((0.0, 1.0), (0.0, 3.0)).distance(x), [2.0, -1.0])
    x = [[4.0, 0.0, 6.0], [0.0, 0.5, 0.5], [0.0, 0.0, -1.75]]
    np.testing.assert_allclose(Cylinder(0.0, (0.0, 0.0, 2.0), 1.0, 4.0).distance(x), [5.0, -0.5, -0.25])
    # beside the notch of the arrow, beyond its sharp tip, and below its base
    x = [[2.0, 2.0], [4.0, 4.0], [2.0, -1.0], [2.0, 0.25]]
    np.testing.assert_allclose(Polygon(ARROW).distance(x), [0.5**0.5, 1.0, 1.0, -0.25], rtol=1e-6)


def test_the_distance_to_an_ellipse_matches_a_search_over_its_boundary():
    shape, x = SOLIDS["ellipse"], points(SOLIDS["ellipse"], n=300)
    phi = np.linspace(0.0, 2 * np.pi, 20_001)
    rim = np.stack([0.1 + 2.0 * np.cos(phi), -0.3 + 0.5 * np.sin(phi)], axis=-1)
    nearest = np.linalg.norm(x[:, None] - rim, axis=-1).min(axis=1)  # from above, by at most spacing²/8d
    sign = np.where(((x - (0.1, -0.3)) ** 2 / (4.0, 0.25)).sum(axis=-1) < 1, -1, 1)
    np.testing.assert_allclose(shape.distance(x), sign * nearest, atol=2e-4)


@pytest.mark.parametrize("radii", [(1.0, 1.0), (1000.0, 1.0), (1.0, 1e-3, 1.0), (5.0, 1.0, 1.0, 2.0)])
def test_the_ellipsoid_converges_at_any_aspect_ratio_inside_and_outside(radii):
    shape, rng = Ellipsoid(0.0, radii), np.random.default_rng(5)
    x = rng.normal(size=(20_000, len(radii))) * radii * 10.0 ** rng.uniform(-2, 1, (20_000, 1))
    foot = x - shape.distance(x).numpy()[:, None] * shape.normal(x).numpy()
    np.testing.assert_allclose(((foot / radii) ** 2).sum(axis=-1), 1.0, atol=1e-9)


def test_the_laplacian_of_the_distance_to_an_ellipse_is_the_curvature_of_its_rim():
    a, b = 2.0, 0.5
    phi = np.linspace(0.1, 1.4, 7)
    rim = tf.constant(np.stack([a * np.cos(phi), b * np.sin(phi)], axis=-1))
    with tf.GradientTape() as tape:
        tape.watch(rim)
        n = Ellipsoid(0.0, (a, b)).normal(rim)
    laplacian = np.trace(tape.batch_jacobian(n, rim).numpy(), axis1=1, axis2=2)
    exact = a * b / (a**2 * np.sin(phi) ** 2 + b**2 * np.cos(phi) ** 2) ** 1.5
    np.testing.assert_allclose(laplacian, exact, rtol=1e-9)


@pytest.mark.parametrize("shape", [
    Ball(0.0, 1.0), Box(-1.0, (1.0, 1.0)), Ellipsoid(0.0, (1.0, 1.0)), Ellipsoid(0.0, (2.0, 1.0)),
    Cylinder(0.0, (1.0, 0.0), 1.0), Polygon(ARROW), Ball(0.0, 2.0) - Ball(0.0, 1.0),
])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_gradient_is_nan_at_centres_corners_and_surfaces(shape, dtype):
    x = np.array([[0, 0], [1, 1], [1, 0], [0, 1], [-1, -1], [4, 0], [2, 1], [2, 0], [1e-30, 0]], dtype)
    d, g = gradient(shape, x)
    assert np.isfinite(d).all() and np.isfinite(g).all() and np.isfinite(shape.normal(x)).all()
    lengths = np.linalg.norm(shape.normal(x), axis=-1)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-6))


def test_the_polygon_runs_either_way_round_and_equals_a_box():
    x = points(SOLIDS["polygon"])
    corners = ((-1.0, -2.0), (1.5, -2.0), (1.5, 0.5), (-1.0, 0.5))
    exact = Box((-1.0, -2.0), (1.5, 0.5)).distance(x)
    np.testing.assert_allclose(Polygon(corners).distance(x), exact, atol=1e-12)
    np.testing.assert_allclose(Polygon(corners[::-1]).distance(x), exact, atol=1e-12)


def test_the_algebra_obeys_de_morgan_and_the_laws_of_sets():
    a, b, c = SOLIDS["disc"], SOLIDS["polygon"], SOLIDS["ellipse"]
    x = points(a)

    def same(left, right):
        np.testing.assert_array_equal(left.distance(x), right.distance(x))

    same(~(a | b), ~a & ~b)
    same(~(a & b), ~a | ~b)
    same(a - b, a & ~b)
    same(~~a, a)
    same(a & (b | c), (a & b) | (a & c))
    same(a | (a & b), a)
    assert not np.array_equal((a - b).distance(x), (b - a).distance(x))


def test_an_annulus_is_exact_everywhere_and_a_union_is_only_a_bound_inside():
    x = points(SOLIDS["disc"])
    r = np.linalg.norm(x, axis=-1)
    annulus = Ball(0.0, 2.0) - Ball(0.0, 1.0)
    np.testing.assert_allclose(annulus.distance(x), np.maximum(r - 2.0, 1.0 - r), atol=1e-12)
    halves = Box((-1.0, -1.0), (0.0, 1.0)) | Box((0.0, -1.0), (1.0, 1.0))
    whole = Box((-1.0, -1.0), (1.0, 1.0))
    d, exact = halves.distance(x).numpy(), whole.distance(x).numpy()
    np.testing.assert_allclose(d[exact > 0], exact[exact > 0], atol=1e-12)
    assert np.all(np.abs(d) <= np.abs(exact) + 1e-12) and np.any(np.abs(d) < np.abs(exact) - 0.5)


def test_moving_turning_and_scaling_carry_the_distance_along():
    shape, x = SOLIDS["ellipsoid"], points(SOLIDS["ellipsoid"])
    d = shape.distance(x).numpy()
    np.testing.assert_allclose(shape.moved((1.0, 2.0, 3.0)).distance(x + (1.0, 2.0, 3.0)), d, atol=1e-12)
    np.testing.assert_allclose(shape.rotated(TURN).distance(x @ TURN.T), d, atol=1e-12)
    np.testing.assert_allclose(shape.scaled(2.5).distance(2.5 * x), 2.5 * d, atol=1e-11)
    ball = Ball(0.0, 2.0)
    np.testing.assert_allclose(ball.rotated(TURN).distance(x), ball.distance(x), atol=1e-12)
    quarter, x = Box(0.0, (2.0, 1.0)).rotated(np.pi / 2, about=(1.0, 1.0)), x[:, :2]
    np.testing.assert_allclose(quarter.bounds(), ((1.0, 0.0), (2.0, 2.0)), atol=1e-12)
    np.testing.assert_allclose(quarter.distance(x), Box((1.0, 0.0), 2.0).distance(x), atol=1e-12)


@pytest.mark.parametrize(("shape", "volume"), [
    (Ball(1.0, 0.7), np.pi * 0.7**2),
    (Ellipsoid((1.0, 1.1), (0.8, 0.4)), np.pi * 0.32),
    (Box((0.3, 0.4), (1.7, 1.5)).rotated(0.4, about=1.0), 1.54),
])
def test_fractions_add_up_to_the_volume_to_second_order(shape, volume):
    shifts = np.linspace(0.0, 1.0, 16, endpoint=False)  # the error averaged over positions of the grid

    def error(n):
        h = 2.0 / n
        sums = [shape.moved((s * h, 0.7 * s * h)).fraction(cells(n, 2.0, 2), h).numpy().sum() for s in shifts]
        return np.sqrt(np.mean((np.array(sums) * h**2 / volume - 1) ** 2))

    errors = [error(n) for n in (20, 40, 80)]
    assert np.log2(errors[0] / errors[2]) / 2 > 1.7 and errors[2] < 1e-3


def test_the_fraction_of_an_aligned_box_is_exact():
    x = cells(10, 1.0, 3)
    fraction = Box((0.23, 0.1, 0.0), (0.9, 0.8, 1.0)).fraction(x, 0.1).numpy()
    np.testing.assert_allclose(fraction[2, 1:8, 1:-1], 0.7)
    assert fraction[1].max() == 0.0


def test_compiled_equals_eager_and_parameters_enter_as_data():
    traces = []

    @tf.function(jit_compile=True)
    def compiled(x, leaves):
        traces.append(1)
        shape = _tree.unflatten(structure, leaves)
        return shape.distance(x), shape.normal(x)

    for size in (1.0, 1.3):
        shape = Box(-size, (1.0, 1.5, size)).rotated(TURN) | Ball((1.0, 0.0, 0.0), size)
        shape -= Ellipsoid(0.0, (0.5, 0.2, size))
        shape &= Cylinder(0.0, (0.0, 0.6, 0.8), 2.0 * size, 5.0)
        shape |= from_image(np.eye(8)[:, :, None] * np.ones(8), size)
        leaves, structure = _tree.flatten(shape)
        x = points(shape)
        d, n = compiled(x, _tree.as_tensors(leaves, tf.float64))
        np.testing.assert_allclose(d, shape.distance(x), atol=1e-12)
        np.testing.assert_allclose(n, shape.normal(x), atol=1e-9)
    assert len(traces) == 1


def test_gradients_reach_the_parameters_of_a_shape():
    center, radius = tf.Variable([0.5, 0.0], dtype=tf.float64), tf.Variable(1.5, dtype=tf.float64)
    with tf.GradientTape() as tape:
        d = Ball(center, radius).moved((1.0, 0.0)).distance(np.array([4.5, 4.0]))
    by_center, by_radius = tape.gradient(d, [center, radius])
    np.testing.assert_allclose(by_center, [-0.6, -0.8])
    assert by_radius == -1.0


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_contour_of_a_smooth_image_converges_to_second_order(ndim):
    shape = Ellipsoid(1.0, (0.7, 0.5, 0.6)[:ndim])
    x = np.random.default_rng(4).uniform(0.1, 1.9, (3000, ndim))
    exact = shape.distance(x).numpy()
    x, exact = x[exact > -0.2], exact[exact > -0.2]  # away from the ridge inside

    def error(n):
        image = from_image(-np.tanh(shape.distance(cells(n, 2.0, ndim)).numpy() / 0.3), 2.0, level=0.0)
        return np.abs(image.distance(x).numpy() - exact).mean()

    assert np.log2(error(16) / error(32)) > 1.6


def test_a_mask_and_an_antialiased_image_know_the_contour_to_half_and_a_tenth_of_a_pixel():
    shape, x = Ball((1.0, 0.9), 0.6), np.random.default_rng(4).uniform(0.0, 2.0, (3000, 2))
    h, exact = 2.0 / 64, Ball((1.0, 0.9), 0.6).distance(x).numpy()
    centres, far = cells(64, 2.0, 2), exact > -0.4
    soft = from_image(shape.fraction(centres, h), 2.0).distance(x).numpy()
    hard = from_image(shape.contains(centres), (2.0, 2.0)).distance(x).numpy()
    assert np.abs(soft - exact)[far].max() < 0.15 * h
    assert np.abs(hard - exact)[far].max() < 0.8 * h and np.abs(hard - exact)[far].max() > 0.3 * h


def test_an_image_has_the_axes_of_its_array_and_ends_at_its_edge():
    mask = np.zeros((8, 4), bool)
    mask[:2, :] = True
    wall = from_image(mask, 4.0, origin=(1.0, 0.0))
    np.testing.assert_array_equal(wall.bounds(), ((1.0, 0.0), (5.0, 2.0)))
    x = np.array([[2.5, 1.0], [4.0, 1.0], [1.75, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(wall.distance(x), [0.5, 2.0, -0.25, 1.0])


@pytest.mark.parametrize(("make", "kind", "says"), [
    (lambda: Ball(0.0, -1.0), ValueError, "radius"),
    (lambda: Ball(0.0, (1.0, 2.0)), ValueError, "one number"),
    (lambda: Ball(np.nan, 1.0), ValueError, "finite"),
    (lambda: Ball("middle", 1.0), TypeError, "real numbers"),
    (lambda: Ball(0.0, 1.0, colour="red"), TypeError, "colour"),
    (lambda: Box((0.0, 1.0), (1.0, 1.0)), ValueError, "lower < upper"),
    (lambda: Box((0.0, 0.0), (1.0, 1.0, 1.0)), ValueError, "2 and 3"),
    (lambda: HalfSpace(0.0, (0.0, 0.0)), ValueError, "not zero"),
    (lambda: HalfSpace(0.0, 1.0), ValueError, "components"),
    (lambda: Cylinder(0.0, (0.0, 0.0, 1.0), 1.0, 0.0), ValueError, "length"),
    (lambda: Ellipsoid(0.0, 1.0), ValueError, "Use Ball"),
    (lambda: Polygon(((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))), ValueError, "cross"),
    (lambda: Polygon(((0.0, 0.0), (1.0, 1.0))), ValueError, "three corners"),
    (lambda: Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0))), ValueError, "length"),
    (lambda: Polygon(((0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 0.0), (0.0, 2.0))), ValueError, "touch"),
    (lambda: Ball((0.0, 0.0), 1.0) | Ball((0.0, 0.0, 0.0), 1.0), ValueError, "2 and 3"),
    (lambda: Ball(0.0, 1.0) | 3.0, TypeError, "unsupported"),
    (lambda: Ball(0.0, 1.0).rotated(((1.0, 0.0), (0.0, 2.0))), ValueError, "orthogonal"),
    (lambda: Ball((0.0, 0.0, 0.0), 1.0).rotated(0.3), ValueError, "2 and 3"),
    (lambda: Ball(0.0, 1.0).scaled(0.0), ValueError, "scale"),
    (lambda: Ball((0.0, 0.0), 1.0).distance([1.0, 2.0, 3.0]), ValueError, r"\(\.\.\., 2\)"),
    (lambda: Ball(0.0, 1.0).distance([1, 2]), TypeError, "Cast x"),
    (lambda: Ball(0.0, 1.0).fraction([[0.0, 0.0]], -0.1), ValueError, "dx"),
    (lambda: from_image(np.ones((4, 4)), 1.0), ValueError, "both sides"),
    (lambda: from_image(np.eye(4), (1.0, 1.0, 1.0)), ValueError, "3 axes"),
    (lambda: from_image(np.full((4, 4), np.inf), 1.0), ValueError, "finite"),
])
def test_bad_input_is_refused_with_a_way_out(make, kind, says):
    with pytest.raises(kind, match=says):
        make()


def test_shapes_are_values():
    assert Ball((0, 1), 2) == Ball((0.0, 1.0), 2.0) and hash(Ball(0, 1)) == hash(Ball(0.0, 1.0))
    assert (Ball(0.0, 1.0) - Box(0.0, 1.0)) == (Ball(0.0, 1.0) - Box(0.0, 1.0))
    with pytest.raises(AttributeError):
        Ball(0.0, 1.0).radius = 2.0


def test_a_single_point_is_enough():
    point = np.array([0.3, -0.2])
    for shape in (HalfSpace((0.1, 0.0), (-1.0, 0.5)), Ball((0.0, 0.0), 1.0) & HalfSpace((0.1, 0.0), (1.0, 0.0))):
        np.testing.assert_allclose(shape.distance(point), shape.distance(point[None])[0])
