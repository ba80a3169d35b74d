"""Spots, stripes and holes: connected components, their shapes, and the Euler characteristic."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.grid import Grid


class Components(NamedTuple):
    """The parts of {u > level} that hang together, largest first.

    Attributes:
        label: (*grid) number of the component of each cell, from 1; 0 outside.
        volume: (n,) area or volume of each [lengthⁿ].
        center: (n, d) centre of mass [length].
        elongation: (n,) longest over shortest standard deviation: 1 for a disc, about a/b for a bar a × b.
        spans: (n,) whether it reaches across the grid along an axis, from one side to the other.
    """

    label: np.ndarray
    volume: np.ndarray
    center: np.ndarray
    elongation: np.ndarray
    spans: np.ndarray

    @property
    def count(self) -> int:
        """How many."""
        return len(self.volume)


def components(grid: Grid, u, level: float, *, periodic: bool = True) -> Components:
    """The connected components of {x: u(x) > level}; cells that share a face hang together.

    Args:
        grid: a box.
        u: state, one member.
        level: the value on the rims.
        periodic: whether what leaves on one side enters on the other, along every axis.

    Returns:
        Components. Shapes are the second moments of cells about the centre, along the shortest way round; for a
        component that spans a periodic grid they mean little.

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    from scipy import ndimage  # on use: the import of diffsim stays light
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    inside = _above(grid, u, level)
    label, n = ndimage.label(inside)
    if n == 0:
        return Components(label, np.zeros(0), np.zeros((0, grid.ndim)), np.zeros(0), np.zeros(0, bool))
    if periodic:
        meets = [np.stack([label.take(-1, a).ravel(), label.take(0, a).ravel()]) for a in range(grid.ndim)]
        i, j = np.concatenate(meets, 1)
        i, j = (k[(i > 0) & (j > 0)] - 1 for k in (i, j))
        n, merged = connected_components(coo_array((np.ones(i.size), (i, j)), shape=(n, n)), directed=False)
        label = np.append(0, merged + 1)[label]
    order = np.argsort(-np.bincount(label.ravel())[1:], kind="stable")
    rank = np.empty(n + 1, int)
    rank[0], rank[order + 1] = 0, np.arange(1, n + 1)
    label = rank[label]
    cells = np.nonzero(inside)
    owner = label[cells] - 1
    count = np.bincount(owner, minlength=n)
    center, offset, spans = np.zeros((n, grid.ndim)), [], np.zeros(n, bool)
    for a, (axis, i) in enumerate(zip(grid.axes, cells, strict=True)):
        x, low, L = axis.centers[i], axis.faces[0], grid.size[a]
        if periodic:
            turn = np.exp(2j * np.pi * (x - low) / L)
            mean = np.bincount(owner, turn.real, n) + 1j * np.bincount(owner, turn.imag, n)
            middle = low + L * (np.angle(mean) / (2 * np.pi))
        else:
            middle = np.bincount(owner, x, n) / count
        d = x - middle[owner]
        d = d - L * np.rint(d / L) if periodic else d
        shift = np.bincount(owner, d, n) / count
        offset.append(d - shift[owner])
        center[:, a] = low + np.mod(middle + shift - low, L) if periodic else middle
        seen = np.unique(owner * grid.shape[a] + i) // grid.shape[a]
        spans |= np.bincount(seen, minlength=n) == grid.shape[a]
    return Components(label, count * float(np.prod(grid.dx)), center, _elongation(grid, owner, offset, count), spans)


def _elongation(grid, owner, offset, count):
    """√(λ_max/λ_min) of the second moments, each cell a box of its own size."""
    d = grid.ndim
    moments = np.zeros((len(count), d, d))
    for a in range(d):
        for b in range(d):
            moments[:, a, b] = np.bincount(owner, offset[a] * offset[b], len(count)) / count
        moments[:, a, a] += grid.dx[a] ** 2 / 12
    values = np.linalg.eigvalsh(moments)
    return np.sqrt(values[:, -1] / values[:, 0])


def euler(grid: Grid, u, level: float, *, periodic: bool = True) -> int:
    """χ of {u > level}: components − holes in two dimensions; components − tunnels + cavities in three.

    Counted locally as vertices − edges + faces − … of the complex whose vertices are cells: cells that share a face
    hang together, as in `components`. On a torus a ring around it counts 0, the full torus 0.

    Args:
        grid: a box.
        u: state, one member.
        level: the value on the rims.
        periodic: as in `components`.

    Returns:
        χ.

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    parts, chi = [(1, _above(grid, u, level))], 0
    for a in range(grid.ndim):
        pairs = []
        for sign, cell in parts:
            both = cell & np.roll(cell, -1, a)
            if not periodic:
                both[(slice(None),) * a + (-1,)] = False
            pairs.append((-sign, both))
        parts += pairs
    for sign, cell in parts:
        chi += sign * int(np.count_nonzero(cell))
    return chi


class Counts(NamedTuple):
    """How many components are compact and how many are long, and the part of the grid that each kind covers."""

    spots: int
    stripes: int
    in_spots: float
    in_stripes: float


def count(grid: Grid, u, level: float, *, longer: float = 2.0, periodic: bool = True) -> Counts:
    """Spots and stripes of {u > level}; those of the holes are `count(grid, −u, −level)`.

    Args:
        grid: a box.
        u: state, one member.
        level: the value on the rims.
        longer: a component is a stripe if its elongation is more than that, or if it spans the grid.
        periodic: as in `components`.

    Returns:
        Counts: numbers, and shares of the area or volume in [0, 1].

    Raises:
        ValueError: a radial grid, or a state that does not fit.
    """
    longer = _checks.number("longer", longer, least=1.0, why="a disc has elongation 1")
    found = components(grid, u, level, periodic=periodic)
    stripe = found.spans | (found.elongation > longer)
    share = found.volume / float(np.prod(grid.size))
    return Counts(int((~stripe).sum()), int(stripe.sum()), float(share[~stripe].sum()), float(share[stripe].sum()))


def _above(grid, u, level):
    if type(grid) is not Grid:
        _checks.refuse("grid", grid, "a box", "a radial profile has shells, not spots", "Use Grid.")
    u = np.asarray(_checks.finite("u", u, why="it is compared with a level"))
    if u.shape != grid.shape:
        _checks.refuse("u", u, f"shape {grid.shape}", "components belong to one state on the grid",
                       "Pass one species of one member.")
    return u > _checks.number("level", level, why="it is compared with u")
