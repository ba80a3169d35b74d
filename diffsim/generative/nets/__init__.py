"""Networks in pure Keras, on any of its backends: UNet and DiT for grids of 1 to 3 dimensions, MLP for vectors.

All are called as network(x, t, condition) and start at 0. What the output means, noise, clean data or velocity, is
decided by training (`generative.fit`) and by the adapter that makes a denoiser of it.
"""

from diffsim.generative.nets.autoencoder import Autoencoder as Autoencoder
from diffsim.generative.nets.base import Network as Network
from diffsim.generative.nets.dit import DiT as DiT
from diffsim.generative.nets.mlp import MLP as MLP
from diffsim.generative.nets.unet import UNet as UNet
