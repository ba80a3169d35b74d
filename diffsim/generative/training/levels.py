"""At which noise levels a network is trained: λ of each sample of a batch, a function of (key, step)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import tensorflow as tf

from diffsim import _checks, random
from diffsim.generative.betas import Discrete
from diffsim.generative.widths import between


class Levels(ABC):
    """How noise levels are drawn."""

    @abstractmethod
    def draw(self, schedule, key, step, n, memory):
        """{"lam": (n,) in float64, …}: what a batch needs to know of its levels."""

    def check(self, schedule):
        """Refuse a schedule that does not go with these levels."""
        return

    def times(self, schedule) -> int:
        """Number of times whose losses are to be remembered."""
        return 0


def even(key, step, n):
    """n numbers in [0, 1), each uniform, together one in each n-th of it: means over them vary less.

    Source: D. Kingma, T. Salimans, B. Poole, J. Ho, "Variational diffusion models" (2021), arXiv:2107.00630, I.1.
    """
    u = random.uniform(key, (1,), tf.float64, step=step)
    return tf.math.floormod(u + tf.range(n, dtype=tf.float64) / n, 1.0)


@dataclass(frozen=True)
class Uniform(Levels):
    """t uniform between `first`·end and the end of the schedule; on a `Discrete` one all steps alike.

    Args:
        first: share of the time next to the data that is left out, where there is next to no noise.
    """

    first: float = 1e-3

    def __post_init__(self):
        if not 0 <= _checks.number("first", self.first, why="it is a share of time") < 1:
            _checks.refuse("first", self.first, "0 ≤ first < 1", "it is a share of time", "Use 0.001.")

    def draw(self, schedule, key, step, n, memory):
        """λ(t)."""
        u = even(key, step, n)
        if isinstance(schedule, Discrete):
            return {"lam": schedule.lam(tf.floor(u * schedule.steps))}
        return {"lam": schedule.lam(schedule.end * (self.first + (1 - self.first) * u))}


@dataclass(frozen=True)
class LogNormal(Levels):
    """log(σ/α) ∼ N(mean, deviation²): most where a network learns most.

    Source: T. Karras, M. Aittala, T. Aila, S. Laine, NeurIPS (2022), arXiv:2206.00364, table 1.
    """

    mean: float = -1.2
    deviation: float = 1.2

    def __post_init__(self):
        _checks.number("mean", self.mean, why="it is a mean")
        _checks.number("deviation", self.deviation, above=0.0, why="it is a standard deviation")

    def draw(self, schedule, key, step, n, memory):
        """λ = −log(σ/α), stratified."""
        u = tf.clip_by_value(even(key, step, n), 2.0**-54, 1 - 2.0**-53)
        return {"lam": -(self.mean + self.deviation * tf.math.ndtri(u))}


@dataclass(frozen=True)
class Steps(Levels):
    """All T steps of a chain alike: those of a `Discrete` schedule, or t = i·end/T, i = 1 … T.

    Args:
        count: T; None: the steps of a `Discrete` schedule.
    """

    count: int | None = None

    def __post_init__(self):
        if self.count is not None:
            _checks.integer("count", self.count, least=2, why="it is the number of steps")

    def check(self, schedule):
        """T is known once."""
        own = schedule.steps if isinstance(schedule, Discrete) else None
        if self.count not in (None, own) if own else self.count is None:
            expected = "an integer" if own is None else f"{own} or None"
            _checks.refuse("count", self.count, expected, "the bound is one on a chain of that many steps",
                           "Pass Steps(1000), or None for a Discrete schedule.")

    def chain(self, schedule):
        """λ at all steps, falling, in float64."""
        if isinstance(schedule, Discrete):
            return schedule.lam(tf.range(schedule.steps, dtype=tf.float64))
        return schedule.lam(tf.range(1, self.count + 1, dtype=tf.float64) * (schedule.end / self.count))

    def draw(self, schedule, key, step, n, memory):
        """λ, and what the bound needs of the step."""
        lam = self.chain(schedule)
        T = lam.shape[0]
        index = tf.minimum(tf.cast(even(key, step, n) * T, tf.int32), T - 1)
        return step_facts(schedule, lam, index)


@dataclass(frozen=True)
class Importance(Steps):
    """Step i with probability pᵢ ∝ √E[Lᵢ²], and its loss divided by T·pᵢ: the same mean with less noise.

    E[L²] is a running mean over about `history` losses of that step, brought up to date every `every` steps of
    training; until each step has had as many, all are drawn alike.

    Args:
        count: as in `Steps`.
        history: how many losses of a step count.

    Source: A. Nichol, P. Dhariwal, ICML (2021), arXiv:2102.09672, section 3.3.
    """

    history: int = 10

    def __post_init__(self):
        super().__post_init__()
        _checks.integer("history", self.history, least=1, why="it counts losses")

    def times(self, schedule) -> int:
        """T."""
        return schedule.steps if isinstance(schedule, Discrete) else self.count

    def draw(self, schedule, key, step, n, memory):
        """λ, what the bound needs, the step's index and its weight 1/(T·p)."""
        lam = self.chain(schedule)
        T = lam.shape[0]
        squares, seen = (tf.cast(m, tf.float64) for m in memory)
        root = tf.sqrt(tf.maximum(squares, 1e-30))
        p = tf.where(tf.reduce_all(seen >= self.history), root / tf.reduce_sum(root), tf.ones_like(root) / T)
        index = tf.minimum(tf.searchsorted(tf.cumsum(p), even(key, step, n), side="right"), T - 1)
        facts = step_facts(schedule, lam, index)
        return facts | {"index": index, "importance": 1 / (T * tf.gather(p, index))}


def step_facts(schedule, lam, index):
    """Of steps s → t: λ_t, log β, log β̃ of x, α_t/α_s; s of the first is the data, and its β̃ that of the second."""
    alpha, sigma = schedule.scales(lam)
    later = between(schedule, lam[1:], lam[:-1])
    small = later.small + 2 * later.log_alpha
    log_beta = tf.concat([2 * tf.math.log(sigma[:1]), small + later.wide], 0)
    log_small = tf.concat([small[:1], small], 0)
    ratio = alpha / tf.concat([[tf.constant(1.0, tf.float64)], alpha[:-1]], 0)
    table = {"lam": lam, "log_beta": log_beta, "log_small": log_small, "ratio": ratio}
    facts = {name: tf.gather(column, index) for name, column in table.items()}
    return facts | {"first": index == 0, "steps": tf.fill(tf.shape(index), tf.constant(lam.shape[0], tf.float64))}
