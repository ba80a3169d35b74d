"""What 62_turing_generated.py, 63_latent.py and their training share: fields, how they are judged and shown."""

import numpy as np
import tensorflow as tf

import diffsim as ds

N, MIDDLE, UNIT = 32, 0.17, 0.11  # cells; mean and deviation of v: networks see (v − MIDDLE)/UNIT
GRID = ds.Grid((N, N), 64 * 2.5 / 256)
KINDS = {"LABYRINTH": (0.037, 0.06), "SPOTS": (0.03, 0.062), "HOLES": (0.039, 0.058)}  # F, k (Pearson)


def fields(each, key, end=8000):
    """v of `each` labyrinths, spots and holes, solved on 64 × 64 cells and averaged over 2 × 2; their kinds."""
    n = each * len(KINDS)
    F, k = np.repeat(np.array(list(KINDS.values()), np.float32), each, 0).T[:, :, None, None]
    grid = ds.Grid((64, 64), GRID.size[0])
    law = ds.models.GrayScott(F=F, k=k).on(grid, ds.Periodic())
    seeds = tf.cast(ds.random.uniform(key, (n, 8, 8)) < 0.3, tf.float32)
    v = 0.25 * tf.repeat(tf.repeat(seeds, 8, 1), 8, 2)
    v = ds.solve(law, (1.0 - 2.0 * v, v), (0, end), dt=1.0, stepper=ds.Euler()).final[1].numpy()
    v, kind = v.reshape(n, N, 2, N, 2).mean((2, 4)), np.repeat(np.arange(len(KINDS)), each)
    alive = v.std((1, 2)) > 1e-2  # the reaction goes out where it was started too weakly
    return v[alive], kind[alive]


def recognised(v):
    """Which of KINDS each field shows, as its number; −1 for others."""
    seen = [ds.analysis.recognise(GRID, u, least=1e-2).pattern.name for u in v]
    return np.array([list(KINDS).index(name) if name in KINDS else -1 for name in seen])


def shares(v, kind=None):
    """How often each of KINDS is recognised, and the standard errors; with `kind`, as if as many were made of each."""
    is_it = recognised(v)[:, None] == np.arange(len(KINDS))
    parts = [is_it] if kind is None else [is_it[kind == i] for i in range(len(KINDS))]
    p = np.array([part.mean(0) for part in parts])
    variance = p * (1 - p) / np.array([[len(part)] for part in parts])
    return p.mean(0), np.sqrt(variance.sum(0)) / len(parts)


def judged(v, own, kind):
    """Wavelength, structure factor and kinds of samples v beside those of the solver's `own`, made as `kind` says.

    Shares are apart by so many standard errors of the binomial law that `own` gives to as many samples.
    """
    k, S = ds.analysis.structure_factor(GRID, v)
    S, S_own = (np.mean(a, 0) for a in (S, ds.analysis.structure_factor(GRID, own)[1]))
    length, length_own = (float(np.mean(ds.analysis.dominant_wavelength(GRID, u))) for u in (v, own))
    (p, _), (q, error) = shares(v), shares(own, kind)
    apart = np.abs(p - q) / np.sqrt(q * (1 - q) / len(v) + error**2)
    return {
        "wavelength": length,
        "wavelength of the solver": length_own,
        "area between S(k), relative": k @ np.abs(S - S_own) / (k @ S_own),
        **{name.lower(): share for name, share in zip(KINDS, p, strict=True)},
        **{f"{name.lower()} of the solver": share for name, share in zip(KINDS, q, strict=True)},
        "largest gap of shares / σ": apart.max(),
    }


def page(sets):
    """Fields, S(k) and shares of kinds of {name: (v, kinds as they were made, or None)}."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 6.6), dpi=150, layout="constrained")
    top, bottom = fig.subfigures(2, 1, height_ratios=(1.15, 1))
    axes, (left, right) = top.subplots(1, len(sets)), bottom.subplots(1, 2)
    sheets, first = [sheet(v) for v, _ in sets.values()], np.arange(len(KINDS))
    low, high = (f(sheets) for f in (np.nanmin, np.nanmax))
    for i, (ax, cells, (name, (v, kind))) in enumerate(zip(axes, sheets, sets.items(), strict=True)):
        image = ax.imshow(cells, vmin=low, vmax=high)
        ax.set_axis_off()
        ax.set_title(name)
        k, S = ds.analysis.structure_factor(GRID, v)
        S, error = np.mean(S, 0), np.std(S, 0) / len(v) ** 0.5
        left.errorbar(k, S, error, fmt=".-", ms=3, lw=0.8, capsize=2, color=f"C{i}", label=name)
        p, error = shares(v, kind)
        right.bar(first + 0.25 * i, p, 0.22, yerr=error, capsize=2, color=f"C{i}", label=name)
    top.colorbar(image, ax=axes, label="v [1]")
    top.suptitle(f"Each field is {GRID.size[0]:g} wide, in Pearson's unit of length", fontsize=9)
    left.set(xlabel="k [1 / length]", ylabel="S [length²], ± 1σ", yscale="log")
    right.set(ylabel="share of fields [1], ± 1σ")
    right.set_xticks(first + 0.125 * (len(sets) - 1), [name.lower() for name in KINDS])
    right.axhline(1 / len(KINDS), color="k", lw=0.6, ls=":", label="as many of each")
    right.set_ylim(top=1.35 * right.get_ylim()[1])  # room for the legend
    left.legend(frameon=False)
    right.legend(frameon=False, ncols=2)
    return fig


def sheet(v, side=4):
    """side × side of the fields, evenly from all, with a gap between them."""
    some = v[np.linspace(0, len(v) - 1, side * side).astype(int)].reshape(side, side, N, N)
    some = np.pad(some, [(0, 0), (0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    return some.transpose(0, 2, 1, 3).reshape(side * (N + 1), -1)[:-1, :-1]
