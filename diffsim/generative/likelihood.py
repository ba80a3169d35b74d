"""How likely data are under a model: log p along the probability flow, by `ds.solve`.

The flow dz/dλ = D(z, λ) − z carries densities with it, d log p(z)/dλ = n − ∇·D for n numbers in z. From data at λ₀
down to noise at λ₁, where p is the prior's,

    log p(x) = log p₁(z₁) + ∫ (n − ∇·D) dλ over λ₁ … λ₀.

It is the density of data to which noise e^{−λ₀} was added; of pure data there may be none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim._tree import static
from diffsim.equation import Equation
from diffsim.generative import data
from diffsim.generative import denoiser as denoisers
from diffsim.generative.mesh import Mesh
from diffsim.solve import solve
from diffsim.steppers.explicit import Tsit5
from diffsim.stepsize import PID

FEW = 64  # numbers per sample up to which the trace is taken exactly if nothing else is asked for


@dataclass(frozen=True)
class Trace:
    """∇·D exactly, from the whole Jacobian of each sample: n backward passes in one."""

    probes = 1

    def directions(self, x):
        """None: all are taken."""
        return

    def __call__(self, denoiser, z, lam, directions):
        """D and ∇·D, shape (batch, 1)."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            D = denoiser(z, lam)
        size = math.prod(z.shape[1:])
        J = tf.reshape(tape.batch_jacobian(D, z), [-1, size, size])
        return D, tf.linalg.trace(J)[:, None]


@dataclass(frozen=True)
class Hutchinson:
    """∇·D = E[εᵀ(∂D/∂z)ε] for ε = ±1 at random, kept along the path.

    Probes come in pairs that differ in the signs of half of the numbers, chosen at random, so that a pair sees what
    ±ε alone would hide: of two numbers the mean of a pair is exact, of many pairs are as good as independent.

    The error bar of a sample is that of its probes' spread, or of the batch's (root mean square) if that is larger:
    few probes may agree by chance where they are off. It is on the safe side, the more so the fewer numbers there are.

    Args:
        key: `ds.key(seed)`.
        probes: how many ε for each sample.

    References:
        Hutchinson (1990), doi:10.1080/03610919008812866; Grathwohl et al. (2019), arXiv:1810.01367.
    """

    key: Any
    probes: int = static(default=8)

    def __post_init__(self):
        random.as_key(self.key)
        _checks.integer("probes", self.probes, least=2, why="the spread of several is the error bar")

    def directions(self, x):
        """ε, shape (probes, batch, …)."""
        size, pairs = math.prod(x.shape[1:]), -(-self.probes // 2)
        signs, order = random.split(self.key)
        one = tf.ones([x.shape[0], pairs, size], x.dtype)
        first = tf.where(random.uniform(signs, one.shape, x.dtype) < 0.5, -one, one)
        rank = tf.argsort(tf.argsort(random.uniform(order, one.shape, x.dtype)))
        other = tf.where(rank < size // 2, -first, first)
        both = tf.reshape(tf.stack([first, other], 2), [x.shape[0], 2 * pairs, *x.shape[1:]])[:, : self.probes]
        return tf.transpose(both, [1, 0, *range(2, len(both.shape))])

    def __call__(self, denoiser, z, lam, directions):
        """D and for each ε an estimate of ∇·D, shape (batch, probes)."""
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(z)
            D = denoiser(z, lam)
        pulled = tf.vectorized_map(lambda e: tape.gradient(D, z, e, unconnected_gradients="zero"), directions)
        flat = tf.reshape(pulled * directions, [self.probes, z.shape[0], -1])
        return D, tf.transpose(tf.reduce_sum(flat, -1))


@dataclass(frozen=True)
class Carry:
    """(D − z, ∇·D − n): the flow, and what it adds to log p on the way from data to noise."""

    denoiser: Callable
    trace: Callable
    directions: tf.Tensor | None

    def __call__(self, lam, state):
        """At λ and (z, gain)."""
        z, _ = state
        D, divergence = self.trace(self.denoiser, z, lam, self.directions)
        return D - z, divergence - float(math.prod(z.shape[1:]))


@dataclass(frozen=True, repr=False)
class LogLikelihood:
    """What `log_likelihood` found.

    Attributes:
        log_density: log p of each sample [nats], shape (batch,).
        error: standard error of each from the probes, see `Hutchinson`; 0 where the trace is exact.
        noise: z at the end of the flow, shaped like the data.
        dimensions: numbers per sample.
        steps: steps of the flow.
    """

    log_density: np.ndarray
    error: np.ndarray
    noise: tf.Tensor
    dimensions: int
    steps: int

    def __repr__(self):
        return f"LogLikelihood({summary(self.log_density, self.error)})"

    def bits_per_dimension(self, width: float = 1.0) -> tuple[float, float]:
        """Mean of −log₂ p of a bin per number, and its standard error over samples.

        Each has probes of its own, so that what they scatter by is in the scatter of samples; one sample tells none.

        Args:
            width: of a bin that data were spread over by `dequantise`: 2/levels for data in [−1, 1]. 1 tells bits of
                the density itself.
        """
        width = _checks.number("width", width, above=0.0, why="it is the width of a bin")
        bits = -(self.log_density / self.dimensions + math.log(width)) / math.log(2)
        error = bits.std(ddof=1) / math.sqrt(bits.size) if bits.size > 1 else math.nan
        return float(bits.mean()), float(error)


def log_likelihood(
    denoiser: Callable, x, mesh: Mesh, *, trace=None, data_std: float = 1.0, dt=None, stepper=None, **options
) -> LogLikelihood:
    """log p(x) by the probability flow from data to noise.

    Args:
        denoiser: D(z, λ).
        x: data, shape (batch, …), float32 or float64; integers are refused, see `dequantise`.
        mesh: its two ends are used: the noise e^{−λ₀} up to which x is told apart, and that of the prior. It may rise
            or fall. End it before λ = 40, which has no density for data on a line: `to_zero=False`.
        trace: Trace(), or Hutchinson(key, probes); Trace() if not given and samples have at most 64 numbers.
        data_std: s; the prior is N(0, e^{−2λ₁} + s²), as in `prior`.
        dt: steps in λ, or a PID; PID(1e-6, 1e-6) in float64 and 1e-4 in float32 if not given.
        stepper: Tsit5() if not given.
        **options: of `ds.solve`: progress, jit, max_steps.

    Returns:
        LogLikelihood.

    Raises:
        TypeError, ValueError: no function, data not real numbers, too many numbers for an exact trace.

    References:
        Chen et al. (2018), arXiv:1806.07366; Song et al. (2021), arXiv:2011.13456.
    """
    denoisers.check(denoiser, "it makes the flow")
    _checks.instance("mesh", mesh, Mesh, why="its ends say from where to where", way_out="Use gen.karras(…).")
    data_std = _checks.number("data_std", data_std, least=0.0, why="it is a standard deviation")
    why = "each sample has a density, and counts have probabilities instead"
    x = data.samples(x, why, "Spread counts: gen.dequantise(images, key).")
    size = math.prod(x.shape[1:])
    if trace is None:
        if size > FEW:
            received = _checks.Verbatim(f"none for {size} numbers per sample")
            why = f"an exact trace takes {size} backward passes at each step"
            _checks.refuse("trace", received, "Hutchinson(key) or Trace()", why, "Pass gen.Hutchinson(ds.key(0)).")
        trace = Trace()
    _checks.instance("trace", trace, (Trace, Hutchinson), why="it takes ∇·D", way_out="Pass gen.Hutchinson(ds.key(0)).")
    lam = np.sort(np.asarray(mesh, np.float64))[[-1, 0]]
    tolerance = 1e-6 if x.dtype == tf.float64 else 1e-4
    gain = tf.zeros([x.shape[0], trace.probes], x.dtype)
    law = Equation(drift=Carry(denoiser, trace, trace.directions(x)))
    dt = PID(tolerance, tolerance) if dt is None else dt
    sol = solve(law, (x, gain), (lam[0], lam[1]), stepper=stepper or Tsit5(), dt=dt, **options)
    z, gain = sol.final
    variance = math.exp(-2 * lam[1]) + data_std**2
    square = tf.reduce_sum(tf.reshape(tf.cast(z, tf.float64) ** 2, [x.shape[0], -1]), -1).numpy()
    start = -0.5 * (square / variance + size * math.log(2 * math.pi * variance))
    gain = gain.numpy().astype(np.float64)
    return LogLikelihood(start + gain.mean(1), _error(gain), z, size, sol.steps)


def dequantise(images, key, *, levels: int = 256, dtype=tf.float32) -> tf.Tensor:
    """x = 2(n + u)/levels − 1, u uniform in [0, 1): whole numbers spread over their bins, of width 2/levels.

    The density of x, averaged over a bin, is the probability of n divided by widthⁿ: without u a density on whole
    numbers has no bound, and bits per dimension turn negative.

    Args:
        images: whole numbers 0 … levels − 1, shape (batch, …).
        key: `ds.key(seed)`.
        levels: how many values there are.
        dtype: of the result.

    Raises:
        ValueError: numbers that are not whole, or outside.

    References:
        Theis, van den Oord & Bethge (2016), arXiv:1511.01844.
    """
    levels = _checks.integer("levels", levels, least=2, why="it counts the values of a number")
    n = np.asarray(images)
    known = n.dtype.kind in "buif" and n.size > 0
    if not known or not np.all(n == np.round(n)) or n.min() < 0 or n.max() >= levels:
        expected = f"whole numbers from 0 to {levels - 1}"
        why = "each is the number of a bin"
        _checks.refuse("images", images, expected, why, "Undo their scaling, or pass the right levels.")
    u = random.uniform(key, n.shape, dtype)
    return 2 * (_nest.to(n.astype(np.float64), u.dtype) + u) / levels - 1


def summary(nats: np.ndarray, error=None) -> str:
    """How many samples, and the mean of what each has: ± its standard error over samples, or of one sample its own."""
    n = len(nats)
    if n == 1:
        return f"1 sample: {nats[0]:.4g}{'' if error is None else f' ± {error[0]:.2g}'} nats"
    return f"{n} samples: mean {nats.mean():.4g} ± {nats.std(ddof=1) / math.sqrt(n):.2g} nats"


def _error(gain):
    """Standard errors of the means of probes, shape (batch,), none below that of the batch."""
    probes = gain.shape[1]
    if probes == 1:
        return np.zeros(len(gain))
    variance = gain.var(1, ddof=1)
    return np.sqrt(np.maximum(variance, variance.mean()) / probes)
