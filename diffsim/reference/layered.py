"""Composite slabs: layers in series, with partition and resistance where they meet.

In each layer c_t = D c_xx. The activity a = c/S, S the solubility, and the flux J = −D S a_x pass from layer
to layer: J is continuous and a drops by J times the contact resistance, so that c₂/c₁ = S₂/S₁ without one. At
the two ends J = ∓h(a − a_outside): h = ∞ holds the wall at a_outside, h = 0 closes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffsim._checks import integer, refuse
from diffsim.reference._input import array, diffusivity, positive, time, within
from diffsim.reference._roots import bisect


@dataclass(frozen=True)
class Layers:
    """Layers 1 … n from x = 0 to x = Σ thickness.

    Args:
        thickness: of each layer, > 0 [length].
        D: diffusivity of each layer, > 0 [length²/time].
        solubility: S of each layer, > 0; all 1 by default.
        resistance: contact resistance at each of the n − 1 interfaces, ≥ 0 [time/length]; all 0 by default.
        h: transfer coefficient at the two ends, in [0, ∞] [length/time]; both ∞ by default.

    Raises:
        ValueError: a number out of its range, or sequences whose lengths do not fit.
    """

    thickness: tuple[float, ...]
    D: tuple[float, ...]
    solubility: tuple[float, ...] | None = None
    resistance: tuple[float, ...] | None = None
    h: tuple[float, float] = (math.inf, math.inf)

    def __post_init__(self):
        """Fill in the defaults and refuse what cannot be a slab."""
        thickness = np.atleast_1d(positive("thickness", self.thickness, "a layer has a thickness"))
        n = len(thickness)
        S = np.ones(n) if self.solubility is None else self.solubility
        R = np.zeros(n - 1) if self.resistance is None else self.resistance
        h = np.asarray(self.h, np.float64)
        if not (h >= 0).all():
            refuse("h", self.h, "two numbers in [0, inf]", "a film can only hinder the flux", "Check signs.")
        for what, values, size in (
            ("thickness", thickness, n),
            ("D", diffusivity(self.D), n),
            ("solubility", positive("solubility", S, "an insoluble layer is a wall"), n),
            ("resistance", array("resistance", R, "a contact can only hinder the flux", least=0.0), n - 1),
            ("h", h, 2),
        ):
            values = np.atleast_1d(values)
            if values.shape != (size,):
                refuse(what, values, f"{size} numbers", f"there are {n} layers", "Give one for each of them.")
            object.__setattr__(self, what, tuple(values.tolist()))

    @property
    def walls(self) -> np.ndarray:
        """Ends and interfaces in rising order, shape (n + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.thickness)])

    @property
    def conductivity(self) -> np.ndarray:
        """D S of each layer: flux per gradient of the activity."""
        return np.array(self.D) * np.array(self.solubility)

    @property
    def total_resistance(self) -> float:
        """1/h₁ + Σ thickness/(D S) + Σ resistance + 1/h₂: the drop in activity per flux."""
        ends = sum(1 / h if h else math.inf for h in self.h)
        return float(ends + np.sum(self.thickness / self.conductivity) + sum(self.resistance))

    def locate(self, x) -> np.ndarray:
        """The layer of each x; an interface belongs to the layer on its right."""
        x = within("x", x, 0.0, self.walls[-1], "the slab lies between its ends")
        return np.clip(np.searchsorted(self.walls, x, side="right") - 1, 0, len(self.D) - 1)


def steady(layers: Layers, x, c0: float, J: float):
    """c(x) = S a(x), a(0) = c₀/S₁, a falls by J × resistance: the steady profile with the flux J.

    For activities a₁ and a₂ outside, J = (a₁ − a₂)/`layers.total_resistance`.

    Args:
        layers: the slab; its end coefficients h play no part.
        x: positions in the slab, any shape [length].
        c0: concentration inside the first layer at x = 0.
        J: flux, the same at every x [unit of c0 × length/time].

    Returns:
        Concentration, shaped like x.

    Raises:
        ValueError: x outside the slab.

    Source: J. Crank, The Mathematics of Diffusion, 2nd ed., Oxford 1975, §3.7 and §12.2.
    """
    i, x = layers.locate(x), array("x", x, "a position is a number")
    per_layer = np.array(layers.thickness) / layers.conductivity
    before = np.concatenate([[0.0], np.cumsum(per_layer[:-1] + np.array(layers.resistance))])
    drop = J * (before[i] + (x - layers.walls[i]) / layers.conductivity[i])
    return np.array(layers.solubility)[i] * (c0 / layers.solubility[0] - drop)


def decay_rates(layers: Layers, n: int) -> np.ndarray:
    """Φ(√λ) = mπ, m = 1, 2, …: the rates λ at which the modes of the slab decay, without a gap.

    Φ is the Prüfer angle tan Φ = kω a/q, q = k a_x, ω = √(λ/D), k = D S. It grows by ω × thickness in a layer
    and keeps its branch at an interface, so it counts the modes: each is found, however close to the next.

    Args:
        layers: the slab; what is outside has activity 0.
        n: number of rates, ≥ 1.

    Returns:
        The first n rates in rising order, shape (n,) [1/time]; the first is 0 if both ends are closed.

    Raises:
        ValueError: n < 1.

    Source: M. D. Mikhailov, M. N. Özişik, Unified Analysis and Solutions of Heat and Mass Diffusion,
        Wiley 1984; H. Prüfer, Math. Ann. 95 (1926) 499.
    """
    n = integer("n", n, least=1, why="rates are counted from the lowest")
    target, (h1, h2) = np.arange(1, n + 1) * np.pi, layers.h
    root_D, k = np.sqrt(layers.D), layers.conductivity
    contact = (0.0, *layers.resistance)

    def excess(s):
        per_omega = h1 * root_D[0] / (k[0] * s) if h1 < math.inf else np.full_like(s, np.inf)
        angle = np.arctan2(1.0, per_omega)
        for j, (width, R) in enumerate(zip(layers.thickness, contact, strict=True)):
            if j:
                old, new = k[j - 1] / root_D[j - 1], k[j] / root_D[j]
                branch = np.round(angle / np.pi) * np.pi
                angle = branch + np.arctan(new / old * np.tan(angle - branch) + R * new * s)
            angle = angle + s * width / root_D[j]
        film = np.arctan2(k[-1] / root_D[-1] * s, h2) if h2 < math.inf else 0.0
        return angle + film - target

    most = (target + np.pi * len(k)) / np.sum(layers.thickness / root_D)
    return bisect(excess, np.zeros(n), most) ** 2


def modes(layers: Layers, x, n: int):
    """∫ S aₘ aₙ dx = δₘₙ: the first n eigenfunctions aₙ, in activity.

    Args:
        layers: the slab.
        x: positions in the slab, any shape [length].
        n: number of modes, ≥ 1.

    Returns:
        Rates, shape (n,), and activities aₙ(x), shape (..., n); the concentration of a mode is S aₙ.

    Raises:
        ValueError: n < 1, or x outside the slab.

    Source: M. D. Mikhailov, M. N. Özişik, Unified Analysis and Solutions of Heat and Mass Diffusion,
        Wiley 1984.
    """
    lam = decay_rates(layers, n)
    A, B, omega, norm, _ = _amplitudes(layers, lam)
    return lam, _evaluate(layers, x, A, B, omega) / norm


def transient(layers: Layers, x, t, c0, outside=(0.0, 0.0), n: int = 200):
    """c(x, t) = S [a_∞ + Σ ⟨aₙ, a₀ − a_∞⟩ e^(−λₙt) aₙ]: relaxation to the steady state a_∞.

    It starts uniform in each layer, and may jump between them. The sum stops after n modes, which reach
    rounding once λₙt > 40.

    Args:
        layers: the slab.
        x: positions in the slab, any shape [length].
        t: time, > 0, a scalar or of a shape that broadcasts against x [time].
        c0: initial concentration, a number or one for each layer.
        outside: activities beyond the two ends, from t = 0 on; they have no meaning at a closed end.
        n: number of modes, ≥ 1.

    Returns:
        Concentration at x and t.

    Raises:
        ValueError: n < 1, t ≤ 0, x outside the slab, or as many c0 as there are no layers.

    Source: M. D. Mikhailov, M. N. Özişik, Unified Analysis and Solutions of Heat and Mass Diffusion,
        Wiley 1984.
    """
    i, t, S = layers.locate(x), time(t), np.array(layers.solubility)
    c0 = array("c0", c0, "the start has a concentration")
    if c0.shape not in ((), S.shape):
        refuse("c0", c0, f"a number or {len(S)} of them", "each layer starts uniform", "Give one per layer.")
    c0, (left, right) = np.broadcast_to(c0, S.shape), outside
    lam = decay_rates(layers, n)
    A, B, omega, norm, (q0, q1) = _amplitudes(layers, lam)
    theta = omega * np.array(layers.thickness)
    amount = A * np.sin(theta) / omega + 2 * B * np.sin(theta / 2) ** 2 / omega  # ∫ a over each layer
    coefficient = amount @ c0  # ⟨aₙ, a₀⟩ = ∫ aₙ c₀
    a_end = np.zeros(i.shape)
    if max(layers.h) > 0:
        J = (left - right) / layers.total_resistance
        inner = left - J / layers.h[0] if layers.h[0] > 0 else right
        a_end = steady(layers, x, inner * S[0], J) / S[i]
        left, right = (a if h > 0 else 0.0 for a, h in zip((left, right), layers.h, strict=True))
        coefficient = coefficient - (q0 * left - q1 * right) / lam  # ⟨aₙ, a_∞⟩ by Green's identity
    a = _evaluate(layers, x, A, B, omega) * np.exp(-lam * t[..., None])
    return S[i] * (a_end + a @ (coefficient / norm**2))


def _amplitudes(layers: Layers, lam):
    """A, B and ω of a = A cos ω(x−xᵢ) + B sin ω(x−xᵢ), shape (n, layers), the norms, and q at both ends."""
    k, widths, (h1, _) = layers.conductivity, np.array(layers.thickness), layers.h
    omega = np.sqrt(lam[:, None] / np.array(layers.D))
    a = np.full(len(lam), 0.0 if h1 == math.inf else 1.0)
    q = np.full(len(lam), 1.0 if h1 == math.inf else h1)
    start, A, B = q, np.empty_like(omega), np.empty_like(omega)
    for j, width in enumerate(widths):
        if j:
            a = a + layers.resistance[j - 1] * q
        A[:, j], B[:, j] = a, q / (k[j] * omega[:, j])
        sin, cos = np.sin(omega[:, j] * width), np.cos(omega[:, j] * width)
        a, q = A[:, j] * cos + B[:, j] * sin, k[j] * omega[:, j] * (B[:, j] * cos - A[:, j] * sin)
    theta = omega * widths
    mean = A**2 + B**2 + (A**2 - B**2) * np.sinc(2 * theta / np.pi) + 2 * A * B * np.sin(theta) ** 2 / theta
    norm = np.sqrt(0.5 * (mean * widths) @ np.array(layers.solubility))
    return A, B, omega, norm, (start, q)


def _evaluate(layers: Layers, x, A, B, omega):
    """aₙ(x), shape (..., n)."""
    i, x = layers.locate(x), array("x", x, "a position is a number")
    phase = (x - layers.walls[i])[..., None] * omega.T[i]
    return A.T[i] * np.cos(phase) + B.T[i] * np.sin(phase)
