"""An enzyme at work, E + S ⇌ ES → E + P: one set of reactions at four levels of detail.

Rate equations, fluctuations to leading order (linear noise), the chemical Langevin equation, and every event.
909 enzymes and 9,091 substrates in a cube of edge 4.4964 μm for ten seconds.
"""

import numpy as np
import tensorflow as tf

import diffsim as ds

VOLUME, START, END = 4.4964**3, (909.0, 9091.0, 0.0, 0.0), 10.0
LAW = ds.Jump.of("E + S <-> ES @ 0.01, 1", "ES -> E + P @ 1", species=("E", "S", "ES", "P"), volume=VOLUME)


def main(fast=False, figure=None):
    """Numbers at the end by rate equations, means and spreads by the others, with their standard errors."""
    runs, ts = 100 if fast else 2_000, np.linspace(0, END, 11 if fast else 41)[1:]
    many, save = tf.tile(tf.constant([START]), [runs, 1]), ds.SaveAt(ts=ts)
    ode = ds.solve(LAW.rate_equation(), np.array(START), (0, END), save=save)
    cle = ds.solve(LAW.langevin(), many, (0, END), dt=0.01, save=save, key=ds.key(2))
    ssa = ds.solve(LAW, many, (0, END), save=save, key=ds.key(1))
    C = spreads(ts)
    numbers = {f"{s} by rates": float(n) for s, n in zip(LAW.species, ode.final, strict=True)}
    numbers["P spread by linear noise"] = C[-1][3, 3] ** 0.5
    for name, sol in (("events", ssa), ("Langevin", cle)):
        n = sol.final.numpy().astype(float)
        numbers |= {f"{s} by {name}": v for s, v in zip(LAW.species, n.mean(0), strict=True)}
        numbers |= {f"P spread by {name}": n[:, 3].std(), f"enzymes by {name}": np.mean(n[:, 0] + n[:, 2])}
    if figure:
        draw(ts, ode.y.numpy(), ssa.y.numpy(), cle.y.numpy(), C).savefig(figure)
    return numbers


def spreads(ts):
    """Covariances to leading order, dC/dt = JC + CJᵀ + Σᵣ aᵣ νᵣνᵣᵀ, along the rate equations."""
    nu = tf.constant(LAW.stoichiometry, tf.float64)
    rate = LAW.rate_equation().drift

    def both(t, y):
        n, C = y
        with tf.GradientTape() as tape:
            tape.watch(n)
            f = rate(t, n)
        JC, a = tape.jacobian(f, n) @ C, tf.stack(LAW.propensities.many(tf.unstack(n)))
        return f, JC + tf.transpose(JC) + tf.einsum("r,ri,rj->ij", a, nu, nu)
    y0 = tf.constant(START, tf.float64), tf.zeros([4, 4], tf.float64)
    return ds.solve(ds.Equation(drift=both), y0, (0, END), save=ds.SaveAt(ts=ts)).y[1].numpy()


def draw(ts, ode, ssa, cle, C):
    """Numbers over time, and how the product is distributed at the end."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 4.3), dpi=150, layout="constrained")
    left, right = page.subplots(1, 2)
    for s, name in enumerate(LAW.species):
        (line,) = left.plot(ts, ode[:, s], label=f"{name}, rate equations")
        left.plot(ts[::2], ssa[::2, :, s].mean(1), "o", ms=4, mfc="none", color=line.get_color())
    left.plot([], [], "ko", ms=4, mfc="none", label="mean of all events")
    left.set(xlabel="time [s]", ylabel="molecules", title="909 enzymes and 9,091 substrates", xlim=(0, END))
    left.legend(fontsize=8)
    P, mean, sd = np.linspace(-4, 4, 200), ode[-1, 3], C[-1][3, 3] ** 0.5
    bins = mean + sd * np.linspace(-4, 4, 25)
    right.hist(ssa[-1, :, 3], bins, density=True, alpha=0.5, label="events (SSA)")
    right.hist(cle[-1, :, 3], bins, density=True, histtype="step", color="C1", label="chemical Langevin")
    right.plot(mean + sd * P, np.exp(-P * P / 2) / (2 * np.pi) ** 0.5 / sd, "k-", label="linear noise")
    right.set(xlabel=f"product molecules at {END:g} s", ylabel="probability density")
    right.legend(fontsize=8)
    return page


if __name__ == "__main__":
    for name, value in main(figure="42_michaelis_menten.png").items():
        print(f"{name:26} {value:.8g}")
