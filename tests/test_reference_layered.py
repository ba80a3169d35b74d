"""Composite slabs against finite volumes, completeness and their interfaces."""

import itertools
import math

import numpy as np
import pytest
from scipy import linalg

from derivatives import heat_defect
from diffsim.reference import bounded, layered

OPEN = math.inf

TWO = layered.Layers((0.5, 0.5), (1.0, 0.1))
TWO_PARTITIONED = layered.Layers((0.5, 0.5), (1.0, 0.1), solubility=(1.0, 2.0))


def finite_volume_rates(layers, cells, count, faces):
    """Decay rates of a finite-volume slab held at 0; `faces` joins two half-cell conductances."""
    width = np.repeat(np.array(layers.thickness) / cells, cells)
    D, S = np.repeat(layers.D, cells), np.repeat(layers.solubility, cells)
    half = 2 * D * S / width
    contact = np.zeros(len(D) - 1)
    contact[cells - 1 :: cells] = layers.resistance
    g = np.concatenate([half[:1], faces(half[:-1], half[1:], contact), half[-1:]])
    scale = 1 / np.sqrt(S * width)
    rates = linalg.eigh_tridiagonal(
        (g[1:] + g[:-1]) * scale**2,
        -g[1:-1] * scale[1:] * scale[:-1],
        select="i",
        select_range=(0, count - 1),
    )
    return rates[0]


def harmonic(left, right, contact):
    """The conductance of two half cells and a contact in series."""
    return 1 / (1 / left + contact + 1 / right)


def arithmetic(left, right, contact):
    """The mean of the two: a common mistake, blind to the contact as well."""
    return 0.25 * (left + right)


CONTACT = layered.Layers((0.5, 0.3, 0.4), (1.0, 0.1, 0.5), solubility=(1.0, 2.0, 0.7), resistance=(0.3, 0.0))


@pytest.mark.parametrize("slab", [TWO, TWO_PARTITIONED, CONTACT], ids=["plain", "partition", "contact"])
def test_decay_rates_are_the_limit_of_finite_volumes_of_second_order(slab):
    """Harmonic faces converge to the rates with order 2, and their extrapolation agrees to 1e-7."""
    exact = layered.decay_rates(slab, 3)
    coarse, fine = (finite_volume_rates(slab, n, 3, harmonic) for n in (50, 100))
    order = np.log2(np.abs(coarse - exact) / np.abs(fine - exact))
    np.testing.assert_allclose(order, 2.0, atol=0.01)
    np.testing.assert_allclose((4 * fine - coarse) / 3, exact, rtol=1e-6)


def test_arithmetic_faces_fall_to_first_order():
    """Negative control: the average of D on the face costs one order."""
    exact = layered.decay_rates(TWO, 2)
    coarse, fine = (finite_volume_rates(TWO, n, 2, arithmetic) for n in (400, 800))
    order = np.log2(np.abs(coarse - exact) / np.abs(fine - exact))
    assert (order < 1.2).all()


def test_steady_layers_match_the_listed_profile():
    """A8: u = x, 10x − 9L/4, x + 18L/4 for a unit gradient flux at x = L = 1."""
    slab = layered.Layers((0.25, 0.5, 0.25), (1.0, 0.1, 1.0), h=(OPEN, 0.0))
    x = np.linspace(0, 1, 41)
    listed = np.select([x < 0.25, x < 0.75], [x, 10 * x - 9 / 4], x + 18 / 4)
    np.testing.assert_allclose(layered.steady(slab, x, 0.0, -1.0), listed, atol=1e-14)
    J = 1.0 / CONTACT.total_resistance
    c_end = layered.steady(CONTACT, 1.2, 1.0, J)
    assert c_end == pytest.approx(0.0, abs=1e-14)


def test_one_layer_is_a_slab_with_its_biot_roots_and_its_profile():
    """The general machinery gives back the symmetric slab and the one with a film."""
    film = layered.Layers((1.0,), (1.0,), h=(0.0, 1.3))
    np.testing.assert_allclose(
        np.sqrt(layered.decay_rates(film, 50)), bounded.robin_roots(1.3, 50), rtol=1e-13
    )
    x = np.linspace(0, 1, 11)
    np.testing.assert_allclose(
        layered.transient(film, x, 0.03, 1.0), bounded.cooling(x, 0.03, 1.3), atol=1e-12
    )


def test_identical_layers_behind_a_poor_contact_have_all_their_close_pairs():
    """Three equal layers, almost apart: the rates come in triples near (mπ)², and none is skipped."""
    apart = layered.Layers((1.0,) * 3, (1.0,) * 3, resistance=(1e5, 1e5), h=(0.0, 0.0))
    rates = layered.decay_rates(apart, 12).reshape(4, 3)
    np.testing.assert_allclose(rates, np.repeat((np.arange(4) * np.pi) ** 2, 3).reshape(4, 3), atol=1e-4)
    assert (np.diff(rates.ravel()) > 0).all()


@pytest.mark.parametrize("h", list(itertools.product([0.0, 2.0, OPEN], repeat=2)))
def test_layered_modes_are_orthonormal_and_complete(h):
    """∫ S aₘaₙ = δ; the start returns at t → 0 and the steady state at t → ∞, for all kinds of ends."""
    slab = layered.Layers(CONTACT.thickness, CONTACT.D, CONTACT.solubility, CONTACT.resistance, h=h)
    node, weight = np.polynomial.legendre.leggauss(60)
    x = np.concatenate([a + w * 0.5 * (node + 1) for a, w in zip(slab.walls, slab.thickness, strict=False)])
    S = np.array(slab.solubility)[slab.locate(x)]
    measure = S * np.concatenate([0.5 * w * weight for w in slab.thickness])
    _, a = layered.modes(slab, x, 8)
    np.testing.assert_allclose(a.T @ (measure[:, None] * a), np.eye(8), atol=1e-12)
    start, outside = (1.0, 2.0, 3.0), (1.0, 0.4)
    inner = np.array([0.25, 0.65, 1.0])
    np.testing.assert_allclose(layered.transient(slab, inner, 3e-5, start, outside, n=1200), start, atol=1e-9)
    late = layered.transient(slab, x, 400.0, start, outside)
    if h == (0.0, 0.0):
        amount = np.dot(start, slab.thickness)
        np.testing.assert_allclose(late / S, amount / np.dot(slab.solubility, slab.thickness), rtol=1e-12)
    elif 0.0 in h:
        np.testing.assert_allclose(late / S, outside[h.index(0.0) - 1], rtol=1e-12)
    else:
        J = (outside[0] - outside[1]) / slab.total_resistance
        a_left = outside[0] - (J / h[0] if h[0] < OPEN else 0)
        np.testing.assert_allclose(late, layered.steady(slab, x, a_left, J), rtol=1e-12)


def test_a_layered_transient_obeys_the_heat_equation_and_its_interfaces():
    """c_t = D c_xx in each layer; flux continuous, activity drop = J × resistance."""

    def u(x, t):
        return layered.transient(CONTACT, x, t, (1.0, 2.0, 3.0), (1.0, 0.4))

    for x, D in ((0.3, 1.0), (0.65, 0.1), (1.0, 0.5)):
        assert abs(heat_defect(u, x, 0.1, D)) < 1e-6
    e = 1e-9  # just left of an interface
    left, right = 0.5 - e - np.arange(3) * 1e-4, 0.5 + np.arange(3) * 1e-4
    c_left, c_right, weights = u(left, 0.1), u(right, 0.1), np.array([-3, 4, -1]) / 2e-4
    J_left, J_right = 1.0 * (c_left @ weights), -0.1 * (c_right @ weights)
    assert J_left == pytest.approx(J_right, rel=1e-5)
    assert c_left[0] - c_right[0] / 2 == pytest.approx(0.3 * J_left, rel=1e-5)
