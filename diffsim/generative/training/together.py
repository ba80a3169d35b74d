"""An optimizer that moves all weights as one vector: one long update in place of hundreds of short ones."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from diffsim import _checks


def pack(tensors, dtype):
    """All numbers of a list of tensors, one after the other."""
    return ops.concatenate([ops.cast(ops.reshape(ops.convert_to_tensor(x), (-1,)), dtype) for x in tensors])


def unpack(vector, like):
    """What `pack` was given, in the shapes of `like`."""
    ends = np.cumsum([int(np.prod(x.shape)) for x in like])
    return [ops.reshape(part, x.shape) for part, x in zip(ops.split(vector, ends[:-1]), like, strict=True)]


def together(optimizer, weights):
    """The optimizer as `Together`, if every number is to it like every other; else as it is."""
    names = ("SGD", "RMSprop", "Adam", "Adamax", "Nadam", "Adagrad", "Adadelta", "Lion", "Ftrl")
    alike = type(optimizer) in [getattr(keras.optimizers, name) for name in names]
    apart = alike and (optimizer.clipnorm is not None or optimizer.weight_decay is not None or optimizer.use_ema)
    one = len({w.dtype for w in weights}) == 1 and all(w.constraint is None for w in weights)
    return Together(optimizer) if alike and not apart and one else optimizer


class Together(keras.optimizers.Optimizer):
    """θ ← inner(θ, ∇), θ all weights as one vector.

    Args:
        inner: a Keras optimizer that treats each number by itself, but for the norm of all gradients: not one that
            clips the gradient of each weight, or lets only some weights decay.
    """

    def __init__(self, inner):
        _checks.instance("inner", inner, keras.optimizers.Optimizer, why="it says how weights move",
                         way_out="Pass keras.optimizers.Adam().")
        super().__init__(learning_rate=0.0, name=f"together_{inner.name}")
        self.inner = inner

    def build(self, variables):
        """Make the vector, and the inner optimizer's state for it."""
        super().build(variables)
        n = sum(int(np.prod(v.shape)) for v in variables)
        self.vector = keras.Variable(np.zeros(n), dtype=variables[0].dtype, name="weights")
        self.inner.build([self.vector])

    @property
    def variables(self):
        """The state of the inner optimizer; the vector is none, it is taken from the weights at each step."""
        return self.inner.variables

    def apply(self, grads, trainable_variables=None):
        """One step; a weight without gradient has gradient 0."""
        weights = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        dtype = self.vector.dtype
        grads = [ops.zeros(w.shape, dtype) if g is None else g for g, w in zip(grads, weights, strict=True)]
        self.vector.assign(pack(weights, dtype))
        self.inner.apply([pack(grads, dtype)], [self.vector])
        for weight, value in zip(weights, unpack(self.vector.value, weights), strict=True):
            weight.assign(value)

    @property
    def learning_rate(self):
        """That of the inner optimizer."""
        return self.inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        self.inner.learning_rate = rate

    @property
    def iterations(self):
        """Steps so far."""
        return self.inner.iterations

    def scale_loss(self, loss):
        """As the inner optimizer does."""
        return self.inner.scale_loss(loss)

    def get_config(self):
        """What makes it again."""
        return {"inner": keras.saving.serialize_keras_object(self.inner)}
