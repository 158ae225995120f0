"""The whole of it: real pages in a real browser, the built snippet, the collector as a process, a real Postgres."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gateway.local.processes import ends_with_us
from gateway.pools.sites import change_site
from gateway.store.database import Database
from gateway.visits.snippet import inline_snippet, tag
from tests.http.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.pools.shop import Shop, open_shop
from tests.stack import PROJECT, eventually

# Headless Chromium says that it is a program, and the collector lends programs nothing.
PERSON = ["--disable-blink-features=AutomationControlled"]
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
OWN, OWN_DIALLED = "(306) 555-0100", "+13065550100"
BODY = f"""<p>Call <b id=number>{OWN}</b></p><a id=link href="tel:{OWN_DIALLED}">Call us</a>
<form data-np-form=quote action=/thanks><input name=your-name value=Ann><input name=phone value="306 555 0190">
<input name=secret type=password value=hunter2><input type=hidden name=token value=x>
<button id=send>Send</button></form>"""
NO_FAVICON = '<link rel=icon href="data:,">'


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class Collector:
    """``numberpool collect`` as a process, on one port through all its lives."""

    dsn: str
    folder: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    async def start(self) -> None:
        """Until it answers."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NUMBERPOOL_")},
            "PYTHONPATH": str(PROJECT),
            "HOME": str(self.folder),
            "NUMBERPOOL_POSTGRES__DSN": self.dsn,
            "NUMBERPOOL_COLLECTOR__PORT": str(self.port),
            **self.settings,
        }
        with (self.folder / "collector.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *ends_with_us(), sys.executable, "-m", "gateway", "collect",
                cwd=self.folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                assert self.process is not None
                assert self.process.returncode is None, (self.folder / "collector.log").read_text()
                try:
                    return (await session.get(f"http://127.0.0.1:{self.port}/healthz")).status == 200
                except aiohttp.ClientError:
                    return False

            await eventually(answers, 60, 0.05)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, in order or by force."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()
        self.process = None


@dataclass
class Live:
    """A shop with pages of its own, and its collector."""

    shop: Shop
    collector: Collector
    chromium: Browser
    port: int = 0
    errors: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    attributes: str = ""
    scripts: str = ""  # instead of the snippet's tag
    inline: bool = True

    @property
    def url(self) -> str:
        """The address of the shop's pages."""
        return f"http://localhost:{self.port}"

    async def person(self, **settings: Any) -> BrowserContext:
        """A browser without a past."""
        context = await self.chromium.new_context(locale="en-CA", user_agent=AGENT, **settings)
        self.contexts.append(context)
        return context

    async def open(self, person: BrowserContext, path: str = "/", **how: Any) -> Page:
        """Open a page of the shop, and wait until the snippet is there."""
        page = await person.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(self.url + path, **how)
        await page.wait_for_function("!!window.numberpool?.on")
        return page

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """What a query over the shop's company finds."""
        return await self.shop.rows(query, *values)

    async def found(self, query: str, *values: Any, count: int = 1) -> list[Any]:
        """The same, once it finds just so many rows."""
        rows: list[Any] = []

        async def enough() -> bool:
            nonlocal rows
            rows = await self.rows(query, *values)
            return len(rows) == count

        await eventually(enough, 20)
        return rows

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        head = self.scripts or self._snippet().replace("<script", f"<script {self.attributes}", 1)
        text = f"<!doctype html><html><head><meta charset=utf-8>{NO_FAVICON}{head}</head><body>{BODY}</body></html>"
        return web.Response(text=text, content_type="text/html")

    def _snippet(self) -> str:
        key, base = self.shop.site.public_key, self.collector.url
        return inline_snippet(key, base).html if self.inline else tag(key, base)

    async def serve(self) -> web.AppRunner:
        """Begin to serve the pages."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        return runner


@pytest_asyncio.fixture(scope="session")
async def person_chromium() -> AsyncIterator[Browser]:
    """A real browser that is taken for a person's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*CHROMIUM_FLAGS, *PERSON],
            ignore_default_args=["--disable-back-forward-cache", "--enable-automation"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def live(database_dsn: str, tmp_path: Path, person_chromium: Browser) -> AsyncIterator[Live]:
    """A shop on localhost with two numbers to lend, and its collector; fails if a page's script did."""
    database = await Database.open(database_dsn)
    shop = await open_shop(database, 2, reserve_seconds=60)
    async with database.everything() as connection:
        await change_site(connection, shop.company, "Home", hosts=["localhost"])
    await shop.reload()
    running = Live(shop, Collector(database_dsn, tmp_path), person_chromium)
    runner = await running.serve()
    try:
        await running.collector.start()
        yield running
    finally:
        for context in running.contexts:
            # What a test answers in the collector's place may be on its way still; it fails nobody else's test.
            await context.unroute_all(behavior="ignoreErrors")
            await context.close()
        await runner.cleanup()
        await running.collector.end()
        await database.close()
    assert running.errors == []


async def shows(page: Page, text: str) -> None:
    """Wait until a page shows a number."""
    await expect(page.locator("#number")).to_have_text(text, timeout=15_000)


async def shown(page: Page) -> str:
    """What a page shows, once that is one of the pool's."""
    await expect(page.locator("#number")).not_to_have_text(OWN, timeout=15_000)
    return await page.inner_text("#number")
