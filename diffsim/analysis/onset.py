"""Where a uniform state loses its stability: critical parameters, by root finding on the greatest growth."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from diffsim import _checks
from diffsim.analysis import stability
from diffsim.analysis.eigen import Leading
from diffsim.analysis.stability import Instability
from diffsim.analysis.stability_map import rest
from diffsim.analysis.vary import vary

LONGEST = 1e-4  # of the shortest wave that may grow: the error of an onset of the longest waves is its square


class Onset(NamedTuple):
    """The critical value of a parameter, and what begins there: k [1 / length], frequency [radian / time].

    k = 0 for a TURING instability that takes the longest waves first, as where an amount is conserved.
    """

    value: float
    k: float
    frequency: float
    kind: Instability

    @property
    def wavelength(self) -> float:
        """2π/k [length]."""
        return 2 * np.pi / self.k if self.k else np.inf


def onset(model, parameter: str, between: tuple[float, float], *, kind: Instability | None = None,
          state: Callable | None = None, k: tuple[float, float] | None = None) -> Onset:
    """The value of one parameter at which max Re λ passes zero, to rounding, and the wave for which it does.

    Args:
        model: a model with `symbol`; its other parameters stay as they are.
        parameter: name of the one that is varied.
        between: (low, high), stable at one end and unstable at the other.
        kind: TURING (a real branch at k > 0), HOPF or UNIFORM (k = 0) or WAVE (a complex pair at k > 0) to look for
            this one only, be the state stable otherwise or not; whichever comes first if not given.
        state: model ↦ uniform state; the last of `steady_states()` if not given.
        k: (least, greatest) wavenumber [1 / length]; see `fastest`.

    Returns:
        Onset.

    Raises:
        TypeError: a model without `symbol`, no two values.
        ValueError: an unknown parameter; no change of stability in between; a model that has no uniform state.

    Source: A. M. Turing, Phil. Trans. R. Soc. B 237 (1952) 37, doi:10.1098/rstb.1952.0012.
    """
    from scipy.optimize import brentq  # not behind the front door

    stability.linear(model)
    if np.shape(between) != (2,):
        _checks.refuse("between", between, "(low, high)", "the onset is sought between two values",
                       "Give a value at which the state is stable and one at which it is not.", TypeError)
    low, high = (_checks.number("between", v, why="it bounds a parameter") for v in between)
    vary(model, **{parameter: low})  # refuses what is unknown
    measure, whole = _measure(kind), kind in (Instability.HOPF, Instability.UNIFORM)

    def case(p):
        law = vary(model, **{parameter: p})
        return law, (state or rest)(law)

    conserved = not whole and all(_conserved(*case(p)) for p in (low, high))

    def greatest(p):
        law, y = case(p)
        if whole:
            return 0.0, float(measure(Leading(*stability.lead(law, y, np.zeros(1))))[0])
        ends = k or (0.0, stability.reach(law, y))
        if conserved:  # neutral at k = 0 whatever the parameter
            ends = max(ends[0], LONGEST * ends[1]), ends[1]
        at, top = stability.peak(law, y, ends, measure)
        return 0.0 if conserved and at == LONGEST * ends[1] else at, top

    ends = [greatest(p)[1] for p in (low, high)]
    if not np.isfinite(ends).all() or np.sign(ends[0]) == np.sign(ends[1]):
        _checks.refuse("between", (low, high), "stable at one end and unstable at the other",
                       f"a sign change brackets the onset and the greatest values are {ends[0]:.3g} and {ends[1]:.3g}",
                       "Look at dispersion() at both ends, or widen the range.")
    p = brentq(lambda p: greatest(p)[1], low, high, xtol=1e-13 * max(abs(low), abs(high)), rtol=1e-14)
    at, (law, y) = greatest(p)[0], case(p)
    frequency = float(stability.lead(law, y, np.array([at]))[1][0])
    swings = kind is not Instability.TURING and frequency > 1e-7 * np.abs(law.symbol(0.0, y)).max()
    waves = at > 0 or conserved or kind in (Instability.TURING, Instability.WAVE)
    names = (Instability.TURING, Instability.WAVE) if waves else (Instability.UNIFORM, Instability.HOPF)
    return Onset(p, at, frequency if swings else 0.0, names[bool(swings)])


def _conserved(model, y) -> bool:
    """Whether an eigenvalue is zero at k = 0."""
    A = np.asarray(model.symbol(0.0, y))
    return abs(np.linalg.det(A)) <= stability.ROUNDING * np.abs(A).max() ** len(A)


def _measure(kind):
    """What has its greatest value pass zero where an instability of this kind sets in."""
    measures = {
        None: lambda lead: lead.growth,
        Instability.HOPF: lambda lead: lead.growth,
        Instability.UNIFORM: lambda lead: lead.growth,
        Instability.TURING: lambda lead: -lead.turning,
        Instability.WAVE: lambda lead: np.where(lead.frequency > 0, lead.growth, -np.abs(lead.growth)),
    }
    if kind not in measures:
        _checks.refuse("kind", kind, "Instability.TURING, HOPF, WAVE or UNIFORM, or None", "these begin at one value",
                       "Leave it out to find whichever comes first.")
    return measures[kind]
