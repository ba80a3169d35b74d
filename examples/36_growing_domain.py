"""Stripes on a tissue that grows: each doubling of length doubles the pattern, because peaks split.

Schnakenberg's reaction on 0 ≤ x ≤ L, closed, L = L₀e^{rt}: u_t = Du u_xx − r u + a − u + u²v. The run follows
w = uL/L₀ over ξ = x L₀/L, so that nothing needs to be said about dilution; growth alone keeps matter.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Peaks of u after each doubling of the domain, and how well matter is kept where nothing reacts."""
    rate, doublings, start = 0.01 if fast else 0.002, 3, 12.0
    grid = ds.Grid(shape=96 if fast else 256, size=start)
    model = ds.models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=30.0)
    law = ds.growing(model.on(grid, ds.Neumann()), rate)
    x = grid.coordinates()[0]
    y0 = tuple(tf.constant(s * (1 + 0.1 * np.cos(np.pi * x / start))) for s in model.steady_states()[-1])
    end = doublings * np.log(2) / rate
    save = ds.SaveAt(ts=np.linspace(0, end, 40 * doublings + 1), fn=law.drift.concentration)
    sol = ds.solve(law, y0, t=(0, end), stepper=ds.RKL2(), dt=0.1, save=save, progress=bool(figure))

    u = sol.y[0].numpy()
    wide = np.pad(u, ((0, 0), (1, 1)), mode="edge")
    high = (u > wide[:, :-2]) & (u >= wide[:, 2:]) & (u > u.mean(1, keepdims=True))
    peaks = high.sum(1) - 0.5 * high[:, 0] - 0.5 * high[:, -1]  # half of a peak lies beyond a closed end
    still = ds.growing(ds.Equation(linear=ds.Diffusion(grid, ds.Neumann(), 1.0)), rate)
    w = ds.solve(still, y0[0], t=(0, end), stepper=ds.RKL2(), dt=0.1).final
    if figure:
        draw(grid, sol.t, rate, u, peaks).savefig(figure)
    numbers = {f"peaks at {2**i} L": peaks[40 * i] for i in range(1, doublings + 1)}
    return numbers | {"matter off": abs(float(grid.integrate(w) / grid.integrate(y0[0])) - 1)}


def draw(grid, t, rate, u, peaks):
    """u over x and t on the growing domain, and how many peaks there are."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(9, 4.5), dpi=150, layout="constrained")
    left, right = page.subplots(1, 2, width_ratios=(1.6, 1), sharey=True)
    length = np.exp(rate * t)
    x = grid.axes[0].faces * np.concatenate([length, length[-1:]])[:, None]
    rows = np.concatenate([t, [2 * t[-1] - t[-2]]])[:, None] * np.ones_like(x)
    image = left.pcolormesh(x, rows, u, cmap="viridis", rasterized=True)
    page.colorbar(image, ax=left, label="u [1]")
    left.set(xlabel="x [length]", ylabel="t [time]")
    right.plot(peaks, t)
    right.set(xlabel="peaks [1]")
    right.set_xscale("log", base=2)
    return page


if __name__ == "__main__":
    for name, value in main(figure="36_growing_domain.png").items():
        print(f"{name:24} {value:.8g}")
