"""How long the next step is: equal steps, or steps adapted to an error estimate."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, _nest


@dataclass(frozen=True)
class PID:
    """Steps that keep the local error near tolerance, by a proportional–integral–derivative controller.

    With ε the root mean square of error/(atol + rtol·|y|), the next step is h·s·ε₀^{−β₁/k} ε₋₁^{−β₂/k} ε₋₂^{−β₃/k},
    k = order,
    β = (p + i + d, −(p + 2d), d); a step with ε > 1 is rejected and repeated.

    Args:
        rtol: relative tolerance ≥ 0.
        atol: absolute tolerance ≥ 0 [unit of the state]; not both zero.
        p: proportional gain.
        i: integral gain.
        d: derivative gain.
        first: first step [time]; None estimates it from the law.
        least: smallest step allowed [time]; the run stops with a status when it needs a smaller one.
        most: largest step allowed [time].

    References:
        Söderlind (2003), doi:10.1145/641876.641877; Hairer, Nørsett & Wanner (1993), II.4, for the first step.
    """

    rtol: float = 1e-6
    atol: float = 1e-9
    p: float = 0.3
    i: float = 0.4
    d: float = 0.0
    first: float | None = None
    least: float = 0.0
    most: float = float("inf")

    def __post_init__(self):
        why = "the controller compares the error with it"
        for name in ("rtol", "atol", "p", "i", "d", "least"):
            object.__setattr__(self, name, _checks.number(name, getattr(self, name), least=0.0, why=why))
        if self.rtol == 0.0 and self.atol == 0.0:
            _checks.refuse("rtol, atol", (0.0, 0.0), "one of them positive", "no step has zero error", "Set rtol=1e-6.")
        if self.first is not None:
            object.__setattr__(self, "first", _checks.number("first", self.first, above=0.0, why=why))
        if not self.most > self.least:
            _checks.refuse("most", self.most, f"a step > least = {self.least:g}", "no step could be taken", "Raise it.")

    def start(self, law, stepper, t, y, direction):
        """(h, ε₋₁, ε₋₂) before the first step; Hairer's estimate of h from two rates."""
        one = tf.ones([], tf.float64)
        if self.first is not None:
            return _nest.to(self.first, tf.float64) * direction, one, one
        f0 = law.rate(t, y)
        d0, d1 = self.size(y, y, y), self.size(f0, y, y)
        h0 = tf.where((d0 < 1e-5) | (d1 < 1e-5), tf.constant(1e-6, tf.float64), 0.01 * d0 / d1)
        real = _nest.real_dtype(y)
        f1 = law.rate(t + h0 * direction, _nest.axpy(tf.cast(h0 * direction, real), f0, y))
        d2 = self.size(_nest.sub(f1, f0), y, y) / h0
        big = tf.where(tf.math.is_finite(d2), tf.maximum(d1, d2), d1)  # h₀ may lead beyond where the law holds
        h1 = tf.where(big <= 1e-15, tf.maximum(1e-6 * one, h0 * 1e-3), (0.01 / big) ** (1 / (stepper.order + 1)))
        h = tf.minimum(tf.minimum(100 * h0, h1), _nest.to(self.most, tf.float64))
        return tf.maximum(h, _nest.to(self.least, tf.float64)) * direction, one, one

    def size(self, error, y0, y1):
        """ε: the weighted root mean square of an error, float64 scalar."""
        total, count = tf.zeros([], tf.float64), 0
        for e, a, b in zip(_nest.flatten(error), _nest.flatten(y0), _nest.flatten(y1), strict=True):
            real = e.dtype.real_dtype
            scale = _nest.to(self.atol, real) + _nest.to(self.rtol, real) * tf.maximum(tf.abs(a), tf.abs(b))
            total += tf.cast(tf.reduce_sum((tf.abs(e) / scale) ** 2), tf.float64)
            count += e.shape.num_elements()
        return tf.sqrt(total / count)

    def judge(self, epsilon, order, control):
        """Whether to accept, and the control for the next step."""
        h, e1, e2 = control
        k = order
        good = tf.math.is_finite(epsilon) & (epsilon <= 1)
        e = tf.clip_by_value(tf.where(tf.math.is_finite(epsilon), epsilon, 1e10 * tf.ones_like(epsilon)), 1e-10, 1e10)
        p, i, d = (_nest.to(v, tf.float64) for v in (self.p, self.i, self.d))
        factor = 0.9 * e ** (-(p + i + d) / k) * e1 ** ((p + 2 * d) / k) * e2 ** (-d / k)
        shrink = 0.9 * e ** (-1.0 / k)
        factor = tf.where(good, tf.clip_by_value(factor, 0.2, 10.0), tf.clip_by_value(shrink, 0.1, 0.9))
        h = tf.sign(h) * tf.minimum(tf.abs(h) * factor, _nest.to(self.most, tf.float64))
        return good, (h, tf.where(good, e, e1), tf.where(good, e1, e2))
