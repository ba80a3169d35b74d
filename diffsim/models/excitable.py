"""Excitable media: pulses, targets and spirals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffsim.models import _uniform
from diffsim.models._model import parameter
from diffsim.models.reaction import Reaction


@dataclass(frozen=True)
class FitzHughNagumo(Reaction):
    """v_t = D∇²v + v − v³/3 − w + I,  w_t = Dw∇²w + ε(v + a − bw): the nerve membrane in two variables.

    Args:
        a: shift of the recovery [1].
        b: its strength [1].
        eps: its slowness ε [1].
        I: current through the membrane [1].
        D: diffusivity of the voltage v [length² / time].
        Dw: diffusivity of the recovery w [length² / time].

    Known answers: for the default a, b, ε and I = 0.5 it oscillates with period 39.47441498.

    Source: R. FitzHugh, Biophys. J. 1 (1961) 445, doi:10.1016/S0006-3495(61)86902-6;
        J. Nagumo, S. Arimoto, S. Yoshizawa, Proc. IRE 50 (1962) 2061, doi:10.1109/JRPROC.1962.288235.
    """

    a: float = parameter(0.7)
    b: float = parameter(0.8)
    eps: float = parameter(0.08, above=0.0)
    I: float = parameter(0.0)  # noqa: E741 - the letter of the law
    D: float = parameter(1.0, least=0.0)
    Dw: float = parameter(0.0, least=0.0)

    species = ("v", "w")

    @property
    def diffusivities(self):
        """(D, Dw)."""
        return self.D, self.Dw

    def rates(self, t, y):
        """(v − v³/3 − w + I, ε(v + a − bw))."""
        v, w = y
        return v - v * v * v / 3.0 - w + self.I, self.eps * (v + self.a - self.b * w)

    def steady_states(self):
        """One or three: w = v − v³/3 + I with v + a = bw, ascending in v."""
        _uniform.one_set(self)
        vs = _uniform.real_roots([self.b / 3.0, 0.0, 1.0 - self.b, self.a - self.b * self.I])
        return tuple((v, v - v**3 / 3.0 + self.I) for v in vs)


@dataclass(frozen=True)
class Barkley(Reaction):
    """u_t = D∇²u + u(1 − u)(u − (v + b)/a)/ε,  v_t = u − v: the cheapest medium with spirals.

    Args:
        a: how long excitation lasts [1].
        b: threshold of excitation [1].
        eps: time of excitation over time of recovery, ε [1].
        D: diffusivity of u [length² / time].
        Dv: diffusivity of v [length² / time].

    Known answers: a front into frozen v has speed √(D/2ε)(1 − 2(v + b)/a): `front_speed`.

    Source: D. Barkley, Physica D 49 (1991) 61, doi:10.1016/0167-2789(91)90194-E.
    """

    a: float = parameter(0.75, above=0.0)
    b: float = parameter(0.01)
    eps: float = parameter(0.02, above=0.0)
    D: float = parameter(1.0, least=0.0)
    Dv: float = parameter(0.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(D, Dv)."""
        return self.D, self.Dv

    def rates(self, t, y):
        """(u(1 − u)(u − (v + b)/a)/ε, u − v)."""
        u, v = y
        return u * (1.0 - u) * (u - (v + self.b) / self.a) / self.eps, u - v

    def steady_states(self):
        """(0, 0), (1, 1), and u = v = b/(a − 1) for a ≠ 1."""
        _uniform.one_set(self)
        ends = (0.0, 0.0), (1.0, 1.0)
        return ends if self.a == 1.0 else (*ends, (self.b / (self.a - 1.0),) * 2)

    def front_speed(self, v=0.0) -> float:
        """√(D/2ε)(1 − 2(v + b)/a), at which excitation invades rest while v stands still [length / time]."""
        return np.sqrt(self.D / (2.0 * self.eps)) * (1.0 - 2.0 * (v + self.b) / self.a)
