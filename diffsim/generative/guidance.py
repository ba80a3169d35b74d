"""Guidance: estimates with and without a condition, drawn further apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffsim import _checks, _nest, _tree


@dataclass(frozen=True)
class Guided:
    """D = D₀ + w (D₁ − D₀), D₁ with the condition, D₀ without."""

    denoiser: Callable
    condition: Any
    unconditional: Any
    scale: Any

    @property
    def schedule(self):
        """That of the denoiser, None if it has none."""
        return getattr(self.denoiser, "schedule", None)

    @property
    def blind(self):
        """As the denoiser."""
        return getattr(self.denoiser, "blind", None)

    def __call__(self, z, lam):
        """At z and λ."""
        with_it = self.denoiser(z, lam) if self.condition is None else self.denoiser(z, lam, self.condition)
        if callable(self.unconditional):
            without = self.unconditional(z, lam)
        else:
            without = (
                self.denoiser(z, lam) if self.unconditional is None else self.denoiser(z, lam, self.unconditional)
            )
        scale = _nest.to(self.scale, z.dtype)
        return without + scale * (with_it - without)


def guide(denoiser: Callable, condition=None, unconditional=None, scale: float = 1.0) -> Guided:
    """D = D₀ + w (D₁ − D₀): classifier-free guidance.

    The samples do not follow the density p₁ʷp₀^{1−w}: the sum of scores is its score at the data only, not at noise.

    Args:
        denoiser: D(z, λ, condition).
        condition: a tensor, one row for each row of z, or a nest of them.
        unconditional: the condition that stands for none, None to leave it out, or another denoiser D₀(z, λ), such as
            a weaker version of the same model.
        scale: w; 1 is the conditional denoiser, 0 the unconditional one, and more than 1 exaggerates.

    Raises:
        TypeError, ValueError: no function, or w not finite; nothing to tell the two estimates apart.

    References:
        Ho & Salimans (2022), arXiv:2207.12598; another denoiser: Karras et al. (2024), arXiv:2406.02507.
    """
    if not callable(denoiser):
        way_out = "Use gen.from_epsilon(network, schedule), say."
        _checks.refuse("denoiser", denoiser, "a function D(z, λ, condition)", "it is guided", way_out, TypeError)
    scale = _checks.number("scale", scale, why="it multiplies the difference that the condition makes")
    if condition is None and unconditional is None:
        why = "guidance amplifies the difference between two estimates"
        _checks.refuse("condition", None, "a condition, or another denoiser as unconditional", why, "Pass one.")
    unconditional = unconditional if callable(unconditional) else _tree.own(unconditional)
    return Guided(denoiser, _tree.own(condition), unconditional, scale)
