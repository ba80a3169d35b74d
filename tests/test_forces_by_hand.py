"""Energies, forces and virials of a few particles beside sums over pairs written out."""

import numpy as np
import pytest
import tensorflow as tf

from diffsim.particles import WCA, Bonds, Cells, LennardJones, Pairs, Spring

EPSILON, SIGMA, BOX = 0.7, 1.3, np.array([4.2, 4.6, 5.0])


def lennard_jones(r):
    """4ε[(σ/r)¹² − (σ/r)⁶], and its slope."""
    a, b = (SIGMA / r) ** 12, (SIGMA / r) ** 6
    return 4 * EPSILON * (a - b), 4 * EPSILON * (6 * b - 12 * a) / r


def places():
    """Eleven particles in a box, none too close."""
    x = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), -1).reshape(-1, 3)[:11] * BOX / 3 + 0.4
    return x + np.random.default_rng(4).uniform(-0.3, 0.3, x.shape)


@pytest.mark.parametrize(("phi", "cutoff", "lift"), [(WCA(EPSILON, SIGMA), 2 ** (1 / 6) * SIGMA, EPSILON),
                                                     (LennardJones(EPSILON, SIGMA), 2.0, None)])
def test_pairs_in_a_periodic_box(phi, cutoff, lift):
    """V = Σ φ(r) − φ(r_c), F = −∇V and −Σ rφ′ over pairs by the shortest way; WCA is lifted by ε to end at zero."""
    x = places()
    V, forces, virial = 0.0, np.zeros_like(x), 0.0
    for i in range(11):
        for j in range(i):
            way = x[i] - x[j]
            way -= BOX * np.rint(way / BOX)
            r = np.linalg.norm(way)
            if r < cutoff:
                energy, slope = lennard_jones(r)
                V += energy + (lift if lift is not None else -lennard_jones(cutoff)[0])
                forces[i] -= slope * way / r
                forces[j] += slope * way / r
                virial -= r * slope
    assert np.abs(forces).max() > 0.1 and abs(V) > 0.1
    fluid = Pairs(phi, Cells.over(np.zeros(3), BOX, cutoff, number=11, periodic=True))
    assert fluid(0.0, tf.constant(x)).numpy() == pytest.approx(V, rel=1e-12)
    assert fluid.virial(tf.constant(x)).numpy() == pytest.approx(virial, rel=1e-12)
    np.testing.assert_allclose(fluid.force(0.0, tf.constant(x)), forces, rtol=0, atol=1e-12)


def test_the_minimum_is_where_repulsion_ends():
    """φ = 0 = φ′ at 2^{1/6}σ for WCA, −ε for Lennard-Jones."""
    phi = WCA(EPSILON, SIGMA)
    assert phi.cutoff == pytest.approx(2 ** (1 / 6) * SIGMA)
    r = tf.constant([phi.cutoff * (1 - 1e-6), phi.cutoff * 1.01, SIGMA], tf.float64)
    np.testing.assert_allclose(phi(r), [0.0, 0.0, EPSILON], atol=1e-9)
    np.testing.assert_allclose(LennardJones(EPSILON, SIGMA)(r[:1]), [-EPSILON], rtol=1e-9)


def test_a_bond_across_a_periodic_wall():
    """k(r − l)²/2 by the shortest way, in open space by the long one."""
    x, k, length = np.array([[0.2, 3.0], [4.7, 3.1]]), 1.7, 0.3
    cells = Cells.over([0.0, 0.0], [5.0, 6.0], 1.0, number=2, periodic=True)
    for box, way in ((cells, [-0.5, 0.1]), (None, [4.5, 0.1])):
        r = np.hypot(*way)
        V = Bonds(Spring(k, length), ((0, 1),), box)
        assert V(0.0, tf.constant(x)).numpy() == pytest.approx(k * (r - length) ** 2 / 2, rel=1e-12)
        pull = k * (r - length) / r * np.array(way)
        np.testing.assert_allclose(V.force(0.0, tf.constant(x)), [pull, -pull], rtol=1e-12)
