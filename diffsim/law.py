"""What `solve` asks of a law of motion that is neither an Equation nor a Jump."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from diffsim.equation import Slot


class Law(ABC):
    """A law of motion with a stepper of its own."""

    linear: ClassVar = None  # it has none of an Equation's slots
    drift: ClassVar = None
    names: ClassVar = None  # or a tuple of Named, one for each tensor of the state

    @abstractmethod
    def slots(self) -> frozenset[Slot]:
        """What a stepper must honour."""

    @abstractmethod
    def of_state(self, y) -> Law:
        """This law, having refused states that do not fit."""

    @abstractmethod
    def over(self, key, n, t, h, y) -> Any:
        """The random numbers of step n, from t to t + h."""

    @abstractmethod
    def chosen(self, h: float | None):
        """(stepper, why) if none was asked for; h is the step, None if there is none."""

    def prepare(self, y) -> Law:
        """The law with all that does not change in a run computed once."""
        return self
