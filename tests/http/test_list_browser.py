"""The list in a real browser: marked by key and click, filtered and searched over itself, the shell around it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.leads import marks
from gateway.leads.marks import Status
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe, until


async def three_calls(pages: Pages) -> list[int]:
    """Three calls of three callers, the newest first."""
    now = datetime.now(UTC)
    callers = (("+13065550142", "Dana Whitford"), ("+13065550199", "Maria Lavallée"), ("+442079460018", ""))
    made = [
        await add_call(
            pages.database, pages.company, caller=who, caller_name=name, started_at=now - timedelta(minutes=1 + place)
        )
        for place, (who, name) in enumerate(callers)
    ]
    async with pages.database.companies(pages.company.id) as wire:
        for call in made:
            await marks.index(wire, pages.company.id, call)
    return made


async def status(pages: Pages, call: int) -> Status:
    async with pages.database.companies(pages.company.id) as wire:
        found = await marks.marks_of(wire, pages.company.id, call)
    assert found is not None
    return found.status


def row(page: Page, call: int) -> str:
    return f'li.call[data-key="{call}"]'


async def test_one_key_marks_the_call_and_one_takes_it_back(pages: Pages, chromium: Browser) -> None:
    calls = await three_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await page.keyboard.press("l")  # nothing is chosen yet
        for _ in range(2):
            await page.keyboard.press("j")
        await page.keyboard.press("l")
        await expect(page.locator(row(page, calls[1])).locator(".status")).to_have_text("Lead")
        await expect(page.locator("#notices")).to_contain_text("(306) 555-0199: Lead.")
        assert (await status(pages, calls[0]), await status(pages, calls[1])) == (Status.NEW, Status.LEAD)
        # The row was replaced under the reader, who stays where he was.
        focused = "document.activeElement.closest('li.call')?.dataset.key"
        assert await page.evaluate(focused) == str(calls[1])
        await page.keyboard.press("z")
        await expect(page.locator("#notices")).to_contain_text("Undone.")
        await expect(page.locator(row(page, calls[1])).locator(".status")).to_have_text("New")
        assert await status(pages, calls[1]) is Status.NEW
        for key, becomes in (("q", "Quoted"), ("b", "Booked"), ("x", "Lost"), ("s", "Spam"), ("n", "New")):
            await page.keyboard.press(key)
            await expect(page.locator(row(page, calls[1])).locator(".status")).to_have_text(becomes)
        await page.keyboard.press("Escape")
        await expect(page.locator(".notice")).to_have_count(0)


async def test_the_marks_open_over_the_list(pages: Pages, chromium: Browser) -> None:
    calls = await three_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await page.locator(row(page, calls[0])).locator("a.status").click()
        dialog = page.get_by_role("dialog", name="(306) 555-0142")
        await expect(dialog).to_be_visible()
        await nothing_for_axe(page, "marks over the list")
        await dialog.get_by_label("Tag", exact=True).fill("Roof")
        await page.keyboard.press("Enter")
        await expect(dialog.get_by_role("list", name="Tags")).to_contain_text("Roof")
        await dialog.get_by_label("What is the job worth?").fill("much")
        await dialog.get_by_role("button", name="Book the job").click()
        await expect(dialog.locator("#value-problem")).to_have_text("This is not a number.")
        assert await page.evaluate("document.activeElement.id") == "value"
        await dialog.get_by_label("What is the job worth?").fill("1200")
        await dialog.get_by_role("button", name="Book the job").click()
        await expect(dialog.get_by_role("button", name="Correct the value")).to_be_visible()
        await dialog.get_by_label("Note").fill("Chimney on Monday")
        await dialog.get_by_role("button", name="Save the note").click()
        await expect(page.locator("#notices")).to_contain_text("The note is saved.")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        found = page.locator(row(page, calls[0]))
        await expect(found).to_contain_text("$1,200")
        await expect(found).to_contain_text("Roof")
        await expect(found).to_contain_text("Chimney on Monday")
        await found.get_by_role("link", name="Roof").click()
        await expect(page).to_have_url(re.compile(r"\?tag=\d+$"))
        assert await page.locator("li.call").count() == 1


async def test_marks_change_on_the_call_page_too(pages: Pages, chromium: Browser) -> None:
    calls = await three_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls/{calls[0]}")
        await page.get_by_role("button", name="Quoted", exact=True).click()
        await expect(page.locator("#notices")).to_contain_text("Quoted.")
        await expect(page.get_by_role("button", name="Quoted", exact=True)).to_have_attribute("aria-pressed", "true")
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("button", name="New", exact=True)).to_have_attribute("aria-pressed", "true")
        assert page.url.endswith(f"/calls/{calls[0]}")


async def test_search_filter_and_help_by_key(pages: Pages, chromium: Browser) -> None:
    calls = await three_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="By keyboard")
        await expect(keys).to_be_visible()
        await nothing_for_axe(page, "keys")
        await page.keyboard.press("Escape")
        await expect(keys).to_be_hidden()
        await page.keyboard.press("/")
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.type("lavallee")
        await expect(page.locator("#search")).to_have_value("lavallee")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/calls?q=lavallee")
        assert await page.locator("li.call").count() == 1
        await page.keyboard.press("f")
        dialog = page.get_by_role("dialog", name="Filter")
        await expect(dialog).to_be_visible()
        await nothing_for_axe(page, "filters over the list")
        await dialog.get_by_label("Result").select_option("missed")
        await dialog.get_by_role("button", name="Show these calls").click()
        await expect(page).to_have_url(re.compile(r"\?q=lavallee&outcome=missed$"))
        await expect(page.get_by_role("heading", name="No call fits")).to_be_visible()
        await page.get_by_role("link", name="Show all calls", exact=True).click()
        assert await page.locator("li.call").count() == len(calls)


async def test_the_period_is_chosen_and_goes_along(pages: Pages, chromium: Browser) -> None:
    calls = await three_calls(pages)
    old = await add_call(pages.database, pages.company, started_at=datetime.now(UTC) - timedelta(days=60))
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        assert await page.locator("li.call").count() == 3
        await page.locator(".period-menu summary").click()
        await nothing_for_axe(page, "periods")
        await page.get_by_role("link", name="Last 90 days").click()
        await expect(page).to_have_url(re.compile(r"\?period=90d$"))
        assert await page.locator("li.call").count() == 4
        await page.locator(row(page, old)).locator(".from").click()
        await expect(page).to_have_url(re.compile(r"\?period=90d&source="))
        await page.locator(".period-menu summary").click()
        day = (datetime.now(UTC) - timedelta(days=60)).date()
        await page.get_by_label("From", exact=True).fill((day - timedelta(days=1)).isoformat())
        await page.get_by_label("To", exact=True).fill((day + timedelta(days=1)).isoformat())
        await page.get_by_role("button", name="Show these days").click()
        await expect(page).to_have_url(re.compile(rf"\?from={day - timedelta(days=1)}&to={day + timedelta(days=1)}$"))
        assert await page.locator("li.call").first.get_attribute("data-key") == str(old)
        await page.locator(row(page, old)).locator(".when").click()
        await page.get_by_role("link", name="Calls", exact=True).first.click()
        assert calls


async def test_everything_is_marked_filtered_and_undone_without_script(pages: Pages, chromium: Browser) -> None:
    calls = await three_calls(pages)
    async with looking(pages, chromium, script=False) as page:
        await page.goto(f"{pages.url}/calls?outcome=answered")
        await page.locator(row(page, calls[2])).locator("a.status").click()
        await page.get_by_role("button", name="Lead", exact=True).click()
        await expect(page).to_have_url(f"{pages.url}/calls?outcome=answered")
        await expect(page.locator(".notice")).to_contain_text("+44 20 7946 0018: Lead.")
        await page.locator(".notice").get_by_role("button", name="Undo").click()
        await expect(page.locator(".notice")).to_contain_text("Undone.")
        await expect(page.locator(row(page, calls[2])).locator(".status")).to_have_text("New")
        await page.get_by_role("link", name="+ Filter").click()
        await page.get_by_label("Status").select_option("new")
        await page.get_by_role("button", name="Show these calls").click()
        await expect(page).to_have_url(re.compile(r"\?outcome=answered&status=new$"))
        await page.locator(".views summary").click()
        await page.get_by_label("Keep what is shown now under a name").fill("New and answered")
        await page.get_by_role("button", name="Keep this view").click()
        await expect(page.locator(".views summary")).to_have_text("New and answered")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_for_axe_with_a_notice_and_kept_views(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    calls = await three_calls(pages)
    async with looking(pages, chromium, scheme) as page:
        await page.goto(f"{pages.url}/calls")
        await page.locator(".views summary").click()
        await page.get_by_label("Keep what is shown now under a name").fill("All of them")
        await page.get_by_role("button", name="Keep this view").click()
        await expect(page.locator("#notices")).to_contain_text("The view “All of them” is kept.")
        for each in ("lead", "quoted", "booked", "lost", "spam"):
            async with pages.database.companies(pages.company.id) as wire:
                await marks.set_status(wire, pages.company.id, calls[0], Status(each))
            await expect(page.locator(row(page, calls[0])).locator(".status")).to_have_text(each.capitalize())
            await nothing_for_axe(page, f"{each} {scheme}")
        await page.locator(".views summary").click()
        await nothing_for_axe(page, "views")
        await page.get_by_role("button", name="Remove the view All of them").click()
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(page.locator(".views summary")).to_have_text("All of them")


async def test_nothing_moves_while_the_page_comes(pages: Pages, chromium: Browser) -> None:
    await three_calls(pages)
    async with looking(pages, chromium) as page:
        for address in ("/calls", "/companies", "/settings"):
            await page.goto(pages.url + address)
            await page.evaluate(
                "() => { window.shift = 0; new PerformanceObserver((list) => {"
                " for (const entry of list.getEntries()) window.shift += entry.value; })"
                ".observe({ type: 'layout-shift', buffered: true }); }"
            )
            await page.wait_for_timeout(700)
            await until(page, "window.shift < 0.005")
