"""A4: what `solve` costs beside its kernel: time per step and per call, memory, first call, import.

* kernel: the same steps in a bare compiled `tf.while_loop`, at 512²; `solve` should cost at most 5 % more.
* call: seconds of a `solve` of one step, compiled before: what a short run costs.
* memory: peak resident memory of an explicit run at 2048² above that before y0 existed, in units of one
  state; at most 4. `warm` is a second run, without the compiler's own memory; `cold` the first.
* first: seconds of the first `solve` of a process, tracing and compiling included; at most 2 per stepper.
* import: seconds of `import diffsim` after `import tensorflow`; at most 0.3.
"""

import ctypes
import gc
import time
from pathlib import Path

import numpy as np

from harness import compare, steps_for, timed

STEPPERS = (
    "Euler",
    "Heun",
    "RK4",
    "Tsit5",
    "RKL2",
    "ImplicitEuler",
    "CrankNicolson",
    "TRBDF2",
    "IMEX",
    "ETD1",
    "ETDRK2",
    "ETDRK4",
    "ETDAB2",
    "EulerMaruyama",
)
MEDIA = ("constant D", "D(x)")


def law_on(shape, medium="constant D", drift=None, noise=None):
    """The heat equation on unit cells between no-flux walls."""
    import diffsim as ds

    grid = ds.Grid(shape=shape, size=tuple(float(n) for n in shape))
    wave = np.sin(np.linspace(0, 6, shape[0]))[:, None] * np.cos(np.linspace(0, 5, shape[1]))
    field = 10 ** (0.5 * wave)
    D = 1.0 if medium == "constant D" else field / field.max()
    return ds.Equation(linear=ds.Diffusion(grid, ds.Neumann(), D), drift=drift, diffusion=noise)


def kernel(n, dtype, medium):
    """Time per step of `solve` and of the bare loop, in turns, Euler's method."""
    import tensorflow as tf

    import diffsim as ds

    law, u, h = law_on((n, n), medium), tf.random.stateless_uniform([n, n], [1, 2], dtype=dtype), 0.1

    @tf.function(jit_compile=True, autograph=False)
    def bare(u, steps):
        operator = law.linear.prepare(u)
        step = tf.constant(h, u.dtype)

        def body(i, u):
            return i + 1, u + step * operator(tf.cast(i, tf.float64), u)

        return tf.while_loop(lambda i, u: i < steps, body, [tf.constant(0), u])[1]

    def by_hand(steps):
        bare(u, tf.constant(steps))[0].numpy()

    def by_solve(steps):
        ds.solve(law, u, t=(0, steps * h), dt=h, stepper=ds.Euler(), progress=False).final[0].numpy()

    first = timed(lambda: by_solve(1), 20)
    steps = steps_for(by_hand, 1.0)
    pairs = [
        (timed(lambda: by_solve(steps), 1)["median_s"], timed(lambda: by_hand(steps), 1)["median_s"])
        for _ in range(5)
    ]
    ratio = float(np.median([a / b for a, b in pairs]))
    ours, theirs = (float(np.median(column)) / steps for column in zip(*pairs, strict=True))
    return {
        "solve_us_per_step": ours * 1e6,
        "bare_us_per_step": theirs * 1e6,
        "ratio": ratio,
        "ratios": [a / b for a, b in pairs],
        "one_step_call_ms": first["median_s"] * 1e3,
        "steps": steps,
    }


def memory(n, dtype, medium, stepper):
    """Peak memory of a run of 600 steps, in states, y0 included."""
    import tensorflow as tf

    import diffsim as ds

    def run(n, steps):
        law, before = law_on((n, n), medium), resident()
        u = tf.random.stateless_uniform([n, n], [1, 2], dtype=dtype)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        ds.solve(law, u, t=(0, steps * 0.05), dt=0.05, stepper=getattr(ds, stepper)(), progress=False)
        return resident("VmHWM") - before

    run(64, 600)
    tidy()
    cold = run(n, 600)
    tidy()
    warm = run(n, 600)
    state = n * n * tf.as_dtype(dtype).size
    return {"warm_states": warm / state, "cold_states": cold / state, "state_MiB": state / 2**20}


def resident(what="VmRSS"):
    """Bytes, from the kernel's books."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024


def tidy():
    """Give free memory back to the system."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def first(n, dtype, medium, stepper):
    """The first solve of a process, and the second."""
    import tensorflow as tf

    import diffsim as ds

    u = tf.random.stateless_uniform([n, n], [1, 2], dtype=dtype)
    nonlinear = stepper in ("IMEX", "ETDRK2", "ETDRK4", "ETDAB2")
    law = law_on(
        (n, n),
        medium,
        (lambda t, u: u * (1 - u)) if nonlinear else None,
        0.1 if stepper == "EulerMaruyama" else None,
    )
    key = ds.key(1) if stepper == "EulerMaruyama" else None

    def run():
        return ds.solve(law, u, t=(0, 1.0), dt=0.1, stepper=getattr(ds, stepper)(), key=key, progress=False)

    times = timed(run, 2)
    return {"first_s": times["first_call_s"], "later_s": times["median_s"]}


def imported():
    """Seconds of both imports."""
    began = time.perf_counter()
    import tensorflow  # noqa: F401

    between = time.perf_counter()
    import diffsim  # noqa: F401

    return {"tensorflow_s": between - began, "diffsim_s": time.perf_counter() - between}


MEASURES = {"kernel": kernel, "memory": memory, "first": first, "import": imported}


def measure(tool, trial=0, **case):
    """One kind of cost."""
    return MEASURES[tool](**case)


def cases(fast):
    """Kinds of cost × precisions × media × steppers."""
    n, big = (128, 512) if fast else (512, 2048)
    types = ("float32",) if fast else ("float32", "float64")
    steppers = ("Euler", "ETD1", "TRBDF2") if fast else STEPPERS
    own = [{"tool": "kernel", "n": n, "dtype": t, "medium": m} for t in types for m in MEDIA]
    own += [
        {"tool": "memory", "n": big, "dtype": t, "medium": m, "stepper": s}
        for t in types
        for m in MEDIA
        for s in ("Euler", "RKL2", "Tsit5")[: 1 if fast else 3]
    ]
    own += [
        {"tool": "first", "n": n // 2, "dtype": "float64", "medium": m, "stepper": s}
        for m in MEDIA
        for s in steppers
        if m == "constant D" or not s.startswith("ETD")
    ]
    return own + [{"tool": "import", "trial": i} for i in range(2 if fast else 5)]


def line(r):
    """What to print for a result."""
    return "  ".join(
        f"{k} {r[k]:.3g}"
        for k in (
            "solve_us_per_step",
            "ratio",
            "one_step_call_ms",
            "warm_states",
            "cold_states",
            "first_s",
            "later_s",
            "diffsim_s",
        )
        if k in r
    )


def main():
    """Measure and compare with the targets."""
    found = [r for r in compare(__file__, measure, cases, line) if "error" not in r]
    for name, limit in (("ratio", 1.05), ("warm_states", 4), ("first_s", 2), ("diffsim_s", 0.3)):
        values = [r[name] for r in found if name in r]
        if values:
            print(f"{name}: median {np.median(values):.3g}, worst {max(values):.3g}, target ≤ {limit}")


if __name__ == "__main__":
    main()
