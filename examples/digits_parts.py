"""What 61_digits.py, 65 to 67 and their training share: digits in three parts, mixtures of Gaussians, figures."""

import numpy as np

import diffsim as ds
from diffsim import generative as gen


def digits():
    """Images between −1 and 1 and labels: 1347 to train on, 225 to choose by, 225 to judge by."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = (data.images[..., None] / 8 - 1).astype(np.float32), data.target
    order = np.argsort(np.asarray(ds.random.uniform(ds.key(61), (len(labels),))))
    return [(images[i], labels[i]) for i in np.split(order, [len(order) * 3 // 4, len(order) * 7 // 8])]


def mixture(images, n, size):
    """n samples of `size` Gaussians fitted to images, in no order."""
    from sklearn.mixture import GaussianMixture

    flat = images.reshape(-1, 64).astype(np.float64)
    x = GaussianMixture(size, reg_covar=1e-3, random_state=0).fit(flat).sample(n)[0]
    return np.clip(np.random.default_rng(0).permutation(x), -1, 1)


def page(sets):
    """Ten images of each digit in columns, for each of {name: (images, labels)}."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8, 4.8), dpi=150, layout="constrained")
    for ax, (name, (x, label)) in zip(fig.subplots(1, len(sets)), sets.items(), strict=True):
        columns = np.stack([x[label == i][:10] for i in range(10)], 1).reshape(100, 8, 8, 1)
        ax.imshow(gen.training.sheet.tile(columns, 10))
        ax.set(title=name, xlabel="digit", yticks=[], xticks=9 * np.arange(10) + 3.5, xticklabels=range(10))
    return fig


def rows(sets, title):
    """A figure of images in rows, each named at its left: {name: (n, 8, 8, 1)}, n the same in all."""
    from matplotlib.figure import Figure

    x = np.stack(list(sets.values()))
    lines, columns = x.shape[:2]
    fig = Figure(figsize=(1.4 + 0.5 * columns, 0.6 + 0.5 * lines), dpi=150, layout="constrained")
    ax = fig.subplots()
    ax.imshow(gen.training.sheet.tile(x.reshape(-1, 8, 8, 1), columns))
    ax.set(title=title, xticks=[], yticks=9 * np.arange(lines) + 3.5, yticklabels=list(sets))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig
