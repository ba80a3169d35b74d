"""A tour of what diffsim does: each stop solves a problem, draws it, and measures it against what is exact.

    line      one axis: release, layers, cooling, uptake, permeation, waves, fronts
    space     two and three axes: images, tensors, hillslopes, Poisson, volumes, patterns, curvature
    patterns  reaction and diffusion: onsets, kinds of patterns, spirals, fronts, coarsening, noise, growth
    paths     particles: a trap, and a run that is broken off and resumed
    molecules chance: counted molecules, escape over a barrier, free energy from work
    images    networks: a mixture undone, digits by class, Turing patterns that were learned
    methods   gradients through time, the ledger, orders of convergence

`run(out)` makes them all: a page of figures, an HDF5 file for each run, and a table of measured and exact.
"""

from diffsim.tour.page import STOPS as STOPS
from diffsim.tour.page import run as run
from diffsim.tour.row import Row as Row
from diffsim.tour.row import table as table
