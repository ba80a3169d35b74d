"""What is refused of a Jump before anything is compiled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.equation import grid_of

WHOLE = {tf.float32: 2.0**24, tf.float64: 2.0**53}  # whole numbers up to here are exact


def check_hops(law):
    """Refuse hops that are not one operator with rates between cells, or None, for each species, on one grid."""
    if law.hops is None:
        return
    shown, way_out = law.hops, "Pass hops=(Diffusion(grid, boundary, D), …), None for a species that stays."
    if not isinstance(law.hops, tuple) or len(law.hops) != len(law.species):
        expected = f"a tuple of {len(law.species)}, for {', '.join(law.species)}"
        _checks.refuse("hops", shown, expected, "each species hops in its own way", way_out, TypeError)
    grids = [grid_of(op) for op in law.hops if op is not None]
    if not grids or None in grids:
        expected, why = "operators Diffusion(…) on a grid, at least one", "molecules hop at its rates from cell to cell"
        _checks.refuse("hops", shown, expected, why, way_out, TypeError)
    if any(grid != grids[0] for grid in grids):
        _checks.refuse("hops", shown, "operators on one grid", "those that react are in one cell", way_out)
    if any(getattr(getattr(op, "D", None), "cross", None) is not None for op in law.hops):
        why, way_out = "an off-diagonal D is no rate of hops to the next cells", "Let D be one number for each axis."
        _checks.refuse("hops", shown, "diffusivities along the axes", why, way_out)


def check_state(law, y):
    """Refuse states that hold no numbers of molecules, and propensities that are no rates there."""
    leaves, S = _nest.flatten(y), len(law.species)
    if law.hops is None:
        if len(leaves) != 1 or leaves[0].shape.rank == 0 or leaves[0].shape[-1] != S:
            shown = _checks.Verbatim(", ".join(str(tuple(a.shape)) for a in leaves))
            expected = f"one tensor (…, {S}), for {', '.join(law.species)}"
            _checks.refuse("y0", shown, expected, "its last axis counts the species", "Stack species last.")
    else:
        if len(leaves) != S or len({tuple(a.shape) for a in leaves}) > 1:
            shown = _checks.Verbatim(", ".join(str(tuple(a.shape)) for a in leaves))
            expected = f"{S} tensors of one shape, for {', '.join(law.species)}"
            _checks.refuse("y0", shown, expected, "each species has its numbers in each cell", "Pass a tuple.")
        law.grid.check("y0", leaves[0].shape)
    for leaf in leaves:
        _check_whole(leaf)
    if law.checked:
        _check_rates(law, law.split(y))


def _check_whole(leaf):
    if leaf.dtype not in WHOLE:
        why = "numbers of molecules are real"
        _checks.refuse("y0", leaf, "float32 or float64", why, "Cast it.", TypeError)
    if tf.is_symbolic_tensor(leaf):
        return
    value, most = np.asarray(leaf), WHOLE[leaf.dtype]
    for bad, why, way_out in (
        (value < 0, "there cannot be fewer molecules than none", "Check the sign."),
        (value != np.round(value), "molecules come one by one", "Round it, or use rate_equation() or langevin()."),
        (value >= most, f"whole numbers in {leaf.dtype.name} are exact up to there", "Use float64, or langevin()."),
    ):
        if bad.any():
            shown = _checks.Verbatim(f"{value[tuple(np.argwhere(bad)[0])]:.8g} among the numbers")
            _checks.refuse("y0", shown, f"whole numbers 0 ≤ n < {most:.8g}", why, way_out)


def _check_rates(law, n):
    """Refuse what returns another shape, what is negative or not finite, and a use of time that has no bound."""
    R, stacked = len(law.stoichiometry), tf.stack(n, axis=-1)
    spec, time = tf.TensorSpec(stacked.shape, stacked.dtype), tf.TensorSpec(n[0].shape, stacked.dtype)
    try:
        traced = tf.function(law.propensities, autograph=False).get_concrete_function(time, spec)
    except (TypeError, ValueError, NotImplementedError, tf.errors.OperatorNotAllowedInGraphError) as error:
        reason = str(error).strip().splitlines()[0][:160].rstrip(".")
        expected = "a function a(t, n) of TensorFlow operations"
        why, way_out = f"it is compiled into the loop ({reason})", "Use tf.stack([…], axis=-1)."
        _checks.refuse("propensities", law.propensities, expected, why, way_out, TypeError)
    out = traced.structured_outputs
    wanted = (*n[0].shape, R)
    if getattr(out, "shape", None) is None or tuple(out.shape) != wanted or out.dtype != stacked.dtype:
        shown = _checks.Verbatim(f"values of {getattr(out, 'shape', out)} {getattr(out, 'dtype', '')}")
        why = "each reaction has its rate"
        way_out = "Return tf.stack([…], axis=-1), one entry for each row of the stoichiometry."
        if law.elementary:
            why, way_out = "each trajectory or cell has its rate", "Let constants broadcast over the state."
        _checks.refuse("propensities", shown, f"{wanted} {stacked.dtype.name}", why, way_out)
    if not law.timed and any(op.type != "Identity" for op in traced.inputs[0].consumers()):
        why = "the waiting time for the next event follows from rates that stay as they are until then"
        way_out = "Pass bound=lambda n: … ≥ Σ a(t, n) at all times t."
        _checks.refuse("bound", None, "a bound of propensities that depend on time", why, way_out)
    if law.timed:
        _check_bound(law, n)
    elif not tf.is_symbolic_tensor(stacked):
        refuse_negative(law, np.asarray(law.propensities(tf.zeros_like(n[0]), stacked)), np.asarray(stacked))


def _check_bound(law, n):
    """Refuse a bound that is not one number for each trajectory or cell."""
    specs = [tf.TensorSpec(a.shape, a.dtype) for a in n]
    most = tf.function(lambda *n: law.most(list(n)), autograph=False).get_concrete_function(*specs).structured_outputs
    if tuple(getattr(most, "shape", ())) != tuple(n[0].shape) or getattr(most, "dtype", None) != n[0].dtype:
        shown = _checks.Verbatim(f"values of {getattr(most, 'shape', most)} {getattr(most, 'dtype', '')}")
        why = "candidates come at its rate in each trajectory, and on a grid in each cell"
        way_out = "Let it add the largest rates of all reactions: lambda n: 10.0 + n[..., 0], say."
        _checks.refuse("bound", shown, f"{tuple(n[0].shape)} {n[0].dtype.name}", why, way_out)


def refuse_negative(law, a, n, kind=ValueError):
    """Refuse propensities that are negative or not finite, naming one and where."""
    bad = ~(np.isfinite(a) & (a >= 0))
    if bad.any():
        *where, r = np.argwhere(bad)[0]
        raise kind(complaint(law, int(r), a[(*where, r)], n[tuple(where)]))


def complaint(law, r, value, n, t=None) -> str:
    """The message for a rate that is none, at time t unless before the start."""
    return _checks.message(
        f"propensities[{r}]",
        _checks.Verbatim(f"{value:g} for the reaction ({_change(law, r)}) at {_numbers(law, n, t)}"),
        "a finite rate ≥ 0",
        "a reaction cannot fire fewer times than never",
        "Bound it from below, e.g. by tf.nn.relu, and look for the sign that let it fall.",
    )


def lacking(law, r, n, t) -> str:
    """The message for a reaction that fired with too few molecules."""
    return _checks.message(
        f"propensities[{r}]",
        _checks.Verbatim(f"a positive rate for the reaction ({_change(law, r)}) at {_numbers(law, n, t)}"),
        "zero where there are too few molecules",
        "a reaction cannot consume what is not there",
        "Let the rate vanish there, as mass action does: n[..., 0] in place of a constant, say.",
    )


def crowded(law, s, value) -> str:
    """The message for numbers that floats cannot count."""
    return _checks.message(
        "n",
        _checks.Verbatim(f"{value:.8g} of {law.species[s]}"),
        "fewer than 2²⁴ in float32, 2⁵³ in float64",
        "beyond that one molecule more makes no difference",
        "Use float64, langevin() or rate_equation().",
    )


def _change(law, r):
    return ", ".join(f"{v:+d} {s}" for v, s in zip(law.stoichiometry[r], law.species, strict=True) if v)


def _numbers(law, n, t):
    numbers = ", ".join(f"{s} = {v:g}" for s, v in zip(law.species, n, strict=True))
    return numbers if t is None else f"{numbers}, t = {t:g}"


def unbounded(law, n, t) -> str:
    """The message for rates above their bound."""
    return _checks.message(
        "bound",
        _checks.Verbatim(f"less than Σ a(t, n) at {_numbers(law, n, t)}"),
        "at least Σ a(t, n) at all times",
        "events are thinned out of candidates that come at the rate of the bound",
        "Raise it, or `most` of a Varying constant; the maximum over time of each rate, summed, will do.",
    )
