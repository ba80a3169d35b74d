"""Steppers for laws with noise.

Each gets the law in the calculus that it needs (`Equation.stated_in`). `strong` is its order path by path, `weak` that
of means; both hold for g as the stepper takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from diffsim import _checks, _nest
from diffsim.calculus import Ito, Reach
from diffsim.equation import Slot
from diffsim.noise import Noise
from diffsim.steppers.base import Step, Stepper


class Stochastic(Stepper):
    """What all share: they take noise, if its amplitude does not reach further than they can follow."""

    takes = frozenset({Slot.LINEAR, Slot.DRIFT, Slot.DIFFUSION})
    calculus = Ito
    follows: ClassVar[tuple[Reach, ...]] = tuple(Reach)  # on what g may depend
    strong: ClassVar[float]
    weak: ClassVar[float]

    def check_noise(self, law):
        """Refuse amplitudes and noise for which the method has no rule."""
        name, reach = type(self).__name__, law.reach
        if reach not in self.follows:
            _checks.refuse(
                "diffusion",
                law.diffusion.fn,
                "an amplitude g that depends on " + " or ".join(r.value for r in self.follows),
                f"{name} has no rule for one that depends on {reach.value}",
                "Use Heun() or EulerMaruyama().",
                TypeError,
            )
        if Reach.ALL in self.follows:
            return
        mixed = reach is not Reach.NOTHING and not law.noise.white
        if mixed or not law.noise.gaussian:
            _checks.refuse(
                "noise",
                law.noise,
                "independent Brownian noise" if mixed else "Gaussian noise",
                f"{name} uses its moments",
                "Use EulerMaruyama().",
                TypeError,
            )


def _later(t, h):
    return t + tf.cast(h, tf.float64)


@dataclass(frozen=True)
class EulerMaruyama(Stochastic):
    """Y₁ = Y + h·rate(t, Y) + g(t, Y)·ΔN, Itô: strong order ½ (1 for additive noise), weak order 1.

    References:
        Maruyama (1955), doi:10.1007/BF02846028.
    """

    order, reach = 1, 2.0
    strong, weak = 0.5, 1.0

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        new = _nest.axpy(h, law.rate(t, y), y)
        if noise is not None:
            new = _nest.add(new, law.kick(t, y, noise()))
        return Step(new, None, ())


@dataclass(frozen=True)
class Milstein(Stochastic):
    """Euler–Maruyama and ½ g ∂g (ΔW² − h), Itô, g of each entry depending on that entry: strong order 1.

    The derivative is automatic. A Stratonovich law takes the steps of the Stratonovich form, with ΔW² alone.

    References:
        Milstein (1975), doi:10.1137/1119062; Kloeden & Platen (1992), doi:10.1007/978-3-662-12616-5, 10.3.
    """

    order, reach = 1, 2.0
    follows = (Reach.NOTHING, Reach.ENTRY)
    strong, weak = 1.0, 1.0

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        new = _nest.axpy(h, law.rate(t, y), y)
        if noise is None:
            return Step(new, None, ())
        dW = noise()
        new = _nest.add(new, law.kick(t, y, dW))
        if law.reach is Reach.ENTRY:
            slope = law.diffusion.slope(_nest.to(t, h.dtype), y)
            new = _nest.map(lambda a, s, w: a + 0.5 * s * (w * w - tf.cast(tf.abs(h), w.dtype)), new, slope, dW)
        return Step(new, None, ())


@dataclass(frozen=True)
class Platen(Stochastic):
    """Means of order 2 without derivatives, Itô, g of each entry depending on that entry.

    Υ± = Y + h f ± √h g(Y),  Ῡ = Y + h f + g ΔW,
    Y₁ = Y + h/2 (f + f(Ῡ)) + ¼ (g(Υ₊) + g(Υ₋) + 2g) ΔW + ¼ (g(Υ₊) − g(Υ₋)) (ΔW² − h)/√h: weak order 2, strong order 1.

    References:
        Platen (1984); Kloeden & Platen (1992), doi:10.1007/978-3-662-12616-5, 15.1.
    """

    order, reach = 2, 2.0
    follows = (Reach.NOTHING, Reach.ENTRY)
    strong, weak = 1.0, 2.0

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        f, t1 = law.rate(t, y), _later(t, h)
        drifted = _nest.axpy(h, f, y)
        if noise is None:
            return Step(_nest.combine(y, [h / 2, h / 2], [f, law.rate(t1, drifted)]), None, ())
        dW, root = noise(), tf.sqrt(tf.abs(h))
        g = law.amplitude(t, y)
        ahead = law.rate(t1, _nest.add(drifted, _nest.map(tf.multiply, g, dW)))
        new = _nest.combine(y, [h / 2, h / 2], [f, ahead])
        up, down = (law.amplitude(t1, _nest.axpy(s * root, g, drifted)) for s in (1.0, -1.0))

        def kicked(a, g, up, down, w):
            scale = tf.cast(root, w.dtype)
            return a + 0.25 * ((up + down + 2 * g) * w + (up - down) * (w * w / scale - scale))

        return Step(_nest.map(kicked, new, g, up, down, dW), None, ())


@dataclass(frozen=True)
class SRA1(Stochastic):
    """Additive noise g(t), by the increment and its Lévy area H: strong order 3/2, weak order 2.

    Y₁ = Y + h (f(t, Y)/3 + 2/3 f(t + ¾h, Y + ¾h f + 3/2 g(t + h) J)) + g(t + h) ΔW + (g(t) − g(t + h)) J, J = ΔW/2 + H.

    References:
        Rößler (2010), doi:10.1137/09076636X.
    """

    order, reach = 2, 2.0
    follows = (Reach.NOTHING,)
    strong, weak = 1.5, 2.0

    def check_noise(self, law):
        """Refuse noise without Lévy area as well."""
        super().check_noise(law)
        if type(law.noise).area is Noise.area:
            law.noise.area(None, 0, 0.0, 0.0, None)

    def step(self, law, t, h, y, memory, prepared, noise):
        """One step."""
        f = law.rate(t, y)
        stage = _nest.axpy(0.75 * h, f, y)
        if noise is None:
            rest = law.rate(t + 0.75 * tf.cast(h, tf.float64), stage)
            return Step(_nest.combine(y, [h / 3, 2 * h / 3], [f, rest]), None, ())
        dW, H = noise.area()
        J = _nest.map(lambda w, a: w / 2 + a, dW, H)
        end = law.kick(_later(t, h), y, J)
        stage = _nest.axpy(1.5, end, stage)
        rest = law.rate(t + 0.75 * tf.cast(h, tf.float64), stage)
        new = _nest.combine(y, [h / 3, 2 * h / 3], [f, rest])
        new = _nest.add(new, law.kick(_later(t, h), y, dW))
        return Step(_nest.add(new, _nest.sub(law.kick(t, y, J), end)), None, ())
