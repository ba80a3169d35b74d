"""The command line: what it writes, what it tells, and how it refuses."""

import csv
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import diffsim as ds
from diffsim import cli, plot, tour
from diffsim.tour import line, paths


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Files of three runs: two species on a plane, a cloud of particles, observables."""
    folder, grid = tmp_path_factory.mktemp("runs"), ds.Grid((12, 8), (3.0, 2.0))
    law = ds.models.GrayScott(F=0.03, k=0.06, Du=0.02, Dv=0.01).on(grid, ds.Neumann())
    y0 = ds.initial.patches(grid, key=ds.key(0), size=4)
    ds.solve(law, y0, (0, 4), dt=1.0, save=ds.SaveAt(every=1, to=str(folder / "species.h5")), jit=False)
    walk = ds.Equation(linear=-1.0, diffusion=1.0)
    ds.solve(walk, tf.zeros([50, 3]), (0, 1), dt=0.25, stepper=ds.ETD1(), key=ds.key(1), jit=False,
             save=ds.SaveAt(every=1, to=str(folder / "cloud.h5")))
    moments = lambda t, x: {"mean": tf.reduce_mean(x), "square": tf.reduce_mean(x**2, 0)}  # noqa: E731
    ds.solve(walk, tf.zeros([50, 3]), (0, 1), dt=0.25, stepper=ds.ETD1(), key=ds.key(1), jit=False,
             save=ds.SaveAt(every=1, fn=moments, to=str(folder / "moments.h5")))
    return folder


def run(*arguments):
    """What the command printed, and its exit code."""
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output, result.exit_code


def test_info_tells_times_states_and_provenance(runs):
    text, code = run("info", runs / "species.h5")
    assert code == 0
    for words in ("records      5", "0 to 4", "state v", "12 × 8, float32", "Grid(shape=(12, 8)", "DONE"):
        assert words in text, text


def test_plot_writes_the_record_that_is_asked_for(runs, tmp_path):
    for name in ("species", "cloud", "moments"):
        assert run("plot", runs / f"{name}.h5", "--record", 2, "--out", tmp_path / f"{name}.png")[1] == 0
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert run("plot", runs / "species.h5")[1] == 0
    assert (runs / "species.png").exists()
    with ds.io.load(runs / "species.h5") as file:
        figure = plot.record(file, 2)
        images = [ax.images[0].get_array() for ax in figure.axes if ax.images]
        assert all(np.array_equal(image, part[2].T) for image, part in zip(images, file.y, strict=True))
        assert "t = 2" in figure.get_suptitle()


def test_movie_has_one_frame_per_record_of_the_part(runs, tmp_path):
    from PIL import Image

    assert run("movie", runs / "species.h5", "--part", "v", "--out", tmp_path / "v.gif")[1] == 0
    with Image.open(tmp_path / "v.gif") as gif:
        assert gif.n_frames == 5


@pytest.mark.parametrize(("arguments", "words"), [
    (("info", "missing.h5"), "there is none"),
    (("plot", "species.h5", "--record", "9"), "the run holds 5 records"),
    (("plot", "species.h5", "--out", "a.docx"), "the ending chooses the format"),
    (("movie", "moments.h5"), "fields on a grid"),
    (("movie", "species.h5", "--part", "w"), "one of u, v"),
])
def test_bad_requests_are_refused(runs, arguments, words):
    command, name, *rest = arguments
    with pytest.raises((ValueError, OSError), match=words):
        run(command, runs / name, *rest)


def test_errors_are_one_sentence_and_exit_code_two(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["diffsim", "info", str(tmp_path / "none.h5")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    assert stop.value.code == 2 and out == ""
    assert err.startswith("diffsim: ") and "because" in err and "Traceback" not in err


@pytest.mark.slow
def test_the_module_runs_as_a_program(tmp_path):
    command = [sys.executable, "-m", "diffsim", "info", str(tmp_path / "none.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "expected" in done.stderr


def test_a_short_tour_leaves_page_files_and_table(tmp_path):
    said = []
    rows = tour.run(tmp_path, stops=(line.release, line.cooling, paths.trap), say=said.append)
    assert all(row.holds for some in rows.values() for row in some)
    for name in ("tour.png", "tour.pdf", "table.txt", "release.h5", "cooling.h5", "trap.h5"):
        assert (tmp_path / name).stat().st_size > 0
    with open(tmp_path / "table.csv", encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    flat = [row for some in rows.values() for row in some]
    assert [float(r["measured"]) for r in read] == [row.measured for row in flat]
    assert tour.table(rows) in said[-1]


@pytest.mark.slow
def test_the_whole_tour_holds(tmp_path):
    rows = tour.run(tmp_path, say=lambda text: None)
    assert len(rows) == len(tour.STOPS)
    assert all(row.holds for some in rows.values() for row in some), tour.table(rows)
    assert len(list(tmp_path.glob("*.h5"))) >= len(tour.STOPS) - 3


def test_rows_hold_only_within_their_tolerance():
    assert tour.Row("a", 1.0009, 1.0, 1e-3).holds
    assert not tour.Row("a", 1.0011, 1.0, 1e-3).holds
    assert not tour.Row("a", float("nan"), 1.0, 1e-3).holds
    assert tour.Row("zero", 1e-13, 0.0, 1e-12).holds
    assert "NO" in tour.table({"stop": [tour.Row("a", 2.0, 1.0, 1e-3)]})


def test_a_number_that_is_off_ends_with_one(monkeypatch):
    monkeypatch.setattr(tour, "run", lambda out, say: {"stop": [tour.Row("a", 2.0, 1.0, 1e-3)]})
    assert run("tour")[1] == 1


def test_verify_prints_the_matrix_and_fails_with_it(monkeypatch):
    from diffsim import verify

    row = verify.Row(*(None for _ in verify.Row._fields))
    monkeypatch.setattr(verify, "report", lambda rows: f"{len(rows)} row")
    for holds in (True, False):
        rows = [row._replace(holds=holds)]
        monkeypatch.setattr(verify, "run", lambda fast, rows=rows: rows if fast else [])
        assert run("verify") == ("1 row\n", 0 if holds else 1)
