"""What happens when two molecules meet: Doi's volume reactivity, or Smoluchowski's contact."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from diffsim import _checks
from diffsim.particles import contact


class Contact(NamedTuple):
    """After a step a pair with |r| < radius reacts with probability `chance`."""

    radius: float
    chance: float


class Kinetics(ABC):
    """How pairs react; `k` is the rate constant of a pair, D the sum of both diffusivities."""

    @abstractmethod
    def contact(self, d: int, k: float, D: float, h: float) -> Contact:
        """The Contact with the right rate for steps of length h.

        Args:
            d: dimension.
            k: rate constant of a pair > 0 [length^d / time]; twice that of the text for two of one kind.
            D: sum of both diffusivities ≥ 0.
            h: the step > 0.
        """


@dataclass(frozen=True)
class Doi(Kinetics):
    """Pairs react at the rate λ while |r| < R: in space k = 4πDR [1 − tanh(qR)/(qR)], q = √(λ/D).

    In three dimensions k is the steady rate constant, which includes the time that it takes to meet; it must be below
    Smoluchowski's 4πDR. On a line and in the plane, where no rate is steady, k is that of a well-mixed system: λ = k/V,
    V the volume within R. At each step a pair within R reacts with the probability for which the kinetics seen from
    afar are right, λΔt for short ones; if even 1 is not enough, R grows.

    Args:
        radius: R > 0 [length].

    References:
        Doi (1976), doi:10.1088/0305-4470/9/9/009; Erban & Chapman (2009), doi:10.1088/1478-3975/6/4/046001.
    """

    radius: float

    def __post_init__(self):
        value = _checks.number("radius", self.radius, above=0.0, why="pairs react while they are within it")
        object.__setattr__(self, "radius", value)

    def rate(self, d: int, k: float, D: float) -> float:
        """λ of a pair with the rate constant k."""
        R = float(self.radius)
        if d < 3 or D == 0:
            return k / contact.ball(d, R)
        most = 4 * math.pi * D * R
        if k >= most:
            why = "no pair reacts faster than it meets"
            way_out = f"Use Doi({1.2 * k / (4 * math.pi * D):.3g}) or more, or Smoluchowski()."
            _checks.refuse("k", k, f"less than 4πDR = {most:.4g} for a pair", why, way_out)
        from scipy.optimize import brentq

        def excess(u):
            return 4 * math.pi * D * contact.doi(3, R, math.exp(u) / R) - k

        return D / R**2 * math.exp(2 * brentq(excess, -25.0, 25.0, xtol=1e-13)) if excess(25.0) > 0 else math.inf

    def contact(self, d, k, D, h):
        """R and the probability, or what has the same effect."""
        R, rate = float(self.radius), self.rate(d, k, D)
        if D == 0:
            return Contact(R, -math.expm1(-rate * h))
        s = math.sqrt(2 * D * h)
        a = k / (4 * math.pi * D) if d == 3 else contact.doi(d, R, math.sqrt(rate / D))
        p = contact.chance_for(d, R, a, s)
        return Contact(R, p) if p is not None else Contact(contact.radius_for(d, a, s), 1.0)


@dataclass(frozen=True)
class Smoluchowski(Kinetics):
    """Pairs react when they touch, at the steady rate k = 4πDa; a step uses the binding radius that gives it.

    On a line molecules are points that react with the rate k when they meet: 2D ∂ₓg = kg at x = 0±; k → ∞ is certain.
    In the plane points never meet: use Doi.

    References:
        Smoluchowski (1917); Andrews & Bray (2004), doi:10.1088/1478-3975/1/3/001.
    """

    def contact(self, d, k, D, h):
        """The binding radius, and certainty."""
        if d == 2:
            why, way_out = "points in the plane never meet", "Use Doi(radius)."
            _checks.refuse("kinetics", self, "Doi(radius) in two dimensions", why, way_out)
        if D == 0:
            why = "two molecules that rest never meet"
            _checks.refuse("D", D, "> 0 for one of each pair", why, "Use Doi(radius), or let one of them move.")
        a = -2 * D / k if d == 1 else k / (4 * math.pi * D)
        return Contact(contact.radius_for(d, a, math.sqrt(2 * D * h)), 1.0)
