"""Particles between walls: any stepper, in any shape, with the boundary conditions that grids have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import Verbatim, refuse
from diffsim.boundary import Boundary, Condition, Dirichlet, Flux, Neumann, Periodic, Robin
from diffsim.geometry import Box, Shape
from diffsim.grid import AXIS_NAMES, Grid, RadialGrid
from diffsim.steppers import faces
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.excursion import Excursion, bridged, mixes, outside, sideways, split, with_position
from diffsim.steppers.wrap import Wrapper

PURPOSE = 0x77616C6C  # "wall": under which the numbers of walls are drawn, one further for each wall inside another


class Fate(NamedTuple):
    """What walls have done to particles; None where they do nothing of the kind.

    Attributes:
        alive: whether the particle is still there, bool, (...).
        time: when it was lost, float64, (...); inf if it was not. Its position is where that happened.
        wall: at which wall, int32, (...), −1 if nowhere. Of a box 2i is the lower side of axis i, 2i + 1 the upper one;
            of a shape 0 is its surface and i its i-th port. Walls around other walls count on from these.
        images: how often it has gone round each periodic axis, int32, (..., d): x + images·L is unwrapped.
    """

    alive: Any = None
    time: Any = None
    wall: Any = None
    images: Any = None


@dataclass(frozen=True)
class Walls(Wrapper):
    """Each step of another stepper, ended by the walls of a region.

    Neumann() reflects, Dirichlet() absorbs, Robin(κ) reacts with D ∂ₙp − vₙp = κp (v the drift), Periodic() goes round.
    Between the ends of a step the path is a Brownian bridge whatever its drift. Its depth beyond a wall is the local
    time ℓ there: of hits, their times and places, of reactions and of paths that are pushed back by ℓ the law is exact
    for flat walls and constant D and drift; else of weak order 1. Walls that only reflect mirror the end of a path:
    exact without drift, of weak order 1 with it (Robin(0.0) pushes there too, for some more work). Where noise differs
    by direction, walls push along Dn, as no flux nᵀD∇p = 0 has it. Noise that is not white, or absent, has straight
    paths. Two walls are met one by one: those that take particles must be further apart than a step is long.

    A position is a state (..., d), or the first part of a pair (x, v) whose velocity turns with it. Particles that
    were lost rest where that happened; `solution.fate` knows when and at which wall.

    Args:
        stepper: takes the steps.
        region: a Shape, or a Grid, which means its box.
        boundary: one condition for all walls; for a box also ``Boundary(x=…, y=(lower, upper))``.
        ports: pairs (shape, condition): another condition on the part of the wall inside a shape; the first counts.

    Raises:
        TypeError, ValueError: what particles cannot obey.

    References:
        Bossy, Gobet & Talay (2004), doi:10.1239/jap/1091543431, for reflection; Gobet (2000),
        doi:10.1016/S0304-4149(99)00109-X, for absorption; Gobet (2001), doi:10.1051/ps:2001112, for local times;
        Singer et al. (2008), doi:10.1137/060663258, for reactions.
    """

    region: Any
    boundary: Any = field(default_factory=Neumann)
    ports: tuple = ()

    def __post_init__(self):
        super().__post_init__()
        region = self.region
        if isinstance(region, Grid) and not isinstance(region, RadialGrid):
            region = Box(region.origin, tuple(np.add(region.origin, region.size).tolist()))
        why, way_out = "a wall is its surface", "Use e.g. Ball(0.0, 5.0), Box(0.0, 1.0) or a Grid."
        object.__setattr__(self, "region", _checks.instance("region", region, Shape, why=why, way_out=way_out))
        object.__setattr__(self, "boundary", self._resolved())
        for pair in self.ports:
            _checks.instance("port", pair[0], Shape, why="it holds a part of the wall", way_out="Use e.g. a Ball.")
        if self.ports and isinstance(self.boundary, tuple):
            way_out = "Say it by the sides, or take Box(…) & Box(…), which is a shape like others."
            refuse("ports", self.ports, "none with a Boundary", "it says all about the sides", way_out)
        for condition in self._conditions():
            _obeyed(condition)
        if self._repeats:
            self._check_periods()
        self._check_inside()

    def _check_periods(self):
        """Refuse cells that do not close."""
        way_out = "Use Periodic() for both ends of an axis of finite length, without ports."
        ends = [np.atleast_1d(end) for end in self.region.bounds()]
        pairs = self._pairs(max(map(len, ends)))
        for i, pair in enumerate(pairs):
            both = [isinstance(c, Periodic) for c in pair]
            length = ends[1][min(i, len(ends[1]) - 1)] - ends[0][min(i, len(ends[0]) - 1)]
            if any(both) and (not all(both) or self.ports or not np.isfinite(length)):
                refuse("boundary", pair, "two ends that are one", "a periodic axis has no ends", way_out)

    def _resolved(self):
        """One condition, or a pair for each axis of a box."""
        if isinstance(self.boundary, Boundary):
            return self._by_axis(self.boundary.axes)
        if isinstance(self.boundary, tuple):
            return self.boundary
        way_out = "Use Neumann(), Dirichlet(), Robin(κ), Periodic() or Boundary(…)."
        _checks.instance("boundary", self.boundary, Condition, why="it says what walls do", way_out=way_out)
        if isinstance(self.boundary, Periodic) and not isinstance(self.region, Box):
            refuse("boundary", self.boundary, "walls", "only a box repeats", "Use Walls(stepper, Box(…), Periodic()).")
        return self.boundary

    def _by_axis(self, axes):
        d, names = self.region.ndim, AXIS_NAMES
        if not isinstance(self.region, Box) or set(axes) != set(names[: len(axes)]) or d not in (None, len(axes)):
            why, way_out = "they belong to the sides of a box", "Pass one condition, or one for each axis of a Box."
            expected = f"axes {list(names[:d])}" if isinstance(self.region, Box) else "one condition"
            refuse("boundary", Verbatim(f"conditions for {sorted(axes)}"), expected, why, way_out)
        return tuple(v if isinstance(v := axes[n], tuple) else (v, v) for n in names[: len(axes)])

    def _conditions(self):
        own = [c for pair in self.boundary for c in pair] if isinstance(self.boundary, tuple) else [self.boundary]
        return [*own, *(c for _, c in self.ports)]

    def _check_inside(self):
        """Refuse steppers whose memory would not survive a wall."""
        inner = type(self.stepper)
        if inner.init is not Stepper.init and inner.turned is Stepper.turned:
            why = f"{inner.__name__} remembers past steps and has no rule for one that a wall has turned"
            refuse("stepper", self.stepper, "one that starts anew", why, "Use EulerMaruyama(), Heun() or BAOAB().")
        if isinstance(self.stepper, Walls) and any(isinstance(c, Periodic) for c in self.stepper._conditions()):
            why, way_out = "its steps jump around the cell", "Put Periodic walls outermost."
            refuse("stepper", self.stepper, "one without periodic walls", why, way_out)

    @property
    def depth(self) -> int:
        """How many walls are inside."""
        return self.stepper.depth + 1 if isinstance(self.stepper, Walls) else 0

    def labels(self, d: int) -> int:
        """How many walls have numbers, those inside included."""
        inside = self.stepper.labels(d) if isinstance(self.stepper, Walls) else 0
        return inside + (2 * d if isinstance(self.region, Box) and not self.ports else 1 + len(self.ports))

    def _pairs(self, d: int):
        return self.boundary if isinstance(self.boundary, tuple) else ((self.boundary, self.boundary),) * d

    @property
    def _folds(self) -> bool:
        return isinstance(self.region, Box) and not self.ports

    @property
    def _reacts(self) -> bool:
        return any(faces.reacts(c) for c in self._conditions())

    @property
    def _repeats(self) -> bool:
        return any(isinstance(c, Periodic) for c in self._conditions())

    def bind(self, law, h):
        """Bind the stepper inside; refuse reactions of particles that do not follow Brownian paths."""
        bound, law = super().bind(law, h)
        if self._reacts and not self.stepper.on_path:
            why = f"the points of {type(self.stepper).__name__} do not lie on one path"
            refuse("stepper", self.stepper, "one that follows paths", why, "Use EulerMaruyama().", TypeError)
        if any(isinstance(c, Robin) for c in self._conditions()) and not bridged(law):
            got = None if law.diffusion is None else law.noise
            why = "a wall reacts in proportion to the local time of a Brownian path"
            refuse("noise", got, "Brownian noise", why, "Use Dirichlet() or Neumann().", TypeError)
        return bound, law

    def check_start(self, law, y):
        """Refuse states without positions, and positions outside."""
        super().check_start(law, y)
        x, v = split(y)
        if v is not None and any(isinstance(c, Robin) for c in self._conditions()):
            why = "smooth paths have no local time at a wall"
            refuse("boundary", self.boundary, "Dirichlet() or Neumann() for (x, v)", why, "Use an overdamped law.")
        d = len(self.boundary) if isinstance(self.boundary, tuple) else None
        if d not in (None, x.shape[-1]):
            why, way_out = "the last axis holds the coordinates", "Give conditions for each of them."
            refuse("y0", x, f"positions of shape (..., {d})", why, way_out)
        distance = self.region.distance(x)
        if self._folds:  # beyond a periodic side there is an image inside
            walled = tf.constant([not isinstance(pair[0], Periodic) for pair in self._pairs(x.shape[-1])])
            distance = self.region.distance(tf.where(walled, x, faces.fold(self.region, self._all_round(x), x, [])[0]))
        if tf.is_symbolic_tensor(x):
            return
        lost = outside(distance, x)
        if lost.any():
            first = np.asarray(x)[lost][0]
            shown = Verbatim(f"{lost.sum():,} of {lost.size:,} positions outside, the first at {first}")
            expected = f"positions inside {_checks.describe(self.region)}"
            refuse("y0", shown, expected, "walls keep particles on their side", "Move or drop those outside.")

    @staticmethod
    def _all_round(x):
        return ((Periodic(), Periodic()),) * x.shape[-1]

    def init(self, law, t, y):
        """All alive, none gone round."""
        x, _ = split(y)
        lead = x.shape[:-1]
        lost = (tf.fill(lead, True), tf.fill(lead, tf.constant(np.inf, tf.float64)), tf.fill(lead, -1))
        images = tf.zeros(x.shape, tf.int32) if self._repeats else ()
        own = Fate(*(lost if self._reacts else ((), (), ())), images)
        return self.stepper.init(law, t, y), own

    def fate(self, memory):
        """What these walls and those inside have done."""
        own = Fate(*(None if isinstance(part, tuple) else part for part in memory[1]))
        inner = self.stepper.fate(memory[0])
        if inner is None or inner.alive is None:
            return own if self._reacts or self._repeats else inner
        if own.alive is None:
            return inner._replace(images=own.images)
        wall = tf.where(own.alive, inner.wall, own.wall)
        return Fate(own.alive & inner.alive, tf.minimum(own.time, inner.time), wall, own.images)

    def turned(self, law, t, y, memory):
        """Walls inside keep what they know."""
        return self.stepper.turned(law, t, y, memory[0]), memory[1]

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step, then the walls."""
        inner, own = memory
        step = self.stepper.step(law, t, h, y, inner, prepared, noise)
        (x0, _), (x1, v) = split(y), split(step.y)
        way = None if noise is None or v is not None else sideways(law, t, y)
        found = self._losses(law, t, h, y, x1, noise) if self._reacts else None
        pushed = x1 if found is None or v is not None else found.kept
        x, turned, rounds = self._turn(x0, pushed, _vectors(x1, v, step.memory), way, mixes(law))
        new = with_position(step.y, x) if v is None else _nest.pack(y, [x, turned.pop(0), *_nest.flatten(step.y)[2:]])
        inner = self.stepper.turned(law, t + tf.cast(h, tf.float64), new, _with_vectors(x1, step.memory, turned))
        if self._reacts:
            others = self._others(memory[0]) & self._others(inner)
            new, own, rounds = self._lose(found, t, h, own, new, others, rounds)
            new = _nest.map(lambda a, b: tf.where(_nest.spread(memory[1].alive, a), a, b), new, y)
            rounds = None if rounds is None else tf.where(memory[1].alive[..., None], rounds, 0)
        if self._repeats:
            own = own._replace(images=own.images + rounds)
        return Step(new, step.error, (inner, own))

    def _turn(self, x0, x1, vectors, way=None, oblique=False):
        if not self._folds:
            surface = faces.Surface(self.region, self.boundary, self.ports)
            return *faces.mirror([surface], x0, x1, vectors, way), None
        pairs = self._pairs(x1.shape[-1])
        walls = faces.sides(self.region, pairs, x1, faces.turns) if way is not None and oblique else []
        if walls:
            x1, vectors = faces.mirror(walls, x0, x1, vectors, way)
        return faces.fold(self.region, pairs, x1, vectors)

    def _losses(self, law, t, h, y, x1, noise):
        """What the walls do to the free step to x1."""
        d = x1.shape[-1]
        if self._folds:
            walls = faces.sides(self.region, self._pairs(d), x1)
            round_ = tf.constant([isinstance(pair[0], Periodic) for pair in self._pairs(d)])
        else:
            walls = faces.surface(self.region, self.boundary, self.ports)

        def lands(x):
            return tf.where(round_, x, self._turn(x, x, [])[0]) if self._folds else x

        excursion = Excursion(law, t, h, y, x1, noise, PURPOSE + self.depth, walls, lands)
        return excursion.losses(self.stepper.labels(d) if isinstance(self.stepper, Walls) else 0)

    def _lose(self, found, t, h, own, new, others, rounds):
        """The state, the fate and the rounds after the losses of one step."""
        lost, place = found.lost & own.alive & others, found.place
        if self._repeats:
            place, _, at_end = self._turn(place, place, [])
            rounds = tf.where(lost[..., None], at_end, rounds)
        x = tf.where(lost[..., None], place, split(new)[0])
        time = tf.where(lost, t + tf.cast(found.tau, tf.float64) * tf.cast(h, tf.float64), own.time)
        own = own._replace(alive=own.alive & ~lost, time=time, wall=tf.where(lost, found.wall, own.wall))
        return with_position(new, x), own, rounds

    def _others(self, memory):
        """Whether walls inside have left the particle alone."""
        fate = self.stepper.fate(memory)
        return True if fate is None or fate.alive is None else fate.alive


def _vectors(x, v, memory):
    """What turns with the position: its velocity, and what in a stepper's memory is like it."""
    kept = [part for part in _nest.flatten(memory) if _alike(part, x)]
    return kept if v is None else [v, *kept]


def _with_vectors(x, memory, turned):
    turned = iter(turned)
    return _nest.map(lambda part: next(turned) if _alike(part, x) else part, memory)


def _alike(part, x):
    return part.shape == x.shape and part.dtype == x.dtype


def _obeyed(condition):
    """Refuse conditions that particles cannot obey."""
    why, way_out = "walls let no particles in", "Leave the value zero, and start particles where they enter."
    _checks.instance("boundary", condition, Condition, why="it says what walls do", way_out="Use Neumann().")
    if isinstance(condition, Robin) and not isinstance(condition.transfer, (int, float, tf.Tensor, tf.Variable)):
        refuse("transfer", condition.transfer, "a number", "a wall is one face", "Use ports for its parts.")
    if isinstance(condition, Flux) or not condition.homogeneous:
        refuse("boundary", condition, "Neumann(), Dirichlet(), Robin(κ) or Periodic()", why, way_out)


def Reflected(stepper: Stepper, shape) -> Walls:
    """Walls that reflect: no flux, ∂ₙp = 0.

    Args:
        stepper: takes the steps.
        shape: a Shape, or a Grid, which means its box.

    Returns:
        A stepper.
    """
    return Walls(stepper, shape, Neumann())


def Absorbed(stepper: Stepper, shape, port: Shape | None = None) -> Walls:
    """Walls that absorb, p = 0; with a port, only the part of them inside that shape, and the rest reflects.

    Args:
        stepper: takes the steps.
        shape: a Shape, or a Grid, which means its box.
        port: None, or a Shape.

    Returns:
        A stepper; `solution.fate` has times and walls of the losses.
    """
    return _partly(stepper, shape, Dirichlet(), port)


def Reactive(stepper: Stepper, shape, kappa: float, port: Shape | None = None) -> Walls:
    """Walls that react, D ∂ₙp = κp (n inwards); with a port, only the part of them inside that shape.

    Args:
        stepper: takes the steps.
        shape: a Shape, or a Grid, which means its box.
        kappa: κ > 0 [length / time].
        port: None, or a Shape.

    Returns:
        A stepper; `solution.fate` has times and walls of the losses.
    """
    return _partly(stepper, shape, Robin(kappa), port)


def _partly(stepper, shape, condition, port):
    return Walls(stepper, shape, condition) if port is None else Walls(stepper, shape, Neumann(), ((port, condition),))
