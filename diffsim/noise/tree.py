"""One Brownian path, known at any times that are asked for: a binary tree of bridges, of which nothing is stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim._tree import static
from diffsim.noise.base import Noise, per_leaf, row, standard


@dataclass(frozen=True)
class BrownianTree(Noise):
    """White noise that can be refined: the path is a function of the key, and every step size sees the same one.

    Halving dt keeps the path, so that errors of two runs can be compared path by path, a rejected step is repeated on
    the path it was tried on, and an image keeps its composition when the number of steps changes. The path between
    t0 and t1 is divided in halves `depth` times; increments over the parts of an interval add up to the increment
    over the whole, to rounding. A step that is a power of two of the span costs log₂ of the number of steps draws,
    others twice `depth`: use Brownian where no path has to be kept.

    With W the increment over an interval of length h and H its space-time Lévy area, the halves have
    W₁ = W/2 + 3H/2 + Z, H₁ = H/4 − Z/2 + N/2 and W₂ = W − W₁, H₂ = H₁ − N with independent Z ∼ N(0, h/16) and
    N ∼ N(0, h/12).

    Args:
        t0: where the path begins [time].
        t1: where it ends [time]; runs lead from t0 to t1 or back.
        depth: times are rounded to (t1 − t0)/2^depth, 1 ≤ depth ≤ 30.
        first: as for Brownian.

    References:
        Gaines & Lyons (1997), doi:10.1137/S0036139995286515; Foster, Lyons & Oberhauser (2020),
        doi:10.1137/19M1261912; Jelinčič, Foster & Kidger (2024), arXiv:2405.06464.
    """

    t0: float = static()
    t1: float = static()
    depth: int = static(default=24)
    first: Any = 0

    white, refinable = True, True

    def __post_init__(self):
        why = "the path is a tree between two times"
        for name in ("t0", "t1"):
            object.__setattr__(self, name, _checks.number(name, getattr(self, name), why=why))
        if not self.t1 > self.t0:
            _checks.refuse("t1", self.t1, f"a time > t0 = {self.t0:g}", why, "Swap them; runs may go either way.")
        if _checks.integer("depth", self.depth, least=1, why=why) > 30:
            _checks.refuse("depth", self.depth, "depth ≤ 30", "nodes are counted in 32 bits", "Use depth=30.")
        object.__setattr__(self, "first", row(self.first))

    def covers(self, t0, t1, h):
        """Refuse times beyond the ends, and steps that the tree does not resolve."""
        slack = 1e-9 * (self.t1 - self.t0)
        if min(t0, t1) < self.t0 - slack or max(t0, t1) > self.t1 + slack:
            _checks.refuse(
                "t",
                (t0, t1),
                f"times in [{self.t0:g}, {self.t1:g}]",
                "the path of BrownianTree is not defined outside",
                "Use BrownianTree(t0, t1) with the times of the run.",
            )
        leaf = (self.t1 - self.t0) / 2**self.depth
        if h is not None and abs(h) < 0.999 * leaf:
            _checks.refuse(
                "dt",
                abs(h),
                f"a step ≥ (t1 − t0)/2^depth = {leaf:.3g}",
                "the path is not resolved below",
                "Use a larger depth.",
            )

    def increment(self, key, n, t, h, like):
        """W(t + h) − W(t)."""
        return self.area(key, n, t, h, like)[0]

    def area(self, key, n, t, h, like):
        """(W, H) between t and t + h."""
        t, h = _nest.to(t, tf.float64), _nest.to(h, tf.float64)
        a, b = self._index(t), self._index(t + h)
        sign = tf.where(a <= b, 1.0, -1.0)

        def draw(k, leaf):
            W, H = self._between(k, tf.minimum(a, b), tf.maximum(a, b), leaf)
            return tf.cast(sign, leaf.dtype) * W, H  # backwards in time W turns its sign, a bridge's mean does not

        return per_leaf(key, like, draw)

    def _index(self, t):
        """The nearest of the 2^depth + 1 times that the tree knows."""
        x = (t - self.t0) / (self.t1 - self.t0) * 2.0**self.depth
        return tf.clip_by_value(tf.cast(tf.floor(x + 0.49999), tf.int64), 0, 2**self.depth)

    def _between(self, key, a, b, leaf):
        """(W, H) over the leaves a … b − 1: from the root towards a, then towards b, gathering nodes within."""
        keys, span, real = random.split(key, 2), self.t1 - self.t0, leaf.dtype.real_dtype
        size = tf.constant(2**self.depth, tf.int64)

        def normal(which, node, scale):
            return tf.cast(scale, leaf.dtype) * standard(keys[which], leaf, node, self.first)

        def length(count):
            return tf.cast(tf.cast(count, tf.float64) * (span / 2**self.depth), real)

        zero = tf.zeros([], tf.int64)
        top = normal(0, zero, math.sqrt(span)), normal(1, zero, math.sqrt(span / 12))

        def walk(side, low, high, sums):
            target = tf.where(side == 0, a, b)

            def inside(lo, hi, low, high):
                return (lo >= a) & (hi <= b) & ((low == high) | (hi == low) | (lo == high))

            def gather(lo, hi, node, low, high, sums):
                """Join a node to what was gathered, on its left or right; nothing changes if it is not inside."""
                add = inside(lo, hi, low, high) & (hi > lo)
                left, empty = (hi == low) & (low < high), low == high
                p, q = length(high - low), length(hi - lo)
                joined = _join(sums, p, node, q, tf.where(left, -1.0, 1.0))
                sums = tuple(tf.where(add, new, old) for new, old in zip(joined, sums, strict=True))
                low = tf.where(add & (left | empty), lo, low)
                high = tf.where(add & ~left, hi, high)
                return low, high, sums

            def split(lo, size, i, node, low, high, sums):
                W, H = node
                h = length(size)
                Z, N = normal(0, i, tf.sqrt(h / 16)), normal(1, i, tf.sqrt(h / 12))
                W1, H1 = W / 2 + 1.5 * H + Z, H / 4 - Z / 2 + N / 2
                W2, H2 = W - W1, H1 - N
                half = size // 2
                right = target >= lo + half
                down = tf.where(right, W2, W1), tf.where(right, H2, H1)
                other = tf.where(right, W1, W2), tf.where(right, H1, H2)
                place, away = tf.where(right, lo + half, lo), tf.where(right, lo, lo + half)
                low, high, sums = gather(away, away + half, other, low, high, sums)
                return place, half, 2 * i + tf.cast(right, tf.int64), down, low, high, sums

            def more(lo, size, i, node, low, high, sums):
                return (target > lo) & (target < lo + size) & ~((low == a) & (high == b))

            lo, rest, _, node, low, high, sums = tf.while_loop(
                more, split, (zero, size, zero + 1, top, low, high, sums)
            )
            return side + 1, *gather(lo, lo + rest, node, low, high, sums)

        nothing = tf.zeros(leaf.shape, leaf.dtype)
        return tf.while_loop(lambda side, *_: side < 2, walk, (tf.constant(0), a, a, (nothing, nothing)))[3]


def _join(first, p, second, q, sign):
    """(W, H) of two neighbouring intervals of lengths p and q; sign −1 if the second comes before the first."""
    (W1, H1), (W2, H2) = first, second
    p, q, sign = (tf.cast(x, W1.dtype) for x in (p, q, sign))
    return W1 + W2, (p * H1 + q * H2 + sign * (q * W1 - p * W2) / 2) / (p + q + tf.cast(p + q == 0, W1.dtype))
