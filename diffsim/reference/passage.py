"""Mean first-passage times T(x) of a Brownian particle: D∇²T = −1, T = 0 where it is caught."""

from __future__ import annotations

import math

import numpy as np

from diffsim._checks import number, refuse
from diffsim.reference._input import array, diffusivity, dimension, within
from diffsim.reference.poisson import ball as _ball


def interval(x, L: float, D):
    """T = x(L − x)/2D: both ends of (0, L) absorb.

    Args:
        x: start in [0, L], any shape [length].
        L: length, > 0 [length].
        D: diffusivity, > 0 [length²/time].

    Returns:
        Mean time to reach either end [time].

    Raises:
        ValueError: L or D not positive, or x outside [0, L].

    Source: S. Redner, A Guide to First-Passage Processes, Cambridge 2001, §2.2, doi:10.1017/CBO9780511606014.
    """
    L = number("L", L, above=0.0, why="an interval has a length")
    x = within("x", x, 0.0, L, "the particle starts inside")
    return x * (L - x) / (2 * diffusivity(D))


def interval_one_end(x, L: float, D):
    """T = x(2L − x)/2D: the end x = 0 absorbs, the end x = L reflects.

    Args:
        x: start in [0, L], any shape [length].
        L: length, > 0 [length].
        D: diffusivity, > 0 [length²/time].

    Returns:
        Mean time to reach x = 0 [time].

    Raises:
        ValueError: L or D not positive, or x outside [0, L].

    Source: S. Redner, A Guide to First-Passage Processes, Cambridge 2001, §2.2, doi:10.1017/CBO9780511606014.
    """
    L = number("L", L, above=0.0, why="an interval has a length")
    x = within("x", x, 0.0, L, "the particle starts inside")
    return x * (2 * L - x) / (2 * diffusivity(D))


def ball(r, R: float, D, d: int = 3):
    """T = (R² − r²)/2dD: R²/4D from the centre of a disk, R²/6D from the centre of a ball.

    Args:
        r: distance of the start from the centre in [0, R], any shape [length].
        R: radius of the absorbing wall, > 0 [length].
        D: diffusivity, > 0 [length²/time].
        d: 1 interval (−R, R), 2 disk, 3 ball.

    Returns:
        Mean time to reach the wall [time].

    Raises:
        ValueError: R or D not positive, r outside [0, R] or d not 1, 2, 3.

    Source: S. Redner, A Guide to First-Passage Processes, Cambridge 2001, §6.2, doi:10.1017/CBO9780511606014.
    """
    return _ball(r, R, d) / diffusivity(D)


def ball_mean(R: float, D, d: int = 3):
    """⟨T⟩ = R²/d(d+2)D: averaged over starts that are uniform in the ball.

    Args:
        R: radius of the absorbing wall, > 0 [length].
        D: diffusivity, > 0 [length²/time].
        d: 1 interval (−R, R), 2 disk, 3 ball.

    Returns:
        Mean time to reach the wall [time].

    Raises:
        ValueError: R or D not positive, or d not 1, 2, 3.

    Source: S. Redner, A Guide to First-Passage Processes, Cambridge 2001, §6.2, doi:10.1017/CBO9780511606014.
    """
    d = dimension(d)
    return number("R", R, above=0.0, why="a ball has a radius") ** 2 / (d * (d + 2) * diffusivity(D))


def disk_arc(x, eps: float, R: float = 1.0, D=1.0):
    """T = (R²/D) [¼(1−|z|²) + ln|(1 − z + √((1 − ze^{iε})(1 − ze^{−iε})))/(2 sin ½ε)|], z = (x₁ + ix₂)/R.

    The wall of the disk reflects, but for the exit arc |θ| < ε around (R, 0). Exact for any arc.

    Args:
        x: start inside the disk, shape (..., 2) [length].
        eps: half-angle ε of the arc, in (0, π] [rad].
        R: radius, > 0 [length].
        D: diffusivity, > 0 [length²/time].

    Returns:
        Mean time to leave, shape (...) [time].

    Raises:
        ValueError: eps, R or D out of range, or x outside the disk.

    Source: C. Caginalp, X. Chen, Arch. Ration. Mech. Anal. 203 (2012) 329, doi:10.1007/s00205-011-0455-6.
    """
    eps, R = _angle(eps), number("R", R, above=0.0, why="a disk has a radius")
    x = array("x", x, "a point has numbers")
    if x.ndim < 1 or x.shape[-1] != 2:
        refuse("x", x, "a shape (..., 2)", "the disk lies in the plane", "Stack them on the last axis.")
    z = (x[..., 0] + 1j * x[..., 1]) / R
    within("|x|", np.abs(x[..., 0] + 1j * x[..., 1]), 0.0, R, "the particle starts inside")
    root = np.sqrt(1 - z * np.exp(1j * eps)) * np.sqrt(1 - z * np.exp(-1j * eps))
    harmonic = np.log(np.abs(1 - z + root) / (2 * math.sin(eps / 2)))
    return R**2 / diffusivity(D) * (0.25 * (1 - np.abs(z) ** 2) + harmonic)


def disk_arc_mean(eps: float, R: float = 1.0, D=1.0):
    """⟨T⟩ = (R²/D) [⅛ − ln sin ½ε]: `disk_arc` averaged over the disk; from the centre it is ¼ in place of ⅛.

    Args:
        eps: half-angle ε of the exit arc, in (0, π] [rad].
        R: radius, > 0 [length].
        D: diffusivity, > 0 [length²/time].

    Returns:
        Mean time to leave [time].

    Raises:
        ValueError: eps, R or D out of range.

    Source: C. Caginalp, X. Chen, Arch. Ration. Mech. Anal. 203 (2012) 329, doi:10.1007/s00205-011-0455-6.
    """
    R = number("R", R, above=0.0, why="a disk has a radius")
    return R**2 / diffusivity(D) * (0.125 - math.log(math.sin(_angle(eps) / 2)))


def _angle(eps) -> float:
    eps = number("eps", eps, above=0.0, why="a wall without an exit keeps the particle for ever")
    if eps > math.pi:
        refuse("eps", eps, "a half-angle ≤ π", "at π the whole wall is the exit", "Pass radians.")
    return eps
