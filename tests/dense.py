"""∇·(D∇u) as a dense matrix and a vector, written face by face with NumPy only: an oracle for the operators."""

import numpy as np

PERIODIC = "periodic"


def system(shape, size, D, walls, area=None, volume=None, ends=None):
    """(A, b) with du/dt = A u + b for all cells in one column.

    Args:
        shape: cells per axis.
        size: lengths.
        D: one number or array of cell values per axis.
        walls: per axis PERIODIC or (low, high), each ("dirichlet", value), ("neumann", gradient), ("flux", inflow) or
            ("robin", transfer, ambient).
        area: per axis the areas of faces, shape with one entry more along it; ones over width if not given.
        volume: of the cells.
        ends: per axis (low, high), D at the walls; on a line through the last two centres if not given.
    """
    d, cells = len(shape), int(np.prod(shape))
    dx = [s / n for s, n in zip(size, shape, strict=True)]
    index = np.arange(cells).reshape(shape)
    A, b = np.zeros((cells, cells)), np.zeros(cells)
    volume = np.broadcast_to(np.prod(dx) if volume is None else volume, shape).ravel()
    for axis in range(d):
        n, ones = shape[axis], [m + (i == axis) for i, m in enumerate(shape)]
        faces = np.broadcast_to(np.prod(dx) / dx[axis] if area is None else area[axis], ones)
        half = 2 * np.broadcast_to(D[axis], shape).astype(float).ravel() / dx[axis]
        for f in range(n + (walls[axis] != PERIODIC)):
            S = np.take(faces, f, axis).ravel()
            if 0 < f < n or walls[axis] == PERIODIC:
                i, j = (np.take(index, (f - k) % n, axis).ravel() for k in (1, 0))
                couple(A, i, j, S / (1 / half[i] + 1 / half[j]))
                continue
            i = np.take(index, 0 if f == 0 else n - 1, axis).ravel()
            known = at_wall(D[axis], axis, f > 0, shape) if ends is None else ends[axis][f > 0]
            G, s = wall(walls[axis][f > 0], half[i], np.broadcast_to(known, np.take(index, [0], axis).shape).ravel())
            A[i, i] -= G * S
            b[i] += s * S
    return A / volume[:, None], b / volume


def couple(A, i, j, k):
    """Add the exchange k(u_j − u_i) between the cells i and j."""
    for a, c in ((i, j), (j, i)):
        A[a, a] -= k
        A[a, c] += k


def at_wall(D, axis, upper, shape):
    """D where the line through the last two cell centres meets the wall, at least half of the last cell's."""
    D = np.moveaxis(np.broadcast_to(D, shape).astype(float), axis, 0)
    last, before = (D[-1], D[-2]) if upper else (D[0], D[1])
    slope, level = np.polyfit([0.5, 1.5], [last.ravel(), before.ravel()], 1)
    return np.expand_dims(np.maximum(level, last.ravel() / 2).reshape(last.shape), axis)


def wall(condition, half, D):
    """(G, s) of the inflow −G·u + s per area, D that at the wall."""
    kind, *values = condition
    if kind == "dirichlet":
        return half, half * values[0]
    if kind == "robin":
        G = 1 / (1 / half + 1 / values[0])
        return G, G * values[1]
    return 0.0, (D if kind == "neumann" else 1.0) * values[0]


def line(n, L, D, low, high=None):
    """(A, b) on n cells of [0, L]."""
    return system((n,), (L,), (D,), (low if low == PERIODIC else (low, high),))


def matrix(op, shape, dtype=np.float64):
    """The matrix of the linear part of an operator, column by column."""
    cells = int(np.prod(shape))
    return np.asarray(op.apply(np.eye(cells, dtype=dtype).reshape(cells, *shape))).reshape(cells, cells).T
