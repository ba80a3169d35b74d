"""What several tests ask for."""

import pytest

import diffsim as ds
from tests.running import load

TRACED = ("00", "01", "02", "03", "04", "07", "08", "47")  # of few steps: XLA would take most of their time


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Calls main(fast=True) of an example where it may write files."""
    monkeypatch.chdir(tmp_path)

    def numbers(name, fast=True):
        for fn in (ds.solve, ds.steady, ds.Simulation.__init__) if name.startswith(TRACED) else ():
            monkeypatch.setitem(fn.__kwdefaults__, "jit", False)
        return load(name).main(fast=fast)

    return numbers
