"""Observers: what is measured inside the loop, at every step, in memory that does not grow with the number of steps.

An observer is a fold: `start` makes what it keeps from the first state, `see` takes one state more, `result` reads it
off. What it keeps travels with the run, so that checkpoints hold it; over stored records the same fold gives the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import Verbatim, refuse
from diffsim._tree import static
from diffsim.equation import abstract
from diffsim.steppers.base import Step
from diffsim.steppers.wrap import Wrapper


class Observer(ABC):
    """Sees the first state and each one after it. Subclasses are frozen dataclasses: numbers in them are data."""

    equal: ClassVar[bool] = False  # whether the times at which it sees must be equally spaced

    def check(self, y):
        """Refuse states in which there is nothing to see, before anything is compiled; y may be symbolic."""
        return

    @abstractmethod
    def start(self, t, y):
        """What is kept after the first state: a nest of tensors."""

    @abstractmethod
    def see(self, seen, t, y):
        """What is kept after one state more: `seen` with the same structure, shapes and dtypes; t is float64."""

    @abstractmethod
    def result(self, seen):
        """The measurement, on the host; `seen` holds arrays."""

    def over(self, t, y):
        """The same measurement on stored records.

        Args:
            t: (m,) times.
            y: records with leading axis m, a nest like the state.

        Returns:
            What `solution.seen` would hold.

        Raises:
            ValueError: no records, or times that are not equally spaced, if they must be.
        """
        t, y = np.asarray(t, np.float64), _nest.map(tf.convert_to_tensor, y)
        if t.ndim != 1 or t.size == 0 or any(a.shape.rank == 0 or a.shape[0] != t.size for a in _nest.flatten(y)):
            why = "a record belongs to each time"
            refuse("t", t, "as many times as records", why, "Pass solution.t and solution.y.")
        steps = np.diff(t)
        if self.equal and steps.size and np.ptp(steps) > 1e-6 * np.abs(steps).max():
            refuse("t", t, "equally spaced times", "lags are multiples of one step", "Record with SaveAt(every=n).")
        records = [_nest.map(lambda a, k=k: a[k], y) for k in range(t.size)]
        self.check(records[0])
        times = [tf.constant(time, tf.float64) for time in t]
        see = tf.function(self.see, autograph=False)
        seen = tf.function(self.start, autograph=False)(times[0], records[0])
        for time, record in zip(times[1:], records[1:], strict=True):
            seen = see(seen, time, record)
        return self.result(_nest.map(np.asarray, seen))


@dataclass(frozen=True)
class Every(Observer):
    """Shows an observer every n-th state, from a time on.

    Args:
        observer: what sees them.
        n: steps from one to the next.
        since: time of the first, None for the start of the run: what comes before, e.g. relaxation, is not seen.
    """

    observer: Observer
    n: int = static(default=1)
    since: float | None = None

    def __post_init__(self):
        _observer(self.observer)
        _checks.integer("n", self.n, least=1, why="it counts steps")
        if self.since is not None:
            object.__setattr__(self, "since", _checks.number("since", self.since, why="it is a time"))

    @property
    def equal(self):
        """As the observer inside."""
        return self.observer.equal

    def check(self, y):
        """As the observer inside."""
        self.observer.check(y)

    def start(self, t, y):
        """(steps since the first state that is seen, −1 before it; what the observer keeps)."""
        return tf.where(self._begun(t), tf.zeros([], tf.int64), -tf.ones([], tf.int64)), self.observer.start(t, y)

    def see(self, seen, t, y):
        """Count, and show each n-th."""
        k, kept = seen
        k = tf.where((k >= 0) | self._begun(t), k + 1, k)
        shown = when(k % self.n == 0, lambda kept: self.observer.see(kept, t, y), kept)
        if self.since is not None:
            shown = when(k <= 0, lambda _: self.observer.start(t, y), shown)
        return k, shown

    def _begun(self, t):
        if self.since is None:
            return tf.constant(True)
        since = _nest.to(self.since, tf.float64)
        return t >= since - 1e-7 * tf.abs(since)

    def result(self, seen):
        """As the observer inside; None if the run ended before `since`."""
        return None if seen[0] < 0 else self.observer.result(seen[1])


@dataclass(frozen=True)
class Observed(Wrapper):
    """Steps as the stepper inside takes them, watched: `solution.seen` holds what observers have measured.

    Nothing of the path is stored: memory does not depend on the number of steps. It goes around all other wrappers,
    so that walls have acted before anyone looks. Files keep functions by name: where observers are given lambdas, pass
    the stepper to `resume` again.

    Args:
        stepper: takes the steps.
        watch: an Observer, or a dict, list or tuple of them; `solution.seen` is alike.

    Raises:
        TypeError: what is not an Observer, or a stepper that is watched already.
    """

    watch: Any = ()

    outermost = True
    strides = False  # one step to each record would show nothing in between

    def __post_init__(self):
        super().__post_init__()
        for observer in self._observers() or [None]:
            _observer(observer)

    def _observers(self):
        return _nest.flatten(self.watch)

    def check_plan(self, plan):
        """Refuse steps of different lengths where an observer counts lags in steps."""
        super().check_plan(plan)
        uneven = plan.adapted or abs(plan.longest - plan.shortest) > 1e-6 * abs(plan.longest)
        for observer in self._observers():
            if observer.equal and uneven:
                shown = Verbatim("adapted" if plan.adapted else f"from {plan.shortest:.6g} to {plan.longest:.6g}")
                why, way_out = "lags are multiples of one step", "Pass dt=… that divides the run and its record times."
                refuse("steps", shown, f"equal ones for {_name(observer)}", why, way_out)

    def check_start(self, law, y):
        """Refuse states in which there is nothing to see."""
        super().check_start(law, y)
        for observer in self._observers():
            observer.check(y)

    def init(self, law, t, y):
        """What the stepper remembers, and what the observers keep."""
        return self.stepper.init(law, t, y), tuple(o.start(t, y) for o in self._observers())

    def step(self, law, t, h, y, memory, prepared, noise):
        """A step, then a look."""
        inner, seen = memory
        step = self.stepper.step(law, t, h, y, inner, prepared, noise)
        end = t + tf.cast(h, tf.float64)
        seen = tuple(o.see(s, end, step.y) for o, s in zip(self._observers(), seen, strict=True))
        return Step(step.y, step.error, (step.memory, seen))

    def fate(self, memory):
        """As the stepper inside."""
        return self.stepper.fate(memory[0])

    def complaint(self, law, memory):
        """As the stepper inside."""
        return self.stepper.complaint(law, memory[0])

    def seen(self, memory):
        """The measurements, laid out like `watch`."""
        results = [o.result(_nest.map(np.asarray, s)) for o, s in zip(self._observers(), memory[1], strict=True)]
        return tf.nest.pack_sequence_as(self.watch, results) if len(results) else self.watch


def _observer(value):
    way_out = "Use e.g. ds.analysis.MSD()."
    return _checks.instance("watch", value, Observer, why="it is shown each state", way_out=way_out)


def _name(observer):
    return type(getattr(observer, "observer", observer)).__name__


def when(due, fn, kept):
    """fn(kept) if due, else kept: a loop of one turn or none, since XLA copies all that a tf.cond lets pass."""
    return tf.while_loop(lambda due, _: due, lambda _, kept: (False, fn(kept)), (due, kept), maximum_iterations=1)[1]


def part(of, t, y, place: int = 0):
    """of(t, y), or part `place` of the state if `of` is None: positions come first, velocities second."""
    if of is not None:
        return of(_nest.to(t, _nest.real_dtype(y)), y)
    parts = _nest.flatten(y)
    if place < len(parts):
        return parts[place]
    way_out = "Pass of=lambda t, y: …"
    return refuse("y0", Verbatim(f"{len(parts)} part"), "a pair (x, v)", "velocities are its second part", way_out)


def vectors(of, y, place: int = 0, axes: int = 2):
    """The shape (..., d) of what an observer looks at; refuses what has no axis for coordinates or for particles."""
    if of is not None and not callable(of):
        refuse("of", of, "a function of(t, y), or None", "it picks what is seen", "Leave it out.", TypeError)
    x = part(None, None, y, place) if of is None else abstract("of", lambda t, y: part(of, t, y), y)
    if not getattr(x, "dtype", tf.int32).is_floating or x.shape.rank < axes:
        names = "(..., particles, d)" if axes > 1 else "(..., d)"
        why, way_out = "the last axis holds coordinates, the one before it particles", "Add axes: x[:, None], x[None]."
        refuse("y0", x, f"real numbers of shape {names}", why, way_out)
    return tuple(x.shape)
