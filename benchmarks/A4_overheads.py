"""A4: what `solve` costs beside its kernel: time per step and per call, memory, first call, import.

* kernel: time per step of a run of about a second at 512², over the time that each further step takes, which
  is the compiled kernel alone (at most 1.05), and over that of a plain compiled `tf.while_loop`.
* call: seconds of a `solve` of one step, compiled before: what a short run costs.
* memory: by how many states the peak resident memory of an explicit run grows with the state, y0 included,
  from runs at 2048² and 4096² in processes of their own, so that the compiler's part drops out; at most 4.
* first: seconds of the first `solve` of a process, tracing and compiling included; at most 2 per stepper.
* import: seconds of `import diffsim` after `import tensorflow`; at most 0.3.
"""

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
    """Time per step of `solve`, of its kernel and of a loop written by hand, in turns, Euler's method."""
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

    call = timed(lambda: by_solve(1), 20)["median_s"]
    steps = steps_for(by_hand, 0.5)
    by_solve(3 * steps)
    rows = []
    for _ in range(5):
        short, long = (timed(lambda n=n: by_solve(n), 1)["median_s"] for n in (steps, 3 * steps))
        rows.append(
            (
                long / (3 * steps),
                (long - short) / (2 * steps),
                timed(lambda: by_hand(steps), 1)["median_s"] / steps,
            )
        )
    ours, kernel, hand = (float(np.median(column)) for column in zip(*rows, strict=True))
    return {
        "solve_us_per_step": ours * 1e6,
        "kernel_us_per_step": kernel * 1e6,
        "by_hand_us_per_step": hand * 1e6,
        "over_kernel": ours / kernel,
        "over_by_hand": float(np.median([r[0] / r[2] for r in rows])),
        "one_step_call_ms": call * 1e3,
        "steps": 3 * steps,
    }


def memory(n, dtype, medium, stepper):
    """Peak memory of a first run of 260 steps (two calls of the program), y0 included."""
    import tensorflow as tf

    import diffsim as ds

    def run(n):
        law = law_on((n, n), medium)
        u = tf.random.stateless_uniform([n, n], [1, 2], dtype=dtype)
        before = resident() - (u.shape.num_elements() * u.dtype.size if n > 64 else 0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        ds.solve(law, u, t=(0, 13.0), dt=0.05, stepper=getattr(ds, stepper)(), progress=False)
        return resident("VmHWM") - before

    run(64)
    return {"peak_MiB": run(n) / 2**20, "state_MiB": n * n * tf.as_dtype(dtype).size / 2**20}


def resident(what="VmRSS"):
    """Bytes, from the kernel's books."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024


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
    n, sizes = (128, (512, 1024)) if fast else (512, (2048, 4096))
    types = ("float32",) if fast else ("float32", "float64")
    steppers = ("Euler", "ETD1", "TRBDF2") if fast else STEPPERS
    own = [{"tool": "kernel", "n": n, "dtype": t, "medium": m} for t in types for m in MEDIA]
    own += [
        {"tool": "memory", "stepper": s, "dtype": t, "medium": m, "n": size}
        for s in ("Euler", "RKL2", "Tsit5")[: 1 if fast else 3]
        for t in types
        for m in MEDIA
        for size in sizes
    ]
    own += [
        {"tool": "first", "n": n // 2, "dtype": "float64", "medium": m, "stepper": s}
        for m in MEDIA
        for s in steppers
        if m == "constant D" or not s.startswith("ETD")
    ]
    return own + [{"tool": "import", "trial": i} for i in range(2 if fast else 5)]


PRINTED = (
    "solve_us_per_step",
    "over_kernel",
    "over_by_hand",
    "one_step_call_ms",
    "peak_MiB",
    "first_s",
    "later_s",
    "diffsim_s",
)


def line(r):
    """What to print for a result."""
    return "  ".join(f"{k} {r[k]:.3g}" for k in PRINTED if k in r)


def states(found):
    """Peak memory in states, from the two sizes of each case."""
    runs = {}
    for r in found:
        if r["tool"] == "memory":
            case = r["stepper"], r["dtype"], r["medium"]
            runs.setdefault(case, []).append((r["state_MiB"], r["peak_MiB"]))
    pairs = {case: sorted(both) for case, both in runs.items() if len(both) == 2}
    return {case: (b[1] - a[1]) / (b[0] - a[0]) for case, (a, b) in pairs.items()}


def main():
    """Measure and compare with the targets."""
    found = [r for r in compare(__file__, measure, cases, line) if "error" not in r]
    for case, number in states(found).items():
        print(*case, f"peak memory: {number:.2f} states, target ≤ 4")
    for name, limit in (("over_kernel", 1.05), ("over_by_hand", 1.05), ("first_s", 2), ("diffsim_s", 0.3)):
        values = [r[name] for r in found if name in r]
        if values:
            print(f"{name}: median {np.median(values):.3g}, worst {max(values):.3g}, target ≤ {limit}")


if __name__ == "__main__":
    main()
