"""Laws, grids and settings as JSON and arrays; nothing is pickled, nothing but diffsim's classes is rebuilt.

    encode: object ↦ (JSON-able node, list of arrays),    decode: the inverse

Floats survive to the last bit (JSON holds the shortest decimal that reads back the same; arrays go to HDF5).
Dataclasses of this package become {"data": "module:Class", "fields": …}; functions at the top level of a
module that can be imported become {"function": "module:name"}. Whatever else comes along (lambdas, closures,
networks, classes of others) is kept as its repr, {"opaque": …}: a reader sees what it was, and `decode`
refuses it by name.

Decoding a function imports its module: ask for the law of a file only if you trust the file. Functions of the
standard library and of the array libraries are never rebuilt, so that no file can have files or processes
touched through them.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import importlib
import math
import sys
import types

import numpy as np
import tensorflow as tf

from diffsim import _checks

_PLAIN = (bool, int, str, type(None))
_TYPES = {t.__name__: t for t in (bool, int, float, complex, str, bytes, tuple, list, dict, type(None))}
_FOREIGN = frozenset({"numpy", "scipy", "tensorflow", "keras", "h5py", "__main__"}) | sys.stdlib_module_names


def encode(obj) -> tuple[object, list[np.ndarray]]:
    """(node, arrays): `node` is JSON-able and refers to `arrays` by index.

    Args:
        obj: a dataclass of this package, a number, array, tensor, string, dtype, type, enumeration member,
            function, bound method, functools.partial, or a nest of them. Anything else becomes its repr.
    """
    arrays: list[np.ndarray] = []
    return _encode(obj, arrays), arrays


def decode(node, arrays, opaque=None):
    """The object of which `encode` made (node, arrays).

    Args:
        node: what `json.loads` returned.
        arrays: sequence of arrays.
        opaque: repr ↦ stand-in for what cannot be rebuilt; by default it is refused.

    Raises:
        ValueError: a part cannot be rebuilt: a lambda or closure, a class of others, or one that has changed.
    """
    return _decode(node, arrays, opaque or _refuse_opaque)


class Lost:
    """Stands for what a file could not hold; encoded again it is opaque, and so like anything."""


def difference(a, b) -> str | None:
    """Where two encoded objects differ, such as "drift.k=2.0 instead of 1.0"; None where they do not.

    What a file cannot hold (a lambda, a class of others) is taken to be what it was.

    Args:
        a: (node, arrays) of the first.
        b: (node, arrays) of the second, which is "this" in the answer.
    """
    return _differ(a[0], b[0], a[1], b[1], "")


def _differ(a, b, arrays, others, at):
    kinds = [next(iter(x)) if isinstance(x, dict) else None for x in (a, b)]
    if "opaque" in kinds and all(k in ("opaque", "function") for k in kinds):
        return None
    if kinds[0] == kinds[1] == "data" and a["data"] == b["data"]:
        x, y = a["fields"], b["fields"]
        parts = [(f"{at}.{k}" if at else k, v, y.get(k)) for k, v in x.items()]  # not what the class has gained since
    elif kinds[0] == kinds[1] == "dict":
        x, y = ({repr(key): value for key, value in node["dict"]} for node in (a, b))
        parts = [(f"{at}[{k}]", x.get(k), y.get(k)) for k in {**x, **y}]
    elif kinds[0] == kinds[1] and kinds[0] in ("tuple", "list", "named", "partial"):
        lists = [x.get("items") or x[kinds[0]] for x in (a, b)]
        if len(lists[0]) != len(lists[1]):
            return f"{at or 'it'} with {len(lists[1])} parts instead of {len(lists[0])}"
        parts = [(f"{at}[{i}]", *pair) for i, pair in enumerate(zip(*lists, strict=True))]
    elif kinds[0] == kinds[1] == "method" and a["method"] == b["method"]:
        parts = [(at, a["of"], b["of"])]
    elif kinds[0] == kinds[1] and kinds[0] in ("tensor", "array", "scalar"):
        x, y = np.asarray(arrays[a[kinds[0]]]), np.asarray(others[b[kinds[1]]])
        same = x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")
        return None if same else f"{at}={_short(y)} instead of {_short(x)}"
    elif a == b and type(a) is type(b):
        return None
    else:
        return f"{at}{'=' if at else ''}{_short(b)} instead of {_short(a)}"
    return next((found for place, x, y in parts if (found := _differ(x, y, arrays, others, place))), None)


def _short(x) -> str:
    if isinstance(x, np.ndarray):
        return _checks.describe(x)
    if isinstance(x, dict):
        kind, head = next(iter(x.items()))
        x = str(head).rpartition(":")[2] if kind in ("data", "function", "type", "method") else head
        return f"{x}" if kind != "opaque" else "a function"
    return repr(x)


def _encode(x, arrays):
    if type(x) in _PLAIN:
        return x
    if type(x) is float:
        return x if math.isfinite(x) else {"float": repr(x)}
    if type(x) is complex:
        return {"complex": [_encode(x.real, arrays), _encode(x.imag, arrays)]}
    if isinstance(x, bytes):
        return {"bytes": x.hex()}
    if isinstance(x, (np.ndarray, np.generic, tf.Tensor, tf.Variable)):
        return _array(x, arrays)
    if isinstance(x, tf.DType):
        return {"dtype": x.name}
    if isinstance(x, np.dtype):
        return {"numpy": x.str}
    if isinstance(x, enum.Enum) and _ours(type(x)):
        return {"enum": _name(type(x)), "member": x.name}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return {"named": _name(type(x)), "names": list(x._fields), "items": [_encode(v, arrays) for v in x]}
    if type(x) in (tuple, list):
        return {type(x).__name__: [_encode(v, arrays) for v in x]}
    if isinstance(x, dict):
        return {"dict": [[_encode(k, arrays), _encode(v, arrays)] for k, v in x.items()]}
    return _encode_object(x, arrays)


def _encode_object(x, arrays):
    if isinstance(x, type):
        known = _ours(x) or _TYPES.get(x.__name__) is x
        return {"type": _name(x)} if known else {"opaque": repr(x)}
    if dataclasses.is_dataclass(x) and _ours(type(x)):
        fields = {f.name: _encode(getattr(x, f.name), arrays) for f in dataclasses.fields(x)}
        return {"data": _name(type(x)), "fields": fields}
    if isinstance(x, functools.partial):
        return {"partial": [_encode(v, arrays) for v in (x.func, x.args, x.keywords)]}
    if isinstance(x, types.MethodType) and dataclasses.is_dataclass(x.__self__) and _ours(type(x.__self__)):
        return {"method": x.__name__, "of": _encode(x.__self__, arrays)}
    if isinstance(x, types.FunctionType) and _importable(x):
        return {"function": _name(x)}
    return {"opaque": repr(x)}


def _array(x, arrays):
    try:
        value = np.asarray(x)
    except Exception:  # a symbolic tensor has no value to store
        return {"opaque": repr(x)}
    tensor, scalar = isinstance(x, (tf.Tensor, tf.Variable)), isinstance(x, np.generic)
    kind = "tensor" if tensor else "scalar" if scalar else "array"
    name = value.dtype.name
    if value.dtype.kind == "V" and value.dtype.names is None and value.dtype.itemsize <= 2:  # bfloat16
        value = value.view(f"u{value.dtype.itemsize}")
    if value.dtype.kind not in "fciub":
        return {"opaque": repr(x)}
    arrays.append(np.array(value))  # a copy: the file must not change with the caller's array
    return {kind: len(arrays) - 1, "dtype": name}


def _name(x) -> str:
    return f"{x.__module__}:{x.__qualname__}"


def _ours(x) -> bool:
    return x.__module__.partition(".")[0] == "diffsim" and "<" not in x.__qualname__


def _importable(f) -> bool:
    if f.__module__ is None or "<" in f.__qualname__ or f.__module__.partition(".")[0] in _FOREIGN:
        return False
    return _find(f.__module__, f.__qualname__, sys.modules.get(f.__module__)) is f


def _find(module, qualname, loaded):
    found = loaded
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _decode(node, arrays, opaque):
    if not isinstance(node, dict):
        return node
    kind, head = next(iter(node.items()))
    again = functools.partial(_decode, arrays=arrays, opaque=opaque)
    match kind:
        case "float":
            return float(head)
        case "complex":
            return complex(*map(again, head))
        case "bytes":
            return bytes.fromhex(head)
        case "tensor" | "array" | "scalar":
            return _as(kind, np.asarray(arrays[head]), np.dtype(node["dtype"]))
        case "dtype":
            return tf.as_dtype(head)
        case "numpy":
            return np.dtype(head)
        case "tuple":
            return tuple(map(again, head))
        case "list":
            return list(map(again, head))
        case "dict":
            return {again(k): again(v) for k, v in head}
        case "named":
            return _named(head, node["names"])(*map(again, node["items"]))
        case "partial":
            f, args, keywords = map(again, head)
            return functools.partial(f, *args, **keywords)
        case "method":
            return getattr(again(node["of"]), head)
        case "enum":
            return _class(head, opaque)[node["member"]]
        case "type":
            return _TYPES.get(head.partition(":")[2]) or _class(head, opaque)
        case "function":
            return _function(head, opaque)
        case "data":
            return _data(_class(head, opaque), {k: again(v) for k, v in node["fields"].items()})
    return opaque(head if kind == "opaque" else repr(node))


def _as(kind, value, dtype):
    value = value.view(dtype) if dtype.kind == "V" else value.astype(dtype, copy=False)
    return tf.constant(value) if kind == "tensor" else value[()] if kind == "scalar" else value


def _named(name, fields):
    """The class itself where it is loaded with these fields, else a namedtuple of that name with them."""
    module, _, qualname = name.partition(":")
    found = _find(module, qualname, sys.modules.get(module))
    if isinstance(found, type) and issubclass(found, tuple) and list(getattr(found, "_fields", ())) == fields:
        return found
    return collections.namedtuple(qualname.rpartition(".")[2], fields)


def _class(name, opaque):
    module, _, qualname = name.partition(":")
    found = _load(module, qualname) if module.partition(".")[0] == "diffsim" else None
    return found if isinstance(found, type) and _name(found) == name else opaque(name)


def _function(name, opaque):
    module, _, qualname = name.partition(":")
    found = None if module.partition(".")[0] in _FOREIGN else _load(module, qualname)
    return found if isinstance(found, types.FunctionType) and _name(found) == name else opaque(name)


def _load(module, qualname):
    try:
        return _find(module, qualname, importlib.import_module(module))
    except ImportError:
        return None


def _data(cls, fields):
    if not isinstance(cls, type):  # a stand-in for a class that is gone
        return cls
    known = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    names = {f.name for f in known}
    later = {f.name: _default(f) for f in known if f.name not in fields}  # the class has gained them since
    if not set(fields) <= names or dataclasses.MISSING in later.values():
        _checks.refuse("stored object", _checks.Verbatim(f"{cls.__name__}({', '.join(sorted(fields))})"),
                       f"the fields ({', '.join(sorted(names))})",
                       "the class has changed since the file was written",
                       "Pass `law=` to resume, or use the version that the file names.")
    made = object.__new__(cls)  # no __init__: the fields were checked before they were stored
    for name, value in {**later, **fields}.items():
        object.__setattr__(made, name, value)
    return made


def _default(f):
    return f.default if f.default_factory is dataclasses.MISSING else f.default_factory()


def _refuse_opaque(text):
    shown = text if len(text) <= 120 else text[:117] + "..."
    _checks.refuse("stored object", _checks.Verbatim(shown),
                   "a class of diffsim, or a function at the top level of a module that can be imported",
                   "a file stores names and numbers, no code", "Pass `law=` to resume.")
