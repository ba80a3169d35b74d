"""A0: random numbers, 10⁶ × 3 per step, consumed in a compiled loop; beside TensorFlow's own and NumPy's.

Run `python benchmarks/A0_random_numbers.py`: it prints one JSON object, rates in million numbers per second.
"""

import json
import os
import platform
import time

import numpy as np
import tensorflow as tf

from diffsim import random

SHAPE, STEPS, REPEATS = (10**6, 3), 10, 3


def rate(run):
    """The median rate, and the seconds of the first call (tracing and compiling)."""
    start = time.perf_counter()
    run()
    first, seconds = time.perf_counter() - start, []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    numbers = STEPS * np.prod(SHAPE)
    return {
        "million_per_s": round(float(numbers / np.median(seconds)) / 1e6, 1),
        "first_call_s": round(first, 2),
    }


def loop(draw, dtype, jit):
    """A run of x ← x + draw(step), as a particle simulator does it."""

    @tf.function(jit_compile=jit, autograph=False)
    def walk(key, x):
        def body(n, x):
            return n + 1, x + draw(key, n)

        return tf.while_loop(lambda n, x: n < STEPS, body, [0, x])[1]

    key, x = random.key(1), tf.zeros(SHAPE, dtype)
    return lambda: walk(key, x)[0].numpy()


def keyed(sample, dtype):
    """A sampler of diffsim at step n."""
    return lambda key, n: sample(key, SHAPE, dtype, step=n)


def tensorflow_normal(algorithm, dtype):
    """`tf.random.stateless_normal`, seeded by the step."""

    def draw(key, n):
        seed = tf.stack([tf.bitcast(key[0], tf.int32), n])
        return tf.random.stateless_normal(SHAPE, seed, dtype=dtype, alg=algorithm)

    return draw


def numpy_normal(dtype):
    """NumPy's ziggurat on one core."""
    generator, x = np.random.default_rng(1), np.zeros(SHAPE, dtype)

    def run():
        for _ in range(STEPS):
            np.add(x, generator.standard_normal(SHAPE, dtype), out=x)

    return run


def main():
    """Measure all of them."""
    rates = {}
    for dtype in (tf.float32, tf.float64):
        uniform, normal = keyed(random.uniform, dtype), keyed(random.normal, dtype)
        rates[f"diffsim uniform, {dtype.name}, compiled"] = rate(loop(uniform, dtype, True))
        rates[f"diffsim normal, {dtype.name}, compiled"] = rate(loop(normal, dtype, True))
        rates[f"diffsim normal, {dtype.name}, graph"] = rate(loop(normal, dtype, False))
        for algorithm in ("auto_select", "philox", "threefry"):
            own = tensorflow_normal(algorithm, dtype)
            rates[f"tf stateless_normal {algorithm}, {dtype.name}, compiled"] = rate(loop(own, dtype, True))
        own = tensorflow_normal("auto_select", dtype)
        rates[f"tf stateless_normal, {dtype.name}, graph"] = rate(loop(own, dtype, False))
        rates[f"numpy standard_normal, {dtype.name}, one core"] = rate(numpy_normal(dtype.as_numpy_dtype))
    device = [d.name for d in tf.config.list_logical_devices()]
    versions = {"python": platform.python_version(), "tensorflow": tf.__version__, "numpy": np.__version__}
    about = {"shape": SHAPE, "steps": STEPS, "device": device, "cores": os.cpu_count(), "versions": versions}
    print(json.dumps({**about, "rates": rates}, indent=1))


if __name__ == "__main__":
    main()
