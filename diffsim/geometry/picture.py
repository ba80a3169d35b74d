"""Picture files as arrays with the axes of a grid."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from diffsim import _checks


def read_image(path, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """a = low + (high − low)·Y, Y = 0.2126 R + 0.7152 G + 0.0722 B from 0 (black) to 1 (white).

    A map of D is ``ds.initial.from_array(grid, ds.read_image("rock.png", low=0.1, high=2.0))``, a region
    ``ds.from_image(ds.read_image("cell.png"), size=…)``.

    Args:
        path: a PNG (8 or 16 bits), JPEG, BMP or GIF (its first frame), grey or in colour.
        low: value of black.
        high: value of white.

    Returns:
        (width, height) float64: axis 0 is x to the right, axis 1 is y upwards.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is no picture of these kinds.

    Source: Rec. ITU-R BT.709-6 (2015), item 3.2, for the weights.
    """
    low = _checks.number("low", low, why="black stands for it")
    high = _checks.number("high", high, why="white stands for it")
    try:
        with open(os.fspath(path), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        _checks.refuse("path", str(path), "a picture", "there is no such file", f"Look in {os.getcwd()}.",
                       FileNotFoundError)
    try:
        pixels = tf.io.decode_image(data, dtype=tf.float32, expand_animations=False).numpy()
    except tf.errors.InvalidArgumentError:
        _checks.refuse("path", str(path), "a PNG, JPEG, BMP or GIF file", "no other kinds are decoded",
                       "Convert it, or pass the array that another reader returns, as a[::-1].T.")
    pixels = pixels.astype(np.float64)
    grey = pixels[..., 0] if pixels.shape[-1] < 3 else pixels[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    return low + (high - low) * grey[::-1].T
