"""Reaction–diffusion: species that diffuse each by itself and react where they meet."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from diffsim import _checks, _tree
from diffsim.equation import Equation
from diffsim.models import _uniform
from diffsim.models._model import Model, parameter
from diffsim.operators.stencil import Diffusion


class Reaction(Model):
    """∂ₜyₛ = Dₛ∇²yₛ + fₛ(t, y) for each species s.

    A model names its species, its diffusivities and its rates; the state is a tensor for one species, a tuple
    in the order of `species` for several. Rates are pointwise: a parameter may be an array over the grid; for
    `jacobian` and `symbol`, which know no grid, it is an array of parameter sets.
    """

    species: ClassVar[tuple[str, ...]] = ("u",)

    @property
    @abstractmethod
    def diffusivities(self) -> tuple:
        """Dₛ of each species [length² / time]; the number 0 for one that does not move."""

    @abstractmethod
    def rates(self, t, y):
        """fₛ(t, y), a state like y [concentration / time]."""

    def steady_states(self) -> tuple[tuple[float, ...], ...]:
        """Uniform states at which all rates vanish, one number for each species, ascending.

        Newton's method from a lattice of starts between −10 and 10, which may miss some: models with a closed form
        have their own.

        Raises:
            ValueError: a parameter is an array.
        """
        return _uniform.newton(self)

    def jacobian(self, state) -> tf.Tensor:
        """∂fᵢ/∂yⱼ at a uniform state, by automatic differentiation in double precision.

        Args:
            state: a number or an array for each species, in their order; the number itself if there is but one.
                Arrays, and parameters that are arrays, are sets, broadcast together.

        Returns:
            float64 [..., S, S].

        Raises:
            ValueError: another number of entries than species, or values that are not finite.
        """
        model = _uniform.double(self)
        return _uniform.jacobian(lambda y: _uniform.rates(model, y), _uniform.leaves_of(self.species, state))

    def symbol(self, k2, state) -> tf.Tensor:
        """J − k² diag(D): what acts on a perturbation e^{ik·x} of a uniform state; eigenvalues are growth rates.

        Args:
            k2: |k|² ≥ 0, a number or an array, broadcast with the leading axes of `jacobian` [1 / length²]. For a
                wave on the lattice pass Σ (2/Δx)² sin²(kΔx/2), the eigenvalue of the discrete Laplacian.
            state: as in `jacobian`.

        Returns:
            float64 [..., S, S] [1 / time].

        Raises:
            ValueError: as `jacobian`; k² negative or not finite.
        """
        return self.jacobian(state) + _uniform.transport(_uniform.wavenumber(k2), self.diffusivities)

    def on(self, grid, boundary) -> Equation:
        """A = (D₁∇², D₂∇², …), f = rates.

        Args:
            grid: Grid or RadialGrid.
            boundary: conditions for all species, or a tuple of them, one for each species.

        Raises:
            ValueError: faces without condition, or another number of boundaries than species.
        """
        boundaries = boundary if isinstance(boundary, tuple) else (boundary,) * len(self.species)
        if len(boundaries) != len(self.species):
            _checks.refuse("boundary", boundary, f"one for all species or {len(self.species)}",
                           f"{type(self).__name__} has the species {', '.join(self.species)}",
                           "Give one for each.")
        parts = tuple(_diffusion(grid, b, D) for b, D in zip(boundaries, self.diffusivities, strict=True))
        alike = all(np.ndim(a) == 0 for a in _tree.flatten(self)[0])
        return Equation(linear=parts[0] if len(parts) == 1 else parts, drift=self.rates, local=alike)


def _diffusion(grid, boundary, D):
    still = isinstance(D, float) and D == 0.0
    return None if still else Diffusion(grid, boundary, D)


@dataclass(frozen=True)
class FisherKPP(Reaction):
    """u_t = D∇²u + r u(1 − u): logistic growth that spreads; u = 1 invades u = 0.

    Args:
        D: diffusivity [length² / time].
        r: growth rate [1 / time].

    u = 0 is unstable, so rounding of the wrong sign ahead of a front grows as e^{rt} and blows up near
    t = 35/r in double precision. ETD steppers, which transform, leave such rounding; explicit ones do not.

    Known answers: fronts of compact origin reach the speed 2√(rD); `ds.reference.nonlinear.fisher_wave`,
    `fisher_speed`, `fisher_speed_lattice`.

    Source: R. A. Fisher, Ann. Eugen. 7 (1937) 355, doi:10.1111/j.1469-1809.1937.tb02153.x.
    """

    D: float = parameter(1.0, least=0.0)
    r: float = parameter(1.0)

    @property
    def diffusivities(self):
        """(D,)."""
        return (self.D,)

    def rates(self, t, u):
        """r u(1 − u)."""
        return self.r * u * (1.0 - u)


@dataclass(frozen=True)
class Nagumo(Reaction):
    """u_t = D∇²u + r u(1 − u)(u − a): two stable states, 0 and 1, and a threshold between them.

    Args:
        a: threshold; the front moves towards u = 0 for a < ½, stands for a = ½ [1].
        D: diffusivity [length² / time].
        r: rate [1 / time].

    Known answers: speed (1 − 2a)√(rD/2); `ds.reference.nonlinear.nagumo_wave`, `nagumo_speed` at r = 1.

    Source: H. P. McKean, Adv. Math. 4 (1970) 209, doi:10.1016/0001-8708(70)90023-X.
    """

    a: float = parameter()
    D: float = parameter(1.0, least=0.0)
    r: float = parameter(1.0)

    @property
    def diffusivities(self):
        """(D,)."""
        return (self.D,)

    def rates(self, t, u):
        """r u(1 − u)(u − a)."""
        return self.r * u * (1.0 - u) * (u - self.a)


@dataclass(frozen=True)
class AllenCahn(Reaction):
    """u_t = D[∇²u − (u³ − u)/ε²]: phases u = ±1 that part along fronts moved by their curvature.

    Args:
        eps: width ε of a front; grids must resolve it [length].
        D: mobility [length² / time].

    Known answers: front tanh(x/√2ε); for small ε discs shrink as R² = R₀² − 2Dt, balls as R² = R₀² − 4Dt.

    Source: S. M. Allen, J. W. Cahn, Acta Metall. 27 (1979) 1085, doi:10.1016/0001-6160(79)90196-2.
    """

    eps: float = parameter(above=0.0)
    D: float = parameter(1.0, least=0.0)

    @property
    def diffusivities(self):
        """(D,)."""
        return (self.D,)

    def rates(self, t, u):
        """D(u − u³)/ε²."""
        return self.D / self.eps**2 * (u - u**3)


@dataclass(frozen=True)
class GrayScott(Reaction):
    """u_t = Du∇²u − uv² + F(1 − u),  v_t = Dv∇²v + uv² − (F + k)v: U + 2V → 3V, V → P in a fed reactor.

    Args:
        F: feed rate [1 / time].
        k: rate at which V decays [1 / time].
        Du: diffusivity of u [length² / time].
        Dv: diffusivity of v [length² / time].

    Known answers: `steady_states`; the two that are not trivial are born at k = √F/2 − F. Patterns by (F, k),
    for the default Du and Dv on 2.5 × 2.5: labyrinth (.037, .060), spots (.030, .062), worms (.078, .061),
    holes (.039, .058), chaos (.026, .051).

    Source: P. Gray, S. K. Scott, Chem. Eng. Sci. 39 (1984) 1087, doi:10.1016/0009-2509(84)87017-7;
        J. E. Pearson, Science 261 (1993) 189, doi:10.1126/science.261.5118.189.
    """

    F: float = parameter(least=0.0)
    k: float = parameter(least=0.0)
    Du: float = parameter(2e-5, least=0.0)
    Dv: float = parameter(1e-5, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(−uv² + F(1 − u), uv² − (F + k)v)."""
        u, v = y
        made = u * v * v
        return self.F * (1.0 - u) - made, made - (self.F + self.k) * v

    def steady_states(self) -> tuple[tuple[float, float], ...]:
        """Uniform (u, v) at which the rates vanish: (1, 0); for 4(F + k)² ≤ F two more.

        They solve uv = F + k and F(1 − u) = (F + k)v; the one with less u comes last.
        """
        F, loss = float(self.F), float(self.F + self.k)
        if 4.0 * loss**2 > F or F == 0.0:
            return ((1.0, 0.0),)
        root = (1.0 - 4.0 * loss**2 / F) ** 0.5
        return (1.0, 0.0), *(((1.0 - s) / 2.0, F / loss * (1.0 + s) / 2.0) for s in (-root, root))
