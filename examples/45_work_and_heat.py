"""A bead in a trap that is stiffened, k: 1 → 3, in haste: the free energy follows from the work all the same.

ΔF = ½kT ln 3, by Jarzynski from paths one way, by Crooks and Bennett from both: histograms cross there.
"""

from functools import partial

import numpy as np
import tensorflow as tf

import diffsim as ds
from diffsim.analysis import Work, bennett, jarzynski

KT, GAMMA, SOFT, STIFF, DELTA_F = 1.0, 2.0, 1.0, 3.0, 0.5 * np.log(3.0)


def energy(start, end, duration, t, x):
    """½kx² with a stiffness that changes steadily from `start` to `end`."""
    return 0.5 * (start + (end - start) * t / duration) * tf.reduce_sum(x * x, -1)


def drive(start, end, duration, paths, key):
    """Work and heat of paths that begin at equilibrium; numbers in V are data: one program runs them all."""
    V, (first, path) = partial(energy, start, end, duration), ds.split(key)
    x0 = (KT / start) ** 0.5 * ds.random.normal(first, [paths, 1], tf.float64)
    trap, stepper = ds.models.Overdamped(V, kT=KT, mobility=1 / GAMMA), ds.Observed(ds.SRA1(), Work(V))
    return ds.solve(trap.law, x0, (0, duration), dt=min(duration / 50, 0.02), stepper=stepper, key=path).seen


def mean_work(duration, n=20_000):
    """⟨W⟩ = ½∫ k′⟨x²⟩ dt, where γ d⟨x²⟩/dt = 2kT − 2k⟨x²⟩."""
    square, total = KT / SOFT, 0.0
    for k in SOFT + (STIFF - SOFT) * (np.arange(n) + 0.5) / n:
        half = np.exp(-k * duration / n / GAMMA)
        total += 0.5 * (STIFF - SOFT) / n * (KT / k + (square - KT / k) * half)
        square = KT / k + (square - KT / k) * half**2
    return total


def main(fast=False, figure=None):
    """For each duration ⟨W⟩, ΔF by Jarzynski and by Bennett, as (value, error), and what theory says."""
    numbers, runs, paths = {}, {}, 20_000 if fast else 100_000
    for i, duration in enumerate((0.5,) if fast else (0.1, 0.5, 2.0, 8.0, 32.0)):
        there, back = ds.split(ds.key(45 + i))
        runs[duration] = drive(SOFT, STIFF, duration, paths, there), drive(STIFF, SOFT, duration, paths, back)
        W, R = (r.work for r in runs[duration])
        found = {"mean work": (W.mean(), W.std() / paths**0.5), "theory": mean_work(duration)}
        numbers[duration] = found | {"Jarzynski": jarzynski(W, KT)[:2], "Bennett": bennett(W, R, KT)[:2]}
    if figure:
        draw(numbers, runs[0.5], figure)
    return numbers


def draw(numbers, runs, figure):
    """Histograms of work both ways, and mean work and estimates of ΔF over the duration."""
    import matplotlib.pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for W, label in ((runs[0].work, "W for k: 1 → 3"), (-runs[1].work, "−W for k: 3 → 1")):
        left.hist(W / KT, np.arange(-5, 81) / 20, weights=0 * W + 20 / W.size, histtype="step", label=label)
    left.set(xlabel="work (kT)", ylabel="density (1 / kT)", yscale="log", title="Work in a time of 0.5")
    right.set(xlabel="duration (γ/k: 2 → ⅔)", ylabel="energy (kT)", xscale="log", title="Haste costs work")
    right.plot(list(numbers), [n["theory"] for n in numbers.values()], "C2", label="⟨W⟩, theory")
    for name, shift, mark in (("mean work", 1, "C2o"), ("Jarzynski", 0.94, "C0^"), ("Bennett", 1.06, "C1s")):
        T, value, error = np.transpose([(t, *n[name]) for t, n in numbers.items()])
        right.errorbar(T * shift, value, 2 * error, fmt=mark, capsize=3, label=name + ", ± 2 errors")
    left.axvline(DELTA_F / KT, color="k", ls=":", label="ΔF = ½kT ln 3")
    right.axhline(DELTA_F, color="k", ls=":")
    fig.legend(loc="outside lower center", ncols=4)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for time, found in main(figure="45_work_and_heat.png").items():
        print(f"T = {time:<4g}", *(f"{name} {np.round(value, 5)}" for name, value in found.items()), sep="  ")
