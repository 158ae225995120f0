"""Announcements, spam and limits on a real Asterisk: what callers hear, what rings, and what the log says."""

import itertools
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls import phrase_engine
from tests.calls.exchange import LINES, Exchange
from tests.calls.phrase_engine import ALL_BUSY, PRESS_ONE, RECORDED, SHOW_NUMBER
from tests.calls.scenarios import Invite, caller_listens, caller_talks, press
from tests.calls.sipp import listener, loudness
from tests.installation import Installation, Number, Row
from tests.stack import PROJECT, eventually

DID, PLAIN, TRAP = "+13065552001", "+13065552002", "+13065552003"
ANONYMOUS = Invite(DID, from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
EVERYTHING = {"announce": "always", "withheld": "ask", "often_calls": 2, "most_calls": 9}
_changes = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def speaks_in_tones() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NUMBERPOOL_SPEECH__COMMAND", json.dumps([sys.executable, phrase_engine.__file__]))
        patched.setenv("PYTHONPATH", str(PROJECT), prepend=":")
        yield


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DID, record=True), Number(PLAIN), Number(TRAP)]
    return Installation(home, folder, dsn, numbers, tuple(LINES), bound_ms=3000)


@dataclass
class Desk:
    """The rules of the company, changed from test to test."""

    exchange: Exchange

    @property
    def there(self) -> Installation:
        return self.exchange.installation

    async def rules(self, **policy: Any) -> None:
        """They hold from now on, with the sounds they need."""
        await self.there.sql(
            "INSERT INTO call_policies (company_id, body) VALUES (1, $1) "
            "ON CONFLICT (company_id) DO UPDATE SET body = excluded.body",
            json.dumps(policy),
        )
        await self.read()

    async def read(self) -> None:
        """The gateway has read what was changed: what is changed after it has arrived in AstDB."""
        later = f"+1306555{next(_changes):04}"
        await self.there.sql("UPDATE companies SET main_number = $1", later)
        await self.there.wait_fallback(DID, later)

    async def listens(self, xml: str, *lines: str) -> Row:
        return await self.exchange.call(xml, *lines)


@pytest_asyncio.fixture
async def desk(exchange: Exchange) -> AsyncIterator[Desk]:
    for name in ("main", "second"):
        await exchange.line(name, LINES["hangs-up"]())
    desk = Desk(exchange)
    said = desk.there.spool / "sounds" / "said"
    if not said.exists():
        await desk.rules(**EVERYTHING)

        async def all_spoken() -> bool:
            return len(list(said.glob("*.sln16"))) == 4

        await eventually(all_spoken, 60)
    yield desk
    gateway = desk.there.gateway
    gateway.resume()
    if not await gateway.is_well():
        await gateway.kill()
        await gateway.start()


# -- announcements -----------------------------------------------------------------------------------------------------


async def test_the_callers_region_decides_what_is_heard(desk: Desk) -> None:
    await desk.rules(announce="by_region", place="US-CO")
    for caller, heard_it in (("+15125550123", False), ("+14155550123", True)):
        async with listener() as (heard, ear):
            row = await desk.listens(caller_listens(Invite(DID, caller), ear), "main")
        assert (row["outcome"], row["recorded"]) == ("answered", True)
        assert (loudness(heard.samples, RECORDED) > 0.05) is heard_it
    # Nobody to ask: the stricter holds.
    await desk.there.gateway.kill()
    async with listener() as (heard, ear):
        before = await desk.there.newest()
        sipp = await desk.exchange.place(caller_listens(Invite(DID, "+15125550123"), ear), "main")
        await sipp.done()
    await desk.there.gateway.start()
    row = await desk.there.ended_one(before)
    assert row["decided_by"] == "fallback"
    assert loudness(heard.samples, RECORDED) > 0.05


async def test_what_cannot_be_announced_is_not_recorded_and_says_why(desk: Desk, caller: str) -> None:
    await desk.rules(announce="always")
    # In a language that the engine refuses to speak.
    await desk.there.sql("UPDATE companies SET region = 'DE'")
    try:
        await desk.there.gateway.wait_health("announcements", "needs_person")
        await desk.read()
        row = await desk.listens(caller_listens(Invite(DID, caller)), "main")
    finally:
        await desk.there.sql("UPDATE companies SET region = 'CA'")
        await desk.there.gateway.wait_health("announcements", "ok")
        await desk.read()
    assert (row["outcome"], row["recorded"], json.loads(row["evidence"])["untold"]) == ("answered", False, "1")


# -- spam --------------------------------------------------------------------------------------------------------------


async def test_a_withheld_caller_is_asked_and_rings_without_the_key_too(desk: Desk) -> None:
    await desk.rules(withheld="press")
    async with listener() as (heard, ear):
        row = await desk.listens(caller_listens(ANONYMOUS, ear), "main")
    assert (row["outcome"], row["screened"], row["caller"]) == ("answered", "withheld", None)
    assert loudness(heard.samples, PRESS_ONE) > 0.05
    row = await desk.listens(caller_listens(ANONYMOUS, None, press(ANONYMOUS, "1", 0.5)), "main")
    assert (row["outcome"], row["screened"]) == ("answered", "withheld")


async def test_a_withheld_caller_may_be_told_that_a_number_is_wanted(desk: Desk, caller: str) -> None:
    await desk.rules(withheld="ask")
    async with listener() as (heard, ear):
        row = await desk.listens(caller_listens(ANONYMOUS, ear), "main")
    assert (row["outcome"], row["screened"], row["recorded"]) == ("blocked", "withheld", False)
    assert loudness(heard.samples, SHOW_NUMBER) > 0.05
    assert await desk.there.legs(row) == []
    row = await desk.listens(caller_listens(Invite(DID, caller)), "main")
    assert (row["outcome"], row["screened"]) == ("answered", None)


async def test_who_calls_too_often_must_press_1(desk: Desk, caller: str) -> None:
    await desk.rules(often_calls=2, often_minutes=60)
    invite = Invite(DID, caller)
    for _ in range(2):
        row = await desk.listens(caller_listens(invite), "main")
        assert (row["outcome"], row["screened"]) == ("answered", None)
    async with listener() as (heard, ear):
        row = await desk.listens(caller_listens(invite, ear), "main")
    assert (row["outcome"], row["screened"]) == ("blocked", "often")
    assert loudness(heard.samples, PRESS_ONE) > 0.05
    assert await desk.there.legs(row) == []
    row = await desk.listens(caller_listens(invite, None, press(invite, "1", 0.5)), "main")
    assert (row["outcome"], row["screened"], row["answered_by"]) == ("answered", "often", "PJSIP/main")
    # Whoever pressed 1 and found nobody there was missed, not blocked.
    await desk.exchange.line("main", LINES["busy"]())
    row = await desk.listens(caller_listens(invite, None, press(invite, "1", 0.5)))
    assert (row["outcome"], row["screened"]) == ("busy", "often")

    # A gateway that dies while the question is heard: the key lets through.
    await desk.exchange.line("main", LINES["hangs-up"]())
    before = await desk.there.newest()
    sipp = await desk.exchange.place(caller_listens(invite, None, press(invite, "1", 3.0)), "main")
    await eventually(lambda: _is_asked(desk))
    await desk.there.gateway.kill()
    await sipp.done()
    await desk.there.gateway.start()
    row = await desk.there.ended_one(before)
    assert (row["outcome"], row["screened"]) == ("answered", "often")
    # And after the restart the log tells how often he called.
    await eventually(lambda: _has_read(desk))
    row = await desk.listens(caller_listens(invite), "main")
    assert (row["outcome"], row["screened"]) == ("blocked", "often")

    # Let through by the list, whatever else holds.
    await desk.there.sql("INSERT INTO caller_rules (company_id, caller, verdict) VALUES (1, $1, 'allow')", caller)
    await desk.read()
    row = await desk.listens(caller_listens(invite), "main")
    assert (row["outcome"], row["screened"]) == ("answered", None)


async def _is_asked(desk: Desk) -> bool:
    return "Read" in await desk.there.pbx.cli("core show channels")


async def _has_read(desk: Desk) -> bool:
    return any(line.get("event") == "who called lately was read" for line in desk.there.gateway.log_lines())


async def test_who_dials_a_trap_meets_the_gate_the_next_time(desk: Desk, caller: str) -> None:
    await desk.there.sql("UPDATE tracking_numbers SET is_trap = true WHERE e164 = $1", TRAP)
    await desk.rules(traps=True)
    row = await desk.listens(caller_listens(Invite(TRAP, caller)), "main")
    assert (row["outcome"], row["screened"]) == ("answered", "trap")
    row = await desk.listens(caller_listens(Invite(DID, caller)), "main")
    assert (row["outcome"], row["screened"]) == ("blocked", "trapped")
    # Somebody who has bought of the company is nobody to be suspicious of.
    await desk.there.sql(
        "WITH made AS (INSERT INTO jobs (company_id, value, currency, booked_at) VALUES (1, 100, 'CAD', now()) "
        "RETURNING id) INSERT INTO job_leads (company_id, job_id, call_id) SELECT 1, made.id, $1 FROM made",
        row["id"],
    )
    await desk.there.gateway.stop()
    await desk.there.gateway.start()
    await eventually(lambda: _has_read(desk))
    row = await desk.listens(caller_listens(Invite(DID, caller)), "main")
    assert (row["outcome"], row["screened"]) == ("answered", None)


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "by"), [({"most_calls": 1}, "company-full"), ({"most_by_trunk": {"trunk": 1}}, "trunk-full")]
)
async def test_one_call_more_than_may_go_on_is_told_so(desk: Desk, caller: str, limit: dict[str, Any], by: str) -> None:
    await desk.rules(**limit)
    before = await desk.there.newest()
    await desk.exchange.line("main", LINES["main"]())
    first = await desk.exchange.place(caller_talks(Invite(PLAIN, caller), 600.0), "main")

    async def talks() -> bool:
        rows = await desk.there.sql("SELECT state FROM calls WHERE id > $1", before)
        return [row["state"] for row in rows] == ["answered"]

    await eventually(talks)
    async with listener() as (heard, ear):
        second = await desk.exchange.place(caller_listens(Invite(PLAIN, "+13065559911"), ear), "main")
        await second.done()
    assert loudness(heard.samples, ALL_BUSY) > 0.05
    # Also a gateway that has just started knows what goes on.
    await desk.there.gateway.stop()
    await desk.there.gateway.start()
    await eventually(lambda: _has_read(desk))
    third = await desk.exchange.place(caller_listens(Invite(PLAIN, "+13065559922")), "main")
    await third.done()
    await first.stop()
    await desk.there.pbx.cli("channel request hangup all")
    await desk.there.wait_quiet()

    async def all_ended() -> bool:
        rows = await desk.there.sql("SELECT state FROM calls WHERE id > $1", before)
        return [row["state"] for row in rows] == 3 * ["ended"]

    await eventually(all_ended)
    rows = await desk.there.sql("SELECT * FROM calls WHERE id > $1 ORDER BY started_at", before)
    assert [(row["outcome"], row["screened"]) for row in rows] == [("answered", None), ("blocked", by), ("blocked", by)]
    assert [row["hangup_cause"] for row in rows[1:]] == [17, 17]
    # And when it is over there is room again.
    row = await desk.listens(caller_talks(Invite(PLAIN, caller), 0.05), "main")
    assert (row["outcome"], row["screened"]) == ("answered", None)


async def test_a_call_ends_when_it_has_lasted_long_enough(
    desk: Desk, caller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortest that can be set is a minute; so long it is let be, and then ended on both sides."""
    monkeypatch.setattr("tests.calls.sipp.LONGEST_SECONDS", 180)
    await desk.rules(longest_minutes=1)
    await desk.exchange.line("main", LINES["main"]())
    started = await desk.there.newest()
    sipp = await desk.exchange.place(caller_listens(Invite(PLAIN, caller)), "main")
    await sipp.done()
    row = await desk.there.ended_one(started)
    assert (row["outcome"], row["hung_up_by"], json.loads(row["evidence"])["longest"]) == ("answered", None, "60")
    assert (row["ended_at"] - row["started_at"]).total_seconds() == pytest.approx(60, abs=5)
