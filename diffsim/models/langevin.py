"""Motion in a potential with friction and thermal noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim.calculus import Isothermal
from diffsim.equation import Equation
from diffsim.models._model import parameter
from diffsim.models._motion import Motion, force, matrix_like, potential
from diffsim.noise import Correlated


@dataclass(frozen=True)
class Overdamped(Motion):
    """dX = −μ∇V dt + √(2kTμ) dW: Brownian motion in a potential, when inertia is forgotten.

    Args:
        V: V(t, x) → one energy for each particle, or their sum [energy], or None. The force is its derivative.
        kT: temperature [energy].
        mobility: μ = 1/γ = D/kT, a number, a positive matrix for the last axis, or a function μ(t, x) → like x
            [length² / (energy · time)]. Where it varies, noise is isothermal: e^{−V/kT} is the law at rest.

    Known answers: p ∝ e^{−V/kT} at rest; in V = A cos x D_eff = μkT/I₀(A/kT)²; escape over a barrier by Kramers' law.
    Steppers: `LeimkuhlerMatthews` for averages at rest, `SRA1` for paths, `Heun` where the mobility varies.

    Source: D. L. Ermak, J. A. McCammon, J. Chem. Phys. 69 (1978) 1352, doi:10.1063/1.436761;
        P. Hänggi, H. Thomas, Phys. Rep. 88 (1982) 207, doi:10.1016/0370-1573(82)90045-X, for the isothermal form.
    """

    V: Callable | None
    kT: float = parameter(1.0, least=0.0)
    mobility: Any = 1.0

    def __post_init__(self):
        super().__post_init__()
        potential(self.V)
        if matrix_like(self.mobility):
            M = self.mobility if tf.is_tensor(self.mobility) else np.asarray(self.mobility, np.float64)
            object.__setattr__(self, "mobility", M)
            Correlated(M)  # says what is wrong with it
        elif not callable(self.mobility):
            value = _checks.number("mobility", self.mobility, above=0.0, why="it turns force into velocity")
            object.__setattr__(self, "mobility", value)

    def drift(self, t, x):
        """−μ∇V."""
        F = force(self.V, t, x)
        if callable(self.mobility):
            return self.mobility(t, x) * F
        M = _nest.to(self.mobility, x.dtype)
        return M * F if M.shape.rank == 0 else tf.linalg.matvec(M, F)

    def diffusion(self, t, x):
        """√(2kTμ)."""
        return tf.sqrt(2.0 * self.kT * self.mobility(t, x))

    @property
    def law(self):
        """Additive noise; where the mobility varies, isothermal."""
        drift = None if self.V is None else self.drift
        if callable(self.mobility):
            return Equation(drift=drift, diffusion=self.diffusion, calculus=Isothermal(), names="x")
        if matrix_like(self.mobility):
            return Equation(drift=drift, diffusion=self.kT**0.5, noise=Correlated(2.0 * self.mobility), names="x")
        return Equation(drift=drift, diffusion=(2.0 * self.kT * self.mobility) ** 0.5, names="x")


@dataclass(frozen=True)
class Underdamped(Motion):
    """dx = v dt, m dv = −∇V dt − γv dt + √(2γkT) dW; the state is the pair (x, v).

    Args:
        V: V(t, x) → one energy for each particle, or their sum [energy]; None for none.
        kT: temperature [energy].
        gamma: friction [mass / time].
        mass: m.

    Known answers: e^{−(V + mv²/2)/kT} at rest; free, with τ = m/γ: ⟨v(t)·v(0)⟩ = (d kT/m) e^{−t/τ},
    ⟨|x − x₀|²⟩ = 2dD(t − τ(1 − e^{−t/τ})), D = kT/γ. Stepper: `BAOAB`.

    Source: P. Langevin, C. R. Acad. Sci. 146 (1908) 530; H. A. Kramers, Physica 7 (1940) 284,
        doi:10.1016/S0031-8914(40)90098-2.
    """

    V: Callable | None
    kT: float = parameter(1.0, least=0.0)
    gamma: float = parameter(1.0, least=0.0)
    mass: float = parameter(1.0, above=0.0)

    def __post_init__(self):
        super().__post_init__()
        potential(self.V)

    def drift(self, t, y):
        """(v, −∇V/m)."""
        x, v = y
        return v, tf.zeros_like(v) if self.V is None else force(self.V, t, x) / _nest.to(self.mass, x.dtype)

    @property
    def law(self):
        """Friction is the linear part."""
        sigma = (2.0 * self.gamma * self.kT) ** 0.5 / self.mass
        linear = None, -self.gamma / self.mass
        return Equation(linear=linear, drift=self.drift, diffusion=(0.0, sigma), names=("x", "v"))

    def velocities(self, key, x):
        """v ∼ N(0, kT/m) like x."""
        return random.normal(key, x.shape, x.dtype) * _nest.to((self.kT / self.mass) ** 0.5, x.dtype)
