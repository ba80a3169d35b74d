"""Sums over shells of cells or modes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def number(index) -> tuple[np.ndarray, np.ndarray]:
    """Shell numbers without gaps, and how many members each shell has; members with index < 0 stay at −1."""
    used, shell = np.unique(index, return_inverse=True)
    shell = shell.reshape(np.shape(index)) - int(used[0] < 0)
    return shell, np.bincount(shell[shell >= 0])


def sums(u, shell, m: int):
    """Σ u over the members of the shells 0 … m − 1: (…, *grid) → (…, m)."""
    batch = u.shape[: u.shape.rank - shell.ndim]
    flat = tf.reshape(u, [batch.num_elements(), shell.size])
    parts = tf.math.unsorted_segment_sum(tf.transpose(flat), shell.ravel(), m)
    return tf.reshape(tf.transpose(parts), [*batch, m])
