"""What is read off fields: against exact laws of the lattice, exact solutions, and known signals."""

import math

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import analysis

WALLS = ds.Neumann()
rng = np.random.default_rng(7)


# Fluxes


@pytest.mark.parametrize("law", ["plain", "scaled", "with decay"])
def test_divergence_of_the_flux_is_the_rate_of_change(law):
    """(1/Δx)ΔJ = −(A u + b) in every cell, and walls carry what inflow reports."""
    grid = ds.Grid((6, 5), (1.2, 2.0))
    walls = ds.Boundary(x=(ds.Dirichlet(1.5), ds.Robin(2.0, 0.3)), y=ds.Flux(0.4))
    base, u = ds.Diffusion(grid, walls, 0.7), rng.random((6, 5))
    op = {"plain": base, "scaled": 2.5 * base, "with decay": ds.models.Fick(0.7, decay=1.1).on(grid, walls)}[law]
    rate = {"plain": lambda: base(0.0, u), "scaled": lambda: 2.5 * base(0.0, u), "with decay": lambda: base(0.0, u)}[law]()
    Jx, Jy = analysis.flux(op, u)
    assert Jx.shape == (7, 5) and Jy.shape == (6, 6)
    divergence = np.diff(Jx, axis=0) / grid.dx[0] + np.diff(Jy, axis=1) / grid.dx[1]
    np.testing.assert_allclose(divergence, -np.asarray(rate), atol=1e-12)
    enters = analysis.inflow(op, u)
    np.testing.assert_allclose(enters["x-"], grid.dx[1] * np.sum(Jx[0]), rtol=1e-12)
    np.testing.assert_allclose(enters["y+"], -grid.dx[0] * np.sum(Jy[:, -1]), rtol=1e-12)
    np.testing.assert_allclose(sum(enters.values()), grid.integrate(rate), rtol=1e-12)


def test_cell_flux_of_a_linear_field_is_uniform():
    """J = −D∇u of u = 3x − 2y, between walls that hold the same plane."""
    grid = ds.Grid((8, 6), (2.0, 1.0))
    plane = ds.Dirichlet(lambda t, x, y: 3 * x - 2 * y)
    x, y = grid.coordinates()
    Jx, Jy = analysis.cell_flux(ds.Diffusion(grid, plane, 0.5), np.stack([3 * x - 2 * y] * 2))
    np.testing.assert_allclose(Jx, np.full((2, 8, 6), -1.5), rtol=1e-12)
    np.testing.assert_allclose(Jy, np.full((2, 8, 6), 1.0), rtol=1e-12)


def test_flux_is_continuous_across_layers_and_shells():
    """The same flux through every face: layers in series; a hollow sphere passes J r² = const."""
    layers = ds.Layers(D=(1.0, 0.1), at=(0.5,))
    grid = ds.Grid(10, 1.0)
    law = ds.models.Fick(layers).on(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0))))
    (J,) = analysis.flux(law, ds.solve(law, np.zeros(10), (0, 1e3), jit=False).final)
    np.testing.assert_allclose(J, 1 / (0.5 / 1.0 + 0.5 / 0.1), rtol=1e-10)
    shell = ds.RadialGrid(10, 1.0, inner=1.0, dimension=3)
    law = ds.models.Fick(0.3).on(shell, ds.Boundary(r=(ds.Dirichlet(1.0), ds.Dirichlet(0.0))))
    (J,) = analysis.flux(law, ds.solve(law, np.zeros(10), (0, 1e3), jit=False).final)
    flow = J * shell.axes[0].faces ** 2
    np.testing.assert_allclose(flow, flow[0], rtol=1e-10)


def test_porous_medium_reports_its_inflow():
    grid = ds.Grid(5, 1.0)
    law = ds.models.PorousMedium(2.0, 0.5).on(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Neumann())))
    enters = analysis.inflow(law, np.full(5, 0.2))
    np.testing.assert_allclose(enters["x-"], 0.5 * (1.0 - 0.04) / 0.1, rtol=1e-12)
    assert float(enters["x+"]) == 0.0


def test_permeation_gives_lag_and_diffusivity():
    """A7 through `solve`: the breakthrough curve, and lag = L²/6D to second order in Δx."""
    D, L, lags = 0.4, 1.5, []
    for n in (20, 40):
        grid = ds.Grid(n, L)
        law = ds.models.Fick(D).on(grid, ds.Boundary(x=(ds.Dirichlet(1.0), ds.Dirichlet(0.0))))
        ts = np.linspace(0, 3 * L**2 / D, 901)
        out = ds.SaveAt(ts=ts, fn=lambda t, u, law=law: -analysis.inflow(law, u, t)["x+"])
        sol = ds.solve(law, np.zeros(n), (0, ts[-1]), save=out, jit=False)
        found = analysis.permeation(sol.t, sol.y, L)
        lags.append(abs(found.lag - ds.reference.membrane.time_lag(L, D)))
    np.testing.assert_allclose(sol.y[1:], D / L * ds.reference.membrane.flux(D * ts[1:] / L**2), atol=3e-4)
    assert 1.8 < math.log2(lags[0] / lags[1]) < 2.2
    np.testing.assert_allclose([found.D, found.permeability], [D, D], rtol=2e-3)
    exact = ds.reference.membrane
    t = np.linspace(0, 2, 400)
    J, Q = (np.r_[0.0, f(t[1:])] for f in (exact.flux, exact.permeated))
    np.testing.assert_allclose(analysis.permeation(t, J, 1.0, Q=Q).lag, 1 / 6, atol=1e-7)
    np.testing.assert_allclose(analysis.permeation(t, J, 1.0).lag, 1 / 6, atol=1e-7)


def test_uptake_of_a_sheet_through_its_walls():
    """A5: what inflow lets in, integrated, is Crank's uptake; half a sheet closed in the middle."""
    grid = ds.Grid(100, 1.0)
    law = ds.models.Fick(1.0).on(grid, ds.Boundary(x=(ds.Neumann(), ds.Dirichlet(1.0))))
    sol = ds.solve(law, np.zeros(100), (0, 0.5), jit=False,
                   save=ds.SaveAt(ts=[0.1, 0.5], fn=lambda t, u: analysis.total(grid, u)))
    np.testing.assert_allclose(sol.y, ds.reference.bounded.uptake(np.array([0.1, 0.5])), rtol=2e-4)


def test_phase_of_a_diffusion_wave():
    """A10: below an oscillating wall the phase lags by x/√(2D/ω): read off a kymograph by Fourier projection."""
    D, omega = 0.5, 2 * math.pi
    grid = ds.Grid(160, 4.0)
    wall = ds.Boundary(x=(ds.Dirichlet(lambda t, x: tf.cos(omega * t)), ds.Neumann()))
    ts = np.arange(6, 8, 1 / 16)
    sol = ds.solve(ds.models.Fick(D).on(grid, wall), np.zeros(160), (0, 8), dt=1 / 64, save=ds.SaveAt(ts=ts), jit=False)
    image = analysis.kymograph(grid, sol.y)
    assert image.shape == (32, 160)
    phase = np.unwrap(np.angle(np.exp(1j * omega * ts) @ image))
    x = grid.coordinates()[0]
    near = x < 1.5
    slope = analysis.straight(x[near], phase[near]).slope
    np.testing.assert_allclose(slope, 1 / ds.reference.periodic.penetration_depth(D, omega), rtol=3e-3)


# Moments


def test_variance_on_the_lattice_grows_by_exactly_2Dt():
    """dC/dt = 2D for any Δx, per axis and, for a tensor, between them: exact for any Runge–Kutta method."""
    grid = ds.Grid((41, 31), (20.5, 15.5), (-10.25, -7.75))
    u0 = ds.initial.point(grid, (0.0, 0.0), mass=2.0, dtype=tf.float64)
    ts = np.array([0.2, 0.4, 0.6])
    law = ds.models.Fick((0.7, 0.2)).on(grid, WALLS)
    sol = ds.solve(law, u0, (0, 0.6), save=ds.SaveAt(ts=ts), jit=False)
    np.testing.assert_allclose(analysis.variance(grid, sol.y), 2 * ts[:, None] * [0.7, 0.2], rtol=1e-11)
    fit = analysis.diffusivity(ts, analysis.variance(grid, sol.y)[:, 0])
    np.testing.assert_allclose(fit.slope, 0.7, rtol=1e-11)
    assert abs(fit.intercept) < 1e-12 and fit.error < 1e-11
    np.testing.assert_allclose(analysis.total(grid, sol.y), 2.0, rtol=1e-13)
    tensor = ds.models.Fick(ds.Anisotropic([[2.0, 0.6], [0.6, 1.0]])).on(grid, WALLS)
    final = ds.solve(tensor, u0, (0, 0.2), dt=0.02, stepper=ds.Euler(), jit=False).final  # ten steps do not reach a wall
    np.testing.assert_allclose(analysis.covariance(grid, final), [[0.8, 0.24], [0.24, 0.4]], rtol=1e-12)


def test_moments_of_a_gaussian_and_of_ensembles():
    grid = ds.Grid((40, 60), (8.0, 12.0))
    at = [(3.6, 5.0), (4.4, 7.0)]
    u = np.stack([ds.initial.gaussian(grid, c, (0.5, 0.7), mass=3.0, dtype=tf.float64) for c in at])
    np.testing.assert_allclose(analysis.center(grid, u), at, atol=1e-6)
    np.testing.assert_allclose(analysis.variance(grid, u)[0], np.array([0.5, 0.7]) ** 2 + 0.2**2 / 12, rtol=1e-6)
    assert analysis.covariance(grid, u).shape == (2, 2, 2)


# Profiles


def test_lines_interpolate_or_average():
    grid = ds.Grid((4, 5, 6), (4.0, 5.0, 12.0), (1.0, 0.0, -6.0))
    x, y, z = grid.coordinates()
    u = 2 * x - y + 0.5 * z + np.zeros(grid.shape)
    where, values = analysis.line(grid, np.stack([u, 3 * u]), axis=1, at=(2.75, 1.1))
    np.testing.assert_allclose(values[1], 3 * (5.5 - y.ravel() + 0.55))
    np.testing.assert_allclose(where, y.ravel())
    np.testing.assert_allclose(analysis.line(grid, u, axis=2)[1], 6.0 - 2.5 + 0.5 * z.ravel())
    s, values = analysis.segment(grid, u, (1.5, 1.0, -4.0), (4.0, 4.0, 4.0), n=7)
    ends = np.linspace([1.5, 1.0, -4.0], [4.0, 4.0, 4.0], 7)
    np.testing.assert_allclose(values, ends @ [2, -1, 0.5])
    np.testing.assert_allclose(s[-1], math.sqrt(2.5**2 + 9 + 64))


def test_lines_are_level_beyond_the_outermost_centres():
    grid = ds.Grid((2, 2), (2.0, 2.0))
    u = np.array([[1.0, 3.0], [5.0, 9.0]])
    np.testing.assert_allclose(analysis.line(grid, u, 0, at=0.0)[1], [1.0, 5.0])
    np.testing.assert_allclose(analysis.line(grid, u, 0, at=2.0)[1], [3.0, 9.0])
    np.testing.assert_allclose(analysis.segment(grid, u, (0.0, 0.0), (2.0, 2.0), n=3)[1], [1.0, 4.5, 9.0])


def test_radial_profile_of_a_radial_field():
    grid = ds.Grid((60, 80), (6.0, 8.0), (-3.0, -4.0))
    x, y = grid.coordinates()
    u = np.exp(-(x**2 + y**2))
    r, mean = analysis.radial(grid, np.stack([u, 2 * u]), (0.0, 0.0))
    assert r[-1] < 3.0 and np.all(np.diff(r) > 0)
    np.testing.assert_allclose(mean[0], np.exp(-(r**2)), atol=3e-3)
    np.testing.assert_allclose(mean[1], 2 * mean[0])
    r, mean = analysis.radial(grid, u, (0.0, 0.0), bins=4)
    assert r.shape == (4,)
    inner = np.hypot(x, y) < 0.75
    np.testing.assert_allclose(mean[0], u[inner].mean())


def test_front_is_found_between_cells():
    grid = ds.Grid((50, 3), (10.0, 1.0))
    x = grid.coordinates()[0]
    u = np.stack([np.clip(5.0 - x / c, -1, 1) * np.ones(grid.shape) for c in (1.0, 1.3)])
    np.testing.assert_allclose(analysis.front(grid, u, 0.25), [4.75, 4.75 * 1.3])
    assert math.isnan(float(analysis.front(grid, u[0], 2.0)))


# Spectra


@pytest.mark.parametrize("shape", [(64,), (32, 48), (12, 16, 10)])
def test_spectrum_holds_the_variance(shape):
    """Parseval: Σ S/V = ⟨(u − ū)²⟩, and white noise of unit cells is flat, S = variance × cell volume."""
    grid = ds.Grid(shape, tuple(0.3 * n for n in shape))
    u = rng.normal(1.0, 2.0, (200, *shape))
    k, S = analysis.spectrum.power(grid, u)
    V = math.prod(grid.size)
    axes = tuple(range(1, 1 + len(shape)))
    np.testing.assert_allclose(np.sum(S, axes) / V, u.var(axes), rtol=1e-10)
    q, shells = analysis.structure_factor(grid, u)
    assert q[0] == pytest.approx(2 * math.pi / max(grid.size), rel=0.5) and k.shape == shape
    mean = np.mean(shells, axis=0)
    assert abs(mean / (4.0 * 0.3 ** len(shape)) - 1).max() < 5 * math.sqrt(2 / 400)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_wavelengths_of_plane_waves(dtype):
    grid = ds.Grid((64, 32), (16.0, 8.0))
    x, y = grid.coordinates()
    stripes = np.stack([np.cos(2 * np.pi * x / 2) + 0 * y, np.cos(2 * np.pi * (3 * x / 16 + 2 * y / 8))])
    u = tf.constant(5.0 + 0.1 * stripes, dtype)
    expected = [2.0, 1 / math.hypot(3 / 16, 2 / 8)]
    np.testing.assert_allclose(analysis.mean_wavelength(grid, u), expected, rtol=1e-3 if dtype == tf.float32 else 1e-12)
    np.testing.assert_allclose(analysis.dominant_wavelength(grid, u), expected, rtol=0.03)
    k, S = analysis.structure_factor(grid, u)
    np.testing.assert_allclose(2 * np.pi / k[np.argmax(S[0])], 2.0, rtol=0.03)


def test_spectra_decay_as_the_heat_kernel():
    """S(k, t) = S(k, 0) e^{−2Dk²t} for the spectral Laplacian, mode by mode, reduced on the device in a compiled run."""
    grid = ds.Grid((16, 16), (2.0, 2.0))
    law = ds.Equation(linear=0.05 * ds.SpectralLaplacian(grid, ds.Periodic()))
    u0 = rng.random((16, 16))
    sol = ds.solve(law, u0, (0, 0.3), jit=False,
                   save=ds.SaveAt(ts=[0.0, 0.3], fn=lambda t, u: analysis.spectrum.power(grid, u)[1]))
    k, S = analysis.spectrum.power(grid, u0)
    low = (k > 0) & (k < 8 * np.pi)  # the highest modes are their own mirror images
    np.testing.assert_allclose(sol.y[1].numpy()[low], (S * np.exp(-0.03 * k**2)).numpy()[low], rtol=1e-9, atol=1e-14)


# Fits


def test_fits_recover_their_laws_and_errors():
    h = 2.0 ** -np.arange(4, 9)
    assert analysis.order(h, 3 * h**2).slope == pytest.approx(2.0, abs=1e-12)
    t = np.linspace(0, 3, 30)
    fit = analysis.growth_rate(t, -0.2 * np.exp(0.7 * t))
    assert fit.slope == pytest.approx(0.7) and math.exp(fit.intercept) == pytest.approx(0.2)
    fit = analysis.power_law(t[1:], 1.5 * t[1:] ** (1 / 3))
    assert fit.slope == pytest.approx(1 / 3) and math.exp(fit.intercept) == pytest.approx(1.5)
    slopes, errors = zip(*[(f.slope, f.error) for f in (analysis.straight(t, 2 * t + rng.normal(0, 0.1, 30))
                                                        for _ in range(2000))], strict=True)
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.08)  # 5σ of a standard deviation from 2000 draws
    assert math.isnan(analysis.straight([0, 1], [0, 1]).error)


# Refusals

BOX = ds.Grid((4, 4), (1.0, 1.0))
FIELD = np.ones((4, 4))
TIMES = np.linspace(0, 1, 11)


@pytest.mark.parametrize(("call", "names"), [
    (lambda: analysis.flux(ds.models.FisherKPP(D=0.0).on(BOX, WALLS), FIELD), "law"),
    (lambda: analysis.flux(2.0, FIELD), "law"),
    (lambda: analysis.permeation(TIMES, TIMES, 1.0), "J="),
    (lambda: analysis.permeation(-TIMES, TIMES, 1.0), "t="),
    (lambda: analysis.permeation(TIMES, np.ones(11), 0.0), "L="),
    (lambda: analysis.line(BOX, FIELD, axis=2), "axis"),
    (lambda: analysis.line(BOX, FIELD, at=(0.5, 0.5)), "at="),
    (lambda: analysis.line(BOX, FIELD, at=1.5), "position"),
    (lambda: analysis.segment(BOX, FIELD, (0.5,), (0.5, 0.5)), "start"),
    (lambda: analysis.radial(BOX, FIELD, (1.5, 0.5)), "center"),
    (lambda: analysis.radial(BOX, FIELD, (0.5,)), "center"),
    (lambda: analysis.kymograph(BOX, FIELD), "records"),
    (lambda: analysis.center(ds.RadialGrid(4, 1.0), np.ones(4)), "grid"),
    (lambda: analysis.structure_factor(ds.RadialGrid(4, 1.0), np.ones(4)), "grid"),
    (lambda: analysis.variance(BOX, np.ones((4, 5))), "u="),
    (lambda: analysis.order([0.1, 0.2], [0.0, 1.0]), "error"),
    (lambda: analysis.straight([1.0, 1.0], [0.0, 1.0]), "x="),
    (lambda: analysis.straight([1.0, 2.0, 3.0], [0.0, 1.0]), "y="),
    (lambda: analysis.straight([1.0, float("nan")], [0.0, 1.0]), "x="),
])
def test_bad_input_is_refused(call, names):
    with pytest.raises((ValueError, TypeError), match=names) as error:
        call()
    assert all(part in str(error.value) for part in ("expected", "because", ". "))
