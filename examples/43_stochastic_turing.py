"""Turing patterns that exist only because molecules are few: the Brusselator, one event at a time.

The rate equations have a stable uniform state and no pattern. Noise excites every wave, and most those which
are nearly unstable. Linear noise theory of the lattice gives the spectrum, J(k)C + C J(k)ᵀ + Σᵣ aᵣ νᵣνᵣᵀ +
2k² diag(D c) = 0, J(k) the Jacobian less k² diag(D). Biancalani et al. 2010, doi:10.1103/PhysRevE.81.046215.
"""

import numpy as np

import diffsim as ds

MODEL = ds.models.Brusselator(A=1.5, B=2.2, Du=1.0, Dv=8.0)  # patterns for B > 2.34
LEAPS = ds.SplitHops(ds.TauLeap(0.05))
CELLS, SIZE = 64, 250.0  # cells of width one; molecules in each at concentration one


def main(fast=False, figure=None):
    """Where the spectrum peaks, how high above that of independent molecules, and runs against theory."""
    runs, end = (8, 60) if fast else (24, 240)
    grid = ds.Grid(shape=(CELLS,), size=(float(CELLS),))
    state = MODEL.steady_states()[0]
    law = ds.models.master_equation(MODEL, grid, ds.Periodic(), size=SIZE)
    n0 = tuple(np.full((runs, CELLS), round(SIZE * c), np.float32) for c in state)
    save = ds.SaveAt(ts=np.arange(1, end + 1))
    sol = ds.solve(law, n0, (0, end), dt=0.1, stepper=LEAPS, save=save, key=ds.key(43))

    u = sol.y[0].numpy() / SIZE
    k2 = (2 * np.sin(np.pi * np.fft.fftfreq(CELLS))) ** 2  # on the lattice
    C = covariance(state, k2)[:, 0, 0]
    k, S = ds.analysis.power(grid, u[end // 4 :])
    seen = SIZE * S.numpy().astype(float).mean((0, 1))
    top = np.argmax(C[: CELLS // 2])
    near = np.abs(np.abs(k) - k[top]) < 0.2
    if figure:
        draw(u[-80:, 0], k, seen, C, state[0]).savefig(figure)
    return {
        "wavelength": 2 * np.pi / k[top],
        "peak in theory": C[near].mean() / state[0],
        "peak seen": seen[near].mean() / state[0],
        "seen/theory": (seen[1:] / C[1:]).mean(),
        "fastest growth by rates": np.linalg.eigvals(MODEL.symbol(k2, state).numpy()).real.max(),
    }


def covariance(state, k2):
    """C for each wave, times the number of molecules at concentration one."""
    a = [r.k * np.prod(np.power(state, r.orders)) for r in MODEL.reactions]
    kicks = (MODEL.stoichiometry * a) @ MODEL.stoichiometry.T
    kicks = kicks + 2 * k2[:, None, None] * np.diag(np.multiply(MODEL.diffusivities, state))
    J, one = MODEL.symbol(k2, state).numpy(), np.eye(2)
    both = np.einsum("kij,ab->kiajb", J, one) + np.einsum("ij,kab->kiajb", one, J)
    return np.linalg.solve(both.reshape(-1, 4, 4), -kicks.reshape(-1, 4, 1)).reshape(J.shape)


def draw(u, k, seen, C, mean):
    """One run in space and time, and the spectrum of all runs against theory."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 4.3), dpi=150, layout="constrained")
    left, right = page.subplots(1, 2)
    image = left.imshow(u, origin="lower", aspect="auto", extent=(0, CELLS, 0, len(u)))
    left.set(xlabel="x [cells]", ylabel="time [life of u]", title="One run: stripes that come, go and wander")
    page.colorbar(image, ax=left, label="concentration u")
    half = slice(1, CELLS // 2)
    right.semilogy(k[half], seen[half] / mean, "o", ms=4, label="runs of the master equation")
    right.semilogy(k[half], C[half] / mean, "k-", lw=1, label="linear noise theory")
    right.axhline(1, color="0.6", ls=":", label="independent molecules")
    right.set(xlabel="k [1 / cell]", ylabel="S(k) / S of independent molecules")
    right.legend()
    return page


if __name__ == "__main__":
    for name, value in main(figure="43_stochastic_turing.png").items():
        print(f"{name:26} {value:.8g}")
