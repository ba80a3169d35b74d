"""Noise over the members of an ensemble: mirrored, or one for all."""

from __future__ import annotations

from dataclasses import dataclass, field

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.noise.base import Noise
from diffsim.noise.brownian import Brownian


@dataclass(frozen=True)
class _Over(Noise):
    """Noise for some rows of the leading axis, from which those of all rows follow."""

    noise: Noise = field(default_factory=Brownian)

    def __post_init__(self):
        _checks.instance("noise", self.noise, Noise, why="it drives the members", way_out="Use Brownian().")

    @property
    def white(self) -> bool:
        """As the noise inside."""
        return self.noise.white

    @property
    def variance(self):
        """As the noise inside."""
        return self.noise.variance

    @property
    def gaussian(self) -> bool:
        """As the noise inside."""
        return self.noise.gaussian

    @property
    def refinable(self) -> bool:
        """As the noise inside."""
        return self.noise.refinable

    def increment(self, key, n, t, h, like):
        """Those of some rows, spread over all."""
        return self._spread(self.noise.increment(key, n, t, h, self._some(like)), like)

    def area(self, key, n, t, h, like):
        """(W, H) of some rows, spread over all."""
        return tuple(self._spread(part, like) for part in self.noise.area(key, n, t, h, self._some(like)))

    def covers(self, t0, t1, h):
        """As the noise inside."""
        self.noise.covers(t0, t1, h)

    def fits(self, y):
        """Each part of the state has a leading axis that can be spread over."""
        for leaf in _nest.flatten(y):
            if leaf.shape.rank == 0 or leaf.shape[0] % self._rows:
                _checks.refuse(
                    "noise",
                    _checks.Verbatim(type(self).__name__),
                    f"a leading axis of a multiple of {self._rows} members, not the shape {tuple(leaf.shape)}",
                    "the members of an ensemble lie along the leading axis",
                    "Add an axis: y0[None].",
                )
        self.noise.fits(self._some(y))


class Antithetic(_Over):
    """Members in mirrored pairs: the second half of the leading axis gets minus what the first half gets.

    Means of odd functions of the noise are then exact, and those of smooth observables have a smaller variance; the
    members of a pair are not independent.

    Args:
        noise: what drives the first half.

    References:
        Hammersley & Morton (1956), doi:10.1017/S0305004100031455.
    """

    _rows = 2

    def _some(self, like):
        return _nest.map(lambda a: tf.TensorSpec([a.shape[0] // 2, *a.shape[1:]], a.dtype), like)

    def _spread(self, w, like):
        return _nest.map(lambda a: tf.concat([a, -a], 0), w)


class Shared(_Over):
    """One noise for all members along the leading axis: common random numbers, or a random environment.

    Args:
        noise: what drives every member.
    """

    _rows = 1

    def _some(self, like):
        return _nest.map(lambda a: tf.TensorSpec([1, *a.shape[1:]], a.dtype), like)

    def _spread(self, w, like):
        return _nest.map(lambda a, b: tf.broadcast_to(a, b.shape), w, like)
