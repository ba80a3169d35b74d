"""Predators, prey and epidemics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from diffsim import _nest
from diffsim.models._model import parameter
from diffsim.models.mass_action import Channel, MassAction
from diffsim.models.reaction import Reaction


@dataclass(frozen=True)
class LotkaVolterra(MassAction):
    """u_t = Du∇²u + αu − βuv,  v_t = Dv∇²v + δuv − γv: prey u and predators v.

    Args:
        alpha: growth of prey, α [1 / time].
        beta: α/β predators keep the prey constant, β [1 / (time · density)].
        delta: growth of predators per prey, δ [1 / (time · density)].
        gamma: death of predators, γ [1 / time].
        Du: diffusivity of prey [length² / time].
        Dv: diffusivity of predators [length² / time].

    Known answers: `invariant` is constant in time, well mixed; small oscillations have the period 2π/√(αγ).

    Source: A. J. Lotka, Proc. Natl Acad. Sci. 6 (1920) 410, doi:10.1073/pnas.6.7.410;
        V. Volterra, Nature 118 (1926) 558, doi:10.1038/118558a0.
    """

    alpha: float = parameter(1.0, above=0.0)
    beta: float = parameter(1.0, above=0.0)
    delta: float = parameter(1.0, above=0.0)
    gamma: float = parameter(1.0, above=0.0)
    Du: float = parameter(1.0, least=0.0)
    Dv: float = parameter(1.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(αu − βuv, δuv − γv)."""
        u, v = y
        return u * (self.alpha - self.beta * v), v * (self.delta * u - self.gamma)

    def steady_states(self):
        """(0, 0) and (γ/δ, α/β)."""
        return (0.0, 0.0), (self.gamma / self.delta, self.alpha / self.beta)

    def invariant(self, y):
        """δu − γ ln u + βv − α ln v, constant where nothing diffuses."""
        u, v = y
        alpha, beta, delta, gamma = (_nest.to(p, u.dtype) for p in (self.alpha, self.beta, self.delta, self.gamma))
        return delta * u - gamma * tf.math.log(u) + beta * v - alpha * tf.math.log(v)

    @property
    def reactions(self):
        """U → 2U, U + V → V, U + V → U + 2V, V → ∅."""
        return (
            Channel(self.alpha, (1, 0), (1, 0)),
            Channel(self.beta, (1, 1), (-1, 0)),
            Channel(self.delta, (1, 1), (0, 1)),
            Channel(self.gamma, (0, 1), (0, -1)),
        )


@dataclass(frozen=True)
class RosenzweigMacArthur(Reaction):
    """u_t = Du∇²u + ru(1 − u/K) − auv/(1 + ahu),  v_t = Dv∇²v + eauv/(1 + ahu) − mv: predators that need time to eat.

    Args:
        r: growth of prey [1 / time].
        K: what the land carries [density].
        a: search rate [1 / (time · density)].
        h: time to handle one prey [time].
        e: predators born per prey eaten [1].
        m: death of predators [1 / time].
        Du: diffusivity of prey u [length² / time].
        Dv: diffusivity of predators v [length² / time].

    Known answers: coexistence at u* = m/(a(e − mh)); it oscillates for K > 2u* + 1/(ah).

    Source: M. L. Rosenzweig, R. H. MacArthur, Am. Nat. 97 (1963) 209, doi:10.1086/282272.
    """

    r: float = parameter(1.0, above=0.0)
    K: float = parameter(1.0, above=0.0)
    a: float = parameter(5.0, above=0.0)
    h: float = parameter(1.0, least=0.0)
    e: float = parameter(1.0, above=0.0)
    m: float = parameter(0.5, above=0.0)
    Du: float = parameter(1.0, least=0.0)
    Dv: float = parameter(1.0, least=0.0)

    species = ("u", "v")

    @property
    def diffusivities(self):
        """(Du, Dv)."""
        return self.Du, self.Dv

    def rates(self, t, y):
        """(ru(1 − u/K) − auv/(1 + ahu), eauv/(1 + ahu) − mv)."""
        u, v = y
        eaten = self.a * u * v / (1.0 + self.a * self.h * u)
        return self.r * u * (1.0 - u / self.K) - eaten, self.e * eaten - self.m * v

    def steady_states(self):
        """(0, 0), (K, 0), and both together where predators thrive on K prey, for arrays NaN where they do not."""
        alone, gain = ((0.0, 0.0), (self.K, 0.0)), self.a * (self.e - self.m * self.h)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = np.where(gain * self.K > self.m, self.m / np.asarray(gain, np.float64), np.nan)
        v = self.r * (1.0 - u / self.K) * (1.0 + self.a * self.h * u) / self.a
        if np.ndim(v) == 0:
            return (*alone, (float(u), float(v))) if np.isfinite(u) else alone
        return *alone, (u, v)


@dataclass(frozen=True)
class SIR(MassAction):
    """S_t = D_S∇²S − βSI,  I_t = D_I∇²I + βSI − γI,  R_t = D_R∇²R + γI: an epidemic that travels.

    Args:
        beta: contacts that infect, β [1 / (time · density)].
        gamma: recovery, γ [1 / time].
        DS: diffusivity of the susceptible [length² / time].
        DI: diffusivity of the infected [length² / time].
        DR: diffusivity of the recovered [length² / time].

    S, I and R are fractions of the initial density where that is the unit.

    Known answers: S + I + R is conserved; well mixed, γ ln S + βR is constant, so that `final_size` is exact; a wave
    into S = 1 has the speed 2√(D_I(β − γ)).

    Source: W. O. Kermack, A. G. McKendrick, Proc. R. Soc. A 115 (1927) 700, doi:10.1098/rspa.1927.0118;
        J. V. Noble, Nature 250 (1974) 726, doi:10.1038/250726a0.
    """

    beta: float = parameter(2.0, above=0.0)
    gamma: float = parameter(1.0, above=0.0)
    DS: float = parameter(0.0, least=0.0)
    DI: float = parameter(1.0, least=0.0)
    DR: float = parameter(0.0, least=0.0)

    species = ("S", "I", "R")

    @property
    def diffusivities(self):
        """(D_S, D_I, D_R)."""
        return self.DS, self.DI, self.DR

    def rates(self, t, y):
        """(−βSI, βSI − γI, γI)."""
        S, I, _ = y  # noqa: E741 - the letters of the law
        caught, healed = self.beta * S * I, self.gamma * I
        return -caught, caught - healed, healed

    def steady_states(self):
        """(1, 0, 0) before the epidemic; every (S, 0, R) is steady."""
        return ((1.0, 0.0, 0.0),)

    def final_size(self) -> float:
        """R∞ = 1 − exp(−βR∞/γ), who has had it in the end where all were susceptible and well mixed; 0 for β ≤ γ."""
        ratio = float(self.beta / self.gamma)
        if ratio <= 1.0:
            return 0.0
        R = 1.0  # Newton's method from above is monotone: R − 1 + exp(−ratio R) is convex
        for _ in range(100):
            R -= (R - 1.0 + np.exp(-ratio * R)) / (1.0 - ratio * np.exp(-ratio * R))
        return float(R)

    @property
    def reactions(self):
        """S + I → 2I, I → R."""
        return Channel(self.beta, (1, 1, 0), (-1, 1, 0)), Channel(self.gamma, (0, 1, 0), (0, -1, 1))
