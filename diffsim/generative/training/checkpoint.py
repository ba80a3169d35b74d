"""All that training needs to go on as if it had not been broken off, in one HDF5 file."""

from __future__ import annotations

import os

import keras
import numpy as np

from diffsim import _checks


def named(path) -> str:
    """The name of a file that can be written, refused before hours are spent on what goes into it."""
    if not isinstance(path, (str, os.PathLike)):
        _checks.refuse("checkpoint", path, "the name of a file", "training goes on from it", 'Pass e.g. "fit.h5".',
                       TypeError)
    path = os.fspath(path)
    folder = os.path.dirname(path) or "."
    if os.path.splitext(path)[1] not in (".h5", ".hdf5"):
        _checks.refuse("checkpoint", path, 'a name that ends in ".h5" or ".hdf5"', "it is an HDF5 file", "Rename it.")
    if not os.path.isdir(folder):
        _checks.refuse("checkpoint", path, "a file in a folder that exists", f"there is no folder {folder!r}",
                       f"Create it: Path({folder!r}).mkdir(parents=True).", FileNotFoundError)
    if os.path.exists(path):
        import h5py  # only where files are read

        if os.path.isdir(path) or not h5py.is_hdf5(path):
            _checks.refuse("checkpoint", path, "a file that fit has written, or none", "training goes on from it",
                           "Choose another name.")
    return path


class Checkpoint:
    """Weights, their mean, the optimizer's state and remembered losses; written whole, or not at all.

    Args:
        path: of the file, see `named`.
        trainer: whose state it is.
        description: {name: text}, in which a file must agree.
    """

    def __init__(self, path, trainer, description):
        self.path, self.trainer, self.description = path, trainer, description

    def _variables(self):
        return {"trainer": self.trainer.variables, "optimizer": self.trainer.optimizer.variables}

    def write(self, step, notes):
        """Put the file in the place of the one before."""
        import h5py  # only where files are written

        new = f"{self.path}.new"
        with h5py.File(new, "w") as file:
            for part, variables in self._variables().items():
                for i, v in enumerate(variables):
                    file[f"{part}/{i:05d}"] = np.asarray(keras.ops.convert_to_numpy(v))
            file["notes"] = np.array(notes, np.float64)
            file.attrs["step"] = step
            for name, text in self.description.items():
                file.attrs[name] = text
        os.replace(new, self.path)

    def restore(self):
        """The step to go on from, and the losses so far; (0, []) if there is no file."""
        import h5py

        if not os.path.exists(self.path):
            return 0, []
        with h5py.File(self.path) as file:
            for name, text in self.description.items():
                if file.attrs.get(name) != text:
                    _checks.refuse("checkpoint", self.path, f"one with {name} = {text}",
                                   f"it has {file.attrs.get(name, 'none')}, and would go on to something else",
                                   "Use another file, or pass what it was begun with.")
            for part, variables in self._variables().items():
                for i, v in enumerate(variables):
                    v.assign(file[f"{part}/{i:05d}"][()])
            return int(file.attrs["step"]), [tuple(row) for row in file["notes"][()]]
