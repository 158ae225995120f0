"""Without a mouse: past the bar, menus and dialogs opened and left, a form sent, a change undone."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, Page, expect

from tests.http.company import fill
from tests.http.conftest import Pages
from tests.http.test_browser import looking, until


async def test_the_first_stop_leads_past_the_bar(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        for path in ("/calls", "/reports", "/settings/company"):
            await page.goto(pages.url + path)
            await page.keyboard.press("Tab")
            await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(page.locator("#content")).to_be_focused()
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")


async def test_menus_open_close_and_give_the_focus_back(pages: Pages, chromium: Browser) -> None:
    await fill(pages.database, pages.company, pages.recordings, datetime.now(UTC))
    async with looking(pages, chromium) as page:
        for path in ("/overview", "/calls", "/visitors", "/reports"):
            await page.goto(pages.url + path)
            menus = page.locator("details.menu > summary:visible")
            assert await menus.count() >= 2
            for place in range(await menus.count()):
                menu = menus.nth(place)
                await menu.focus()
                await page.keyboard.press("Enter")
                await until(page, "document.querySelectorAll('details.menu[open]').length === 1")
                await page.keyboard.press("Tab")
                assert await page.evaluate("document.activeElement.closest('details.menu[open]') !== null")
                await page.keyboard.press("Escape")
                await until(page, "document.querySelector('details.menu[open]') === null")
                await expect(menu).to_be_focused()


@pytest.mark.parametrize("opener", ["a[href^='/calls/filters']", "li.call a.status"])
async def test_dialogs_keep_the_focus_and_give_it_back(pages: Pages, chromium: Browser, opener: str) -> None:
    await fill(pages.database, pages.company, pages.recordings, datetime.now(UTC))
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await expect(page.locator("#live-state")).to_have_text("Live")
        link = page.locator(opener).first
        await link.focus()
        await page.keyboard.press("Enter")
        await until(page, "document.querySelector('dialog[open]') !== null")
        await _stays_inside(page)
        await page.keyboard.press("Escape")
        await until(page, "document.querySelector('dialog[open]') === null")
        await expect(link).to_be_focused()


async def _stays_inside(page: Page) -> None:
    """Once around the dialog and on; behind its last place the browser's own bar comes, which is no part of it."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog[open]') !== null"
        )


async def test_a_form_is_sent_and_taken_back(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/tags")
        await page.get_by_label("Name").focus()
        await page.keyboard.type("ice dams")
        await page.keyboard.press("Enter")
        await expect(page.locator("#notices")).to_contain_text("ice dams")
        await page.get_by_role("link", name="ice dams").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/settings/tags/*")
        await page.get_by_role("button", name="Remove the tag").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Undo").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#notices")).to_contain_text("Undone.")
        await expect(page.get_by_role("link", name="ice dams")).to_be_visible()


async def test_what_is_wrong_in_a_form_has_the_focus(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/pools/new")
        await page.get_by_label("Name").focus()
        await page.keyboard.type("   ")
        await page.keyboard.press("Enter")
        field = page.get_by_label("Name")
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_be_focused()
