"""Media that are not alike in all directions or places: a tensor D, and a photograph as a map of D.

A point spreads through a crystal with the covariance 2Dt. The mean flux through any map of D lies between
the harmonic and the arithmetic mean of D, those of layers across and along the flux.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Covariance at t = 0.5 for D = [[2, 0.6], [0.6, 1]]; D of the photograph with its bounds (mm²/s)."""
    import matplotlib.cbook

    n = 48 if fast else 96
    grid = ds.Grid(shape=(n, n), size=16.0, origin=-8.0)
    crystal = ds.Diffusion(grid, ds.Neumann(), ds.Anisotropic(np.array([[2.0, 0.6], [0.6, 1.0]])))
    peak = ds.initial.gaussian(grid, center=0.0, width=0.5, dtype=tf.float64)
    u = ds.solve(ds.Equation(linear=crystal), peak, t=(0, 0.5), dt=0.01).final
    x, y = grid.coordinates()
    products = {"xx": x**2, "xy": x * y, "yy": y**2}
    covariance = {name: float(grid.integrate(q * (u - peak))) for name, q in products.items()}

    photograph = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    pixels = ds.read_image(photograph, low=0.1, high=1.1)  # mm²/s, black and white
    plate = ds.Grid(shape=(64, 75) if fast else (128, 150), size=(51.2, 60.0))  # mm
    D = ds.initial.from_array(plate, pixels, tf.float64)
    walls = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0)), y=ds.Neumann())
    medium = ds.Diffusion(plate, walls, D.numpy())
    start = 1 - plate.coordinates()[0] / 51.2 * np.ones(plate.shape)
    c = ds.solve(ds.Equation(linear=medium), start, t=(0, 1e4), dt=20.0).final
    J, _ = medium.flux(0.0, c)  # mm/s through the faces along x
    effective = float(tf.reduce_mean(J)) * 51.2
    if figure:
        draw(grid, u, plate, D, c, figure)
    harmonic, arithmetic = 1 / float(tf.reduce_mean(1 / D)), float(tf.reduce_mean(D))
    return covariance | {"harmonic": harmonic, "effective": effective, "arithmetic": arithmetic}


def draw(grid, u, plate, D, c, figure):
    """The peak in the crystal, and contours of c on the photograph."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(10, 4.8), layout="constrained")
    left, right = fig.subfigures(1, 2)
    ds.plot.field(grid, u, unit="amount / length²", length_unit="length", figure=left)
    ds.plot.field(plate, D, name="D", unit="mm²/s", length_unit="mm", figure=right)
    x, y = (a.ravel() for a in plate.coordinates())
    lines = right.axes[0].contour(x, y, c.numpy().T, levels=np.arange(0.1, 1, 0.1), colors="w", linewidths=1)
    right.axes[0].clabel(lines, fontsize=8)
    left.suptitle("a point in a crystal, t = 0.5")
    right.suptitle("steady c (1) in a photograph")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="05_anisotropic_and_images.png").items():
        print(f"{name:24} {value:.8g}")
