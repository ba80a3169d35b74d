"""Cell lists find every pair within the cutoff, once, in open, closed and periodic boxes."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim.particles import Cells

RNG = np.random.default_rng(0)


def pairs_by_hand(x, size, periodic, cutoff):
    """All ordered pairs of two boxes of n particles, from the table of distances."""
    r = x[:, None] - x[:, :, None]
    r = np.where(np.broadcast_to(periodic, x.shape[-1]), r - size * np.round(r / size), r)
    near = (r**2).sum(-1) < cutoff**2
    n = x.shape[1]
    return {(box * n + i, box * n + j): r[box, i, j] for box, i, j in np.argwhere(near) if i != j}


@pytest.mark.parametrize("d", (1, 2, 3))
@pytest.mark.parametrize("walls", ("periodic", "closed", "mixed"))
@pytest.mark.parametrize(("n", "cutoff"), ((5, 0.3), (60, 0.02), (50, 0.2), (40, 0.49)))
def test_every_pair_is_found_once(d, walls, n, cutoff):
    size, lower = np.array([1.0, 1.3, 2.0])[:d], np.array([-0.4, 0.2, 1.0])[:d]
    periodic = {"periodic": True, "closed": False, "mixed": tuple(i % 2 == 0 for i in range(d))}[walls]
    x = RNG.random((2, n, d)) * size + lower
    cells = Cells.over(lower, lower + size, cutoff, number=n, periodic=periodic, capacity=n)
    bins = cells.bin(tf.constant(x))
    found = cells.neighbours(tf.constant(x), bins)
    assert int(bins.left) == 0
    index, r, near = (a.numpy() for a in found)
    listed = [(box * n + i, index[box, i, k]) for box, i, k in np.argwhere(near)]
    assert len(listed) == len(set(listed))
    expected = pairs_by_hand(x, size, periodic, cutoff)
    assert set(listed) == set(expected)
    for pair, vector in zip(listed, r[near], strict=True):
        np.testing.assert_allclose(vector, expected[pair], atol=1e-14)


def test_absent_particles_take_no_part():
    x = tf.constant(RNG.random((50, 2)))
    present = tf.constant(np.arange(50) % 3 == 0)
    cells = Cells.over([0, 0], [1, 1], 0.3, number=50, periodic=True, capacity=50)
    found = cells.neighbours(x, cells.bin(x, present))
    partners = set(found.index.numpy()[found.near.numpy()])
    assert partners and all(i % 3 == 0 for i in partners)


def test_an_overflow_is_counted():
    cells = Cells.over(0.0, 1.0, 0.1, number=20, capacity=3)
    bins = cells.bin(tf.fill([20, 1], 0.05))
    assert (int(bins.most), int(bins.left)) == (3, 17)
    assert int(Cells.over(0.0, 1.0, 0.1, number=20).bin(tf.constant(RNG.random((20, 1)))).left) == 0


def test_default_capacities_hold_particles_at_random():
    """With the default capacity a random box overflows with odds below 1e-13: Poisson tails, by SciPy."""
    from scipy.stats import poisson

    for number, cutoff in ((100, 0.01), (10_000, 0.03), (1000, 0.2), (100_000, 0.2)):
        cells = Cells.over([0.0] * 3, [1.0] * 3, cutoff, number=number)
        mean = number / cells.number
        assert cells.number * poisson.sf(cells.capacity, mean) < 1e-13 or cells.capacity == number
        assert cells.capacity < 21 + 8 * mean


@pytest.mark.parametrize(
    ("call", "words"),
    (
        (lambda: Cells.over(0.0, 1.0, -1.0, number=5), "cutoff"),
        (lambda: Cells.over(0.0, 1.0, 0.6, number=5, periodic=True), "several ways"),
        (lambda: Cells.over([0.0] * 4, [1.0] * 4, 0.1, number=5), "1 to 3 coordinates"),
        (lambda: Cells.over(1.0, 0.0, 0.1, number=5), "lower < upper"),
        (lambda: Cells.over(0.0, np.inf, 0.1, number=5), "finite corners"),
        (lambda: Cells.over(0.0, 1.0, 0.1, number=0), "number"),
        (lambda: Cells.over(0.0, 1.0, 0.1, number=5, capacity=0), "capacity"),
    ),
)
def test_refusals(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()
