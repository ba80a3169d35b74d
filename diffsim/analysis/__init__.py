"""What to read off a field: fluxes, profiles, moments, spectra and fits.

Functions of a state accept leading axes (ensembles, records); those that return tensors may be
called inside `SaveAt(fn=…)`, to reduce a run on the device.

    flux, cell_flux, inflow        Fick's first law, at faces, in cells and through walls
    permeation                     steady flux, time lag and diffusivity from a breakthrough curve
    line, segment, radial, kymograph, front    profiles on axes and lines, around a centre, in time
    total, center, covariance, variance, diffusivity    moments and how they grow
    power, structure_factor, mean_wavelength, dominant_wavelength    what patterns measure
    components, count, euler   spots, stripes and holes, and their topology
    recognise                  spots, stripes, labyrinth, holes, waves, chaos or uniform
    correlation, domain_size, coarsening    lengths of domains and how they grow
    arrivals, front_speed, pulled, pulled_speed    fronts, pushed and pulled
    tips, follow, rotation     spirals: where they end and how fast they turn
    temporal_spectrum, coherence, crossings, period    signals in time
    lyapunov                   the largest Lyapunov exponent
    dispersion, eigenmode, fastest, instability, modes    linear stability of uniform states, in space and in boxes
    onset, stability_map, uniform_state    critical parameters, and what is unstable over two of them
    mean_time, survival, splitting    first-passage times of particles, and where they end
    MSD, VACF, TimeAverage, RadialDistribution, VanHove, Occupation, Residence, Current, Work
                               seen while a run goes on, by ds.Observed(stepper, {…}), and of records by .over(t, y)
    mean_square_displacement, velocity_autocorrelation, green_kubo, blocking    of stored paths, with error bars
    diffusivity_by_covariance, diffusivity_by_likelihood, diffusivity_from_slope, diffusivity_bound    D from tracks
    jarzynski, bennett, second_cumulant    free energies from work
    straight, order, growth_rate, power_law    least-squares fits with their standard errors
"""

from diffsim.analysis.averages import Average as Average
from diffsim.analysis.averages import TimeAverage as TimeAverage
from diffsim.analysis.averages import blocking as blocking
from diffsim.analysis.coarsening import Coarsening as Coarsening
from diffsim.analysis.coarsening import coarsening as coarsening
from diffsim.analysis.coarsening import correlation as correlation
from diffsim.analysis.coarsening import domain_size as domain_size
from diffsim.analysis.components import Components as Components
from diffsim.analysis.components import Counts as Counts
from diffsim.analysis.components import components as components
from diffsim.analysis.components import count as count
from diffsim.analysis.components import euler as euler
from diffsim.analysis.correlators import MSD as MSD
from diffsim.analysis.correlators import VACF as VACF
from diffsim.analysis.currents import Current as Current
from diffsim.analysis.currents import Rate as Rate
from diffsim.analysis.energetics import Energies as Energies
from diffsim.analysis.energetics import Work as Work
from diffsim.analysis.fits import Line as Line
from diffsim.analysis.fits import growth_rate as growth_rate
from diffsim.analysis.fits import order as order
from diffsim.analysis.fits import power_law as power_law
from diffsim.analysis.fits import straight as straight
from diffsim.analysis.flux import Permeation as Permeation
from diffsim.analysis.flux import cell_flux as cell_flux
from diffsim.analysis.flux import flux as flux
from diffsim.analysis.flux import inflow as inflow
from diffsim.analysis.flux import permeation as permeation
from diffsim.analysis.free_energy import FreeEnergy as FreeEnergy
from diffsim.analysis.free_energy import bennett as bennett
from diffsim.analysis.free_energy import jarzynski as jarzynski
from diffsim.analysis.free_energy import second_cumulant as second_cumulant
from diffsim.analysis.fronts import Pulled as Pulled
from diffsim.analysis.fronts import arrivals as arrivals
from diffsim.analysis.fronts import front_speed as front_speed
from diffsim.analysis.fronts import pulled as pulled
from diffsim.analysis.fronts import pulled_speed as pulled_speed
from diffsim.analysis.lags import Lags as Lags
from diffsim.analysis.lags import green_kubo as green_kubo
from diffsim.analysis.lyapunov import Exponent as Exponent
from diffsim.analysis.lyapunov import lyapunov as lyapunov
from diffsim.analysis.modes import Modes as Modes
from diffsim.analysis.modes import modes as modes
from diffsim.analysis.moments import center as center
from diffsim.analysis.moments import covariance as covariance
from diffsim.analysis.moments import diffusivity as diffusivity
from diffsim.analysis.moments import total as total
from diffsim.analysis.moments import variance as variance
from diffsim.analysis.occupation import Histogram as Histogram
from diffsim.analysis.occupation import Occupation as Occupation
from diffsim.analysis.onset import Onset as Onset
from diffsim.analysis.onset import onset as onset
from diffsim.analysis.pairs import RadialDistribution as RadialDistribution
from diffsim.analysis.pairs import Shells as Shells
from diffsim.analysis.pairs import VanHove as VanHove
from diffsim.analysis.passage import Estimate as Estimate
from diffsim.analysis.passage import Splitting as Splitting
from diffsim.analysis.passage import Survival as Survival
from diffsim.analysis.passage import mean_time as mean_time
from diffsim.analysis.passage import splitting as splitting
from diffsim.analysis.passage import survival as survival
from diffsim.analysis.paths import mean_square_displacement as mean_square_displacement
from diffsim.analysis.paths import velocity_autocorrelation as velocity_autocorrelation
from diffsim.analysis.patterns import Features as Features
from diffsim.analysis.patterns import Pattern as Pattern
from diffsim.analysis.patterns import Verdict as Verdict
from diffsim.analysis.patterns import recognise as recognise
from diffsim.analysis.precision import diffusivity_bound as diffusivity_bound
from diffsim.analysis.precision import optimal_points as optimal_points
from diffsim.analysis.profile import front as front
from diffsim.analysis.profile import kymograph as kymograph
from diffsim.analysis.profile import line as line
from diffsim.analysis.profile import radial as radial
from diffsim.analysis.profile import segment as segment
from diffsim.analysis.residence import Residence as Residence
from diffsim.analysis.residence import Stays as Stays
from diffsim.analysis.spectrum import dominant_wavelength as dominant_wavelength
from diffsim.analysis.spectrum import mean_wavelength as mean_wavelength
from diffsim.analysis.spectrum import power as power
from diffsim.analysis.spectrum import structure_factor as structure_factor
from diffsim.analysis.spirals import Rotation as Rotation
from diffsim.analysis.spirals import Tips as Tips
from diffsim.analysis.spirals import follow as follow
from diffsim.analysis.spirals import rotation as rotation
from diffsim.analysis.spirals import tips as tips
from diffsim.analysis.stability import Dispersion as Dispersion
from diffsim.analysis.stability import Fastest as Fastest
from diffsim.analysis.stability import Instability as Instability
from diffsim.analysis.stability import dispersion as dispersion
from diffsim.analysis.stability import eigenmode as eigenmode
from diffsim.analysis.stability import fastest as fastest
from diffsim.analysis.stability import instability as instability
from diffsim.analysis.stability_map import StabilityMap as StabilityMap
from diffsim.analysis.stability_map import stability_map as stability_map
from diffsim.analysis.stability_map import uniform_state as uniform_state
from diffsim.analysis.temporal import Period as Period
from diffsim.analysis.temporal import coherence as coherence
from diffsim.analysis.temporal import crossings as crossings
from diffsim.analysis.temporal import period as period
from diffsim.analysis.temporal import temporal_spectrum as temporal_spectrum
from diffsim.analysis.tracking import Diffusivity as Diffusivity
from diffsim.analysis.tracking import diffusivity_by_covariance as diffusivity_by_covariance
from diffsim.analysis.tracking import diffusivity_by_likelihood as diffusivity_by_likelihood
from diffsim.analysis.tracking import diffusivity_from_slope as diffusivity_from_slope
