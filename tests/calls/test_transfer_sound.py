"""One recording a call, whoever the caller is passed on to.

Left is the caller. Right is whom the caller is connected to at that moment: the first person, the music on hold or of a
parking place, the next person. Not in it: the ringing while nobody is there, and what colleagues say to each other.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import Turn, finished, turns
from tests.calls.office import MUSIC_HZ, OUTSIDE, PARK, PICKUP, VOICES, IncomingCall, Office, Phones, talks
from tests.calls.scenarios import Invite, caller_listens, line_answers
from tests.installation import Installation, Number, Row

CALLER_HZ, OUTSIDE_HZ = 440.0, 550.0
TO_101, THROUGH_LOCAL = "+13065552001", "+13065552003"
EVERYBODY = {**VOICES, "music": MUSIC_HZ, "caller": CALLER_HZ, "outside": OUTSIDE_HZ}
# What a busy machine may do to the length of a stretch of sound, and the seam between two people.
NEARLY = 0.8


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [
        Number(TO_101, ("PJSIP/101",), record=True),
        Number(THROUGH_LOCAL, ("Local/101@internal/n",), record=True),
    ]
    return Office(home, folder, dsn, numbers, tuple(LINES))


async def incoming(exchange: Exchange, phones: Phones, caller: str, did: str = TO_101) -> IncomingCall:
    """A call that 101 has answered and talks in for a second, whose caller speaks until somebody hangs up."""
    scenario = caller_listens(Invite(did, caller), exchange.tone(CALLER_HZ))
    return await IncomingCall.answered(exchange, scenario, phones["101"], talk=1.0)


async def heard(exchange: Exchange, call: Row) -> tuple[Sequence[Turn], float]:
    """The right side of a call's one recording; its left is the caller throughout. And its length in seconds."""
    _, samples, rate = await finished(exchange.installation, call)
    seconds = len(samples) / rate
    left = turns(samples[:, 0], rate, EVERYBODY)
    assert [turn.who for turn in left] == ["caller"], left
    assert left[0].seconds == pytest.approx(seconds, abs=NEARLY)
    return turns(samples[:, 1], rate, EVERYBODY), seconds


def assert_are(found: Sequence[Turn], *expected: tuple[str, float]) -> None:
    """It is these voices in turn, each for about so many seconds."""
    assert [turn.who for turn in found] == [who for who, _ in expected], found
    for turn, (_, seconds) in zip(found, expected, strict=True):
        assert turn.seconds == pytest.approx(seconds, abs=NEARLY), found


# Phones count their packets from a number of chance. Asterisk's recorder, left alone, drops those of a new person that
# count lower than those of the one before, or much higher, which it takes for the same (seen with 22.10).
@pytest.mark.parametrize(("first", "then"), [(0, 20_000), (20_000, 0), (10_000, 60_000)])
async def test_a_colleague_after_the_first_person(
    exchange: Exchange, phones: Phones, caller: str, first: int, then: int
) -> None:
    phones["101"].counts_from, phones["102"].counts_from = first, then
    call = await incoming(exchange, phones, caller)
    with_first = call.so_far
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"], rings=1.2)
    taken = call.so_far
    await asyncio.sleep(1.5)
    with_second = call.so_far - taken
    await colleague.hang_up()
    row = await call.over()
    found, seconds = await heard(exchange, row)
    assert_are(found, ("101", with_first), ("102", with_second))
    # Nobody was there to be recorded while it rang.
    assert seconds == pytest.approx(with_first + with_second, abs=NEARLY)
    assert row["talk_seconds"] > seconds + 1.2 - NEARLY


async def test_three_people(exchange: Exchange, phones: Phones, caller: str) -> None:
    for counts_from, phone in zip((30_000, 20_000, 10_000), phones.values(), strict=True):
        phone.counts_from = counts_from
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    second = await call.taken_by(phones["102"])
    await asyncio.sleep(1.0)
    await second.transfer("103")
    third = await call.taken_by(phones["103"])
    await asyncio.sleep(1.0)
    await third.hang_up()
    found, _ = await heard(exchange, await call.over())
    assert_are(found, ("101", 1.0), ("102", 1.0), ("103", 1.0))


async def test_an_outside_number(exchange: Exchange, phones: Phones, caller: str) -> None:
    phones["101"].counts_from = 20_000
    await exchange.line("outside", line_answers(after=0.3, tone=exchange.tone(OUTSIDE_HZ), hangs_up_after=1.5))
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(OUTSIDE)
    found, _ = await heard(exchange, await call.over())
    assert_are(found, ("101", 1.0), ("outside", 1.5))


async def test_a_colleague_who_was_asked_first(exchange: Exchange, phones: Phones, caller: str) -> None:
    """While the two talk with each other, the caller hears music, and so does the recording."""
    phones["101"].counts_from, phones["102"].counts_from = 20_000, 10_000
    call = await incoming(exchange, phones, caller)
    with_first = call.so_far
    await call.line.hold()
    asking, answered = await phones["101"].dial("102")
    colleague = await call.taken_by(phones["102"])
    await answered
    await asyncio.sleep(1.0)
    with_music = call.so_far - with_first
    await call.line.transfer_to(asking)
    assert await call.line.transferred() == 200
    await asyncio.sleep(1.2)
    with_second = call.so_far - with_first - with_music
    await colleague.hang_up()
    row = await call.over()
    found, seconds = await heard(exchange, row)
    assert_are(found, ("101", with_first), ("music", with_music), ("102", with_second))
    assert seconds == pytest.approx(row["talk_seconds"], abs=NEARLY)


@pytest.mark.parametrize("then", [None, 5_000])
async def test_on_hold(exchange: Exchange, phones: Phones, caller: str, then: int | None) -> None:
    """The caller, who may well speak meanwhile, is heard to the end; the first person before and after the music.

    Many phones begin a new stream of sound when they take the caller back.
    """
    phones["101"].counts_from = 20_000
    call = await incoming(exchange, phones, caller)
    await call.line.hold()
    await asyncio.sleep(1.0)
    await call.line.resume(then)
    await asyncio.sleep(1.0)
    await call.line.hang_up()
    row = await call.over()
    found, seconds = await heard(exchange, row)
    assert_are(found, ("101", 1.0), ("music", 1.0), ("101", 1.0))
    assert seconds == pytest.approx(row["talk_seconds"], abs=NEARLY)


async def test_parked_and_fetched(exchange: Exchange, phones: Phones, caller: str) -> None:
    phones["101"].counts_from, phones["102"].counts_from = 20_000, 10_000
    call = await incoming(exchange, phones, caller)
    with_first = call.so_far
    await call.line.transfer(PARK)
    assert await call.line.transferred() == 200
    await asyncio.sleep(1.0)
    with_music = call.so_far - with_first
    colleague = await phones["102"].call("701")
    await talks(exchange.installation, phones["102"])
    await asyncio.sleep(1.5)
    await colleague.hang_up()
    row = await call.over()
    found, seconds = await heard(exchange, row)
    assert_are(found, ("101", with_first), ("music", with_music), ("102", 1.5))
    assert seconds == pytest.approx(row["talk_seconds"], abs=NEARLY)


async def test_picked_up(exchange: Exchange, phones: Phones, caller: str) -> None:
    there = exchange.installation
    before = await there.newest()
    sipp = await exchange.place(caller_listens(Invite(TO_101, caller), exchange.tone(CALLER_HZ)))
    await phones["101"].rings()
    colleague = await phones["102"].call(PICKUP)
    await talks(there, phones["102"])
    await asyncio.sleep(1.0)
    await colleague.hang_up()
    await sipp.done()
    found, _ = await heard(exchange, await there.ended_one(before))
    assert_are(found, ("102", 1.0))


async def test_behind_a_local_channel(exchange: Exchange, phones: Phones, caller: str) -> None:
    phones["101"].counts_from, phones["102"].counts_from = 20_000, 10_000
    call = await incoming(exchange, phones, caller, THROUGH_LOCAL)
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(1.5)
    await colleague.hang_up()
    found, _ = await heard(exchange, await call.over())
    assert_are([turn for turn in found if turn.who in VOICES], ("101", 1.0), ("102", 1.5))


async def test_while_no_gateway_is_there(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The recording goes on by itself, in the same two files."""
    phones["101"].counts_from, phones["102"].counts_from = 0, 10_000
    there = exchange.installation
    call = await incoming(exchange, phones, caller)
    await there.gateway.kill()
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(1.0)
    await colleague.hang_up()
    await call.sipp.done()
    await there.gateway.start()
    found, _ = await heard(exchange, await call.over())
    assert_are(found, ("101", 1.0), ("102", 1.0))
