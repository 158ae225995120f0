"""A telephone whose answer counts once somebody there has pressed 1: mailboxes do not swallow calls."""

import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls import tone_engine
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import finished, strongest
from tests.calls.reception import PHONES, Reception, reception_of, ring
from tests.calls.scenarios import Invite, caller_gives_up, caller_listens, caller_talks, line_answers, line_presses
from tests.calls.sipp import Listener, listener, make_sound
from tests.installation import Installation, Number, Row
from tests.stack import eventually

DID, PLAIN, WHISPERED = "+13065552001", "+13065552002", "+13065552003"
CALLER_HZ, LINE_HZ, WHISPER_HZ, PROMPT_HZ = 440.0, 1000.0, 620.0, 900.0
MOBILE = f"{PLAIN} second"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    whisper = make_sound(folder, "whisper", WHISPER_HZ, 1.0)
    numbers = [
        Number(PLAIN, PHONES, record=True),
        Number(DID, ("main",)),
        Number(WHISPERED, ("hangs-up",), whisper=whisper),
    ]
    return Installation(home, folder, dsn, numbers, tuple(LINES), bound_ms=3000)


@pytest.fixture(scope="module", autouse=True)
def tones() -> Iterator[None]:
    """Words are spoken as tones."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NUMBERPOOL_SPEECH__COMMAND", json.dumps([sys.executable, tone_engine.__file__]))
        yield


@pytest_asyncio.fixture
async def reception(exchange: Exchange) -> AsyncIterator[Reception]:
    there = exchange.installation
    await there.sql("UPDATE destinations SET press_one = true WHERE name = $1", MOBILE)
    await there.sql("UPDATE destinations SET press_one = true WHERE name = $1", f"{WHISPERED} hangs-up")
    await there.wait_fallback(WHISPERED, "|")
    await eventually(lambda: _has_prompt(there), 60)
    async with reception_of(exchange) as reception:
        yield reception


async def _has_prompt(there: Installation) -> bool:
    return "/prompts/say-" in await there.pbx.cli(f"database get numberpool {WHISPERED}")


@asynccontextmanager
async def line(exchange: Exchange, name: str, xml: str) -> AsyncIterator[None]:
    """A line plays another part for a while."""
    await exchange.line(name, xml)
    try:
        yield
    finally:
        await exchange.line(name, LINES[name]())


async def channels(exchange: Exchange) -> Sequence[str]:
    listed = await exchange.installation.pbx.cli("core show channels concise")
    return [row.split("!")[0] for row in listed.splitlines() if "!" in row]


def loud(heard: Listener, hertz: float) -> bool:
    return heard.loudness(hertz) > 0.01


async def test_whoever_presses_has_the_call(reception: Reception, caller: str) -> None:
    await reception.does(ring("second"))
    async with (
        listener() as (phone_hears, phone_ear),
        listener() as (caller_hears, caller_ear),
        line(reception.exchange, "second", line_presses("1", after=3.0, tone=phone_ear)),
    ):
        row = await reception.calls(caller_talks(Invite(DID, caller), 1.0, caller_ear))
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    (leg,) = await reception.there.legs(row)
    assert (leg["dial"], leg["result"], leg["answered_by"]) == ("PJSIP/second", "answered", "PJSIP/second")
    assert loud(phone_hears, PROMPT_HZ)
    assert not loud(caller_hears, PROMPT_HZ)
    # It rings until the key: who has only picked up does not have the call yet. Either end may be heard of late.
    assert row["ring_seconds"] >= 2.5
    assert row["talk_seconds"] < row["ring_seconds"] + 3


async def test_both_hear_each_other_and_the_recording_has_both(reception: Reception, caller: str) -> None:
    there = reception.there
    before = await there.newest()
    sides = reception.exchange.tone(CALLER_HZ), reception.exchange.tone(LINE_HZ)
    await there.sql("UPDATE tracking_numbers SET record_calls = true WHERE e164 = $1", DID)
    try:
        await reception.does(ring("second"))
        async with line(reception.exchange, "second", line_presses("1", after=0.5, tone=sides[1])):
            sipp = await reception.exchange.place(caller_talks(Invite(DID, caller), 3.0, sides[0]))
            await sipp.done()
        row = await there.ended_one(before)
    finally:
        await there.sql("UPDATE tracking_numbers SET record_calls = false WHERE e164 = $1", DID)
    _, samples, rate = await finished(there, row)
    assert strongest(samples[:, 0], rate) == pytest.approx(CALLER_HZ, abs=3)
    assert strongest(samples[:, 1], rate) == pytest.approx(LINE_HZ, abs=3)


@pytest.mark.parametrize("key", ["", "5"])
async def test_a_mailbox_and_another_key_take_no_call(reception: Reception, caller: str, key: str) -> None:
    """A mailbox answers, speaks and never presses; another key is a refusal. The route goes on to whoever is next."""
    await reception.does(ring("second", "hangs-up"))
    greeting = reception.exchange.tone(LINE_HZ)
    box = line_presses(key, after=0.3, tone=greeting) if key else line_answers(tone=greeting)
    async with line(reception.exchange, "second", box), listener() as (caller_hears, caller_ear):
        row = await reception.calls(caller_talks(Invite(DID, caller), 0.2, caller_ear), "hangs-up")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/hangs-up")
    legs = await reception.there.legs(row)
    assert [(leg["dial"], leg["result"]) for leg in legs] == [
        ("PJSIP/second", "no_answer"),
        ("PJSIP/hangs-up", "answered"),
    ]
    # Nothing of the greeting reaches the caller, who hears it ring.
    assert not loud(caller_hears, LINE_HZ)


async def test_a_mailbox_alone_is_a_missed_call(reception: Reception, caller: str) -> None:
    await reception.does(ring("second"))
    async with line(reception.exchange, "second", line_answers()):
        before, sipp = await reception.place(caller_gives_up(Invite(DID, caller), 25.0))
        await eventually(lambda: _missed(reception, before), 60)
        await sipp.stop()
    row = await reception.there.ended_one(before)
    assert (row["outcome"], row["answered_at"]) == ("no_answer", None)


async def _missed(reception: Reception, before: int) -> bool:
    rows: list[Row] = await reception.there.sql("SELECT state FROM calls WHERE id > $1", before)
    return [row["state"] for row in rows] == ["ended"]


async def test_others_ring_on_while_one_is_asked(reception: Reception, caller: str) -> None:
    """The mobile telephone has picked up and is being asked; the other one answers, and has the call at once."""
    await reception.does(ring("second", "main", strategy="together"))
    exchange = reception.exchange
    async with (
        listener() as (phone_hears, phone_ear),
        line(exchange, "second", line_answers(tone=phone_ear)),
        line(exchange, "main", line_answers(after=4.0, hangs_up_after=6.0)),
    ):
        before, sipp = await reception.place(caller_listens(Invite(DID, caller)))
        await eventually(lambda: _talks_with(exchange, "main"), 30)
        # Whoever was being asked is let go at once, not when they have heard it to the end.
        await eventually(lambda: _is_gone(exchange, "second"), 5)
        await sipp.done()
    row = await reception.there.ended_one(before, 30)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    assert loud(phone_hears, PROMPT_HZ)


async def _talks_with(exchange: Exchange, name: str) -> bool:
    listed = (await exchange.installation.pbx.cli("core show channels concise")).splitlines()
    return any(row.startswith(f"PJSIP/{name}-") and "!Up!" in row for row in listed)


async def _is_gone(exchange: Exchange, name: str) -> bool:
    return not any(channel.startswith(f"PJSIP/{name}-") for channel in await channels(exchange))


async def test_the_caller_hangs_up_while_somebody_is_asked(reception: Reception, caller: str) -> None:
    await reception.does(ring("second"))
    async with line(reception.exchange, "second", line_answers(after=0.3)):
        before, sipp = await reception.place(caller_gives_up(Invite(DID, caller), 2.5))
        await eventually(lambda: _talks_with(reception.exchange, "second"), 20)
        await sipp.done()
        await eventually(lambda: _is_gone(reception.exchange, "second"), 5)
    row = await reception.there.ended_one(before)
    assert (row["outcome"], row["answered_at"], row["hung_up_by"]) == ("abandoned", None, "caller")


async def test_a_key_during_the_whisper_counts(reception: Reception, caller: str) -> None:
    async with (
        listener() as (phone_hears, phone_ear),
        line(reception.exchange, "hangs-up", line_presses("1", after=0.3, tone=phone_ear)),
    ):
        row = await reception.calls(caller_talks(Invite(WHISPERED, caller), 1.0))
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/hangs-up")
    assert loud(phone_hears, WHISPER_HZ)  # and not once more before they talk
    assert not loud(phone_hears, PROMPT_HZ)
    assert len(phone_hears.samples) / 8000 < 2.5


async def test_emergency_services_that_call_back_are_put_through(reception: Reception, caller: str) -> None:
    invite = Invite(WHISPERED, caller, headers=("Priority: psap-callback",))
    async with (
        listener() as (phone_hears, phone_ear),
        line(reception.exchange, "hangs-up", line_answers(tone=phone_ear)),
    ):
        row = await reception.calls(caller_talks(invite, 1.0))
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/hangs-up")
    assert not loud(phone_hears, WHISPER_HZ)
    assert not loud(phone_hears, PROMPT_HZ)
