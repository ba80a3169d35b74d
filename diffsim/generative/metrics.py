"""How far samples are from data: distances of two sets, each with its standard error.

Rows are samples; what follows the first axis is flattened. All are computed in float64 with NumPy.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from diffsim import _checks, random

BLOCK = 1 << 22  # distances held at a time
PARTS = 5  # of a set, whose scatter is an error


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float

    def __str__(self):
        return f"{self.value:.4g} ± {self.error:.2g}"


def mmd(x, y, *, scale: float | None = None) -> Estimate:
    """MMD² = E k(x, x′) + E k(y, y′) − 2E k(x, y), k = exp(−|x − y|²/2ℓ²), without bias: its mean is 0 for equal laws.

    Args:
        x: samples, shape (m, …), m ≥ 4.
        y: data, shape (n, …), n ≥ 4.
        scale: ℓ; the median distance among both together if not given.

    Returns:
        Estimate, which may be negative; its error is that of a jackknife over samples.

    References:
        Gretton et al. (2012), J. Mach. Learn. Res. 13, 723.
    """
    x, y = _pair(x, y)
    scale = _median(np.concatenate([x, y])) if scale is None else _positive("scale", scale)
    return _two_sample(x, y, lambda d2: np.exp(-d2 / (2 * scale**2)), sign=1.0)


def energy_distance(x, y) -> Estimate:
    """2E|x − y| − E|x − x′| − E|y − y′|, without bias: zero in the mean for equal laws, positive for others.

    Args:
        x: samples, shape (m, …), m ≥ 4.
        y: data, shape (n, …), n ≥ 4.

    References:
        Székely & Rizzo (2013), doi:10.1016/j.jspi.2013.03.018.
    """
    return _two_sample(*_pair(x, y), np.sqrt, sign=-1.0)


def sliced_wasserstein(x, y, key, *, slices: int = 256) -> Estimate:
    """SW₂ = (E W₂²(θ·x, θ·y))^{1/2} over directions θ on the unit sphere; its error is that of the slices.

    It is not zero for two finite sets of one law: compare it with that of two sets of data.

    Args:
        x: samples, shape (m, …).
        y: data, shape (n, …).
        key: `ds.key(seed)` of the directions.
        slices: number of directions.

    References:
        Bonneel et al. (2015), doi:10.1007/s10851-014-0506-3.
    """
    x, y = _pair(x, y)
    slices = _checks.integer("slices", slices, least=2, why="their spread is the error bar")
    theta = random.normal(key, [slices, x.shape[1]], "float64").numpy()
    theta /= np.linalg.norm(theta, axis=1, keepdims=True)
    p, q = np.sort(x @ theta.T, 0), np.sort(y @ theta.T, 0)
    square = _quantiles(p, q)
    value = math.sqrt(square.mean())
    return Estimate(value, float(square.std(ddof=1) / math.sqrt(slices) / (2 * value)) if value else 0.0)


def frechet_distance(x, y, features: Callable | None = None, *, splits: int = 10) -> Estimate:
    """|m₁ − m₂|² + tr(C₁ + C₂ − 2(C₁C₂)^{1/2}) between Gaussians fitted to features of samples and data.

    Name it after the model of the features: numbers from different models do not compare. With n samples of each it is
    too large, by about d(d + 5)/2n for d features of variance one, so compare equal numbers of them.

    Args:
        x: samples, shape (m, …).
        y: data, shape (n, …).
        features: x → (m, d), such as a layer of a classifier; None takes the numbers themselves.
        splits: parts that are left out in turn for the error, a jackknife. Which rows are in which part follows from
            their numbers, scattered by a digest: the order of the rows, such as class by class, changes nothing.

    References:
        Dowson & Landau (1982), doi:10.1016/0047-259X(82)90077-X; Heusel et al. (2017), arXiv:1706.08500.
    """
    p, q = _seen(features, x, y)
    splits = _checks.integer("splits", splits, least=2, why="parts are left out in turn for the error")
    least = max(p.shape[1] + 2, 2 * splits)
    for name, a in (("x", p), ("y", q)):
        if len(a) < least:
            why = "a covariance in d dimensions takes more than d samples, in every split"
            _checks.refuse(name, f"{len(a)} samples", f"≥ {least}", why, "Draw more, or take fewer features.")
    value = _frechet(p, q)
    parts = [_scattered(a, splits) for a in (p, q)]
    left = np.array([_frechet(p[parts[0] != i], q[parts[1] != i]) for i in range(splits)])
    return Estimate(value, float(math.sqrt((splits - 1) * left.var())))


class PrecisionRecall(NamedTuple):
    """Shares of samples that lie among data, and of data that lie among samples."""

    precision: Estimate
    recall: Estimate


def precision_recall(x, y, features: Callable | None = None, *, neighbours: int = 3) -> PrecisionRecall:
    """Share of samples within the k-th neighbour distance of some datum, and of data within that of some sample.

    The errors are those of the mean of five parts of both sets, each judged by itself, because what is within reach
    depends on either; not a number where a part has not more than k rows.

    Args:
        x: samples, shape (m, …).
        y: data, shape (n, …).
        features: x → (m, d); None takes the numbers themselves.
        neighbours: k.

    References:
        Kynkäänniemi et al. (2019), arXiv:1904.06991.
    """
    p, q = _seen(features, x, y)
    k = _checks.integer("neighbours", neighbours, least=1, why="it sets the reach of each point")
    for name, a in (("x", p), ("y", q)):
        if len(a) <= k:
            _checks.refuse(name, f"{len(a)} samples", f"more than {k}", "each needs k neighbours", "Draw more.")
    return PrecisionRecall(_covered(p, q, k), _covered(q, p, k))


def _positive(name, value):
    return _checks.number(name, value, above=0.0, why="it is a length")


def _rows(name, given):
    try:
        a = np.asarray(given)
    except (TypeError, ValueError):  # rows of different lengths
        a = np.array(None)
    if a.dtype.kind not in "biuf":
        why, way_out = "distances are between real numbers", "Pass arrays; of complex samples np.abs, or both parts."
        _checks.refuse(name, given, "real numbers", why, way_out, TypeError)
    if a.ndim < 2 or len(a) < 4:
        why = "distances are between sets of samples"
        _checks.refuse(name, a, "samples along the first axis, at least 4", why, "In one dimension use x[:, None].")
    _checks.finite(name, a, why="a distance would be lost")
    return a.astype(np.float64).reshape(len(a), -1)


def _seen(features, x, y):
    """The rows of features of both sets."""
    if features is None:
        return _pair(x, y)
    if not callable(features):
        why, way_out = "it tells what samples are compared by", "Pass lambda x: …, a layer's, or None."
        _checks.refuse("features", features, "a function x → (m, d), or None", why, way_out, TypeError)
    told = [_rows(f"features({name})", features(a)) for name, a in (("x", x), ("y", y))]
    for name, a, given in zip("xy", told, (x, y), strict=True):
        if len(a) != len(given):
            why, way_out = "each sample has its own", "Keep the first axis, and average over the others."
            _checks.refuse(f"features({name})", a, f"{len(given)} rows", why, way_out)
    _same_width(*told)
    return told


def _same_width(x, y):
    if x.shape[1] != y.shape[1]:
        why = "samples are compared number by number"
        _checks.refuse("y", f"{y.shape[1]} numbers per sample", f"{x.shape[1]}, as x has", why, "Check the shapes.")


def _pair(x, y):
    x, y = _rows("x", x), _rows("y", y)
    _same_width(x, y)
    return x, y


def _squares(x, y):
    """Blocks of rows of |xᵢ − yⱼ|², with the numbers of their rows."""
    ys = (y * y).sum(1)
    size = max(1, BLOCK // len(y))
    for i in range(0, len(x), size):
        part = x[i : i + size]
        yield i, np.maximum((part * part).sum(1)[:, None] + ys - 2 * part @ y.T, 0.0)


def _median(a):
    few = a[:: max(1, len(a) // 1000)]
    d2 = np.concatenate([block[row, i + row + 1 :] for i, block in _squares(few, few) for row in range(len(block))])
    return math.sqrt(np.median(d2)) or 1.0


def _row_sums(x, y, kernel, same):
    """Σⱼ k(xᵢ, yⱼ) for each i and Σᵢ for each j; without i = j where both are the same set."""
    along, across = np.zeros(len(x)), np.zeros(len(y))
    for i, d2 in _squares(x, y):
        if same:
            d2[np.arange(len(d2)), i + np.arange(len(d2))] = 0.0
        k = kernel(d2)
        if same:
            k[np.arange(len(d2)), i + np.arange(len(d2))] = 0.0
        along[i : i + len(d2)] = k.sum(1)
        across += k.sum(0)
    return along, across


def _two_sample(x, y, kernel, sign):
    """±(mean k(x, x′) + mean k(y, y′) − 2 mean k(x, y)) and its error by leaving out samples one by one."""
    m, n = len(x), len(y)
    xx, yy = _row_sums(x, x, kernel, True)[0], _row_sums(y, y, kernel, True)[0]
    xy, yx = _row_sums(x, y, kernel, False)
    total_xx, total_yy, total_xy = xx.sum(), yy.sum(), xy.sum()
    value = total_xx / (m * (m - 1)) + total_yy / (n * (n - 1)) - 2 * total_xy / (m * n)
    no_x = (total_xx - 2 * xx) / ((m - 1) * (m - 2)) + total_yy / (n * (n - 1)) - 2 * (total_xy - xy) / ((m - 1) * n)
    no_y = total_xx / (m * (m - 1)) + (total_yy - 2 * yy) / ((n - 1) * (n - 2)) - 2 * (total_xy - yx) / (m * (n - 1))
    variance = (m - 1) * no_x.var() + (n - 1) * no_y.var()
    return Estimate(float(sign * value), float(math.sqrt(variance)))


def _quantiles(p, q):
    """∫ (P⁻¹ − Q⁻¹)² du for each column of two sorted tables."""
    m, n = len(p), len(q)
    edges = np.union1d(np.arange(m + 1) * n, np.arange(n + 1) * m)  # in units of 1/mn
    low, width = edges[:-1], np.diff(edges)
    gap = p[low // n] - q[low // m]
    return width @ (gap * gap) / (m * n)


def _frechet(p, q):
    """By eigenvalues of A^{1/2}BA^{1/2}, which is symmetric: none is complex."""
    A, B = np.cov(p.T).reshape(p.shape[1], -1), np.cov(q.T).reshape(q.shape[1], -1)
    values, axes = np.linalg.eigh(A)
    root = (axes * np.sqrt(np.maximum(values, 0.0))) @ axes.T
    both = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ B @ root), 0.0)).sum()
    shift = p.mean(0) - q.mean(0)
    return float(shift @ shift + np.trace(A) + np.trace(B) - 2 * both)


def _scattered(rows, splits):
    """The part of each row, parts as equal in size as can be; a function of the numbers in the row."""
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows + 0.0]  # of −0 as of 0
    part = np.empty(len(rows), int)
    part[np.argsort(digests, kind="stable")] = np.arange(len(rows)) * splits // len(rows)
    return part


def _covered(p, q, k):
    """Share of rows of p within reach of some row of q, with its error."""
    share = _share(p, q, k)
    if min(len(p), len(q)) < PARTS * (k + 1):
        return Estimate(share, math.nan)
    a, b = _scattered(p, PARTS), _scattered(q, PARTS)
    parts = [_share(p[a == i], q[b == i], k) for i in range(PARTS)]
    return Estimate(share, float(np.std(parts, ddof=1) / math.sqrt(PARTS)))


def _share(p, q, k):
    """Share of rows of p within reach of some row of q."""
    reach = np.concatenate([np.partition(d2, k, axis=1)[:, k] for _, d2 in _squares(q, q)])  # itself is the 0-th
    inside = np.concatenate([(d2 <= reach * (1 + 1e-12)).any(1) for _, d2 in _squares(p, q)])
    return float(inside.mean())
