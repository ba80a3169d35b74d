"""The examples run, and their numbers are those of exact solutions or of independent computations."""

import inspect
import runpy
from pathlib import Path

import numpy as np
import pytest

import diffsim as ds
from tests.running import FOLDER, load

NAMES = sorted(p.stem for p in FOLDER.glob("[0-9]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_form(name):
    lines = (FOLDER / f"{name}.py").read_text(encoding="utf8").splitlines()
    assert len(lines) <= 75
    assert max(map(len, lines)) <= 110
    assert lines[0].startswith('"""')
    parameters = inspect.signature(load(name).main).parameters
    assert [(p.name, p.default) for p in parameters.values()] == [("fast", False), ("figure", None)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_figure(name, tmp_path, monkeypatch):
    """As a script an example prints its numbers and saves a figure that is not blank."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert pyplot.imread(tmp_path / f"{name}.png")[..., :3].std() > 0.02
    pyplot.close("all")


def test_quickstart(run):
    fast, fine = run("00_quickstart"), run("00_quickstart", fast=False)
    for d in ("1-D", "2-D", "3-D"):
        assert fast[f"{d} growth"] == pytest.approx(2 * 0.1 * 0.5, abs=1e-8)  # exact on the lattice
        assert fast[f"{d} error"] < 0.015
        assert fast[f"{d} error"] / fine[f"{d} error"] == pytest.approx(4.0, rel=0.15)


def test_first_law(run):
    numbers = run("01_first_law")
    assert numbers["J at 0.1"] == pytest.approx(ds.reference.membrane.flux(0.1), rel=2e-4)
    assert numbers["lag"] == pytest.approx(ds.reference.membrane.time_lag(1e-4, 1e-10), rel=2e-4)
    discs = ds.reference.mixtures.square_array_of_discs(0.3)
    assert numbers["filled"] == pytest.approx(discs, rel=0.02)  # the grid draws them as squares


def test_layers_and_interfaces(run):
    numbers = run("02_layers_and_interfaces")
    assert numbers.pop("steady") < 1e-10
    assert abs(numbers.pop("rate")) < 3e-3
    assert set(numbers) == {"perfect contact", "K = 2", "K = 2, R = 1"}
    assert max(numbers.values()) < 1.5e-3


def test_robin_cooling(run):
    numbers = run("03_robin_cooling")
    for name, d in (("plate", 1), ("ball", 3)):
        mean = 20 + 80 * ds.reference.bounded.cooling_mean(1.0, Bi=1.0, d=d)
        assert numbers[f"{name} mean"] == pytest.approx(mean, abs=0.005)
        assert numbers[f"{name} error"] < 0.01


def test_radial_uptake(run):
    numbers = run("04_radial_uptake")
    assert len(numbers) == 9
    for d, name in enumerate(("sheet", "cylinder", "sphere"), 1):
        for t in (0.01, 0.1, 0.5):
            assert numbers[f"{name} {t:g}"] == pytest.approx(ds.reference.bounded.uptake(t, d), rel=1e-3)


def test_anisotropic_and_images(run):
    numbers = run("05_anisotropic_and_images")
    assert [numbers[q] for q in ("xx", "xy", "yy")] == pytest.approx([2.0, 0.6, 1.0], abs=5e-6)
    assert numbers["harmonic"] < numbers["effective"] < numbers["arithmetic"]
    assert numbers["effective"] == pytest.approx(photograph(), rel=1e-5)


def photograph():
    """Effective D of the photograph, by a sparse direct solution of the balance of every pixel."""
    import matplotlib.cbook
    import tensorflow as tf
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    file = tf.io.read_file(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    bright = tf.io.decode_jpeg(file).numpy()[::-1] @ np.array([0.2126, 0.7152, 0.0722]) / 255
    D = 0.1 + bright.T.reshape(64, 8, 75, 8).mean(axis=(1, 3))
    number = np.arange(D.size).reshape(D.shape)
    rows, columns, values, total = [], [], [], np.zeros(D.shape)
    for low, high in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        k = 2 / (1 / D[low] + 1 / D[high])
        total[low] += k
        total[high] += k
        rows += [number[low].ravel(), number[high].ravel()]
        columns += [number[high].ravel(), number[low].ravel()]
        values += [-k.ravel()] * 2
    source = np.zeros(D.shape)
    total[0] += 2 * D[0]
    total[-1] += 2 * D[-1]
    source[0] = 2 * D[0]
    values, rows, columns = (np.concatenate([*parts, diagonal.ravel()]) for parts, diagonal in
                             ((values, total), (rows, number), (columns, number)))
    A = sparse.csc_matrix((values, (rows, columns)))
    c = spsolve(A, source.ravel()).reshape(D.shape)
    return (2 * D[0] * (1 - c[0])).mean() * 64


def test_hillslope(run):
    """Against the cosine transform with the decay rates of the lattice."""
    import matplotlib.cbook
    from scipy.fft import dctn, idctn

    numbers = run("06_hillslope")
    with np.load(matplotlib.cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as dem:
        z0 = dem["elevation"][::-1].T[:128, :128].astype(float)
        dy = 111_200 * dem["dy"]
        dx = 111_200 * dem["dx"] * np.cos(np.radians((dem["ymin"] + dem["ymax"]) / 2))
    s = 4 * np.sin(np.arange(128) * np.pi / 256) ** 2
    rate = 0.01 * (s[:, None] / dx**2 + s / dy**2)
    c = dctn(z0, norm="ortho")
    z = idctn(c * np.exp(-rate * 1e5), norm="ortho")
    assert abs(numbers["mean"]) < 1e-10
    assert numbers["lowered"] == pytest.approx((z0 - z).max(), rel=1e-8)
    assert numbers["filled"] == pytest.approx((z - z0).max(), rel=1e-8)
    ratio = np.linalg.norm(rate * c * np.exp(-rate * 1e5)) / np.linalg.norm(rate * c)
    assert numbers["rough"] == pytest.approx(ratio, rel=1e-8)


def test_porous_medium(run):
    numbers = run("07_porous_medium")
    for d in (1, 2):
        front = ds.reference.nonlinear.barenblatt_front(8.0, m=2, d=d)
        assert numbers[f"{d}-D front"] == pytest.approx(front, rel=5e-4)
        assert numbers[f"{d}-D error"] < 0.01
        assert abs(numbers[f"{d}-D gain"]) < 1e-13


def test_steady_and_budget(run):
    """Poisson's u is of second order; the room's walls and books are those of a sparse matrix."""
    numbers = run("08_steady_and_budget")
    centre = ds.reference.poisson.rectangle(0.5 + 0.5 / 16, 0.5 + 0.5 / 16)  # of the four cells around it
    assert numbers["centre"] == pytest.approx(centre, rel=4e-3)
    assert numbers["integral"] == pytest.approx(ds.reference.poisson.rectangle_integral(), rel=0.02)
    assert abs(numbers["imbalance"]) < 1e-12
    assert abs(numbers["steady"]) < 1e-7
    stored, entered = room()
    assert numbers["stored"] == pytest.approx(stored, rel=1e-4)
    assert numbers["x+"] == pytest.approx(entered["x+"], rel=1e-4)
    assert numbers["y+"] == pytest.approx(entered["y+"], rel=1e-4)
    assert numbers["x-"] == numbers["y-"] == 0


def room():
    """The gas after an hour and what came in through the walls, from u_t = Au + b with dense matrices."""
    from scipy.linalg import expm

    n, dx, D, decay = 16, 4.0 / 16, 5e-3, 1e-4
    y = (np.arange(n) + 0.5) * dx
    film = {"x+": np.where(np.abs(y - 2) < 1, 1e-2, 0.0), "y+": np.full(2 * n, 1e-4)}
    with np.errstate(divide="ignore"):
        leak = {wall: 1 / (1 / h + dx / (2 * D)) for wall, h in film.items()}
    chain = {m: np.diag(-2.0 * np.ones(m)) + np.eye(m, k=1) + np.eye(m, k=-1) for m in (n, 2 * n)}
    for a in chain.values():
        a[0, 0] = a[-1, -1] = -1.0
    A = D / dx**2 * (np.kron(chain[2 * n], np.eye(n)) + np.kron(np.eye(2 * n), chain[n]))
    A -= decay * np.eye(2 * n * n)
    out = {"x+": np.zeros((2 * n, n)), "y+": np.zeros((2 * n, n))}
    out["x+"][-1] = leak["x+"] / dx
    out["y+"][:, -1] = leak["y+"] / dx
    A -= np.diag(sum(out.values()).ravel())
    grid = ds.Grid(shape=(2 * n, n), size=(8.0, 4.0))
    b = np.asarray(ds.initial.region(grid, ds.Ball((2.0, 1.0), 0.5), inside=1e-3, dtype="float64")).ravel()
    steady = np.linalg.solve(A, -b)
    u = steady - expm(A * 3600.0) @ steady
    total = np.linalg.solve(A, u - 3600.0 * b)  # ∫u dt, from u = A∫u dt + bt
    return u.sum() * dx**2, {wall: -(k.ravel() * total).sum() * dx**2 for wall, k in out.items()}


def test_inverse_problem(run):
    """The gradient is that of central differences, and the fit is as good as the noise allows."""
    numbers = run("09_inverse_problem")
    assert abs(numbers["gradient"]) < 1e-6
    assert 0.6 < numbers["misfit"] < 1.4
    assert numbers["error"] < 0.05


def test_resume(run):
    numbers = run("11_resume")
    assert numbers["stopped"] == pytest.approx(20.0)
    assert numbers["records"] == 51
    assert numbers["difference"] == 0
    assert abs(numbers["sigmas"]) < 5


def test_gray_scott(run):
    """Against the classical Runge–Kutta method in NumPy, from the same start."""
    numbers = run("10_gray_scott")
    grid = ds.Grid(shape=(64, 64), size=(0.625, 0.625))
    y = np.stack(ds.initial.patches(grid, key=ds.key(0))).astype(float)
    K = np.array([2e-5, 1e-5])[:, None, None] / grid.dx[0] ** 2

    def rate(y):
        u, v = y
        spread = K * (sum(np.roll(y, s, a) for s in (-1, 1) for a in (1, 2)) - 4 * y)
        return spread + np.stack([0.037 * (1 - u) - u * v**2, u * v**2 - 0.097 * v])

    for _ in range(1000):
        a = rate(y)
        b = rate(y + 0.5 * a)
        c = rate(y + 0.5 * b)
        y = y + (a + 2 * b + 2 * c + rate(y + c)) / 6
    assert numbers["u"] == pytest.approx(y[0].mean(), rel=1e-3)
    assert numbers["v"] == pytest.approx(y[1].mean(), rel=2e-3)
    assert numbers["covered"] == pytest.approx((y[1] > 0.1).mean(), abs=0.01)
    assert numbers["records"] == 3
    assert Path("gray_scott.h5").is_file()


def test_optical_trap(run):
    """Ten lags beyond 5σ once in 2 × 10⁵ keys; a spring 10 % off must be seen."""
    numbers = run("20_optical_trap")
    assert numbers["sigmas"] < 5
    assert numbers["relative"] < 0.04
    assert numbers["last"] == pytest.approx(6 * (1 - np.exp(-2.56)), rel=0.04)


def test_work_and_heat(run):
    """ΔF = ½kT ln 3 by Jarzynski and by Bennett, and the mean work, within 5σ; ⟨W⟩ itself is no free energy."""
    found = run("45_work_and_heat")[0.5]
    for name in ("Jarzynski", "Bennett"):
        assert abs(found[name][0] - 0.5 * np.log(3)) < 5 * found[name][1] < 0.05
    assert found["Bennett"][1] < 0.95 * found["Jarzynski"][1]
    value, error = found["mean work"]
    assert abs(value - found["theory"]) < 5 * error
    assert value - 0.5 * np.log(3) > 20 * error


def test_mixture_three_ways(run):
    """√n times the distance from the density: beyond 2.47 in one of 10⁵ cases; after the trap itself it is the same."""
    numbers = run("60_mixture_three_ways")
    assert len(numbers) == 12 and max(numbers.values()) < 2.47
    assert numbers["exact score, t = 1"] == numbers["trap, t = 1"] > 0.2


def test_narrow_escape(run):
    """Within five standard errors and 2 %, the bias of steps a quarter as long as the exit's half."""
    numbers = run("41_narrow_escape")
    for eps in (0.8, 0.4):
        exact = 0.125 - np.log(np.sin(eps / 2))
        assert numbers[f"exact at {eps}"] == pytest.approx(exact, rel=1e-12)
        assert abs(numbers[f"mean at {eps}"] - exact) < 5 * numbers[f"error at {eps}"] + 0.02 * exact
        assert numbers[f"error at {eps}"] < 0.03 * exact
        assert numbers[f"grid at {eps}"] == pytest.approx(exact, rel=0.03)  # cells draw the wall as a staircase
        assert numbers[f"left at {eps}"] == pytest.approx(np.exp(-1), abs=0.06)  # nearly exponential


def test_kramers(run):
    """The grid near its limit, particles within five standard errors and 2 %, Kramers' formula below both."""
    numbers = run("46_kramers")
    assert numbers["integral at 0.2"] == pytest.approx(19.0938969968, rel=1e-10)
    exact = numbers["integral at 0.2"]
    assert numbers["grid at 0.2"] == pytest.approx(exact, rel=2e-3)
    assert abs(numbers["particles at 0.2"] - exact) < 5 * numbers["error at 0.2"] + 0.02 * exact
    assert numbers["Kramers at 0.2"] < 0.85 * exact


@pytest.mark.slow
def test_one_law_three_ways(run):
    """χ² in 48 cells at 1e-6, and what is left within five standard errors."""
    from scipy.stats import chi2

    numbers = run("47_one_law_three_ways")
    left = numbers["grid left"]
    assert 0.3 < left < 0.95
    for name in ("particles", "molecules"):
        assert chi2.sf(numbers[f"{name} χ²"], 48) > 1e-6
        assert abs(numbers[f"{name} left"] - left) < 5 * np.sqrt(left * (1 - left) / 9_900)


def test_michaelis_menten(run):
    """Against SciPy, and the linear noise of its Jacobian; 100 runs at 5σ, the spread at 5/√200."""
    from scipy.integrate import solve_ivp

    numbers, k1 = run("42_michaelis_menten"), 0.01 / 4.4964**3
    nu = np.array([[-1, -1, 1, 0], [1, 1, -1, 0], [1, 0, -1, 1]])

    def both(t, y):
        n, C = y[:4], y[4:].reshape(4, 4)
        a = np.array([k1 * n[0] * n[1], n[2], n[2]])
        J = nu.T @ np.array([[k1 * n[1], k1 * n[0], 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]])
        return np.concatenate([nu.T @ a, (J @ C + C @ J.T + nu.T @ (a[:, None] * nu)).ravel()])

    y = solve_ivp(both, (0, 10), [909, 9091, *18 * [0.0]], rtol=1e-10, atol=1e-8).y[:, -1]
    spread = y[19] ** 0.5
    assert numbers["P spread by linear noise"] == pytest.approx(spread, rel=1e-4)
    for s, name in enumerate(("E", "S", "ES", "P")):
        assert y[s] == pytest.approx((673.40, 6275.57, 235.60, 2579.83)[s], abs=0.01)
        assert numbers[f"{name} by rates"] == pytest.approx(y[s], rel=1e-5)
        for way in ("events", "Langevin"):
            assert abs(numbers[f"{name} by {way}"] - y[s]) < 5 * y[4 + 5 * s] ** 0.5 / 10 + 0.5
    for way in ("events", "Langevin"):
        assert numbers[f"P spread by {way}"] == pytest.approx(spread, rel=5 / 200**0.5)
        assert numbers[f"enzymes by {way}"] == pytest.approx(909, abs=1e-2)


@pytest.mark.slow
def test_reacting_particles(run):
    numbers = run("44_reacting_particles")
    assert numbers["largest deviation/error"] < 5
    assert numbers["enzymes lost"] == 0
    assert numbers["P by rates"] == pytest.approx(54.330, abs=0.01)
    assert numbers["P in space"] == pytest.approx(54.33, abs=5 * 7 / 8**0.5)
