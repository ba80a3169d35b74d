"""A denoiser from a density on a grid: noise added to data is heat, so the heat equation knows its undoing.

z = x₀ + e^{−λ}ε has the density e^{τΔ}p₀ at τ = e^{−2λ}/2, and what may have been before is, on average,

    D(z, λ) = e^{τΔ}(x p₀)/e^{τΔ}p₀.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.boundary import Neumann
from diffsim.equation import Equation
from diffsim.generative.denoiser import rows
from diffsim.generative.schedule import check_sigmas
from diffsim.grid import Grid
from diffsim.operators.box import SpectralLaplacian
from diffsim.save import SaveAt
from diffsim.solve import solve

BULK = 1e-4  # of its greatest value: the density where data are
TAIL = 1e-10  # of its greatest value: where the density is less, it is rounding, and D is the nearest place of data


@dataclass(frozen=True)
class Tabulated:
    """D(z, λ) on a grid of z and equally spaced λ, linear in between; beyond it the nearest value.

    Args:
        grid: of z.
        lams: λ of the tables, shape (levels,), rising.
        densities: p(z) at each, shape (levels, *grid.shape).
        means: D(z) at each, shape (levels, *grid.shape, d).
    """

    grid: Grid = static()
    lams: np.ndarray
    densities: np.ndarray
    means: np.ndarray

    def _at(self, table, z, lam):
        """Multilinear interpolation of a table."""
        lams, shape = _nest.to(self.lams, z.dtype), (self.lams.shape[0], *self.grid.shape)
        spacing = lams[1] - lams[0]
        level = (rows(lam, z) - lams[0]) / spacing
        level = tf.broadcast_to(tf.reshape(level, [-1, *[1] * (z.shape.rank - 2)]), tf.shape(z)[:-1])
        places = [level]
        for i, (o, d) in enumerate(zip(self.grid.origin, self.grid.dx, strict=True)):
            places.append((z[..., i] - o) / d - 0.5)
        left, share = [], []
        for n, u in zip(shape, places, strict=True):
            u = tf.clip_by_value(u, 0.0, n - 1.0)
            low = tf.minimum(tf.floor(u), n - 2.0)
            left.append(tf.cast(low, tf.int32))
            share.append(u - low)
        table, total = _nest.to(table, z.dtype), 0.0
        for corner in itertools.product((0, 1), repeat=len(shape)):
            index = tf.stack([n + c for n, c in zip(left, corner, strict=True)], -1)
            weight = 1.0
            for c, s in zip(corner, share, strict=True):
                weight = weight * (s if c else 1 - s)
            value = tf.gather_nd(table, index)
            total = total + tf.reshape(weight, [*weight.shape, *[1] * (value.shape.rank - weight.shape.rank)]) * value
        return total

    def __call__(self, z, lam):
        """E[x₀ | z] at λ."""
        return self._at(self.means, z, lam)

    def density(self, z, lam):
        """p(z) at λ."""
        return self._at(self.densities, z, lam)


def from_density(grid: Grid, density, sigma_min: float, sigma_max: float, levels: int = 128) -> Tabulated:
    """The denoiser of data with a density on a grid, by solving the heat equation once for p₀ and x p₀.

    Args:
        grid: of one or two axes. Noise of sigma_max must fit around the data: three standard deviations to each wall.
        density: p₀ at cell centres, shape grid.shape, ≥ 0; it is divided by its integral. A `Solution.final` of a
            Fokker–Planck equation, say.
        sigma_min: least noise level to be asked for; below it D stays as it is there.
        sigma_max: largest noise level.
        levels: number of noise levels in the table, equally spaced in λ.

    Returns:
        A denoiser of z of shape (…, d), d = grid.ndim.

    Raises:
        TypeError, ValueError: densities that are negative or do not fit the grid, or a grid too small for the noise.
    """
    way_out = "Use ds.Grid(shape, size, origin)."
    _checks.instance("grid", grid, Grid, why="the density lives on it", way_out=way_out)
    check_sigmas(sigma_min, sigma_max)
    levels = _checks.integer("levels", levels, least=2, why="D is interpolated between them")
    p = np.asarray(_checks.finite("density", density, least=0.0, why="it is a density"), np.float64)
    if p.shape != grid.shape or not p.max() > 0:
        why = "there is one value for each cell, and some data"
        _checks.refuse("density", density, f"shape {grid.shape}, not zero everywhere", why, "Check the grid.")
    x = [np.broadcast_to(c, grid.shape) for c in grid.coordinates()]
    _check_room(grid, _bounds(x, p > BULK * p.max()), sigma_max)
    bounds = _bounds(x, p > TAIL * p.max())
    p = p / grid.integrate(p)
    sigmas = np.geomspace(sigma_max, sigma_min, levels)
    laplacian = SpectralLaplacian(grid, Neumann())
    law = Equation(linear=(laplacian,) * (1 + grid.ndim))
    times = sigmas[::-1] ** 2 / 2
    sol = solve(law, (p, *(c * p for c in x)), (0.0, times[-1]), save=SaveAt(ts=times))
    heat, *moments = (np.asarray(a)[::-1] for a in sol.y)
    seen = heat > TAIL * heat.max(axis=tuple(range(1, heat.ndim)), keepdims=True)
    means = [
        np.where(seen, m / np.where(seen, heat, 1.0), np.clip(c, low, high))
        for m, c, (low, high) in zip(moments, x, bounds, strict=True)
    ]
    return Tabulated(grid, -np.log(sigmas), np.maximum(heat, 0.0), np.stack(means, -1))


def _bounds(x, there):
    return [(c[there].min(), c[there].max()) for c in x]


def _check_room(grid, bounds, sigma_max):
    for (low, high), o, size in zip(bounds, grid.origin, grid.size, strict=True):
        room = min(low - o, o + size - high)
        if room < 3 * sigma_max:
            least = f"a grid that reaches {3 * sigma_max:.3g} beyond the data on every side"
            why = "noise of sigma_max spreads that far, and walls would turn it back"
            _checks.refuse("grid", _checks.Verbatim(f"one that reaches {room:.3g}"), least, why, "Enlarge it.")
