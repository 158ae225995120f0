"""Calling back, as the pages have it: who may, what is refused, what is written, and what it leaves alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from gateway.reports import missed
from tests.http.company import add_call, fill
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe

ANNA = "+13065550142"


async def _missed(pages: Pages, caller: str | None = ANNA) -> int:
    at = datetime.now(UTC) - timedelta(minutes=5)
    return await add_call(pages.database, pages.company, started_at=at, caller=caller, outcome="no_answer")


async def _row(pages: Pages, query: str, *values: object) -> Any:
    async with pages.database.everything() as wire:
        return await wire.fetchrow(query, *values)


async def _click(client: aiohttp.ClientSession, call: int) -> dict[str, Any]:
    async with client.post(f"/calls/{call}/call-back", headers={"Accept": "application/json"}) as answer:
        assert answer.status == 200, await answer.text()
        said: dict[str, Any] = await answer.json()
        return said


async def _with_telephone(pages: Pages, role: Role = Role.OWNER, telephone: str = "reception") -> aiohttp.ClientSession:
    client = await pages.signed_in(role)
    async with client.post("/account/telephone", data={"telephone": telephone}) as answer:
        assert answer.status == 200
    return client


async def test_a_click_asks_for_one_call_and_says_so_in_the_audit_log(pages: Pages) -> None:
    client, call = await _with_telephone(pages), await _missed(pages)
    first = await _click(client, call)
    assert await _click(client, call) == first
    row = await _row(pages, "SELECT * FROM placed_calls")
    assert first["page"] == f"/calls/back/{row['id']}"
    assert (row["callee"], row["telephone"], row["state"], row["call_id"]) == (ANNA, "PJSIP/reception", "asked", call)
    assert row["shown"].startswith("+1306555")
    noted = await _row(pages, "SELECT count(*) AS n FROM audit_log WHERE action = 'call.placed'")
    assert noted["n"] == 1
    page = await (await client.get(first["page"])).text()
    assert "Your telephone rings: reception" in page
    assert "called back" in await (await client.get("/settings/audit")).text()


async def test_without_script_it_is_a_page(pages: Pages) -> None:
    client, call = await _with_telephone(pages), await _missed(pages)
    async with client.post(f"/calls/{call}/call-back", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/calls/back/")


async def test_who_has_no_telephone_is_asked_for_it(pages: Pages) -> None:
    client, call = await pages.signed_in(), await _missed(pages)
    said = await _click(client, call)
    assert said["page"] == f"/account/telephone?next=/calls/{call}"
    assert 'list="telephones"' in await (await client.get(said["page"])).text()
    assert await _row(pages, "SELECT 1 FROM placed_calls") is None


@pytest.mark.parametrize("telephone", ["PJSIP/a&PJSIP/b", "+19005551234", "911", "Local/1@x"])
async def test_what_is_no_telephone_is_refused_beside_its_field(pages: Pages, telephone: str) -> None:
    client = await pages.signed_in()
    async with client.post("/account/telephone", data={"telephone": telephone}) as answer:
        assert answer.status == 422
        assert "Write the name of a telephone" in await answer.text()


async def test_an_agent_takes_a_telephone_of_his_company_and_no_other(pages: Pages) -> None:
    client = await pages.signed_in(Role.AGENT)
    async with client.post("/account/telephone", data={"telephone": "director"}) as answer:
        assert answer.status == 422
    async with client.post("/account/telephone", data={"telephone": "reception"}) as answer:
        assert answer.status == 200


async def test_who_may_not(pages: Pages) -> None:
    call = await _missed(pages)
    client = await pages.signed_in(Role.ANALYST)
    async with client.post(f"/calls/{call}/call-back") as answer:
        assert answer.status == 403
    assert f"/calls/{call}/call-back" not in await (await client.get(f"/calls/{call}")).text()
    agent = await _with_telephone(pages, Role.AGENT)
    async with agent.post(f"/calls/{call}/call-back") as answer:  # it rang at nobody's telephone of his
        assert answer.status == 404
    stranger = await pages.signed_in(Role.OWNER, pages.stranger)
    async with stranger.post(f"/calls/{call}/call-back") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("caller", "says"),
    [
        (None, "withheld"),
        ("+19005551234", "costs whoever calls it extra"),
        ("+1911", "Emergency"),
    ],
)
async def test_whom_nobody_calls_back(pages: Pages, caller: str | None, says: str) -> None:
    client, call = await _with_telephone(pages), await _missed(pages, caller)
    said = await _click(client, call)
    assert says in said["text"]
    assert said["is_problem"]
    page = await (await client.get(f"/calls/{call}")).text()
    assert (f"/calls/{call}/call-back" in page) == (caller is not None)


async def test_a_colleague_who_calls_already_is_named(pages: Pages) -> None:
    call = await _missed(pages)
    await _click(await _with_telephone(pages), call)
    said = await _click(await _with_telephone(pages, Role.MANAGER, "+13065550777"), call)
    assert "is calling this number now" in said["text"]
    row = await _row(pages, "SELECT count(*) AS n FROM placed_calls")
    assert row["n"] == 1


async def test_it_is_ended_by_whoever_began_it_or_an_owner(pages: Pages) -> None:
    client, call = await _with_telephone(pages), await _missed(pages)
    page = (await _click(client, call))["page"]
    agent = await pages.signed_in(Role.AGENT)
    async with agent.post(f"{page}/hang-up") as answer:
        assert answer.status == 404
    async with client.post(f"{page}/hang-up", headers={"Accept": "application/json"}) as answer:
        assert (await answer.json())["page"] == page
    assert (await _row(pages, "SELECT hang_up_at FROM placed_calls"))["hang_up_at"] is not None


async def _reached(pages: Pages, call: int, at: datetime, callee: str = ANNA) -> None:
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO placed_calls (company_id, call_id, placed_by, telephone, callee, asterisk_id, state, stage, "
            "outcome, picked_up_at, answered_at, ended_at, ring_seconds, talk_seconds) "
            "VALUES ($1, $2, 'Anna', 'PJSIP/reception', $3, 'npback-' || $2::bigint, 'ended', 3, "
            "'answered', $4, $4, $4, 3, 60)",
            pages.company.id,
            call,
            callee,
            at,
        )


async def test_whoever_is_reached_waits_no_more(pages: Pages) -> None:
    call, company = await _missed(pages), pages.company.id
    async with pages.database.companies(company) as wire:
        assert [wait.caller for wait in await missed.not_called_back(wire, company, None, None)] == [ANNA]
    now = datetime.now(UTC)
    await _reached(pages, call, now)
    async with pages.database.companies(company) as wire:
        (wait,) = await missed.waits(wire, company, None, None)
    assert wait.reached is not None
    assert (wait.reached.how, wait.reached.at, wait.reached.by) == (missed.Reach.CALLED_BACK, now, "Anna")
    client = await pages.signed_in()
    assert "called back by Anna" in await (await client.get("/reports/missed?show=reached&period=all")).text()
    page = await (await client.get(f"/calls/{call}")).text()
    assert "Called back" in page
    assert "Anna" in await (await client.get("/calls/back?period=all")).text()
    assert "Anna" not in await (await client.get("/calls/back?period=all&show=not")).text()


# What counts callers, calls, leads and sources.
_COUNTING = (
    "/api/v1/calls",
    "/calls/export.csv?period=all",
    "/reports/export.csv?period=all",
    "/reports/months/export.csv",
    "/reports/answering/export.csv?period=all",
)


async def test_nothing_that_counts_calls_sees_them(pages: Pages) -> None:
    await fill(pages.database, pages.company, pages.recordings, datetime.now(UTC))
    client = await pages.signed_in()

    async def counted() -> list[str]:
        return [await (await client.get(path)).text() for path in _COUNTING]

    before = await counted()
    async with pages.database.everything() as wire:
        rows = await wire.fetch("SELECT id, caller, ended_at FROM calls WHERE caller LIKE '+%' AND company_id = $1", 1)
        due = await wire.fetchval("SELECT count(*) FROM report_due")
    assert len(rows) > 5
    for row in rows:
        await _reached(pages, row["id"], row["ended_at"], row["caller"])
    assert await counted() == before
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM report_due") == due


async def test_the_number_shown_is_a_choice_that_can_be_taken_back(pages: Pages) -> None:
    client = await _with_telephone(pages)
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE companies SET main_number = '+13065550000' WHERE id = $1", pages.company.id)
    async with client.post(
        f"/calls/back/shows?company={pages.company.id}", data={"shows": "main"}, headers={"Accept": "application/json"}
    ) as answer:
        undo = (await answer.json())["undo"]
    await _click(client, await _missed(pages))
    assert (await _row(pages, "SELECT shown FROM placed_calls"))["shown"] == "+13065550000"
    await client.post(f"/undo/{undo}")
    assert (await _row(pages, "SELECT back_shows FROM companies WHERE id = $1", pages.company.id))[0] == "tracking"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_while_it_rings_and_afterwards(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    call = await _missed(pages)
    async with looking(pages, chromium, scheme) as page:
        await page.goto(f"{pages.url}/account/telephone")
        await nothing_for_axe(page, "telephone")
        await page.get_by_role("combobox").fill("reception")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Your telephone is reception.")).to_be_visible()
        await page.goto(f"{pages.url}/calls")
        await page.get_by_role("button", name="Call back").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Your telephone rings")
        await nothing_for_axe(page, "ringing")
        async with pages.database.everything() as wire:
            await wire.execute("UPDATE placed_calls SET state = 'talking', answered_at = now(), stage = 2")
        await expect(page.get_by_role("dialog")).to_contain_text("Talking with")
        async with pages.database.everything() as wire:
            await wire.execute(
                "UPDATE placed_calls SET state = 'ended', stage = 3, outcome = 'answered', talk_seconds = 12, "
                "ended_at = now()"
            )
        await expect(page.get_by_role("dialog")).to_contain_text("Talked for 12 seconds")
        await nothing_for_axe(page, "ended")
        for path in ("/calls/back", f"/calls/{call}", "/reports/missed"):
            await page.goto(pages.url + path)
            await nothing_for_axe(page, path)
