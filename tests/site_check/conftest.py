"""Websites with a real collector behind them, and a company whose numbers they show."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from gateway.pools import setup, sites
from gateway.pools.setup import Company
from gateway.settings import Settings
from gateway.store.database import Database
from tests.collector.conftest import Worker, running_worker
from tests.http.conftest import CHROMIUM
from tests.site_check.website import MAIN, Checked, Website, settings_for


@dataclass
class Town:
    """A company, its site and the collector that knows both."""

    database: Database
    worker: Worker
    company: Company
    site_name: str
    key: str
    stack: AsyncExitStack
    settings: Settings = field(default_factory=Settings)

    async def change(self, work: Callable[[Any], Any]) -> None:
        """Change settings, and have the collector know them."""
        async with self.database.everything() as connection:
            await work(connection)
        await self.worker.parts.catalog.load(self.worker.database)

    async def website(self, **facts: Any) -> Checked:
        """A website of the company."""
        context = facts.pop("context", None)
        site = Website(self.worker.url, self.key, **facts)
        runner = await site.open(context)
        self.stack.push_async_callback(runner.cleanup)
        return Checked(site, self.database, self.settings)


async def add_company(connection: Any, name: str, area: int) -> Company:
    """A company with three numbers to lend, for whoever comes by an advertisement."""
    company = await setup.add_company(connection, name, region="CA")
    pool = await setup.add_pool(connection, company, "Visitors", "dynamic")
    for last in range(3):
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164) VALUES ($1, $2, $3)",
            company.id,
            pool,
            f"+1306555{area + last}",
        )
    return company


@pytest_asyncio.fixture
async def town(database_dsn: str) -> AsyncIterator[Town]:
    """One company with a site on localhost."""
    async with AsyncExitStack() as stack:
        database = await Database.open(database_dsn)
        stack.push_async_callback(database.close)
        async with database.everything() as connection:
            company = await add_company(connection, "Acme Roofing", 2001)
            made = await sites.add_site(connection, company, "Acme's site", hosts=["localhost"])
            await sites.add_target(connection, company, "Acme's site", MAIN)
        worker = await stack.enter_async_context(running_worker(database_dsn, visits_per_minute=6000))
        settings = settings_for(urlsplit(worker.url).port or 0, chromium=Path(CHROMIUM), sandbox=SANDBOX)
        yield Town(database, worker, company, "Acme's site", made.public_key, stack, settings)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser."""
    return Path(CHROMIUM)


def _has_sandbox() -> bool:
    """Whether this system gives browsers one: containers often do not."""
    import subprocess

    return subprocess.run(["unshare", "-U", "true"], capture_output=True, check=False).returncode == 0


SANDBOX = _has_sandbox()
