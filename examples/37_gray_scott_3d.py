"""Gray and Scott's reaction in space: from a few seeds tubes and sheets grow until they fill the box.

The law is that of the plane: only the grid has a third axis, and explicit steps stay below dx²/6Du. Drawn is
the surface v = ¼; where the tubes reach the periodic walls, these cut them off.
"""

import diffsim as ds


def main(fast=False, figure=None):
    """Means of u and v, the share of the box where v > 0.2, and the wavelength of the pattern."""
    n, end = (32, 300) if fast else (72, 6_000)
    grid = ds.Grid(shape=(n, n, n), size=2.5 * n / 256)
    law = ds.models.GrayScott(F=0.037, k=0.060, Du=2e-5, Dv=1e-5).on(grid, ds.Periodic())
    y0 = ds.initial.patches(grid, patch=(0.5, 0.25), count=1 if fast else 12, key=ds.key(4))
    save = ds.SaveAt(ts=[0.025 * end, 0.06 * end, end], fn=lambda t, y: y[1])
    sol = ds.solve(law, y0, t=(0, end), dt=0.75, stepper=ds.Euler(), save=save, progress=bool(figure))
    u, v = (part.numpy().astype(float) for part in sol.final)
    if figure:
        draw(grid, sol).savefig(figure)
    return {
        "u": u.mean(),
        "v": v.mean(),
        "filled": (v > 0.2).mean(),
        "wavelength": float(ds.analysis.mean_wavelength(grid, v)),
    }


def draw(grid, sol):
    """The surface at three times."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(13, 4.4), dpi=150, layout="constrained")
    for panel, t, v in zip(page.subfigures(1, 3), sol.t, sol.y, strict=True):
        ds.plot.isosurface(grid, v, 0.25, name="v", unit="feed", length_unit="length", figure=panel)
        panel.suptitle(f"t = {t:g}")
    return page


if __name__ == "__main__":
    for name, value in main(figure="37_gray_scott_3d.png").items():
        print(f"{name:24} {value:.8g}")
