"""Steady states: 0 = A y + b + f(y)."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim._checks import SolveError
from diffsim._compiled import Compiled
from diffsim.downhill import growing
from diffsim.equation import Equation, Slot, grid_of
from diffsim.intake import as_state
from diffsim.solution import Solution, Status
from diffsim.steppers.implicit import ImplicitEuler, solve_stage

MOST_STEPS = 400
MOST_KICKS = 5  # unstable states passed on the way
TOLERANCE = 0.02  # error of a step relative to the state: near enough to the flow to end where it ends


def steady(
    law: Equation, y0, *, rtol: float | None = None, t: float = 0.0, jit: bool = True, throw: bool = True
) -> Solution:
    """The state at which nothing changes, by implicit Euler steps that grow without bound.

    y_{k+1} = y_k + γ_k·rate(y_{k+1}): with γ large each step is one Newton step towards rate = 0, and γ follows the
    fall of the rate (switched evolution relaxation). With a drift, steps follow the flow from y0 within 2 % until
    it comes to rest, and a state from which disturbances grow is left on the side on which y0 lay. Linear laws need
    two or three steps, whatever y0 is. Where the amount of a species cannot leave (∫rate dV does not depend on y,
    as between walls without exchange), the steady state keeps that of y0 to rounding, and sources must balance.

    Args:
        law: linear part and drift; no noise.
        y0: where to start; where there are several steady states, that one is found to which the flow from y0 leads.
        rtol: stop when the root mean square rate has fallen by this factor of the scale ρ·|y| + |b| [1]; 1e-12 in
            float64 and 1e-5 in float32 if not given. Sources in a closed system must balance to this factor, too.
        t: time at which wall values and drift are taken.
        jit: compile with XLA.
        throw: raise SolveError if no steady state was found.

    Returns:
        Solution; `final` is the state, `info["residual"]` its root mean square rate.

    Raises:
        SolveError: the rate stopped falling, or sources in a closed system do not balance: there is no steady state.

    References:
        Mulder & van Leer (1985), doi:10.1016/0021-9991(85)90148-2; Kelley & Keyes (1998),
        doi:10.1137/S0036142996304796.
    """
    _checks.instance("law", law, Equation, why="a steady state is one of a law", way_out="Build an Equation(…).")
    if Slot.DIFFUSION in law.slots() or Slot.ORDER in law.slots():
        _checks.refuse(
            "law",
            _checks.Verbatim("noise or a fractional order"),
            "linear part and drift only",
            "a state at rest is sought",
            "Use solve, and average.",
        )
    y = as_state(y0)
    real = _nest.real_dtype(y)
    eps = float(np.finfo(real.as_numpy_dtype).eps)
    rtol = (
        (1e-12 if real == tf.float64 else 1e-5)
        if rtol is None
        else _checks.number("rtol", rtol, least=eps, why=f"rounding in {real.name} keeps rates from zero")
    )
    bound = law.of_state(y)
    rho = bound.linear.radius() if bound.linear is not None else 0.0
    _, bound = ImplicitEuler().bind(bound, None)
    leaves, structure = _tree.flatten(bound)
    leaves = _tree.as_tensors(leaves, real)
    advance, size = _program(structure, jit, True), _program(structure, jit, False)
    t = tf.constant(_checks.number("t", t, why="it is a time"), tf.float64)

    def relax(v, gamma):
        return advance(leaves, v, t, tf.constant(gamma, real))

    def measure(v):
        return (float(a) for a in size(leaves, v, t, tf.constant(rho, real)))

    rate, scale = measure(y)
    gamma, began = _first(bound, rho, rate, y), rate
    keep = _Amounts(bound, y, t, rtol, lambda v: relax(v, gamma)[0])
    best, steps, stalls, widest, moved, largest = (rate, y), 0, 0, 0.0, np.inf, _norm(y)
    still, kicks, growth, unstable = True, 0, None, False

    def found(factor):  # small beside what it is made of, fallen from where it began, and the state does not run away
        small = best[0] <= factor * rtol * scale
        return small and (still or best[0] <= 1e-3 * began and moved <= 1e-3 * largest)

    while not keep.imbalance and steps < MOST_STEPS and stalls < 5:
        if found(1):
            growth = None if law.drift is None else growing(relax, measure, keep.restore, best[1], y)
            unstable = growth is not None
            if growth is None or growth.side == 0 or kicks == MOST_KICKS:
                break
            best, kicks, still = (next(measure(growth.kicked)), growth.kicked), kicks + 1, False
            gamma, began, widest, moved, unstable = growth.gamma, best[0], 0.0, np.inf, False
        new, error = relax(best[1], gamma)
        new, error, steps, still = keep.restore(new), float(error), steps + 1, False
        now, wide = measure(new)
        if not np.isfinite(now):
            gamma, stalls = gamma / 100, stalls + 1
            continue
        error /= max(largest, _norm(new), 1e-300)
        if law.drift is not None and error > TOLERANCE:  # the step left the flow
            gamma *= max(0.1, 0.9 * (TOLERANCE / error) ** 0.5)
            continue
        scale = max(scale, wide)
        stuck = gamma * rho > 1e8 or law.drift is None and now > best[0]
        stalls = stalls + 1 if now > 0.5 * best[0] and stuck else 0
        if gamma >= widest:
            moved, largest = _norm(_nest.sub(new, best[1])), max(largest, _norm(new))
        if law.drift is not None:
            moved, widest = _norm(_nest.sub(new, best[1])), gamma
            gamma *= min(100.0, 0.9 * (TOLERANCE / max(error, 1e-300)) ** 0.5)
            if growth is not None and _norm(_nest.sub(new, growth.rest)) < 0.1 * largest:
                gamma = min(gamma, growth.gamma)  # longer steps would lead back
            best = (now, new)
        elif now < best[0]:
            moved, widest = _norm(_nest.sub(new, best[1])), gamma
            gamma *= min(1e3, max(10.0, best[0] / max(now, 1e-300)))
            best = (now, new)
        else:
            gamma /= 10
    done = not keep.imbalance and not unstable and found(100)
    info = {"stepper": "steady", "residual": best[0], "scale": scale, "steps": steps}
    solution = Solution(
        np.array([np.inf]),
        _nest.map(lambda a: a[None], best[1]),
        best[1],
        float("inf"),
        steps,
        0,
        Status.STEADY if done else Status.MAX_STEPS,
        info,
    )
    if throw and keep.imbalance:
        raise SolveError(
            f"there is no steady state: the amount changes at the rate {keep.imbalance:.6g} whatever the state is, "
            "expected 0, because sources and inflow do not balance and nothing can leave. Balance them, or let "
            "something out (a Dirichlet or Robin wall, decay).",
            solution,
        )
    if throw and unstable:
        raise SolveError(
            f"the state is at rest, but not stable: a disturbance grows {growth.factor:.3g}-fold in a step of "
            f"{growth.gamma:.3g}, expected a stable state, because y0 lies on no side of it. Start beside it "
            "(y0 + a small disturbance): the state downhill from there is found.",
            solution,
        )
    if throw and not done:
        raise SolveError(
            f"no steady state was found: the rate fell to {best[0]:.3g}, "
            f"expected ≤ {min(100 * rtol * scale, 1e-3 * began):.3g} at a state that stays, "
            "because the state keeps moving, sources have nowhere to go, or the start is too far. Start nearer "
            "(y0=solve(…).final), or look at the path with solve(…).",
            solution,
        )
    return solution


def _norm(y) -> float:
    return float(_nest.dot(y, y)) ** 0.5


class _Amounts:
    """Amounts ∫u dV that no state can change: what they must not do, and how to keep them to rounding.

    Attributes:
        imbalance: the greatest rate of such an amount, 0.0 where they are at rest [amount / time].
    """

    def __init__(self, law, y, t, rtol, relax):
        law, eps = law.prepare(y), np.finfo(_nest.real_dtype(y).as_numpy_dtype).eps
        count = sum(leaf.shape.num_elements() for leaf in _nest.flatten(y))
        base = _nest.zeros(y) if law.drift is None else y
        size = _norm(base) / max(count, 1) ** 0.5 or 1.0
        flat = _nest.map(lambda a: tf.fill(a.shape, _nest.to(size, a.dtype)), y)
        rough = _nest.map(lambda a: _nest.to(size * _rough(a.shape), a.dtype), y)
        at = law.rate(t, base)

        def response(v):
            return law.linear.apply(v) if law.drift is None else _nest.sub(law.rate(t, _nest.add(base, v)), at)

        self.volumes, self.imbalance, level = [], 0.0, True
        rates = [_nest.flatten(r) for r in (at, response(flat), response(rough))]
        for volume, *leaf in zip(_volumes(law, y), *rates, strict=True):
            if volume is not None:
                (net, gross), *others = ((_sum(volume, r), _sum(volume, tf.abs(r))) for r in leaf)
                cancelled = 0.0 if law.drift is None else gross + (1e-2 * others[1][1] if eps < 1e-10 else 0.0)
                closed = all(np.all(np.abs(o) <= 100 * eps * (w + cancelled)) for o, w in others)
                volume = volume if closed else None
                if closed and np.any(np.abs(net) > max(100 * eps, rtol) * gross):
                    self.imbalance = float(np.real(net.flat[np.argmax(np.abs(net))]))
                level = level and _norm(leaf[1]) <= 100 * eps * _norm(leaf[2])
            self.volumes.append(volume)
        self.amounts = self._of(y)
        ones = _nest.pack(y, [tf.ones_like(a) for a in _nest.flatten(y)])
        if level or law.drift is not None or self.imbalance:
            self.direction = ones
        else:  # what relaxes to rest without sources: across a partition it is not level
            rest = relax(_nest.zeros(y))
            self.direction = _nest.sub(relax(_nest.sub(relax(ones), rest)), rest)

    def _of(self, y):
        leaves = _nest.flatten(y)
        return [None if v is None else _sum(v, a) for v, a in zip(self.volumes, leaves, strict=True)]

    def restore(self, y):
        """y with the amounts that it began with."""
        out = []
        for u, d, v, kept in zip(*map(_nest.flatten, (y, self.direction)), self.volumes, self.amounts, strict=True):
            if v is not None:
                missing = (kept - _sum(v, u)) / _sum(v, d)
                u = u + _nest.to(missing.reshape(missing.shape + (1,) * v.ndim), u.dtype) * d
            out.append(u)
        return _nest.pack(y, out)


def _rough(shape):
    """Numbers between 0.5 and 1.5 without order: multiples of the golden ratio, modulo 1."""
    return 0.5 + np.reshape(np.arange(np.prod(shape, dtype=int)) * 0.6180339887498949 % 1, shape)


def _sum(volume, u):
    """Σ V·u over the grid, at the highest precision."""
    return np.sum(np.asarray(u).astype(np.result_type(u.dtype.as_numpy_dtype, np.float64)) * volume,
                  axis=tuple(range(-volume.ndim, 0)))


def _volumes(law, y) -> list:
    """Volumes of the cells for each leaf; None where it has no grid."""
    ops = getattr(law.linear, "ops", (None,) * len(_nest.flatten(y)))
    grids = [grid_of(op) or getattr(law.drift, "grid", None) or grid_of(law.linear) for op in ops]
    return [None if g is None else np.broadcast_to(g.volume(), g.shape) for g in grids]


def _first(law, rho, rate, y):
    """γ to begin with: beyond the slowest diffusive time for linear laws, a short way along the flow for others."""
    if law.drift is None:
        grid = grid_of(law.linear)
        n = max(grid.shape) if grid is not None else 1
        return 1e6 * n**2 / max(rho, 1e-300)
    count = sum(leaf.shape.num_elements() for leaf in _nest.flatten(y))
    return 1e-2 * max(_norm(y), count**0.5) / count**0.5 / max(rate, 1e-300)


@functools.lru_cache(maxsize=32)
def _program(structure, jit: bool, step: bool):
    def relax(leaves, y, t, gamma):
        law = _tree.unflatten(structure, leaves).prepare(y)
        new = solve_stage(law, t, gamma, y, y)
        change = _nest.axpy(-gamma, law.rate(t, y), _nest.sub(new, y))  # γ (new rate − old rate): twice the error
        if law.linear is not None:
            change = law.linear.resolvent(gamma, change)
        return new, tf.sqrt(_nest.dot(change, change)) / 2

    def size(leaves, y, t, rho):
        law = _tree.unflatten(structure, leaves).prepare(y)
        rate = law.rate(t, y)
        still = law.rate(t, _nest.zeros(y))
        count = sum(leaf.shape.num_elements() for leaf in _nest.flatten(y))
        rms = [tf.sqrt(_nest.dot(v, v) / count) for v in (rate, y, still)]
        return rms[0], tf.maximum(rho, 1) * rms[1] + rms[2]

    return Compiled(structure, lambda: tf.function(relax if step else size, jit_compile=jit, autograph=False))
