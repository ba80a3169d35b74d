"""MLP: residual layers on vectors, for data without a grid."""

from __future__ import annotations

import keras
from keras import ops

from diffsim import _checks
from diffsim.generative.nets.base import Network
from diffsim.generative.nets.inputs import shape_of
from diffsim.generative.nets.layers import dense


@keras.saving.register_keras_serializable("diffsim")
class MLP(Network):
    """h ← h + W silu((1 + s)N(h) + b), with s and b from the embedding; the output starts at 0.

    Args:
        shape: (channels,).
        width: of the hidden layers.
        depth: number of hidden layers.
        outputs: as in `Network`, like all that follow.
        labels: number of classes.
        embedding: its width; None: that of the layers.
        waves: periods of the features of the noise level.
        seed: of the initial weights.
        **kwargs: `name` and `dtype` of a Keras model.

    Raises:
        TypeError, ValueError: a shape that is not that of a vector.
    """

    def __init__(self, shape, width=128, depth=3, *, outputs=None, labels=0, embedding=None, waves=(0.05, 5.0),
                 seed=0, **kwargs):
        shape = shape_of(shape)
        if len(shape) != 1:
            _checks.refuse("shape", shape, "(channels,)", "this network is for vectors",
                           "Use UNet or DiT for grids, or flatten the data.")
        super().__init__(shape, outputs=outputs, labels=labels, context=0,
                         embedding=width if embedding is None else embedding, waves=waves, seed=seed, **kwargs)
        self.width = _checks.integer("width", width, least=1, why="layers have units")
        self.depth = _checks.integer("depth", depth, least=1, why="there is at least one hidden layer")
        policy, full = {"dtype": self.dtype_policy}, self.dtype_policy.variable_dtype
        self.enter = dense(width, "enter", seed, **policy)
        self.norms = [
            keras.layers.LayerNormalization(epsilon=1e-6, center=False, scale=False, name=f"norm_{i}", **policy)
            for i in range(depth)
        ]
        self.steers = [dense(2 * width, f"steer_{i}", seed, **policy) for i in range(depth)]
        self.layers_ = [dense(width, f"layer_{i}", seed, **policy) for i in range(depth)]
        self.leave = dense(self.outputs, "leave", seed, zero=True, dtype=full)
        self.finish()

    def body(self, x, embedding, context):
        """Through all layers."""
        h, e = self.enter(x), ops.silu(embedding)
        for norm, steer, layer in zip(self.norms, self.steers, self.layers_, strict=True):
            s, b = ops.split(steer(e), 2, -1)
            h = h + layer(ops.silu(norm(h) * (1 + s) + b))
        return self.leave(ops.silu(h))

    def get_config(self):
        """What makes it again."""
        config = super().get_config() | {"width": self.width, "depth": self.depth}
        del config["context"]
        return config
