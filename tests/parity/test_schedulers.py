"""Step by step: every sampler against its namesake in diffusers, for random network outputs and the same noise.

diffusers' noise levels are float32 and are taken over; from there both compute in float64, but for states that diffusers
casts to float32. "Within 1e-5" is of the largest state of the run. Where diffusers' own loop does not lead from the state it left (its DDIM evaluates at one
step what it moved to another, for spacings that do not divide the training steps), each step is compared by itself.
"""

from functools import partial

import numpy as np
import pytest
from peers import Table, mesh_of, ours, outputs
from peers import reading as read
from runs import READINGS, SPACINGS, TOLERANCE, Run, hats, level, one_step, scheduler, tensor, widen, without_end

from diffsim import generative as gen
from diffsim.generative import samplers as S
from diffsim.steppers.corrected import ETDBlock
from diffsim.steppers.multistep import ETDAB
from diffsim.steppers.pseudo import PLMS

pytestmark = pytest.mark.parity



# DPM-Solver, DEIS, UniPC: x of variance one, noise levels from the scheduler -------------------------------------

SIGMAS = {
    "leading": {"timestep_spacing": "leading"},
    "trailing": {"timestep_spacing": "trailing"},
    "linspace": {"timestep_spacing": "linspace"},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "lu": {"use_lu_lambdas": True},
}


@pytest.mark.parametrize("levels", SIGMAS)
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_dpm_multistep(order, reading, levels, monkeypatch):
    """++ and plain, midpoint and Heun's weights, short (orders lowered at the end) and long, and with noise."""
    config = {"solver_order": order, "prediction_type": reading, **SIGMAS[levels]}
    for steps, lower in ((7, True), (7, False), (18, True)):
        for solver, middle in (("midpoint", True), ("heun", False))[: 2 if lower and steps < 15 else 1]:
            common = dict(solver_type=solver, lower_order_final=lower, **config)
            ours = dict(order=order, midpoint=middle, lower_final=lower and steps < 15, curvature=0.5)
            run = Run(scheduler("DPMSolverMultistepScheduler", **common), steps, reading, monkeypatch)
            assert run.compare(lambda D, M, o=ours: S.dpm_solver_pp(D, M, **o)) < TOLERANCE
            plain = dict(algorithm_type="dpmsolver", final_sigmas_type="sigma_min", **common)
            run = Run(scheduler("DPMSolverMultistepScheduler", **plain), steps, reading, monkeypatch)
            make = without_end(steps, gen.forms.Noise(), ours) if run.idle() else partial(S.dpm_solver, **ours)
            assert run.compare(make) < TOLERANCE
            if order < 3:
                noisy = dict(algorithm_type="sde-dpmsolver++", **common)
                run = Run(scheduler("DPMSolverMultistepScheduler", **noisy), steps, reading, monkeypatch)
                assert run.compare(lambda D, M, o=ours: S.dpm_solver_pp(D, M, eta=1.0, **o)) < TOLERANCE
                noisy = dict(algorithm_type="sde-dpmsolver", final_sigmas_type="sigma_min", **common)
                run = Run(scheduler("DPMSolverMultistepScheduler", **noisy), steps, reading, monkeypatch)
                noise = {"eta": 1.0, **ours}
                make = without_end(steps, gen.forms.Noise(), noise) if run.idle() else partial(S.dpm_solver, **noise)
                assert run.compare(make) < TOLERANCE


@pytest.mark.parametrize("order", [1, 2, 3])
def test_straight_paths(order, monkeypatch):
    """α = 1 − σ, as of rectified flow, with shifted times: by multistep methods, and Euler's step of x along v."""
    config = dict(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, solver_order=order)
    for steps in (7, 18):
        run = Run(scheduler("DPMSolverMultistepScheduler", **config), steps, "flow_prediction", monkeypatch)
        assert run.compare(partial(S.dpm_solver_pp, order=order, curvature=0.5)) < TOLERANCE
        run = Run(scheduler("UniPCMultistepScheduler", **config), steps, "flow_prediction", monkeypatch)
        assert run.compare(partial(S.unipc, order=order)) < TOLERANCE
    if order == 1:
        made = scheduler("FlowMatchEulerDiscreteScheduler", shift=3.0)
        made.set_timesteps(sigmas=[0.98, 0.8, 0.5, 0.2, 0.05])
        monkeypatch.setattr(made, "set_timesteps", lambda n: None)
        run = Run(made, 5, "flow_prediction", monkeypatch)
        assert run.compare(S.ddim) < TOLERANCE and run.compare(S.euler) < TOLERANCE


def test_euler_at_final(monkeypatch):
    config = dict(euler_at_final=True, final_sigmas_type="sigma_min", solver_order=2)
    run = Run(scheduler("DPMSolverMultistepScheduler", **config), 18, "epsilon", monkeypatch)
    stepper = ETDAB(2, orders=[2] * 17 + [1], midpoint=True)
    assert run.compare(lambda D, M: S.Sampler(gen.probability_flow(D), stepper, M)) < TOLERANCE


def test_third_order_with_noise_differs(monkeypatch):
    """diffusers' sde-dpmsolver++ of order 3 has −½ where φ₃ has +½: its term of D₂ does not vanish with the step."""
    config = dict(algorithm_type="sde-dpmsolver++", solver_order=3, lower_order_final=False)
    run = Run(scheduler("DPMSolverMultistepScheduler", **config), 18, "epsilon", monkeypatch)
    ours = run.compare(lambda D, M: S.dpm_solver_pp(D, M, 3, eta=1.0, lower_final=False, curvature=0.5))
    assert ours > 1e-2


@pytest.mark.parametrize("levels", ["linspace", "karras", "exponential"])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_dpm_singlestep(order, reading, levels, monkeypatch):
    spacing = {} if levels == "linspace" else SIGMAS[levels]
    for steps in (6, 7, 8):
        for solver, middle in (("midpoint", True), ("heun", False)):
            for pp, form in (("dpmsolver++", gen.forms.Data()), ("dpmsolver", gen.forms.Noise())):
                ending = {} if pp == "dpmsolver++" else {"final_sigmas_type": "sigma_min"}
                config = dict(prediction_type=reading, solver_order=order, solver_type=solver, algorithm_type=pp)
                made = scheduler("DPMSolverSinglestepScheduler", **config, **ending, **spacing)
                run = Run(made, steps, reading, monkeypatch)
                run.idle()
                stepper = ETDBlock(order, orders=made.order_list, midpoint=middle)
                assert run.compare(
                    lambda D, M, f=form, s=stepper: S.Sampler(f.law(D), s, M, f)
                ) < TOLERANCE


@pytest.mark.parametrize("levels", ["leading", "trailing", "linspace", "karras", "exponential"])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_deis(order, reading, levels, monkeypatch):
    for steps in (7, 18):
        config = dict(solver_order=order, prediction_type=reading, **SIGMAS[levels])
        made = scheduler("DEISMultistepScheduler", **config)
        run = Run(made, steps, reading, monkeypatch)
        ours = dict(order=order, midpoint=False, lower_final=steps < 15, curvature=1.0)
        make = without_end(steps, gen.forms.Noise(), ours) if run.idle() else partial(S.deis, order=order)
        assert run.compare(make) < TOLERANCE


@pytest.mark.parametrize("levels", ["leading", "trailing", "linspace", "karras", "exponential"])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_unipc(order, reading, levels, monkeypatch):
    for steps, lower in ((7, True), (18, True), (7, False)):
        for plain in (False, True)[: 1 if steps > 7 else 2]:
            for data in (True, False):
                config = dict(
                    solver_order=order, prediction_type=reading, lower_order_final=lower,
                    solver_type="bh1" if plain else "bh2", predict_x0=data, **SIGMAS[levels],
                )
                if not lower:
                    config["final_sigmas_type"] = "sigma_min"
                run = Run(scheduler("UniPCMultistepScheduler", **config), steps, reading, monkeypatch)
                if not lower:
                    run.idle()
                make = S.unipc if data else S.unipc_noise
                ours = dict(order=order, plain=plain, lower_final=lower)
                assert run.compare(lambda D, M, f=make, o=ours: f(D, M, **o)) < TOLERANCE


@pytest.mark.parametrize("reading", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("levels", ["karras", "exponential"])
def test_edm_preconditioned(levels, reading, monkeypatch):
    config = dict(prediction_type=reading, sigma_schedule=levels)
    run = Run(scheduler("EDMEulerScheduler", **config), 8, reading, monkeypatch, sigma_data=0.5)
    assert run.compare(S.euler, scaled=False) < TOLERANCE
    for order in (1, 2, 3):
        for solver, middle in (("midpoint", True), ("heun", False)):
            made = scheduler("EDMDPMSolverMultistepScheduler", solver_order=order, solver_type=solver, **config)
            run = Run(made, 8, reading, monkeypatch, sigma_data=0.5)
            ours = dict(order=order, midpoint=middle, curvature=0.5)
            assert run.compare(lambda D, M, o=ours: S.dpm_solver_pp(D, M, **o), scaled=False) < TOLERANCE


def test_edm_churn(monkeypatch):
    churn = dict(s_churn=3.0, s_tmin=0.05, s_tmax=50.0, s_noise=1.007)
    made = scheduler("EDMEulerScheduler")
    run = Run(made, 8, "epsilon", monkeypatch, levels=lambda m: hats(m, **churn), options=churn, sigma_data=0.5)
    ours = dict(churn=3.0, least=0.05, most=50.0, noise_scale=1.007)
    assert run.compare(lambda D, M: S.euler_churn(D, M, **ours), scaled=False) < TOLERANCE


# Euler, Heun, DPM2, LMS: z = x/α ---------------------------------------------------------------------------------

VE = {
    "leading": {"timestep_spacing": "leading"},
    "trailing": {"timestep_spacing": "trailing"},
    "linspace": {"timestep_spacing": "linspace"},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
}


@pytest.mark.parametrize("levels", VE)
@pytest.mark.parametrize("reading", READINGS)
def test_euler(reading, levels, monkeypatch):
    config = dict(prediction_type=reading, **VE[levels])
    run = Run(scheduler("EulerDiscreteScheduler", **config), 8, reading, monkeypatch)
    assert run.compare(S.euler, scaled=False) < TOLERANCE
    assert run.compare(S.ddim, scaled=False) < TOLERANCE


@pytest.mark.parametrize("levels", VE)
@pytest.mark.parametrize("reading", ["epsilon", "sample"])
def test_euler_churn(reading, levels, monkeypatch):
    churn = dict(s_churn=2.0, s_tmin=0.1, s_tmax=10.0, s_noise=1.003)
    made = scheduler("EulerDiscreteScheduler", prediction_type=reading, **VE[levels])
    run = Run(made, 8, reading, monkeypatch, levels=lambda m: hats(m, **churn), options=churn)
    ours = dict(churn=2.0, least=0.1, most=10.0, noise_scale=1.003)
    assert run.compare(lambda D, M: S.euler_churn(D, M, **ours), scaled=False) < TOLERANCE


@pytest.mark.parametrize("levels", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("reading", ["epsilon", "v_prediction"])
def test_euler_ancestral(reading, levels, monkeypatch):
    made = scheduler("EulerAncestralDiscreteScheduler", prediction_type=reading, **VE[levels])
    run = Run(made, 8, reading, monkeypatch)
    assert run.compare(S.ddpm, scaled=False) < TOLERANCE


@pytest.mark.parametrize("levels", VE)
@pytest.mark.parametrize("reading", READINGS)
def test_heun(reading, levels, monkeypatch):
    made = scheduler("HeunDiscreteScheduler", prediction_type=reading, **VE[levels])

    def asked(m):  # each second evaluation is at the next noise level
        s = np.asarray(m.sigmas, np.float64)
        return s[: len(m.timesteps)]

    run = Run(made, 8, reading, monkeypatch, levels=asked)
    sigmas = np.append(run.sigmas[:-1:2], 0.0)
    run.states = np.concatenate([run.states[:1], run.states[2::2], run.states[-1:]])
    assert run.compare(S.heun, sigmas=sigmas, scaled=False) < TOLERANCE


@pytest.mark.parametrize("levels", VE)
@pytest.mark.parametrize("reading", ["epsilon", "v_prediction"])
def test_dpm2(reading, levels, monkeypatch):
    made = scheduler("KDPM2DiscreteScheduler", prediction_type=reading, **VE[levels])

    def asked(m):
        s, mid = np.asarray(m.sigmas, np.float64), np.asarray(m.sigmas_interpol, np.float64)
        return np.array([s[i] if i % 2 == 0 else mid[i] for i in range(len(m.timesteps))])

    run = Run(made, 8, reading, monkeypatch, levels=asked)
    sigmas = run.sigmas[:-1:2]
    run.states = np.concatenate([run.states[:1], run.states[2::2], run.states[-1:]])
    assert run.compare(S.dpm2, sigmas=sigmas, scaled=False) < TOLERANCE


@pytest.mark.parametrize("levels", VE)
@pytest.mark.parametrize("reading", ["epsilon", "v_prediction"])
def test_dpm2_ancestral(reading, levels, monkeypatch):
    made = scheduler("KDPM2AncestralDiscreteScheduler", prediction_type=reading, **VE[levels])

    def asked(m):
        s, mid = np.asarray(m.sigmas, np.float64), np.asarray(m.sigmas_interpol, np.float64)
        return np.array([s[i] if i % 2 == 0 else mid[i - 1] for i in range(len(m.timesteps))])

    run = Run(made, 8, reading, monkeypatch, levels=asked)
    sigmas = run.sigmas[:-1:2]
    run.states = np.concatenate([run.states[:1], run.states[2::2], run.states[-1:]])
    assert run.compare(S.dpm2_ancestral, sigmas=sigmas, scaled=False) < TOLERANCE


@pytest.mark.parametrize("levels", VE)
@pytest.mark.parametrize("reading", READINGS)
def test_lms(reading, levels, monkeypatch):
    made = scheduler("LMSDiscreteScheduler", prediction_type=reading, **VE[levels])
    for order in (1, 2, 3, 4):
        run = Run(made, 8, reading, monkeypatch, options={"order": order})
        assert run.compare(lambda D, M, k=order: S.lms(D, M, k), scaled=False) < TOLERANCE


# DDIM, DDPM, PNDM: whole training steps ---------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("reading", READINGS)
def test_ddim(reading, spacing, monkeypatch):
    """Each step, for η = 0, 0.5 and 1, and steps that do and do not divide the training steps."""
    m, xi, _ = outputs(64, 3)
    for steps in (8, 9):
        made = scheduler("DDIMScheduler", prediction_type=reading, timestep_spacing=spacing, clip_sample=False)
        made.set_timesteps(steps)
        widen(made)
        for eta in (0.0, 0.5, 1.0):
            for i, t in enumerate(made.timesteps.numpy()):
                gap = one_step(made, i, t, lambda t, n=steps: t - 1000 // n, reading, monkeypatch,
                               lambda D, M, e=eta: S.ddim(D, M, e), m[i], xi, eta=eta)
                assert gap < TOLERANCE


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("reading", READINGS)
def test_ddpm(reading, spacing, monkeypatch):
    m, xi, _ = outputs(64, 4)
    for steps in (8, 9):
        made = scheduler("DDPMScheduler", prediction_type=reading, timestep_spacing=spacing, clip_sample=False)
        made.set_timesteps(steps)
        widen(made)
        following = dict(zip(made.timesteps.numpy(), [*made.timesteps.numpy()[1:], -1], strict=True))
        for i, t in enumerate(made.timesteps.numpy()):
            gap = one_step(made, i, t, following.__getitem__, reading, monkeypatch, S.ddpm, m[i], xi)
            assert gap < TOLERANCE


@pytest.mark.parametrize("reading", READINGS)
def test_ddim_inverse(reading, monkeypatch):
    """From data to noise: each step of diffusers' inverse."""
    m, _, x = outputs(64, 5)
    made = scheduler("DDIMInverseScheduler", prediction_type=reading, clip_sample=False)
    made.set_timesteps(8)
    widen(made)
    alphas = np.asarray(made.alphas_cumprod, np.float64)
    for i, t in enumerate(made.timesteps.numpy()[1:], 1):
        last = min(t - 1000 // 8, 999)
        theirs = made.step(tensor(m[i]), int(t), tensor(x)).prev_sample.numpy()
        sigma = level(alphas[[last, t]])
        scale = 1 / np.sqrt(sigma**2 + 1)
        D = Table(-np.log(sigma[:1]), *read(reading, sigma[:1]), m[i : i + 1])
        forwards = gen.Mesh(mesh_of(sigma).lam[::-1])
        z = ours(S.inversion(S.ddim, D, forwards), x / scale[0], None)
        assert np.abs(scale[1] * z[-1] - theirs).max() < TOLERANCE


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("skip", [True, False])
def test_pndm(skip, spacing, monkeypatch):
    """Predicted noise; spacings that divide the training steps."""
    m, _, x0 = outputs(64, 6)
    made = scheduler("PNDMScheduler", skip_prk_steps=skip, timestep_spacing=spacing, set_alpha_to_one=True)
    made.set_timesteps(10)
    widen(made)
    alphas = np.asarray(made.alphas_cumprod, np.float64)
    steps = made.timesteps.numpy()
    known = sorted(set(steps.tolist()), reverse=True)
    x, states = tensor(x0), {}
    for i, t in enumerate(steps):
        x = made.step(tensor(m[known.index(t)]), int(t), x).prev_sample
        states[i] = x.numpy()
    levels = level(alphas[known])
    n = len(m)
    filled = [np.append(v, np.full(n - len(v), w)) for v, w in ((-np.log(levels), 1e3), (1 + 0 * levels, 0), (-levels, 0))]
    sigma = np.append(levels, 0.0)
    scale = 1 / np.sqrt(sigma**2 + 1)
    D = Table(filled[0], filled[1], filled[2], m)
    form = gen.forms.Sigma()
    stepper = PLMS(0 if skip else 3)
    z = ours(S.Sampler(form.law(D), stepper, mesh_of(sigma), form), x0 / scale[0], None)
    mine = z * scale.reshape(-1, 1, 1, 1)
    at = [1, *range(2, len(steps))] if skip else [3, 7, 11, *range(12, len(steps))]
    ends = [*range(1, len(mine))] if skip else [2, 4, 6, *range(7, len(mine))]
    theirs = np.array([states[i] for i in at])
    assert np.abs(mine[ends] - theirs).max() < TOLERANCE * max(1.0, np.abs(theirs).max())


# meshes -----------------------------------------------------------------------------------------------------------


def near(mesh, made):
    """Noise levels, as shares of noise: diffusers' are of float32 products."""
    s = np.where(mesh.lam >= 40.0, 0.0, mesh.sigma)
    theirs = np.asarray(made.sigmas, np.float64)
    assert s.shape == theirs.shape
    assert np.abs(1 / (1 + s**2) - 1 / (1 + theirs**2)).max() < 2e-6


def test_meshes():
    schedule = gen.Discrete.linear()
    for steps in (7, 10, 25):
        for name, spacing, mesh in (
            ("EulerDiscreteScheduler", "leading", gen.leading(schedule, steps)),
            ("EulerDiscreteScheduler", "trailing", gen.trailing(schedule, steps)),
            ("EulerDiscreteScheduler", "linspace", gen.linspace(schedule, steps, rounded=False)),
            ("DPMSolverMultistepScheduler", "leading", gen.leading(schedule, steps, skip_first=True)),
            ("DPMSolverMultistepScheduler", "trailing", gen.trailing(schedule, steps)),
            ("DPMSolverMultistepScheduler", "linspace", gen.linspace(schedule, steps, skip_first=True)),
        ):
            made = scheduler(name, timestep_spacing=spacing)
            made.set_timesteps(steps)
            near(mesh, made)
        made = scheduler("EulerDiscreteScheduler", use_karras_sigmas=True)
        made.set_timesteps(steps)
        low, high = (float(made.sigmas[i]) for i in (-2, 0))
        near(gen.karras(steps, low, high), made)
        made = scheduler("EulerDiscreteScheduler", use_exponential_sigmas=True)
        made.set_timesteps(steps)
        near(gen.exponential(steps, low, high), made)
        for spacing, mesh in (
            ("leading", gen.leading(schedule, steps)),
            ("trailing", gen.trailing(schedule, steps)),
            ("linspace", gen.linspace(schedule, steps)),
        ):
            made = scheduler("DDPMScheduler", timestep_spacing=spacing)
            made.set_timesteps(steps)
            assert np.array_equal(np.round(mesh.t[:-1]), made.timesteps.numpy())
