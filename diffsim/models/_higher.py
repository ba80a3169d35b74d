"""What laws with more than two derivatives share: Δ, −Δ² and energies, under one pair of walls."""

from __future__ import annotations

import tensorflow as tf

from diffsim import _checks
from diffsim import boundary as walls
from diffsim.models import _sweep
from diffsim.operators.base import Identity, Scaled, Sum
from diffsim.operators.stencil import Diffusion, Laplacian


def mirrored(model, grid, boundary) -> Diffusion:
    """Δ for a model with periodic or no-flux faces, under which Δ may be applied to u, Δu and functions of u alike.

    Raises:
        ValueError: other faces, or parameters that do not fit the grid.
    """
    _sweep.check_grid(model, grid)
    allowed = (walls.Periodic, walls.Neumann, walls.Flux)
    for pair in walls.resolve(boundary, grid):
        for face in pair:
            if not isinstance(face, allowed) or not face.homogeneous:
                _checks.refuse("boundary", face, "Periodic() or Neumann() without flux",
                               f"{type(model).__name__} has more derivatives than this condition settles",
                               "Use one of them on every face.")
    return Laplacian(grid, boundary)


def polynomial(laplacian: Diffusion, constant, first, second) -> Sum:
    """a + bΔ − cΔ² as one operator, diagonal in the basis of Δ; constant = None leaves a out.

    Numbers may be arrays over the leading axes of a sweep.
    """
    L = laplacian.diagonal()
    terms = (Scaled(L, first), Scaled(L.power(2), second))
    return Sum(terms if constant is None else (*terms, Identity(constant)))


def gradient_energy(grid, laplacian: Diffusion, u) -> tf.Tensor:
    """½∫|∇u|² dV − ∫ b u dV, whose derivative by uᵢ is −Vᵢ(Δu + b)ᵢ exactly; b is what the walls supply."""
    b = laplacian.source(0.0, u)
    value = laplacian.apply(u)
    return -grid.integrate(u * (value / 2 if b is None else value / 2 + b))
