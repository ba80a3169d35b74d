"""The waves that a box admits: their wavenumbers in space, and on the lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffsim import _checks
from diffsim.grid import on_axis
from diffsim.operators.basis import Cosine, Dense, Hartley, QuarterWave
from diffsim.operators.stencil import Laplacian


@dataclass(frozen=True)
class Modes:
    """Eigenfunctions of Δ on a box, in the layout of its basis: one for each cell.

    Args:
        k: wavenumbers |k|, shaped like the grid; NaN where walls or shells have no closed form [1 / length].
        lattice: √−λ, λ the eigenvalues of the discrete Laplacian, shaped like the grid [1 / length].
        axes: the basis along each axis.
    """

    k: np.ndarray
    lattice: np.ndarray
    axes: tuple

    def pattern(self, index) -> np.ndarray:
        """The mode at an index of `k`, on the cells, with greatest value 1.

        Args:
            index: one integer for each axis; an int on a line.

        Raises:
            ValueError: an index outside the grid.
        """
        index = (index,) if isinstance(index, (int, np.integer)) else tuple(int(i) for i in index)
        if len(index) != self.k.ndim or not all(0 <= i < n for i, n in zip(index, self.k.shape, strict=True)):
            _checks.refuse("index", index, f"one integer for each axis of {self.k.shape}", "modes are counted so",
                           "Use np.unravel_index(np.argmin(abs(modes.k - k)), modes.k.shape).")
        lines = [_line(b, i) for b, i in zip(self.axes, index, strict=True)]
        u = math.prod(on_axis(line, a, len(lines)) for a, line in enumerate(lines))
        return u / u.flat[np.argmax(np.abs(u))]

    def nearest(self, k: float) -> tuple[int, ...]:
        """The index of the mode whose lattice wavenumber is nearest to k."""
        return tuple(int(i) for i in np.unravel_index(np.argmin(np.abs(self.lattice - k)), self.k.shape))


def modes(grid, boundary) -> Modes:
    """Δφ = −k²φ in a box and on its lattice, k = 2πm/L (periodic), πm/L (no flux), …; Σ over axes of k².

    Args:
        grid: Grid or RadialGrid.
        boundary: what holds for the disturbance: values and inflows of walls play no part.

    Returns:
        Modes; `dispersion(model, state, modes(grid, boundary).lattice)` is what a run does.

    Raises:
        ValueError: faces without condition, or transfer coefficients that vary along a wall.
    """
    diagonal = Laplacian(grid, boundary).diagonal()
    bases = diagonal.basis.axes
    waves = [_frequency(b) ** 2 / dx**2 for b, dx in zip(bases, grid.dx, strict=True)]
    k2, lam = (sum(on_axis(np.asarray(part), a, grid.ndim) for a, part in enumerate(parts))
               for parts in (waves, diagonal.spectrum.parts))
    return Modes(np.sqrt(k2), np.sqrt(np.maximum(-lam, 0.0)), bases)


def _frequency(basis) -> np.ndarray:
    return np.full(basis.n, np.nan) if isinstance(basis, Dense) else basis.frequency()


def _line(basis, i: int) -> np.ndarray:
    """The mode of number i along one axis."""
    if isinstance(basis, Dense):
        return np.asarray(basis.G)[:, i]
    theta = basis.frequency()[i] * (np.arange(basis.n) + 0.5)
    even = isinstance(basis, Cosine) or isinstance(basis, Hartley) and 2 * i <= basis.n
    if isinstance(basis, Hartley):
        theta = basis.frequency()[i] * np.arange(basis.n)  # a crest on a cell: the shortest wave does not vanish
    wave = np.cos(theta) if even else np.sin(theta)
    return wave[::-1] if isinstance(basis, QuarterWave) and basis.flipped else wave
