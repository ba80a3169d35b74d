"""Direct solution and exponentials of hops between neighbouring cells.

The matrix of σ − γA is tridiagonal in blocks, one for each position along one axis, and stays an M-matrix when blocks
are eliminated one after the other, so that no pivots are needed. On a ring the last block is solved for last.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from diffsim.boundary import Periodic

SMALL = 16  # rows that are eliminated one by one
DENSE = 600  # cells whose whole matrix is exponentiated
TERMS = 12  # of the series for arguments up to 1/4: what is left out is below 1e-17


def solve(op, sigma: float, gamma, rhs):
    """(σ − γA)⁻¹ rhs for an operator of hops, rhs (…, *grid); in float64 inside."""
    grid, dtype = op.grid, rhs.dtype
    op = op.prepare(tf.TensorSpec(grid.shape, tf.float64))  # rates must add up to what leaves
    d, gamma = grid.ndim, tf.cast(gamma, tf.float64)
    rings = [isinstance(pair[0], Periodic) for pair in op.boundary]
    scan = min(range(d), key=lambda a: (rings[a], -grid.shape[a]))
    order = [scan, *(a for a in range(d) if a != scan)]
    n, across = grid.shape[scan], [grid.shape[a] for a in order[1:]]
    m = math.prod(across)

    def sliced(a, size):
        return tf.reshape(tf.transpose(tf.cast(a, tf.float64), order), [size, m])

    def faces(rates, axis):
        shape = [k + (a == axis) for a, k in enumerate(grid.shape)]
        return tf.broadcast_to(rates[axis], shape)

    up, down = (sliced(faces(rates, scan), n + 1) for rates in (op.up, op.down))
    A = tf.linalg.diag(-sliced(op.leaving() + tf.zeros(grid.shape, op.up[0].dtype), n))
    for axis in order[1:]:
        lower, upper = op.sides(axis)
        at = order.index(axis) - 1
        A += _shifts(across, at, 1, rings[axis]) * sliced(upper + tf.zeros(grid.shape, upper.dtype), n)[:, None, :]
        A += _shifts(across, at, -1, rings[axis]) * sliced(lower + tf.zeros(grid.shape, lower.dtype), n)[:, None, :]
    B = sigma * tf.eye(m, dtype=tf.float64) - gamma * A
    below, above = -gamma * up, -gamma * down  # what slice i gets from i − 1, at face i; slice i − 1 from i
    if op.backward:
        B, below, above = tf.linalg.matrix_transpose(B), above, below
    lead = rhs.shape[: rhs.shape.rank - d].as_list()
    k = math.prod(lead)
    b = tf.transpose(tf.reshape(tf.cast(rhs, tf.float64), [k, *grid.shape]), [1 + a for a in order] + [0])
    b = tf.reshape(b, [n, m, k])
    x = _ring(B, below, above, b) if rings[scan] else _line(B, below[:-1], above[1:], b)
    x = tf.reshape(x, [n, *across, k])
    x = tf.transpose(x, [d, *(order.index(a) for a in range(d))])
    return tf.cast(tf.reshape(x, [*lead, *grid.shape]), dtype)


def _shifts(across, at, by, ring):
    """Entries [to, from] of neighbours along one axis of a slice."""
    cells = np.arange(math.prod(across)).reshape(across)
    there = np.roll(cells, -by, at)
    keep = np.ones(across, bool)
    if not ring:
        keep[(slice(None),) * at + (-1 if by > 0 else 0,)] = False
    shift = tf.one_hot(there.ravel(), cells.size, dtype=tf.float64) * keep.ravel()[:, None].astype(float)
    return tf.transpose(shift)[None]


@tf.function(autograph=False)
def _line(B, below, above, b):
    """Block tridiagonal elimination: row i is below[i]·x_{i−1} + B[i] x_i + above[i]·x_{i+1} = b[i]."""
    m, k = B.shape[-1], b.shape[-1]
    before = tf.concat([tf.zeros_like(above[:1]), above[:-1]], 0)
    below = tf.concat([tf.zeros_like(below[:1]), below[1:]], 0)

    def eliminate(last, row):
        inverse, y = last
        B, low, high, b = row
        S = B - low[:, None] * inverse * high[None, :]
        return _inverse(S), b - low[:, None] * (inverse @ y)

    start = tf.zeros([m, m], tf.float64), tf.zeros([m, k], tf.float64)
    inverse, y = tf.scan(eliminate, (B, below, before, b), start)

    def substitute(x, row):
        inverse, y, high = row
        return inverse @ (y - high[:, None] * x)

    above = tf.concat([above[:-1], tf.zeros_like(above[:1])], 0)
    return tf.scan(substitute, (inverse, y, above), tf.zeros([m, k], tf.float64), reverse=True)


@tf.function(autograph=False)
def _ring(B, below, above, b):
    """The same where the first slice follows the last: faces 0 and n are one."""
    m, n = B.shape[-1], B.shape[0]
    first, last = tf.linalg.diag(below[1]), tf.linalg.diag(above[-1])  # what slices 1 and n − 1 get from slice 0
    if n == 2:
        coupling = (first + last)[None]
    else:
        coupling = tf.concat([first[None], tf.zeros([n - 3, m, m], tf.float64), last[None]], 0)
    x = _line(B[1:], below[1:-1], above[2:], tf.concat([b[1:], coupling], -1))
    free, response = x[..., :-m], x[..., -m:]
    to_first, from_last = above[1][:, None], below[0][:, None]
    S = B[0] - to_first * response[0] - from_last * response[-1]
    x0 = _inverse(S) @ (b[0] - to_first * free[0] - from_last * free[-1])
    return tf.concat([x0[None], free - response @ x0], 0)


def _inverse(M):
    """M⁻¹ of an M-matrix: halves first, then Gauss–Jordan elimination, without pivots."""
    m = M.shape[-1]
    if m == 1:
        return 1 / M
    if m <= SMALL:
        return tf.while_loop(lambda j, M: j < m, _pivot, (tf.constant(0), M))[1]
    h = m // 2
    (A, B), (C, D) = (tf.split(rows, [h, m - h], 1) for rows in tf.split(M, [h, m - h], 0))
    A = _inverse(A)
    left, right = C @ A, A @ B
    D = _inverse(D - C @ right)
    low, high = -D @ left, -right @ D
    return tf.concat([tf.concat([A - high @ left, high], 1), tf.concat([low, D], 1)], 0)


def _pivot(j, M):
    row, column = M[j], M[:, j]
    one = tf.one_hot(j, M.shape[-1], dtype=M.dtype)
    row = (row * (1 - one) + one) / row[j]
    rest = M * (1 - one)[:, None] * (1 - one)[None, :]
    return j + 1, rest + (one - column * (1 - one))[:, None] * row[None, :]


def phi(k: int, A, h, fastest):
    """φₖ(hA) of a matrix of rates by its series and doublings, all terms not negative.

    φₖ(2z) = 2⁻ᵏ [e^z φₖ(z) + Σ_{j=1}^k φⱼ(z)/(k − j)!].
    """
    n = A.shape[-1]
    doublings = tf.cast(tf.maximum(tf.math.ceil(tf.math.log(4 * fastest * tf.abs(h) + 1e-300) / math.log(2.0)), 0),
                        tf.int32)
    z = A * (h / tf.pow(tf.constant(2.0, tf.float64), tf.cast(doublings, tf.float64)))
    eye = tf.eye(n, dtype=tf.float64)
    start = []
    for j in range(k + 1):
        series = eye / math.factorial(TERMS + j)
        for i in reversed(range(TERMS)):
            series = series @ z + eye / math.factorial(i + j)
        start.append(series)

    def double(i, *phis):
        new = [phis[0] @ phis[0]]
        for j in range(1, k + 1):
            rest = tf.add_n([phis[i] / math.factorial(j - i) for i in range(1, j + 1)])
            new.append((phis[0] @ phis[j] + rest) / 2.0**j)
        return i + 1, *new

    return tf.while_loop(lambda i, *_: i < doublings, double, (tf.constant(0), *start))[k + 1]
