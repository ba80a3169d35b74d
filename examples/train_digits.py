"""Train the network of 61_digits.py on two cores in minutes; its checkpoint goes to ./digits.h5."""

import runpy
from pathlib import Path

import numpy as np

import diffsim as ds
from diffsim import generative as gen

FILES = (Path(__file__).with_name(f"{name}.py") for name in ("61_digits", "digits_parts"))
DIGITS, REAL = (runpy.run_path(str(file)) for file in FILES)


def main(steps=2500):
    """Train, and write the mean of the weights in half precision."""
    (images, labels), *_ = REAL["digits"]()
    network = gen.nets.UNet((8, 8, 1), widths=(16, 32), attention=(0, 4), labels=10)
    trained = gen.fit(network, images, DIGITS["SCHEDULE"], labels=labels, steps=steps, batch=48, key=ds.key(0),
                      every=500, checkpoint="digits.h5", progress=True)
    gen.training.save(DIGITS["WEIGHTS"], trained.average, DIGITS["SCHEDULE"], np.float16, predicts="v")
    return {"loss": trained.losses[-1]}


if __name__ == "__main__":
    print(main())
