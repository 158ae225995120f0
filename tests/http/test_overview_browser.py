"""The overview in a real browser: periods, the chart by mouse and keys, hours, what is put off, calls as they come."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe

# Wide and narrow windows; other people's load makes things slow.
PHONE = {"width": 390, "height": 844}
SECONDS = 15_000


async def some_calls(pages: Pages) -> None:
    """Ten calls of this week, five of three weeks ago, four of the weeks before, and a first one."""
    now = datetime.now(UTC)
    moments = [now - timedelta(days=day % 5, hours=1) for day in range(10)]
    moments += [now - timedelta(days=21 + day) for day in range(5)] + [
        now - timedelta(days=40 + day) for day in range(4)
    ]
    moments.append(now - timedelta(days=70))
    for place, moment in enumerate(moments):
        await add_call(
            pages.database,
            pages.company,
            source=("Google Ads", "Google Ads", "Facebook")[place % 3],
            caller=f"+130655501{place % 7:02}",
            outcome="no_answer" if place == 3 else "answered",
            started_at=moment,
        )


async def test_figures_change_with_the_period_and_are_compared(pages: Pages, chromium: Browser) -> None:
    await some_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(pages.url)
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        await expect(page.locator("nav.places [aria-current=page]")).to_have_text("Overview")
        calls = page.locator(".hero", has=page.get_by_text("calls", exact=True))
        await expect(calls.locator(".value")).to_contain_text("15")
        await expect(calls.locator(".change")).to_contain_text("▲")
        await expect(page.locator(".compared")).to_contain_text("on the 30 days before")
        await page.locator(".period-menu summary").click()
        await page.get_by_role("link", name="Last 7 days").click()
        await page.wait_for_url("**/overview?period=7d")
        await expect(calls.locator(".value")).to_contain_text("10")
        await page.locator(".period-menu summary").click()
        await page.get_by_role("link", name="All time").click()
        await expect(calls.locator(".value")).to_contain_text("20")
        await expect(page.locator(".hero .change")).to_have_count(0)
        await calls.locator("a").click()
        await page.wait_for_url("**/calls?**counted=yes**")
        await expect(page.locator("li.call")).to_have_count(20)


async def test_the_chart_is_walked_by_keys_and_read_from_its_table(pages: Pages, chromium: Browser) -> None:
    await some_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/overview")
        stage = page.get_by_role("slider", name="Calls by day")
        await stage.focus()
        await page.keyboard.press("End")
        today = await stage.get_attribute("aria-valuetext") or ""
        assert ", so far: Total " in today
        await expect(page.locator(".chart-tip")).to_be_visible()
        await page.keyboard.press("ArrowLeft")
        said = await stage.get_attribute("aria-valuetext") or ""
        assert said != today
        # What is said stands in the table, to the letter.
        await page.get_by_text("As a table").click()
        day, _, counts = said.partition(": Total ")
        row = page.locator(".chart-data tbody tr", has=page.locator("th", has_text=day))
        await expect(row.locator("td").last).to_have_text(counts.partition(",")[0])
        await stage.focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/calls?**")
        await expect(page.locator("li.call")).to_have_count(int(counts.partition(",")[0]))


async def test_the_chart_by_mouse_with_its_legend_and_another_width(pages: Pages, chromium: Browser) -> None:
    await some_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/overview")
        layers = page.locator(".drawing .layer:not(.is-so-far)")
        await expect(layers).to_have_count(2)
        box = await page.locator(".chart-stage").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 100)
        await expect(page.locator(".chart-tip")).to_contain_text("Total")
        facebook = page.get_by_role("button", name="Facebook")
        await facebook.click()
        await expect(facebook).to_have_attribute("aria-pressed", "false")
        await expect(layers).to_have_count(1)
        await facebook.click()
        await expect(layers).to_have_count(2)
        width = await page.locator(".drawing").get_attribute("viewBox")
        await page.set_viewport_size({"width": 700, "height": 900})
        await expect(page.locator(".drawing")).not_to_have_attribute("viewBox", width or "")
        assert await page.evaluate("document.documentElement.scrollWidth") == 700
        await page.get_by_role("link", name="Google Ads: Show what is counted").click()
        await page.wait_for_url("**source=**")
        await expect(page.locator(".chosen")).to_contain_text("Google Ads")


async def test_an_hour_opens_its_calls_by_keys(pages: Pages, chromium: Browser) -> None:
    await some_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/overview")
        hours = page.locator("#heat td a")
        assert await hours.count() > 1
        assert await page.locator('#heat td a[tabindex="0"]').count() == 1
        await hours.first.focus()
        await page.keyboard.press("ArrowDown")
        stop = page.locator('#heat td a[tabindex="0"]')
        await expect(stop).to_be_focused()
        calls = int(await stop.inner_text())
        await page.keyboard.press("Enter")
        await page.wait_for_url("**hour=**")
        await expect(page.locator("li.call")).to_have_count(calls)


async def test_what_needs_somebody_is_put_off_and_taken_up_again(pages: Pages, chromium: Browser) -> None:
    await some_calls(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/overview?period=7d")
        need = page.locator("#needs li")
        await expect(need).to_contain_text("1 person called and was missed, and nobody has called back.")
        await need.get_by_role("button", name="Not for a week").click()
        await expect(page.locator("#notices")).to_contain_text("You will not be told of that for a week.")
        await expect(page.locator("#needs")).to_contain_text("Nothing needs you.")
        assert page.url.endswith("period=7d")
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(need).to_have_count(1)
        await need.get_by_role("link", name="Call back").click()
        await page.wait_for_url("**/reports/missed**")


async def test_a_call_shows_while_it_rings_and_is_counted_when_it_is_over(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/overview")
        await expect(page.get_by_role("heading", name="Four steps")).to_be_visible()
        call = await add_call(pages.database, pages.company, state="ringing", outcome=None, caller="+13065550190")
        await expect(page.locator("#now li")).to_contain_text("555-0190", timeout=SECONDS)
        await expect(page.locator("#now li")).to_contain_text("Ringing now")
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute(
                "UPDATE calls SET state = 'ended', stage = 3, outcome = 'answered', answered_at = now(), "
                "ended_at = now(), talk_seconds = 65 WHERE id = $1",
                call,
            )
        await expect(page.locator("#now li")).to_have_count(0, timeout=SECONDS)
        await expect(page.locator(".hero").first).to_contain_text("1", timeout=SECONDS)
        await expect(page.locator(".drawing .layer")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wide_or_narrow_full_or_empty(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    async with looking(pages, chromium, scheme) as page:
        await page.goto(f"{pages.url}/overview")
        await nothing_for_axe(page, "empty")
        await page.goto("about:blank")  # it would read itself again with each call
        await some_calls(pages)
        await page.goto(f"{pages.url}/overview")
        await page.get_by_role("slider").focus()
        await page.keyboard.press("End")
        await page.get_by_text("As a table").click()
        await nothing_for_axe(page, "full")
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await nothing_for_axe(page, "on a phone")
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        await page.goto(f"{pages.url}/overview?from=2019-01-01&to=2019-01-05")
        await expect(page.get_by_text("No calls in these days")).to_be_visible()
        await nothing_for_axe(page, "days without calls")


async def test_without_script_the_page_says_the_same(pages: Pages, chromium: Browser) -> None:
    await some_calls(pages)
    async with looking(pages, chromium, role=None, script=False) as page:
        await page.goto(await pages.link(Role.OWNER))
        await page.get_by_role("button", name="Sign in").click()
        await page.goto(f"{pages.url}/overview")
        await expect(page.locator(".chart-stage")).to_be_hidden()
        await expect(page.locator(".chart-data table")).to_be_visible()
        await expect(page.locator(".hero").first).to_be_visible()
