"""What is refused of molecules before anything is compiled."""

from __future__ import annotations

import numpy as np

from diffsim import _checks, rates
from diffsim._checks import Verbatim, refuse
from diffsim.boundary import Boundary, Condition, Neumann, Periodic
from diffsim.geometry import Box, Shape
from diffsim.grid import AXIS_NAMES, Grid, RadialGrid


def names(reactions, others, D):
    """(species, parsed reactions or None): by first appearance in reactions, walls, and D."""
    known = list(rates.parse(reactions).species) if reactions else []
    for s in [*(rates.parse(others).species if others else ()), *(D if isinstance(D, dict) else ())]:
        if s not in known:
            known.append(s)
    if not known:
        refuse("D", D, "a dict by name where nothing reacts", "there are no species", 'Write D={"A": 1.0}.', TypeError)
    return tuple(known), rates.parse(reactions, known) if reactions else None


def diffusivities(D, species) -> tuple[float, ...]:
    """One for each species."""
    if not isinstance(D, dict):
        D = dict.fromkeys(species, D)
    for s in species:
        if s not in D:
            refuse("D", D, f"one for {s}, too", "each species diffuses in its own way", f'Add "{s}": 0.0 if it rests.')
    why = "a negative one would gather what is spread out"
    return tuple(_checks.number(f"D[{s}]", D[s], least=0.0, why=why) for s in species)


def bounded(region, boundary):
    """(region, conditions): a bounded Shape whose dimension is known; a pair for each axis of a box."""
    if isinstance(region, Grid) and not isinstance(region, RadialGrid):
        region = Box(region.origin, tuple(np.add(region.origin, region.size).tolist()))
    way_out = "Use e.g. Box((0.0, 0.0), (1.0, 2.0)), Ball((0.0, 0.0, 0.0), 5.0) or a Grid."
    _checks.instance("region", region, Shape, why="molecules are in it", way_out=way_out)
    if region.ndim not in (1, 2, 3):
        expected, why = "corners or a centre of 1 to 3 coordinates", "molecules have so many"
        refuse("region", region, expected, why, "Write Box((0.0,), (1.0,)) for a line.")
    if not np.all(np.isfinite(np.concatenate(corners(region)))):
        refuse("region", region, "a bounded one", "its volume holds so many molecules", "Give it finite ends.")
    if boundary is None:
        boundary = Neumann()
    if not isinstance(region, Box):
        _reflects(boundary, "Only a Box has periodic sides; say what walls do by surfaces=…")
        return region, boundary
    axes = AXIS_NAMES[: region.ndim]
    if isinstance(boundary, Boundary):
        if set(boundary.axes) != set(axes):
            refuse("boundary", Verbatim(f"conditions for {sorted(boundary.axes)}"), f"axes {list(axes)}",
                   "they belong to the sides of the box", "Pass one condition, or one for each axis.")
        pairs = tuple(v if isinstance(v := boundary.axes[n], tuple) else (v, v) for n in axes)
    else:
        pairs = ((boundary, boundary),) * region.ndim
    for pair in pairs:
        kinds = [isinstance(c, Periodic) for c in pair]
        if any(kinds) != all(kinds):
            refuse("boundary", pair, "two ends that are one", "a periodic axis has no ends", "Use Periodic() for both.")
        for c in pair:
            if not isinstance(c, Periodic):
                _reflects(c, 'What walls take is said by species: surfaces=("A -> 0 @ κ",).')
    return region, pairs


def corners(region):
    """(lower, upper) of the bounding box, (d,) each, float64."""
    ends = [np.asarray(end, np.float64) for end in region.bounds()]
    return tuple(np.broadcast_to(end, (region.ndim,)).copy() for end in ends)


def check_surfaces(surfaces, region, boundary):
    """Refuse walls that are said twice, and parts of walls of periodic boxes."""
    if sum(s.port is None for s in surfaces) > 1:
        refuse("surfaces", surfaces, "one without port", "it is the whole wall", "Join them: Surface(text, text).")
    for s in surfaces:
        if s.port is not None:
            _checks.instance("port", s.port, Shape, why="it holds a part of the wall", way_out="Use e.g. a Ball.")
    periodic = isinstance(region, Box) and [isinstance(pair[0], Periodic) for pair in boundary]
    if surfaces and periodic and (all(periodic) or any(periodic) and any(s.port is not None for s in surfaces)):
        way_out = "Close the box with Neumann()."
        refuse("surfaces", surfaces, "none in a periodic box", "its sides are no walls", way_out)


def _reflects(condition, way_out):
    why = "it says what walls do"
    _checks.instance("boundary", condition, Condition, why=why, way_out="Use Neumann() or Periodic().")
    if not isinstance(condition, Neumann) or not condition.homogeneous:
        refuse("boundary", condition, "Neumann()", "walls turn molecules back", way_out)
