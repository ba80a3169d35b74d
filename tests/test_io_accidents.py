"""Files survive kills and full disks; damage, strangers and second writers are refused."""

import errno
import os
import time

import h5py
import numpy as np
import pytest
import tensorflow as tf

from diffsim.io import Recorder, load, superblock
from tests.writers import (
    all_said,
    fill_the_disk,
    find_no_room,
    record,
    recorder,
    start,
    state,
    write_until_killed,
)


def kill_at_random(path, kills, seed):
    """Start and kill a writer again and again: each time the file holds what was announced, and is right."""
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


def test_no_room_for_the_file_itself(tmp_path):
    said = all_said(start(find_no_room, tmp_path / "run.h5")[1])
    assert "nothing has been saved yet" in said[0] and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "kind", "says"), [
    ("missing/run.h5", FileNotFoundError, "mkdir"), ("here", IsADirectoryError, "file name"),
    ("thesis.docx", FileExistsError, "something else"),
    ("locked/run.h5", PermissionError, "another directory"),
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


def test_a_run_that_is_being_read_here_is_not_opened_for_writing(tmp_path):
    path = tmp_path / "run.h5"
    rec = recorder(path)
    rec.append(np.array([0.0]), state(1))
    rec.close("done")
    with load(path), pytest.raises(OSError, match="expected .* because .* run.close()"):
        Recorder.reopen(path)
    Recorder.reopen(path).close("done")


@pytest.mark.parametrize("damage", ["empty", "random", "text", "cut", "half", "foreign", "zeros", "missing",
                                    "directory"])
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
                          "cut": good[:40], "half": good[:len(good) // 2],
                          "zeros": good[:3000] + bytes(9000)}[damage])
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
        Recorder.create(tmp_path / "run.h5", law=None, grid=None, y_like=tf.TensorSpec([3], tf.bfloat16),
                        info={})
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
