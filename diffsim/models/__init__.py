"""Named laws, each a small class: parameters with their meaning and units, source, known answers.

`model.on(grid, boundary)` is an `Equation`.

    Fick            u_t = ∇·(D∇u) − k u + S
    Hillslope       z_t = ∇·(D∇z) + U
    PorousMedium    u_t = D∇²(uᵐ)
    Reaction        the base of reaction–diffusion: species, diffusivities, rates
    FisherKPP       u_t = D∇²u + r u(1 − u)
    Nagumo          u_t = D∇²u + r u(1 − u)(u − a)
    AllenCahn       u_t = D[∇²u − (u³ − u)/ε²]
    GrayScott       u_t = Du∇²u − uv² + F(1 − u),  v_t = Dv∇²v + uv² − (F + k)v
"""

from diffsim.models.fick import Fick as Fick
from diffsim.models.fick import Hillslope as Hillslope
from diffsim.models.porous import PorousMedium as PorousMedium
from diffsim.models.reaction import AllenCahn as AllenCahn
from diffsim.models.reaction import FisherKPP as FisherKPP
from diffsim.models.reaction import GrayScott as GrayScott
from diffsim.models.reaction import Nagumo as Nagumo
from diffsim.models.reaction import Reaction as Reaction
