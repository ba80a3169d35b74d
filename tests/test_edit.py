"""Images drawn again from noisy copies of themselves, where what comes out is known in closed form."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import ndtr

import diffsim as ds
from diffsim import generative as gen
from test_generated import example

M, V = 0.7, 0.64
MIX = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
KS = 2.47  # √n sup |F_n − F| is larger once in 10⁵


def steps(s, n=40):
    """From σ = s to data, near noise and near data in fine steps."""
    return gen.karras(n, min(2e-3, s / 10), s, rho=4.0)


def edited(denoiser, x0, s, eta, n=40, count=20_000, seed=1):
    image = np.full([count, 1], x0)
    sampler = gen.samplers.dpm_solver_pp(denoiser, steps(s, n), eta=eta)
    return gen.edit(sampler, image, key=ds.key(seed), jit=False).final.numpy()[:, 0]


def uniform(u):
    """√n times the largest distance of u from the uniform law."""
    u, n = np.sort(u), len(u)
    return np.sqrt(n) * max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max())


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_an_edit_of_gaussian_data_is_as_near_to_the_image_as_it_says(eta):
    """N(m + c(x₀ − m), V(1 − c²)), c = (V/(V + s²))^{(1+η)/2}: mean and variance to 5σ of 20,000, and 0.3 % of steps."""
    x0, n = 2.5, 20_000
    for s in (0.5, 2.0):
        c = (V / (V + s**2)) ** ((1 + eta) / 2)
        x = edited(gen.Gaussian([M], V), x0, s, eta)
        assert abs(x.mean() - (M + c * (x0 - M))) < 5 * np.sqrt(V * (1 - c**2) / n) + 0.003
        assert abs(x.var() / (V * (1 - c**2)) - 1) < 5 * np.sqrt(2 / n) + 0.006
        other = (V / (V + s**2)) ** ((2 - eta) / 2)  # that of the other η is refuted
        assert abs(x.mean() - (M + other * (x0 - M))) > 10 * np.sqrt(V / n)


def test_no_noise_leaves_the_image_and_much_noise_leaves_nothing_of_it():
    """s → 0: the image, to s; s → ∞: draws of the data (KS at 1e-5), which do not know the image."""
    near = edited(MIX, 0.4, 1e-5, 1.0, n=4, count=50, seed=3)
    np.testing.assert_allclose(near, 0.4, atol=1e-4)
    far = np.array([edited(MIX, x0, 200.0, 1.0, n=60, count=4000, seed=4) for x0 in (-3.0, 3.0)])
    parts = (far[..., None] - MIX.means[:, 0]) / MIX.variances[:, 0] ** 0.5
    assert max(uniform(u) for u in ndtr(parts) @ MIX.weights) < KS
    assert np.abs(far[0] - far[1]).max() < 0.2  # the same noise draws the same, whatever the image was


def cdf(x, s):
    """Of the mixture with noise s."""
    return ndtr((x[..., None] - MIX.means[:, 0]) / np.sqrt(MIX.variances[:, 0] + s**2)) @ MIX.weights


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_an_edit_of_a_mixture_has_its_exact_law(eta):
    """KS at 1e-5. Along the flow quantiles are kept, x ↦ F_s⁻¹(F₀(x)) is N(x₀, s²); with noise it is the posterior of z."""
    x0, s = -0.8, 1.2
    x = edited(MIX, x0, s, eta, count=6000, seed=5)
    if eta:
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        z = x0 + s * nodes[:, None]
        total = MIX.variances[:, 0] + s**2
        share = MIX.weights * np.exp(-((z - MIX.means[:, 0]) ** 2) / 2 / total) / np.sqrt(total)
        share /= share.sum(-1, keepdims=True)
        mean = MIX.means[:, 0] + MIX.variances[:, 0] / total * (z - MIX.means[:, 0])
        std = np.sqrt(MIX.variances[:, 0] * s**2 / total)
        u = np.einsum("n,nk,ink->i", weights / weights.sum(), share, ndtr((x[:, None, None] - mean) / std))
    else:
        grid = np.linspace(-15, 15, 20_001)
        u = ndtr((np.interp(cdf(x, 0.0), cdf(grid, s), grid) - x0) / s)
    assert uniform(u) < KS
    assert uniform(cdf(x, 0.0)) > 3 * KS  # it is not just a draw of the data


def test_one_program_for_every_strength_and_image():
    """As many steps, one trace: from another σ, another time, another image; and the same rows out of any batch."""
    traces = []

    def network(x, t):
        traces.append(1)
        return 0.1 * x

    denoiser, schedule = gen.from_v(network, gen.VP()), gen.VP()

    def run(mesh, image, seed=2):
        return gen.edit(gen.samplers.ddpm(denoiser, mesh), image, key=ds.key(seed), jit=False).final.numpy()

    image = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    first = run(gen.karras(6, 0.01, 3.0), image)
    before = len(traces)
    others = [run(gen.karras(6, 0.01, 0.5), image), run(gen.uniform_time(schedule, 6, first=0.4), image),
              run(gen.karras(9, 0.01, 9.0)[3:], image), run(gen.karras(6, 0.01, 3.0), image[::-1]),
              run(gen.karras(6, 0.01, 3.0), image, 3)]  # fmt: skip
    assert len(traces) == before
    assert all(np.abs(x - first).max() > 1e-3 and x.dtype == np.float32 for x in others)
    mesh = gen.karras(6, 0.01, 3.0)
    part = gen.noised(image[1:], mesh, ds.key(9), first=1)
    np.testing.assert_array_equal(part, gen.noised(image, mesh, ds.key(9))[1:])


def test_what_a_mask_keeps_is_not_edited():
    """With `inpaint` around the denoiser: what is known stays, and the rest is drawn with it in mind."""
    known, mask = np.array([0.9, 0.0]), np.array([1.0, 0.0])
    pair = gen.Gaussian([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]])
    sampler = gen.samplers.ddpm(gen.inpaint(pair, known, mask), steps(1.0, 20))
    x = gen.edit(sampler, np.tile([0.9, -2.0], (500, 1)), key=ds.key(6), jit=False).final.numpy()
    np.testing.assert_allclose(x[:, 0], 0.9, atol=1e-12)
    assert x[:, 1].std() > 0.1 and x[:, 1].mean() > -1.5


SAMPLER = gen.samplers.ddpm(MIX, gen.karras(3, 0.1, 1.0))
REFUSED = {
    "no sampler": (lambda: gen.edit(MIX, np.zeros([2, 1]), key=ds.key(0)), "sampler=.*ddpm"),
    "gaps": (lambda: gen.edit(SAMPLER, np.array([[np.nan]]), key=ds.key(0)), "image.*Fill"),
    "bytes": (lambda: gen.edit(SAMPLER, np.zeros([2, 1], np.uint8), key=ds.key(0)), "image=.*127.5"),
    "a number": (lambda: gen.edit(SAMPLER, 0.5, key=ds.key(0)), "image=.*batch"),
    "no key": (lambda: gen.edit(SAMPLER, np.zeros([2, 1]), key=None), "key=None"),
    "a mesh to noise": (lambda: gen.noised(np.zeros([2, 1]), gen.karras(3, 0.1, 1.0).reversed(), ds.key(0)), "reversed"),
    "no mesh": (lambda: gen.noised(np.zeros([2, 1]), 0.5, ds.key(0)), "mesh=0.5"),
    "no strength": (lambda: gen.uniform_time(gen.VP(), 9, first=0.0), "first=0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_misuse_is_refused_in_four_parts(case):
    call, match = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=f"(?s){match}") as error:
        call()
    assert "because" in str(error.value)


def test_images_in_another_range_are_warned_of():
    """Grey values 0 … 255 would drown the noise; codes, which lie anywhere, say so, and a pair of numbers is no image."""
    pixels, own = np.linspace(0.0, 255.0, 32).reshape(2, 4, 4), gen.samplers.ddpm(lambda z, lam: 0.5 * z, SAMPLER.mesh)
    with pytest.warns(UserWarning, match="image runs from 0 to 255: expected about -1 to 1, because") as caught:
        gen.edit(own, pixels, key=ds.key(0), jit=False)
    assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gen.edit(own, pixels, key=ds.key(0), span=None, jit=False)
        gen.edit(own, pixels, key=ds.key(0), span=(0, 255), jit=False)
        gen.edit(own, pixels / 127.5 - 1.0, key=ds.key(0), jit=False)
    with pytest.raises(ValueError, match="span=3: expected .*because"):
        gen.edit(own, pixels, key=ds.key(0), span=3, jit=False)


def test_double_precision_is_kept():
    z = gen.noised(tf.zeros([2, 2], tf.float64), gen.karras(3, 0.1, 1.0), ds.key(0))
    assert z.dtype == tf.float64


@pytest.mark.slow
def test_digits_become_others_as_noise_grows():
    pytest.importorskip("sklearn")
    seen = example("66_edited_digits").main(fast=True)
    new, old, alike = (np.array([v for k, v in seen.items() if k.startswith(w)]) for w in ("new", "old", "alike"))
    assert old[0] > 0.85 and new[0] < 0.1 and alike[0] > 0.85
    assert new[-1] > 0.9 and old[-1] < 0.05 and abs(alike[-1]) < 0.15
    assert (np.diff(alike[:4]) < 0).all()
