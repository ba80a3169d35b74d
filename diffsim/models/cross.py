"""Cross-diffusion around any reaction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.models import _sweep, _uniform
from diffsim.models.reaction import Reaction
from diffsim.operators.coupled import Coupled
from diffsim.operators.stencil import Laplacian


@dataclass(frozen=True)
class CrossDiffusion(Reaction):
    """∂ₜyᵢ = Σⱼ Dᵢⱼ∇²yⱼ + fᵢ(t, y): each species also moves along the gradients of the others.

    Args:
        model: whose rates f are taken; its own diffusivities are not used.
        D: matrix [S, S], Dᵢⱼ moves species i along the gradient of species j [length² / time].

    Known answers: patterns where det(J − k²D) < 0 for some k > 0 though tr J < 0 < det J; with cross terms also
    where the inhibitor diffuses more slowly than the activator.

    Source: V. K. Vanag, I. R. Epstein, Phys. Chem. Chem. Phys. 11 (2009) 897, doi:10.1039/b813825g.

    Raises:
        ValueError: D is not S × S, not finite, or has an eigenvalue with negative real part.
    """

    model: Reaction
    D: object

    def __post_init__(self):
        _checks.instance("model", self.model, Reaction, why="it gives species and rates",
                         way_out="Pass e.g. ds.models.Schnakenberg().")
        S = len(self.model.species)
        D = self.D if isinstance(self.D, (tf.Tensor, tf.Variable)) else np.asarray(self.D, np.float64)
        _checks.finite("D", D, why="fluxes are D times gradients")
        if tuple(D.shape) != (S, S):
            _checks.refuse("D", D, f"a matrix of shape ({S}, {S})", "each pair of species has its coefficient",
                           "For no cross-diffusion use the model itself.")
        if not tf.is_symbolic_tensor(D):
            numbers = np.asarray(D)
            if np.linalg.eigvals(numbers).real.min() < -1e-12 * abs(numbers).max():
                _checks.refuse("D", _checks.Verbatim(numbers.tolist()), "eigenvalues with real part ≥ 0",
                               "shorter and shorter waves would grow without limit", "Lower the cross terms.")
        object.__setattr__(self, "D", D)

    @property
    def species(self):
        """As the model."""
        return self.model.species

    @property
    def diffusivities(self):
        """The diagonal of D."""
        return tuple(self.D[i, i] for i in range(len(self.species)))

    def rates(self, t, y):
        """As the model."""
        return self.model.rates(t, y)

    def steady_states(self):
        """As the model."""
        return self.model.steady_states()

    def symbol(self, k2, state):
        """J − k²D."""
        return self.jacobian(state) - _uniform.wavenumber(k2)[..., None, None] * _nest.to(self.D, tf.float64)

    def on(self, grid, boundary) -> Equation:
        """A = D∇² on all species at once, f = rates.

        Args:
            grid: Grid or RadialGrid.
            boundary: conditions for all species, or a tuple of them, one for each species.

        Raises:
            ValueError: faces without condition, or another number of boundaries than species.
        """
        _sweep.check_grid(self.model, grid)
        ops = tuple(Laplacian(grid, b) for b in self.boundaries(boundary))
        return Equation(linear=Coupled(ops, self.D), drift=self.rates, local=self.model.local)

    def check_state(self, y) -> None:
        """As the model: D is one for all runs.

        Raises:
            ValueError: as there.
        """
        self.model.check_state(y)
