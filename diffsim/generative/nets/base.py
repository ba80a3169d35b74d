"""What all networks share: how they are called, their conditions, their checks, how they are stored."""

from __future__ import annotations

import keras
from keras import ops

from diffsim import _checks
from diffsim.generative.nets.inputs import named, periods, read, shape_of
from diffsim.generative.nets.layers import Waves, dense, seed_of


class Network(keras.Model):
    """F(x, t, condition): what a denoiser is made of, called as the adapters `from_epsilon` and its siblings call it.

    A condition is an array: integers are labels, real numbers are a context, and {"label": …, "context": …} gives both.
    Example: ``net(x, t, [3, 1])`` of two samples, ``net(x, t, 3)`` for all, ``net(x, t)`` without.

    A subclass defines `body(x, embedding, context)` on a batch. A network is built when it is made: its weights
    exist, and follow from its arguments, `seed` and Keras's backend alone.

    Args:
        shape: of one sample, channels last, e.g. (64, 64, 3) or (16,).
        outputs: channels of the result; None stands for those of x. Twice as many serve a learned variance.
        labels: number of classes; 0: none. The label `labels` stands for "no class".
        context: width of the embeddings in a sequence to look at; 0: none. Embeddings of 0 stand for "no context".
        embedding: width of the embedding of noise level and class.
        waves: shortest and longest period of the features of t: the longest spans all t, the shortest what matters.
        seed: of the initial weights, an integer ≥ 0.
        **kwargs: `name` and `dtype` of a Keras model; a policy such as "mixed_bfloat16" computes in half precision
            and keeps weights and result in float32.
    """

    multiple = 1  # of which extents of the grid must be multiples

    def __init__(self, shape, *, outputs, labels, context, embedding, waves, seed, **kwargs):
        super().__init__(autocast=False, **kwargs)  # t stays as precise as it comes
        why = "it lays out the network"
        self.sample_shape = shape_of(shape)
        outputs = self.sample_shape[-1] if outputs is None else outputs
        self.outputs = _checks.integer("outputs", outputs, least=1, why=why)
        self.labels = _checks.integer("labels", labels, least=0, why="it is the number of classes")
        self.context = _checks.integer("context", context, least=0, why="it is the width of embeddings")
        self.embedding = _checks.integer("embedding", embedding, least=2, why=why)
        self.waves = periods(waves)
        self.seed = _checks.integer("seed", seed, least=0, why="the initial weights follow from it")
        policy = {"dtype": self.dtype_policy}
        even = 2 * (embedding // 2)
        self.features = Waves(even, *self.waves, name="waves", dtype=self.dtype_policy.variable_dtype)
        self.level_1 = dense(embedding, "level_1", seed, **policy)
        self.level_2 = dense(embedding, "level_2", seed, **policy)
        self.classes = None
        if labels:
            start = keras.initializers.RandomNormal(stddev=0.5, seed=seed_of(seed, "classes"))
            self.classes = keras.layers.Embedding(labels + 1, embedding, start, name="classes", **policy)

    def finish(self):
        """Make all weights, by one call without values; a subclass calls it when its layers are there."""
        condition = {}
        if self.labels:
            condition["label"] = keras.KerasTensor((None,), "int32")
        if self.context:
            condition["context"] = keras.KerasTensor((None, None, self.context))
        self.built = True
        self(keras.KerasTensor((None, *self.sample_shape)), keras.KerasTensor((None,)), condition or None)

    def __call__(self, x, t=None, condition=None, **kwargs):
        """`call`, after a look at what it is given; numbers and lists will do."""
        return super().__call__(*read(self, x, t, condition), **kwargs)

    def call(self, x, t, condition=None):
        """F at x (…, *shape).

        Args:
            x: noisy samples, (…, *shape); leading axes are kept.
            t: noise level, what the schedule calls time: (…), or one for all.
            condition: integers are labels, (…) or one for all, 0 ≤ label ≤ `labels`; real numbers are a context,
                (…, m, context) or (m, context) for all; {"label": …, "context": …} gives both; None gives nothing.

        Returns:
            (…, *grid, outputs).
        """
        condition = named(condition)
        label, context = condition.get("label"), condition.get("context")
        size = ops.shape(x)
        lead = size[: -len(self.sample_shape)]
        x = ops.reshape(x, (-1, *size[len(lead) :]))
        n = ops.shape(x)[0]
        embedding = self.level_2(ops.silu(self.level_1(self.features(_each(t, n)))))
        if self.classes is not None:
            label = self.labels if label is None else label
            embedding = embedding + self.classes(_each(ops.cast(label, "int32"), n))
        if self.context:
            context = ops.zeros((2, self.context), x.dtype) if context is None else context
            tail = ops.shape(context)[-2:]
            context = ops.broadcast_to(ops.reshape(context, (-1, *tail)), (n, *tail))
        y = self.body(x, embedding, context if self.context else None)
        return ops.reshape(y, (*lead, *ops.shape(y)[1:]))

    def body(self, x, embedding, context):
        """F on a batch, given the embedding of level and class."""
        raise NotImplementedError

    def get_config(self):
        """What makes it again."""
        return {
            "shape": self.sample_shape, "outputs": self.outputs, "labels": self.labels, "context": self.context,
            "embedding": self.embedding, "waves": self.waves, "seed": self.seed, "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The network of a configuration."""
        return cls(**config)


def _each(value, n):
    """One value for each of n samples."""
    value = ops.convert_to_tensor(value)
    return ops.broadcast_to(ops.reshape(value, (-1,)), (n,))
