"""A run of diffusers, and ours beside it: whole runs of schedulers that keep a place, single steps of those that do not."""

import sys

import numpy as np
from peers import SHAPE, Table, mesh_of, ours, outputs
from peers import reading as read

from diffsim.generative import samplers as S
from diffsim.steppers.multistep import ETDAB

SPACINGS = ("leading", "trailing", "linspace")
READINGS = ("epsilon", "sample", "v_prediction")
TOLERANCE = 1e-5


def scheduler(name, **config):
    import diffusers

    return getattr(diffusers, name)(**config)


def module_of(made):
    return sys.modules[type(made).__module__]


def tensor(a):
    """float64: schedulers that cast to float32 do so themselves."""
    import torch

    return torch.tensor(np.asarray(a), dtype=torch.float64)


def widen(made):
    """The scheduler's own float32 tables as float64, so that what it computes from them does not round in between."""
    for name in ("sigmas", "sigmas_interpol", "sigmas_up", "sigmas_down", "alphas_cumprod", "final_alpha_cumprod"):
        if hasattr(made, name):
            setattr(made, name, getattr(made, name).double())
    if hasattr(made, "sigmas_down"):  # by the scheduler's formula, whose differences of squares float32 spoils
        s = made.sigmas[:-1:2]
        ahead = s.roll(-1)
        up = (ahead**2 * (s**2 - ahead**2) / s**2) ** 0.5
        down = (ahead**2 - up**2) ** 0.5
        middle = (0.5 * (s.log() + down.log())).exp()
        for name, new in (("sigmas_up", up), ("sigmas_down", down), ("sigmas_interpol", middle)):
            table, count = getattr(made, name), 2 * len(s) - 4
            ours = new[1:].repeat_interleave(2)
            assert (table[1:count] - ours[: count - 1]).abs().max() < 1e-3
            table[0], table[1:count] = new[0], ours[: count - 1]



class Run:
    """diffusers' states, and what our sampler needs to retrace them."""

    def __init__(self, made, steps, reading, monkeypatch, levels=None, seed=0, options=None, sigma_data=None):
        made.set_timesteps(steps)
        widen(made)
        self.made, self.reading, self.sigma_data = made, reading, sigma_data
        self.sigmas = np.asarray(made.sigmas, np.float64)
        if reading == "flow_prediction":  # σ of α = 1 − σ
            self.sigmas = self.sigmas / (1 - self.sigmas)
        asked = self.sigmas[: len(made.timesteps)] if levels is None else levels(made)
        m, xi, x = outputs(64, seed)
        self.levels = self._distinct(asked)
        self.m, self.xi = m, xi
        x = tensor(x * max(1.0, 0.0 if self._bounded() else self.sigmas.max()))
        states, step = [np.asarray(x, np.float64)], {"n": 0}
        monkeypatch.setattr(module_of(made), "randn_tensor", lambda *a, **k: tensor(xi[step["n"]]), raising=False)
        for i, t in enumerate(made.timesteps):
            step["n"] = self._step_of(i)
            if hasattr(made, "is_scale_input_called"):
                made.is_scale_input_called = True
            out = tensor(m[np.argmin(np.abs(self.levels - asked[i]))])
            assert out.shape == (*SHAPE,)
            x = made.step(out, t, x, **(options or {})).prev_sample
            states.append(np.asarray(x, np.float64))
        self.states = np.array(states)

    def _bounded(self):
        return "DPMSolver" in type(self.made).__name__ or "UniPC" in type(self.made).__name__ or "DEIS" in type(
            self.made).__name__ or "Flow" in type(self.made).__name__

    def _step_of(self, i):
        stages = self.made.order if hasattr(self.made, "order") else 1
        return i // 2 if stages == 2 else i

    @staticmethod
    def _distinct(levels):
        out = []
        for s in levels:
            if all(abs(s - other) > 1e-7 * (s + other) for other in out):
                out.append(float(s))
        return np.array(out)

    def denoiser(self):
        """D from the same outputs, by noise level; tables of one length, so that one program does for all."""
        n = len(self.m)
        if self.sigma_data is None:
            a, b = read(self.reading, self.levels)
        else:
            d, square = self.sigma_data, self.levels**2 + self.sigma_data**2
            sign = 1.0 if self.reading == "epsilon" else -1.0
            a, b = d * d / square, sign * self.levels * d / np.sqrt(square)

        def filled(v, value):
            return np.append(v, np.full(n - len(v), value))

        return Table(filled(-np.log(self.levels), 1e3), filled(a, 0.0), filled(b, 0.0), self.m)

    def idle(self):
        """Whether the last step leads nowhere; then without it."""
        if abs(self.sigmas[-1] - self.sigmas[-2]) > 1e-6 * self.sigmas[-2]:
            return False
        self.sigmas, self.states = self.sigmas[:-1], self.states[:-1]
        return True

    def compare(self, make, sigmas=None, scaled=True):
        """The largest difference over all steps, of the largest state."""
        sigmas = self.sigmas if sigmas is None else sigmas
        flow = self.reading == "flow_prediction"
        scale = 1 / (1 + sigmas) if flow else 1 / np.sqrt(sigmas**2 + 1) if scaled else np.ones_like(sigmas)
        states = self.states
        z = ours(make(self.denoiser(), mesh_of(sigmas)), states[0] / scale[0], self.xi)
        x = z * scale.reshape(-1, *[1] * (z.ndim - 1))
        assert x.shape == states.shape and np.isfinite(x).all()
        if not np.isfinite(states[-1]).all():
            assert sigmas[-1] == 0.0  # diffusers divides by the last noise level, and ends in NaN
            x, states = x[:-1], states[:-1]
        return np.abs(x - states).max() / max(1.0, np.abs(states).max())


def hats(made, s_churn, s_tmin, s_tmax, s_noise):
    sigma = np.asarray(made.sigmas, np.float64)
    gamma = np.where((sigma >= s_tmin) & (sigma <= s_tmax), min(s_churn / (len(sigma) - 1), 2**0.5 - 1), 0.0)
    return (sigma * (1 + gamma))[:-1]


def without_end(steps, form, options):
    """The sampler of a run of one step more, which led nowhere."""
    order, left = options["order"], steps - np.arange(steps)
    orders = np.minimum(order, left) if options["lower_final"] else np.full(steps, order)
    stepper = ETDAB(order, orders, options["midpoint"], options["curvature"])
    return lambda D, M: S.Sampler(form.law(D, options.get("eta", 0.0)), stepper, M, form)


def level(alpha):
    return np.sqrt(1 / np.asarray(alpha, np.float64) - 1)


def one_step(made, i, t, before, reading, monkeypatch, make, out, xi, **options):
    """Our step from the scheduler's state at t, and its own."""
    alphas = np.asarray(made.alphas_cumprod, np.float64)
    prev = before(t)
    sigma = np.array([level(alphas[t]), 0.0 if prev < 0 else level(alphas[prev])])
    scale = 1 / np.sqrt(sigma**2 + 1)
    x = np.asarray(xi[20 + i])
    monkeypatch.setattr(module_of(made), "randn_tensor", lambda *a, **k: tensor(xi[i]), raising=False)
    theirs = made.step(tensor(out), int(t), tensor(x), **options).prev_sample.numpy()
    a, b = read(reading, sigma[:1])
    D = Table(-np.log(sigma[:1]), a, b, np.asarray(out)[None])
    z = ours(make(D, mesh_of(sigma)), x / scale[0], xi[i : i + 1])
    return np.abs(scale[1] * z[-1] - theirs).max()
