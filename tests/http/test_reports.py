"""The report page: what it shows, compares, leads to, keeps and gives away."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from gateway.http.permissions import Role
from gateway.leads import jobs
from gateway.reports.spend_book import add_amount
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.reports.shown import Table, csv_rows, table_of, xlsx_rows

ZONE = ZoneInfo("America/Regina")
# Days ago, source, outcome. The period before (30 to 59 days ago) is known whole: there was a call before it.
CALLS = (
    (2, "Google Ads", "answered"),
    (3, "Google Ads", "answered"),
    (5, "Google Ads", "answered"),
    (8, "Google Ads", "answered"),
    (9, "Google Ads", "no_answer"),
    (4, "Facebook", "answered"),
    (6, "Facebook", "answered"),
    (7, "Direct mail", "answered"),
    (10, None, "busy"),
    (40, "Google Ads", "answered"),
    (41, "Google Ads", "answered"),
    (42, "Facebook", "no_answer"),
    (43, "Facebook", "answered"),
    (44, "Facebook", "answered"),
    (70, "Google Ads", "answered"),
)


@dataclass
class Told:
    """What there is to tell: the calls of the table above, a job of 1,200, $300 for Google."""

    now: datetime
    booked: int


@pytest_asyncio.fixture
async def told(pages: Pages) -> Told:
    company, now = pages.company, datetime.now(UTC)
    ids = [
        await add_call(
            pages.database,
            company,
            source=source,
            caller=f"+1306555{1000 + place}",
            outcome=outcome,
            started_at=now - timedelta(days=ago),
            talk=100,
        )
        for place, (ago, source, outcome) in enumerate(CALLS)
    ]
    today = now.astimezone(ZONE).date()
    async with pages.database.companies(company.id) as wire:
        await jobs.book(wire, company.id, ids[0], Decimal(1200), None, now)
        await add_amount(
            wire,
            company.id,
            source_id=company.sources["Google Ads"],
            first_day=today - timedelta(days=29),
            last_day=today,
            amount=Decimal(300),
        )
    return Told(now, ids[0])


async def seen(client: aiohttp.ClientSession, path: str) -> str:
    answer = await client.get(URL(path, encoded=True))
    assert answer.status == 200, await answer.text()
    return await answer.text()


def column(table: Table, name: str) -> dict[str, str]:
    """A column's figures by the row's name."""
    place = table.headings.index(name)
    return {row[0].text: row[place].text for row in [*table.rows, table.total]}


async def test_what_is_usual(pages: Pages, told: Told) -> None:
    page = await seen(await pages.signed_in(), "/reports")
    table = table_of(page)
    assert [re.sub(" .$", "", heading) for heading in table.headings] == [
        "Source", "Calls", "Answer rate", "First-time", "Qualified", "Jobs", "Value of jobs", "Spend", "Cost per call",
        "Cost per job", "Return",
    ]  # fmt: skip
    assert column(table, "Calls") == {
        "Google Ads": "5",
        "Facebook": "2",
        "Direct mail": "1",
        "Unknown": "1",
        "Total": "9",
    }
    assert column(table, "Answer rate")["Google Ads"] == "80%"
    assert column(table, "Spend")["Google Ads"] == "$300"
    assert column(table, "Spend")["Facebook"] == "–"
    assert column(table, "Cost per call")["Google Ads"] == "$60"
    assert column(table, "Cost per job")["Total"] == "$300"
    assert column(table, "Return")["Google Ads"] == "4.0×"
    # Compared with the 30 days before: Google had 2, Facebook 3.
    changes = {row[0].text: row[1].change for row in [*table.rows, table.total]}
    assert changes["Google Ads"] == "▲ 3 better than 2"
    assert changes["Facebook"] == "▼ 1 worse than 3"
    assert changes["Total"] == "▲ 4 better than 5"
    assert "Calls by day and source" in page
    assert 'aria-sort="descending"' in page


async def test_a_figure_leads_to_its_calls(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    table = table_of(await seen(client, "/reports?measures=calls,missed"))
    for row, calls, missed in zip(table.rows, (5, 2, 1, 1), (1, 0, 0, 1), strict=True):
        for cell, count in ((row[1], calls), (row[2], missed)):
            if count == 0:
                assert cell.url is None
                continue
            assert cell.url is not None
            listed = await client.get(URL(cell.url.replace("/calls?", "/calls/export.csv?"), encoded=True))
            assert len(csv_rows(await listed.read())) - 1 == count, (row[0].text, cell)


async def test_sorted_and_cut(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    by_name = table_of(await seen(client, "/reports?sort=name&measures=calls"))
    assert [row[0].text for row in by_name.rows] == ["Direct mail", "Facebook", "Google Ads", "Unknown"]
    least = table_of(await seen(client, "/reports?sort=calls&measures=calls"))
    assert [row[1].text for row in least.rows] == ["1", "1", "2", "5"]
    page = await seen(client, "/reports?top=2&measures=calls,answered")
    cut = table_of(page)
    assert column(cut, "Calls") == {"Google Ads": "5", "Facebook": "2", "2 others": "2", "Total": "9"}
    assert column(cut, "Answered")["2 others"] == "1"
    assert cut.rows[2][1].url is None
    assert 'top=10"' in page
    exported = csv_rows(await (await client.get("/reports/export.csv?top=2&measures=calls&compare=none")).read())
    assert exported == [
        ["Source", "Calls"],
        ["Google Ads", "5.0"],
        ["Facebook", "2.0"],
        ["2 others", "2.0"],
        ["Total", "9.0"],
    ]


async def test_two_dimensions_below_one_another_and_across(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    below = table_of(await seen(client, "/reports?by=source,number&measures=calls,answered"))
    assert [row[0].text for row in below.rows][:4] == ["Google Ads", "(306) 555-2001", "Facebook", "(306) 555-2002"]
    assert below.levels == [0, 1] * 4
    page = await seen(client, "/reports?by=source,number&measures=calls")
    across = table_of(page)
    assert across.headings == [
        "Source",
        "(306) 555-2001",
        "(306) 555-2002",
        "(306) 555-1234",
        "(306) 555-2003",
        "Total",
    ]
    assert [cell.text for cell in across.rows[0]] == ["Google Ads", "5", "0", "0", "0", "5"]
    assert [cell.text for cell in across.total] == ["Total", "5", "2", "1", "1", "9"]
    other_way = re.search(r'<a href="([^"]*)">One below the other</a>', page)
    assert other_way
    assert table_of(await seen(client, other_way[1].replace("&amp;", "&"))).levels == [0, 1] * 4
    exported = csv_rows(
        await (await client.get("/reports/export.csv?by=source,number&measures=calls&compare=none")).read()
    )
    assert exported[0] == across.headings
    assert exported[1] == ["Google Ads", "5.0", "0.0", "0.0", "0.0", "5.0"]


async def test_a_value_narrows_down(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    table = table_of(await seen(client, "/reports?measures=calls"))
    unknown = table.rows[-1][0]
    assert unknown.url is not None
    page = await seen(client, unknown.url)
    assert "remove this filter" in page
    narrowed = table_of(page)
    assert (narrowed.headings[0], column(narrowed, "Calls")["Total"]) == ("Campaign", "1")
    facebook = table_of(await seen(client, f"/reports?where.source={pages.company.sources['Facebook']}&by=number"))
    assert column(facebook, "Calls ↓" if "Calls ↓" in facebook.headings else "Calls")["Total"] == "2"


async def test_a_form_without_script_leads_to_a_whole_address(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    answer = await client.get(
        "/reports?by=source&by=&measures=calls&measures=jobs&basis=call&model=&compare=year", allow_redirects=False
    )
    assert answer.status == 303
    assert answer.headers["Location"] == "/reports?measures=calls,jobs&compare=year"
    page = await seen(client, answer.headers["Location"])
    assert table_of(page).headings == ["Source", "Calls", "Jobs"]
    assert "Nothing to compare with" in page  # a year ago there was no call yet
    months = await client.get("/reports?view=months&by=campaign", allow_redirects=False)
    assert months.headers["Location"] == "/reports/months?by=campaign"


async def test_a_period_keeps_the_report(pages: Pages, told: Told) -> None:
    page = await seen(await pages.signed_in(), "/reports?by=campaign&measures=calls")
    assert "/reports?by=campaign&amp;measures=calls&amp;period=7d" in page
    assert '<input type="hidden" name="by" value="campaign">' in page


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_export_has_what_it_is_compared_with(pages: Pages, told: Told, kind: str) -> None:
    client = await pages.signed_in()
    answer = await client.get(f"/reports/export.{kind}?measures=calls,answer_rate,cost_per_call,talk_seconds")
    assert answer.status == 200
    assert f"report-acme-roofing-{told.now.astimezone(ZONE):%Y-%m-%d}.{kind}" in answer.headers["Content-Disposition"]
    body = await answer.read()
    rows: list[list[object]] = xlsx_rows(body) if kind == "xlsx" else [list(row) for row in csv_rows(body)]
    assert rows[0] == [
        "Source", "Calls", "Calls, the period before", "Answer rate", "Answer rate, the period before", "Cost per call",
        "Cost per call, the period before", "Talk time, seconds", "Talk time, seconds, the period before",
    ]  # fmt: skip
    google = dict(zip(rows[0], rows[1], strict=True))
    names = ("Calls", "Calls, the period before", "Answer rate", "Cost per call")
    assert [float(str(google[name])) for name in names] == [5, 2, 0.8, 60]
    assert float(str(google["Talk time, seconds"])) == 400
    assert rows[-1][0] == "Total"
    async with pages.database.companies(pages.company.id) as wire:
        line = await wire.fetchrow("SELECT action, subject FROM audit_log ORDER BY id DESC LIMIT 1")
    assert line is not None
    assert (line["action"], line["subject"]) == ("report.exported", "report/report")


async def test_no_name_becomes_a_formula(pages: Pages, told: Told) -> None:
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE sources SET name = '=1+1' WHERE name = 'Google Ads'")
    client = await pages.signed_in()
    assert csv_rows(await (await client.get("/reports/export.csv")).read())[1][0] == "'=1+1"
    assert xlsx_rows(await (await client.get("/reports/export.xlsx")).read())[1][0] == "=1+1"  # as text: see the kind


async def test_months(pages: Pages, told: Told) -> None:
    today = told.now.astimezone(ZONE).date()
    last_year = datetime(today.year - 1, today.month, 1, 18, tzinfo=UTC)
    for days in (-40, 0, 0, 0):
        await add_call(pages.database, pages.company, started_at=last_year + timedelta(days=days))
    client = await pages.signed_in()
    table = table_of(await seen(client, "/reports/months"))
    assert len(table.headings) == 14
    assert table.rows[0][0].text == "Google Ads"
    this_month = sum(
        1 for ago, *_ in CALLS if (told.now - timedelta(days=ago)).astimezone(ZONE).date() >= today.replace(day=1)
    )
    assert (table.total[12].text or "0") == str(this_month)
    assert table.total[12].change.removeprefix("the year before: ") == "3"
    assert table.total[13].text == "15"
    exported = csv_rows(await (await client.get("/reports/months/export.csv")).read())
    assert len(exported[0]) == 1 + 13 * 2
    assert float(dict(zip(exported[0], exported[-1], strict=True))["Total"]) == 15
    jobs_page = table_of(await seen(client, "/reports/months?measures=value"))
    assert jobs_page.total[13].text == "$1,200"


async def test_reports_are_kept_shared_and_removed(pages: Pages, told: Told) -> None:
    owner, analyst = await pages.signed_in(Role.OWNER), await pages.signed_in(Role.ANALYST)
    answer = await owner.post("/reports/views", data={"name": "By number", "query": "by=number&top=10", "share": "yes"})
    assert "The view “By number” is kept." in await answer.text()
    await owner.post("/reports/views", data={"name": "Months", "query": "view=months&by=campaign"})
    shown = await seen(analyst, "/reports")
    assert '<a href="/reports?by=number&amp;top=10"' in shown
    assert "Months</a>" not in shown.split("Keep this report")[0].split("Kept reports")[1]  # the owner's own
    assert '<a href="/reports/months?by=campaign"' in await seen(owner, "/reports")
    assert 'aria-current="true">By number' in await seen(owner, "/reports?by=number&top=10")
    # A report is no view of the calls, and has a name of its own.
    assert "By number" not in await seen(owner, "/calls")
    removal = re.search(r'action="(/reports/views/\d+/remove)"', await seen(owner, "/reports"))
    assert removal
    assert (await analyst.post(removal[1])).status == 404  # shared by another
    removed = await (await owner.post(removal[1], data={"next": "/reports"})).text()
    step = re.search(r'action="(/undo/\d+)"', removed)
    assert step
    assert "is removed" in removed
    await owner.post(step[1], data={"next": "/reports"})
    assert "By number" in await seen(owner, "/reports")


async def test_who_may_see_reports(pages: Pages, told: Told) -> None:
    for role, status in ((Role.MANAGER, 200), (Role.ANALYST, 200), (Role.AGENT, 403)):
        client = await pages.signed_in(role)
        for path in ("/reports", "/reports/months", "/reports/export.csv", "/reports/months/export.xlsx"):
            assert (await client.get(path)).status == status, (role, path)
    assert (await (await pages.signed_in()).get(f"/reports?company={pages.stranger.id}")).status == 404


async def test_shares_of_calls_are_explained(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    page = await seen(client, "/reports?model=linear&measures=calls")
    assert "shared by them, so there are parts of calls" in page
    assert column(table_of(page), "Calls")["Total"] == "9.0"
    assert "the day of the visit that has the credit" in await seen(client, "/reports?basis=click")
    assert "two times out of three" in await seen(client, "/reports?measures=calls,expected")
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET status = 'spam' WHERE id = $1", told.booked)
    assert "1 call marked as spam is not counted." in await seen(client, "/reports")


async def test_what_cannot_be_said_of_money_is_said(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    known = "What was spent is known by source, channel and campaign, and not by this."
    none = "No spend was entered for this period."
    assert known in await seen(client, "/reports?by=number&measures=calls,spend")
    assert known in await seen(client, "/reports?where.number=%2B13065552001&measures=calls,spend")
    for page in ("/reports", "/reports?by=campaign&measures=spend"):
        text = await seen(client, page)
        assert known not in text
        assert none not in text
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("DELETE FROM spend")
    text = await seen(client, "/reports?measures=calls,cost_per_job")
    assert none in text
    assert known not in text


async def test_people_are_counted_once_in_each_row(pages: Pages, told: Told) -> None:
    again = told.now - timedelta(days=1)
    for source in ("Google Ads", "Google Ads", "Facebook"):
        await add_call(pages.database, pages.company, source=source, caller="+13065551000", started_at=again)
    table = table_of(await seen(await pages.signed_in(), "/reports?measures=calls,callers"))
    callers = {"Google Ads": "5", "Facebook": "3", "Direct mail": "1", "Unknown": "1", "Total": "9"}
    assert column(table, "Callers") == callers
    assert column(table, "Calls")["Total"] == "12"


@pytest.mark.parametrize("query", ["by=weather", "measures=luck", "where.city=a%00b", "top=x", "period=never"])
async def test_an_address_that_cannot_be_one(pages: Pages, query: str) -> None:
    client = await pages.signed_in()
    for path in ("/reports", "/reports/months", "/reports/export.csv"):
        assert (await client.get(URL(f"{path}?{query}", encoded=True))).status == 400, path


async def test_a_filter_on_what_is_not_there(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    for value in ("999999", str(pages.stranger.sources["Google Ads"])):
        for name in ("source", "pool"):
            page = await seen(client, f"/reports?where.{name}={value}")
            assert "One that is gone" in page
            assert "Nothing happened in this period" in page


async def test_nothing_yet(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await seen(client, "/reports")
    assert "Nothing happened in this period" in page
    assert "No calls in these months" in await seen(client, "/reports/months")
    assert csv_rows(await (await client.get("/reports/export.csv")).read())[-1][0] == "Total"


async def test_in_russian(pages: Pages, told: Told) -> None:
    client = await pages.signed_in()
    answer = await client.get("/reports?by=source,device&measures=calls,jobs", headers={"Accept-Language": "ru"})
    page = await answer.text()
    assert "Звонки и заказы" in page
    assert ">источнику</option>" in page
    assert ", считая по дню" in page
