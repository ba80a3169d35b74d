"""Compiled programs that notice when what their functions refer to has changed.

Numbers of a law are data. What a function refers to from outside (globals, closures, attributes) is compiled in,
by value at the time: a program belongs to those values, and others get a program of their own.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import sys
import types

import numpy as np
import tensorflow as tf

from diffsim import _tree

VERSIONS = 8  # programs kept for one structure


class Compiled:
    """One tf.function for each content of what the functions in a structure refer to.

    Args:
        structure: from `_tree.flatten`.
        make: () → a new tf.function.
        taped: whether tapes record calls; where they are loops of unknown length, no gradient leads back through them.
    """

    def __init__(self, structure, make, taped: bool = True):
        self.make, self.held, self.programs, self.own = make, _tree.held(structure), {}, set()
        self.taped = taped

    def __call__(self, *args):
        concrete = self.concrete(*args)
        if self.taped:
            return concrete(*args)
        with tf.init_scope():  # pauses tapes; never while tracing, where laws take gradients of their own
            return concrete(*args)

    def concrete(self, *args):
        """The program for arguments of these shapes and dtypes, tensors or tf.TensorSpecs."""
        seen = contents(self.held)
        key = self._key(seen)
        program = self.programs.pop(key, None) or self.make()
        before = program.experimental_get_tracing_count()
        concrete = program.get_concrete_function(*args)  # which warns of no retracing: other shapes are meant
        if self.held and program.experimental_get_tracing_count() != before:
            self.own |= changes(seen, contents(self.held))  # what tracing itself changes (it counts, say) says nothing
            key = self._key(seen)
        self.programs[key] = program
        while len(self.programs) > VERSIONS:
            del self.programs[next(iter(self.programs))]
        return concrete

    def _key(self, seen):
        if seen is None:
            return object()
        if not self.own:
            return tuple(seen.items())
        return tuple((p, v) for p, v in seen.items() if not any(p[:n] in self.own for n in range(len(p) + 1)))


def contents(objects) -> dict | None:
    """What the objects hold and refer to, by place; None if they do not let themselves be read."""
    reader = _Reader()
    try:
        reader.read(tuple(objects), ())
        hash(tuple(reader.found.items()))
    except Exception:  # objects may answer with anything when looked into: such a program is compiled anew
        return None
    return reader.found


def tensors(structure) -> list:
    """Tensors and variables that the functions in a structure refer to."""
    found = contents(_tree.held(structure)) or {}
    objects = (v.value for v in found.values() if isinstance(v, _tree.Same))
    return [v for v in objects if isinstance(v, (tf.Tensor, tf.Variable))]


def changes(before, after) -> set:
    """The places at which two contents differ."""
    if before is None or after is None:
        return set()
    return {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}


class _Reader:
    """One reading; objects met again are named by the place where they were first met."""

    def __init__(self):
        self.found: dict[tuple, object] = {}
        self.met: dict[int, tuple] = {}  # by id: (place, the object, which must not go while its id is in use)

    def read(self, x, at):
        """Note what `x` is at the place `at`, and its parts below it."""
        if x is None or isinstance(x, (bool, int, str, bytes)):
            self.found[at] = type(x), x
        elif isinstance(x, (float, complex)):
            self.found[at] = type(x), repr(x)  # tells −0 from 0, and NaN is itself
        elif isinstance(x, (tf.Tensor, tf.Variable)):
            self.found[at] = _tree.Same(x)  # a tensor does not change, a variable is read by the program
        elif id(x) in self.met:
            self.found[at] = "again", self.met[id(x)][0]
        else:
            self.met[id(x)] = at, x
            head, parts = self._open(x)
            self.found[at] = head
            for name, part in parts:
                self.read(part, (*at, name))

    def _open(self, x):
        """(what x is itself, its named parts)."""
        if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind != "O":
            return (x.dtype.str, x.shape, hashlib.blake2b(np.ascontiguousarray(x), digest_size=16).digest()), ()
        if isinstance(x, (tuple, list, np.ndarray)):
            return (type(x), len(x)), enumerate(x)
        if isinstance(x, (set, frozenset)):
            return (type(x), frozenset(x)), ()
        if isinstance(x, dict):
            return (type(x), tuple(x)), enumerate(x.values())
        if isinstance(x, types.MethodType):
            return "method", (("of", x.__self__), ("function", x.__func__))
        if isinstance(x, functools.partial):
            return "partial", (("function", x.func), ("args", x.args), ("keywords", x.keywords))
        if isinstance(x, (staticmethod, classmethod)):
            return type(x), (("function", x.__func__),)
        if isinstance(x, property):
            return "property", (("get", x.fget),)
        if isinstance(x, types.FunctionType):
            return self._function(x)
        if isinstance(x, type):
            own = [(k, v) for k, v in vars(x).items() if k not in _NOT_OWN] if _users(x) else []
            return _tree.Same(x), (*own, ("bases", x.__bases__)) if own else ()
        if _users(type(x)):
            return "object", (("class", type(x)), *_fields(x).items())
        return _tree.Same(x), ()

    def _function(self, f):
        module = f.__globals__.get("__name__")
        library = _library(module)
        if library and not _ours(module):
            return _tree.Same(f), ()
        names = {} if library else {".".join(chain): _find(f, chain) for chain in _names(f.__code__)}
        cells = {str(i): _cell(c) for i, c in enumerate(f.__closure__ or ())}
        rest = {"defaults": f.__defaults__, "keywords": f.__kwdefaults__, "attributes": vars(f)}
        return _tree.Same(f.__code__), (names | cells | rest).items()


_NOT_OWN = frozenset({"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__dataclass_fields__"})


def _fields(x):
    slots = {n: getattr(x, n) for c in type(x).__mro__ for n in getattr(c, "__slots__", ()) if hasattr(x, n)}
    return slots | getattr(x, "__dict__", {})


def _cell(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


@functools.lru_cache(maxsize=1024)
def _names(code) -> tuple[tuple[str, ...], ...]:
    """Global names that the code reads, each with the attributes asked of it; inner functions included."""
    found, chain = [], None
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            chain = [step.argval]
            found.append(chain)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and chain is not None:
            chain.append(step.argval)
        elif step.opname not in ("CACHE", "PRECALL", "EXTENDED_ARG"):
            chain = None
    inner = [n for c in code.co_consts if isinstance(c, types.CodeType) for n in _names(c)]
    return tuple(dict.fromkeys([*map(tuple, found), *inner]))


def _find(f, chain):
    """The object that a chain of names leads to, as far as it leads through modules of the user's."""
    value = f.__globals__.get(chain[0])
    for name in chain[1:]:
        if not isinstance(value, types.ModuleType) or _library(value.__name__):
            break
        value = getattr(value, name, None)
    return value


def _users(cls) -> bool:
    """Whether a class is the user's, with no base from a library that keeps more than attributes in its objects."""
    if cls is types.SimpleNamespace:
        return True
    standard = sys.stdlib_module_names
    return not _library(cls.__module__) and all(
        not _library(c.__module__) or c.__module__.partition(".")[0] in standard for c in cls.__mro__
    )


def _ours(module) -> bool:
    return (module or "").partition(".")[0] == "diffsim"


def _library(module) -> bool:
    return _installed((module or "").partition(".")[0])


@functools.lru_cache(maxsize=1024)
def _installed(top) -> bool:
    """Whether a module is of Python, diffsim or another installed package: its constants stay as they are."""
    if top in sys.stdlib_module_names or top == "diffsim":
        return True
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file
