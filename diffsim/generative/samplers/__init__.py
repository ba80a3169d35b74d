"""Samplers by their usual names: each is a law, a mesh and a stepper, to be handed to `ds.solve`; none has a loop.

    s = gen.samplers.dpm_solver_pp(denoiser, gen.karras(20, 0.03, 14.6), order=2)
    x = gen.sample(s, gen.prior(s.mesh, (64, 32, 32, 3), key)).final

References, beside those of the steppers:
    Song, Meng & Ermon (2021), arXiv:2010.02502; Ho, Jain & Abbeel (2020), arXiv:2006.11239; Karras et al. (2022),
    arXiv:2206.00364; Lu et al. (2022), arXiv:2206.00927 and 2211.01095; Zhang & Chen (2023), arXiv:2204.13902;
    Zhao et al. (2023), arXiv:2302.04867; Liu et al. (2022), arXiv:2202.09778.
"""

from diffsim.generative.samplers.base import Sampler as Sampler
from diffsim.generative.samplers.multistep import deis as deis
from diffsim.generative.samplers.multistep import dpm_sde as dpm_sde
from diffsim.generative.samplers.multistep import dpm_solver as dpm_solver
from diffsim.generative.samplers.multistep import dpm_solver_pp as dpm_solver_pp
from diffsim.generative.samplers.multistep import dpm_solver_pp_single as dpm_solver_pp_single
from diffsim.generative.samplers.multistep import dpm_solver_single as dpm_solver_single
from diffsim.generative.samplers.multistep import lms as lms
from diffsim.generative.samplers.multistep import plms as plms
from diffsim.generative.samplers.multistep import pndm as pndm
from diffsim.generative.samplers.multistep import unipc as unipc
from diffsim.generative.samplers.multistep import unipc_noise as unipc_noise
from diffsim.generative.samplers.noisy import ddim as ddim
from diffsim.generative.samplers.noisy import ddpm as ddpm
from diffsim.generative.samplers.noisy import dpm2_ancestral as dpm2_ancestral
from diffsim.generative.samplers.noisy import edm as edm
from diffsim.generative.samplers.noisy import euler_churn as euler_churn
from diffsim.generative.samplers.noisy import euler_maruyama as euler_maruyama
from diffsim.generative.samplers.noisy import predictor_corrector as predictor_corrector
from diffsim.generative.samplers.noisy import score_sde as score_sde
from diffsim.generative.samplers.plain import adaptive as adaptive
from diffsim.generative.samplers.plain import dpm2 as dpm2
from diffsim.generative.samplers.plain import euler as euler
from diffsim.generative.samplers.plain import heun as heun
from diffsim.generative.samplers.plain import inversion as inversion
