"""What is taken from XLA beyond public TensorFlow, with a fallback where TensorFlow comes without it."""

from __future__ import annotations

import tensorflow as tf

try:
    from tensorflow.compiler.tf2xla.python.xla import optimization_barrier as _barrier
except ImportError:  # wheels without XLA: everything still runs, uncompiled
    _barrier = None


if _barrier is not None:
    try:
        tf.RegisterGradient("XlaOptimizationBarrier")(lambda op, *grads: list(grads) if len(grads) > 1 else grads[0])
    except KeyError:  # a TensorFlow that brings its own
        pass


def fence(x: tf.Tensor) -> tf.Tensor:
    """`x`, but XLA may not move slices through it: a padded array stays one array, so stencils vectorise.

    Its value and its gradient are those of the identity; run eagerly it is the identity.
    """
    if _barrier is None or tf.executing_eagerly():
        return x
    y = _barrier(x)  # the generated op returns a list in some modes, a tensor in others
    return y[0] if isinstance(y, (list, tuple)) else y
