"""An enzyme at work in space: E + S ⇌ ES → E + P by molecules that meet, and by the laws without space.

One text serves the rate equation, the jump process and the molecules. An E takes an S that comes within 30 nm
at a rate for which k₁ is right whatever the step: here a molecule goes fifteen times as far.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds

REACTIONS = ("E + S <-> ES @ 0.01, 1", "ES -> E + P @ 1")
EDGE, START, PARTS = 4.4964, {"E": 909, "S": 9091}, 9  # a ninth of the volume holds 101 E and 1010 S


def main(fast=False, figure=None):
    """Molecules in each box at the end, by three laws; deviations in standard errors; atoms lost."""
    boxes, steps, end = (8, 100, 2.0) if fast else (36, 1000, 10.0)
    edge = EDGE / PARTS ** (1 / 3)
    cube = ds.Box((0.0, 0.0, 0.0), (edge, edge, edge))
    law = ds.particles.Molecules.of(
        *REACTIONS, D=10.0, region=cube, boundary=ds.Periodic(), kinetics=ds.particles.Doi(0.03)
    )
    numbers = {s: n // PARTS for s, n in START.items()}
    y0 = law.fill(numbers, capacity=1_200, key=ds.key(1), boxes=(boxes,))
    ts = np.linspace(0, end, 21)[1:]
    space = ds.solve(law, y0, (0, end), dt=end / steps, save=ds.SaveAt(ts=ts, fn=law.count), key=ds.key(2))

    jump = law.well_mixed()
    start = tf.constant([float(numbers.get(s, 0)) for s in law.species])
    many, save = tf.tile(start[None], [400, 1]), ds.SaveAt(ts=ts)
    ssa = ds.solve(jump, many, (0, end), save=save, key=ds.key(3)).y.numpy()
    ode = ds.solve(jump.rate_equation(), start.numpy(), (0, end), save=save).y.numpy()

    seen = space.y.numpy()
    error = seen.std(1) / boxes**0.5
    off = (seen[-1].mean(0) - ssa[-1].mean(0)) / np.hypot(error[-1], ssa[-1].std(0) / 400**0.5)
    if figure:
        draw(law.species, ts, seen, error, ssa, ode).savefig(figure)
    return {
        **{f"{s} in space": n for s, n in zip(law.species, seen[-1].mean(0), strict=True)},
        **{f"{s} by events": n for s, n in zip(law.species, ssa[-1].mean(0), strict=True)},
        **{f"{s} by rates": n for s, n in zip(law.species, ode[-1], strict=True)},
        "largest deviation/error": abs(off).max(),
        "enzymes lost": abs(seen[..., 0] + seen[..., 2] - numbers["E"]).max(),
    }


def draw(species, ts, seen, error, ssa, ode):
    """Means over time with their errors, and what is left of them less the rate equation."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 4.3), dpi=150, layout="constrained")
    left, right = page.subplots(1, 2)
    for s, name in enumerate(species):
        (line,) = left.plot(ts, ode[:, s], lw=1.2, label=f"{name}, rate equation")
        bars = {"fmt": "o", "ms": 3.5, "mfc": "none", "color": line.get_color(), "capsize": 2}
        left.errorbar(ts, seen[:, :, s].mean(1), error[:, s], **bars)
        shift = ts + 0.1 * (s - 1.5) * (ts[1] - ts[0])
        right.errorbar(shift, seen[:, :, s].mean(1) - ode[:, s], error[:, s], **bars)
        right.plot(ts, ssa[:, :, s].mean(1) - ode[:, s], "--", lw=1, color=line.get_color())
    left.plot([], [], "ko", ms=3.5, mfc="none", label="molecules in space")
    left.set(xlabel="time [s]", ylabel="molecules in a box", yscale="symlog")
    left.legend(fontsize=8, ncols=2)
    right.plot([], [], "k--", lw=1, label="every event, no space (SSA)")
    right.plot([], [], "ko", ms=3.5, mfc="none", label="molecules in space, ± one standard error")
    right.axhline(0, color="k", lw=0.6)
    right.set(xlabel="time [s]", ylabel="difference from the rate equation")
    right.legend(fontsize=8)
    return page


if __name__ == "__main__":
    for name, value in main(figure="44_reacting_particles.png").items():
        print(f"{name:24} {value:.8g}")
