"""What is taken as data: real numbers that are finite, samples along the first axis, and images in their range."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from diffsim import _checks
from diffsim.intake import as_state

SLACK = 0.02  # of the span, beyond which values are noticed


def samples(x, why: str, way_out: str) -> tf.Tensor:
    """x as a tensor: finite numbers in float32 or float64, at least one sample."""
    a = np.asarray(x)
    if a.dtype.kind != "f":
        _checks.refuse("x", x, "real numbers", why, way_out, TypeError)
    if not a.ndim or not a.size:
        _checks.refuse("x", x, "samples along the first axis", why, "Put them into a batch, one sample as x[None].")
    _checks.finite("x", a, why=why)
    return as_state(x)


def notice(told: str, x0: np.ndarray, span):
    """Warn of images in another range than the span; of none where it is None, and of data that are no images.

    Args:
        told: how the warning begins, "data run", say.
        x0: the data.
        span: (least, largest), or None.
    """
    if span is None or x0.ndim < 3:
        return
    ends = np.asarray(span)
    if ends.dtype.kind not in "fi" or ends.shape != (2,) or not ends[0] < ends[1]:
        why, way_out = "it says where images lie", "Pass (-1.0, 1.0), or None for anywhere."
        _checks.refuse("span", span, "(least, largest) or None", why, way_out)
    low, high, width = float(x0.min()), float(x0.max()), ends[1] - ends[0]
    outside = low < ends[0] - SLACK * width or high > ends[1] + SLACK * width
    if outside or low > ends[0] + 0.25 * width or high < ends[1] - 0.25 * width:
        _checks.warn(
            f"{told} from {low:g} to {high:g}: expected about {ends[0]:g} to {ends[1]:g}, because schedules and "
            f"samplers take images to be centred and of unit size. Map them there, or pass span=None if that is meant."
        )
