"""Processes whose law is known exactly: free, trapped, and growing by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.models._model import parameter
from diffsim.models._motion import Motion, matrix_like
from diffsim.noise import Correlated


@dataclass(frozen=True)
class BrownianMotion(Motion):
    """dX = v dt + √(2D) dW: free diffusion.

    Args:
        D: diffusivity [length² / time]; or, in an anisotropic medium, a symmetric positive matrix for the last axis.
        v: drift velocity, a number or a vector along the last axis [length / time].

    Known answers: X − vt is normal with the covariance 2Dt; ⟨|X − X₀|²⟩ = 2dDt + |v|²t².

    Source: A. Einstein, Ann. Phys. 322 (1905) 549, doi:10.1002/andp.19053220806.
    """

    D: Any = 1.0
    v: Any = 0.0

    def __post_init__(self):
        why = "it is a parameter of the law"
        if matrix_like(self.D):
            D = self.D if tf.is_tensor(self.D) else np.asarray(self.D, np.float64)
            object.__setattr__(self, "D", D)
            Correlated(D)  # says what is wrong with it
        else:
            object.__setattr__(self, "D", _checks.number("D", self.D, least=0.0, why=why))
        v = np.asarray(self.v, np.float64) if isinstance(self.v, (tuple, list)) else self.v
        object.__setattr__(self, "v", float(v) if isinstance(v, int) else v)
        _checks.finite("v", self.v, why=why)

    def drift(self, t, x):
        """v."""
        return tf.broadcast_to(_nest.to(self.v, x.dtype), x.shape)

    @property
    def law(self):
        """Additive noise, correlated if D is a matrix."""
        still = isinstance(self.v, float) and self.v == 0.0
        drift = None if still else self.drift
        if matrix_like(self.D):
            return Equation(drift=drift, diffusion=1.0, noise=Correlated(2.0 * self.D), names="x")
        return Equation(drift=drift, diffusion=(2.0 * self.D) ** 0.5, names="x")


@dataclass(frozen=True)
class OrnsteinUhlenbeck(Motion):
    """dX = −(k/γ) X dt + √(2kT/γ) dW: a bead in an optical trap.

    Args:
        k: stiffness [energy / length²].
        gamma: friction [energy · time / length²].
        kT: temperature [energy].

    Known answers: ⟨X²⟩ = kT/k at rest; ⟨X(t)X(0)⟩ = (kT/k) e^{−kt/γ}; `mean`, `variance`. `ETD1` is exact at any step.

    Source: G. E. Uhlenbeck, L. S. Ornstein, Phys. Rev. 36 (1930) 823, doi:10.1103/PhysRev.36.823.
    """

    k: float = parameter(1.0)
    gamma: float = parameter(1.0, above=0.0)
    kT: float = parameter(1.0, least=0.0)

    @property
    def law(self):
        """Linear, with additive noise."""
        return Equation(linear=-self.k / self.gamma, diffusion=(2.0 * self.kT / self.gamma) ** 0.5, names="x")

    def mean(self, t, x0):
        """⟨X(t)⟩ = x₀ e^{−kt/γ}."""
        return x0 * np.exp(-self.k * np.asarray(t) / self.gamma)

    def variance(self, t):
        """Var X(t) = (kT/k)(1 − e^{−2kt/γ}) from a known start, 2kTt/γ without a trap."""
        rate, t = 2.0 * self.k / self.gamma, np.asarray(t)
        return 2.0 * self.kT / self.gamma * (1.0 * t if rate == 0 else -np.expm1(-rate * t) / rate)


@dataclass(frozen=True)
class GeometricBrownian(Motion):
    """dX = μX dt + σX dW, Itô: growth at a rate that fluctuates.

    Args:
        mu: mean growth rate [1 / time].
        sigma: volatility [1 / time^½].

    Known answers: X = X₀ exp((μ − σ²/2)t + σW); ⟨X⟩ = X₀e^{μt}; ⟨X²⟩ = X₀²e^{(2μ + σ²)t}. As a Stratonovich law the
    same letters give ⟨X⟩ = X₀e^{(μ + σ²/2)t}.

    Source: M. F. M. Osborne, Oper. Res. 7 (1959) 145, doi:10.1287/opre.7.2.145.
    """

    mu: float = parameter()
    sigma: float = parameter(least=0.0)

    def drift(self, t, x):
        """μx."""
        return self.mu * x

    def diffusion(self, t, x):
        """σx."""
        return self.sigma * x

    @property
    def law(self):
        """Multiplicative noise."""
        return Equation(drift=self.drift, diffusion=self.diffusion, names="x")
