"""Which stepper suits a law, from its structure; the reason goes into solution.info."""

from __future__ import annotations

from diffsim import _tree
from diffsim.equation import Equation, Slot
from diffsim.law import Law
from diffsim.operators.nested import PerLeaf
from diffsim.steppers.explicit import Heun, Tsit5
from diffsim.steppers.exponential import ETD1, ETDRK2
from diffsim.steppers.hops import SplitHops
from diffsim.steppers.implicit import TRBDF2
from diffsim.steppers.langevin import BAOAB
from diffsim.steppers.ssa import SSA
from diffsim.steppers.stabilised import RKL2
from diffsim.steppers.stochastic import EulerMaruyama

CHEAP_STAGES = 60  # beyond this many explicit evaluations per step a linear solve is cheaper


def stepper_for(law: Equation, h: float | None):
    """(stepper, why) for a law whose `linear` is one operator; h is the step, None if it will be adapted."""
    if isinstance(law, Law):
        return law.chosen(h)
    used = law.slots()
    if Slot.HOPS in used and h is not None:
        return SplitHops(), "steps are given, within which hops and reactions take turns"
    if Slot.JUMPS in used:
        return SSA(), "every event is simulated at its time"
    diagonal = law.linear is not None and law.linear.diagonalises
    if Slot.DIFFUSION in used:
        if _underdamped(law):
            return BAOAB(), "friction and noise act on velocities, and are integrated exactly between kicks and moves"
        if diagonal and law.noise.gaussian and law.growth is not None:
            if law.noise.variance is not None:
                return ETD1(), "the noise is additive and the linear part diagonalises, so both are integrated exactly"
            if law.linear.diagonal().orthogonal:
                return ETD1(), "the linear part diagonalises and is exact, and so is additive noise that has its modes"
        if h is None and law.noise.refinable:
            return Heun(), "the noise keeps its path, on which Heun's method estimates its error"
        return EulerMaruyama(), "the law has noise"
    if law.linear is None:
        if hasattr(law.drift, "radius_at"):
            return RKL2(), "D(u) moves the stability limit along with the state, and the number of stages follows it"
        if hasattr(law.drift, "radius"):
            return RKL2(), "the drift diffuses and knows its stability limit, which sets the number of stages"
        return Tsit5(), "there is no linear part, so nothing is known to be stiff"
    if diagonal and law.drift is None and _steady_walls(law.linear):
        return ETD1(), "the law is linear with constant walls and diagonalises: every step is exact"
    if diagonal and h is None and not _steady_walls(law.linear):
        return TRBDF2(), "walls move, which exponential steppers resolve to low order, and steps are adapted to errors"
    if diagonal:
        return ETDRK2(), "the linear part diagonalises and is integrated exactly"
    if getattr(law.linear, "rotates", False):
        return Tsit5(), "species chase each other, which stabilised stages do not allow for"
    if h is not None and 2 * (abs(h) * law.linear.radius()) < CHEAP_STAGES**2:
        return RKL2(), "the linear part does not diagonalise and the step needs few stabilised stages"
    return TRBDF2(), "the linear part is stiff and does not diagonalise"


def _underdamped(law) -> bool:
    """Whether the law is one of a pair (x, v), friction and constant noise acting on v alone."""
    pair = isinstance(law.linear, PerLeaf) and len(law.linear.ops) == 2 and law.linear.ops[0] is None
    rests = isinstance(law.diffusion, tuple) and isinstance(law.diffusion[0], (int, float)) and law.diffusion[0] == 0
    return pair and rests and law.drift is not None and law.noise.gaussian


def _steady_walls(op) -> bool:
    """Whether no wall of the operator has a value that depends on time."""
    pairs = getattr(op, "boundary", ())
    own = all(not callable(c.given) or _tree.is_number(c.given) for pair in pairs for c in pair if not _endless(c))
    parts = getattr(op, "ops", None) or getattr(op, "of", None)
    parts = parts if isinstance(parts, tuple) else (parts,)
    return own and all(_steady_walls(p) for p in parts if p is not None)


def _endless(condition) -> bool:
    from diffsim.boundary import Periodic

    return isinstance(condition, Periodic)


def is_exact(stepper, law) -> bool:
    """Whether `stepper` takes steps of any length without error for this law."""
    if stepper.strides:
        return True
    return isinstance(stepper, ETD1) and law.drift is None and law.linear is not None and _steady_walls(law.linear)
