"""The same finite volumes as a SciPy matrix, for the peers: written from the formula, without diffsim."""

import numpy as np
import scipy.sparse as sp


def diffusion_matrix(D, dx, periodic=False):
    """∇·(D∇u) on a box of equal cells, harmonic means at faces, periodic or no-flux.

    Args:
        D: one array over the cells for each axis.
        dx: cell widths.
        periodic: else no-flux walls.

    Returns:
        CSC matrix over cells in C order.
    """
    shape = D[0].shape
    index, rows, columns, values = np.arange(np.prod(shape)).reshape(shape), [], [], []
    for axis, (field, width) in enumerate(zip(D, dx, strict=True)):
        i, d = np.moveaxis(index, axis, 0), np.moveaxis(field, axis, 0)
        pairs = (
            [(i, np.roll(i, -1, 0), d, np.roll(d, -1, 0))] if periodic else [(i[:-1], i[1:], d[:-1], d[1:])]
        )
        for a, b, da, db in pairs:
            k = (2 * da * db / (da + db) / width**2).ravel()
            a, b = a.ravel(), b.ravel()
            rows += [a, a, b, b]
            columns += [b, a, a, b]
            values += [k, -k, k, -k]
    n = index.size
    return sp.csc_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (n, n))
