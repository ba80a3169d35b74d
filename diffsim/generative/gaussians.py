"""Two formulas of Gaussians that training, in Keras, and the bound, in TensorFlow, share: each brings its functions."""

from __future__ import annotations

import math


def divergence(ops, log_true, log_var, square):
    """KL(N(a, e^{log_true}) ‖ N(b, e^{log_var})) in nats, (a − b)² = square; `ops` has exp."""
    return 0.5 * (log_var - log_true + ops.exp(log_true - log_var) + square * ops.exp(-log_var) - 1)


def surprise(ops, x, mean, log_var, bins: int | None, erfc, least: float):
    """−log p(x) in nats under N(mean, e^{log_var}).

    Args:
        ops: has abs, exp, log, maximum, sign and square.
        x: data, one of `bins` values from −1 to 1.
        mean: of the Gaussian.
        log_var: logarithm of its variance.
        bins: p is the probability of a bin of width 2/(bins − 1), those at ±1 open to the outside; None: a density.
        erfc: of the same numbers.
        least: probability from which on −log p does not grow any more.
    """
    if bins is None:
        return 0.5 * (math.log(2 * math.pi) + log_var + ops.square(x - mean) * ops.exp(-log_var))
    half, scale = 1 / (bins - 1), ops.exp(-0.5 * log_var) / math.sqrt(2)
    edge = 0.5 * (1 + ops.sign(ops.abs(x) - 1 + half / 2))  # 1 in bins at ±1, else 0
    away = (1 - edge) * ops.abs(x - mean) + edge * ops.sign(x) * (x - mean)
    p = 0.5 * (erfc((away - half) * scale) - (1 - edge) * erfc((away + half) * scale))
    return -ops.log(ops.maximum(p, least))
