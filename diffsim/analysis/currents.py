"""What flows along paths: turns of a ring, power, entropy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._checks import refuse
from diffsim.analysis.correlators import lengths, nearest
from diffsim.analysis.lags import standard_error
from diffsim.calculus import Isothermal, Ito, Stratonovich
from diffsim.equation import abstract
from diffsim.steppers.observed import Observer, part, vectors


class Rate(NamedTuple):
    """A quantity that adds up along paths, per time.

    Attributes:
        value: mean over particles.
        error: its standard error; NaN for one particle.
        total: (N,) the sums themselves.
        time: for how long they were added.
    """

    value: float
    error: float
    total: np.ndarray
    time: float


@dataclass(frozen=True)
class Current(Observer):
    """J = (1/T) ∫ w(t, x) ∘ dx: what flows along w, for each particle.

    w = 1/L along an axis of a ring of length L gives its current of turns, w = F the power that a force F spends,
    w = F/kT the entropy production. Where w varies over a step, the point of evaluation matters as much as for noise:
    thermodynamics wants Stratonovich.

    Args:
        weight: w(t, x) → like x.
        calculus: Stratonovich(), or Ito() or Isothermal().
        of: of(t, y) → positions (..., d); None for the first part of the state.
        box: None, or the lengths of a periodic cell, a number or (d,): moves are those of the nearest images.

    References:
        Sekimoto (1998), doi:10.1143/PTPS.130.17; Seifert (2012), doi:10.1088/0034-4885/75/12/126001.
    """

    weight: Callable
    calculus: Ito | Stratonovich | Isothermal = field(default_factory=Stratonovich)
    of: Callable | None = None
    box: Any = None

    def __post_init__(self):
        if not callable(self.weight):
            refuse("weight", self.weight, "a function w(t, x)", "it is summed along paths", "Pass one.", TypeError)
        kinds, way_out = (Ito, Stratonovich, Isothermal), "Use Stratonovich()."
        _checks.instance("calculus", self.calculus, kinds, why="it says where w is taken", way_out=way_out)
        if self.box is not None:
            object.__setattr__(self, "box", lengths(self.box))

    def check(self, y):
        """Refuse weights unlike positions."""
        shape = vectors(self.of, y, axes=1)
        value = abstract("weight", lambda t, y: self.weight(t, part(self.of, t, y)), y)
        if tuple(value.shape) != shape:
            refuse("weight", value, f"the shape of positions, {shape}", "w·dx is a sum over coordinates",
                   "Add zeros: w + 0 * x.")

    def start(self, t, y):
        """Nothing has flown."""
        x = part(self.of, t, y)
        return t, t, x, tf.zeros(x.shape[:-1], tf.float64)

    def see(self, seen, t, y):
        """w at the begin and the end of the step, as the calculus weighs them, times the move."""
        begin, before, past, total = seen
        x = part(self.of, t, y)
        dx = x - past if self.box is None else nearest(self.box, x - past)
        w = between(self.weight, self.calculus.point, before, past, t, x)
        return begin, t, x, total + tf.cast(tf.reduce_sum(w * dx, -1), tf.float64)

    def result(self, seen) -> Rate:
        """J."""
        begin, end, _, total = seen
        time, total = float(end - begin), np.ravel(total)
        return Rate(float(total.mean() / time), standard_error(total / time), total, time) if time else None


def between(w, point, t0, x0, t1, x1):
    """(1 − p) w(t₀, x₀) + p w(t₁, x₁)."""
    t0, t1 = (_nest.to(t, x0.dtype) for t in (t0, t1))
    if point == 0.0:
        return w(t0, x0)
    return (1.0 - point) * w(t0, x0) + point * w(t1, x1)
