"""The options of diffusers' schedulers, each as an object of ours, and the samplers that have one way only.

| diffusers | here |
|---|---|
| clip_sample, thresholding | `gen.clip(D)`, `gen.threshold(D)` around any denoiser |
| variance_type fixed_small, fixed_small_log | `S.ddpm(D, mesh)` |
| fixed_large; learned_range | `S.ddpm(gen.unsure(D, 1.0), mesh)`; `S.ddpm(gen.learned(D), mesh)` |
| rescale_betas_zero_snr | `schedule.zero_terminal()` |
| use_karras/exponential/beta_sigmas, use_lu_lambdas, use_flow_sigmas | `gen.karras`, `exponential`, `beta`, `uniform_lambda`, `uniform_time(gen.CondOT(shift), …)` |
| final_sigmas_type, set_alpha_to_one, steps_offset | `to_zero=`, `offset=` of the meshes |
| interpolation_type log_linear | `gen.exponential(…, to_zero=False)` |
| lower_order_final, euler_at_final | `lower_final=`, `orders=` of the stepper |
| stochastic_sampling (flow matching) | `S.ddpm(D, mesh, eta)` with η → ∞ |

What diffusers does otherwise, and why it is not followed: DDIM with clip_sample but without use_clipped_model_output
takes its noise from the estimate before the clip; DDIM, and PNDM, evaluate at one step what they moved to another where
spacings do not divide the training steps; PNDM with v_prediction adds up v of different times as if they were one;
fixed_large_log takes the root of a logarithm; variances beyond the small one end in noise where the last training step is
not 0; sde-dpmsolver++ of order 3 has −½ where φ₃ has +½.
"""

import sys
import types
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from peers import SHAPE, Table, mesh_of, ours, outputs
from peers import reading as read
from runs import READINGS, SPACINGS, TOLERANCE, Run, level, module_of, one_step, scheduler, tensor, widen, without_end

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import samplers as S

pytestmark = pytest.mark.parity


# Estimates kept in range -------------------------------------------------------------------------------------------

BOUNDS = {
    "clip": (dict(clip_sample=True, clip_sample_range=0.8), partial(gen.clip, low=-0.8, high=0.8)),
    "threshold": (
        dict(thresholding=True, dynamic_thresholding_ratio=0.7, sample_max_value=1.9, clip_sample=False),
        partial(gen.threshold, share=0.7, most=1.9),
    ),
}


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("reading", READINGS)
def test_bounds_step_by_step(reading, bound, monkeypatch):
    """DDPM, and DDIM whose noise is what is left beside the bounded estimate."""
    config, wrap = BOUNDS[bound]
    m, xi, _ = outputs(64, 7)
    common = dict(prediction_type=reading, timestep_spacing="trailing", **config)
    for name, make, options in (
        ("DDPMScheduler", lambda D, M: S.ddpm(wrap(D), M), {}),
        ("DDIMScheduler", lambda D, M: S.ddim(wrap(D), M, 0.5), dict(eta=0.5, use_clipped_model_output=True)),
    ):
        made = scheduler(name, **common)
        made.set_timesteps(8)
        widen(made)
        for i, t in enumerate(made.timesteps.numpy()):
            gap = one_step(made, i, t, lambda t: t - 125, reading, monkeypatch, make, m[i], xi, **options)
            assert gap < TOLERANCE


@pytest.mark.parametrize("reading", READINGS)
def test_bounds_in_multistep_methods(reading, monkeypatch):
    """Dynamic thresholding in DPM-Solver++, UniPC and DEIS; clipping in Heun's method."""
    config, wrap = BOUNDS["threshold"]
    config = {**config, "prediction_type": reading}
    config.pop("clip_sample")
    for name, make in (
        ("DPMSolverMultistepScheduler", partial(S.dpm_solver_pp, order=2)),
        ("UniPCMultistepScheduler", partial(S.unipc, order=2)),
        ("DEISMultistepScheduler", partial(S.deis, order=2)),
    ):
        run = Run(scheduler(name, solver_order=2, **config), 7, reading, monkeypatch)
        run.idle()
        bounded = run.compare(lambda D, M, f=make: f(wrap(D), M))
        assert bounded < TOLERANCE < 1e-3 < run.compare(make)  # the bound acts
    made = scheduler("HeunDiscreteScheduler", clip_sample=True, clip_sample_range=0.8, prediction_type=reading)
    run = Run(made, 8, reading, monkeypatch, levels=lambda m: np.asarray(m.sigmas, np.float64)[: len(m.timesteps)])
    sigmas = np.append(run.sigmas[:-1:2], 0.0)
    run.states = np.concatenate([run.states[:1], run.states[2::2], run.states[-1:]])
    assert run.compare(lambda D, M: S.heun(gen.clip(D, -0.8, 0.8), M), sigmas=sigmas, scaled=False) < TOLERANCE


# Variances of DDPM ---------------------------------------------------------------------------------------------------


def table_of(made):
    """Our schedule with the scheduler's own table."""
    return gen.Discrete(np.asarray(made.alphas_cumprod, np.float64))


READ = {"epsilon": gen.from_epsilon, "sample": gen.from_x0, "v_prediction": gen.from_v}


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("kind", ["fixed_small_log", "fixed_large", "learned_range"])
def test_variances(kind, reading, spacing, monkeypatch):
    """Through a network of two outputs, its schedule and its times; the last axis holds the channels here."""
    m, xi, _ = outputs(64, 8)
    made = scheduler("DDPMScheduler", prediction_type=reading, timestep_spacing=spacing, clip_sample=False,
                     variance_type=kind)  # fmt: skip
    made.set_timesteps(9)
    widen(made)
    schedule, steps = table_of(made), [*made.timesteps.numpy(), -1]
    for i, (t, after) in enumerate(zip(steps[:-1], steps[1:], strict=True)):
        if after < 0 < t and kind != "fixed_small_log":
            continue  # diffusers adds the noise of all that is left to the data themselves
        both = np.concatenate([m[i], np.tanh(m[32 + i])], 1)  # ν in [−1, 1]
        out = both if kind == "learned_range" else m[i]
        monkeypatch.setattr(module_of(made), "randn_tensor", lambda *a, i=i, **k: tensor(xi[i]))
        x = xi[20 + i]
        theirs = made.step(tensor(out), int(t), tensor(x)).prev_sample.numpy()
        seen = []

        def network(x, t, out=out, seen=seen):
            seen.append(t)
            return tf.constant(np.moveaxis(out, 1, -1))

        D = READ[reading](network, schedule)
        D = gen.learned(D) if kind == "learned_range" else gen.unsure(D, 1.0) if kind == "fixed_large" else D
        mesh = gen.Mesh([schedule.table[t], 40.0 if after < 0 else schedule.table[after]], schedule)
        a, b = (float(schedule.scales(lam)[0]) for lam in mesh.lam)
        z = ours(S.ddpm(D, mesh), np.moveaxis(x, 1, -1) / a, np.moveaxis(xi[i : i + 1], 2, -1))
        assert np.abs(b * np.moveaxis(z[-1], -1, 1) - theirs).max() < TOLERANCE


# Zero-terminal signal, beta's quantiles, ends and offsets ------------------------------------------------------------

SAMPLERS = {
    "EulerDiscreteScheduler": (S.euler, dict(scaled=False), READINGS),
    "EulerAncestralDiscreteScheduler": (S.ddpm, dict(scaled=False), ("epsilon", "v_prediction")),
    "LMSDiscreteScheduler": (S.lms, dict(scaled=False), READINGS),
    "DPMSolverMultistepScheduler": (partial(S.dpm_solver_pp, order=2), {}, READINGS),
    "UniPCMultistepScheduler": (partial(S.unipc, order=2), {}, READINGS),
    "DEISMultistepScheduler": (partial(S.deis, order=2), {}, READINGS),
}
OPTIONS = {
    "no signal at the end": dict(rescale_betas_zero_snr=True, timestep_spacing="trailing"),
    "beta": dict(use_beta_sigmas=True),
    "sigma_min": dict(final_sigmas_type="sigma_min"),
    "offset": dict(timestep_spacing="leading", steps_offset=3),
    "cosine": dict(beta_schedule="squaredcos_cap_v2"),
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", SAMPLERS)
def test_options_of_noise_levels(name, option, monkeypatch):
    """Every sampler with every option that its namesake has, and every reading."""
    import inspect

    import diffusers

    has = inspect.signature(getattr(diffusers, name).__init__).parameters
    if not set(OPTIONS[option]) <= set(has):
        pytest.skip(f"diffusers' {name} has no such option")
    make, how, readings = SAMPLERS[name]
    for reading in readings:
        run = Run(scheduler(name, prediction_type=reading, **OPTIONS[option]), 8, reading, monkeypatch)
        if run.idle() and name.startswith("DEIS"):  # orders fall towards a last step that led nowhere
            make = without_end(8, gen.forms.Noise(), dict(order=2, midpoint=False, lower_final=True, curvature=1.0))
        assert run.compare(make, **how) < TOLERANCE


@pytest.mark.parametrize("reading", ["sample", "v_prediction"])
@pytest.mark.parametrize("name", ["DDIMScheduler", "DDPMScheduler"])
def test_from_a_step_without_signal(name, reading, monkeypatch):
    """ᾱ = 0 at the first step: z = x/α is beyond bounds there, and x is not."""
    m, xi, _ = outputs(64, 9)
    made = scheduler(name, prediction_type=reading, rescale_betas_zero_snr=True, timestep_spacing="trailing",
                     clip_sample=False)  # fmt: skip
    made.set_timesteps(8)
    widen(made)
    schedule = gen.Discrete.linear().zero_terminal()
    assert np.abs(np.asarray(made.alphas_cumprod) - schedule.alphas_cumprod).max() < 1e-6
    assert made.timesteps[0] == 999 and float(made.alphas_cumprod[999]) == 0.0
    alphas = np.maximum(np.asarray(made.alphas_cumprod, np.float64), np.exp(-80.0))
    for i, t in enumerate(made.timesteps.numpy()):
        monkeypatch.setattr(module_of(made), "randn_tensor", lambda *a, i=i, **k: tensor(xi[i]), raising=False)
        x, prev = xi[20 + i], t - 125
        theirs = made.step(tensor(m[i]), int(t), tensor(x)).prev_sample.numpy()
        lam = [0.5 * np.log(alphas[t] / (1 - alphas[t])), 40.0 if prev < 0 else 0.5 * np.log(alphas[prev] / (1 - alphas[prev]))]
        a, b = (1 / np.sqrt(1 + np.exp(-2 * v)) for v in lam)
        D = READ[reading](lambda x, t, out=m[i]: tf.constant(out), table_of(made))
        make = S.ddim if name == "DDIMScheduler" else S.ddpm
        z = ours(make(D, gen.Mesh(lam)), x / a, xi[i : i + 1])
        assert np.abs(b * z[-1] - theirs).max() < TOLERANCE


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("reading", READINGS)
def test_ddim_inverse(reading, spacing, monkeypatch):
    """From data to noise, from every level, the first one included."""
    m, _, x = outputs(64, 10)
    for offset, first in ((0, True), (1, False)):
        made = scheduler("DDIMInverseScheduler", prediction_type=reading, clip_sample=False, timestep_spacing=spacing,
                         steps_offset=offset, set_alpha_to_one=first)  # fmt: skip
        made.set_timesteps(8)
        widen(made)
        alphas = np.asarray(made.alphas_cumprod, np.float64)
        for i, t in enumerate(made.timesteps.numpy()):
            last = min(t - 125, 999)
            if last < 0 and (first or t == 0):
                continue  # from data without noise, or nowhere
            theirs = made.step(tensor(m[i]), int(t), tensor(x)).prev_sample.numpy()
            sigma = level([alphas[last] if last >= 0 else alphas[0], alphas[t]])
            if sigma[0] == sigma[1]:
                continue
            scale = 1 / np.sqrt(sigma**2 + 1)
            D = Table(-np.log(sigma[:1]), *read(reading, sigma[:1]), m[i : i + 1])
            z = ours(S.inversion(S.ddim, D, gen.Mesh(mesh_of(sigma).lam[::-1])), x / scale[0], None)
            assert np.abs(scale[1] * z[-1] - theirs).max() < TOLERANCE


@pytest.mark.parametrize("reading", READINGS)
def test_dpm_multistep_inverse(reading, monkeypatch):
    """DPM-Solver++ from data to noise."""
    for spacing in SPACINGS:
        made = scheduler("DPMSolverMultistepInverseScheduler", prediction_type=reading, timestep_spacing=spacing)
        run = Run(made, 7, reading, monkeypatch)
        lower = not run.idle()
        assert run.compare(
            lambda D, M, low=lower: S.inversion(S.dpm_solver_pp, D, M.reversed(), lower_final=low)
        ) < TOLERANCE


# Singlestep with noise, DPM++ SDE ------------------------------------------------------------------------------------


def increments(sigmas, orders, xi):
    """Noise of each step such that, in each block, what has come together since it began is the ξ of its last stage."""
    lam, out, start, together = mesh_of(sigmas).lam, [], 0, None
    for n, order in enumerate(orders):
        if order == 1:
            start, together = n, 0.0
        h = lam[n + 1] - lam[n]
        wide = np.exp(-lam[n + 1]) * np.sqrt(-np.expm1(-2 * (lam[n + 1] - lam[start])))
        own = np.exp(-lam[n + 1]) * np.sqrt(-np.expm1(-2 * h))
        moved = np.exp(-2 * h) * together
        together = wide * xi[n]
        out.append((together - moved) / own)
    return np.array(out)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("reading", READINGS)
def test_singlestep_with_noise(reading, order, monkeypatch):
    """Stages of a block have the noise since it began; diffusers draws it for each anew, ours is one path."""
    for solver, middle in (("midpoint", True), ("heun", False)):
        made = scheduler("DPMSolverSinglestepScheduler", prediction_type=reading, solver_order=order,
                         solver_type=solver, algorithm_type="sde-dpmsolver++")  # fmt: skip
        run = Run(made, 7, reading, monkeypatch)
        run.idle()
        run.xi = increments(run.sigmas, made.order_list, run.xi)
        stepper = ds.ETDBlock(order, orders=made.order_list[: len(run.sigmas) - 1], midpoint=middle)
        gap = run.compare(lambda D, M, s=stepper: S.Sampler(gen.reverse_sde(D, 1.0), s, M))
        assert gap < TOLERANCE if order < 3 or middle else gap > 1e-3  # diffusers' φ₃ has −½ where +½ belongs


@pytest.mark.parametrize("levels", [*SPACINGS, "karras", "exponential", "beta"])
@pytest.mark.parametrize("reading", ["epsilon", "v_prediction"])
def test_dpm_sde(reading, levels, monkeypatch):
    """DPM++ SDE: both stages of a step, each with the ξ that diffusers' tree is made to give."""
    if "torchsde" not in sys.modules:  # a tree of increments, which is not asked
        monkeypatch.setitem(sys.modules, "torchsde", types.ModuleType("torchsde"))
    from diffusers.schedulers.scheduling_dpmsolver_sde import DPMSolverSDEScheduler

    spaced = {"timestep_spacing": levels} if levels in SPACINGS else {f"use_{levels}_sigmas": True}
    made = DPMSolverSDEScheduler(prediction_type=reading, **spaced)
    m, xi, x = outputs(64, 11)
    made.set_timesteps(6)
    made.sigmas = made.sigmas.double()
    coarse = np.append(np.asarray(made.sigmas)[:-1:2], 0.0)
    fine = np.sqrt(coarse[:-2] * coarse[1:-1])
    sigmas = np.append(np.ravel(np.stack([coarse[:-2], fine], 1)), coarse[-2:])
    count = {"n": -1}

    def noise(a, b):
        count["n"] += 1
        return tensor(xi[count["n"]])

    x = tensor(x * coarse[0])
    states = [x.numpy()]
    for i, t in enumerate(made.timesteps):
        made.noise_sampler = noise
        x = made.step(tensor(m[i]), t, x).prev_sample
        states.append(x.numpy())
    a, b = read(reading, sigmas[:-1])
    D = Table(-np.log(sigmas[:-1]), a, b, m[: len(sigmas) - 1])
    sampler = S.dpm_sde(D, mesh_of(coarse))
    np.testing.assert_allclose(sampler.mesh.sigma[:-1], sigmas[:-1], rtol=1e-12)
    z = ours(sampler, states[0], increments(sigmas, [1, 2] * len(fine) + [1], xi))
    assert sampler.evaluations == len(made.timesteps) == len(z) - 1
    assert np.abs(z - np.array(states)).max() / coarse[0] < TOLERANCE


# Meshes and tables ---------------------------------------------------------------------------------------------------


def test_tables():
    """ᾱ of every schedule of betas."""
    for name, schedule in (("linear", gen.Discrete.linear()), ("sigmoid", gen.Discrete.sigmoid()),
                           ("scaled_linear", gen.Discrete.scaled_linear(1000, 1e-4, 0.02)),
                           ("squaredcos_cap_v2", gen.Discrete.cosine())):  # fmt: skip
        made = scheduler("DDPMScheduler", beta_schedule=name)
        assert np.abs(made.alphas_cumprod.numpy() - schedule.alphas_cumprod).max() < 2e-6
        made = scheduler("DDPMScheduler", beta_schedule=name, rescale_betas_zero_snr=True)
        assert np.abs(made.alphas_cumprod.numpy() - schedule.zero_terminal().alphas_cumprod).max() < 2e-6
    betas = np.geomspace(1e-4, 0.03, 500)
    made = scheduler("DDPMScheduler", num_train_timesteps=500, trained_betas=betas.astype(np.float32))
    assert np.abs(made.alphas_cumprod.numpy() - gen.Discrete.of(betas).alphas_cumprod).max() < 2e-6


def test_meshes_by_options():
    """Beta's quantiles, log-linear interpolation, a last step to the least level, offsets."""
    schedule = gen.Discrete.linear()
    low, high = np.exp(-schedule.table[[0, -1]])
    for steps in (7, 12):
        for options, mesh in (
            (dict(use_beta_sigmas=True), gen.beta(steps, low, high)),
            (dict(interpolation_type="log_linear", final_sigmas_type="sigma_min"),
             gen.exponential(steps, low, high, to_zero=False)),
            (dict(timestep_spacing="trailing", final_sigmas_type="sigma_min"),
             gen.trailing(schedule, steps, to_zero=False)),
            (dict(timestep_spacing="leading", steps_offset=1), gen.leading(schedule, steps, offset=1)),
        ):
            made = scheduler("EulerDiscreteScheduler", **options)
            made.set_timesteps(steps)
            theirs = made.sigmas.numpy().astype(np.float64)
            if "interpolation_type" in options:
                theirs = theirs[:-1]  # diffusers puts the least level once more behind
            s = np.where(mesh.lam >= 40, 0.0, mesh.sigma)
            assert s.shape == theirs.shape
            np.testing.assert_allclose(1 / (1 + s), 1 / (1 + theirs), atol=2e-5)  # theirs are float32


def test_shapes_are_those_of_the_suite():
    assert SHAPE[0] == 2  # rows are told apart
