"""Universal laws of first passage: Sparre Andersen's theorem, and Kramers' escape by particles."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import _nest, random
from diffsim.noise import Noise


@dataclasses.dataclass(frozen=True)
class Mixed(Noise):
    """Symmetric jumps whose size is drawn over four decades: a compound law, with a mean that says nothing."""

    def increment(self, key, n, t, h, like):
        """10^{4u} ξ."""
        stream = random.fold_in(key, 5)
        scale = _nest.map(lambda a: 10.0 ** (4 * random.uniform(stream, a.shape, a.dtype, step=n)), like)
        return _nest.map(tf.multiply, scale, ds.Brownian().increment(key, n, t, h, like))


JUMPS = {
    "Gauss": ds.Brownian(),
    "Cauchy": ds.AlphaStable(1.0),
    "Lévy, μ = 1.6": ds.AlphaStable(1.6),
    "compound": Mixed(),
}


def stay(law, n, size):
    """The share of walks from 0 whose first n positions are positive, and the number of walks."""
    sol = ds.solve(law, np.zeros(size), (0, 0.7 * n), dt=0.7, stepper=ds.EulerMaruyama(), key=ds.key(51), jit=False,
                   save=ds.SaveAt(every=1))  # fmt: skip
    x = sol.y.numpy()[-n:]
    assert len(x) == n
    return np.mean(np.all(x > 0, axis=0))


FAST = ("Gauss", "Cauchy")


@pytest.mark.parametrize("jumps", [j if j in FAST else pytest.param(j, marks=pytest.mark.slow) for j in JUMPS])
def test_sparre_andersen(jumps):
    """D14: C(2n, n)/4ⁿ whatever the symmetric, continuous law of jumps; five standard errors. With a drift it is not."""
    n, size = 10, 20_000
    p = math.comb(2 * n, n) / 4**n
    assert p == pytest.approx(0.17619705, abs=1e-8)
    error = 5 * (p * (1 - p) / size) ** 0.5
    assert abs(stay(ds.Equation(diffusion=1.3, noise=JUMPS[jumps]), n, size) - p) < error
    if jumps == "Gauss":
        biased = ds.Equation(drift=lambda t, x: 0.3 + 0 * x, diffusion=1.3, noise=JUMPS[jumps])
        assert abs(stay(biased, n, size) - p) > error


@pytest.mark.slow
def test_escape_of_particles_over_a_high_barrier():
    """D10: 729.67 at D = 0.05, where Kramers' formula says 659.38; particles from −1, absorbed at 1."""
    model = ds.models.Overdamped(lambda t, x: x**4 / 4 - x**2 / 2, kT=0.05)
    stepper = ds.Absorbed(ds.SRA1(), ds.HalfSpace(1.0, (1.0,)))
    x0 = np.full((6_000, 1), -1.0, "f4")
    sol = ds.solve(model.law, x0, (0, 20_000), dt=0.1, stepper=stepper, stop=ds.Extinct(every=500), key=ds.key(53))
    mean = ds.analysis.mean_time(sol)
    assert abs(mean.value - 729.67069) < 5 * mean.error + 8  # steps of weak order 2, exact to 1 %
    assert abs(mean.value - 659.38) > 5 * mean.error
