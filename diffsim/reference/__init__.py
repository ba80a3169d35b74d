"""Exact and published solutions as functions, shared by tests, examples and users.

All are float64 NumPy; each docstring gives the law, the units and the source. Solvers are judged by these, so
nothing here uses the operators or the steppers of diffsim.

    free       point, extended and surface sources in unbounded space
    bounded    uptake and cooling of sheets, cylinders and spheres, with a film (Biot number) or without
    membrane   permeation through a sheet, time lag, steady hollow cylinders and spheres
    layered    composite slabs with partition and contact resistance: steady states, decay rates, transients
    periodic   diffusion waves below a wall that oscillates in time
    spectrum   eigenvalues of the Laplacian on boxes, balls and the surface of a sphere
    poisson    −∇²u = 1 on rectangles and balls
    mixtures   effective diffusivity of laminates, checkerboards and arrays of discs
    passage    mean first-passage times, with the narrow escape from a disk
    escape     the mean time to cross a barrier, and Kramers' formula
    nonlinear  Barenblatt, Stefan, Fisher–KPP and Nagumo fronts
    lattice    the exact laws of the discretised heat equation
"""

from diffsim.reference import bounded as bounded
from diffsim.reference import escape as escape
from diffsim.reference import free as free
from diffsim.reference import lattice as lattice
from diffsim.reference import layered as layered
from diffsim.reference import membrane as membrane
from diffsim.reference import mixtures as mixtures
from diffsim.reference import nonlinear as nonlinear
from diffsim.reference import passage as passage
from diffsim.reference import periodic as periodic
from diffsim.reference import poisson as poisson
from diffsim.reference import spectrum as spectrum
