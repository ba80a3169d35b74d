"""Learned variance: the loss of ε plus a little of the variational bound, which alone sees the variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keras import ops

from diffsim import _checks
from diffsim.generative.denoiser import NEAR_NOISE
from diffsim.generative.gaussians import divergence, surprise
from diffsim.generative.training.levels import Steps
from diffsim.generative.training.loss import mean_of_sample, see, spread


@dataclass(frozen=True)
class Hybrid:
    """|ε̂ − ε|² + share · T · L_t; the network has two outputs for each channel, ε̂ and ν.

    Between neighbouring times s < t the reverse step is N(μ, Σ), log Σ = ν' log β + (1 − ν') log β̃, ν' = (ν + 1)/2,
    with β the variance of the forward step and β̃ = βσ_s²/σ_t² that of q(x_s | x_t, x₀). L_t is the divergence of q
    from it in bits per dimension; at the first time it is −log₂ of the likelihood, and β̃ is that of the second. L_t
    moves ν and not ε̂. The sum of all L_t and of the prior's divergence bounds the bits per dimension from above.

    Use it with the levels `Steps` or `Importance`, on a schedule that leaves some signal at its end.

    Args:
        share: part of the bound; math.inf: the bound alone, which then moves ε̂, too.
        bins: how many values data take between −1 and 1, 256 for images of 8 bits; None: data are continuous, and the
            likelihood is a density.

    Source: A. Nichol, P. Dhariwal, "Improved denoising diffusion probabilistic models", ICML (2021), arXiv:2102.09672.
    """

    share: float = 1e-3
    bins: int | None = 256

    channels = 2
    levels = Steps(1000)
    least = NEAR_NOISE  # without signal ε̂ says nothing of x₀, and the bound of the last step is infinite

    def __post_init__(self):
        if self.share != math.inf:
            _checks.number("share", self.share, least=0.0, why="it multiplies the bound")
        if self.bins is not None:
            _checks.integer("bins", self.bins, least=2, why="it counts the values of a pixel")

    def time(self, schedule, lam):
        """t(λ) of the schedule."""
        return schedule.label(lam)

    def of(self, network, batch):
        """The loss of each sample."""
        if "log_beta" not in batch:
            _checks.refuse("levels", _checks.Verbatim("levels without steps"), "Steps() or Importance()",
                           "the bound is one on a chain of steps", "Pass levels=gen.Steps(1000).", TypeError)
        noise, nu = ops.split(see(network, batch), 2, -1)
        if self.share == math.inf:
            return batch["steps"] * self.bound(noise, nu, batch)
        simple = mean_of_sample(ops.square(noise - batch["noise"]))
        return simple + self.share * batch["steps"] * self.bound(ops.stop_gradient(noise), nu, batch)

    def bound(self, noise, nu, batch):
        """L_t of each sample in bits per dimension.

        Args:
            noise: ε̂.
            nu: ν; −1 stands for β̃, 1 for β.
            batch: x0, noise; for each sample alpha, sigma at t, ratio = α_t/α_s, log_beta and log_small, those of
                β and β̃, and first, whether t is the first time.
        """
        x0 = batch["x0"]
        a, s, log_beta, log_small = (spread(batch[n], x0) for n in ("alpha", "sigma", "log_beta", "log_small"))
        log_var = log_small + (nu + 1) / 2 * (log_beta - log_small)
        ratio = spread(batch["ratio"], x0)
        gap = ops.exp(log_beta) / (s * ratio) * (batch["noise"] - noise)  # of the means
        moved = divergence(ops, log_small, log_var, ops.square(gap))
        mean = x0 + s / a * (batch["noise"] - noise)  # of x₀ at the first time: (x_t − σε̂)/α
        decoder = self._surprise(x0, mean, log_var)
        return ops.where(batch["first"], mean_of_sample(decoder), mean_of_sample(moved)) / math.log(2)

    def _surprise(self, x0, mean, log_var):
        """−log p(x₀) in nats, of a density or of bins."""
        return surprise(ops, x0, mean, log_var, self.bins, lambda x: 1 - ops.erf(x), 1e-12)
