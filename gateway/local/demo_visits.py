"""Visits of the demonstration: people who open the shop, look around, and call the number they see.

In a real browser where this machine has one; else as the snippet speaks to the collector, without one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway.local.browser import Browser, BrowserError, Page, find_browser, opened_browser
from gateway.local.demo_calls import CallLine
from gateway.local.demo_company import DIRECT, LENT, MAIN_NUMBER, SITE_KEY
from gateway.local.shop import ARRIVALS, PlacedCall, Shop
from gateway.pools.numbers import printed, to_e164

Say = Callable[[str], None]

_CALL_SECONDS = 60.0
_PATIENCE_SECONDS = 45.0
_A_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"


@dataclass(frozen=True)
class DemoVisit:
    """How somebody comes (see ``shop.ARRIVALS``), the pages he reads before he calls, and the source of his call.

    ``is_lent``: his pages show a number that is lent to him, and his call is put down to his very visit.
    """

    way: str
    pages: tuple[str, ...]
    source: str
    is_lent: bool = True
    taps: bool = False  # the number itself, as people do on a telephone


VISITS = (
    DemoVisit("google-ad", ("/roof-repair", "/prices"), "Google Paid"),
    DemoVisit("facebook", ("/prices",), "Facebook Paid", taps=True),
    DemoVisit("direct", (), DIRECT, is_lent=False),
)


@dataclass(frozen=True)
class MadeVisit:
    """A visit that was made: its id, the number that its pages showed, as E.164, and the call from them."""

    visit: DemoVisit
    id: str
    number: str
    call: PlacedCall


async def make_visits(
    shop: Shop, collector_url: str, folder: Path, say: Say, visits: Sequence[DemoVisit] = VISITS
) -> list[MadeVisit]:
    """Make the visits, all at once; returns when their calls have ended.

    The browser keeps what it must in ``folder``. Raises BrowserError, aiohttp.ClientError, TimeoutError.
    """
    async with AsyncExitStack() as opened:
        browser = await _opened(opened, folder, say)
        if browser is None:
            return await _all(visits, lambda visit: _without_browser(shop, collector_url, visit))
        say(f"{len(visits)} people open the shop in a browser, and call the number they see")
        return await _all(visits, lambda visit: _in_browser(browser, shop, visit))


async def _opened(opened: AsyncExitStack, folder: Path, say: Say) -> Browser | None:
    """A browser, or a line that says why there is none."""
    program = find_browser()
    if program is None:
        say("no Chromium here, so the shop is visited without one (to have it:  sudo apt-get install chromium)")
        return None
    try:
        return await opened.enter_async_context(opened_browser(program, folder))
    except BrowserError as error:
        say(f"the shop is visited without a browser: {error}")
        return None


async def _all(visits: Sequence[DemoVisit], make: Callable[[DemoVisit], Awaitable[MadeVisit]]) -> list[MadeVisit]:
    return list(await asyncio.gather(*map(make, visits)))


async def _in_browser(browser: Browser, shop: Shop, visit: DemoVisit) -> MadeVisit:
    page = await browser.visitor()
    await page.open(shop.url + ARRIVALS[visit.way][1])
    id = await _visit_of(page)
    for path in visit.pages:
        await page.evaluate(f"document.querySelector('nav a[href=\"{path}\"]').click()")
        await page.until(f"location.pathname == '{path}' && document.readyState == 'complete'")
        id = await _visit_of(page)
    if visit.taps:
        await page.evaluate("document.querySelector('.phone').click()")
    number = to_e164(await page.evaluate("document.querySelector('.demo-number').textContent"), "CA")
    await page.evaluate("document.getElementById('demo-call').click()")
    said = "document.getElementById('demo-said').textContent"
    ended = await page.until(f"!document.getElementById('demo-call').disabled && {said}", _CALL_SECONDS)
    # He leaves, so that the number is free for others in time.
    await page.open("about:blank")
    return MadeVisit(visit, id, number, _placed(shop, number, ended))


async def _visit_of(page: Page) -> str:
    """The id of the visit, once the snippet has its numbers on the page.

    A collector that has only just started may be too slow for a page; the snippet asks it again.
    """
    kept = f"JSON.parse(localStorage.getItem('np_{SITE_KEY}') ?? '{{}}')"
    found = await page.until(f"window.numberpool?.lead && {kept}.why == 'visitor' && {kept}.visit", _PATIENCE_SECONDS)
    return str(found)


async def _without_browser(shop: Shop, collector_url: str, visit: DemoVisit) -> MadeVisit:
    """What the snippet would say, page after page."""
    headers = {"User-Agent": _A_BROWSER, "Accept-Language": "en-CA,en"}
    said: dict[str, Any] = {"visit": None, "visitor": None}
    referrer, number = "", MAIN_NUMBER
    async with aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        for path in (ARRIVALS[visit.way][1], *visit.pages):
            url = shop.url + path
            came = {"Sec-Fetch-Site": "same-origin" if referrer else "none"}
            async with client.get(url, headers=came) as shown:
                shown.raise_for_status()
            message = {"site": SITE_KEY, "url": url, "referrer": referrer, **said}
            async with asyncio.timeout(_PATIENCE_SECONDS):
                told = await _told(client, f"{collector_url}/v1/visit", message, shop.url)
            said = {"visit": told["visit"], "visitor": told["visitor"]}
            number = told["numbers"][0]["number"]["e164"]
            referrer = url
        call = client.post(
            f"{shop.url}/call",
            json={"number": number},
            headers={"Origin": shop.url, "Sec-Fetch-Site": "same-origin"},
            timeout=aiohttp.ClientTimeout(_CALL_SECONDS),
        )
        async with call as answer:
            answer.raise_for_status()
    return MadeVisit(visit, str(said["visit"]), number, _placed(shop, number, "Answered"))


async def _told(client: aiohttp.ClientSession, url: str, message: dict[str, Any], origin: str) -> Any:
    while True:
        async with client.post(url, data=json.dumps(message), headers={"Origin": origin}) as answer:
            answer.raise_for_status()
            told = await answer.json()
        if told["why"] == "visitor":
            return told
        await asyncio.sleep(told["ask_again"] or 1)


def _placed(shop: Shop, number: str, said: str) -> PlacedCall:
    for call in reversed(shop.placed):
        if call.number == number:
            return call
    raise BrowserError(f"the shop rang nobody at {printed(number, 'CA')}: {said}")


def visit_shortfalls(made: Sequence[MadeVisit], lines: Sequence[CallLine]) -> list[str]:
    """What fell short of the visits' calls, in words; nothing when all went as it should."""
    faults = []
    if len({each.number for each in made}) != len(made):
        faults.append("visitors who came different ways were shown the same number")
    for each in made:
        caller = each.call.person.number
        mine = [line for line in lines if line.caller == caller]
        who = f"the call of the visitor who came {ARRIVALS[each.visit.way][0]} to {each.number}"
        if len(mine) != 1:
            faults.append(f"{who} is in the log {len(mine)} times")
            continue
        line = mine[0]
        wanted = LENT if each.visit.is_lent else (MAIN_NUMBER,)
        visits = {each.id} if each.visit.is_lent else {each.id, None}
        told = [
            (each.number in wanted, "the page showed another number than it should"),
            (line.did == each.number, f"its number is logged as {line.did}"),
            (line.source == each.visit.source, f"its source is {line.source}, not {each.visit.source}"),
            ((line.visit and line.visit.id) in visits, f"its visit is {line.visit}, not {each.id}"),
            (line.outcome == "answered", f"its outcome is {line.outcome}, not answered"),
            (line.recording is not None, "it has no recording"),
        ]
        faults += [f"{who}: {fault}" for holds, fault in told if not holds]
    return faults
