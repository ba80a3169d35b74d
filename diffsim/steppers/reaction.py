"""Steps beyond what explicit methods bear of a reaction, found before anything is compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.equation import Equation

LARGEST = 2**22  # numbers in a state that is looked at: its gradients take as much memory again
CELLS = 4096  # of them, evenly spread


class Beyond(NamedTuple):
    """How fast the reaction pulls back, and in which part of the cells too fast for the step."""

    rate: float
    share: float


def check_reaction(stepper, law: Equation, t: float, h: float, y) -> None:
    """Refuse a step h with which a perturbation of the reaction grows, where exactly it would decay.

    It does if h Re λ < −reach for an eigenvalue λ of the Jacobian of the rates in a cell. Only steps that are certainly
    too long are refused: what is looked at are laws whose rates act where they are, and the cell must be beyond the
    limit at y and also after a step of the reaction alone, since reactions may leave stiff states at once. Where
    diffusion is implicit or exact it can hold single cells, so that all of them must be beyond, and diffusion must
    leave uniform states alone.

    Raises:
        ValueError: such a step.
    """
    reach = stepper.reach or stepper.drift_reach
    if reach is None or not isinstance(law, Equation) or law.drift is None or not law.local:
        return
    if not tf.executing_eagerly():
        return
    leaves = _nest.flatten(y)
    if any(a.dtype.is_complex or a.shape != leaves[0].shape for a in leaves) or _size(leaves) > LARGEST:
        return
    found = _beyond(law, t, h, y, reach)
    if found is None or (stepper.reach is None and (found.share < 1 or not _keeps_uniform(law.linear, y))):
        return
    limit, name = reach / found.rate, type(stepper).__name__
    _checks.refuse(
        "dt",
        h,
        f"dt ≤ {limit:.4g}",
        f"the reaction pulls back at a rate of {found.rate:.4g}, in {found.share:.0%} of the cells at the start and "
        f"still after one step, and {name} overshoots more at every step where dt·rate > {reach:.4g}",
        f"Use dt={0.9 * limit:.2g}, dt=PID(…) with a stepper that adapts, or TRBDF2(), which treats reactions "
        "implicitly.",
    )


def _beyond(law, t, h, y, reach):
    """The fastest decay among cells that are beyond the limit now and after a step, if there are any."""
    numbers, structure = _tree.flatten(law.drift)  # in the precision of the state
    drift = _tree.unflatten(structure, _tree.as_tensors(numbers, _nest.real_dtype(y)))
    rates, now = _decay(drift, t, h, y)
    _, later = _decay(drift, t + h, h, _nest.axpy(_nest.to(h, _nest.real_dtype(y)), rates, y))
    both = np.minimum(now, np.where(np.isfinite(later), later, np.inf))
    too_fast = both * abs(h) > reach * (1 + 1e-6)
    return Beyond(float(both[too_fast].max()), float(too_fast.mean())) if too_fast.any() else None


def _decay(drift, t, h, y):
    """The rates, and in each of the cells looked at the largest −Re λ of their Jacobian in the direction of time."""
    leaves = _nest.flatten(y)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(leaves)
        rates = drift(_nest.to(t, leaves[0].dtype.real_dtype), y)
        sums = [tf.reduce_sum(f) for f in _nest.flatten(rates)]
    columns = [tape.gradient(f, leaves, unconnected_gradients=tf.UnconnectedGradients.ZERO) for f in sums]
    pick = np.unique(np.linspace(0, leaves[0].shape.num_elements() - 1, CELLS).astype(int))
    J = np.stack([np.stack([a.numpy().ravel()[pick] for a in row], -1) for row in columns], -2).astype(np.float64)
    good = np.isfinite(J).all((-2, -1))
    decay = np.full(len(pick), np.inf)  # what is not finite has left already
    decay[good] = (-np.sign(h) * np.linalg.eigvals(J[good]).real).max(-1)
    return rates, decay


def _keeps_uniform(linear, y) -> bool:
    """Whether the linear part leaves uniform states as they are: diffusion between closed or periodic walls."""
    if linear is None:
        return True
    moved = linear.apply(_nest.map(tf.ones_like, y))
    return all(float(tf.reduce_max(tf.abs(a))) <= 1e-5 * linear.radius() for a in _nest.flatten(moved))


def _size(leaves) -> int:
    return sum(a.shape.num_elements() for a in leaves)
