"""Directions that diffuse, and particles that swim along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _nest
from diffsim.calculus import NoiseMap, Stratonovich
from diffsim.equation import Equation
from diffsim.models._model import parameter
from diffsim.models._motion import Motion


@dataclass(frozen=True)
class SphericalBrownian(Motion):
    """dX = √(2D) (1 − n nᵀ) ∘ dW, n = X/|X|: Brownian motion on a sphere of radius R, in any dimension.

    Run it with ``stepper=Onto(Heun(), model.project)``, which keeps |X| = R to rounding. Its weak order is 1: decays
    come out slower by a share of 3 to 5 D dt/R², so take dt ≪ R²/D.

    Args:
        D: diffusivity [length² / time].
        R: radius [length].

    Known answers: ⟨cos θ⟩ = e^{−2Dt/R²}, ⟨P_l(cos θ)⟩ = e^{−l(l + 1)Dt/R²} in three dimensions, θ the angle to X₀.

    Source: D. R. Brillinger, J. Theor. Probab. 10 (1997) 429, doi:10.1023/A:1022869817770.
    """

    D: float = parameter(1.0, least=0.0)
    R: float = parameter(1.0, above=0.0)

    def tangential(self, t, x, dN):
        """√(2D) (1 − n nᵀ) dN."""
        along = tf.reduce_sum(x * dN, -1, keepdims=True) / tf.reduce_sum(x * x, -1, keepdims=True)
        return tf.sqrt(_nest.to(2.0 * self.D, x.dtype)) * (dN - x * along)

    def project(self, x):
        """R·x/|x|."""
        return x * (_nest.to(self.R, x.dtype) * tf.math.rsqrt(tf.reduce_sum(x * x, -1, keepdims=True)))

    @property
    def law(self):
        """Tangential noise, Stratonovich."""
        return Equation(diffusion=NoiseMap(self.tangential), calculus=Stratonovich(), names="x")


@dataclass(frozen=True)
class RotationalDiffusion(Motion):
    """du = √(2D_r) (1 − u uᵀ) ∘ dW: the axis u of a rod that tumbles, |u| = 1.

    Run it with ``stepper=Onto(Heun(), model.project)`` and dt ≪ 1/D_r, as for `SphericalBrownian`.

    Args:
        D_r: rotational diffusivity [1 / time].

    Known answers: ⟨u(t)·u(0)⟩ = e^{−(d − 1)D_r t} in d dimensions; ⟨P₂⟩ = e^{−6D_r t} for d = 3.

    Source: P. Debye, Polar Molecules (1929); L. D. Favro, Phys. Rev. 119 (1960) 53, doi:10.1103/PhysRev.119.53.
    """

    D_r: float = parameter(1.0, least=0.0)

    @property
    def sphere(self) -> SphericalBrownian:
        """The same motion as one of a point on the unit sphere."""
        return SphericalBrownian(self.D_r, 1.0)

    def project(self, u):
        """u/|u|."""
        return self.sphere.project(u)

    @property
    def law(self):
        """Tangential noise, Stratonovich."""
        return self.sphere.law


@dataclass(frozen=True)
class ActiveBrownian(Motion):
    """dx = v₀(cos θ, sin θ) dt + √(2D) dW, dθ = √(2D_r) dW: a swimmer in the plane; the state is (x, θ).

    x has a last axis of two coordinates, which θ lacks.

    Args:
        v0: speed of swimming [length / time].
        D: diffusivity [length² / time].
        D_r: rotational diffusivity [1 / time].

    Known answers: ⟨|x − x₀|²⟩ = 4Dt + 2(v₀/D_r)²(D_r t − 1 + e^{−D_r t}); `msd`.

    Source: J. R. Howse et al., Phys. Rev. Lett. 99 (2007) 048102, doi:10.1103/PhysRevLett.99.048102.
    """

    v0: float = parameter(1.0)
    D: float = parameter(1.0, least=0.0)
    D_r: float = parameter(1.0, least=0.0)

    def drift(self, t, y):
        """(v₀(cos θ, sin θ), 0)."""
        x, theta = y
        return self.v0 * tf.stack([tf.cos(theta), tf.sin(theta)], -1), tf.zeros_like(theta)

    @property
    def law(self):
        """Additive noise."""
        return Equation(drift=self.drift, diffusion=((2.0 * self.D) ** 0.5, (2.0 * self.D_r) ** 0.5), names=("x", "θ"))

    def msd(self, t):
        """⟨|x(t) − x₀|²⟩."""
        s = self.D_r * np.asarray(t)
        swum = 2.0 * (self.v0 / self.D_r) ** 2 * (s + np.expm1(-s)) if self.D_r > 0 else (self.v0 * np.asarray(t)) ** 2
        return 4.0 * self.D * np.asarray(t) + swum
