"""What all models share: parameters that are checked once and then are data."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import MISSING, field, fields

import numpy as np

from diffsim import _checks
from diffsim.equation import Equation


def parameter(default=MISSING, *, least: float = -math.inf, above: float = -math.inf):
    """A field that holds a number, or an array over the grid, within bounds."""
    return field(default=default, metadata={"least": least, "above": above})


class Model(ABC):
    """A named law. Parameters are data: to change their values never compiles again."""

    def __post_init__(self):
        for f in fields(self):
            if "least" in f.metadata:
                value = checked(f"{type(self).__name__}.{f.name}", getattr(self, f.name), **f.metadata)
                object.__setattr__(self, f.name, value)

    @abstractmethod
    def on(self, grid, boundary) -> Equation:
        """The law on a grid.

        Args:
            grid: Grid or RadialGrid.
            boundary: a condition for all faces, or Boundary(x=…, y=…).
        """


def checked(what, value, least: float = -math.inf, above: float = -math.inf):
    """A finite number as a float, or an array as it is, within bounds."""
    value = float(value) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value
    why = "it is a parameter of the law"
    if isinstance(value, (list, tuple)):
        _checks.refuse(what, value, "a number or an array", "a list has no shape",
                       "Pass np.array(…); for a sweep in the plane np.array(…)[:, None, None].", TypeError)
    if not hasattr(value, "shape"):
        return _checks.number(what, value, least=least, above=above, why=why)
    _checks.finite(what, value, least=least, why=why)
    if above > -math.inf:
        _checks.finite(what, value, least=math.nextafter(above, math.inf), why=why)
    return value
