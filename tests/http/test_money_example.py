"""The question that Numberpool is for: what did the money bring back? Typed into the page, and read off it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Page, expect

from gateway.leads import jobs
from gateway.reports.spend_book import months_before
from tests.http.company import MadeCompany, add_call
from tests.http.conftest import Pages
from tests.http.test_browser import looking, nothing_for_axe

# By month: source, calls, jobs, and what was spent. Then the budget of the newspaper moved to Google.
FIRST = {"Google Ads": (47, 18, "1000"), "Facebook": (9, 2, "500"), "Newspaper": (1, 0, "500")}
SECOND = {"Google Ads": (71, 27, "1500"), "Facebook": (10, 2, "500")}
# Of each job.
VALUE = Decimal(600)


async def month_of(pages: Pages, company: MadeCompany, month: date, came: dict[str, tuple[int, int, str]]) -> None:
    """The calls of a month, one person each, at noon of its days in turn; the first of them became jobs."""
    days = (months_before(month, -1) - month).days
    caller = 100 if month.month % 2 else 500
    for source, (calls, booked, _) in came.items():
        for place in range(calls):
            caller += 1
            at = datetime.combine(month + timedelta(days=place % days), time(18), UTC)
            call = await add_call(pages.database, company, source=source, caller=f"+1306555{caller:04}", started_at=at)
            if place < booked:
                async with pages.database.companies(company.id) as connection:
                    await jobs.book(connection, company.id, call, VALUE, None, at)


async def type_spend(page: Page, source: str, months: list[str]) -> None:
    """Type amounts into a row of the grid as one does: one cell after the other, by the keyboard."""
    row = page.locator("#spend-grid tbody tr").filter(has_text=source)
    cells = row.locator("input")
    await cells.nth(4 - 2).focus()  # three months ago
    for amount in months:
        await page.keyboard.press("ArrowRight")
        if amount:
            await page.keyboard.type(amount)
    await page.keyboard.press("Enter")


async def line(page: Page, source: str) -> list[str]:
    """Calls, jobs, spend, a job, return and verdict of a source, as they stand in the table."""
    row = page.locator("table.came-back tbody tr").filter(has_text=source)
    figures = [text.strip() for text in await row.locator("td.is-number").all_inner_texts()]
    return [*figures, (await row.locator(".verdict-name").inner_text()).strip()]


async def test_what_came_back_of_the_money_and_what_changed_when_it_was_moved(pages: Pages, chromium: Browser) -> None:
    acme = pages.company
    this_month = datetime.now(ZoneInfo("America/Regina")).date().replace(day=1)
    first, second = months_before(this_month, 2), months_before(this_month, 1)
    async with pages.database.companies(acme.id) as connection:
        await connection.execute("UPDATE sources SET name = 'Newspaper' WHERE name = 'Direct mail'")
    acme.sources["Newspaper"] = acme.sources.pop("Direct mail")
    acme.numbers["Newspaper"] = acme.numbers.pop("Direct mail")
    await add_call(pages.database, acme, started_at=datetime.combine(first - timedelta(days=40), time(18), UTC))
    await month_of(pages, acme, first, FIRST)
    await month_of(pages, acme, second, SECOND)

    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/money?from={first}&to={second - timedelta(days=1)}")
        await expect(page.locator("#came-back")).to_contain_text("Type it into the table below")
        for source in FIRST:
            months = [FIRST[source][2], SECOND[source][2] if source in SECOND else ""]
            await type_spend(page, source, months)
            together = sum(int(each or 0) for each in months)
            total = page.locator("#spend-grid tbody tr").filter(has_text=source).locator("[data-total]")
            await expect(total).to_have_text(f"${together:,}")
        await expect(page.locator("#spend-grid tfoot [data-total=all]")).to_have_text("$4,000")

        # What came back changes on the same page, without loading it again, and stays.
        await expect(page.locator("table.came-back tfoot")).to_contain_text("$2,000")
        await page.reload()
        assert await line(page, "Google Ads") == ["47", "18", "$1,000", "$55.56", "10.8×", "earns its money"]
        assert await line(page, "Facebook") == ["9", "2", "$500", "$250", "2.4×", "marginal"]
        *figures, verdict = await line(page, "Newspaper")
        assert figures == ["1", "0", "$500", "–", "0.0×"]
        assert re.fullmatch(r"too few calls to be sure before [A-Z][a-z]+( \d{4})?", verdict)
        newspaper = page.locator("table.came-back tbody tr").filter(has_text="Newspaper")
        await expect(newspaper.locator("small")).to_have_text(
            "1 call, no job for $500. It takes about 7 calls to be sure."
        )
        facebook = page.locator("table.came-back tbody tr").filter(has_text="Facebook")
        await expect(facebook.locator("small")).to_have_text(
            "2 jobs from 9 calls for $500. "
            "A job costs $250, 4.5 times as much as from the other sources; that is hardly chance."
        )
        total = page.locator("table.came-back tfoot .is-total td.is-number")
        assert [text.strip() for text in await total.all_inner_texts()] == ["57", "20", "$2,000", "$100", "6.0×"]
        await nothing_for_axe(page, "/money")

        # The overview says the same, and the next month what the other way of spending made of it.
        await page.goto(f"{pages.url}/overview?from={first}&to={second - timedelta(days=1)}")
        assert (await line(page, "Google Ads"))[:4] == ["47", "18", "$1,000", "$55.56"]
        await page.goto(f"{pages.url}/overview?period=last-month")
        assert (await line(page, "Google Ads"))[:4] == ["71", "27", "$1,500", "$55.56"]
        assert (await line(page, "Facebook"))[:4] == ["10", "2", "$500", "$250"]
        await expect(page.locator("table.came-back")).not_to_contain_text("Newspaper")
        job, spend = (
            page.locator("#figures .hero").filter(has=page.get_by_text(name, exact=True)) for name in ("a job", "spent")
        )
        await expect(job.locator(".value")).to_have_text("$68.97")
        await expect(job.locator(".change [aria-hidden]")).to_have_text("▼ 31%")
        await expect(spend.locator(".value")).to_have_text("$2,000")
