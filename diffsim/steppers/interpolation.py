"""What multistep methods share: values at earlier times, and the polynomial through them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from diffsim import _checks, _nest


class Past(NamedTuple):
    """Values at earlier times, the latest first, and how many steps have been taken."""

    values: tuple
    times: tuple
    count: Any

    @classmethod
    def empty(cls, like, t, length: int) -> Past:
        """None yet: zeros at times that no step has."""
        times = tuple(t - float(j + 1) for j in range(length))
        return cls(tuple(_nest.zeros(like) for _ in range(length)), times, tf.zeros([], tf.int32))

    def push(self, value, t) -> Past:
        """The same one step later."""
        values, times = ((new, *old)[: len(old)] for new, old in ((value, self.values), (t, self.times)))
        return Past(values, times, self.count + 1)


def polynomial(nodes):
    """p[m, j], the coefficient of θᵐ in the Lagrange polynomial of node j: one at θⱼ, zero at the others.

    Args:
        nodes: distinct scalars θⱼ.
    """
    nodes = tf.stack(nodes)
    p = tf.ones([nodes.shape[0], 1], tf.float64)
    for i in range(nodes.shape[0]):
        mine = tf.one_hot(i, nodes.shape[0], dtype=tf.float64)
        same, times_theta = tf.pad(p, [[0, 0], [0, 1]]), tf.pad(p, [[0, 0], [1, 0]])
        factor = (times_theta - nodes[i] * same) / (nodes - nodes[i] + mine)[:, None]
        p = tf.where(mine[:, None] > 0, same, factor)
    return tf.transpose(p[:, :-1])


def chosen(order, tables, size: int) -> list[list]:
    """The table for `order` (a scalar tensor) among tables for 1, 2, …, filled up with zeros, entry by entry."""
    full = tf.stack([tf.pad(t, [[0, size - t.shape[0]], [0, size - t.shape[1]]]) for t in tables])
    flat = tf.unstack(tf.reshape(tf.gather(full, order - 1), [-1]), size * size)
    return [flat[m * size : (m + 1) * size] for m in range(size)]


def weighted(weights, values):
    """Σⱼ wⱼ·vⱼ."""
    total = None
    for w, v in zip(weights, values, strict=True):
        part = _nest.map(lambda leaf, w=w: tf.cast(w, leaf.dtype) * leaf, v)
        total = part if total is None else _nest.add(total, part)
    return total


def asked(order: int, orders, count):
    """The order that a step may have by itself: `order`, or the entry of `orders` for it."""
    if orders is None:
        return tf.constant(order)
    orders = tf.cast(orders, tf.int32)
    return orders[tf.minimum(count, tf.shape(orders)[0] - 1)]


def check_order(name: str, order: int, most: int):
    """Refuse orders for which there is no rule."""
    order = _checks.integer("order", order, least=1, why="it counts values of N in one step")
    if order > most:
        why = f"{name} has rules up to that"
        _checks.refuse("order", order, f"1 ≤ order ≤ {most}", why, "Use shorter steps instead.")


def own_orders(orders, order: int):
    """One order for each step as read-only integers; None stays."""
    if orders is None:
        return None
    array = np.array(orders)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        why, way_out = "steps count them", "Pass [1, 2, 2, 1]."
        _checks.refuse("orders", orders, "one integer for each step", why, way_out, TypeError)
    if array.min() < 1 or array.max() > order:
        _checks.refuse(
            "orders",
            _checks.Verbatim(str(array.tolist())),
            f"1 ≤ order ≤ {order}",
            f"the method keeps {order} value{'s' if order > 1 else ''} of N",
            "Raise order, or lower the entries.",
        )
    array = array.astype(np.int32)
    array.flags.writeable = False
    return array
