"""Do whole numbers follow a law? p-values, and exact laws of birth–death chains."""

import numpy as np
from scipy import stats

ALARM = 1e-5  # false alarms of one comparison


def chi_square(x, pmf):
    """p of Pearson's test of samples against a pmf, neighbouring values joined until each expects ten."""
    x = np.asarray(x).ravel().astype(np.int64)
    assert np.all(x >= 0)
    k = np.arange(x.max() + 50)
    expected, seen = len(x) * pmf(k), np.bincount(x, minlength=len(k)).astype(float)
    expected[-1] += len(x) - expected.sum()
    edges = np.unique(np.searchsorted(np.cumsum(expected), np.arange(10.0, len(x), 10.0)))
    edges = np.append(0, edges[(edges > 0) & (edges < len(k))])
    e, o = (np.add.reduceat(a, edges) for a in (expected, seen))
    keep = e > 1
    e, o = np.append(e[keep], e[~keep].sum() + 1e-300), np.append(o[keep], o[~keep].sum())
    return stats.chi2.sf((((o - e) ** 2) / np.maximum(e, 1e-9))[e > 1].sum(), max(1, (e > 1).sum() - 1))


def uniform_residues(x, law, seed=0):
    """p of a Kolmogorov–Smirnov test of the randomised probability transform, for means too large to bin."""
    x = np.asarray(x).ravel().astype(np.float64)
    u = np.random.default_rng(seed).random(len(x))
    return stats.kstest(law.cdf(x - 1) + u * law.pmf(x), "uniform").pvalue


def generator(birth, death, size):
    """L of dp/dt = Lp for n → n + 1 at birth(n), n → n − d at {d: death(n)}, n < size."""
    n = np.arange(size)
    L = np.zeros((size, size))
    for d, rate in ((-1, birth), *death.items()):
        to = n - d
        good = (to >= 0) & (to < size)
        L[to[good], n[good]] += rate(n[good])
        L[n[good], n[good]] -= rate(n[good])
    return L


def stationary(birth, death, size):
    """The law in balance: the null vector of the generator."""
    L = generator(birth, death, size)
    L[-1] = 1.0
    return np.linalg.solve(L, np.eye(size)[-1])


def pmf_of(p):
    """A pmf from a table."""
    return lambda k: np.where(k < len(p), p[np.minimum(k, len(p) - 1)], 0.0)


def sigmas(x, mean):
    """How many standard errors the sample mean is from `mean`."""
    x = np.asarray(x, np.float64).ravel()
    return abs(x.mean() - mean) / (x.std() / len(x) ** 0.5)
