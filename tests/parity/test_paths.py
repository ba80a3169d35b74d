"""Flow matching, and score-based models of exploding variance, step by step beside diffusers."""

import sys
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from peers import Given, Table, mesh_of, outputs
from runs import TOLERANCE, Run, module_of, scheduler, tensor

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import samplers as S

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_flow_matching(shift, monkeypatch):
    """Heun's method along the velocity; Euler's, plain and with all noise renewed; meshes of shifted times."""
    path = gen.clocks.Path(gen.CondOT())
    made = scheduler("FlowMatchHeunDiscreteScheduler", shift=shift)
    made.set_timesteps(6)
    made.sigmas[0] = 0.999  # at 1 itself x/α has no meaning
    monkeypatch.setattr(made, "set_timesteps", lambda n: None)
    run = Run(made, 6, "flow_prediction", monkeypatch, levels=lambda m: (lambda s: s / (1 - s))(
        np.asarray(m.sigmas, np.float64))[: len(m.timesteps)])
    sigmas = np.append(run.sigmas[:-1:2], 0.0)
    run.states = np.concatenate([run.states[:1], run.states[2::2], run.states[-1:]])
    assert run.compare(lambda D, M: S.heun(D, M, path), sigmas=sigmas) < TOLERANCE
    assert run.compare(S.heun, sigmas=sigmas) > 1e-4  # in x/α another method
    for stochastic, makes in ((False, (S.ddim, lambda D, M: S.euler(D, M, path))),
                              (True, (partial(S.ddpm, eta=1e4),))):  # fmt: skip
        made = scheduler("FlowMatchEulerDiscreteScheduler", shift=shift, stochastic_sampling=stochastic)
        made.set_timesteps(sigmas=[0.98, 0.8, 0.5, 0.2, 0.05])
        monkeypatch.setattr(made, "set_timesteps", lambda n: None)
        xi = iter(outputs(64, 0)[1])
        monkeypatch.setattr(sys.modules["torch"], "randn_like", lambda a, xi=xi: tensor(next(xi)))
        run = Run(made, 5, "flow_prediction", monkeypatch)
        for make in makes:
            assert run.compare(make) < TOLERANCE
    made = scheduler("FlowMatchEulerDiscreteScheduler", shift=shift)
    made.set_timesteps(sigmas=np.linspace(1, 0, 7)[1:-1])
    mesh = gen.uniform_time(gen.CondOT(shift), 6)[1:]
    s = np.where(mesh.lam >= 40, 0.0, mesh.sigma / (1 + mesh.sigma))
    np.testing.assert_allclose(s, made.sigmas.numpy(), atol=1e-6)


def test_exploding_variance(monkeypatch):
    """ScoreSdeVe: the predictor is Euler and Maruyama's step in time σ², the corrector one of Langevin's dynamics."""
    m, xi, x = outputs(64, 12)
    made = scheduler("ScoreSdeVeScheduler", sigma_max=50.0, snr=0.17)
    made.set_timesteps(7)
    made.set_sigmas(7)
    made.discrete_sigmas = made.discrete_sigmas.double()
    sigmas = np.append(made.discrete_sigmas.numpy()[::-1], 0.0)
    x = tensor(x[:1] * 50.0)  # norms of the corrector are means over a batch there, of one sample here
    states, means = [x.numpy()], []
    for i, t in enumerate(np.linspace(1, 0, 7)):
        score = tensor(m[i][:1] / sigmas[i])
        monkeypatch.setattr(module_of(made), "randn_tensor", lambda *a, i=i, **k: tensor(xi[20 + i][:1]))
        x = made.step_correct(score, x).prev_sample
        monkeypatch.setattr(module_of(made), "randn_tensor", lambda *a, i=i, **k: tensor(xi[i][:1]))
        told = made.step_pred(score, t, x)
        x = told.prev_sample
        states.append(x.numpy())
        means.append(told.prev_sample_mean.numpy())
    states[-1] = means[-1]  # the last step's noise is left out, as published code does
    D = Table(-np.log(sigmas[:-1]), np.ones(7), sigmas[:-1], m[:7, :1])  # D = z + σ²s
    sampler = S.score_sde(D, mesh_of(sigmas), 0.17)
    noise = Pair(xi[:7, :1], xi[20:27, :1])
    law = ds.Equation(drift=sampler.law.drift, diffusion=sampler.law.diffusion, noise=noise)
    z = gen.sample(S.Sampler(law, sampler.stepper, sampler.mesh, sampler.form), states[0], key=ds.key(0),
                   save=ds.SaveAt(every=1), jit=False).y.numpy()  # fmt: skip
    assert np.abs(z - np.array(states)).max() / 50.0 < TOLERANCE


class Pair(Given):
    """Increments √|h|·ξₙ and areas √(|h|/12)·ζₙ."""

    def __init__(self, xi, zeta):
        super().__init__(np.stack([xi, zeta], 1))

    def increment(self, key, n, t, h, like):
        return tf.cast(tf.gather(self.xi, n)[0] * tf.sqrt(tf.abs(tf.cast(h, tf.float64))), like.dtype)

    def area(self, key, n, t, h, like):
        root = tf.sqrt(tf.abs(tf.cast(h, tf.float64)) / 12)
        return self.increment(key, n, t, h, like), tf.cast(tf.gather(self.xi, n)[1] * root, like.dtype)
