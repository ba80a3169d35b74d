"""Losses and stays small enough to count on fingers."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.analysis import Residence, splitting, survival


def test_shares_among_all_and_a_late_start():
    """Of five, lost at 1, 3 (wall 0) and 2 (wall 1), since ½: errors of shares of five, a staircase from ½."""
    alive, time = tf.constant([False] * 3 + [True] * 2), tf.constant([1.0, 3.0, 2.0, np.inf, np.inf])
    fate = ds.Fate(alive, time, tf.constant([0, 0, 1, -1, -1]))
    np.testing.assert_allclose(splitting(fate).error, np.sqrt([0.4 * 0.6 / 5, 0.2 * 0.8 / 5]))
    assert survival(fate, until=4.0, since=0.5).t.tolist() == [0.5, 1, 2, 3]


def test_stays_on_an_uneven_mesh():
    """In from 0 to 1 and 4 to 5, and from 1 to 4: spent 2 and 3 in two and one stays, of which what began before t₀ has
    no length; the ratio 5/3 has the error of residuals ∓4/3."""
    t, inside = np.array([0.0, 1.0, 4.0, 5.0, 5.5]), np.array([[1, 0, 1, 0, 0], [0, 1, 0, 0, 0]]).T
    seen = Residence(lambda t, y: y > 0.5, longest=4.0, bins=4).over(t, inside.astype(float))
    assert (seen.mean.value, seen.share.value) == pytest.approx((5 / 3, 2.5 / 5.5))
    assert (seen.entries, seen.exits, seen.counts.tolist()) == (2, 3, [0, 1, 0, 1])
    assert seen.mean.error == pytest.approx(8 / 9)
