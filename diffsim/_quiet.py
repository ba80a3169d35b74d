"""Keeps TensorFlow's banners out of what commands print; programs that import diffsim are left alone."""

import contextlib
import os
import sys
from pathlib import Path


@contextlib.contextmanager
def silence():
    """Nothing reaches the error stream, not even from compiled libraries; exceptions pass."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def is_command() -> bool:
    """Whether this is `diffsim …` or `python -m diffsim …`; "-m" stands there while the package is looked for."""
    return bool(sys.argv) and Path(sys.argv[0]).stem in ("diffsim", "-m")


if is_command() and "TF_CPP_MIN_LOG_LEVEL" not in os.environ and "tensorflow" not in sys.modules:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    with silence():
        import tensorflow  # noqa: F401 - it greets when it is first loaded
