"""Bits per pixel of digits kept out of training: a network that tells variances beside fixed ones.

train_bits.py trained it, and one that learned noise alone. With the same means, on the same draws of noise,
the variance alone makes the difference; the probability flow of the same network tells its density itself.
The chain begins in noise that magnifies errors of estimates; clipping keeps them in the range of pixels.
"""

import math
import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

REAL = runpy.run_path(str(Path(__file__).with_name("digits_parts.py")))
LEVELS = 17  # values of a pixel, from −1 to 1
SCHEDULE = gen.Discrete.cosine(1000, s=0.1)


def weights(name):
    """File of a network's weights."""
    return Path(gen.__file__).parent / "weights" / f"bits_{name}.safetensors"


def model(name):
    """The network of this name as a denoiser."""
    return gen.from_epsilon(gen.training.load(weights(name), SCHEDULE), SCHEDULE)


def bounds(name, images, steps, variances):
    """Bounds by the names of variances, of the network of this name; of the same draws of noise for all."""
    n = np.round(np.linspace(SCHEDULE.steps - 1, 0, steps)).astype(int)
    mesh, kinds = gen.Mesh(SCHEDULE.table[n], SCHEDULE), tuple(variances.values())
    found = gen.bound(gen.clip(model(name)), images, mesh, key=ds.key(66), levels=LEVELS, variance=kinds)
    return dict(zip(variances, found, strict=True))


def by_flow(images, sigma=0.06):
    """Bits per pixel by the probability flow of the learned network, pixels spread over their bins."""
    whole = np.round((images + 1) * (LEVELS - 1) / 2).astype(int)
    x = gen.dequantise(whole, ds.key(67), levels=LEVELS) * (LEVELS / (LEVELS - 1))
    ends = gen.uniform_lambda(1, float(SCHEDULE.lam(980.0)), -math.log(sigma), schedule=SCHEDULE)
    trace, rk4 = gen.Hutchinson(ds.key(68), 2), ds.RK4()
    found = gen.log_likelihood(model("learned"), x, ends, trace=trace, dt=0.3, stepper=rk4)
    return found.bits_per_dimension(width=2 / (LEVELS - 1))


def main(fast=False, figure=None):
    """Bits per pixel and standard errors over images, of differences between pairs too."""
    images = REAL["digits"]()[2][0][: 24 if fast else 200]
    steps, fixed = 10 if fast else 25, {"small": gen.Fixed(0.0), "large": gen.Fixed(1.0)}
    found = bounds("learned", images, steps, {"learned": gen.ByNetwork(), **fixed})
    bits = {name: b.bits() for name, b in found.items()}
    sets = {"learned": bits["learned"]} | {f"{n} − learned": bits[n] - bits["learned"] for n in fixed}
    if figure:
        from matplotlib import pyplot as plt
        ax = plt.figure(figsize=(6, 4), layout="constrained").gca()
        for (name, b), style in zip(found.items(), ("-", "--", ":"), strict=True):
            terms = b.steps.mean(1) / (b.dimensions * math.log(2))
            ax.loglog(np.exp(-b.lam), terms, style, label=f"{name} variance: {bits[name].mean():.2f} in all")
        ax.set(xlabel="noise σ/α before a step", ylabel="bits per pixel of it", title=f"{steps} steps")
        ax.legend()
        ax.figure.savefig(figure)
    if not fast:
        plain = bounds("plain", images, steps, fixed)
        sets |= {f"{n} of noise alone − learned": b.bits() - bits["learned"] for n, b in plain.items()}
    out = {name: (float(a.mean()), float(a.std(ddof=1) / len(a) ** 0.5)) for name, a in sets.items()}
    return out if fast else out | {"by the flow": by_flow(images[:24])}


if __name__ == "__main__":
    for name, (value, error) in main(figure="67_bits_per_dimension.png").items():
        print(f"{name:36} {value:8.4f} ± {error:.4f}")
