"""Schedules of discrete steps, as networks are trained on: ᾱₙ = Π(1 − βₖ), n = 0 … N − 1."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest
from diffsim._tree import static
from diffsim.generative.paths import Cosine
from diffsim.generative.schedule import END, Preserving, real


@dataclass(frozen=True, repr=False)
class Discrete(Preserving):
    """α² = ᾱₙ at the steps n = 0 … N − 1, λ linear in between; data themselves lie beyond step 0.

    Args:
        alphas_cumprod: ᾱₙ, shape (N,), falling, 1 > ᾱ ≥ 0.
        rounded: give networks the nearest step, as those that look it up in a table need; False gives places
            between steps.

    Raises:
        TypeError, ValueError: ᾱ that do not fall, or outside [0, 1).
    """

    alphas_cumprod: np.ndarray
    rounded: bool = static(default=True)
    table: np.ndarray = field(init=False, repr=False)  # λₙ, falling

    def __post_init__(self):
        a = np.array(_checks.finite("alphas_cumprod", self.alphas_cumprod, least=0.0, why="it is a share"), np.float64)
        _checks.flag("rounded", self.rounded, why="it says whether networks see whole steps only")
        if a.ndim != 1 or a.size < 2 or not np.all(np.diff(a) < 0) or not a[0] < 1.0:
            way_out = "Pass ᾱ, the cumulative product of 1 − β; gen.Discrete.of(betas) makes it."
            why = "signal is lost at every step"
            _checks.refuse("alphas_cumprod", self.alphas_cumprod, "numbers that fall from below one", why, way_out)
        with np.errstate(divide="ignore"):
            table = np.clip(0.5 * (np.log(a) - np.log1p(-a)), -END, END)
        for name, value in (("alphas_cumprod", a), ("table", table)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __repr__(self):
        return f"Discrete({self.steps} steps, ᾱ = {self.alphas_cumprod[0]:.6g} … {self.alphas_cumprod[-1]:.4g})"

    @classmethod
    def of(cls, betas, **options) -> Discrete:
        """Of given betas, shape (N,), 0 < β ≤ 1."""
        betas = np.asarray(_checks.finite("betas", betas, why="they are shares of variance"), np.float64)
        if betas.ndim != 1 or not np.all((betas > 0) & (betas <= 1)):
            way_out = "Pass a vector of them."
            _checks.refuse("betas", betas, "numbers in (0, 1]", "each is the share of variance replaced", way_out)
        return cls(np.cumprod(1 - betas), **options)

    @classmethod
    def linear(cls, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02, **options) -> Discrete:
        """β linear from first to last (Ho et al. 2020)."""
        return cls.of(np.linspace(beta_start, beta_end, _steps(steps)), **options)

    @classmethod
    def scaled_linear(cls, steps: int = 1000, beta_start: float = 8.5e-4, beta_end: float = 0.012, **options):
        """√β linear from first to last; the defaults are Stable Diffusion's (Rombach et al. 2022)."""
        return cls.of(np.linspace(beta_start**0.5, beta_end**0.5, _steps(steps)) ** 2, **options)

    @classmethod
    def cosine(cls, steps: int = 1000, s: float = 0.008, max_beta: float = 0.999, **options) -> Discrete:
        """βₙ = min(1 − ᾱ((n + 1)/N)/ᾱ(n/N), max_beta) of the cosine (Nichol & Dhariwal 2021)."""
        share = np.exp(2 * Cosine(s).log_alpha(np.arange(_steps(steps) + 1) / steps).numpy())
        return cls.of(np.minimum(1 - share[1:] / share[:-1], max_beta), **options)

    @classmethod
    def sigmoid(cls, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02, **options) -> Discrete:
        """β on a logistic curve from −6 to 6 (Xu et al. 2022, GeoDiff, arXiv:2203.02923)."""
        curve = 1 / (1 + np.exp(-np.linspace(-6, 6, _steps(steps))))
        return cls.of(curve * (beta_end - beta_start) + beta_start, **options)

    def zero_terminal(self) -> Discrete:
        """√ᾱ shifted and stretched so that no signal is left at the last step (Lin et al. 2024, arXiv:2305.08891)."""
        root = np.sqrt(self.alphas_cumprod)
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        return Discrete(root * root, rounded=self.rounded)

    @property
    def steps(self) -> int:
        """N."""
        return int(self.table.shape[0])

    @property
    def end(self):
        """N − 1."""
        return self.steps - 1.0

    def lam(self, t):
        """λ, linear between steps."""
        t = real(t)
        table = _nest.to(self.table, t.dtype)
        left = tf.clip_by_value(tf.floor(t), 0.0, self.end - 1)
        n = tf.cast(left, tf.int32)
        a, b = tf.gather(table, n), tf.gather(table, n + 1)
        return a + (b - a) * tf.clip_by_value(t - left, 0.0, 1.0)

    def log_alpha(self, t):
        """log α."""
        return tf.math.log(self.scales(self.lam(t))[0])

    def variance(self, t):
        """σ²."""
        return self.scales(self.lam(t))[1] ** 2

    def time(self, lam):
        """n, a real number in [0, N − 1], the ends beyond them."""
        lam = real(lam)
        table = _nest.to(self.table, lam.dtype)
        n = tf.searchsorted(-table, -tf.reshape(lam, [-1]), side="right")
        n = tf.reshape(tf.clip_by_value(n, 1, self.steps - 1), tf.shape(lam))
        a, b = tf.gather(table, n - 1), tf.gather(table, n)
        return tf.cast(n - 1, lam.dtype) + tf.clip_by_value((lam - a) / (b - a), 0.0, 1.0)

    def label(self, lam):
        """The nearest step."""
        t = self.time(lam)
        return tf.round(t) if self.rounded else t


def _steps(steps):
    return _checks.integer("steps", steps, least=2, why="it is the number of steps that a network is trained on")
