"""What the tensors of a state are called, and what their numbers mean."""

from __future__ import annotations

from dataclasses import dataclass

from diffsim import _checks, _nest


@dataclass(frozen=True)
class Named:
    """The name of one tensor of a state.

    A law says the names of its state in `names`, one for each tensor in their order; records, files and figures
    repeat them. What reduces a state says its own: SaveAt(fn=…) of an object with `names`, or by returning a dict.

    Args:
        name: of the tensor.
        columns: names of the entries along its last axis, if they have some.
        kinds: what its values 0, 1, 2, … stand for, if they number something.
    """

    name: str
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def __post_init__(self):
        _text("name", self.name)
        for what in ("columns", "kinds"):
            words = getattr(self, what)
            if isinstance(words, str):
                way_out = f"Write ({words!r},)."
                _checks.refuse(what, words, "a tuple of names", "there is one for each", way_out, TypeError)
            words = tuple(_text(what, w) for w in words)
            _distinct(what, words)
            object.__setattr__(self, what, words)


def checked(names) -> tuple[Named, ...] | None:
    """Names as a law keeps them: of None, one, or several."""
    if names is None:
        return None
    given = (names,) if isinstance(names, (str, Named)) else tuple(names)
    made = tuple(n if isinstance(n, Named) else Named(n) for n in given)
    _distinct("names", tuple(n.name for n in made))
    return made


def of_function(fn) -> tuple[Named, ...] | None:
    """The names that a function gives to what it returns, its attribute `names`; None if it has none."""
    return checked(getattr(fn, "names", None))


def fit(names, y) -> None:
    """Refuse names that are not those of the state y."""
    if names is not None:
        of(y, names)


def of(y, names=None) -> tuple[Named, ...]:
    """A name for each tensor of y: the one that was given; else its key, its field, or u0, u1 and so on.

    Args:
        y: a nest of anything with a shape.
        names: from `checked`, or None.

    Raises:
        ValueError: another number of names than tensors, or of columns than entries along the last axis.
    """
    leaves = _nest.flatten(y)
    if names is None:
        return tuple(map(Named, _own(y)))
    if len(names) != len(leaves):
        shown = _checks.Verbatim(f"({', '.join(n.name for n in names)})")
        _checks.refuse("names", shown, f"{len(leaves)}", "each tensor of the state has one",
                       'Give one for each; those along a last axis are Named("n", columns=(…)).')
    for n, leaf in zip(names, leaves, strict=True):
        entries = leaf.shape[-1] if len(leaf.shape) else None
        if n.columns and len(n.columns) != entries:
            _checks.refuse(f"columns of {n.name}", n.columns, f"{entries or 'no'} names",
                           "each entry along the last axis has one", "Name each.")
    return tuple(names)


def find(names, y, name: str):
    """The tensor of y that is called `name`, or the column.

    Raises:
        KeyError: nothing has that name.
    """
    leaves = _nest.flatten(y) if names else ()
    for n, leaf in zip(names, leaves, strict=True):
        if name in n.columns:
            return leaf[..., n.columns.index(name)]
    for n, leaf in zip(names, leaves, strict=True):
        if n.name == name:
            return leaf
    known = [w for n in names for w in (n.name, *n.columns)]
    way_out = "Choose one of them."
    for n in names:
        if name in n.kinds:
            way_out = f"{name} is where {n.name} is {n.kinds.index(name)}: compare with that."
    return _checks.refuse("name", name, f"one of {', '.join(known)}", "the records have no other", way_out, KeyError)


def _own(y, prefix: str = "") -> list[str]:
    if isinstance(y, dict):
        return [n for k in sorted(y) for n in _own(y[k], f"{prefix}{k}.")]
    if isinstance(y, (tuple, list)):
        keys = getattr(y, "_fields", None) or [f"u{i}" for i in range(len(y))]
        return [n for k, v in zip(keys, y, strict=True) for n in _own(v, f"{prefix}{k}.")]
    return [prefix.removesuffix(".") or "u"]


def _text(what, value) -> str:
    _checks.instance(what, value, str, why="it is written beside numbers", way_out='Pass text, such as "u".')
    if not value.strip():
        _checks.refuse(what, value, "text that is not empty", "it is written beside numbers", 'Pass e.g. "u".')
    return value


def _distinct(what, words):
    if len(set(words)) < len(words):
        _checks.refuse(what, words, "different names", "they tell parts apart", "Rename one.")
