"""Kernels under pytest-benchmark: `pytest benchmarks` runs them, the default test run does not."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import random

pytest.importorskip("pytest_benchmark")
N, STEPS = 512, 50


@pytest.fixture(params=["float32", "float64"])
def u(request):
    """A random state."""
    return tf.constant(np.random.default_rng(1).random((N, N)), request.param)


def heat(wall, D=1.0):
    """The heat equation on unit cells."""
    return ds.Equation(linear=ds.Diffusion(ds.Grid((N, N), (float(N), float(N))), wall, D))


def many(benchmark, law, u, stepper, dt, steps=STEPS):
    """Time `steps` steps by `solve`; the first call, which compiles, comes before."""

    def run():
        return ds.solve(law, u, t=(0, steps * dt), dt=dt, stepper=stepper, progress=False).final[0, 0].numpy()

    run()
    benchmark.extra_info["steps"] = steps
    assert np.isfinite(benchmark(run))


@pytest.mark.parametrize("wall", [ds.Periodic(), ds.Neumann()], ids=["periodic", "no-flux"])
def test_euler(benchmark, u, wall):
    many(benchmark, heat(wall), u, ds.Euler(), 0.1)


def test_euler_in_a_varying_medium(benchmark, u):
    many(
        benchmark,
        heat(ds.Neumann(), lambda x, y: 0.6 + 0.4 * np.sin(x / 50) * np.cos(y / 70)),
        u,
        ds.Euler(),
        0.1,
    )


@pytest.mark.parametrize("wall", [ds.Periodic(), ds.Neumann()], ids=["Fourier", "cosine"])
def test_etd1(benchmark, u, wall):
    many(benchmark, heat(wall), u, ds.ETD1(), 10.0)


def test_rkl2(benchmark, u):
    many(benchmark, heat(ds.Neumann()), u, ds.RKL2(), 10.0, 5)


def test_trbdf2(benchmark, u):
    many(benchmark, heat(ds.Neumann()), u, ds.TRBDF2(), 10.0, 5)


def test_rfft(benchmark, u):
    pair = tf.function(lambda u: tf.signal.irfft2d(tf.signal.rfft2d(u), [N, N]), jit_compile=True)
    pair(u)
    benchmark(lambda: pair(u)[0, 0].numpy())


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64], ids=["float32", "float64"])
def test_normals(benchmark, dtype):
    draw = tf.function(lambda key: random.normal(key, (10**6,), dtype), jit_compile=True)
    draw(ds.key(1))
    benchmark(lambda: draw(ds.key(1))[0].numpy())
