"""Attention: tokens look at each other, or at a condition."""

from __future__ import annotations

import keras
from keras import ops

from diffsim.generative.nets.layers import GroupNorm, dense, wide


@keras.saving.register_keras_serializable("diffsim")
class Attention(keras.layers.Layer):
    """softmax(QKᵀ/√d) V for each head, Q from the tokens, K and V from `source`; the softmax in float32 or better.

    Args:
        width: channels of the tokens, a multiple of `heads`.
        heads: number of heads.
        zero: whether the last projection starts at 0, so that the layer adds nothing at first.
        seed: of the initial weights.
        **kwargs: of a Keras layer.

    Source: A. Vaswani et al., "Attention is all you need", NeurIPS (2017), arXiv:1706.03762.
    """

    def __init__(self, width, heads, zero=True, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.width, self.heads, self.zero, self.seed = width, heads, zero, seed
        policy = {"dtype": self.dtype_policy}
        self.query, self.key, self.value = (dense(width, n, seed, **policy) for n in ("query", "key", "value"))
        self.out = dense(width, "out", seed, zero, **policy)

    def build(self, tokens_shape, source_shape):
        """Make all weights."""
        for layer, shape in ((self.query, tokens_shape), (self.key, source_shape), (self.value, source_shape)):
            layer.build(shape)
        self.out.build((*tokens_shape[:-1], self.width))

    def call(self, tokens, source):
        """(batch, n, width) and (batch, m, any) → (batch, n, width)."""
        q, k, v = (
            ops.reshape(y, (*ops.shape(y)[:2], self.heads, self.width // self.heads))
            for y in (self.query(tokens), self.key(source), self.value(source))
        )
        q = q * (self.width // self.heads) ** -0.5
        logits = ops.einsum("bnhd,bmhd->bhnm", q, k)
        weights = ops.cast(ops.softmax(ops.cast(logits, wide(logits)), -1), v.dtype)
        y = ops.einsum("bhnm,bmhd->bnhd", weights, v)
        return self.out(ops.reshape(y, (*ops.shape(y)[:2], self.width)))

    def get_config(self):
        """What makes it again."""
        names = ("width", "heads", "zero", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("diffsim")
class Looking(keras.layers.Layer):
    """x + attention among the cells of a grid, then, if there is a condition, + attention to it.

    Args:
        width: channels of x.
        heads: number of heads.
        groups: of the normalisations.
        cross: whether cells look at a condition too.
        seed: of the initial weights.
        **kwargs: of a Keras layer.
    """

    def __init__(self, width, heads, groups, cross=False, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.config = {"width": width, "heads": heads, "groups": groups, "cross": cross, "seed": seed}
        policy = {"dtype": self.dtype_policy}
        self.norm = GroupNorm(groups, name="norm", **policy)
        self.inside = Attention(width, heads, seed=seed, name="inside", **policy)
        self.norm_cross = GroupNorm(groups, name="norm_cross", **policy) if cross else None
        self.across = Attention(width, heads, seed=seed, name="across", **policy) if cross else None

    def build(self, x_shape, context_shape=None):
        """Make all weights."""
        tokens = (x_shape[0], None, x_shape[-1])
        self.norm.build(tokens)
        self.inside.build(tokens, tokens)
        if self.across is not None:
            self.norm_cross.build(tokens)
            self.across.build(tokens, context_shape)

    def call(self, x, context=None):
        """(batch, *grid, width), (batch, m, any) → (batch, *grid, width)."""
        size = ops.shape(x)
        tokens = ops.reshape(x, (size[0], -1, x.shape[-1]))
        y = self.norm(tokens)
        tokens = tokens + self.inside(y, y)
        if self.across is not None:
            tokens = tokens + self.across(self.norm_cross(tokens), context)
        return ops.reshape(tokens, size)

    def get_config(self):
        """What makes it again."""
        return super().get_config() | self.config
