"""A hundred thousand years of soil creep on a real landscape: z_t = D∇²z, D = 0.01 m²/yr.

The map of the Jacksboro fault in Tennessee comes with matplotlib: 344 × 403 pixels of 3 arc seconds.
Creep rounds what is narrower than √(2Dt) = 45 m, and fills hollows with what it takes from crests.
"""

import numpy as np

import diffsim as ds


def main(fast=False, figure=None):
    """Change of the mean height, most lowered, most filled (m); rms of ∇²z after over before."""
    import matplotlib.cbook

    with np.load(matplotlib.cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as dem:
        z0 = dem["elevation"][::-1].T.astype(np.float64)  # m; rows run southwards: now x east, y north
        dy = 111_200 * float(dem["dy"])  # m: a degree of latitude
        dx = 111_200 * float(dem["dx"]) * np.cos(np.radians((dem["ymin"] + dem["ymax"]) / 2))
    if fast:
        z0 = z0[:128, :128]
    grid = ds.Grid(shape=z0.shape, size=(dx * z0.shape[0], dy * z0.shape[1]))  # m
    creep = ds.models.Hillslope(D=0.01).on(grid, ds.Neumann())  # m²/yr
    z = ds.solve(creep, z0, t=(0, 100_000)).final.numpy()  # yr
    if figure:
        draw(grid, z0, z, figure)
    rough = [np.sqrt(np.mean(creep.rate(0.0, a).numpy() ** 2)) for a in (z0, z)]
    change = z - z0
    return {"mean": change.mean(), "lowered": -change.min(), "filled": change.max(),
            "rough": rough[1] / rough[0]}


def draw(grid, z0, z, figure):
    """The landscape, and where it rose and fell."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(9.5, 4.2), layout="constrained")
    left, right = fig.subfigures(1, 2)
    most = np.percentile(np.abs(z - z0), 99.5)
    ds.plot.field(grid, z, name="height after 100 kyr", unit="m", length_unit="m", figure=left)
    ds.plot.field(grid, z - z0, name="change", unit="m", length_unit="m", limits=(-most, most), figure=right)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="06_hillslope.png").items():
        print(f"{name:24} {value:.8g}")
