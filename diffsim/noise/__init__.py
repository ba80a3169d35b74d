"""Noise: what drives a law; each kind is a function of key, step, time and element, and of nothing else."""

from diffsim.noise.base import Interval as Interval
from diffsim.noise.base import Noise as Noise
from diffsim.noise.brownian import Brownian as Brownian
from diffsim.noise.brownian import Correlated as Correlated
from diffsim.noise.ensemble import Antithetic as Antithetic
from diffsim.noise.ensemble import Shared as Shared
from diffsim.noise.stable import AlphaStable as AlphaStable
from diffsim.noise.tree import BrownianTree as BrownianTree
