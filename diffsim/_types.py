"""Aliases for annotations; nothing executable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Tensor = tf.Tensor
Scalar = tf.Tensor | float
State = Any  # a tensor, or a tuple, dict or NamedTuple of states
Nest = Any
Key = tf.Tensor
Field = Callable[..., Tensor]  # f(t, y) or f(*coordinates)
