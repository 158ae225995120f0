"""The collector on a loopback port with a real database, and pages of a shop that speak to it over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import pytest_asyncio
from aiohttp import web

from gateway.health import Health
from gateway.http.collector.app import collector_app
from gateway.http.collector.keys import CollectorParts
from gateway.http.collector.messages import VisitAnswer
from gateway.http.collector.running import opened_collector
from gateway.settings import CollectorSettings
from gateway.store.database import Database
from gateway.store.notify import Listener
from tests.pools.shop import Shop, open_shop

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
ADVERTISED = "https://shop.example/roofs?gclid=Cj0KCQ_test&utm_campaign=spring"


@dataclass
class Worker:
    """One worker of the collector."""

    url: str
    parts: CollectorParts
    database: Database

    async def written(self) -> None:
        """Write what waits now, instead of within half a second."""
        await self.parts.journal.write()
        await self.parts.keep_alives.write()


@dataclass
class Page:
    """A browser window on a page of the shop, with a cookie jar of its own unless it is given one."""

    worker: Worker
    key: str
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, body: Any, **headers: str) -> aiohttp.ClientResponse:
        """Post a body the way a page does."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.session.post(
            self.worker.url + path,
            data=data,
            headers={"Content-Type": "text/plain;charset=UTF-8", **self.headers, **headers},
        )
        await answer.read()
        return answer

    async def visit(self, url: str = ADVERTISED, path: str = "/v1/visit", **facts: Any) -> dict[str, Any]:
        """Open a page, and the answer, which is as it is described."""
        answer = await self.post(path, {"site": self.key, "url": url, **facts})
        assert answer.status == 200, await answer.text()
        read: dict[str, Any] = await answer.json()
        VisitAnswer.model_validate(read)
        return read

    async def shown(self, url: str = ADVERTISED, **facts: Any) -> str:
        """What the page shows in place of its first number."""
        number: str = (await self.visit(url, **facts))["numbers"][0]["number"]["e164"]
        return number


@dataclass
class Collected:
    """A shop, a worker, and windows on the shop's pages."""

    worker: Worker
    shop: Shop
    stack: AsyncExitStack

    @property
    def key(self) -> str:
        return self.shop.site.public_key

    async def page(self, worker: Worker | None = None, key: str | None = None, **headers: str) -> Page:
        """A new browser on the shop's site."""
        session = await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        usual = {"User-Agent": CHROME, "Accept-Language": "en-CA,en;q=0.9", "Origin": "https://shop.example"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Page(worker or self.worker, key or self.key, session, {**usual, **given})

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """What a query over the shop's company finds, once everything is written."""
        await self.worker.written()
        return await self.shop.rows(query, *values)

    async def visit_row(self, visit: str) -> Any:
        """The stored visit."""
        (row,) = await self.rows("SELECT * FROM visits WHERE id = $1", UUID(visit))
        return row

    async def changed(self) -> None:
        """Read settings again now, instead of a moment after they changed."""
        await self.worker.parts.catalog.load(self.worker.database)
        await self.shop.reload()


@asynccontextmanager
async def running_worker(dsn: str, *, listens: bool = False, **settings: Any) -> AsyncIterator[Worker]:
    """A worker with everything real around it, for as long as the block lasts."""
    database = await Database.open(dsn)
    listener = Listener(dsn, Health())
    listening = asyncio.create_task(listener.run()) if listens else None
    try:
        async with opened_collector(CollectorSettings(port=0, **settings), database, listener) as parts:
            runner = web.AppRunner(collector_app(parts), shutdown_timeout=2)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            try:
                yield Worker(f"http://127.0.0.1:{runner.addresses[0][1]}", parts, database)
            finally:
                await runner.cleanup()
    finally:
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await database.close()


@pytest_asyncio.fixture
async def collected(database_dsn: str) -> AsyncIterator[Collected]:
    """A shop with three numbers to lend, and a worker that knows it."""
    async with AsyncExitStack() as stack:
        database = await Database.open(database_dsn)
        stack.push_async_callback(database.close)
        shop = await open_shop(database)
        worker = await stack.enter_async_context(running_worker(database_dsn, visits_per_minute=6000))
        yield Collected(worker, shop, stack)


OpenShop = Callable[..., Any]
