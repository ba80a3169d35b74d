"""Whether a state at rest is stable: the flow leaves it where disturbances grow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _nest

SCALES, REPEATS = 5, 4


class Growth(NamedTuple):
    """A disturbance that grows.

    Attributes:
        factor: by which it grows in an implicit step.
        gamma: of the step [time].
        side: on which side of the state the run began: 1, −1, or 0 where it began at the state itself.
        rest: the state at rest.
        kicked: the same, disturbed to that side.
    """

    factor: float
    gamma: float
    side: int
    rest: Any
    kicked: Any


def growing(relax, measure, restore, rest, start) -> Growth | None:
    """The disturbance of a state at rest that grows, or None.

    An implicit step of length γ multiplies a mode of rate λ by 1/(1 − γλ): more than one only for 0 < γλ < 2. Powers
    of it with γ on several scales, down from the Lipschitz constant of the rate along the disturbance, find a mode
    that grows without oscillating.

    Args:
        relax: (state, γ) → (the state after an implicit step, its error).
        measure: state → (root mean square rate, its scale).
        restore: state → the state with the amounts that the law keeps.
        rest: the state at rest.
        start: where the run began.
    """
    leaves = _nest.flatten(rest)
    real = _nest.real_dtype(rest)
    count = sum(leaf.shape.num_elements() for leaf in leaves)
    away = _nest.sub(start, rest)
    level = max(_norm(rest), _norm(start)) or count**0.5
    small = (1e-4 if real == tf.float64 else 1e-2) * level
    v = _nest.map(lambda a: tf.cast(tf.reshape(_uneven(a), a.shape), a.dtype), rest)
    v = _unit(v, 0.1) if _norm(away) < 1e-3 * small else _nest.add(_unit(away), _unit(v, 0.1))
    gamma = None
    for _ in range(SCALES):
        for _ in range(REPEATS):
            at = restore(_nest.axpy(tf.constant(small, real), _unit(v), rest))
            given = _norm(_nest.sub(at, rest))
            if given < 0.1 * small:  # nothing is left that the law can change
                return None
            if gamma is None:
                gamma = 0.5 * given / max(next(measure(at)) * count**0.5, 1e-300)
            new = relax(at, gamma)[0]
            v = _nest.sub(new, rest)
            if not np.isfinite(_norm(v)):
                return None
            factor = _norm(v) / given
        if factor > 1.05:
            v = _unit(v)
            side = float(_nest.dot(v, away))
            side = int(np.sign(side)) if abs(side) > 1e-6 * small else 0
            kicked = restore(_nest.axpy(tf.constant((side or 1) * 10 * small, real), v, rest))
            return Growth(factor, gamma / 2, side, rest, kicked)
        gamma *= 4
    return None


def _uneven(a):
    """Numbers in (−1, 1) without pattern, the same each time."""
    return np.modf(np.sqrt(2.0) * np.arange(1, a.shape.num_elements() + 1) ** 2)[0] * 2 - 0.9


def _norm(y) -> float:
    return float(_nest.dot(y, y)) ** 0.5


def _unit(y, size=1.0):
    n = _norm(y) or 1.0
    return _nest.map(lambda a: a * tf.cast(size / n, a.dtype), y)
