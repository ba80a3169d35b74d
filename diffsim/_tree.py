"""Frozen dataclasses as data: numbers and arrays are leaves, everything else is structure.

A compiled program is keyed by the structure only, so a changed boundary value, diffusivity or model
parameter enters as data and never compiles again.
"""

from __future__ import annotations

import dataclasses
import functools
import types

import numpy as np
import tensorflow as tf

_CONTAINERS = (tuple, list, dict)


@dataclasses.dataclass(frozen=True)
class _Leaf:
    pass


LEAF = _Leaf()


@dataclasses.dataclass(frozen=True, eq=False)
class Same:
    """Structure compared by identity: functions, models, anything that is not data."""

    value: object

    def __eq__(self, other):
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self):
        return hash((Same, id(self.value)))


def static(**kwargs):
    """A dataclass field that is structure although it holds numbers (grid sizes, stage counts)."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


def is_number(x) -> bool:
    """Whether `x` is data: a real or complex number, an array or a tensor, but not a bool or int."""
    if isinstance(x, (tf.Tensor, tf.Variable)):
        return True
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "fciub"
    return isinstance(x, (float, complex, np.floating, np.complexfloating))


def flatten(x):
    """(leaves, structure): `structure` is hashable, `leaves` is a list of numbers, arrays and tensors."""
    leaves: list = []
    return leaves, _walk(x, leaves)


def _walk(x, leaves):
    if is_number(x):
        leaves.append(x)
        return LEAF
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        parts = []
        for f in dataclasses.fields(x):
            value = getattr(x, f.name)
            parts.append(_frozen(value) if f.metadata.get("static") else _walk(value, leaves))
        return ("data", type(x), tuple(parts))
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return ("named", type(x), tuple(_walk(v, leaves) for v in x))
    if isinstance(x, (tuple, list)):
        return ("list" if isinstance(x, list) else "tuple", None, tuple(_walk(v, leaves) for v in x))
    if isinstance(x, dict):
        keys = tuple(sorted(x))
        return ("dict", keys, tuple(_walk(x[k], leaves) for k in keys))
    if isinstance(x, types.MethodType) and dataclasses.is_dataclass(x.__self__) and not isinstance(x.__self__, type):
        return ("method", Same(x.__func__), (_walk(x.__self__, leaves),))
    if isinstance(x, functools.partial):
        return ("partial", None, tuple(_walk(v, leaves) for v in (x.func, x.args, x.keywords)))
    return ("same", _frozen(x), ())


def _frozen(x):
    if isinstance(x, (type(None), bool, int, float, str, bytes, type, tf.DType)):
        return (type(x), x)
    if isinstance(x, tuple):
        return ("frozen", type(x), tuple(_frozen(v) for v in x))
    if dataclasses.is_dataclass(x) and getattr(type(x), "__hash__", None) and _hashable(x):
        return ("value", x)
    return Same(x)


def _thaw(x):
    if isinstance(x, Same):
        return x.value
    if x[0] == "frozen":
        values = tuple(_thaw(v) for v in x[2])
        return x[1](*values) if hasattr(x[1], "_fields") else values
    return x[1]


def own(x):
    """The same with read-only copies of its arrays, so that what happens to the caller's later changes nothing."""
    leaves, structure = flatten(x)
    if not any(isinstance(a, np.ndarray) and a.flags.writeable for a in leaves):
        return x
    return unflatten(structure, [own_array(a) if isinstance(a, np.ndarray) else a for a in leaves])


def own_array(a: np.ndarray) -> np.ndarray:
    """A read-only copy; `a` itself if it is one."""
    if not a.flags.writeable:
        return a
    a = np.array(a)
    a.flags.writeable = False
    return a


def held(structure) -> tuple:
    """What a structure compares by identity, and the classes in it: functions and what they belong to."""
    if structure is LEAF:
        return ()
    kind, head, parts = structure
    if kind != "data":
        own = (head.value,) if isinstance(head, Same) else ()
        return (*own, *(x for p in parts for x in held(p)))
    static = (f.metadata.get("static") for f in dataclasses.fields(head))
    inner = (_functions(p) if fixed else held(p) for fixed, p in zip(static, parts, strict=True))
    return (head, *(x for found in inner for x in found))


def _functions(x) -> tuple:
    if isinstance(x, Same):
        return (x.value,) if callable(x.value) else ()
    return tuple(v for part in x[2] for v in _functions(part)) if x[0] == "frozen" else ()


def _hashable(x) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


def unflatten(structure, leaves):
    """The inverse of `flatten`; leaves may be replaced by tensors of the same meaning."""
    return _build(structure, iter(leaves))


def _build(s, leaves):
    if s is LEAF:
        return next(leaves)
    kind, head, parts = s
    if kind == "data":
        made = object.__new__(head)  # no __init__: it would check values that are symbolic now
        for f, p in zip(dataclasses.fields(head), parts, strict=True):
            value = _thaw(p) if f.metadata.get("static") else _build(p, leaves)
            object.__setattr__(made, f.name, value)
        return made
    if kind == "same":
        return _thaw(head)
    values = [_build(p, leaves) for p in parts]
    if kind == "named":
        return head(*values)
    if kind == "tuple":
        return tuple(values)
    if kind == "list":
        return values
    if kind == "dict":
        return dict(zip(head, values, strict=True))
    if kind == "method":
        return types.MethodType(head.value, values[0])
    return functools.partial(values[0], *values[1], **values[2])


def as_tensors(leaves, dtype: tf.DType) -> list[tf.Tensor]:
    """Leaves as tensors: real ones in `dtype`, complex ones in its complex partner, integers as they are."""
    return [_tensor(leaf, dtype) for leaf in leaves]


def _tensor(leaf, dtype):
    if isinstance(leaf, (tf.Tensor, tf.Variable)):
        kind = leaf.dtype
        target = complex_of(dtype) if kind.is_complex else dtype if kind.is_floating else kind
        return tf.cast(leaf, target)
    array = np.asarray(leaf)
    if array.dtype.kind == "c":
        return tf.constant(array, complex_of(dtype))
    return tf.constant(array, dtype) if array.dtype.kind == "f" else tf.constant(array)


def complex_of(dtype: tf.DType) -> tf.DType:
    """complex64 for float32 and narrower, complex128 for float64."""
    return tf.complex128 if dtype == tf.float64 else tf.complex64
