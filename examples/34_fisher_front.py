"""Fronts that are pulled: the speed of Fisher's front on a lattice, and how slowly it gets there.

u_t = u_xx + u(1 − u) is pulled by its edge, where u ~ e^{−kx + st}: its speed is the minimum of s(k)/k, of
lattice and steps, and is neared as v* − 3/2kt + 3√π/(2k²√D t^{3/2}): doi:10.1016/S0167-2789(00)00068-3.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds

DX = 0.5
LABELS = "v*", "v* − 3/2kt", "v* − 3/2kt + 3√π/(2k²√D t$^{3/2}$)"


def lattice(dt):
    """s(k) of u_t = δ²u/Δx² + u, of explicit Euler steps if dt > 0."""

    def growth(k):
        s = 1 + (2 * np.sinh(k * DX / 2) / DX) ** 2
        return np.log1p(s * dt) / dt if dt else s

    return growth


def front(u0, end, stepper, dt):
    """x and the time at which u = ½ arrives there; the last two are at the edge of the records."""
    grid = ds.Grid(shape=len(u0), size=len(u0) * DX)
    law = ds.models.FisherKPP(D=1.0, r=1.0).on(grid, ds.Neumann())
    save = ds.SaveAt(ts=np.arange(0.5, end + 0.1, 0.5))
    sol = ds.solve(law, tf.constant(u0, tf.float64), (0, end), dt=dt, stepper=stepper, save=save)
    when = ds.analysis.arrivals(grid, sol.t, sol.y, level=0.5)
    seen = np.flatnonzero(np.isfinite(when))[:-2]
    return grid.axes[0].centers[seen], when[seen]


def main(fast=False, figure=None):
    """Speeds in exact time, with Euler steps, and from a start flatter than e^{−kx}, which stays faster."""
    end = 150 if fast else 600
    x = (np.arange(round(2.2 * end / DX)) + 0.5) * DX
    out, ways = {}, {}
    for name, dt, step, stepper in (("exact time", 0.0, 0.05, ds.RK4()), ("Euler", 0.1, 0.1, ds.Euler())):
        edge = ds.analysis.pulled(lattice(dt), near=1.0)
        where, when = front(1.0 * (x < 10), end, stepper, step)
        fit = ds.analysis.pulled_speed(when, where, edge.steepness, edge.spread)
        ways[name] = edge, where, when
        out |= {f"{name} lattice": edge.speed, f"{name} speed": fit.slope,
                f"{name} as it is": ds.analysis.straight(when[-20:], where[-20:]).slope}
    where, when = front(np.minimum(1.0, np.exp(-0.5 * (x - 10))), end / 3, ds.RK4(), 0.05)
    out["flat lattice"] = lattice(0.0)(0.5) / 0.5
    out["flat speed"] = ds.analysis.straight(when[-40:], where[-40:]).slope
    if figure:
        draw(ways, figure)
    return out


def draw(ways, figure):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for ax, (name, (edge, _, t)) in zip(axes, ways.items(), strict=True):
        k, D = edge.steepness, edge.spread
        v, t = 40 * DX / (t[40:] - t[:-40]), (t[40:] + t[:-40]) / 2
        known = np.cumsum([0 * t, -1.5 / (k * t), 1.5 * np.pi**0.5 / (k**2 * D**0.5 * t**1.5)], 0)
        for rest, label in zip(edge.speed + known - v, LABELS, strict=True):
            ax.loglog(t, np.abs(rest), label=label)
        ax.set(title=f"{name}: v* = {edge.speed:.7f}", xlabel="t [1]")
    axes[0].set_ylabel("distance of the measured speed from … [1]")
    axes[1].legend(frameon=False)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="34_fisher_front.png").items():
        print(f"{name:24} {value:.10g}")
