"""One training step as a Keras model: the loss of a batch, the running mean of the weights, remembered losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from diffsim import _checks
from diffsim.generative.training.together import pack, unpack


class Average(ABC):
    """θ̂ ← βθ̂ + (1 − β)θ after each step."""

    @abstractmethod
    def momentum(self, n):
        """β after n steps, n ≥ 1; it is 0 at n = 1."""


@dataclass(frozen=True)
class EMA(Average):
    """β = min(decay, (n − 1)/(n + 9)): exponential, with a warm-up in which it forgets the first weights.

    Args:
        decay: β in the end; it averages over about 1/(1 − β) steps.
    """

    decay: float = 0.999

    def __post_init__(self):
        if not 0 <= _checks.number("decay", self.decay, why="it is a share") < 1:
            _checks.refuse("decay", self.decay, "0 ≤ decay < 1", "it is the share kept of the mean", "Use 0.999.")

    def momentum(self, n):
        """min(decay, (n − 1)/(n + 9))."""
        return ops.minimum(self.decay, (n - 1) / (n + 9))


@dataclass(frozen=True)
class PowerEMA(Average):
    """θ̂ₙ ∝ Σ kᵞ θₖ, a profile that grows with training: β = (1 − 1/n)^{γ+1}.

    Args:
        width: standard deviation of the profile over n, 0 < width < 0.28; it fixes γ by
            width² = (γ + 1)/((γ + 2)²(γ + 3)).

    Source: T. Karras et al., CVPR (2024), doi:10.1109/CVPR52733.2024.02282.
    """

    width: float = 0.1

    def __post_init__(self):
        width = _checks.number("width", self.width, above=0.0, why="a profile has a width")
        if width >= 12**-0.5:
            _checks.refuse("width", width, "width < 1/√12 = 0.289", "that is the plain mean, with γ = 0", "Use 0.1.")

    @property
    def gamma(self) -> float:
        """γ ≥ 0: the real root of width²(γ + 2)²(γ + 3) = γ + 1."""
        w = self.width**-2
        roots = np.roots([1.0, 7.0, 16.0 - w, 12.0 - w])
        return float(roots.real[np.abs(roots.imag) < 1e-9].max())

    def momentum(self, n):
        """(1 − 1/n)^{γ+1}."""
        return (1 - 1 / n) ** (self.gamma + 1)


class Trainer(keras.Model):
    """Gives the loss of a batch to Keras, and keeps the running mean of all weights, as one vector.

    The mean is brought up to date at the start of a step, so that it holds all steps but the last; `settle` adds that.

    Args:
        network: what is trained.
        loss: as `Matching`.
        rule: how weights are averaged.
        remember: number of times whose losses are remembered; 0: none.
        history: how many losses of a time count.
    """

    def __init__(self, network, loss, rule, remember=0, history=1):
        super().__init__(autocast=False, dtype=network.dtype_policy)
        self.network, self.loss_, self.rule = network, loss, rule
        self.reach = history  # not `history`, which Keras puts its own in
        self.noted = keras.metrics.Mean(name="noted")  # the loss, whatever scaling replicas need
        whole = {"initializer": "zeros", "trainable": False, "dtype": "float32", "autocast": False}
        first = {"aggregation": "only_first_replica"}  # all replicas have the same
        self.count = self.add_weight(shape=(), name="count", **first, **whole)
        size, full = sum(int(np.prod(w.shape)) for w in network.weights), network.dtype_policy.variable_dtype
        self.mean = self.add_weight(shape=(size,), name="mean", **first, **whole | {"dtype": full})
        self.squares = self.seen = None
        self.drawn_by = ()
        if remember:
            self.squares = self.add_weight(shape=(remember,), name="squares", aggregation="mean", **whole)
            self.seen = self.add_weight(shape=(remember,), name="seen", aggregation="mean", **whole)
            self.drawn_by = [self.add_weight(shape=(remember,), name=n, **whole) for n in ("old_squares", "old_seen")]
        self.built = True

    def call(self, batch, training=None):
        """The loss of each sample."""
        if training:
            self._follow()
        loss = self.loss_.of(self.network, batch)
        if training and self.squares is not None:
            self._remember(ops.stop_gradient(loss), batch["index"])
        if "importance" in batch:
            loss = loss * batch["importance"]
        if training:
            self.add_loss(ops.mean(loss))
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Note the loss."""
        self.noted.update_state(y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def _mean(self):
        """θ̂ ← βθ̂ + (1 − β)θ; 0 before the first step."""
        n = ops.convert_to_tensor(self.count)
        keep = ops.where(n > 0, self.rule.momentum(ops.maximum(n, 1.0)), 0.0)
        mean = ops.convert_to_tensor(self.mean)
        return mean + ops.cast(1 - keep, mean.dtype) * (pack(self.network.weights, mean.dtype) - mean)

    def _follow(self):
        self.mean.assign(self._mean())
        self.count.assign(self.count + 1)

    def _remember(self, loss, index):
        """E[L²] of each time, by an exponential mean over about `history` losses."""
        T = self.squares.shape[0]
        L = ops.cast(loss, "float32")
        total, count = (ops.segment_sum(v, index, T) for v in (ops.square(L), ops.ones_like(L)))
        seen = ops.convert_to_tensor(self.seen)
        rate = ops.maximum(count / ops.maximum(seen + count, 1.0), 1 - (1 - 1 / self.reach) ** count)
        self.squares.assign(self.squares + rate * (total / ops.maximum(count, 1.0) - self.squares))
        self.seen.assign(seen + count)

    def memory(self, renew: bool):
        """E[L²] and the number of losses seen, of each time, as of the last renewal; nothing if none are remembered.

        What times are drawn by stays with the checkpoint, so that a run broken off between two renewals goes on alike.
        """
        if renew and self.squares is not None:
            for old, new in zip(self.drawn_by, (self.squares, self.seen), strict=True):
                old.assign(new)
        return tuple(ops.convert_to_numpy(v) for v in self.drawn_by)

    def settle(self, average):
        """Give a network of the same make the mean of the weights, those after the last step included."""
        for weight, value in zip(average.weights, unpack(self._mean(), average.weights), strict=True):
            weight.assign(value)
