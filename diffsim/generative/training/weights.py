"""Weights in files: safetensors or HDF5, each with the network's make and the schedule it was trained on."""

from __future__ import annotations

import hashlib
import json
import os

import keras
import numpy as np
import safetensors
import safetensors.numpy

from diffsim import __version__, _checks
from diffsim.generative import nets as nets  # whose classes a file may name
from diffsim.generative.betas import Discrete
from diffsim.generative.schedule import Schedule


def save(path, network, schedule, dtype=None, **notes: str):
    """Write weights to "….safetensors" or "….h5".

    Args:
        path: where to.
        network: a Keras network that can be made again from its configuration.
        schedule: on which it was trained; `load` refuses another. None: of what is no denoiser, as an `Autoencoder`.
        dtype: e.g. np.float16 to store them in half precision; None: as they are.
        **notes: more to be kept in the file, e.g. loss="Matching(V())".
    """
    kind = _kind(path)
    _checks.instance("network", network, keras.Model, why="its weights are written",
                     way_out="Pass e.g. the `average` of what gen.fit returns.")
    if schedule is not None or isinstance(network, nets.Network):
        _checks.instance("schedule", schedule, Schedule, why="the network's times mean noise on that one only",
                         way_out="Pass the schedule that it was trained on, e.g. gen.Cosine().")
    try:
        real = dtype is None or np.dtype(dtype).kind == "f"
    except TypeError:
        real = False
    if not real:
        received, expected = _checks.Verbatim(repr(dtype)), "np.float16, np.float32, np.float64 or None"
        _checks.refuse("dtype", received, expected, "weights are real numbers",
                       "Pass np.float16 to halve the file.", TypeError)
    folder = os.path.dirname(os.fspath(path)) or "."
    if not os.path.isdir(folder):
        _checks.refuse("path", os.fspath(path), "a file in a folder that exists", f"there is no folder {folder!r}",
                       f"Create it: Path({folder!r}).mkdir(parents=True).", FileNotFoundError)
    facts = {
        "network": json.dumps(keras.saving.serialize_keras_object(network)), "schedule": describe(schedule),
        "diffsim": __version__, **{name: str(text) for name, text in notes.items()},
    }
    arrays = {name: np.asarray(keras.ops.convert_to_numpy(v)) for name, v in _named(network).items()}
    arrays = {n: np.ascontiguousarray(a if dtype is None else a.astype(dtype)) for n, a in arrays.items()}
    new = f"{os.fspath(path)}.new"
    if kind == ".h5":
        import h5py

        with h5py.File(new, "w") as file:
            for name, array in arrays.items():
                file[name] = array
            file.attrs.update(facts)
    else:
        safetensors.numpy.save_file(arrays, new, facts)
    os.replace(new, path)


def load(path, schedule=None):
    """The network of a file, with its weights.

    Args:
        path: "….safetensors" or "….h5", written by `save`.
        schedule: on which it is going to be used; None: not checked.

    Returns:
        A network.

    Raises:
        FileNotFoundError: no such file.
        TypeError, ValueError: no file of weights, another schedule than that of the file, or weights that do not fit
            the network's make.
    """
    kind = _kind(path)
    if not os.path.isfile(path):
        _checks.refuse("path", os.fspath(path), "a file written by save", "there is no such file",
                       f"The working directory is {os.getcwd()}; check the name.", FileNotFoundError)
    try:
        facts, arrays = _read(path, kind)
    except (OSError, safetensors.SafetensorError) as error:
        why = f"this one cannot be read as {kind} ({error})"
        _checks.refuse("path", os.fspath(path), "a file written by save", why, "Write it again.")
    if not {"network", "schedule"} <= facts.keys():
        _checks.refuse("path", os.fspath(path), "a file written by save", "it says which network its weights are of",
                       "Make the network, and assign the weights yourself.")
    if schedule is not None and facts["schedule"] not in (describe(schedule), repr(schedule)):  # older ones: no table
        _checks.refuse("schedule", _checks.Verbatim(describe(schedule)), facts["schedule"],
                       "the network was trained on that one, and its times mean other noise on another",
                       "Pass the schedule of the file.")
    try:
        network = keras.saving.deserialize_keras_object(json.loads(facts["network"]))
    except Exception as error:  # whatever a class of the user says
        received = _checks.Verbatim(f"{os.fspath(path)!r}, whose network is {str(facts['network'])[:80]}")
        why = f"Keras makes the network again from it, and says: {str(error)[:200].rstrip('.')}"
        _checks.refuse("path", received, "a known network", why, "Import the module that defines its class.")
    named = _named(network)
    if named.keys() != arrays.keys() or any(tuple(v.shape) != arrays[n].shape for n, v in named.items()):
        odd = sorted(named.keys() ^ arrays.keys()) or [n for n, v in named.items() if tuple(v.shape) != arrays[n].shape]
        _checks.refuse("path", os.fspath(path), "all weights of its network, and no others",
                       f"{len(odd)} do not fit, {odd[0]} for one", "Save it again with this version.")
    for name, variable in named.items():
        variable.assign(arrays[name].astype(variable.dtype))
    return network


def _read(path, kind):
    """Facts and arrays of a file."""
    if kind == ".h5":
        import h5py

        arrays = {}
        with h5py.File(path) as file:
            file.visititems(lambda name, item: arrays.update({name: item[()]}) if hasattr(item, "dtype") else None)
            return dict(file.attrs), arrays
    with safetensors.safe_open(path, "numpy") as file:
        return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict


def describe(schedule) -> str:
    """A schedule as text: equal for equal schedules; of a table a digest of its six digits of λ."""
    if not isinstance(schedule, Discrete):
        return repr(schedule)
    digits = " ".join(f"{lam:.6g}" for lam in schedule.table)
    table = hashlib.blake2b(digits.encode(), digest_size=8).hexdigest()
    return f"{schedule!r}, {'whole' if schedule.rounded else 'real'} steps, table {table}"


def _named(network):
    """Variables by their path below the network's own name, which Keras may number."""
    return {v.path.partition("/")[2]: v for v in network.weights}


def _kind(path):
    if not isinstance(path, (str, os.PathLike)):
        _checks.refuse("path", path, "the name of a file", "it holds the weights", 'Pass e.g. "net.safetensors".',
                       TypeError)
    kind = os.path.splitext(os.fspath(path))[1]
    if kind not in (".h5", ".safetensors"):
        _checks.refuse("path", os.fspath(path), 'a name that ends in ".safetensors" or ".h5"', "that says the format",
                       "Rename it.")
    return kind
