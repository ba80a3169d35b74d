"""Gas in a porous medium: u_t = ∇²(u²) = ∇·(2u∇u), which spreads with a sharp front at a finite distance.

From the solution of Barenblatt at t = 1 the front must go on as t^{1/3} on a line and as t^{1/4} in a plane.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Front and error of u (over its peak) at t = 8, and mass gained, on a line and in a plane."""
    n, numbers, curves = 40 if fast else 100, {}, {}
    for d, grid, walls in [
        (1, ds.Grid(shape=2 * n, size=6.0), ds.Boundary(x=ds.Neumann())),
        (2, ds.RadialGrid(shape=2 * n, size=4.0, dimension=2), ds.Boundary(r=ds.Neumann())),
    ]:
        gas = ds.models.PorousMedium(m=2.0).on(grid, walls)
        r = grid.coordinates()[0]
        u0 = tf.constant(ds.reference.nonlinear.barenblatt(r, 1.0, m=2, d=d))
        save, dt = ds.SaveAt(ts=[1, 2, 4, 8]), ds.PID(rtol=1e-5, atol=1e-8)
        sol = ds.solve(gas, u0, t=(1, 8), dt=dt, stepper=ds.Tsit5(), save=save)
        exact = np.array([ds.reference.nonlinear.barenblatt(r, t, m=2, d=d) for t in sol.t])
        u = sol.y.numpy()
        numbers |= {f"{d}-D front": front(r, u[-1]),
                    f"{d}-D error": np.abs(u[-1] - exact[-1]).max() / exact[-1].max(),
                    f"{d}-D gain": float(grid.integrate(sol.final - u0))}
        curves[d] = grid, sol.t, u, exact
    if figure:
        draw(curves, figure)
    return numbers


def front(r, u):
    """Where u vanishes, from where it has 60 and 40 % of its peak: Barenblatt's u is a line in r²."""
    a, b = np.interp([-0.6, -0.4], -u / u.max(), r**2)
    return np.sqrt(b + 2 * (b - a))


def draw(curves, figure):
    """Profiles at t = 1, 2, 4, 8."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(9, 4), layout="constrained")
    for panel, (d, (grid, ts, u, exact)) in zip(fig.subfigures(1, 2), curves.items(), strict=True):
        unit = "mass / length" + "²" * (d == 2)
        ds.plot.profiles(grid, ts, u, exact=exact, unit=unit, length_unit="length", figure=panel)
        panel.suptitle(f"u_t = ∇²(u²) {'on a line' if d == 1 else 'in a plane'}")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="07_porous_medium.png").items():
        print(f"{name:24} {value:.8g}")
