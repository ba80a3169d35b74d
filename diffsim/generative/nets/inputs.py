"""What networks are made for and given: shapes, samples, noise levels and conditions, looked at before use."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from diffsim import _checks


def shape_of(shape, what: str = "shape") -> tuple:
    """(*grid, channels) as a tuple, whose extents, but not the channels, may be None."""
    expected, why = "(*grid, channels), e.g. (64, 64, 3)", "weights are laid out by the shape of one sample"
    try:
        shape = tuple(shape)
    except TypeError:
        way_out = "Write (16,) for vectors of 16 numbers, (64, 64, 3) for images."
        _checks.refuse(what, shape, expected, why, way_out, TypeError)
    if not shape or shape[-1] is None:
        _checks.refuse(what, shape, expected, why, "Append the number of channels.")
    return tuple(None if n is None else _checks.integer(f"{what}[{i}]", n, least=1, why=why)
                 for i, n in enumerate(shape))


def look(shape):
    """Warn of what may be an image without its axis of channels."""
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        _checks.warn(f"shape={shape} is read as a line of {shape[0]} cells with {shape[1]} channels: expected "
                     f"{(*shape, 1)} if images of one channel are meant, because the last axis counts channels. "
                     "Append it, and to data by data[..., None].")


def several(what: str, values, least: int, why: str) -> tuple:
    """Integers, one for each level."""
    if isinstance(values, (str, bytes)) or not np.iterable(values):
        _checks.refuse(what, values, "integers, one for each level", why, f"Write {what}=({values},).", TypeError)
    return tuple(_checks.integer(what, n, least=least, why=why) for n in values)


def periods(waves) -> tuple:
    """(shortest, longest), both positive."""
    expected, why = "(shortest, longest)", "the features of t are waves with periods in between"
    try:
        first, last = waves
    except (TypeError, ValueError):
        _checks.refuse("waves", waves, expected, why, "Write e.g. waves=(0.05, 5.0).", TypeError)
    first, last = (_checks.number("waves", T, above=0.0, why="it is a period") for T in (first, last))
    if first >= last:
        _checks.refuse("waves", waves, expected, why, "Write the shorter one first.")
    return first, last


def divides(what: str, number: int, of: str, whole: int, way_out: str):
    """Refuse a number that does not divide the whole."""
    if whole % number:
        _checks.refuse(what, number, f"a divisor of {of} = {whole}", "it is cut into equal parts", way_out)


def named(condition) -> dict:
    """A condition as {"label": …, "context": …}, without what is None."""
    known = 'integers (labels), real numbers (a context), or {"label": …, "context": …}'
    if condition is None:
        return {}
    if isinstance(condition, dict):
        if unknown := set(condition) - {"label", "context"}:
            _checks.refuse("condition", sorted(map(str, unknown)), 'the names "label" and "context"',
                           "these are what a network knows", "Leave the others out.")
        given = {name: value for name, value in condition.items() if value is not None}
        return {name: _array(name, value, known) for name, value in given.items()}
    value = _array("condition", condition, known)
    if not (_integers(value) or _reals(value)):
        _checks.refuse("condition", value, known, "their type tells one from the other", "Convert it.", TypeError)
    return {"label" if _integers(value) else "context": value}


def read(network, x, t, condition):
    """x, t and a condition by name, all tensors or arrays, refused if the network cannot take them."""
    shape = network.sample_shape
    wide = f"shape (…, {', '.join(map(str, shape))})"
    x = _array("x", x, f"an array of {wide}")
    given = tuple(x.shape)[-len(shape) :]
    fits = len(given) == len(shape) and all(None in pair or pair[0] == pair[1] for pair in zip(given, shape))  # noqa: B905
    if not fits or len(x.shape) == len(shape):
        _checks.refuse("x", x, wide, "the network was laid out for such samples, in batches",
                       "Reshape x, or make another network.")
    if any(n is not None and n % network.multiple for n in given[:-1]):
        _checks.refuse("x", x, f"extents that are multiples of {network.multiple}", "the network halves the grid",
                       "Pad x, or make a network of fewer levels.")
    if not _reals(x):
        _checks.refuse("x", x, "real numbers", "a network computes with them", "Convert x to float32.", TypeError)
    lead = tuple(x.shape)[: -len(shape)]
    n = None if None in lead else math.prod(lead)
    t = _array("t", t, "a noise level for each sample, or one for all")
    if not (_reals(t) or _integers(t)):
        _checks.refuse("t", t, "real numbers", "they say how much noise there is", "Pass times of the schedule.",
                       TypeError)
    _one_each("t", t, tuple(t.shape), n)
    condition = named(condition)
    if "label" in condition:
        _label(network, condition["label"], n)
    if "context" in condition:
        _context(network, condition["context"], n)
    return x, t, condition or None


def cells(what: str, x, rank: int, channels: int, multiple: int = 1):
    """A batch of fields on grids of that rank, whose extents are multiples of `multiple`."""
    of = f" with extents that are multiples of {multiple}" if multiple > 1 else ""
    expected = f"shape (batch, {', '.join('xyz'[:rank])}, {channels}){of}"
    x, why = _array(what, x, f"an array of {expected}"), "the network was laid out for such samples, in batches"
    shape = tuple(x.shape)
    fits = len(shape) == rank + 2 and shape[-1] == channels and not any(n and n % multiple for n in shape[1:-1])
    if not fits or not _reals(x):
        _checks.refuse(what, x, f"real numbers of {expected}", why, "Reshape or pad it.")
    return x


def _label(network, label, n):
    if not network.labels:
        _checks.refuse("label", label, "None", "this network knows no classes", "Make it with labels=….", TypeError)
    expected = f"integers from 0 to {network.labels}"
    why = f"the network was made for {network.labels} classes, and {network.labels} stands for none"
    if not _integers(label):
        _checks.refuse("label", label, expected, why, "Convert it to int32.", TypeError)
    _one_each("label", label, tuple(label.shape), n)
    try:
        values = np.asarray(label)
    except Exception:  # symbolic inside a trace: nothing to look at
        return
    if unknown := sorted({int(i) for i in values[(values < 0) | (values > network.labels)].flat}):
        _checks.refuse("label", unknown, expected, why, "Count from 0.")


def _context(network, context, n):
    why = "a network looks at embeddings of the width it was made for"
    if not network.context:
        _checks.refuse("context", context, "None", why, "Make it with context=….", TypeError)
    shape, expected = tuple(context.shape), f"shape (…, m, {network.context}), or (m, {network.context}) for all"
    if not _reals(context) or len(shape) < 2 or shape[-1] != network.context:
        _checks.refuse("context", context, expected, why, "Make another network, or add the axis of length m.",
                       TypeError)
    if len(shape) == 2 and n is not None and n > 1 and shape[0] == n:
        _checks.refuse("context", context, f"shape ({n}, m, {network.context}) or (1, m, {network.context})",
                       f"{n} rows may be one for each of {n} samples, or a sequence for all",
                       "Write context[:, None] for the former, context[None] for the latter.")
    _one_each("context", context, shape[:-2], n)


def _one_each(what, value, lead, n):
    if None in lead or n is None or math.prod(lead) in (1, n):
        return
    _checks.refuse(what, value, f"one for each of {n} samples, or one for all", "samples do not share them otherwise",
                   "Pass as many as x has.")


def _array(what, value, expected):
    """Anything with a shape as it is, numbers and lists of them as a tensor."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return value
    try:
        if value is None:
            raise TypeError
        return ops.convert_to_tensor(value)
    except Exception:
        _checks.refuse(what, value, expected, "the network computes with it", "Pass an array.", TypeError)


def _dtype(value) -> str:
    try:
        return keras.backend.standardize_dtype(value.dtype)
    except Exception:  # one that Keras does not know
        return "unknown"


def _integers(value) -> bool:
    return keras.backend.is_int_dtype(value.dtype) if _dtype(value) != "unknown" else False


def _reals(value) -> bool:
    return keras.backend.is_float_dtype(value.dtype) if _dtype(value) != "unknown" else False
