"""Train the network of 61_digits.py on two cores in minutes; its checkpoints go to ./digits_*.h5."""

import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

DIGITS = runpy.run_path(str(Path(__file__).with_name("61_digits.py")))


def main(rounds=(2500, 2500)):
    """Train, the rate falling to 0 in each round, and write the mean of the weights in half precision."""
    (images, labels), _ = DIGITS["digits"]()
    network = gen.nets.UNet((8, 8, 1), widths=(16, 32), attention=(0, 4), labels=10)
    for i, steps in enumerate(rounds):
        trained = gen.fit(network, images, DIGITS["SCHEDULE"], labels=labels, steps=steps, batch=48, key=ds.key(i),
                          every=500, checkpoint=f"digits_{i}.h5", progress=True)
        network = trained.average
        network.trainable = True
    gen.training.save(DIGITS["WEIGHTS"], network, DIGITS["SCHEDULE"], np.float16, predicts="v")
    return {"loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
