"""Particles that meet: cell lists."""

from diffsim.particles.cells import Bins as Bins
from diffsim.particles.cells import Cells as Cells
from diffsim.particles.cells import Neighbours as Neighbours
from diffsim.particles.forces import WCA as WCA
from diffsim.particles.forces import Bonds as Bonds
from diffsim.particles.forces import Energy as Energy
from diffsim.particles.forces import External as External
from diffsim.particles.forces import LennardJones as LennardJones
from diffsim.particles.forces import Pairs as Pairs
from diffsim.particles.forces import Spring as Spring
