"""When a call counts as a lead: tried on the last thirty days, set, taken back; the list goes by the same."""

import re

from gateway.http.lead_rule import outlook
from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages


def test_marks_go_before_talk() -> None:
    talks = [
        {"marked": "lead", "seconds": None, "calls": 2},
        {"marked": "spam", "seconds": 500, "calls": 3},
        {"marked": "unmarked", "seconds": 59, "calls": 5},
        {"marked": "unmarked", "seconds": 60, "calls": 7},
        {"marked": "unmarked", "seconds": None, "calls": 11},
    ]
    assert [outlook(talks, seconds).qualified for seconds in (0, 59, 60, 61)] == [14, 14, 9, 2]
    assert outlook(talks, 60).calls == 28


async def test_the_outlook_is_what_the_list_then_shows(pages: Pages) -> None:
    client = await pages.signed_in()
    calls = [await add_call(pages.database, pages.company, talk=talk) for talk in (5, 29.9, 30, 45, 200)]
    calls.append(await add_call(pages.database, pages.company, outcome="no_answer"))
    await client.post(f"/calls/{calls[0]}/status", data={"status": "lead"})
    await client.post(f"/calls/{calls[4]}/status", data={"status": "spam"})
    page = await (await client.get("/settings/leads?seconds=30")).text()
    assert re.search(r"Qualified after 30 s of talk</dt>\s*<dd>3<", page), page
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT qualified_seconds FROM companies") == 60
    page = await (await client.post("/settings/leads", data={"seconds": "30"})).text()
    assert re.search(r"Qualified now</dt>\s*<dd>3<", page)
    listed = (await (await client.get("/calls/export.csv?qualified=yes")).text()).splitlines()
    assert len(listed) == 1 + 3
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found
    await client.post(found.group(1), data={"next": "/settings/leads"})
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT qualified_seconds FROM companies") == 60


async def test_what_is_no_time_is_refused_in_place(pages: Pages) -> None:
    client = await pages.signed_in()
    for given in ("", "-1", "7201", "long", "1.5"):
        answer = await client.post("/settings/leads", data={"seconds": given})
        assert answer.status == 422
        assert 'id="seconds-problem"' in await answer.text()
    assert (await client.get("/settings/leads?seconds=long")).status == 422
    analyst = await pages.signed_in(Role.ANALYST)
    assert (await analyst.get("/settings/leads")).status == 200
    assert (await analyst.post("/settings/leads", data={"seconds": "5"})).status == 403
