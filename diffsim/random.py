"""Random numbers without a generator: each is a function of (key, element, step), and of nothing else.

    word(key, element, step) = Threefry-2x32-20 of the counter (element, step) under the key

One element of a draw is one encrypted counter. So a draw may be cut into batches, repeated, taken out of
order or resumed in the middle, eagerly or compiled, and it gives the same numbers. Encryption is one to one:
under one key no pair of words occurs twice. `split` and `fold_in` encrypt under the key with one word
altered, each in its own way: the keys from one parent and one function differ with certainty, and the odds
that any other two keys coincide, or a key and the two words of an element, are 2⁻⁶⁴, as for any two
random keys.

Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011),
doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from diffsim._checks import integer, refuse
from diffsim._quantile import quantile
from diffsim._types import Key

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_SEED, _SPLIT, _FOLD = 0x73656564, 0x73706C69, 0x666F6C64  # "seed", "spli", "fold": what a derived key is for
_NOISE = 0x6E6F6973  # "nois"
_WORD, _LOW31 = 2**32, 2**31 - 1


def key(seed: int) -> Key:
    """The key of a seed; different seeds have different keys.

    Args:
        seed: an integer, 0 ≤ seed < 2⁶⁴.

    Returns:
        A uint32 tensor of shape (2,): plain data, which a compiled function takes as input and HDF5 stores.

    Raises:
        TypeError, ValueError: the seed is no integer, or out of range.
    """
    seed = _whole("seed", seed, 2**64, "a seed fills the two 32-bit words of a key")
    return _derive(tf.zeros([2], tf.uint32), _SEED, *_words(seed))


def split(key: Key, n: int = 2) -> tuple[Key, ...]:
    """`n` independent keys out of one; the first k of them do not depend on n.

    Args:
        key: the parent. It can still be used for draws and for `fold_in`.
        n: how many, 1 ≤ n < 2³¹.

    Returns:
        A tuple of n keys.

    Raises:
        TypeError, ValueError: `key` is not a key, or n is not such an integer.
    """
    key = as_key(key)
    n = integer("n", n, least=1, why="a key is split into at least one key")
    if n > _LOW31:
        refuse("n", n, "n < 2³¹", "keys are counted in 31 bits", "Use fold_in(key, i) for the i-th key.")
    return tuple(tf.unstack(_derive(key, _SPLIT, tf.cast(tf.range(n), tf.uint32), tf.zeros([n], tf.uint32))))


def fold_in(key: Key, data: int | tf.Tensor) -> Key:
    """The key of `data` under `key`: different data have different keys.

    Args:
        key: the parent. It can still be used for draws and for `split`.
        data: an integer, 0 ≤ data < 2⁶⁴, or a scalar integer tensor (a stream, a rank, a round of a loop).

    Returns:
        A key.

    Raises:
        TypeError, ValueError: `key` is not a key, or data is not such an integer.
    """
    data = _whole("data", data, 2**64, "data fills the two 32-bit words of a counter")
    return _derive(as_key(key), _FOLD, *_words(data))


def folded(key: Key, data: Sequence[int]) -> tuple[Key, ...]:
    """`fold_in` of each of the integers, encrypted together: in compiled programs one piece instead of many.

    Args:
        key: the parent.
        data: as for `fold_in`.
    """
    low, high = zip(*((d % _WORD, d // _WORD) for d in data), strict=True)
    return tuple(tf.unstack(_derive(as_key(key), _FOLD, tf.constant(low, tf.uint32), tf.constant(high, tf.uint32))))


def as_key(key) -> Key:
    """A key as a tensor; anything else is refused.

    Args:
        key: what `key`, `split` or `fold_in` gave, or the same two words as a NumPy array.

    Raises:
        TypeError: it is not a uint32 array of shape (2,).
    """
    dtype, shape = getattr(key, "dtype", None), getattr(key, "shape", None)
    if dtype != tf.uint32 or tuple(shape) != (2,):
        seed = isinstance(key, int) and not isinstance(key, bool) and 0 <= key < 2**64
        way_out = f"Make one with ds.key({key if seed else 'seed'}), split or fold_in."
        why = "the two words of a key encrypt the counter"
        refuse("key", key, "a uint32 array of shape (2,)", why, way_out, TypeError)
    return tf.convert_to_tensor(key)


def stream(key: Key, i: int) -> Key:
    """The key under which noise draws for part i of a state: none that `split` or `fold_in` give, nor `key` itself.

    So the noise of a run under `key` is independent of all else that is drawn under `key` and keys made from it.

    Args:
        key: the key of a run.
        i: 0 ≤ i < 2⁶⁴.
    """
    return _derive(as_key(key), _NOISE, *_words(_whole("i", i, 2**64, "it fills the two 32-bit words of a counter")))


def bits(
    key: Key, shape, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Two independent uniform 32-bit words per element: Threefry-2x32-20 of (element, step).

    Args:
        key: a key.
        shape: static shape of the draw; axis 0 counts rows (particles, members of an ensemble).
        step: 0 ≤ step < 2³²: the time step, an int or a scalar int32/int64 tensor.
        first: number of the draw's first row within the whole of which it is a batch, an int or a tensor like
            `step`: row r of the draw is row first + r of the whole. The whole has at most 2³² elements.

    Returns:
        Two uint32 tensors of the given shape. Symbolic steps and rows out of range are taken modulo 2³².

    Raises:
        TypeError, ValueError: an argument is not as described.
    """
    draw, shape, _ = _drawing(key, shape, step, first)
    return tuple(tf.reshape(word, shape) for word in draw())


def uniform(
    key: Key, shape, dtype=tf.float32, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0
) -> tf.Tensor:
    """U ∼ U[0, 1): the multiples of 2⁻²⁴ (float32) or 2⁻⁵³ (float64), all equally likely.

    Args:
        key: a key.
        shape: static shape of the draw.
        dtype: tf.float32 or tf.float64.
        step: as for `bits`.
        first: as for `bits`.

    Returns:
        A tensor of the given shape and dtype; NaN where a symbolic `step` or `first` is out of range.

    Raises:
        TypeError, ValueError: an argument is not as described.
    """
    return _draw(_fraction, key, shape, dtype, step, first)


def normal(
    key: Key, shape, dtype=tf.float32, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0
) -> tf.Tensor:
    """Z ∼ N(0, 1): Z = Φ⁻¹(U) with U of 63 random bits, so that the tails are right to 9 standard deviations.

    Args:
        key: a key.
        shape: static shape of the draw.
        dtype: tf.float32 or tf.float64.
        step: as for `bits`.
        first: as for `bits`.

    Returns:
        A tensor of the given shape and dtype; NaN where a symbolic `step` or `first` is out of range.

    Raises:
        TypeError, ValueError: an argument is not as described.

    Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Stat. 37,
    477 (1988), doi:10.2307/2347330; PPND7 for float32, PPND16 for float64.
    """
    return _draw(quantile, key, shape, dtype, step, first)


def _draw(transform: Callable, key, shape, dtype, step, first) -> tf.Tensor:
    """The transform of each element's two words, NaN where a symbolic counter has left its range."""
    dtype = _real(dtype)
    draw, shape, valid = _drawing(key, shape, step, first)
    if valid is None:
        flat = transform(*draw(), dtype)
    else:  # conditions also keep XLA:CPU from fusing into slow loops: cipher, quantile and use are fastest apart
        n = math.prod(shape)
        pairs = tf.cond(valid, lambda: _paired(*draw()), lambda: tf.zeros([n], tf.complex64))
        words = [tf.bitcast(part(pairs), tf.uint32) for part in (tf.math.real, tf.math.imag)]
        flat = tf.cond(valid, lambda: transform(*words, dtype), lambda: tf.fill([n], tf.constant(math.nan, dtype)))
    return tf.reshape(tf.stop_gradient(flat), shape)


def _drawing(key, shape, step, first):
    """How to draw the flat words; the static shape; are symbolic counters in range (None: there are none)?"""
    key, shape = as_key(key), _static(shape)
    n, row = math.prod(shape), math.prod(shape[1:])
    why = "a counter holds 32 bits for the element and 32 for the step"
    step = _whole("step", step, _WORD, why)
    first = _whole("first", first, _WORD, why)
    symbolic = [value for value in (step, first) if tf.is_tensor(value)]
    start = first * row
    if not tf.is_tensor(start) and start + n > _WORD:
        limit = f"first ≤ {(_WORD - n) // row} for shape {shape}"
        refuse("first", first, limit, why, "Draw the rest with another key, fold_in(key, part).")
    valid = None
    if symbolic:
        inside = [(value >= 0) & (value < _WORD) for value in symbolic]
        valid = tf.reduce_all([*inside, start + n <= _WORD])

    def draw():
        element = tf.cast(tf.range(n), tf.uint32) + tf.cast(start, tf.uint32)
        return _threefry(key, element, tf.fill([n], tf.cast(step, tf.uint32)))

    return draw, shape, valid


def _threefry(key: Key, x0: tf.Tensor, x1: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32 with 20 rounds: the counter (x0, x1), encrypted."""
    k0, k1 = tf.unstack(key)
    if not tf.inside_function():
        return _rounds(k0, k1, x0, x1)
    words = _traced(k0, k1, x0, x1)
    shape = functools.reduce(tf.broadcast_static_shape, (a.shape for a in (k0, k1, x0, x1)))
    for word in words:
        word.set_shape(shape)
    return tuple(words)


def _rounds(k0, k1, x0, x1):
    """Traced once for all draws and keys: it is most of what a program of molecules says."""
    schedule = (k0, k1, k0 ^ k1 ^ _PARITY)
    x0, x1 = x0 + k0, x1 + k1
    for group in range(5):
        for r in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (tf.bitwise.left_shift(x1, r) | tf.bitwise.right_shift(x1, 32 - r)) ^ x0
        x0, x1 = x0 + schedule[(group + 1) % 3], x1 + schedule[(group + 2) % 3] + (group + 1)
    return x0, x1


_traced = tf.function(_rounds, input_signature=[tf.TensorSpec(None, tf.uint32)] * 4, autograph=False)


def _paired(high: tf.Tensor, low: tf.Tensor) -> tf.Tensor:
    """Two words as one number: XLA:CPU makes a loop for each array, and two loops would encrypt twice."""
    return tf.complex(tf.bitcast(high, tf.float32), tf.bitcast(low, tf.float32))


def _derive(key: Key, purpose: int, x0, x1) -> Key:
    return tf.stack(_threefry(key ^ tf.constant([0, purpose], tf.uint32), x0, x1), axis=-1)


def _fraction(high: tf.Tensor, low: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """The leading 24 bits (float32) or 53 bits (float64) of the two words, as a number in [0, 1)."""

    def top(word, n):
        return tf.cast(tf.bitcast(tf.bitwise.right_shift(word, 32 - n), tf.int32), dtype)

    if dtype == tf.float32:
        return top(high, 24) * 2.0**-24
    return (top(high, 27) * 2.0**26 + top(low, 26)) * 2.0**-53


def _real(dtype) -> tf.DType:
    try:
        known = tf.as_dtype(dtype)
    except TypeError:
        known = None
    if known not in (tf.float32, tf.float64):
        why, way_out = "the bits of a draw are laid out for these two", "Draw in one of them and cast."
        refuse("dtype", dtype, "tf.float32 or tf.float64", why, way_out, TypeError)
    return known


def _static(shape) -> tuple[int, ...]:
    why, way_out = "a draw is laid out before it runs", "Pass a tuple of integers ≥ 0, as x.shape is."
    try:
        sizes = tuple(shape)
    except (TypeError, ValueError):
        refuse("shape", shape, "a sequence of integers", why, way_out, TypeError)
    for i, size in enumerate(sizes):
        integer(f"shape[{i}]", size, least=0, why=why, way_out=way_out)
    if math.prod(sizes) > _LOW31:
        why = "elements of one draw are counted in 31 bits"
        refuse("shape", sizes, "fewer than 2³¹ elements", why, "Draw in batches with first=.")
    return tuple(int(size) for size in sizes)


def _whole(what: str, value, limit: int, why: str):
    """An int, 0 ≤ value < limit, or a symbolic scalar as int64."""
    if tf.is_tensor(value):
        if not value.dtype.is_integer or value.shape.rank != 0:
            refuse(what, value, "an integer", why, "Pass an int or a scalar integer tensor.", TypeError)
        if tf.is_symbolic_tensor(value):
            return tf.cast(value, tf.int64)
        value = int(value)
    value = integer(what, value, least=0, why=why)
    if value >= limit:
        refuse(what, value, f"an integer < {limit}", why, "Use fold_in to spread more over several keys.")
    return value


def _words(value) -> tuple[tf.Tensor, tf.Tensor]:
    """The low and the high 32 bits of an int or an int64 tensor."""
    if tf.is_tensor(value):
        return tf.cast(value & (_WORD - 1), tf.uint32), tf.cast(tf.bitwise.right_shift(value, 32), tf.uint32)
    return tf.constant(value % _WORD, tf.uint32), tf.constant(value // _WORD, tf.uint32)
