"""Forms, chats and texts between the calls: one order, one set of filters, one export; their page and their marks."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from gateway.http.accounts import Company
from gateway.http.call_filter import CallFilter, Place
from gateway.http.lead_list import count, page_of_leads
from gateway.http.permissions import Role
from gateway.leads import jobs, marks
from gateway.leads.texting import lead_of_text
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.leads import a_form, add_lead
from tests.http.test_marks import sent


async def keys(client: aiohttp.ClientSession, path: str) -> list[str]:
    """The calls and leads on a page, from the top."""
    answer = await client.get(path)
    assert answer.status == 200, path
    return re.findall(r'<li class="call[^>]* data-key="([0-9a-f-]+)"', await answer.text())


async def test_a_form_stands_between_the_calls_and_is_found(pages: Pages) -> None:
    now = datetime.now(UTC)
    older = str(await add_call(pages.database, pages.company, started_at=now - timedelta(hours=2)))
    form = str(await a_form(pages))
    newer = str(await add_call(pages.database, pages.company, caller="+13065550190", started_at=now))
    client = await pages.signed_in()
    assert await keys(client, "/calls") == [newer, form, older]
    page = await (await client.get("/calls")).text()
    for said in ("Hail took half", "Harriet Boone", "Google Paid", "spring maintenance", "Calls and messages"):
        assert said in page
    for query in (
        "kind=written",
        "kind=form",
        "q=harriet",
        "q=shingles",
        "q=hail+shing",
        "campaign=spring+maintenance",
    ):
        assert await keys(client, f"/calls?{query}") == [form], query
    assert await keys(client, "/calls?q=306-555-0190") == [newer, form]
    assert await keys(client, "/calls?caller=%2B13065550190") == [newer, form]
    for query in ("kind=call", "outcome=answered", "talk=10-"):
        assert form not in await keys(client, f"/calls?{query}"), query
    assert await keys(client, "/calls?kind=chat") == []
    assert (await client.get("/calls?kind=a+b")).status == 400


async def test_all_leads_are_paged_as_one_order(pages: Pages) -> None:
    """Also those of one and the same moment: each once, whatever the size of a page."""
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    expected = set()
    async with pages.database.companies(pages.company.id) as wire:
        for minutes in (0, 0, 1, 1, 1, 5):
            at = moment + timedelta(minutes=minutes)
            expected.add(await add_lead(wire, pages.company.id, {"message": "Hello"}, at=at))
    for minutes in (0, 0, 1, 3):
        at = moment + timedelta(minutes=minutes)
        expected.add(await add_call(pages.database, pages.company, started_at=at))  # type: ignore[arg-type]
    company = Company(pages.company.id, "Acme", ZoneInfo("America/Regina"), "CA")
    async with pages.database.companies(pages.company.id) as wire:
        whole, has_older = await page_of_leads(wire, company, CallFilter(), None, 50)
        assert not has_older
        assert {lead.id for lead in whole} == expected
        assert await count(wire, company, CallFilter()) == len(expected)
        assert [lead.started_at for lead in whole] == sorted((lead.started_at for lead in whole), reverse=True)
        for size in (1, 2, 3, 4):
            found, place, more = [], None, True
            while more:
                part, more = await page_of_leads(wire, company, CallFilter(), place, size)
                found += part
                place = Place.parse(str(part[-1].place))
            assert [lead.id for lead in found] == [lead.id for lead in whole], size


async def test_the_page_of_a_form_says_what_was_written_and_what_brought_it(pages: Pages) -> None:
    form = await a_form(pages)
    call = await add_call(pages.database, pages.company, caller="+13065550190")
    client = await pages.signed_in()
    page = await (await client.get(f"/leads/{form}")).text()
    said = ("Hail took half", "harriet@example.com", "Why Google Paid", "The way to this message", f"/calls/{call}")
    for each in said:
        assert each in page, each
    assert f"/leads/{form}" in await (await client.get(f"/calls/{call}")).text()
    assert (await client.get(f"/leads/{UUID(int=7)}")).status == 404


async def test_a_form_is_marked_and_each_mark_undone(pages: Pages) -> None:
    form = await a_form(pages)
    client = await pages.signed_in()
    path = f"/leads/{form}"
    assert (await client.get(f"{path}/marks")).status == 200
    steps = [
        (await sent(client, f"{path}/status", status="quoted"))["undo"],
        (await sent(client, f"{path}/tags", tag="Roof"))["undo"],
        (await sent(client, f"{path}/note", note="Rang back"))["undo"],
        (await sent(client, f"{path}/job", value="1200"))["undo"],
    ]
    async with pages.database.companies(pages.company.id) as wire:
        now = await marks.marks_of(wire, pages.company.id, form)
        job = await jobs.job_of(wire, pages.company.id, form)
    assert now is not None
    assert job is not None
    assert (now.status, [tag.name for tag in now.tags], now.note) == ("booked", ["Roof"], "Rang back")
    assert job.value == 1200
    assert job.leads == (form,)
    assert await keys(client, "/calls?q=rang") == await keys(client, "/calls?status=booked") == [str(form)]
    assert await keys(client, f"/calls?tag={now.tags[0].id}") == await keys(client, "/calls?job=yes") == [str(form)]
    for step in reversed(steps):
        assert (await sent(client, f"/undo/{step}"))["text"] == "Undone."
    async with pages.database.companies(pages.company.id) as wire:
        now = await marks.marks_of(wire, pages.company.id, form)
        assert await jobs.job_of(wire, pages.company.id, form) is None
    assert now is not None
    assert (now.status, now.tags, now.note) == ("new", (), "")
    log = await (await client.get("/settings/audit")).text()
    assert "marked" in log


async def test_the_job_of_a_call_may_be_the_forms_as_well(pages: Pages) -> None:
    form = await a_form(pages)
    call = await add_call(pages.database, pages.company, caller="+13065550190")
    client = await pages.signed_in()
    await sent(client, f"/calls/{call}/job", value="900")
    async with pages.database.companies(pages.company.id) as wire:
        job = await jobs.job_of(wire, pages.company.id, call)
    assert job is not None
    assert f'value="{job.id}"' in await (await client.get(f"/leads/{form}/marks")).text()
    await sent(client, f"/leads/{form}/job", job=str(job.id))
    async with pages.database.companies(pages.company.id) as wire:
        joined = await jobs.job_of(wire, pages.company.id, form)
    assert joined is not None
    assert (joined.id, joined.calls, joined.leads) == (job.id, (call,), (form,))


async def test_what_a_program_sent_stands_apart_until_a_person_says_otherwise(pages: Pages) -> None:
    spam = await a_form(pages, suspect="robot")
    client = await pages.signed_in()
    assert await keys(client, "/calls") == []
    assert await keys(client, "/calls?kind=suspect") == [str(spam)]
    step = (await sent(client, f"/leads/{spam}/written-by", by="person"))["undo"]
    assert await keys(client, "/calls") == [str(spam)]
    await sent(client, f"/undo/{step}")
    assert await keys(client, "/calls") == []


async def test_an_export_has_what_was_written(pages: Pages) -> None:
    form = await a_form(pages)
    await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    answer = await client.get("/calls/export.csv")
    lines = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert [line["Kind"] for line in lines] == ["Call", "Form"]
    (line,) = [each for each in lines if each["Kind"] == "Form"]
    assert (line["Call id"], line["Caller"], line["Mail"]) == (str(form), "+13065550190", "harriet@example.com")
    assert (line["Source"], line["Campaign"], line["Region"]) == ("Google Paid", "spring maintenance", "Saskatchewan")
    assert "message: Hail took half" in line["What was written"]
    assert (await client.get("/calls/export.xlsx?kind=form")).status == 200


async def test_an_agent_sees_calls_of_his_own_and_no_forms(pages: Pages) -> None:
    form = await a_form(pages)
    client = await pages.signed_in(Role.AGENT)
    assert await keys(client, "/calls") == []
    assert (await client.get(f"/leads/{form}")).status == 404


async def test_another_company_sees_none_of_it(pages: Pages) -> None:
    form = await a_form(pages)
    client = await pages.signed_in(company=pages.stranger)
    assert await keys(client, "/calls") == []
    assert (await client.get(f"/leads/{form}")).status == 404


@pytest.mark.parametrize("kind", ["text", "chat"])
async def test_a_text_has_the_source_of_its_number(pages: Pages, kind: str) -> None:
    number_id, e164 = pages.company.numbers["Facebook"]
    async with pages.database.companies(pages.company.id) as wire:
        if kind == "text":
            at = datetime.now(UTC)
            id = await lead_of_text(
                wire,
                pages.company.id,
                number_id=number_id,
                number=e164,
                phone="+13065550177",
                body="Do you do gutters? 🏠",
                received_at=at,
            )
        else:
            id = await add_lead(wire, pages.company.id, {"message": "Do you do gutters?"}, kind="chat")
        source = await wire.fetchval("SELECT source_id FROM leads WHERE id = $1", id)
    assert source == (pages.company.sources["Facebook"] if kind == "text" else None)
    client = await pages.signed_in()
    query = f"source={source}" if source else "source=none"
    assert await keys(client, f"/calls?{query}") == [str(id)]
    assert "gutters" in await (await client.get(f"/leads/{id}")).text()
