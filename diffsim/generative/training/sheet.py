"""Sheets of samples while training goes on."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diffsim import _checks


def tile(images, columns: int | None = None) -> np.ndarray:
    """Images side by side, with a pixel between them.

    Args:
        images: (n, height, width, channels) with 1 or 3 channels, between −1 and 1; values beyond are cut off.
        columns: images in a row; None: as many as there are rows.

    Returns:
        (rows·(height + 1) − 1, columns·(width + 1) − 1, 3), between 0 and 1, missing images white.
    """
    images = np.asarray(images, np.float64)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        _checks.refuse("images", images, "shape (n, height, width, 1 or 3)", "they are shown in grey or colour",
                       "Choose channels to show, images[..., :1].")
    n, h, w, _ = images.shape
    columns = math.ceil(n**0.5) if columns is None else columns
    rows = -(-n // columns)
    whole = np.ones((rows, h + 1, columns, w + 1, 3))
    for i, image in enumerate(images):
        whole[i // columns, :h, i % columns, :w] = np.clip((image + 1) / 2, 0, 1)
    return whole.reshape(rows * (h + 1), columns * (w + 1), 3)[:-1, :-1]


@dataclass(frozen=True)
class Sheet:
    """Draws samples and saves them as to/000500.png: pass it to `fit` as `sheet`.

    Args:
        draw: a function of the network that returns images as `tile` takes them.
        to: a folder; it is made if need be.
        columns: images in a row.
    """

    draw: Callable
    to: str = "sheets"
    columns: int | None = None

    def __post_init__(self):
        if not callable(self.draw):
            _checks.refuse("draw", self.draw, "a function of the network", "it draws the images of a sheet",
                           "Pass e.g. lambda network: images.", TypeError)
        if self.columns is not None:
            _checks.integer("columns", self.columns, least=1, why="a row has images")

    def __call__(self, network, step):
        """Draw and save."""
        from matplotlib.image import imsave  # only where pictures are saved

        os.makedirs(self.to, exist_ok=True)
        imsave(os.path.join(self.to, f"{step:06d}.png"), tile(self.draw(network), self.columns))
