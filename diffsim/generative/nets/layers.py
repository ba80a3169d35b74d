"""Layers that networks of all dimensions share: convolution with walls, stable normalisation, noise-level features."""

from __future__ import annotations

import math
import zlib

import keras
import numpy as np
from keras import ops


def seed_of(seed: int, name: str) -> int:
    """A seed for the part of this name: reproducible, and different for each name."""
    return zlib.crc32(f"{seed}/{name}".encode())


def dense(units: int, name: str, seed: int, zero: bool = False, **kwargs) -> keras.layers.Dense:
    """A dense layer whose initial weights depend on (seed, name) only; zero=True starts it at 0."""
    start = "zeros" if zero else keras.initializers.GlorotUniform(seed=seed_of(seed, name))
    return keras.layers.Dense(units, kernel_initializer=start, name=name, **kwargs)


def wide(x):
    """The dtype in which sums over x are taken: float64 for float64, float32 for all others."""
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


@keras.saving.register_keras_serializable("diffsim")
class Conv(keras.layers.Layer):
    """y = k * x + b in 1, 2 or 3 dimensions, k of odd width, with ⌊width/2⌋ cells put around x on each side.

    The cells around are 0, or those of the other side if `periodic`: then the layer commutes with translations.

    Args:
        channels: of y.
        rank: number of dimensions of the grid.
        width: of the kernel, odd.
        stride: every how many cells of y are kept.
        periodic: whether the grid closes on itself.
        zero: whether the kernel starts at 0.
        seed: of the initial kernel.
        **kwargs: of a Keras layer.
    """

    def __init__(self, channels, rank, width=3, stride=1, periodic=False, zero=False, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.rank, self.width, self.stride = channels, rank, width, stride
        self.periodic, self.zero, self.seed = periodic, zero, seed

    def build(self, shape):
        """Make kernel and bias."""
        start = "zeros" if self.zero else keras.initializers.GlorotUniform(seed=seed_of(self.seed, self.name))
        size = (*(self.width,) * self.rank, shape[-1], self.channels)
        self.kernel = self.add_weight(shape=size, initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(self.channels,), initializer="zeros", name="bias")

    def call(self, x):
        """The convolution."""
        n = self.width // 2
        within = self.stride == 1 and not self.periodic  # so that gradients are not taken where nothing is
        if n and self.periodic:
            for axis in range(1, self.rank + 1):
                before = (slice(None),) * axis
                x = ops.concatenate([x[(*before, slice(-n, None))], x, x[(*before, slice(0, n))]], axis)
        elif n and not within:
            x = ops.pad(x, [(0, 0), *[(n, n)] * self.rank, (0, 0)])
        return ops.conv(x, self.kernel, self.stride, "same" if within else "valid", "channels_last") + self.bias

    def compute_output_shape(self, shape):
        """Cells after striding, and channels."""
        cells = (None if n is None else -(-n // self.stride) for n in shape[1:-1])
        return (shape[0], *cells, self.channels)

    def get_config(self):
        """What makes it again."""
        names = ("channels", "rank", "width", "stride", "periodic", "zero", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("diffsim")
class GroupNorm(keras.layers.Layer):
    """y = γ(x − m)/√(v + ε) + b, m and v over the grid and over groups of channels.

    Mean and variance are taken one after the other in float32 (float64 for float64), whatever x is: half precision
    neither overflows nor loses a small variance beside a large mean.

    Args:
        groups: number of groups; it divides the number of channels.
        epsilon: ε.
        **kwargs: of a Keras layer.

    Source: Y. Wu, K. He, "Group normalization", ECCV (2018), doi:10.1007/978-3-030-01261-8_1.
    """

    def __init__(self, groups, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.groups, self.epsilon = groups, epsilon

    def build(self, shape):
        """Make γ and b, which stay in full precision."""
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma", autocast=False)
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta", autocast=False)

    def call(self, x):
        """Normalise."""
        size, channels, dtype = ops.shape(x), x.shape[-1], x.dtype
        y = ops.reshape(ops.cast(x, wide(x)), (size[0], -1, channels))
        y = y - self._means(y)
        y = y * (ops.rsqrt(self._means(ops.square(y)) + self.epsilon) * self.gamma)
        return ops.cast(ops.reshape(y + self.beta, size), dtype)

    def _means(self, y):
        """(batch, 1, channels): means over the grid, where memory is read in order, then over few channels.

        Each channel takes the mean over its group itself. Repeating one for all is as short, but compilers put the
        repetition into the loops over the grid, where it costs more than all the rest.
        """
        size = y.shape[-1] // self.groups
        mean = ops.reshape(ops.mean(y, 1), (-1, self.groups, 1, size))
        each = ops.broadcast_to(mean, (ops.shape(mean)[0], self.groups, size, size))
        return ops.reshape(ops.mean(each, -1), (-1, 1, self.groups * size))

    def compute_output_shape(self, shape):
        """That of x."""
        return shape

    def get_config(self):
        """What makes it again."""
        return super().get_config() | {"groups": self.groups, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("diffsim")
class Waves(keras.layers.Layer):
    """Features of a noise level ℓ: cos 2πℓ/T and sin 2πℓ/T, the periods T in geometric progression.

    Args:
        features: how many, even.
        shortest: shortest period [unit of ℓ].
        longest: longest period [unit of ℓ].
        **kwargs: of a Keras layer.
    """

    def __init__(self, features, shortest=0.05, longest=5.0, **kwargs):
        super().__init__(**kwargs)
        self.features, self.shortest, self.longest = features, float(shortest), float(longest)

    def call(self, level):
        """(batch,) → (batch, features), computed in float32 or better."""
        level = ops.cast(level, wide(level))[:, None]
        rates = 2 * math.pi / np.geomspace(self.shortest, self.longest, self.features // 2)
        phase = level * rates.astype(wide(level))
        return ops.concatenate([ops.cos(phase), ops.sin(phase)], -1)

    def get_config(self):
        """What makes it again."""
        names = ("features", "shortest", "longest")
        return super().get_config() | {name: getattr(self, name) for name in names}


def repeated(x, rank: int):
    """Each cell becomes 2ʳᵃⁿᵏ equal ones: nearest-neighbour upsampling."""
    for axis in range(1, rank + 1):
        x = ops.repeat(x, 2, axis)
    return x
