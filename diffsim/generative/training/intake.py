"""What training accepts: samples, labels and contexts that are finite, fit the network, and lie where they should."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.generative.data import notice
from diffsim.generative.training.choices import takes_two

FAR = 10.0  # times the span, beyond which vectors are noticed
RETURNS = '{"x0": (batch, *shape)}, and "label": (batch,), "context": (batch, m, width) if the network knows them'


def arrays(network, data, labels, context, span, dtype):
    """{"x0", "label", "context"} as tensors, one row for each sample; a function is left as it is."""
    if callable(data):
        if labels is not None or context is not None:
            _checks.refuse("labels", "given", "None", "a function of (key, step) returns all of a batch",
                           'Return {"x0": …, "label": …} from it.', TypeError)
        if not takes_two(data):
            why, way_out = "each batch is a function of the key and of the step", "Write def data(key, step): …."
            _checks.refuse("data", data, "an array, or a function of (key, step)", why, way_out, TypeError)
        return data
    x0 = _samples(network, "data", data, span)
    out = {"x0": tf.constant(x0, dtype)}
    if _wanted("labels", labels, network.labels, "labels"):
        out["label"] = tf.constant(_labels(network, "labels", labels, len(x0)))
    if _wanted("context", context, network.context, "context"):
        out["context"] = tf.constant(_context(network, "context", context, len(x0)), dtype)
    return out


def batch(network, made, span):
    """Look at the first batch of a function of (key, step)."""
    why = "it is called as data(key, step) for the batch of a step"
    if not isinstance(made, dict) or "x0" not in made or set(made) - {"x0", "label", "context"}:
        seen = _checks.Verbatim("{" + ", ".join(map(repr, made)) + "}") if isinstance(made, dict) else made
        _checks.refuse("data(key, step)", seen, RETURNS, why, 'Return e.g. {"x0": x}.', TypeError)
    for name, value in made.items():
        if not tf.is_tensor(value):
            _checks.refuse(f'data(key, step)["{name}"]', value, "a tensor",
                           "other values are computed once and would be the same at all steps",
                           "Compute it by TensorFlow and diffsim.random from key and step.", TypeError)
    what = {name: f'data(key, step)["{name}"]' for name in ("x0", "label", "context")}
    x0 = _samples(network, what["x0"], made["x0"], span)
    if x0.dtype.kind != "f":
        _checks.refuse(what["x0"], made["x0"], "real numbers", "noise is added to them", "Cast them to float32.",
                       TypeError)
    if _wanted(what["label"], made.get("label"), network.labels, "labels"):
        _labels(network, what["label"], made["label"], len(x0), network.labels + 1)
    if _wanted(what["context"], made.get("context"), network.context, "context"):
        _context(network, what["context"], made["context"], len(x0))


def _wanted(what, given, known, argument) -> bool:
    """Whether there is such a condition; a network made for it is not trained without."""
    if given is None and known:
        _checks.refuse(what, None, "one for each sample", f"the network was made with {argument}={known}",
                       "Pass them, or make the network without.", TypeError)
    return given is not None


def _array(what, value):
    try:
        return np.asarray(value)
    except Exception:
        _checks.refuse(what, value, "an array", "all samples have one shape", "Pad what is shorter.", TypeError)


def _samples(network, what, data, span):
    why = "one value that is not finite spoils all weights"
    x0 = _checks.finite(what, _array(what, data), why=why, way_out="Pass an array of finite numbers.")
    if x0.dtype.kind == "c":
        _checks.refuse(what, data, "real numbers", "a network computes with them",
                       "Pass real and imaginary part as channels, np.stack([z.real, z.imag], -1).", TypeError)
    shape = network.sample_shape
    fits = x0.ndim == len(shape) + 1 and all(m in (None, n) for m, n in zip(shape, x0.shape[1:], strict=True))
    if not fits or not len(x0):
        _checks.refuse(what, x0, f"shape (n, {', '.join(map(str, shape))})", "the network sees such samples",
                       "Add the axis of channels, data[..., None], or make another network.")
    notice("data run", x0, span)
    _far(x0, span)
    return x0


def _far(x0, span):
    """Warn of samples without a grid that are far from the span."""
    if span is None or x0.ndim > 2:
        return
    low, high, far = float(x0.min()), float(x0.max()), FAR * max(abs(span[0]), abs(span[1]))
    if low < -far or high > far:
        _checks.warn(f"data run from {low:g} to {high:g}: expected numbers of order one, because schedules and "
                     "samplers take data to be centred and of unit size. Divide them by their standard deviation, or "
                     "pass span=None if that is meant.")


def _labels(network, what, labels, n, known=None):
    if not network.labels:
        _checks.refuse(what, labels, "None", "this network knows no classes", "Make it with labels=….", TypeError)
    labels = _array(what, labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        _checks.refuse(what, labels, f"{n} integers", "each sample has one class", "Pass the labels of the data.")
    known = network.labels if known is None else known  # of a function one more, that stands for none
    unknown = sorted({int(i) for i in labels[(labels < 0) | (labels >= known)]})
    if unknown:
        _checks.refuse(what, unknown, f"integers from 0 to {known - 1}",
                       f"the network was made for {network.labels} classes", "Make it with more, or count from 0.")
    return labels.astype(np.int32)


def _context(network, what, context, n):
    if not network.context:
        _checks.refuse(what, context, "None", "this network looks at no embeddings", "Make it with context=….",
                       TypeError)
    context = _checks.finite(what, _array(what, context), why="the network looks at it")
    fits = context.ndim == 3 and len(context) == n and context.shape[-1] == network.context
    if not fits or context.dtype.kind == "c":
        _checks.refuse(what, context, f"real numbers of shape ({n}, m, {network.context})",
                       "each sample has its embeddings", "Pad sequences of different length with 0.")
    return context
