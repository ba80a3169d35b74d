"""Fick's first law: where matter flows, and what passes through walls and membranes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import Equation
from diffsim.operators import halo
from diffsim.operators.base import Scaled, Sum


def flux(law, u, t=0.0):
    """J = −D∇u at the faces, by the conductances that move u: its divergence is −(A u + b) to rounding.

    Args:
        law: Diffusion, multiples and sums of it, or an Equation whose linear part it is.
        u: state on the operator's grid [concentration].
        t: time, for walls whose values depend on it [time].

    Returns:
        For each axis an array with one entry more along it, walls included, positive along the axis
        [amount / area / time]. On the edge of a periodic axis both ends are the same face.

    Raises:
        ValueError: the law has no operator with fluxes.
    """
    u = tf.convert_to_tensor(u)
    parts = [tuple(_nest.to(a, u.dtype) * J for J in op.flux(t, u)) for a, op in _carriers(law, "flux")]
    return tuple(sum(terms[1:], terms[0]) for terms in zip(*parts, strict=True))


def cell_flux(law, u, t=0.0):
    """J in the cells: the mean of the two faces along each axis, for arrows and magnitudes.

    Args:
        law: as `flux`.
        u: state on the operator's grid.
        t: time [time].

    Returns:
        One array like u for each axis [amount / area / time].

    Raises:
        ValueError: the law has no operator with fluxes.
    """
    faces = flux(law, u, t)
    d = len(faces)
    return tuple((halo.cut(J, i, 0, J.shape[i - d] - 1, d) + halo.cut(J, i, 1, None, d)) / 2
                 for i, J in enumerate(faces))


def inflow(law, u, t=0.0) -> dict:
    """∮ −J·n dA wall by wall: the amount that enters per time; negative where matter leaves.

    Args:
        law: Diffusion or NonlinearDiffusion, multiples and sums, or an Equation made of them.
        u: state on the operator's grid.
        t: time [time].

    Returns:
        {"x-": …, "x+": …}, integrated over each wall [amount / time]; periodic axes have none.

    Raises:
        ValueError: the law has no operator with walls.
    """
    u, out = tf.convert_to_tensor(u), {}
    for a, op in _carriers(law, "inflow"):
        for name, q in op.inflow(t, u).items():
            out[name] = out.get(name, 0.0) + _nest.to(a, u.dtype) * q
    return out


class Permeation(NamedTuple):
    """What a breakthrough curve says of a membrane.

    Attributes:
        flux: steady flux J∞ [amount / area / time].
        lag: time lag L²/6D, where the asymptote of the permeated amount meets zero [time].
        D: diffusivity L²/(6·lag) [length² / time].
        permeability: J∞ L [amount / length / time] for a unit difference of concentration.
    """

    flux: float
    lag: float
    D: float
    permeability: float


def permeation(t, J, L: float, Q=None) -> Permeation:
    """Q(t) → J∞(t − L²/6D): time-lag analysis of a membrane that starts empty and is fed on one side.

    The last record must be steady: lag = t − Q/J there, J∞ = J. Without Q the flux is integrated by the
    trapezoidal rule, very accurate on even records because J is flat at both ends.

    Args:
        t: times of the records from the start of the experiment, increasing [time].
        J: flux out of the far side, one for each t [amount / area / time].
        L: thickness of the membrane [length].
        Q: amount that has permeated, one for each t, if it is known [amount / area].

    Returns:
        Permeation(flux, lag, D, permeability).

    Raises:
        ValueError: records that do not increase, or a flux that changes by more than 1 % in the last tenth.

    Source: H. A. Daynes, Proc. R. Soc. A 97 (1920) 286, doi:10.1098/rspa.1920.0034; J. Crank, The Mathematics
        of Diffusion, 2nd ed., Oxford 1975, §4.3.3.
    """
    t, J = np.asarray(t, np.float64), np.asarray(J, np.float64)
    L = _checks.number("L", L, above=0.0, why="a membrane has a thickness")
    if t.ndim != 1 or t.shape != J.shape or t.size < 3 or np.any(np.diff(t) <= 0) or t[0] < 0:
        _checks.refuse("t", t, "three or more increasing times ≥ 0 with one J each",
                       "they are records of one experiment",
                       "Use SaveAt(ts=np.linspace(0, T, n), fn=…) and pass solution.t and solution.y.")
    _checks.finite("J", J, why="it is integrated")
    late = np.interp(t[-1] - 0.1 * (t[-1] - t[0]), t, J)
    if not abs(late - J[-1]) <= 0.01 * abs(J[-1]) or J[-1] == 0.0:
        _checks.refuse("J", _checks.Verbatim(f"{late:.4g} before and {J[-1]:.4g} at the end"),
                       "a steady flux at the end", "the lag is read off the steady asymptote",
                       f"Run for longer than {t[-1]:g}.")
    amount = np.sum(np.diff(t) * (J[1:] + J[:-1]) / 2) if Q is None else float(np.asarray(Q)[-1])
    lag = float(t[-1] - amount / J[-1])
    return Permeation(float(J[-1]), lag, L**2 / (6 * lag), float(J[-1]) * L)


def _carriers(law, method, factor=1.0):
    """(factor, operator) for all parts of a law that have `method`."""
    found = list(_walk(law, method, factor))
    if not found:
        _checks.refuse("law", law, f"one with {method}", "no operator in it says what flows",
                       "Pass Diffusion(grid, boundary, D), or a law whose linear part it is.")
    return found


def _walk(law, method, factor):
    if isinstance(law, Equation):
        yield from _walk(law.linear, method, factor)
        yield from _walk(law.drift, method, factor)
    elif isinstance(law, Scaled):
        yield from _walk(law.of, method, factor * law.a)
    elif isinstance(law, Sum):
        for part in law.of:
            yield from _walk(part, method, factor)
    elif hasattr(law, method):
        yield factor, law
