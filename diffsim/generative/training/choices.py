"""What `fit` is asked for besides data: each choice of its kind, and together such as can learn from each other."""

from __future__ import annotations

import inspect

import keras

from diffsim import _checks
from diffsim.generative.nets.base import Network
from diffsim.generative.schedule import Schedule
from diffsim.generative.training.levels import Levels
from diffsim.generative.training.trainer import Average

ASKED = ("of", "time", "channels", "levels", "least")  # of a loss


def check(network, schedule, loss, levels, average, optimizer, callbacks, sheet, span, progress):
    """Refuse what is not of its kind."""
    _checks.instance("network", network, Network, why="training needs the shape of its samples and its conditions",
                     way_out="Pass e.g. gen.nets.MLP((2,)), or derive yours from gen.nets.Network.")
    _checks.instance("schedule", schedule, Schedule, why="it says how noise is added", way_out="Pass gen.Cosine().")
    if isinstance(loss, type) or not all(hasattr(loss, name) for name in ASKED):
        _checks.refuse("loss", loss, "a loss", "it says what the network learns",
                       "Pass e.g. gen.training.Matching(gen.training.V()).", TypeError)
    if levels is not None:
        _checks.instance("levels", levels, Levels, why="they say at which noise levels the network learns",
                         way_out="Pass e.g. gen.training.Uniform(), or None.")
    _checks.instance("average", average, Average, why="it says how weights are averaged",
                     way_out="Pass gen.training.EMA(0.999), or EMA(0.0) for the last weights.")
    _optimizer(optimizer)
    many = not isinstance(callbacks, str) and hasattr(callbacks, "__iter__")
    if not many or not all(isinstance(c, keras.callbacks.Callback) for c in callbacks):
        _checks.refuse("callbacks", callbacks, "a tuple of keras.callbacks.Callback", "Keras calls them",
                       "Write callbacks=(callback,).", TypeError)
    if sheet is not None and (isinstance(sheet, type) or not takes_two(sheet)):
        _checks.refuse("sheet", sheet, "a function (network, step)", "it is called while training goes on",
                       "Pass e.g. gen.training.Sheet(draw).", TypeError)
    if progress is not None:
        _checks.flag("progress", progress, why="lines are shown or not")
    _span(span)


def takes_two(function) -> bool:
    """Whether it can be called with two arguments, as far as it tells."""
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # one that does not tell what it takes
        return True
    return True


def _optimizer(optimizer):
    if optimizer is None:
        return
    _checks.instance("optimizer", optimizer, keras.optimizers.Optimizer, why="it says how weights move",
                     way_out="Pass e.g. keras.optimizers.Adam(1e-3), or None.")
    if optimizer.built:
        received = _checks.Verbatim(f"{type(optimizer).__name__} after {int(optimizer.iterations)} steps")
        _checks.refuse("optimizer", received, "a new one", "it keeps what it learned of the weights it moved before",
                       "Make one for each training, and resume by checkpoint=….")


def _span(span):
    if span is None:
        return
    expected, why = "two numbers, the smaller one first", "images are to lie between them"
    if isinstance(span, str) or not hasattr(span, "__len__") or len(span) != 2:
        _checks.refuse("span", span, expected, why, "Pass (-1.0, 1.0), or None to leave it open.", TypeError)
    low, high = (_checks.number("span", s, why=why) for s in span)
    if low >= high:
        _checks.refuse("span", span, expected, why, "Pass (-1.0, 1.0), or None to leave it open.")


def fits(network, schedule, loss):
    """Refuse what cannot learn from each other."""
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
