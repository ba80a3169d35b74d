"""The verification matrix: it holds, and it would notice."""

import math

import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import verify


@pytest.mark.parametrize("boundary", ["Periodic", "Neumann", "Flux", "Dirichlet, Robin"])
def test_second_order_in_space(boundary):
    row = verify.in_space(boundary, tf.float32 if boundary == "Flux" else tf.float64)
    assert row.holds, row
    assert row.observed == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("stepper", [ds.Heun(), ds.ETDRK4(), ds.IMEX()], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("boundary", ["Periodic", "Robin"])
def test_order_in_time(boundary, stepper):
    row = verify.in_time(boundary, stepper)
    assert row.holds, row
    assert (row.expected, row.stepper) == (stepper.order, type(stepper).__name__)


def test_a_wrong_wall_is_noticed(monkeypatch):
    monkeypatch.setitem(verify.WALLS, "Neumann", ds.Neumann(verify.inflow))  # a flux where a gradient belongs
    row = verify.in_space("Neumann")
    assert not row.holds
    text = verify.report([row, row._replace(holds=True, observed=math.nan)])
    assert "FAILS" in text.splitlines()[1]
    assert "rounding" in text.splitlines()[2]
    assert text.endswith("1 of 2 hold.")


def test_a_report_needs_rows():
    with pytest.raises(TypeError, match="run"):
        verify.report("all well")


@pytest.mark.slow
def test_the_fast_matrix_holds():
    rows = verify.run(progress=False)
    assert len(rows) == 2 * (len(verify.WALLS) + len(verify.STEPPERS))
    assert all(row.holds for row in rows), verify.report(rows)
