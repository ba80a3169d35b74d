"""Laws of particles as laws of their density: Fokker–Planck and backward equations, and what follows from them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim._checks import Verbatim, refuse
from diffsim.boundary import Flux
from diffsim.equation import Equation
from diffsim.models._motion import Motion
from diffsim.operators.hopping import Hopping

MOST = 60  # solutions in search of the state at rest


def fokker_planck(law, grid, boundary, t: float | None = None) -> Equation:
    """∂ₜp = −∇·J, Jᵢ = fᵢp − ∂ᵢ(Dᵢp) for an Itô law dX = f dt + g dW, Dᵢ = gᵢ²/2: the density of its particles.

    For Stratonovich and isothermal laws J is what their calculus makes of it: fᵢp − gᵢ∂ᵢ(gᵢp)/2 and fᵢp − Dᵢ∂ᵢp. The
    state is p at the cells, (…, *grid). It stays positive; in a closed box its sum stays, and e^{−V/kT} is at rest to
    rounding. Errors are of second order in Δx, of first along axes without noise (x of an underdamped particle).

    Args:
        law: an Equation of one particle, or a model: Overdamped, OrnsteinUhlenbeck, GeometricBrownian, ….
        grid: a Grid; its axes are the coordinates, or the parts of a pair (x, v).
        boundary: Neumann() reflects, drift and all; Dirichlet() absorbs; Robin(κ) reacts, J = κp; Periodic();
            Flux(inflow) lets particles in.
        t: the time at which the law is taken, if it depends on it.

    Returns:
        Equation, with a linear part only.

    Raises:
        TypeError, ValueError: a law that is not that of one particle, or noise that ties its coordinates.

    References:
        Risken (1996), doi:10.1007/978-3-642-61544-3; Scharfetter & Gummel (1969), doi:10.1109/T-ED.1969.16566; Chang &
        Cooper (1970), doi:10.1016/0021-9991(70)90001-X.
    """
    return Equation(linear=_forward(law, grid, boundary, t), names="p")


def backward(law, grid, boundary, t: float | None = None) -> Equation:
    """∂ₜu = fᵢ∂ᵢu + Dᵢ∂ᵢ²u: u(t, x) = E φ(X(t)), X from x, if u was φ at the beginning and no wall absorbs.

    With Dirichlet() walls and φ = 1 it is the probability to survive until t; a value of the wall counts those that
    were absorbed there.

    Args:
        law: as of `fokker_planck`.
        grid: a Grid.
        boundary: Neumann(), Dirichlet(value), Robin(κ, value) or Periodic().
        t: as of `fokker_planck`.

    Returns:
        Equation; its operator is the transpose of the forward one.

    Raises:
        TypeError, ValueError: as `fokker_planck`.
    """
    return Equation(linear=_forward(law, grid, boundary, t).adjoint(), names="u")


def first_passage_time(law, grid, boundary, t: float | None = None):
    """T(x), the mean time until a particle from x is absorbed: fᵢ∂ᵢT + Dᵢ∂ᵢ²T = −1.

    Args:
        law: as of `fokker_planck`.
        grid: a Grid.
        boundary: at least one wall with Dirichlet() or Robin(κ).
        t: as of `fokker_planck`.

    Returns:
        Tensor like the grid, float64 [time].

    Raises:
        TypeError, ValueError: as `fokker_planck`, or nothing absorbs.
    """
    op = _absorbing(law, grid, boundary, t)
    return op.green(tf.ones(grid.shape, tf.float64))


def splitting_probability(law, grid, boundary, t: float | None = None):
    """π(x), the mean value of the wall at which a particle from x is absorbed: fᵢ∂ᵢπ + Dᵢ∂ᵢ²π = 0.

    With Dirichlet(1.0) at one wall and Dirichlet() at the others, the probability to end at the one.

    Args:
        law: as of `fokker_planck`.
        grid: a Grid.
        boundary: walls with values, numbers or arrays over the face.
        t: as of `fokker_planck`.

    Returns:
        Tensor like the grid, float64.

    Raises:
        TypeError, ValueError: as `fokker_planck`, or nothing absorbs.
    """
    op = _absorbing(law, grid, boundary, t)
    zero = tf.zeros(grid.shape, tf.float64)
    source = op.source(0.0, zero)
    return zero if source is None else op.green(source)


def stationary(law, grid, boundary, t: float | None = None):
    """The density at rest, ∇·J = 0 and ∫p dV = 1, of particles in a closed or periodic box.

    Args:
        law: as of `fokker_planck`.
        grid: a Grid.
        boundary: Neumann() or Periodic().
        t: as of `fokker_planck`.

    Returns:
        Tensor like the grid, float64 [1 / volume].

    Raises:
        TypeError, ValueError: as `fokker_planck`, or walls that let particles out.
    """
    op = _forward(law, grid, boundary, t)
    if _leaks(op) or any(isinstance(c, Flux) for pair in op.boundary for c in pair):
        refuse("boundary", boundary, "Neumann() or Periodic()", "particles leave or enter, and their number changes",
               "Use ds.steady(fokker_planck(…), p0) for a flow through open walls.")
    gamma, p = tf.constant(1e12 / op.radius(), tf.float64), tf.ones(grid.shape, tf.float64)
    for _ in range(MOST):  # inverse iteration
        new = op.resolvent(gamma, p)
        new = new / grid.integrate(new)
        done = float(tf.reduce_max(tf.abs(new - p))) <= 1e-14 * float(tf.reduce_max(new))
        p = new
        if done:
            break
    return p


def _forward(law, grid, boundary, t) -> Hopping:
    law = law.law if isinstance(law, Motion) else law
    _checks.instance("law", law, Equation, why="its particles have a density",
                     way_out="Pass an Equation, or a model such as ds.models.Overdamped(…).")
    return law.generator(grid, boundary, t)


def _absorbing(law, grid, boundary, t) -> Hopping:
    op = _forward(law, grid, boundary, t)
    if not _leaks(op):
        refuse("boundary", Verbatim("walls of which none absorbs"), "a wall with Dirichlet() or Robin(κ)",
               "a particle that is never absorbed needs forever", "Let a wall absorb.")
    return op.adjoint()


def _leaks(op) -> bool:
    """Whether probability is lost: ones are not at rest backwards."""
    ones = tf.ones(op.grid.shape, tf.float64)
    return bool(np.any(np.abs(op.adjoint().apply(ones)) > 1e-12 * op.radius()))
