"""Phase fields, convection and flames: energies, conservation, growth, amplitudes and laws of motion."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds

M = ds.models
GRID = ds.Grid((12, 10), (9.0, 7.0))
ROUGH = np.random.default_rng(3).normal(size=GRID.shape)


def lattice(grid, k, axis=0):
    """k̂² = (2/Δx)² sin²(kΔx/2), the eigenvalue of −Δ."""
    return (2 / grid.dx[axis] * np.sin(k * grid.dx[axis] / 2)) ** 2


@pytest.mark.parametrize("walls", [ds.Periodic(), ds.Neumann()], ids=["periodic", "closed"])
@pytest.mark.parametrize("model", [M.AllenCahn(0.7, D=1.3), M.CahnHilliard(0.8, 1.3), M.SwiftHohenberg(0.3, 0.5, 0.9)],
                         ids=lambda m: type(m).__name__)
def test_the_law_is_the_gradient_flow_of_its_energy(model, walls):
    """rate = −D δE/δu, MΔ δE/δc, −δE/δu, with δE/δuᵢ = ∂E/∂uᵢ / V by automatic differentiation, to round-off."""
    u = tf.constant(ROUGH)
    with tf.GradientTape() as tape:
        tape.watch(u)
        E = model.energy(GRID, walls, u)
    force = tape.gradient(E, u) / GRID.volume().max()
    if isinstance(model, M.CahnHilliard):
        expected = model.M * ds.Laplacian(GRID, walls).apply(force)
    else:
        expected = -getattr(model, "D", 1.0) * force
    law = model.on(GRID, walls).of_state(u)
    np.testing.assert_allclose(law.rate(tf.constant(0.0, tf.float64), u), expected, atol=1e-12 * abs(expected).numpy().max())


def test_allen_cahn_energy_knows_walls_that_pull():
    walls = ds.Boundary(x=(ds.Neumann(0.4), ds.Dirichlet(0.5)), y=ds.Periodic())
    model, u = M.AllenCahn(0.9), tf.constant(ROUGH)
    with tf.GradientTape() as tape:
        tape.watch(u)
        E = model.energy(GRID, walls, u)
    force = tape.gradient(E, u) / GRID.volume().max()
    np.testing.assert_allclose(model.on(GRID, walls).of_state(u).rate(tf.constant(0.0, tf.float64), u), -force, atol=1e-11)


def test_allen_cahn_ball_shrinks_by_its_curvature():
    """R² = R₀² − 4Dt in space to O(ε²), twice as fast as a disc; the volume inside measures R."""
    eps, D, R0, T = 0.03, 0.5, 0.6, 0.06
    grid = ds.RadialGrid(160, 1.0, dimension=3)
    (r,) = grid.coordinates()
    law = M.AllenCahn(eps, D).on(grid, ds.Neumann())
    fn = ds.SaveAt(ts=[T / 4, T], fn=lambda t, u: grid.integrate(1 + u) / 2)
    sol = ds.solve(law, np.tanh((R0 - r) / (np.sqrt(2) * eps)), (0, T), dt=5e-4, save=fn)
    R = (3 * np.asarray(sol.y) / (4 * np.pi)) ** (1 / 3)
    assert (R[0] ** 2 - R[1] ** 2) / (0.75 * T) == pytest.approx(4 * D, rel=0.02)


@pytest.mark.parametrize(("model", "growth"), [
    (M.CahnHilliard(0.8, 1.3), lambda q: 1.3 * q * (1 - 0.64 * q)),
    (M.SwiftHohenberg(0.1, 0.2, 0.9), lambda q: 0.1 - (0.81 - q) ** 2),
    (M.KuramotoSivashinsky(0.7), lambda q: q - 0.7 * q**2),
], ids=lambda m: type(m).__name__)
def test_small_waves_grow_at_the_rate_of_the_symbol(model, growth):
    """1e-8 high, exact lattice wavenumber, to 1e-5."""
    grid = ds.Grid(24, 8.0)
    mode = np.cos(2 * np.pi * grid.coordinates()[0] / 8)
    q = lattice(grid, 2 * np.pi / 8)
    sol = ds.solve(model.on(grid, ds.Periodic()), 1e-8 * mode, (0.0, 2.0), stepper=ds.ETDRK4(), dt=0.05)
    rate = np.log(np.vdot(mode, sol.final) / np.vdot(mode, 1e-8 * mode)) / 2
    assert rate == pytest.approx(growth(q), abs=1e-5)
    assert float(model.symbol(q, 0.0)[0, 0]) == pytest.approx(growth(q), rel=1e-12)


@pytest.mark.parametrize(("stepper", "dt"), [(ds.IMEX(), 0.5), (ds.ETD1(), 2.0)],
                         ids=lambda v: type(v).__name__)
def test_an_alloy_parts_with_falling_energy_and_a_constant_mean(stepper, dt):
    """At steps 16 and 64 times beyond what explicit steps allow; the mean to round-off, the energy at every step."""
    grid, model = ds.Grid((24, 24), (24.0, 24.0)), M.CahnHilliard()
    c0 = 0.1 + 0.2 * np.random.default_rng(5).normal(size=grid.shape)
    save = ds.SaveAt(every=1, fn=lambda t, c: tf.stack([model.energy(grid, ds.Neumann(), c), tf.reduce_mean(c)]))
    sol = ds.solve(model.on(grid, ds.Neumann()), c0, (0.0, 100.0), stepper=stepper, dt=dt, save=save)
    energy, mean = np.asarray(sol.y).T
    assert np.all(np.diff(energy) < 1e-12 * energy[0]) and energy[-1] < 0.55 * energy[0]
    assert abs(mean - c0.mean()).max() < 1e-13
    assert 0.9 < np.max(sol.final) < 1.1


def test_stripes_have_their_amplitude():
    """2√(r/3)(1 + O(r)) for k̂ = q, and the energy falls while they form."""
    n, r = 16, 0.1
    grid = ds.Grid(2 * n, 2 * n * 2 * np.sin(np.pi / n))
    assert lattice(grid, 2 * np.pi / (n * grid.dx[0])) == pytest.approx(1.0)
    model, mode = M.SwiftHohenberg(r), np.cos(2 * np.pi * (np.arange(2 * n) + 0.5) / n)
    save = ds.SaveAt(every=20, fn=lambda t, u: model.energy(grid, ds.Periodic(), u))
    sol = ds.solve(model.on(grid, ds.Periodic()), 0.02 * mode, (0.0, 150.0), stepper=ds.ETDRK4(), dt=0.5, save=save)
    amplitude = np.vdot(mode, sol.final) / n
    assert amplitude == pytest.approx(2 * np.sqrt(r / 3), rel=1e-3)
    assert np.all(np.diff(sol.y) <= 1e-12)


def test_flames_advance_by_their_slopes_and_are_bounded():
    """The mean of h falls at ½⟨|∇h|²⟩, by the discrete identity; chaos saturates near rms slope 1.3."""
    grid = ds.Grid(128, 64.0)
    law = M.KuramotoSivashinsky().on(grid, ds.Periodic())
    h = np.cos(2 * np.pi * 3 * grid.coordinates()[0] / 64)
    slope = (np.roll(h, -1) - h) / grid.dx[0]
    np.testing.assert_allclose(np.mean(law.drift(0.0, tf.constant(h))), -np.mean(slope**2) / 2, rtol=1e-12)
    np.testing.assert_allclose(law.drift(0.0, tf.constant(h + 1e6)), law.drift(0.0, tf.constant(h)), atol=1e-8)

    def rms(t, h):
        return tf.sqrt(tf.reduce_mean(((tf.roll(h, -1, 0) - h) / grid.dx[0]) ** 2))

    sol = ds.solve(law, 0.1 * h + 0.01 * np.sin(grid.coordinates()[0] * np.pi / 32), (0.0, 200.0), dt=0.1,
                   stepper=ds.ETDRK4(), save=ds.SaveAt(every=10, fn=rms))
    assert np.mean(np.asarray(sol.y)[-100:]) == pytest.approx(1.3, abs=0.2)


@pytest.mark.parametrize(("law", "name"), [
    (M.SwiftHohenberg, "r"), (M.CahnHilliard, "eps"), (M.KuramotoSivashinsky, "nu"), (M.GinzburgLandau, "alpha"),
], ids=lambda v: getattr(v, "__name__", v))
def test_sweeps_are_runs_side_by_side(law, name):
    """A parameter with leading axes gives what each of its values gives alone."""
    grid, values = ds.Grid(16, 10.0), np.array([[0.8], [1.1]])
    start = 0.1 * np.cos(2 * np.pi * grid.coordinates()[0] / 10) * (1 + 0j if law is M.GinzburgLandau else 1)

    def run(value, y0):
        built = law(**{name: value}).on(grid, ds.Periodic())
        return np.asarray(ds.solve(built, y0, (0.0, 0.5), dt=0.1, stepper=ds.ETDRK4(), jit=False).final)

    both = run(values, np.stack([start, start]))
    np.testing.assert_allclose(both[1], run(1.1, start), rtol=1e-13, atol=1e-15)
    assert abs(both[1] - both[0]).max() > 1e-4


def test_an_alloy_in_a_ball_keeps_its_mean():
    grid = ds.RadialGrid(24, 12.0, dimension=3)
    c0 = 0.3 * np.cos(grid.coordinates()[0])
    final = ds.solve(M.CahnHilliard().on(grid, ds.Neumann()), c0, (0.0, 20.0), dt=0.2, stepper=ds.IMEX(), jit=False).final
    np.testing.assert_allclose(grid.mean(final), grid.mean(c0), rtol=1e-12)


@pytest.mark.slow
def test_an_alloy_coarsens_as_the_cube_root_of_time():
    """Interfaces, hence the energy, shrink as t^−⅓ late (Lifshitz–Slyozov)."""
    grid, model = ds.Grid((256, 256), (256.0, 256.0)), M.CahnHilliard()
    c0 = 0.1 * np.random.default_rng(1).normal(size=grid.shape)
    ts = np.geomspace(400.0, 4000.0, 12)
    save = ds.SaveAt(ts=ts, fn=lambda t, c: model.energy(grid, ds.Periodic(), c))
    sol = ds.solve(model.on(grid, ds.Periodic()), c0 - c0.mean(), (0.0, 4000.0), stepper=ds.IMEX(), dt=1.0, save=save)
    slope = np.polyfit(np.log(ts), np.log(sol.y), 1)[0]
    assert slope == pytest.approx(-1 / 3, abs=0.04)
