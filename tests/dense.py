"""∇·(D∇u) on a line as a dense matrix and a vector, written face by face with NumPy only: an oracle for the operators."""

import numpy as np


def line(n, L, D, low, high):
    """(A, b) with du/dt = A u + b on n cells of [0, L].

    Args:
        n: cells.
        L: length.
        D: number or array of n cell values.
        low: ("dirichlet", value), ("neumann", gradient), ("flux", inflow), ("robin", h, ambient) or "periodic".
        high: the same for the upper end.
    """
    dx, D = L / n, np.broadcast_to(np.asarray(D, float), (n,))
    A, b = np.zeros((n, n)), np.zeros(n)
    for i in range(n - 1 + (low == "periodic")):
        j = (i + 1) % n
        k = 1 / (0.5 * dx / D[i] + 0.5 * dx / D[j]) / dx
        A[i, i] -= k
        A[i, j] += k
        A[j, j] -= k
        A[j, i] += k
    if low != "periodic":
        for i, wall in ((0, low), (n - 1, high)):
            half = D[i] / (dx / 2)
            if wall[0] == "dirichlet":
                A[i, i] -= half / dx
                b[i] += half * wall[1] / dx
            elif wall[0] == "robin":
                G = 1 / (1 / half + 1 / wall[1])
                A[i, i] -= G / dx
                b[i] += G * wall[2] / dx
            elif wall[0] == "neumann":
                b[i] += D[i] * wall[1] / dx
            else:
                b[i] += wall[1] / dx
    return A, b
