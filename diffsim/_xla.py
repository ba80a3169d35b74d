"""What is taken from XLA beyond public TensorFlow, with a fallback where TensorFlow comes without it."""

from __future__ import annotations

import tensorflow as tf

try:
    from tensorflow.compiler.tf2xla.python.xla import optimization_barrier as _barrier
except ImportError:  # wheels without XLA: everything still runs, uncompiled
    _barrier = None


@tf.custom_gradient
def _fenced(x):
    y = _barrier(x)  # the generated op returns a list in some modes, a tensor in others
    return (y[0] if isinstance(y, (list, tuple)) else y), lambda g: g


def fence(x: tf.Tensor) -> tf.Tensor:
    """`x`, but XLA may not move slices through it: a padded array stays one array, so stencils vectorise.

    Its value and its gradient are those of the identity; run eagerly it is the identity.
    """
    if _barrier is None or tf.executing_eagerly():
        return x
    return _fenced(x)
