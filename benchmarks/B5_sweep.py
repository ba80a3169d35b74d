"""B5: a sweep of 256 Gray–Scott runs of 128² in one call against 256 times one run, explicit Euler, periodic.

Every run has an F and a k of its own. `ratio` is time of the sweep / (256 × time of a single run), per step, through
`solve`; sixteen runs are taken for comparison.
"""

import numpy as np

from harness import compare, steps_for, timed

SHAPE, RUNS, SECONDS = (128, 128), (1, 16, 256), 1.0


def measure(tool, runs, dtype):
    """Microseconds for a step of one run."""
    import tensorflow as tf

    import diffsim as ds

    draw = np.random.default_rng(1)
    lead = () if runs == 1 else (runs,)
    F, k = (draw.uniform(low, high, (*lead, 1, 1) if lead else ()) for low, high in ((0.03, 0.04), (0.057, 0.063)))
    law = ds.models.GrayScott(F if lead else float(F), k if lead else float(k), 0.1, 0.05).on(
        ds.Grid(SHAPE, tuple(float(n) for n in SHAPE)), ds.Periodic()
    )
    y = tuple(tf.constant(low + 0.2 * draw.random((*lead, *SHAPE)), dtype) for low in (0.4, 0.2))

    def run(steps):
        final = ds.solve(law, y, t=(0.0, float(steps)), dt=1.0, stepper=ds.Euler(), progress=False).final
        return final[0].numpy()

    steps = steps_for(run, SECONDS, least=32)
    times = timed(lambda: run(steps))
    each = times["median_s"] / steps / runs
    return {
        "us_per_step_and_run": round(each * 1e6, 3),
        "million_updates_per_s": round(np.prod(SHAPE) / each / 1e6, 1),
        "steps": steps,
        **times,
    }


def cases(fast):
    """Numbers of runs × precisions."""
    return [
        {"tool": "diffsim", "runs": runs, "dtype": dtype}
        for dtype in ("float32", "float64")
        for runs in (RUNS[:2] if fast else RUNS)
    ]


def main():
    """Measure, and print ratios."""
    found = compare(
        __file__, measure, cases, lambda r: f"{r['us_per_step_and_run']:.2f} µs per step and run, others {r['others']}"
    )
    us = {(r["dtype"], r["runs"]): r["us_per_step_and_run"] for r in found if "us_per_step_and_run" in r}
    for dtype, runs in us:
        if (dtype, 1) in us and runs > 1:
            print(dtype, runs, f"runs: {us[dtype, runs] / us[dtype, 1]:.2f} of as many single ones")


if __name__ == "__main__":
    main()
