"""Bounds of how likely data are: what it costs to send them by the steps of a chain from noise to data.

    −log p(x) ≤ KL(q(z_T | x) ‖ prior) + Σ KL(q(z_s | z_t, x) ‖ p(z_s | z_t)) − E log p(x | z₁).

Data are noised by `ds.solve` along `forward_sde()`, and each term is an observable on the way: every image sees one
path of noise, so that bounds of the same key differ by their variances alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, random
from diffsim._tree import static
from diffsim.generative import denoiser as denoisers
from diffsim.generative.data import samples
from diffsim.generative.gaussians import divergence, surprise
from diffsim.generative.likelihood import summary
from diffsim.generative.mesh import Mesh
from diffsim.generative.reverse import forward_sde
from diffsim.generative.schedule import END
from diffsim.generative.widths import Between, ByNetwork, Fixed, Matched, Variance, between, check, tell
from diffsim.save import SaveAt
from diffsim.solve import solve
from diffsim.steppers.exponential import ETD1


@dataclass(frozen=True)
class Continuous(Variance):
    """Steps so short that their variance does not matter: ∫ e^{2λ} |x − D|² dλ, by trapezoids on the mesh.

    Args:
        last: variance of the one step from λ₁ to data.

    References:
        Kingma, Salimans, Poole & Ho (2021), arXiv:2107.00630, equation 18.
    """

    last: Variance = field(default_factory=Fixed)

    def __post_init__(self):
        _checks.instance("last", self.last, Variance, why="data are drawn with it", way_out="Use gen.Fixed().")

    @property
    def told(self):
        """As of the last step."""
        return self.last.told

    def log(self, step, told):
        """That of the last step."""
        return self.last.log(step, told)


@dataclass(frozen=True, repr=False)
class Bound:
    """What `bound` found, in nats; steps lead from noise to data.

    Attributes:
        prior: KL(q(z_T | x) ‖ N(0, e^{−2λ_T} + s²)), "L_T", shape (batch,).
        steps: "L_{T−1}" … "L_1", shape (steps, batch); with `Continuous` parts of the integral.
        decoder: "L_0", −log p(x | z₁), shape (batch,).
        lam: where each step begins, shape (steps,).
        dimensions: numbers per sample.
    """

    prior: np.ndarray
    steps: np.ndarray
    decoder: np.ndarray
    lam: np.ndarray
    dimensions: int

    def __repr__(self):
        return f"Bound({summary(self.nats)})"

    @property
    def nats(self) -> np.ndarray:
        """The sum of all terms, shape (batch,)."""
        return self.prior + self.steps.sum(0) + self.decoder

    def bits(self, width: float = 1.0) -> np.ndarray:
        """Bits per number of each sample, shape (batch,): differences between two bounds of one key have small errors.

        Args:
            width: of a bin that data were spread over by `dequantise`, as for `LogLikelihood`; 1 for whole levels.
        """
        width = _checks.number("width", width, above=0.0, why="it is the width of a bin")
        return (self.nats / self.dimensions - math.log(width)) / math.log(2)

    def bits_per_dimension(self, width: float = 1.0) -> tuple[float, float]:
        """Mean of `bits`, and its standard error over samples and their noise."""
        bits = self.bits(width)
        return float(bits.mean()), float(bits.std(ddof=1) / math.sqrt(bits.size)) if bits.size > 1 else math.nan


@dataclass(frozen=True)
class Cost:
    """The observable: terms of the bound at λ, for each variance; with none |x − D|² itself."""

    denoiser: Callable
    variances: tuple
    x: Any
    knots: Any
    schedule: Any
    told: bool = static(default=False)

    def __call__(self, lam, z):
        """Shape (variances, batch), in float64."""
        knots = tf.cast(self.knots, tf.float64)
        count = knots.shape[0]
        n = tf.argmin(tf.abs(knots - tf.cast(lam, tf.float64)), output_type=tf.int32)
        last = n == count - 1
        begin = knots[n]
        end = tf.where(last, _nest.to(END, tf.float64), knots[tf.minimum(n + 1, count - 1)])
        D, told = tell(self.denoiser, self.told, z, _nest.to(begin, z.dtype))
        missed = tf.square(tf.cast(D - tf.cast(self.x, z.dtype), tf.float64))
        if not self.variances:
            return _total(missed)[None]
        step = between(self.schedule, begin, end)
        apart = tf.math.expm1(2 * (begin - end)) ** 2 * missed
        whole = 0.5 * (knots[tf.minimum(n + 1, count - 1)] - knots[tf.maximum(n - 1, 0)])
        costs = []
        for variance in self.variances:
            if isinstance(variance, Continuous):
                costs.append(_total(whole * tf.exp(2 * begin) * missed))
            else:
                cost = _total(divergence(tf, step.small, variance.log(step, told), apart))
                costs.append(tf.where(last, tf.zeros_like(cost), cost))
        return tf.stack(costs)


def bound(
    denoiser: Callable, x, mesh: Mesh, *, key, variance=None, levels: int | None = None, data_std=1.0, **options
) -> Bound | tuple[Bound, ...]:
    """−log p(x) of the chain that a mesh makes, from above: all its terms, with one draw of noise for each sample.

    Args:
        denoiser: D(z, λ). Data known to lie in a range are bounded closer by `gen.clip` of it: where the signal is weak
            an estimate from noise may lie far outside.
        x: data, shape (batch, …), float32 or float64.
        mesh: from noise to data, as for sampling. A last step to λ = 40 is left out: λ₁, where the one before it ends,
            is the least noise, and data are drawn from there.
        key: `ds.key(seed)`.
        variance: of the steps: Fixed(share), ByNetwork(), Matched(…), or Continuous() for infinitely many steps; a
            tuple of them for as many bounds by the same draws. None: ByNetwork() if the denoiser's network tells
            variances, as its number of outputs says, else Fixed().
        levels: how many values data take, −1, …, 1 evenly; None: p is a density.
        data_std: s; the prior is N(0, e^{−2λ_T} + s²), as in `prior`.
        **options: of `ds.solve`: progress, jit.

    Returns:
        Bound, or a tuple of them.

    Raises:
        TypeError, ValueError: no function, data that are not real numbers or not among the levels, a mesh that falls or
            has one point, a variance that the denoiser does not tell.

    References:
        Ho, Jain & Abbeel (2020), arXiv:2006.11239; Nichol & Dhariwal (2021), arXiv:2102.09672; Kingma, Salimans,
        Poole & Ho (2021), arXiv:2107.00630.
    """
    variance = _default(denoiser) if variance is None else variance
    variances = variance if isinstance(variance, tuple) else (variance,)
    denoisers.check(denoiser, "it says where steps lead")
    if not variances:
        why, way_out = "each makes a bound", "Leave it out, or pass gen.Fixed()."
        _checks.refuse("variance", variance, "one variance, or several", why, way_out)
    for one in variances:
        check(one, denoiser)
    data_std = _checks.number("data_std", data_std, least=0.0, why="it is a standard deviation")
    x, knots, schedule = _taken(denoiser, x, mesh, levels)
    told = any(one.told for one in variances)
    z, costs = _noised(Cost(denoiser, variances, x, knots, schedule, told), key, options)
    lam = knots[::-1]
    D, said = tell(denoiser, told, z, _nest.to(lam[0], z.dtype))
    first = _first(schedule, lam)
    data, mean = (tf.cast(a, tf.float64) for a in (x, D))
    prior = _prior(data.numpy(), lam[-1], data_std)
    bounds = []
    for i, one in enumerate(variances):
        log_var = one.log(first, said)
        decoder = _total(surprise(Maths, data, mean, log_var, levels, tf.math.erfc, 1e-300)).numpy()
        skip = 0 if isinstance(one, Continuous) else 1
        bounds.append(Bound(prior, costs[skip:, i][::-1], decoder, lam[skip:][::-1], math.prod(x.shape[1:])))
    return tuple(bounds) if isinstance(variance, tuple) else bounds[0]


def errors(denoiser: Callable, x, mesh: Mesh, *, key, **options) -> Matched:
    """Mean square errors of D on data x at all points of a mesh, as the variance `Matched` of reverse steps.

    Args:
        denoiser: D(z, λ).
        x: data, shape (batch, …), others than those whose bound is taken.
        mesh: from noise to data; the errors serve on any mesh in its range.
        key: `ds.key(seed)`.
        **options: of `ds.solve`.
    """
    denoisers.check(denoiser, "it makes the errors")
    x, knots, schedule = _taken(denoiser, x, mesh, None)
    _, costs = _noised(Cost(denoiser, (), x, knots, schedule), key, options)
    return Matched(knots, costs[::-1, 0].mean(1) / math.prod(x.shape[1:]))


class Maths:
    """TensorFlow's functions under the names that Keras gives them."""

    abs, exp, log, maximum = tf.abs, tf.exp, tf.math.log, tf.maximum
    sign, square = tf.sign, tf.square


def _noised(cost, key, options):
    """z at λ₁, and what the observable told at all points from there to noise, shape (points, variances, batch)."""
    first, path = random.split(key)
    knots = cost.knots[::-1]
    z = cost.x + _nest.to(math.exp(-knots[0]), cost.x.dtype) * random.normal(first, cost.x.shape, cost.x.dtype)
    save = SaveAt(every=1, fn=cost)
    return z, solve(forward_sde(), z, knots, stepper=ETD1(), key=path, save=save, **options).y.numpy()


def _taken(denoiser, x, mesh, levels):
    """Data as a state, the mesh's rising λ below that of pure data, and the schedule, None for that of z itself."""
    way_out = "Use gen.trailing(schedule, 100), say."
    _checks.instance("mesh", mesh, Mesh, why="its steps make the chain", way_out=way_out)
    knots = np.asarray(mesh, np.float64)
    knots = knots[:-1] if knots[-1] >= END else knots
    if knots.size < 2 or knots[-1] < knots[0]:
        received = _checks.Verbatim(f"{knots.size} points of λ, {knots[0]:.3g} … {knots[-1]:.3g}")
        _checks.refuse("mesh", received, "at least two that rise", "a chain leads from noise to data", way_out)
    x = samples(x, "noise is added to each sample", "Map images of whole numbers to −1 … 1.")
    if levels is not None:
        levels = _checks.integer("levels", levels, least=2, why="it counts the values of a number")
        n = (np.asarray(x, np.float64) + 1) * (levels - 1) / 2
        if np.abs(n - np.round(n)).max() > 1e-3 or n.min() < -0.5 or n.max() > levels - 0.5:
            expected = f"{levels} values from −1 to 1, {2 / (levels - 1):.4g} apart"
            _checks.refuse("x", x, expected, "each has a probability", "Scale them, or pass the right levels.")
    theirs = getattr(denoiser, "schedule", None)
    return x, knots, mesh.schedule if theirs is None else theirs


def _default(denoiser):
    network = getattr(denoiser, "network", None)
    outputs, shape = getattr(network, "outputs", None), getattr(network, "sample_shape", None)
    return ByNetwork() if shape is not None and outputs == 2 * shape[-1] else Fixed()


def _first(schedule, lam) -> Between:
    """The step from λ₁ to data: β = σ₁², and for β̃, which is 0, that of the step before, as a variance of x."""
    before = between(schedule, lam[1], lam[0])
    small = before.small + 2 * before.log_alpha
    begin, end = (tf.constant(a, tf.float64) for a in (lam[0], END))
    log_sigma = -begin + before.log_alpha
    return Between(begin, end, small, 2 * log_sigma - small, tf.zeros_like(end))


def _prior(x, lam, data_std):
    """KL(N(x, v) ‖ N(0, v + s²)), v = e^{−2λ}: ½[log(1 + s²/v) + (x² − s²)/(v + s²)], summed over a sample."""
    v, s2 = math.exp(-2 * lam), data_std**2
    return 0.5 * (math.log1p(s2 / v) + (x**2 - s2) / (v + s2)).reshape(len(x), -1).sum(1)


def _total(a):
    """Sum over all but the first axis."""
    return tf.reduce_sum(tf.reshape(a, [tf.shape(a)[0], -1]), -1)
