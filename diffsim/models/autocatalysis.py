"""Autocatalysis: U + 2V → 3V and its relatives, which make Turing patterns and clocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffsim.models._model import parameter
from diffsim.models.mass_action import Channel, MassAction


@dataclass(frozen=True)
class GrayScott(MassAction):
    """u_t = Du∇²u − uv² + F(1 − u),  v_t = Dv∇²v + uv² − (F + k)v: U + 2V → 3V, V → P in a fed reactor.

    Args:
        F: feed rate; a number, a map over the grid, or a sweep as `Reaction` takes it, like all that follow
            [1 / time].
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

        They solve uv = F + k and F(1 − u) = (F + k)v; the one with less u comes last. Where F or k are arrays all
        three are given, NaN where there are none.
        """
        F, loss = np.asarray(self.F, np.float64), np.asarray(self.F, np.float64) + self.k
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(1.0 - 4.0 * loss**2 / F)
            pairs = [((1.0 - s) / 2.0, F / loss * (1.0 + s) / 2.0) for s in (-root, root)]
        if root.ndim == 0:
            pairs = [(float(u), float(v)) for u, v in pairs if np.isfinite(u)]
        return (1.0, 0.0), *pairs

    @property
    def reactions(self):
        """∅ ⇌ U, U + 2V → 3V, V → ∅."""
        return (
            Channel(self.F, (0, 0), (1, 0)),
            Channel(self.F, (1, 0), (-1, 0)),
            Channel(1.0, (1, 2), (-1, 1)),
            Channel(self.F + self.k, (0, 1), (0, -1)),
        )


@dataclass(frozen=True)
class Schnakenberg(MassAction):
    """u_t = Du∇²u + a − u + u²v,  v_t = Dv∇²v + b − u²v: ∅ → U ⇌ ∅, ∅ → V, 2U + V → 3U.

    Args:
        a: supply of u [1].
        b: supply of v [1].
        Du: diffusivity of u, the activator [length² / time].
        Dv: diffusivity of v [length² / time].

    Time in units of the life of u, concentrations so that u²v has the factor one.

    Known answers: steady state (a + b, b/(a + b)²); with a = 0.1, b = 0.9 patterns for Dv/Du > 8.5676, born at
    wavelength 10.7497 √Du.

    Source: J. Schnakenberg, J. Theor. Biol. 81 (1979) 389, doi:10.1016/0022-5193(79)90042-0.
    """

    a: float = parameter(0.1, least=0.0)
    b: float = parameter(0.9, least=0.0)
    Du: float = parameter(1.0, least=0.0)
    Dv: float = parameter(20.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(a − u + u²v, b − u²v)."""
        u, v = y
        made = u * u * v
        return self.a - u + made, self.b - made

    def steady_states(self):
        """(a + b, b/(a + b)²)."""
        total = self.a + self.b
        return ((total, self.b / total**2),)

    @property
    def reactions(self):
        """∅ → U, U → ∅, ∅ → V, 2U + V → 3U."""
        return (
            Channel(self.a, (0, 0), (1, 0)),
            Channel(1.0, (1, 0), (-1, 0)),
            Channel(self.b, (0, 0), (0, 1)),
            Channel(1.0, (2, 1), (1, -1)),
        )


@dataclass(frozen=True)
class Brusselator(MassAction):
    """u_t = Du∇²u + A − (B + 1)u + u²v,  v_t = Dv∇²v + Bu − u²v: a chemical clock, and Turing patterns.

    Args:
        A: supply of u [1].
        B: rate at which u turns into v [1].
        Du: diffusivity of u [length² / time].
        Dv: diffusivity of v [length² / time].

    Known answers: steady state (A, B/A); oscillates for B > 1 + A², well mixed with period 7.15691992 at A = 1,
    B = 3; patterns for B > (1 + A√(Du/Dv))², born at k² = A/√(DuDv).

    Source: I. Prigogine, R. Lefever, J. Chem. Phys. 48 (1968) 1695, doi:10.1063/1.1668896.
    """

    A: float = parameter(1.0, above=0.0)
    B: float = parameter(3.0, least=0.0)
    Du: float = parameter(1.0, least=0.0)
    Dv: float = parameter(1.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(A − (B + 1)u + u²v, Bu − u²v)."""
        u, v = y
        turned = self.B * u - u * u * v
        return self.A - u - turned, turned

    def steady_states(self):
        """(A, B/A)."""
        return ((self.A, self.B / self.A),)

    @property
    def reactions(self):
        """∅ → U, U → ∅, U → V, 2U + V → 3U."""
        return (
            Channel(self.A, (0, 0), (1, 0)),
            Channel(1.0, (1, 0), (-1, 0)),
            Channel(self.B, (1, 0), (-1, 1)),
            Channel(1.0, (2, 1), (1, -1)),
        )
