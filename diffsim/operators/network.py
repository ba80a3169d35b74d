"""Finite volumes as a network of conductances, and ever coarser networks that resemble it.

(L a)ᵢ = Σ_faces c·(a_neighbour − aᵢ), with a = 0 behind a wall. One halving along an axis joins cells in pairs. A child
interpolates between the centres of two pairs so that the flux between them is continuous: next to an insulating
face it follows the side that it is connected to. The coarse conductances bound the energy of what is interpolated:
along the axis resistances in series; across it each child's conductance goes where its value comes from; and a
face whose two cells follow different pairs binds these pairs together. So layers, thin membranes, channels of one
cell and impermeable inclusions survive on coarse grids, and on uniform grids the coarse network is the same stencil.

References:
    Wesseling (1988), doi:10.1016/0377-0427(88)90010-6 (cell-centred multigrid for interface problems).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim._tree import static
from diffsim.operators import halo
from diffsim.operators.stencil import Stencil

STRETCH = 1.5  # axes whose cells are wider than this times the narrowest wait: smoothers do not act along them
COARSEST = 64  # cells that a dense inverse handles
BINDING = 0.25  # energy of half a jump between two cells that follow different pairs


@dataclass(frozen=True)
class Network:
    """Cells and conductances, before γ is known: the system will be (σ·mass − γ·growth)·a − γ·L a.

    Args:
        mass: V·s of each cell, (*grid).
        growth: rate of local growth times mass, (*grid); None if nothing grows.
        faces: for each axis the conductances of its n + 1 faces; the two ends lead to walls, or are one periodic face.
        periodic: which axes close on themselves.
        down: how to interpolate from the next coarser network, one halving after the other.
    """

    mass: tf.Tensor
    growth: tf.Tensor | None
    faces: tuple
    periodic: tuple[bool, ...] = static()
    down: tuple = ()

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.faces)


@dataclass(frozen=True)
class Halving:
    """Pairs of cells along `axis` become one; a child takes the share `lower` or `upper` from the next pair.

    `below` and `above` are what children in the next pairs take from this one.
    """

    lower: tf.Tensor
    upper: tf.Tensor
    below: tf.Tensor
    above: tf.Tensor
    axis: int = static()
    cells: int = static()
    periodic: bool = static()

    @classmethod
    def of(cls, lower, upper, axis: int, cells: int, periodic: bool) -> Halving:
        """The halving in which children take these shares."""
        d, m = lower.shape.rank, lower.shape[axis]
        below, above = (widened(w, axis, 1, periodic, d) for w in (upper, lower))
        taken = halo.cut(below, axis, 0, m, d), halo.cut(above, axis, 2, None, d)
        return cls(lower, upper, *taken, axis, cells, periodic)

    def prolong(self, a):
        """Values of the children."""
        d, axis, n = self.lower.shape.rank, self.axis, self.lower.shape[self.axis]
        p = widened(a, axis, 1, self.periodic, d)
        before, after = halo.cut(p, axis, 0, n, d), halo.cut(p, axis, 2, None, d)
        both = tf.stack([a + self.lower * (before - a), a + self.upper * (after - a)], axis - d)
        shape = a.shape.as_list()
        shape[axis - d] *= 2
        return halo.cut(tf.reshape(both, shape), axis, 0, self.cells, d)

    def restrict(self, f):
        """The transpose: what the children hold goes to the pairs that they take from."""
        d, axis, n = self.lower.shape.rank, self.axis, self.lower.shape[self.axis]
        if self.cells % 2:
            f = tf.concat([f, tf.zeros_like(halo.edge(f, axis, True, d))], axis - d)
        p = widened(f, axis, 2, self.periodic, d)
        low, high = (every_other(p, axis, start, d) for start in (0, 1))
        own = (1 - self.lower) * halo.cut(low, axis, 1, n, d) + (1 - self.upper) * halo.cut(high, axis, 1, n, d)
        return own + self.below * halo.cut(high, axis, 0, n, d) + self.above * halo.cut(low, axis, 2, None, d)


def network(stencil: Stencil) -> Network:
    """The conductances of a prepared stencil, walls included; its mixed derivatives are left out."""
    grid, d = stencil.grid, stencil.grid.ndim
    alike = tf.ones(grid.shape, stencil.conductance[0].dtype)
    faces = []
    for axis in range(d):
        lower, upper = stencil.sides(axis)
        low, high = halo.edge(lower * alike, axis, False, d), halo.edge(upper * alike, axis, True, d)
        if stencil.walls[axis] is not None:
            below, above = stencil.walls[axis]
            low, high = low * 2 * below.slope / below.kappa, high * 2 * above.slope / above.kappa
        inner = halo.cut(upper * alike, axis, 0, grid.shape[axis] - 1, d)
        faces.append(tf.concat([low, inner, high], axis))
    largest = 1.0 if stencil.volume is None else tf.reduce_max(stencil.volume)
    mass = alike * volume(stencil) * (1.0 if stencil.solubility is None else stencil.solubility)
    return Network(mass, None, tuple(c / largest for c in faces),
                   tuple(w is None for w in stencil.walls))


def volume(stencil: Stencil):
    """V of each cell in units of the largest."""
    return 1.0 if stencil.volume is None else stencil.volume / tf.reduce_max(stencil.volume)


def hierarchy(finest: Network, widths: tuple[float, ...]) -> tuple[Network, ...]:
    """Ever coarser networks down to a few dozen cells; `widths` are the cells' sizes along the axes."""
    levels, level = [], finest
    while level.mass.shape.num_elements() > COARSEST:
        narrowest = min(w for w, n in zip(widths, level.mass.shape, strict=True) if n > 1)
        joined = [i for i, n in enumerate(level.mass.shape) if n > 1 and widths[i] <= STRETCH * narrowest]
        coarse, down = level, []
        for axis in joined if len(levels) % 2 else reversed(joined):  # no axis is always the first
            coarse, halving = halve(coarse, axis)
            down.append(halving)
        levels.append(replace(level, down=tuple(down)))
        level = coarse
        widths = tuple(2 * w if i in joined else w for i, w in enumerate(widths))
    return (*levels, level)


def halve(fine: Network, axis: int) -> tuple[Network, Halving]:
    """Join cells in pairs along one axis; the last of an odd number stays alone."""
    d, n, periodic = fine.ndim, fine.mass.shape[axis], fine.periodic[axis]
    r = 1 / fine.faces[axis]  # infinite where nothing passes
    if n % 2:  # as if a cell of no size followed the last one, connected to it without resistance
        last = halo.edge(r, axis, True, d)
        r = tf.concat([halo.cut(r, axis, 0, n, d), tf.zeros_like(last), last], axis)
    half, between = every_other(r, axis, 1, d) / 2, every_other(r, axis, 0, d)
    m = half.shape[axis]
    way = widened(half, axis, 1, periodic, d)
    below, above = halo.cut(way, axis, 0, m + 1, d) + between, between + halo.cut(way, axis, 1, None, d)
    lower, upper = _share(half, cells(below, axis, 0, d)), _share(half, cells(above, axis, 1, d))
    along = 1 / (below + halo.cut(way, axis, 1, None, d))
    faces = list(fine.faces)
    for i in range(d):
        if i != axis:
            faces[i], bond = _across(fine, axis, i, lower, upper)
            along += bond
    faces[axis] = tf.zeros_like(along) if periodic and m == 1 else along  # a cell does not exchange with itself
    halving = Halving.of(lower, upper, axis, n, periodic)
    growth = None if fine.growth is None else halving.restrict(fine.growth)
    return Network(halving.restrict(fine.mass), growth, tuple(faces), fine.periodic), halving


def _across(fine, axis, i, lower, upper):
    """Coarse conductances of axis `i`, and what the faces of that axis add to those of the halved one."""
    d, n, c = fine.ndim, fine.mass.shape[axis], fine.faces[i]
    (low, low_jump), (high, high_jump) = (_at_faces(w, i, fine.periodic[i]) for w in (lower, upper))
    coarse = Halving.of(low, high, axis, n, fine.periodic[axis]).restrict(c)
    if n % 2:
        c = tf.concat([c, tf.zeros_like(halo.edge(c, axis, True, d))], axis)
    bonds = [BINDING * jump**2 * every_other(c, axis, start, d) for start, jump in enumerate((low_jump, high_jump))]
    below, above = (widened(cells(b, i, 0, d) + cells(b, i, 1, d), axis, 1, fine.periodic[axis], d) for b in bonds)
    return coarse, cells(below, axis, 1, d) + cells(above, axis, 0, d)


def _at_faces(w, axis, periodic):
    """Means and differences of neighbouring cells along an axis."""
    d = w.shape.rank
    low, high = halo.edge(w, axis, False, d), halo.edge(w, axis, True, d)
    p = tf.concat([high, w, low] if periodic else [low, w, high], axis)
    below, above = cells(p, axis, 0, d), cells(p, axis, 1, d)
    return (below + above) / 2, above - below


def _share(own, other):
    """How much a child takes from the next pair: resistance to its sibling's side over that of the whole way."""
    cut_off = tf.cast(tf.math.is_finite(other), own.dtype)  # insulated from its sibling, perhaps not from others
    return tf.where(tf.math.is_finite(own), own / (own + other), cut_off)


def cells(c, axis, which, d):
    """The lower (0) or upper (1) face of every cell."""
    return halo.cut(c, axis, which, c.shape[axis] - 1, d)


def every_other(a, axis, start, d):
    """A[start::2] along an axis."""
    return a[(..., slice(start, None, 2), *(slice(None),) * (d - 1 - axis))]


def widened(a, axis, by, periodic, d):
    """`a` with `by` entries more at both ends of an axis: those of the other end if it is periodic, else zeros."""
    if not periodic:
        return tf.pad(a, [[by, by] if i == axis - d else [0, 0] for i in range(-a.shape.rank, 0)])
    low, high = halo.cut(a, axis, 0, by, d), halo.cut(a, axis, -by, by, d)
    return tf.concat([high, a, low], axis - d)
