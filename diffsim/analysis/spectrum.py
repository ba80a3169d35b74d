"""Spectra of patterns: the structure factor and the wavelengths that it names, on periodic boxes."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim._tree import complex_of
from diffsim.analysis import _shells
from diffsim.grid import Grid


def power(grid: Grid, u):
    """S(k) = |∫(u − ū) e^{−ik·x} dV|²/V for every mode of the grid; Σ_k S/V is the variance of u.

    Args:
        grid: a box, taken as periodic.
        u: state, leading axes are kept.

    Returns:
        |k| (*grid) as float64 array [1 / length], and S (…, *grid) [u² × lengthⁿ].

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    if type(grid) is not Grid:
        _checks.refuse("grid", grid, "a box", "plane waves are no modes of a radial grid", "Use Grid.")
    u, d = tf.convert_to_tensor(u), grid.ndim
    grid.check("u", u.shape)
    u = u - tf.reduce_mean(u, list(range(-d, 0)), keepdims=True)
    modes = (tf.signal.fft, tf.signal.fft2d, tf.signal.fft3d)[d - 1](tf.cast(u, complex_of(u.dtype)))
    S = tf.cast(tf.abs(modes) ** 2, u.dtype.real_dtype) * (math.prod(grid.dx) / grid.cells)
    k = [2 * np.pi * np.fft.fftfreq(n, h) for n, h in zip(grid.shape, grid.dx, strict=True)]
    return np.sqrt(sum(ki**2 for ki in np.meshgrid(*k, indexing="ij"))), S


def structure_factor(grid: Grid, u):
    """S(k): the mean of `power` over shells of width 2π/L, L the longest edge.

    Args:
        grid: a box, taken as periodic.
        u: state, leading axes are kept.

    Returns:
        k (m,), the mean wavenumber of each shell without that of k = 0, as float64 array [1 / length];
        S (…, m) [u² × lengthⁿ].

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    k, S, count = _summed(grid, u)
    return k, S / tf.constant(count, S.dtype)


def mean_wavelength(grid: Grid, u):
    """2π/⟨k⟩, ⟨k⟩ = Σ k S/Σ S over all modes: a length that grows smoothly while patterns coarsen.

    Args:
        grid: a box, taken as periodic.
        u: state that is not uniform, leading axes are kept.

    Returns:
        (…) [length].
    """
    k, S = power(grid, u)
    over = list(range(-grid.ndim, 0))
    return 2 * math.pi * tf.reduce_sum(S, over) / tf.reduce_sum(tf.constant(k, S.dtype) * S, over)


def dominant_wavelength(grid: Grid, u):
    """2π/k*, k* the mean wavenumber, weighted by power, of the strongest shell and its two neighbours.

    Args:
        grid: a box, taken as periodic.
        u: state that is not uniform, leading axes are kept.

    Returns:
        (…) [length]; resolved to much less than one mode for a broad peak, one mode for a sharp one.
    """
    k, S, _ = _summed(grid, u)
    peak = tf.argmax(S, -1)[..., None]
    near = tf.abs(tf.range(S.shape[-1], dtype=tf.int64) - peak) <= 1
    weight = tf.where(near, S, tf.zeros_like(S))
    return 2 * math.pi * tf.reduce_sum(weight, -1) / tf.reduce_sum(tf.constant(k, S.dtype) * weight, -1)


def _summed(grid, u):
    """Mean |k|, summed S and number of modes of each shell that has any, the mean mode left out."""
    k, S = power(grid, u)
    shell, count = _shells.number(np.rint(k * max(grid.size) / (2 * np.pi)).astype(int))
    mean = np.bincount(shell.ravel(), k.ravel()) / count
    return mean[1:], _shells.sums(S, shell, count.size)[..., 1:], count[1:]
