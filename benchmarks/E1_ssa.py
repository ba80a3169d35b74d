"""E1: exact trajectories of 2A → ∅ (.005), ∅ → A (1) from A = 10 to t = 100, beside GillesPy2's C++ solver.

10⁵ trajectories, each of 150 events on average, recorded at the end only or at 100 times. Compilation is apart for
both: `first_call_s` and `compile_s`. GillesPy2 simulates one trajectory after another on one core; it is timed as its
manual has it ("run", which reads the numbers into Python), as the compiled program alone ("program"), and as two such
programs at once, each with half of the trajectories ("two programs"), so that it too has two cores. Mean and variance
at the end are 10.1274044 and 7.5630854. Run it once in an environment that has gillespy2, with --only gillespy2.
"""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

import numpy as np

from harness import compare, timed

T, START = 100.0, 10
EVENTS = T + (T - 0.1274044) / 2  # births, and deaths of pairs


def ours(n, points, dtype):
    """Through `solve`, numbers of all trajectories at all times in NumPy."""
    import tensorflow as tf

    import diffsim as ds

    law = ds.Jump.of("2 A -> 0 @ 0.005", "0 -> A @ 1")
    y0 = tf.fill([n, 1], tf.constant(float(START), dtype))
    save = ds.SaveAt(ts=np.linspace(0, T, points + 1)[1:])

    def run():
        sol = ds.solve(law, y0, (0, T), stepper=ds.SSA(), save=save, key=ds.key(1), progress=False)
        return sol.y.numpy()[-1, :, 0].astype(float)

    return run, 0.0


def gillespy(n, points, how):
    """Its solver, compiled beforehand; the first of its points is the start."""
    import gillespy2

    began = time.perf_counter()
    model = gillespy2.Model("E2")
    A = gillespy2.Species(name="A", initial_value=START, mode="discrete")
    born, die = gillespy2.Parameter(name="born", expression=1.0), gillespy2.Parameter(name="die", expression=0.005)
    model.add_species([A])
    model.add_parameter([born, die])
    model.add_reaction(gillespy2.Reaction(name="birth", products={A: 1}, rate=born))
    model.add_reaction(gillespy2.Reaction(name="pair", reactants={A: 2}, propensity_function="die*A*(A-1)"))
    model.timespan(gillespy2.TimeSpan.linspace(t=T, num_points=points + 1))
    solver = gillespy2.SSACSolver(model=model)
    solver.run(number_of_trajectories=1, seed=1)
    compiled = time.perf_counter() - began

    def whole():
        return np.array([r["A"][-1] for r in solver.run(number_of_trajectories=n, seed=1)])

    def program(many=n, seed=1):
        given = {"trajectories": many, "timesteps": points + 1, "end": T, "interval": points + 1, "seed": seed}
        args = [str(a) for k, v in given.items() for a in (f"--{k}", v)]
        return subprocess.Popen([solver.build_engine.get_executable_path(), *args], stdout=subprocess.PIPE)

    def programs(count):
        running = [program(n // count, seed) for seed in range(1, count + 1)]
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda p: p.communicate()[0], running))

    return {"run": whole, "program": lambda: programs(1), "two programs": lambda: programs(2)}[how], compiled


def finals(x, points):
    """Numbers at the end; programs print time and number in turn for each trajectory, and last when they stopped."""
    if isinstance(x, np.ndarray):
        return x
    tables = [np.array(text.split(b",")[:-1], float).reshape(-1, points + 1, 2) for text in x]
    return np.concatenate([table[:, -1, 1] for table in tables])


def measure(tool, n, points, how):
    """Seconds of a run, events per second, and how far mean and variance at the end are off, in standard errors."""
    run, compiled = ours(n, points, how) if tool == "diffsim" else gillespy(n, points, how)
    last = []
    result = timed(lambda: last.__setitem__(slice(None), [run()]), 3 if tool == "diffsim" else 1)
    x = finals(last[0], points)
    off = (x.mean() - 10.1274044) / (x.std() / n**0.5), (x.var() / 7.5630854 - 1) / (2 / n) ** 0.5
    about = {"version": metadata.version(tool)} if tool != "diffsim" else {}
    result |= {**about, "compile_s": compiled, "sigmas": [round(float(v), 2) for v in off]}
    return {**result, "million_events_per_s": n * EVENTS / result["median_s"] / 1e6}


def cases(fast):
    """Both precisions of ours, three ways to run the other."""
    n = 10**3 if fast else 10**5
    for points in (1, 100):
        for tool, ways in (("diffsim", ("float32", "float64")), ("gillespy2", ("run", "program", "two programs"))):
            yield from ({"tool": tool, "n": n, "points": points, "how": how} for how in ways)


if __name__ == "__main__":
    compare(__file__, measure, cases, lambda r: f"{r['million_events_per_s']:.1f} million events/s")
