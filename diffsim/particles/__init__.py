"""Particles that meet: cell lists."""

from diffsim.particles.cells import Bins as Bins
from diffsim.particles.cells import Cells as Cells
from diffsim.particles.cells import Neighbours as Neighbours
