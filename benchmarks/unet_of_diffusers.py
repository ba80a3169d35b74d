"""The U-Net of a diffsim weights file as diffusers' UNet2DModel: the same function of the same numbers.

Only the features of the noise level, which have no weights, are replaced: cosines and sines of diffsim's periods.
"""

import json

import numpy as np
import safetensors
import torch
from diffusers import UNet2DModel


class Waves(torch.nn.Module):
    """cos and sin of 2πn/(N·T) for the step n of N."""

    def __init__(self, features, shortest, longest, steps):
        super().__init__()
        rates = 2 * np.pi / np.geomspace(shortest, longest, features // 2) / steps
        self.register_buffer("rates", torch.tensor(rates, dtype=torch.float32), persistent=False)

    def forward(self, n):
        """(batch,) → (batch, features)."""
        phase = n.float()[:, None] * self.rates
        return torch.cat([phase.cos(), phase.sin()], -1)


def unet(path, steps):
    """The network of a file, for integer steps n < `steps` and labels."""
    with safetensors.safe_open(path, "numpy") as file:
        config = json.loads(file.metadata()["network"])["config"]
        arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    model = _empty(config, steps)
    _fill(model, arrays, config["blocks"], len(config["widths"]))
    assert not arrays, sorted(arrays)
    return model


def _empty(config, steps):
    widths, heads, e = config["widths"], config["attention"], config["embedding"]
    head_dim = next(w // h for w, h in zip(widths, heads, strict=True) if h)
    model = UNet2DModel(
        sample_size=config["shape"][0],
        in_channels=config["shape"][-1],
        out_channels=config["outputs"],
        time_embedding_dim=e,
        block_out_channels=tuple(widths),
        layers_per_block=config["blocks"],
        down_block_types=tuple("AttnDownBlock2D" if h else "DownBlock2D" for h in heads),
        up_block_types=tuple("AttnUpBlock2D" if h else "UpBlock2D" for h in heads[::-1]),
        attention_head_dim=head_dim,
        norm_num_groups=config["groups"],
        attn_norm_num_groups=config["groups"],
        norm_eps=1e-5,
        resnet_time_scale_shift="scale_shift",
        num_class_embeds=config["labels"] + 1,
    )
    model.time_proj = Waves(e, *config["waves"], steps)
    model.time_embedding.linear_1 = torch.nn.Linear(e, e)
    return model


def _fill(model, arrays, blocks, levels):
    def put(module, name, weight="kernel", bias="bias"):
        value = torch.from_numpy(np.ascontiguousarray(arrays.pop(f"{name}/{weight}").T))
        if value.ndim == 4:  # (out, in, x, y)
            value = value.transpose(2, 3)
        assert module.weight.shape == value.shape, name
        with torch.no_grad():
            module.weight.copy_(value)
            module.bias.copy_(torch.from_numpy(arrays.pop(f"{name}/{bias}")))

    def norm(module, name):
        put(module, name, "gamma", "beta")

    def residual(module, name):
        for mine, theirs in (("norm1", "norm_1"), ("norm2", "norm_2")):
            norm(getattr(module, mine), f"{name}/{theirs}")
        for mine, theirs in (("conv1", "conv_1"), ("conv2", "conv_2"), ("time_emb_proj", "shift")):
            put(getattr(module, mine), f"{name}/{theirs}")
        if module.conv_shortcut is not None:
            put(module.conv_shortcut, f"{name}/straight")

    def look(module, name):
        norm(module.group_norm, f"{name}_look/norm")
        mine = (module.to_q, module.to_k, module.to_v, module.to_out[0])
        for layer, theirs in zip(mine, ("query", "key", "value", "out"), strict=True):
            put(layer, f"{name}_look/inside/{theirs}")

    def row(block, name, n):
        for j in range(n):
            residual(block.resnets[j], f"{name}_{j}")
            if hasattr(block, "attentions"):
                look(block.attentions[j], f"{name}_{j}")

    put(model.conv_in, "stem")
    put(model.time_embedding.linear_1, "level_1")
    put(model.time_embedding.linear_2, "level_2")
    with torch.no_grad():
        model.class_embedding.weight.copy_(torch.from_numpy(arrays.pop("classes/embeddings")))
    for i in range(levels):
        row(model.down_blocks[i], f"down_{i}", blocks)
        row(model.up_blocks[i], f"up_{levels - 1 - i}", blocks + 1)
        if i < levels - 1:
            put(model.down_blocks[i].downsamplers[0].conv, f"halve_{i}")
            put(model.up_blocks[i].upsamplers[0].conv, f"double_{levels - 1 - i}")
    residual(model.mid_block.resnets[0], "middle_0")
    look(model.mid_block.attentions[0], "middle_0")
    residual(model.mid_block.resnets[1], "middle_1")
    norm(model.conv_norm_out, "norm")
    put(model.conv_out, "out")
