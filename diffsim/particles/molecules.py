"""A law for molecules in space: they diffuse, and react alone, with each other, and with walls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, random
from diffsim._checks import Verbatim, refuse
from diffsim._tree import static
from diffsim.boundary import Periodic
from diffsim.equation import Slot
from diffsim.geometry import Box, Shape
from diffsim.geometry.shape import like
from diffsim.jump import Draws, Jump
from diffsim.law import Law
from diffsim.names import Named
from diffsim.noise.base import row
from diffsim.particles import intake
from diffsim.particles.kinetics import Kinetics
from diffsim.particles.pool import Count, Pool
from diffsim.particles.scheme import Scheme, scheme_of
from diffsim.particles.surface import Surface
from diffsim.rates import Elementary
from diffsim.steppers.excursion import outside

TRIES = 10_000


@dataclass(frozen=True)
class Molecules(Law):
    """Every molecule of species s moves by dX = √(2Dₛ) dW in a region, and reacts. Build one with `Molecules.of`.

    Args:
        species: names.
        scheme: the reactions, by what they need.
        k: their constants.
        D: diffusivity of each species [length² / time].
        region: a Box or another Shape.
        boundary: for a Box a pair of Periodic() or Neumann() for each axis; else Neumann().
        kinetics: how pairs react; None without pairs.
        surfaces: reactions with walls.
        first: number of the state's first box within the whole ensemble of which it is a batch.
        orders: molecules that meet in each reaction, (R, S).
        change: what each reaction adds to each species, (R, S).
        places: how many molecules a box can hold; of the state.
    """

    species: tuple[str, ...] = static()
    scheme: Scheme = static()
    k: tuple
    D: tuple
    region: Shape
    boundary: Any
    kinetics: Kinetics | None = None
    surfaces: tuple[Surface, ...] = ()
    first: Any = 0
    orders: tuple = static(default=())
    change: tuple = static(default=())
    places: int = static(default=1)

    @classmethod
    def of(cls, *reactions: str, D, region, boundary=None, kinetics=None, surfaces=(), first=0) -> Molecules:
        """Elementary reactions from text: ``Molecules.of("E + S <-> ES @ 0.01, 1", "ES -> E + P @ 1", …)``.

        Constants are those of concentrations in numbers per length^d, as in ``Jump.of(…, volume=V)`` and in the rate
        equation: "A + B -> C @ k" has the rate k [A][B], "2 A -> C @ k" the rate k [A]².

        Args:
            *reactions: reactants -> products @ constant; <-> takes two, and then equilibrium holds at any step.
            D: diffusivity of all species, or a dict by name [length² / time]; a dict also names species that do not
                react.
            region: a Box, another Shape, or a Grid, which means its box; of 1 to 3 dimensions, and bounded.
            boundary: Periodic() or Neumann(), or Boundary(x=…, …) of these; Neumann() reflects and is the default.
            kinetics: Doi(radius) or Smoluchowski(), needed where two molecules meet.
            surfaces: texts "A -> B @ κ" of reactions with walls [length / time], or Surface(…, port=shape).
            first: as for Molecules.

        Raises:
            ValueError, TypeError: text, regions and numbers that cannot be.
        """
        surfaces = (surfaces,) if isinstance(surfaces, (str, Surface)) else tuple(surfaces)
        texts = tuple(s for s in surfaces if isinstance(s, str))
        named = [s for s in surfaces if not isinstance(s, str)]
        for s in named:
            way_out = 'Write "A -> B @ κ", or Surface("A -> B @ κ", port=shape).'
            _checks.instance("surfaces", s, Surface, why="they say what walls do", way_out=way_out)
        names, read = intake.names(reactions, [*texts, *(t for s in named for t in s.texts)], D)
        region, boundary = intake.bounded(region, boundary)
        scheme = scheme_of(read) if read is not None else Scheme((), (), ())
        if scheme.pairs or kinetics is not None:
            way_out = "Use Doi(radius) or Smoluchowski()."
            _checks.instance("kinetics", kinetics, Kinetics, why="it says when two molecules react", way_out=way_out)
        surfaces = tuple(s.among(names) for s in ([Surface(*texts)] if texts else []) + named)
        intake.check_surfaces(surfaces, region, boundary)
        return cls(
            names, scheme, () if read is None else read.k, intake.diffusivities(D, names), region, boundary, kinetics,
            surfaces, row(first), () if read is None else read.orders, () if read is None else read.change,
        )

    @property
    def periodic(self) -> tuple[bool, ...]:
        """Whether each axis closes on itself."""
        pairs = self.boundary if isinstance(self.region, Box) else ((None,),) * self.ndim
        return tuple(isinstance(pair[0], Periodic) for pair in pairs)

    @property
    def ports(self) -> bool:
        """Whether only parts of the walls react."""
        return any(s.port is not None for s in self.surfaces)

    def label(self, m: int) -> int:
        """How a wall calls surface m: 0 the main one, i the i-th port."""
        return 0 if self.surfaces[m].port is None else sum(s.port is not None for s in self.surfaces[: m + 1])

    @property
    def corners(self):
        """(lower, upper) of the region's bounding box, (d,) each."""
        return intake.corners(self.region)

    @property
    def ndim(self) -> int:
        """d."""
        return self.region.ndim

    # What there is.

    def fill(self, numbers: dict, capacity: int, key, *, boxes=(), dtype=tf.float32) -> Pool:
        """A Pool with molecules at random, uniformly in the region.

        Args:
            numbers: how many of each species, by name.
            capacity: places in each box; what is born needs some.
            key: `ds.key(seed)`.
            boxes: leading axes, independent boxes.
            dtype: precision.

        Raises:
            ValueError, TypeError: unknown species, more molecules than places.
        """
        capacity = _checks.integer("capacity", capacity, least=1, why="it counts places")
        ends = [tf.constant(e, dtype) for e in self.corners]
        x, good = None, None
        for attempt in range(TRIES):
            u = random.uniform(key, [*boxes, capacity, self.ndim], dtype, step=attempt)
            drawn = ends[0] + (ends[1] - ends[0]) * u
            inside = self.region._distance(drawn) < 0
            x = drawn if x is None else tf.where(good[..., None], x, drawn)
            good = inside if good is None else good | inside
            if bool(tf.reduce_all(good)):
                break
        else:
            refuse("region", self.region, "one that fills some of its bounding box", "positions are drawn in it",
                   "Place molecules with `pool`.")
        return Pool(x, self._kinds(numbers, capacity, tuple(boxes), dtype))

    def pool(self, positions: dict, capacity: int, dtype=tf.float32) -> Pool:
        """A Pool with molecules at given positions, an array (m, d) for each species, by name."""
        rows = {s: self._rows(s, np.asarray(x, np.float64)) for s, x in positions.items()}
        kind = self._kinds({s: len(x) for s, x in rows.items()}, capacity, (), dtype)
        ordered = [rows[s] for s in self.species if s in rows and len(rows[s])]
        some = np.concatenate(ordered or [np.asarray(self.corners).mean(0)[None]])
        empty = np.repeat(some[:1], capacity - sum(map(len, ordered)), axis=0)
        return Pool(tf.constant(np.concatenate([*ordered, empty]), dtype), kind)

    def _rows(self, species, x):
        """(m, d), also of one position (d,) and of none."""
        if x.size and (x.ndim not in (1, 2) or x.shape[-1] != self.ndim):
            why = f"the region has {self.ndim} dimensions"
            refuse(f"positions[{species}]", x, f"shape (m, {self.ndim})", why, "Give each molecule its coordinates.")
        return x.reshape(-1, self.ndim)

    def _kinds(self, numbers, capacity, boxes, dtype):
        for s in set(numbers) - set(self.species):
            refuse("species", s, f"one of {', '.join(self.species)}", "no other is known", "Name it in D, or drop it.")
        counts = [_checks.integer(s, numbers.get(s, 0), least=0, why="it counts molecules") for s in self.species]
        if sum(counts) > capacity:
            refuse("capacity", capacity, f"at least {sum(counts)}", "each molecule has a place", "Raise it.")
        kind = np.repeat([*range(len(counts)), -1], [*counts, capacity - sum(counts)])
        return tf.constant(np.broadcast_to(kind, (*boxes, capacity)), dtype)

    @property
    def names(self) -> tuple[Named, ...]:
        """Of a Pool."""
        return Named("x"), Named("kind", kinds=self.species)

    @property
    def count(self) -> Count:
        """law.count(t, y): how many there are of each species, (..., S); to be recorded, SaveAt(…, fn=law.count)."""
        return Count(self.species)

    def well_mixed(self, volume: float | None = None) -> Jump:
        """The same reactions without space: molecules of one volume, by default that of a Box."""
        if volume is None and not isinstance(self.region, Box):
            why, way_out = "only a Box knows its own", "Pass e.g. well_mixed(4 / 3 * math.pi * R**3)."
            refuse("volume", None, "that of the region", why, way_out, TypeError)
        volume = float(np.prod(np.subtract(*self.corners[::-1]))) if volume is None else volume
        volume = _checks.number("volume", volume, above=0.0, why="molecules meet in it")
        k = tuple(k * volume ** (1 - sum(met)) for k, met in zip(self.k, self.orders, strict=True))
        return Jump(self.change, Elementary(k, self.orders), species=self.species, first=self.first)

    # What `solve` asks.

    def slots(self):
        """Reactions of particles."""
        return frozenset({Slot.JUMPS, Slot.PARTICLES})

    def chosen(self, h):
        """The one stepper that there is."""
        from diffsim.particles.stepper import DiffuseReact

        return DiffuseReact(), "molecules diffuse and react in turns"

    def over(self, key, n, t, h, y):
        """Draws."""
        return Draws(key, n, self.first)

    def of_state(self, y):
        """Refuse states that are no pools, unknown species, and molecules outside; let the rarer of a pair look."""
        fits = isinstance(y, Pool) and y.x.shape.rank >= 2 and y.x.shape[-1] == self.ndim
        if not (fits and y.x.shape[:-1] == y.kind.shape):
            expected = f"a Pool of positions (…, n, {self.ndim}) and kinds (…, n)"
            refuse("y0", y, expected, "it holds the molecules", "Use law.fill(…) or law.pool(…).", TypeError)
        if tf.is_symbolic_tensor(y.x):
            return replace(self, places=y.kind.shape[-1])
        kind = np.asarray(y.kind)
        bad = (kind != np.round(kind)) | (kind < -1) | (kind >= len(self.species))
        if bad.any():
            expected = f"−1 (empty) … {len(self.species) - 1}, for {', '.join(self.species)}"
            refuse("y0.kind", Verbatim(f"{kind[bad][0]:g}"), expected, "it numbers the species", "Use law.fill(…).")
        lost = outside(self.within(y.x), y.x) & (kind >= 0)
        if lost.any():
            shown = Verbatim(f"{lost.sum():,} of {(kind >= 0).sum():,} molecules outside, the first at "
                             f"{np.asarray(y.x)[lost][0]}")
            refuse("y0.x", shown, f"positions inside {_checks.describe(self.region)}",
                   "walls keep molecules on their side", "Move or drop those outside.")
        numbers = [int((kind == s).sum()) for s in range(len(self.species))]
        return replace(self, scheme=self.scheme.oriented(numbers), places=y.kind.shape[-1])

    def within(self, x):
        """Signed distance to the walls, negative inside; periodic axes have none."""
        if not isinstance(self.region, Box):
            return self.region._distance(x)
        middle = 0.5 * (like(self.region.lower, x) + like(self.region.upper, x))
        return self.region._distance(tf.where(tf.constant(self.periodic), middle, x))
