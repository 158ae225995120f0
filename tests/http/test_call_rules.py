"""Calls you take: set, refused in place, taken back; what a rule did, and a call that is let through after all."""

import json
import re
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from gateway.calls.consent import law_of
from gateway.http.permissions import Role
from gateway.reports.rollup import count_all
from tests.http.company import add_call
from tests.http.conftest import Pages

PATH = "/settings/calls"
FORM = {
    "announce": "by_region",
    "place": "us-co",
    "withheld": "press",
    "often_calls": "5",
    "often_minutes": "30",
    "often": "block",
    "traps": "yes",
    "trap_days": "90",
    "trap_numbers": "",
    "most_calls": "20",
    "longest_minutes": "120",
    "countries": "us, ca",
}


async def stored(pages: Pages) -> dict[str, object]:
    async with pages.database.companies(pages.company.id) as wire:
        body = await wire.fetchval("SELECT body FROM call_policies WHERE company_id = $1", pages.company.id)
    found: dict[str, object] = json.loads(body) if body else {}
    return found


async def undo(client: aiohttp.ClientSession, page: str) -> None:
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found, page
    await client.post(found.group(1), data={"next": PATH})


async def screened(pages: Pages, by: str, *, outcome: str = "blocked", caller: str | None = "+13065550142") -> int:
    call = await add_call(pages.database, pages.company, outcome=outcome, caller=caller)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET screened = $1 WHERE id = $2", by, call)
    return call


async def test_rules_are_set_shown_and_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await (await client.get(PATH)).text()
    assert law_of("CA").source in page
    assert "You are in Canada" in page
    page = await (await client.post(PATH, data=FORM)).text()
    assert await stored(pages) == {
        "announce": "by_region",
        "place": "US-CO",
        "withheld": "press",
        "often_calls": 5,
        "often_minutes": 30,
        "often": "block",
        "traps": True,
        "trap_days": 90,
        "most_calls": 20,
        "longest_minutes": 120,
        "countries": ["CA", "US"],
    }
    assert 'value="US-CO"' in page
    assert "You are in Colorado, where it is enough that you know" in page
    audit = await (await client.get("/settings/audit")).text()
    assert "the rules for calls" in audit
    await undo(client, page)
    assert await stored(pages) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", "Colorado"),
        ("place", "U"),
        ("often_calls", "1"),
        ("often_minutes", "0"),
        ("trap_days", "3"),
        ("most_calls", "many"),
        ("longest_minutes", "1441"),
        ("countries", "Canada"),
        ("trap_numbers", "+13065559876"),
        ("announce", "perhaps"),
    ],
)
async def test_what_cannot_be_is_refused_in_place_and_nothing_is_set(pages: Pages, field: str, value: str) -> None:
    client = await pages.signed_in()
    answer = await client.post(PATH, data=FORM | {field: value})
    assert answer.status == 422
    assert f"{field}-problem" in await answer.text()
    assert await stored(pages) == {}


async def test_traps_are_numbers_of_ones_own(pages: Pages) -> None:
    client = await pages.signed_in()
    _, number = next(iter(pages.company.numbers.values()))
    page = await (await client.post(PATH, data=FORM | {"trap_numbers": number})).text()
    async with pages.database.companies(pages.company.id) as wire:
        traps = "SELECT array_agg(e164) FROM tracking_numbers WHERE is_trap"
        assert await wire.fetchval(traps) == [number]
    await undo(client, page)
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval(traps) is None


async def test_only_who_may_change_settings_does(pages: Pages) -> None:
    analyst = await pages.signed_in(Role.ANALYST)
    page = await analyst.get(PATH)
    assert page.status == 200
    assert "disabled" in await page.text()
    assert (await analyst.post(PATH, data=FORM)).status == 403
    call = await screened(pages, "often")
    assert "Not spam" not in await (await analyst.get(f"/calls/{call}")).text()
    assert (await analyst.post(f"/calls/{call}/let-through")).status == 403


async def test_each_rule_says_what_it_did_and_leads_to_those_calls(pages: Pages) -> None:
    for _ in range(2):
        await screened(pages, "often")
    await screened(pages, "often", outcome="answered")
    await screened(pages, "withheld", outcome="answered", caller=None)
    old = await screened(pages, "often")
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "UPDATE calls SET started_at = $1 WHERE id = $2", datetime.now(UTC) - timedelta(days=40), old
        )
    client = await pages.signed_in()
    page = re.sub(r"\s+", " ", await (await client.get(PATH)).text())
    assert re.search(r"screened=often[^>]*>3 calls in 30 days</a>, 2 of them turned away", page)
    assert re.search(r"screened=withheld[^>]*>1 call in 30 days</a>\.", page)
    listed = (await (await client.get("/calls/export.csv?screened=often")).text()).splitlines()
    assert len(listed) == 1 + 3
    shown = await (await client.get("/calls?screened=often")).text()
    assert re.search(r'class="second" href="[^"]*screened=often[^"]*">called too often<', shown)


async def test_a_call_that_was_turned_away_says_why_and_is_let_through_after_all(pages: Pages) -> None:
    client = await pages.signed_in()
    call = await screened(pages, "often")
    page = await (await client.get(f"/calls/{call}")).text()
    assert "Turned away: this number called too often" in page
    missed = await (await client.get("/reports/missed")).text()
    assert f"/calls/{call}" not in missed

    page = await (await client.post(f"/calls/{call}/let-through")).text()
    assert "Not spam: let this number through" not in page
    async with pages.database.companies(pages.company.id) as wire:
        state = "SELECT outcome || ' ' || screened FROM calls WHERE id = $1"
        rule = "SELECT verdict FROM caller_rules WHERE caller = '+13065550142'"
        assert await wire.fetchval(state, call) == "no_answer often"
        assert await wire.fetchval(rule) == "allow"
    await undo(client, page)
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval(state, call) == "blocked often"
        assert await wire.fetchval(rule) is None


async def test_who_was_on_the_list_is_there_again_and_who_hid_his_number_needs_no_rule(pages: Pages) -> None:
    client = await pages.signed_in()
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "INSERT INTO caller_rules (company_id, caller, verdict, note) "
            "VALUES ($1, '+13065550142', 'block', 'sells')",
            pages.company.id,
        )
    listed, hidden = await screened(pages, "listed"), await screened(pages, "withheld", caller=None)
    page = await (await client.post(f"/calls/{listed}/let-through")).text()
    await undo(client, page)
    page = await (await client.post(f"/calls/{hidden}/let-through")).text()
    assert "The call counts again." in page
    async with pages.database.companies(pages.company.id) as wire:
        rows = await wire.fetch("SELECT caller, verdict, note FROM caller_rules")
    assert [tuple(row) for row in rows] == [("+13065550142", "block", "sells")]
    # A call that was not turned away is none to be let through.
    answered = await add_call(pages.database, pages.company)
    assert (await client.post(f"/calls/{answered}/let-through")).status == 404


async def test_reports_leave_it_alone_until_it_is_let_through(pages: Pages) -> None:
    client = await pages.signed_in()
    await add_call(pages.database, pages.company, caller="+13065550199")
    calls = [await screened(pages, by) for by in ("often", "withheld", "company-full")]

    async def counted() -> tuple[int, int]:
        """Callers that reports count, and calls they leave out."""
        await count_all(pages.database)
        page = await (await client.get("/overview")).text()
        left_out = re.search(r"(\d+) blocked call", page)
        listed = (await (await client.get("/calls/export.csv?counted=yes")).text()).splitlines()
        return len(listed) - 1, int(left_out[1]) if left_out else 0

    assert await counted() == (1, 3)
    for number, call in enumerate(calls, start=1):
        await client.post(f"/calls/{call}/let-through")
        assert await counted() == (1 + number, 3 - number)
    assert f"/calls/{calls[-1]}" in await (await client.get("/reports/missed")).text()  # the newest of that caller
