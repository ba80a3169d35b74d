"""Ghost cells: one layer of neighbours around a state, filled from its walls."""

from __future__ import annotations

import tensorflow as tf


def edge(u: tf.Tensor, axis: int, upper: bool, ndim: int) -> tf.Tensor:
    """The layer of cells next to the lower or upper end of grid axis `axis`."""
    return cut(u, axis, -1 if upper else 0, 1, ndim)


def cut(u: tf.Tensor, axis: int, start: int, count: int | None, ndim: int) -> tf.Tensor:
    """u[start : start + count] along grid axis `axis`; negative `start` counts from the end."""
    stop = None if count is None or start + count == 0 else start + count
    return u[(..., slice(start, stop)) + (slice(None),) * (ndim - 1 - axis)]


def inner(p: tf.Tensor, offset: tuple[int, ...]) -> tf.Tensor:
    """The interior of an array padded by one cell along every axis, shifted by `offset` ∈ {−1, 0, 1}ⁿ."""
    return p[(..., *(slice(1 + o, -1 + o or None) for o in offset))]


def pad(u: tf.Tensor, ghosts, ndim: int) -> tf.Tensor:
    """`u` with one ghost layer at both ends of each axis.

    Args:
        u: (…, *grid).
        ghosts: for each axis None if it is periodic, else a function (edge layer, upper, done) → ghost layer, `done`
            being the axes padded before, along which the layer is longer by two.
        ndim: number of grid axes.
    """
    done: tuple[int, ...] = ()
    for axis in range(ndim):
        low, high = edge(u, axis, False, ndim), edge(u, axis, True, ndim)
        if ghosts[axis] is None:
            low, high = high, low
        else:
            low, high = ghosts[axis](low, False, done), ghosts[axis](high, True, done)
        u = tf.concat([low, u, high], axis=axis - ndim)
        done += (axis,)
    return u


def grow(value: tf.Tensor, axes: tuple[int, ...], ndim: int) -> tf.Tensor:
    """A face array with one entry more at both ends of `axes`, to match a layer padded along them.

    The entries are corners that no five- or seven-point stencil reads; they repeat the nearest value.
    """
    for axis in axes:
        if value.shape.rank >= ndim and value.shape[axis - ndim] != 1:
            value = tf.concat([edge(value, axis, False, ndim), value, edge(value, axis, True, ndim)], axis - ndim)
    return value
