"""diffsim: diffusion, physical and generative, by one `solve`.

Shape · Grid · Boundary · Operator · Noise · Equation · Stepper · StepSize · SaveAt → solve → Solution
"""

import importlib

from diffsim import _quiet as _quiet  # first of all, before TensorFlow is loaded
from diffsim import initial as initial
from diffsim import models as models
from diffsim import particles as particles
from diffsim import reference as reference
from diffsim._checks import SolveError as SolveError
from diffsim.boundary import Boundary as Boundary
from diffsim.boundary import Dirichlet as Dirichlet
from diffsim.boundary import Flux as Flux
from diffsim.boundary import Interface as Interface
from diffsim.boundary import Neumann as Neumann
from diffsim.boundary import Periodic as Periodic
from diffsim.boundary import Robin as Robin
from diffsim.calculus import ExponentialAmplitude as ExponentialAmplitude
from diffsim.calculus import Isothermal as Isothermal
from diffsim.calculus import Ito as Ito
from diffsim.calculus import NoiseMap as NoiseMap
from diffsim.calculus import Stratonovich as Stratonovich
from diffsim.equation import Equation as Equation
from diffsim.geometry import Ball as Ball
from diffsim.geometry import Box as Box
from diffsim.geometry import Cylinder as Cylinder
from diffsim.geometry import Ellipsoid as Ellipsoid
from diffsim.geometry import HalfSpace as HalfSpace
from diffsim.geometry import Polygon as Polygon
from diffsim.geometry import Shape as Shape
from diffsim.geometry import from_image as from_image
from diffsim.geometry import read_image as read_image
from diffsim.grid import Grid as Grid
from diffsim.grid import RadialGrid as RadialGrid
from diffsim.growth import growing as growing
from diffsim.jump import Jump as Jump
from diffsim.ledger import balance as balance
from diffsim.ledger import track as track
from diffsim.names import Named as Named
from diffsim.noise import AlphaStable as AlphaStable
from diffsim.noise import Antithetic as Antithetic
from diffsim.noise import Brownian as Brownian
from diffsim.noise import BrownianTree as BrownianTree
from diffsim.noise import Correlated as Correlated
from diffsim.noise import Shared as Shared
from diffsim.operators.box import SpectralLaplacian as SpectralLaplacian
from diffsim.operators.media import Anisotropic as Anisotropic
from diffsim.operators.media import Layers as Layers
from diffsim.operators.nonlinear import NonlinearDiffusion as NonlinearDiffusion
from diffsim.operators.stencil import Diffusion as Diffusion
from diffsim.operators.stencil import Laplacian as Laplacian
from diffsim.random import fold_in as fold_in
from diffsim.random import key as key
from diffsim.random import split as split
from diffsim.rates import Elementary as Elementary
from diffsim.rates import Varying as Varying
from diffsim.resume import resume as resume
from diffsim.save import SaveAt as SaveAt
from diffsim.simulation import Simulation as Simulation
from diffsim.solution import Solution as Solution
from diffsim.solution import Status as Status
from diffsim.solve import solve as solve
from diffsim.steady import steady as steady
from diffsim.steppers.corrected import ETDPC as ETDPC
from diffsim.steppers.corrected import ETDBlock as ETDBlock
from diffsim.steppers.explicit import RK4 as RK4
from diffsim.steppers.explicit import Euler as Euler
from diffsim.steppers.explicit import Heun as Heun
from diffsim.steppers.explicit import Tsit5 as Tsit5
from diffsim.steppers.exponential import ETD1 as ETD1
from diffsim.steppers.exponential import ETDRK2 as ETDRK2
from diffsim.steppers.exponential import ETDRK4 as ETDRK4
from diffsim.steppers.hops import SplitHops as SplitHops
from diffsim.steppers.implicit import IMEX as IMEX
from diffsim.steppers.implicit import TRBDF2 as TRBDF2
from diffsim.steppers.implicit import CrankNicolson as CrankNicolson
from diffsim.steppers.implicit import ImplicitEuler as ImplicitEuler
from diffsim.steppers.langevin import BAOAB as BAOAB
from diffsim.steppers.langevin import LeimkuhlerMatthews as LeimkuhlerMatthews
from diffsim.steppers.leap import TauLeap as TauLeap
from diffsim.steppers.multistep import ETDAB as ETDAB
from diffsim.steppers.multistep import ETDAB2 as ETDAB2
from diffsim.steppers.multistep import AdamsBashforth as AdamsBashforth
from diffsim.steppers.multistep import ETDMidpoint as ETDMidpoint
from diffsim.steppers.observed import Every as Every
from diffsim.steppers.observed import Observed as Observed
from diffsim.steppers.observed import Observer as Observer
from diffsim.steppers.onto import Onto as Onto
from diffsim.steppers.relay import Relay as Relay
from diffsim.steppers.splitting import Strang as Strang
from diffsim.steppers.ssa import SSA as SSA
from diffsim.steppers.stabilised import RKL2 as RKL2
from diffsim.steppers.stochastic import SRA1 as SRA1
from diffsim.steppers.stochastic import EulerMaruyama as EulerMaruyama
from diffsim.steppers.stochastic import Milstein as Milstein
from diffsim.steppers.stochastic import Platen as Platen
from diffsim.steppers.walls import Absorbed as Absorbed
from diffsim.steppers.walls import Fate as Fate
from diffsim.steppers.walls import Reactive as Reactive
from diffsim.steppers.walls import Reflected as Reflected
from diffsim.steppers.walls import Walls as Walls
from diffsim.stepsize import PID as PID
from diffsim.stop import Extinct as Extinct
from diffsim.stop import Steady as Steady
from diffsim.stop import WallClock as WallClock
from diffsim.stop import When as When
from diffsim.white import ConservedWhite as ConservedWhite
from diffsim.white import SpaceTimeWhite as SpaceTimeWhite

__version__ = "0.1.0"

_ON_USE = ("analysis", "generative", "io", "plot", "verify")  # they need matplotlib, h5py, scipy or keras


def __getattr__(name):
    """Import the parts that need more than TensorFlow when they are first used: ds.plot.field(…)."""
    if name in _ON_USE:
        return importlib.import_module(f"diffsim.{name}")
    raise AttributeError(f"module 'diffsim' has no attribute {name!r}")


def __dir__():
    """Names, with those that are imported on use."""
    return sorted({*globals(), *_ON_USE})
