"""A3: work and precision: error at the end against wall time, for diffsim's steppers, SciPy's BDF and py-pde.

* heat: u_t = ∇·(D∇u), D(x, y) smooth, contrast 10, 128², no-flux walls, until T = 0.02: 4,200 Euler steps.
* fisher: u_t = ∇·(D∇u) + 50 u(1 − u), D = (D₀(x), D₁(y)) of contrast 10, the same grid, walls and time.

The error is that of time stepping alone, √(mean (u − ū)²)/√(mean ū²): ū solves the same semi-discrete system,
by DOP853 at rtol 10⁻¹² on a SciPy matrix written apart; py-pde discretises ∇·(D∇u) = DΔu + ∇D·∇u instead and
is held against its own run at tolerance 10⁻¹². Time is the median of three runs after compilation. float64.
"""

import numpy as np

from harness import HERE, compare, timed

N, END, RATE = 128, 0.02, 50.0
PROBLEMS = ("heat", "fisher")
FIXED = {
    "Euler": (4200, 8400),
    "Heun": (4200, 8400),
    "RK4": (3000, 6000),
    "RKL2": (10, 20, 40, 80, 160, 320, 640),
    "ImplicitEuler": (10, 40, 160, 640),
    "CrankNicolson": (10, 20, 40, 80, 160, 320),
    "TRBDF2": (10, 20, 40, 80, 160, 320),
    "IMEX": (10, 20, 40, 80, 160, 320),
    "ETD1": (1, 10, 40, 160, 640),
    "ETDRK2": (5, 10, 20, 40, 80, 160, 320),
    "ETDRK4": (3, 5, 10, 20, 40, 80),
    "ETDAB2": (5, 10, 20, 40, 80, 160, 320, 640),
}
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
ADAPTED = ("Tsit5", "RKL2", "TRBDF2", "ETDRK4")


def coordinates(n):
    """Cell centres along one axis of the unit square."""
    return (np.arange(n) + 0.5) / n


def media(problem, n):
    """D along each axis, as arrays that broadcast over the grid."""
    x = coordinates(n)
    if problem == "heat":
        return (10 ** (0.5 * np.sin(2 * np.pi * x)[:, None] * np.cos(2 * np.pi * x)),) * 2
    return 10 ** (0.5 * np.sin(2 * np.pi * x))[:, None], 10 ** (0.5 * np.cos(2 * np.pi * x))[None]


def start(n):
    """A blob."""
    x = coordinates(n)
    return np.exp(-40 * ((x[:, None] - 0.4) ** 2 + (x - 0.55) ** 2))


def system(problem, n):
    """(A, rate) of the semi-discrete problem, in SciPy."""
    from sparse import diffusion_matrix

    A = diffusion_matrix([np.broadcast_to(D, (n, n)) for D in media(problem, n)], (1 / n, 1 / n)).tocsr()
    return A, (lambda t, u: A @ u) if problem == "heat" else (lambda t, u: A @ u + RATE * u * (1 - u))


def reference(problem, n):
    """ū, by an explicit method of order eight."""
    from scipy.integrate import solve_ivp

    return (
        solve_ivp(
            system(problem, n)[1], (0, END), start(n).ravel(), "DOP853", t_eval=[END], rtol=1e-12, atol=1e-14
        )
        .y[:, -1]
        .reshape(n, n)
    )


def diffsim_runs(problem, method, n):
    """(setting, run) for each step size or tolerance."""
    import tensorflow as tf

    import diffsim as ds

    D = media(problem, n)
    operator = ds.Diffusion(ds.Grid((n, n), (1.0, 1.0)), ds.Neumann(), D[0] if problem == "heat" else D)
    law = ds.Equation(linear=operator, drift=None if problem == "heat" else (lambda t, u: RATE * u * (1 - u)))
    name, adapted = method.removesuffix(" PID"), method.endswith(" PID")
    stepper, u = getattr(ds, name)(), tf.constant(start(n))

    def runs(setting):
        dt = ds.PID(setting, setting * 1e-2) if adapted else END / setting
        return lambda: ds.solve(law, u, t=(0, END), dt=dt, stepper=stepper, progress=False).final.numpy()

    return [(s, runs(s)) for s in (TOLERANCES if adapted else FIXED[name])]


def scipy_runs(problem, method, n):
    """solve_ivp with the sparse Jacobian given."""
    import scipy.sparse as sp
    from scipy.integrate import solve_ivp

    A, rate = system(problem, n)
    jacobian = A.tocsc() if problem == "heat" else lambda t, u: (A + sp.diags(RATE * (1 - 2 * u))).tocsc()

    def runs(tolerance):
        return lambda: (
            solve_ivp(
                rate,
                (0, END),
                start(n).ravel(),
                method,
                t_eval=[END],
                rtol=tolerance,
                atol=tolerance * 1e-2,
                jac=jacobian,
            )
            .y[:, -1]
            .reshape(n, n)
        )

    return [(s, runs(s)) for s in TOLERANCES]


def pypde_runs(problem, method, n):
    """py-pde's adaptive Runge–Kutta–Fehlberg method, compiled by numba."""
    import pde

    grid = pde.CartesianGrid([(0, 1)] * 2, (n, n), periodic=False)
    D = [pde.ScalarField(grid, np.broadcast_to(d, (n, n))) for d in media(problem, n)]
    rules = "D0 * d2_dx2(u) + d_dx(D0) * d_dx(u) + D1 * d2_dy2(u) + d_dy(D1) * d_dy(u)"
    rules += "" if problem == "heat" else f" + {RATE} * u * (1 - u)"
    equation = pde.PDE({"u": rules}, bc={"derivative": 0}, consts={"D0": D[0], "D1": D[1]})
    first = pde.ScalarField(grid, start(n))

    def runs(tolerance):
        stepper = pde.RungeKuttaSolver(
            equation, backend="numba", adaptive=True, tolerance=tolerance
        ).make_stepper(first, 1e-6)

        def run():
            state = first.copy()
            stepper(state, 0, END)
            return state.data

        return run

    return [(s, runs(s)) for s in (1e-2, 1e-4, 1e-6, 1e-12)]


TOOLS = {"diffsim": diffsim_runs, "SciPy": scipy_runs, "py-pde": pypde_runs}


def measure(tool, problem, method, n):
    """The curve of one method: settings, seconds, errors."""
    runs = TOOLS[tool](problem, method, n)
    exact = runs[-1][1]() if tool == "py-pde" else reference(problem, n)
    points = []
    for setting, run in runs[:-1] if tool == "py-pde" else runs:
        error = float(np.linalg.norm(run() - exact) / np.linalg.norm(exact))
        once = timed(run, 1)
        times = timed(run, 3) if once["median_s"] < 3 else once
        points.append(
            {"setting": setting, "error": error, "seconds": times["median_s"], "others": times["others"]}
        )
        if error < 3e-13 or times["median_s"] > 8:
            break
    return {"points": points}


def cases(fast):
    """Problems × methods."""
    n = 32 if fast else N
    own = [
        (problem, method)
        for problem in PROBLEMS
        for method in (*FIXED, *(f"{a} PID" for a in ADAPTED))
        if problem == "fisher" or not method.startswith(("ETD", "IMEX"))
    ]
    peers = [("SciPy", problem, method) for problem in PROBLEMS for method in ("BDF", "Radau")]
    peers += [("py-pde", problem, "RKF45") for problem in PROBLEMS]
    return [
        {"tool": tool, "problem": problem, "method": method, "n": n}
        for tool, problem, method in [("diffsim", *o) for o in own] + peers
    ]


def draw(found, path):
    """Error against time, one panel for each problem; colour says the family, markers the method."""
    import matplotlib.pyplot as plt

    families = {
        "explicit": ("tab:blue", ("Euler", "Heun", "RK4", "Tsit5 PID")),
        "stabilised": ("tab:green", ("RKL2", "RKL2 PID")),
        "implicit": ("tab:orange", ("ImplicitEuler", "CrankNicolson", "TRBDF2", "TRBDF2 PID", "IMEX")),
        "exponential": ("tab:red", ("ETD1", "ETDAB2", "ETDRK2", "ETDRK4", "ETDRK4 PID")),
        "peers": ("black", ("BDF", "Radau", "RKF45")),
    }
    figure, axes = plt.subplots(1, 2, figsize=(13, 7.2), sharey=True, layout="constrained")
    titles = {"heat": "Heat, $D(x,y)$, 128²", "fisher": "Fisher, $D_0(x), D_1(y)$, 128²"}
    for axis, problem in zip(axes, PROBLEMS, strict=True):
        for colour, methods in families.values():
            for marker, method in zip("osD^v", methods, strict=False):
                for r in found:
                    if (r["problem"], r["method"]) == (problem, method) and r.get("points"):
                        name = (
                            method.replace(" PID", ", adaptive")
                            if r["tool"] == "diffsim"
                            else f"{r['tool']} {method}"
                        )
                        axis.loglog(
                            [p["seconds"] for p in r["points"]],
                            [p["error"] for p in r["points"]],
                            color=colour,
                            marker=marker,
                            markersize=5,
                            linewidth=2 if r["tool"] != "diffsim" else 1,
                            linestyle="--" if "PID" in method or r["tool"] != "diffsim" else "-",
                            label=name,
                        )
        axis.set(xlabel="wall time after compilation [s]", title=titles[problem])
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    axes[0].set_ylabel("relative error of time stepping, $L_2$")
    figure.savefig(path, dpi=130)


def main():
    """Measure and draw."""
    found = compare(
        __file__,
        measure,
        cases,
        lambda r: "  ".join(f"{p['seconds']:.3g} s: {p['error']:.1e}" for p in r["points"]),
    )
    if any(r["n"] == N for r in found):
        draw([r for r in found if "error" not in r], HERE / "results" / "A3_work_precision.png")


if __name__ == "__main__":
    main()
