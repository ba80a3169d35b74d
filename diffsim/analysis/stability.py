"""Linear stability of uniform states: dispersion relations λ(k), what grows fastest, and its name.

All of it in double precision, whatever that of parameters and states: near onset λ is a small difference of large
numbers, and in single precision its sign would be that of rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.analysis import eigen

POINTS = 513  # wavenumbers in even and as many in geometric steps bracket each maximum
ROUNDING = 1e-12  # growth below this part of |A(0)| counts as none


class Instability(IntEnum):
    """What a uniform state does when it is disturbed; the order is that of colours in maps."""

    UNKNOWN = -1  # no uniform state was found
    STABLE = 0  # every disturbance decays
    TURING = 1  # grows at k > 0 without oscillating: a stationary pattern
    HOPF = 2  # oscillates as a whole: an even number of branches, born as a complex pair, grows at k = 0
    WAVE = 3  # oscillates and grows at k > 0, while k = 0 is stable
    TURING_HOPF = 4  # Hopf at k = 0, and an odd number of branches, one of them real, grows at some k > 0
    UNIFORM = 5  # leaves for another uniform state: an odd number of branches grows at k = 0

    @property
    def label(self) -> str:
        """As figures write it."""
        return {4: "Turing–Hopf", -1: "no state"}.get(self.value, self.name.capitalize())


@dataclass(frozen=True)
class Dispersion:
    """λ(k) of all branches.

    Args:
        k: wavenumbers, K [1 / length].
        rates: complex λ [sets…, K…, S] [1 / time], the fastest growing branch first at each k.
    """

    k: np.ndarray
    rates: np.ndarray

    @property
    def growth(self) -> np.ndarray:
        """max Re λ, [sets…, K…] [1 / time]."""
        return self.rates[..., 0].real

    @property
    def frequency(self) -> np.ndarray:
        """|Im λ| of the fastest growing branch, [sets…, K…] [radian / time]."""
        return np.abs(self.rates[..., 0].imag)


class Fastest(NamedTuple):
    """The wave that grows fastest: k [1 / length], growth [1 / time], frequency [radian / time]."""

    k: float
    growth: float
    frequency: float

    @property
    def wavelength(self) -> float:
        """2π/k [length]."""
        return 2 * np.pi / self.k if self.k else np.inf


def dispersion(model, state, k) -> Dispersion:
    """λ(k): A(k²) v = λ v, A = J − k² diag(D) or what else the model's `symbol` says.

    Args:
        model: a model with `symbol`; arrays among its parameters are sets, broadcast together.
        state: uniform state: one number or array (sets) for each species.
        k: wavenumbers ≥ 0, any shape [1 / length]. `modes(grid, boundary)` has those of a box: `.k` for waves in
            space, `.lattice` for what the grid makes of them, to which growth in a run agrees to rounding.

    Returns:
        Dispersion, rates [sets…, K…, S].

    Raises:
        TypeError: a model without `symbol`.
        ValueError: negative wavenumbers; a state that does not fit the model.

    Source: M. C. Cross, P. C. Hohenberg, Rev. Mod. Phys. 65 (1993) 851, doi:10.1103/RevModPhys.65.851.
    """
    linear(model)
    k = wavenumbers(k)
    sets = model.symbol(0.0, state).shape.rank - 2
    A = model.symbol((k**2).reshape(k.shape + (1,) * sets), state)
    rates = eigen.eigenvalues(np.broadcast_to(A, k.shape + A.shape[k.ndim :]))
    return Dispersion(k, np.moveaxis(rates, range(k.ndim), range(-1 - k.ndim, -1)))


def eigenmode(model, state, k: float) -> tuple[complex, np.ndarray]:
    """(λ, v) of the fastest growing branch at one k; v, a number for each species, has its largest entry 1.

    Disturb the state by ε·Re(v)·cos(kx) and, if λ is real, it grows as e^{λt}.

    Args:
        model: a model with `symbol`, one set of parameters.
        state: uniform state, one number for each species.
        k: wavenumber ≥ 0 [1 / length].

    Raises:
        TypeError, ValueError: as `dispersion`.
    """
    linear(model)
    k = wavenumbers(_checks.number("k", k, why="an eigenvector belongs to one wavenumber"))
    lam, v = np.linalg.eig(_one_set(model.symbol(float(k) ** 2, state), model).numpy())
    first = np.lexsort((-np.imag(lam), -np.real(lam)))[0]
    v = v[:, first] / v[np.argmax(np.abs(v[:, first])), first]
    return complex(lam[first]), v


def fastest(model, state, k: tuple[float, float] | None = None) -> Fastest:
    """The greatest max Re λ over all k, or over a range, to rounding.

    Args:
        model: a model with `symbol`, one set of parameters.
        state: uniform state, one number for each species.
        k: (least, greatest) wavenumber [1 / length]; from 0 to beyond all waves that may grow if not given.

    Raises:
        TypeError, ValueError: as `dispersion`; no end to the waves that may grow, as where a species does not diffuse.
    """
    linear(model)
    at, _ = peak(model, state, k, lambda lead: lead.growth)
    growth, frequency, _ = (float(v[0]) for v in lead(model, state, np.array([at])))
    return Fastest(at, growth, frequency)


def instability(model, state, k) -> np.ndarray:
    """The `Instability` of each set of parameters, from the growth at k = 0 and at the given wavenumbers.

    Args:
        model: a model with `symbol`; arrays among its parameters are sets.
        state: uniform state: one number or array (sets) for each species.
        k: wavenumbers ≥ 0, (K,), dense enough not to miss a maximum [1 / length].

    Returns:
        Codes [sets…]; `Instability(code)` names one.

    Raises:
        TypeError, ValueError: as `dispersion`.
    """
    linear(model)
    return codes(*(np.asarray(v) for v in summary(model, state, tf.constant(wavenumbers(k).ravel() ** 2))))


def summary(model, state, k2):
    """(growth, turning at k = 0; growth, frequency, k of the fastest; whether a real branch crosses; scale)."""
    A0 = model.symbol(0.0, state)
    still = eigen.leading(A0)
    waves = eigen.leading(model.symbol(tf.reshape(k2, [-1] + [1] * (A0.shape.rank - 2)), state))
    best = tf.gather(k2, tf.argmax(waves.growth, 0, output_type=tf.int32))
    wave = eigen.leading(model.symbol(best, state))  # cheaper than to keep all frequencies
    scale = tf.reduce_max(tf.abs(A0), [-2, -1])
    crosses = tf.reduce_any(waves.turning < -ROUNDING * scale ** A0.shape[-1], 0)
    return still.growth, still.turning, wave.growth, wave.frequency, tf.sqrt(best), crosses, scale


def codes(still, turning, growth, frequency, k, crosses, scale) -> np.ndarray:
    """`Instability` by the summary of each set; UNKNOWN where it is not finite."""
    least = ROUNDING * scale
    whole, waves = still > least, growth > least
    known = np.isfinite(still) & np.isfinite(growth)
    cases = {
        Instability.UNKNOWN: ~known,
        Instability.UNIFORM: whole & (turning < 0),
        Instability.TURING_HOPF: whole & crosses,
        Instability.HOPF: whole,
        Instability.WAVE: waves & (frequency > least),
        Instability.TURING: waves,
    }
    return np.select(list(cases.values()), [np.int8(c) for c in cases], np.int8(Instability.STABLE))


def lead(model, state, k):
    """`eigen.Leading` at an array of k, as NumPy arrays."""
    return tuple(np.broadcast_to(v, k.shape) for v in eigen.leading(_one_set(model.symbol(k**2, state), model, 1)))


def peak(model, state, k, measure) -> tuple[float, float]:
    """(k, value) of the greatest measure(Leading), refined until its derivative vanishes."""
    from scipy.optimize import brentq  # not behind the front door

    _one_set(model.symbol(0.0, state), model)
    low, high = (0.0, reach(model, state)) if k is None else _range(k)
    first = max(low, 1e-5 * high)
    grid = np.unique(np.concatenate([np.linspace(low, high, POINTS), np.geomspace(first, high, POINTS)]))

    def value(k):
        return measure(eigen.Leading(*lead(model, state, np.asarray(k))))

    values = value(grid)
    best = int(np.argmax(values))
    if 0 < best < len(grid) - 1:
        stencil = np.array([-3, -2, -1, 1, 2, 3])
        weights = np.array([-1, 9, -45, 45, -9, 1]) / 60  # sixth order

        def slope(k):
            step = min(3e-3 * k, (k - low) / 4 if low else k)
            return float(weights @ value(k + step * stencil)) / step

        ends = grid[best - 1] or 1e-3 * grid[best], grid[best + 1]
        if slope(ends[0]) > 0 > slope(ends[1]):
            at = brentq(slope, *ends, xtol=1e-13 * grid[best])
            return at, float(value(np.array([at]))[0])
    return float(grid[best]), float(values[best])


def reach(model, state) -> float:
    """A wavenumber beyond which no wave grows: Re λ is at most the greatest eigenvalue of (A + Aᴴ)/2, there < 0.

    Where that stays positive, because a species does not diffuse, Re λ itself must be gone at the largest k whose
    eigenvalues are not lost in rounding; from there on it is that of the species that stay where they are.
    """
    k = np.concatenate([[0.0], 1e-6 * 2.0 ** np.arange(80)])
    A = _one_set(model.symbol(k**2, state), model, 1).numpy()
    top, size = np.linalg.eigvalsh((A + np.conj(A).swapaxes(-1, -2)) / 2)[:, -1], np.abs(A).max((-2, -1))
    scale = max(size[0], top.max())
    sound = np.flatnonzero(size <= 1e6 * scale)  # beyond, rounding hides what does not diffuse
    grows = np.flatnonzero(top[sound] > 1e-9 * scale)
    if grows.size and grows[-1] == len(sound) - 1:
        if np.linalg.eigvals(A[sound[-1]]).real.max() <= 1e-9 * scale:
            return float(k[sound[-1]])
        _checks.refuse("k", None, "(least, greatest) wavenumber", "short waves may grow without end where a species "
                       "does not diffuse", "Pass k=(0.0, largest that matters).")
    return float(k[grows[-1] + 1] if grows.size else 1.0)


def linear(model):
    """The model, if it has a symbol."""
    if isinstance(model, type) or not callable(getattr(model, "symbol", None)):
        _checks.refuse("model", model, "a model with symbol(k2, state)", "its linear part decides what grows",
                       "Use one of ds.models, or derive a class from ds.models.Reaction.", TypeError)
    return model


def wavenumbers(k) -> np.ndarray:
    """Finite k ≥ 0 as float64."""
    if not np.size(k):
        _checks.refuse("k", k, "one wavenumber or more", "growth is asked at each", "Pass np.linspace(0, kmax, n).")
    return np.asarray(_checks.finite("k", k, least=0.0, why="λ depends on |k|, the length of the wave vector",
                                     way_out="Pass np.abs(k)."), np.float64)


def _range(k):
    low, high = (float(v) for v in wavenumbers(k).ravel()) if np.size(k) == 2 else (1.0, 0.0)
    if not low < high:
        _checks.refuse("k", k, "(least, greatest) with 0 ≤ least < greatest", "the fastest wave is sought in between",
                       "Give both ends, or leave it out.")
    return low, high


def _one_set(A, model, axes: int = 0):
    if A.shape.rank != 2 + axes:
        _checks.refuse(type(model).__name__, _checks.Verbatim(f"{A.shape[axes:-2]} sets of parameters"), "one set",
                       "one wave and one number are sought", "Use stability_map or dispersion for many sets.")
    return A
