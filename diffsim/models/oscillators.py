"""The Belousov–Zhabotinsky reaction."""

from __future__ import annotations

from dataclasses import dataclass

from diffsim.models import _uniform
from diffsim.models._model import parameter
from diffsim.models.mass_action import Channel, MassAction
from diffsim.models.reaction import Reaction


@dataclass(frozen=True)
class Oregonator(MassAction):
    """x_t = Dx∇²x + s(y − xy + x − qx²),  y_t = Dy∇²y + (fz − y − xy)/s,  z_t = Dz∇²z + w(x − z).

    Args:
        s: bromous acid against bromide [1].
        w: rate of the catalyst [1].
        q: how fast bromous acid disproportionates [1].
        f: bromide made for each catalyst ion [1].
        Dx: diffusivity of x = bromous acid [length² / time].
        Dy: diffusivity of y = bromide [length² / time].
        Dz: diffusivity of z = the oxidised catalyst [length² / time].

    Scaled as by Field & Noyes; one unit of y is s² units of x in molecules, one of z is s/w.

    Known answers: `steady_states`; well mixed, the default parameters oscillate with period 302.85804403. Stiff.

    Source: R. J. Field, R. M. Noyes, J. Chem. Phys. 60 (1974) 1877, doi:10.1063/1.1681288.
    """

    s: float = parameter(77.27, above=0.0)
    w: float = parameter(0.161, above=0.0)
    q: float = parameter(8.375e-6, above=0.0)
    f: float = parameter(1.0, least=0.0)
    Dx: float = parameter(1.0, least=0.0)
    Dy: float = parameter(1.0, least=0.0)
    Dz: float = parameter(0.6, least=0.0)

    species = ("x", "y", "z")

    @property
    def diffusivities(self):
        """(Dx, Dy, Dz)."""
        return self.Dx, self.Dy, self.Dz

    def rates(self, t, state):
        """(s(y − xy + x − qx²), (fz − y − xy)/s, w(x − z))."""
        x, y, z = state
        met = x * y
        return (
            self.s * (y - met + x - self.q * x * x),
            (self.f * z - y - met) / self.s,
            self.w * (x - z),
        )

    def steady_states(self):
        """(0, 0, 0), and x = z, y = fx/(1 + x) with qx² − (1 − q − f)x − (1 + f) = 0."""
        _uniform.one_set(self)
        (x,) = _uniform.positive_roots([self.q, self.f + self.q - 1.0, -(1.0 + self.f)])
        return (0.0, 0.0, 0.0), (x, self.f * x / (1.0 + x), x)

    @property
    def units(self):
        """(1, s², s/w)."""
        return 1.0, self.s**2, self.s / self.w

    @property
    def reactions(self):
        """Y → X, X + Y → ∅, X → 2X + Z, 2X → ∅, Z → ∅ and, f times as often, Z → Z + Y."""
        s = self.s
        return (
            Channel(s, (0, 1, 0), (1, -1, 0)),
            Channel(s, (1, 1, 0), (-1, -1, 0)),
            Channel(s, (1, 0, 0), (1, 0, 1)),
            Channel(s * self.q / 2.0, (2, 0, 0), (-2, 0, 0)),
            Channel(s, (0, 0, 1), (0, 0, -1)),
            Channel(s * self.f, (0, 0, 1), (0, 1, 0)),
        )


@dataclass(frozen=True)
class TysonFife(Reaction):
    """u_t = Du∇²u + [u(1 − u) − fv(u − q)/(u + q)]/ε,  v_t = Dv∇²v + u − v: BZ waves in two variables.

    Args:
        eps: ε, bromous acid against the catalyst [1].
        f: bromide made for each catalyst ion [1].
        q: how fast bromous acid disproportionates [1].
        Du: diffusivity of u = bromous acid [length² / time].
        Dv: diffusivity of v = the oxidised catalyst [length² / time].

    Bromide is in balance with the rest.

    Known answers: `steady_states`; for small ε and q it oscillates where ½ < f < 1 + √2 and is excitable above.

    Source: J. J. Tyson, P. C. Fife, J. Chem. Phys. 73 (1980) 2224, doi:10.1063/1.440418.
    """

    eps: float = parameter(0.01, above=0.0)
    f: float = parameter(3.0, least=0.0)
    q: float = parameter(0.002, above=0.0)
    Du: float = parameter(1.0, least=0.0)
    Dv: float = parameter(0.6, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """([u(1 − u) − fv(u − q)/(u + q)]/ε, u − v)."""
        u, v = y
        return (u * (1.0 - u) - self.f * v * (u - self.q) / (u + self.q)) / self.eps, u - v

    def steady_states(self):
        """(0, 0), and u = v with u² + (f + q − 1)u − q(1 + f) = 0."""
        _uniform.one_set(self)
        (u,) = _uniform.positive_roots([1.0, self.f + self.q - 1.0, -self.q * (1.0 + self.f)])
        return (0.0, 0.0), (u, u)
