"""A pool and a website removed by clicking: numbers ring on, visits stay, snippets get no answer, all comes back."""

import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from gateway.pools.offer import load_offer
from tests.http.conftest import Pages
from tests.http.journeys import Journeys
from tests.http.test_browser import Scheme, looking, nothing_for_axe


async def pool_id(pages: Pages, name: str) -> int:
    async with pages.database.companies(pages.company.id) as wire:
        found: int = await wire.fetchval("SELECT id FROM pools WHERE name = $1", name)
    return found


async def numbers(pages: Pages) -> list[tuple[str, bool]]:
    """Every number by its pool, and whether it is retired."""
    async with pages.database.companies(pages.company.id) as wire:
        rows = await wire.fetch(
            "SELECT p.name, n.retired_at IS NOT NULL AS retired "
            "FROM tracking_numbers n JOIN pools p ON p.id = n.pool_id "
            "ORDER BY n.id"
        )
    return [(row["name"], row["retired"]) for row in rows]


async def offered(pages: Pages) -> tuple[set[str], set[str]]:
    """The sites that are answered, and the pools that are lent from."""
    async with pages.database.everything() as wire:
        offer = await load_offer(wire)
    mine = {key for key, site in offer.sites.items() if site.company_id == pages.company.id}
    return mine, {pool.name for pool in offer.pools.get(pages.company.id, ())}


async def test_a_pool_is_removed_its_numbers_retire_and_all_comes_back(pages: Pages, chromium: Browser) -> None:
    before = await numbers(pages)
    id = await pool_id(pages, "Advertisements")
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/pools/{id}")
        await page.get_by_role("button", name="Remove the pool").click()
        await expect(page.get_by_text("Advertisements is removed. 3 numbers are retired")).to_be_visible()
        assert await numbers(pages) == [("Advertisements", True)] * 3
        await page.get_by_role("region", name="Removed pools").get_by_role("link", name="Advertisements").click()
        await expect(page.get_by_text("their calls ring on")).to_be_visible()
        await expect(page.get_by_role("button", name="Remove the pool")).to_have_count(0)
    client = await pages.signed_in()
    assert (await client.post(f"/settings/pools/{id}/remove")).status == 404
    # Its name is free again; while another has it there is no way back, and the page says so.
    answer = await client.post("/settings/pools", data={"name": "Other", "kind": "dynamic"})
    assert answer.status == 200
    other = await pool_id(pages, "Other")
    said = await (await client.post(f"/settings/pools/{other}/remove")).text()
    await client.post("/settings/pools", data={"name": "Other", "kind": "dynamic"})
    step = re.search(r"/undo/\d+", said)
    assert step
    assert (
        "cannot be undone any more" in await (await client.post(step.group(0), data={"next": "/settings/pools"})).text()
    )
    assert before == [("Advertisements", False)] * 3


async def test_undo_gives_a_pool_its_numbers_back(pages: Pages) -> None:
    client = await pages.signed_in()
    before, id = await numbers(pages), await pool_id(pages, "Advertisements")
    said = await (await client.post(f"/settings/pools/{id}/remove", data={"goes": "retire"})).text()
    step = re.search(r"/undo/\d+", said)
    assert step
    await client.post(step.group(0), data={"next": "/settings/pools"})
    assert await numbers(pages) == before


async def test_numbers_go_into_another_pool(pages: Pages, chromium: Browser) -> None:
    client = await pages.signed_in()
    journeys = await Journeys.open(pages.database, pages.company)
    await client.post("/settings/pools", data={"name": "Spare", "kind": "static"})
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/pools/{await pool_id(pages, 'Website')}")
        form = page.locator("form", has=page.get_by_role("button", name="Remove the pool"))
        await form.get_by_label("go into another pool").check()
        await form.get_by_label("Pool", exact=True).select_option("Spare")
        await page.get_by_role("button", name="Remove the pool").click()
        await expect(page.get_by_text("every number stands for a source")).to_be_visible()
        await form.get_by_label("Source", exact=True).select_option("Facebook")
        await page.get_by_role("button", name="Remove the pool").click()
        await expect(page.get_by_text("Website is removed. 1 number is moved.")).to_be_visible()
    assert ("Spare", False) in await numbers(pages)
    assert (await offered(pages))[1] == {"Advertisements", "Spare"}
    assert journeys.number


async def test_a_removed_website_gets_no_answer_keeps_its_visits_and_comes_back(
    pages: Pages, chromium: Browser
) -> None:
    journeys = await Journeys.open(pages.database, pages.company)
    visit = await journeys.visit(datetime.now(UTC))
    assert len((await offered(pages))[0]) == 1
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sites/{journeys.site}")
        await page.get_by_role("button", name="Remove the website").click()
        await expect(page.get_by_text("Home is removed.")).to_be_visible()
        assert (await offered(pages))[0] == set()
        response = await page.goto(f"{pages.url}/settings/sites/{journeys.site}")
        assert response
        assert response.status == 404
        await page.goto(f"{pages.url}/visitors/{visit}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
    client = await pages.signed_in()
    async with pages.database.companies(pages.company.id) as wire:
        step = await wire.fetchval("SELECT max(id) FROM undo_steps WHERE kind = 'site.removed'")
    await client.post(f"/undo/{step}", data={"next": "/settings/sites"})
    assert len((await offered(pages))[0]) == 1


async def test_who_may_only_look_removes_nothing(pages: Pages) -> None:
    journeys = await Journeys.open(pages.database, pages.company)
    analyst = await pages.signed_in(Role.ANALYST)
    for path in (f"pools/{await pool_id(pages, 'Website')}", f"sites/{journeys.site}"):
        assert "Remove it" not in await (await analyst.get(f"/settings/{path}")).text()
        assert (await analyst.post(f"/settings/{path}/remove")).status == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_no_page_is_too_wide(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    journeys = await Journeys.open(pages.database, pages.company)
    gone = await pool_id(pages, "Advertisements")
    client = await pages.signed_in()
    await client.post(f"/settings/pools/{gone}/remove", data={"goes": "retire"})
    async with looking(pages, chromium, scheme) as page:
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in (
                "pools",
                f"pools/{gone}",
                f"pools/{await pool_id(pages, 'Website')}",
                f"sites/{journeys.site}",
            ):
                await page.goto(f"{pages.url}/settings/{path}")
                await nothing_for_axe(page, f"{path} {width} {scheme}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
