"""The reaction–diffusion library at uniform states: zeros of the rates, their linearisation, elementary reactions."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.models import _uniform

M = ds.models
MODELS = [
    M.FisherKPP(D=0.7, r=1.3), M.Nagumo(0.25, r=2.0), M.AllenCahn(0.3, D=1.4), M.GrayScott(0.0545, 0.062),
    M.Schnakenberg(0.13, 0.8), M.Brusselator(1.2, 2.1, 2.0, 16.0), M.GiererMeinhardt(0.9, 1.3, 0.1, 0.2),
    M.LengyelEpstein(12.0, 0.4, 7.0), M.Thomas(), M.FitzHughNagumo(I=0.5, Dw=0.3), M.FitzHughNagumo(b=2.0, I=0.3),
    M.Barkley(), M.Oregonator(f=1.1), M.TysonFife(f=1.4), M.LotkaVolterra(1.1, 0.7, 0.6, 0.9),
    M.RosenzweigMacArthur(K=0.8, h=0.9), M.SIR(2.3, 0.8), M.CahnHilliard(0.8, 1.3), M.SwiftHohenberg(2.0, 0.3, 0.9),
    M.KuramotoSivashinsky(0.7), M.CrossDiffusion(M.Schnakenberg(), [[1.0, 0.2], [0.3, 2.0]]),
]
NAMES = [f"{type(m).__name__}-{i}" for i, m in enumerate(MODELS)]
MASS_ACTION = [m for m in MODELS if isinstance(m, M.MassAction)]


def rates(model, state):
    return np.array(_uniform.rates(model, [tf.constant(s, tf.float64) for s in state]))


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_rates_vanish_at_steady_states(model):
    states = model.steady_states()
    assert len(states) == len(set(states))
    for state in states:
        assert all(isinstance(v, float) for v in state)
        size = abs(model.jacobian(state).numpy()) @ np.abs(state)
        np.testing.assert_allclose(rates(model, state), 0.0, atol=1e-14 * (1 + size.max()))


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_jacobian_is_the_derivative_of_the_rates(model):
    """Central differences with Richardson's step, at a state that is not steady."""
    at = np.linspace(0.7, 1.1, len(model.species))
    J = model.jacobian(tuple(at)).numpy()
    assert J.shape == (len(at),) * 2 and J.dtype == np.float64
    for j, e in enumerate(np.eye(len(at))):
        d = [(rates(model, at + h * e) - rates(model, at - h * e)) / (2 * h) for h in (1e-3, 2e-3)]
        np.testing.assert_allclose(J[:, j], (4 * d[0] - d[1]) / 3, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("model", MASS_ACTION, ids=lambda m: type(m).__name__)
def test_rates_are_those_of_the_elementary_reactions(model):
    """Σ change · k Π y^order / unit = f, with integer changes and rate constants ≥ 0."""
    y = tuple(tf.constant(np.linspace(0.3 + i, 1.7, 5)) for i in range(len(model.species)))
    for a, b in zip(model.rates(0.0, y), model.mass_action(y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)
    S = model.stoichiometry
    assert S.dtype.kind == "i" and S.shape == (len(model.species), len(model.reactions))
    for channel in model.reactions:
        assert channel.k >= 0 and min(channel.orders) >= 0
        assert all(n + c >= 0 for n, c in zip(channel.orders, channel.change, strict=True))


def test_mass_action_covers_the_stochastic_models():
    names = {type(m).__name__ for m in MASS_ACTION}
    assert names == {"Brusselator", "Schnakenberg", "GrayScott", "LotkaVolterra", "SIR", "Oregonator"}


def test_newton_finds_what_closed_forms_say():
    """The default search against closed forms, through a class that has none of its own."""
    for model in (M.GrayScott(0.0545, 0.062), M.Nagumo(0.25), M.RosenzweigMacArthur(K=0.8),
                  M.FitzHughNagumo(b=2.0)):
        found = M.Reaction.steady_states(model)
        np.testing.assert_allclose(found, sorted(model.steady_states()), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="Schnakenberg.*expected numbers, because"):
        M.Reaction.steady_states(M.Schnakenberg(a=np.array([0.1, 0.2])))


def test_known_steady_states():
    np.testing.assert_allclose(M.Thomas().steady_states(), [(37.738210819, 25.158807212)], rtol=1e-9)
    np.testing.assert_allclose(M.LengyelEpstein(10.0).steady_states(), [(2.0, 5.0)])
    F = np.array([0.0, 0.04, 0.04])
    _, (u, v), (w, x) = M.GrayScott(F, np.array([0.1, 0.059, 0.061])).steady_states()
    np.testing.assert_allclose([u[1], v[1], w[1], x[1]], np.ravel(M.GrayScott(0.04, 0.059).steady_states()[1:]))
    assert np.isnan([u, v, w, x])[:, [0, 2]].all()
    (u, v), = M.GiererMeinhardt(mu=0.5, nu=0.8, sigma=0.2).steady_states()
    assert (u, v) == pytest.approx((2.0, 5.0))
    assert len(M.RosenzweigMacArthur(K=0.1).steady_states()) == 2
    assert len(M.Barkley(a=1.0).steady_states()) == 2
    assert [len(M.FitzHughNagumo(a=0.1, b=b).steady_states()) for b in (0.8, 2.0, 0.0)] == [1, 3, 1]


@pytest.mark.parametrize(("model", "state", "k2", "growth"), [
    (M.Schnakenberg(Dv=20.0), (1.0, 0.9), 0.4866642708**2, 5 / 19),
    (M.Schnakenberg(Dv=40.0), (1.0, 0.9), 0.4205434168**2, 0.4110112116),
    (M.Brusselator(4.5, 7.5, 2.0, 16.0), (4.5, 5 / 3), 0.9435478371**2, 0.3623285383),
    (M.GrayScott(0.0545, 0.062, 0.2, 0.1), (0.4688890709, 0.2484596192), (2 * np.pi / 13.4939) ** 2, 0.0100142761),
    (M.CahnHilliard(0.8, 1.3), 0.0, 1 / (2 * 0.64), 1.3 / (4 * 0.64)),
    (M.SwiftHohenberg(0.1, q=1.2), 0.0, 1.44, 0.1),
    (M.KuramotoSivashinsky(0.7), 0.0, 1 / 1.4, 1 / 2.8),
], ids=lambda v: type(v).__name__ if isinstance(v, M.Reaction) else "")
def test_growth_of_the_fastest_wave(model, state, k2, growth):
    """Largest real part of the symbol's eigenvalues, a maximum over k² there."""
    def s(q):
        return np.linalg.eigvals(model.symbol(q, state).numpy()).real.max(-1)

    assert s(k2) == pytest.approx(growth, rel=2e-9)
    assert s(0.97 * k2) < s(k2) > s(1.03 * k2)


def test_benjamin_feir_line():
    """About |A| = 1 long waves have λ = −(1 + αβ)k² + O(k⁴) beside the neutral phase; 0 grows at 1."""
    for alpha, beta in ((1.0, -0.5), (2.0, -1.0), (0.3, 0.4)):
        model, k2 = M.GinzburgLandau(alpha, beta), 1e-5
        lam = np.linalg.eigvals(model.symbol(k2, 1.0).numpy()).real.max()
        assert lam == pytest.approx(-(1 + alpha * beta) * k2, abs=1e-9)
        np.testing.assert_allclose(np.linalg.eigvals(model.symbol(0.3, 0.0)), [0.7 + 0.3j * alpha, 0.7 - 0.3j * alpha])


def test_cross_diffusion_makes_patterns_of_species_that_move_alike():
    """det(J − k²D) < 0 for equal diffusivities and a real positive D; a wave 1e-8 high grows at that rate."""
    model = M.CrossDiffusion(M.Schnakenberg(), [[1.0, 2.0], [0.2, 1.0]])
    (state,) = model.steady_states()
    k2 = 3.2 / 1.2  # where k⁴ det D − 3.2 k² + 1 is least
    lam, V = np.linalg.eig(model.symbol(k2, state).numpy())
    assert lam.max() > 0.5 > 0 > np.linalg.eigvals(model.jacobian(state)).real.max() - 1e-12
    assert np.linalg.eigvals(M.Schnakenberg(Du=1.0, Dv=1.0).symbol(k2, state)).real.max() < 0
    n = 16
    grid = ds.Grid(n, n * 2 * np.sin(np.pi / n) / np.sqrt(k2))  # so that k̂² = k2 for one wave in the box
    mode = np.cos(2 * np.pi * (np.arange(n) + 0.5) / n)
    v = V[:, lam.argmax()]
    y0 = tuple(s + 1e-8 * a * mode for s, a in zip(state, v, strict=True))
    sol = ds.solve(model.on(grid, ds.Periodic()), y0, (0.0, 2.0), stepper=ds.ETDRK4(), dt=0.05, jit=False)
    rate = np.log(np.vdot(mode, sol.final[0]) / np.vdot(mode, y0[0])) / 2
    assert rate == pytest.approx(lam.max(), rel=1e-5)


def test_parameters_states_and_wavenumbers_broadcast():
    """Sets of parameters along leading axes give what each gives alone."""
    F, k, k2 = np.array([[0.04], [0.05]]), np.array([0.06, 0.061, 0.062]), np.array([0.0, 1.5])[:, None, None]
    u = np.linspace(0.3, 0.5, 3)
    sets = M.GrayScott(F, k, Du=np.array([[0.2], [0.3]]), Dv=0.1).symbol(k2, (u, 0.2)).numpy()
    assert sets.shape == (2, 2, 3, 2, 2)
    one = M.GrayScott(0.05, 0.061, Du=0.3, Dv=0.1).symbol(1.5, (u[1], 0.2))
    np.testing.assert_allclose(sets[1, 1, 1], one, rtol=1e-15)
    assert M.Schnakenberg(a=np.array([0.1, 0.2])).steady_states()[0][0].shape == (2,)


@pytest.mark.parametrize("call", [
    lambda: M.Thomas(np.array([150.0, 160.0])).steady_states(),
    lambda: M.FitzHughNagumo(I=np.array([0.0, 0.5])).steady_states(),
    lambda: M.Schnakenberg().jacobian((1.0,)),
    lambda: M.Schnakenberg().jacobian(1.0),
    lambda: M.FisherKPP().symbol(-1.0, 0.0),
    lambda: M.FisherKPP().jacobian(float("nan")),
    lambda: M.CrossDiffusion(M.Schnakenberg(), np.eye(3)),
    lambda: M.CrossDiffusion(M.Schnakenberg(), [[1.0, 2.0], [2.0, 1.0]]),
    lambda: M.CahnHilliard().on(ds.Grid(8, 1.0), ds.Dirichlet(0.0)),
    lambda: M.KuramotoSivashinsky().on(ds.Grid(8, 1.0), ds.Neumann(0.1)),
    lambda: M.Barkley(eps=0.0),
    lambda: M.LotkaVolterra(alpha=-1.0),
])
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError) as error:
        call()
    assert all(part in str(error.value) for part in ("expected", "because", ". "))
