"""Files as the system sees them: who writes one, whether there is room, and refusals that say so."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from pathlib import Path

from diffsim import _checks
from diffsim.io import superblock

try:
    import fcntl
except ImportError:  # Windows keeps a second writer away by itself
    fcntl = None


def release(handle: int) -> None:
    """Give up the lock of an open file, by its descriptor."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)


PATIENCE = 1.0  # seconds: readers and writers lock a file for a moment while they open it


def patiently(action, patience: float = PATIENCE):
    """What `action` returns, tried again while the file is locked."""
    last = time.monotonic() + patience
    while True:
        try:
            return action()
        except BlockingIOError:
            if time.monotonic() > last:
                raise
            time.sleep(0.01)


def guard(file, path: Path, exclusive: bool, patience: float = PATIENCE) -> None:
    """Lock the open `file` until it is closed: shared keeps writers away, exclusive finds out whether."""
    if fcntl is None:
        return
    how = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
    try:
        patiently(lambda: fcntl.flock(file, how), patience)
    except BlockingIOError:
        _checks.refuse("path", str(path), "a file that is not in use",
                       "another run writes it, or a program has it open",
                       "Wait for it, or choose another name.", BlockingIOError)
    except OSError:  # a file system without locks: the user keeps watch
        return


def check_place(path: Path) -> None:
    """Refuse a path at which no run can be written; an older run that has ended may be there."""
    parent = path.parent
    if path.is_dir():
        _checks.refuse("path", str(path), "the name of a file", "it is a directory",
                       "Add a file name, e.g. run.h5.", IsADirectoryError)
    if not parent.is_dir():
        _checks.refuse("path", str(path), "a file in a directory that exists",
                       f"there is no directory {parent}",
                       f"Create it: Path({str(parent)!r}).mkdir(parents=True).", FileNotFoundError)
    if not os.access(parent, os.W_OK | os.X_OK):
        _checks.refuse("path", str(path), "a directory that may be written to",
                       f"you have no permission in {parent}", "Choose another directory.", PermissionError)
    if path.exists():
        with readable(path) as old:
            if not _ours(old):
                _checks.refuse("path", str(path), "a new name, or an earlier run of diffsim",
                               "the file there holds something else", "Choose another name, or delete it.",
                               FileExistsError)
            guard(old, path, exclusive=True)


def _ours(file) -> bool:
    """By the name at the head of the root group, which is there even if the library cannot open the file."""
    file.seek(0)
    head = file.read(2**14)
    return head.startswith(superblock.SIGNATURE) and b"diffsim" in head


def readable(path: Path):
    """The file opened to read bytes, or a refusal."""
    try:
        return open(path, "rb", buffering=0)
    except FileNotFoundError:
        kind, why, way_out = FileNotFoundError, "there is none", "Check the path."
    except IsADirectoryError:
        kind, why, way_out = IsADirectoryError, "it is a directory", "Add the file's name."
    except PermissionError:
        kind, why, way_out = PermissionError, "you have no permission to read it", "Ask its owner."
    return _checks.refuse("path", str(path), "a file that diffsim wrote", why, way_out, kind)


def damaged(path: Path, why) -> None:
    """Refuse a file that is none of diffsim's, or no longer."""
    _checks.refuse("path", str(path), "a file that diffsim wrote, whole", f"{why}",
                   "Restore it from a copy, or run again.", OSError)


def settle(path: Path) -> None:
    """Turn a file whose writer was killed into an ordinary one; leave alone one that is being written.

    The index may know of space that was reserved for a record but is not in the superblock yet: the end of
    the allocated space becomes that of the file, so that nothing else is put there.
    """
    with readable(path) as file:
        try:
            settled = not superblock.marked(file) and file.seek(0, os.SEEK_END) <= superblock.end(file)
        except ValueError as error:
            damaged(path, error)
        if settled or not _ours(file) or not os.access(path, os.W_OK):
            return
    with open(path, "r+b", buffering=0) as file:
        try:
            guard(file, path, exclusive=True, patience=0.0)
        except BlockingIOError:
            return
        superblock.seal(file, max(file.seek(0, os.SEEK_END), superblock.end(file)))


def reserve(file, start: int, size: int) -> None:
    """Make sure of `size` bytes from `start` on; else raise OSError and leave the file as long as before."""
    if not hasattr(os, "posix_fallocate"):  # look at what is free instead, and extend the file sparsely
        if shutil.disk_usage(file.name).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.truncate(max(start + size, file.seek(0, os.SEEK_END)))
        return
    try:
        os.posix_fallocate(file.fileno(), start, size)
    except OSError:
        file.truncate(start)
        raise
