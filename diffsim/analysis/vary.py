"""Another value of a parameter, whether it is a field of a model or an entry of its `parameters`."""

from __future__ import annotations

from dataclasses import fields, replace

from diffsim import _checks


def names(model) -> tuple[str, ...]:
    """What can be varied: fields, or the names that a user's own model was given."""
    own = getattr(model, "parameters", None)
    return tuple(own) if isinstance(own, dict) else tuple(f.name for f in fields(model))


def vary(model, **values):
    """The model with other values.

    Raises:
        ValueError: a name that is no parameter of the model.
    """
    for name in values:
        if name not in names(model):
            _checks.refuse("parameter", name, f"one of {', '.join(names(model)) or 'none'}",
                           f"{type(model).__name__} has no other", "Check the spelling.")
    if isinstance(getattr(model, "parameters", None), dict):
        return replace(model, parameters={**model.parameters, **values})
    return replace(model, **values)
