"""Guidance: estimates with and without a condition, drawn further apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.generative.denoiser import Around, check_labels, innermost


@dataclass(frozen=True)
class Guided(Around):
    """D = D₀ + w (D₁ − D₀), D₁ with the condition, D₀ without."""

    denoiser: Callable
    condition: Any
    unconditional: Any
    scale: Any
    rescale: Any = None
    interval: Any = None

    def __call__(self, z, lam):
        """At z and λ."""
        return self._apart(self.denoiser(z, lam, *self._given), z, lam)

    @property
    def _given(self):
        return () if self.condition is None else (self.condition,)

    def _apart(self, with_it, z, lam):
        """D from D₁."""
        if callable(self.unconditional):
            without = self.unconditional(z, lam)
        else:
            without = (
                self.denoiser(z, lam) if self.unconditional is None else self.denoiser(z, lam, self.unconditional)
            )
        scale = _nest.to(self.scale, z.dtype)
        D = without + scale * (with_it - without)
        if self.rescale is not None:
            if z.shape[1:].num_elements() == 1:
                received, why = _checks.Verbatim("samples of one number"), "these have no contrast to bring back"
                _checks.refuse("z", received, "several for each sample", why, "Leave out rescale.")
            share = _nest.to(self.rescale, z.dtype)
            D *= 1 + share * (_deviation(with_it) / tf.maximum(_deviation(D), _nest.to(1e-12, z.dtype)) - 1)
        if self.interval is None:
            return D
        lam = _nest.to(lam, z.dtype)
        inside = (lam >= _nest.to(self.interval[0], z.dtype)) & (lam <= _nest.to(self.interval[1], z.dtype))
        return tf.where(_nest.spread(inside, z), D, with_it)


@dataclass(frozen=True)
class GuidedUnsure(Guided):
    """The same of a denoiser that knows the variance of x₀ given z and the condition, which is kept."""

    def told(self, z, lam, after):
        """D, and C with the condition."""
        with_it, C = self.denoiser.told(z, lam, after, *self._given)
        return self._apart(with_it, z, lam), C


def _deviation(a):
    """Standard deviation of each sample."""
    return tf.math.reduce_std(a, axis=list(range(1, len(a.shape))), keepdims=True)


def guide(
    denoiser: Callable, condition=None, unconditional=None, scale: float = 1.0, *, rescale=None, interval=None
) -> Guided:
    """D = D₀ + w (D₁ − D₀): classifier-free guidance.

    The samples do not follow the density p₁ʷp₀^{1−w}: the sum of scores is its score at the data only, not at noise.

    Args:
        denoiser: D(z, λ, condition); of one from `gen.learned` or `gen.unsure` the mean is guided, and the variance is
            that with the condition.
        condition: a tensor, one row for each row of z, or a nest of them.
        unconditional: the condition that stands for none, None to leave it out, or another denoiser D₀(z, λ), such as
            a weaker version of the same model.
        scale: w; 1 is the conditional denoiser, 0 the unconditional one, and more than 1 exaggerates.
        rescale: φ in [0, 1]: D ↦ [φ s₁/s + 1 − φ] D, s and s₁ the standard deviations of a sample of D and of D₁,
            against the contrast that large w makes.
        interval: (λ_low, λ_high), between which there is guidance; beyond it D₁ alone. None: everywhere.

    Raises:
        TypeError, ValueError: no function, or w not finite; nothing to tell the two estimates apart.

    References:
        Ho & Salimans (2022), arXiv:2207.12598; another denoiser: Karras et al. (2024), arXiv:2406.02507; rescale: Lin
        et al. (2024), arXiv:2305.08891; interval: Kynkäänniemi et al. (2024), arXiv:2404.07724.
    """
    if not callable(denoiser):
        way_out = "Use gen.from_epsilon(network, schedule), say."
        _checks.refuse("denoiser", denoiser, "a function D(z, λ, condition)", "it is guided", way_out, TypeError)
    scale = _checks.number("scale", scale, why="it multiplies the difference that the condition makes")
    if condition is None and unconditional is None:
        why = "guidance amplifies the difference between two estimates"
        _checks.refuse("condition", None, "a condition, or another denoiser as unconditional", why, "Pass one.")
    if condition is not None and unconditional is None and getattr(innermost(denoiser), "condition", None) is not None:
        received, why = _checks.Verbatim("one with a condition of its own"), "it would take the place of none"
        way_out = "Make it without, gen.from_v(network, schedule), or say what is unconditional."
        _checks.refuse("denoiser", received, "one without", why, way_out)
    check_labels(denoiser, condition)
    if not callable(unconditional):
        check_labels(denoiser, unconditional)
        unconditional = _tree.own(unconditional)
    if rescale is not None:
        rescale = _checks.number("rescale", rescale, least=0.0, why="it is the share of contrast that is taken back")
        if rescale > 1:
            _checks.refuse("rescale", rescale, "a number in [0, 1]", "it is a share", "Use 0.7, say.")
    if interval is not None:
        ends = interval if isinstance(interval, (tuple, list)) and len(interval) == 2 else (interval, interval)
        low, high = (_checks.number("interval", a, why="it is a value of λ") for a in ends)
        if not low < high:
            why = "guidance lasts from the first to the second"
            _checks.refuse("interval", interval, "(λ_low, λ_high)", why, "λ rises from noise to data.")
        interval = (low, high)
    kind = GuidedUnsure if hasattr(denoiser, "told") else Guided
    return kind(denoiser, _tree.own(condition), unconditional, scale, rescale, interval)
