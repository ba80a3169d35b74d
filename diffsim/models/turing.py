"""Activators and inhibitors: stripes, spots and animal coats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffsim.models import _uniform
from diffsim.models._model import parameter
from diffsim.models.reaction import Reaction


@dataclass(frozen=True)
class GiererMeinhardt(Reaction):
    """u_t = Du∇²u + u²/(v(1 + κu²)) − μu + σ,  v_t = Dv∇²v + u² − νv: local self-enhancement, long-range inhibition.

    Args:
        mu: decay μ of the activator u [1 / time].
        nu: decay ν of the inhibitor v [1 / time].
        sigma: basic production σ of u [1 / time].
        kappa: saturation κ; 0 for spots, larger for stripes [1].
        Du: diffusivity of u [length² / time].
        Dv: diffusivity of v [length² / time].

    Concentrations are in units in which both sources u²/v and u² have the factor one. v must stay positive.

    Known answers: for κ = 0 the steady state ((ν + σ)/μ, u²/ν).

    Source: A. Gierer, H. Meinhardt, Kybernetik 12 (1972) 30, doi:10.1007/BF00289234.
    """

    mu: float = parameter(1.0, above=0.0)
    nu: float = parameter(1.2, above=0.0)
    sigma: float = parameter(0.0, least=0.0)
    kappa: float = parameter(0.0, least=0.0)
    Du: float = parameter(0.01, least=0.0)
    Dv: float = parameter(1.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(u²/(v(1 + κu²)) − μu + σ, u² − νv)."""
        u, v = y
        square = u * u
        return square / (v * (1.0 + self.kappa * square)) - self.mu * u + self.sigma, square - self.nu * v

    def steady_states(self):
        """v = u²/ν with ν/(1 + κu²) + σ = μu, which has one root."""
        _uniform.one_set(self)
        mu, nu, sigma, kappa = self.mu, self.nu, self.sigma, self.kappa
        us = _uniform.positive_roots([kappa * mu, -kappa * sigma, mu, -(nu + sigma)])
        return tuple((u, u * u / nu) for u in us)


@dataclass(frozen=True)
class LengyelEpstein(Reaction):
    """u_t = ∇²u + a − u − 4uv/(1 + u²),  v_t = σ[c∇²v + b(u − uv/(1 + u²))]: the CIMA reaction of iodide and chlorite.

    Args:
        a: feed [1].
        b: kinetics [1].
        sigma: σ = 1 + K[starch], which binds iodide and slows u [1].
        c: ratio of the free diffusivities, D(chlorite)/D(iodide) [1].

    Scaled: time by the life of iodide, length by how far it diffuses meanwhile.

    Known answers: steady state (α, 1 + α²), α = a/5; well mixed it oscillates for σb < 3α − 5/α; patterns where
    c(3α² − 5) − αb > 2√(5αbc(1 + α²)), whatever σ.

    Source: I. Lengyel, I. R. Epstein, Science 251 (1991) 650, doi:10.1126/science.251.4994.650.
    """

    a: float = parameter(10.0, above=0.0)
    b: float = parameter(0.3, above=0.0)
    sigma: float = parameter(20.0, above=0.0)
    c: float = parameter(1.5, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(1, σc)."""
        return 1.0, self.sigma * self.c

    def rates(self, t, y):
        """(a − u − 4uv/(1 + u²), σb(u − uv/(1 + u²)))."""
        u, v = y
        bound = u * v / (1.0 + u * u)
        return self.a - u - 4.0 * bound, self.sigma * self.b * (u - bound)

    def steady_states(self):
        """(a/5, 1 + a²/25)."""
        return ((self.a / 5.0, 1.0 + self.a**2 / 25.0),)


@dataclass(frozen=True)
class Thomas(Reaction):
    """u_t = Du∇²u + a − u − h,  v_t = Dv∇²v + α(b − v) − h,  h = ρuv/(1 + u + Ku²): an immobilised enzyme.

    Args:
        a: uric acid in the reservoir [1].
        b: oxygen in the reservoir [1].
        alpha: exchange of oxygen relative to uric acid, α [1].
        rho: activity of uricase, ρ [1].
        K: inhibition by the substrate [1].
        Du: diffusivity of uric acid u [length² / time].
        Dv: diffusivity of oxygen v [length² / time].

    Known answers: for the default kinetics the steady state (37.7382, 25.1588), and patterns for Dv/Du > 27.0152.

    Source: D. Thomas, in Analysis and Control of Immobilized Enzyme Systems, Springer 1975, p. 115;
        J. D. Murray, Mathematical Biology II, Springer 2003, doi:10.1007/b98869.
    """

    a: float = parameter(150.0, least=0.0)
    b: float = parameter(100.0, least=0.0)
    alpha: float = parameter(1.5, above=0.0)
    rho: float = parameter(13.0, least=0.0)
    K: float = parameter(0.05, above=0.0)
    Du: float = parameter(1.0, least=0.0)
    Dv: float = parameter(40.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(a − u − h, α(b − v) − h)."""
        u, v = y
        h = self.rho * u * v / (1.0 + u + self.K * u * u)
        return self.a - u - h, self.alpha * (self.b - v) - h

    def steady_states(self):
        """v = b − (a − u)/α ≥ 0 with (a − u)(1 + u + Ku²) = ρuv, ascending in u."""
        _uniform.one_set(self)
        a, b, alpha, rho = self.a, self.b, self.alpha, self.rho
        left = np.polymul([-1.0, a], [self.K, 1.0, 1.0])
        right = np.polymul([rho, 0.0], [1.0 / alpha, b - a / alpha])
        pairs = ((u, b - (a - u) / alpha) for u in _uniform.positive_roots(np.polysub(left, right)))
        return tuple((u, v) for u, v in pairs if v >= 0.0)
