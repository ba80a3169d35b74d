"""Handwritten digits by class: a U-Net with guidance, sampled by the `solve` and the stepper of Gray–Scott.

train_digits.py trained it, in minutes. A classifier that learned from real digits says what it sees; in its
features the Fréchet distance to digits kept out of all training is compared with that of a Gaussian mixture.
"""

from functools import partial
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative.metrics import frechet_distance

SCHEDULE = gen.Cosine()
WEIGHTS = Path(gen.__file__).parent / "weights" / "digits.safetensors"


def digits():
    """Images between −1 and 1 and labels: three quarters to train on, one to judge by."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = (data.images[..., None] / 8 - 1).astype(np.float32), data.target
    order = np.argsort(np.asarray(ds.random.uniform(ds.key(61), (len(labels),))))
    cut = len(labels) * 3 // 4
    return (images[order[:cut]], labels[order[:cut]]), (images[order[cut:]], labels[order[cut:]])


def draw(network, labels, scale, steps=50):
    """Samples of the given classes; noise on the way mends what the network gets wrong."""
    denoiser = gen.guide(gen.from_v(network, SCHEDULE), condition=labels, scale=scale)
    mesh = gen.karras(steps, 0.02, 80.0)
    z = gen.prior(mesh, (len(labels), 8, 8, 1), ds.key(1))
    law = gen.reverse_sde(denoiser, eta=1.0)
    return np.asarray(ds.solve(law, z, mesh, stepper=ds.ETD1(), key=ds.key(3)).final)


def hidden(judge, x):
    """What the hidden layer of the judge makes of images."""
    return np.maximum(x.reshape(-1, 64) @ judge.coefs_[0] + judge.intercepts_[0], 0.0)


def main(fast=False, figure=None):
    """How many samples are recognised, and their distance from real digits beside that of mixtures."""
    from sklearn.mixture import GaussianMixture
    from sklearn.neural_network import MLPClassifier

    (images, labels), (unseen, truth) = digits()
    flat = images.reshape(-1, 64)
    judge = MLPClassifier((32,), max_iter=400, random_state=0, alpha=1e-2).fit(flat, labels)
    features = partial(hidden, judge)
    asked = np.arange(300 if fast else 1000) % 10
    network = gen.training.load(WEIGHTS, SCHEDULE)
    made, free = (np.clip(draw(network, asked, scale=w), -1, 1) for w in (1.5, 1.0))  # with guidance, without
    mixture = GaussianMixture(10, reg_covar=1e-3, random_state=0).fit(flat).sample(len(made))[0]
    if figure:
        from matplotlib.image import imsave

        imsave(figure, np.kron(gen.training.sheet.tile(made[:100], 10), np.ones((6, 6, 1))))
    far, mixed = (frechet_distance(x, unseen, features) for x in (free, np.clip(mixture, -1, 1)))
    return {
        "recognised": np.mean(judge.predict(made.reshape(-1, 64)) == asked),
        "recognised of real ones": judge.score(unseen.reshape(-1, 64), truth),
        "recognised without guidance": np.mean(judge.predict(free.reshape(-1, 64)) == asked),
        "distance": far.value,
        "error of the distance": far.error,
        "distance of a mixture": mixed.value,
    }


if __name__ == "__main__":
    for name, value in main(figure="61_digits.png").items():
        print(f"{name:28} {value:.4f}")
