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


def polynomial(nodes) -> list[list]:
    """p[m][j], the coefficient of θᵐ in the Lagrange polynomial of node j: one at θⱼ, zero at the others.

    Args:
        nodes: distinct scalars θⱼ.
    """
    columns = []
    for j, at in enumerate(nodes):
        coefficients = [tf.ones([], tf.float64)]
        for i, other in enumerate(nodes):
            if i != j:
                low = [-other * c for c in coefficients] + [0.0]
                high = [0.0, *coefficients]
                coefficients = [(a + b) / (at - other) for a, b in zip(low, high, strict=True)]
        columns.append(coefficients)
    return [list(row) for row in zip(*columns, strict=True)]


def chosen(order, tables, size: int) -> list[list]:
    """The table for `order` (a scalar tensor) among tables for 1, 2, …; each filled up with zeros to size × size."""
    zero = tf.zeros([], tf.float64)

    def at(table, m, j):
        return table[m][j] if m < len(table) and j < len(table[m]) else zero

    return [
        [
            tf.add_n([tf.where(tf.equal(order, k + 1), at(table, m, j), zero) for k, table in enumerate(tables)])
            for j in range(size)
        ]
        for m in range(size)
    ]


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
