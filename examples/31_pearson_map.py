"""Pearson's map: which pattern Gray and Scott's reaction makes at each feed rate F and decay rate k.

All pairs (F, k) run at once, as an ensemble: the parameters have a leading axis. Each is named from its
topology and motion; the curve is the fold k = √F/2 − F, where steady states are born.
"""

import collections

import numpy as np
import tensorflow as tf

import diffsim as ds

Pattern = ds.analysis.Pattern
HUES = ("0.85", "tab:blue", "tab:cyan", "tab:green", "tab:orange", "tab:pink", "tab:red")
COLOURS = dict(zip(Pattern, HUES, strict=True))
NAMED = {"labyrinth": (0.037, 0.06), "spots": (0.03, 0.062), "holes": (0.039, 0.058), "chaos": (0.026, 0.051)}


def main(fast=False, figure=None):
    """How many of the pairs show each kind of pattern, and whether four of Pearson's are what he says."""
    n, end = (64, 6_000) if fast else (96, 15_000)
    F = np.linspace(0.014, 0.062, 4 if fast else 13)
    k = np.linspace(0.046, 0.066, 4 if fast else 11)
    pairs = np.array([*((a, b) for a in F for b in k), *NAMED.values()], np.float32)
    grid = ds.Grid(shape=(n, n), size=(2.5 * n / 256, 2.5 * n / 256))
    model = ds.models.GrayScott(F=pairs[:, 0, None, None], k=pairs[:, 1, None, None])
    start = ds.initial.patches(grid, patch=(0.5, 0.4), count=n**2 // 800, key=ds.key(3))
    y0 = tuple(tf.tile(a[None], (len(pairs), 1, 1)) for a in start)
    save = ds.SaveAt(ts=np.arange(end - 3100.0, end + 1, 100.0), fn=lambda t, y: y[1])
    sol = ds.solve(model.on(grid, ds.Periodic()), y0, (0, end), dt=1.0, stepper=ds.Euler(), save=save,
                   progress=bool(figure))
    verdicts = [ds.analysis.recognise(grid, sol.y[:, i]).pattern for i in range(len(pairs))]
    if figure:
        draw(F, k, sol.y[-1].numpy(), verdicts).savefig(figure, dpi=150)
    many = collections.Counter(v.name.lower() for v in verdicts[: F.size * k.size])
    at = dict(zip(NAMED, verdicts[F.size * k.size :], strict=True))
    states = [np.array(ds.models.GrayScott(*map(float, pair)).steady_states())[:, 1] for pair in pairs]
    mean = sol.y[-1].numpy().mean((1, 2))
    still = [p is Pattern.HOMOGENEOUS for p in verdicts]
    off = [abs(v - s).min() for v, s, at_rest in zip(mean, states, still, strict=True) if at_rest]
    return {f"pairs with {p.name.lower()}": many[p.name.lower()] for p in Pattern} | {
        **{f"{name} is": float(v is Pattern[name.upper()]) for name, v in at.items()},
        "off a steady state": max(off),
    }


def draw(F, k, v, verdicts):
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    fig, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(11, 6.2), layout="constrained")
    n, dk, dF = v.shape[-1], k[1] - k[0], F[1] - F[0]
    tiles = v[: F.size * k.size].reshape(F.size, k.size, n, n).transpose(0, 2, 1, 3).reshape(F.size * n, -1)
    box = (k[0] - dk / 2, k[-1] + dk / 2, F[0] - dF / 2, F[-1] + dF / 2)
    image = left.imshow(tiles, origin="lower", extent=box, aspect="auto", vmin=0, vmax=0.4, cmap="viridis")
    fig.colorbar(image, ax=left, label="v [1]", location="top", shrink=0.6)
    cells = np.array([list(Pattern).index(p) for p in verdicts[: F.size * k.size]]).reshape(F.size, k.size)
    colours = ListedColormap(list(COLOURS.values()))
    right.pcolormesh(k, F, cells, cmap=colours, vmin=-0.5, vmax=6.5)
    a = np.linspace(box[2], box[3], 200)
    right.plot(a**0.5 / 2 - a, a, "k", lw=1)
    right.set_xlim(*box[:2])
    used = [Patch(color=COLOURS[p], label=p.name.lower()) for p in Pattern if p in verdicts]
    right.legend(handles=used, loc="lower center", bbox_to_anchor=(0.5, 1.01), ncols=4, frameon=False)
    left.set_ylabel("F [1]")
    for ax in (left, right):
        ax.set(xlabel="k [1]", xticks=[0.045, 0.05, 0.055, 0.06, 0.065])
    return fig


if __name__ == "__main__":
    for name, value in main(figure="31_pearson_map.png").items():
        print(f"{name:24} {value:.8g}")
