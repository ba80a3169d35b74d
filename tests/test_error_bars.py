"""Error bars: as wide as repeats scatter, by arithmetic where that can be; no statement here needs a network."""

import math

import numpy as np
import pytest

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import metrics

RNG = np.random.default_rng(7)


def pair(n=40, m=30):
    """Two Gaussians that differ in place and spread."""
    return RNG.normal(size=(n, 2)), 0.8 + 1.3 * RNG.normal(size=(m, 2))


METRICS = {  # each with how far its bars may be off beside chance: k-th neighbours of few points are no smooth statistic
    "mmd": (lambda x, y: metrics.mmd(x, y, scale=1.0), 0.1),
    "frechet": (metrics.frechet_distance, 0.2),
    "precision": (lambda x, y: metrics.precision_recall(x, y).precision, 0.4),
    "recall": (lambda x, y: metrics.precision_recall(x, y).recall, 0.4),
}


@pytest.mark.parametrize("name", METRICS)
def test_repeats_scatter_as_the_error_says(name):
    """Root mean square error of 120 pairs over their standard deviation, 5σ of the latter: 5/√240."""
    metric, slack = METRICS[name]
    value, error = np.array([metric(*pair()) for _ in range(120)]).T
    assert abs(np.sqrt(np.mean(error**2)) / value.std(ddof=1) - 1) < 5 / math.sqrt(240) + slack


def test_slices_scatter_as_the_error_says():
    x, y = pair(200, 200)
    found = np.array([metrics.sliced_wasserstein(x, y * [1.0, 2.0], ds.key(i), slices=16) for i in range(60)])
    assert abs(found[:, 1].mean() / found[:, 0].std(ddof=1) - 1) < 5 / math.sqrt(120)


def test_too_few_rows_have_shares_without_error():
    share = metrics.precision_recall(*pair(12, 30)).precision
    assert 0 <= share.value <= 1 and math.isnan(share.error)


def test_mmd_by_hand():
    """Kernel means without a point's own kernel; the scale is the median of all distances if none is given."""
    x, y = pair()
    gaps = [((a[:, None] - b) ** 2).sum(-1) for a, b in ((x, x), (y, y), (x, y))]
    both = np.concatenate([gaps[0][np.triu_indices(40, 1)], gaps[1][np.triu_indices(30, 1)], gaps[2].ravel()])
    for scale in (0.7, None):
        k = [np.exp(-g / (2 * (scale**2 if scale else np.median(both)))) for g in gaps]
        by_hand = (k[0].sum() - 40) / (40 * 39) + (k[1].sum() - 30) / (30 * 29) - 2 * k[2].mean()
        assert metrics.mmd(x, y, scale=scale).value == pytest.approx(by_hand, rel=1e-6)


def test_neighbours_are_counted_without_oneself():
    """On a line of places 0, 1, 3, 7 the second neighbours are 3, 2, 3 and 6 away."""
    places = np.array([[0.0], [1.0], [3.0], [7.0]])
    inside = np.array([[-2.9], [13.0], [-3.1], [13.1]])
    assert metrics.precision_recall(inside, places, neighbours=2).precision.value == 0.5


def test_bits_have_the_error_of_their_mean():
    nats = np.array([1.0, 2.0, 4.0, 9.0])
    found = gen.Bound(nats, np.zeros((3, 4)), np.zeros(4), np.zeros(3), 16)
    bits, error = found.bits_per_dimension(0.25)
    assert bits == pytest.approx(4 / 16 / math.log(2) + 2)
    assert error == pytest.approx(math.sqrt(38 / 3 / 4) / 16 / math.log(2))
