"""Initial states on a grid: averages over its cells, so that the mass is what was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from diffsim import _checks, random
from diffsim._checks import Verbatim, refuse
from diffsim._types import Key, Tensor
from diffsim.geometry import Shape
from diffsim.grid import Grid, RadialGrid, on_axis


def uniform(grid: Grid, value: float, dtype=tf.float32) -> Tensor:
    """u = value in every cell.

    Args:
        grid: a grid.
        value: any finite number.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape`.
    """
    _checks.instance("grid", grid, Grid, why="a state lives on it", way_out="Pass ds.Grid(…).")
    value = _checks.number("value", value, why="a state starts from finite values")
    return _state(grid, np.full(grid.shape, value), dtype)


def gaussian(grid: Grid, center, width, mass: float = 1.0, dtype=tf.float32) -> Tensor:
    """uⱼ = (M/Vⱼ) ∫ⱼ ∏ᵢ exp(−(xᵢ − cᵢ)²/2σᵢ²)/√(2π σᵢ²) dV: averages over the cells, however narrow the peak.

    Args:
        grid: a grid; on a radial one the peak sits at r = 0 and is as wide in all directions.
        center: c, a number or one for each axis [length].
        width: σ > 0, a number or one for each axis [length].
        mass: M, the integral over all space; tails beyond the walls are cut off.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape` [mass/volume].

    Raises:
        ValueError: a width is not positive, or a radial grid's peak is off centre.
    """
    center = _per_axis(grid, "center", center)
    width = _per_axis(grid, "width", width, above=0.0)
    mass = _checks.number("mass", mass, why="it multiplies the state")
    if isinstance(grid, RadialGrid):
        if center != (0.0,):
            refuse("center", center[0], "0", "off centre the state would depend on more than r", "Use Grid.")
        parts = [_radial_masses(grid.axes[0].faces / width[0], grid.dimension)]
    else:
        parts = [_normal_masses((a.faces - c) / w) for a, c, w in zip(grid.axes, center, width, strict=True)]
    if mass and not all(np.any(p) for p in parts):
        refuse("center", center, "a peak that reaches into the grid", "the state would be zero everywhere",
               f"The grid is {' × '.join(f'[{a.faces[0]:g}, {a.faces[-1]:g}]' for a in grid.axes)}.")
    return _state(grid, mass * _product(grid, parts) / grid.volume(), dtype)


def point(grid: Grid, where, mass: float = 1.0, dtype=tf.float32) -> Tensor:
    """u = M δ(x − x₀): all mass M in the cell that holds x₀.

    Args:
        grid: a grid.
        where: x₀ inside the grid, a number or one for each axis [length]; on a face the upper cell takes it.
        mass: M, the exact integral of the state.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape` [mass/volume].

    Raises:
        ValueError: the position lies outside the grid.
    """
    where = _per_axis(grid, "where", where)
    mass = _checks.number("mass", mass, why="it is the integral of the state")
    cell = []
    for x, axis in zip(where, grid.axes, strict=True):
        if not axis.faces[0] <= x <= axis.faces[-1]:
            refuse("where", x, f"a position in [{axis.faces[0]:g}, {axis.faces[-1]:g}] along {axis.name}",
                   "the point must lie in a cell", "Move the point or enlarge the grid.")
        cell.append(min(int(np.searchsorted(axis.faces, x, side="right")) - 1, len(axis.centers) - 1))
    u = np.zeros(grid.shape)
    u[tuple(cell)] = mass / np.broadcast_to(grid.volume(), grid.shape)[tuple(cell)]
    return _state(grid, u, dtype)


def cosine(grid: Grid, modes, amplitude: float = 1.0, mean: float = 0.0, dtype=tf.float32) -> Tensor:
    """u = ū + A ∏ᵢ cos(π mᵢ (xᵢ − oᵢ)/Lᵢ): mᵢ half waves along each axis, at the cell centres.

    It decays at a single rate: an eigenfunction of the Laplacian with closed walls, of the discrete one too;
    with periodic walls for even mᵢ.

    Args:
        grid: a Cartesian grid.
        modes: m ≥ 0, an integer (on one axis) or one for each axis; 0 leaves the axis constant.
        amplitude: A.
        mean: ū, the value about which the wave swings.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape`.
    """
    _cartesian(grid, "Bessel functions take the place of cosines there")
    modes = (modes,) if np.ndim(modes) == 0 else tuple(modes)
    if len(modes) != grid.ndim:
        refuse("modes", modes, f"{grid.ndim} integers", f"the grid has {grid.ndim} axes",
               "Use 0 for a constant axis.")
    modes = [_checks.integer("modes", m, least=0, why="modes are counted in half waves") for m in modes]
    amplitude = _checks.number("amplitude", amplitude, why="it multiplies the wave")
    mean = _checks.number("mean", mean, why="it is added to the wave")
    waves = [np.cos(math.pi * m * (np.arange(n) + 0.5) / n) for m, n in zip(modes, grid.shape, strict=True)]
    return _state(grid, mean + amplitude * _product(grid, waves), dtype)


def step(grid: Grid, axis: int, at: float, left: float = 1.0, right: float = 0.0,
         dtype=tf.float32) -> Tensor:
    """u = left for x < at, right beyond; a cell that is cut gets the average of both.

    Args:
        grid: a grid.
        axis: the axis along which u changes.
        at: the position of the step [length]; it may lie outside the grid.
        left: u below.
        right: u above.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape`.
    """
    axis = _checks.integer("axis", axis, least=0, why="axes are counted from 0")
    if axis >= grid.ndim:
        refuse("axis", axis, f"an axis below {grid.ndim}", f"the grid has {grid.ndim} axes",
               "Count axes from 0.")
    at = _checks.number("at", at, why="it is a position")
    left = _checks.number("left", left, why="it is a value of the state")
    right = _checks.number("right", right, why="it is a value of the state")
    faces = grid.axes[axis].faces
    power = _power(grid)
    below = np.clip(at, faces[:-1], faces[1:]) ** power - faces[:-1] ** power
    part = on_axis(below / np.diff(faces**power), axis, grid.ndim)
    return _state(grid, left * part + right * (1.0 - part), dtype)


def region(grid: Grid, shape: Shape, inside: float = 1.0, outside: float = 0.0, *, smooth: bool = True,
           dtype=tf.float32) -> Tensor:
    """u = inside·φ + outside·(1 − φ), φ the part of a cell that lies in the shape.

    Args:
        grid: a Cartesian grid.
        shape: the region.
        inside: u in it.
        outside: u elsewhere.
        smooth: φ to second order; if False, φ is 1 where the cell's centre is inside and 0 elsewhere.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape`.
    """
    _cartesian(grid, "shapes live in Cartesian coordinates")
    _checks.instance("shape", shape, Shape, why="the state follows its distance",
                     way_out="Pass ds.Ball or another.")
    inside = _checks.number("inside", inside, why="it is a value of the state")
    outside = _checks.number("outside", outside, why="it is a value of the state")
    x = np.stack(np.broadcast_arrays(*grid.coordinates(tf.float64)), axis=-1)
    part = (shape.fraction(x, grid.dx) if smooth else shape.contains(x)).numpy().astype(np.float64)
    return _state(grid, inside * part + outside * (1.0 - part), dtype)


def noise(grid: Grid, mean: float, amplitude: float, key: Key, *, batch: Sequence[int] = (),
          dtype=tf.float32) -> Tensor:
    """u = ū + A Z, Z ∼ N(0, 1) in every cell, independent.

    Args:
        grid: a grid.
        mean: ū.
        amplitude: A ≥ 0, the standard deviation of each cell, whatever its volume.
        key: a key of `diffsim.random`.
        batch: leading axes of an ensemble.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape (*batch, *grid.shape).
    """
    mean = _checks.number("mean", mean, why="it is added to the noise")
    amplitude = _checks.number("amplitude", amplitude, least=0.0, why="it is a standard deviation")
    return mean + amplitude * random.normal(key, (*batch, *grid.shape), _real(dtype))


def patches(grid: Grid, background: Sequence[float] = (1.0, 0.0), patch: Sequence[float] = (0.5, 0.25),
            key: Key | None = None, *, size=20, count: int = 1, noise: float = 0.01,
            dtype=tf.float32) -> tuple[Tensor, ...]:
    """uₛ = [backgroundₛ or patchₛ]·(1 + ε U), U ∼ U[−1, 1): squares of another mixture, with relative noise.

    One square sits in the middle of the grid, several are placed at random and may overlap. The default is
    the start of Pearson's Gray–Scott patterns.

    Args:
        grid: a Cartesian grid.
        background: values outside the squares, one for each species.
        patch: values inside, one for each species.
        key: a key of `diffsim.random`; not needed for one square without noise.
        size: edges of a square, an integer or one for each axis [cells].
        count: number of squares.
        noise: ε ≥ 0, relative.
        dtype: tf.float32 or tf.float64.

    Returns:
        One state of shape `grid.shape` for each species.

    Raises:
        ValueError: the mixtures have unequal numbers of species, a square does not fit, or no key.

    Source: J. E. Pearson, Science 261, 189 (1993), doi:10.1126/science.261.5118.189.
    """
    _cartesian(grid, "there are no squares on a radial grid")
    background, patch = _mixture("background", background), _mixture("patch", patch)
    if len(background) != len(patch):
        refuse("patch", patch, f"{len(background)} values", "the background has as many species",
               "Give one for each.")
    size = (size,) * grid.ndim if np.ndim(size) == 0 else tuple(size)
    size = tuple(_checks.integer("size", s, least=1, why="squares consist of cells") for s in size)
    if len(size) != grid.ndim or any(s > n for s, n in zip(size, grid.shape, strict=False)):
        refuse("size", size, f"{grid.ndim} numbers of cells within {grid.shape}",
               "a square must fit into the grid", "Pass size=, in cells.")
    count = _checks.integer("count", count, least=0, why="squares are counted")
    noise = _checks.number("noise", noise, least=0.0, why="it is a relative amplitude")
    if key is None and (noise > 0 or count > 1):
        refuse("key", None, "a key", "noise and places are random",
               "Pass key=diffsim.key(0), or noise=0 and count=1.")
    inside = np.zeros(grid.shape, bool)
    for corner in _corners(grid, size, count, key):
        inside[tuple(slice(c, c + s) for c, s in zip(corner, size, strict=True))] = True
    species = [_state(grid, np.where(inside, p, b), dtype) for b, p in zip(background, patch, strict=True)]
    if noise > 0:
        keys = random.split(random.fold_in(key, 1), len(species))
        species = [u * (1.0 + noise * (2.0 * random.uniform(k, grid.shape, u.dtype) - 1.0))
                   for u, k in zip(species, keys, strict=True)]
    return tuple(species)


def from_array(grid: Grid, array, dtype=tf.float32) -> Tensor:
    """uⱼ = (1/Vⱼ) ∫ⱼ a dV: an array of pixels that fill the grid's box, averaged over its cells.

    The mean stays, up and down in resolution; coarse pixels become flat patches, nothing interpolated.

    Args:
        grid: a grid.
        array: a, numbers, one axis for each axis of the grid; axis i is the coordinate xᵢ, not flipped.
        dtype: tf.float32 or tf.float64.

    Returns:
        The state, shape `grid.shape`.

    Raises:
        ValueError: the array has another number of axes, or is not finite.
    """
    a = np.asarray(array)
    a = a.astype(np.float64) if a.dtype.kind == "b" else a
    if a.ndim != grid.ndim or 0 in a.shape:
        refuse("array", a, f"an array with {grid.ndim} axes", f"the grid has {grid.ndim} axes",
               "Average colours, or choose one channel.")
    _checks.finite("array", a, why="a state starts from finite values")
    power, u = _power(grid), a.astype(np.float64)
    for i, axis in enumerate(grid.axes):
        pixels = np.linspace(axis.faces[0], axis.faces[-1], a.shape[i] + 1)
        high = np.minimum(axis.faces[1:, None], pixels[1:])
        low = np.minimum(np.maximum(axis.faces[:-1, None], pixels[:-1]), high)
        share = (high**power - low**power) / np.diff(axis.faces**power)[:, None]
        u = np.moveaxis(np.tensordot(share, u, axes=(1, i)), 0, i)
    return _state(grid, u, dtype)


def _real(dtype) -> tf.DType:
    dtype = tf.as_dtype(np.float64 if dtype is float else dtype)  # Python's own float has that precision
    if not dtype.is_floating:
        refuse("dtype", Verbatim(dtype.name), "a floating-point type", "states are real numbers",
               "Pass tf.float64.", TypeError)
    return dtype


def _state(grid, u, dtype) -> Tensor:
    return tf.constant(np.broadcast_to(u, grid.shape), _real(dtype))


def _product(grid, parts):
    return math.prod(on_axis(p, i, grid.ndim) for i, p in enumerate(parts))


def _power(grid) -> int:
    """Volumes between coordinates a and b are proportional to bᵖ − aᵖ."""
    return grid.dimension if isinstance(grid, RadialGrid) else 1


def _cartesian(grid, why):
    if isinstance(grid, RadialGrid):
        refuse("grid", grid, "a Cartesian grid", why, "Use Grid.")


def _per_axis(grid, what, value, **limits) -> tuple[float, ...]:
    _checks.instance("grid", grid, Grid, why="a state lives on it", way_out="Pass ds.Grid(…).")
    values = (value,) * grid.ndim if np.ndim(value) == 0 else tuple(np.asarray(value).tolist())
    if len(values) != grid.ndim:
        refuse(what, value, f"one number or {grid.ndim}", f"the grid has {grid.ndim} axes",
               "Give one for each axis.")
    return tuple(_checks.number(what, v, why="it is a length", **limits) for v in values)


def _mixture(what, values) -> tuple[float, ...]:
    if np.ndim(values) != 1 or len(values) == 0:
        refuse(what, values, "a tuple of values", "there is one for each species",
               "For one species write (1.0,).")
    return tuple(_checks.number(what, v, why="it is a value of the state") for v in values)


def _normal_masses(z):
    """Φ(z₊) − Φ(z₋) between neighbouring faces, without cancellation in the tails."""
    upper = np.where(z[:-1] + z[1:] > 0, -1.0, 1.0)  # beyond the peak, mirror
    cdf = np.vectorize(lambda t: 0.5 * math.erfc(-t / math.sqrt(2.0)))
    return np.abs(cdf(upper * z[1:]) - cdf(upper * z[:-1]))


def _radial_masses(z, dimension):
    """The mass of an isotropic normal law between neighbouring radii z, in two or three dimensions."""
    beyond = np.exp(-0.5 * z**2)
    if dimension == 3:
        beyond = np.vectorize(math.erfc)(z / math.sqrt(2.0)) + math.sqrt(2.0 / math.pi) * z * beyond
    return -np.diff(beyond)


def _corners(grid, size, count, key):
    """The lower corners of the squares, in cells."""
    room = np.subtract(grid.shape, size)
    if count == 1:
        return [tuple(room // 2)]
    if count == 0:
        return []
    where = random.uniform(random.fold_in(key, 0), (count, grid.ndim), tf.float64).numpy()
    return [tuple(c) for c in np.floor(where * (room + 1)).astype(int)]
