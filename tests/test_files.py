"""Files of runs: none is replaced unnoticed, none continued by another law or with other steps."""

import os
import subprocess
import sys

import numpy as np
import pytest

import diffsim as ds

GRID = ds.Grid(8, 1.0)
Y0 = np.sin(np.pi * (np.arange(8) + 0.5) / 8)


def heat(D=0.1, walls=None, drift=None):
    """The heat equation."""
    return ds.Equation(linear=ds.Diffusion(GRID, walls or ds.Dirichlet(0.0), D=D), drift=drift)


def run(path, law=None, scale=1.0, **given):
    """A short run to a file."""
    given = {"dt": 0.01, "stepper": ds.CrankNicolson(), "jit": False, "save": ds.SaveAt(every=10, to=path)} | given
    return ds.solve(law or heat(), scale * Y0, (0.0, 1.0), **given)


def test_records_of_a_run_are_never_those_of_another(tmp_path):
    path = str(tmp_path / "run.h5")
    first = run(path)
    with pytest.warns(UserWarning, match="holds an earlier run") as seen:
        second = run(path, scale=5.0)
    assert seen[0].filename == __file__
    np.testing.assert_array_equal(second.y[0], 5 * Y0)
    with pytest.raises(OSError, match="another run has been written to this file since"):
        first.y[0]
    again = ds.resume(path, until=1.1)  # the same run, longer
    np.testing.assert_array_equal(second.y[0], again.y[0])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (heat(D=0.2), "linear.D.D.0.=0.2 instead of 0.1"),
        (heat(walls=ds.Dirichlet(1.0)), r"value=1.0 instead of 0"),
        (heat(walls=ds.Neumann()), "Neumann instead of Dirichlet"),
        (ds.Equation(linear=-1.0), "linear=-1.0 instead of Diffusion"),
        (heat(drift=lambda t, y: -y), "drift=a function instead of None"),
    ],
)
def test_another_law_does_not_go_on_with_a_run(tmp_path, other, says):
    path = str(tmp_path / "run.h5")
    run(path)
    with pytest.raises(ValueError, match=says):
        ds.resume(path, law=other, until=2.0)
    assert ds.resume(path, law=heat(), until=1.1).t_final == 1.1


def test_a_law_with_functions_goes_on_with_functions(tmp_path):
    path, drift = str(tmp_path / "run.h5"), lambda t, y: -y  # noqa: E731
    run(path, heat(drift=drift), stepper=ds.IMEX())
    assert ds.resume(path, law=heat(drift=drift), until=1.1).steps == 110
    with pytest.raises(ValueError, match="D.D.0.=0.3"):
        ds.resume(path, law=heat(D=0.3, drift=drift), until=1.2)


def test_a_continuation_keeps_the_step_and_shortens_the_last(tmp_path):
    path = str(tmp_path / "run.h5")
    run(path)
    sol = ds.resume(path, until=1.2345)
    assert (sol.info["dt"], sol.steps, sol.t_final) == (pytest.approx(0.01), 124, 1.2345)
    times = np.append(np.arange(124) * 0.01, 1.2345)
    want = ds.solve(heat(), Y0, times, stepper=ds.CrankNicolson(), jit=False).final
    np.testing.assert_allclose(sol.final, want, rtol=1e-13)
    sol = ds.resume(path, until=1.5)
    assert (sol.info["dt"], sol.steps) == (pytest.approx(0.01), 124 + 27)
    assert ds.resume(path, until=1.501).steps == 124 + 28


def test_lines_tell_of_progress_where_there_is_no_terminal(tmp_path, capsys):
    for progress, lines in ((True, 1), (None, 0), (False, 0)):
        ds.solve(heat(), Y0, (0.0, 1.0), dt=0.1, jit=False, progress=progress)
        err = capsys.readouterr().err
        assert err.count("diffsim: t = 1 (100%), 10 steps") == lines == err.count("\n")


def test_commands_print_no_banners(tmp_path):
    path = tmp_path / "run.h5"
    run(str(path))
    code = "import sys; sys.argv = ['diffsim', 'info', sys.argv[1]]; from diffsim.cli import main; main()"
    env = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    for start in (["-m", "diffsim", "info"], ["-c", code]):
        done = subprocess.run([sys.executable, *start, str(path)], capture_output=True, text=True, check=True, env=env)
        assert "records" in done.stdout and done.stderr == ""


def explodes(t, y):
    """ẏ = y², infinite at t = 1 for y = 1."""
    return y * y


def test_a_run_that_failed_resumes_from_its_last_record(tmp_path):
    """Records before a blow-up stay as they are, each once."""
    path = str(tmp_path / "run.h5")
    law, save = ds.Equation(drift=explodes), ds.SaveAt(every=4, to=path)
    options = {"stepper": ds.Euler(), "dt": 0.05, "throw": False, "jit": False}
    failed = ds.solve(law, np.array([1.0]), (0.0, 3.0), save=save, **options)
    again = ds.resume(path, law=law, throw=False)
    assert failed.status is again.status is ds.Status.NON_FINITE and len(failed.t) > 3
    np.testing.assert_array_equal(again.t, failed.t)
    assert again.steps == failed.steps
