"""A bead in an optical trap: dx = −(k/γ) x dt + √(2kT/γ) dW, its mean square displacement.

ETD1 is the exact propagator of the trap, so that steps may be of any length; the rest is statistics.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """The largest deviation of ⟨(x − x₀)²⟩ from theory, in standard errors and relative; its last value."""
    kT, gamma, stiffness = 1.0, 2.0, 0.5
    trap = ds.Equation(linear=-stiffness / gamma, diffusion=(2 * kT / gamma) ** 0.5)
    x0 = tf.zeros([20_000 if fast else 100_000, 3])
    lags = 0.01 * 2.0 ** np.arange(10)

    def msd(t, x):
        squares = tf.reduce_sum((x - x0) ** 2, axis=-1)
        return tf.reduce_mean(squares), tf.math.reduce_std(squares)

    save = ds.SaveAt(ts=lags, fn=msd)
    sol = ds.solve(trap, x0, t=(0, lags[-1]), dt=0.01, stepper=ds.ETD1(), save=save, key=ds.key(7))
    theory = 3 * kT / stiffness * (1 - np.exp(-2 * stiffness * lags / gamma))
    mean, error = sol.y[0].numpy(), sol.y[1].numpy() / np.sqrt(len(x0))
    if figure:
        draw(lags, mean, error, theory, 3 * kT / stiffness, figure)
    deviation = np.abs(mean - theory)
    return {"sigmas": (deviation / error).max(), "relative": (deviation / theory).max(), "last": mean[-1]}


def draw(lags, mean, error, theory, plateau, figure):
    """The displacement, and its deviation from theory in per cent with two standard errors."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(2, 1, figsize=(6, 6), sharex=True, height_ratios=(2, 1), layout="constrained")
    top, below = axes
    top.errorbar(lags, mean, 2 * error, fmt="o", ms=5, capsize=3, label="simulated, ± 2 standard errors")
    top.loglog(lags, theory, "k", label="3kT/k (1 − e^(−2kt/γ))")
    top.axhline(plateau, color="grey", ls=":", label="equilibrium, 3kT/k")
    top.set(ylabel="⟨(x − x₀)²⟩ (length²)", title="A bead in an optical trap")
    top.legend()
    below.errorbar(lags, 100 * (mean / theory - 1), 200 * error / theory, fmt="o", ms=5, capsize=3)
    below.axhline(0, color="k", lw=0.8)
    below.set(xlabel="lag t (time)", ylabel="deviation (%)")
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    for name, value in main(figure="20_optical_trap.png").items():
        print(f"{name:24} {value:.8g}")
