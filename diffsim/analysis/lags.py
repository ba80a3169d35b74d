"""What a time average over one path each of many particles says: curves over lags, with honest error bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffsim import _checks
from diffsim._checks import Verbatim, refuse
from diffsim.analysis.passage import Estimate


@dataclass(frozen=True)
class Lags:
    """A function of the lag τ, averaged over time origins for each of N independent particles.

    Attributes:
        t: (m,) lags [time].
        each: (m, N) time averages, one for each particle.
        origins: (m,) time origins in each average.
        d: number of coordinates.
    """

    t: np.ndarray
    each: np.ndarray
    origins: np.ndarray
    d: int

    @property
    def value(self) -> np.ndarray:
        """(m,) mean over the particles."""
        return self.each.mean(1)

    @property
    def error(self) -> np.ndarray:
        """(m,) its standard error, from the spread between particles; NaN for one particle."""
        return standard_error(self.each)

    def join(self, other: Lags) -> Lags:
        """Both ensembles as one: batches of a run give the numbers of the whole."""
        if not (isinstance(other, Lags) and np.array_equal(self.t, other.t) and self.d == other.d):
            refuse("other", other, "Lags at the same times", "averages are joined lag by lag", "Run both alike.")
        return Lags(self.t, np.concatenate([self.each, other.each], 1), self.origins, self.d)

    def ergodicity_breaking(self):
        """EB = Var(TAMSD)/⟨TAMSD⟩², which is 4τ/3T for Brownian motion watched for a time T ≫ τ.

        Returns:
            (EB, its standard error), each (m,); from τ > 0 on, 0/0 = NaN before.

        References:
            He, Burov, Metzler & Barkai (2008), doi:10.1103/PhysRevLett.101.058101.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            m, s2 = self.value, self.each.var(1, ddof=1)
            u = self.each - m[:, None]
            influence = (u**2 - s2[:, None]) / m[:, None] ** 2 - 2 * (s2 / m**3)[:, None] * u
            return s2 / m**2, standard_error(influence)

    def diffusivity(self, since: float, until: float) -> Estimate:
        """D = slope/2d of the line through lags within [since, until], fitted to each particle; their spread is exact.

        Args:
            since: first lag [time].
            until: last lag [time].

        Returns:
            Estimate(value, error) [length² / time].

        Raises:
            ValueError: fewer than two lags there.
        """
        chosen = (self.t >= since * (1 - 1e-9)) & (self.t <= until * (1 + 1e-9))
        if chosen.sum() < 2:
            why, way_out = "a slope needs two", f"Choose within [{self.t[0]:g}, {self.t[-1]:g}]."
            refuse("lags", Verbatim(f"{chosen.sum()} within [{since:g}, {until:g}]"), "two or more", why, way_out)
        t = self.t[chosen] - self.t[chosen].mean()
        slopes = t @ self.each[chosen] / (t @ t) / (2 * self.d)
        return Estimate(float(slopes.mean()), float(standard_error(slopes)))

    def integral(self):
        """∫₀^τ C(s) ds by trapezia, and its standard error, each (m,): of the VACF, d·D(τ) by Green and Kubo.

        References:
            Green (1954), doi:10.1063/1.1740082; Kubo (1957), doi:10.1143/JPSJ.12.570.
        """
        pieces = 0.5 * np.diff(self.t)[:, None] * (self.each[1:] + self.each[:-1])
        running = np.concatenate([np.zeros((1, self.each.shape[1])), np.cumsum(pieces, 0)])
        return running.mean(1), standard_error(running)


def green_kubo(vacf: Lags, until: float) -> Estimate:
    """D = (1/d) ∫₀^until ⟨v(s)·v(0)⟩ ds: Green and Kubo's formula.

    Args:
        vacf: of VACF, or velocity_autocorrelation(…).
        until: where to stop [time], some relaxation times: what comes later is noise, what is left out is bias.

    Returns:
        Estimate(value, error) [length² / time].

    Raises:
        ValueError: a time beyond the lags.
    """
    _checks.instance("vacf", vacf, Lags, why="it is integrated over lags", way_out="Pass solution.seen of a VACF().")
    if not 0 < until <= vacf.t[-1] * (1 + 1e-9):
        refuse("until", until, f"a time in (0, {vacf.t[-1]:g}]", "the integral ends among the lags",
               "Add levels to the VACF, or run longer.")
    value, error = vacf.integral()
    k = int(np.searchsorted(vacf.t, until * (1 + 1e-9))) - 1
    return Estimate(float(value[k] / vacf.d), float(error[k] / vacf.d))


def standard_error(each, axis: int = -1):
    """That of the mean of independent numbers along an axis; NaN for one."""
    n = each.shape[axis]
    return each.std(axis, ddof=1) / np.sqrt(n) if n > 1 else np.full_like(each.sum(axis), np.nan)
