"""Sources by clicking: a new name and colour, two made one after a look at what changes, hidden, and all taken back."""

import re

import pytest
from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe


async def test_a_source_gets_another_name_and_colour_and_its_old_ones_back(pages: Pages, chromium: Browser) -> None:
    id = pages.company.sources["Facebook"]
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sources")
        await page.get_by_role("link", name="Facebook", exact=True).click()
        await page.get_by_label("Name", exact=True).fill("Meta")
        await page.get_by_label("Colour 17").check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Meta is changed.")).to_be_visible()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Meta")
        await expect(page.get_by_label("Colour 17")).to_be_checked()
        await expect(page.locator(".says .tag")).to_have_text("Facebook")
        await page.get_by_label("Name", exact=True).fill("Google Ads")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Another source has this name")).to_be_visible()
        await page.goto(f"{pages.url}/settings/sources/{id}")
    client = await pages.signed_in()
    answer = await client.post(f"/settings/sources/{id}", data={"name": "Meta Ads", "colour": "6"})
    step = re.search(r"/undo/\d+", await answer.text())
    assert step
    await client.post(step.group(0), data={"next": "/settings/sources"})
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT name FROM sources WHERE id = $1", id) == "Meta"


async def test_two_sources_become_one_after_a_look_and_are_two_again(pages: Pages, chromium: Browser) -> None:
    calls = [await add_call(pages.database, pages.company, source="Facebook") for _ in range(3)]
    await add_call(pages.database, pages.company, source="Google Ads")
    one, other = pages.company.sources["Facebook"], pages.company.sources["Google Ads"]
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sources/{one}")
        await page.get_by_label("The other source").select_option("Google Ads")
        await page.get_by_role("button", name="Show what would change").click()
        await expect(page.locator("#merge + p + form + .answer")).to_contain_text("Calls: 3")
        await page.get_by_role("button", name="Make it part of Google Ads").click()
        await expect(page.get_by_text("Facebook is part of Google Ads now.")).to_be_visible()
        await expect(page.locator(".facts")).to_contain_text("Calls4")
        # Addresses that were kept lead to the source it is part of.
        kept = await page.context.new_page()
        await kept.goto(f"{pages.url}/calls?source={one}&period=all")
        await expect(kept).to_have_url(re.compile(rf"source={other}\b"))
        await kept.close()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Undone.")).to_be_visible()
        await page.goto(f"{pages.url}/settings/sources/{one}")
        await expect(page.locator(".facts")).to_contain_text("Calls3")
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT count(*) FROM calls WHERE source_id = $1", one) == len(calls)


async def test_one_that_is_hidden_is_not_offered_and_comes_back(pages: Pages, chromium: Browser) -> None:
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("INSERT INTO sources (company_id, name) VALUES ($1, 'Old flyer')", pages.company.id)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sources/{pages.company.sources['Facebook']}")
        await expect(page.get_by_text("Numbers stand for it.")).to_be_visible()
        await expect(page.get_by_role("button", name="Hide it")).to_have_count(0)
        await page.goto(f"{pages.url}/settings/sources")
        await page.get_by_role("link", name="Old flyer").click()
        await page.get_by_role("button", name="Hide it").click()
        await expect(page.get_by_text("Old flyer is hidden.")).to_be_visible()
        await page.get_by_text("1 hidden source").click()
        await page.get_by_role("link", name="Old flyer").click()
        await page.get_by_role("button", name="Offer it again").click()
        await expect(page.get_by_text("Old flyer is offered again.")).to_be_visible()


async def test_who_may_only_look_changes_nothing_and_what_does_not_fit_any_more_says_so(pages: Pages) -> None:
    one, other = pages.company.sources["Facebook"], pages.company.sources["Google Ads"]
    analyst = await pages.signed_in(Role.ANALYST)
    assert (await analyst.get(f"/settings/sources/{one}")).status == 200
    for what in ("", "/merge", "/hide"):
        assert (await analyst.post(f"/settings/sources/{one}{what}", data={"into": str(other)})).status == 403
    client = await pages.signed_in()
    refused = await client.post(f"/settings/sources/{one}/hide", data={"hidden": "yes"})
    assert "Numbers still stand for Facebook." in await refused.text()
    assert (await client.post(f"/settings/sources/{one}/merge", data={"into": str(one)})).status == 422
    stranger = pages.stranger.sources["Google Ads"]
    assert (await client.post(f"/settings/sources/{one}/merge", data={"into": str(stranger)})).status == 422
    assert (await client.get(f"/settings/sources/{stranger}")).status == 404
    merged = await (await client.post(f"/settings/sources/{one}/merge", data={"into": str(other)})).text()
    step = re.search(r"/undo/\d+", merged)
    assert step
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("INSERT INTO sources (company_id, name) VALUES ($1, 'Facebook')", pages.company.id)
    said = await (await client.post(step.group(0), data={"next": "/settings/sources"})).text()
    assert "cannot be undone any more" in said
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT count(*) FROM merged_sources") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_no_page_is_too_wide(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    await add_call(pages.database, pages.company, source="Facebook")
    one, other = pages.company.sources["Facebook"], pages.company.sources["Google Ads"]
    async with looking(pages, chromium, scheme) as page:
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.goto(f"{pages.url}/settings/sources/{one}?into={other}")
            await page.get_by_text("Which visits see").click()
            await nothing_for_axe(page, f"source {width} {scheme}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
