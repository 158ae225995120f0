"""The reports in a real browser: a sentence to choose from, headings, values, chips, months, on a phone, on paper."""

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.http.permissions import Role
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe
from tests.http.test_reports import Told, told

__all__ = ["told"]

PHONE = {"width": 390, "height": 844}


async def cells(page: Page, name: str) -> list[str]:
    """The figures of a row, without what they are compared with."""
    found = page.locator(f'.report-table tr:has(th:has-text("{name}"))').first.locator("td > :is(a, span)")
    return [text.strip() for text in await found.all_inner_texts()]


async def stays(page: Page) -> None:
    """Marks the page, so that it can be told whether it was loaded anew."""
    await page.evaluate("window.stays = true")


async def stayed(page: Page) -> bool:
    return bool(await page.evaluate("window.stays === true"))


async def test_the_sentence_is_chosen_from(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?measures=calls,answered")
        await stays(page)
        await expect(page.locator("#ask-show")).to_be_hidden()
        await page.get_by_label("First told by", exact=True).focus()
        await page.get_by_label("First told by", exact=True).select_option(label="number called")
        await expect(page.locator(".report-table thead th").first).to_have_text("Number called")
        assert page.url.endswith("/reports?by=number&measures=calls,answered")
        await expect(page.locator("figcaption").first).to_have_text("Calls by day and number called")
        await expect(page.locator(".chart .drawing .layer").first).to_be_visible()
        await expect(page.get_by_label("First told by", exact=True)).to_be_focused()
        await page.get_by_label("Compared with", exact=True).select_option(label="nothing")
        await expect(page.locator(".report-table .change")).to_have_count(0)
        await page.get_by_label("Credit to", exact=True).select_option(label="all visits alike")
        await expect(page.locator(".notes")).to_contain_text("parts of calls")
        await expect(page.locator("tfoot td").first).to_have_text("9.0")
        await page.go_back()
        await page.go_back()
        await expect(page.locator(".report-table .change").first).to_be_visible()
        await page.go_back()
        await expect(page.locator(".report-table thead th").first).to_have_text("Source")
        assert await stayed(page)


async def test_what_to_show_is_ticked(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?measures=calls")
        await stays(page)
        await page.locator("#measures summary").click()
        await page.get_by_label("Missed", exact=True).check()
        await page.get_by_label("Cost per call").check()
        await page.get_by_role("button", name="Show these").click()
        await expect(page.locator("#measures summary")).to_contain_text("Calls, missed and cost per call")
        assert await cells(page, "Google Ads") == ["5", "1", "$60"]
        await page.locator("#measures summary").click()
        await page.get_by_role("link", name="The usual ones").click()
        await expect(page.locator("#measures summary")).to_contain_text("qualified and 6 more")
        assert page.url.endswith("/reports")
        assert await stayed(page)


async def test_clicked_through_from_all_to_the_calls(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?measures=calls,answered")
        await stays(page)
        await page.locator(".report-table tbody").get_by_role("link", name="Google Ads").click()
        chip = page.locator(".chosen .chip")
        await expect(chip).to_contain_text("Google Ads")
        await expect(page.locator(".report-table thead th").first).to_have_text("Campaign")
        await expect(page.locator("tfoot td").first).to_contain_text("5")
        await chip.click()
        await expect(chip).to_have_count(0)
        await expect(page.locator("tfoot td").first).to_contain_text("9")
        assert await stayed(page)
        await page.locator('.report-table tbody tr:has-text("Google Ads") td').nth(1).get_by_role("link").click()
        await page.wait_for_url("**/calls?**")
        await expect(page.locator("li.call")).to_have_count(4)


async def test_a_heading_sorts_and_keeps_the_focus(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?measures=calls,answered")
        heading = page.locator(".report-table thead").get_by_role("link", name="Answered")
        await heading.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".report-table thead th").nth(2)).to_have_attribute("aria-sort", "descending")
        await expect(page.locator("figcaption").first).to_have_text("Answered by day and source")
        await expect(heading).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".report-table thead th").nth(2)).to_have_attribute("aria-sort", "ascending")
        await page.locator(".headlines").get_by_role("link", name="Calls").click()
        await expect(page.locator(".report-table thead th").nth(1)).to_have_attribute("aria-sort", "descending")


async def test_another_period_shows_the_same_report(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?measures=calls")
        await page.get_by_label("First told by", exact=True).select_option(label="pool")
        await expect(page.locator(".report-table thead th").first).to_have_text("Pool")
        await page.locator(".period-menu summary").click()
        await page.get_by_role("link", name="Last 7 days").click()
        await page.wait_for_url("**period=7d**")
        await expect(page.locator(".report-table thead th").first).to_have_text("Pool")
        await expect(page.locator("tfoot td").first).to_contain_text("5")


async def test_a_report_is_kept_and_taken_back(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?by=number&measures=calls")
        await page.locator(".views summary").click()
        await page.get_by_label("Keep this report under a name").fill("By number")
        await page.get_by_role("button", name="Keep this report").click()
        await expect(page.locator(".views summary")).to_have_text("By number")
        await page.goto(f"{pages.url}/reports/months")
        await page.locator(".views summary").click()
        await page.get_by_role("link", name="By number", exact=True).click()
        await page.wait_for_url("**/reports?by=number&measures=calls")
        await page.locator(".views summary").click()
        await page.get_by_role("button", name="Remove the report By number").click()
        await expect(page.locator(".views summary")).to_have_text("Kept reports")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".views summary")).to_have_text("By number")


async def test_months(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports")
        await page.get_by_role("navigation", name="Reports").get_by_role("link", name="Months").click()
        await expect(page.locator(".month-table thead th")).to_have_count(14)
        await stays(page)
        await page.get_by_label("What to show", exact=True).select_option(label="Answered")
        await expect(page.locator("tfoot td").last).to_contain_text("12")
        assert await stayed(page)
        await page.locator("tfoot td").last.get_by_role("link").click()
        await page.wait_for_url("**/calls?**")
        await expect(page.locator("li.call")).to_have_count(12)


async def test_all_of_it_works_without_script(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium, script=False) as page:
        await page.goto(f"{pages.url}/reports?measures=calls")
        await page.get_by_label("First told by", exact=True).select_option(label="number called")
        await page.get_by_label("Then told by", exact=True).select_option(label="source")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.wait_for_url("**by=number,source**")
        await expect(page.locator(".report-table.is-across thead th")).to_have_count(6)
        await page.get_by_role("link", name="One below the other").click()
        await expect(page.locator(".report-table tr.is-under")).to_have_count(3)


async def test_on_a_phone_nothing_is_wider_than_the_window(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        for path in ("/reports", "/reports?by=source,number&measures=calls", "/reports/months", "/reports?by=none"):
            await page.goto(f"{pages.url}{path}")
            await expect(page.locator("#ask")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        await page.goto(f"{pages.url}/reports/months")
        # The newest months are in sight.
        await expect(page.locator(".month-table thead th").last).to_be_in_viewport()


async def test_on_paper_there_is_the_report_and_nothing_else(pages: Pages, told: Told, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports?measures=calls,jobs&compare=none")
        await expect(page.get_by_role("button", name="Print")).to_be_visible()
        await page.emulate_media(media="print")
        await expect(page.locator(".print-title")).to_contain_text(
            "Calls and jobs by source, counted on the day of the call, credit to the first visit."
        )
        await expect(page.get_by_text("Acme Roofing").first).to_be_visible()
        for gone in ("#ask", ".tabs", ".places", "#print", ".foot", ".chart-data"):
            await expect(page.locator(gone).first).to_be_hidden()
        await expect(page.locator(".chart .drawing")).to_be_visible()
        await expect(page.locator(".report-table tbody tr")).to_have_count(4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(pages: Pages, told: Told, chromium: Browser, scheme: Scheme) -> None:
    async with looking(pages, chromium, scheme, Role.OWNER) as page:
        for size in ({"width": 1280, "height": 900}, PHONE):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            for path in (
                "/reports",
                f"/reports?where.source={pages.company.sources['Facebook']}&by=number,source&top=1",
                "/reports?by=source,number&measures=calls",
                "/reports?by=none&model=linear",
                "/reports?period=today",
                "/reports/months",
            ):
                await page.goto(f"{pages.url}{path}")
                await expect(page.locator("#ask-show")).to_be_hidden()
                await nothing_for_axe(page, f"{path} {size}")
            await page.goto(f"{pages.url}/reports")
            await page.locator("#measures summary").click()
            await nothing_for_axe(page, f"what to show {size}")
