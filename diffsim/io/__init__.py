"""Runs on disk: HDF5 written while they run, with an XDMF beside it that ParaView opens.

A file holds (layout 1)
    /time                    (n,) float64; (n, …) below means: one more row with each record, resizable
    /state/<path>            (n, …) one data set for each tensor of the state, chunked by record; called by the
                             name that the law gives it, else by its place. Attributes: name; columns, of the
                             entries along the last axis; kinds, what values 0, 1, … stand for
    /records                 how many rows are complete: those after them are remains of a write cut short
    /status                  "running", or how the run ended
    /structure /grid /law /info   JSON and the arrays that it refers to (see `codec`)
    /grid                    also kind, shape, size, origin; cell centres x, y, z or r as dimension scales
    /checkpoint/a, b         bytes, written by turns: a header with a digest, JSON, the arrays after it
    attributes               format, layout, created, dtype, device, versions of diffsim, tensorflow, numpy,
                             h5py and python; from info where given: seed, key, units, …

A run killed while it writes leaves an ordinary HDF5 file that every program opens; one killed in the moment
of opening or closing, a file that `load` makes so. Three rules see to that: (1) the library writes in SWMR
mode, in which what is on disk never points to what is not; (2) the superblock is sealed after each record
(see `superblock`); (3) /records is raised only after that. Space is reserved before a record is written, so
that a full disk is found out before the library meets it, and costs nothing but the record that did not fit.
A new run takes the place of an old file with its first record, or if it ends with a checkpoint. These are
guarantees against the death of the process; against that of the machine there are those of the file system.
"""

from diffsim.io.codec import decode as decode
from diffsim.io.codec import encode as encode
from diffsim.io.recorder import Recorder as Recorder
from diffsim.io.run import Run as Run
from diffsim.io.run import load as load
