"""Escape over a barrier: the mean time from one well of V = x⁴/4 − x²/2 to the other, x = −1 to 1.

Of dx = −V′ dt + √(2kT) dW: by particles, by the backward equation kT T″ − V′T′ = −1, by formulas.
"""

import numpy as np

import diffsim as ds
from diffsim.reference import escape


def wells(t, x):
    """V = x⁴/4 − x²/2."""
    return x**4 / 4 - x**2 / 2


def exact(kT):
    """The mean time by quadrature."""
    return escape.mean_time(lambda x: wells(0, x), -1.0, 1.0, -3.0, kT)


def box(cells):
    """A grid up to the absorbing wall at x = 1, of which the cell `start` has its centre at −1."""
    w, n = 2 / (cells - 0.5), cells * 8 // 5
    return ds.Grid(n, n * w, 1 - n * w), n - cells, ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()))


def main(fast=False, figure=None):
    """Mean times from −1 to 1, those of particles with their standard errors."""
    numbers, runs = {}, {}
    grid, start, walls = box(80 if fast else 160)
    for kT in (0.2,) if fast else (0.3, 0.2, 0.15, 0.1):
        model, stepper = ds.models.Overdamped(wells, kT), ds.Absorbed(ds.SRA1(), ds.HalfSpace(1.0, (1.0,)))
        T = ds.models.first_passage_time(model, grid, walls).numpy()
        options = {"stepper": stepper, "stop": ds.Extinct(every=100), "key": ds.key(11)}
        sol = ds.solve(model.law, np.full((2_000, 1), -1.0, "f4"), (0, 2_000), dt=0.02, **options)
        mean = ds.analysis.mean_time(sol)
        runs[kT] = model, mean, ds.analysis.survival(sol, until=sol.t_final), T
        numbers |= {f"integral at {kT}": exact(kT), f"Kramers at {kT}": escape.kramers(0.25, kT, well=2.0)}
        numbers |= {f"grid at {kT}": T[start], f"particles at {kT}": mean.value, f"error at {kT}": mean.error}
    if figure:
        draw(runs, grid, start, walls, figure)
    return numbers


def draw(runs, grid, start, walls, figure):
    """T over V; T from −1 against 1/kT; survival of particles and by the backward equation."""
    import matplotlib.pyplot as plt

    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    x, inverse, other = grid.coordinates()[0], np.linspace(3, 10.5), left.twinx()
    left.plot(x, wells(0, x), "k")
    left.set(xlabel="x (length)", ylabel="V (energy)", ylim=(-0.3, 0.6), title="V, and T from x")
    middle.semilogy(inverse, [exact(1 / b) for b in inverse], "k", label="exact integral")
    middle.semilogy(inverse, escape.kramers(0.25, 1 / inverse, well=2.0), "k:", label="Kramers' formula")
    for i, (kT, (model, mean, S, T)) in enumerate(runs.items()):
        other.plot(x, T / T[start], f"C{i}", label=f"kT = {kT}")
        middle.plot(1 / kT, T[start], f"sC{i}", mfc="none", ms=11)
        middle.errorbar(1 / kT, mean.value, 2 * mean.error, fmt=f"oC{i}", capsize=3)
        t = np.linspace(0, 4, 60)
        law, save = ds.models.backward(model, grid, walls), ds.SaveAt(ts=t * mean.value)
        u = ds.solve(law, np.ones(grid.shape), (0, 4 * mean.value), save=save).y.numpy()
        right.semilogy(S.t[:-1] / mean.value, S.value[:-1], f"C{i}", label=f"kT = {kT}")
        right.semilogy(t, u[:, start], "k--", lw=0.8)
    other.set(ylabel="T(x)/T(−1)")
    middle.set(xlabel="1/kT (1/energy)", ylabel="T (time)", title="● 2,000 particles, □ backward equation")
    right.set(xlabel="t/⟨T⟩", ylabel="share left", xlim=(0, 4), ylim=(0.01, 1.1), title="- - on the grid")
    for ax in (other, middle, right):
        ax.legend(fontsize=8)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="46_kramers.png").items():
        print(f"{name:18} {value:.6g}")
