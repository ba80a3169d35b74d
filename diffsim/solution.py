"""What `solve` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from diffsim import names as _names
from diffsim.names import Named


class Status(Enum):
    """How a run ended; the value is the message."""

    DONE = "The final time was reached."
    STEADY = "The state became steady."
    STOPPED = "The stop condition was met."
    WALL_CLOCK = "The wall-clock limit was reached. Continue with resume(), or from solution.final."
    INTERRUPTED = "The run was interrupted. Continue with resume(), or from solution.final."
    MAX_STEPS = "The limit max_steps was reached before the final time. Raise it, or loosen the tolerance."
    SMALL_STEP = (
        "The step size fell below its least value. The problem may be too stiff for this stepper (try TRBDF2 or "
        "ETDRK2), singular at this time, or the tolerance below rounding."
    )
    NON_FINITE = (
        "The state became non-finite. The step may be too large, or the solution may blow up. The last finite state "
        "is solution.final."
    )

    @property
    def failed(self) -> bool:
        """Whether solve(throw=True) raises."""
        return self in (Status.NON_FINITE, Status.SMALL_STEP, Status.MAX_STEPS)


@dataclass(frozen=True)
class Solution:
    """The result of a run; solution["u"] are the records of the tensor, or of the column, that is called u.

    Attributes:
        t: times of the records, (m,), float64.
        y: records, a nest with leading axis m; read lazily where they went to a file.
        final: the last state.
        t_final: its time.
        steps: accepted steps.
        rejected: rejected steps.
        status: how the run ended.
        info: which stepper ran and why, step sizes, wall time and compile time.
        fate: what walls did to particles: which are alive, when and where others were lost, and images; None without.
        seen: what observers have measured, laid out as they were given to Observed; None without.
        names: what the tensors of y are called, in their order.
    """

    t: np.ndarray
    y: Any
    final: Any
    t_final: float
    steps: int
    rejected: int
    status: Status
    info: dict = field(default_factory=dict)
    fate: Any = None
    seen: Any = None
    names: tuple[Named, ...] = ()

    def __getitem__(self, name: str):
        """The records of one part, by its name.

        Raises:
            KeyError: nothing has that name.
        """
        return _names.find(self.names, self.y, name)

    def __repr__(self):
        return (
            f"Solution(t={self.t_final:g}, steps={self.steps}, rejected={self.rejected}, records={len(self.t)}, "
            f"status={self.status.name}, stepper={self.info.get('stepper')})"
        )
