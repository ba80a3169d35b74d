"""Train the two networks of 67_bits_per_dimension.py on two cores in minutes; checkpoints go to ./bits_*.h5."""

import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

FILES = (Path(__file__).with_name(f"{name}.py") for name in ("67_bits_per_dimension", "digits_parts"))
BITS, REAL = (runpy.run_path(str(file)) for file in FILES)


def main(steps=4000, batch=64):
    """One learns noise and variance, the other noise alone, all else alike; weights are kept in half precision."""
    T, losses = gen.training, {}
    (images, _), *_ = REAL["digits"]()
    for name, loss, levels in (
        ("learned", T.Hybrid(bins=BITS["LEVELS"]), T.Importance()),
        ("plain", T.Matching(T.Epsilon()), T.Steps()),
    ):
        network = gen.nets.UNet((8, 8, 1), (16, 32), (0, 4), outputs=loss.channels, waves=(10.0, 1000.0))
        trained = gen.fit(network, images, BITS["SCHEDULE"], loss=loss, levels=levels, steps=steps, batch=batch,
                          key=ds.key(0), every=250, checkpoint=f"bits_{name}.h5", progress=True)
        gen.training.save(BITS["weights"](name), trained.average, BITS["SCHEDULE"], np.float16, predicts="epsilon")
        losses[name] = trained.losses[-1]
    return losses


if __name__ == "__main__":
    print(main())
