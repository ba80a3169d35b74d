"""Named laws, each a small class: parameters with their meaning and units, source, known answers.

`model.on(grid, boundary)` is an `Equation`.

    Fick                  u_t = ∇·(D∇u) − k u + S
    Hillslope             z_t = ∇·(D∇z) + U
    PorousMedium          u_t = D∇²(uᵐ)
    Reaction              the base of reaction–diffusion: species, diffusivities, rates, steady_states, jacobian, symbol
    FisherKPP             u_t = D∇²u + r u(1 − u)
    Nagumo                u_t = D∇²u + r u(1 − u)(u − a)
    GrayScott             u_t = Du∇²u − uv² + F(1 − u),  v_t = Dv∇²v + uv² − (F + k)v
    Schnakenberg          u_t = Du∇²u + a − u + u²v,  v_t = Dv∇²v + b − u²v
    Brusselator           u_t = Du∇²u + A − (B + 1)u + u²v,  v_t = Dv∇²v + Bu − u²v
    GiererMeinhardt       u_t = Du∇²u + u²/(v(1 + κu²)) − μu + σ,  v_t = Dv∇²v + u² − νv
    LengyelEpstein        u_t = ∇²u + a − u − 4uv/(1 + u²),  v_t = σ[c∇²v + b(u − uv/(1 + u²))]
    Thomas                u_t = Du∇²u + a − u − h,  v_t = Dv∇²v + α(b − v) − h
    FitzHughNagumo        v_t = D∇²v + v − v³/3 − w + I,  w_t = Dw∇²w + ε(v + a − bw)
    Barkley               u_t = D∇²u + u(1 − u)(u − (v + b)/a)/ε,  v_t = u − v
    Oregonator            three species of the Belousov–Zhabotinsky reaction
    TysonFife             two of them
    LotkaVolterra         u_t = Du∇²u + αu − βuv,  v_t = Dv∇²v + δuv − γv
    RosenzweigMacArthur   the same with prey that is limited and predators that need time to eat
    SIR                   an epidemic that travels
    AllenCahn             u_t = D[∇²u − (u³ − u)/ε²]
    CahnHilliard          c_t = M∇²(c³ − c − ε²∇²c)
    SwiftHohenberg        u_t = ru − (q² + ∇²)²u + gu² − u³
    GinzburgLandau        A_t = A + (1 + iα)∇²A − (1 + iβ)|A|²A
    KuramotoSivashinsky   h_t = −∇²h − ν∇⁴h − ½|∇h|²
    CrossDiffusion        ∂ₜyᵢ = Σⱼ Dᵢⱼ∇²yⱼ + fᵢ, around any of these
    MassAction            the base of reactions with stoichiometry: a Channel for each
    driven                any of its models with parameters that depend on time
    from_rates            your own, from a function of the species
    parse                 your own, from equations as text
    master_equation       any model of elementary reactions with counted molecules: a `Jump`

Laws of particles need no grid; `model.law` is an `Equation`.

    BrownianMotion        dX = v dt + √(2D) dW
    OrnsteinUhlenbeck     dX = −(k/γ) X dt + √(2kT/γ) dW
    GeometricBrownian     dX = μX dt + σX dW
    Overdamped            dX = −μ∇V dt + √(2kTμ) dW
    Underdamped           dx = v dt, m dv = −∇V dt − γv dt + √(2γkT) dW
    ActiveBrownian        dx = v₀(cos θ, sin θ) dt + √(2D) dW, dθ = √(2D_r) dW
    RotationalDiffusion   du = √(2D_r) (1 − u uᵀ) ∘ dW
    SphericalBrownian     the same on a sphere of radius R

and the same laws as densities on a grid:

    fokker_planck         ∂ₜp = −∇·J, an Equation for p
    backward              ∂ₜu = f·∇u + D∇²u, for means over paths from x
    first_passage_time    T(x): f·∇T + D∇²T = −1
    splitting_probability at which wall a particle from x ends
    stationary            p at rest
"""

from diffsim.models.amplitude import GinzburgLandau as GinzburgLandau
from diffsim.models.amplitude import KuramotoSivashinsky as KuramotoSivashinsky
from diffsim.models.autocatalysis import Brusselator as Brusselator
from diffsim.models.autocatalysis import GrayScott as GrayScott
from diffsim.models.autocatalysis import Schnakenberg as Schnakenberg
from diffsim.models.brownian import BrownianMotion as BrownianMotion
from diffsim.models.brownian import GeometricBrownian as GeometricBrownian
from diffsim.models.brownian import OrnsteinUhlenbeck as OrnsteinUhlenbeck
from diffsim.models.cross import CrossDiffusion as CrossDiffusion
from diffsim.models.custom import from_rates as from_rates
from diffsim.models.driven import driven as driven
from diffsim.models.ecology import SIR as SIR
from diffsim.models.ecology import LotkaVolterra as LotkaVolterra
from diffsim.models.ecology import RosenzweigMacArthur as RosenzweigMacArthur
from diffsim.models.excitable import Barkley as Barkley
from diffsim.models.excitable import FitzHughNagumo as FitzHughNagumo
from diffsim.models.fick import Fick as Fick
from diffsim.models.fick import Hillslope as Hillslope
from diffsim.models.fokker_planck import backward as backward
from diffsim.models.fokker_planck import first_passage_time as first_passage_time
from diffsim.models.fokker_planck import fokker_planck as fokker_planck
from diffsim.models.fokker_planck import splitting_probability as splitting_probability
from diffsim.models.fokker_planck import stationary as stationary
from diffsim.models.langevin import Overdamped as Overdamped
from diffsim.models.langevin import Underdamped as Underdamped
from diffsim.models.mass_action import Channel as Channel
from diffsim.models.mass_action import MassAction as MassAction
from diffsim.models.master import master_equation as master_equation
from diffsim.models.orientation import ActiveBrownian as ActiveBrownian
from diffsim.models.orientation import RotationalDiffusion as RotationalDiffusion
from diffsim.models.orientation import SphericalBrownian as SphericalBrownian
from diffsim.models.oscillators import Oregonator as Oregonator
from diffsim.models.oscillators import TysonFife as TysonFife
from diffsim.models.parse import parse as parse
from diffsim.models.phase_field import AllenCahn as AllenCahn
from diffsim.models.phase_field import CahnHilliard as CahnHilliard
from diffsim.models.phase_field import SwiftHohenberg as SwiftHohenberg
from diffsim.models.porous import PorousMedium as PorousMedium
from diffsim.models.reaction import Reaction as Reaction
from diffsim.models.scalar import FisherKPP as FisherKPP
from diffsim.models.scalar import Nagumo as Nagumo
from diffsim.models.turing import GiererMeinhardt as GiererMeinhardt
from diffsim.models.turing import LengyelEpstein as LengyelEpstein
from diffsim.models.turing import Thomas as Thomas
