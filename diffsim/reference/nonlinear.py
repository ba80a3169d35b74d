"""Nonlinear diffusion and fronts: Barenblatt, Stefan, Fisher–KPP, Nagumo."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import number
from diffsim.reference._input import array, diffusivity, dimension, positive, time
from diffsim.reference._roots import bisect


def barenblatt(r, t, m: float, d: int = 1, M: float = 1.0, D: float = 1.0):
    """u(r, t) = τ^(−dβ) [C − κ(r/τ^β)²]₊^{1/(m−1)}, τ = Dt: the source solution of u_t = D∇²(uᵐ) with ∫u = M.

    β = 1/(d(m−1) + 2), κ = β(m−1)/2m, and C follows from the mass M.

    Args:
        r: distance from the source, any shape [length].
        t: time, > 0, broadcast against r [time].
        m: exponent, > 1; m = 2 is the porous medium with a linear pressure.
        d: dimension, 1 to 3.
        M: mass, > 0.
        D: coefficient of ∇²(uᵐ), > 0.

    Returns:
        u, zero beyond `barenblatt_front`.

    Raises:
        ValueError: t, M or D not positive, m ≤ 1 or d not 1, 2, 3.

    Source: J. L. Vázquez, The Porous Medium Equation, Oxford 2006, §4.4.2,
        doi:10.1093/acprof:oso/9780198569039.001.0001.
    """
    r, tau = array("r", r, "a distance is a number"), diffusivity(D) * time(t)
    C, beta, kappa = _barenblatt(m, d, M)
    return tau ** (-d * beta) * np.maximum(C - kappa * (r / tau**beta) ** 2, 0.0) ** (1 / (m - 1))


def barenblatt_front(t, m: float, d: int = 1, M: float = 1.0, D: float = 1.0):
    """r_f = √(C/κ) (Dt)^β: the radius beyond which the Barenblatt solution vanishes.

    Args:
        t: time, > 0, any shape [time].
        m: exponent, > 1.
        d: dimension, 1 to 3.
        M: mass, > 0.
        D: coefficient of ∇²(uᵐ), > 0.

    Returns:
        Radius of the front [length].

    Raises:
        ValueError: t, M or D not positive, m ≤ 1 or d not 1, 2, 3.

    Source: J. L. Vázquez, The Porous Medium Equation, Oxford 2006, §4.4.2,
        doi:10.1093/acprof:oso/9780198569039.001.0001.
    """
    C, beta, kappa = _barenblatt(m, d, M)
    return math.sqrt(C / kappa) * (diffusivity(D) * time(t)) ** beta


def stefan_root(Ste: float) -> float:
    """λ e^{λ²} erf λ = Ste/√π: the front of the one-phase Stefan problem is at s = 2λ√(Dt).

    Args:
        Ste: Stefan number, > 0: sensible heat over latent heat.

    Returns:
        λ.

    Raises:
        ValueError: Ste ≤ 0.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §11.2.
    """
    from scipy.special import erf  # on use: the import of diffsim stays light

    Ste = number("Ste", Ste, above=0.0, why="without superheat nothing melts")
    upper = 1 + math.sqrt(math.log1p(Ste))
    return float(bisect(lambda z: z * np.exp(z * z) * erf(z) - Ste / math.sqrt(math.pi), 0.0, upper))


def stefan(x, t, D, Ste: float):
    """θ = 1 − erf(x/√4Dt)/erf λ behind the front s = 2λ√(Dt), and 0 beyond: θ(0) = 1, s_t = −Ste D θ_x(s).

    Args:
        x: distance from the heated wall, ≥ 0, any shape [length].
        t: time, > 0, broadcast against x [time].
        D: diffusivity of the melt, > 0 [length²/time].
        Ste: Stefan number, > 0.

    Returns:
        θ, in units of the difference between the wall and the melting point.

    Raises:
        ValueError: x < 0, or t, D or Ste not positive.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §11.2.
    """
    from scipy.special import erf  # on use: the import of diffsim stays light

    x = array("x", x, "the wall is at x = 0", least=0.0)
    z = x / np.sqrt(4 * diffusivity(D) * time(t))
    return np.maximum(1 - erf(z) / math.erf(stefan_root(Ste)), 0.0)


def fisher_wave(x, t, D=1.0, r=1.0):
    """u(x, t) = [1 + exp((x − ct)/ℓ√6)]⁻², c = (5/√6)√(rD), ℓ = √(D/r): a front of u_t = D u_xx + r u(1 − u).

    Args:
        x: position, any shape [length].
        t: time, broadcast against x [time].
        D: diffusivity, > 0 [length²/time].
        r: growth rate, > 0 [1/time].

    Returns:
        u in (0, 1).

    Raises:
        ValueError: D or r not positive.

    Source: M. J. Ablowitz, A. Zeppetella, Bull. Math. Biol. 41 (1979) 835, doi:10.1007/BF02462380.
    """
    D, r = diffusivity(D), positive("r", r, "without growth there is no front")
    x = array("x", x, "a position is a number")
    return _logistic(x, t, 5 * np.sqrt(r * D / 6), np.sqrt(6 * D / r)) ** 2


def fisher_speed(D=1.0, r=1.0):
    """c* = 2√(rD): the speed that a Fisher–KPP front of compact origin takes up.

    Args:
        D: diffusivity, > 0 [length²/time].
        r: growth rate, > 0 [1/time].

    Returns:
        Speed [length/time].

    Raises:
        ValueError: D or r not positive.

    Source: U. Ebert, W. van Saarloos, Physica D 146 (2000) 1, doi:10.1016/S0167-2789(00)00068-3.
    """
    return 2 * np.sqrt(positive("r", r, "without growth there is no front") * diffusivity(D))


def fisher_speed_lattice(dx: float, dt: float = 0.0, D: float = 1.0, r: float = 1.0) -> float:
    """c* = min over k of s/k, s = r + (2D/Δx²)(cosh kΔx − 1); explicit Euler puts ln(1 + sΔt)/Δt for s.

    Args:
        dx: spacing of the lattice, > 0 [length].
        dt: step of explicit Euler; 0 is exact time [time].
        D: diffusivity, > 0 [length²/time].
        r: growth rate, > 0 [1/time].

    Returns:
        The speed of the discretised Fisher–KPP front [length/time].

    Raises:
        ValueError: dx, D or r not positive, or dt < 0.

    Source: U. Ebert, W. van Saarloos, Physica D 146 (2000) 1, §5.6, doi:10.1016/S0167-2789(00)00068-3.
    """
    from scipy.optimize import minimize_scalar  # on use: the import of diffsim stays light

    dx = number("dx", dx, above=0.0, why="a lattice has a spacing")
    dt = number("dt", dt, least=0.0, why="time runs forwards")
    D, r = float(diffusivity(D)), float(positive("r", r, "without growth there is no front"))

    def speed(q):
        k = math.exp(q) * math.sqrt(r / D)
        s = r + 4 * D / dx**2 * math.sinh(0.5 * k * dx) ** 2
        return (math.log1p(s * dt) / dt if dt else s) / k

    top = math.log(20 * math.sqrt(D / r) / dx + 1)  # at kΔx = 20 the lattice is far past its minimum
    return float(minimize_scalar(speed, bounds=(-5.0, top), method="bounded", options={"xatol": 1e-9}).fun)


def nagumo_wave(x, t, a: float, D=1.0):
    """u(x, t) = [1 + exp((x − ct)/√2D)]⁻¹, c = (1 − 2a)√(D/2): the front of u_t = D u_xx + u(1 − u)(u − a).

    Args:
        x: position, any shape [length].
        t: time, broadcast against x [time].
        a: threshold, in (0, 1).
        D: diffusivity, > 0 [length²/time].

    Returns:
        u in (0, 1).

    Raises:
        ValueError: D or a not positive.

    Source: H. P. McKean, Adv. Math. 4 (1970) 209, doi:10.1016/0001-8708(70)90023-X.
    """
    x = array("x", x, "a position is a number")
    return _logistic(x, t, nagumo_speed(a, D), np.sqrt(2 * diffusivity(D)))


def nagumo_speed(a: float, D=1.0):
    """c(a) = (1 − 2a)√(D/2): the speed of the Nagumo front, with rates in units of 1/time.

    Args:
        a: threshold, in (0, 1).
        D: diffusivity, > 0 [length²/time].

    Returns:
        Speed [length/time].

    Raises:
        ValueError: D or a not positive.

    Source: H. P. McKean, Adv. Math. 4 (1970) 209, doi:10.1016/0001-8708(70)90023-X.
    """
    a = number("a", a, above=0.0, why="a threshold separates the two stable states")
    return (1 - 2 * a) * np.sqrt(diffusivity(D) / 2)


def _logistic(x, t, c, width):
    """1/(1 + e^{(x − ct)/width}), to rounding also far ahead of the front."""
    from scipy.special import expit  # on use: the import of diffsim stays light

    return expit((c * array("t", t, "time is a number") - x) / width)


def _barenblatt(m, d, M) -> tuple[float, float, float]:
    """C, β and κ: M = π^{d/2} κ^{−d/2} C^{p + d/2} Γ(p+1)/Γ(p+1+d/2), p = 1/(m−1)."""
    m = number("m", m, above=1.0, why="at m ≤ 1 diffusion is fast and the solution has no front")
    M, d = number("M", M, above=0.0, why="the source has a mass"), dimension(d)
    beta, p = 1 / (d * (m - 1) + 2), 1 / (m - 1)
    kappa = beta * (m - 1) / (2 * m)
    log_C = math.log(M) + d / 2 * math.log(kappa / math.pi) + math.lgamma(p + 1 + d / 2) - math.lgamma(p + 1)
    return math.exp(log_C / (p + d / 2)), beta, kappa
