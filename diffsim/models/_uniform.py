"""Uniform states of a reaction–diffusion model: where the rates vanish, and how they change nearby."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree

STARTS = {1: 81, 2: 21, 3: 9}  # how many along each axis, for so many species; 5 for more


def leaves_of(species, state) -> list[tf.Tensor]:
    """One float64 tensor for each species; refuses another number of entries, and values that are not finite."""
    single = len(species) == 1 and not isinstance(state, (tuple, list))
    parts = (state,) if single else tuple(state) if isinstance(state, (tuple, list)) else None
    if parts is None or len(parts) != len(species):
        _checks.refuse("state", state, f"a tuple of {len(species)}: ({', '.join(species)})",
                       "a uniform state has one value for each species", "Take one of steady_states().")
    for name, part in zip(species, parts, strict=True):
        _checks.finite(f"state.{name}", part, why="the rates are linearised there")
    return [_nest.to(part, tf.float64) for part in parts]


def double(model):
    """The model with all its numbers as float64 tensors."""
    leaves, structure = _tree.flatten(model)
    return _tree.unflatten(structure, _tree.as_tensors(leaves, tf.float64))


def rates(model, leaves) -> list[tf.Tensor]:
    """fₛ as a list, at time zero."""
    y = leaves[0] if len(leaves) == 1 else tuple(leaves)
    return _nest.flatten(model.rates(tf.zeros([], tf.float64), y))


def jacobian(fn, leaves) -> tf.Tensor:
    """∂fᵢ/∂yⱼ [..., S, S] of pointwise functions, fn(leaves) → list."""
    shape = functools.reduce(tf.broadcast_static_shape, [a.shape for a in (*leaves, *fn(leaves))])
    leaves = [tf.broadcast_to(a, shape) for a in leaves]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(leaves)
        values = [tf.broadcast_to(f, shape) for f in fn(leaves)]
    rows = [tape.gradient(f, leaves, unconnected_gradients="zero") for f in values]
    return tf.stack([tf.stack(row, -1) for row in rows], -2)


def wavenumber(k2) -> tf.Tensor:
    """|k|² as a float64 tensor."""
    return _nest.to(_checks.finite("k2", k2, least=0.0, why="it is the square of a wavenumber"), tf.float64)


def transport(k2, D) -> tf.Tensor:
    """−k² diag(D) [..., S, S], D a sequence of numbers or arrays broadcast with k²."""
    columns = [-k2 * _nest.to(d, tf.float64) for d in D]
    shape = functools.reduce(tf.broadcast_static_shape, [c.shape for c in columns])
    return tf.linalg.diag(tf.stack([tf.broadcast_to(c, shape) for c in columns], -1))


def one_set(model) -> None:
    """Refuse parameters that are arrays, where the number of steady states depends on them.

    Raises:
        ValueError: as said.
    """
    if any(np.ndim(a) for a in _tree.flatten(model)[0]):
        _checks.refuse(type(model).__name__, _checks.Verbatim("arrays of parameters"), "numbers",
                       "the number of steady states may differ from set to set", "Ask for one set at a time.")


def newton(model, steps: int = 60) -> tuple[tuple[float, ...], ...]:
    """Isolated zeros of the rates that Newton's method reaches from a lattice of starts, in ascending order.

    Raises:
        ValueError: a parameter is an array.
    """
    one_set(model)
    S = len(model.species)
    line = np.sinh(np.linspace(-4.0, 4.0, STARTS.get(S, 5)))  # dense near zero
    y = np.stack(np.meshgrid(*[line] * S), -1).reshape(-1, S)
    wide = double(model)

    def fn(leaves):
        return rates(wide, leaves)

    def residual(y):
        values = fn([tf.constant(c) for c in y.T])
        return np.stack([np.broadcast_to(f, len(y)) for f in values], -1)

    with np.errstate(all="ignore"):
        for _ in range(steps):
            J = jacobian(fn, [tf.constant(c) for c in y.T]).numpy()
            good = np.isfinite(J).all((1, 2)) & np.isfinite(residual(y)).all(1)
            y, J = y[good], J[good]
            move = np.einsum("nij,nj->ni", np.linalg.pinv(J), residual(y)) if len(y) else y
            y = y - move
            if not len(y) or abs(move).max() <= 1e-15 * (1 + abs(y).max()):
                break
        settled = (abs(move) <= 1e-10 * (1 + abs(y))).all(1) & (np.linalg.cond(J) < 1e12)
        settled &= (abs(residual(y)) <= 1e-9 * (1 + abs(y).max(1, keepdims=True))).all(1)
    found: list = []
    for row in np.where(abs(y) < 1e-14, 0.0, y)[settled]:
        if not any(np.allclose(row, other, rtol=1e-6, atol=1e-8) for other in found):
            found.append(row)
    return tuple(sorted(tuple(float(v) for v in row) for row in found))


def real_roots(polynomial) -> tuple[float, ...]:
    """Real zeros of a polynomial with real coefficients, highest power first, ascending; double ones once."""
    p = np.trim_zeros(np.array([float(a) for a in polynomial]), "f")
    roots = np.roots(p)
    real = np.sort(roots.real[abs(roots.imag) < 1e-7 * (1 + abs(roots))])
    slope = np.polyder(p)
    for _ in range(2):  # to the last digits
        d = np.polyval(slope, real)
        real = real - np.where(abs(d) > 1e-12, np.polyval(p, real) / np.where(d == 0, 1.0, d), 0.0)
    return tuple(float(r) + 0.0 for i, r in enumerate(real) if i == 0 or r - real[i - 1] > 1e-7 * (1 + abs(r)))


def positive_roots(polynomial) -> tuple[float, ...]:
    """Those > 0."""
    return tuple(r for r in real_roots(polynomial) if r > 0.0)
