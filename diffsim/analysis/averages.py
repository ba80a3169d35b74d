"""Time averages with error bars: over independent rows, or by blocks of a series that remembers its past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.analysis.lags import standard_error
from diffsim.equation import abstract
from diffsim.steppers.observed import Observer


class Average(NamedTuple):
    """A time average.

    Attributes:
        value: the mean over time, and over rows if there are any.
        error: its standard error: between independent rows, or, of a single row, by blocking; NaN where it is unknown.
        each: the time average of each row; None for a single one.
        samples: how many times were averaged.
        correlated: samples per independent one, as blocking finds it; None with rows.
    """

    value: np.ndarray
    error: np.ndarray
    each: np.ndarray | None
    samples: int
    correlated: np.ndarray | None


class Sums(NamedTuple):
    """What a time average keeps."""

    n: Any  # samples
    shift: Any  # the first value: sums are of what differs from it
    total: Any
    mark: Any  # (levels, ...): the total where the block that is now filled began
    square: Any  # (levels, ...): sum of squared sums of finished blocks
    plain: Any  # (levels, ...): sum of sums of finished blocks


@dataclass(frozen=True)
class TimeAverage(Observer):
    """⟨a⟩ = (1/n) Σᵢ a(tᵢ, y(tᵢ)), while a run goes on, with its standard error.

    If a is a number, its error comes from blocks of 2ˡ samples: the variance of block means grows with l until blocks
    no longer remember each other. If a has a leading axis, its rows are independent members of an ensemble, and the
    error is that between them; an axis of length 1 counts as none.

    Args:
        of: a(t, y) → a real tensor, reduced on the device.
        levels: block sizes 1, 2, …, 2^(levels − 1) are kept.

    References:
        Flyvbjerg & Petersen (1989), doi:10.1063/1.457480; the block size is that of Lee, Mueller & Mella (2011),
        doi:10.1103/PhysRevE.83.066706.
    """

    of: Callable
    levels: int = static(default=40)

    def __post_init__(self):
        if not callable(self.of):
            _checks.refuse("of", self.of, "a function of(t, y)", "its values are averaged", "Pass one.", TypeError)
        _checks.integer("levels", self.levels, least=1, why="each doubles the longest block")

    def sample(self, t, y):
        """a(t, y)."""
        return tf.convert_to_tensor(self.of(_nest.to(t, _nest.real_dtype(y)), y))

    def check(self, y):
        """Refuse values that are not real."""
        value = abstract("of", lambda t, y: self.sample(t, y), y)
        if not value.dtype.is_floating:
            why, way_out = "means are real numbers", "Cast it: tf.cast(…, tf.float32)."
            _checks.refuse("of", value, "a tensor of real numbers", why, way_out, TypeError)

    def start(self, t, y):
        """The first sample."""
        a = tf.cast(self.sample(t, y), tf.float64)
        none = tf.zeros([1 if _rows(a.shape) else self.levels, *a.shape], tf.float64)
        return self._add(Sums(tf.zeros([], tf.int64), a, tf.zeros_like(a), none, none, none), a)

    def see(self, seen, t, y):
        """One sample more."""
        return self._add(seen, tf.cast(self.sample(t, y), tf.float64))

    @staticmethod
    def _add(s, a):
        n, total = s.n + 1, s.total + (a - s.shift)
        size = tf.bitwise.left_shift(tf.ones([], tf.int64), tf.range(s.mark.shape[0], dtype=tf.int64))
        full = _nest.spread(n % size == 0, s.mark)
        block = tf.where(full, total - s.mark, tf.zeros_like(s.mark))
        mark = tf.where(full, total[None] + tf.zeros_like(s.mark), s.mark)
        return Sums(n, s.shift, total, mark, s.square + block**2, s.plain + block)

    def result(self, seen) -> Average:
        """The average."""
        n, rows = int(seen.n), _rows(seen.total.shape)
        mean = seen.shift + seen.total / n
        if rows:
            return Average(mean.mean(0), standard_error(mean, 0), mean, n, None)
        sums = [(n >> k, seen.plain[k] / 2**k, seen.square[k] / 4**k) for k in range(len(seen.plain)) if n >> k > 1]
        error, correlated = _blocked(n, sums, mean.shape)
        if seen.total.ndim:
            mean, error, correlated = mean[0], error[0], correlated[0]
        return Average(mean, error, None, n, correlated)


def blocking(a) -> Average:
    """⟨a⟩ of a stored series, its standard error by blocks of 2ˡ records: the same numbers as TimeAverage.

    Args:
        a: (m, …) a series, each entry of the trailing axes one of its own; m ≥ 4.

    Returns:
        Average(value, error, each, samples, correlated).

    Raises:
        ValueError: fewer than four records.

    References:
        Flyvbjerg & Petersen (1989), doi:10.1063/1.457480.
    """
    a = np.asarray(_checks.finite("a", a, why="it is averaged"), np.float64)
    if a.ndim == 0 or len(a) < 4:
        _checks.refuse("a", a, "a series of four records or more", "blocks are compared", "Record more often.")
    rest, sums = a - a[0], []
    while len(rest) > 1:
        sums.append((len(rest), rest.sum(0), (rest**2).sum(0)))
        rest = rest[: len(rest) // 2 * 2]
        rest = 0.5 * (rest[::2] + rest[1::2])
    error, correlated = _blocked(len(a), sums, a.shape[1:])
    return Average(a[0] + (a - a[0]).mean(0), error, None, len(a), correlated)


def _blocked(n, sums, shape):
    """Error and correlation from (number, Σ, Σ²) of the means of blocks of 1, 2, 4, … samples.

    The block is the shortest of length B with B³ > 2n c², c = B·Var(block means)/Var(samples) being what it says of
    the number of samples per independent one.
    """
    if not sums:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    count = np.array([c for c, _, _ in sums], float)
    plain, square = np.stack([s for _, s, _ in sums]), np.stack([q for _, _, q in sums])
    count = count.reshape(-1, *[1] * (plain.ndim - 1))
    variance = np.maximum(square / count - (plain / count) ** 2, 0.0) * count / (count - 1)
    size = 2.0 ** np.arange(len(sums)).reshape(count.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlated = size * variance / variance[0]
        enough = size**3 > 2 * n * correlated**2
    best = np.where(enough.any(0), enough.argmax(0), len(sums) - 1)
    error = np.sqrt(variance / count)
    return tuple(np.take_along_axis(x, best[None], 0)[0] for x in (error, correlated))


def _rows(shape) -> int:
    """Independent rows along the leading axis; 0 for a single one."""
    return int(shape[0]) if len(shape) and shape[0] > 1 else 0
