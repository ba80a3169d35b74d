"""DiT: a transformer on the patches of a grid, steered by the noise level."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from diffsim import _checks
from diffsim.generative.nets.attention import Attention
from diffsim.generative.nets.base import Network
from diffsim.generative.nets.inputs import divides, look, shape_of
from diffsim.generative.nets.layers import dense, seed_of


def positions(cells, width: int) -> np.ndarray:
    """Sines and cosines of the position of each patch, an equal share of channels for each axis; (∏cells, width)."""
    share = width // (2 * len(cells))
    rates = 10_000.0 ** (-np.arange(share) / max(share, 1))
    axes = []
    for i in np.meshgrid(*map(np.arange, cells), indexing="ij"):
        phase = i.reshape(-1, 1) * rates
        axes += [np.sin(phase), np.cos(phase)]
    known = np.concatenate(axes, 1)
    return np.pad(known, ((0, 0), (0, width - known.shape[1])))


def _plain(name, policy):
    return keras.layers.LayerNormalization(epsilon=1e-6, center=False, scale=False, name=name, dtype=policy)


@keras.saving.register_keras_serializable("diffsim")
class Block(keras.layers.Layer):
    """x + g₁ A((1 + s₁)N(x) + b₁), then the same with a perceptron: all g, s, b from the embedding, and 0 at first.

    Args:
        width: channels of the tokens.
        heads: of the attention.
        cross: whether tokens look at a condition in between.
        seed: of the initial weights.
        **kwargs: of a Keras layer.
    """

    def __init__(self, width, heads, cross=False, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.config = {"width": width, "heads": heads, "cross": cross, "seed": seed}
        policy = {"dtype": self.dtype_policy}
        self.norm_1, self.norm_2 = (_plain(f"norm_{i}", self.dtype_policy) for i in (1, 2))
        self.inside = Attention(width, heads, zero=False, seed=seed, name="inside", **policy)
        self.norm_cross = _plain("norm_cross", self.dtype_policy) if cross else None
        self.across = Attention(width, heads, seed=seed, name="across", **policy) if cross else None
        self.steer = dense(6 * width, "steer", seed, zero=True, **policy)
        self.wide = dense(4 * width, "wide", seed, **policy)
        self.narrow = dense(width, "narrow", seed, **policy)

    def build(self, x_shape, embedding_shape, context_shape=None):
        """Make all weights."""
        for layer in (self.norm_1, self.norm_2, self.wide):
            layer.build(x_shape)
        self.narrow.build((*x_shape[:-1], 4 * x_shape[-1]))
        self.steer.build(embedding_shape)
        self.inside.build(x_shape, x_shape)
        if self.across is not None:
            self.norm_cross.build(x_shape)
            self.across.build(x_shape, context_shape)

    def call(self, x, embedding, context=None):
        """(batch, n, width), (batch, e), (batch, m, any) → (batch, n, width)."""
        b1, s1, g1, b2, s2, g2 = ops.split(self.steer(ops.silu(embedding))[:, None], 6, -1)
        y = self.norm_1(x) * (1 + s1) + b1
        x = x + g1 * self.inside(y, y)
        if self.across is not None:
            x = x + self.across(self.norm_cross(x), context)
        y = self.norm_2(x) * (1 + s2) + b2
        return x + g2 * self.narrow(ops.gelu(self.wide(y), approximate=True))

    def get_config(self):
        """What makes it again."""
        return super().get_config() | self.config


@keras.saving.register_keras_serializable("diffsim")
class DiT(Network):
    """A diffusion transformer with adaLN-zero on grids of 1, 2 or 3 dimensions, whose output starts at 0.

    Args:
        shape: (*grid, channels).
        patch: edge of a patch in cells; it divides all extents.
        width: channels of the tokens.
        depth: number of blocks.
        heads: of the attention; it divides the width.
        outputs: as in `Network`, like all that follow.
        labels: number of classes.
        context: width of embeddings to look at.
        embedding: its width; None: that of the tokens.
        waves: periods of the features of the noise level.
        seed: of the initial weights.
        **kwargs: `name` and `dtype` of a Keras model.

    Raises:
        TypeError, ValueError: extents, patches, widths or heads that do not fit each other.

    Source: W. Peebles, S. Xie, "Scalable diffusion models with transformers", ICCV (2023),
        doi:10.1109/ICCV51070.2023.00387.
    """

    def __init__(self, shape, patch=2, width=128, depth=4, heads=4, *, outputs=None, labels=0, context=0,
                 embedding=None, waves=(0.05, 5.0), seed=0, **kwargs):
        shape = shape_of(shape)
        _layout(shape, patch, width, heads)
        look(shape)
        super().__init__(shape, outputs=outputs, labels=labels, context=context,
                         embedding=width if embedding is None else embedding, waves=waves, seed=seed, **kwargs)
        self.patch, self.width, self.heads = patch, width, heads
        self.depth = _checks.integer("depth", depth, least=1, why="it is the number of blocks")
        policy, full = {"dtype": self.dtype_policy}, self.dtype_policy.variable_dtype
        self.cells = tuple(n // patch for n in self.sample_shape[:-1])
        self.enter = dense(width, "enter", seed, **policy)
        self.places = positions(self.cells, width)[None]
        self.stack = [
            Block(width, heads, bool(context), seed_of(seed, f"block_{i}"), name=f"block_{i}", **policy)
            for i in range(depth)
        ]
        self.norm = _plain("norm", self.dtype_policy)
        self.steer = dense(2 * width, "steer", seed, zero=True, **policy)
        self.leave = dense(patch ** len(self.cells) * self.outputs, "leave", seed, zero=True, dtype=full)
        self.finish()

    def body(self, x, embedding, context):
        """Cut into patches, through all blocks, and put together."""
        tokens = self.enter(self._cut(x))
        tokens = tokens + ops.cast(self.places, tokens.dtype)
        for block in self.stack:
            tokens = block(tokens, embedding) if context is None else block(tokens, embedding, context)
        b, s = ops.split(self.steer(ops.silu(embedding))[:, None], 2, -1)
        return self._join(self.leave(self.norm(tokens) * (1 + s) + b))

    def _cut(self, x):
        """(batch, *grid, c) → (batch, patches, patchʳ·c)."""
        p, r = self.patch, len(self.cells)
        x = ops.reshape(x, (-1, *(m for n in self.cells for m in (n, p)), x.shape[-1]))
        x = ops.transpose(x, (0, *range(1, 2 * r, 2), *range(2, 2 * r + 1, 2), 2 * r + 1))
        return ops.reshape(x, (-1, math.prod(self.cells), p**r * x.shape[-1]))

    def _join(self, y):
        """The reverse of `_cut`."""
        p, r = self.patch, len(self.cells)
        y = ops.reshape(y, (-1, *self.cells, *(p,) * r, self.outputs))
        y = ops.transpose(y, (0, *(i for a in range(r) for i in (1 + a, 1 + r + a)), 2 * r + 1))
        return ops.reshape(y, (-1, *(n * p for n in self.cells), self.outputs))

    def get_config(self):
        """What makes it again."""
        return super().get_config() | {
            "patch": self.patch, "width": self.width, "depth": self.depth, "heads": self.heads
        }


def _layout(shape, patch, width, heads):
    if not 2 <= len(shape) <= 4 or None in shape:
        _checks.refuse("shape", shape, "(*grid, channels) with a known grid of 1, 2 or 3 dimensions",
                       "patches are cut out of it", "Use MLP for vectors, UNet for grids of any extent.")
    patch = _checks.integer("patch", patch, least=1, why="it is the edge of a patch")
    for n in shape[:-1]:
        divides("patch", patch, "an extent", n, "Choose a patch that divides all extents, or pad the data.")
    _checks.integer("width", width, least=2 * (len(shape) - 1), why="sines of each axis need channels")
    divides("heads", _checks.integer("heads", heads, least=1, why="attention has heads"), "width", width,
            "Choose a width that is a multiple of heads.")
