"""Super-time-stepping: s cheap stages that are stable for steps ∝ s²."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.equation import Slot
from diffsim.steppers.base import Step, Stepper, spectral_radius

MOST_STAGES = 1001


@dataclass(frozen=True)
class RKL2(Stepper):
    """Runge–Kutta–Legendre, order 2: s stages cover h·ρ ≤ (s² + s − 2)/2, with s chosen from h and ρ.

    For diffusion it is the explicit method of choice: s = 20 stages cover 104 explicit Euler steps. A step
    keeps the maximum principle; it leaves about half of the stiffest modes, where TRBDF2 leaves nothing.

    Args:
        stages: s ≥ 3, odd; None chooses it from the step and the operator's spectral radius.

    References:
        Meyer, Balsara & Aslam (2014), doi:10.1016/j.jcp.2013.08.021.
    """

    stages: int | None = static(default=None)
    radius: float | tf.Tensor | None = None

    takes = frozenset({Slot.LINEAR, Slot.DRIFT})
    order, adaptive = 2, True

    def __post_init__(self):
        if self.stages is not None:
            _checks.integer("stages", self.stages, least=2, why="one stage is Euler's method")

    def bind(self, law, h):
        """Fix the number of stages, or the spectral radius from which steps will choose it."""
        self.check_slots(law)
        rho = spectral_radius(law)
        if self.stages is None and rho is None and hasattr(law.drift, "radius_at"):
            return self, law  # D(u): the spectrum, and with it the number of stages, follows the state
        if self.stages is None and rho is None:
            _checks.refuse(
                "law",
                _checks.Verbatim("no operator with a known spectrum"),
                "a linear part",
                "the number of stages follows from its spectral radius",
                "Pass RKL2(stages=…).",
            )
        if h is None:
            return replace(self, radius=rho), law
        if self.stages is None:
            return replace(self, stages=stages_for(abs(h) * rho)), law
        reach = (self.stages**2 + self.stages - 2) / 2
        if rho is not None and abs(h) * rho > reach * (1 + 1e-9):
            _checks.refuse(
                "dt",
                h,
                f"dt ≤ {reach / rho:.4g} with {self.stages} stages",
                f"they are stable for dt·ρ ≤ (s² + s − 2)/2 = {reach:g} and ρ = {rho:.4g}",
                f"Use RKL2(stages={stages_for(abs(h) * rho)}), or RKL2() to let it choose.",
            )
        return self, law

    def _count(self, law, h, y):
        if self.stages is not None:
            return tf.constant(self.stages)
        return _stages(h, law.drift.radius_at(y) if self.radius is None else self.radius)

    def step(self, law, t, h, y, memory, prepared, noise):
        """The Legendre recurrence; the step's ends give the error estimate."""
        first = law.rate(t, y)
        s = self._count(law, h, y)
        sf = tf.cast(s, h.dtype)
        w = 4 / (sf * sf + sf - 2)
        third = _nest.to(1 / 3, h.dtype)

        def b(j):
            jf = tf.cast(j, h.dtype)
            return tf.where(j < 3, third, (jf * jf + jf - 2) / tf.maximum(2 * jf * (jf + 1), 1))

        before, now = y, _nest.axpy(third * w * h, first, y)

        def stage(j, before, now):
            jf = tf.cast(j, h.dtype)
            mu = (2 * jf - 1) / jf * b(j) / b(j - 1)
            nu = -(jf - 1) / jf * b(j) / b(j - 2)
            c = (jf * jf - jf - 2) / (sf * sf + sf - 2)  # c_{j−1}: (i² + i − 2)/(s² + s − 2) at i = j − 1
            c = tf.where(j == 2, third * w, c)
            rate = law.rate(t + tf.cast(c * h, tf.float64), now)
            a = 1 - b(j - 1)
            mu_t = mu * w
            new = _nest.map(
                lambda y0, f0, y1, y2, f: _mix(
                    (mu, y1), (nu, y2), (1 - mu - nu, y0), (mu_t * h, f), (-a * mu_t * h, f0)
                ),
                y,
                first,
                now,
                before,
                rate,
            )
            return j + 1, now, new

        most = MOST_STAGES if self.stages is None else self.stages - 1
        _, _, new = tf.while_loop(lambda j, *_: j <= s, stage, (tf.constant(2), before, now), maximum_iterations=most)
        last = law.rate(t + tf.cast(h, tf.float64), new)
        error = _nest.map(
            lambda y0, y1, f0, f1: _mix((0.8, y0), (-0.8, y1), (0.4 * h, f0), (0.4 * h, f1)), y, new, first, last
        )
        return Step(new, error, ())


def _mix(*terms):
    total = None
    for a, v in terms:
        part = (_nest.to(a, v.dtype)) * v
        total = part if total is None else total + part
    return total


def _stages(h, rho):
    z = tf.abs(h) * _nest.to(rho, h.dtype)
    s = tf.cast(tf.math.ceil((tf.sqrt(9 + 8 * z) - 1) / 2 + 1e-6), tf.int32)
    s = tf.maximum(s, 3)
    return tf.minimum(s + 1 - s % 2, MOST_STAGES)


def stages_for(z: float) -> int:
    """The least odd s ≥ 3 with (s² + s − 2)/2 ≥ z."""
    s = max(3, math.ceil((math.sqrt(9 + 8 * z) - 1) / 2 - 1e-9))
    s += 1 - s % 2
    if s > MOST_STAGES:
        _checks.refuse(
            "dt·ρ", z, f"at most {MOST_STAGES**2 // 2}", f"RKL2 would need {s} stages", "Use a smaller dt, or TRBDF2()."
        )
    return s
