"""Molecules in space: they diffuse, meet, react and are born, all of it by `solve`.

Molecules.of(texts, D, region, kinetics) → a law;  law.fill(numbers, capacity, key) → its state, a Pool;
Doi, Smoluchowski: when two of them react;  Surface: how walls do;  Cells: who is near whom;
SingleFile: rods in a channel.

Forces between particles, for the laws of `models`: Pairs(WCA(…), cells), LennardJones, Bonds(Spring(…), pairs),
External; energies add up.
"""

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
from diffsim.particles.kinetics import Contact as Contact
from diffsim.particles.kinetics import Doi as Doi
from diffsim.particles.kinetics import Kinetics as Kinetics
from diffsim.particles.kinetics import Smoluchowski as Smoluchowski
from diffsim.particles.molecules import Molecules as Molecules
from diffsim.particles.pool import Pool as Pool
from diffsim.particles.single_file import SingleFile as SingleFile
from diffsim.particles.stepper import DiffuseReact as DiffuseReact
from diffsim.particles.surface import Surface as Surface
