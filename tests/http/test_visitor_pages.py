"""Visitors in a real browser: filtered by clicking values, one visitor's story, forgetting."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.http.permissions import Role
from gateway.leads.gathering import gather_all
from tests.http.conftest import Pages
from tests.http.journeys import Journeys
from tests.http.test_browser import looking, nothing_for_axe

DANA = "+13065550142"


async def fill(pages: Pages) -> tuple[Journeys, UUID, UUID, int]:
    """Dana came by an advertisement, came again and called; others only looked. Her visitor, last visit and call."""
    now = datetime.now(UTC).replace(microsecond=0)
    journeys = await Journeys.open(pages.database, pages.company)
    dana = uuid4()
    await journeys.visit(
        now - timedelta(days=4), visitor=dana, campaign="spring", keyword="roof repair", path="/spring"
    )
    last = await journeys.visit(
        now - timedelta(hours=3), visitor=dana, label="Direct", channel="Direct", path="/prices", device="desktop"
    )
    call = await journeys.call(last, dana, now - timedelta(hours=3) + timedelta(minutes=2), DANA)
    await journeys.form(now - timedelta(hours=2), phone=DANA, name="Dana Whitford", visit=last, visitor=dana)
    for hours in (5, 30):
        await journeys.visit(now - timedelta(hours=hours), label="Facebook", channel="Organic Social", region="CA-AB")
    await gather_all(pages.database)
    return journeys, dana, last, call


async def shown(page: Page) -> int:
    return await page.locator("tbody tr").count()


async def test_filtered_by_clicking_values(pages: Pages, chromium: Browser) -> None:
    await fill(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/visitors")
        assert await shown(page) == 4
        for value, count in (
            ("Facebook", 2),
            ("Paid Search", 1),
            ("spring", 1),
            ("roof repair", 1),
            ("/prices", 1),
            ("computer", 1),
            ("CA-AB", 2),
            ("Called", 1),
            ("Sent a form", 1),
            ("Neither", 3),
        ):
            await page.get_by_role("link", name=value, exact=True).first.click()
            assert await shown(page) == count, value
            await page.get_by_role("link", name="Show all visits").click()
            assert await shown(page) == 4
        await page.get_by_role("link", name="Facebook").first.click()
        await page.get_by_role("link", name="Called", exact=True).click()
        await expect(page.get_by_role("heading", name="No visit fits")).to_be_visible()


async def test_the_story_of_a_visitor(pages: Pages, chromium: Browser) -> None:
    _, _, last, call = await fill(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/visitors/{last}")
        await expect(page.get_by_text("Came 2 times")).to_be_visible()
        steps = [
            " ".join(text.split())
            for text in await page.locator(".one-visit").first.locator("li > div").all_inner_texts()
        ]
        assert steps[0].startswith("Page /prices /prices")
        assert steps[0].endswith("0:30")
        assert any(step.startswith("saw (306) 555-") and step.endswith("1:35") for step in steps)
        assert any(step.startswith("tapped (306) 555-") for step in steps)
        assert any("97% sure" in step and "Answered" in step for step in steps)
        assert any("Shingles are missing" in step for step in steps)
        await page.get_by_role("link", name="Dana Whitford").click()
        await expect(page.get_by_role("heading", name="Dana Whitford")).to_be_visible()
        assert await page.locator(".event.is-visit").count() == 2
        await page.get_by_role("link", name="Call", exact=True).click()
        await page.wait_for_url(f"**/calls/{call}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(pages: Pages, chromium: Browser, scheme: str) -> None:
    _, dana, last, _ = await fill(pages)
    async with looking(pages, chromium, "dark" if scheme == "dark" else "light") as page:
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in ("/visitors", "/visitors?source=Facebook", f"/visitors/{last}", f"/visitors/of/{dana}"):
                await page.goto(pages.url + path)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
                await nothing_for_axe(page, path)


async def test_forgotten_for_good_and_the_credit_stays(pages: Pages, chromium: Browser) -> None:
    _, dana, last, call = await fill(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/visitors/{last}")
        await page.get_by_text("Forget this visitor", exact=True).click()
        await page.get_by_role("button", name="Forget this visitor for good").click()
        await page.wait_for_url("**/visitors")
        await expect(page.get_by_role("status")).to_contain_text("Forgotten")
        await page.goto(f"{pages.url}/visitors/{last}")
        await expect(page.get_by_text("Not known again")).to_be_visible()
        await page.goto(f"{pages.url}/visitors/of/{dana}")
        await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    await gather_all(pages.database)
    async with pages.database.companies(pages.company.id) as wire:
        tables = await wire.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        for (table,) in tables:
            found = await wire.fetchval(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE $1', f"%{dana}%")
            assert found == 0, table
        left = await wire.fetch("SELECT url, click_id, user_agent FROM visits WHERE id = $1", last)
        assert [tuple(row) for row in left] == [("https://home.example/prices", "", "")]
        assert await wire.fetchval("SELECT label FROM attributions WHERE call_id = $1", call) == "Google Ads"
        person = await wire.fetchrow("SELECT calls, forms FROM people WHERE phone = $1", DANA)
        assert person is not None
        assert tuple(person) == (1, 1)
        log = await wire.fetchrow("SELECT subject, details::text FROM audit_log WHERE action = 'person.erased'")
        assert str(dana) not in str(log)
        assert str(last) not in str(log)


async def test_who_may(pages: Pages) -> None:
    _, dana, last, _ = await fill(pages)
    strangers = await Journeys.open(pages.database, pages.stranger)
    theirs = await strangers.visit(datetime.now(UTC), visitor=uuid4())
    manager, agent, analyst = [await pages.signed_in(role) for role in (Role.MANAGER, Role.AGENT, Role.ANALYST)]
    assert (await analyst.get(f"/visitors/{last}")).status == 200
    assert (await agent.get("/visitors")).status == 403
    assert (await agent.get(f"/visitors/of/{dana}")).status in (403, 404)
    assert (await manager.post(f"/visitors/{last}/forget")).status == 403
    owner = await pages.signed_in(Role.OWNER)
    assert (await owner.get(f"/visitors/{theirs}")).status == 404
    assert (await owner.post(f"/visitors/{theirs}/forget")).status == 404
    for query in ("before=x", "called=maybe", "period=never", "before=1-2"):
        assert (await owner.get(f"/visitors?{query}")).status == 400, query


async def test_pages_of_the_list_show_each_visit_once(pages: Pages) -> None:
    journeys = await Journeys.open(pages.database, pages.company)
    now = datetime.now(UTC)
    visits = [await journeys.visit(now - timedelta(minutes=7 * n)) for n in range(120)]
    owner, seen, path = await pages.signed_in(), [], "/visitors"
    while path:
        text = await (await owner.get(path)).text()
        rows = text.split("<tbody>")[1].split("</tbody>")[0].split('class=" is-main"')[1:]
        seen += [row.split("/visitors/")[1][:36] for row in rows]
        older = text.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0] if 'rel="next"' in text else ""
        path = older.replace("&amp;", "&")
    assert seen == [str(visit) for visit in visits]
