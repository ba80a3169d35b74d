"""Another value of a parameter, by its name."""

from __future__ import annotations

from dataclasses import fields, replace

from diffsim import _checks


def names(model) -> tuple[str, ...]:
    """What can be varied: what the model names, or its fields."""
    named = getattr(model, "named", None)
    return tuple(f.name for f in fields(model)) if named is None else tuple(named)


def vary(model, **values):
    """The model with other values.

    Raises:
        ValueError: a name that is no parameter of the model.
    """
    known = names(model)
    for name in values:
        if name not in known:
            _checks.refuse("parameter", name, f"one of {', '.join(known) or 'none'}",
                           f"{type(model).__name__} has no other", "Check the spelling.")
    return model.varied(**values) if hasattr(model, "varied") else replace(model, **values)
