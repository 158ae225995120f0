"""One good installation for all tests of a module."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.doctor.clinic import Clinic, clinic


@pytest_asyncio.fixture(scope="module")
async def patient(asterisk_home: AsteriskHome, module_database_dsn: str) -> AsyncIterator[Clinic]:
    """The good installation; whoever spoils it puts it right again."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    try:
        async with clinic(asterisk_home, folder, module_database_dsn) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)
