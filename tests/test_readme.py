"""What README.md shows runs as it stands."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf8")
SNIPPETS = [s for s in re.findall(r"```python\n(.*?)```", TEXT, re.S)]
SMALLER = (("(256, 256), size=(2.5, 2.5)", "(64, 64), size=(0.6, 0.6)"), ("(0, 10_000), dt=1.0, save", "(0, 1_000), dt=1.0, save"), ("100_000", "2_000"),
           ("(128, 128)", "(32, 32)"))  # the same in less time


def test_there_are_snippets():
    assert len(SNIPPETS) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_snippet(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = SNIPPETS[number]
    for full, small in SMALLER:
        code = code.replace(full, small)
    exec(compile(code, f"README snippet {number}", "exec"), {})
