"""One step of molecules that react: how many, which, and where they are put. 5σ, goodness of fit at 1e-5."""

import math
import warnings

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import erfcx

import diffsim as ds
from diffsim.particles import Doi, Molecules, Pool, Smoluchowski, Surface, contact
from diffsim.particles.plan import plan_for

R, CALM = 0.1, 1e-9  # pairs within R are certain to react; nobody moves by more than 1e-4 in a step


def step(law, y0, h=1.0, steps=1, **kw):
    y = ds.solve(law, y0, (0, h), dt=h / steps, key=ds.key(8), jit=False, **kw).final
    return y.x.numpy(), y.kind.numpy()


def near(p, expected, n):
    return abs(p - expected) < 5 * np.sqrt(expected * (1 - expected) / n)


def test_what_one_molecule_does_in_a_long_step():
    """e^{−4h} of G are left, the rest is H and I as 1 : 3; births in a disk are Poisson, uniform, and age in the step."""
    law = Molecules.of("G -> H @ 1", "G -> I @ 3", "0 -> A @ 4000", "0 -> E @ 1000", "A -> B @ 2", D=0.01,
                       region=ds.Ball((0.0, 0.0), 1.0))  # fmt: skip
    x, kind = step(law, law.fill({"G": 10_000}, 19_000, ds.key(1)), 0.5)
    n = dict(zip(law.species, (kind == np.arange(len(law.species))[:, None]).sum(1), strict=True))
    assert near(n["G"] / 1e4, math.exp(-2), 10_000) and near(n["H"] / (n["H"] + n["I"]), 0.25, n["H"] + n["I"])
    for name, mean in (("E", 500 * math.pi), ("A", 2000 * math.pi * (1 - math.exp(-1))), ("B", 2000 * math.pi / math.e)):
        assert abs(n[name] - mean) < 5 * math.sqrt(mean), name
    r2 = (x[kind == law.species.index("E")] ** 2).sum(-1)
    assert stats.kstest(r2, "uniform").pvalue > 1e-5


SCENES = Molecules.of(
    "A + B <-> C @ 1, 20", "E + S -> E + P @ 1", "F + T -> F + Q @ 1", "K + L -> M @ 0.005", "K + L -> N @ 0.015",
    "X + Y -> 0 @ 1", "U -> V @ 50", "2 V -> 0 @ 1", "G + H -> 0 @ 1",
    D={"A": CALM, "B": 3 * CALM, "C": 0.0, **dict.fromkeys("ESPFTQKLMNXYUVGH", CALM)},
    region=ds.Box((0.0, 0.0), (2.0, 2.0)), boundary=ds.Boundary(x=ds.Periodic(), y=ds.Neumann()), kinetics=Doi(R),
)  # fmt: skip
PLACES = (("A", 1.98, 1.0), ("B", 0.04, 1.0), ("C", 0.5, 0.5), ("C", 0.5, 0.0), ("E", 1.0, 0.2), ("S", 1.05, 0.2),
          ("T", 1.3, 0.2), ("F", 1.35, 0.2), ("F", 1.7, 1.7), ("F", 1.7, 1.4), ("K", 1.0, 0.6), ("L", 1.0, 0.65),
          ("X", 1.0, 1.0), ("Y", 1.05, 1.0), ("Y", 0.95, 1.0), ("U", 1.4, 1.0), ("U", 1.42, 1.0),
          ("G", 1.0, 1.6), ("G", 1.0, 1.61), ("H", 1.02, 1.6), ("H", 1.02, 1.62))  # fmt: skip


def test_pairs_and_their_products_at_rest():
    """Who reacts with whom, what becomes of them and where, in a thousand boxes of ten scenes each."""
    boxes, names = 1000, SCENES.species
    x0 = np.array([p[1:] for p in PLACES] + [(0.1, 0.1)] * 4)
    kind0 = np.array([names.index(p[0]) for p in PLACES] + [-1] * 4, float)
    x, kind = step(SCENES, Pool(tf.constant(np.tile(x0, (boxes, 1, 1))), tf.constant(np.tile(kind0, (boxes, 1)))))

    def of(name, low=-1.0, high=3.0):
        here = (kind == names.index(name)) & (x[..., 1] > low) & (x[..., 1] < high)
        return x[here].reshape(-1, 2), here.sum(1)

    # A and B meet across the border: C at the centre of diffusion, ¼ of the way from A to B; one or none each box
    C, number = of("C", 0.9)
    assert number.all() and np.abs(C - [1.995, 1.0]).max() < 1e-3
    # E and F stay where they were, also where they are the many; S and T become P and Q where those were
    for cat, product, at, where in (("E", "P", 1.0, 1.05), ("F", "Q", 1.35, 1.3)):
        assert np.abs(of(cat, high=1.0)[0] - [at, 0.2]).max() < 1e-3 and (of(product)[1] == 1).all()
        assert np.abs(of(product)[0] - [where, 0.2]).max() < 1e-3
    assert (of("F")[1] == 3).all() and not of("S")[1].any() and not of("T")[1].any()
    # 1 − e^{−λh}, λ = k/πR², becomes M or N as 1 : 3
    M, N = of("M")[1].sum(), of("N")[1].sum()
    assert near((M + N) / boxes, -math.expm1(-0.02 / (math.pi * R**2)), boxes) and near(M / (M + N), 0.25, M + N)
    # of two that are as near, chance decides; what has just become V does not react again; all four find a partner
    assert (of("Y")[1] == 1).all() and near((of("Y")[0][:, 0] > 1).mean(), 0.5, boxes)
    assert (of("V")[1] == 2).all() and not of("X")[1].any() and not of("G")[1].any() and not of("H")[1].any()
    # C comes apart with πR²k₋/k₊, which balances the certain meeting; uniformly in the disk, its centre at rest
    A, many = of("A")
    B = of("B")[0]
    assert near(many.mean(), math.pi * R**2 * 20, boxes)
    np.testing.assert_allclose(0.75 * A + 0.25 * B, np.broadcast_to([0.5, 0.5], A.shape), atol=1e-3)
    assert stats.kstest(((A - B) ** 2).sum(-1) / R**2, "uniform").pvalue > 1e-5
    # at a wall there is room for one of the two only: it stays
    assert (of("C", high=0.01)[1] == 1).all()


def test_walls_react_with_each_species_at_its_own_rate():
    """From the wall erfcx(κ√(h/D)) are left in one step; products begin there; a port makes something else."""
    n, D, kappa = 10_000, {"A": 0.5, "C": 1.2, "B": 0.0, "E": 0.0}, {"A": 0.7, "C": 1.5}
    main = Surface("A -> B @ 0.7", "C -> 0 @ 1.5")
    law = Molecules.of(D=D, region=ds.Box((0.0,), (9.0,)),
                       surfaces=(main, Surface("A -> E @ 0.7", port=ds.Ball((9.0,), 0.5))))  # fmt: skip
    x0 = np.concatenate([np.zeros((2 * n, 1)), np.full((n, 1), 9.0)])
    names = [law.species.index(s) for s in "ACA"]
    x, kind = step(law, Pool(tf.constant(x0), tf.constant(np.repeat(names, n).astype(float))))
    for s, name in enumerate("ACA"):
        left = (kind[s * n : s * n + n] == names[s]).mean()
        assert near(left, erfcx(kappa[name] * math.sqrt(1 / D[name])), n), (s, left)
    for name, at, rows in (("B", 0.0, slice(0, n)), ("E", 9.0, slice(2 * n, None))):
        made = kind[rows] == law.species.index(name)
        assert made.sum() + (kind[rows] == names[0]).sum() == n and np.abs(x[rows][made] - at).max() < 1e-12
    assert ((kind[n : 2 * n] == names[1]) | (kind[n : 2 * n] == -1)).all()


@pytest.mark.parametrize("d", (1, 2, 3))
def test_contacts_have_the_kinetics_of_their_law_at_any_step(d):
    """Far away both look alike, whatever Δt: the length is Doi's; where diffusion is fast a step takes kΔt of space."""
    D, radius, k = 0.7, 0.3, 1.1
    a = k / (4 * math.pi * D) if d == 3 else contact.doi(d, radius, math.sqrt(k / contact.ball(d, radius) / D))
    for h in (1e-3, 0.02, 0.5):
        found = Doi(radius).contact(d, k, D, h)
        assert contact.length(d, *found, math.sqrt(2 * D * h)) == pytest.approx(a, rel=1e-6)
        assert found.radius >= radius and found.chance <= 1
    fast = Doi(radius).contact(d, k, 1e4, 1e-3)
    assert fast.chance * contact.ball(d, fast.radius) == pytest.approx(k * 1e-3, rel=2e-3)
    if d != 2:
        touch = Smoluchowski().contact(d, k, 1e4, 1e-3)
        assert contact.ball(d, touch.radius) == pytest.approx(k * 1e-3, rel=2e-2)


def test_shorter_steps_have_their_own_contacts():
    """A last step, or one of an uneven mesh: interpolated to a part in a thousand, and kΔt of space for tiny ones."""
    law = Molecules.of("A + B -> 0 @ 1.1", D=0.35, region=ds.Box((0.0,) * 3, (4.0,) * 3), kinetics=Doi(0.3))
    plan = plan_for(law, 0.02, None)
    for h in (0.02, 0.0137, 0.01, 0.0061, 0.005):
        seen = [float(v) for v in plan.at(law, tf.constant(h, tf.float64)).pairs[0]]
        assert seen == pytest.approx(law.kinetics.contact(3, 1.1, 0.7, h), rel=2e-3), h
    tiny = [float(v) for v in plan.at(law, tf.constant(0.0005, tf.float64)).pairs[0]]
    assert tiny[1] == pytest.approx(law.kinetics.contact(3, 1.1, 0.7, 0.005).chance / 10, rel=1e-6)


def test_twins_that_would_part_unseen_are_warned_of():
    """Born at one place and reactive: 8.0 of 40 A in balance where steps resolve R = .3, 14.1 at √(2DΔt) = 1.3 R."""
    texts = ("A + B -> C @ 5", "C -> Q @ 5", "Q -> A + B @ 5")
    law = Molecules.of(*texts, D=1.0, region=ds.Box((0.0,) * 3, (3.0,) * 3), kinetics=Doi(0.3))
    y0 = law.fill({"Q": 2}, 10, ds.key(0))

    def begin(law, h):
        stepper, bound = ds.particles.DiffuseReact().bind(law.of_state(y0), h)
        stepper.check_start(bound, y0)

    with pytest.warns(UserWarning, match="A and B are born at one place .* 1[0-9] times as short"):
        begin(law, 0.04)
    undone = Molecules.of("A + B <-> C @ 5, 5", "C -> Q @ 5", D=1.0, region=law.region, kinetics=Doi(0.3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        begin(law, 0.002)  # resolved
        begin(undone, 0.004)  # in balance at any step
