"""Places for those who are born."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from diffsim.particles.pool import Pool


class Born(NamedTuple):
    """Molecules to be placed: (boxes, m) each, positions (boxes, m, d); those of kind −1 are not there."""

    x: Any
    kind: Any


def placed(y: Pool, born: list[Born]):
    """The pool with the newborn in empty places, and how many found none.

    Args:
        y: (boxes, n, d) and (boxes, n).
        born: any number of groups of them.

    Returns:
        (Pool, int32).
    """
    x, kind = tf.concat([b.x for b in born], 1), tf.concat([b.kind for b in born], 1)
    wanted, free = kind >= 0, y.kind < 0
    boxes, m = kind.shape

    def settle():
        sums = tf.cumsum(tf.cast(tf.concat([wanted, free], 1), tf.int32), axis=1)
        turn, room = sums[:, :m], sums[:, m:] - sums[:, m - 1 : m]
        base = tf.range(boxes)[:, None] * m
        to = tf.where(wanted, base + turn - 1, boxes * m)
        order = tf.tensor_scatter_nd_update(
            tf.zeros([boxes * m + 1], tf.int32), tf.reshape(to, [-1, 1]), tf.range(boxes * m)
        )
        takes = free & (room <= turn[:, -1:])
        who = tf.gather(order, tf.where(takes, base + room - 1, boxes * m))
        new_x = tf.gather(tf.reshape(x, [-1, x.shape[-1]]), who)
        new_kind = tf.gather(tf.reshape(kind, [-1]), who)
        missing = tf.reduce_max(tf.maximum(turn[:, -1] - room[:, -1], 0))
        return tf.where(takes[..., None], new_x, y.x), tf.where(takes, new_kind, y.kind), missing

    *state, missing = tf.cond(tf.reduce_any(wanted), settle, lambda: (*y, tf.constant(0)))
    return Pool(*state), missing
