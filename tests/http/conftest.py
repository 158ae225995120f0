"""The pages on a loopback port, with a real database, and a real browser to look at them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, async_playwright

from gateway.health import Health
from gateway.http.app import PagesParts, pages_app
from gateway.http.commands import add_user, make_login_link
from gateway.http.permissions import Role
from gateway.settings import MailSettings, PagesSettings, Settings
from gateway.store.database import Database
from gateway.store.notify import Listener
from tests.http.company import MadeCompany, make_company

CHROMIUM = os.environ.get("NUMBERPOOL_CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass
class Pages:
    """Running pages, and ways to use them."""

    url: str
    database: Database
    settings: Settings
    health: Health
    company: MadeCompany
    stranger: MadeCompany  # another company, whose rows nobody here may see
    app: web.Application
    clients: list[aiohttp.ClientSession] = field(default_factory=list)

    @property
    def recordings(self) -> Path:
        """Where recordings lie."""
        return self.settings.data_folder / "recordings"

    def client(self, **headers: str) -> aiohttp.ClientSession:
        """A browser-like client without a session, which says where its requests come from."""
        session = aiohttp.ClientSession(
            self.url, headers={"Origin": self.url, **headers}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )
        self.clients.append(session)
        return session

    async def signed_in(self, role: Role = Role.OWNER, company: MadeCompany | None = None) -> aiohttp.ClientSession:
        """A client with a session in one company (Acme unless another is named)."""
        client = self.client()
        answer = await client.post(await self.link(role, company), allow_redirects=False)
        assert answer.status == 303, await answer.text()
        return client

    async def link(self, role: Role = Role.OWNER, company: MadeCompany | None = None) -> str:
        """A one-time link for a user with that role."""
        chosen = company or self.company
        email = f"{role.value}-{chosen.id}@example.com"
        async with self.database.everything() as wire:
            name = await wire.fetchval("SELECT name FROM companies WHERE id = $1", chosen.id)
        await add_user(self.database, email, name, role)
        return await make_login_link(self.database, email, self.url)


@asynccontextmanager
async def running_pages(
    dsn: str, data_folder: Path, mail: MailSettings | None = None, **pages_settings: Any
) -> AsyncIterator[Pages]:
    """The pages with everything real around them, for as long as the block lasts."""
    settings = Settings(
        data_folder=data_folder, pages=PagesSettings(port=0, **pages_settings), mail=mail or MailSettings()
    )
    database, health = await Database.open(dsn), Health()
    listener = Listener(dsn, health)
    listening = asyncio.create_task(listener.run())
    app = pages_app(PagesParts(database, settings, health, listener))
    runner = web.AppRunner(app, shutdown_timeout=2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    pages = Pages(
        f"http://127.0.0.1:{port}",
        database,
        settings,
        health,
        await make_company(database),
        await make_company(database, "Borealis Dental", ("3001", "3002", "3003")),
        app,
    )
    try:
        yield pages
    finally:
        for client in pages.clients:
            await client.close()
        await runner.cleanup()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await database.close()


@pytest_asyncio.fixture
async def pages(database_dsn: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """Pages with a database of their own."""
    async with running_pages(database_dsn, tmp_path) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A real browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


Complaints = Callable[[], list[str]]
