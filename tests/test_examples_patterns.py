"""The examples of patterns run, and their numbers are those of theory or of independent computations."""


import numpy as np
import pytest

import diffsim as ds
from tests.running import load


def test_turing_onset(run):
    numbers = run("30_turing_onset")
    assert numbers["critical Dv"] == pytest.approx(8.5676274578, abs=1e-10)
    assert numbers["critical wavelength"] == pytest.approx(10.7496670209, abs=1e-9)
    assert numbers["growth in the run"] == pytest.approx(numbers["growth in theory"], rel=1e-5)
    assert abs(numbers["half waves seen"] - numbers["half waves in theory"]) <= 1


def test_pearson_map(run):
    """Four classes as Pearson names them; where nothing varies, v is that of a steady state."""
    numbers = run("31_pearson_map")
    assert [numbers[f"{name} is"] for name in ("labyrinth", "spots", "holes", "chaos")] == [1.0] * 4
    assert numbers["off a steady state"] < 0.005
    assert sum(n for name, n in numbers.items() if name.startswith("pairs")) == 16
    assert 9 <= numbers["pairs with homogeneous"] <= 12


def test_bz_spirals(run):
    """Rigid rotation at a period that a larger box leaves as it is, seen at the tip and from afar."""
    numbers = run("32_bz_spirals")
    assert numbers["small wobble"] < 0.02
    assert numbers["flower wobble"] > 0.2
    assert numbers["large period"] == pytest.approx(numbers["small period"], rel=1e-5)
    assert numbers["passing period"] == pytest.approx(numbers["small period"], rel=1e-3)
    assert numbers["small period"] == pytest.approx(3.0845, rel=2e-3)  # as with finer steps
    assert numbers["waves"] == 1.0


def test_coarsening(run):
    """Energy falls, the mean stays, and the exponent is on its way to ⅓ from below."""
    numbers = run("33_coarsening")
    assert numbers["drift"] < 1e-6
    assert numbers["rise"] < 0
    assert 0.27 < numbers["length exponent"] < 0.36
    assert numbers["energy exponent"] == pytest.approx(-numbers["length exponent"], abs=0.03)


def test_fisher_front(run):
    """Extrapolated to 2e-4 of the lattice's speed already at t = 150."""
    numbers = run("34_fisher_front")
    for name, speed in (("exact time", 2.0200893099), ("Euler", 1.8372958528)):
        assert numbers[f"{name} lattice"] == pytest.approx(speed, abs=1e-9)
        assert numbers[f"{name} speed"] == pytest.approx(speed, abs=2e-4)
        assert numbers[f"{name} as it is"] < speed - 5e-3
    assert numbers["flat speed"] == pytest.approx(numbers["flat lattice"], abs=1e-4)
def test_theory_of_stochastic_turing():
    """Its spectrum solves Lyapunov's equation wave by wave, by SciPy, where no wave grows without noise."""
    from scipy.linalg import solve_continuous_lyapunov

    example = load("43_stochastic_turing")
    model, k2 = example.MODEL, np.linspace(0.0, 4.0, 33)
    (u, v) = state = model.steady_states()[0]
    C, J = example.covariance(state, k2), model.symbol(k2, state).numpy()
    assert np.linalg.eigvals(J).real.max() < 0
    fires = np.array([1.5, 2.2 * u, u * u * v, u])  # ∅ → u, u → v, 2u + v → 3u, u → ∅
    nu = np.array([[1, -1, 1, -1], [0, 1, -1, 0]])
    for k, j, c in zip(k2, J, C, strict=True):
        Q = (nu * fires) @ nu.T + 2 * k * np.diag([u, 8 * v])
        np.testing.assert_allclose(c, solve_continuous_lyapunov(j, -Q), rtol=1e-9)
    assert C[:, 0, 0].max() / u > 5 and abs(k2[np.argmax(C[:, 0, 0])] - 1.5 / 8**0.5) < 0.2


@pytest.mark.slow
def test_stochastic_turing(run):
    """Noise alone makes a peak fifteen times what independent molecules give, as linear theory has it."""
    numbers = run("43_stochastic_turing")
    assert numbers["fastest growth by rates"] < 0  # no pattern without noise
    assert numbers["wavelength"] == pytest.approx(2 * np.pi * (8**0.5 / 1.5) ** 0.5, rel=0.12)
    assert numbers["peak in theory"] > 5
    assert numbers["peak seen"] == pytest.approx(numbers["peak in theory"], rel=0.35)
    assert numbers["seen/theory"] == pytest.approx(1.0, abs=0.15)


def test_stochastic_patterns(run):
    """The structure factor of linear theory: 128 spectra near the peak agree to a few percent, all waves to two."""
    numbers = run("35_stochastic_patterns")
    assert numbers["wavelength"] == pytest.approx(10.7, abs=0.3)
    assert numbers["peak seen"] == pytest.approx(numbers["peak in theory"], rel=0.15)
    assert numbers["seen/theory"] == pytest.approx(1.0, abs=0.02)  # ETD1 is of order 1 in the reaction


def test_growing_domain(run):
    """A peak where there was half of one: the number doubles with the length, and matter is kept."""
    numbers = run("36_growing_domain")
    assert [numbers[f"peaks at {n} L"] for n in (2, 4, 8)] == [2, 4, 8]
    assert numbers["matter off"] < 1e-13


def test_gray_scott_3d(run):
    """Against Euler's method in NumPy, in double precision."""
    numbers = run("37_gray_scott_3d")
    grid = ds.Grid(shape=(32, 32, 32), size=0.3125)
    u, v = (a.numpy().astype(float) for a in ds.initial.patches(grid, patch=(0.5, 0.25), count=1, key=ds.key(4)))

    def spread(a):
        return (sum(np.roll(a, s, axis) for s in (-1, 1) for axis in range(3)) - 6 * a) / grid.dx[0] ** 2

    for _ in range(400):
        made = u * v * v
        u, v = (u + 0.75 * (2e-5 * spread(u) - made + 0.037 * (1 - u)),
                v + 0.75 * (1e-5 * spread(v) + made - 0.097 * v))
    assert numbers["u"] == pytest.approx(u.mean(), rel=1e-4)
    assert numbers["v"] == pytest.approx(v.mean(), rel=1e-4)
    assert numbers["filled"] == pytest.approx((v > 0.2).mean(), abs=1e-3)
    assert numbers["wavelength"] == pytest.approx(float(ds.analysis.mean_wavelength(grid, v)), rel=1e-3)
