"""Patterns that noise sustains where theory forbids them: Schnakenberg's reaction below Turing's instability.

The uniform state is stable, yet each wave is kicked, and decays slowly where it is nearly unstable: there the
structure factor peaks. Linear theory: J(k)C + C J(k)ᵀ + σ²I = 0, with J(k) the Jacobian less k² diag(D).
"""

import numpy as np
import tensorflow as tf

import diffsim as ds


def main(fast=False, figure=None):
    """Wavelength and height of the peak, in theory and in the runs, and their ratio over all waves."""
    runs, cells, dt, end = (16, 32, 0.05, 120) if fast else (8, 64, 0.03, 300)
    model = ds.models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=7.5)  # unstable for Dv > 8.57
    sigma, state = 1e-3, model.steady_states()[-1]
    grid = ds.Grid(shape=(cells, cells), size=(cells, cells))
    law = model.on(grid, ds.Periodic())
    law = ds.Equation(linear=law.linear, drift=law.drift, diffusion=sigma, noise=ds.SpaceTimeWhite(grid))
    y0 = tuple(tf.fill([runs, *grid.shape], tf.constant(s, tf.float32)) for s in state)
    ts = np.linspace(end / 4, end, 16)
    save = ds.SaveAt(ts=ts, fn=lambda t, y: tf.reduce_mean(ds.analysis.power(grid, y[0] - state[0])[1], 0))
    sol = ds.solve(law, y0, (0, end), dt=dt, stepper=ds.ETD1(), save=save, key=ds.key(35))

    seen = sol.y.numpy().mean(0)
    wave = (2 * np.sin(np.pi * np.fft.fftfreq(cells))) ** 2  # k² on a lattice of unit width
    k2 = wave[:, None] + wave
    theory = covariance(model.symbol(k2, state).numpy(), sigma)[..., 0, 0]
    k, at = np.sqrt(k2), np.unravel_index(np.argmax(theory), theory.shape)
    near = abs(k - k[at]) < 3 * np.pi / cells
    if figure:
        draw(grid, sol.final[0][0].numpy() - state[0], k, seen, theory, sigma).savefig(figure)
    return {
        "wavelength": 2 * np.pi / k[at],
        "peak in theory": theory[near].mean() / sigma**2,
        "peak seen": seen[near].mean() / sigma**2,
        "seen/theory": (seen / theory).ravel()[1:].mean(),
    }


def covariance(J, sigma):
    """C of J C + C Jᵀ = −σ²I for each wave."""
    one, n = np.eye(2), 4
    both = np.einsum("...ij,kl->...ikjl", J, one) + np.einsum("ij,...kl->...ikjl", one, J)
    right = np.broadcast_to(-(sigma**2) * one.reshape(n, 1), (*J.shape[:-2], n, 1))
    return np.linalg.solve(both.reshape(*J.shape[:-2], n, n), right).reshape(J.shape)


def draw(grid, u, k, seen, theory, sigma):
    """A field, and the structure factor of all runs against theory."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 4.5), dpi=150, layout="constrained")
    left, right = page.subfigures(1, 2, width_ratios=(1.1, 1))
    ds.plot.field(grid, u, name="u − u₀", limits=(-3 * u.std(), 3 * u.std()), figure=left)
    order = np.argsort(k.ravel())[1:]
    ax = right.subplots()
    ax.loglog(k.ravel()[order], seen.ravel()[order] / sigma**2, ".", ms=3, label="runs")
    ax.loglog(k.ravel()[order], theory.ravel()[order] / sigma**2, "k-", lw=0.8, label="linear theory")
    ax.set(xlabel="k on the lattice [1 / length]", ylabel="S/σ² [time]")
    ax.legend()
    return page


if __name__ == "__main__":
    for name, value in main(figure="35_stochastic_patterns.png").items():
        print(f"{name:24} {value:.8g}")
