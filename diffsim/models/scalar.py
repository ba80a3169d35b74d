"""One species that grows and spreads."""

from __future__ import annotations

from dataclasses import dataclass

from diffsim.models._model import parameter
from diffsim.models.reaction import Reaction


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

    def steady_states(self):
        """0, unstable, and 1."""
        return (0.0,), (1.0,)


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

    def steady_states(self):
        """0 and 1, stable for 0 < a < 1, and a, the threshold."""
        return (0.0,), (self.a,), (1.0,)
