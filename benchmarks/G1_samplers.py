"""Samplers of diffusion models on a Gaussian, exactly: order, evaluations per step, Wasserstein-2 error by evaluations.

Nothing is sampled: on a Gaussian a sampler is a linear map of its first state and its noise, whose mean and variance
`diffsim.generative.moments` takes from one run of unit vectors. Data are N(m, diag v) in three dimensions with
m = (0.5, −1, 0), v = (1, 0.25, 0.01); the mesh is Karras' from σ = 80 to 0.002, its last step to 0. Where noise is
renewed, more of it hurts at few steps and corrects errors at many; orders are those of mean and variance, which noise
does not lower to the 1 of single paths.

Run: python benchmarks/G1_samplers.py
"""

from __future__ import annotations

from diffsim import generative as gen
from diffsim.generative import samplers as S
from diffsim.generative.moments import wasserstein

DATA = gen.Gaussian([0.5, -1.0, 0.0], [1.0, 0.25, 0.01])
BUDGETS = (10, 20, 50)


def one(n):
    """Steps of a method with one evaluation each."""
    return n


def two(n):
    """Steps of two evaluations, the last of one."""
    return (n + 1) // 2


TABLE = {  # name: (sampler, its options, order in λ of the law, evaluations per step, steps by evaluations)
    "DDIM = Euler": (S.ddim, {}, 1, 1, one),
    "Heun": (S.heun, {}, 2, 2, two),
    "DPM2": (S.dpm2, {}, 2, 2, two),
    "LMS, 4 values": (S.lms, {}, 4, 1, one),
    "PLMS": (S.plms, {}, 2, 1, lambda n: n - 1),
    "PNDM": (S.pndm, {}, 2, 1, lambda n: n - 9),
    "DPM-Solver 2M": (S.dpm_solver, {"order": 2}, 2, 1, one),
    "DPM-Solver 3M": (S.dpm_solver, {"order": 3}, 3, 1, one),
    "DPM-Solver++ 2M": (S.dpm_solver_pp, {"order": 2}, 2, 1, one),
    "DPM-Solver++ 3M": (S.dpm_solver_pp, {"order": 3}, 3, 1, one),
    "DPM-Solver++ 3M as published": (S.dpm_solver_pp, {"order": 3, "curvature": 0.5}, 2, 1, one),
    "DPM-Solver++ 2S": (S.dpm_solver_pp_single, {"order": 2}, 2, 1, one),
    "DPM-Solver++ 3S": (S.dpm_solver_pp_single, {"order": 3, "midpoint": False}, 3, 1, one),
    "DEIS 3": (S.deis, {"order": 3}, 3, 1, one),
    "UniPC 2": (S.unipc, {"order": 2}, 3, 1, one),
    "UniPC 3": (S.unipc, {"order": 3}, 4, 1, one),
    "DDPM = Euler ancestral": (S.ddpm, {}, 1, 1, one),
    "DDIM, η = 0.5": (S.ddim, {"eta": 0.5}, 1, 1, one),
    "DPM2 ancestral": (S.dpm2_ancestral, {}, 2, 2, two),
    "2M SDE": (S.dpm_solver_pp, {"order": 2, "eta": 1.0}, 2, 1, one),
    "3M SDE": (S.dpm_solver_pp, {"order": 3, "eta": 1.0}, 2, 1, one),
    "EDM, churn 10": (S.edm, {"churn": 10.0, "least": 0.05, "most": 50.0}, 2, 2, two),
    "predictor–corrector": (S.predictor_corrector, {}, 1, 2, two),
}


def main(fast: bool = False) -> dict[str, list]:
    """The table; {name: errors by budget}."""
    print("| sampler | order | evaluations per step | " + " | ".join(f"W₂ at {n}" for n in BUDGETS) + " |")
    print("|---|---|---|" + "---|" * len(BUDGETS))
    errors = {}
    for name, (make, options, order, per_step, steps) in TABLE.items():
        row = []
        for budget in BUDGETS[:1] if fast else BUDGETS:
            n = steps(budget)
            mesh = gen.karras(n, 0.002, 80.0) if n > 4 else None
            row.append(None if mesh is None else wasserstein(make(DATA, mesh, **options), DATA))
        errors[name] = row
        shown = " | ".join("–" if e is None else f"{e:.2g}" for e in row)
        print(f"| {name} | {order} | {per_step} | {shown} |", flush=True)
    return errors


if __name__ == "__main__":
    main()
