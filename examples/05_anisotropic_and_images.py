"""Media that are not alike in all directions or places: a tensor D, and a photograph as a map of D.

A point spreads through a crystal with the covariance 2Dt. The mean flux through any map of D lies between
the harmonic and the arithmetic mean of D, those of layers across and along the flux.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Covariance at t = 0.5 with D = [[2, 0.6], [0.6, 1]]; D of the photograph between its bounds (mm²/s)."""
    import matplotlib.cbook
    import matplotlib.pyplot as plt

    n = 48 if fast else 96
    grid = ds.Grid(shape=(n, n), size=16.0, origin=-8.0)
    crystal = ds.Diffusion(grid, ds.Neumann(), ds.Anisotropic(np.array([[2.0, 0.6], [0.6, 1.0]])))
    peak = ds.initial.gaussian(grid, center=0.0, width=0.5, dtype=tf.float64)
    u = ds.solve(ds.Equation(linear=crystal), peak, t=(0, 0.5), dt=ds.PID(rtol=1e-5, atol=1e-8)).final
    x, y = grid.coordinates()
    cov = {name: float(grid.integrate(q * (u - peak))) for name, q in [("xx", x**2), ("xy", x * y), ("yy", y**2)]}

    photograph = plt.imread(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))  # rows from the top
    bright = photograph.mean(axis=-1)[::-1].T / 255
    plate = ds.Grid(shape=(64, 75) if fast else (128, 150), size=(51.2, 60.0))  # mm
    D = 0.1 + ds.initial.from_array(plate, bright, tf.float64)  # mm²/s, from 0.1 in the dark to 1.1
    walls = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0)), y=ds.Neumann())
    medium = ds.Diffusion(plate, walls, D.numpy())
    start = 1 - plate.coordinates()[0] / 51.2 * np.ones(plate.shape)
    c = ds.solve(ds.Equation(linear=medium), start, t=(0, 3e4), dt=ds.PID(rtol=1e-4, atol=1e-7)).final
    J, _ = medium.flux(0.0, c)  # mm/s through the faces along x
    effective = float(tf.reduce_mean(J)) * 51.2
    if figure:
        draw(grid, u, plate, D, c, figure)
    harmonic, arithmetic = 1 / float(tf.reduce_mean(1 / D)), float(tf.reduce_mean(D))
    return cov | {"harmonic": harmonic, "effective": effective, "arithmetic": arithmetic}


def draw(grid, u, plate, D, c, figure):
    """The peak in the crystal, and contours of c on the photograph."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    for ax, g, field, label in [(axes[0], grid, u, "u (amount / length²)"), (axes[1], plate, D, "D (mm²/s)")]:
        x, y = (a.ravel() for a in g.coordinates())
        image = ax.pcolormesh(x, y, field.numpy().T, cmap="viridis" if g is grid else "gray")
        fig.colorbar(image, label=label)
    lines = axes[1].contour(x, y, c.numpy().T, levels=np.arange(0.1, 1, 0.1), cmap="plasma")
    axes[1].clabel(lines, fontsize=8)
    axes[0].set(xlabel="x (length)", ylabel="y (length)", aspect="equal", xlim=(-5, 5), ylim=(-5, 5),
                title="A point in a crystal, t = 0.5")
    axes[1].set(xlabel="x (mm)", ylabel="y (mm)", aspect="equal", title="Steady c (1) in a photograph")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="05_anisotropic_and_images.png").items():
        print(f"{name:24} {value:.8g}")
