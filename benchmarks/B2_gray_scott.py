"""B2: Gray–Scott, explicit Euler, five and seven points, periodic, in million cell updates per second.

One update is a step of both species in one cell. diffsim runs through `solve`, beside Devito (generated C with OpenMP,
tuned blocks), hand-written C with OpenMP (gray_scott.c), JAX (roll, fori_loop) and py-pde (numba), each in a process
of its own; each takes the same steps from the same state, and its result is held against NumPy's in float64. Laws from
`from_rates` and `parse`, and other models, run beside the built-in one: they take the same path.
"""

import ctypes
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from harness import HERE, compare, steps_for, timed

F, K, DU, DV = 0.037, 0.06, 0.1, 0.05
SECONDS, CHECKED = 1.2, 40
SHAPES = ((512, 512), (2048, 2048), (128, 128, 128))
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")


def start(shape, dtype, scale=(0.4, 0.2)):
    """(u, v), random, the same for all tools, far from 0: no tool meets denormal numbers."""
    draw = np.random.default_rng(1)
    return tuple((low + 0.2 * draw.random(shape)).astype(dtype) for low in scale)


def numpy_steps(shape, dtype):
    """run(n) with NumPy."""
    u0, v0 = start(shape, dtype)

    def laplacian(a):
        return sum(np.roll(a, s, i) for i in range(a.ndim) for s in (1, -1)) - 2 * a.ndim * a

    def run(steps):
        u, v = u0, v0
        for _ in range(steps):
            made = u * v * v
            u, v = u + DU * laplacian(u) + F * (1 - u) - made, v + DV * laplacian(v) + made - (F + K) * v
        return u, v

    return run


def diffsim_model(law):
    """The law by name."""
    from diffsim import models

    if law == "from_rates":
        return models.from_rates(
            lambda u, v, F, k: (F * (1 - u) - u * v * v, u * v * v - (F + k) * v), (DU, DV), parameters={"F": F, "k": K}
        )
    if law == "parse":
        return models.parse(
            "u' = Du*lap(u) - u*v**2 + F*(1 - u)", "v' = Dv*lap(v) + u*v**2 - (F + k)*v", F=F, k=K, Du=DU, Dv=DV
        )
    return {
        "GrayScott": lambda: models.GrayScott(F, K, DU, DV),
        "Schnakenberg": lambda: models.Schnakenberg(0.1, 0.9, 0.05, 1.0),
        "FitzHughNagumo": lambda: models.FitzHughNagumo(a=0.7, b=0.8, eps=0.08),
        "Brusselator": lambda: models.Brusselator(1.0, 1.7, 0.5, 1.0),
    }[law]()


def diffsim_steps(shape, dtype, law="GrayScott"):
    """run(n) with `solve`."""
    import tensorflow as tf

    import diffsim as ds

    equation = diffsim_model(law).on(ds.Grid(shape, tuple(float(n) for n in shape)), ds.Periodic())
    y = tuple(tf.constant(a) for a in start(shape, dtype))
    dt = 1.0 if law in ("GrayScott", "from_rates", "parse") else 0.05

    def run(steps):
        final = ds.solve(equation, y, t=(0, steps * dt), dt=dt, stepper=ds.Euler(), progress=False).final
        return tuple(a.numpy() for a in final)

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
    u, v = (devito.TimeFunction(name=n, grid=grid, space_order=2, time_order=1) for n in "uv")
    made = u * v * v
    rules = [
        devito.Eq(u.forward, u + DU * u.laplace + F * (1 - u) - made),
        devito.Eq(v.forward, v + DV * v.laplace + made - (F + K) * v),
    ]
    later = grid.stepping_dim + 1
    for axis, n in enumerate(shape):
        for w in (u, v):

            def at(i, w=w, axis=axis):
                return w[[later, *(i if a == axis else x for a, x in enumerate(grid.dimensions))]]

            rules += [devito.Eq(at(-1), at(n - 1)), devito.Eq(at(n), at(0))]
    advance = devito.Operator(rules)
    first = start(shape, dtype)

    def reset():
        for w, a in zip((u, v), first, strict=True):
            w.data_with_halo[:] = np.pad(a, w.data_with_halo.shape[1] // 2 - shape[0] // 2, mode="wrap")[None]

    reset()
    advance.apply(time_m=0, time_M=30, autotune="aggressive")
    tuned = getattr(advance, "_state", {}).get("autotuning", [])
    blocks = dict(tuned[-1]["tuned"]) if tuned and "tuned" in tuned[-1] else {}

    def run(steps):
        reset()
        advance.apply(time_m=0, time_M=steps - 1, **blocks)
        return tuple(np.asarray(w.data[steps % 2]) for w in (u, v))

    return run


def c_steps(shape, dtype):
    """run(n) with gray_scott.c, compiled in a temporary folder."""
    real = {"float32": ("float", ctypes.c_float), "float64": ("double", ctypes.c_double)}[dtype]
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "gray_scott.so"
        subprocess.run(["gcc", *FLAGS, f"-DREAL={real[0]}", str(HERE / "gray_scott.c"), "-o", str(built)], check=True)
        library = ctypes.CDLL(str(built))
    first, sizes = start(shape, dtype), [ctypes.c_long(n) for n in (1, *shape)[-3:]]
    numbers = [real[1](a) for a in (DU, DV, F, K, 1.0)]

    def run(steps):
        u, v = (a.copy() for a in first)
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (u, v)]
        library.gray_scott(*pointers, *sizes, *numbers, ctypes.c_long(steps))
        return u, v

    return run


def jax_steps(shape, dtype):
    """run(n) with JAX, as it is usually written."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    y = tuple(jnp.asarray(a) for a in start(shape, dtype))

    def laplacian(a):
        return sum(jnp.roll(a, s, i) for i in range(a.ndim) for s in (1, -1)) - 2 * a.ndim * a

    def step(_, y):
        u, v = y
        made = u * v * v
        return u + DU * laplacian(u) + F * (1 - u) - made, v + DV * laplacian(v) + made - (F + K) * v

    advance = jax.jit(lambda y, n: jax.lax.fori_loop(0, n, step, y))
    return lambda steps: tuple(np.asarray(a) for a in advance(y, steps))


def pypde_steps(shape, dtype):
    """run(n) with py-pde's explicit solver, compiled by numba (double precision only)."""
    import pde

    grid = pde.CartesianGrid([(0, n) for n in shape], shape, periodic=True)
    first = pde.FieldCollection([pde.ScalarField(grid, a) for a in start(shape, dtype)])
    rules = {
        "u": f"{DU} * laplace(u) - u * v * v + {F} * (1 - u)",
        "v": f"{DV} * laplace(v) + u * v * v - {F + K} * v",
    }
    stepper = pde.ExplicitSolver(pde.PDE(rules), backend="numba").make_stepper(first, dt=1.0)

    def run(steps):
        state = first.copy()
        stepper(state, 0, float(steps))
        return tuple(state.data)

    return run


TOOLS = {"diffsim": diffsim_steps, "Devito": devito_steps, "C": c_steps, "JAX": jax_steps, "py-pde": pypde_steps}
LAWS = ("GrayScott", "from_rates", "parse", "Schnakenberg", "FitzHughNagumo", "Brusselator")


def measure(tool, shape, dtype, law):
    """One tool on one grid: rate, first call, and the largest difference from NumPy in float64."""
    shape = tuple(shape)
    began = time.perf_counter()
    run = diffsim_steps(shape, dtype, law) if tool == "diffsim" else TOOLS[tool](shape, dtype)
    ready = time.perf_counter() - began
    began = time.perf_counter()
    checked = [np.array(a) for a in run(CHECKED)]
    first = time.perf_counter() - began
    steps = steps_for(run, SECONDS, least=4)
    times = timed(lambda: run(steps))
    same = law in ("GrayScott", "from_rates", "parse")
    exact = numpy_steps(shape, "float64")(CHECKED) if same else checked
    error = max(float(np.abs(a - b).max()) for a, b in zip(checked, exact, strict=True))
    return {
        "million_updates_per_s": round(float(np.prod(shape) * steps / times["median_s"] / 1e6), 1),
        "steps": steps,
        "prepare_s": ready,
        **times,
        "first_call_s": first,
        "difference": error if same else None,
        "finite": bool(all(np.isfinite(a).all() for a in checked)),
    }


def cases(fast):
    """Tools × grids × precisions, and laws on the smallest grid."""
    shapes = ((128, 128), (32, 32, 32)) if fast else SHAPES
    pairs = [(tool, "GrayScott") for tool in TOOLS] + [("diffsim", law) for law in LAWS[1:]]
    return [
        {"tool": tool, "shape": list(shape), "dtype": dtype, "law": law}
        for shape in shapes
        for dtype in ("float32", "float64")
        for tool, law in pairs
        if (tool, dtype) != ("py-pde", "float32") and (law == "GrayScott" or shape == shapes[0])
    ]


def main():
    """Measure, and print the table with ratios to diffsim."""
    found = compare(
        __file__,
        measure,
        cases,
        lambda r: (
            f"{r['million_updates_per_s']:,.0f} M/s (first {r['prepare_s'] + r['first_call_s']:.2f} s, "
            f"off by {r['difference']}, others {r['others']})"
        ),
    )
    rates = {
        (tuple(r["shape"]), r["dtype"], r["tool"] if r["law"] == "GrayScott" else r["law"]): r["million_updates_per_s"]
        for r in found
        if "million_updates_per_s" in r
    }
    for shape, dtype in dict.fromkeys(k[:2] for k in rates):
        own = rates.get((shape, dtype, "diffsim"))
        row = []
        for name in (*TOOLS, *LAWS[1:]):
            if rate := rates.get((shape, dtype, name)):
                row.append(f"{name} {rate:,.0f}" + (f" ({own / rate:.2f}×)" if own else ""))
        print("×".join(map(str, shape)), dtype, " | ".join(row))


if __name__ == "__main__":
    main()
