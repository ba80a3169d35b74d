"""B3: py-pde's own benchmark, Cahn–Hilliard from noise on 512² unit cells until t = 10: error against wall time.

c_t = ∇²(c³ − c − ∇²c), no-flux walls, c(0) uniform in (0, 1), as in py-pde's scripts/performance_solvers.py. Both
packages have the same five-point Laplacian and walls, hence the same semi-discrete system. The error is that of time
stepping, √(mean (c − c̄)²)/√(mean c̄²), c̄ by ETDRK4 with 800 steps in float64; that py-pde converges to c̄ as its
tolerance falls proves the systems the same. Time is the median of three runs, one for
py-pde, after compilation.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from harness import compare, timed

N, END = 512, 10.0
FIXED = {
    "ETD1": (40, 160, 640),
    "ETDRK2": (20, 40, 80, 160, 320),
    "ETDAB2": (40, 80, 160, 320),
    "IMEX": (20, 40, 80, 160, 320),
    "ETDRK4": (10, 20, 40, 80, 160),
    "RKL2": (20, 40, 100, 200),
    "Euler": (400, 640, 1280),
    "RK4": (320, 640),
}
TOLERANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6)
ADAPTED = ("ETDRK2 PID", "ETDRK4 PID", "Tsit5 PID")
THEIRS = {"Euler": (1e-2, 1e-3, 1e-4), "RKF45": (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)}


def start(n):
    """Noise."""
    return np.random.default_rng(1).random((n, n))


def diffsim_run(method, setting, n, dtype):
    """run() for one method and number of steps or tolerance."""
    import tensorflow as tf

    import diffsim as ds

    law = ds.models.CahnHilliard().on(ds.Grid((n, n), (float(n), float(n))), ds.Neumann())
    c = tf.constant(start(n), dtype)
    stepper = getattr(ds, method.removesuffix(" PID"))()
    dt = ds.PID(setting, setting) if method.endswith(" PID") else END / setting

    def run():
        solution = ds.solve(law, c, t=(0, END), dt=dt, stepper=stepper, progress=False)
        run.steps = solution.steps + solution.rejected
        return solution.final.numpy()

    return run


def pypde_run(method, setting, n, dtype):
    """The same with py-pde's adaptive explicit solvers, compiled by numba; `setting` is their tolerance."""
    import pde

    grid = pde.UnitGrid([n, n], periodic=False)
    first = pde.ScalarField(grid, start(n))
    kind = {"Euler": pde.EulerSolver, "RKF45": pde.RungeKuttaSolver}[method]
    solver = kind(pde.CahnHilliardPDE(), backend="numba", adaptive=True, tolerance=setting)
    stepper = solver.make_stepper(first, 1e-3)

    def run():
        state, before = first.copy(), solver.info["steps"]
        stepper(state, 0, END)
        run.steps = solver.info["steps"] - before
        return state.data

    return run


def reference(n):
    """c̄, kept in the folder of temporary files from one process to the next."""
    path = Path(tempfile.gettempdir()) / f"diffsim_B3_{n}.npy"
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}.npy")
        np.save(part, diffsim_run("ETDRK4", 800, n, "float64")())
        part.rename(path)
    return np.load(path)


def measure(tool, method, setting, n, dtype):
    """Seconds and error of one method at one setting."""
    exact, found = reference(n), []
    run = (diffsim_run if tool == "diffsim" else pypde_run)(method, setting, n, dtype)
    times = timed(lambda: found.append(run()), 3 if tool == "diffsim" else 1)
    deviation = float(np.linalg.norm(found[-1] - exact) / np.linalg.norm(exact))
    return {**times, "steps": run.steps, "deviation": deviation}


def cases(fast):
    """Methods × settings; float32 where errors are above its rounding."""
    n = 64 if fast else N
    own = [(m, s, "float64") for m, settings in FIXED.items() for s in settings]
    own += [(m, s, "float64") for m in ADAPTED for s in TOLERANCES]
    own += [(m, s, "float32") for m in ("RKL2", "Euler", "RK4") for s in FIXED[m]]
    own += [(m, s, "float32") for m in ADAPTED for s in TOLERANCES if s > 1e-5]
    theirs = [("py-pde", m, s, "float64") for m, settings in THEIRS.items() for s in settings]
    return [
        {"tool": tool, "method": method, "setting": setting, "n": n, "dtype": dtype}
        for tool, method, setting, dtype in [("diffsim", *o) for o in own] + theirs
    ]


def main():
    """Measure; for every run of py-pde print our cheapest one that is at least as accurate."""
    found = compare(
        __file__, measure, cases, lambda r: f"{r['median_s']:.3g} s, {r['steps']} steps, error {r['deviation']:.1e}"
    )
    full = [r for r in found if "median_s" in r]
    for theirs in (r for r in full if r["tool"] == "py-pde"):
        for dtype in ("float64", "float32"):
            own = [r for r in full if (r["tool"], r["dtype"], r["n"]) == ("diffsim", dtype, theirs["n"])]
            good = [r for r in own if r["deviation"] <= theirs["deviation"]]
            if good:
                best = min(good, key=lambda r: r["median_s"])
                print(*(line(r) for r in (theirs, best)), f"{theirs['median_s'] / best['median_s']:.1f}×", sep=" | ")


def line(r):
    """One run."""
    name = f"{r['tool']} {r['method']} {r['setting']:g} {r['dtype']}"
    return f"{name}: {r['median_s']:.3g} s, {r['deviation']:.1e}"


if __name__ == "__main__":
    main()
