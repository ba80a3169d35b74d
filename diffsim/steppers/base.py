"""A stepper advances one step and knows nothing of loops, saving, files or progress."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from diffsim import _checks
from diffsim.equation import Equation, Slot
from diffsim.operators.rows import Burst


class Step(NamedTuple):
    """What one step returns."""

    y: Any
    error: Any  # an estimate of the local error, a state; None if the stepper has none
    memory: Any


class Stepper(ABC):
    """One step of a law.

    `takes` names the slots that it honours: others are refused, never ignored. `order` is its order of convergence.
    """

    takes: ClassVar[frozenset[Slot]]
    order: ClassVar[int]
    adaptive: ClassVar[bool] = False  # whether steps come with an error estimate
    calculus: ClassVar[type | None] = None  # in which laws are needed whose noise depends on the state; None: in any
    strides: ClassVar[bool] = False  # whether it divides a step of any length itself, so that no dt is needed
    reach: ClassVar[float | None] = None  # stable for h·ρ ≤ reach on the negative real axis; None: for every h
    drift_reach: ClassVar[float | None] = None  # the same for the drift, where only that is explicit
    outermost: ClassVar[bool] = False  # whether no other stepper may go around it
    on_path: ClassVar[bool] = True  # whether its points lie on one path, of which parts between them can be drawn

    def bind(self, law: Equation, h: float | None) -> tuple[Stepper, Equation]:
        """This stepper and the law, each in the form in which they run, before anything is traced.

        Args:
            law: a law whose `linear` is one operator on the whole state.
            h: the largest step, None if it will be adapted.

        Raises:
            TypeError: the law uses a slot that this stepper cannot honour.
            ValueError: h is beyond the limit of stability.
        """
        self.check_slots(law)
        if law.diffusion is not None:
            self.check_noise(law)
            law = law if self.calculus is None else law.stated_in(self.calculus, 1.0 if h is None else h)
        if h is not None:
            self.check_stability(law, h)
        return self, law

    def check_noise(self, law):
        """Refuse noise that this stepper would misread."""
        return

    def check_start(self, law, y):
        """Refuse states from which a run cannot start; `law` is as bound, and y may be symbolic."""
        return

    def error_order(self, law) -> float:
        """The order of the error estimate's method, by which steps are adapted."""
        return self.order

    def check_slots(self, law):
        """Refuse slots that would be ignored."""
        for slot in sorted(law.slots() - self.takes, key=lambda s: s.value):
            way = _WAYS[slot]
            _checks.refuse(
                "law",
                _checks.Verbatim(f"{type(law).__name__}({slot.value}={_named(law, slot)})"),
                f"no {slot.value}",
                f"{type(self).__name__} has no rule for it and would ignore it",
                way,
                TypeError,
            )

    def check_stability(self, law, h: float):
        """Refuse a step beyond the linear stability limit of an explicit stepper."""
        rho = None if self.reach is None else spectral_radius(law)
        if rho is None:
            return
        if abs(h) * rho > self.reach * (1 + 1e-9):
            limit = self.reach / rho
            name = type(self).__name__
            raise ValueError(
                f"dt={h:.6g} is unstable for {name}: this operator needs dt ≤ {self.reach:g}/ρ = {limit:.4g} "
                f"(ρ = {rho:.4g}), "
                f"because the fastest mode would grow at every step. "
                f"Use dt={_below(limit):.3g}, or CrankNicolson(), RKL2() or ETDRK2()."
            )

    def prepare(self, law: Equation, h):
        """What depends on the law and the step h only, computed once per run of equal steps."""
        return ()

    def burst(self, law: Equation, y) -> Burst | None:
        """A form of the state in which many steps are taken between two fills of ghost cells, if there is one."""
        return

    def init(self, law: Equation, t, y):
        """The memory with which the first step starts."""
        return ()

    def turned(self, law: Equation, t, y, memory):
        """The memory after a wall has moved the state to y; what is like positions in it was turned as they were."""
        return memory

    def complaint(self, law, memory) -> str | None:
        """What went wrong in a step that left no finite state, as a message; None if nothing more is known."""
        return

    def fate(self, memory):
        """What walls have done to particles, a Fate, if there are any."""
        return

    def check_plan(self, plan):
        """Refuse times of steps with which what is remembered would lose its meaning; `plan` is a Schedule."""
        return

    def seen(self, memory):
        """What observers have measured, if there are any."""
        return

    @abstractmethod
    def step(self, law: Equation, t, h, y, memory, prepared, noise) -> Step:
        """y(t) → y(t + h).

        Args:
            law: a prepared law.
            t: float64 scalar.
            h: step, scalar in the state's real dtype.
            y: the state.
            memory: what the last step left, or `init`.
            prepared: what `prepare` returned for this h.
            noise: None, or an Interval: noise() is N(t + h) − N(t), noise.area() also has the Lévy area.
        """


def _named(law, slot: Slot) -> str:
    return _checks.describe(getattr(law, slot.value, _checks.Verbatim("…")))


def spectral_radius(law) -> float | None:
    """ρ of the linear part, or of a drift that knows its own; None if unknown."""
    if law.linear is not None:
        return law.linear.radius()
    radius = getattr(law.drift, "radius", None)
    return None if radius is None else radius()


_WAYS = {
    Slot.DIFFUSION: "For noise use ETD1() (additive, exact linear part) or EulerMaruyama().",
    Slot.ORDER: "Use a Caputo stepper for order < 1.",
    Slot.DRIFT: "Use ETDRK2(), IMEX() or Tsit5() for a law with drift.",
    Slot.JUMPS: "Use SSA() or TauLeap(), or the law's langevin() or rate_equation().",
    Slot.HOPS: "Use SSA(), or SplitHops() with a dt.",
    Slot.PARTICLES: "Leave the stepper out, or use the law's well_mixed().",
    Slot.LINEAR: "Put the linear part into drift, or use ETDRK2() or Tsit5().",
}


def _below(limit: float) -> float:
    from math import floor, log10

    unit = 10 ** (floor(log10(limit)) - 1)
    return floor(limit / unit + 1e-9) * unit
