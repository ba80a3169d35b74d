"""Reading a run: while it is written, after it has ended, or after it was killed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from diffsim import _checks, _nest
from diffsim.io import codec, disk, layout
from diffsim.io.recorder import HEADER, slots
from diffsim.names import find


class Records:
    """The complete records of one tensor, on disk: slicing reads what is asked for, and nothing else.

    `np.asarray(records)` reads them all; `records[-1]` the last.
    """

    def __init__(self, data, count: int):
        self._data, self.shape, self.dtype = data, (count, *data.shape[1:]), data.dtype

    def __len__(self):
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Number of axes, that of the records included."""
        return len(self.shape)

    def __getitem__(self, key):
        key = key if isinstance(key, tuple) else (key,)
        if not key or key[0] is Ellipsis:
            skipped = self.ndim - len(key[1:])
            key = (slice(None),) * skipped + key[1:]
        return self._data[(self._rows(key[0]), *key[1:])]

    def _rows(self, rows):
        n = len(self)
        if isinstance(rows, slice):
            start, stop, step = rows.indices(n)
            if step < 1:
                _checks.refuse("slice", rows, "a step ≥ 1", "HDF5 reads forwards",
                               "Reverse what you have read.")
            return slice(start, max(start, stop), step)
        if isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
            if not -n <= rows < n:
                raise IndexError(f"record {rows} of {n}")
            return int(rows) % n
        return np.arange(n)[np.asarray(rows)]  # a list or mask of records

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    def __repr__(self):
        return f"Records(shape={self.shape}, {self.dtype})"


class Stored(Records):
    """`Records` that open their file only while they are read, so that others may write it in between."""

    def __init__(self, path: Path, data, count: int):
        super().__init__(data, count)
        self._path, self._name, self._data = path, data.name, None
        self._run = data.file.attrs.get("run")

    def __getitem__(self, key):
        with load(self._path) as run:
            if run._file.attrs.get("run") != self._run:
                _checks.refuse("path", str(self._path), "the run that made these records",
                               "another run has been written to this file since",
                               'Give each run a file of its own: SaveAt(to="run-2.h5").', OSError)
            return Records(run._file[self._name], len(self))[key]


def stored(path) -> tuple[np.ndarray, object]:
    """(t, y) of the complete records: t read, y read when sliced; no file stays open."""
    path = Path(path)
    with load(path) as run:
        return run.t, _nest.map(lambda r: Stored(path, r._data, len(r)), run.y)


class Run:
    """A run on disk; `with load(path) as run:` closes the file afterwards.

    Attributes:
        path: of the file.
        t: times of the complete records, float64 (n,).
        y: the state's nest, each leaf `Records` of shape (n, …), read when sliced.
        names: what the tensors of y are called, in their order; run["u"] are the records of the one called u.
        grid: as given, or None.
        info: as given, with the attributes of the file (versions, device, created, …) besides.
        status: "running", how the run ended, or "interrupted" if it was killed.
    """

    def __init__(self, path: Path, file):
        self.path, self._file = path, file
        count = int(file["records"][()])
        self.t = file["time"][:count]
        structure = codec.decode(*layout.stored(file["structure"]))
        self.y = _nest.map(lambda name: Records(file[name], count), structure)
        self.names = layout.names(structure, [file[name] for name in _nest.flatten(structure)])
        self.grid = codec.decode(*layout.stored(file["grid"]), opaque=lambda _: None)
        attributes = {k: v.item() if isinstance(v, np.generic) else v for k, v in file.attrs.items()}
        self.info = attributes | codec.decode(*layout.stored(file["info"]), opaque=str)
        self.status = bytes(file["status"][()]).decode()
        if self.status == "running" and not _written(path):
            self.status = "interrupted"

    @property
    def law(self):
        """The law, or None where the file has only a description of it: see `decode_law`."""
        try:
            return self.decode_law()
        except ValueError:
            return None

    def decode_law(self):
        """The law.

        Raises:
            ValueError: a part of it cannot be rebuilt, such as a lambda; says which, and what to do.
        """
        return codec.decode(*layout.stored(self._file["law"]))

    def differs(self, law) -> str | None:
        """In what `law` differs from the law of the file, in words; None where nothing that a file holds does."""
        return codec.difference(layout.stored(self._file["law"]), codec.encode(law))

    @property
    def checkpoint(self) -> tuple[list[np.ndarray], dict] | None:
        """The last whole checkpoint (carry, meta), or None; meta["records"] counts the records before it.

        meta["lost"] lists what of it no file can hold, such as lambdas; `codec.Lost` stands in their place.
        """
        name = max(slots(self._file))[1]
        if name is None:
            return None
        raw = self._file["checkpoint"][name][:]
        length = int(raw[32:HEADER].view(np.int64)[1])
        head, at, arrays = json.loads(raw[HEADER:HEADER + length].tobytes()), HEADER + length, []
        for dtype, shape in head["arrays"]:
            size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=int))
            arrays.append(np.frombuffer(raw[at:at + size].tobytes(), dtype).reshape(shape))
            at += size
        own, lost = head["meta_arrays"], []
        meta = codec.decode(head["meta"], arrays[:own], opaque=lambda text: lost.append(text) or codec.Lost())
        return arrays[own:], meta | {"records": head["records"], "lost": lost}

    def close(self) -> None:
        """Close the file; what was not read is out of reach then."""
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __len__(self):
        return len(self.t)

    def __getitem__(self, name: str):
        """The records of one tensor, or of one column of it, by its name.

        Raises:
            KeyError: nothing has that name.
        """
        return find(self.names, self.y, name)

    def __repr__(self):
        return f"Run({str(self.path)!r}, {len(self)} records, {self.status})"


def load(path) -> Run:
    """A run on disk.

    Args:
        path: the HDF5 file.

    Returns:
        A `Run`. Of a file that is being written, what was complete at this moment.

    Raises:
        OSError: the file is missing, not readable, damaged or not diffsim's.
    """
    import h5py  # not needed before a file is

    path = Path(path)
    disk.settle(path)
    file = None
    try:
        file = disk.patiently(lambda: h5py.File(path, "r", libver="latest", swmr=_written(path)))
        disk.release(file.id.get_vfd_handle())  # readers are no hindrance to a new run of the same name
        _check(file, path)
        return Run(path, file)
    except Exception as error:  # the library raises anything on a damaged file
        if file is not None:
            file.close()
        if isinstance(error, OSError) and "expected" in str(error):
            raise
        disk.damaged(path, f"it cannot be read ({' '.join(str(error).split())[:200]})")


def _check(file, path):
    if file.attrs.get("format") != "diffsim":
        disk.damaged(path, "it is the HDF5 file of another program")
    if file.attrs["layout"] > layout.LAYOUT:
        _checks.refuse("path", str(path), f"layout {layout.LAYOUT} or older",
                       f"a later diffsim wrote it ({file.attrs['diffsim']}, layout {file.attrs['layout']})",
                       "Update diffsim.", OSError)
    rows = min(len(file["time"]), *(len(d) for d in _series(file["state"])))
    if not 0 <= int(file["records"][()]) <= rows:
        disk.damaged(path, "its records are not all there")


def _series(group):
    for item in group.values():
        yield from _series(item) if hasattr(item, "values") else (item,)


def _written(path) -> bool:
    try:
        with disk.readable(path) as file:
            disk.guard(file, path, exclusive=True, patience=0.0)
    except BlockingIOError:
        return True
    return False
