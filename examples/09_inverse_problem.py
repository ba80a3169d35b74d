"""An unknown D(x), recovered from noisy profiles by gradients through the time loop.

A sheet with a soft middle fills from the left. Six profiles of c, known to 0.1 %, determine D in every cell:
the misfit is differentiated through all steps of the simulation and minimised by L-BFGS.
"""

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

import diffsim as ds


def main(fast=False, figure=None):
    """Relative error of D (rms), misfit per datum in units of the noise, error of a slope."""
    n, rounds = (24, 60) if fast else (48, 200)
    noise, steps = 1e-3, 20
    grid = ds.Grid(shape=n, size=1.0)
    x = grid.coordinates()[0]
    truth = 1.0 - 0.7 * np.exp(-(((x - 0.5) / 0.15) ** 2))
    walls = ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0)))

    def law(D):
        return ds.Equation(linear=ds.Diffusion(grid, walls, D))

    start = tf.zeros(n, tf.float64)
    sim = ds.Simulation(law(tf.constant(truth)), ds.RKL2(), dt=2e-3, like=start)

    def profiles(D):
        c, seen = start, []
        for k in range(6):
            c = sim.advance(c, steps, law=law(D), t=k * steps * sim.dt)
            seen.append(c)
        return tf.stack(seen)

    data = profiles(tf.constant(truth)) + noise * ds.random.normal(ds.key(1), (6, n), tf.float64)

    def misfit(log_D):
        log_D = tf.constant(log_D)
        with tf.GradientTape() as tape:
            tape.watch(log_D)
            bends = (log_D[2:] - 2 * log_D[1:-1] + log_D[:-2]) * n**1.5
            misses = (profiles(tf.exp(log_D)) - data) / noise
            total = tf.reduce_sum(misses**2) + 1e-3 * tf.reduce_sum(bends**2)
        return total.numpy(), tape.gradient(total, log_D).numpy()

    guess, bump = np.full(n, np.log(0.5)), 1e-5 * np.eye(n)[n // 3]
    slope = (misfit(guess + bump)[0] - misfit(guess - bump)[0]) / 2e-5
    found = minimize(misfit, guess, jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    D = np.exp(found.x)
    if figure:
        draw(x, truth, D, data.numpy(), profiles(tf.constant(D)).numpy(), figure)
    return {"error": np.sqrt(np.mean((D / truth - 1) ** 2)), "misfit": found.fun / data.numpy().size,
            "gradient": misfit(guess)[1][n // 3] / slope - 1}


def draw(x, truth, D, data, fit, figure):
    """Data with the fitted profiles, and D."""
    import matplotlib.pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(x, fit.T, "k", lw=1, label=["fitted"] + [None] * 5)
    left.plot(x, data.T, ".", ms=4, label=[f"t = {0.04 * (k + 1):.2f}" for k in range(6)])
    left.set(xlabel="x (length)", ylabel="c (concentration at x = 0)", title="Data")
    right.plot(x, truth, "k", label="true")
    right.plot(x, D, "o", ms=4, label="recovered")
    right.set(xlabel="x (length)", ylabel="D (length² / time)", ylim=(0, None), title="Diffusivity")
    for ax in (left, right):
        ax.legend()
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="09_inverse_problem.png").items():
        print(f"{name:24} {value:.8g}")
