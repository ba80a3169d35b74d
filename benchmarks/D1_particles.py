"""D1: Brownian particles, million particle-steps per second through `solve`; beside NumPy, ReaDDy and diffrax.

* free: 10⁶ particles in three dimensions, dX = √(2D) dW, float32. NumPy: x += √(2Dh) ξ, its fastest generator, in
  place, on the one core that it uses. ReaDDy: its integrator in a periodic box without reactions and potentials, on one
  core ("SingleCPU") and on all ("CPU").
* trap: 10⁵ Ornstein–Uhlenbeck paths by Euler–Maruyama in equal steps of the same number, float32, on fresh noise and
  on a path that can be refined; diffrax (JAX) with Euler on UnsafeBrownianPath and VirtualBrownianTree, mapped over
  keys as its manual has it ("vmap"), and with the whole ensemble as one state ("state").

Peers run in the Python PEERS, by default this one.
"""

import time

import numpy as np

from harness import compare, timed

D, K, DT = 0.7, 0.8, 2.0**-10


def free_diffsim(n, steps):
    """Through `solve`."""
    import tensorflow as tf

    import diffsim as ds

    law, x0 = ds.models.BrownianMotion(D).law, tf.zeros([n, 3])

    def run():
        t = (0, steps * DT)
        sol = ds.solve(law, x0, t, dt=DT, stepper=ds.EulerMaruyama(), key=ds.key(1), progress=False)
        return sol.final[0, 0].numpy()

    return run


def free_numpy(n, steps):
    """In place, SFC64 and the ziggurat."""
    rng, x, xi = np.random.Generator(np.random.SFC64(1)), np.zeros([n, 3], np.float32), np.empty([n, 3], np.float32)
    scale = np.float32((2 * D * DT) ** 0.5)

    def run():
        for _ in range(steps):
            rng.standard_normal(out=xi, dtype=np.float32)
            np.multiply(xi, scale, out=xi)
            np.add(x, xi, out=x)
        return x[0, 0]

    return run


def free_readdy(n, steps, kernel):
    """Seconds of its loop alone, what it does before the first step apart."""
    import readdy

    system = readdy.ReactionDiffusionSystem([10.0] * 3, unit_system=None)
    system.add_species("A", D)
    simulation = system.simulation(kernel=kernel)
    simulation.show_progress = False
    simulation.add_particles("A", np.random.default_rng(1).random((n, 3)) * 10 - 5)
    simulation.run(2, DT)
    began = time.perf_counter()
    simulation.run(steps, DT)
    return time.perf_counter() - began


def trap_diffsim(n, steps, refinable):
    """Through `solve`; linear part in the drift, so that Euler–Maruyama is what runs."""
    import tensorflow as tf

    import diffsim as ds

    t1 = steps * DT
    noise = ds.BrownianTree(0.0, t1, depth=20) if refinable else ds.Brownian()
    law = ds.Equation(drift=pull, diffusion=(2 * D) ** 0.5, noise=noise)
    x0 = tf.ones([n])

    def run():
        sol = ds.solve(law, x0, (0, t1), dt=DT, stepper=ds.EulerMaruyama(), key=ds.key(1), progress=False)
        return sol.final[0].numpy()

    return run


def pull(t, x, args=None):
    """−kx."""
    return -K * x


def trap_diffrax(n, steps, refinable, ensemble):
    """Euler with a constant step, the final state saved."""
    import diffrax as dx
    import jax
    import jax.numpy as jnp
    import lineax as lx

    t1, size = steps * DT, () if ensemble == "vmap" else (n,)
    shape, sigma = jax.ShapeDtypeStruct(size, jnp.float32), (2 * D) ** 0.5

    def solve(key, x0):
        path = (
            dx.VirtualBrownianTree(0.0, t1, tol=t1 * 2.0**-20, shape=shape, key=key)
            if refinable
            else dx.UnsafeBrownianPath(shape=shape, key=key)
        )
        noise = dx.ControlTerm(lambda t, y, args: lx.DiagonalLinearOperator(jnp.full(y.shape, sigma)), path)
        if ensemble == "vmap":
            noise = dx.ControlTerm(lambda t, y, args: sigma, path)
        terms = dx.MultiTerm(dx.ODETerm(pull), noise)
        save, forward = dx.SaveAt(t1=True), dx.ForwardMode()
        return dx.diffeqsolve(terms, dx.Euler(), 0.0, t1, DT, x0, saveat=save, max_steps=None, adjoint=forward).ys

    key, x0 = jax.random.key(1), jnp.ones([n])
    if ensemble == "vmap":
        keys, mapped = jax.random.split(key, n), jax.jit(jax.vmap(solve))
        return lambda: float(mapped(keys, x0)[0, 0])
    whole = jax.jit(solve)
    return lambda: float(whole(key, x0)[0, 0])


def measure(problem, tool, n, steps, refinable=False, ensemble=None, kernel=None):
    """Seconds of a run, and particle-steps per second."""
    if tool == "readdy":
        seconds = [free_readdy(n, steps, kernel) for _ in range(3)]
        result = {"median_s": float(np.median(seconds)), "least_s": min(seconds), "most_s": max(seconds), "repeats": 3}
        return {**result, "million_particle_steps_per_s": n * steps / result["median_s"] / 1e6}
    if problem == "free":
        run = {"diffsim": free_diffsim, "numpy": free_numpy}[tool](n, steps)
    elif tool == "diffsim":
        run = trap_diffsim(n, steps, refinable)
    else:
        run = trap_diffrax(n, steps, refinable, ensemble)
    result = timed(run, 3)
    return {**result, "million_particle_steps_per_s": n * steps / result["median_s"] / 1e6}


def cases(fast):
    """Sizes chosen so that a run takes about a second."""
    n, m, steps = (10**4, 10**3, 16) if fast else (10**6, 10**5, 1024)
    for tool in ("diffsim", "numpy"):
        yield {"problem": "free", "tool": tool, "n": n, "steps": 16 if fast or tool == "numpy" else 128}
    for kernel in ("SingleCPU", "CPU"):
        yield {"problem": "free", "tool": "readdy", "n": n, "steps": 4 if fast else 16, "kernel": kernel}
    for refinable in (False, True):
        case = {"problem": "trap", "n": m, "steps": steps // 8 if refinable else steps, "refinable": refinable}
        yield {**case, "tool": "diffsim"}
        for ensemble in ("state", "vmap"):
            yield {**case, "tool": "diffrax", "ensemble": ensemble}


if __name__ == "__main__":
    told = lambda r: f"{r['million_particle_steps_per_s']:.1f} million particle-steps/s"  # noqa: E731
    compare(__file__, measure, cases, told, peers=("readdy", "diffrax"))
