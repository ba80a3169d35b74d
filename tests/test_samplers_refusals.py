"""What samplers refuse before anything is compiled, each with what came, what was expected, why, and the way out."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import samplers as S

D = gen.Mixture([0.3, 0.7], [[-1.0], [1.5]], [0.16, 0.36])
MESH = gen.uniform_lambda(6, -3.0, 3.0)
Z = tf.zeros([2, 1])
NAMES = [n for n, f in vars(S).items() if inspect.isfunction(f) and n != "inversion"]

REFUSED = {
    "an inversion of nothing": (lambda: S.inversion(None, D, MESH), "gen.samplers.ddim"),
    "an inversion of a sampler made": (lambda: S.inversion(S.ddim(D, MESH), D, MESH), "function"),
    "no order": (lambda: S.lms(D, MESH, None), "order=None"),
    "a word for a flag": (lambda: S.dpm_solver_pp(D, MESH, midpoint="yes"), "midpoint"),
    "a word for a variant": (lambda: S.unipc(D, MESH, plain="bh1"), "plain"),
    "a number for a flag": (lambda: S.unipc(D, MESH, lower_final=2), "lower_final"),
    "bounds of churn": (lambda: S.edm(D, MESH, 1.0, least=5.0, most=1.0), "least ≤ most"),
    "a negative amplitude": (lambda: S.euler_churn(D, MESH, 1.0, noise_scale=-1.0), "noise_scale"),
    "variables by name": (lambda: S.heun(D, MESH, form="sigma"), "forms.Sigma"),
    "time of no schedule": (lambda: S.euler(D, MESH, form=gen.clocks.Path(None)), "schedule"),
    "a mesh of no schedule": (lambda: gen.karras(4, 0.1, 10.0, schedule="vp"), "schedule='vp'"),
    "an offset too large": (lambda: gen.leading(gen.Discrete.linear(100), 4, offset=40), "step 115"),
    "steps of another size": (lambda: gen.sample(S.ddim(D, MESH), Z, dt=0.1), "options=['dt']"),
    "whole numbers": (lambda: gen.prior(MESH, (2, 1), ds.key(0), tf.int32), "dtype"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    build, word = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        build()
    assert word in str(error.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mesh", [None, np.linspace(-3.0, 3.0, 7)], ids=["nothing", "an array"])
def test_no_mesh(name, mesh):
    with pytest.raises(TypeError, match="expected Mesh, because .*gen.karras"):
        getattr(S, name)(D, mesh)


@pytest.mark.parametrize("name", NAMES)
def test_no_denoiser(name):
    with pytest.raises(TypeError, match="denoiser=None: expected a function .*because"):
        getattr(S, name)(None, MESH)


def test_the_noise_of_score_sde_is_measured_on_data_of_any_shape():
    """|ξ| and |s| of each sample do not depend on how its numbers are laid out."""

    def end(shape):
        z = gen.prior(mesh, shape, ds.key(1), tf.float64)
        return tf.reshape(gen.sample(S.score_sde(narrow, mesh, 0.2), z, key=ds.key(2), jit=False).final, [3, 4])

    def narrow(z, lam):
        return z * 0.25 / (0.25 + tf.exp(-2 * tf.cast(lam, z.dtype)))

    mesh = gen.karras(2, 0.1, 5.0, to_zero=False)
    np.testing.assert_allclose(end((3, 2, 2, 1)), end((3, 4)), rtol=1e-12)
