"""Patterns from a reaction: the labyrinth of Gray and Scott, grown from one square.

u_t = Du∇²u − uv² + F(1 − u) and v_t = Dv∇²v + uv² − (F + k)v, in Pearson's set-up; the run goes to a file.
"""

import diffsim as ds


def main(fast=False, figure=None):
    """Means of u and v, and the part of the plane where v > 0.1, at the end."""
    n, end = (64, 1_000) if fast else (256, 10_000)
    grid = ds.Grid(shape=(n, n), size=(2.5 * n / 256, 2.5 * n / 256))
    model = ds.models.GrayScott(F=0.037, k=0.060, Du=2e-5, Dv=1e-5)
    law = model.on(grid, ds.Periodic())  # an Equation: linear=(Du·Δ, Dv·Δ), drift=model.rates, local=True
    y0 = ds.initial.patches(grid, background=(1.0, 0.0), patch=(0.5, 0.25), key=ds.key(0))
    save = ds.SaveAt(every=500, to="gray_scott.h5")
    sol = ds.solve(law, y0, t=(0, end), dt=1.0, save=save, progress=bool(figure))
    if figure:
        ds.plot.field(grid, sol.final[1], name="v", unit="feed", length_unit="length").savefig(figure)
    u, v = (part.numpy() for part in sol.final)
    return {"u": u.mean(), "v": v.mean(), "covered": (v > 0.1).mean(), "records": len(sol.t)}


if __name__ == "__main__":
    for name, value in main(figure="10_gray_scott.png").items():
        print(f"{name:24} {value:.8g}")
