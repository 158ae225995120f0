"""Forms in a real browser: they appear while one looks on, are marked by key and click, and axe finds nothing."""

import pytest
from playwright.async_api import Browser, expect

from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.leads import a_form
from tests.http.test_browser import Scheme, looking, nothing_for_axe


async def test_a_form_appears_in_the_open_list_and_is_marked_by_key(pages: Pages, chromium: Browser) -> None:
    await add_call(pages.database, pages.company)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await expect(page.locator("#live-state.is-live")).to_be_visible()
        form = await a_form(pages, hours=0)
        row = page.locator(f'li.call[data-key="{form}"]')
        await expect(row).to_contain_text("Hail took half")
        await row.locator(".when").focus()
        await page.keyboard.press("q")
        await expect(row.locator(".status")).to_have_text("Quoted")
        await page.keyboard.press("z")
        await expect(row.locator(".status")).to_have_text("New")
        await row.locator("a.status").click()
        dialog = page.get_by_role("dialog", name="(306) 555-0190")
        await dialog.get_by_label("What is the job worth?").fill("1850")
        await dialog.get_by_role("button", name="Book the job").click()
        await expect(row.locator(".worth")).to_have_text("$1,850")


async def test_its_page_is_marked_by_one_key_and_leads_back(pages: Pages, chromium: Browser) -> None:
    form = await a_form(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls?kind=written")
        await page.locator(f'li.call[data-key="{form}"] .when').click()
        await expect(page.get_by_role("heading", name="What was written")).to_be_visible()
        await page.keyboard.press("2")
        await expect(page.locator(".statuses [aria-pressed=true]")).to_have_text("Lead")
        await page.locator("#back").click()
        await expect(page).to_have_url(f"{pages.url}/calls?kind=written")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    form = await a_form(pages)
    await add_call(pages.database, pages.company, caller="+13065550190")
    async with looking(pages, chromium, scheme) as page:
        for path in ("/calls", f"/leads/{form}", f"/leads/{form}/marks", "/settings/programs"):
            await page.goto(pages.url + path)
            await nothing_for_axe(page, path)
            await page.set_viewport_size({"width": 390, "height": 844})
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, path
            await nothing_for_axe(page, f"{path} on a phone")
            await page.set_viewport_size({"width": 1280, "height": 900})
