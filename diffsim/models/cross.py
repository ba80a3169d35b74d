"""Cross-diffusion around any reaction."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
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
        D: matrix [S, S], Dᵢⱼ moves species i along the gradient of species j [length² / time]; with leading axes
            [..., S, S] parameter sets, or a sweep: [n, 1, 1, S, S] are n runs in the plane.

    Maps, onsets and `varied` know the coefficients by the names of the species: Duv is the entry for u and v.

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
        if tuple(D.shape)[-2:] != (S, S):
            _checks.refuse("D", D, f"a matrix of shape ({S}, {S})", "each pair of species has its coefficient",
                           "For no cross-diffusion use the model itself.")
        if not tf.is_symbolic_tensor(D):
            numbers = np.asarray(D).reshape(-1, S, S)
            grows = np.linalg.eigvals(numbers).real.min(1) < -1e-12 * abs(numbers).max((1, 2))
            if grows.any():
                some = f" in {grows.sum()} of {len(grows)} sets" if len(grows) > 1 else ""
                _checks.refuse("D", _checks.Verbatim(f"{numbers[grows.argmax()].tolist()}{some}"),
                               "eigenvalues with real part ≥ 0",
                               "shorter and shorter waves would grow without limit", "Lower the cross terms.")
        object.__setattr__(self, "D", D)

    @property
    def species(self):
        """As the model."""
        return self.model.species

    @property
    def diffusivities(self):
        """The diagonal of D."""
        return tuple(self.D[..., i, i] for i in range(len(self.species)))

    @property
    def named(self) -> dict:
        """The model's parameters that its rates depend on, and the entries of D: Duu, Duv, …."""
        own = self.model.named
        return {name: own[name] for name in _felt(self.model)} | self._entries()

    def varied(self, **values):
        """With other parameters of the model, or other entries of D, all by name."""
        D = {name: values.pop(name, entry) for name, entry in self._entries().items()}
        S, entries = len(self.species), list(D.values())
        rows = [entries[i * S : (i + 1) * S] for i in range(S)]
        return replace(self, model=self.model.varied(**values), D=matrix(rows))

    def _entries(self) -> dict:
        pairs = [(i, j) for i in range(len(self.species)) for j in range(len(self.species))]
        return {f"D{self.species[i]}{self.species[j]}": self.D[..., i, j] for i, j in pairs}

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
            ValueError: faces without condition, another number of boundaries than species, a D that varies in space.
        """
        lead, cells = self.D.shape[: -2 - grid.ndim], tuple(self.D.shape[-2 - grid.ndim : -2])
        if any(n != 1 for n in cells):
            shape = (*lead, *cells[:1], *(1,) * grid.ndim)
            _checks.refuse("D", _checks.Verbatim(f"coefficients of shape {cells}"),
                           f"numbers, or leading axes for runs and then {grid.ndim} of length 1",
                           "the matrix of diffusivities is one for all cells", f"For a sweep reshape them to {shape}.")
        _sweep.check_grid(self.model, grid, self._runs())
        ops = tuple(Laplacian(grid, b) for b in self.boundaries(boundary))
        return Equation(linear=Coupled(ops, self.D), drift=self.rates, local=self.model.local, names=self.species)

    def check_state(self, y) -> None:
        """As the model, and the leading axes of D.

        Raises:
            ValueError: as there.
        """
        _sweep.check_state(self.model, y, self._runs())

    def _runs(self) -> dict:
        return {"D": self.D[..., 0, 0]} if len(self.D.shape) > 2 else {}


def matrix(rows):
    """D [..., S, S] of its entries, numbers or arrays that broadcast."""
    if any(isinstance(D, (tf.Tensor, tf.Variable)) for row in rows for D in row):
        rows = [[_nest.to(D, tf.float64) for D in row] for row in rows]
        shape = functools.reduce(tf.broadcast_static_shape, [D.shape for row in rows for D in row])
        return tf.stack([tf.stack([tf.broadcast_to(D, shape) for D in row], -1) for row in rows], -2)
    shape = np.broadcast_shapes(*(np.shape(D) for row in rows for D in row))
    parts = [[np.broadcast_to(np.asarray(D, np.float64), shape) for D in row] for row in rows]
    return np.stack([np.stack(row, -1) for row in parts], -2)


def _felt(model) -> list[str]:
    """Names of the parameters on which the rates of a model depend, as a derivative finds."""
    leaves, structure = _tree.flatten(model)
    leaves = _tree.as_tensors(leaves, tf.float64)
    wide = _tree.unflatten(structure, leaves)
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        rates = _uniform.rates(wide, [tf.ones([], tf.float64) for _ in model.species])
    felt = [x is not None for x in tape.gradient(rates, leaves)]
    ids = {id(leaf) for leaf, on in zip(leaves, felt, strict=True) if on}
    return [name for name, value in wide.named.items() if any(id(leaf) in ids for leaf in _tree.flatten(value)[0])]
