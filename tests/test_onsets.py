"""Onsets and maps: closed-form critical values, coefficients by name, and programs that follow their values."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from diffsim import analysis as an
from diffsim import models
from diffsim.analysis.stability import Instability

SCHNAKENBERG = models.Schnakenberg(a=0.1, b=0.9, Du=1.0, Dv=20.0)
BRUSSELATOR = models.Brusselator(A=4.5, B=7.5, Du=2.0, Dv=16.0)
REST = (1.0, 0.9)  # of Schnakenberg's model
K = np.linspace(0, 3, 61)


def test_turing_onset_of_schnakenberg():
    found = an.onset(SCHNAKENBERG, "Dv", (2.0, 40.0))
    assert found.kind is Instability.TURING
    assert found.value == pytest.approx(8.5676274578, abs=5e-11)
    assert found.k == pytest.approx(0.58450045894, abs=1e-11)
    assert found.wavelength == pytest.approx(10.74967, abs=1e-5)


def test_onsets_of_the_cima_reaction_and_of_the_enzyme():
    """Of iodide and chlorite by the closed forms of its class; of uric acid by those of any two species."""
    model = models.LengyelEpstein(a=10.0, c=1.5)
    turing = an.onset(model, "b", (0.2, 0.5), kind=Instability.TURING)
    root = (np.sqrt(10 * 1.5 * 5 + 2 * 10.5) - np.sqrt(10 * 1.5 * 5)) / 2  # of 10.5 − 2b = 2√(75 b) at α = 2
    assert turing.value == pytest.approx(root**2, rel=1e-12)
    assert an.onset(model, "sigma", (10.0, 20.0), kind=Instability.HOPF).value == pytest.approx(3.5 / 0.3, rel=1e-12)
    assert model.sigma * model.b > 3.5 and model.b < turing.value  # as it comes it makes patterns and does not swing
    enzyme = models.Thomas()
    (a, b), (c, d) = enzyme.jacobian(enzyme.steady_states()[0]).numpy()
    ratio = ((a * d - 2 * b * c) + 2 * np.sqrt(b * c * (b * c - a * d))) / a**2  # Du = 1
    assert an.onset(enzyme, "Dv", (10.0, 40.0)).value == pytest.approx(ratio, rel=1e-11)


def test_brusselator_has_a_turing_and_a_hopf_onset_wherever_it_is_first():
    ratio = np.sqrt(2.0 / 16.0)
    first = an.onset(BRUSSELATOR, "B", (5.0, 10.0))
    assert (first.kind, first.frequency) == (Instability.TURING, 0.0)
    assert first.value == pytest.approx((1 + 4.5 * ratio) ** 2, rel=1e-13)
    assert first.k == pytest.approx(np.sqrt(4.5 / np.sqrt(32.0)), rel=1e-10)
    hopf = an.onset(BRUSSELATOR, "B", (5.0, 30.0), kind=Instability.HOPF)
    assert (hopf.value, hopf.k, hopf.frequency) == pytest.approx((1 + 4.5**2, 0.0, 4.5), rel=1e-12)
    other = replace(BRUSSELATOR, A=1.0, Du=16.0)  # here the clock starts first
    hopf = an.onset(other, "B", (1.1, 3.5))
    assert (hopf.kind, hopf.value) == (Instability.HOPF, pytest.approx(2.0, rel=1e-12))
    turing = an.onset(other, "B", (3.0, 9.0), kind=Instability.TURING)
    assert turing.value == pytest.approx(4.0, rel=1e-12)


@dataclass(frozen=True)
class Waves(models.Reaction):
    """An oscillator u, v, which a third, mobile species w holds back where it can keep up."""

    mu: float = 2.0

    species = ("u", "v", "w")
    diffusivities = (0.1, 0.0, 1.0)

    def rates(self, t, y):
        u, v, w = y
        return self.mu * u - v - 3.0 * w - u**3, u, 3.0 * u - 3.0 * w

    def steady_states(self):
        return ((0.0, 0.0, 0.0),)


def test_waves_begin_at_a_wavelength_and_a_frequency():
    found = an.onset(Waves(), "mu", (1.0, 2.0))
    assert found.kind is Instability.WAVE
    assert found == an.onset(Waves(), "mu", (1.0, 2.0), kind=Instability.WAVE)
    k2 = np.linspace(0, 9, 9001)[:, None, None]
    A = np.array([[found.value, -1, -3], [1, 0, 0], [3, 0, -3]]) - k2 * np.diag([0.1, 0, 1])
    lam = np.linalg.eigvals(A)
    top = lam[lam.real.max(1).argmax()]
    assert top.real.max() == pytest.approx(0, abs=1e-6)
    assert found.frequency == pytest.approx(abs(top.imag).max(), rel=1e-3)
    assert found.k**2 == pytest.approx(k2[lam.real.max(1).argmax(), 0, 0], abs=2e-3)
    codes = an.instability(Waves(np.array([0.9, 1.0, 1.1]) * found.value), (0.0, 0.0, 0.0), np.linspace(0, 3, 301))
    assert (codes[0], codes[2]) == (Instability.STABLE, Instability.WAVE)


def test_own_models_vary_by_the_names_they_were_given():
    own = models.from_rates(lambda u, v, a, b: (a - u + u**2 * v, b - u**2 * v), (1.0, 20.0),
                            parameters={"a": 0.1, "b": 0.9})
    names = {"x": ("a", np.linspace(0.05, 0.3, 4)), "y": ("b", np.linspace(0.5, 1.5, 5))}
    start = lambda m: (m.parameters["a"] + m.parameters["b"], 1.0)  # noqa: E731
    mine, theirs = (an.stability_map(m, K, **names, state=s) for m, s in ((own, start), (SCHNAKENBERG, REST)))
    np.testing.assert_array_equal(mine.codes, theirs.codes)
    np.testing.assert_allclose(mine.growth, theirs.growth, rtol=1e-10)
    known = an.onset(SCHNAKENBERG, "b", (1.0, 3.0)).value
    state = lambda m: (0.1 + (b := m.parameters["b"]), b / (0.1 + b) ** 2)  # noqa: E731
    assert an.onset(own, "b", (1.0, 3.0), state=state).value == pytest.approx(known, rel=1e-12)
    assert an.onset(own, "Dv", (2.0, 40.0), state=state).value == pytest.approx(8.5676274578, abs=5e-11)


CROSS = models.CrossDiffusion(SCHNAKENBERG, [[1.0, 0.1], [0.0, 8.0]])


def cross_onset(name, between):
    """Where B² = 4 det J det D with B = D₁₁J₂₂ + D₂₂J₁₁ − D₁₂J₂₁ − D₂₁J₁₂ > 0, and k² = B/2 det D there."""
    from scipy.optimize import brentq

    J, names = np.array([[0.8, 1.0], [-1.8, -1.0]]), ["Duu", "Duv", "Dvu", "Dvv"]

    def parts(p):
        D = np.array(CROSS.D)
        D.flat[names.index(name)] = p
        B = D[0, 0] * J[1, 1] + D[1, 1] * J[0, 0] - D[0, 1] * J[1, 0] - D[1, 0] * J[0, 1]
        return B, np.linalg.det(D)

    p = brentq(lambda p: parts(p)[0] - 2 * np.sqrt(np.linalg.det(J) * parts(p)[1]), *between, xtol=1e-14)
    return p, np.sqrt(parts(p)[0] / (2 * parts(p)[1]))


@pytest.mark.parametrize(("name", "between"), [("Dvv", (7.0, 20.0)), ("Duv", (0.0, 0.5)), ("Dvu", (-4.0, 1.0))])
def test_coefficients_of_cross_diffusion_have_names(name, between):
    found = an.onset(CROSS, name, between)
    value, k = cross_onset(name, between)
    assert found.kind is Instability.TURING
    assert (found.value, found.k) == (pytest.approx(value, abs=1e-11), pytest.approx(k, rel=1e-6))


def test_maps_of_cross_diffusion_by_name_or_as_text():
    text = models.parse("u' = lap(u) + c*lap(v) + a - u + u**2*v", "v' = 8*lap(v) + 0.9 - u**2*v", a=0.1, c=0.1)
    c, a = np.linspace(-0.2, 0.6, 9), np.linspace(0.05, 0.3, 4)
    by_name = an.stability_map(CROSS, K, x=("Duv", c), y=("a", a))
    as_text = an.stability_map(text, K, x=("c", c), y=("a", a), state=lambda m: (m.parameters["a"] + 0.9, 1.0))
    np.testing.assert_array_equal(by_name.codes, as_text.codes)
    np.testing.assert_allclose(by_name.growth, as_text.growth, rtol=1e-10)
    assert set(np.unique(by_name.codes)) == {Instability.STABLE, Instability.TURING}
    one = models.CrossDiffusion(replace(SCHNAKENBERG, a=a[1]), [[1.0, c[7]], [0.0, 8.0]])
    assert by_name.growth[7, 1] == pytest.approx(an.dispersion(one, one.steady_states()[0], K).growth.max(), rel=1e-10)
    assert an.onset(text, "c", (0.0, 0.5), state=lambda m: REST).value == pytest.approx(
        cross_onset("Duv", (0.0, 0.5))[0], abs=1e-11)


FEED = {"a": 0.1}


def test_maps_follow_what_functions_refer_to():
    """No program outlives the values that were compiled into it."""
    own = models.from_rates(lambda u, v, b: (FEED["a"] - u + u**2 * v, b - u**2 * v), (1.0, 20.0), parameters={"b": 0.9})
    axes = {"x": ("Dv", np.array([5.0, 20.0])), "y": ("b", np.array([0.9, 1.0]))}
    growth = []
    for FEED["a"] in (0.1, 0.2, 0.1):
        known = an.stability_map(replace(SCHNAKENBERG, a=FEED["a"]), K, **axes).growth
        growth.append(an.stability_map(own, K, **axes, state=REST).growth)
        np.testing.assert_allclose(growth[-1], known, rtol=1e-10)
    assert abs(growth[0] - growth[1]).min() > 1e-3


def test_benjamin_feir():
    """1 + αβ = 0, seen from the longest waves, on which the phase is neutral."""
    found = an.onset(models.GinzburgLandau(alpha=2.0, beta=-1.0), "beta", (-0.9, -0.1), state=lambda m: (1.0,))
    assert found.value == pytest.approx(-0.5, abs=1e-8)
    assert (found.kind, found.k) == (Instability.TURING, 0.0)
