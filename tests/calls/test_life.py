"""The life of a call, on real SIP: how it ends, who ended it, how long it took, and which lines it tried."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.impatient import ImpatientCaller
from tests.calls.scenarios import (
    Invite,
    caller_gives_up,
    caller_gives_up_at_the_answer,
    caller_listens,
    caller_refused,
    caller_talks,
    line_answers,
)
from tests.calls.sipp import listener, make_sound
from tests.installation import Installation, Number
from tests.stack import eventually, lasts

WHISPER_HZ = 620.0
NUMBERS = {
    "main": Number("+13065552001"),
    "hangs-up": Number("+13065552002", ("hangs-up",)),
    "busy": Number("+13065552003", ("busy",)),
    "forbidden": Number("+13065552004", ("forbidden",)),
    "declines": Number("+13065552005", ("declines",)),
    "unavailable": Number("+13065552006", ("unavailable",)),
    "rings": Number("+13065552007", ("rings",)),
    "crosses": Number("+13065552008", ("crosses",)),
    "nowhere": Number("+13065552009", ("PJSIP/not-registered",)),
    "unknown endpoint": Number("+13065552010", ("PJSIP/no-such-endpoint",)),
    "rings, then second": Number("+13065552011", ("rings", "second")),
    "busy, then second": Number("+13065552012", ("busy", "second")),
    "together": Number("+13065552013", ("PJSIP/rings&PJSIP/second",)),
}
# An endpoint nobody has registered.
NOT_REGISTERED = """
[not-registered]
type=endpoint
transport=udp
context=elsewhere
disallow=all
allow=ulaw
aors=not-registered
[not-registered]
type=aor
max_contacts=1
"""


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    whisper = make_sound(folder, "whisper", WHISPER_HZ, 0.5)
    numbers = [*NUMBERS.values(), Number("+13065552020", whisper=whisper, record=True)]
    return Installation(home, folder, dsn, numbers, tuple(LINES), {"pjsip.conf": NOT_REGISTERED})


def did(name: str) -> str:
    return NUMBERS[name].e164


async def test_answered_and_the_caller_hangs_up(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(did("main"), caller), 0.5), "main")
    assert (row["outcome"], row["hung_up_by"], row["decided_by"]) == ("answered", "caller", "gateway")
    assert (row["did"], row["caller"], row["source_id"], row["trunk"]) == (did("main"), caller, 1, "trunk")
    assert row["answered_by"] == "PJSIP/main"
    assert lasts(row["talk_seconds"], 0.5)
    assert lasts(row["ring_seconds"], 0.05)
    assert row["hangup_cause"] == 16
    (leg,) = await exchange.installation.legs(row)
    assert (leg["dial"], leg["result"], leg["answered_by"]) == ("PJSIP/main", "answered", "PJSIP/main")


async def test_answered_and_the_business_hangs_up(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_listens(Invite(did("hangs-up"), caller)), "hangs-up")
    assert (row["outcome"], row["hung_up_by"], row["answered_by"]) == ("answered", "business", "PJSIP/hangs-up")
    assert lasts(row["talk_seconds"], 0.3)


async def test_busy(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_refused(Invite(did("busy"), caller), 486), "busy")
    assert (row["outcome"], row["hangup_cause"], row["answered_at"]) == ("busy", 17, None)
    (leg,) = await exchange.installation.legs(row)
    assert (leg["dial"], leg["result"]) == ("PJSIP/busy", "busy")


async def test_abandoned_while_it_rings(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_gives_up(Invite(did("rings"), caller), 0.3), "rings")
    assert (row["outcome"], row["hung_up_by"], row["answered_at"]) == ("abandoned", "caller", None)
    assert lasts(row["ring_seconds"], 0.3)
    (leg,) = await exchange.installation.legs(row)
    assert (leg["dial"], leg["result"]) == ("PJSIP/rings", "abandoned")


async def test_the_line_answers_as_the_caller_gives_up(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_gives_up(Invite(did("crosses"), caller), 0.1), "crosses")
    assert (row["outcome"], row["hung_up_by"], row["talk_seconds"]) == ("abandoned", "caller", None)
    await exchange.installation.wait_quiet()


async def test_the_caller_gives_up_as_the_line_answers(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_gives_up_at_the_answer(Invite(did("main"), caller)), "main")
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "caller")


async def test_giving_up_at_every_moment_around_the_answer(exchange: Exchange) -> None:
    """Whichever side wins, each call is in the log once, and says what the caller saw."""
    before = await exchange.installation.newest()
    await exchange.line("main")
    pbx = exchange.installation.pbx
    calls: dict[str, ImpatientCaller] = {}
    patience, change = 0.05, 0.02
    for step in range(40):
        number = f"+1306888{step:04}"
        calls[number] = await ImpatientCaller.call(did("main"), number, (pbx.address, pbx.sip_port), patience)
        # Hunts for the moment of the answer, and stays around it.
        patience = max(0.0, patience + (-change if calls[number].told == 200 else change))
        change = max(0.0004, change * 0.7)
    rows = await exchange.installation.ended(before, len(calls))
    for row in rows:
        assert row["hung_up_by"] == "caller"
        if calls[row["caller"]].told == 200:
            assert row["outcome"] == "answered"
        elif row["outcome"] != "abandoned":  # the line had picked up; the caller's side had not heard of it yet
            assert row["outcome"] == "answered"
            assert lasts(row["talk_seconds"], 0)
    assert {row["outcome"] for row in rows} == {"answered", "abandoned"}


@pytest.mark.parametrize("line", ["forbidden", "declines", "unavailable", "nowhere", "unknown endpoint"])
async def test_a_line_that_cannot_be_reached_leads_to_the_default_line(
    exchange: Exchange, caller: str, line: str
) -> None:
    if line in LINES:
        await exchange.line(line)
    row = await exchange.call(caller_talks(Invite(did(line), caller), 0.1), "main")
    assert (row["outcome"], row["answered_by"], row["did"]) == ("answered", "PJSIP/main", did(line))
    first, second = await exchange.installation.legs(row)
    assert (first["result"], second["result"]) == ("failed", "answered")
    assert (second["dial"], second["answered_by"]) == ("PJSIP/main", "PJSIP/main")


async def test_the_second_destination_after_a_busy_first(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(did("busy, then second"), caller), 0.1), "busy", "second")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    legs = await exchange.installation.legs(row)
    assert [(leg["dial"], leg["result"]) for leg in legs] == [("PJSIP/busy", "busy"), ("PJSIP/second", "answered")]


async def test_no_answer_and_the_second_destination_after_it(exchange: Exchange, caller: str) -> None:
    before = await exchange.installation.newest()
    other = caller.replace("+1306", "+1307")
    calls = [
        await exchange.place(caller_refused(Invite(did("rings"), caller), 480), "rings"),
        await exchange.place(caller_talks(Invite(did("rings, then second"), other), 0.1), "second"),
    ]
    await asyncio.gather(*(call.done() for call in calls))
    rows = {row["did"]: row for row in await exchange.installation.ended(before, 2)}
    alone = rows[did("rings")]
    assert (alone["outcome"], alone["hangup_cause"], alone["hung_up_by"]) == ("no_answer", 19, None)
    assert lasts(alone["ring_seconds"], 5)
    (leg,) = await exchange.installation.legs(alone)
    assert leg["result"] == "no_answer"
    led_on = rows[did("rings, then second")]
    assert (led_on["outcome"], led_on["answered_by"]) == ("answered", "PJSIP/second")
    legs = await exchange.installation.legs(led_on)
    assert [leg["result"] for leg in legs] == ["no_answer", "answered"]
    assert lasts(legs[0]["ring_seconds"], 5)


async def test_lines_rung_together(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(did("together"), caller), 0.1), "rings", "second")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")


async def test_many_calls_at_once_on_one_number(exchange: Exchange) -> None:
    before = await exchange.installation.newest()
    invite = Invite(did("main"), "+1306777[call_number]")
    sipp = await exchange.place(caller_talks(invite, 5), "main", calls=25, rate=50)

    async def are_all_live() -> bool:
        live = await exchange.installation.sql("SELECT id FROM calls WHERE state = 'answered'")
        return len(live) == 25

    await eventually(are_all_live)
    await sipp.done()
    rows = await exchange.installation.ended(before, 25, 30)
    assert Counter(row["outcome"] for row in rows) == {"answered": 25}
    assert Counter(row["decided_by"] for row in rows) == {"gateway": 25}
    assert len({row["asterisk_id"] for row in rows}) == 25
    assert all(lasts(row["talk_seconds"], 5) for row in rows)


async def test_a_live_call_is_in_the_log_while_it_goes_on(exchange: Exchange, caller: str) -> None:
    sipp = await exchange.place(caller_gives_up(Invite(did("rings"), caller), 4), "rings")

    async def rings() -> bool:
        rows = await exchange.installation.sql("SELECT state FROM calls WHERE caller = $1", caller)
        return [row["state"] for row in rows] == ["ringing"]

    await eventually(rings)
    await sipp.done()


async def test_the_whisper_is_heard_by_the_line_alone(exchange: Exchange, caller: str) -> None:
    async with listener() as (caller_hears, caller_ear), listener() as (line_hears, line_ear):
        await exchange.line("main", line_answers(tone=line_ear))
        try:
            row = await exchange.call(caller_talks(Invite("+13065552020", caller), 1.0, caller_ear))
        finally:
            await exchange.line("main", LINES["main"]())
    assert row["outcome"] == "answered"
    assert line_hears.loudness(WHISPER_HZ) > 0.05
    assert caller_hears.loudness(WHISPER_HZ) < 0.005


async def test_an_announcement_is_heard_by_the_caller_alone(exchange: Exchange, caller: str, tmp_path: Path) -> None:
    sound = make_sound(exchange.installation.folder, "announcement", WHISPER_HZ, 0.5)
    await exchange.installation.sql("UPDATE companies SET announcement = $1", sound)
    try:
        await exchange.installation.wait_fallback(did("main"), sound)
        async with listener() as (caller_hears, caller_ear), listener() as (line_hears, line_ear):
            await exchange.line("main", line_answers(tone=line_ear))
            row = await exchange.call(caller_talks(Invite(did("main"), caller), 1.5, caller_ear))
    finally:
        await exchange.line("main", LINES["main"]())
        await exchange.installation.sql("UPDATE companies SET announcement = NULL")
        await exchange.installation.wait_fallback(did("main"), "||")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    assert caller_hears.loudness(WHISPER_HZ) > 0.03
    assert line_hears.loudness(WHISPER_HZ) < 0.005
    # The caller's side was answered by the announcement; that is not the answer of a person.
    assert row["ring_seconds"] > 0.5
