"""A website on loopback whose pages carry the snippet, and whose web server passes /np/ on to a real collector."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from gateway.settings import CollectorSettings, Settings, SiteCheckSettings
from gateway.site_check.check import Wish, check
from gateway.site_check.findings import Report
from gateway.store.database import Database

MAIN, SHOP = "+13065551234", "+13065559000"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Website:
    """``html`` is its only page, under every address that ``answers`` does not name; ``np`` answers below /np/."""

    collector: str
    key: str
    port: int = 0
    scheme: str = "http"
    html: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, str]] = field(default_factory=dict)  # type and text, by path
    np: Answer | None = None
    agents: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/"

    @property
    def tag(self) -> str:
        return f'<script async src="/np/np.js" data-site="{self.key}"></script>'

    def page(self, body: str, head: str | None = None) -> None:
        """Serve that page."""
        head = self.tag if head is None else head
        self.html = (
            '<!doctype html><html lang=en><head><meta charset=utf-8><title>Roofs</title><link rel=icon href="data:,">'
            f"{head}</head><body>{body}</body></html>"
        )

    async def open(self, context: ssl.SSLContext | None = None) -> web.AppRunner:
        """Begin to serve."""
        app = web.Application()
        app.router.add_route("*", "/np/{path:.*}", self._np)
        app.router.add_get("/{path:.*}", self._page)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=context).start()
        self.port = runner.addresses[0][1]
        return runner

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self.agents.add(request.headers.get("User-Agent", ""))
        if request.path in self.files:
            kind, text = self.files[request.path]
            return web.Response(text=text, content_type=kind)
        if request.path == "/moved":
            raise web.HTTPFound("/elsewhere")
        return web.Response(text=self.html, content_type="text/html", status=self.status, headers=self.headers)

    async def _np(self, request: web.Request) -> web.StreamResponse:
        return await (self.np or self.pass_on)(request)

    async def pass_on(
        self, request: web.Request, *, cut: bool = True, more: Mapping[str, str] | None = None
    ) -> web.Response:
        """As a web server does: the prefix cut off, host and browser passed on."""
        path = request.path.removeprefix("/np") if cut else request.path
        headers = {name: value for name, value in request.headers.items() if name.lower() != "accept-encoding"}
        async with (
            aiohttp.ClientSession(auto_decompress=True) as session,
            session.request(
                request.method, self.collector + path, headers=headers, data=await request.read(), params=request.query
            ) as answer,
        ):
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in ("content-length", "content-encoding", "transfer-encoding", "date", "server")
            }
            return web.Response(body=await answer.read(), status=answer.status, headers={**kept, **(more or {})})


@dataclass
class Checked:
    """A website with everything that a check of it needs."""

    site: Website
    database: Database
    settings: Settings
    steps: list[str] = field(default_factory=list)

    async def check(self, url: str | None = None, **wish: object) -> Report:
        """Look at a page of it."""

        async def tell(step: str) -> None:
            self.steps.append(step)

        asked = Wish(url or self.site.url, **{"private": True, **wish})  # type: ignore[arg-type]
        async with asyncio.timeout(120):
            return await check(self.database, self.settings.site_check, self.settings.collector, asked, tell)


def settings_for(collector_port: int, **site_check: object) -> Settings:
    """Settings that name the collector."""
    return Settings(
        collector=CollectorSettings(port=collector_port),
        site_check=SiteCheckSettings.model_validate(site_check),
    )
