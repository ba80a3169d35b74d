"""Particles that push and pull each other: energies of pairs and bonds, as the V(t, x) of Langevin laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import Verbatim, refuse
from diffsim._tree import static
from diffsim.particles.cells import Cells


class Energy:
    """What energies share: V(t, x) → (...,) of positions (..., n, d), `force`, and sums of them."""

    def force(self, t, x):
        """−∂V/∂x, by automatic differentiation."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            energy = self(t, x)
        return -tape.gradient(energy, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def __add__(self, other):
        _checks.instance("energy", other, Energy, why="energies add up", way_out="Wrap functions V(t, x) in External.")
        return Total((*self.parts, *other.parts))

    @property
    def parts(self) -> tuple:
        """The terms of a sum."""
        return (self,)

    def check_state(self, x) -> None:
        """Refuse positions for which there is no energy."""
        if x.shape.rank < 2:
            refuse("y0", x, "positions (..., n, d)", "n particles have d coordinates each", "Add an axis.")


@dataclass(frozen=True)
class Total(Energy):
    """ΣV."""

    of: tuple[Energy, ...]

    def __call__(self, t, x):
        """ΣV(t, x)."""
        return tf.add_n([V(t, x) for V in self.of])

    def force(self, t, x):
        """The sum of forces."""
        return tf.add_n([V.force(t, x) for V in self.of])

    @property
    def parts(self):
        """The terms."""
        return self.of

    def check_state(self, x):
        """As each term."""
        for V in self.of:
            V.check_state(x)


@dataclass(frozen=True)
class External(Energy):
    """Σᵢ U(t, xᵢ): each particle by itself.

    Args:
        U: U(t, x), (..., d) → (...) [energy].
    """

    U: Callable

    def __call__(self, t, x):
        """Summed over the particles."""
        return tf.reduce_sum(self.U(t, x), -1)


@dataclass(frozen=True)
class Pairs(Energy):
    """V = Σ_{i<j} φ(rᵢⱼ) − φ(cutoff) over pairs closer than the cutoff; by cell lists where these are quicker.

    In a periodic box r is the shortest way, and positions need not be wrapped. The force is the sum over neighbours of
    φ′(r) r̂, with φ′ by automatic differentiation; in tests it is that of a and minus that of b to rounding. A cell that
    overflows makes forces NaN, so that the run stops with its last good state: pass `Cells.over` a larger capacity.
    In a liquid no cell is crowded: the cost goes with the capacity, of which twice the mean number will do.

    Args:
        phi: φ(r) → energy, elementwise: WCA, LennardJones, or a function of your own [energy].
        cells: `Cells.over(lower, upper, cutoff, number=n, periodic=…)`, which knows box and cutoff; None is open space
            without cutoff, all pairs.

    References:
        Allen & Tildesley (2017), doi:10.1093/oso/9780198803195.001.0001, 1.6 and 5.3.
    """

    phi: Callable
    cells: Cells | None = None

    def __post_init__(self):
        why, way_out = "the force follows from it", "Pass WCA(…), LennardJones(…) or lambda r: … ."
        if not callable(self.phi):
            refuse("phi", self.phi, "a function φ(r)", why, way_out, TypeError)
        if self.cells is not None:
            way_out = "Pass Cells.over(lower, upper, cutoff, number=n)."
            _checks.instance("cells", self.cells, Cells, why="they hold the box", way_out=way_out)
        reach = getattr(self.phi, "cutoff", None)
        if reach is not None and self.cells is None or reach is not None and self.cells.cutoff < reach * (1 - 1e-12):
            refuse("cells", self.cells, f"cells with a cutoff ≥ {reach:g}", "φ reaches as far",
                   f"Pass Cells.over(lower, upper, {reach:g}, number=n).")

    def __call__(self, t, x):
        """V(t, x)."""
        r, near, _, left = self._met(x)
        return tf.reduce_sum(self._cut(r, near), (-2, -1)) / 2 + left

    def force(self, t, x):
        """Fᵢ = Σⱼ φ′(rᵢⱼ) (xⱼ − xᵢ)/rᵢⱼ."""
        r, near, way, left = self._met(x)
        pull = tf.where(near, self._slope(r) / r, tf.zeros_like(r))
        return tf.reduce_sum(pull[..., None] * way, -2) + left

    def virial(self, x):
        """−Σ_{i<j} rφ′(r), (...,): P·volume = n kT + virial/d in a periodic box."""
        r, near, _, left = self._met(x)
        return left - tf.reduce_sum(tf.where(near, r * self._slope(r), tf.zeros_like(r)), (-2, -1)) / 2

    def check_state(self, x):
        """Refuse what does not fit the box, and particles outside of it or in one place."""
        super().check_state(x)
        if tf.is_symbolic_tensor(x):
            return
        if self.cells is not None:
            self._check_box(np.asarray(x, float))
        energy = np.asarray(self(0.0, x))
        if not np.isfinite(energy).all():
            refuse("y0", Verbatim("positions of infinite energy"), "particles apart from each other",
                   "forces would be infinite, or a cell overflows", "Start from a lattice, or from larger cells.")

    def _check_box(self, x):
        lower, d = np.asarray(self.cells.lower), len(self.cells.periodic)
        if x.shape[-1] != d:
            refuse("y0", x, f"positions of shape (..., n, {d})", "the box has so many axes", "Check the last axis.")
        out = (x < lower) | (x > lower + np.asarray(self.cells.size))
        lost = (out & ~np.array(self.cells.periodic)).any(-1)
        if lost.any():
            shown = Verbatim(f"{lost.sum():,} of {lost.size:,} particles outside the box, the first at {x[lost][0]}")
            refuse("y0", shown, "positions inside, where sides are not periodic", "pairs beyond it would be missed",
                   "Enlarge the box, or put walls around it.")

    def _met(self, x):
        """(r, near, way, 0 or NaN): the candidates of each particle, (..., n, K)."""
        found, left = self._candidates(x)
        near, way = found[1], found[0]
        square = tf.reduce_sum(way * way, -1)
        r = tf.sqrt(tf.where(near, square, tf.ones_like(square)))
        return r, near, way, left

    def _candidates(self, x):
        n, cells = x.shape[-2], self.cells
        zero = tf.zeros([], x.dtype)
        if cells is None or cells.number == 1 or n <= math.prod(cells.sides) * cells.capacity:
            return self._all(x), zero
        bins = cells.bin(x)
        found = cells.neighbours(x, bins)
        return (found.r, found.near), tf.where(bins.left > 0, _nest.to(float("nan"), x.dtype), zero)

    def _all(self, x):
        """Every other particle of the box."""
        a, b, n = x[..., :, None, :], x[..., None, :, :], x.shape[-2]
        other = tf.broadcast_to(~tf.eye(n, dtype=tf.bool), [*x.shape[:-1], n])
        if self.cells is None:
            return b - a, other
        way = self.cells.separation(a, b)
        return way, other & (tf.reduce_sum(way * way, -1) < _nest.to(self.cells.cutoff, x.dtype) ** 2)

    def _cut(self, r, near):
        energy = self.phi(r)
        if self.cells is not None:
            energy -= self.phi(_nest.to(self.cells.cutoff, r.dtype))
        return tf.where(near, energy, tf.zeros_like(r))

    def _slope(self, r):
        """φ′(r)."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(r)
            energy = self.phi(r)
        return tape.gradient(energy, r)


@dataclass(frozen=True)
class Bonds(Energy):
    """V = Σ φ(|xⱼ − xᵢ|) over given pairs (i, j): springs, chains, networks.

    Args:
        phi: φ(r) → energy, elementwise: Spring(k, length), or a function of your own [energy].
        pairs: whole numbers (m, 2).
        cells: a box with periodic axes, around which bonds go the shortest way; None for open space.
    """

    phi: Callable
    pairs: tuple[tuple[int, int], ...] = static()
    cells: Cells | None = None

    def __post_init__(self):
        pairs = np.asarray(self.pairs)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu" or (pairs < 0).any() or (
            pairs[:, 0] == pairs[:, 1]
        ).any():
            refuse("pairs", self.pairs, "whole numbers (m, 2)", "a bond joins two particles", "Pass ((0, 1), …).")
        object.__setattr__(self, "pairs", tuple(map(tuple, pairs.tolist())))

    @classmethod
    def chain(cls, phi, n: int, ring: bool = False, cells=None) -> Bonds:
        """Each of n particles to the next; in a ring the last to the first as well."""
        n = _checks.integer("n", n, least=2, why="a chain has bonds")
        return cls(phi, tuple((i, (i + 1) % n) for i in range(n if ring else n - 1)), cells)

    def __call__(self, t, x):
        """V(t, x)."""
        first, second = (tf.gather(x, [pair[k] for pair in self.pairs], axis=-2) for k in (0, 1))
        way = second - first if self.cells is None else self.cells.separation(first, second)
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return tf.reduce_sum(self.phi(tf.sqrt(tf.reduce_sum(way * way, -1) + tiny)), -1)

    def check_state(self, x):
        """Refuse bonds to particles that are not there."""
        super().check_state(x)
        most = max(map(max, self.pairs))
        if x.shape[-2] <= most:
            refuse("pairs", Verbatim(f"a bond to particle {most}"), f"numbers below {x.shape[-2]}",
                   "so many particles are there", "Count them from zero.")


@dataclass(frozen=True)
class Spring:
    """φ = k(r − length)²/2.

    Args:
        k: stiffness, ≥ 0 [energy / length²].
        length: at rest, ≥ 0 [length].
    """

    k: Any = 1.0
    length: Any = 0.0

    def __post_init__(self):
        _checked(self, "k", least=0.0)
        _checked(self, "length", least=0.0)

    def __call__(self, r):
        """φ(r)."""
        return 0.5 * _nest.to(self.k, r.dtype) * (r - _nest.to(self.length, r.dtype)) ** 2


@dataclass(frozen=True)
class LennardJones:
    """φ = 4ε[(σ/r)¹² − (σ/r)⁶], cut and shifted where the cells end.

    Args:
        epsilon: depth of the well, ≥ 0 [energy].
        sigma: where φ is zero, > 0 [length].

    Source: J. E. Jones, Proc. R. Soc. A 106 (1924) 463, doi:10.1098/rspa.1924.0082.
    """

    epsilon: Any = 1.0
    sigma: Any = 1.0

    def __post_init__(self):
        _checked(self, "epsilon", least=0.0)
        _checked(self, "sigma", above=0.0)

    def __call__(self, r):
        """φ(r)."""
        s6 = (_nest.to(self.sigma, r.dtype) / r) ** 6
        return 4.0 * _nest.to(self.epsilon, r.dtype) * (s6 * s6 - s6)


@dataclass(frozen=True)
class WCA(LennardJones):
    """φ = 4ε[(σ/r)¹² − (σ/r)⁶] + ε up to its minimum at `cutoff` = 2^(1/6) σ: repulsion only.

    Args:
        epsilon: ≥ 0 [energy].
        sigma: > 0 [length].

    Source: J. D. Weeks, D. Chandler, H. C. Andersen, J. Chem. Phys. 54 (1971) 5237, doi:10.1063/1.1674820.
    """

    @property
    def cutoff(self):
        """2^(1/6) σ."""
        return 2 ** (1 / 6) * self.sigma

    def __call__(self, r):
        """φ(r), zero beyond the cutoff."""
        return tf.where(r < _nest.to(self.cutoff, r.dtype), super().__call__(r) + _nest.to(self.epsilon, r.dtype), 0)


def _checked(owner, name, **bounds):
    value = getattr(owner, name)
    if not isinstance(value, (tf.Tensor, tf.Variable)):
        why = "it is a parameter of the energy"
        object.__setattr__(owner, name, _checks.number(name, value, why=why, **bounds))
