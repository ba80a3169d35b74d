"""B4: ETDRK4 beside Exponax (JAX): the same scheme, spectral Laplacians, the same states, steps and errors.

* Gray–Scott, Du = 2·10⁻⁵, Dv = 10⁻⁵, F = .037, k = .06, 2.5 × 2.5 (and 2.5³): two species, steps of 2.
* Swift–Hohenberg, u_t = .7u − (1 + ∇²)²u + u² − u³ on (64π)², steps of 0.1.

Exponax with a mask that lets all modes pass, in a compiled fori_loop that stays in Fourier space ("Exponax") or goes
through physical space at each step as its own `repeat` does ("Exponax, repeat"). Errors are against classical
Runge–Kutta behind an integrating factor, with steps 16 times shorter, in NumPy and float64. diffsim runs through
`solve`.
"""

import time

import numpy as np

from harness import compare, steps_for, timed

F, K, DU, DV, R = 0.037, 0.06, 2e-5, 1e-5, 0.7
PROBLEMS = {"Gray–Scott": (2.5, 2.0, 5), "Swift–Hohenberg": (64 * np.pi, 0.1, 5)}  # size, step, steps until the error
SUBSTEPS = 16
GRIDS = (("Gray–Scott", (256, 256)), ("Gray–Scott", (512, 512)), ("Swift–Hohenberg", (256, 256)))
GRIDS += (("Swift–Hohenberg", (512, 512)), ("Gray–Scott", (64, 64, 64)))
SECONDS = 1.0


def start(problem, shape):
    """A smooth random state, float64, with a leading axis for species."""
    draw, n = np.random.default_rng(1), shape[0]
    k2 = sum(np.meshgrid(*[np.fft.fftfreq(n, 1 / n) ** 2] * len(shape), indexing="ij"))
    noise = draw.standard_normal((2 if problem == "Gray–Scott" else 1, *shape))
    axes = range(-len(shape), 0)
    smooth = np.fft.ifftn(np.fft.fftn(noise, axes=axes) * np.exp(-k2 / 200), axes=axes).real
    smooth /= np.abs(smooth).max()
    return np.array([0.6, 0.25])[(..., *(None,) * len(shape))] + 0.15 * smooth if len(smooth) == 2 else smooth


def reference(problem, shape):
    """The state after the checked steps, by Lawson's Runge–Kutta method on Fourier coefficients."""
    size, dt, checked = PROBLEMS[problem]
    d, n = len(shape), shape[0]
    k = 2 * np.pi / size * np.fft.fftfreq(n, 1 / n)
    k2 = sum(np.meshgrid(*[k**2] * (d - 1), (k**2)[: n // 2 + 1], indexing="ij"))
    axes = tuple(range(-d, 0))
    lam = np.stack([-DU * k2, -DV * k2]) if problem == "Gray–Scott" else R - (1 - k2)[None] ** 2

    def rate(c):
        y = np.fft.irfftn(c, shape, axes)
        if problem == "Gray–Scott":
            made = y[0] * y[1] ** 2
            n = np.stack([F * (1 - y[0]) - made, made - (F + K) * y[1]])
        else:
            n = y**2 - y**3
        return np.fft.rfftn(n, axes=axes)

    c, h = np.fft.rfftn(start(problem, shape), axes=axes), dt / SUBSTEPS
    half = np.exp(lam * h / 2)
    for _ in range(checked * SUBSTEPS):
        a = rate(c)
        b = rate(half * (c + h / 2 * a))
        e = rate(half * c + h / 2 * b)
        f = rate(half * (half * c + h * e))
        c = half * (half * (c + h / 6 * a) + h / 3 * (b + e)) + h / 6 * f
    return np.fft.irfftn(c, shape, axes)


def diffsim_steps(problem, shape, dtype):
    """run(n) with `solve`."""
    import tensorflow as tf

    import diffsim as ds

    size, dt = PROBLEMS[problem][:2]
    laplacian = ds.SpectralLaplacian(ds.Grid(shape, (size,) * len(shape)), ds.Periodic())
    y = tuple(tf.constant(a, dtype) for a in start(problem, shape))
    if problem == "Gray–Scott":
        model = ds.models.GrayScott(F, K, DU, DV)
        law = ds.Equation(linear=(DU * laplacian, DV * laplacian), drift=model.rates)
    else:
        y = y[0]
        # R − (1 + Δ)² = (R − 1) − 2Δ − Δ², and power(2) is −Δ²
        law = ds.Equation(
            linear=-2.0 * laplacian + laplacian.power(2) + (R - 1.0), drift=lambda t, u: u * u - u * u * u
        )

    def run(steps):
        final = ds.solve(law, y, t=(0, steps * dt), dt=dt, stepper=ds.ETDRK4(), progress=False).final
        return np.stack([a.numpy() for a in final]) if isinstance(final, tuple) else final.numpy()[None]

    return run


def exponax_steps(problem, shape, dtype, fourier=True):
    """run(n) with Exponax in one compiled loop."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    import exponax as ex

    size, dt = PROBLEMS[problem][:2]
    d, n = len(shape), shape[0]
    if problem == "Gray–Scott":
        stepper = ex.stepper.reaction.GrayScott(
            d, size, n, dt, order=4, feed_rate=F, kill_rate=K, diffusivity_1=DU, diffusivity_2=DV,
            dealiasing_fraction=2.0,
        )
    else:
        stepper = ex.stepper.reaction.SwiftHohenberg(
            d, size, n, dt, order=4, reactivity=R, critical_number=1.0,
            polynomial_coefficients=(0.0, 0.0, 1.0, -1.0), dealiasing_fraction=2.0,
        )
    u = jnp.asarray(start(problem, shape), dtype)

    @jax.jit
    def advance(u, steps):
        if not fourier:
            return jax.lax.fori_loop(0, steps, lambda i, u: stepper.step(u), u)
        c = jax.lax.fori_loop(0, steps, lambda i, c: stepper.step_fourier(c), ex.fft(u, num_spatial_dims=d))
        return ex.ifft(c, num_spatial_dims=d, num_points=n)

    return lambda steps: np.asarray(advance(u, steps))


TOOLS = {
    "diffsim": diffsim_steps,
    "Exponax": exponax_steps,
    "Exponax, repeat": lambda *a: exponax_steps(*a, fourier=False),
}


def measure(tool, problem, shape, dtype):
    """Milliseconds for a step, and the error."""
    shape = tuple(shape)
    began = time.perf_counter()
    run = TOOLS[tool](problem, shape, dtype)
    checked = PROBLEMS[problem][2]
    found = run(checked)
    first = time.perf_counter() - began
    steps = steps_for(run, SECONDS, least=4)
    times = timed(lambda: run(steps))
    exact = reference(problem, shape)
    return {
        "ms_per_step": round(times["median_s"] / steps * 1e3, 3),
        "deviation": float(np.linalg.norm(found - exact) / np.linalg.norm(exact)),
        "steps": steps,
        **times,
        "first_call_s": first,
    }


def cases(fast):
    """Tools × problems × precisions."""
    return [
        {"tool": tool, "problem": problem, "shape": list(shape), "dtype": dtype}
        for problem, shape in (GRIDS[:1] if fast else GRIDS)
        for dtype in ("float32", "float64")
        for tool in TOOLS
    ]


def main():
    """Measure, and print ratios."""
    found = compare(
        __file__,
        measure,
        cases,
        lambda r: f"{r['ms_per_step']:.2f} ms (first {r['first_call_s']:.1f} s, error {r['deviation']:.1e}, "
        f"others {r['others']})",
    )
    ms = {(r["problem"], *r["shape"], r["dtype"], r["tool"]): r["ms_per_step"] for r in found if "ms_per_step" in r}
    for key in dict.fromkeys(k[:-1] for k in ms):
        own = ms.get((*key, "diffsim"))
        ratios = [f"{t} {ms[*key, t]:.2f} ms" + (f" ({ms[*key, t] / own:.2f}×)" if own else "") for t in TOOLS
                  if (*key, t) in ms]  # fmt: skip
        print(*key, " | ".join(ratios))


if __name__ == "__main__":
    main()
