"""Handwritten digits by class: a U-Net, sampled by the `solve` and the stepper of Gray–Scott.

train_digits.py trained it, in minutes. A classifier that learned from the same digits says what it sees; in
its features the Fréchet distance to digits that none has seen is compared with that of Gaussian mixtures. How
much noise there is on the way, and how many Gaussians, is chosen by other digits.
"""

import runpy
from functools import partial
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative.metrics import frechet_distance

SCHEDULE = gen.Cosine()
WEIGHTS = Path(gen.__file__).parent / "weights" / "digits.safetensors"
REAL = runpy.run_path(str(Path(__file__).with_name("digits_parts.py")))


def draw(network, labels, eta, steps=50):
    """Samples of the given classes: along the flow, η = 0, or with noise on the way."""
    mesh = gen.karras(steps, 0.02, 80.0)
    z = gen.prior(mesh, (len(labels), 8, 8, 1), ds.key(1))
    law = gen.reverse_sde(gen.from_v(network, SCHEDULE, labels), eta=eta)
    return np.clip(ds.solve(law, z, mesh, stepper=ds.ETD1(), key=ds.key(3)).final, -1, 1)


def hidden(judge, x):
    """What the hidden layer of the judge makes of images."""
    return np.maximum(x.reshape(-1, 64) @ judge.coefs_[0] + judge.intercepts_[0], 0.0)


def without(a, i, parts=10):
    """All rows but those of part i."""
    return a[np.arange(len(a)) * parts // len(a) != i]


def main(fast=False, figure=None):
    """How many samples are recognised, and their distance from real digits beside that of mixtures."""
    from sklearn.neural_network import MLPClassifier

    (images, labels), (others, _), (unseen, truth) = REAL["digits"]()
    network, many = gen.training.load(WEIGHTS, SCHEDULE), 1000 if fast else 3000
    judge = MLPClassifier((32,), max_iter=400, random_state=0, alpha=1e-2)
    judge.fit(images.reshape(-1, 64), labels)
    distance = partial(frechet_distance, features=partial(hidden, judge))
    made = {e: draw(network, np.arange(500) % 10, e) for e in ((0.0,) if fast else (0.0, 0.5, 1.0))}
    mixed = {n: REAL["mixture"](images, 500, n) for n in ((40,) if fast else (10, 20, 40))}
    eta, n = (min(sets, key=lambda a, sets=sets: distance(sets[a], others).value) for sets in (made, mixed))
    asked = np.arange(many) % 10
    x, y = draw(network, asked, eta), REAL["mixture"](images, many, n)
    parts = [[without(a, i) for a in (x, y, unseen)] for i in range(10)]
    leads = [distance(b, c).value - distance(a, c).value for a, b, c in parts]
    if figure:
        REAL["page"]({"real digits": (unseen, truth), "samples": (x, asked)}).savefig(figure)
    return {
        "η, chosen by others": eta,
        "Gaussians, chosen by others": n,
        "recognised": np.mean(judge.predict(x.reshape(-1, 64)) == asked),
        "recognised of real ones": judge.score(unseen.reshape(-1, 64), truth),
        "distance": distance(x, unseen).value,
        "error of the distance": distance(x, unseen).error,
        "distance of a mixture": distance(y, unseen).value,
        "distance of the known digits": distance(images, unseen).value,
        "lead over the mixture": distance(y, unseen).value - distance(x, unseen).value,
        "error of the lead": 3 * np.std(leads),  # a jackknife
    }


if __name__ == "__main__":
    for name, value in main(figure="61_digits.png").items():
        print(f"{name:28} {value:.4f}")
