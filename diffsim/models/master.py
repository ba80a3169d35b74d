"""Reaction–diffusion with counted molecules: the master equation of any model of elementary reactions."""

from __future__ import annotations

import numpy as np

from diffsim import _checks, _tree
from diffsim.jump import Jump
from diffsim.models.mass_action import MassAction
from diffsim.operators.stencil import Diffusion
from diffsim.rates import Elementary, Varying


def master_equation(model: MassAction, grid=None, boundary=None, *, size: float, first=0) -> Jump:
    """Channel r fires Ωkᵣ Πₛ (nₛ/Ω)^m times per time in each cell, molecules hop at D/Δx² to each neighbour.

    A cell of volume V holds nₛ = Ω·unitₛ·yₛ molecules, Ω = size·V. For many molecules n/Ω follows
    `model.on(grid, boundary)`, with fluctuations of relative size 1/√n. Rates may depend on time: see `driven`.

    Args:
        model: Brusselator, GrayScott, Schnakenberg, LotkaVolterra, SIR, Oregonator or one of your own.
        grid: Grid or RadialGrid; without one the law is that of one well-mixed volume Ω = size, of a state (…, S).
        boundary: for all species, or a tuple of them. Walls: Periodic, no-flux, Dirichlet() or
            Robin(transfer), which let out.
        size: molecules per volume at concentration 1 > 0.
        first: number of the state's first row within the whole ensemble of which it is a batch.

    Returns:
        A Jump; with a grid its state is one tensor (…, *grid) of whole numbers for each species.

    Raises:
        ValueError, TypeError: a model without elementary reactions; walls that supply molecules.

    References:
        Gardiner, McNeil, Walls & Matheson (1976), doi:10.1007/BF01030197.
    """
    why, way_out = "only elementary reactions have a law for single molecules", "Build a Jump(…) of your own."
    _checks.instance("model", model, MassAction, why=why, way_out=way_out)
    size = _checks.number("size", size, above=0.0, why="it counts molecules")
    volume = size * _volume(grid)
    channels = model.reactions
    k = tuple(_constant(c, model.units, volume) for c in channels)
    rates = Elementary(k, tuple(c.orders for c in channels))
    hops = None if grid is None else _hops(model, grid, boundary)
    return Jump(tuple(c.change for c in channels), rates, species=model.species, hops=hops, first=first)


def _volume(grid):
    """Of a cell: one number where all are alike."""
    if grid is None:
        return 1.0
    return float(np.max(grid.volume())) if all(a.uniform for a in grid.axes) else grid.volume()


def _constant(channel, units, volume):
    """k Ω^{1−m} Π unitₛ^{−mₛ}, as data."""
    factor = volume ** (1 - sum(channel.orders))
    for unit, order in zip(units, channel.orders, strict=True):
        factor = factor / unit**order if order else factor
    value = channel.k * factor
    return value if isinstance(value, Varying) or _tree.is_number(value) else float(value)


def _hops(model, grid, boundary):
    boundaries = model.boundaries(boundary)
    ops = []
    for b, D in zip(boundaries, model.diffusivities, strict=True):
        if isinstance(D, (int, float)) and D == 0:
            ops.append(None)
            continue
        op = Diffusion(grid, b, D)
        for pair in op.boundary:
            for wall in pair:
                if not wall.homogeneous:
                    why, way_out = "walls let molecules out, but none in", "Write the supply as a reaction 0 -> A."
                    _checks.refuse("boundary", wall, "a wall with the value zero", why, way_out)
        ops.append(op)
    return tuple(ops)
