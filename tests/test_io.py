"""Runs on disk: exact round trips, and files that survive kills, full disks and damage."""

import collections
import dataclasses
import errno
import functools
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from xml.etree import ElementTree as Xml

import h5py
import numpy as np
import pytest
import tensorflow as tf

import diffsim.boundary as bc
from diffsim import random as ds_random
from diffsim.grid import Grid, RadialGrid
from diffsim.io import Recorder, decode, encode, load, superblock
from diffsim.operators.base import Identity
from diffsim.operators.stencil import Diffusion, Laplacian

Bead = collections.namedtuple("Bead", "x v")


def through_json(obj):
    node, arrays = encode(obj)
    return decode(json.loads(json.dumps(node)), arrays)


def alike(a, b):
    """Equal in type and to the last bit."""
    assert type(a) is type(b) or isinstance(a, tf.Tensor) and isinstance(b, tf.Tensor)
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        for f in dataclasses.fields(a):
            alike(getattr(a, f.name), getattr(b, f.name))
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            alike(x, y)
    elif isinstance(a, dict):
        alike(list(a.items()), list(b.items()))
    elif isinstance(a, (np.ndarray, np.generic, tf.Tensor)):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    elif isinstance(a, functools.partial):
        alike([a.func, a.args, a.keywords], [b.func, b.args, b.keywords])
    elif isinstance(a, float):
        assert a.hex() == b.hex()
    elif isinstance(a, complex):
        alike((a.real, a.imag), (b.real, b.imag))
    else:
        assert a == b


# --- codec ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [
    None, True, 3, -(2**70), 0.1, -0.0, float("nan"), float("-inf"), 5e-324, 1 / 3, 1 - 2.5e-17j, complex("nan"),
    "Δu", b"\x00\xff", (1, (2.0, "a")), [1, [None]], {"a": 1, 2: (3,)}, {1.5: True}, (), {}, [],
    np.float32(0.1), np.uint32(7), np.array(1.5), np.arange(6.0).reshape(2, 3), np.array([True, False]),
    np.zeros((0, 3), np.int16), np.array([1 + 2j], np.complex64), np.arange(4.0)[::2],
    tf.constant([1.0, 2.0], tf.float64), tf.constant(0.1), tf.constant([1.5], tf.bfloat16), tf.constant(True),
    tf.float64, tf.bfloat16, np.dtype("float32"), float, Bead(1.0, (2.0,)), Grid, RadialGrid,
], ids=repr)
def test_values_come_back_to_the_last_bit(value):
    alike(value, through_json(value))


def test_keys_of_random_numbers_come_back():
    key = ds_random.key(12345678901234567890)
    back = through_json(key)
    np.testing.assert_array_equal(ds_random.normal(key, [5]), ds_random.normal(back, [5]))


GRID = Grid((6, 4), (1.0, 0.7), (-0.5, 1 / 3))
WALLS = bc.Boundary(x=bc.Periodic(), y=(bc.Robin(np.linspace(0.1, 1, 6), 0.3), bc.Dirichlet(np.sqrt(2.0))))


@pytest.mark.parametrize("law", [
    GRID, RadialGrid(5, 0.3, inner=0.1, dimension=2), bc.Interface(0.3, 2.0),
    Diffusion(GRID, WALLS, 0.1), 0.3 * Laplacian(GRID, bc.Neumann()) - 1 / 3,
    Diffusion(GRID, bc.Neumann(), np.random.default_rng(0).uniform(1, 2, GRID.shape)),
    (Laplacian(GRID, bc.Periodic()), Identity(tf.constant(0.1, tf.float64))),
    Laplacian(GRID, bc.Periodic()).diagonal(),
], ids=lambda x: type(x).__name__)
def test_laws_come_back_and_do_the_same(law):
    back = through_json(law)
    alike(law, back)
    if isinstance(law, Diffusion):
        u = tf.constant(np.random.default_rng(1).normal(size=GRID.shape))
        np.testing.assert_array_equal(law(0.0, u), back(0.0, u))


def test_functions_methods_and_partials_come_back():
    from diffsim.reference import free

    functions = [f for f in vars(free).values() if callable(f) and f.__module__ == free.__name__]
    assert functions
    alike(functions[0], through_json(functions[0]))
    alike(functools.partial(functions[0], 1.5, D=0.1), through_json(functools.partial(functions[0], 1.5, D=0.1)))
    op = Laplacian(GRID, bc.Periodic())
    assert through_json(op.radius)() == op.radius()


def outer():
    def inner(t, y):
        return y
    return inner


@dataclasses.dataclass(frozen=True)
class Mine:
    a: float = 1.0


@pytest.mark.parametrize("thing", [lambda t, y: y, outer(), Mine(), object(), os.system, subprocess.run, print, np.save,
                                   np.sin, tf.sin, Mine, np.array(["a"]), {1, 2}], ids=repr)
def test_what_is_not_ours_is_kept_as_text_and_refused(thing):
    node, arrays = encode({"drift": thing, "D": 1.0})
    assert repr(thing)[:20] in json.dumps(node) or "opaque" in json.dumps(node)
    with pytest.raises(ValueError, match="Pass `law=` to resume"):
        decode(json.loads(json.dumps(node)), arrays)
    assert isinstance(decode(node, arrays, opaque=str)["drift"], str)


@pytest.mark.parametrize("node", [
    {"function": "os:system"}, {"function": "builtins:eval"}, {"function": "subprocess:run"}, {"type": "os:PathLike"},
    {"partial": [{"function": "shutil:rmtree"}, {"tuple": ["/nowhere"]}, {"dict": []}]}, {"data": "os:PathLike", "fields": {}},
    {"function": "numpy:load"}, {"function": "nowhere.at.all:f"}, {"data": "diffsim.grid:Gone", "fields": {}},
    {"data": "diffsim.grid:np.ndarray", "fields": {}}, {"enum": "http:HTTPStatus", "member": "OK"}, {"unheard": 1},
    {"function": "diffsim.io.layout:json.loads"}, {"function": "diffsim.io.disk:shutil.rmtree"},
], ids=str)
def test_a_hostile_file_gets_nothing_run(node):
    with pytest.raises(ValueError, match="expected .* because"):
        decode(node, [])


def test_a_class_that_has_changed_is_refused():
    node, arrays = encode(Grid(4, 1.0))
    node["fields"]["colour"] = "red"
    with pytest.raises(ValueError, match="changed since"):
        decode(node, arrays)


# --- record, load, reopen ------------------------------------------------------------------------------------------


def state(k, seed=0, shape=GRID.shape):
    rng = np.random.default_rng(seed)
    return {"u": rng.normal(size=(k, *shape)), "v": (rng.normal(size=(k, 3, *shape)).astype(np.float32),
                                                     rng.integers(0, 9, (k,)))}


def like(y):
    return tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape[1:], a.dtype), y)


def recorder(path, y=None, grid=GRID, law=None, info=None):
    y = state(1) if y is None else y
    return Recorder.create(path, law=law, grid=grid, y_like=like(y), info=info or {})


def test_a_run_comes_back_whole(tmp_path):
    law = 0.3 * Laplacian(GRID, bc.Neumann())
    info = {"seed": 7, "key": ds_random.key(7), "units": {"length": "µm"}, "dt": 0.1, "note": lambda: 0}
    rec = recorder(tmp_path / "run.h5", law=law, info=info)
    rec.append(np.array([0.0]), state(1, 1))
    rec.append(np.array([0.1, 0.2]), tf.nest.map_structure(tf.constant, state(2, 2)))
    assert (rec.count, rec.last_time) == (3, 0.2)
    rec.close("done")
    rec.close("again")
    with load(tmp_path / "run.h5") as run:
        assert run.status == "done" and len(run) == 3
        np.testing.assert_array_equal(run.t, [0.0, 0.1, 0.2])
        expected = tf.nest.map_structure(lambda a, b: np.concatenate([a, b]), state(1, 1), state(2, 2))
        tf.nest.map_structure(lambda a, b: np.testing.assert_array_equal(np.asarray(a), b), run.y, expected)
        assert run.y["v"][0].dtype == np.float32 and run.y["u"][-1, 2, 1] == expected["u"][-1, 2, 1]
        alike(law, run.law)
        alike(GRID, run.grid)
        assert run.info["seed"] == 7 and run.info["units"] == {"length": "µm"} and "lambda" in run.info["note"]
        np.testing.assert_array_equal(run.info["key"], ds_random.key(7))
        for name in ("diffsim", "tensorflow", "numpy", "python", "h5py", "created", "device", "dtype"):
            assert run.info[name]
        assert run.checkpoint is None
    with h5py.File(tmp_path / "run.h5") as file:  # any program's view
        np.testing.assert_array_equal(file["grid/x"], GRID.axes[0].centers)
        np.testing.assert_array_equal(file["state/u"].dims[1]["x"], GRID.axes[0].centers)
        assert file["state/v/0"].dims[0]["time"] == file["time"] and file.attrs["seed"] == 7
        assert list(file["grid"].attrs["shape"]) == [6, 4] and file["grid"].attrs["kind"] == "Grid"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128", "int8", "int32",
                                   "int64", "uint32", "bool"])
def test_every_dtype(tmp_path, dtype):
    y = (np.random.default_rng(0).normal(size=(2, 5)) * 3).astype(dtype)
    rec = recorder(tmp_path / "run.h5", y, Grid(5, 1.0))
    rec.append(np.array([0.0, 1.0]), y)
    rec.close("done")
    with load(tmp_path / "run.h5") as run:
        alike(run.y[:], y)


def test_nests_of_every_kind(tmp_path):
    for n, y in enumerate([Bead(np.ones((1, 2)), np.zeros((1, 2))), [np.ones((1, 3))], {"a/b": np.ones(1), "..": np.zeros(1)},
                           (np.ones((1, 0)), {"deep": Bead(np.ones(1), (np.ones(1),))})]):
        rec = recorder(tmp_path / f"{n}.h5", y, grid=None)
        rec.append(np.array([0.0]), y)
        rec.close("done")
        with load(tmp_path / f"{n}.h5") as run:
            assert run.grid is None
            alike(tf.nest.map_structure(np.asarray, run.y), y)


def test_slices_read_as_numpy_would(tmp_path):
    y = np.random.default_rng(0).normal(size=(7, 4, 5))
    rec = recorder(tmp_path / "run.h5", y, None)
    rec.append(np.arange(7.0), y)
    with load(tmp_path / "run.h5") as run:
        for key in (0, -1, slice(None), slice(2, -1), slice(1, None, 3), slice(5, 2), slice(-99, 99), np.s_[-2, 1:3],
                    np.s_[..., 0], np.s_[...], np.s_[..., 1, :], [1, 4], np.arange(7) % 2 == 0, ()):
            np.testing.assert_array_equal(run.y[key], y[key])
        for bad in (7, -8):
            with pytest.raises(IndexError):
                run.y[bad]
        with pytest.raises(ValueError, match="step ≥ 1"):
            run.y[::-1]
        assert len(list(run.y)) == 7
    rec.close("done")


def test_a_run_is_read_while_it_is_written(tmp_path):
    rec = recorder(tmp_path / "run.h5")
    for n in range(4):
        rec.append(np.array([float(n)]), state(1, n))
        with load(tmp_path / "run.h5") as run:
            assert run.status == "running" and len(run) == n + 1
            np.testing.assert_array_equal(run.y["u"][-1], state(1, n)["u"][0])
        code = ("import h5py,sys; f=h5py.File(sys.argv[1]); print(f['state/u'][-1].sum().hex(), f['records'][()])")
        seen = subprocess.run([sys.executable, "-c", code, tmp_path / "run.h5"], capture_output=True, text=True, check=True)
        assert seen.stdout.split() == [state(1, n)["u"][0].sum().hex(), str(n + 1)]
    rec.close("done")


def test_a_run_is_continued_after_its_end_and_rewound(tmp_path):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    rec.append(np.arange(5.0), state(5, 0))
    rec.close("done")
    rec = Recorder.reopen(path)
    assert rec.count == 5 and rec.last_time == 4.0
    rec.append(np.array([5.0]), state(1, 1))
    rec.close("further")
    rec = Recorder.reopen(path, records=3)
    assert rec.count == 3 and rec.last_time == 2.0
    with load(path) as run:
        assert len(run) == 3 and run.y["u"].shape[0] == 3 and run.status == "running"
    rec.append(np.array([7.0]), state(1, 2))
    rec.close("rewound")
    with load(path) as run:
        np.testing.assert_array_equal(run.t, [0, 1, 2, 7])
        np.testing.assert_array_equal(run.y["u"][-1], state(1, 2)["u"][0])
        assert run.status == "rewound"
    with pytest.raises(ValueError, match="at most 4"):
        Recorder.reopen(path, records=9)
    Recorder.reopen(path).close("released")  # the refusal let go of the file


def test_a_new_run_replaces_the_old_one_with_its_first_record(tmp_path):
    path = tmp_path / "run.h5"
    for n in range(2):
        rec = recorder(path, info={"n": n})
        if n:
            with load(path) as run:
                assert run.info["n"] == 0 and run.status == "done"
        rec.append(np.array([0.0]), state(1))
        rec.close("done")
    recorder(path, info={"n": 2}).close("failed before its first record")
    with load(path) as run:
        assert run.info["n"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.h5", "run.xdmf"]


def test_a_checkpoint_comes_back_and_survives_damage_to_the_next(tmp_path):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    rng = np.random.default_rng(0)
    carry = [rng.normal(size=(40, 30)), np.float32(0.1) * np.ones(()), np.arange(3, dtype=np.uint32), np.zeros((0, 2)),
             np.asarray(tf.constant([1.5, 2.5], tf.bfloat16)), np.array([1j]), np.asfortranarray(rng.normal(size=(3, 4)))]
    meta = {"n": 3, "t": 0.1, "dt": np.float64(1 / 3), "stepper": Identity(0.1), "key": ds_random.key(1)}
    rec.append(np.array([0.0]), state(1))
    for n in range(5):
        rec.checkpoint(carry, meta | {"n": n})
        with load(path) as run:
            back, m = run.checkpoint
        alike([np.asarray(a, order="C") for a in carry], back)
        alike(meta | {"n": n, "records": 1}, m)
    rec.checkpoint([np.zeros(5)], {"n": 5})  # a shorter one in the slot of a longer one
    with load(path) as run:
        assert run.checkpoint[1]["n"] == 5 and run.checkpoint[0][0].shape == (5,)
    rec.close("done")
    with h5py.File(path, "r+") as file:
        file["checkpoint/a"][70] ^= 1
    with load(path) as run:
        assert run.checkpoint[1]["n"] == 4
    rec = Recorder.reopen(path)
    rec.checkpoint(carry, {"n": 6})
    rec.close("done")
    with load(path) as run:
        assert run.checkpoint[1]["n"] == 6


# --- what may go wrong ---------------------------------------------------------------------------------------------

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["diffsim.io"])  # processes to kill start in no time


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


def kill_at_random(path, kills, seed):
    """Start and kill a writer again and again: each time the file holds all that was announced, and is right."""
    rng, total, kept = np.random.default_rng(seed), 0, -1
    for i in range(kills):
        writer, hear = start(write_until_killed, path, path.exists())
        if i % 3:  # else also while the file is being made, or opened
            assert hear.recv() == ("ready", total)
        time.sleep(rng.uniform(0, 0.2))  # when to kill; no result depends on it
        writer.kill()
        said = {what: n for what, n in all_said(hear) if what != "ready"}
        writer.join()
        if not path.exists():
            assert not said
            continue
        if superblock_is_sealed(path):  # nearly always: then any program opens it
            with h5py.File(path) as file:
                assert file["records"][()] <= len(file["time"])
        with load(path) as run:
            assert max(said.get("saved", -1) + 1, total) <= len(run)
            total, kept = len(run), max(said.get("kept", -1), kept)
            assert run.status == "interrupted"
            np.testing.assert_array_equal(run.t, np.arange(total))
            for n in {0, total // 2, max(total - 2, 0), total - 1}:
                np.testing.assert_array_equal(run.y[n], record(n))
            assert run.checkpoint or kept < 0
            if run.checkpoint:
                carry, meta = run.checkpoint
                assert kept <= meta["n"] < total and meta["records"] == meta["n"] + 1
                np.testing.assert_array_equal(carry[0], record(meta["n"]))
                kept = meta["n"]
    rec = Recorder.reopen(path)
    assert rec.count == total
    rec.append(np.array([total]), np.ones((1, 64, 48)))
    rec.close("done")
    with load(path) as run:
        assert len(run) == total + 1 and run.status == "done"
        for n in range(total):
            np.testing.assert_array_equal(run.y[n], record(n))
    return total


def superblock_is_sealed(path):
    with open(path, "rb") as file:
        return not superblock.marked(file)


def test_a_killed_run_is_whole(tmp_path):
    assert kill_at_random(tmp_path / "run.h5", 8, seed=1) > 10


@pytest.mark.slow
def test_a_run_killed_again_and_again_is_whole(tmp_path):
    assert kill_at_random(tmp_path / "run.h5", 60, seed=2) > 60


def fill_the_disk(say, path, go_on):
    rec = Recorder.create(path, law=None, grid=None, y_like=np.zeros((100, 100)), info={})
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


@pytest.mark.parametrize("go_on", [True, False])
def test_a_full_disk_costs_one_record(tmp_path, go_on):
    path = tmp_path / "run.h5"
    process, hear = start(fill_the_disk, path, go_on)
    (n, number, first), second = all_said(hear)
    process.join()
    assert number == errno.EFBIG and 5 < n < 13
    assert f"path='{path}': expected room for 80008 bytes more, because the system says: " in first
    assert f"Free some, or choose another disk: all is saved up to t = {n - 1}." in first
    assert "room for 8000" in second
    with load(path) as run:
        assert len(run) == n + go_on and run.status == ("done" if go_on else "interrupted")
        np.testing.assert_array_equal(run.y[:, 3, 4], np.arange(n + go_on))
    assert os.path.getsize(path) < 80000 * (n + go_on) + 1.5e5


def find_no_room(say, path):
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
    try:
        Recorder.create(path, law=None, grid=None, y_like=np.zeros(3), info={"n": "x" * 9999})
    except OSError as error:
        say.send(str(error))


def test_no_room_for_the_file_itself(tmp_path):
    said = all_said(start(find_no_room, tmp_path / "run.h5")[1])
    assert "nothing has been saved yet" in said[0] and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "kind", "says"), [
    ("missing/run.h5", FileNotFoundError, "mkdir"), ("here", IsADirectoryError, "file name"),
    ("thesis.docx", FileExistsError, "something else"), ("locked/run.h5", PermissionError, "another directory"),
])
def test_places_where_no_run_can_be_written(tmp_path, monkeypatch, name, kind, says):
    (tmp_path / "here").mkdir()
    (tmp_path / "locked").mkdir(mode=0o500)
    (tmp_path / "thesis.docx").write_text("much work")
    real = os.access  # an administrator may write everywhere: ask as if we were none
    monkeypatch.setattr(os, "access", lambda p, m: real(p, m) and "locked" not in str(p))
    with pytest.raises(kind, match=f"expected .* because .*{says}"):
        recorder(tmp_path / name)
    assert (tmp_path / "thesis.docx").read_text() == "much work"


def test_two_writers_are_refused(tmp_path):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    with pytest.raises(BlockingIOError, match="in use"):
        recorder(path)  # both before their first record
    rec.append(np.array([0.0]), state(1))
    for second in (lambda: recorder(path), lambda: Recorder.reopen(path)):
        with pytest.raises(BlockingIOError, match="in use"):
            second()
    rec.append(np.array([1.0]), state(1))
    rec.close("done")
    with load(path):  # readers are no hindrance
        other = recorder(path)
        other.append(np.array([0.0]), state(1))
        other.close("done")


@pytest.mark.parametrize("damage", ["empty", "random", "text", "cut", "half", "foreign", "zeros", "missing", "directory"])
def test_damaged_files_are_refused(tmp_path, damage):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    rec.append(np.arange(20.0), state(20))
    rec.close("done")
    good = path.read_bytes()
    if damage == "foreign":
        with h5py.File(path, "w") as file:
            file["x"] = 1
    elif damage in ("missing", "directory"):
        path.unlink()
        if damage == "directory":
            path.mkdir()
    else:
        path.write_bytes({"empty": b"", "random": np.random.default_rng(0).bytes(5000), "text": b"hello" * 99,
                          "cut": good[:40], "half": good[:len(good) // 2], "zeros": good[:3000] + bytes(9000)}[damage])
    for read in (load, Recorder.reopen):
        with pytest.raises(OSError, match="path=.*: expected a file that diffsim wrote.*, because "):
            read(path)


def test_no_damaged_byte_crashes_a_reader(tmp_path):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    rec.append(np.arange(3.0), state(3))
    rec.close("done")
    good, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        bad = bytearray(good)
        for at in rng.integers(0, 6000, 3):
            bad[at] = rng.integers(256)
        path.write_bytes(bad)
        try:
            with load(path) as run:
                assert len(run.t) <= 3
        except OSError as error:
            assert "expected" in str(error)


@pytest.mark.parametrize(("t", "y", "kind", "says"), [
    (0.0, state(1), ValueError, "shape .k,"), ([np.nan], state(1), ValueError, "finite"),
    ([0.0, 1.0], state(1), ValueError, "laid out"), ([0.0], state(1)["u"], TypeError, "structure"),
    ([0.0], state(1) | {"u": np.zeros((1, 6, 4), np.float32)}, ValueError, "float64"),
    ([0.0], {"u": state(1)["u"]}, TypeError, "structure"),
])
def test_records_that_do_not_fit_are_refused(tmp_path, t, y, kind, says):
    rec = recorder(tmp_path / "run.h5")
    with pytest.raises(kind, match=says):
        rec.append(t, y)
    assert rec.count == 0
    rec.close("done")


def test_dtypes_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(TypeError, match="Cast it"):
        Recorder.create(tmp_path / "run.h5", law=None, grid=None, y_like=tf.TensorSpec([3], tf.bfloat16), info={})
    assert not list(tmp_path.glob("*"))


def test_a_law_that_is_code_reads_as_none_and_says_why(tmp_path):
    rec = recorder(tmp_path / "run.h5", law={"drift": lambda t, y: -y})
    rec.append(np.array([0.0]), state(1))
    rec.close("done")
    with load(tmp_path / "run.h5") as run:
        assert run.law is None
        with pytest.raises(ValueError, match="lambda.*because.*Pass `law=`"):
            run.decode_law()


def test_the_checksum_is_that_of_the_library(tmp_path):
    assert superblock.checksum(b"Four score and seven years ago") == 0x17770551  # Jenkins' own test value
    for n in range(3):
        with h5py.File(tmp_path / "x.h5", "w", libver="latest") as file:
            file["x"] = np.zeros(10**n)
        raw = (tmp_path / "x.h5").read_bytes()[:48]
        assert superblock.checksum(raw[:44]).to_bytes(4, "little") == raw[44:]


# --- XDMF ----------------------------------------------------------------------------------------------------------


def check_xdmf(path, grid):
    """Every reference of the XDMF is to an existing data set of the stated size; returns {name: array} by time."""
    frames = {}
    series = Xml.parse(path.with_suffix(".xdmf")).getroot().find("Domain/Grid")
    assert series.get("CollectionType") == "Temporal"
    for frame in series.findall("Grid"):
        fields = {}
        for item in frame.iter("DataItem"):
            if item.get("Format") == "HDF":
                file, _, name = item.text.partition(":")
                with h5py.File(path.parent / file) as h5:
                    data = h5[name]
                    assert data.shape == tuple(map(int, item.get("Dimensions").split()))
                    assert data.dtype.itemsize == int(item.get("Precision"))
        for attribute in frame.findall("Attribute"):
            slab = attribute.find("DataItem")
            assert (attribute.get("Center"), slab.get("ItemType")) == ("Cell", "HyperSlab")
            start, stride, count = np.array(slab[0].text.split(), int).reshape(3, -1)
            file, _, name = slab[1].text.partition(":")
            with h5py.File(path.parent / file) as h5:
                picked = h5[name][tuple(slice(a, a + c * s, s) for a, s, c in zip(start, stride, count, strict=True))]
            shape = tuple(map(int, slab.get("Dimensions").split()))
            assert shape == grid.shape
            fields[attribute.get("Name")] = picked.reshape(shape)
        frames[float(frame.find("Time").get("Value"))] = fields
        numbers = [list(map(float, d.text.split())) for d in frame.findall("Geometry/DataItem") if d.get("Format") == "XML"]
        topology = frame.find("Topology")
        if grid.ndim > 1:
            assert topology.get("Dimensions") == " ".join(str(n + 1) for n in grid.shape)
            np.testing.assert_array_equal(numbers, [grid.origin, grid.dx])
        else:
            assert topology.get("NumberOfElements") == str(grid.shape[0])
    return frames


@pytest.mark.parametrize("grid", [Grid(5, 2.0), RadialGrid(5, 2.0, inner=1.0), Grid((3, 4), (1.0, 2.0), (0.1, -1.0)),
                                  Grid((3, 4, 2), (1.0, 2.0, 3.0))], ids=lambda g: f"{type(g).__name__}{g.shape}")
def test_the_xdmf_points_at_what_is_there(tmp_path, grid):
    rng = np.random.default_rng(0)
    y = {"u": rng.normal(size=(3, *grid.shape)), "w": rng.normal(size=(3, 2, *grid.shape)).astype(np.float32),
         "z": rng.normal(size=(3, *grid.shape)) * 1j, "mean": rng.normal(size=3), "on": rng.normal(size=(3, *grid.shape)) > 0}
    rec = recorder(tmp_path / "run.h5", y, grid)
    for n, t in enumerate([0.0, 0.1, 1 / 3]):
        rec.append(np.array([t]), tf.nest.map_structure(lambda a, n=n: a[n:n + 1], y))
        frames = check_xdmf(tmp_path / "run.h5", grid)
    rec.close("done")
    assert list(frames) == [0.0, 0.1, 1 / 3]
    for n, fields in enumerate(frames.values()):
        assert set(fields) == {"u", "w[0]", "w[1]", "on"}
        np.testing.assert_array_equal(fields["u"], y["u"][n])
        np.testing.assert_array_equal(fields["w[1]"], y["w"][n, 1])


def test_without_fields_there_is_no_xdmf(tmp_path):
    rec = recorder(tmp_path / "run.h5", np.ones((1, 3)))
    rec.append(np.array([0.0]), np.ones((1, 3)))
    rec.close("done")
    assert not (tmp_path / "run.xdmf").exists()


def test_many_small_records_stay_small(tmp_path):
    rec = recorder(tmp_path / "run.h5", np.ones(1), None)
    for n in range(300):
        rec.append(np.array([float(n)]), np.array([n / 7]))
    rec.close("done")
    assert os.path.getsize(tmp_path / "run.h5") < 2e5
    with load(tmp_path / "run.h5") as run:
        np.testing.assert_array_equal(np.asarray(run.y), np.arange(300) / 7)
