"""A caller is put on hold, parked and fetched, or taken from another's ringing phone: one call, and everybody in it."""

import asyncio
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.office import PARK, PARK_BRIEFLY, PICKUP, IncomingCall, Office, Part, Phones, parts, talks
from tests.calls.scenarios import Invite, caller_gives_up, caller_listens, caller_talks
from tests.installation import Installation, Number
from tests.stack import eventually, lasts

TO_101 = "+13065552001"
FIRST = Part("destination", "PJSIP/101", "answered", "PJSIP/101")


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Office(home, folder, dsn, [Number(TO_101, ("PJSIP/101",))], tuple(LINES))


async def incoming(exchange: Exchange, phones: Phones, caller: str) -> IncomingCall:
    """A call that 101 has answered, whose caller waits until somebody hangs up."""
    return await IncomingCall.answered(exchange, caller_listens(Invite(TO_101, caller)), phones["101"])


async def parked(exchange: Exchange, lot: str) -> None:
    """Return once a caller waits in the lot."""

    async def is_parked() -> bool:
        return "PJSIP/trunk-" in await exchange.installation.pbx.cli(f"parking show {lot}")

    await eventually(is_parked)


# -- hold --------------------------------------------------------------------------------------------------------------


async def test_on_hold_and_back(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    for _ in range(2):
        await call.line.hold()
        await asyncio.sleep(0.3)
        await call.line.resume()
        await asyncio.sleep(0.2)
    talked = call.so_far
    await call.line.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST]
    assert lasts(row["talk_seconds"], talked)
    (leg,) = await exchange.installation.legs(row)
    assert lasts(leg["talk_seconds"], talked)


async def test_the_caller_gives_up_on_hold(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await IncomingCall.answered(exchange, caller_talks(Invite(TO_101, caller), 1), phones["101"])
    await call.line.hold()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "caller")
    assert await parts(exchange.installation, row) == [FIRST]
    assert lasts(row["talk_seconds"], 1)


# -- parking -----------------------------------------------------------------------------------------------------------


async def test_parked_and_fetched_by_a_colleague(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    with_first = call.so_far
    await call.line.transfer(PARK)
    await parked(exchange, "default")
    await asyncio.sleep(0.6)
    waited = call.so_far - with_first
    colleague = await phones["102"].call("701")
    await talks(exchange.installation, phones["102"])
    await asyncio.sleep(0.4)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert await parts(exchange.installation, row) == [
        FIRST,
        Part("transfer", f"{PARK}@internal", "answered", "PJSIP/102"),
    ]
    first, second = await exchange.installation.legs(row)
    assert lasts(first["talk_seconds"], with_first)
    assert lasts(second["ring_seconds"], waited)
    assert lasts(row["talk_seconds"], with_first + waited + 0.4)


async def test_parked_and_nobody_fetches_it(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The phone that parked it rings again."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(PARK_BRIEFLY)
    await parked(exchange, "brief")
    again = await call.taken_by(phones["101"])
    await asyncio.sleep(0.3)
    await again.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [
        FIRST,
        Part("transfer", f"{PARK_BRIEFLY}@internal", "answered", "PJSIP/101"),
    ]
    assert lasts(row["talk_seconds"], 2.8)


async def test_the_caller_gives_up_while_parked(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await IncomingCall.answered(exchange, caller_talks(Invite(TO_101, caller), 1.5), phones["101"])
    await call.line.transfer(PARK)
    await parked(exchange, "default")
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "caller")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST, Part("transfer", f"{PARK}@internal", "abandoned", None)]
    assert lasts(row["talk_seconds"], 1.5)


async def test_parked_twice(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(PARK)
    await parked(exchange, "default")
    second = await phones["102"].call("701")
    await talks(exchange.installation, phones["102"])
    await asyncio.sleep(0.3)
    await second.transfer(PARK)
    await parked(exchange, "default")
    third = await phones["103"].call("701")
    await talks(exchange.installation, phones["103"])
    await asyncio.sleep(0.3)
    await third.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/103")
    assert [part.answered_by for part in await parts(exchange.installation, row)] == [
        "PJSIP/101",
        "PJSIP/102",
        "PJSIP/103",
    ]


# -- pickup ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [PICKUP, f"{PICKUP}101"])
async def test_picked_up_from_a_colleagues_phone(exchange: Exchange, phones: Phones, caller: str, keys: str) -> None:
    """Who spoke with the caller is who took it, not whose phone rang."""
    there = exchange.installation
    before = await there.newest()
    sipp = await exchange.place(caller_listens(Invite(TO_101, caller)))
    ringing = await phones["101"].rings()
    await asyncio.sleep(0.4)
    colleague = await phones["102"].call(keys)
    await talks(there, phones["102"])
    await ringing.gone()
    assert ringing.cancelled
    await asyncio.sleep(0.4)
    await colleague.hang_up()
    await sipp.done()
    row = await there.ended_one(before)
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/102", "PJSIP/102")
    assert await parts(there, row) == [Part("destination", "PJSIP/101", "answered", "PJSIP/102")]
    assert lasts(row["ring_seconds"], 0.4)
    assert lasts(row["talk_seconds"], 0.4)
    await there.wait_quiet()


async def test_too_late_to_be_picked_up(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The caller has just gone: who dials the keys is refused, and the call is an abandoned one."""
    there = exchange.installation
    before = await there.newest()
    sipp = await exchange.place(caller_gives_up(Invite(TO_101, caller), 0.3))
    ringing = await phones["101"].rings()
    await sipp.done()
    await ringing.gone()
    late = await phones["102"].call(f"{PICKUP}101")
    assert late.refused is not None
    row = await there.ended_one(before)
    assert (row["outcome"], row["hung_up_by"], row["answered_by"]) == ("abandoned", "caller", None)


async def test_picked_up_and_passed_on(exchange: Exchange, phones: Phones, caller: str) -> None:
    there = exchange.installation
    before = await there.newest()
    sipp = await exchange.place(caller_listens(Invite(TO_101, caller)))
    await phones["101"].rings()
    colleague = await phones["102"].call(PICKUP)
    await talks(there, phones["102"])
    await asyncio.sleep(0.3)
    await colleague.transfer("103")
    third = await phones["103"].rings()
    await asyncio.sleep(0.2)
    await third.answer()
    await talks(there, phones["103"])
    await asyncio.sleep(0.3)
    await third.hang_up()
    await sipp.done()
    row = await there.ended_one(before)
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/102", "PJSIP/103")
    assert await parts(there, row) == [
        Part("destination", "PJSIP/101", "answered", "PJSIP/102"),
        Part("transfer", "103@internal", "answered", "PJSIP/103"),
    ]
