"""Arithmetic on states: a state is a tensor or a nest (tuple, list, dict, NamedTuple) of tensors."""

from __future__ import annotations

import tensorflow as tf

flatten = tf.nest.flatten
pack = tf.nest.pack_sequence_as


def map(fn, *nests):  # noqa: A001 - reads as nest.map(...)
    """Apply `fn` leaf by leaf; nests given after the first must have the structure of the first."""
    return tf.nest.map_structure(fn, *nests)


def axpy(a, x, y):
    """a·x + y."""
    return map(lambda xi, yi: cast(a, xi) * xi + yi, x, y)


def scale(a, x):
    """a·x."""
    return map(lambda xi: cast(a, xi) * xi, x)


def add(x, y):
    """x + y."""
    return map(lambda xi, yi: xi + yi, x, y)


def sub(x, y):
    """x − y."""
    return map(lambda xi, yi: xi - yi, x, y)


def combine(y, coefficients, slopes):
    """y + Σ cᵢ·kᵢ, terms with cᵢ = 0 left out."""
    terms = [(c, k) for c, k in zip(coefficients, slopes, strict=True) if not (isinstance(c, float) and c == 0.0)]

    def leaf(yi, *ks):
        for (c, _), k in zip(terms, ks, strict=True):
            yi = yi + cast(c, yi) * k
        return yi

    return map(leaf, y, *(k for _, k in terms))


def zeros(y):
    """A state of zeros like `y`."""
    return map(tf.zeros_like, y)


def where(condition, x, y):
    """x where the scalar `condition` holds, else y."""
    return map(lambda xi, yi: tf.where(condition, xi, yi), x, y)


def dot(x, y):
    """Σ x·y over all leaves and entries, as a real scalar."""
    parts = [tf.reduce_sum(tf.math.real(tf.math.conj(a) * b)) for a, b in zip(flatten(x), flatten(y), strict=True)]
    return tf.add_n(parts)


def all_finite(y):
    """Whether every entry of every floating leaf is finite: a scalar bool tensor."""
    checks = [
        tf.reduce_all(tf.math.is_finite(tf.math.real(leaf)) & tf.math.is_finite(tf.math.imag(leaf)))
        if leaf.dtype.is_complex
        else tf.reduce_all(tf.math.is_finite(leaf))
        for leaf in flatten(y)
        if leaf.dtype.is_floating or leaf.dtype.is_complex
    ]
    return tf.reduce_all(tf.stack(checks)) if checks else tf.constant(True)


def real_dtype(y) -> tf.DType:
    """The real dtype of the first floating leaf: the precision that a run works in."""
    for leaf in flatten(y):
        dtype = tf.as_dtype(leaf.dtype)
        if dtype.is_floating or dtype.is_complex:
            return dtype.real_dtype
    return tf.float32


def cast(a, like):
    """The scalar or array `a` in the dtype of the tensor `like`; Python numbers pass through."""
    if isinstance(a, (int, float)):
        return a
    return tf.cast(a, like.dtype)


def spread(a, like):
    """The tensor `a` with axes of length one appended until its rank is that of `like`."""
    return tf.reshape(a, tf.concat([tf.shape(a), tf.ones([like.shape.rank - a.shape.rank], tf.int32)], 0))


def to(value, dtype: tf.DType) -> tf.Tensor:
    """`value` as a tensor of `dtype`; Python floats go there directly, not by way of float32."""
    if isinstance(value, (tf.Tensor, tf.Variable)):
        return tf.cast(value, dtype)
    return tf.constant(value, dtype)
