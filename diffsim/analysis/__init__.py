"""What to read off a field: fluxes, profiles, moments, spectra and fits.

Functions of a state accept leading axes (ensembles, records); those that return tensors may be
called inside `SaveAt(fn=…)`, to reduce a run on the device.

    flux, cell_flux, inflow        Fick's first law, at faces, in cells and through walls
    permeation                     steady flux, time lag and diffusivity from a breakthrough curve
    line, segment, radial, kymograph, front    profiles on axes and lines, around a centre, in time
    total, center, covariance, variance, diffusivity    moments and how they grow
    structure_factor, mean_wavelength, dominant_wavelength    what patterns measure
    straight, order, growth_rate, power_law    least-squares fits with their standard errors
"""

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
from diffsim.analysis.moments import center as center
from diffsim.analysis.moments import covariance as covariance
from diffsim.analysis.moments import diffusivity as diffusivity
from diffsim.analysis.moments import total as total
from diffsim.analysis.moments import variance as variance
from diffsim.analysis.profile import front as front
from diffsim.analysis.profile import kymograph as kymograph
from diffsim.analysis.profile import line as line
from diffsim.analysis.profile import radial as radial
from diffsim.analysis.profile import segment as segment
from diffsim.analysis.spectrum import dominant_wavelength as dominant_wavelength
from diffsim.analysis.spectrum import mean_wavelength as mean_wavelength
from diffsim.analysis.spectrum import structure_factor as structure_factor
