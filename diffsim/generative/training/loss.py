"""What a network learns to say about x_t = αx₀ + σε, and how much an error counts at each noise level."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from keras import ops

from diffsim import _checks
from diffsim.generative.training.levels import LogNormal, Uniform


class Prediction(ABC):
    """F → target. An error δF means an error `gain`·δF in x₀."""

    @abstractmethod
    def target(self, x0, noise, alpha, sigma):
        """What F should be."""

    @abstractmethod
    def gain(self, alpha, sigma):
        """∂x₀/∂F at given x_t."""


@dataclass(frozen=True)
class Epsilon(Prediction):
    """F → ε, so x₀ = (x_t − σF)/α."""

    def target(self, x0, noise, alpha, sigma):
        """ε."""
        return noise

    def gain(self, alpha, sigma):
        """−σ/α."""
        return -sigma / alpha


@dataclass(frozen=True)
class X0(Prediction):
    """F → x₀."""

    def target(self, x0, noise, alpha, sigma):
        """x₀."""
        return x0

    def gain(self, alpha, sigma):
        """1."""
        return ops.ones_like(alpha)


@dataclass(frozen=True)
class V(Prediction):
    """F → v = αε − σx₀, so x₀ = (αx_t − σF)/(α² + σ²).

    Source: T. Salimans, J. Ho, "Progressive distillation", ICLR (2022), arXiv:2202.00512.
    """

    def target(self, x0, noise, alpha, sigma):
        """αε − σx₀."""
        return alpha * noise - sigma * x0

    def gain(self, alpha, sigma):
        """−σ/(α² + σ²)."""
        return -sigma / (ops.square(alpha) + ops.square(sigma))


@dataclass(frozen=True)
class Velocity(Prediction):
    """F → ε − x₀, so x₀ = (x_t − σF)/(α + σ): the velocity of straight paths, α = 1 − t, σ = t.

    Source: Y. Lipman et al., "Flow matching for generative modeling", ICLR (2023), arXiv:2210.02747.
    """

    def target(self, x0, noise, alpha, sigma):
        """ε − x₀."""
        return noise - x0

    def gain(self, alpha, sigma):
        """−σ/(α + σ)."""
        return -sigma / (alpha + sigma)


@dataclass(frozen=True)
class Score(Prediction):
    """F → ∇ log p_t(x_t), whose conditional value is −ε/σ; so x₀ = (x_t + σ²F)/α.

    Source: P. Vincent, "A connection between score matching and denoising autoencoders", Neural Comput. 23 (2011)
        1661, doi:10.1162/NECO_a_00142.
    """

    def target(self, x0, noise, alpha, sigma):
        """−ε/σ."""
        return -noise / sigma

    def gain(self, alpha, sigma):
        """σ²/α."""
        return ops.square(sigma) / alpha


class Weight(ABC):
    """How much a squared error of F counts."""

    @abstractmethod
    def of(self, predict, alpha, sigma):
        """w, for |F − target|²."""


@dataclass(frozen=True)
class Flat(Weight):
    """w = 1; for a score w = σ², which makes it the loss of ε."""

    def of(self, predict, alpha, sigma):
        """1 or σ²."""
        return ops.square(sigma) if isinstance(predict, Score) else ops.ones_like(sigma)


@dataclass(frozen=True)
class MinSNR(Weight):
    """w |δF|² = min(α²/σ², γ) |δx₀|²: levels with little noise count less than they do in ε.

    Source: T. Hang et al., "Efficient diffusion training via min-SNR weighting", ICCV (2023),
        doi:10.1109/ICCV51070.2023.00684.
    """

    gamma: float = 5.0

    def __post_init__(self):
        _checks.number("gamma", self.gamma, above=0.0, why="it bounds a signal-to-noise ratio")

    def of(self, predict, alpha, sigma):
        """min(α²/σ², γ) gain²."""
        return ops.minimum(ops.square(alpha / sigma), self.gamma) * ops.square(predict.gain(alpha, sigma))


def spread(value, like):
    """(batch,) → (batch, 1, …), to multiply samples."""
    return ops.reshape(value, (-1, *(1,) * (len(like.shape) - 1)))


def mean_of_sample(x):
    """Mean over all but the first axis."""
    return ops.mean(ops.reshape(x, (ops.shape(x)[0], -1)), -1)


def see(network, batch):
    """F(αx₀ + σε, t) under the batch's conditions, in the precision of the data."""
    a, s = (spread(batch[name], batch["x0"]) for name in ("alpha", "sigma"))
    condition = {name: batch[name] for name in ("label", "context") if name in batch}
    F = network(a * batch["x0"] + s * batch["noise"], batch["t"], condition or None)
    return ops.cast(F, batch["x0"].dtype)


@dataclass(frozen=True)
class Matching:
    """E w |F(x_t, t) − target|²: denoising score matching, whatever is predicted.

    Args:
        predict: Epsilon(), X0(), V(), Velocity() or Score(); make a denoiser by the adapter of that name.
        weight: Flat() or MinSNR(γ).
    """

    predict: Prediction = V()
    weight: Weight = Flat()

    channels = 1  # outputs for each channel of x
    levels = Uniform()  # unless others are asked for
    least = -math.inf  # λ at the end of the schedule

    def __post_init__(self):
        _checks.instance("predict", self.predict, Prediction, why="it says what the network learns",
                         way_out="Use Epsilon(), X0(), V(), Velocity() or Score().")
        _checks.instance("weight", self.weight, Weight, why="it says how much an error counts",
                         way_out="Use Flat() or MinSNR().")

    def time(self, schedule, lam):
        """What the network is given as time: t(λ) of the schedule, as the adapters give it."""
        return schedule.label(lam)

    def of(self, network, batch):
        """The loss of each sample."""
        a, s = (spread(batch[name], batch["x0"]) for name in ("alpha", "sigma"))
        error = ops.square(see(network, batch) - self.predict.target(batch["x0"], batch["noise"], a, s))
        return self.weight.of(self.predict, batch["alpha"], batch["sigma"]) * mean_of_sample(error)


@dataclass(frozen=True)
class Preconditioned:
    """E |F − (x₀ − c_skip z)/c_out|², z = x₀ + e^{−λ}ε: input and target of F have unit variance at every λ.

    Data over their standard deviation s, seen at the same signal-to-noise ratio with α² + σ² = 1, are c_in z, and
    what `preconditioned` leaves to F is −v of them. So this is the loss of −v; in x₀ it weighs 1/s² + α²/σ². Make a
    denoiser by `preconditioned(network, s)`. Train with `LogNormal` levels; what the schedule says does not matter.

    Args:
        deviation: s, standard deviation of the data about 0.

    Source: T. Karras, M. Aittala, T. Aila, S. Laine, NeurIPS (2022), arXiv:2206.00364.
    """

    deviation: float = 0.5

    channels = 1
    levels = LogNormal()
    least = -math.inf

    def __post_init__(self):
        _checks.number("deviation", self.deviation, above=0.0, why="data have a spread")

    def time(self, schedule, lam):
        """¼ log σ = −λ/4, as `preconditioned` gives it."""
        return -lam / 4

    def of(self, network, batch):
        """The loss of each sample."""
        x0, noise = batch["x0"] / self.deviation, batch["noise"]
        ratio = batch["sigma"] / batch["alpha"] / self.deviation
        alpha = ops.rsqrt(1 + ops.square(ratio))
        unit = batch | {"x0": x0, "alpha": alpha, "sigma": alpha * ratio}
        a, s = (spread(unit[name], x0) for name in ("alpha", "sigma"))
        return mean_of_sample(ops.square(see(network, unit) + V().target(x0, noise, a, s)))
