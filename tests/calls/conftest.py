"""Fixtures of the telephony tests: one installation a module, lines that start when they are first rung."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.office import Office, Phones, plugged_in
from tests.installation import Installation


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    """A folder with a short name, for the tests of one module."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module")
async def exchange(
    asterisk_home: AsteriskHome, module_folder: Path, module_database_dsn: str, request: pytest.FixtureRequest
) -> AsyncIterator[Exchange]:
    """The installation that the module asks for in ``INSTALLATION``, running, with its lines."""
    build = request.module.installation
    installation: Installation = build(asterisk_home, module_folder, module_database_dsn)
    async with AsyncExitStack() as running:
        exchange = Exchange(installation)
        running.push_async_callback(installation.stop)
        running.push_async_callback(exchange.stop)
        await installation.start()
        yield exchange


@pytest_asyncio.fixture
async def phones(exchange: Exchange) -> AsyncIterator[Phones]:
    """The telephones of an ``Office``, by extension, plugged in for one test."""
    assert isinstance(exchange.installation, Office)
    async with plugged_in(exchange.installation) as phones:
        yield phones


@pytest_asyncio.fixture(autouse=True)
async def nothing_left_behind(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A test that failed in mid-call spoils no other."""
    yield
    if "exchange" in request.fixturenames:
        await request.getfixturevalue("exchange").hush()


_callers = itertools.count(1)


@pytest.fixture
def caller() -> str:
    """A caller's number that no other test uses."""
    return f"+1306444{next(_callers):04}"
