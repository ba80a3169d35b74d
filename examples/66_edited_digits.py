"""Digits made into others: each is hidden in noise and drawn again as another class, by the same `solve`.

The more noise, the more of them become what is asked for, and the less is left of the image that there was.
"""

import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

REAL = runpy.run_path(str(Path(__file__).with_name("digits_parts.py")))
SCHEDULE = gen.Cosine()
WEIGHTS = Path(gen.__file__).parent / "weights" / "digits.safetensors"
STRENGTHS = (0.2, 0.5, 1.0, 2.0, 5.0)  # noise in units of the range of grey, at which images are drawn again


def correlation(a, b):
    """Of pixels with those of the image they come from, without what all images share."""
    a, b = (x.reshape(len(x), -1) - x.reshape(len(x), -1).mean(0) for x in (a, b))
    return float(np.mean(np.sum(a * b, 1) / np.sqrt(np.sum(a * a, 1) * np.sum(b * b, 1))))


def main(fast=False, figure=None):
    """For each strength: how many are seen as the new digit, as the old one, and how alike images are."""
    from sklearn.neural_network import MLPClassifier

    (images, labels), _, (unseen, was) = REAL["digits"]()
    judge = MLPClassifier((32,), max_iter=400, random_state=0, alpha=1e-2).fit(images.reshape(-1, 64), labels)
    unseen, was = (a[: 100 if fast else 400] for a in (unseen, was))
    asked = (was + 5) % 10
    network = gen.training.load(WEIGHTS, SCHEDULE)
    denoiser = gen.guide(gen.from_v(network, SCHEDULE), condition=asked, scale=1.5)
    out, sets = {}, {"as they were": unseen[:12]}
    for s in STRENGTHS:
        sampler = gen.samplers.ddpm(denoiser, gen.karras(30, 0.02, s))
        x = np.clip(gen.edit(sampler, unseen, key=ds.key(66)).final, -1, 1)
        seen = judge.predict(x.reshape(-1, 64))
        out |= {f"new at {s:g}": np.mean(seen == asked), f"old at {s:g}": np.mean(seen == was),
                f"alike at {s:g}": correlation(x, unseen)}
        sets[f"strength {s:g}"] = x[:12]
    if figure:
        REAL["rows"](sets, "a digit n drawn again as n + 5, modulo 10").savefig(figure)
    return out


if __name__ == "__main__":
    for name, value in main(figure="66_edited_digits.png").items():
        print(f"{name:28} {value:.4f}")
