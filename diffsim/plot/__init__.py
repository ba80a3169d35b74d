"""Figures and movies for papers: every axis has its name and unit, every colour a bar, nothing is clipped.

    field        a state on its grid: profile, image, or three slices
    isosurface   where a field in three dimensions has a given value
    slices       three orthogonal cuts through a 3-D state, where you choose
    profiles     1-D records over one another, coloured by time
    kymograph    1-D records as an image, position against time
    curves       records against time, each by its name; of ensembles mean and deviation
    compare      measured against exact, with what remains
    convergence  errors against step, with the fitted orders
    dispersion   growth and frequency of waves about a uniform state
    stability_map    what is unstable for which pair of parameters
    molecules    where the molecules of a box are, each species in its colour
    movie        records of a run as MP4 or GIF, of fields or molecules
    record       one record of a run on disk, whatever it holds

Each returns a matplotlib Figure, made without pyplot: no global state, no window, safe on
servers. Pass `figure=` (a Figure or one of its subfigures) to draw into a page of your own. matplotlib is
imported here and only here, hence `diffsim.plot` is loaded when it is first used.
"""

from diffsim.plot.curves import curves as curves
from diffsim.plot.fields import field as field
from diffsim.plot.fields import slices as slices
from diffsim.plot.molecules import molecules as molecules
from diffsim.plot.movies import movie as movie
from diffsim.plot.runs import record as record
from diffsim.plot.series import compare as compare
from diffsim.plot.series import convergence as convergence
from diffsim.plot.series import kymograph as kymograph
from diffsim.plot.series import profiles as profiles
from diffsim.plot.stability import dispersion as dispersion
from diffsim.plot.stability import stability_map as stability_map
from diffsim.plot.surface import isosurface as isosurface
