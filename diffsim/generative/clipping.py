"""Estimates kept within the range of data: clipped, or drawn back into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.generative.denoiser import Around, check


class Cut(Around):
    """A denoiser whose estimates are kept in range."""

    def __call__(self, z, lam):
        """At z and λ."""
        return self.cut(self.denoiser(z, lam))

    @property
    def network(self):
        """That of the denoiser inside, None if it has none."""
        return getattr(self.denoiser, "network", None)

    @property
    def both(self):
        """(z, λ) → the estimate in range, and what else the network tells; None if nothing is told."""
        inside = getattr(self.denoiser, "both", None)
        if inside is None:
            return None

        def within(z, lam):
            D, told = inside(z, lam)
            return self.cut(D), told

        return within


@dataclass(frozen=True)
class CutUnsure(Around):
    """The same of a denoiser that knows the variance of x₀ given z, which is kept."""

    denoiser: Cut

    def __call__(self, z, lam):
        """The mean."""
        return self.denoiser(z, lam)

    def told(self, z, lam, after):
        """Mean and variance."""
        D, C = self.denoiser.denoiser.told(z, lam, after)
        return self.denoiser.cut(D), C


def _knowing(cut: Cut) -> Cut | CutUnsure:
    return CutUnsure(cut) if hasattr(cut.denoiser, "told") else cut


@dataclass(frozen=True)
class Clipped(Cut):
    """D cut off at two values."""

    denoiser: Callable
    low: Any
    high: Any

    def cut(self, D):
        """What of D is within."""
        return tf.clip_by_value(D, _nest.to(self.low, D.dtype), _nest.to(self.high, D.dtype))


def clip(denoiser: Callable, low: float = -1.0, high: float = 1.0) -> Clipped | CutUnsure:
    """D ↦ min(max(D, low), high): no estimate beyond the range of data.

    The noise in z is what is left beside the clipped estimate, in every sampler.

    Args:
        denoiser: D(z, λ).
        low: least value of data.
        high: largest.

    References:
        Ho, Jain & Abbeel (2020), arXiv:2006.11239.
    """
    check(denoiser, "its estimates are kept in range")
    why = "it is an end of the range of data"
    low, high = _checks.number("low", low, why=why), _checks.number("high", high, why=why)
    if not low < high:
        _checks.refuse("high", high, f"a number > low = {low:g}", "data lie between them", "Swap them.")
    return _knowing(Clipped(denoiser, low, high))


@dataclass(frozen=True)
class Thresholded(Cut):
    """D/s cut off at ±1, s of each sample from its largest entries."""

    denoiser: Callable
    share: Any
    most: Any

    def cut(self, D):
        """What of D is within."""
        flat = tf.sort(tf.abs(tf.reshape(D, [tf.shape(D)[0], -1])), axis=1)
        count = flat.shape[1]
        place = _nest.to(self.share, D.dtype) * (count - 1)
        left = tf.cast(tf.clip_by_value(tf.floor(place), 0, max(count - 2, 0)), tf.int32)
        a, b = (tf.gather(flat, tf.minimum(left + i, count - 1), axis=1) for i in (0, 1))
        s = a + (b - a) * (place - tf.cast(left, D.dtype))
        s = tf.clip_by_value(s, _nest.to(1.0, D.dtype), _nest.to(self.most, D.dtype))
        return tf.clip_by_value(D / _nest.spread(s, D), _nest.to(-1.0, D.dtype), _nest.to(1.0, D.dtype))


def threshold(denoiser: Callable, share: float = 0.995, most: float = 1e4) -> Thresholded | CutUnsure:
    """D ↦ D/s cut off at ±1, s ≥ 1 the `share` quantile of |D| in each sample: dynamic thresholding.

    Against the saturation that strong guidance brings; images in [−1, 1], not latents.

    Args:
        denoiser: D(z, λ).
        share: of the entries of a sample that stay below s.
        most: s at most; 1 is `clip`.

    References:
        Saharia et al. (2022), arXiv:2205.11487, section 2.3.
    """
    check(denoiser, "its estimates are kept in range")
    share = _checks.number("share", share, above=0.0, why="it is a share of the entries")
    if share > 1.0:
        _checks.refuse("share", share, "a number in (0, 1]", "it is a share of the entries", "Use 0.995, say.")
    most = _checks.number("most", most, least=1.0, why="data lie in [−1, 1]")
    return _knowing(Thresholded(denoiser, share, most))
