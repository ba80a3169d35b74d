"""What training accepts: samples, labels and contexts that are finite, fit the network, and lie where they should."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.generative.schedule import Schedule

SLACK = 0.02  # of the span, beyond which values are noticed


def arrays(network, data, labels, context, span, dtype):
    """{"x0", "label", "context"} as tensors, one row for each sample; a function is left as it is."""
    if callable(data):
        if labels is not None or context is not None:
            _checks.refuse("labels", "given", "None", "a function of (key, step) returns all of a batch",
                           'Return {"x0": …, "label": …} from it.', TypeError)
        return data
    x0 = np.asarray(_checks.finite("data", data, why="one value that is not finite spoils all weights"))
    shape = network.sample_shape
    fits = x0.ndim == len(shape) + 1 and all(m in (None, n) for m, n in zip(shape, x0.shape[1:], strict=True))
    if not fits or not len(x0):
        _checks.refuse("data", x0, f"shape (n, {', '.join(map(str, shape))})", "the network sees such samples",
                       "Add the axis of channels, data[..., None], or make another network.")
    _look(x0, span)
    out = {"x0": tf.constant(x0, dtype)}
    if labels is not None:
        out["label"] = tf.constant(_labels(network, labels, len(x0)))
    if context is not None:
        out["context"] = tf.constant(_context(network, context, len(x0)), dtype)
    return out


def _look(x0, span):
    """Warn of images in another range."""
    if span is None or x0.ndim < 3:
        return
    low, high = float(x0.min()), float(x0.max())
    slack = SLACK * (span[1] - span[0])
    outside = low < span[0] - slack or high > span[1] + slack
    if outside or low > span[0] + 0.25 * (span[1] - span[0]) or high < span[0] + 0.75 * (span[1] - span[0]):
        _checks.warn(
            f"data run from {low:g} to {high:g}: expected about {span[0]:g} to {span[1]:g}, because schedules and "
            f"samplers take images to be centred and of unit size. Map them there, or pass span=None if that is meant."
        )


def _labels(network, labels, n):
    if not network.labels:
        _checks.refuse("labels", labels, "None", "this network knows no classes", "Make it with labels=….", TypeError)
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        _checks.refuse("labels", labels, f"{n} integers", "each sample has one class", "Pass the labels of the data.")
    unknown = sorted({int(i) for i in labels[(labels < 0) | (labels >= network.labels)]})
    if unknown:
        _checks.refuse("labels", unknown, f"integers from 0 to {network.labels - 1}",
                       f"the network was made for {network.labels} classes", "Make it with more, or count from 0.")
    return labels.astype(np.int32)


def _context(network, context, n):
    if not network.context:
        _checks.refuse("context", context, "None", "this network looks at no embeddings", "Make it with context=….",
                       TypeError)
    context = np.asarray(_checks.finite("context", context, why="the network looks at it"))
    if context.ndim != 3 or len(context) != n or context.shape[-1] != network.context:
        _checks.refuse("context", context, f"shape ({n}, m, {network.context})", "each sample has its embeddings",
                       "Pad sequences of different length with 0.")
    return context


def fits(network, schedule, loss):
    """Refuse what cannot learn from each other."""
    _checks.instance("schedule", schedule, Schedule, why="it says how noise is added", way_out="Pass gen.Cosine().")
    noisiest = float(schedule.lam(schedule.end))
    if noisiest < loss.least:
        why = f"without signal nothing tells x₀ from the noise, and {type(loss).__name__}'s bound is infinite there"
        way_out = "Use gen.VP() or gen.Discrete.cosine(1000), whose last step keeps some, or the loss Matching()."
        received = _checks.Verbatim(f"{type(schedule).__name__}, which ends at λ = {noisiest:.3g}")
        _checks.refuse("schedule", received, f"λ ≥ {loss.least:g} at its end", why, way_out)
    channels = network.sample_shape[-1] * loss.channels
    if network.outputs != channels:
        _checks.refuse("network", _checks.Verbatim(f"{network.outputs} outputs"), f"{channels}",
                       f"{type(loss).__name__} needs {loss.channels} for each channel of the data",
                       f"Make it with outputs={channels}.")
    first, last = (float(loss.time(schedule, schedule.lam(t))) for t in (schedule.end * 1e-3, schedule.end))
    longest = max(network.waves)
    if abs(last - first) > 4 * longest:
        _checks.refuse("network", _checks.Verbatim(f"waves of at most {longest:g}"), f"waves up to about {last:g}",
                       f"t runs from {first:g} to {last:g} on this schedule, and such waves look alike along it",
                       f"Make it with waves=(…, {max(last, 1.0):g}).")
