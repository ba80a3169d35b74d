"""Writing a run: records can be read as soon as they are appended, and survive whatever happens later."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
from pathlib import Path

import numpy as np

from diffsim import _checks, _nest
from diffsim.io import codec, disk, layout, superblock, xdmf

HEADER = 64  # bytes of a checkpoint before its JSON: digest (32), number, length of the JSON, length of all
SLACK = 2**16  # bytes that the library may need for its index


class Recorder:
    """The open file of a run. Make one with `create` or `reopen`."""

    def __init__(self, path: Path, at: Path):
        self.path = path  # where the run will be found
        self._at = at  # where it is now: beside it, until the first record is complete
        self._drawn = 0
        self._open()
        self._number = max(n for n, _ in slots(self._file))

    @classmethod
    def create(cls, path, *, law, grid, y_like, info: dict, named=None) -> Recorder:
        """A new run. An earlier run of the same name is replaced once the first record is complete.

        Args:
            path: name of the file, e.g. "run.h5".
            law: what is solved; stored as data, see `encode`.
            grid: Grid, RadialGrid, another grid of diffsim, or None.
            y_like: nest of arrays, tensors or specs with the shapes and dtypes of ONE record.
            info: seed, units and whatever else belongs to the run.
            named: what the tensors of a record are called, see `diffsim.names`; None names them by their place.

        Raises:
            OSError: there is no such directory, no permission, something else of that name, or it is in use.
            TypeError: HDF5 cannot hold the dtype.
        """
        path = Path(path)
        disk.check_place(path)
        if path.exists():
            _checks.warn(f"{path} holds an earlier run, which the new one replaces. To keep both, choose another name.")
        at = path.with_name(path.name + ".part")
        if at.exists():  # left by a run that was killed before its first record, or being written
            with disk.readable(at) as old:
                disk.guard(old, path, exclusive=True)
        image = layout.image(law=law, grid=grid, y_like=y_like, info=info, named=named)
        try:
            at.write_bytes(image)
        except OSError as error:
            at.unlink(missing_ok=True)
            _refuse_write(path, len(image), None, error)
        return cls(path, at)

    @classmethod
    def reopen(cls, path, records: int | None = None) -> Recorder:
        """Go on with a run that was killed or has ended, after its last complete record.

        Args:
            path: name of the file.
            records: how many records to keep; those after them are written anew. By default all.

        Raises:
            OSError: the file is missing, damaged, not diffsim's or being written.
            ValueError: it holds fewer records than asked for.
        """
        from diffsim.io.run import load

        path = Path(path)
        with disk.readable(path) as file:
            disk.guard(file, path, exclusive=True)
        with load(path) as run:
            count = len(run.t)
        if not os.access(path, os.W_OK):
            _checks.refuse("path", str(path), "a file that may be written to", "you have no permission",
                           "Copy it to where you have.", PermissionError)
        self = cls(path, path)
        if records is not None:
            records = _checks.integer("records", records, least=0, why="records are counted")
            if records > count:
                self._shut()
                _checks.refuse("records", records, f"at most {count}", f"{path} holds no more",
                               "Keep all: None.")
            self._commit(records)
        self._set_status("running")
        return self

    def _open(self):
        import h5py  # not needed before a file is

        try:
            self._file = disk.patiently(lambda: h5py.File(self._at, "r+", libver="latest", rdcc_nbytes=0))
        except OSError as error:
            _checks.refuse("path", str(self.path), "a file that can be opened for writing",
                           f"the library says: {' '.join(str(error).split())}",
                           "If it is open for reading here, close it: run.close().", type(error))
        self._file.swmr_mode = True
        self._raw = open(self._at, "r+b", buffering=0)  # noqa: SIM115 - closed with the recorder
        disk.guard(self._raw, self._at, exclusive=False)
        superblock.seal(self._raw, self._file.id.get_filesize())
        self._names = codec.decode(*layout.stored(self._file["structure"]))
        self._grid = codec.decode(*layout.stored(self._file["grid"]), opaque=lambda _: None)
        self._time, self._records = self._file["time"], self._file["records"]
        self._leaves = [self._file[name] for name in _nest.flatten(self._names)]
        self._set_count(int(self._records[()]))

    def _set_count(self, count):
        self.count = count  # how many records are complete
        self.last_time = float(self._time[count - 1]) if count else None

    def append(self, t, y) -> None:
        """Write k records; when it returns they are in the file, whatever happens to this process.

        Args:
            t: times (k,), float64.
            y: the state's nest, each leaf (k, …).

        Raises:
            ValueError, TypeError: shapes, dtypes or structure are not those of `create`.
            OSError: there is no room. The file is as before, and the record can be appended again.
        """
        t = np.asarray(t, np.float64)
        leaves = self._matched(t, y)
        first = self.count
        stop = first + len(t)
        if stop == first:
            return
        size = t.nbytes + sum(v.nbytes for _, v in leaves)
        partial = sum(min(math.prod(d.chunks) * d.dtype.itemsize, layout.SMALL) for d, _ in leaves)
        with self._room(size, partial + 16 * (stop + 4096) * (len(leaves) + 1)):
            for data, values in (*leaves, (self._time, t)):
                if len(data) < stop:
                    data.resize(stop, axis=0)
                data[first:stop] = values
                data.flush()
            self._commit(stop)
        self.publish()
        if stop * 10 >= self._drawn * 11:  # rewriting it costs as much as it is long
            self.draw()

    def _matched(self, t, y):
        if t.ndim != 1 or not np.isfinite(t).all():
            _checks.refuse("t", t, "finite times of shape (k,)", "each record has its time",
                           "Pass np.array([t]).")
        try:
            _nest.map(lambda *_: None, self._names, y)
        except (TypeError, ValueError):
            _checks.refuse("y", _checks.Verbatim(f"a {type(y).__name__}"),
                           f"the structure {self._names!r}",
                           "the file has one data set for each tensor of it",
                           "Append what y_like described.", TypeError)
        leaves = []
        for data, leaf in zip(self._leaves, _nest.flatten(y), strict=True):
            values = np.asarray(leaf)
            if values.shape != (len(t), *data.shape[1:]) or values.dtype != data.dtype:
                _checks.refuse(f"y[{data.name}]", values, f"shape {(len(t), *data.shape[1:])}, {data.dtype}",
                               "the file was laid out for it",
                               "Append what y_like described, k records at a time.")
            leaves.append((data, values))
        return leaves

    def checkpoint(self, carry: list[np.ndarray], meta: dict) -> None:
        """Keep all that is needed to go on bit for bit, and how many records there were by then.

        Args:
            carry: arrays of any dtype.
            meta: what else is needed, stored by `encode`.

        Raises:
            OSError: there is no room; the checkpoint before this one is still good.
        """
        carry = [np.asarray(a) for a in carry]
        node, arrays = codec.encode(meta)
        parts = [np.asarray(a, order="C") for a in (*arrays, *carry)]
        head = json.dumps({"records": self.count, "meta": node, "meta_arrays": len(arrays),
                           "arrays": [[a.dtype.name, a.shape] for a in parts]}).encode()
        parts = [np.frombuffer(head, np.uint8), *(a.reshape(-1).view(np.uint8) for a in parts if a.size)]
        number = self._number + 1
        total = HEADER + sum(a.size for a in parts)
        numbers = np.array([number, len(head), total, 0], np.int64).view(np.uint8)
        digest = hashlib.blake2b(numbers, digest_size=32)
        for a in parts:
            digest.update(a)
        slot = self._file["checkpoint"]["ab"[number % 2]]
        grown = max(0, total - len(slot))
        with self._room(grown, SLACK + math.prod(slot.chunks)):
            if grown:
                slot.resize(total, axis=0)
            at = HEADER
            for a in parts:
                slot[at:at + a.size] = a
                at += a.size
            slot.flush()
            slot[:HEADER] = np.concatenate([np.frombuffer(digest.digest(), np.uint8), numbers])
            slot.flush()
            superblock.seal(self._raw, self._file.id.get_filesize())
        self._number = number

    def close(self, status: str) -> None:
        """End the run; a second call does nothing. Without record or checkpoint no file remains."""
        if not self._file:
            return
        self._set_status(status)
        if self._at != self.path and self._number:  # nothing recorded yet, but it can be resumed
            self.publish()
        if self._at == self.path:
            self.draw()
        self._shut()
        if self._at != self.path:
            self._at.unlink()

    def _shut(self):
        self._file.close()
        self._raw.truncate(superblock.end(self._raw))
        self._raw.close()

    def draw(self) -> None:
        """Write the XDMF anew; done now and then while the run goes on, and at its end."""
        self._drawn = self.count
        xdmf.write(self.path, self._grid, self._time[:self._drawn], self._leaves)

    def publish(self) -> None:
        """Take the name of the run, replacing an earlier one; done with the first record, or when asked for."""
        if self._at == self.path:
            return
        self._file.close()  # not every system renames an open file
        self._raw.close()
        os.replace(self._at, self.path)
        self._at = self.path
        self._open()

    def _commit(self, count):
        superblock.seal(self._raw, self._file.id.get_filesize())
        self._records[()] = count
        self._records.flush()
        self._set_count(count)

    def _set_status(self, status):
        text = str(getattr(status, "value", status)).encode()[:layout.STATUS_BYTES]
        self._file["status"][()] = np.array(text, f"S{layout.STATUS_BYTES}")
        self._file["status"].flush()

    @contextlib.contextmanager
    def _room(self, size, extra):
        try:
            disk.reserve(self._raw, self._file.id.get_filesize(), size + extra + SLACK)
            yield
        except (OSError, RuntimeError) as error:
            _refuse_write(self.path, size, self.last_time, error)


def _refuse_write(path, size, last, error):
    why = getattr(error, "strerror", None) or str(error)
    kept = "nothing has been saved yet" if last is None else f"all is saved up to t = {last:g}"
    text = _checks.message("path", str(path), f"room for {size} bytes more", f"the system says: {why}",
                           f"Free some, or choose another disk: {kept}.")
    raise OSError(getattr(error, "errno", None) or errno.EIO, text) from error


def slots(file):
    """(number, name) of the checkpoints that are whole, and (0, None)."""
    found = [(0, None)]
    for name in "ab":
        slot = file["checkpoint"][name]
        if len(slot) >= HEADER:
            head = slot[:HEADER]
            number, _, total, _ = (int(v) for v in head[32:].view(np.int64))
            if HEADER <= total <= len(slot):
                digest = hashlib.blake2b(head[32:], digest_size=32)
                step = max(slot.chunks[0], 2**22)
                for at in range(HEADER, total, step):
                    digest.update(slot[at:min(at + step, total)])
                if digest.digest() == head[:32].tobytes():
                    found.append((number, name))
    return found
