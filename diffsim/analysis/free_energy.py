"""Free energies from the work of processes that are not slow: Jarzynski, cumulants, and Bennett with Crooks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.analysis.lags import standard_error


class FreeEnergy(NamedTuple):
    """ΔF, and how far it can be trusted [energy].

    Attributes:
        value: the estimate.
        error: its standard error, to first order in 1/N.
        bias: by how much the estimate exceeds ΔF on average, to first order in 1/N; it is not taken off. Neither can
            be trusted when the bias is not small against kT.
        effective: how many paths carry the average.
    """

    value: float
    error: float
    bias: float
    effective: float


def jarzynski(work, kT: float) -> FreeEnergy:
    """ΔF = −kT ln⟨e^{−W/kT}⟩, for any process that begins at equilibrium.

    With x = e^{−W/kT}: error kT·s/(x̄√N), bias kT·s²/(2N x̄²). Rare paths with little work carry the average; when the
    dissipated work ⟨W⟩ − ΔF is many kT they are not in the sample, and the estimate is too high.

    Args:
        work: (N,) work of independent paths [energy].
        kT: temperature [energy].

    Returns:
        FreeEnergy(value, error, bias, effective).

    Raises:
        ValueError: fewer than two paths, or numbers that are not finite.

    References:
        Jarzynski (1997), doi:10.1103/PhysRevLett.78.2690; Gore, Ritort & Bustamante (2003),
        doi:10.1073/pnas.1635159100, for the bias.
    """
    W, kT = _work("work", work), _temperature(kT)
    x, least = np.exp(-(W - W.min()) / kT), W.min()
    relative = x.var(ddof=1) / x.mean() ** 2 / W.size
    value = float(least) - kT * math.log(x.mean())
    return FreeEnergy(value, kT * math.sqrt(relative), float(0.5 * kT * relative), float(x.sum() ** 2 / (x**2).sum()))


def second_cumulant(work, kT: float) -> FreeEnergy:
    """ΔF = ⟨W⟩ − Var W/2kT: exact for Gaussian work, as in slow processes and moving harmonic traps.

    Args:
        work: (N,) work of independent paths [energy].
        kT: temperature [energy].

    Returns:
        FreeEnergy; its bias is that of sampling, zero, not that of work that is not Gaussian.

    Raises:
        ValueError: fewer than two paths, or numbers that are not finite.

    References:
        Hermans (1991), doi:10.1021/j100176a006.
    """
    W, kT = _work("work", work), _temperature(kT)
    u, s2 = W - W.mean(), W.var(ddof=1)
    influence = u - (u**2 - s2) / (2 * kT)
    value = W.mean() - s2 / (2 * kT)
    return FreeEnergy(float(value), float(standard_error(influence)), 0.0, float(W.size))


def bennett(forward, reverse, kT: float) -> FreeEnergy:
    """ΔF from p_F(W) = p_R(−W) e^{(W − ΔF)/kT}, Crooks' theorem, with the least error: Bennett's acceptance ratio.

    Σ_F f(M + (W − ΔF)/kT) = Σ_R f(−M + (W + ΔF)/kT), f(u) = 1/(1 + eᵘ), M = ln(N_F/N_R). ΔF is where the histograms
    of W forwards and −W in reverse cross.

    Args:
        forward: (N_F,) work of paths that begin at equilibrium with the first potential [energy].
        reverse: (N_R,) work of paths that begin at equilibrium with the last, and go the way back [energy].
        kT: temperature [energy].

    Returns:
        FreeEnergy; `effective` is the number of paths in the region where both overlap.

    Raises:
        ValueError: fewer than two paths, or numbers that are not finite.

    References:
        Bennett (1976), doi:10.1016/0021-9991(76)90078-4; Crooks (1999), doi:10.1103/PhysRevE.60.2721; Shirts, Bair,
        Hooker & Pande (2003), doi:10.1103/PhysRevLett.91.140601.
    """
    kT = _temperature(kT)
    WF, WR = _work("forward", forward) / kT, _work("reverse", reverse) / kT
    M = math.log(WF.size / WR.size)

    def parts(c):
        return _fermi(M + WF - c), _fermi(-M + WR + c)

    low = min(WF.min(), -WR.max()) - abs(M) - 1.0
    high = max(WF.max(), -WR.min()) + abs(M) + 1.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        a, b = parts(middle)
        low, high = (low, middle) if a.sum() > b.sum() else (middle, high)
    a, b = parts(middle)
    da, db = a * (1 - a), b * (1 - b)  # what follows is the theory of roots of sums: G = dψ/dc, ψ = Σ_F f − Σ_R f
    G, spread = da.sum() + db.sum(), a.size * a.var() + b.size * b.var()
    joint = a.size * np.mean((a - a.mean()) * da) - b.size * np.mean((b - b.mean()) * db)
    bend = (da * (1 - 2 * a)).sum() - (db * (1 - 2 * b)).sum()
    bias = joint / G**2 - 0.5 * bend * spread / G**3
    shared = a.sum() ** 2 / (a**2).sum() + b.sum() ** 2 / (b**2).sum()
    return FreeEnergy(float(kT * middle), float(kT * math.sqrt(spread) / G), float(kT * bias), float(shared))


def _fermi(u):
    return 0.5 * (1.0 - np.tanh(0.5 * u))


def _work(what, W):
    W = np.asarray(_checks.finite(what, W, why="it is work"), np.float64).ravel()
    if W.size < 2:
        _checks.refuse(what, W, "two paths or more", "an error bar is a spread", "Run an ensemble.")
    return W


def _temperature(kT):
    return _checks.number("kT", kT, above=0.0, why="work is measured by it")
