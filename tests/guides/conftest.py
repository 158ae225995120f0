"""A database and a folder for each guide."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with a short name, for the tests of one module."""
    made = Path(tempfile.mkdtemp(prefix="np-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
