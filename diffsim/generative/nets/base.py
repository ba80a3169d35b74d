"""What all networks share: how they are called, their conditions, their checks, how they are stored."""

from __future__ import annotations

import keras
from keras import ops

from diffsim import _checks
from diffsim.generative.nets.layers import Waves, dense, seed_of


class Network(keras.Model):
    """F(x, t, condition): what a denoiser is made of, called as the adapters `from_epsilon` and its siblings call it.

    A subclass defines `body(x, embedding, context)` on a batch. A network is built when it is made: its weights
    exist, and follow from its arguments, `seed` and Keras's backend alone.

    Args:
        shape: of one sample, channels last, e.g. (64, 64, 3) or (16,).
        outputs: channels of the result; None stands for those of x. Twice as many serve a learned variance.
        labels: number of classes; 0: none. The label `labels` stands for "no class".
        context: width of the embeddings in a sequence to look at; 0: none. Embeddings of 0 stand for "no context".
        embedding: width of the embedding of noise level and class.
        waves: shortest and longest period of the features of t: the longest spans all t, the shortest what matters.
        seed: of the initial weights.
        **kwargs: `name` and `dtype` of a Keras model; a policy such as "mixed_bfloat16" computes in half precision
            and keeps weights and result in float32.
    """

    def __init__(self, shape, *, outputs, labels, context, embedding, waves, seed, **kwargs):
        super().__init__(autocast=False, **kwargs)  # t stays as precise as it comes
        why = "it lays out the network"
        self.sample_shape = tuple(
            None if n is None else _checks.integer(f"shape[{i}]", n, least=1, why=why) for i, n in enumerate(shape)
        )
        if not self.sample_shape or self.sample_shape[-1] is None:
            _checks.refuse("shape", self.sample_shape, "(*grid, channels)", "weights are laid out by channels",
                           "Append the number of channels.")
        outputs = self.sample_shape[-1] if outputs is None else outputs
        self.outputs = _checks.integer("outputs", outputs, least=1, why=why)
        self.labels = _checks.integer("labels", labels, least=0, why="it is the number of classes")
        self.context = _checks.integer("context", context, least=0, why="it is the width of embeddings")
        self.embedding = _checks.integer("embedding", embedding, least=2, why=why)
        self.waves, self.seed = tuple(_checks.number("waves", T, above=0.0, why="it is a period") for T in waves), seed
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
        label, context = self._conditions(condition)
        self._check(x, label, context)
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

    def _conditions(self, condition):
        """Label and context of a condition."""
        if condition is None:
            return None, None
        if isinstance(condition, dict):
            if unknown := set(condition) - {"label", "context"}:
                _checks.refuse("condition", sorted(unknown), 'the names "label" and "context"',
                               "these are what a network knows", "Leave the others out.")
            return condition.get("label"), condition.get("context")
        whole = keras.backend.is_int_dtype(ops.convert_to_tensor(condition).dtype)
        return (condition, None) if whole else (None, condition)

    def _check(self, x, label, context):
        rank = len(self.sample_shape)
        given = tuple(x.shape)[-rank:]
        pairs = zip(given, self.sample_shape, strict=False)
        fits = len(given) == rank and all(None in pair or pair[0] == pair[1] for pair in pairs)
        if not fits or len(x.shape) == rank:
            _checks.refuse("x", x, f"shape (…, {', '.join(map(str, self.sample_shape))})",
                           "the network was laid out for such samples, in batches",
                           "Reshape x, or make another network.")
        if label is not None and not self.labels:
            _checks.refuse("label", label, "None", "this network knows no classes", "Make it with labels=….", TypeError)
        if context is not None and (not self.context or context.shape[-1] != self.context):
            expected = f"shape (…, m, {self.context})" if self.context else "None"
            _checks.refuse("context", context, expected, "a network looks at embeddings of the width it was made for",
                           "Make it with context=….", TypeError)

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


def divides(what: str, number: int, of: str, whole: int, way_out: str):
    """Refuse a number that does not divide the whole."""
    if whole % number:
        _checks.refuse(what, number, f"a divisor of {of} = {whole}", "it is cut into equal parts", way_out)
