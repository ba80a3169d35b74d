"""Phase fields: gradient flows of an energy, which never rises."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _nest
from diffsim.equation import Equation
from diffsim.models import _higher, _uniform
from diffsim.models._model import parameter
from diffsim.models.reaction import Reaction
from diffsim.operators.stencil import Diffusion, Laplacian


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

    def steady_states(self):
        """−1 and 1, the phases, and 0, unstable."""
        return (-1.0,), (0.0,), (1.0,)

    def energy(self, grid, boundary, u) -> tf.Tensor:
        """∫ ½|∇u|² + (1 − u²)²/4ε² dV, whose steepest descent is the discrete law at rate D.

        Args:
            grid: Grid or RadialGrid.
            boundary: as in `on`, not depending on time.
            u: state [..., *grid].
        """
        well = (1.0 - u**2) ** 2 / (4 * _nest.to(self.eps, u.dtype) ** 2)
        return _higher.gradient_energy(grid, Laplacian(grid, boundary), u) + grid.integrate(well)


@dataclass(frozen=True)
class CahnHilliard(Reaction):
    """c_t = M∇²(c³ − c − ε²∇²c): an alloy that parts into its phases c = ±1 and keeps its mean.

    Split as A = M(2∇² − ε²∇⁴), f = M∇²(c³ − 3c): the energy so divided has a convex and, while |c| < 1, a concave
    part, so that the energy falls in first-order implicit–explicit steps of any length, and in others up to lengths
    that accuracy forbids.

    Args:
        eps: width ε of an interface, which grids must resolve [length].
        M: mobility [length² / time].

    Known answers: about c = 0 waves grow at M k²(1 − ε²k²), fastest 1/(4ε²) at k = 1/√2ε (M = 1); the mean is kept to
    round-off, the energy never rises; domains coarsen as t^⅓.

    Source: J. W. Cahn, J. E. Hilliard, J. Chem. Phys. 28 (1958) 258, doi:10.1063/1.1744102; the split: D. J. Eyre,
        MRS Proc. 529 (1998) 39, doi:10.1557/PROC-529-39.
    """

    eps: float = parameter(1.0, above=0.0)
    M: float = parameter(1.0, least=0.0)

    species = ("c",)

    @property
    def diffusivities(self):
        """(−M,), what ∇²c is multiplied by near c = 0: uphill."""
        return (-self.M,)

    def rates(self, t, c):
        """0: nothing reacts."""
        return tf.zeros_like(c)

    def steady_states(self):
        """Every mean is kept, so that every uniform state is steady: the phases −1 and 1, and 0 between them."""
        return (-1.0,), (0.0,), (1.0,)

    def symbol(self, k2, state):
        """−k²M(3c² − 1 + ε²k²)."""
        k2, (c,) = _uniform.wavenumber(k2), _uniform.leaves_of(self.species, state)
        model = _uniform.double(self)
        return (-k2 * model.M * (3.0 * c**2 - 1.0 + model.eps**2 * k2))[..., None, None]

    def on(self, grid, boundary) -> Equation:
        """A = M(2∇² − ε²∇⁴), f = M∇²(c³ − 3c).

        Raises:
            ValueError: faces that are neither periodic nor closed.
        """
        laplacian = _higher.mirrored(self, grid, boundary)
        linear = _higher.polynomial(laplacian, None, 2.0 * self.M, self.M * self.eps**2)
        return Equation(linear=linear, drift=_Exchange(laplacian, self.M), names=self.species)

    def energy(self, grid, boundary, c) -> tf.Tensor:
        """∫ ¼(c² − 1)² + ½ε²|∇c|² dV.

        Args:
            grid: Grid or RadialGrid.
            boundary: as in `on`.
            c: state [..., *grid].
        """
        laplacian = _higher.mirrored(self, grid, boundary)
        bent = _nest.to(self.eps, c.dtype) ** 2 * _higher.gradient_energy(grid, laplacian, c)
        return bent + grid.integrate((c**2 - 1.0) ** 2) / 4


@dataclass(frozen=True)
class _Exchange:
    """M∇²(c³ − 3c)."""

    laplacian: Diffusion
    M: float

    def __call__(self, t, c):
        return _nest.to(self.M, c.dtype) * self.laplacian.apply(c * c * c - 3.0 * c)


@dataclass(frozen=True)
class SwiftHohenberg(Reaction):
    """u_t = ru − (q² + ∇²)²u + gu² − u³: patterns with a wavelength of their own, as in convection.

    Args:
        r: distance from threshold [1 / time].
        g: quadratic coefficient, which makes hexagons [1 / time].
        q: preferred wavenumber [1 / length].

    Known answers: waves grow at r − (q² − k²)², r for k = q; stripes have the amplitude 2√(r/3) for small r, g = 0.

    Source: J. Swift, P. C. Hohenberg, Phys. Rev. A 15 (1977) 319, doi:10.1103/PhysRevA.15.319.
    """

    r: float = parameter(0.1)
    g: float = parameter(0.0)
    q: float = parameter(1.0, least=0.0)

    @property
    def diffusivities(self):
        """(−2q²,), what ∇²u is multiplied by; −∇⁴u comes on top."""
        return (-2.0 * self.q**2,)

    def rates(self, t, u):
        """(r − q⁴)u + gu² − u³."""
        return (self.r - self.q**4) * u + self._bent(t, u)

    def _bent(self, t, u):
        return u * u * (self.g - u)

    def steady_states(self):
        """0, and the roots of u² − gu + q⁴ = r, ascending."""
        _uniform.one_set(self)
        return tuple((u,) for u in _uniform.real_roots([-1.0, self.g, self.r - self.q**4, 0.0]))

    def symbol(self, k2, state):
        """J + 2q²k² − k⁴."""
        return super().symbol(k2, state) - (_uniform.wavenumber(k2) ** 2)[..., None, None]

    def on(self, grid, boundary) -> Equation:
        """A = r − (q² + ∇²)², f = gu² − u³.

        Raises:
            ValueError: faces that are neither periodic nor closed.
        """
        laplacian = _higher.mirrored(self, grid, boundary)
        linear = _higher.polynomial(laplacian, self.r - self.q**4, -2.0 * self.q**2, 1.0)
        return Equation(linear=linear, drift=self._bent, local=self.local, names=self.species)

    def energy(self, grid, boundary, u) -> tf.Tensor:
        """∫ ½[(q² + ∇²)u]² − ½ru² − ⅓gu³ + ¼u⁴ dV.

        Args:
            grid: Grid or RadialGrid.
            boundary: as in `on`.
            u: state [..., *grid].
        """
        r, g, q = (_nest.to(p, u.dtype) for p in (self.r, self.g, self.q))
        tense = q**2 * u + _higher.mirrored(self, grid, boundary).apply(u)
        return grid.integrate(tense**2 / 2 - r * u**2 / 2 - g * u**3 / 3 + u**4 / 4)
