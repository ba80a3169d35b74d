"""Stability over a plane of parameters: uniform states, growth and classes of all sets, in one compiled program."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _tree
from diffsim._compiled import Compiled
from diffsim.analysis import eigen, stability
from diffsim.analysis.vary import vary

MOST = 2**24  # sets × wavenumbers at once, where XLA keeps none of them; a sixteenth where eigenvalues are stored
STEPS = 60  # of Newton's method


@dataclass(frozen=True)
class StabilityMap:
    """What is unstable where, [nx, ny] each.

    Args:
        x: (name, values) of the parameter along the first axis.
        y: (name, values) of the parameter along the second axis.
        codes: `Instability` of each set; UNKNOWN where no uniform state was found.
        k: wavenumber of the fastest wave [1 / length].
        growth: its Re λ [1 / time].
        frequency: its |Im λ| [radian / time].
        state: uniform state, an array for each species.
        converged: where Newton's method has found a state.
    """

    x: tuple[str, np.ndarray]
    y: tuple[str, np.ndarray]
    codes: np.ndarray
    k: np.ndarray
    growth: np.ndarray
    frequency: np.ndarray
    state: tuple[np.ndarray, ...]
    converged: np.ndarray

    @property
    def kinds(self) -> tuple[stability.Instability, ...]:
        """All that a code may stand for, in the order of the codes."""
        return tuple(stability.Instability)


def stability_map(model, k, *, x: tuple, y: tuple, state: Callable | tuple | None = None) -> StabilityMap:
    """The `Instability` and the fastest wave for each pair of two parameters; XLA does all pairs and waves at once.

    Args:
        model: a model with `symbol`; its other parameters stay as they are.
        k: wavenumbers ≥ 0, (K,); the fastest of them is reported, so let them be dense [1 / length].
        x: (name, values) of one parameter, values (nx,).
        y: (name, values) of another, values (ny,).
        state: where Newton's method starts: a closed form or guess, model ↦ state, called once with arrays as
            parameters, NaN where there is none; or one state for all; the last of `steady_states()` if not given:
            of each set where models have a closed form for arrays, else in the middle of the map.

    Returns:
        StabilityMap.

    Raises:
        TypeError: a model without `symbol`, axes that are no pairs.
        ValueError: unknown names, values that are not (n,), k < 0, a model that has no uniform state.
    """
    stability.linear(model)
    k2 = np.atleast_1d(stability.wavenumbers(k)).ravel() ** 2
    names, (xs, ys) = zip(*(_axis("x", x), _axis("y", y)), strict=True)
    one = vary(vary(model, **{names[0]: float(xs[0])}), **{names[1]: float(ys[0])})  # refuses what is unknown
    if names[0] == names[1]:
        _checks.refuse("y", names[1], f"another parameter than {names[0]!r}", "a map has two axes",
                       "Give the name of a second one.")
    jit = eigen.closed(one.symbol(0.0, (1.0,) * len(model.species)))
    rows = min(len(xs), max(1, (MOST if jit else MOST // 16) // (len(ys) * len(k2))))
    guess = _start(model, names, (xs, ys), state)
    blocks = []
    for first in range(0, len(xs), rows):
        i = np.minimum(np.arange(first, first + rows), len(xs) - 1)  # equal blocks: one program serves all
        family = vary(model, **{names[0]: xs[i][:, None], names[1]: ys[None, :]})
        y0, found = uniform_state(family, [g[i] for g in guess])
        blocks.append([a[: len(xs) - first] for a in (*_survey(family, y0, k2, jit), *y0, found)])
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    (*numbers, crosses, scale), y0, found = columns[:7], columns[7:-1], columns[-1]
    summary = [np.where(found, a, np.nan) for a in numbers]
    classes = stability.codes(*summary, crosses & found, np.where(found, scale, 1.0))
    return StabilityMap((names[0], xs), (names[1], ys), classes, summary[4], summary[2], summary[3], tuple(y0), found)


def uniform_state(model, guess) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """f(y) = 0 by Newton's method, for all sets of parameters at once.

    Args:
        model: a model with `rates` and `jacobian`; arrays among its parameters are sets, broadcast together.
        guess: where to start: a number or an array (sets) for each species; NaN where there is no state.

    Returns:
        (state, converged): an array over the sets for each species, and where the last step and the rates were as
        small as rounding allows.

    Raises:
        ValueError: another number of entries than species.
    """
    parts = guess if isinstance(guess, (tuple, list)) else (guess,)
    if len(parts) != len(model.species):
        _checks.refuse("guess", guess, f"a tuple of {len(model.species)}: ({', '.join(model.species)})",
                       "a uniform state has one value for each species", "Give a number or an array for each.")
    leaves, structure = _tree.flatten(model)
    y = [tf.constant(p, tf.float64) for p in parts]
    shape = np.broadcast_shapes(*(a.shape for a in (*y, *_rates(model, y))))  # of all sets that the rates know
    y = [tf.broadcast_to(a, shape) for a in y]
    leaves, step = _tree.as_tensors(leaves, tf.float64), _newton(structure)
    for _ in range(STEPS):
        y, moved = step(leaves, y)
        moved = moved.numpy()
        if not (moved > 1e-12).any():  # what is NaN is lost and stays so
            break
    return tuple(a.numpy() for a in y), moved <= 1e-9


@functools.lru_cache(maxsize=32)
def _newton(structure):
    """y ↦ y − J⁻¹f, and the largest step relative to 1 + |y|."""

    def step(leaves, y):
        model = _tree.unflatten(structure, leaves)
        f = [tf.broadcast_to(a, y[0].shape) for a in _rates(model, y)]
        J = model.jacobian(tuple(y))
        size = tf.reduce_max(tf.abs(J), [-2, -1]) * (1 + _greatest(y))
        there = _greatest(f) <= 1e-14 * size  # where an amount is conserved J is singular, and no step is to be made
        move = [tf.where(there, tf.zeros_like(m), m) for m in _solve(J, f)]
        moved = _greatest([m / (1 + tf.abs(a)) for m, a in zip(move, y, strict=True)])
        return [a - m for a, m in zip(y, move, strict=True)], moved

    return Compiled(structure, lambda: tf.function(step, jit_compile=True, autograph=False))


def _rates(model, y):
    return tf.nest.flatten(model.rates(tf.zeros([], tf.float64), y[0] if len(y) == 1 else tuple(y)))


def _greatest(parts):
    return functools.reduce(tf.maximum, [tf.abs(a) for a in parts])


def _solve(J, f):
    if len(f) == 1:
        return [f[0] / J[..., 0, 0]]
    if len(f) == 2:
        a, b, c, d = J[..., 0, 0], J[..., 0, 1], J[..., 1, 0], J[..., 1, 1]
        det = a * d - b * c
        return [(d * f[0] - b * f[1]) / det, (a * f[1] - c * f[0]) / det]
    return tf.unstack(tf.linalg.solve(J, tf.stack(f, -1)[..., None])[..., 0], axis=-1)


def _survey(model, y, k2, jit: bool = True):
    leaves, structure = _tree.flatten(model)
    program = _waves(structure, jit)
    return [a.numpy() for a in program(_tree.as_tensors(leaves, tf.float64), [tf.constant(a) for a in y],
                                       tf.constant(k2))]


@functools.lru_cache(maxsize=32)
def _waves(structure, jit: bool):
    def survey(leaves, y, k2):
        return stability.summary(_tree.unflatten(structure, leaves), tuple(y), k2)

    return Compiled(structure, lambda: tf.function(survey, jit_compile=jit, autograph=False))


def _axis(what, axis) -> tuple[str, np.ndarray]:
    """(name, values) of one parameter, values (n,)."""
    if not (isinstance(axis, (tuple, list)) and len(axis) == 2 and isinstance(axis[0], str)):
        _checks.refuse(what, axis, '(name, values), as ("Dv", np.linspace(2, 40, 200))',
                       "each axis of the map is one parameter", "Give its name and its values.", TypeError)
    name, array = axis
    array = np.asarray(_checks.finite(f"{name}", array, why="it is a parameter of the law"), np.float64)
    if array.ndim != 1 or not array.size:
        _checks.refuse(f"{name}", array, "shape (n,)", "each axis of the map is one parameter",
                       "Pass np.linspace(low, high, n).")
    return name, array


def rest(model):
    """The last uniform state of a model."""
    states = model.steady_states()
    if not states:
        _checks.refuse("model", model, "a model with a uniform steady state", "stability is that of a state",
                       "Pass state=, or other parameters.")
    return states[-1]


def _start(model, names, axes, state):
    xs, ys = axes
    family = vary(model, **{names[0]: xs[:, None], names[1]: ys[None, :]})
    if state is None:
        try:
            state = rest(family)  # a closed form for all sets
        except (TypeError, ValueError):
            state = rest(vary(model, **{n: float(v[len(v) // 2]) for n, v in zip(names, axes, strict=True)}))
    if callable(state):
        state = state(family)
    parts = state if isinstance(state, (tuple, list)) else (state,)
    try:
        return [np.broadcast_to(np.asarray(p, np.float64), (len(xs), len(ys))) for p in parts]
    except ValueError:
        shapes = _checks.Verbatim([np.shape(p) for p in parts])
        _checks.refuse("state", shapes, f"numbers, or arrays that broadcast to {(len(xs), len(ys))}",
                       "there is one state for each pair of parameters", "Use model ↦ state with NumPy arithmetic.")
