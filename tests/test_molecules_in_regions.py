"""Molecules in regions with walls, against densities: surfaces and their parts, pairs in the plane and in a ball. 5σ."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import brentq

import diffsim as ds
from diffsim.particles import Doi, Molecules, Pool, Surface

pytestmark = pytest.mark.slow


def left(law, y0, t, steps, key=5):
    """How many there are of each species at the end."""
    final = ds.solve(law, y0, (0, t), dt=t / steps, key=ds.key(key), jit=False).final
    return law.count(0.0, final).numpy()


def near(p, expected, n, bias=0.0):
    return abs(p - expected) < 5 * np.sqrt(expected * (1 - expected) / n) + bias


def in_a_ball(kappa, D, t, R):
    """What is left of molecules that begin uniform: Σ 6h²/(β²(β² + h(h − 1))) e^{−β²Dt/R²}, β cot β = 1 − h, h = κR/D."""
    h = kappa * R / D
    beta = [brentq(lambda b: b * np.cos(b) - (1 - h) * np.sin(b), j * np.pi + 1e-9, (j + 1) * np.pi) for j in range(40)]
    b2 = np.square(beta)
    return np.sum(6 * h**2 / (b2 * (b2 + h * (h - 1))) * np.exp(-b2 * D * t / R**2))


def test_a_ball_whose_halves_make_different_things():
    """Crank, 6.40: all of A that is left; what became B and C of halves with one κ are equal; half of κ leaves more."""
    D, kappa, R, t, n = 0.8, 1.5, 1.2, 0.25, 40_000
    up, down = (Surface(f"A -> {s} @ {kappa}", port=ds.HalfSpace(0.0, (0, 0, z))) for s, z in (("B", -1.0), ("C", 1.0)))
    law = Molecules.of(D={"A": D, "B": 0.1, "C": 0.1}, region=ds.Ball((0.0,) * 3, R), surfaces=(up, down))
    exact = in_a_ball(kappa, D, t, R)
    a, b, c = left(law, law.fill({"A": n}, n, ds.key(1)), t, 25)
    assert a + b + c == n
    assert near(a / n, exact, n, bias=2e-3)
    assert not near(a / n, in_a_ball(kappa / 2, D, t, R), n, bias=2e-3)
    assert near(b / (b + c), 0.5, b + c)


def test_a_part_of_a_side():
    """κ on .3 < x < .8 of the lower side of a box, against the density, whose side has the same κ face by face."""
    D, kappa, t, n, size = 0.3, 1.2, 0.4, 40_000, (1.0, 0.5)
    port = Surface(f"A -> 0 @ {kappa}", port=ds.Box((0.3, -0.1), (0.8, 0.1)))
    law = Molecules.of(D={"A": D}, region=ds.Box((0.0, 0.0), size), surfaces=(port,))
    grid = ds.Grid((60, 30), size)
    x = grid.axes[0].centers
    on = ds.Robin(np.where((x > 0.3) & (x < 0.8), kappa, 0.0))
    walls = ds.Boundary(x=ds.Neumann(), y=(on, ds.Neumann()))
    u = ds.solve(ds.Equation(linear=ds.Diffusion(grid, walls, D)), np.ones((60, 30)), (0, t), dt=t / 100, jit=False)
    exact = u.final.numpy().mean()
    seen = left(law, law.fill({"A": n}, n, ds.key(2)), t, 100)[0] / n
    assert near(seen, exact, n, bias=3e-3)
    assert not near(seen, 1 - (1 - exact) * 0.8, n, bias=3e-3)


def test_pairs_in_the_plane():
    """One A and one B on a torus: the density of their distance is lost at the rate λ = k/πR² where r < R."""
    R, k, D, L, t, n = 0.25, 1.0, 0.4, 1.0, 0.5, 20_000
    law = Molecules.of(
        "A + B -> B @ 1.0", D={"A": 0.3, "B": 0.1}, region=ds.Box((0.0, 0.0), (L, L)), boundary=ds.Periodic(),
        kinetics=Doi(R),
    )
    m, steps = 96, 200
    x = (np.arange(m) + 0.5) / m * L - L / 2
    rate = np.where(x[:, None] ** 2 + x**2 < R**2, 1.0, 0.0)
    rate *= k * (m / L) ** 2 / rate.sum()
    q2 = (2 * np.pi * np.fft.fftfreq(m, L / m)) ** 2
    decay, u = np.exp(-D * (q2[:, None] + q2) * t / steps), np.ones((m, m))
    for _ in range(steps):
        u = u * np.exp(-rate * t / steps / 2)
        u = np.fft.ifft2(decay * np.fft.fft2(u)).real * np.exp(-rate * t / steps / 2)
    seen = [left(law, law.fill({"A": 1, "B": 1}, 2, ds.key(3), boxes=(n,)), t, steps)[:, 0].mean() for steps in (25, 100)]
    assert near(seen[1], u.mean(), n, bias=2e-3) and near(seen[0], u.mean(), n, bias=6e-3)
    assert not near(seen[1], np.exp(-k * t / L**2), n, bias=2e-3)  # as if they were well mixed


def test_pairs_in_a_ball():
    """B rests in the middle: the radial density of A, lost at the rate λ where r < R, nothing through the wall."""
    R, k, D, size, t, n = 0.3, 1.2, 0.5, 1.0, 0.8, 20_000
    law = Molecules.of("A + B -> B @ 1.2", D={"A": D, "B": 0.0}, region=ds.Ball((0.0,) * 3, size), kinetics=Doi(R))
    m = 300
    faces = np.linspace(0, size, m + 1)
    area, volume, dr = faces**2, np.diff(faces**3) / 3, size / m
    flow = D * area[1:-1] / dr
    A = np.diag(np.where(faces[1:] <= R + 1e-9, -Doi(R).rate(3, k, D), 0.0))
    i = np.arange(m - 1)
    A[i, i] -= flow / volume[:-1]
    A[i, i + 1] += flow / volume[:-1]
    A[i + 1, i + 1] -= flow / volume[1:]
    A[i + 1, i] += flow / volume[1:]
    u = np.linalg.matrix_power(np.linalg.inv(np.eye(m) - A * t / 2000), 2000) @ np.ones(m)
    exact = (volume @ u) / volume.sum()
    start = Molecules.of(D={"A": D}, region=law.region).fill({"A": n}, n, ds.key(4)).x
    x0 = tf.stack([start, tf.zeros_like(start)], 1)
    kind = tf.tile(tf.constant([[law.species.index("A"), law.species.index("B")]], x0.dtype), [n, 1])
    seen = left(law, Pool(x0, kind), t, 160)[:, law.species.index("A")].mean()
    assert near(seen, exact, n, bias=4e-3)
    assert not near(seen, np.exp(-k * t / (4 / 3 * np.pi * size**3)), n, bias=4e-3)
