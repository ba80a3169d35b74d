"""Reaction–diffusion: species that diffuse each by itself and react where they meet."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import fields, replace
from typing import ClassVar

import tensorflow as tf

from diffsim import _checks
from diffsim.equation import Equation
from diffsim.models import _sweep, _uniform
from diffsim.models._model import Model


class Reaction(Model):
    """∂ₜyₛ = Dₛ∇²yₛ + fₛ(t, y) for each species s.

    A model names its species, its diffusivities and its rates; the state is a tensor for one species, a tuple
    in the order of `species` for several. Rates are pointwise: a parameter may be an array over the grid; for
    `jacobian` and `symbol`, which know no grid, it is an array of parameter sets. With leading axes it is a sweep: F
    of shape (n, 1, 1) and a state of shape (n, nx, ny) are n runs in one program, at the speed of one.
    """

    species: ClassVar[tuple[str, ...]] = ("u",)

    @property
    @abstractmethod
    def diffusivities(self) -> tuple:
        """Dₛ of each species [length² / time]; the number 0 for one that does not move."""

    @abstractmethod
    def rates(self, t, y):
        """fₛ(t, y), a state like y [concentration / time]."""

    @property
    def named(self) -> dict:
        """Name → value of all that `varied` may change."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def varied(self, **values) -> Reaction:
        """The model with other values, by name; `stability_map` and `onset` go this way."""
        return replace(self, **values)

    def steady_states(self) -> tuple[tuple[float, ...], ...]:
        """Isolated uniform states at which all rates vanish, one number for each species, ascending.

        Newton's method from a lattice of starts between −27 and 27, which may miss some: models with a closed form
        have their own.

        Raises:
            ValueError: a parameter is an array.
        """
        return _uniform.newton(self)

    def jacobian(self, state) -> tf.Tensor:
        """∂fᵢ/∂yⱼ at a uniform state and t = 0, by automatic differentiation in double precision.

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
        pairs = zip(self.boundaries(boundary), self.diffusivities, strict=True)
        _sweep.check_grid(self, grid)
        parts = tuple(_sweep.diffusion(grid, b, D) for b, D in pairs)
        linear = parts[0] if len(parts) == 1 else parts
        return Equation(linear=linear, drift=self.rates, local=self.local, names=self.species)

    def boundaries(self, boundary) -> tuple:
        """One boundary for each species: what is given once holds for all.

        Raises:
            ValueError: a tuple of another length.
        """
        each = boundary if isinstance(boundary, tuple) else (boundary,) * len(self.species)
        if len(each) != len(self.species):
            _checks.refuse("boundary", boundary, f"one for all species or {len(self.species)}",
                           f"{type(self).__name__} has the species {', '.join(self.species)}", "Give one for each.")
        return each

    @property
    def local(self) -> bool:
        """Whether all arrays that the model holds are parameters, which act where they are."""
        return _sweep.elementwise(self)

    def check_state(self, y) -> None:
        """Refuse a state without the leading axes of the parameters.

        Raises:
            ValueError: a parameter does not broadcast over a part of the state.
        """
        _sweep.check_state(self, y)
