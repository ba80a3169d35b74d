"""Processes that write runs and meet with accidents, and what the tests of files share."""

import multiprocessing
import os

import numpy as np
import tensorflow as tf

from diffsim.grid import Grid
from diffsim.io import Recorder

GRID = Grid((6, 4), (1.0, 0.7), (-0.5, 1 / 3))
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["diffsim.io", "tests.writers"])  # processes to kill start in no time


def state(k, seed=0, shape=GRID.shape):
    rng = np.random.default_rng(seed)
    return {"u": rng.normal(size=(k, *shape)), "v": (rng.normal(size=(k, 3, *shape)).astype(np.float32),
                                                     rng.integers(0, 9, (k,)))}


def like(y):
    return tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape[1:], a.dtype), y)


def recorder(path, y=None, grid=GRID, law=None, info=None):
    y = state(1) if y is None else y
    return Recorder.create(path, law=law, grid=grid, y_like=like(y), info=info or {})


def start(target, *args):
    """A process that runs target(say, *args), and the end of the pipe at which to hear what it says."""
    hear, say = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=target, args=(say, *args), daemon=True)
    process.start()
    say.close()
    return process, hear


def all_said(hear):
    """Everything said until the process was gone."""
    said = []
    while True:
        try:
            said.append(hear.recv())
        except (EOFError, OSError):
            return said


def record(n):
    return np.random.default_rng(n).normal(size=(64, 48))


def write_until_killed(say, path, resume):
    if resume:
        rec = Recorder.reopen(path)
    else:
        rec = Recorder.create(path, law=None, grid=Grid((64, 48), 1.0), y_like=record(0), info={})
    say.send(("ready", rec.count))
    for n in range(rec.count, 10**6):
        rec.append(np.array([float(n)]), record(n)[None])
        say.send(("saved", n))
        if n % 3 == 0:
            rec.checkpoint([record(n), np.array(n)], {"n": n})
            say.send(("kept", n))


def fill_the_disk(say, path, go_on):
    rec = Recorder.create(path, law=None, grid=None, y_like=np.zeros((100, 100)), info={})
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, hard))
    for n in range(100):
        try:
            rec.append(np.array([float(n)]), np.full((1, 100, 100), float(n)))
        except OSError as error:
            say.send((n, error.errno, str(error)))
            break
    try:
        rec.checkpoint([np.zeros(10**6)], {})
    except OSError as error:
        say.send(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    if go_on:
        rec.append(np.array([float(n)]), np.full((1, 100, 100), float(n)))
        rec.close("done")
    os._exit(0)


def find_no_room(say, path):
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
    try:
        Recorder.create(path, law=None, grid=None, y_like=np.zeros(3), info={"n": "x" * 9999})
    except OSError as error:
        say.send(str(error))
