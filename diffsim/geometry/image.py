"""A region drawn in an image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim._checks import refuse
from diffsim.geometry.shape import Shape, axes, corner, like, positive, vector


@dataclass(frozen=True, eq=False)
class ImageShape(Shape):
    """d(x): signed distances at the centres of pixels, multilinear between them; ends at the image's edge.

    Args:
        distances: d at the centres of the pixels; axis i of the array is the coordinate xᵢ, length.
        size: edges of the image, a vector (d,), length.
        origin: its lower corner, a vector (d,), length.
    """

    distances: np.ndarray = field(repr=False)
    size: tuple
    origin: tuple

    @property
    def ndim(self):
        return len(self.size)

    def _distance(self, x):
        lower, shape = like(self.origin, x), tuple(self.distances.shape)
        position = (x - lower) / like(self.size, x) * like(shape, x) - 0.5
        wall = corner(tf.maximum(lower - x, x - lower - like(self.size, x)))
        return tf.maximum(_multilinear(like(self.distances, x), position), wall)

    def bounds(self):
        return np.array(self.origin), np.add(self.origin, self.size)


def from_image(array, size, origin=0.0, level: float = 0.5) -> ImageShape:
    """S = {x : I(x) > level}: the bright part of an image, its contour found between the pixels.

    The contour crosses the line between two neighbouring pixels where the linear interpolant meets the level.
    Distances to it are exact up to second order in the size of a pixel where image and contour are smooth on
    that scale; a mask of 0 and 1 knows its contour only to half a pixel, and corners are blunt by as much.

    Args:
        array: I, boolean or numbers, shape (n₁, ..., n_d); axis i is the coordinate xᵢ, not flipped.
        size: edges of the image, a number (of the first axis; square pixels) or a vector (d,), length.
        origin: lower corner of the image, a number or a vector (d,), length.
        level: the value on the contour, in the units of I.

    Returns:
        A shape that is empty outside the image.

    Raises:
        ValueError: the image has no bright or no dark pixel, or is not finite.
    """
    image = np.asarray(array)
    if image.dtype == bool:
        image = image.astype(np.float64)
    if image.ndim == 0:
        refuse("array", image, "an array with one axis or more", "an image has pixels",
               "Pass the array of pixels.")
    _checks.finite("array", image, why="a contour runs between finite values")
    level = _checks.number("level", level, why="the contour is where the image crosses it")
    size, origin = positive("size", size, "an image has an extent"), vector("origin", origin)
    if axes(size) is None:
        size = tuple(size * n / image.shape[0] for n in image.shape)
    origin = tuple(np.broadcast_to(origin, len(size)).tolist()) if axes(origin) is None else origin
    if len(size) != image.ndim or len(origin) != image.ndim:
        refuse("array", image, f"an image with {len(size)} axes",
               "size and origin have one value for each axis of it",
               "Average colours first, and give one length for each axis.")
    phi = level - image.astype(np.float64)
    if not (phi < 0).any() or not (phi >= 0).any():
        refuse("array", image, f"values on both sides of level={level:g}", "otherwise there is no contour",
               f"Choose a level between {image.min():g} and {image.max():g}.")
    return ImageShape(_signed_distances(phi, np.divide(size, image.shape)), size, origin)


def _signed_distances(phi, dx):
    """Signed distances of all pixels to the contour φ = 0, covered with discs of half a pixel's diagonal.

    The discs that may be nearest to a pixel are those around the nearest pixel that the contour passes.
    """
    from scipy.ndimage import distance_transform_edt  # imported here, because diffsim starts without scipy
    from scipy.spatial import cKDTree

    point, normal, passed = _contour(phi, dx)
    nearest = distance_transform_edt(~passed, sampling=dx, return_distances=False, return_indices=True)
    rank = np.cumsum(passed).reshape(phi.shape)[tuple(nearest)] - 1
    several = range(1, 1 + min(4 * phi.ndim, len(point)))
    _, discs = cKDTree(point).query((np.argwhere(passed) + 0.5) * dx, several)
    pixel = np.moveaxis(np.indices(phi.shape) + 0.5, 0, -1) * dx
    distance, radius = np.inf, 0.5 * np.linalg.norm(dx)
    for disc in discs.T:
        offset, n = pixel - point[disc[rank]], normal[disc[rank]]
        across = np.sum(offset * n, axis=-1)
        beside = np.linalg.norm(offset - across[..., None] * n, axis=-1)
        distance = np.minimum(distance, np.hypot(across, np.maximum(beside - radius, 0.0)))
    return np.where(phi < 0, -distance, distance)


def _contour(phi, dx):
    """Where φ changes sign between neighbours: points, unit normals (of φ blurred), and those neighbours."""
    from scipy.ndimage import gaussian_filter

    gradient = np.stack([gaussian_filter(phi, 1.0, order=row, mode="nearest") / h
                         for row, h in zip(np.eye(phi.ndim, dtype=int), dx, strict=True)], axis=-1)
    points, normals, passed = [], [], np.zeros(phi.shape, bool)
    for i in range(phi.ndim):
        low, high = (np.take(phi, range(*s), axis=i) for s in ((phi.shape[i] - 1,), (1, phi.shape[i])))
        at = np.argwhere((low < 0) != (high < 0))
        a, b = low[tuple(at.T)], high[tuple(at.T)]
        t = a / (a - b)
        step = np.eye(phi.ndim, dtype=int)[i]
        passed[tuple(at.T)] = passed[tuple((at + step).T)] = True
        points.append((at + 0.5 + t[:, None] * step) * dx)
        n = (1 - t)[:, None] * gradient[tuple(at.T)] + t[:, None] * gradient[tuple((at + step).T)]
        normals.append(n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), np.finfo(float).tiny))
    return np.concatenate(points), np.concatenate(normals), passed


def _multilinear(values, position):
    """Interpolation at fractional indices (..., d), constant beyond the edges of the array."""
    last = tf.constant(tuple(values.shape), tf.int32) - 1
    position = tf.clip_by_value(position, -0.5, tf.cast(last, position.dtype) + 0.5)
    cell = tf.clip_by_value(tf.cast(tf.floor(position), tf.int32), 0, tf.maximum(last - 1, 0))
    t = position - tf.cast(cell, position.dtype)
    total = 0.0
    for bits in np.ndindex(*(2,) * len(values.shape)):
        weight = tf.reduce_prod(tf.where(np.array(bits, bool), t, 1.0 - t), axis=-1)
        total += weight * tf.gather_nd(values, tf.minimum(cell + tf.constant(bits), last))
    return total
