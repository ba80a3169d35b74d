"""A hundred thousand years of soil creep on a real landscape: z_t = D∇²z, D = 0.01 m²/yr.

The elevation map of the Jacksboro fault in Tennessee ships with matplotlib: 344 × 403 pixels of 3 arc seconds.
Creep rounds what is narrower than √(2Dt) = 45 m, fills hollows with what it takes from crests, and keeps the mass.
"""

import numpy as np

import diffsim as ds


def main(fast=False, figure=None):
    """Change of the mean height (m), deepest lowering (m), highest filling (m), and rms of ∇²z after over before."""
    import matplotlib.cbook

    with np.load(matplotlib.cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as dem:
        z0 = dem["elevation"][::-1].T.astype(np.float64)  # m; rows run from north to south: now x east, y north
        dy = 111_200 * float(dem["dy"])  # m: a degree of latitude
        dx = 111_200 * float(dem["dx"]) * np.cos(np.radians((dem["ymin"] + dem["ymax"]) / 2))
    if fast:
        z0 = z0[:128, :128]
    grid = ds.Grid(shape=z0.shape, size=(dx * z0.shape[0], dy * z0.shape[1]))  # m
    creep = ds.Diffusion(grid, ds.Neumann(), 0.01)  # m²/yr
    z = ds.solve(ds.Equation(linear=creep), z0, t=(0, 100_000)).final.numpy()  # yr
    if figure:
        draw(grid, z0, z, figure)
    rough = [np.sqrt(np.mean(creep.apply(np.ascontiguousarray(a)).numpy() ** 2)) for a in (z0, z)]
    return {"mean": (z - z0).mean(), "lowered": (z0 - z).max(), "filled": (z - z0).max(), "rough": rough[1] / rough[0]}


def draw(grid, z0, z, figure):
    """The landscape, and where it rose and fell."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
    x, y = (1e-3 * a.ravel() for a in grid.coordinates())
    most = np.percentile(np.abs(z - z0), 99.5)
    height = axes[0].pcolormesh(x, y, z.T, cmap="gist_earth")
    change = axes[1].pcolormesh(x, y, (z - z0).T, cmap="RdBu_r", vmin=-most, vmax=most)
    fig.colorbar(height, label="height after 100 kyr (m)")
    fig.colorbar(change, label="change in 100 kyr (m)", extend="both")
    axes[0].set(xlabel="east (km)", ylabel="north (km)", aspect="equal", title="Jacksboro fault")
    axes[1].set(xlabel="east (km)", aspect="equal", title="Soil creep, D = 0.01 m²/yr")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="06_hillslope.png").items():
        print(f"{name:24} {value:.8g}")
