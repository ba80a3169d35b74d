"""Sources: what is supplied per volume and time, whatever the state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.grid import Grid


@dataclass(frozen=True)
class Source:
    """f(t, u) = S(t, x), a drift that does not depend on u.

    Args:
        grid: where it acts.
        value: number, array over the grid, or f(t, *x) evaluated at cell centres [concentration / time].

    Raises:
        ValueError: an array that is not finite or not of the grid's shape.
    """

    grid: Grid
    value: object

    def __post_init__(self):
        value = self.value
        if callable(value) and not _tree.is_number(value):
            return
        _checks.finite("source", value, why="it enters the equation as it is")
        if np.ndim(value) == 0:
            object.__setattr__(self, "value", value if hasattr(value, "dtype") else float(value))
        else:
            self.grid.check("source", np.shape(value))

    @property
    def local(self) -> bool:
        """Whether it is the same everywhere."""
        return _tree.is_number(self.value) and np.ndim(self.value) == 0

    def __call__(self, t, u):
        """S(t, x), as large as u."""
        value = self.value
        if not _tree.is_number(value):
            value = value(t, *(tf.constant(x, u.dtype) for x in self.grid.coordinates()))
        return tf.broadcast_to(_nest.to(value, u.dtype), u.shape)
