"""An autoencoder: fields to a few coarse channels and back, so that diffusion can work on less."""

from __future__ import annotations

import keras
from keras import ops

from diffsim import _checks
from diffsim.generative.nets.inputs import cells, divides, several, shape_of
from diffsim.generative.nets.layers import Conv, GroupNorm, repeated, seed_of


@keras.saving.register_keras_serializable("diffsim")
class Autoencoder(keras.Model):
    """x → decode(encode(x)); codes have `latent` channels on a grid that is halved once for each width but the first.

    Train it with Keras: `model.compile("adam", "mse")`, `model.fit(x, x)`. Codes are bounded by `bound`·tanh, so that
    their spread is of order one, as diffusion takes it to be.

    Args:
        shape: (*grid, channels) of a sample.
        widths: channels at each level.
        latent: channels of a code.
        groups: of the normalisations; it divides all widths.
        periodic: whether the grid closes on itself.
        bound: largest magnitude of a code.
        seed: of the initial weights.
        **kwargs: `name` and `dtype` of a Keras model.

    Raises:
        TypeError, ValueError: extents that cannot be halved, or widths that are no multiples of `groups`.

    Source: R. Rombach et al., "High-resolution image synthesis with latent diffusion models", CVPR (2022),
        doi:10.1109/CVPR52688.2022.01042.
    """

    def __init__(self, shape, widths=(16, 32, 32), latent=4, groups=8, periodic=False, bound=3.0, seed=0, **kwargs):
        super().__init__(**kwargs)
        shape, widths = shape_of(shape), several("widths", widths, 1, "a level has channels")
        groups = _checks.integer("groups", groups, least=1, why="channels are normalised in groups")
        _checks.flag("periodic", periodic, why="a grid closes on itself or not")
        _checks.integer("seed", seed, least=0, why="the initial weights follow from it")
        self.config = {"shape": shape, "widths": widths, "latent": latent, "groups": groups,
                       "periodic": periodic, "bound": bound, "seed": seed}
        rank = len(shape) - 1
        if not 1 <= rank <= 3:
            _checks.refuse("shape", shape, "(*grid, channels) with a grid of 1, 2 or 3 dimensions",
                           "convolutions act on grids", "Vectors need no autoencoder.")
        for n in shape[:-1]:
            if n is None or n % 2 ** (len(widths) - 1):
                _checks.refuse("shape", shape, f"extents that are multiples of {2 ** (len(widths) - 1)}",
                               f"the grid is halved {len(widths) - 1} times", "Use fewer widths, or pad the data.")
        for width in widths:
            divides("groups", groups, "a width", width, "Choose widths that are multiples of groups.")
        _checks.integer("latent", latent, least=1, why="codes have channels")
        self.bound, self.rank = _checks.number("bound", bound, above=0.0, why="codes have a spread"), rank

        def conv(channels, name, stride=1):
            start = seed_of(seed, name)
            return Conv(channels, rank, 3, stride, periodic, seed=start, name=name, dtype=self.dtype_policy)

        def norm(name):
            return GroupNorm(groups, name=name, dtype=self.dtype_policy)

        self.down = [(conv(w, f"down_{i}", 1 + (i > 0)), norm(f"down_norm_{i}")) for i, w in enumerate(widths)]
        self.code = conv(latent, "code")
        self.enter = conv(widths[-1], "enter")
        self.up = [(norm(f"up_norm_{i}"), conv(w, f"up_{i}")) for i, w in enumerate((*widths[:-1][::-1], widths[0]))]
        self.out = Conv(shape[-1], rank, periodic=periodic, seed=seed_of(seed, "out"), name="out",
                        dtype=self.dtype_policy.variable_dtype)
        self.built = True
        self(keras.KerasTensor((None, *shape)))

    def encode(self, x):
        """(batch, *grid, channels) → (batch, *coarse grid, latent), between −bound and bound."""
        x = self._look(x)
        for conv, norm in self.down:
            x = ops.silu(norm(conv(x)))
        return self.bound * ops.tanh(self.code(x) / self.bound)

    def decode(self, code):
        """The way back."""
        y = self.enter(cells("code", code, self.rank, self.config["latent"]))
        for i, (norm, conv) in enumerate(self.up):
            y = ops.silu(norm(y))
            y = conv(repeated(y, self.rank) if i < len(self.up) - 1 else y)
        return self.out(ops.silu(y))

    def __call__(self, x, **kwargs):
        """`call`, after a look at what it is given."""
        return super().__call__(self._look(x), **kwargs)

    def _look(self, x):
        return cells("x", x, self.rank, self.config["shape"][-1], 2 ** (len(self.config["widths"]) - 1))

    def call(self, x):
        """decode(encode(x))."""
        return self.decode(self.encode(x))

    def get_config(self):
        """What makes it again."""
        return self.config | {"name": self.name, "dtype": keras.dtype_policies.serialize(self.dtype_policy)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The autoencoder of a configuration."""
        return cls(**config)
