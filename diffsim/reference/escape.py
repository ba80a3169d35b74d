"""Escape from a potential well: the exact mean time in one dimension, and Kramers' formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from diffsim._checks import number, refuse
from diffsim.reference._input import array

NODES = 12  # of Gauss's rule on each panel


def mean_time(V: Callable, start: float, end: float, wall: float, kT: float = 1.0, mobility: float = 1.0,
              panels: int = 400) -> float:
    """T = ∫_start^end e^{V(y)/kT} ∫_wall^y e^{−V(z)/kT} dz dy / (μkT): from `start` to an absorbing `end`.

    Args:
        V: V(x), of arrays [energy].
        start: where the particle starts [length].
        end: where it is absorbed, end > start [length].
        wall: where it is reflected, wall ≤ start, or so far up that it never comes there [length].
        kT: temperature, > 0 [energy].
        mobility: μ = D/kT, > 0 [length² / (energy · time)].
        panels: pieces of [wall, start] and of [start, end] each.

    Returns:
        Mean first-passage time [time].

    Raises:
        ValueError: kT or μ not positive, or wall, start, end not in this order.

    Source: L. Pontryagin, A. Andronov, A. Vitt, Zh. Eksp. Teor. Fiz. 3 (1933) 165; C. W. Gardiner, Stochastic Methods,
        Springer 2009, §5.5.
    """
    kT = number("kT", kT, above=0.0, why="it is a temperature")
    mobility = number("mobility", mobility, above=0.0, why="it turns force into velocity")
    if not wall <= start < end:
        refuse("start", start, "wall ≤ start < end", "the particle goes from start to end", "Turn the axis round.")
    before, y = _panels(wall, start, panels), _panels(start, end, panels)
    low = min(np.min(V(before[0])), np.min(V(y[0])))
    inner = 0.0 if wall == start else np.sum(before[1] * np.exp((low - V(before[0])) / kT))
    weight = np.exp((low - V(y[0])) / kT)
    whole = np.concatenate([[0.0], np.cumsum(np.sum(y[1] * weight, axis=1))[:-1]])
    within = weight @ _cumulative().T * (end - start) / panels / 2
    return float(np.sum(y[1] * np.exp((V(y[0]) - low) / kT) * (inner + whole[:, None] + within)) / (mobility * kT))


def kramers(barrier, kT=1.0, well=1.0, top=1.0, mobility=1.0):
    """T = 2π/(μ√(V″(well)|V″(top)|)) e^{ΔV/kT}: its limit for kT ≪ ΔV, from one well to the other.

    Args:
        barrier: ΔV, any shape [energy].
        kT: temperature, > 0, any shape [energy].
        well: V″ at the bottom, > 0 [energy / length²].
        top: |V″| at the barrier, > 0 [energy / length²].
        mobility: μ, > 0 [length² / (energy · time)].

    Returns:
        Mean time to reach the other well, twice that to reach the top [time].

    Raises:
        ValueError: values that are not positive.

    Source: H. A. Kramers, Physica 7 (1940) 284, doi:10.1016/S0031-8914(40)90098-2.
    """
    kT = array("kT", kT, "it is a temperature", above=0.0)
    barrier = array("barrier", barrier, "it is to be climbed", above=0.0)
    rates = [number(name, v, above=0.0, why="it gives the time scale")
             for name, v in (("well", well), ("top", top), ("mobility", mobility))]
    return 2 * math.pi / (rates[2] * math.sqrt(rates[0] * rates[1])) * np.exp(barrier / kT)


def _panels(a, b, count):
    """Nodes and weights on `count` pieces of [a, b], each (count, NODES)."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    half = (b - a) / count / 2
    centres = a + half * (2 * np.arange(count) + 1)
    return centres[:, None] + half * x, np.broadcast_to(half * w, (count, NODES))


def _cumulative():
    """∫_{−1}^{xᵢ} of the polynomial that is one at node j and zero at the others, (NODES, NODES)."""
    legendre = np.polynomial.legendre
    x = legendre.leggauss(NODES)[0]
    coefficients = np.linalg.inv(legendre.legvander(x, NODES - 1))
    return legendre.legval(x, legendre.legint(coefficients, lbnd=-1, axis=0)).T
