"""Marking a call: what changes, what the audit log keeps, what undo brings back, and who may."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from gateway.http import undo
from gateway.http.permissions import Role
from gateway.leads import jobs, marks
from gateway.leads.jobs import Job
from gateway.leads.marks import Marks
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_call_log import rows

JSON = {"Accept": "application/json"}


async def marked(pages: Pages, call: int) -> Marks:
    """The call's marks as the database has them."""
    async with pages.database.companies(pages.company.id) as wire:
        found = await marks.marks_of(wire, pages.company.id, call)
    assert found is not None
    return found


async def job_of(pages: Pages, call: int) -> Job | None:
    async with pages.database.companies(pages.company.id) as wire:
        return await jobs.job_of(wire, pages.company.id, call)


async def audited(pages: Pages) -> list[dict[str, Any]]:
    """The details of what was marked, the oldest first."""
    async with pages.database.companies(pages.company.id) as wire:
        lines = await wire.fetch(
            "SELECT details::text FROM audit_log WHERE action IN ('call.marked', 'change.undone') ORDER BY id"
        )
    return [json.loads(line[0]) for line in lines]


async def sent(client: aiohttp.ClientSession, path: str, **data: str) -> dict[str, Any]:
    """What the server says of a change, as a script is told."""
    answer = await client.post(path, data=data, headers=JSON)
    assert answer.status == 200, await answer.text()
    said: dict[str, Any] = await answer.json()
    return said


async def test_status_tag_and_note_change_and_each_can_be_undone(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in(Role.MANAGER)
    steps = [
        (await sent(client, f"/calls/{call}/status", status="quoted"))["undo"],
        (await sent(client, f"/calls/{call}/tags", tag=" Roof "))["undo"],
        (await sent(client, f"/calls/{call}/note", note="Chimney\r\non Monday"))["undo"],
    ]
    now = await marked(pages, call)
    assert (now.status, [tag.name for tag in now.tags], now.note) == ("quoted", ["Roof"], "Chimney\non Monday")
    assert [(line["what"], line["value"]) for line in await audited(pages)] == [
        ("status", "quoted"),
        ("tags", "+Roof"),
        ("note", ""),
    ]
    assert await rows(client, "/calls?q=chimney") == [call]
    for step in reversed(steps):
        assert (await sent(client, f"/undo/{step}"))["text"] == "Undone."
    now = await marked(pages, call)
    assert (now.status, now.tags, now.note) == ("new", (), "")
    assert await rows(client, "/calls?q=chimney") == await rows(client, "/calls?q=roof") == []
    assert len(await audited(pages)) == 6


async def test_what_is_undone_once_is_not_undone_again_nor_by_another(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client, other = await pages.signed_in(Role.MANAGER), await pages.signed_in(Role.OWNER)
    step = (await sent(client, f"/calls/{call}/status", status="lead"))["undo"]
    assert (await sent(other, f"/undo/{step}"))["is_problem"]
    assert (await marked(pages, call)).status == "lead"
    await sent(client, f"/undo/{step}")
    await sent(client, f"/calls/{call}/status", status="spam")
    assert (await sent(client, f"/undo/{step}"))["is_problem"]
    assert (await marked(pages, call)).status == "spam"


async def test_a_step_is_forgotten_after_a_day(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    step = (await sent(client, f"/calls/{call}/status", status="lead"))["undo"]
    monkeypatch.setattr(undo, "LASTS", timedelta(0))
    assert (await sent(client, f"/undo/{step}"))["is_problem"]
    await sent(client, f"/calls/{call}/status", status="spam")
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM undo_steps") == 1


async def test_what_was_so_already_changes_nothing(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    await sent(client, f"/calls/{call}/tags", tag="Roof")
    for path, data in (("status", {"status": "new"}), ("tags", {"tag": "ROOF"}), ("note", {"note": " "})):
        assert (await sent(client, f"/calls/{call}/{path}", **data))["undo"] is None
    assert len(await audited(pages)) == 1


async def test_a_tag_is_taken_off_and_comes_back(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    await sent(client, f"/calls/{call}/tags", tag="Roof")
    tag = (await marked(pages, call)).tags[0]
    step = (await sent(client, f"/calls/{call}/tags/remove", tag=str(tag.id)))["undo"]
    assert (await marked(pages, call)).tags == ()
    await sent(client, f"/undo/{step}")
    assert (await marked(pages, call)).tags == (tag,)


async def test_a_job_is_booked_corrected_and_dropped(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    said = await sent(client, f"/calls/{call}/job", value="1,200.50")
    assert said["text"] == "Booked: $1,200.50."
    job = await job_of(pages, call)
    assert job is not None
    assert (job.value, job.currency, job.calls) == (Decimal("1200.50"), "CAD", (call,))
    assert (await marked(pages, call)).status == "booked"
    corrected = await sent(client, f"/calls/{call}/job", value="1300")
    assert (await job_of(pages, call)).value == 1300  # type: ignore[union-attr]
    await sent(client, f"/undo/{corrected['undo']}")
    assert (await job_of(pages, call)).value == Decimal("1200.50")  # type: ignore[union-attr]
    dropped = await sent(client, f"/calls/{call}/job/remove")
    assert await job_of(pages, call) is None
    await sent(client, f"/undo/{dropped['undo']}")
    again = await job_of(pages, call)
    assert again is not None
    assert (again.value, again.booked_at) == (job.value, job.booked_at)


async def test_booking_is_undone_with_the_status(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    await sent(client, f"/calls/{call}/status", status="quoted")
    step = (await sent(client, f"/calls/{call}/job", value="90"))["undo"]
    await sent(client, f"/undo/{step}")
    assert (await marked(pages, call)).status == "quoted"
    assert await job_of(pages, call) is None
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM jobs") == 0


async def test_two_calls_of_one_person_are_one_job(pages: Pages) -> None:
    now = datetime.now(UTC)
    first = await add_call(pages.database, pages.company, started_at=now - timedelta(days=2))
    second = await add_call(pages.database, pages.company, started_at=now)
    stranger = await add_call(pages.database, pages.company, caller="+13065550199")
    client = await pages.signed_in()
    await sent(client, f"/calls/{first}/job", value="1200")
    job = await job_of(pages, first)
    assert job is not None
    page = await (await client.get(f"/calls/{second}/marks")).text()
    assert f'name="job" value="{job.id}"' in page
    assert f'name="job" value="{job.id}"' not in await (await client.get(f"/calls/{stranger}/marks")).text()
    step = (await sent(client, f"/calls/{second}/job", job=str(job.id)))["undo"]
    both = await job_of(pages, second)
    assert both is not None
    assert (both.id, both.calls) == (job.id, (first, second))
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT sum(value) FROM jobs") == 1200
    # Without its first call it is still the second one's job.
    await sent(client, f"/calls/{first}/job/remove")
    assert (await job_of(pages, second)).calls == (second,)  # type: ignore[union-attr]
    await sent(client, f"/undo/{step}")
    assert await job_of(pages, second) is None
    # A job that no call of this caller led to cannot be named.
    other = await client.post(f"/calls/{stranger}/job", data={"job": str(job.id)})
    assert other.status == 422


@pytest.mark.parametrize(
    ("path", "data", "says"),
    [
        ("tags", {"tag": ""}, "Write something here."),
        ("tags", {"tag": "x" * 41}, "At most 40 characters"),
        ("note", {"note": "x" * 4001}, "At most 4,000 characters"),
        ("job", {"value": ""}, "Write a number here."),
        ("job", {"value": "much"}, "This is not a number."),
        ("job", {"value": "-5"}, "Between 0 and"),
    ],
)
async def test_a_problem_stands_beside_its_field_and_what_was_typed_stays(
    pages: Pages, path: str, data: dict[str, str], says: str
) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    answer = await client.post(f"/calls/{call}/{path}", data=data)
    text = await answer.text()
    assert answer.status == 422
    problem = re.search(r'<p class="field-problem" id="(\w+)-problem">([^<]*)', text)
    assert problem
    assert says in problem[2]
    assert f'aria-describedby="{problem[1]}-problem"' in text
    value = next(iter(data.values()))
    assert not value or value in text
    assert await audited(pages) == []


async def test_a_form_leads_back_to_where_it_stood_with_a_notice_that_is_said_once(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    answer = await client.post(
        f"/calls/{call}/status", data={"status": "lead", "next": "/calls?outcome=answered"}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/calls?outcome=answered")
    background = await client.get("/calls", headers={"Sec-Fetch-Mode": "cors"})
    assert "(306) 555-0142: Lead." not in await background.text()
    text = await (await client.get("/calls?outcome=answered")).text()
    assert "(306) 555-0142: Lead." in text
    step = re.search(r'action="(/undo/\d+)"', text)
    assert step
    assert "Lead." not in await (await client.get("/calls?outcome=answered")).text()
    answer = await client.post(step[1], data={"next": "//evil.example/"}, allow_redirects=False)
    assert answer.headers["Location"] == "/"
    assert (await marked(pages, call)).status == "new"


async def test_a_forged_notice_is_not_said(pages: Pages) -> None:
    client = await pages.signed_in()
    client.cookie_jar.update_cookies({"np_notice": "eyJ0ZXh0IjogIkNhbGwgbWUiLCAidW5kbyI6IDF9.00"})
    answer = await client.get("/calls")
    assert answer.status == 200
    assert "Call me" not in await answer.text()


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_mark(pages: Pages, role: Role) -> None:
    call = await add_call(pages.database, pages.company)
    client = await pages.signed_in(role)
    if role is Role.AGENT:
        assert (await client.post(f"/calls/{call}/status", data={"status": "lead"})).status == 404  # not his
        async with pages.database.everything() as wire:
            await wire.execute(
                "INSERT INTO member_endpoints (company_id, user_id, endpoint) "
                "SELECT company_id, user_id, 'PJSIP/reception' FROM memberships WHERE role = 'agent'"
            )
    answer = await client.post(f"/calls/{call}/status", data={"status": "lead"}, headers=JSON)
    may = role is not Role.ANALYST
    assert answer.status == (200 if may else 403)
    assert (await marked(pages, call)).status == ("lead" if may else "new")
    text = await (await client.get("/calls")).text()
    assert (f"/calls/{call}/marks" in text) is may
    if may:
        step = (await answer.json())["undo"]
        assert (await sent(client, f"/undo/{step}"))["text"] == "Undone."


async def test_a_strangers_call_is_not_marked(pages: Pages) -> None:
    call = await add_call(pages.database, pages.stranger)
    client = await pages.signed_in()
    for path, data in (("status", {"status": "lead"}), ("tags", {"tag": "x"}), ("note", {"note": "x"}), ("job", {})):
        assert (await client.post(f"/calls/{call}/{path}", data=data)).status == 404
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT status || note FROM calls WHERE id = $1", call) == "new"
        assert await wire.fetchval("SELECT count(*) FROM tags") == 0
