"""Linear stability: closed-form critical values, classes, and runs that grow as the lattice's own dispersion says."""

import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

import diffsim as ds
from diffsim import analysis as an
from diffsim import models
from diffsim.analysis import eigen
from diffsim.analysis.stability import Instability

SCHNAKENBERG = models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=20.0)
BRUSSELATOR = models.Brusselator(A=4.5, B=7.5, Du=2.0, Dv=16.0)
REST = (1.0, 0.9)  # of Schnakenberg's model
K = np.linspace(0, 3, 61)


# eigenvalues


@pytest.mark.parametrize("S", [1, 2, 3, 4])
def test_closed_forms_agree_with_lapack(S):
    A = np.random.default_rng(S).normal(size=(400, S, S))
    lam = np.linalg.eigvals(A)
    top = np.take_along_axis(lam, lam.real.argmax(1)[:, None], 1)[:, 0]
    lead = eigen.leading(tf.constant(A))
    np.testing.assert_allclose(lead.growth, top.real, atol=1e-13)
    np.testing.assert_allclose(lead.frequency, abs(top.imag), atol=1e-12)
    np.testing.assert_allclose(lead.turning, np.prod(-lam, 1).real, atol=1e-12 * 10**S)
    ordered = eigen.eigenvalues(A)
    assert (np.diff(ordered.real, axis=1) <= 0).all()
    np.testing.assert_allclose(ordered.sum(1), np.trace(A, axis1=1, axis2=2), atol=1e-12)


def test_three_equal_eigenvalues_and_zero_matrices_have_no_nan():
    A = np.stack([np.zeros((3, 3)), 2 * np.eye(3), np.diag([1.0, 1.0, -2.0])])
    lead = eigen.leading(tf.constant(A))
    np.testing.assert_allclose(lead.growth, [0, 2, 1], atol=1e-12)
    np.testing.assert_array_equal(lead.frequency, 0)


# the fastest wave


def turing_fastest(J, Du, Dv):
    """(k², λ) at the top of the real branch of a 2×2 system, where dλ/dk² = 0."""
    (a, b), (c, d) = J
    k2 = ((Du + Dv) * np.sqrt(-b * c / (Du * Dv)) - a + d) / (Dv - Du)
    A = J - k2 * np.diag([Du, Dv])
    return k2, max(np.linalg.eigvals(A).real)


@pytest.mark.parametrize("d", [20.0, 40.0])
def test_fastest_wave_of_schnakenberg(d):
    found = an.fastest(replace(SCHNAKENBERG, Dv=d), REST)
    k2, growth = turing_fastest(np.array([[0.8, 1.0], [-1.8, -1.0]]), 1.0, d)
    assert found.k == pytest.approx(np.sqrt(k2), rel=1e-11)
    assert found.growth == pytest.approx(growth, rel=1e-13)
    assert found.growth == pytest.approx({20.0: 5 / 19, 40.0: 0.4110112116}[d], rel=1e-9)
    assert found.frequency == 0.0
    assert found.wavelength == pytest.approx(2 * np.pi / found.k)


@pytest.mark.parametrize(("model", "state", "k", "growth"), [
    (BRUSSELATOR, (4.5, 7.5 / 4.5), 0.943547878275, 0.3623285383),
    (models.CahnHilliard(eps=1.0), 0.0, 0.5**0.5, 0.25),
    (models.SwiftHohenberg(r=0.1), 0.0, 1.0, 0.1),
    (models.KuramotoSivashinsky(nu=2.0), 0.0, 0.5, 0.125),
    (models.FisherKPP(D=2.0, r=0.3), 0.0, 0.0, 0.3),
])
def test_fastest_wave_of_other_models(model, state, k, growth):
    found = an.fastest(model, state)
    assert found.k == pytest.approx(k, rel=1e-10)
    assert found.growth == pytest.approx(growth, rel=1e-9)


def test_blue_state_of_gray_and_scott():
    model = models.GrayScott(F=0.0545, k=0.062, Du=0.2, Dv=0.1)
    blue = model.steady_states()[-1]
    assert blue == pytest.approx((0.4688890709, 0.2484596192), rel=1e-9)
    found = an.fastest(model, blue)
    assert found.growth == pytest.approx(0.0100142761, abs=5e-11)
    assert found.wavelength == pytest.approx(13.4939, abs=1e-4)


def test_species_that_stay_where_they_are_may_keep_their_disturbances():
    """The susceptible do not move: λ = β − γ − D k² of the infected, and 0 for all waves of the others."""
    found = an.fastest(models.SIR(beta=2.5, gamma=1.0), (1.0, 0.0, 0.0))
    assert found == (0.0, pytest.approx(1.5, rel=1e-12), 0.0)
    assert an.fastest(models.Barkley(), (0.0, 0.0)).growth < 0


def test_a_range_of_wavenumbers_may_exclude_the_fastest():
    assert an.fastest(SCHNAKENBERG, REST, k=(0.7, 2.0)).k == 0.7


# classes and maps


def test_map_of_the_brusselator_has_its_four_regions():
    Du, Dv = 5.0, 12.0
    A, B = np.linspace(0.5, 5, 24), np.linspace(1, 14, 20)
    found = an.stability_map(replace(BRUSSELATOR, Du=Du, Dv=Dv), np.linspace(0, 3, 301), x=("A", A), y=("B", B))
    assert found.converged.all()
    np.testing.assert_allclose(found.state[1], B / A[:, None], rtol=1e-12)
    hopf, turing = 1 + A[:, None] ** 2 < B, (1 + A[:, None] * np.sqrt(Du / Dv)) ** 2 < B
    exact = np.select([hopf & turing, hopf, turing], [Instability.TURING_HOPF, Instability.HOPF, Instability.TURING])
    np.testing.assert_array_equal(found.codes, exact)
    assert len(np.unique(exact)) == 4


def test_map_agrees_with_single_sets_and_does_not_depend_on_blocks(monkeypatch):
    d, b = np.linspace(5, 40, 7), np.linspace(0.6, 1.4, 5)
    whole = an.stability_map(SCHNAKENBERG, K, x=("Dv", d), y=("b", b))
    monkeypatch.setattr(sys.modules["diffsim.analysis.stability_map"], "MOST", 3 * len(b) * len(K))
    blocks = an.stability_map(SCHNAKENBERG, K, x=("Dv", d), y=("b", b))
    for name in ("codes", "k", "growth", "frequency"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(blocks, name))
    one = replace(SCHNAKENBERG, Dv=d[4], b=b[1])
    relation = an.dispersion(one, one.steady_states()[-1], K)
    assert whole.growth[4, 1] == pytest.approx(relation.growth.max(), rel=1e-12)
    assert whole.k[4, 1] == K[relation.growth.argmax()]
    assert whole.codes[4, 1] == an.instability(one, one.steady_states()[-1], K)


def test_sets_without_the_state_are_unknown():
    """Beyond the fold k = √F/2 − F the blue state of Gray and Scott is none."""
    F, k = np.linspace(0.02, 0.06, 9), np.linspace(0.05, 0.07, 11)

    def blue(model):
        root = np.sqrt(np.where((d := 1 - 4 * (model.F + model.k) ** 2 / model.F) > 0, d, np.nan))
        return (1 - root) / 2, model.F / (model.F + model.k) * (1 + root) / 2

    found = an.stability_map(models.GrayScott(F=0.04, k=0.06, Du=0.2, Dv=0.1), K, x=("F", F), y=("k", k), state=blue)
    exists = k < np.sqrt(F[:, None]) / 2 - F[:, None]
    np.testing.assert_array_equal(found.converged, exists)
    np.testing.assert_array_equal(found.codes == Instability.UNKNOWN, ~exists)
    assert np.isnan(found.growth[~exists]).all() and 0.2 < exists.mean() < 0.9
    own = an.stability_map(models.GrayScott(F=0.04, k=0.06, Du=0.2, Dv=0.1), K, x=("F", F), y=("k", k))
    np.testing.assert_array_equal(own.codes, found.codes)  # its own closed form, on the same branch everywhere
    K_, m = np.linspace(0.3, 3.0, 5), np.linspace(0.4, 0.95, 6)
    prey = an.stability_map(models.RosenzweigMacArthur(), K, x=("K", K_), y=("m", m))
    lives = 5 * (1 - m) * K_[:, None] > m
    np.testing.assert_array_equal(prey.codes == Instability.UNKNOWN, ~lives)
    u = (m / (5 * (1 - m)) + 0 * K_[:, None])[lives]
    np.testing.assert_array_equal(prey.codes[lives] == Instability.HOPF, (K_[:, None] + 0 * m)[lives] > 2 * u + 0.2)


def test_newton_finds_states_of_one_and_three_species():
    (u,), found = an.uniform_state(models.Nagumo(a=0.25), np.array([-0.1, 0.27, 1.2]))
    np.testing.assert_allclose(u, [0, 0.25, 1], atol=1e-14)
    assert found.all()
    model = models.Oregonator()
    state = model.steady_states()[-1]
    y, found = an.uniform_state(model, tuple(1.001 * v for v in state))
    assert found
    np.testing.assert_allclose(y, state, rtol=1e-8)


@dataclass(frozen=True)
class Drifting(models.FisherKPP):
    """Carried along with speed 1: a complex symbol."""

    def symbol(self, k2, state):
        A = super().symbol(k2, state)
        k = tf.reshape(tf.sqrt(tf.constant(k2, A.dtype) if isinstance(k2, float) else k2), [*np.shape(k2), 1, 1])
        return tf.complex(A, -k + tf.zeros_like(A))


def test_complex_symbols_go_by_lapack():
    model = Drifting()
    found = an.fastest(model, 0.0)
    assert (found.k, found.growth) == (0.0, pytest.approx(1.0))
    relation = an.dispersion(model, 0.0, K)
    np.testing.assert_allclose(relation.rates[:, 0], 1 - K**2 - 1j * K, atol=1e-14)
    whole = an.stability_map(model, K, x=("r", [-1.0, 1.0]), y=("D", [1.0, 2.0]), state=0.0)
    assert whole.codes.tolist() == [[Instability.STABLE] * 2, [Instability.UNIFORM] * 2]


def test_conserved_amounts_need_no_step():
    """f = 0 for any mean of an alloy: J is singular, and the state that was given is the state."""
    eps, M = np.array([0.5, 1.0, 2.0]), np.array([1.0, 3.0])
    found = an.stability_map(models.CahnHilliard(1.0), np.linspace(0, 3, 601), x=("eps", eps), y=("M", M), state=0.1)
    assert found.converged.all() and (found.codes == Instability.TURING).all()
    np.testing.assert_allclose(found.growth, M * ((1 - 0.03) / (2 * eps[:, None])) ** 2, rtol=2e-4)  # of the waves given


@pytest.mark.parametrize(("model", "state", "code"), [
    (replace(SCHNAKENBERG, Dv=5.0), REST, Instability.STABLE),
    (SCHNAKENBERG, REST, Instability.TURING),
    (models.Brusselator(A=1.0, B=3.0, Du=1.0, Dv=1.0), (1.0, 3.0), Instability.HOPF),
    (models.CahnHilliard(eps=1.0), 0.0, Instability.TURING),
    (models.FisherKPP(), 0.0, Instability.UNIFORM),
    (models.FisherKPP(), 1.0, Instability.STABLE),
])
def test_classes(model, state, code):
    assert Instability(int(an.instability(model, state, K))) is code


def test_dispersion_lays_out_sets_then_wavenumbers_then_branches():
    many = replace(SCHNAKENBERG, Dv=np.array([5.0, 20.0, 40.0]))
    relation = an.dispersion(many, REST, K.reshape(1, 61))
    assert relation.rates.shape == (3, 1, 61, 2)
    one = an.dispersion(SCHNAKENBERG, REST, K)
    np.testing.assert_allclose(relation.rates[1, 0], one.rates, rtol=1e-14)
    assert one.frequency[0] > 0 == one.frequency[20]
    assert an.dispersion(SCHNAKENBERG, REST, 0.5).rates.shape == (2,)


# boxes


@pytest.mark.parametrize("boundary", [
    ds.Periodic(), ds.Neumann(), ds.Dirichlet(), ds.Boundary(x=(ds.Neumann(), ds.Dirichlet()), y=ds.Robin(1.0))])
def test_modes_are_eigenfunctions_of_the_lattice(boundary):
    grid = ds.Grid((9, 6), (3.0, 2.0))
    modes, laplacian = an.modes(grid, boundary), ds.Laplacian(grid, boundary)
    assert modes.lattice.shape == modes.k.shape == (9, 6)
    for index in np.ndindex(9, 6):
        u = modes.pattern(index)
        assert u.max() == pytest.approx(1.0)
        np.testing.assert_allclose(laplacian.apply(tf.constant(u)), -modes.lattice[index] ** 2 * u, atol=1e-12 * 200)
    assert (modes.k >= modes.lattice - 1e-12).all() or np.isnan(modes.k).all()
    assert modes.nearest(modes.lattice[3, 2]) in [i for i in np.ndindex(9, 6) if np.isclose(
        modes.lattice[i], modes.lattice[3, 2])]


LINE = ds.Grid(32, 26.0)  # about two waves of all three models below


@pytest.mark.parametrize(("model", "state", "t"), [
    (SCHNAKENBERG, REST, 10.0),
    (replace(SCHNAKENBERG, Dv=40.0), REST, 10.0),
    (BRUSSELATOR, (4.5, 7.5 / 4.5), 4.0),
])
def test_a_seeded_eigenvector_grows_as_the_lattice_says(model, state, t):
    modes = an.modes(LINE, ds.Periodic())
    index = modes.nearest(an.fastest(model, state).k)
    k = modes.lattice[index]
    rate, v = an.eigenmode(model, state, k)
    assert rate.imag == 0 and rate.real > 0.1
    wave, seed = modes.pattern(index), 1e-8
    y0 = tuple(tf.constant(s + seed * c * wave) for s, c in zip(state, np.real(v), strict=True))
    law = model.on(LINE, ds.Periodic())
    final = ds.solve(law, y0, t=(0, t), dt=0.02, stepper=ds.ETDRK4()).final
    for s, c, part in zip(state, np.real(v), final, strict=True):
        amplitude = float(wave @ (part.numpy() - s)) / float(wave @ wave) / (seed * c)
        assert np.log(amplitude) / t == pytest.approx(rate.real, rel=1e-5)
    continuous = an.dispersion(model, state, modes.k[index]).growth
    assert abs(continuous / rate.real - 1) > 1e-4  # the test tells the lattice from the plane


# figures


def test_figures():
    relation = an.dispersion(replace(SCHNAKENBERG, Dv=np.array([5.0, 20.0])), REST, K)
    box = an.dispersion(SCHNAKENBERG, REST, an.modes(LINE, ds.Neumann()).lattice)
    figure = ds.plot.dispersion(relation, admitted=box, labels=("Dv = 5", "Dv = 20"), length_unit="µm", time_unit="s")
    above, below = figure.axes
    assert (above.get_ylabel(), below.get_xlabel()) == ("growth Re λ [1/s]", "wavenumber k [1/µm]")
    assert [t.get_text() for t in above.get_legend().get_texts()] == ["Dv = 5", "Dv = 20", "waves in the box"]
    d, b = np.linspace(5, 40, 7), np.linspace(0.9, 1.4, 5)
    found = an.stability_map(SCHNAKENBERG, K, x=("Dv", d), y=("b", b))
    page = Figure()
    assert ds.plot.stability_map(found, curves={"a line": (d, 0 * d + 1)}, x_unit="µm²/s", figure=page) is page
    names = [t.get_text() for t in page.axes[0].get_legend().get_texts()]
    assert names == ["Stable", "Turing", "zero growth", "a line"]
    assert (page.axes[0].get_xlabel(), page.axes[0].get_ylabel()) == ("Dv [µm²/s]", "b [1]")


# bad input


@dataclass(frozen=True)
class Restless(models.FisherKPP):
    """A model without uniform state."""

    def steady_states(self):
        return ()


AXES = {"x": ("Dv", [1.0, 2.0]), "y": ("b", [0.5, 0.9])}


@pytest.mark.parametrize(("call", "kind", "words"), [
    (lambda: an.dispersion(SCHNAKENBERG, REST, [-0.1, 0.2]), ValueError, "k=-0.1"),
    (lambda: an.dispersion(SCHNAKENBERG, REST, [np.nan]), ValueError, "finite"),
    (lambda: an.dispersion(SCHNAKENBERG, REST, []), ValueError, "one wavenumber"),
    (lambda: an.dispersion(SCHNAKENBERG, (1.0,), K), ValueError, "a tuple of 2"),
    (lambda: an.dispersion(models.PorousMedium(2.0), 1.0, K), TypeError, "symbol"),
    (lambda: an.dispersion(models.Schnakenberg, REST, K), TypeError, "symbol"),
    (lambda: an.eigenmode(SCHNAKENBERG, REST, [0.1, 0.2]), TypeError, "k="),
    (lambda: an.fastest(replace(SCHNAKENBERG, b=np.ones(3)), REST), ValueError, "one set"),
    (lambda: an.fastest(replace(SCHNAKENBERG, Du=0.0), REST), ValueError, "does not diffuse"),
    (lambda: an.fastest(SCHNAKENBERG, REST, k=(2.0, 1.0)), ValueError, "least < greatest"),
    (lambda: an.onset(SCHNAKENBERG, "d", (1.0, 40.0)), ValueError, "'d'.*one of a, b, Du, Dv"),
    (lambda: an.onset(models.CrossDiffusion(SCHNAKENBERG, np.eye(2)), "Dv", (1.0, 40.0)), ValueError,
     "one of a, b, Duu, Duv, Dvu, Dvv,"),
    (lambda: an.onset(SCHNAKENBERG, "Dv", (1.0, 2.0)), ValueError, "unstable at the other"),
    (lambda: an.onset(SCHNAKENBERG, "Dv", (1.0, 40.0), kind=Instability.STABLE), ValueError, "TURING"),
    (lambda: an.onset(Restless(), "r", (-1.0, 1.0)), ValueError, "uniform steady state"),
    (lambda: an.stability_map(Restless(), K, x=("r", [1.0, 2.0]), y=("D", [1.0, 2.0])), ValueError, "uniform steady"),
    (lambda: an.stability_map(SCHNAKENBERG, -K, **AXES), ValueError, "np.abs"),
    (lambda: an.stability_map(SCHNAKENBERG, K, **(AXES | {"x": ("d", [1.0])})), ValueError, "no other"),
    (lambda: an.stability_map(SCHNAKENBERG, K, **(AXES | {"x": AXES["y"]})), ValueError, "two axes"),
    (lambda: an.stability_map(SCHNAKENBERG, K, **(AXES | {"x": ("Dv", [[1.0]])})), ValueError, "one parameter"),
    (lambda: an.stability_map(SCHNAKENBERG, K, **AXES, state=(np.ones(3), 1.0)), ValueError, "each pair"),
    (lambda: an.stability_map(SCHNAKENBERG, K, x="Dv", y="b"), TypeError, r"\(name, values\)"),
    (lambda: an.stability_map(SCHNAKENBERG, K, **(AXES | {"y": {"b": [1.0]}})), TypeError, "y={"),
    (lambda: an.onset(SCHNAKENBERG, "Dv", 20.0), TypeError, r"\(low, high\)"),
    (lambda: an.uniform_state(SCHNAKENBERG, 1.0), ValueError, "a tuple of 2"),
    (lambda: an.modes(LINE, ds.Neumann()).pattern((1, 2)), ValueError, "one integer"),
    (lambda: ds.plot.dispersion("relation"), TypeError, "Dispersion"),
    (lambda: ds.plot.dispersion(an.dispersion(SCHNAKENBERG, REST, K), labels=("a", "b")), ValueError, "1 names"),
    (lambda: ds.plot.dispersion(an.dispersion(SCHNAKENBERG, REST, K[None])), ValueError, "one axis"),
    (lambda: ds.plot.stability_map(None), TypeError, "StabilityMap"),
])
def test_bad_input_is_refused_in_four_parts(call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert ": expected " in str(caught.value) and ", because " in str(caught.value)
