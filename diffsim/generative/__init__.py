"""Generative diffusion: `ds.solve(gen.reverse_sde(denoiser, eta), z, t=mesh, stepper=…, key=…)`.

Time is λ = log(α/σ), the state z = x/α: there all schedules are one law, dz = (1 + η)(D − z) dλ + √(2η) e^{−λ} dW.
Nothing here owns a loop, a stepper or a random number.

    Schedules   VP, SubVP, VE, EDM, Cosine, Sigmoid, ScaledLinear, CondOT in continuous time, Discrete in steps
    Meshes      karras, exponential, beta, uniform_lambda, uniform_sigma, uniform_time; leading, trailing, linspace
    Denoisers   from_epsilon, from_x0, from_v, from_score, from_velocity, preconditioned: networks read as D(z, λ);
                Gaussian, Mixture: known exactly; from_density: from a density on a grid, by the heat equation;
                clip, threshold keep estimates in the range of data; unsure, learned know their variance
    Back        to_epsilon, to_score, to_v, to_velocity
    Laws        reverse_sde, probability_flow, forward_sde; prior, perturb, marginal
    Samplers    samplers.ddim, heun, dpm_solver_pp, unipc, edm, …; sample runs one, samplers.inversion goes back
    Guidance    guide (classifier-free, by a weaker model, rescaled, in an interval), classify, steer; align (by the
                embeddings of images and texts: cosine_similarity, spherical_similarity)
    Posteriors  pigdm (Masked, Linear, Linearised, Inverted), dps, inpaint; edit draws an image again from a noisy
                copy, noised
    Likelihood  log_likelihood with Trace or Hutchinson, dequantise; bound, of a chain whose variances are Fixed,
                ByNetwork or Matched to errors, or of infinitely many steps, Continuous
    Distances   metrics.mmd, energy_distance, sliced_wasserstein, frechet_distance, precision_recall, with error bars
    Networks    nets.UNet, nets.DiT, nets.MLP; fit trains them (Keras is imported on use)
"""

import importlib

from diffsim.generative import clocks as clocks
from diffsim.generative import forms as forms
from diffsim.generative import metrics as metrics
from diffsim.generative import samplers as samplers
from diffsim.generative.alignment import align as align
from diffsim.generative.alignment import cosine_similarity as cosine_similarity
from diffsim.generative.alignment import spherical_similarity as spherical_similarity
from diffsim.generative.betas import Discrete as Discrete
from diffsim.generative.bound import Bound as Bound
from diffsim.generative.bound import Continuous as Continuous
from diffsim.generative.bound import bound as bound
from diffsim.generative.bound import errors as errors
from diffsim.generative.clipping import clip as clip
from diffsim.generative.clipping import threshold as threshold
from diffsim.generative.denoiser import Denoiser as Denoiser
from diffsim.generative.denoiser import from_epsilon as from_epsilon
from diffsim.generative.denoiser import from_score as from_score
from diffsim.generative.denoiser import from_v as from_v
from diffsim.generative.denoiser import from_velocity as from_velocity
from diffsim.generative.denoiser import from_x0 as from_x0
from diffsim.generative.denoiser import preconditioned as preconditioned
from diffsim.generative.denoiser import to_epsilon as to_epsilon
from diffsim.generative.denoiser import to_score as to_score
from diffsim.generative.denoiser import to_v as to_v
from diffsim.generative.denoiser import to_velocity as to_velocity
from diffsim.generative.density import from_density as from_density
from diffsim.generative.edit import edit as edit
from diffsim.generative.edit import noised as noised
from diffsim.generative.exact import Gaussian as Gaussian
from diffsim.generative.exact import Mixture as Mixture
from diffsim.generative.guidance import guide as guide
from diffsim.generative.likelihood import Hutchinson as Hutchinson
from diffsim.generative.likelihood import LogLikelihood as LogLikelihood
from diffsim.generative.likelihood import Trace as Trace
from diffsim.generative.likelihood import dequantise as dequantise
from diffsim.generative.likelihood import log_likelihood as log_likelihood
from diffsim.generative.measure import Inverted as Inverted
from diffsim.generative.measure import Linear as Linear
from diffsim.generative.measure import Linearised as Linearised
from diffsim.generative.measure import Masked as Masked
from diffsim.generative.mesh import Mesh as Mesh
from diffsim.generative.mesh import beta as beta
from diffsim.generative.mesh import exponential as exponential
from diffsim.generative.mesh import karras as karras
from diffsim.generative.mesh import leading as leading
from diffsim.generative.mesh import linspace as linspace
from diffsim.generative.mesh import trailing as trailing
from diffsim.generative.mesh import uniform_lambda as uniform_lambda
from diffsim.generative.mesh import uniform_sigma as uniform_sigma
from diffsim.generative.mesh import uniform_time as uniform_time
from diffsim.generative.paths import CondOT as CondOT
from diffsim.generative.paths import Cosine as Cosine
from diffsim.generative.paths import ScaledLinear as ScaledLinear
from diffsim.generative.paths import Sigmoid as Sigmoid
from diffsim.generative.posterior import classify as classify
from diffsim.generative.posterior import dps as dps
from diffsim.generative.posterior import inpaint as inpaint
from diffsim.generative.posterior import pigdm as pigdm
from diffsim.generative.posterior import steer as steer
from diffsim.generative.reverse import forward_sde as forward_sde
from diffsim.generative.reverse import marginal as marginal
from diffsim.generative.reverse import perturb as perturb
from diffsim.generative.reverse import prior as prior
from diffsim.generative.reverse import probability_flow as probability_flow
from diffsim.generative.reverse import reverse_sde as reverse_sde
from diffsim.generative.sample import sample as sample
from diffsim.generative.schedule import EDM as EDM
from diffsim.generative.schedule import VE as VE
from diffsim.generative.schedule import VP as VP
from diffsim.generative.schedule import Schedule as Schedule
from diffsim.generative.schedule import SubVP as SubVP
from diffsim.generative.variance import learned as learned
from diffsim.generative.variance import unsure as unsure
from diffsim.generative.widths import ByNetwork as ByNetwork
from diffsim.generative.widths import Fixed as Fixed
from diffsim.generative.widths import Matched as Matched

_ON_USE = ("fit", "nets", "training")  # they need keras


def __getattr__(name):
    """Import networks and training when they are first used: gen.fit(…)."""
    if name == "fit":
        return importlib.import_module("diffsim.generative.training").fit
    if name in _ON_USE:
        return importlib.import_module(f"diffsim.generative.{name}")
    raise AttributeError(f"module 'diffsim.generative' has no attribute {name!r}")


def __dir__():
    """Names, with those that are imported on use."""
    return sorted({*globals(), *_ON_USE} - {"importlib"})
