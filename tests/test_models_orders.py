"""A manufactured reaction–diffusion solution: every stepper converges at its order on a coupled, forced law."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

GRID = ds.Grid(12, 2 * np.pi)
K2 = (2 / GRID.dx[0] * np.sin(GRID.dx[0] / 2)) ** 2  # of cos x on the lattice: no error from space
MODEL = ds.models.Brusselator(1.0, 1.7, Du=0.3, Dv=0.1)


def exact(t, x):
    """(u, v) = (1 + ½ cos t + ⅖ e^{−t/2} cos x, 1.7 + ⅓ sin 2t + ⅕ cos t sin x)."""
    return (1 + tf.cos(t) / 2 + 0.4 * tf.exp(-t / 2) * tf.cos(x),
            1.7 + tf.sin(2 * t) / 3 + 0.2 * tf.cos(t) * tf.sin(x))


@dataclass(frozen=True)
class Forced:
    """rates(y) + s(t, x), with s such that `exact` solves the law on the lattice."""

    model: object

    def __call__(self, t, y):
        x = tf.constant(GRID.coordinates()[0])
        reacted, own = self.model.rates(t, y), self.model.rates(t, exact(t, x))
        du = -tf.sin(t) / 2 + (0.3 * K2 - 0.5) * 0.4 * tf.exp(-t / 2) * tf.cos(x)
        dv = 2 * tf.cos(2 * t) / 3 + 0.2 * (0.1 * K2 * tf.cos(t) - tf.sin(t)) * tf.sin(x)
        return tuple(f - g + s for f, g, s in zip(reacted, own, (du, dv), strict=True))


@pytest.mark.parametrize(("stepper", "n"), [
    (ds.Euler(), 40), (ds.ETD1(), 40), (ds.Heun(), 20), (ds.IMEX(), 20), (ds.ETDAB2(), 40), (ds.ETDRK2(), 20),
    (ds.TRBDF2(), 10), (ds.ETDRK4(), 10), (ds.RK4(), 10), (ds.Tsit5(), 8),
], ids=lambda s: type(s).__name__)
def test_steppers_converge_at_their_order(stepper, n):
    """log₂ of the ratio of errors at n and 2n steps; the known forcing makes both species cosines of known height."""
    law = ds.Equation(linear=MODEL.on(GRID, ds.Periodic()).linear, drift=Forced(MODEL))
    x, T = GRID.coordinates()[0], 1.0
    y0, end = exact(tf.constant(0.0, tf.float64), x), exact(tf.constant(T, tf.float64), x)
    errors = []
    for steps in (n, 2 * n):
        final = ds.solve(law, y0, (0.0, T), stepper=stepper, dt=T / steps, jit=False).final
        errors.append(max(abs(a - b).numpy().max() for a, b in zip(map(tf.constant, final), end, strict=True)))
    observed = np.log2(errors[0] / errors[1])
    assert stepper.order - 0.25 < observed < stepper.order + 0.5, errors
    assert errors[1] < 0.05
