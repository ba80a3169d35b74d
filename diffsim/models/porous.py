"""The porous medium: diffusion that vanishes with what diffuses."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _nest
from diffsim.equation import Equation
from diffsim.models._model import Model, parameter
from diffsim.operators.nonlinear import NonlinearDiffusion


@dataclass(frozen=True)
class PorousMedium(Model):
    """u_t = D∇²(uᵐ) = ∇·(D m uᵐ⁻¹ ∇u): gas in rock, thin films; its fronts have finite speed.

    Args:
        m: exponent ≥ 1; 1 is Fick's law, 2 a gas that follows Darcy's law isothermally.
        D: coefficient of ∇²(uᵐ) [length² / (time · concentrationᵐ⁻¹)].

    Known answers: `ds.reference.nonlinear.barenblatt` and `barenblatt_front`.

    Source: J. L. Vázquez, The Porous Medium Equation, Oxford 2006,
        doi:10.1093/acprof:oso/9780198569039.001.0001.
    """

    m: float = parameter(least=1.0)
    D: float = parameter(1.0, least=0.0)

    def diffusivity(self, u):
        """D m uᵐ⁻¹ [length² / time], zero where rounding left u below zero."""
        m = _nest.to(self.m, u.dtype)
        return _nest.to(self.D, u.dtype) * m * tf.maximum(u, 0.0) ** (m - 1.0)

    def on(self, grid, boundary) -> Equation:
        """f = ∇·(D m uᵐ⁻¹ ∇u), in flux form.

        Raises:
            ValueError: faces without condition.
        """
        return Equation(drift=NonlinearDiffusion(grid, boundary, self.diffusivity), names="u")
