"""The one protocol of generative models: D(z, λ) = E[x₀ | z], the mean of what may have been before noise was added.

A denoiser is any function D(z, λ), or D(z, λ, condition), of z = x/α, whose first axis is the batch, and λ, a scalar
or one number for each row; it returns an estimate of x₀ shaped like z. Networks keep the form in which they were
trained, network(x, t, condition) of the scaled x = αz and the schedule's own t, shape (batch,), in the dtype of z;
`from_epsilon` and its siblings turn what they return into D. The condition is left out where there is none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest, _tree
from diffsim.generative.schedule import END, Schedule

NEAR_NOISE = -16.0  # where σ/α = 10⁷ multiplies the error of a network that tells noise


def rows(lam, z):
    """λ as one number for each row of z, in its dtype."""
    lam = _nest.to(lam, z.dtype)
    return tf.fill(tf.shape(z)[:1], lam) if lam.shape.rank == 0 else lam


def spread(lam, z):
    """λ as a factor of z: a scalar, or one number for each row."""
    return _nest.spread(_nest.to(lam, z.dtype), z)


def alike(a, x, b, y):
    """x and y, called a and b, as tensors; refused unless they are real and of one shape and dtype."""
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    if not x.dtype.is_floating:
        way_out = "Use tf.cast(…, tf.float32), and gen.dequantise for pixels."
        _checks.refuse(a, x, "real numbers", "data are mixed with noise", way_out, TypeError)
    if x.dtype != y.dtype or not x.shape.is_compatible_with(y.shape):
        expected = f"{a}'s shape {x.shape} and {x.dtype.name}"
        _checks.refuse(b, y, expected, "they are added entry by entry", "Make one like the other.")
    return x, y


def ask(network, x, t, condition):
    """What a network says of x, checked to be like it; and what it says of variances, in as many channels, or None."""
    out, told = network(x, t) if condition is None else network(x, t, condition), None
    if out is None:
        why, way_out = "it estimates noise, data or a mix for every entry of the state", "Let it return what it finds."
        _checks.refuse("network", _checks.Verbatim("a function that returns None"), "a tensor", why, way_out, TypeError)
    out = tf.convert_to_tensor(out)
    if out.shape.rank and None not in (out.shape[-1], x.shape[-1]) and out.shape[-1] == 2 * x.shape[-1]:
        out, told = tf.split(out, 2, -1)
    if not out.shape.is_compatible_with(x.shape):
        way_out = "Make it with as many channels as the state has, or twice as many to tell variances."
        why = "it estimates noise, data or a mix for every entry of the state"
        _checks.refuse("network", _checks.Verbatim(f"a result of shape {out.shape}"), f"{x.shape}", why, way_out)
    return tf.ensure_shape(tf.cast(out, x.dtype), x.shape), told


def innermost(denoiser):
    """The denoiser from which others were made by guidance, evidence or bounds."""
    while hasattr(denoiser, "denoiser"):
        denoiser = denoiser.denoiser
    return denoiser


def check_labels(denoiser, condition):
    """Refuse labels of classes that a network does not know: compiled programs would take them for others."""
    network = getattr(innermost(denoiser), "network", None)
    label = condition.get("label") if isinstance(condition, dict) else condition
    if not hasattr(network, "sample_shape") or label is None or callable(label) or tf.is_symbolic_tensor(label):
        return  # of a network of another make nothing is known
    labels = np.asarray(label)
    if labels.dtype.kind not in "biu":
        return
    if not isinstance(label, (np.ndarray, np.generic)) and not tf.is_tensor(label):
        way_out = "Pass np.full(batch, label), or np.array([…])."
        _checks.refuse("condition", label, "an array", "each row of z has a label", way_out, TypeError)
    known = network.labels
    if not known:
        why, way_out = "this network knows no classes", "Make it with labels=…."
        _checks.refuse("condition", label, "no labels", why, way_out, TypeError)
    unknown = sorted({int(i) for i in labels[(labels < 0) | (labels > known)].ravel()})
    if unknown:
        expected = f"labels from 0 to {known - 1}, or {known} for none"
        _checks.refuse("condition", unknown, expected, f"the network was made for {known} classes", "Count from 0.")


def _check_network(network):
    if not callable(network):
        way_out = "Pass a Keras model or a function."
        _checks.refuse("network", network, "a function network(x, t)", "it is asked at every step", way_out, TypeError)


def _check_schedule(schedule):
    way_out = "Pass the one it was trained on, e.g. gen.Cosine()."
    why = "it says at which scale and time the network sees z"
    _checks.instance("schedule", schedule, Schedule, why=why, way_out=way_out)


@dataclass(frozen=True)
class Denoiser(ABC):
    """A network read as D(z, λ, condition).

    Args:
        network: network(x, t), or network(x, t, condition); the second half of twice as many channels as x has tells
            variances, see `both`.
        schedule: on which it was trained.
        condition: given to the network where D is called without one; None gives nothing.
    """

    network: Callable
    schedule: Schedule
    condition: Any = None

    blind: ClassVar[float] = -END  # λ below which noise hides data from this kind of network

    def __post_init__(self):
        object.__setattr__(self, "condition", _tree.own(self.condition))
        _check_network(self.network)
        check_labels(self, self.condition)
        _check_schedule(self.schedule)

    def __call__(self, z, lam, condition=None):
        """E[x₀ | z] at λ."""
        return self._asked(z, lam, condition)[0]

    def both(self, z, lam, condition=None):
        """E[x₀ | z], and the second half of the channels of a network that tells variances, too."""
        D, told = self._asked(z, lam, condition)
        if told is None:
            received = _checks.Verbatim(f"one of {z.shape[-1]} channels")
            why = "the second half of them tells variances"
            way_out = "Train one of twice as many with Hybrid(), or give a variance: gen.Fixed(), gen.unsure(…)."
            _checks.refuse("network", received, f"one of {2 * z.shape[-1]} channels", why, way_out, TypeError)
        return D, told

    def _asked(self, z, lam, condition):
        lam = rows(lam, z)
        alpha, sigma = (spread(a, z) for a in self.schedule.scales(lam))
        x, t = self.see(z, alpha, lam)
        out, told = ask(self.network, x, t, self.condition if condition is None else condition)
        return self.read(out, z, lam, alpha, sigma), told

    def see(self, z, alpha, lam):
        """What the network sees of z and λ."""
        return alpha * z, self.schedule.label(lam)

    @abstractmethod
    def read(self, out, z, lam, alpha, sigma):
        """x₀ from what the network returned."""


class Around:
    """A denoiser made from another one, its attribute `denoiser`, whose limits it has."""

    @property
    def schedule(self):
        """That of the denoiser inside, None if it has none."""
        return getattr(self.denoiser, "schedule", None)

    @property
    def blind(self):
        """As the denoiser inside."""
        return getattr(self.denoiser, "blind", None)


class from_epsilon(Denoiser):  # noqa: N801 - reads as a verb
    """x₀ = z − (σ/α) ε̂: the network estimates the noise.

    Args:
        network: network(x, t), or network(x, t, condition), of x = αz and the schedule's t, shape (batch,); of a
            `Discrete` schedule t counts steps.
        schedule: on which it was trained.
        condition: given to the network at every call; None gives nothing.
    """

    blind = NEAR_NOISE

    def read(self, out, z, lam, alpha, sigma):
        """Take the noise out."""
        return z - spread(tf.exp(-lam), z) * out


class from_x0(Denoiser):  # noqa: N801
    """x₀ = x̂₀: the network estimates the data; arguments as of `from_epsilon`."""

    def read(self, out, z, lam, alpha, sigma):
        """As it is."""
        return out


class from_v(Denoiser):  # noqa: N801
    """x₀ = (αx − σv̂)/(α² + σ²), v = αε − σx₀; arguments as of `from_epsilon`.

    References:
        Salimans & Ho (2022), arXiv:2202.00512.
    """

    def read(self, out, z, lam, alpha, sigma):
        """Turn (x, v) back."""
        return (alpha * alpha * z - sigma * out) / (alpha * alpha + sigma * sigma)


class from_score(Denoiser):  # noqa: N801
    """x₀ = (x + σ²ŝ)/α (Tweedie): the network estimates s = ∇ₓ log p(x, t); arguments as of `from_epsilon`.

    References:
        Efron (2011), doi:10.1198/jasa.2011.tm11181; Song et al. (2021), arXiv:2011.13456.
    """

    blind = NEAR_NOISE

    def read(self, out, z, lam, alpha, sigma):
        """Tweedie's formula."""
        return z + sigma * sigma / alpha * out


class from_velocity(Denoiser):  # noqa: N801
    """x₀ = (σ̇x − σû)/(σ̇α − σα̇), u = dx/dt = α̇x₀ + σ̇ε: x − tû on the straight path of `CondOT`.

    Time runs from data to noise, so that u = ε − x₀ there; networks with the other sign need −network(x, 1 − t).
    Arguments as of `from_epsilon`.

    References:
        Lipman et al. (2023), arXiv:2210.02747; Liu, Gong & Liu (2023), arXiv:2209.03003.
    """

    def read(self, out, z, lam, alpha, sigma):
        """Solve for x₀."""
        da, ds = (spread(r, z) for r in self.schedule.slopes(self.schedule.time(lam)))
        return (ds * alpha * z - sigma * out) / (ds * alpha - sigma * da)


@dataclass(frozen=True)
class preconditioned:  # noqa: N801
    """D = c_skip z + c_out F(c_in z, ¼ log σ, condition), in which input and target of F have variance one.

    With σ = e^{−λ} and s² the variance of data, c_in = 1/√(σ² + s²); of all c_skip, s²/(σ² + s²) leaves the least to
    F, of standard deviation c_out = σs/√(σ² + s²).

    Args:
        network: F(x, c, condition), the condition left out where there is none.
        sigma_data: s, standard deviation of the data.
        condition: as for the others.

    References:
        Karras et al. (2022), arXiv:2206.00364, table 1 and appendix B.6.
    """

    network: Callable
    sigma_data: float = 0.5
    condition: Any = None

    def __post_init__(self):
        object.__setattr__(self, "condition", _tree.own(self.condition))
        _check_network(self.network)
        check_labels(self, self.condition)
        _checks.number("sigma_data", self.sigma_data, above=0.0, why="it is the standard deviation of data")

    def __call__(self, z, lam, condition=None):
        """E[x₀ | z] at λ."""
        lam, s = rows(lam, z), _nest.to(self.sigma_data, z.dtype)
        sigma = spread(tf.exp(-lam), z)
        size = tf.sqrt(sigma * sigma + s * s)
        out, _ = ask(self.network, z / size, -lam / 4, self.condition if condition is None else condition)
        return (s / size) ** 2 * z + sigma * s / size * out


def to_epsilon(x0, z, lam):
    """ε = (z − x₀)e^λ."""
    x0, z = alike("x0", x0, "z", z)
    return (z - x0) * spread(tf.exp(_nest.to(lam, z.dtype)), z)


def to_score(x0, z, lam, schedule: Schedule | None = None):
    """∇_z log p = (x₀ − z)e^{2λ}; with a schedule ∇ₓ log p = (αx₀ − x)/σ², of x = αz."""
    x0, z = alike("x0", x0, "z", z)
    lam = _nest.to(lam, z.dtype)
    score = (x0 - z) * spread(tf.exp(2 * lam), z)
    return score if schedule is None else score / spread(schedule.scales(lam)[0], z)


def to_v(x0, z, lam, schedule: Schedule):
    """v = αε − σx₀."""
    x0, z = alike("x0", x0, "z", z)
    _check_schedule(schedule)
    alpha, sigma = (spread(a, z) for a in schedule.scales(_nest.to(lam, z.dtype)))
    return alpha * to_epsilon(x0, z, lam) - sigma * x0


def to_velocity(x0, z, lam, schedule: Schedule):
    """u = dx/dt = α̇x₀ + σ̇ε."""
    x0, z = alike("x0", x0, "z", z)
    _check_schedule(schedule)
    da, ds = (spread(r, z) for r in schedule.slopes(schedule.time(_nest.to(lam, z.dtype))))
    return da * x0 + ds * to_epsilon(x0, z, lam)


def check(denoiser, why: str):
    """Refuse what is no function."""
    if not callable(denoiser):
        way_out = "Use gen.from_epsilon(network, schedule), say."
        _checks.refuse("denoiser", denoiser, "a function D(z, λ)", why, way_out, TypeError)
