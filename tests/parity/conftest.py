"""Parity with diffusers needs diffusers and CPU torch, which nothing else does."""

import importlib.util

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
