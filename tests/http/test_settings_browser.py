"""The settings by clicking, in a real browser: a destination, a rule for a caller, a lead's rule, a recording's end."""

import pytest
from playwright.async_api import Browser, expect

from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe


async def test_a_destination_is_added_then_removed_and_that_is_undone(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings")
        await page.get_by_role("link", name="Destinations").first.click()
        await page.get_by_role("link", name="Add a destination").click()
        await page.get_by_label("Name", exact=True).fill("Workshop")
        await page.get_by_label("Telephone, number or dial string").fill("workshop 102")
        await page.get_by_label("Rings for, in seconds").fill("20")
        await page.get_by_label("When nobody answers").select_option("Reception")
        await page.get_by_role("button", name="Add the destination").click()
        await expect(page.get_by_text("Calls can ring at Workshop now.")).to_be_visible()
        await expect(page.get_by_text("the telephone workshop and the telephone 102")).to_be_visible()
        await page.get_by_role("link", name="Workshop").click()
        await page.get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("Workshop is removed.")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("link", name="Workshop")).to_be_visible()


async def test_a_caller_is_blocked_and_a_rule_of_leads_is_tried(pages: Pages, chromium: Browser) -> None:
    await add_call(pages.database, pages.company, talk=45)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/destinations")
        await page.get_by_label("Caller's number").fill("(306) 555-0142")
        await page.get_by_label("Why").fill("sells warranties")
        await page.get_by_role("button", name="Set the rule").click()
        await expect(page.get_by_text("are refused from now on")).to_be_visible()
        await page.get_by_role("link", name="Leads").first.click()
        await page.get_by_label("Talk in seconds that makes a lead").fill("40")
        await page.get_by_role("button", name="Try it out first").click()
        await expect(page.get_by_text("would make 1 of the 1 calls")).to_be_visible()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("at least 40 s, as now")).to_be_visible()


async def test_a_recording_is_deleted_for_good(pages: Pages, chromium: Browser) -> None:
    made = make_recording(pages.recordings, "gone", 3)
    call = await add_call(pages.database, pages.company, recording=made)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls/{call}")
        await page.get_by_text("Delete the recording").click()
        await page.get_by_role("button", name="Delete it for good").click()
        await expect(page.get_by_text("The recording was deleted on")).to_be_visible()
    assert not (pages.settings.data_folder / made[0]).exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_no_page_is_too_wide(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    await add_call(pages.database, pages.company)
    async with looking(pages, chromium, scheme) as page:
        async with pages.database.everything() as wire:
            await wire.execute(
                "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'owner' FROM users",
                pages.stranger.id,
            )
            reception = await wire.fetchval(
                "SELECT id FROM destinations WHERE company_id = $1 AND name = 'Reception'", pages.company.id
            )
            await wire.execute(
                "INSERT INTO caller_rules (company_id, caller, verdict) VALUES ($1, '+13065550142', 'block')",
                pages.company.id,
            )
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in (
                "company",
                "company/new",
                "destinations",
                "destinations/new",
                f"destinations/{reception}",
                "recording",
                "leads",
                "leads?seconds=30",
            ):
                await page.goto(f"{pages.url}/settings/{path}")
                await expect(page.get_by_role("heading", level=1)).to_be_visible()
                await nothing_for_axe(page, f"{path} {width} {scheme}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
