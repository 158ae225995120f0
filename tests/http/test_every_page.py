"""Every page of the route table in a real browser, of a company full of history and of one in which nothing happened.

Routes are taken from the table, and the addresses of single things from the links of the pages before: so a page that
is added is looked at without being named here, and one that nothing leads to is found.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from gateway.calls import flow_setup
from gateway.example.company import set_up
from gateway.example.filling import fill
from gateway.example.trades import ROOFING
from gateway.http.app import TABLE
from gateway.http.permissions import Permission
from gateway.http.routing import Answers, Route
from gateway.leads.gathering import gather_all
from gateway.pools.setup import Company
from gateway.reports import mail_subscriptions
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Wish
from gateway.texts import accounts
from gateway.texts.carriers.shape import Kind as Carrier
from gateway.texts.store import keep
from gateway.texts.text import Inbound
from tests.http.company import MadeCompany
from tests.http.conftest import Pages, running_pages
from tests.http.test_browser import _TOO_WIDE, Scheme, looking, nothing_for_axe, watch

# What is a page, and neither a file nor the script's own.
PAGES = [
    route
    for route in TABLE
    if route.method == "GET" and route.answers is Answers.PAGE and not re.search(r"\.(csv|xlsx|wav)$", route.path)
]
PUBLIC = [route for route in PAGES if route.permission is Permission.PUBLIC]
PRIVATE = [route for route in PAGES if route.permission is not Permission.PUBLIC]
# What only somebody's doing makes, and the example has nothing of: a check of a site, advice on a pool that was full,
# rules run over past visits and put in force, subscriptions to mails, calls back, and what a person with one number
# lacks.
WITHOUT_LINK = frozenset(
    {
        "/settings/sites/{id:[0-9]{1,19}}/checks/{check:[0-9]{1,19}}",
        "/settings/pools/{id:[0-9]{1,19}}/advice",
        "/settings/sources/runs/{id:[0-9]{1,19}}",
        "/settings/sources/versions/{version:[0-9]{1,9}}",
        "/settings/mail/preview",
        "/settings/mail/{id:[0-9]{1,19}}",
        "/people/{id:[0-9]{1,19}}/split",
        "/visitors/of/{visitor:[0-9a-f-]{36}}",
        "/calls/back/{id:[0-9]{1,19}}",
    }
)
# Say nothing without what is asked.
ASKED = frozenset({"/settings/mail/preview"})
# Only for whoever owns more than one company.
OF_SEVERAL = frozenset({"/settings/company/new"})

# What moved under the reader's eyes without his doing; Chromium's measure, of which 0.1 is said to be good.
_MOVES = """
window.moved = 0; window.movedWhat = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.moved += entry.value;
    for (const source of entry.sources) window.movedWhat.push(source.node?.outerHTML?.slice(0, 80));
  }
}).observe({ type: "layout-shift", buffered: true });
"""
_STILL = 0.02

_PLACE = re.compile(r"{\w+:((?:[^{}]|{[^{}]*})*)}")


def pattern(route: Route) -> re.Pattern[str]:
    """What an address of the route looks like."""
    return re.compile(
        "".join(f"(?:{part})" if place % 2 else re.escape(part) for place, part in enumerate(_PLACE.split(route.path)))
    )


@pytest_asyncio.fixture
async def filled(database_dsn: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """Pages of the example company, by its owner's eyes."""
    async with running_pages(database_dsn, tmp_path) as pages:
        async with pages.database.everything() as connection:
            company, key = await set_up(connection, ROOFING, "PJSIP/office")
        await fill(pages.database, ROOFING, company.id, key, datetime.now(UTC), made_company=True)
        await gather_all(pages.database)
        pages.company = MadeCompany(company.id)
        async with pages.database.companies(company.id) as connection:
            wish = Wish(Kind.WEEKLY)
            await mail_subscriptions.add(connection, company.id, wish, None, user_id=None, address="boss@example.com")
            ring = {"kind": "ring", "lines": [await connection.fetchval("SELECT name FROM destinations LIMIT 1")]}
            owner = Company(company.id, company.name, company.region)
            await flow_setup.set_flow(connection, owner, "Office", {"version": 1, "start": ring})
            # A carrier, and somebody who wrote: the newest of its leads.
            carrier = await accounts.add(connection, company.id, "Carrier", Carrier.VOIPMS, {}, {})
            number = await connection.fetchval("SELECT e164 FROM tracking_numbers ORDER BY id LIMIT 1")
            said = ("Can you come today?", ("https://media.example/1.jpg",), "1", None, datetime.now(UTC))
            await keep(connection, Inbound(company.id, carrier, number, "+13065550142", *said))
        yield pages


async def _looked_at(page: Page, where: str, found: list[str], width: int) -> list[str]:
    """Look at the page as it is; what is wrong goes into ``found``. The links on it."""
    # Two frames: what scripts brought is drawn by then.
    await page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    moved, what = await page.evaluate("[window.moved, window.movedWhat]")
    if moved > _STILL:
        found.append(f"{where} moves by {moved:.3f}: {what}")
    await page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    try:
        await nothing_for_axe(page, where)
    except AssertionError as error:
        found.append(str(error))
    wide = await page.evaluate(_TOO_WIDE, width)
    if wide:
        found.append(f"{where} scrolls sideways: {wide}")
    links: list[str] = await page.eval_on_selector_all("a[href^='/']", "all => all.map((a) => a.getAttribute('href'))")
    return links


async def _walk(pages: Pages, page: Page, width: int) -> tuple[list[str], list[str]]:
    """Go to every page once; what was wrong, and which routes nothing led to."""
    found: list[str] = []
    known: list[str] = []
    left = list(PRIVATE)
    await page.add_init_script(_MOVES)
    await page.set_viewport_size({"width": width, "height": 844})
    while left:
        # Those that need nothing first: they lead to the others. A link says more than the bare address.
        for route in left:
            fits = pattern(route)
            address = next((link for link in known if fits.fullmatch(urlsplit(link).path)), None)
            if address is None and "{" not in route.path and route.path not in ASKED:
                address = route.path
            if address is not None:
                break
        else:
            return found, [route.path for route in left]
        left.remove(route)
        answer = await page.goto(pages.url + address)
        assert answer is not None
        if answer.status != 200 and route.path not in OF_SEVERAL:
            found.append(f"{address}: {answer.status}")
        known += await _looked_at(page, f"{route.path} ({address})", found, width)
    return found, []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_every_page_of_a_company_with_history(
    filled: Pages, chromium: Browser, scheme: Scheme, width: int
) -> None:
    async with looking(filled, chromium, scheme) as page:
        found, unreached = await _walk(filled, page, width)
    assert found == [], "\n".join(found)
    assert set(unreached) <= WITHOUT_LINK, "\n".join(unreached)


@pytest.mark.parametrize(("scheme", "width"), [("light", 390)])
async def test_every_page_of_a_company_in_which_nothing_happened(
    pages: Pages, chromium: Browser, scheme: Scheme, width: int
) -> None:
    async with looking(pages, chromium, scheme) as page:
        found, _ = await _walk(pages, page, width)
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
async def test_every_page_for_everybody(pages: Pages, chromium: Browser, scheme: Scheme, width: int) -> None:
    found: list[str] = []
    context = await chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = await context.new_page()
    watch(context, page, pages.url, found)
    await page.add_init_script(_MOVES)
    for route in PUBLIC:
        address = _PLACE.sub("nonsense", route.path)
        await page.goto(pages.url + address)
        await _looked_at(page, address, found, width)
    await context.close()
    assert found == [], "\n".join(found)
