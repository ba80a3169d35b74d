"""The verification matrix: observed orders of convergence by boundary, stepper and precision, on this machine.

In space: u_t = D u_xx + s with the exact solution U = 1 + ½cos(2πx − 2t) under every kind of wall; the error falls
as Δx².
In time: the same walls with a reaction, forced so that the grid values of U solve the semi-discrete equations
exactly; so
all of the error is the stepper's, and falls at its order. Errors that have reached rounding prove no order, only the
limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.boundary import Boundary, Condition, Dirichlet, Flux, Neumann, Periodic, Robin
from diffsim.equation import Equation
from diffsim.grid import Grid
from diffsim.operators.base import Operator
from diffsim.operators.stencil import Diffusion
from diffsim.solve import solve
from diffsim.steppers.base import Stepper
from diffsim.steppers.explicit import RK4, Euler, Heun, Tsit5
from diffsim.steppers.exponential import ETD1, ETDRK2, ETDRK4
from diffsim.steppers.implicit import IMEX, TRBDF2, CrankNicolson, ImplicitEuler
from diffsim.steppers.multistep import ETDAB2
from diffsim.steppers.stabilised import RKL2

D, TRANSFER, END = 0.02, 0.5, 1.0
STEPPERS = (
    Euler(),
    Heun(),
    RK4(),
    Tsit5(),
    RKL2(stages=5),
    ImplicitEuler(),
    CrankNicolson(),
    TRBDF2(),
    IMEX(),
    ETD1(),
    ETDAB2(),
    ETDRK2(),
    ETDRK4(),
)


def exact(t, x):
    """U = 1 + ½cos(2πx − 2t)."""
    return 1 + 0.5 * tf.cos(2 * math.pi * x - 2 * t)


def outward(t, x):
    """∂U/∂n at the walls x = 0 and x = 1."""
    return tf.sign(x - 0.5) * -math.pi * tf.sin(2 * math.pi * x - 2 * t)


def inflow(t, x):
    """D ∂U/∂n."""
    return D * outward(t, x)


def ambient(t, x):
    """U + (D/h) ∂U/∂n."""
    return exact(t, x) + (D / TRANSFER) * outward(t, x)


WALLS: dict[str, Condition | tuple[Condition, Condition]] = {
    "Periodic": Periodic(),
    "Dirichlet": Dirichlet(exact),
    "Neumann": Neumann(outward),
    "Flux": Flux(inflow),
    "Robin": Robin(TRANSFER, ambient),
    "Dirichlet, Robin": (Dirichlet(exact), Robin(TRANSFER, ambient)),
}


class Row(NamedTuple):
    """One entry of the matrix."""

    axis: str  # "space" or "time"
    boundary: str
    stepper: str
    precision: str
    expected: float
    observed: float  # NaN where rounding hides the order
    error: float  # of the finest run, max |u − U|
    holds: bool


@dataclass(frozen=True)
class Forced:
    """The drift that makes U exact: of the differential equation, or, with a reaction, of the equations on the grid."""

    x: np.ndarray
    op: Operator

    def in_space(self, t, u):
        """U_t − D U_xx."""
        x, phase = _nest.to(self.x, u.dtype), 2 * math.pi * _nest.to(self.x, u.dtype) - 2 * t
        return tf.sin(phase) + 0.5 * D * (2 * math.pi) ** 2 * (exact(t, x) - 1) / 0.5

    def in_time(self, t, u):
        """u − u³ + [U_t − (A U + b) − U + U³]."""
        x = _nest.to(self.x, u.dtype)
        U = exact(t, x)
        return u - u**3 + tf.sin(2 * math.pi * x - 2 * t) - self.op(t, U) - U + U**3


def run(fast: bool = True, progress: bool | None = None) -> list[Row]:
    """The matrix: every boundary in space, every stepper in time, in both precisions.

    Args:
        fast: steppers meet one mixed pair of walls in time; False crosses every stepper with every boundary.
        progress: show a bar; None shows it on a terminal.

    Returns:
        One Row for each entry; `holds` says whether the observed order is the expected one.
    """
    from tqdm import tqdm  # imported only where a bar may be shown

    chosen = ["Dirichlet, Robin"] if fast else list(WALLS)
    total = 2 * (len(WALLS) + len(STEPPERS) * len(chosen))
    hidden = None if progress is None else not progress
    return list(tqdm(_rows(chosen), total=total, disable=hidden, unit=" orders", leave=False))


def _rows(chosen) -> Iterator[Row]:
    for dtype in (tf.float64, tf.float32):
        for boundary in WALLS:
            yield in_space(boundary, dtype)
        for boundary in chosen:
            for stepper in STEPPERS:
                yield in_time(boundary, stepper, dtype)


def in_space(boundary: str, dtype=tf.float64) -> Row:
    """Order in Δx under one of `WALLS`, with time steps too short to matter."""
    counts, errors = (32, 64), []
    for n in counts:
        op, x = _operator(n, boundary)
        law = Equation(linear=op, drift=Forced(x, op).in_space)
        errors.append(_error(law, RK4(), 2 * n, x, dtype))
    return _judged("space", boundary, RK4(), dtype, 2, counts, errors)


def in_time(boundary: str, stepper: Stepper, dtype=tf.float64) -> Row:
    """Order in Δt of one stepper under one of `WALLS`."""
    op, x = _operator(10, boundary)
    law = Equation(linear=op, drift=Forced(x, op).in_time)
    single = dtype == tf.float32
    coarse = {1: 40, 2: 20 if single else 40, 4: 10 if single else 20, 5: 6 if single else 16}[stepper.order]
    counts = (coarse, 2 * coarse)
    errors = [_error(law, stepper, n, x, dtype) for n in counts]
    return _judged("time", boundary, stepper, dtype, stepper.order, counts, errors)


def _operator(n, boundary):
    grid = Grid(n, 1.0)
    return Diffusion(grid, Boundary(x=WALLS[boundary]), D), grid.coordinates()[0]


def _error(law, stepper, steps, x, dtype):
    start = tf.cast(exact(tf.constant(0.0, tf.float64), x), dtype)
    end = solve(law, start, (0.0, END), stepper=stepper, dt=END / steps, progress=False).final
    return float(tf.reduce_max(tf.abs(tf.cast(end, tf.float64) - exact(tf.constant(END, tf.float64), x))))


def _judged(axis, boundary, stepper, dtype, expected, counts, errors) -> Row:
    rounding = 200 * np.finfo(dtype.as_numpy_dtype).eps
    name = (axis, boundary, type(stepper).__name__, dtype.name, float(expected))
    if errors[-1] < rounding:
        return Row(*name, math.nan, errors[-1], True)
    observed = math.log(errors[0] / errors[-1]) / math.log(counts[-1] / counts[0])
    higher = 1.0 if expected == 5 else 0.25  # the fifth-order term of Tsit5 is small, so that the sixth shows
    return Row(*name, observed, errors[-1], -0.25 < observed - expected < higher)


def report(rows: list[Row]) -> str:
    """The matrix as text: one line for each entry, and how many hold."""
    _checks.instance("rows", rows, (list, tuple), why="it is a table", way_out="Pass what run() returned.")
    lines = [f"{'':6}{'boundary':18}{'stepper':15}{'precision':11}{'expected':>9}{'observed':>10}{'error':>10}"]
    for r in rows:
        observed = "rounding" if math.isnan(r.observed) else f"{r.observed:.2f}"
        lines.append(
            f"{r.axis:6}{r.boundary:18}{r.stepper:15}{r.precision:11}{r.expected:9.0f}{observed:>10}{r.error:10.1e}"
            + ("" if r.holds else "   FAILS")
        )
    good = sum(r.holds for r in rows)
    return "\n".join([*lines, f"{good} of {len(rows)} hold."])
