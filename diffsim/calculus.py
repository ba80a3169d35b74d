"""Where g is taken within an interval, and how a law stated in one calculus reads in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import tensorflow as tf

from diffsim import _checks, _nest, _tree, random
from diffsim._tree import static

TIMES = 0.2915026221291812, 0.8346268416740732  # when g is asked on what it depends: at 0 or 1 it may vanish


@dataclass(frozen=True)
class Ito:
    """g is taken at the beginning of each interval."""

    point: ClassVar[float] = 0.0


@dataclass(frozen=True)
class Stratonovich:
    """g is taken in the middle of each interval."""

    point: ClassVar[float] = 0.5


@dataclass(frozen=True)
class Isothermal:
    """g is taken at the end of each interval (Hänggi–Klimontovich): thermal equilibrium with D(x)."""

    point: ClassVar[float] = 1.0


@dataclass(frozen=True)
class NoiseMap:
    """g as a linear map that mixes the entries of dN: fn(t, y, dN) → a state like y.

    For noise that is projected on a surface, say: ``NoiseMap(lambda t, u, dN: dN - u * sum(u * dN))``. It acts on
    the last axis: what it returns for a vector y needs dN at that vector only.

    Args:
        fn: fn(t, y, dN), linear in dN.
    """

    fn: Callable


@dataclass(frozen=True)
class ExponentialAmplitude:
    """g(t) = g₀e^{bt}: noise that grows or dies away exponentially, as in annealing with the temperature T₀e^{2bt}.

    `ETD1` integrates it exactly, other steppers evaluate it where they need it.

    Args:
        g0: amplitude at t = 0 [state / time^½].
        rate: b [1 / time].

    Raises:
        TypeError, ValueError: g₀ or b is not a finite number.
    """

    g0: float | tf.Tensor
    rate: float | tf.Tensor

    def __post_init__(self):
        for name, why in (("g0", "it is the amplitude of noise"), ("rate", "it is a rate of growth")):
            if not isinstance(getattr(self, name), (tf.Tensor, tf.Variable)):
                _checks.number(name, getattr(self, name), why=why)

    def __call__(self, t, y):
        """g(t), for each entry of the state."""

        def leaf(a):
            real = a.dtype.real_dtype
            g = _nest.to(self.g0, real) * tf.exp(_nest.to(self.rate, real) * _nest.to(t, real))
            return tf.fill(tf.shape(a), tf.cast(g, a.dtype))

        return _nest.map(leaf, y)


class Reach(Enum):
    """On what g at an entry of the state depends."""

    NOTHING = "time only"
    ENTRY = "that entry"
    VECTOR = "the vector along the last axis"
    ALL = "other parts of the state"


@dataclass(frozen=True)
class Amplitude:
    """A function g(t, y), with what is known of it."""

    fn: Any
    reach: Reach = static()

    def __call__(self, t, y):
        """g(t, y)."""
        return self.fn(t, y)

    def times(self, t, y, dN):
        """g(t, y)·dN."""
        return self.fn.fn(t, y, dN) if isinstance(self.fn, NoiseMap) else _nest.map(tf.multiply, self.fn(t, y), dN)

    def slope(self, t, y):
        """Σₖ (gₖ·∇)gₖ, gₖ the columns of g: what the drift gains, times ½, from Stratonovich to Itô."""
        total, leaves = None, _nest.flatten(y)
        for i, leaf in enumerate(leaves):
            width = leaf.shape[-1] if self.reach is Reach.VECTOR and leaf.shape.rank else 1
            for k in range(width):
                one = tf.one_hot(k, width, dtype=leaf.dtype) if width > 1 else tf.ones([], leaf.dtype)
                unit = [tf.broadcast_to(one, leaf.shape) if j == i else tf.zeros_like(x) for j, x in enumerate(leaves)]
                part = _along(lambda y, unit=unit: self.times(t, y, _nest.pack(y, unit)), y)
                total = part if total is None else _nest.add(total, part)
        return total


def _along(column, y):
    """(g·∇)g for a vector field g, by forward differentiation."""
    direction = _nest.flatten(column(y))
    with tf.autodiff.ForwardAccumulator(_nest.flatten(y), direction) as forward:
        value = _nest.flatten(column(y))
    slopes = [forward.jvp(v) for v in value]
    return _nest.pack(y, [tf.zeros_like(v) if s is None else s for v, s in zip(value, slopes, strict=True)])


@dataclass(frozen=True)
class Converted:
    """f + w Σₖ (gₖ·∇)gₖ: the drift of a law in another calculus."""

    drift: Any
    amplitude: Amplitude
    weight: float = static()

    def __call__(self, t, y):
        """The drift at (t, y)."""
        slope = self.amplitude.slope(t, y)
        f = _nest.zeros(y) if self.drift is None else self.drift(t, y)
        return _nest.map(lambda a, b: a + _nest.to(self.weight, b.dtype) * b, f, slope)


def amplitude(g, y) -> Amplitude:
    """g with its reach, found by differentiating it near y; the state's numbers are looked at, nothing is compiled."""
    if isinstance(g, Amplitude):
        return g
    if isinstance(g, NoiseMap):
        return Amplitude(g, Reach.VECTOR)
    if isinstance(g, ExponentialAmplitude):
        return Amplitude(g, Reach.NOTHING)
    leaves = _nest.flatten(y)
    if any(tf.is_symbolic_tensor(leaf) for leaf in leaves):
        short = all(leaf.shape.rank > 1 and leaf.shape[-1] <= 3 for leaf in leaves)
        return Amplitude(g, Reach.VECTOR if short else Reach.ENTRY)
    flat, structure = _tree.flatten(g)
    fn = _tree.unflatten(structure, _tree.as_tensors(flat, _nest.real_dtype(y)))
    key = random.key(0x9E3779B9)
    near = [x + 0.01 * (1 + tf.abs(x)) * _like(random.normal, random.fold_in(key, i), x) for i, x in enumerate(leaves)]
    found = {_reach(fn, t, _nest.pack(y, near), key) for t in TIMES}
    return Amplitude(g, max(found, key=list(Reach).index))


def _reach(fn, t, y, key) -> Reach:
    """By products Jᵀr with signs r: of a diagonal J they are r·Jᵀ1, of a block-diagonal one likewise row by row."""
    leaves = _nest.flatten(y)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(leaves)
        values = _nest.flatten(fn(_nest.to(t, _nest.real_dtype(y)), y))

    def pull(i, j, r):
        return tape.gradient(values[i], leaves[j], r)

    rank, n = Reach.NOTHING, len(leaves)
    for i in range(n):
        x = leaves[i]
        signs = tf.where(_like(random.uniform, random.fold_in(key, 7), x) < 0.5, -tf.ones_like(x), tf.ones_like(x))
        if not all(_zero(pull(i, j, signs)) for j in range(n) if j != i):
            return Reach.ALL
        whole = pull(i, i, None)
        if _zero(whole) and _zero(pull(i, i, signs)):
            continue
        rows = tf.broadcast_to(signs[..., :1], x.shape) if x.shape.rank else signs
        if _same(pull(i, i, signs), signs * whole):
            rank = Reach.ENTRY if rank is Reach.NOTHING else rank
        elif x.shape.rank and _same(pull(i, i, rows), rows * whole):
            rank = Reach.VECTOR
        else:
            return Reach.ALL
    return rank


def _like(draw, key, x):
    return tf.cast(draw(key, x.shape, x.dtype.real_dtype), x.dtype)


def _zero(a) -> bool:
    return a is None or not bool(tf.reduce_any(tf.not_equal(a, 0)))


def _same(a, b):
    """Equal to rounding wherever both are finite."""
    eps = 1e-9 if a.dtype.real_dtype == tf.float64 else 1e-3
    gap, size = tf.abs(a - b), tf.abs(a) + tf.abs(b)
    most = tf.reduce_max(tf.where(tf.math.is_finite(size), size, 0))
    return not bool(tf.reduce_any(gap > eps * (size + 1e-3 * most)))
