"""Moments of a field, and the diffusivity that their growth reveals."""

from __future__ import annotations

import tensorflow as tf

from diffsim import _checks
from diffsim.analysis.fits import Line, straight
from diffsim.grid import Grid


def total(grid: Grid, u):
    """M = ∫u dV.

    Args:
        grid: any grid.
        u: state, leading axes are kept.

    Returns:
        Amount [unit of u × lengthⁿ].
    """
    return grid.integrate(u)


def center(grid: Grid, u):
    """x̄ = ∫x u dV / M.

    Args:
        grid: a box.
        u: state with M ≠ 0, leading axes are kept.

    Returns:
        (…, d) [length].

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    u, x = _on(grid, u)
    return tf.stack([grid.integrate(u * xi) for xi in x], -1) / grid.integrate(u)[..., None]


def covariance(grid: Grid, u):
    """Cᵢⱼ = ∫(xᵢ − x̄ᵢ)(xⱼ − x̄ⱼ) u dV / M, positions being those of cell centres.

    Away from walls the lattice obeys dC/dt = 2D exactly, whatever Δx: second differences of x² are exact.

    Args:
        grid: a box.
        u: state with M ≠ 0, leading axes are kept.

    Returns:
        (…, d, d) [length²].

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    u, x = _on(grid, u)
    M, mean = grid.integrate(u), center(grid, u)
    mean = tf.reshape(mean, [*mean.shape, *[1] * grid.ndim])
    off = [xi - tf.gather(mean, i, axis=-grid.ndim - 1) for i, xi in enumerate(x)]
    rows = [tf.stack([grid.integrate(u * a * b) / M for b in off], -1) for a in off]
    return tf.stack(rows, -2)


def variance(grid: Grid, u):
    """σᵢ² = Cᵢᵢ, along each axis; see `covariance`.

    Args:
        grid: a box.
        u: state with M ≠ 0, leading axes are kept.

    Returns:
        (…, d) [length²].
    """
    return tf.linalg.diag_part(covariance(grid, u))


def diffusivity(t, variance) -> Line:
    """D in σ² = σ₀² + 2Dt: half the slope of the variance along one axis.

    Args:
        t: times [time].
        variance: σ² at these times [length²].

    Returns:
        Line: D, σ₀²/2 and the standard error of D.

    Raises:
        ValueError: fewer than two times, or numbers that are not finite.
    """
    fit = straight(t, variance)
    return Line(fit.slope / 2, fit.intercept / 2, fit.error / 2)


def _on(grid, u):
    """u as a tensor, and the coordinates in its dtype."""
    if type(grid) is not Grid:
        _checks.refuse("grid", grid, "a box", "on a radial grid the centre is known and spread is in r",
                       "Integrate r² with grid.integrate.")
    u = tf.convert_to_tensor(u)
    grid.check("u", u.shape)
    return u, [tf.constant(x, u.dtype) for x in grid.coordinates()]
