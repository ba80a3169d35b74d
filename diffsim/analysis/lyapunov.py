"""Lyapunov exponents: whether neighbouring states part, and how fast."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.random import normal, split
from diffsim.simulation import Simulation


class Exponent(NamedTuple):
    """The largest Lyapunov exponent.

    Attributes:
        value: λ [1 / time]: > 0 for chaos, 0 for a periodic orbit, < 0 for a stable state.
        error: its standard error, from the means of ten stretches of the run.
        running: (rounds,) λ from the start to the end of each round.
        final: the state at the end.
    """

    value: float
    error: float
    running: np.ndarray
    final: object


def lyapunov(simulation: Simulation, y0, *, steps: int, rounds: int, key, size: float | None = None,
             skip: int | None = None, t: float = 0.0) -> Exponent:
    """λ = lim (1/t) ln(‖δy(t)‖/‖δy(0)‖): two copies of a state, the distance reset after every round.

    The second copy starts at a random direction, at the distance `size`; after each round of steps the stretch is
    noted and the distance reset along the direction that it has then. Both copies march through the same compiled
    program, so that λ is that of the discrete steps.

    Args:
        simulation: a Simulation of the law, without noise.
        y0: a state on the attractor or near it.
        steps: steps in a round: short enough for the distance to stay small.
        rounds: how many rounds are counted, ≥ 10.
        key: for the first direction.
        size: root mean square of the distance; √ε of the precision times that of y if not given. Distances in
            which rounding shows read as too large exponents.
        skip: rounds before counting, while the direction turns into the fastest; a fifth of `rounds` if not given.
        t: time of y0.

    Returns:
        Exponent.

    Raises:
        ValueError: fewer than 10 rounds, or states that leave the finite numbers.

    Source: G. Benettin, L. Galgani, J.-M. Strelcyn, Phys. Rev. A 14 (1976) 2338, doi:10.1103/PhysRevA.14.2338.
    """
    _checks.instance("simulation", simulation, Simulation, why="both copies take the same steps",
                     way_out="Build Simulation(law, stepper, dt=…, like=y0).")
    steps = _checks.integer("steps", steps, least=1, why="a round takes steps")
    rounds = _checks.integer("rounds", rounds, least=10, why="the error comes from ten stretches")
    skip = rounds // 5 if skip is None else _checks.integer("skip", skip, least=0, why="rounds are counted")
    y = _nest.map(tf.convert_to_tensor, y0)
    if size is None:
        eps = np.finfo(_nest.real_dtype(y).as_numpy_dtype).eps
        size = math.sqrt(eps) * max(_rms(y), 1e-3)
    size = _checks.number("size", size, above=0.0, why="it is a distance")
    keys = iter(split(key, len(_nest.flatten(y))))
    z = _nest.map(lambda a: a + tf.cast(size, a.dtype) * tf.cast(normal(next(keys), a.shape, a.dtype.real_dtype),
                                                                  a.dtype), y)
    before, stretch, span = _rms(_nest.map(tf.subtract, z, y)), np.zeros(skip + rounds), steps * simulation.dt
    for k in range(skip + rounds):
        now = t + k * span
        y, z = (simulation.advance(a, steps, t=now, first=k * steps) for a in (y, z))
        apart = _nest.map(tf.subtract, z, y)
        after = _rms(apart)
        if not math.isfinite(after) or after == 0.0:
            _checks.refuse("y0", _checks.Verbatim(f"a distance of {after:g} in round {k}"), "a finite distance > 0",
                           "its logarithm is the exponent", "Take a larger size, or shorter steps.")
        stretch[k] = math.log(after / before)
        factor = size / after
        z = _nest.map(lambda a, d, f=factor: a + tf.cast(f, a.dtype) * d, y, apart)
        before = _rms(_nest.map(tf.subtract, z, y))  # as rounded
    counted = stretch[skip:] / abs(span)
    parts = [p.mean() for p in np.array_split(counted, 10)]
    running = np.cumsum(counted) / np.arange(1, rounds + 1)
    return Exponent(float(counted.mean()), float(np.std(parts, ddof=1) / math.sqrt(10)), running, y)


def _rms(y) -> float:
    """Root mean square over all numbers of a state, in double precision."""
    parts = [tf.cast(tf.abs(a), tf.float64) for a in _nest.flatten(y)]
    total = sum(float(tf.reduce_sum(a * a)) for a in parts)
    return math.sqrt(total / sum(int(tf.size(a)) for a in parts))
