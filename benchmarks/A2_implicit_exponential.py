"""A2: one implicit or exponential step of the heat equation on 512², in milliseconds.

Periodic and no-flux walls with constant D, and D(x, y) of contrast 10 with no-flux walls; DΔt/Δx² ≈ 10, so
that a step is forty times what explicit Euler takes. Peers: SciPy's sparse LU, factorised once (`prepare_s`),
its FFT and DCT for the exponential steps, and FiPy with its default and its preconditioned CG solver.
`residual` is how well the result satisfies the equation of the step, by SciPy's matrix in float64 (relative).
ETDRK2 steps Fisher's equation, u_t = Δu + u(1 − u)/100, with two evaluations of the reaction.
"""

import time

import numpy as np

from harness import compare, steps_for, timed

RATIO, SECONDS = 10.0, 1.0
PROBLEMS = ("periodic", "no-flux", "D(x,y)")
METHODS = {
    "diffsim": ("ImplicitEuler", "CrankNicolson", "ETD1", "ETDRK2"),
    "SciPy LU": ("ImplicitEuler", "CrankNicolson"),
    "SciPy FFT": ("ETD1", "ETDRK2"),
    "FiPy default": ("ImplicitEuler",),
    "FiPy PCG": ("ImplicitEuler",),
}


def field(problem, n):
    """D, on cells of unit width."""
    x = (np.arange(n) + 0.5) / n
    wave = np.sin(2 * np.pi * x)[:, None] * np.sin(4 * np.pi * x)
    return 10 ** (0.5 * wave) if problem == "D(x,y)" else np.ones((n, n))


def start(n):
    """A smooth state with some noise."""
    x = (np.arange(n) + 0.5) / n
    blob = np.exp(-20 * ((x[:, None] - 0.4) ** 2 + (x - 0.6) ** 2))
    return blob + 0.01 * np.random.default_rng(1).random((n, n))


def reaction(u):
    """Fisher's."""
    return 0.01 * u * (1 - u)


def diffsim_steps(problem, method, n, dtype):
    """run(steps) with `solve`."""
    import tensorflow as tf

    import diffsim as ds

    D = field(problem, n) if problem == "D(x,y)" else 1.0
    operator = ds.Diffusion(
        ds.Grid((n, n), (float(n), float(n))), ds.Periodic() if problem == "periodic" else ds.Neumann(), D
    )
    law = ds.Equation(linear=operator, drift=(lambda t, u: reaction(u)) if method == "ETDRK2" else None)
    u, stepper = tf.constant(start(n), dtype), getattr(ds, method)()

    def run(steps):
        return ds.solve(law, u, t=(0, steps * RATIO), dt=RATIO, stepper=stepper, progress=False).final.numpy()

    return run


def lu_steps(problem, method, n, dtype):
    """run(steps) by back-substitution in SuperLU's factors (symmetric mode, minimum degree)."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    from sparse import diffusion_matrix

    A = diffusion_matrix([field(problem, n)] * 2, (1.0, 1.0), problem == "periodic").astype(dtype)
    theta = 1.0 if method == "ImplicitEuler" else 0.5
    eye = sp.identity(n * n, dtype, "csc")
    factors = splu(
        eye - theta * RATIO * A,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    explicit = None if theta == 1 else (eye + (1 - theta) * RATIO * A).tocsr()

    def run(steps):
        u = start(n).astype(dtype).ravel()
        for _ in range(steps):
            u = factors.solve(u if explicit is None else explicit @ u)
        return u.reshape(n, n)

    return run


def fft_steps(problem, method, n, dtype):
    """run(steps) with scipy.fft on all cores."""
    import os
    from functools import partial

    from scipy import fft

    workers = os.cpu_count()
    if problem == "periodic":
        to = partial(fft.rfftn, workers=workers)
        back = partial(fft.irfftn, s=(n, n), workers=workers)
        kx, ky = np.arange(n) * 2, np.arange(n // 2 + 1) * 2
    else:
        to, back = (partial(f, type=2, norm="ortho", workers=workers) for f in (fft.dctn, fft.idctn))
        kx = ky = np.arange(n)
    lam = -4 * (np.sin(np.pi * kx / (2 * n))[:, None] ** 2 + np.sin(np.pi * ky / (2 * n)) ** 2) * RATIO
    safe = np.where(lam == 0, 1, lam)
    phi1 = np.where(lam == 0, 1, np.expm1(safe) / safe)
    phi2 = np.where(np.abs(lam) < 1e-4, 0.5 + lam / 6, (phi1 - 1) / safe)
    e, p1, p2 = (a.astype(dtype) for a in (np.exp(lam), RATIO * phi1, RATIO * phi2))

    def run(steps):
        u = start(n).astype(dtype)
        for _ in range(steps):
            if method == "ETD1":
                u = back(e * to(u))
                continue
            now = reaction(u)
            a = e * to(u) + p1 * to(now)
            u = back(a + p2 * to(reaction(back(a)) - now))
        return u

    return run


def fipy_steps(problem, method, n, dtype, solver=None):
    """run(steps) with FiPy's implicit Euler; it assembles and solves anew at every step."""
    import fipy

    kind = fipy.PeriodicGrid2D if problem == "periodic" else fipy.Grid2D
    mesh, D = kind(nx=n, ny=n, dx=1.0, dy=1.0), 1.0
    if problem == "D(x,y)":
        D = fipy.CellVariable(mesh=mesh, value=field(problem, n).ravel()).harmonicFaceValue
    equation = fipy.TransientTerm() == fipy.DiffusionTerm(coeff=D)
    u = fipy.CellVariable(mesh=mesh, value=start(n).ravel(), hasOld=True)
    by = {} if solver is None else {"solver": solver()}

    def run(steps):
        u.setValue(start(n).ravel())
        for _ in range(steps):
            u.updateOld()
            equation.solve(u, dt=RATIO, **by)
        return np.asarray(u.value).reshape(n, n)

    return run


def fipy_pcg(problem, method, n, dtype):
    """FiPy with conjugate gradients, preconditioned by the diagonal."""
    from fipy.solvers.scipy import JacobiPreconditioner, LinearCGSolver

    return fipy_steps(
        problem,
        method,
        n,
        dtype,
        lambda: LinearCGSolver(precon=JacobiPreconditioner(), tolerance=1e-10, iterations=2000),
    )


TOOLS = {
    "diffsim": diffsim_steps,
    "SciPy LU": lu_steps,
    "SciPy FFT": fft_steps,
    "FiPy default": fipy_steps,
    "FiPy PCG": fipy_pcg,
}


def residual(problem, method, n, new):
    """How far one step is from its own equation."""
    from sparse import diffusion_matrix

    old, new = start(n).ravel(), new.astype(float).ravel()
    if method.startswith("ETD"):
        exact = fft_steps(problem, method, n, "float64")(1).ravel()
        return float(np.abs(new - exact).max() / np.abs(exact).max())
    A = diffusion_matrix([field(problem, n)] * 2, (1.0, 1.0), problem == "periodic")
    theta = 1.0 if method == "ImplicitEuler" else 0.5
    r = new - theta * RATIO * (A @ new) - old - (1 - theta) * RATIO * (A @ old)
    return float(np.linalg.norm(r) / np.linalg.norm(old))


def measure(tool, problem, method, n, dtype):
    """Time per step of one tool."""
    began = time.perf_counter()
    run = TOOLS[tool](problem, method, n, dtype)
    ready = time.perf_counter() - began
    began = time.perf_counter()
    wrong = residual(problem, method, n, run(1))
    first = time.perf_counter() - began
    steps = steps_for(run, SECONDS, least=1)
    times = timed(lambda: run(steps), 3)
    return {
        "ms_per_step": times["median_s"] / steps * 1e3,
        "residual": wrong,
        "steps": steps,
        "prepare_s": ready,
        **times,
        "first_call_s": first,
    }


def cases(fast):
    """Problems × methods × tools × precisions."""
    n = 64 if fast else 512
    return [
        {"tool": tool, "problem": problem, "method": method, "n": n, "dtype": dtype}
        for problem in PROBLEMS
        for tool, methods in METHODS.items()
        for method in methods
        for dtype in ("float64", "float32")
        if not (problem == "D(x,y)" and method.startswith("ETD"))  # its eigenvectors are unknown
        and (dtype == "float64" or tool in ("diffsim", "SciPy FFT"))
    ]


def main():
    """Measure, and print the ratios of the peers' time to diffsim's."""

    def line(r):
        return f"{r['ms_per_step']:.2f} ms, residual {r['residual']:.1e}, prepare {r['prepare_s']:.2f} s"

    found = [r for r in compare(__file__, measure, cases, line) if "error" not in r]
    times = {(r["problem"], r["method"], r["dtype"], r["tool"]): r["ms_per_step"] for r in found}
    for problem, method, dtype in dict.fromkeys(k[:3] for k in times):
        own = times.get((problem, method, dtype, "diffsim"))
        if own:
            others = [
                f"{tool} {ms:.2f} ({ms / own:.2f}×)"
                for (p, m, t, tool), ms in times.items()
                if (p, m, t) == (problem, method, dtype) and tool != "diffsim"
            ]
            print(problem, method, dtype, f"diffsim {own:.2f} ms |", " | ".join(others))


if __name__ == "__main__":
    main()
