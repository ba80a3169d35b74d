"""U-Net: residual blocks down to a coarse grid and up again, with attention where it is coarse."""

from __future__ import annotations

import keras
from keras import ops

from diffsim import _checks
from diffsim.generative.nets.attention import Looking
from diffsim.generative.nets.base import Network
from diffsim.generative.nets.inputs import divides, look, several, shape_of
from diffsim.generative.nets.layers import Conv, GroupNorm, dense, repeated, seed_of


@keras.saving.register_keras_serializable("diffsim")
class Residual(keras.layers.Layer):
    """x + C₂(silu((1 + s) N₂(C₁(silu(N₁(x)))) + b)), with s and b from the embedding; C₂ starts at 0.

    Args:
        inputs: channels of x.
        channels: of the result; if others than those of x, x goes through a 1-wide convolution.
        rank: dimensions of the grid.
        groups: of the normalisations.
        periodic: as in `Conv`.
        seed: of the initial weights.
        **kwargs: of a Keras layer.
    """

    def __init__(self, inputs, channels, rank, groups, periodic=False, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.config = {"inputs": inputs, "channels": channels, "rank": rank, "groups": groups, "periodic": periodic,
                       "seed": seed}
        policy = {"dtype": self.dtype_policy}
        walls = {"periodic": periodic, "seed": seed, **policy}
        self.norm_1, self.norm_2 = (GroupNorm(groups, name=f"norm_{i}", **policy) for i in (1, 2))
        self.conv_1 = Conv(channels, rank, name="conv_1", **walls)
        self.conv_2 = Conv(channels, rank, zero=True, name="conv_2", **walls)
        self.shift = dense(2 * channels, "shift", seed, **policy)
        self.straight = None if inputs == channels else Conv(channels, rank, 1, name="straight", **walls)
        self.rank = rank

    def build(self, x_shape, embedding_shape):
        """Make all weights."""
        inner = (*x_shape[:-1], self.config["channels"])
        self.shift.build(embedding_shape)
        self.norm_1.build(x_shape)
        self.conv_1.build(x_shape)
        self.norm_2.build(inner)
        self.conv_2.build(inner)
        if self.straight is not None:
            self.straight.build(x_shape)

    def call(self, x, embedding):
        """(batch, *grid, inputs), (batch, e) → (batch, *grid, channels)."""
        s = self.shift(ops.silu(embedding))
        s, b = ops.split(ops.reshape(s, (-1, *(1,) * self.rank, s.shape[-1])), 2, -1)
        y = self.conv_1(ops.silu(self.norm_1(x)))
        y = self.conv_2(ops.silu(self.norm_2(y) * (1 + s) + b))
        return y + (x if self.straight is None else self.straight(x))

    def get_config(self):
        """What makes it again."""
        return super().get_config() | self.config


@keras.saving.register_keras_serializable("diffsim")
class UNet(Network):
    """A U-Net on grids of 1, 2 or 3 dimensions, whose output starts at 0.

    Args:
        shape: (*grid, channels); an extent of the grid may be None, then any multiple of 2^(levels − 1) will do.
        widths: channels at each level, the grid halved from one to the next.
        attention: heads at each level; 0: none. The coarsest level has them between its two middle blocks, too.
        blocks: residual blocks at each level.
        groups: of the normalisations; it divides all widths.
        periodic: whether the grid closes on itself, as that of a simulation between periodic walls.
        outputs: as in `Network`, like all that follow.
        labels: number of classes.
        context: width of embeddings to look at; they are looked at wherever there is attention.
        embedding: its width; None: four times the first of `widths`.
        waves: periods of the features of the noise level.
        seed: of the initial weights.
        **kwargs: `name` and `dtype` of a Keras model.

    Raises:
        TypeError, ValueError: extents, widths, heads or groups that do not fit each other.

    Source: J. Ho, A. Jain, P. Abbeel, "Denoising diffusion probabilistic models", NeurIPS (2020), arXiv:2006.11239;
        scale and shift by the embedding: P. Dhariwal, A. Nichol, NeurIPS (2021), arXiv:2105.05233.
    """

    def __init__(self, shape, widths=(32, 64, 64), attention=(0, 0, 4), blocks=1, groups=8, periodic=False, *,
                 outputs=None, labels=0, context=0, embedding=None, waves=(0.05, 5.0), seed=0, **kwargs):
        shape, widths = shape_of(shape), several("widths", widths, 1, "a level has channels")
        heads = several("attention", attention, 0, "each level has its heads")
        _layout(shape, widths, heads, groups, context)
        look(shape)
        embedding = 4 * widths[0] if embedding is None else embedding
        super().__init__(shape, outputs=outputs, labels=labels, context=context, embedding=embedding, waves=waves,
                         seed=seed, **kwargs)
        self.widths, self.heads = widths, heads
        self.blocks = _checks.integer("blocks", blocks, least=1, why="a level has at least one block")
        self.groups, self.periodic = groups, _checks.flag("periodic", periodic, why="a grid closes on itself or not")
        self.rank, self.multiple = len(shape) - 1, 2 ** (len(widths) - 1)
        self._lay_out()
        self.finish()

    def _lay_out(self):
        """All layers: `down` and `up` are lists of (block, attention or None), `halve` and `double` convolutions."""
        policy, w, last = {"dtype": self.dtype_policy}, self.widths, len(self.widths) - 1
        walls = {"periodic": self.periodic, **policy}

        def block(inputs, level, name):
            seed = seed_of(self.seed, name)
            return (
                Residual(inputs, w[level], self.rank, self.groups, seed=seed, name=name, **walls),
                self._look(level, name) if self.heads[level] else None,
            )

        self.stem = Conv(w[0], self.rank, seed=self.seed, name="stem", **walls)
        skips, self.down, self.halve, channels = [w[0]], [], [], w[0]
        for i in range(last + 1):
            self.down.append([block(channels if j == 0 else w[i], i, f"down_{i}_{j}") for j in range(self.blocks)])
            skips += [w[i]] * (self.blocks + (i < last))
            if i < last:
                self.halve.append(Conv(w[i], self.rank, 3, 2, seed=self.seed, name=f"halve_{i}", **walls))
            channels = w[i]
        self.middle = [block(channels, last, "middle_0"), (block(channels, last, "middle_1")[0], None)]
        self.up, self.double = [], []
        for i in range(last, -1, -1):
            row = []
            for j in range(self.blocks + 1):
                row.append(block(channels + skips.pop(), i, f"up_{i}_{j}"))
                channels = w[i]
            self.up.append(row)
            if i:
                self.double.append(Conv(w[i], self.rank, seed=self.seed, name=f"double_{i}", **walls))
        full = self.dtype_policy.variable_dtype
        self.norm = GroupNorm(self.groups, name="norm", **policy)
        self.out = Conv(self.outputs, self.rank, periodic=self.periodic, zero=True, name="out", dtype=full)

    def _look(self, level, name):
        return Looking(self.widths[level], self.heads[level], self.groups, bool(self.context), dtype=self.dtype_policy,
                       seed=seed_of(self.seed, f"{name}_look"), name=f"{name}_look")

    def body(self, x, embedding, context):
        """Down, through the middle, and up."""
        y = self.stem(x)
        skips = [y]
        for i, row in enumerate(self.down):
            for block in row:
                y = _through(block, y, embedding, context)
                skips.append(y)
            if i < len(self.halve):
                y = self.halve[i](y)
                skips.append(y)
        for block in self.middle:
            y = _through(block, y, embedding, context)
        for i, row in enumerate(self.up):
            for block in row:
                y = _through(block, ops.concatenate([y, skips.pop()], -1), embedding, context)
            if i < len(self.double):
                y = self.double[i](repeated(y, self.rank))
        return self.out(ops.silu(self.norm(y)))

    def get_config(self):
        """What makes it again."""
        mine = {"widths": self.widths, "attention": self.heads, "blocks": self.blocks, "groups": self.groups,
                "periodic": self.periodic}
        return super().get_config() | mine


def _through(block, y, embedding, context):
    residual, look = block
    y = residual(y, embedding)
    return y if look is None else look(y, context) if context is not None else look(y)


def _layout(shape, widths, heads, groups, context):
    if not 2 <= len(shape) <= 4:
        _checks.refuse("shape", shape, "(*grid, channels) with a grid of 1, 2 or 3 dimensions",
                       "convolutions act on grids", "Use MLP for vectors.")
    if not widths or len(widths) != len(heads):
        _checks.refuse("attention", heads, f"{max(len(widths), 1)} numbers of heads, one for each of widths={widths}",
                       "each level has its own", "Write 0 for levels without attention.")
    halvings = 2 ** (len(widths) - 1)
    for n in shape[:-1]:
        if n is not None and n % halvings:
            _checks.refuse("shape", shape, f"extents that are multiples of {halvings}",
                           f"the grid is halved {len(widths) - 1} times and doubled again",
                           "Use fewer levels, or pad the data.")
    groups = _checks.integer("groups", groups, least=1, why="channels are normalised in groups")
    for width, head in zip(widths, heads, strict=True):
        divides("groups", groups, "a width", width, "Choose widths that are multiples of groups.")
        if head:
            divides("heads", head, "a width", width, "Choose widths that are multiples of the heads.")
    if context and not any(heads):
        _checks.refuse("context", context, "attention at one level at least", "a context is looked at by attention",
                       "Give heads to the coarsest level: attention=(…, 4).")
