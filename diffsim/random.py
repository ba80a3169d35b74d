"""Random numbers without a generator: each is a function of (key, element, step), and of nothing else.

    word(key, element, step) = Threefry-2x32-20 of the counter (element, step) under the key

One element of a draw is one encrypted counter. So a draw may be cut into batches anywhere, repeated, taken out of order
or resumed in the middle, eagerly or compiled, and it gives the same numbers. Encryption is one to one: under one key no
pair of words occurs twice. `split` and `fold_in` encrypt under the key with one word altered, each in its own way: the
keys from one parent differ with certainty, and the odds that a key coincides with one of another parent or purpose,
or with two words drawn, are 2⁻⁶⁴ for each pair, as for any two random keys.

Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011),
doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import tensorflow as tf

from diffsim._checks import integer, refuse

Key = tf.Tensor  # uint32[2]: plain data that a compiled function takes as input and HDF5 stores

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_SEED, _SPLIT, _FOLD = 0x73656564, 0x73706C69, 0x666F6C64  # "seed", "spli", "fold": what a derived key is for
_WORD, _LOW31 = 2**32, 2**31 - 1


def key(seed: int) -> Key:
    """The key of a seed; different seeds have different keys.

    Args:
        seed: an integer, 0 ≤ seed < 2⁶⁴.

    Returns:
        A uint32 tensor of shape (2,).

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
    key = _as_key(key)
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
    return _derive(_as_key(key), _FOLD, *_words(data))


def bits(key: Key, shape, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0) -> tuple[tf.Tensor, tf.Tensor]:
    """Two independent uniform 32-bit words per element: Threefry-2x32-20 of (element, step).

    Args:
        key: a key.
        shape: static shape of the draw; axis 0 counts rows (particles, members of an ensemble).
        step: 0 ≤ step < 2³²: the time step, an int or a scalar int32/int64 tensor.
        first: number of the first row within the whole, of which this draw is a batch; an int or a tensor like `step`.
            Row r of a draw from `first` is row first + r of the whole, whose elements must be at most 2³².

    Returns:
        Two uint32 tensors of the given shape. Symbolic steps and rows out of range are taken modulo 2³².

    Raises:
        TypeError, ValueError: an argument is not as described.
    """
    draw, shape, _ = _drawing(key, shape, step, first)
    return tuple(tf.reshape(word, shape) for word in draw())


def uniform(key: Key, shape, dtype=tf.float32, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0) -> tf.Tensor:
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


def normal(key: Key, shape, dtype=tf.float32, *, step: int | tf.Tensor = 0, first: int | tf.Tensor = 0) -> tf.Tensor:
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

    Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Stat. 37, 477 (1988),
    doi:10.2307/2347330; PPND7 for float32, PPND16 for float64.
    """
    return _draw(_quantile, key, shape, dtype, step, first)


def _draw(transform: Callable, key, shape, dtype, step, first) -> tf.Tensor:
    """The transform of each element's two words, NaN where a symbolic counter has left its range."""
    dtype = _real(dtype)
    draw, shape, valid = _drawing(key, shape, step, first)
    if valid is None:
        flat = transform(*draw(), dtype)
    else:  # the condition also keeps XLA:CPU from fusing the draw into loops over short last axes: 500 against 200 M/s
        n = math.prod(shape)
        flat = tf.cond(valid, lambda: transform(*draw(), dtype), lambda: tf.fill([n], tf.constant(math.nan, dtype)))
    return tf.reshape(tf.stop_gradient(flat), shape)


def _drawing(key, shape, step, first):
    """How to draw the flat words, the static shape, and whether symbolic counters are in range (None: all known)."""
    key, shape = _as_key(key), _static(shape)
    n, row = math.prod(shape), math.prod(shape[1:])
    why = "a counter holds 32 bits for the element and 32 for the step"
    step = _whole("step", step, _WORD, why)
    first = _whole("first", first, _WORD, why)
    symbolic = [value for value in (step, first) if tf.is_tensor(value)]
    start = first * row
    if not tf.is_tensor(start) and start + n > _WORD:
        refuse("first", first, f"first ≤ {(_WORD - n) // max(row, 1)} for shape {shape}", why,
               "Draw the rest with another key, fold_in(key, part).")
    valid = None
    if symbolic:
        inside = [(value >= 0) & (value < _WORD) for value in symbolic] + [tf.convert_to_tensor(start + n <= _WORD)]
        valid = tf.reduce_all(inside)

    def draw():
        element = tf.cast(tf.range(n), tf.uint32) + tf.cast(start, tf.uint32)
        return _threefry(key, element, tf.fill([n], tf.cast(step, tf.uint32)))

    return draw, shape, valid


def _threefry(key: Key, x0: tf.Tensor, x1: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32 with 20 rounds: the counter (x0, x1), encrypted."""
    k0, k1 = key[0], key[1]
    schedule = (k0, k1, k0 ^ k1 ^ _PARITY)
    x0, x1 = x0 + k0, x1 + k1
    for group in range(5):
        for r in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (tf.bitwise.left_shift(x1, r) | tf.bitwise.right_shift(x1, 32 - r)) ^ x0
        x0, x1 = x0 + schedule[(group + 1) % 3], x1 + schedule[(group + 2) % 3] + (group + 1)
    return x0, x1


def _derive(key: Key, purpose: int, x0, x1) -> Key:
    return tf.stack(_threefry(key ^ tf.constant([0, purpose], tf.uint32), x0, x1), axis=-1)


def _fraction(high: tf.Tensor, low: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    def top(word, n):  # the n leading bits, as a float
        return tf.cast(tf.bitcast(tf.bitwise.right_shift(word, 32 - n), tf.int32), dtype)

    return top(high, 24) * 2.0**-24 if dtype == tf.float32 else (top(high, 27) * 2.0**26 + top(low, 26)) * 2.0**-53


def _quantile(high: tf.Tensor, low: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Φ⁻¹(½ + q) for q = (s + (t + ½) 2⁻³¹) 2⁻³², s the signed high word and t the top 31 bits of the low one."""
    s, t = tf.bitcast(high, tf.int32), tf.bitcast(tf.bitwise.right_shift(low, 1), tf.int32)
    flip = tf.bitwise.invert(tf.bitwise.right_shift(s, 31))  # ones where s ≥ 0: complements give 2³¹ − |…| exactly

    def fixed(whole, part):
        return (tf.cast(whole, dtype) + (tf.cast(part, dtype) + 0.5) * 2.0**-31) * 2.0**-32

    q = fixed(s, t)
    tail = fixed(tf.bitwise.bitwise_xor(s, flip) & _LOW31, tf.bitwise.bitwise_xor(t, flip) & _LOW31)  # ½ − |q|
    centre, shoulder, far = _PPND7 if dtype == tf.float32 else _PPND16
    r = tf.sqrt(-tf.math.log(tail))
    outer = tf.where(r <= 5.0, _ratio(shoulder, r - 1.6), _ratio(far, r - 5.0))
    return tf.where(tf.abs(q) <= 0.425, q * _ratio(centre, 0.180625 - q * q), tf.sign(q) * outer)


def _ratio(polynomials, x: tf.Tensor) -> tf.Tensor:
    numerator, denominator = (functools.reduce(lambda sum, c: sum * x + c, p[1:], p[0]) for p in polynomials)
    return numerator / denominator


# Wichura's rational functions, (numerator, denominator) from the highest power down: centre, shoulder, far tail.
_PPND7 = (
    ((59.10937472, 159.29113202, 50.434271938, 3.3871327179), (67.1875636, 78.757757664, 17.895169469, 1.0)),
    ((0.17023821103, 1.3067284816, 2.75681539, 1.4234372777), (0.12021132975, 0.7370016425, 1.0)),
    ((0.017337203997, 0.42868294337, 3.081226386, 6.6579051150), (0.012258202635, 0.24197894225, 1.0)),
)
_PPND16 = (
    (
        (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
         13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080),
        (5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867,
         5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1.0),
    ),
    (
        (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
         3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
        (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
    ),
    (
        (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
         0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
        (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
         0.0148753612908506148525, 0.1369298809227358053, 0.5998322065558879769, 1.0),
    ),
)


def _as_key(key) -> Key:
    dtype, shape = getattr(key, "dtype", None), getattr(key, "shape", None)
    if dtype != tf.uint32 or tuple(shape) != (2,):
        refuse("key", key, "a uint32 array of shape (2,)", "a key is the two words that encrypt the counter",
               "Make one with key(seed), split(key) or fold_in(key, data).", TypeError)
    return tf.convert_to_tensor(key)


def _real(dtype) -> tf.DType:
    try:
        known = tf.as_dtype(dtype)
    except TypeError:
        known = None
    if known not in (tf.float32, tf.float64):
        refuse("dtype", dtype, "tf.float32 or tf.float64", "the bits of a draw are laid out for these two",
               "Draw in one of them and cast.", TypeError)
    return known


def _static(shape) -> tuple[int, ...]:
    why, way_out = "a draw is laid out before it runs", "Pass a tuple of integers ≥ 0, as x.shape is."
    try:
        sizes = tuple(shape)
    except (TypeError, ValueError):
        refuse("shape", shape, "a sequence of integers", why, way_out, TypeError)
    sizes = tuple(integer(f"shape[{i}]", size, least=0, why=why, way_out=way_out) for i, size in enumerate(sizes))
    if math.prod(sizes) > _LOW31:
        refuse("shape", sizes, "fewer than 2³¹ elements", "elements of one draw are counted in 31 bits",
               "Draw in batches with first=.")
    return sizes


def _whole(what: str, value, limit: int, why: str):
    """An int, 0 ≤ value < limit, or a symbolic scalar as int64."""
    if tf.is_tensor(value):
        if not value.dtype.is_integer or value.shape.rank != 0:
            refuse(what, value, "an integer scalar", why, "Pass an int or a scalar integer tensor.", TypeError)
        if tf.is_symbolic_tensor(value):
            return tf.cast(value, tf.int64)
        value = int(value)
    value = integer(what, value, least=0, why=why)
    if value >= limit:
        refuse(what, value, f"{what} < 2^{limit.bit_length() - 1}", why, "Spread larger numbers with fold_in.")
    return value


def _words(value) -> tuple[tf.Tensor, tf.Tensor]:
    """The low and the high 32 bits of an int or an int64 tensor."""
    if tf.is_tensor(value):
        low, high = tf.cast(value & (_WORD - 1), tf.uint32), tf.cast(tf.bitwise.right_shift(value, 32), tf.uint32)
        return low, high
    return tf.constant(value % _WORD, tf.uint32), tf.constant(value // _WORD, tf.uint32)
