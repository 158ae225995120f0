"""A small site with the snippet in its pages, and a collector that answers as a test says and keeps what it hears."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect

from gateway.local.snippet import BUILT
from gateway.pools.number_parts import parts_of

MAIN, SHOP = "+13065551234", "+13065559000"
LENT, OTHER = "+13065552001", "+13065552002"
KEY = "demo"
NO_FAVICON = '<link rel=icon href="data:,">'
TAG = f'<script async src="/np/np.js" data-site="{KEY}"></script>'


def parts(e164: str) -> dict[str, str]:
    """A number as the collector describes it."""
    found = parts_of(e164)
    names = ("e164", "country", "national", "trunk", "written", "international")
    return {name: getattr(found, name) for name in names}


@dataclass
class Site:
    """Pages by their path, and what the collector answers. ``swaps``: the number shown in place of each target."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    swaps: dict[str, str] = field(default_factory=lambda: {MAIN: LENT})
    answers: Mapping[str, Any] = field(default_factory=dict)
    keep_alive: int = 30
    remember: int = 1200
    delay: float = 0
    broken: str | None = None
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    exposures: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://localhost:{self.port}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What was sent of one kind: visit, alive, leave, tap, page, consent, lead."""
        return [body for path, body in self.heard if path == kind]

    async def wait_for(self, kind: str, count: int = 1, seconds: float = 15) -> list[dict[str, Any]]:
        """What was sent of one kind, once it is so much."""
        async with asyncio.timeout(seconds):
            while len(self.of(kind)) < count:  # noqa: ASYNC110 - the browser tells nobody
                await asyncio.sleep(0.02)
        return self.of(kind)

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a visit."""
        said = body.get("consent", {})
        may = said["state"] == "granted" or (said["state"] == "unknown" and not said["required"])
        may = may and not body.get("gpc")
        visitor = body.get("visitor") or str(uuid4())
        numbers = []
        for target, number in self.swaps.items():
            lent = number != target
            exposure = self.exposures.setdefault(number, str(uuid4())) if lent and may else None
            why = "lent" if exposure else "static" if lent else "page"
            numbers.append(
                {
                    "target": parts(target),
                    "number": parts(number),
                    "why": why,
                    "exposure": exposure,
                    "remember": self.remember if may else 0,
                }
            )
        return {
            "visit": body.get("visit") or str(uuid4()),
            "visitor": visitor if may else None,
            "touch": "utm_" in body["url"],
            "remember": 31536000 if may else 0,
            "keep_alive": self.keep_alive,
            "why": "visitor" if may else "consent",
            "ask_again": None,
            "numbers": numbers,
            **self.answers,
        }

    async def _collect(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        body = json.loads(await request.text())
        self.heard.append((kind, body))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.broken is not None:
            return web.Response(status=502, text=self.broken, content_type="application/json")
        if kind in ("visit", "consent"):
            return web.json_response(self.answer(body))
        if kind == "alive":
            held = dict.fromkeys(body["exposures"], "held")
            return web.json_response({"exposures": held, "ask_again": False, **self.answers})
        return web.json_response({}) if kind == "lead" else web.Response(status=204)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        text = self.pages.get(request.path)
        if text is None:
            raise web.HTTPNotFound
        return web.Response(text=text, content_type="text/html", headers=self.headers)

    async def _script(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(BUILT / request.match_info["name"], headers={"Cache-Control": "no-store"})

    async def open(self) -> web.AppRunner:
        """Begin to serve."""
        app = web.Application()
        app.router.add_post("/np/v1/{kind}", self._collect)
        app.router.add_get(r"/np/{name:np[a-z.-]*\.js}", self._script)
        app.router.add_get("/{path:.*}", self._page)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        return runner


@dataclass
class Window:
    """A browser of its own on the site; the errors of its pages are collected."""

    site: Site
    context: BrowserContext
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def page(self, body: str = "", head: str = TAG, path: str = "/", query: str = "", wait: bool = True) -> Page:
        """Open a page with that in it, and wait until its numbers are written."""
        self.site.pages[path] = (
            f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>"
        )
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.notes.append(message.text))
        before = len(self.site.of("visit"))
        await page.goto(f"{self.site.url}{path}{query}")
        if wait:
            await self.site.wait_for("visit", before + 1)
            await page.wait_for_function("!!window.numberpool?.on")
        return page


async def open_window(site: Site, chromium: Browser, **settings: Any) -> Window:
    """A window without any past."""
    context = await chromium.new_context(locale="en-CA", **settings)
    return Window(site, context)


async def shows(page: Page, selector: str, text: str) -> None:
    """Wait until an element shows a text."""
    await expect(page.locator(selector).first).to_have_text(text, timeout=10_000)


async def stays(page: Page, holds: str, seconds: float = 0.4) -> None:
    """Fail if an expression stops being true within a time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert await page.evaluate(holds)
        await asyncio.sleep(0.05)
