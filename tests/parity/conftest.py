"""Parity with diffusers needs diffusers and CPU torch, which nothing else does."""

import importlib.util
import warnings

import pytest

NEEDED = ("torch", "diffusers")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(items):
    """Skip with a sentence where the peers are absent."""
    if MISSING:
        skip = pytest.mark.skip(reason=f"{' and '.join(MISSING)} not installed: pip install diffsim[parity]")
        for item in items:
            if "parity" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """No gradients and no chatter of the peers."""
    torch, diffusers = pytest.importorskip("torch"), pytest.importorskip("diffusers")
    diffusers.utils.logging.set_verbosity_error()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
