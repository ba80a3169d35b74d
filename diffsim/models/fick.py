"""Fick's second law, and the hillslope that obeys it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diffsim.equation import Equation
from diffsim.models._model import Model, parameter
from diffsim.models._source import Source
from diffsim.operators.base import Identity
from diffsim.operators.stencil import Diffusion


@dataclass(frozen=True)
class Fick(Model):
    """u_t = ∇·(D∇u) − k u + S: diffusion with decay and a source; also heat, with D the thermal diffusivity.

    Decay is part of the linear operator, so that steppers which are exact for diffusion are exact for it too.

    Args:
        D: diffusivity, a number, tuple (one per axis), array, callable of the coordinates, Layers or
            Anisotropic [length² / time].
        decay: k, first-order rate; negative is growth [1 / time].
        source: S, number, array over the grid, or f(t, *x); None for none [concentration / time].

    Known answers: `ds.reference.free`, `bounded`, `membrane`, `layered`, `periodic`.

    Source: A. Fick, Ann. Phys. 170 (1855) 59, doi:10.1002/andp.18551700105; J. Crank, The Mathematics of
        Diffusion, 2nd ed., Oxford 1975.
    """

    D: object = 1.0
    decay: float = parameter(0.0)
    source: object = None

    def on(self, grid, boundary) -> Equation:
        """A = ∇·D∇ − k, f = S.

        Raises:
            ValueError: D negative or of the wrong shape, faces without condition, a source that does not fit
                the grid.
        """
        linear = Diffusion(grid, boundary, self.D)
        if hasattr(self.decay, "dtype") or self.decay != 0.0:
            linear = linear + Identity(-self.decay)
        drift = None if self.source is None else Source(grid, self.source)
        return Equation(linear=linear, drift=drift, local=drift is None or drift.local, names="u")


@dataclass(frozen=True)
class Hillslope(Model):
    """z_t = ∇·(D∇z) + U: soil creeps downhill in proportion to the slope while rock is uplifted.

    Linear creep holds for slopes well below the angle of repose, about 0.3 m/m.

    Args:
        D: topographic diffusivity, as `Fick` takes it [m² / yr]; 0.001 to 0.05 in soil-mantled terrain.
        uplift: U, number, array over the grid or f(t, *x) [m / yr]; 0 for none.

    Known answers: the steady divide between streams at ±L, z = U(L² − x²)/2D; relief of wavelength λ decays
    within λ²/4π²D, 25 kyr for 100 m at D = 0.01 m²/yr.

    Source: W. E. H. Culling, J. Geol. 68 (1960) 336, doi:10.1086/626663; N. F. Fernandes, W. E. Dietrich,
        Water Resour. Res. 33 (1997) 1307, doi:10.1029/97WR00534.
    """

    D: object = 0.01
    uplift: object = 0.0

    def on(self, grid, boundary) -> Equation:
        """A = ∇·D∇, f = U. `Neumann()` walls are divides, `Dirichlet(z)` walls streams at elevation z.

        Raises:
            ValueError: as `Fick`.
        """
        none = isinstance(self.uplift, (int, float)) and self.uplift == 0.0
        law = Fick(self.D, source=None if none else self.uplift).on(grid, boundary)
        return replace(law, names="z")
