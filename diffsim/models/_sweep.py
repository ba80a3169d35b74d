"""Parameters that are arrays: maps over the grid, and sweeps, with leading axes for the runs of an ensemble."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.boundary import Dirichlet, Flux, Neumann, Periodic
from diffsim.grid import Grid
from diffsim.operators.base import Scaled
from diffsim.operators.stencil import Diffusion, Laplacian


def arrays(model) -> dict:
    """Name → array, for all parameters of a model that are no scalars."""
    found = {}
    for f in fields(model):
        value = getattr(model, f.name)
        parts = {f.name: value}
        if isinstance(value, dict):
            parts = value
        elif isinstance(value, tuple):
            parts = {f"{f.name}[{i}]": v for i, v in enumerate(value)}
        found |= {name: v for name, v in parts.items() if _tree.is_number(v) and np.ndim(v) > 0}
    return found


def elementwise(model) -> bool:
    """Whether all arrays of a model are parameters, which broadcast over the state."""
    return len(arrays(model)) == sum(np.ndim(a) > 0 for a in _tree.flatten(model)[0])


def check_grid(model, grid, more: dict | None = None) -> None:
    """Refuse parameters whose trailing axes are not the grid's, or whose leading axes contradict each other.

    Args:
        model: whose arrays are checked.
        grid: the grid.
        more: name → array, to check as well.

    Raises:
        ValueError: as said.
    """
    _checks.instance("grid", grid, Grid, why="the model lives on it", way_out="Pass ds.Grid(shape=…, size=…).")
    lead, first = (), ""
    for name, a in (arrays(model) | (more or {})).items():
        shape = tuple(a.shape)
        if not _broadcasts(shape[-grid.ndim:], grid.shape):
            example = (*shape[:1], *(1,) * grid.ndim)
            _checks.refuse(f"{type(model).__name__}.{name}", a, f"a number, a map of shape {grid.shape}, or axes "
                           f"for runs and trailing axes of 1 or {grid.shape}",
                           "trailing axes are the grid's and leading ones the ensemble's",
                           f"For a sweep over {shape[0]} values reshape it to {example}.")
        own = shape[:-grid.ndim]
        try:
            lead, first = tuple(np.broadcast_shapes(lead, own)), first or (own and name)
        except ValueError:
            _checks.refuse(f"{type(model).__name__}.{name}", a, f"leading axes that broadcast with {lead}",
                           f"{first} has them, and one run has one value of each",
                           "Give them different axes to sweep all pairs: (m, 1, …) and (n, …).")


def check_state(model, y, more: dict | None = None) -> None:
    """Refuse a state that does not have the leading axes of the sweep; `more` as in `check_grid`.

    Raises:
        ValueError: as said.
        TypeError: a list.
    """
    if isinstance(y, list):
        names = ", ".join(model.species)
        _checks.refuse("y0", _checks.Verbatim(f"a list of {len(y)}"), f"a tuple ({names})",
                       "rates come as a tuple, and a state keeps its structure", f"Write y0=({names}).", TypeError)
    for leaf in _nest.flatten(y):
        for name, a in (arrays(model) | (more or {})).items():
            if not _broadcasts(tuple(a.shape), tuple(leaf.shape)):
                _checks.refuse("y0", _checks.Verbatim(f"a part of shape {tuple(leaf.shape)}"),
                               f"axes over which {type(model).__name__}.{name} of shape {tuple(a.shape)} broadcasts",
                               "every run of a sweep has a state of its own",
                               "Repeat the state along the sweep's leading axes: np.tile, tf.repeat or batch=….")


def _broadcasts(small, large) -> bool:
    pairs = zip(small[::-1], large[::-1], strict=False)
    return len(small) <= len(large) and all(m in (1, n) for m, n in pairs)


def diffusion(grid, boundary, D):
    """∇·(D∇), with D per run as D·Δ if it has leading axes; None where D is the number 0."""
    if isinstance(D, float) and D == 0.0:
        return None
    shape = () if not _tree.is_number(D) else tuple(np.shape(D))
    if len(shape) <= grid.ndim:
        return Diffusion(grid, boundary, D)
    if any(n != 1 for n in shape[-grid.ndim:]):
        _checks.refuse("D", D, f"leading axes for runs, then {grid.ndim} of length 1", "each run has one diffusivity",
                       "Solve runs with D(x) of their own one by one.")
    _checks.finite("D", D, least=0.0, why="a negative or undefined diffusivity makes the problem ill-posed")
    unit = Laplacian(grid, boundary)
    for wall in (c for pair in unit.boundary for c in pair):
        if not (isinstance(wall, (Periodic, Dirichlet, Neumann)) or isinstance(wall, Flux) and wall.homogeneous):
            _checks.refuse("boundary", wall, "Periodic, Neumann or Dirichlet",
                           "D varies from run to run, and a wall that gives a flux would vary with it",
                           "Use a condition that does not contain D.")
    return Scaled(unit, D if isinstance(D, (tf.Tensor, tf.Variable)) else np.asarray(D, float))
