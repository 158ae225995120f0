"""Fixtures of the tests of trunks: one site a module, which its function ``site`` puts together."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.conftest import caller, module_folder  # noqa: F401 - fixtures
from tests.carriers.site import Site


@pytest_asyncio.fixture(scope="module")
async def site(
    asterisk_home: AsteriskHome,
    module_folder: Path,  # noqa: F811
    module_database_dsn: str,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Site]:
    """The site that the module's ``build`` makes, running."""
    made: Site = request.module.build(asterisk_home, module_folder, module_database_dsn)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


@pytest_asyncio.fixture(autouse=True)
async def nothing_left_behind(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A test that failed in mid-call spoils no other."""
    yield
    if "site" in request.fixturenames:
        await request.getfixturevalue("site").exchange.hush()
