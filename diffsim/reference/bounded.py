"""Sheets, cylinders and spheres: uptake, and cooling through a surface film.

One set of formulas serves the three, with the dimension d: 1 is a sheet of thickness 2a, 2 a long cylinder
and 3 a sphere of radius a. Lengths are in units of a and times in units of a²/D, so that Fo = Dt/a² and
ρ = r/a. The radial function is C(z) = cos z, J₀(z) or sin(z)/z, and S = −C′.
"""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import integer, refuse
from diffsim.reference._input import array, dimension, within
from diffsim.reference._roots import ball_roots, bessel_zeros


def robin_roots(Bi, n: int, d: int = 1):
    """β S(β) = Bi C(β): the first n positive roots; for a slab β tan β = Bi, for a cylinder β J₁ = Bi J₀.

    Args:
        Bi: Biot number κa/D, ≥ 0; math.inf is a surface held at its value.
        n: number of roots, ≥ 1.
        d: 1 sheet, 2 cylinder, 3 sphere.

    Returns:
        Roots in rising order, shape (n,). For Bi = 0 the root β = 0 of the constant mode is left out.

    Raises:
        ValueError: Bi < 0, n < 1 or d not 1, 2, 3.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §3.9, §7.7, §9.4.
    """
    n = integer("n", n, least=1, why="the roots are counted from the lowest")
    return ball_roots(n, dimension(d), _biot(Bi))


def cooling(rho, Fo, Bi=math.inf, d: int = 1):
    """θ = Σ Aₙ C(βₙρ) e^(−βₙ²Fo), θ = 1 at first and −θ_ρ = Bi θ at ρ = 1.

    1 − θ is the uptake profile of an empty body. The sum stops where e^(−β²Fo) < 1e-17.

    Args:
        rho: r/a in [0, 1], any shape.
        Fo: Fourier number Dt/a², ≥ 1e-6, broadcast against rho.
        Bi: Biot number, ≥ 0; math.inf is a surface at 0.
        d: 1 sheet, 2 cylinder, 3 sphere.

    Returns:
        θ, the remaining fraction of the initial difference.

    Raises:
        ValueError: rho outside [0, 1], Fo < 1e-6, Bi < 0 or d not 1, 2, 3.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §3.11, 7.7, 9.4.
    """
    rho, Fo = within("rho", rho, 0, 1, "rho = r/a is inside the body"), _fourier(Fo)
    Bi, d = _biot(Bi), dimension(d)
    if Bi == 0:
        return np.ones(np.broadcast_shapes(rho.shape, Fo.shape))[()]
    C, _ = _radial(d)
    beta, A, _ = _series(Fo, Bi, d)
    return (np.exp(-(beta**2) * Fo[..., None]) * C(beta * rho[..., None])) @ A


def cooling_mean(Fo, Bi=math.inf, d: int = 1):
    """⟨θ⟩ = d Σ Aₙ S(βₙ)/βₙ e^(−βₙ²Fo): the average of `cooling` over the body.

    Args:
        Fo: Fourier number Dt/a², ≥ 1e-6.
        Bi: Biot number, ≥ 0; math.inf is a surface at 0.
        d: 1 sheet, 2 cylinder, 3 sphere.

    Returns:
        ⟨θ⟩, shaped like Fo.

    Raises:
        ValueError: Fo < 1e-6, Bi < 0 or d not 1, 2, 3.

    Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, §3.11, 7.7, 9.4.
    """
    Fo, Bi, d = _fourier(Fo), _biot(Bi), dimension(d)
    if Bi == 0:
        return np.ones(Fo.shape)[()]
    if math.isinf(Bi):
        return 1 - uptake(Fo, d)
    beta, A, mean = _series(Fo, Bi, d)
    return np.exp(-(beta**2) * Fo[..., None]) @ (A * mean)


def uptake(Fo, d: int = 1):
    """M/M∞ = 1 − 2d Σ e^(−jₙ²Fo)/jₙ², C(jₙ) = 0: the surface of an empty body is raised at t = 0 and held.

    For Fo < 0.02 the sum is replaced by d Σ aₖ Fo^((k+1)/2)/Γ((k+3)/2), 2aₖ = (k−d)aₖ₋₁ − Σ aᵢaₖ₋ᵢ, the
    inverse Laplace transform of I_{d/2}/I_{d/2−1} far from the centre, which errs by less than e^(−1/Fo). So
    the answer is exact to rounding at any time.

    Args:
        Fo: Fourier number Dt/a², ≥ 0, any shape.
        d: 1 sheet, 2 cylinder, 3 sphere.

    Returns:
        M/M∞ in [0, 1], shaped like Fo.

    Raises:
        ValueError: Fo < 0 or d not 1, 2, 3.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, eqs 4.18, 5.23, 6.20.
    """
    Fo, d = array("Fo", Fo, "uptake starts at Fo = 0", least=0.0), dimension(d)
    j = bessel_zeros(d / 2 - 1, 16)
    late = 1 - 2 * d * np.exp(-(j**2) * Fo[..., None]) @ (1 / j**2)
    a = [1.0]
    for k in range(1, 31):
        a.append(0.5 * ((k - d) * a[k - 1] - sum(a[i] * a[k - i] for i in range(1, k))))
    root = np.sqrt(np.minimum(Fo, 0.02))
    early = d * sum(a_k * root ** (k + 1) / math.gamma((k + 3) / 2) for k, a_k in enumerate(a))
    return np.where(Fo < 0.02, early, late)[()]


def _radial(d: int):
    """C and S = −C′."""
    from scipy import special  # on use: the import of diffsim stays light

    return (
        (np.cos, np.sin),
        (special.j0, special.j1),
        (lambda z: special.spherical_jn(0, z), lambda z: special.spherical_jn(1, z)),
    )[d - 1]


def _series(Fo, Bi: float, d: int):
    """Roots βₙ, amplitudes Aₙ = ⟨1, Cₙ⟩/⟨Cₙ, Cₙ⟩ and means of Cₙ, as many as the least Fo needs."""
    n = math.ceil(math.sqrt(40 / Fo.min()) / math.pi) + 2
    beta = ball_roots(n, d, Bi)
    C, S = (f(beta) for f in _radial(d))
    if math.isinf(Bi):
        C = 0.0
    norm = 0.5 * (C**2 + S**2 - (d - 2) * C * S / beta)
    return beta, S / beta / norm, d * S / beta


def _biot(Bi) -> float:
    Bi = float(Bi)
    if not Bi >= 0:
        way_out = "Pass Bi = κa/D ≥ 0, or math.inf for a surface held at its value."
        refuse("Bi", Bi, "a number ≥ 0 or inf", "a film can only slow the exchange with the outside", way_out)
    return Bi


def _fourier(Fo) -> np.ndarray:
    Fo = array("Fo", Fo, "Fo = Dt/a² is positive after the start")
    if (Fo < 1e-6).any():
        way_out = "Use free.half_space or free.half_space_robin, to which the body is equal so early."
        refuse("Fo", Fo.min(), "values ≥ 1e-6", "the series would need thousands of terms", way_out)
    return Fo
