"""A1: explicit heat equation, five and seven points, periodic, in million cell updates per second.

uᵢ ← uᵢ + r Σ (uⱼ − uᵢ) over the 2d neighbours, r = DΔt/Δx² = 0.1. diffsim runs through `solve`, beside
Devito (generated C with OpenMP, tuned blocks), py-pde (numba) and NumPy slices; each in its own process.
Every tool takes the same steps from the same state, and its result is compared with NumPy's in float64.
"""

import os
import time

import numpy as np

from harness import compare, steps_for, timed

RATIO, SECONDS, CHECKED = 0.1, 0.6, 40
SHAPES = ((512, 512), (2048, 2048), (128, 128, 128), (256, 256, 256))


def start(shape, dtype):
    """A random state, the same for all tools."""
    return np.random.default_rng(1).random(shape).astype(dtype)


def numpy_steps(shape, dtype):
    """run(n) with NumPy: a padded array, updated through slices without temporaries beyond two."""
    d, u = len(shape), start(shape, dtype)
    padded, work = np.pad(u, 1, mode="wrap"), np.empty_like(u)
    r = u.dtype.type(RATIO)
    centre = (slice(1, -1),) * d

    def shifted(axis, window):
        return tuple(window if a == axis else slice(1, -1) for a in range(d))

    def run(steps):
        padded[centre] = u
        for _ in range(steps):
            for a in range(d):
                np.moveaxis(padded, a, 0)[0] = np.moveaxis(padded, a, 0)[-2]
                np.moveaxis(padded, a, 0)[-1] = np.moveaxis(padded, a, 0)[1]
            np.multiply(padded[centre], -2 * d, out=work)
            for a in range(d):
                work[...] += padded[shifted(a, slice(0, -2))]
                work[...] += padded[shifted(a, slice(2, None))]
            np.multiply(work, r, out=work)
            padded[centre] += work
        return padded[centre]

    return run


def diffsim_steps(shape, dtype):
    """run(n) with `solve`."""
    import tensorflow as tf

    import diffsim as ds

    grid = ds.Grid(shape=shape, size=tuple(float(n) for n in shape))
    law = ds.Equation(linear=ds.Diffusion(grid, ds.Periodic(), 1.0))
    u = tf.constant(start(shape, dtype))

    def run(steps):
        final = ds.solve(law, u, t=(0, steps * RATIO), dt=RATIO, stepper=ds.Euler(), progress=False).final
        return final.numpy()

    return run


def devito_steps(shape, dtype):
    """run(n) with Devito; ghost cells are copied after each step, block sizes are tuned beforehand."""
    os.environ |= {
        "DEVITO_LANGUAGE": "openmp",
        "DEVITO_ARCH": "gcc",
        "DEVITO_LOGGING": "ERROR",
        "OMP_PROC_BIND": "true",
    }
    import devito

    grid = devito.Grid(shape=shape, extent=[n - 1.0 for n in shape], dtype=np.dtype(dtype).type)
    u = devito.TimeFunction(name="u", grid=grid, space_order=2, time_order=1)
    later = grid.stepping_dim + 1
    rules = [devito.Eq(u.forward, u + RATIO * u.laplace)]
    for axis, n in enumerate(shape):

        def at(i, axis=axis):
            return u[[later, *(i if a == axis else x for a, x in enumerate(grid.dimensions))]]

        rules += [devito.Eq(at(-1), at(n - 1)), devito.Eq(at(n), at(0))]
    advance = devito.Operator(rules)
    first = start(shape, dtype)
    u.data[:] = first
    advance.apply(time_m=0, time_M=30, autotune="aggressive")
    tuned = getattr(advance, "_state", {}).get("autotuning", [])
    blocks = dict(tuned[-1]["tuned"]) if tuned and "tuned" in tuned[-1] else {}

    def run(steps):
        return np.asarray(u.data[advance.apply(time_m=0, time_M=steps - 1, **blocks) and steps % 2])

    def from_start(steps):
        u.data_with_halo[:] = np.pad(first, u.data_with_halo.shape[1] // 2 - shape[0] // 2, mode="wrap")[None]
        return run(steps)

    run.from_start = from_start
    return run


def pypde_steps(shape, dtype):
    """run(n) with py-pde's explicit solver, compiled by numba (double precision only)."""
    import pde

    grid = pde.CartesianGrid([(0, n) for n in shape], shape, periodic=True)
    first = pde.ScalarField(grid, start(shape, dtype))
    solver = pde.ExplicitSolver(pde.DiffusionPDE(1.0), backend="numba")
    stepper = solver.make_stepper(first, dt=RATIO)

    def run(steps):
        state = first.copy()
        stepper(state, 0, steps * RATIO)
        return state.data

    return run


TOOLS = {"diffsim": diffsim_steps, "Devito": devito_steps, "py-pde": pypde_steps, "NumPy": numpy_steps}


def measure(tool, shape, dtype):
    """One tool on one grid: rate, first call, and the largest difference from NumPy in float64."""
    began = time.perf_counter()
    run = TOOLS[tool](tuple(shape), dtype)
    ready = time.perf_counter() - began
    began = time.perf_counter()
    checked = np.array(getattr(run, "from_start", run)(CHECKED))
    first = time.perf_counter() - began
    steps = steps_for(run, SECONDS, least=4)
    times = timed(lambda: run(steps))
    error = float(np.abs(checked - numpy_steps(tuple(shape), "float64")(CHECKED)).max())
    rate = np.prod(shape) * steps / times["median_s"] / 1e6
    return {
        "million_updates_per_s": round(float(rate), 1),
        "steps": steps,
        "prepare_s": ready,
        **times,
        "first_call_s": first,
        "difference": error,
    }


def cases(fast):
    """Tools × grids × precisions."""
    shapes = ((256, 256), (48, 48, 48)) if fast else SHAPES
    return [
        {"tool": tool, "shape": list(shape), "dtype": dtype}
        for shape in shapes
        for dtype in ("float32", "float64")
        for tool in TOOLS
        if (tool, dtype) != ("py-pde", "float32")
    ]


def main():
    """Measure, and print the table with ratios to diffsim."""
    found = compare(
        __file__,
        measure,
        cases,
        lambda r: (
            f"{r['million_updates_per_s']:,.0f} M/s (first {r['first_call_s']:.2f} s, "
            f"off by {r['difference']:.1e})"
        ),
    )
    rates = {
        (tuple(r["shape"]), r["dtype"], r["tool"]): r["million_updates_per_s"]
        for r in found
        if "million_updates_per_s" in r
    }
    for shape, dtype in dict.fromkeys(k[:2] for k in rates):
        own = rates.get((shape, dtype, "diffsim"))
        row = []
        for tool in TOOLS:
            if rate := rates.get((shape, dtype, tool)):
                row.append(f"{tool} {rate:,.0f}" + (f" ({own / rate:.2f}×)" if own else ""))
        print("×".join(map(str, shape)), dtype, " | ".join(row))


if __name__ == "__main__":
    main()
