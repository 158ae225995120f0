"""The shop of the demonstration in a real browser: numbers, calls, leads, and who may ring.

One demonstration serves all tests. It finds no browser of its own, so that its own visits are made without one.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gateway.local.carrier import CallerReport
from gateway.local.demo_calls import CallLine, CallVisit
from gateway.local.demo_company import LENT, MAIN_NUMBER
from gateway.local.demo_visits import VISITS, MadeVisit, visit_shortfalls
from gateway.local.programs import AsteriskHome
from gateway.local.shop import ARRIVALS, PlacedCall
from gateway.local.shop_people import person_of
from gateway.pools.numbers import printed, to_e164
from tests.http.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.http.test_browser import nothing_for_axe
from tests.stack import PROJECT, eventually

MAIN = "(306) 555-1234"


@dataclass
class Demo:
    """A running demonstration, and what it printed: addresses while it started, the table when its calls were over."""

    folder: Path
    process: asyncio.subprocess.Process
    said: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def printed(self, pattern: str) -> str:
        """What it printed, by a pattern with one group."""
        found = re.search(pattern, self.said)
        assert found is not None, self.said
        return found[1]

    def shop(self, way: str = "direct") -> str:
        """The address of the shop for somebody who comes this way."""
        return self.printed(r"(http://127\.0\.0\.1:\d+)/\?gclid") + ARRIVALS[way][1]

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Rows of its database."""
        settings = tomllib.loads((self.folder / "numberpool.toml").read_text())
        connection = await asyncpg.connect(settings["postgres"]["dsn"])
        try:
            async with connection.transaction():
                await connection.execute("SELECT set_config('numberpool.companies', 'all', true)")
                found: list[asyncpg.Record] = await connection.fetch(query, *values)
                return found
        finally:
            await connection.close()


@pytest_asyncio.fixture(scope="module")
async def demo(asterisk_home: AsteriskHome) -> AsyncIterator[Demo]:
    """A demonstration until the last test of this file."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.local.demo", "--no-history", "--folder", str(folder)),
        cwd=PROJECT,
        env={**os.environ, "NUMBERPOOL_CHROMIUM": "/nowhere/chromium"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Demo(folder, process)

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            running.said += line.decode()
        running.ended.set()

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(90):
            while "Logs:" not in running.said:
                assert process.returncode is None, running.said
                await asyncio.sleep(0.05)
        yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()
        await reading
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """A browser that says of itself what a person's does."""
    async with async_playwright() as playwright:
        flags = [*CHROMIUM_FLAGS, "--disable-blink-features=AutomationControlled"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        await browser.close()


@asynccontextmanager
async def browsing(chromium: Browser, **settings: Any) -> AsyncIterator[Page]:
    """A browser without a past; fails if a page complains or asks another machine."""
    agent = f"Mozilla/5.0 (X11; Linux x86_64) Chrome/{chromium.version.partition('.')[0]}.0.0.0 Safari/537.36"
    context = await chromium.new_context(locale="en-CA", user_agent=agent, **settings)
    complaints = watch(context)
    try:
        yield await context.new_page()
        assert complaints == []
    finally:
        await context.close()


def watch(context: BrowserContext) -> list[str]:
    """What goes wrong in a browser, from now on."""
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    context.on(
        "request",
        lambda request: (
            None
            if re.match(r"data:|http://(127\.0\.0\.1|localhost|\[::1\]):", request.url)
            else complaints.append(request.url)
        ),
    )
    return complaints


async def number_of(page: Page) -> str:
    """The number that a page shows, as E.164, once the collector has answered."""
    await eventually(lambda: _is_answered(page), 30, 0.05)
    return to_e164(await page.locator(".demo-number").inner_text(), "CA")


async def _is_answered(page: Page) -> bool:
    # A page that is just going over to the next has no answer either.
    kept = await page.evaluate("localStorage.getItem('np_demo')")
    return bool(kept) and json.loads(kept).get("why") == "visitor" and bool(await page.evaluate("!!numberpool.lead"))


async def test_three_ways_show_three_numbers_in_one_browser(demo: Demo, chromium: Browser) -> None:
    async with browsing(chromium) as page:
        seen = {}
        for way in ("google-ad", "facebook", "direct"):
            address = demo.shop(way)
            assert address in demo.said
            await page.goto(address)
            seen[way] = await number_of(page)
            await page.reload()
            assert await number_of(page) == seen[way]
            await page.get_by_role("link", name="Prices").click()
            await page.wait_for_url("**/prices")
            await page.reload()
            assert await number_of(page) == seen[way]
            await page.go_back()
            await page.wait_for_url(address)
            assert await number_of(page) == seen[way]
        assert seen["direct"] == MAIN_NUMBER
        assert seen["google-ad"] != seen["facebook"]
        assert {seen["google-ad"], seen["facebook"]} <= set(LENT)
        await page.get_by_text("Be somebody else").click()
        await page.get_by_role("link", name="from a Google search").click()
        await page.wait_for_url("**utm_medium=organic")
        searched = await number_of(page)
        assert searched in set(LENT) - set(seen.values())
        await page.get_by_text("Be somebody else").click()
        await page.get_by_role("link", name="directly").click()
        await page.wait_for_url("**/")
        assert await number_of(page) == MAIN_NUMBER
        ways = await demo.rows("SELECT channel, count(DISTINCT visitor_id) FROM visits GROUP BY channel")
        assert {"Paid Search", "Paid Social", "Organic Search", "Direct"} <= {row["channel"] for row in ways}


async def test_every_place_of_the_number_shows_the_same_on_every_page(demo: Demo, chromium: Browser) -> None:
    async with browsing(chromium) as page:
        await page.goto(demo.shop("google-ad"))
        e164 = await number_of(page)
        assert e164 in LENT
        shown = printed(e164, "CA")
        area, rest = shown.split(" ")
        await expect(page).to_have_title(re.compile(re.escape(shown)))
        for selector in (".top .phone", ".foot a[href^='tel']", ".big", ".actions .main"):
            await expect(page.locator(selector).first).to_have_attribute("href", f"tel:{e164}")
        await expect(page.locator(".top .phone")).to_have_attribute("title", f"Call Acme Roofing: {shown}")
        await expect(page.locator(".big")).to_have_text(shown)
        assert await page.locator(".big > *").all_inner_texts() == [area, *rest.split("-")]
        await expect(page.locator("a[href^='sms']")).to_have_attribute("href", f"sms:{e164}")
        await expect(page.locator(".foot a[href^='tel']")).to_have_text(f"{e164[2:5]}-{rest}")
        known = json.loads(await page.locator("script[type='application/ld+json']").inner_text())
        assert to_e164(known["telephone"], "CA") == e164
        for name, text in (
            ("Roof repair", f"+1 {e164[2:5]} {rest.replace('-', ' ')}"),
            ("Prices", f"{e164[2:5]}.{rest.replace('-', '.')}"),
            ("Contact", f"{shown} ext. 2"),
        ):
            await page.get_by_role("navigation").get_by_role("link", name=name).click()
            await expect(page.locator("h1")).not_to_have_text(re.compile("winter"))
            assert await number_of(page) == e164
            await expect(page.locator("main")).to_contain_text(text, use_inner_text=False)
            assert "1234" not in await page.locator("body").inner_text()
        visit = (
            await demo.rows("SELECT visit_id FROM page_views WHERE url LIKE '%/contact' ORDER BY at DESC LIMIT 1")
        )[0]
        views = await demo.rows("SELECT url FROM page_views WHERE visit_id = $1", visit["visit_id"])
        assert len(views) == 4


async def test_the_button_rings_and_the_log_says_what_brought_the_call(demo: Demo, chromium: Browser) -> None:
    async with browsing(chromium, viewport={"width": 1280, "height": 900}) as page:
        log = await page.context.new_page()
        await log.goto(demo.printed(r"(http://\S+/sign-in/link/\S+)"))
        await log.get_by_role("button", name="Sign in").click()
        await log.wait_for_url("**/welcome")
        await page.goto(demo.shop("facebook"))
        number = await number_of(page)
        who = await page.locator("#demo-said").get_attribute("data-as")
        assert who is not None
        name = who.partition(",")[0]
        await log.goto(await page.locator(".demo-said a").get_attribute("href") or "")
        await page.get_by_role("button", name="Call this number").click()
        await expect(page.locator("#demo-said")).to_contain_text(f"is calling {printed(number, 'CA')}")
        row = log.locator("li.call", has_text=name)
        await expect(row).to_be_visible(timeout=15_000)
        await expect(row.locator(".from")).to_contain_text("Facebook Paid", timeout=15_000)
        await expect(page.locator("#demo-said")).to_contain_text("Answered, and they talked", timeout=40_000)
        await expect(page.get_by_role("button", name="Call this number")).to_be_enabled()
        caller = to_e164(who.partition(",")[2], "CA")
        credited = await demo.rows(
            "SELECT v.url, c.did FROM calls c JOIN attributions a ON a.call_id = c.id "
            "JOIN visits v ON v.id = a.visit_id WHERE c.caller = $1",
            caller,
        )
        assert [(row["url"], row["did"]) for row in credited] == [(demo.shop("facebook"), number)]


async def test_the_form_becomes_a_lead_of_the_visit(demo: Demo, chromium: Browser) -> None:
    async with browsing(chromium) as page:
        await page.goto(demo.shop("google-ad"))
        await number_of(page)
        await page.get_by_role("link", name="Free estimate").click()
        await page.wait_for_url("**/contact")
        await number_of(page)
        await page.wait_for_function("!!document.querySelector('script[src$=\"np-forms.js\"]')")
        await page.wait_for_load_state("networkidle")
        await page.get_by_label("E-mail").fill("Rosa@Example.com")
        await page.get_by_label("In a few words").fill("It drips on the piano.")
        phone = await page.get_by_label("Telephone").input_value()
        await page.get_by_role("button", name="Ask for an estimate").click()
        await page.wait_for_url("**/thanks")

        async def is_stored() -> bool:
            return bool(await demo.rows("SELECT 1 FROM leads"))

        await eventually(is_stored, 15)
        (lead,) = await demo.rows(
            "SELECT l.*, v.label FROM leads l JOIN visits v ON v.company_id = l.company_id AND v.id = l.visit_id"
        )
        assert (lead["kind"], lead["label"]) == ("form", "Google Paid")
        assert (lead["phone"], lead["email"]) == (to_e164(phone, "CA"), "rosa@example.com")
        data = json.loads(lead["data"])
        assert data["message"] == "It drips on the piano."
        assert data["form"] == "Estimate"


async def test_a_page_of_ones_own_shows_numbers_on_any_loopback_port(demo: Demo, chromium: Browser) -> None:
    tag = demo.printed(r"(<script async .*</script>)")

    async def own(_request: web.Request) -> web.StreamResponse:
        text = f"<!doctype html><link rel=icon href=data:,>{tag}<p>Ring <b class=demo-number>{MAIN}</b> now</p>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", own)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    try:
        for address, names in (("127.0.0.1", ("127.0.0.1", "localhost")), ("::1", ("[::1]",))):
            site = web.TCPSite(runner, address, 0)
            try:
                await site.start()
            except OSError:
                assert address == "::1"  # a machine without IPv6
                continue
            port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            for name in names:
                async with browsing(chromium) as page:
                    await page.goto(f"http://{name}:{port}/?gclid=mine")
                    assert await number_of(page) in LENT
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("origin", "host", "body", "status"),
    [
        (None, None, {"number": MAIN}, 403),
        ("http://127.0.0.1:1", None, {"number": MAIN}, 403),
        ("https://evil.example", None, {"number": MAIN}, 403),
        ("http://rebound.example", "rebound.example", {"number": MAIN}, 403),
        ("own", None, {"number": "+1 306 555 9999"}, 422),
        ("own", None, {"number": "911"}, 400),
        ("own", None, {"number": "x"}, 400),
        ("own", None, {}, 400),
        ("own", None, [], 400),
    ],
)
async def test_only_its_own_pages_ring_and_only_numbers_of_the_demonstration(
    demo: Demo, origin: str | None, host: str | None, body: Any, status: int
) -> None:
    shop = demo.shop().rstrip("/")
    headers = {"Host": host} if host else {}
    if origin is not None:
        headers["Origin"] = shop if origin == "own" else origin
    before = await demo.rows("SELECT count(*) FROM calls WHERE did IN ('+13065559999', '911')")
    async with aiohttp.ClientSession() as client, client.post(f"{shop}/call", json=body, headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]
    assert before == await demo.rows("SELECT count(*) FROM calls WHERE did IN ('+13065559999', '911')")


async def test_another_name_for_this_machine_is_no_shop(demo: Demo) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(demo.shop(), headers={"Host": "rebound.example"}) as answer:
            assert answer.status == 421
        async with client.post(demo.shop() + "contact", headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
        async with client.get(demo.shop() + "nothing-here") as answer:
            assert answer.status == 404
            assert "blew off" in await answer.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_its_pages_can_be_used_by_everybody(demo: Demo, chromium: Browser, scheme: Any) -> None:
    async with browsing(chromium, viewport={"width": 390, "height": 844}, color_scheme=scheme) as page:
        for path in ("", "roof-repair", "prices", "contact", "thanks"):
            await page.goto(demo.shop() + path)
            await nothing_for_axe(page, f"/{path} {scheme}")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_without_a_browser_it_says_so_and_visits_all_the_same(demo: Demo) -> None:
    async with asyncio.timeout(120):
        while "that was all" not in demo.said:  # noqa: ASYNC110 - another task reads
            await asyncio.sleep(0.1)
    assert demo.said.count("no Chromium here") == 1
    assert "fell short" not in demo.said
    assert re.search(r"\+130655520\d\d .* Google Paid +Google Paid: /\?gclid=demo-click", demo.said)
    assert re.search(r"\+130655520\d\d .* Facebook Paid +Facebook Paid: /\?utm_source=facebook", demo.said)
    assert re.search(r"\+13065551234 .* Direct +-", demo.said)


@given(st.text(max_size=40))
def test_everybody_is_the_same_person_again_with_a_number_that_can_be_rung(id: str) -> None:
    person = person_of(id)
    assert person == person_of(id)
    assert to_e164(person.number, "CA") == person.number
    assert re.fullmatch(r"\+1(?!306)\d{3}55501\d\d", person.number)
    assert person.name


AD, FACEBOOK, DIRECTLY = VISITS


def _made(visit: Any, number: str) -> MadeVisit:
    report = CallerReport(1.0, 12.0, "ANSWER", 16, 200, 2.0, 9.0)
    return MadeVisit(visit, f"id of {visit.way}", number, PlacedCall(number, person_of(visit.way), report))


def _line(made: Any, number: str, **changes: Any) -> CallLine:
    values = {
        "did": number,
        "caller": person_of(made.way).number,
        "source": made.source,
        "visit": CallVisit(f"id of {made.way}", made.source, "/", 0.99) if made.is_lent else None,
        "outcome": "answered",
        "ring_seconds": 2.0,
        "talk_seconds": 9.0,
        "recording": "/1.mp3",
        "decided_by": "gateway",
        "added_ms": 1.0,
    }
    return CallLine(**{**values, **changes})


@pytest.mark.parametrize(
    ("visit", "number", "changes", "fault"),
    [
        (AD, LENT[0], {}, None),
        (DIRECTLY, MAIN_NUMBER, {}, None),
        (DIRECTLY, MAIN_NUMBER, {"visit": CallVisit("id of direct", "Direct", "/", 0.9)}, None),
        (DIRECTLY, MAIN_NUMBER, {"visit": CallVisit("of another", "Direct", "/", 0.9)}, "its visit is"),
        (AD, MAIN_NUMBER, {}, "showed another number"),
        (DIRECTLY, LENT[0], {}, "showed another number"),
        (AD, LENT[0], {"did": LENT[1]}, "logged as"),
        (AD, LENT[0], {"source": "Direct"}, "its source is Direct"),
        (AD, LENT[0], {"visit": None}, "its visit is None"),
        (AD, LENT[0], {"caller": "+13065550100"}, "0 times"),
        (AD, LENT[0], {"outcome": "busy"}, "its outcome is busy"),
        (AD, LENT[0], {"recording": None}, "no recording"),
    ],
)
def test_every_shortfall_of_a_visit_is_named(visit: Any, number: str, changes: Any, fault: str | None) -> None:
    found = "\n".join(visit_shortfalls([_made(visit, number)], [_line(visit, number, **changes)]))
    assert found == "" if fault is None else fault in found


def test_the_same_number_for_two_visitors_is_a_shortfall() -> None:
    made = [_made(AD, LENT[0]), _made(FACEBOOK, LENT[0])]
    found = visit_shortfalls(made, [_line(AD, LENT[0]), _line(FACEBOOK, LENT[0])])
    assert found == ["visitors who came different ways were shown the same number"]
