"""What laws of particles share: they need no grid."""

from __future__ import annotations

from abc import ABC, abstractmethod

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.models._model import Model


class Motion(ABC):
    """A named law of particles: leading axes are the ensemble, the last one the coordinates. Parameters are data."""

    __post_init__ = Model.__post_init__

    @property
    @abstractmethod
    def law(self) -> Equation:
        """The law, for `solve`."""

    def check_state(self, y) -> None:
        """Refuse positions that the potential refuses."""
        V = getattr(self, "V", None)
        if hasattr(V, "check_state"):
            V.check_state(_nest.flatten(y)[0])


def matrix_like(value) -> bool:
    """Whether a parameter is a matrix and not a number."""
    return len(getattr(value, "shape", ())) > 0 or isinstance(value, (tuple, list))


def potential(V):
    """V itself, if it is None or a function."""
    if V is not None and not callable(V):
        why, way_out = "the force is its derivative", "Pass e.g. lambda t, x: 0.5 * k * tf.reduce_sum(x**2, -1)."
        _checks.refuse("V", V, "a function V(t, x), or None", why, way_out, TypeError)
    return V


def force(V, t, x):
    """−∂V/∂x, as V knows it or by automatic differentiation; V(t, x) is one energy for each particle, or for all."""
    if hasattr(V, "force"):
        return V.force(t, x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        energy = tf.reduce_sum(V(t, x))
    slope = tape.gradient(energy, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return _nest.scale(-1.0, slope)
