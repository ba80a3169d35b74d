"""Training of denoisers on Keras `fit`: losses, noise levels, averages of weights, checkpoints, files of weights."""

from diffsim.generative.training.fit import Trained as Trained
from diffsim.generative.training.fit import fit as fit
from diffsim.generative.training.hybrid import Hybrid as Hybrid
from diffsim.generative.training.levels import Importance as Importance
from diffsim.generative.training.levels import LogNormal as LogNormal
from diffsim.generative.training.levels import Steps as Steps
from diffsim.generative.training.levels import Uniform as Uniform
from diffsim.generative.training.loss import X0 as X0
from diffsim.generative.training.loss import Epsilon as Epsilon
from diffsim.generative.training.loss import Flat as Flat
from diffsim.generative.training.loss import Matching as Matching
from diffsim.generative.training.loss import MinSNR as MinSNR
from diffsim.generative.training.loss import Preconditioned as Preconditioned
from diffsim.generative.training.loss import Score as Score
from diffsim.generative.training.loss import V as V
from diffsim.generative.training.loss import Velocity as Velocity
from diffsim.generative.training.sheet import Sheet as Sheet
from diffsim.generative.training.trainer import EMA as EMA
from diffsim.generative.training.trainer import PowerEMA as PowerEMA
from diffsim.generative.training.weights import load as load
from diffsim.generative.training.weights import save as save
