"""The list's filters, search, kept views and exports, asked over HTTP of real rows."""

import csv
import html
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode

import aiohttp
import openpyxl
import pytest
import pytest_asyncio

from gateway.calls.region import region_of
from gateway.http.call_export import harmless
from gateway.http.permissions import Role
from gateway.leads import jobs, marks
from gateway.leads.marks import Status
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_call_log import rows


@dataclass
class Few:
    """Calls that differ in everything that can be filtered by; ``a`` is the newest."""

    a: int
    b: int
    c: int
    d: int
    tag: int
    pool: int


@pytest_asyncio.fixture
async def few(pages: Pages) -> AsyncIterator[Few]:
    """Four calls within the last month."""
    company, now = pages.company, datetime.now(UTC)

    async def add(hours: int, **values: object) -> int:
        return await add_call(pages.database, company, started_at=now - timedelta(hours=hours), **values)  # type: ignore[arg-type]

    d = await add(4, source=None, caller="+442079460018", outcome="abandoned", caller_name="Siân Pritchard")
    c = await add(3, source="Facebook", caller="+14035550135", talk=20)
    b = await add(2, source="Google Ads", caller="+13065550142", caller_name="Dana Whitford", talk=700)
    a = await add(1, source="Google Ads", caller="+13065550142", caller_name="Dana Whitford", talk=90)
    async with pages.database.companies(company.id) as wire:
        for id, channel, campaign, keyword, confidence, by in (
            (a, "Paid Search", "spring maintenance", "roof repair", 0.97, "PJSIP/reception"),
            (b, "Paid Search", "winter", "roof repair", 0.6, "PJSIP/104"),
            (c, "Paid Social", "spring maintenance", "", 0.3, "PJSIP/reception"),
        ):
            await wire.execute(
                "INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, because, "
                "channel, campaign, keyword, decided_at) VALUES ($1, $2, 'visits', $3, $3, '{}', $4, $5, $6, now())",
                company.id,
                id,
                confidence,
                channel,
                campaign,
                keyword,
            )
            await wire.execute("UPDATE calls SET answered_by = $2 WHERE id = $1", id, by)
        for id, caller in ((a, "+13065550142"), (b, "+13065550142"), (c, "+14035550135"), (d, "+442079460018")):
            await wire.execute("UPDATE calls SET region = $2 WHERE id = $1", id, region_of(caller))
            await marks.index(wire, company.id, id)
        tag, _ = await marks.add_tag(wire, company.id, a, "Roof")
        await marks.add_tag(wire, company.id, c, "roof")  # the same tag
        await marks.set_note(wire, company.id, b, "Chimney on Monday")
        await marks.set_status(wire, company.id, b, Status.QUOTED)
        await marks.set_status(wire, company.id, c, Status.SPAM)
        await jobs.book(wire, company.id, a, Decimal("1200.50"), None, now)
        pool = await wire.fetchval("SELECT pool_id FROM calls WHERE id = $1", a)
    yield Few(a, b, c, d, tag.id, pool)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("channel=Paid Search", "ab"),
        ("campaign=spring maintenance", "ac"),
        ("keyword=roof repair", "ab"),
        ("campaign=spring maintenance&keyword=roof repair", "a"),
        ("pool={pool}", "abc"),
        ("status=quoted", "b"),
        ("status=new", "ad"),
        ("tag={tag}", "ac"),
        ("tag={tag}&status=spam", "c"),
        ("by=PJSIP/reception", "ac"),
        ("talk=-30", "c"),
        ("talk=30-120", "a"),
        ("talk=600-", "b"),
        ("first=yes", "bcd"),
        ("first=no", "a"),
        ("qualified=yes", "ab"),
        ("qualified=no", "cd"),
        ("sure=high", "a"),
        ("sure=fair", "b"),
        ("sure=low", "c"),
        ("region=Saskatchewan", "ab"),
        ("region=London", "d"),
        ("region=Alberta&outcome=missed", ""),
        ("q=(306) 555-0142", "ab"),
        ("q=0142", "ab"),
        ("q=+44 20 7946", "d"),
        ("q=403", "c"),
        ("q=dana", "ab"),
        ("q=WHITF dan", "ab"),
        ("q=pritchard sian", "d"),
        ("q=chimney", "b"),
        ("q=roof", "ac"),
        ("q=roof dana", "a"),
        ("q=roof&talk=-30", "c"),
        ("q=nobody", ""),
        ("q=(306) 555-2001", "ab"),  # one of the company's own: the calls that came in on it
        ("q=roof&tag={tag}&region=Saskatchewan", "a"),
    ],
)
async def test_each_filter_and_search(pages: Pages, few: Few, query: str, shown: str) -> None:
    values = dict(part.split("=", 1) for part in query.format(tag=few.tag, pool=few.pool).split("&"))
    client = await pages.signed_in()
    assert await rows(client, f"/calls?{urlencode(values)}") == [getattr(few, name) for name in shown]


async def test_a_period_is_compared_only_with_one_that_was_there_whole(pages: Pages, few: Few) -> None:
    async def add(days: int) -> None:
        at = datetime.now(UTC) - timedelta(days=days)
        await add_call(pages.database, pages.company, started_at=at, source="Facebook", caller="+14035550135")

    client = await pages.signed_in()
    await add(40)
    async with client.get("/calls") as answer:
        assert "on the 30 days before" not in await answer.text()
    await add(80)
    async with client.get("/calls") as answer:
        assert "▲ 300% on the 30 days before" in await answer.text()


async def test_a_call_gets_what_the_list_filters_by_from_what_is_written_of_it(pages: Pages, few: Few) -> None:
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "UPDATE attributions SET campaign = 'summer', source_confidence = 0.2 WHERE call_id = $1", few.a
        )
    client = await pages.signed_in()
    assert await rows(client, "/calls?campaign=summer&sure=low") == [few.a]
    assert few.a not in await rows(client, f"/calls?campaign={quote('spring maintenance')}")


async def test_every_value_in_the_list_leads_to_the_list_filtered_by_it(pages: Pages, few: Few) -> None:
    client = await pages.signed_in()
    text = await (await client.get("/calls")).text()
    row = text[text.index(f'data-key="{few.a}"') :]
    links = {html.unescape(link) for link in re.findall(r'href="(/calls\?[^"]*)"', row[: row.index("</li>")])}
    asked = {link.partition("?")[2].partition("=")[0] for link in links}
    assert asked == {"outcome", "by", "caller", "region", "source", "campaign", "keyword", "tag"}
    for link in links:
        assert few.a in await rows(client, link), link


async def test_what_was_not_chosen_leaves_the_address(pages: Pages, few: Few) -> None:
    client = await pages.signed_in()
    answer = await client.get("/calls?source=&status=quoted&tag=&from=&to=", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/calls?status=quoted")


async def test_the_filter_page_offers_what_there_is(pages: Pages, few: Few) -> None:
    client = await pages.signed_in()
    text = await (await client.get("/calls/filters?status=quoted&q=dana&period=7d")).text()
    for offered in ("Paid Social", "spring maintenance", "Saskatchewan", "Reception", "104", "Roof", "Advertisements"):
        assert re.search(rf"<option value=\"[^\"]*\">[^<]*{offered}[^<]*</option>", text), offered
    assert '<option value="quoted" selected>' in text
    assert '<input type="hidden" name="q" value="dana">' in text
    assert '<input type="hidden" name="period" value="7d">' in text
    assert "Borealis" not in text


async def test_chips_name_what_is_chosen_and_one_click_drops_it(pages: Pages, few: Few) -> None:
    client = await pages.signed_in()
    text = await (await client.get(f"/calls?tag={few.tag}&region=Saskatchewan&by=PJSIP/reception")).text()
    chips = re.findall(r'<a class="chip is-chosen" href="([^"]*)">.*?<bdi>(.*?)</bdi>', text)
    assert [html.unescape(value) for _, value in chips] == ["Roof", "Reception", "Saskatchewan"]
    assert html.unescape(chips[0][0]) == "/calls?by=PJSIP%2Freception&region=Saskatchewan"
    for strange in ("tag=999", "pool=999", "source=999"):
        assert (await client.get(f"/calls?{strange}")).status == 404


async def posted(client: aiohttp.ClientSession, path: str, **data: str) -> str:
    """The page that a form leads to."""
    answer = await client.post(path, data=data)
    assert answer.status == 200, await answer.text()
    return await answer.text()


async def test_views_are_kept_shared_and_removed(pages: Pages, few: Few) -> None:
    owner, manager = await pages.signed_in(Role.OWNER), await pages.signed_in(Role.MANAGER)
    analyst = await pages.signed_in(Role.ANALYST)
    shown = await posted(owner, "/calls/views", name="Missed ones", query="outcome=missed", share="yes")
    assert "The view “Missed ones” is kept." in shown
    await posted(analyst, "/calls/views", name="Mine", query="status=quoted&period=90d", share="yes")
    assert "Mine" not in await (await owner.get("/calls")).text()  # an analyst shares nothing
    for client in (manager, analyst):
        text = await (await client.get("/calls?outcome=missed")).text()
        assert re.search(r"<summary>Missed ones</summary>", text)
    text = await (await analyst.get("/calls")).text()
    assert '<a href="/calls?period=90d&amp;status=quoted">Mine' in text
    views = dict(re.findall(r'/calls/views/(\d+)/remove.*?Remove the view ([^"]*)"', text, re.DOTALL))
    assert list(views.values()) == ["Mine"]
    removed = await posted(analyst, f"/calls/views/{next(iter(views))}/remove", next="/calls")
    assert "The view “Mine” is removed." in removed
    step = re.search(r'action="(/undo/\d+)"', removed)
    assert step
    assert "Mine" in await posted(analyst, step[1], next="/calls")
    shared = re.search(r"/calls/views/(\d+)/remove", await (await owner.get("/calls")).text())
    assert shared
    answer = await analyst.post(f"/calls/views/{shared[1]}/remove")
    assert answer.status == 404  # another's


async def test_a_view_is_replaced_under_its_name_and_that_can_be_undone(pages: Pages, few: Few) -> None:
    client = await pages.signed_in()
    await posted(client, "/calls/views", name="V", query="outcome=missed")
    shown = await posted(client, "/calls/views", name="V", query="outcome=answered")
    assert '<a href="/calls?outcome=answered"' in shown
    step = re.search(r'action="(/undo/\d+)"', shown)
    assert step
    undone = await posted(client, step[1], next="/calls")
    assert re.search(r'<a href="/calls\?outcome=missed">V', undone)


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
async def test_a_view_needs_a_name(pages: Pages, few: Few, name: str) -> None:
    client = await pages.signed_in()
    assert "A view needs a name" in await posted(client, "/calls/views", name=name, query="outcome=missed")


async def exported(client: aiohttp.ClientSession, kind: str, query: str = "") -> list[list[object]]:
    """The rows of an exported file, headings first."""
    answer = await client.get(f"/calls/export.{kind}{query}")
    assert answer.status == 200
    assert f".{kind}" in answer.headers["Content-Disposition"]
    body = await answer.read()
    if kind == "csv":
        return [list(row) for row in csv.reader(io.StringIO(body.decode("utf-8-sig")))]
    sheet = openpyxl.load_workbook(io.BytesIO(body), read_only=True).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_export_holds_what_is_shown(pages: Pages, few: Few, kind: str) -> None:
    client = await pages.signed_in()
    table = await exported(client, kind, f"?tag={few.tag}")
    assert [str(row[0]) for row in table[1:]] == [str(few.a), str(few.c)]
    call = dict(zip(table[0], table[1], strict=True))
    assert (call["Caller"], call["Name"], call["Source"], call["Status"]) == (
        "+13065550142",
        "Dana Whitford",
        "Google Ads",
        "New",
    )
    assert (call["Tags"], call["Campaign"], call["Region"]) == ("Roof", "spring maintenance", "Saskatchewan")
    assert Decimal(str(call["Job"])) == Decimal("1200.5")
    assert float(str(call["Talked for, seconds"])) == 90
    async with pages.database.companies(pages.company.id) as wire:
        zone = "America/Regina"
        at = await wire.fetchval(
            "SELECT to_char(started_at AT TIME ZONE $2, 'YYYY-MM-DD HH24:MI:SS') FROM calls WHERE id = $1", few.a, zone
        )
        line = await wire.fetchrow("SELECT action, details::text FROM audit_log ORDER BY id DESC LIMIT 1")
    assert str(call["Time"]) == at
    assert line is not None
    assert line["action"] == "calls.exported"
    assert f'"calls": 2, "format": "{kind}"' in line["details"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_export_of_many_pages_has_every_call_once(pages: Pages, kind: str) -> None:
    company = pages.company
    async with pages.database.companies(company.id) as wire:
        await wire.execute(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at) "
            "SELECT $1, $2, 'x-' || i, 3, 'ended', 'busy', '+13065552001', now() - i / 7 * interval '1 second' "
            "FROM generate_series(1, 2503) i",
            company.id,
            company.node_id,
        )
    table = await exported(await pages.signed_in(), kind)
    assert len(table) == 2504
    assert len({row[0] for row in table[1:]}) == 2503


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
async def test_no_name_becomes_a_formula(pages: Pages, name: str) -> None:
    call = await add_call(pages.database, pages.company, caller_name=name)
    async with pages.database.companies(pages.company.id) as wire:
        await marks.set_note(wire, pages.company.id, call, name)
    client = await pages.signed_in()
    table = await exported(client, "csv")
    assert table[1][6] == table[1][19] == f"'{name}"
    answer = await client.get("/calls/export.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(await answer.read())).worksheets[0]
    cell = sheet.cell(2, 7)
    assert (cell.data_type, cell.value) == ("s", name)


def test_a_telephone_number_is_no_formula() -> None:
    assert harmless("+13065550142") == "+13065550142"
    assert harmless("+1306555-1") == "'+1306555-1"
    assert harmless("a=b") == "a=b"


async def test_who_may_export(pages: Pages, few: Few) -> None:
    for role, status in ((Role.MANAGER, 200), (Role.ANALYST, 200), (Role.AGENT, 403)):
        client = await pages.signed_in(role)
        assert (await client.get("/calls/export.csv")).status == status
        assert ("/calls/export" in await (await client.get("/calls")).text()) is (status == 200)


async def test_all_companies_at_one_glance(pages: Pages, few: Few) -> None:
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'owner' FROM users", pages.stranger.id
        )
    await add_call(pages.database, pages.stranger, outcome="busy")
    text = await (await client.get("/companies?period=7d")).text()
    found = re.findall(
        r'<a href="(/overview\?company=\d+&amp;period=7d)"><bdi>([^<]*)</bdi></a></td>.*?data-label="Last 7 days">'
        r"(\d+)",
        text,
        re.DOTALL,
    )
    # A blocked call counts nowhere.
    assert [(name, calls) for _, name, calls in found] == [("Acme Roofing", "3"), ("Borealis Dental", "1")]
    assert len(await rows(client, html.unescape(found[1][0]).replace("/overview", "/calls"))) == 1
    assert "All companies" in await (await client.get("/calls")).text()
