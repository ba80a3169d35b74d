"""Steppers that sample: their stationary law is right to higher order than their paths."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.calculus import Reach
from diffsim.equation import Slot
from diffsim.operators.nested import PerLeaf
from diffsim.steppers.base import Step, Stepper
from diffsim.steppers.stochastic import Stochastic


@dataclass(frozen=True)
class LeimkuhlerMatthews(Stochastic):
    """Y₁ = Y + h·rate(t, Y) + ½ g (ΔW₋ + ΔW), with ΔW₋ the increment of the step before: additive noise.

    Stationary means have order 2, and in a harmonic well none of the variance of Euler–Maruyama's 1/(1 − h/2):
    positions are exact in law at any stable step. Paths have strong order ½ only; no ΔW₋ comes before the first step.

    References:
        Leimkuhler & Matthews (2013), doi:10.1093/amrx/abs010.
    """

    order, reach = 1, 2.0
    follows = (Reach.NOTHING,)
    strong, weak = 0.5, 1.0
    on_path = False

    def init(self, law, t, y):
        """No increment yet."""
        return () if law.diffusion is None else _nest.zeros(y)

    def turned(self, law, t, y, memory):
        """An increment turns with the path."""
        return memory

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        new = _nest.axpy(h, law.rate(t, y), y)
        if noise is None:
            return Step(new, None, ())
        kick = law.kick(t, y, noise())
        return Step(_nest.map(lambda a, old, k: a + 0.5 * (old + k), new, memory, kick), None, kick)


@dataclass(frozen=True)
class BAOAB(Stepper):
    """Underdamped Langevin motion of (x, v): kick, drift, friction with noise, drift, kick.

    dx = v dt, dv = a(t, x) dt − Γv dt + σ dW as ``Equation(linear=(None, -Gamma), drift=lambda t, y: (y[1],
    a(t, y[0])), diffusion=(0.0, sigma))``. One evaluation of a per step; friction and noise are exact. Weak order 2;
    in a harmonic well ⟨x²⟩ is exact at every stable step, h < 2/ω.

    References:
        Leimkuhler & Matthews (2013), doi:10.1093/amrx/abs010 and doi:10.1063/1.4802990.
    """

    takes = frozenset({Slot.LINEAR, Slot.DRIFT, Slot.DIFFUSION})
    order = 2
    strong, weak = 1.0, 2.0

    def bind(self, law, h):
        """Diagonalise the friction; refuse states that are not pairs and noise that depends on the state."""
        self.check_slots(law)
        if not (isinstance(law.linear, PerLeaf) and len(law.linear.ops) == 2 and law.drift is not None):
            _checks.refuse(
                "law",
                _checks.Verbatim("not of the form dx = v dt, dv = a dt − Γv dt + σ dW"),
                "a pair (x, v) with linear=(None, -Gamma) and a drift",
                "BAOAB moves positions and velocities in turn",
                "Use ds.models.Underdamped, or Heun() for other laws.",
                TypeError,
            )
        if law.reach is not Reach.NOTHING or callable(law.diffusion):
            _checks.refuse(
                "diffusion",
                law.diffusion,
                "a pair of numbers (0.0, sigma)",
                "BAOAB integrates friction and noise together exactly",
                "Use Heun() for noise that depends on the state.",
                TypeError,
            )
        if not law.noise.gaussian:
            why = "friction and noise are integrated together"
            _checks.refuse("noise", law.noise, "Gaussian noise", why, "Use EulerMaruyama().", TypeError)
        return self, replace(law, linear=law.linear.diagonal())

    def prepare(self, law, h):
        """e^{−Γh}."""
        return law.linear.multiplier(0, h)

    def init(self, law, t, y):
        """The acceleration at x."""
        return law.forcing(t, y)[1]

    def turned(self, law, t, y, memory):
        """That at the new x."""
        return self.init(law, t, y)

    def step(self, law, t, h, y, memory, prepared, noise):
        """B A O A B."""
        x, v = y
        half, end = h / 2, t + tf.cast(h, tf.float64)

        def drifted(x, v):
            return _nest.axpy(half, law.forcing(t, _nest.pack(y, [x, v]))[0], x)

        v = _nest.axpy(half, memory, v)
        x = drifted(x, v)
        x, v = self._fluctuate(law, t, h, _nest.pack(y, [x, v]), prepared, noise)
        x = drifted(x, v)
        a = law.forcing(end, _nest.pack(y, [x, v]))[1]
        return Step(_nest.pack(y, [x, _nest.axpy(half, a, v)]), None, a)

    @staticmethod
    def _fluctuate(law, t, h, y, decay, noise):
        """Friction and noise over the whole step, exactly."""
        A = law.linear
        c = decay(A.forward(y))
        if noise is not None:
            c = _nest.add(c, A.noise_multiplier(h, law.noise.variance)(A.forward(law.kick(t, y, noise()))))
        return A.inverse(c)
