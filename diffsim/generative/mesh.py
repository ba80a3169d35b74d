"""Where steps of sampling begin and end: meshes of λ, which rises from noise to data.

Each is made of noise levels σ/α = e^{−λ}, of times t of a schedule, or of λ itself. The last step leads to pure data
(λ = 40, where e^{−λ} is zero to rounding) unless `to_zero=False`. `ds.solve(law, z, t=mesh, …)` takes them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from diffsim import _checks
from diffsim._tree import own_array
from diffsim.generative.betas import Discrete
from diffsim.generative.schedule import END, Schedule, check_sigmas


@dataclass(frozen=True)
class Mesh:
    """λ₀, λ₁, …: rising from noise to data, falling in a mesh that is `reversed`.

    Args:
        lam: the values, shape (steps + 1,).
        schedule: whose steps they are, None if they belong to none.
    """

    lam: np.ndarray
    schedule: Schedule | None = None

    def __post_init__(self):
        lam = np.array(_checks.finite("lam", self.lam, why="it is half a logarithm of signal over noise"), np.float64)
        if lam.ndim != 1 or lam.size < 2 or not (np.all(np.diff(lam) > 0) or np.all(np.diff(lam) < 0)):
            way_out = "Sort them and remove repeats."
            why = "sampling leads from noise to data, inversion back"
            _checks.refuse("lam", self.lam, "at least two values that rise, or fall, throughout", why, way_out)
        if self.schedule is not None:
            way_out = "Pass gen.VP(), say, or None."
            _checks.instance("schedule", self.schedule, Schedule, why="it says which times λ are", way_out=way_out)
        lam.flags.writeable = False
        object.__setattr__(self, "lam", own_array(lam))

    def __repr__(self):
        first, last = (f"{0.0 if lam == END else np.exp(-lam):.4g}" for lam in self.lam[[0, -1]])
        schedule = "" if self.schedule is None else f", {self.schedule}"
        return f"Mesh({self.steps} steps, σ/α = {first} … {last}{schedule})"

    def __array__(self, dtype=None, copy=None):
        return np.array(self.lam, dtype or np.float64)

    def __len__(self):
        return self.lam.size

    def __getitem__(self, i):
        return replace(self, lam=self.lam[i]) if isinstance(i, slice) else self.lam[i]

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.lam.size - 1

    @property
    def sigma(self) -> np.ndarray:
        """σ/α = e^{−λ}, the noise in z = x/α."""
        return np.exp(-self.lam)

    @property
    def t(self) -> np.ndarray:
        """Times of the schedule.

        Raises:
            ValueError: the mesh belongs to no schedule.
        """
        if self.schedule is None:
            why, way_out = "each schedule has its own t(λ)", "Pass schedule=… where the mesh is made."
            _checks.refuse("schedule", None, "a schedule", why, way_out)
        return self.schedule.time(self.lam).numpy()

    def reversed(self) -> Mesh:
        """The same from data to noise, for inversion along the probability flow."""
        return replace(self, lam=self.lam[::-1])


def check_mesh(mesh):
    """Refuse what is no mesh."""
    way_out = "Use gen.karras(…), say."
    _checks.instance("mesh", mesh, Mesh, why="it says where steps begin and end", way_out=way_out)


def uniform_lambda(steps: int, first: float, last: float, *, schedule=None) -> Mesh:
    """λ in equal steps from `first`, noise, to `last`, data."""
    steps = _count(steps)
    first = _checks.number("first", first, why="it is a value of λ")
    last = _checks.number("last", last, why="it is a value of λ")
    if not last > first:
        _checks.refuse("last", last, f"a number > first = {first:g}", "λ rises from noise to data", "Swap them.")
    return Mesh(np.linspace(first, last, steps + 1), schedule)


def uniform_time(schedule: Schedule, steps: int, first: float | None = None, last: float = 0.0) -> Mesh:
    """t in equal steps from `first`, by default the schedule's end, to `last`, by default data."""
    _checks.instance("schedule", schedule, Schedule, why="it says what λ is at a time", way_out="Pass gen.VP(), say.")
    steps = _count(steps)
    first = _checks.number("first", schedule.end if first is None else first, above=0.0, why="it is a time")
    last = _checks.number("last", last, least=0.0, why="it is a time")
    if not (last < first <= schedule.end):
        why = f"times of this schedule lie between 0, data, and {schedule.end:g}, noise, where sampling begins"
        _checks.refuse("first", first, f"a number > last = {last:g} and ≤ {schedule.end:g}", why, "Look at both.")
    return _of_times(schedule, np.linspace(first, last, steps + 1))


def uniform_sigma(steps: int, sigma_min: float, sigma_max: float, *, to_zero: bool = True, schedule=None) -> Mesh:
    """σ/α in equal steps from sigma_max to sigma_min, and one more step to 0."""
    return _of_levels(lambda u: sigma_max + u * (sigma_min - sigma_max), steps, sigma_min, sigma_max, to_zero, schedule)


def exponential(steps: int, sigma_min: float, sigma_max: float, *, to_zero: bool = True, schedule=None) -> Mesh:
    """log σ/α in equal steps from sigma_max to sigma_min, and one more step to 0."""
    return _of_levels(
        lambda u: sigma_max * (sigma_min / sigma_max) ** u, steps, sigma_min, sigma_max, to_zero, schedule
    )


def karras(
    steps: int, sigma_min: float, sigma_max: float, *, rho: float = 7.0, to_zero: bool = True, schedule=None
) -> Mesh:
    """(σ/α)^{1/ρ} in equal steps from sigma_max to sigma_min, and one more step to 0.

    Args:
        steps: how many steps, the one to 0 included.
        sigma_min: least noise level in z = x/α.
        sigma_max: largest noise level, where sampling begins.
        rho: 7 spends more steps near data, 1 is uniform in σ.
        to_zero: end at pure data; False ends at sigma_min.
        schedule: whose times the mesh can tell, optional.

    References:
        Karras et al. (2022), arXiv:2206.00364, equation 5.
    """
    rho = _checks.number("rho", rho, above=0.0, why="it is the root of σ that is divided evenly")
    return _of_levels(
        lambda u: (sigma_max ** (1 / rho) + u * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho,
        steps,
        sigma_min,
        sigma_max,
        to_zero,
        schedule,
    )


def beta(
    steps: int, sigma_min: float, sigma_max: float, *, a: float = 0.6, b: float = 0.6, to_zero: bool = True,
    schedule=None,
) -> Mesh:
    """σ/α at equally spaced quantiles of a beta distribution between its ends, and one more step to 0.

    Args:
        steps: how many steps, the one to 0 included.
        sigma_min: least noise level in z = x/α.
        sigma_max: largest noise level, where sampling begins.
        a: below 1 crowds steps near sigma_min.
        b: below 1 crowds steps near sigma_max.
        to_zero: end at pure data; False ends at sigma_min.
        schedule: whose times the mesh can tell, optional.

    References:
        Lee, Kim, Yoo & Ye (2024), arXiv:2407.12173.
    """
    from scipy.special import betaincinv

    for name, value in (("a", a), ("b", b)):
        _checks.number(name, value, above=0.0, why="it is a shape of the beta distribution")
    return _of_levels(
        lambda u: sigma_min + (sigma_max - sigma_min) * betaincinv(a, b, 1 - u),
        steps,
        sigma_min,
        sigma_max,
        to_zero,
        schedule,
    )


def leading(
    schedule: Discrete, steps: int, *, offset: int = 0, skip_first: bool = False, to_zero: bool = True
) -> Mesh:
    """n = k⌊N/steps⌋ + offset, k = steps − 1 … 0, then data.

    Args:
        schedule: of N steps.
        steps: how many of them are taken.
        offset: added to each n.
        skip_first: n = k⌊N/(steps + 1)⌋ + offset, k = steps … 1, as samplers of higher order have it.
        to_zero: end at pure data; False ends at n = 0 instead.
    """
    steps, skip = _of_discrete(schedule, steps), _skips(skip_first)
    offset = _checks.integer("offset", offset, least=0, why="it is added to the number of each step")
    n = (np.arange(steps)[::-1] + skip) * (schedule.steps // (steps + skip)) + offset
    return _of_steps(schedule, n.astype(np.float64), to_zero)


def trailing(schedule: Discrete, steps: int, *, to_zero: bool = True) -> Mesh:
    """n = N − kN/steps − 1, rounded, k = 0 … steps − 1, then data; `to_zero=False` ends at n = 0 instead."""
    steps = _of_discrete(schedule, steps)
    return _of_steps(schedule, np.round(schedule.steps * (1 - np.arange(steps) / steps)) - 1, to_zero)


def linspace(
    schedule: Discrete, steps: int, *, rounded: bool = True, skip_first: bool = False, to_zero: bool = True
) -> Mesh:
    """n from N − 1 to 0 in equal steps, then data.

    Args:
        schedule: of N steps.
        steps: how many of them are taken.
        rounded: to whole numbers; False takes σ/α linear between them.
        skip_first: one n more, of which the last, 0, is left out, as samplers of higher order have it.
        to_zero: end at pure data; False ends at n = 0 instead.
    """
    steps, skip = _of_discrete(schedule, steps), _skips(skip_first)
    _checks.flag("rounded", rounded, why="it says whether steps are whole numbers")
    n = np.linspace(schedule.steps - 1, 0, steps + skip)[:steps]
    if rounded:
        return _of_steps(schedule, np.round(n), to_zero)
    sigma = np.interp(n, np.arange(schedule.steps), np.exp(-schedule.table))
    return _ended(schedule, -np.log(sigma), to_zero)


def _skips(flag) -> int:
    return int(_checks.flag("skip_first", flag, why="it says whether the network's first step is left out"))


def _of_steps(schedule, n, to_zero):
    if n[0] > schedule.end:
        why = f"the network knows {schedule.steps} steps"
        received = _checks.Verbatim(f"one that leads to step {n[0]:g}")
        _checks.refuse("offset", received, f"steps up to {schedule.end:g}", why, "Lower the offset.")
    return _ended(schedule, schedule.lam(n).numpy(), to_zero)


def _ended(schedule, lam, to_zero):
    _checks.flag("to_zero", to_zero, why="it says whether sampling ends at pure data")
    last = END if to_zero else schedule.table[0]
    return Mesh(np.append(lam, last) if lam[-1] < last else lam, schedule)


def _of_times(schedule, t):
    return Mesh(schedule.lam(t).numpy(), schedule)


def _of_levels(level, steps, sigma_min, sigma_max, to_zero, schedule):
    check_sigmas(sigma_min, sigma_max)
    _checks.flag("to_zero", to_zero, why="it says whether sampling ends at pure data")
    steps = _count(steps, 2 if to_zero else 1)
    intervals = steps - 1 if to_zero else steps
    lam = -np.log(level(np.linspace(0.0, 1.0, intervals + 1)))
    return Mesh(np.append(lam, END) if to_zero else lam, schedule)


def _count(steps, least=1):
    return _checks.integer("steps", steps, least=least, why="sampling goes from noise to data in that many steps")


def _of_discrete(schedule, steps):
    way_out = "Use gen.uniform_time(schedule, steps) for continuous ones."
    _checks.instance("schedule", schedule, Discrete, why="its steps are chosen from", way_out=way_out)
    steps = _count(steps)
    if steps > schedule.steps:
        why = "each step of sampling is one that the network knows"
        _checks.refuse("steps", steps, f"an integer ≤ {schedule.steps}", why, "Take fewer, or gen.uniform_time.")
    return steps
