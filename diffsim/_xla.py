"""What is taken from XLA beyond public TensorFlow, with a fallback where TensorFlow comes without it."""

from __future__ import annotations

import contextlib

import tensorflow as tf

try:
    from tensorflow.compiler.tf2xla.python import xla as _xla
except ImportError:  # wheels without XLA: everything still runs, uncompiled
    _xla = None

if _xla is not None:
    # Forward differentiation goes through it too, so a custom gradient is not enough; a later TensorFlow may bring
    # its own.
    with contextlib.suppress(KeyError):
        tf.RegisterGradient("XlaOptimizationBarrier")(lambda op, *grads: list(grads) if len(grads) > 1 else grads[0])


def available() -> bool:
    """Whether row windows can be used: XLA is there, and the processor does the computing.

    On a GPU the plain fused step is near the memory's roof, and conditions inside the loop cost.
    """
    return _xla is not None and not tf.config.list_physical_devices("GPU")


def fence(x: tf.Tensor) -> tf.Tensor:
    """`x`, but XLA may not move slices through it: a padded array stays one array, so stencils vectorise.

    Its value and its gradient are those of the identity; run eagerly it is the identity.
    """
    if _xla is None or tf.executing_eagerly():
        return x
    y = _xla.optimization_barrier(x)  # the generated op returns a list in some modes, a tensor in others
    return y[0] if isinstance(y, (list, tuple)) else y


def once(make, like, t):
    """make(), written to memory before others read it: XLA fuses nothing into the branches of a condition.

    Args:
        make: () → nest.
        like: a nest of the same shapes.
        t: a finite number of which that is not known before the program runs, such as a step or a time.
    """
    if _xla is None or tf.executing_eagerly():
        return make()
    return tf.cond(tf.math.is_finite(t), make, lambda: like)


def update(x: tf.Tensor, block: tf.Tensor, start) -> tf.Tensor:
    """`x` with `block` written at `start`, in place where x is not needed any more."""
    return _xla.dynamic_update_slice(x, block, start)


def windows(flat: tf.Tensor, start, width: int) -> tf.Tensor:
    """Rows of `width` entries of a flat tensor, beginning at each of `start`: (len(start), width)."""
    numbers = _xla.xla_data_pb2.GatherDimensionNumbers(offset_dims=[1], start_index_map=[0], index_vector_dim=1)
    return _xla.gather(flat, start[:, None], numbers, slice_sizes=[width], indices_are_sorted=False)
