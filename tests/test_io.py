"""Runs on disk: what is written comes back, while it is written, afterwards, and after going on."""

import collections
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import tensorflow as tf

import diffsim.boundary as bc
from diffsim import random as ds_random
from diffsim.grid import Grid
from diffsim.io import Recorder, layout, load
from diffsim.operators.base import Identity
from diffsim.operators.stencil import Laplacian
from tests.same import alike
from tests.writers import GRID, recorder, state

Bead = collections.namedtuple("Bead", "x v")


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
        assert run.info["seed"] == 7 and run.info["units"] == {"length": "µm"}
        assert "lambda" in run.info["note"]
        np.testing.assert_array_equal(run.info["key"], ds_random.key(7))
        for name in ("diffsim", "tensorflow", "numpy", "python", "h5py", "created", "device", "dtype"):
            assert run.info[name]
        assert run.checkpoint is None
    with h5py.File(tmp_path / "run.h5") as file:  # any program's view
        np.testing.assert_array_equal(file["grid/x"], GRID.axes[0].centers)
        np.testing.assert_array_equal(file["state/u"].dims[1]["x"], GRID.axes[0].centers)
        assert file["state/v/0"].dims[0]["time"] == file["time"] and file.attrs["seed"] == 7
        assert list(file["grid"].attrs["shape"]) == [6, 4] and file["grid"].attrs["kind"] == "Grid"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128", "int8",
                                   "int32", "int64", "uint32", "bool"])
def test_every_dtype(tmp_path, dtype):
    y = (np.random.default_rng(0).normal(size=(2, 5)) * 3).astype(dtype)
    rec = recorder(tmp_path / "run.h5", y, Grid(5, 1.0))
    rec.append(np.array([0.0, 1.0]), y)
    rec.close("done")
    with load(tmp_path / "run.h5") as run:
        alike(run.y[:], y)


def test_nests_of_every_kind(tmp_path):
    for n, y in enumerate([Bead(np.ones((1, 2)), np.zeros((1, 2))), [np.ones((1, 3))],
                           {"a/b": np.ones(1), "..": np.zeros(1), ".": np.ones((1, 1))},
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
        for key in (0, -1, slice(None), slice(2, -1), slice(1, None, 3), slice(5, 2), slice(-99, 99),
                    np.s_[-2, 1:3], np.s_[..., 0], np.s_[...], np.s_[..., 1, :], [1, 4],
                    np.arange(7) % 2 == 0, ()):
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
        code = ("import h5py, sys; f = h5py.File(sys.argv[1]); "
                "print(f['state/u'][-1].sum().hex(), f['records'][()])")
        seen = subprocess.run([sys.executable, "-c", code, tmp_path / "run.h5"], capture_output=True,
                              text=True, check=True)
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
    rec = recorder(path, info={"n": 3})
    rec.checkpoint([np.ones(2)], {})
    rec.close("interrupted before its first record, but to be resumed")
    with load(path) as run:
        assert run.info["n"] == 3 and len(run) == 0 and run.y["u"].shape == (0, *GRID.shape)
        assert run.checkpoint[1] == {"records": 0, "lost": []}


def test_a_checkpoint_comes_back_and_survives_damage_to_the_next(tmp_path):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    rng = np.random.default_rng(0)
    carry = [rng.normal(size=(40, 30)), np.float32(0.1) * np.ones(()), np.arange(3, dtype=np.uint32),
             np.zeros((0, 2)), np.asarray(tf.constant([1.5, 2.5], tf.bfloat16)), np.array([1j]),
             np.asfortranarray(rng.normal(size=(3, 4)))]
    meta = {"n": 3, "t": 0.1, "dt": np.float64(1 / 3), "stepper": Identity(0.1), "key": ds_random.key(1)}
    rec.append(np.array([0.0]), state(1))
    for n in range(5):
        rec.checkpoint(carry, meta | {"n": n})
        with load(path) as run:
            back, m = run.checkpoint
        alike([np.asarray(a, order="C") for a in carry], back)
        alike(meta | {"n": n, "records": 1, "lost": []}, m)
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


def test_records_larger_than_a_chunk_may_be_are_split(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "LARGE", 200)
    monkeypatch.setattr(layout, "SMALL", 100)
    y = np.random.default_rng(0).normal(size=(3, 7, 11, 2))
    rec = recorder(tmp_path / "run.h5", y, None)
    rec.append(np.arange(3.0), y)
    rec.close("done")
    with h5py.File(tmp_path / "run.h5") as file:
        assert np.prod(file["state/y"].chunks) * 8 <= 200
    with load(tmp_path / "run.h5") as run:
        np.testing.assert_array_equal(run.y[:], y)


def test_many_small_records_stay_small(tmp_path):
    rec = recorder(tmp_path / "run.h5", np.ones(1), None)
    for n in range(300):
        rec.append(np.array([float(n)]), np.array([n / 7]))
    rec.close("done")
    assert os.path.getsize(tmp_path / "run.h5") < 2e5
    with load(tmp_path / "run.h5") as run:
        np.testing.assert_array_equal(np.asarray(run.y), np.arange(300) / 7)
